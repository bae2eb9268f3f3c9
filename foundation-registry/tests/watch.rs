//! Following the changes of a namespace.
#![cfg(feature = "test-util")]

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;

use foundation_registry::{
    CleanupOptions, NewEntry, Registry, RegistryChange, RemovalReason, SameOwner, WATCH_CAPACITY,
};
use foundation_types::{ExitReason, Metadata, Namespace, Owner, ServiceName};

use crate::support::{Task, on_each_backend};

fn name(text: &str) -> ServiceName {
    ServiceName::new(text).expect("valid")
}

#[test]
fn changes_come_in_order_with_the_entry_as_it_was_and_the_reason() {
    for registry in on_each_backend(|builder| builder) {
        let (here, owner, mortal) = (Namespace::test(), Owner::new(), Owner::new());
        let mut watch = registry.watch(&here);
        let (v1, v2) = (Metadata::new().with("v", 1), Metadata::new().with("v", 2));

        let token = registry.register(&here, &name("a"), &owner.pid(), v1.clone()).expect("free");
        registry.register(&here, &name("a"), &owner.pid(), v2.clone()).expect("same owner changes nothing");
        registry.update_metadata(&here, &name("a"), v2.clone()).expect("there");
        let replace = NewEntry::new(&here, &name("a"), &owner.pid()).metadata(v1.clone());
        registry.register_with(replace.same_owner(SameOwner::Replace)).expect("same owner");
        registry.unregister(&here, &name("a")).expect("open");
        registry.register(&here, &name("b"), &mortal.pid(), Metadata::new()).expect("free");
        mortal.exit(ExitReason::error("disk full"));
        registry.register(&Namespace::test(), &name("elsewhere"), &owner.pid(), Metadata::new()).expect("free");

        let Some(RegistryChange::Added(added)) = watch.try_next() else { panic!("added") };
        assert_eq!((&*added.metadata, added.generation), (&v1, token.generation()));
        let Some(RegistryChange::Updated(updated)) = watch.try_next() else { panic!("updated") };
        assert_eq!((&*updated.metadata, updated.generation), (&v2, token.generation()));
        let Some(RegistryChange::Updated(replaced)) = watch.try_next() else { panic!("replaced") };
        assert_eq!(*replaced.metadata, v1);
        let Some(RegistryChange::Removed { entry, reason }) = watch.try_next() else { panic!("removed") };
        assert_eq!((*entry.metadata == v1, reason), (true, RemovalReason::Unregistered));
        assert!(matches!(watch.try_next(), Some(RegistryChange::Added(entry)) if *entry.name() == name("b")));
        let Some(RegistryChange::Removed { entry, reason }) = watch.try_next() else { panic!("removed") };
        assert_eq!((entry.name(), reason), (&name("b"), RemovalReason::OwnerExit(ExitReason::error("disk full"))));
        assert!(watch.try_next().is_none());
    }
}

#[test]
fn a_cleanup_is_told_as_the_reason_of_what_it_removed() {
    for registry in on_each_backend(|builder| builder) {
        let (here, owner) = (Namespace::test(), Owner::new());
        registry.register(&here, &name("a"), &owner.pid(), Metadata::new()).expect("free");
        let mut watch = registry.watch(&here);
        registry.cleanup_namespace(&here, CleanupOptions::new().exclude(&owner.pid())).expect("open");
        let change = watch.try_next();
        assert!(
            matches!(change, Some(RegistryChange::Removed { reason: RemovalReason::NamespaceCleanup, .. })),
            "{change:?}"
        );
        assert!(watch.try_next().is_none());
    }
}

#[test]
fn a_change_wakes_the_reader_and_a_shutdown_ends_the_stream() {
    let registry = Registry::new();
    let (here, owner) = (Namespace::test(), Owner::new());
    let mut watch = registry.watch(&here);
    let mut next = Task::new(watch.next());
    assert!(next.poll().is_pending());
    registry.register(&here, &name("a"), &owner.pid(), Metadata::new()).expect("free");
    assert!(next.was_woken());
    assert!(matches!(next.poll(), Poll::Ready(Some(RegistryChange::Added(_)))));
    drop(next);

    registry.unregister(&here, &name("a")).expect("open");
    let mut next = Task::new(watch.next());
    registry.shutdown();
    assert!(matches!(next.poll(), Poll::Ready(Some(RegistryChange::Removed { .. }))), "what was there is read first");
    drop(next);
    let mut end = Task::new(watch.next());
    assert!(matches!(end.poll(), Poll::Ready(None)));
    assert!(matches!(Task::new(registry.watch(&here).next()).poll(), Poll::Ready(None)), "made after the shutdown");
}

#[test]
fn a_slow_reader_is_told_how_much_it_missed_and_costs_no_more_memory() {
    let registry = Registry::new();
    let (here, owner) = (Namespace::test(), Owner::new());
    let mut watch = registry.watch(&here);
    let extra = 500;
    for number in 0..WATCH_CAPACITY + extra {
        registry.register(&here, &name(&number.to_string()), &owner.pid(), Metadata::new()).expect("free");
    }
    for number in 0..WATCH_CAPACITY {
        let Some(RegistryChange::Added(entry)) = watch.try_next() else { panic!("the oldest are kept") };
        assert_eq!(*entry.name(), name(&number.to_string()));
        if number == 0 {
            // There is room again, and the gap stands before what comes now.
            registry.register(&here, &name("late"), &owner.pid(), Metadata::new()).expect("free");
        }
    }
    let lag = watch.try_next();
    assert!(matches!(lag, Some(RegistryChange::Lagged { missed }) if missed == extra as u64), "{lag:?}");
    assert!(matches!(watch.try_next(), Some(RegistryChange::Added(entry)) if *entry.name() == name("late")));
    assert!(watch.try_next().is_none());
}

#[test]
fn r17_watches_leave_nothing_behind() {
    let registry = Registry::new();
    let before = registry.held();
    for _ in 0..10 {
        let watch = registry.watch(&Namespace::test());
        assert!(registry.held().watchers > before.watchers);
        drop(watch);
    }
    assert_eq!(registry.held(), before);
}

#[test]
fn changes_of_one_name_alternate_whatever_threads_race_for_it() {
    const ROUNDS: usize = 200;
    for registry in on_each_backend(|builder| builder) {
        let here = Namespace::test();
        let mut watch = registry.watch(&here);
        let claims = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 0..ROUNDS {
                        let owner = Owner::new();
                        if let Ok(held) = registry.register(&here, &name("a"), &owner.pid(), Metadata::new()) {
                            claims.fetch_add(1, Ordering::SeqCst);
                            if round % 2 == 0 {
                                assert!(held.unregister());
                            }
                        }
                    }
                });
            }
        });
        let mut holder = None;
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        while let Some(change) = watch.try_next() {
            match change {
                RegistryChange::Added(entry) => {
                    assert_eq!(holder.replace(entry.generation), None, "free before");
                    *seen.entry("added").or_default() += 1;
                }
                RegistryChange::Removed { entry, .. } => {
                    assert_eq!(holder.take(), Some(entry.generation), "held before");
                    *seen.entry("removed").or_default() += 1;
                }
                // More than fit: what is known of the holder is void.
                RegistryChange::Lagged { .. } => break,
                other => panic!("{other:?}"),
            }
        }
        assert!(seen["added"] > 0 && claims.load(Ordering::SeqCst) >= seen["added"]);
    }
}
