//! Ending everything in a namespace.
#![cfg(feature = "test-util")]

mod support;

use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use foundation_registry::{CLEANUP_GRACE, CLEANUP_LAST_CALL, CleanupOptions, Registry, RegistryError, ServiceRegistry};
use foundation_types::{ExitReason, ManualClock, Metadata, MonoTime, Namespace, NodeId, Owner, OwnerId, ServiceName};
use proptest::prelude::*;

use crate::support::{Task, on_each_backend};

fn name(text: &str) -> ServiceName {
    ServiceName::new(text).expect("valid")
}

fn register(registry: &Registry, namespace: &Namespace, text: &str, owner: &Owner) {
    registry.register(namespace, &name(text), &owner.pid(), Metadata::new()).expect("free");
}

fn registries(clock: &ManualClock) -> [Registry; 2] {
    on_each_backend(|builder| builder.clock(Arc::new(clock.clone())))
}

#[test]
fn r19_an_owner_that_ignores_the_request_keeps_its_names_until_it_is_killed() {
    let clock = ManualClock::new();
    for registry in registries(&clock) {
        let (here, stubborn) = (Namespace::test(), Owner::new());
        register(&registry, &here, "a", &stubborn);
        register(&registry, &here, "b", &stubborn);

        let mut cleanup = Task::new(registry.cleanup_namespace_async(&here, CleanupOptions::default()));
        assert!(cleanup.poll().is_pending());
        assert_eq!(stubborn.shutdown_requested(), Some(ExitReason::Shutdown));
        clock.advance(CLEANUP_GRACE);
        assert!(cleanup.was_woken() && cleanup.poll().is_pending());
        clock.advance(CLEANUP_LAST_CALL.saturating_sub(Duration::from_nanos(1)));
        assert!(!cleanup.was_woken() && cleanup.poll().is_pending());
        assert_eq!((stubborn.pid().is_alive(), registry.count(&here)), (true, Ok(2)));

        clock.advance(Duration::from_nanos(1));
        assert!(cleanup.was_woken());
        let Poll::Ready(Ok(report)) = cleanup.poll() else { panic!("done") };
        assert_eq!((report.entries, report.stopped, report.killed, report.spared), (2, 0, 1, 0));
        assert_eq!(stubborn.pid().exit_reason(), Some(ExitReason::Killed));
        assert_eq!((registry.count(&here), clock.pending()), (Ok(0), 0));
    }
}

#[test]
fn r19_owners_that_stop_when_asked_are_not_waited_for_longer() {
    let clock = ManualClock::new();
    for registry in registries(&clock) {
        let here = Namespace::test();
        let owners: Vec<Owner> = (0..50).map(|_| Owner::new()).collect();
        for (number, owner) in owners.iter().enumerate() {
            register(&registry, &here, &number.to_string(), owner);
        }
        let mut cleanup = Task::new(registry.cleanup_namespace_async(&here, CleanupOptions::default()));
        assert!(cleanup.poll().is_pending());
        for owner in owners {
            let reason = owner.shutdown_requested().expect("all are asked at once");
            assert!(cleanup.poll().is_pending());
            owner.exit(reason);
        }
        assert!(cleanup.was_woken());
        let Poll::Ready(Ok(report)) = cleanup.poll() else { panic!("done without the clock moving") };
        assert_eq!((report.entries, report.stopped, report.killed), (50, 50, 0));
        assert_eq!(registry.count(&here), Ok(0));
    }
}

#[test]
fn r19_excluded_owners_lose_their_names_and_live() {
    let clock = ManualClock::new();
    for registry in registries(&clock) {
        let (here, elsewhere, caller) = (Namespace::test(), Namespace::test(), Owner::new());
        register(&registry, &here, "caller", &caller);
        register(&registry, &elsewhere, "caller", &caller);
        let options = CleanupOptions::new().exclude(&caller.pid());
        let mut cleanup = Task::new(registry.cleanup_namespace_async(&here, options));
        let Poll::Ready(Ok(report)) = cleanup.poll() else { panic!("nobody to wait for") };
        assert_eq!((report.entries, report.killed, report.spared), (1, 0, 1));
        assert!(caller.pid().is_alive() && caller.shutdown_requested().is_none());
        assert_eq!((registry.count(&here), registry.count(&elsewhere)), (Ok(0), Ok(1)));
    }
}

#[test]
fn r19_names_claimed_through_via_values_are_cleaned_up_too() {
    for registry in on_each_backend(|builder| builder) {
        let (here, owner) = (Namespace::test(), Owner::new());
        registry.via(&here, &name("via")).claim(&owner).expect("free");
        let report = registry.cleanup_namespace(&here, CleanupOptions::default()).expect("open");
        assert_eq!((report.entries, report.killed), (1, 1));
        assert!(!owner.pid().is_alive() && registry.via(&here, &name("via")).whereis().is_err());
    }
}

#[test]
fn r19_an_empty_namespace_takes_no_time_and_a_closed_registry_says_so() {
    let clock = ManualClock::new();
    for registry in registries(&clock) {
        let report = registry.cleanup_namespace(&Namespace::test(), CleanupOptions::default()).expect("open");
        assert_eq!((report.entries, report.stopped, report.killed, report.spared), (0, 0, 0, 0));
        registry.shutdown();
        let closed = registry.cleanup_namespace(&Namespace::test(), CleanupOptions::default());
        assert_eq!(closed, Err(RegistryError::Closed));
    }
}

