//! Typed lookup of client handles.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use foundation_registry::{GetError, NewEntry, RegisterError, Registry, SameOwner, ServiceKey};
use foundation_types::{Metadata, MonoTime, Namespace, NodeId, Owner, OwnerId, ServiceName};

const NAME: ServiceName = ServiceName::from_static("store");
const STORE: ServiceKey<Store> = ServiceKey::new(NAME);

#[derive(Debug, PartialEq)]
struct Store(u32);

trait Speak: Send + Sync {
    fn speak(&self) -> String;
}

impl Speak for Store {
    fn speak(&self) -> String {
        format!("store {}", self.0)
    }
}

#[test]
fn r20_the_very_arc_that_was_provided_is_fetched() {
    let (registry, here, owner) = (Registry::new(), Namespace::test(), Owner::new());
    let store = Arc::new(Store(7));
    registry.provide(&here, &STORE, &owner.pid(), Arc::clone(&store)).expect("free");

    let handle = registry.get(&here, &STORE).expect("provided");
    assert_eq!((handle.0, handle.pid(), handle.is_alive()), (7, &owner.pid(), true));
    assert!(Arc::ptr_eq(&handle.clone().into_inner(), &store));

    drop(owner);
    assert!(!handle.is_alive());
    assert_eq!(handle.0, 7, "a handle in hand outlives the service");
    assert_eq!(registry.get(&here, &STORE).unwrap_err(), GetError::NotFound);
}

#[test]
fn r20_another_type_and_no_handle_are_told_apart() {
    let (registry, here, owner) = (Registry::new(), Namespace::test(), Owner::new());
    registry.provide(&here, &STORE, &owner.pid(), Arc::new(Store(1))).expect("free");
    let other: ServiceKey<u32> = ServiceKey::new(NAME);
    let wrong = registry.get(&here, &other).unwrap_err();
    assert!(matches!(wrong, GetError::WrongType { stored } if stored.ends_with("Store")), "{wrong:?}");

    let bare = ServiceName::from_static("bare");
    registry.register(&here, &bare, &owner.pid(), Metadata::new()).expect("free");
    assert_eq!(registry.get(&here, &ServiceKey::<Store>::new(bare)).unwrap_err(), GetError::NoPayload);
    assert_eq!(registry.get(&Namespace::test(), &STORE).unwrap_err(), GetError::NotFound);
}

#[test]
fn r20_a_handle_may_be_a_trait_object() {
    const SPEAKER: ServiceKey<dyn Speak> = ServiceKey::new(NAME);
    let (registry, here, owner) = (Registry::new(), Namespace::test(), Owner::new());
    let speaker: Arc<dyn Speak> = Arc::new(Store(3));
    registry.provide(&here, &SPEAKER, &owner.pid(), Arc::clone(&speaker)).expect("free");
    let handle = registry.get(&here, &SPEAKER).expect("provided");
    assert_eq!(handle.speak(), "store 3");
    assert!(Arc::ptr_eq(&handle.into_inner(), &speaker));
    assert!(matches!(registry.get(&here, &STORE), Err(GetError::WrongType { .. })));
}

#[test]
fn r20_a_service_on_another_node_has_no_handle_here() {
    let (registry, here) = (Registry::new(), Namespace::test());
    let node = NodeId::from_static("elsewhere");
    let owner = Owner::remote(OwnerId::from_parts(1, 1), node.clone(), MonoTime::ORIGIN);
    registry.provide(&here, &STORE, &owner.pid(), Arc::new(Store(1))).expect("free");
    assert_eq!(registry.get(&here, &STORE).unwrap_err(), GetError::Remote { node });
}

#[test]
fn r20_after_the_shutdown_nothing_is_fetched() {
    let (registry, here, owner) = (Registry::new(), Namespace::test(), Owner::new());
    registry.provide(&here, &STORE, &owner.pid(), Arc::new(Store(1))).expect("free");
    registry.shutdown();
    assert_eq!(registry.get(&here, &STORE).unwrap_err(), GetError::Closed);
}

