//! Names as values.

use std::collections::HashSet;

use foundation_registry::{LookupError, RegisterError, Registry, ServiceRegistry};
use foundation_types::{Metadata, Namespace, Owner, ServiceName};

const NAME: ServiceName = ServiceName::from_static("gateway");

#[test]
fn a_via_value_claims_nothing_until_told_to() {
    let (registry, here, owner) = (Registry::new(), Namespace::test(), Owner::new());
    let via = registry.via(&here, &NAME);
    assert_eq!(via.whereis(), Err(LookupError::NotFound));
    assert_eq!(registry.count(&here), Ok(0));
    via.claim(&owner).expect("free");
    assert_eq!(via.whereis(), Ok(owner.pid()));
}

#[test]
fn a_name_can_be_claimed_through_a_via_value_once_by_anyone() {
    let (registry, here, owner, rival) = (Registry::new(), Namespace::test(), Owner::new(), Owner::new());
    let via = registry.via(&here, &NAME);
    via.claim(&owner).expect("free");
    let held = Err(RegisterError::AlreadyRegistered { holder: owner.pid() });
    assert_eq!(via.claim(&owner).map(drop), held, "the same owner");
    assert_eq!(via.claim(&rival).map(drop), held, "another owner");
    assert_eq!(registry.register(&here, &NAME, &rival.pid(), Metadata::new()).map(drop), held);
    drop(owner);
    via.claim(&rival).expect("free again");
}

#[test]
fn a_name_claimed_through_a_via_value_is_an_entry_like_any_other() {
    let (registry, here, owner) = (Registry::new(), Namespace::test(), Owner::new());
    let via = registry.via(&here, &NAME);
    via.claim(&owner).expect("free");
    assert!(registry.entry(&here, &NAME).expect("there").metadata.is_empty());
    assert_eq!(registry.services(&here).expect("open").len(), 1);
    let metadata = Metadata::new().with("type", "edge");
    registry.update_metadata(&here, &NAME, metadata.clone()).expect("there");
    assert_eq!(*registry.entry(&here, &NAME).expect("there").metadata, metadata);
    assert_eq!(registry.unregister(&here, &NAME), Ok(true), "by anyone");
    assert_eq!(via.whereis(), Err(LookupError::NotFound));
}

#[test]
fn via_values_are_equal_if_registry_namespace_and_name_are() {
    let (registry, here) = (Registry::new(), Namespace::test());
    let via = registry.via(&here, &NAME);
    assert_eq!(via, registry.clone().via(&here, &NAME));
    assert_eq!(via, ServiceRegistry::new(registry.clone()).via(&here, &NAME));
    let others = [
        Registry::new().via(&here, &NAME),
        registry.via(&Namespace::test(), &NAME),
        registry.via(&here, &ServiceName::from_static("other")),
    ];
    assert!(!others.contains(&via));
    let set: HashSet<_> = others.into_iter().chain([via.clone(), registry.via(&here, &NAME)]).collect();
    assert_eq!(set.len(), 4);
}

#[test]
fn a_via_value_outlives_its_registry_and_keeps_it_not() {
    let (here, owner) = (Namespace::test(), Owner::new());
    let via = Registry::new().via(&here, &NAME);
    assert_eq!(via.whereis(), Err(LookupError::Closed));
    assert_eq!(via.claim(&owner).map(drop), Err(RegisterError::Closed));
}
