//! Properties about foreign code and about what is left behind.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use foundation_types::{Metadata, Namespace, Owner, Value};

use super::{Factory, name, production, registry_on};
use crate::entry::NewEntry;
use crate::registry::Registry;

/// R15: predicates, exit hooks and drops of payloads may call the registry; if they panic, nothing else is affected.
pub fn r15_reentrancy_and_panics(factory: Factory<'_>) {
    let registry = registry_on(factory);
    let owner = Owner::new();
    for number in 0..50 {
        registry.register(&production(), &name(number), &owner.pid(), Metadata::new()).expect("free");
    }

    let found = registry.find(&production(), |_| {
        let here = Namespace::test();
        registry.register(&here, &name(0), &owner.pid(), Metadata::new()).expect("free");
        registry.count(&production()).expect("open") == 50 && registry.unregister(&here, &name(0)).expect("open")
    });
    assert_eq!(found.expect("open").len(), 50);
    let panicked = catch_unwind(AssertUnwindSafe(|| registry.find(&production(), |_| panic!("predicate"))));
    assert!(panicked.is_err());
    let panicked = catch_unwind(AssertUnwindSafe(|| registry.with(&production(), &name(0), |_| panic!("reader"))));
    assert!(panicked.is_err());
    let seen = registry.with(&production(), &name(0), |entry| {
        registry.unregister(&production(), &name(0)).expect("open");
        // Still readable: the reader holds it back.
        entry.key().name.clone()
    });
    assert_eq!(seen, Ok(name(0)));
    assert_eq!(registry.count(&production()), Ok(49));

    let mourner = registry.clone();
    let hook = owner.pid().on_exit(Box::new(move |_| {
        let _ = mourner.count(&production());
        let _ = mourner.unregister(&production(), &name(7));
        panic!("hook");
    }));
    hook.ok().expect("the owner is alive").keep();
    let other = Owner::new();
    registry.register(&production(), &name(100), &other.pid(), Metadata::new()).expect("free");
    drop(owner);
    assert_eq!(registry.count(&production()), Ok(1));
    assert_eq!(registry.lookup(&production(), &name(100)), Ok(other.pid()));

    drops_of_payloads_may_call_the_registry(&registry);
}

struct CallsWhenDropped {
    registry: Registry,
    dropped: Arc<AtomicUsize>,
    panics: bool,
}

impl Drop for CallsWhenDropped {
    fn drop(&mut self) {
        let _ = self.registry.count(&production());
        let _ = self.registry.lookup(&production(), &name(100));
        self.dropped.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics || thread::panicking(), "payload");
    }
}

fn drops_of_payloads_may_call_the_registry(registry: &Registry) {
    static KEY: crate::ServiceKey<CallsWhenDropped> =
        crate::ServiceKey::new(foundation_types::ServiceName::from_static("payload"));
    let dropped = Arc::new(AtomicUsize::new(0));
    let here = Namespace::test();
    let payload =
        |panics| Arc::new(CallsWhenDropped { registry: registry.clone(), dropped: Arc::clone(&dropped), panics });

    let owner = Owner::new();
    registry.provide(&here, &KEY, &owner.pid(), payload(false)).expect("free");
    drop(owner);
    assert_eq!(dropped.load(Ordering::Relaxed), 1, "a payload goes with its owner");

    let owner = Owner::new();
    registry.provide(&here, &KEY, &owner.pid(), payload(false)).expect("free");
    assert_eq!(registry.unregister(&here, KEY.name()), Ok(true));
    assert_eq!(dropped.load(Ordering::Relaxed), 2, "a payload goes with its name");

    registry.provide(&here, &KEY, &owner.pid(), payload(true)).expect("free");
    let _ = catch_unwind(AssertUnwindSafe(|| registry.unregister(&here, KEY.name())));
    assert_eq!(dropped.load(Ordering::Relaxed), 3);
    assert_eq!(registry.count(&here), Ok(0));
    assert_eq!(owner.pid().held().0, 0, "a panicking payload leaves no exit hook behind");
}

/// R17: after any number of cycles, entries, index rows, exit hooks, waiters and watchers are back where they were.
pub fn r17_no_growth(factory: Factory<'_>) {
    let registry = registry_on(factory);
    let keeper = Owner::new();
    registry.register(&production(), &name(0), &keeper.pid(), Metadata::new()).expect("free");
    let baseline = registry.held();
    for round in 0..2_000 {
        let owner = Owner::new();
        let metadata = Metadata::new().with("type", "worker").with("capabilities", vec![Value::Int(round % 7)]);
        let (here, service) = (if round % 2 == 0 { production() } else { Namespace::test() }, name(1));
        let mut watch = registry.watch(&here);
        let waiting = registry.wait_for(&here, &service, Duration::from_secs(1));
        if round % 3 == 0 {
            drop(waiting);
        } else {
            let new = NewEntry::new(&here, &service, &owner.pid()).metadata(metadata).indexed();
            registry.register_with(new).expect("free");
            assert_eq!(pollster::block_on(waiting), Ok(owner.pid()));
            assert!(watch.try_next().is_some());
        }
        if round % 5 == 0 {
            registry.unregister(&here, &service).expect("open");
            assert_eq!(owner.pid().held().0, 0);
        }
        drop(owner);
    }
    assert_eq!(registry.held(), baseline);
    assert_eq!(keeper.pid().held().0, 1);
}