#[test]
fn r19_names_that_come_while_it_is_under_way_go_as_well() {
    let clock = ManualClock::new();
    for registry in registries(&clock) {
        let (here, first, late, gone) = (Namespace::test(), Owner::new(), Owner::new(), Owner::new());
        register(&registry, &here, "first", &first);
        register(&registry, &here, "gone", &gone);
        let mut cleanup = Task::new(registry.cleanup_namespace_async(&here, CleanupOptions::default()));
        assert!(cleanup.poll().is_pending());
        register(&registry, &here, "late", &late);
        registry.unregister(&here, &name("gone")).expect("open");
        clock.advance(CLEANUP_GRACE);
        assert!(cleanup.poll().is_pending());
        clock.advance(CLEANUP_LAST_CALL);
        let Poll::Ready(Ok(report)) = cleanup.poll() else { panic!("done") };
        assert_eq!((report.entries, report.killed), (3, 3));
        assert!(![first, late, gone].iter().any(|owner| owner.pid().is_alive()));
        assert_eq!(registry.count(&here), Ok(0));
    }
}

#[test]
fn r19_a_cleanup_that_is_dropped_kills_nobody_and_can_be_taken_up_again() {
    let clock = ManualClock::new();
    for registry in registries(&clock) {
        let (here, owner) = (Namespace::test(), Owner::new());
        register(&registry, &here, "a", &owner);
        let mut cleanup = Task::new(registry.cleanup_namespace_async(&here, CleanupOptions::default()));
        assert!(cleanup.poll().is_pending());
        drop(cleanup);
        clock.advance(Duration::from_secs(9));
        assert!(owner.pid().is_alive());
        assert_eq!((clock.pending(), owner.pid().held().1), (0, 0), "nothing is left behind");
        let at_once = CleanupOptions { grace: Duration::ZERO, last_call: Duration::ZERO, ..CleanupOptions::default() };
        assert_eq!(registry.cleanup_namespace(&here, at_once).expect("open").killed, 1);
    }
}

#[test]
fn r19_an_owner_on_another_node_is_asked_and_loses_its_name() {
    for registry in on_each_backend(|builder| builder) {
        let here = Namespace::test();
        let node = NodeId::from_static("elsewhere");
        let owner = Owner::remote(OwnerId::from_parts(9, 9), node, MonoTime::ORIGIN);
        register(&registry, &here, "a", &owner);
        let at_once = CleanupOptions { grace: Duration::ZERO, last_call: Duration::ZERO, ..CleanupOptions::default() };
        let report = registry.cleanup_namespace(&here, at_once).expect("open");
        assert_eq!((report.entries, report.killed, registry.count(&here)), (1, 0, Ok(0)));
        assert!(owner.pid().is_alive() && owner.shutdown_requested().is_some());
    }
}

#[test]
fn r19_real_threads_stop_or_are_ended() {
    let services = ServiceRegistry::new(Registry::new());
    let here = Namespace::test();
    thread::scope(|scope| {
        for number in 0..20 {
            let owner = Owner::new();
            services.register(&here, &name(&number.to_string()), &owner.pid()).expect("free");
            scope.spawn(move || {
                // Half of them listen.
                if number % 2 == 0 {
                    let reason = owner.on_shutdown().wait();
                    owner.exit(reason);
                } else {
                    let killed = owner.pid().monitor().wait();
                    assert_eq!(killed, ExitReason::Killed);
                }
            });
        }
        let report = services.cleanup_namespace(&here, CleanupOptions::default()).expect("open");
        assert_eq!((report.entries, report.stopped + report.killed), (20, 20));
        assert!(report.killed >= 10);
        assert_eq!(services.list(&here), Ok(Vec::new()));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn r19_afterwards_the_namespace_is_empty_its_owners_are_dead_and_others_keep_what_survivors_hold(
        // For each entry: its namespace, its owner.
        entries in prop::collection::vec((0..3_usize, 0..6_usize), 0..30),
        excluded in prop::collection::btree_set(0..6_usize, 0..3),
    ) {
        for registry in on_each_backend(|builder| builder) {
            let namespaces = [Namespace::Production, Namespace::test(), Namespace::custom("c").expect("valid")];
            let owners: Vec<Owner> = (0..6).map(|_| Owner::new()).collect();
            for (number, (namespace, owner)) in entries.iter().enumerate() {
                register(&registry, &namespaces[*namespace], &number.to_string(), &owners[*owner]);
            }
            let mut options =
                CleanupOptions { grace: Duration::ZERO, last_call: Duration::ZERO, ..CleanupOptions::default() };
            for owner in &excluded {
                options = options.exclude(&owners[*owner].pid());
            }
            let report = registry.cleanup_namespace(&namespaces[1], options).expect("open");

            let in_it = |owner: usize| entries.contains(&(1, owner));
            let dies = |owner: usize| in_it(owner) && !excluded.contains(&owner);
            prop_assert_eq!(report.entries, entries.iter().filter(|(namespace, _)| *namespace == 1).count());
            prop_assert_eq!(report.killed, (0..6).filter(|owner| dies(*owner)).count());
            prop_assert_eq!(report.spared, excluded.iter().filter(|owner| in_it(**owner)).count());
            for (number, owner) in owners.iter().enumerate() {
                prop_assert_eq!(owner.pid().is_alive(), !dies(number));
            }
            for (number, (namespace, owner)) in entries.iter().enumerate() {
                let survives = *namespace != 1 && !dies(*owner);
                let found = registry.lookup(&namespaces[*namespace], &name(&number.to_string()));
                prop_assert_eq!(found.ok(), survives.then(|| owners[*owner].pid()));
            }
            prop_assert_eq!(registry.count(&namespaces[1]), Ok(0));
        }
    }
}
