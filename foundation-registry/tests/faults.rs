//! What failing back-ends leave behind: nothing.
#![cfg(feature = "test-util")]

mod support;

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use foundation_registry::{
    BackendError, BackendOperation, CleanupOptions, Fault, FaultyBackend, GetError, HealthCheckError, LimitExceeded,
    Limits, LookupError, NewEntry, Partitioned, RegisterError, Registry, RegistryChange, RegistryError, SameOwner,
    ServiceKey, ServiceRegistry, Sharded, UpdateError, WaitError,
};
use foundation_types::{Metadata, Namespace, Owner, ServiceName, Value};

use crate::support::Task;

const NAME: ServiceName = ServiceName::from_static("store");
const KEY: ServiceKey<u32> = ServiceKey::new(NAME);
const DOWN: BackendError = BackendError::Timeout;
const FAULT: Fault = Fault::Error(DOWN);

/// On each back-end: with room for two entries, so that a place that is not given back shows.
fn fixtures() -> [(Arc<FaultyBackend>, Registry, Namespace); 2] {
    let backends =
        [FaultyBackend::new(Arc::new(Sharded::default())), FaultyBackend::new(Arc::new(Partitioned::default()))];
    backends.map(|backend| {
        let backend = Arc::new(backend);
        let mut limits = Limits::default();
        limits.max_entries = Some(2);
        let registry = Registry::builder().backend(backend.clone()).limits(limits).build().expect("in range");
        (backend, registry, Namespace::test())
    })
}

fn typed(value: &str) -> Metadata {
    Metadata::new().with("type", value)
}

fn found(registry: &Registry, here: &Namespace, value: &str) -> usize {
    registry.find_indexed(here, "type", &Value::from(value)).expect("open").len()
}

#[test]
fn a_claim_that_fails_leaves_no_entry_row_hook_or_count() {
    for (backend, registry, here) in fixtures() {
        let owner = Owner::new();
        let handle = Arc::new(1);
        let mut watch = registry.watch(&here);
        let before = registry.held();
        for fault in [BackendOperation::Get, BackendOperation::Claim] {
            for _ in 0..3 {
                backend.fail_next(fault, FAULT);
                let new = NewEntry::new(&here, &NAME, &owner.pid()).metadata(typed("worker")).indexed();
                assert_eq!(registry.register_with(new).map(drop), Err(RegisterError::Backend(DOWN)));
                backend.fail_next(fault, FAULT);
                let provided = registry.provide(&here, &KEY, &owner.pid(), Arc::clone(&handle));
                assert_eq!(provided.map(drop), Err(RegisterError::Backend(DOWN)));
            }
        }
        assert_eq!((registry.held(), owner.pid().held().0, Arc::strong_count(&handle)), (before, 0, 1));
        assert!(watch.try_next().is_none());
        assert_eq!(found(&registry, &here, "worker"), 0);

        let register = |name: &str| {
            let name = ServiceName::new(name).expect("valid");
            registry.register(&here, &name, &owner.pid(), Metadata::new()).map(drop)
        };
        assert_eq!((register("a"), register("b")), (Ok(()), Ok(())), "both places are free");
        assert_eq!(register("c"), Err(RegisterError::Limit(LimitExceeded::Entries { limit: 2 })));
    }
}

#[test]
fn a_claim_that_fails_wakes_nobody_for_good() {
    for (backend, registry, here) in fixtures() {
        let owner = Owner::new();
        let mut task = Task::new(registry.wait_for(&here, &NAME, Duration::from_secs(100_000)));
        assert!(task.poll().is_pending());
        backend.fail_next(BackendOperation::Claim, FAULT);
        registry.register(&here, &NAME, &owner.pid(), Metadata::new()).expect_err("told to fail");
        if task.was_woken() {
            assert!(task.poll().is_pending());
        }
        registry.register(&here, &NAME, &owner.pid(), Metadata::new()).expect("free");
        assert!(task.was_woken());
        assert_eq!(task.poll(), Poll::Ready(Ok(owner.pid())));
    }
}

#[test]
fn an_update_that_fails_leaves_metadata_and_rows_as_they_were() {
    for (backend, registry, here) in fixtures() {
        let owner = Owner::new();
        let new = NewEntry::new(&here, &NAME, &owner.pid()).metadata(typed("old")).indexed();
        let token = registry.register_with(new).expect("free");
        let before = registry.held();
        let mut watch = registry.watch(&here);
        let watched = registry.held();

        backend.fail_next(BackendOperation::Replace, FAULT);
        assert_eq!(registry.update_metadata(&here, &NAME, typed("new")), Err(UpdateError::Backend(DOWN)));
        backend.fail_next(BackendOperation::Replace, FAULT);
        assert_eq!(token.update(typed("new")), Err(UpdateError::Backend(DOWN)));
        backend.fail_next(BackendOperation::Get, FAULT);
        assert_eq!(token.update(typed("new")), Err(UpdateError::Backend(DOWN)));

        assert_eq!(*registry.entry(&here, &NAME).expect("there").metadata, typed("old"));
        assert_eq!((found(&registry, &here, "old"), found(&registry, &here, "new")), (1, 0));
        assert_eq!(registry.held(), watched);
        assert!(watch.try_next().is_none());
        drop(watch);
        assert_eq!(registry.held(), before);
        drop(owner);
        assert_eq!(registry.index_rows(), 0);
    }
}

