//! Changing the back-end of a registry in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use foundation_types::{Metadata, Owner, Value};

use super::{Factory, name, numbered, production, registry_on};
use crate::backend::{Partitioned, Sharded};
use crate::entry::NewEntry;

/// R26: a switch loses and doubles nothing, also while names are claimed and released; tokens taken before go on working.
pub fn r26_switch(factory: Factory<'_>) {
    let registry = registry_on(factory);
    let owner = Owner::new();
    let tokens: Vec<_> = (0..100)
        .map(|number| {
            let metadata = numbered(number).with("type", "stays");
            let number = usize::try_from(number).expect("not negative");
            let new = NewEntry::new(&production(), &name(number), &owner.pid()).metadata(metadata).indexed();
            registry.register_with(new).expect("free")
        })
        .collect();
    let before = registry.services(&production()).expect("open");

    let (done, claimed) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let churner = scope.spawn(|| {
            let mut held = Vec::new();
            let mut number = 1_000;
            while !done.load(Ordering::Relaxed) || held.len() < 10 {
                let owner = Owner::new();
                registry.register(&production(), &name(number), &owner.pid(), Metadata::new()).expect("free");
                assert_eq!(registry.lookup(&production(), &name(number)), Ok(owner.pid()));
                if number % 2 == 0 {
                    assert_eq!(registry.unregister(&production(), &name(number)), Ok(true));
                } else if number % 3 == 0 && held.len() < 100 {
                    held.push((number, owner));
                }
                number += 1;
                claimed.fetch_add(1, Ordering::Relaxed);
            }
            held
        });
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(registry.lookup(&production(), &name(5)), Ok(owner.pid()));
                let found = registry.find_indexed(&production(), "type", &Value::from("stays")).expect("open");
                assert_eq!(found.len(), 100);
            }
        });
        for round in 0..20 {
            let report = match round % 3 {
                0 => registry.switch_backend(Arc::new(Sharded::default())),
                1 => registry.switch_backend(Arc::new(Partitioned::default())),
                _ => registry.switch_backend(factory()),
            };
            assert!(report.expect("both back-ends are available").moved >= 100);
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("no panic");
        let held = churner.join().expect("no panic");
        for (number, owner) in &held {
            assert_eq!(registry.lookup(&production(), &name(*number)), Ok(owner.pid()));
        }
        assert_eq!(registry.count(&production()), Ok(100 + held.len()));
    });
    assert!(claimed.load(Ordering::Relaxed) >= 10);

    assert_eq!(registry.count(&production()), Ok(100), "the churner's owners are dead");
    for snapshot in before {
        let after = registry.entry(&production(), snapshot.name()).expect("still registered");
        assert_eq!(after.generation, snapshot.generation);
        assert_eq!(after.metadata, snapshot.metadata);
        assert_eq!(after.registered_at, snapshot.registered_at);
    }
    for (number, token) in tokens.into_iter().enumerate() {
        if number % 2 == 0 {
            token.update(numbered(-1)).expect("the claim stands");
            assert!(token.unregister());
        }
    }
    assert_eq!(registry.count(&production()), Ok(50));
    let pid = owner.pid();
    drop(owner);
    assert_eq!(registry.count(&production()), Ok(0));
    assert_eq!(registry.index_rows(), 0);
    assert_eq!(pid.held(), (0, 0, 0));
}
