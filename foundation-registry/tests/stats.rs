//! Statistics of a registry.
#![cfg(feature = "test-util")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use foundation_registry::{NewEntry, Partitioned, Registry, RegistryError};
use foundation_types::testing::strategies;
use foundation_types::{Metadata, Namespace, Owner, ServiceName};
use proptest::prelude::*;

fn registries() -> [Registry; 2] {
    let partitioned = Registry::builder().backend(Arc::new(Partitioned::default()));
    [Registry::new(), partitioned.build().expect("in range")]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn r18_the_parts_of_the_statistics_add_up_for_any_namespaces(
        keys in prop::collection::btree_set((strategies::namespace(), strategies::service_name()), 1..40),
        metadata in strategies::metadata(),
    ) {
        for registry in registries() {
            let (owner, mortal) = (Owner::new(), Owner::new());
            for (number, (namespace, name)) in keys.iter().enumerate() {
                let holder = if number % 3 == 0 { &mortal } else { &owner };
                let new = NewEntry::new(namespace, name, &holder.pid()).metadata(metadata.clone());
                registry.register_with(if number % 2 == 0 { new.indexed() } else { new }).expect("free");
            }
            let check = |expected: usize| {
                let stats = registry.stats().expect("open");
                prop_assert_eq!(stats.total_services, expected);
                let parts = stats.production_services + stats.test_services + stats.custom_namespace_services;
                prop_assert_eq!(stats.total_services, parts);
                prop_assert!(stats.test_namespaces <= stats.test_services);
                prop_assert_eq!(stats.table_info.entries, expected);
                prop_assert_eq!(stats.memory_usage_bytes, stats.table_info.bytes);
                prop_assert_eq!(stats.memory_usage_bytes > 0, expected > 0);
                prop_assert!(stats.partitions > 0 && stats.table_info.exists);
                Ok(())
            };
            check(keys.len())?;
            drop(mortal);
            check(keys.len() - keys.len().div_ceil(3))?;
            drop(owner);
            check(0)?;
        }
    }
}

#[test]
fn r18_each_kind_of_namespace_has_its_own_count() {
    for registry in registries() {
        let owner = Owner::new();
        let (one, two) = (Namespace::test(), Namespace::test());
        let custom = Namespace::custom("foundation").expect("valid");
        for (namespace, names) in
            [(&Namespace::Production, &["a"][..]), (&one, &["a", "b"]), (&two, &["a"]), (&custom, &["a", "b", "c"])]
        {
            for name in names {
                let name = ServiceName::new(name).expect("valid");
                registry.register(namespace, &name, &owner.pid(), Metadata::new()).expect("free");
            }
        }
        let stats = registry.stats().expect("open");
        assert_eq!((stats.production_services, stats.test_services, stats.custom_namespace_services), (1, 3, 3));
        assert_eq!((stats.total_services, stats.test_namespaces), (7, 2));
    }
}

#[test]
fn r18_statistics_add_up_while_others_register_and_die() {
    let registry = Registry::new();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 0..2 {
            let (registry, stop) = (&registry, &stop);
            scope.spawn(move || {
                let name = ServiceName::new(format!("thread {thread}")).expect("valid");
                while !stop.load(Ordering::SeqCst) {
                    let owner = Owner::new();
                    for namespace in [Namespace::Production, Namespace::test()] {
                        registry.register(&namespace, &name, &owner.pid(), Metadata::new()).expect("free");
                    }
                }
            });
        }
        for _ in 0..500 {
            let stats = registry.stats().expect("open");
            let parts = stats.production_services + stats.test_services + stats.custom_namespace_services;
            assert_eq!(stats.total_services, parts);
            assert!(stats.total_services <= 4);
        }
        stop.store(true, Ordering::SeqCst);
    });
    assert_eq!(registry.stats().expect("open").total_services, 0);
}

#[test]
fn a_registry_that_was_shut_down_has_no_statistics() {
    let registry = Registry::new();
    registry.shutdown();
    assert_eq!(registry.stats(), Err(RegistryError::Closed));
}