#[test]
fn a_replacing_claim_that_fails_leaves_handle_flag_and_rows_as_they_were() {
    for (backend, registry, here) in fixtures() {
        let owner = Owner::new();
        let handle = Arc::new(7);
        registry.provide(&here, &KEY, &owner.pid(), Arc::clone(&handle)).expect("free");
        backend.fail_next(BackendOperation::Replace, FAULT);
        let replace = NewEntry::new(&here, &NAME, &owner.pid()).metadata(typed("new")).indexed();
        let replaced = registry.register_with(replace.same_owner(SameOwner::Replace));
        assert_eq!(replaced.map(drop), Err(RegisterError::Backend(DOWN)));

        let entry = registry.entry(&here, &NAME).expect("there");
        assert!(entry.metadata.is_empty() && !entry.indexed);
        assert!(Arc::ptr_eq(&registry.get(&here, &KEY).expect("still provided").into_inner(), &handle));
        assert_eq!((registry.index_rows(), found(&registry, &here, "new")), (0, 0));
        registry.update_metadata(&here, &NAME, typed("new")).expect("there");
        assert_eq!(registry.index_rows(), 0, "it is not indexed");
    }
}

#[test]
fn a_release_that_fails_keeps_the_name_until_it_succeeds() {
    for (backend, registry, here) in fixtures() {
        let owner = Owner::new();
        let token = registry.register(&here, &NAME, &owner.pid(), Metadata::new()).expect("free");
        backend.fail_next(BackendOperation::Release, FAULT);
        assert_eq!(registry.unregister(&here, &NAME), Err(RegistryError::Backend(DOWN)));
        backend.fail_next(BackendOperation::Release, FAULT);
        assert!(!token.clone().unregister());
        assert_eq!(registry.lookup(&here, &NAME), Ok(owner.pid()));
        assert!(token.unregister());
        assert_eq!((registry.lookup(&here, &NAME), owner.pid().held().0), (Err(LookupError::NotFound), 0));
    }
}

#[test]
fn r04_a_death_that_the_backend_does_not_take_in_is_seen_all_the_same_and_made_good() {
    for (backend, registry, here) in fixtures() {
        let owner = Owner::new();
        let new = || NewEntry::new(&here, &NAME, &owner.pid()).metadata(typed("worker")).indexed();
        registry.register_with(new()).expect("free");
        let mut watch = registry.watch(&here);
        backend.fail_next(BackendOperation::Release, FAULT);
        let dead = owner.pid();
        drop(owner);
        assert_eq!(registry.lookup(&here, &NAME), Err(LookupError::NotFound));
        assert_eq!((registry.count(&here), found(&registry, &here, "worker")), (Ok(0), 0));
        assert_eq!(registry.stats().expect("open").total_services, 0);

        assert_eq!(registry.sweep(), Ok(1));
        assert_eq!((registry.held().entries, registry.index_rows(), registry.sweep()), (0, 0, Ok(0)));
        assert!(matches!(watch.try_next(), Some(RegistryChange::Removed { entry, .. }) if entry.pid == dead));

        let (mortal, heir) = (Owner::new(), Owner::new());
        registry.register(&here, &NAME, &mortal.pid(), typed("worker")).expect("free");
        backend.fail_next(BackendOperation::Release, FAULT);
        drop(mortal);
        registry.register(&here, &NAME, &heir.pid(), Metadata::new()).expect("a dead holder holds nothing");
        assert_eq!((registry.held().entries, registry.sweep()), (1, Ok(0)));
        registry.register(&here, &ServiceName::from_static("b"), &heir.pid(), Metadata::new()).expect("room for two");
    }
}