#[test]
fn r03_the_first_handle_stays_and_a_replacing_claim_takes_it_away() {
    let (registry, here, owner) = (Registry::new(), Namespace::test(), Owner::new());
    let first = registry.provide(&here, &STORE, &owner.pid(), Arc::new(Store(1))).expect("free");
    let second = registry.provide(&here, &STORE, &owner.pid(), Arc::new(Store(2))).expect("same owner");
    assert_eq!(first.generation(), second.generation());
    assert_eq!(registry.get(&here, &STORE).expect("provided").0, 1);

    let replace = NewEntry::new(&here, &NAME, &owner.pid()).same_owner(SameOwner::Replace);
    registry.register_with(replace).expect("same owner");
    assert_eq!(registry.get(&here, &STORE).unwrap_err(), GetError::NoPayload);
}

/// Uses the registry in its `Drop`, which deadlocks if that runs under a lock.
struct Intrusive {
    registry: Registry,
    namespace: Namespace,
    dropped: Arc<AtomicUsize>,
}

impl Drop for Intrusive {
    fn drop(&mut self) {
        let owner = Owner::new();
        for number in 0..200 {
            let name = ServiceName::new(format!("made in drop {number}")).expect("valid");
            self.registry.register(&self.namespace, &name, &owner.pid(), Metadata::new()).expect("free");
        }
        let _ = self.registry.lookup(&self.namespace, &NAME);
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn r15_a_handle_may_use_the_registry_when_it_is_dropped_in_whatever_way_it_goes() {
    let (registry, here) = (Registry::new(), Namespace::test());
    let key: ServiceKey<Intrusive> = ServiceKey::new(NAME);
    let dropped = Arc::new(AtomicUsize::new(0));
    let intrusive =
        || Arc::new(Intrusive { registry: registry.clone(), namespace: here.clone(), dropped: Arc::clone(&dropped) });
    let count = || dropped.load(Ordering::SeqCst);

    let (owner, rival) = (Owner::new(), Owner::new());
    let registered = registry.provide(&here, &key, &owner.pid(), intrusive()).expect("free");
    let refused = registry.provide(&here, &key, &rival.pid(), intrusive());
    assert!(matches!(refused, Err(RegisterError::AlreadyRegistered { .. })));
    assert_eq!(count(), 1, "refused, as another holds the name");
    registry.provide(&here, &key, &owner.pid(), intrusive()).expect("same owner");
    assert_eq!(count(), 2, "not needed, as the first stays");
    assert!(registered.unregister());
    assert_eq!(count(), 3, "unregistered");

    registry.provide(&here, &key, &owner.pid(), intrusive()).expect("free");
    drop(owner);
    assert_eq!(count(), 4, "its owner died");

    let dead = rival.pid();
    drop(rival);
    assert!(matches!(registry.provide(&here, &key, &dead, intrusive()), Err(RegisterError::DeadProcess { .. })));
    assert_eq!(count(), 5, "refused, as its owner is dead");

    let owner = Owner::new();
    registry.provide(&here, &key, &owner.pid(), intrusive()).expect("free");
    let replace = NewEntry::new(&here, &NAME, &owner.pid()).same_owner(SameOwner::Replace);
    registry.register_with(replace).expect("same owner");
    assert_eq!(count(), 6, "replaced");
}

#[test]
fn r20_a_reader_sees_the_handle_of_the_claim_that_holds_the_name_or_none() {
    let (registry, here) = (Registry::new(), Namespace::test());
    let stop = AtomicBool::new(false);
    let seen = AtomicUsize::new(0);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                match registry.get(&here, &STORE) {
                    Ok(handle) => {
                        let label = handle.pid().label().expect("labelled").to_string();
                        assert_eq!(label, handle.0.to_string(), "the handle belongs to the pid");
                        seen.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(error) => assert_eq!(error, GetError::NotFound),
                }
            }
        });
        let mut number = 0;
        while seen.load(Ordering::SeqCst) < 100 && !reader.is_finished() {
            number += 1;
            let owner = Owner::named(number.to_string().parse().expect("a name"));
            registry.provide(&here, &STORE, &owner.pid(), Arc::new(Store(number))).expect("free");
            thread::yield_now();
        }
        stop.store(true, Ordering::SeqCst);
    });
    assert!(seen.load(Ordering::SeqCst) >= 100);
}