#[test]
fn no_failure_is_taken_for_an_absence() {
    for (backend, registry, here) in fixtures() {
        let services = ServiceRegistry::new(registry.clone());
        let owner = Owner::new();
        registry.provide(&here, &KEY, &owner.pid(), Arc::new(1)).expect("free");
        let via = registry.via(&here, &NAME);
        backend.break_down(&DOWN);
        let failed = RegistryError::Backend(DOWN);
        assert_eq!(registry.lookup(&here, &NAME), Err(LookupError::Backend(DOWN)));
        assert_eq!(registry.entry(&here, &NAME).map(drop), Err(LookupError::Backend(DOWN)));
        assert_eq!(registry.is_registered(&here, &NAME), Err(failed.clone()));
        assert_eq!(registry.get(&here, &KEY).map(drop), Err(GetError::Backend(DOWN)));
        assert_eq!(via.whereis(), Err(LookupError::Backend(DOWN)));
        assert_eq!(registry.services(&here).map(drop), Err(failed.clone()));
        assert_eq!(registry.find(&here, |_| true).map(drop), Err(failed.clone()));
        assert_eq!(registry.count(&here), Err(failed.clone()));
        assert_eq!(registry.stats().map(drop), Err(failed.clone()));
        assert_eq!(registry.sweep(), Err(failed.clone()));
        assert_eq!(registry.cleanup_namespace(&here, CleanupOptions::new()).map(drop), Err(failed.clone()));
        assert_eq!(registry.wait_for_blocking(&here, &NAME, Duration::ZERO), Err(WaitError::Backend(DOWN)));
        assert_eq!(services.lookup(&here, &NAME).map_err(|error| error.code()), Err(7107));
        assert_eq!(services.health_check(&here, &NAME), Err(HealthCheckError::Backend(DOWN)));
        assert_eq!(registry.switch_backend(Arc::new(Sharded::default())), Err(failed));
        backend.heal();
        assert_eq!(registry.lookup(&here, &NAME), Ok(owner.pid()));
    }
}

#[test]
fn r26_a_switch_that_fails_half_way_leaves_the_registry_where_it_was_and_can_be_tried_again() {
    for (_, registry, here) in fixtures() {
        let (owner, mortal) = (Owner::new(), Owner::new());
        let handle = Arc::new(7);
        registry.provide(&here, &KEY, &owner.pid(), Arc::clone(&handle)).expect("free");
        let second = ServiceName::from_static("second");
        let new = NewEntry::new(&here, &second, &mortal.pid()).metadata(typed("worker")).indexed();
        registry.register_with(new).expect("free");

        let target = Arc::new(FaultyBackend::new(Arc::new(Partitioned::default())));
        for release_fails in [false, true] {
            target.pass_next(BackendOperation::Claim);
            target.fail_next(BackendOperation::Claim, FAULT);
            if release_fails {
                target.fail_next(BackendOperation::Release, FAULT);
            }
            assert_eq!(registry.switch_backend(target.clone()), Err(RegistryError::Backend(DOWN)));
            assert_eq!(registry.lookup(&here, &NAME), Ok(owner.pid()));
            assert_eq!((registry.count(&here), found(&registry, &here, "worker")), (Ok(2), 1));
            assert_eq!((owner.pid().held().0, mortal.pid().held().0), (1, 1));
        }
        let report = registry.switch_backend(target.clone()).expect("what the attempts left is taken out");
        assert_eq!((report.moved, registry.count(&here), registry.index_rows()), (2, Ok(2), 1));
        drop(mortal);
        assert_eq!((registry.count(&here), registry.index_rows()), (Ok(1), 0));
        assert_eq!(registry.unregister(&here, &NAME), Ok(true));
        assert_eq!((Arc::strong_count(&handle), owner.pid().held().0, registry.held().entries), (1, 0, 0));
        let register = |name: &str| {
            let name = ServiceName::new(name).expect("valid");
            registry.register(&here, &name, &owner.pid(), Metadata::new()).is_ok()
        };
        assert_eq!((register("a"), register("b"), register("c")), (true, true, false), "the places are counted right");
    }
}

#[test]
fn r15_a_backend_that_panics_harms_no_other_operation() {
    for (backend, registry, here) in fixtures() {
        let owner = Owner::new();
        let other = ServiceName::from_static("other");
        registry.register(&here, &other, &owner.pid(), Metadata::new()).expect("free");
        let before = (registry.held(), owner.pid().held());
        let register = || {
            let new = NewEntry::new(&here, &NAME, &owner.pid()).metadata(typed("worker")).indexed();
            registry.register_with(new).map(drop)
        };
        backend.fail_next(BackendOperation::Get, Fault::Panic);
        let registration = std::panic::catch_unwind(std::panic::AssertUnwindSafe(register));
        assert!(registration.is_err(), "the panic is the caller's");
        backend.fail_next(BackendOperation::Claim, Fault::Panic);
        let registration = register();
        assert!(matches!(registration, Err(RegisterError::Backend(BackendError::Corrupt(_)))), "{registration:?}");
        assert_eq!((registry.held(), owner.pid().held()), before, "what came to nothing leaves nothing");
        assert_eq!(registry.lookup(&here, &NAME), Err(LookupError::NotFound));
        registry.update_metadata(&here, &other, typed("worker")).expect("there");
        assert_eq!(registry.unregister(&here, &other), Ok(true));
    }
}
