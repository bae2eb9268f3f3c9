//! Listing a small namespace beside a large one.

use std::hint::black_box;

use foundation_registry::{EntrySnapshot, Registry, RegistryKey};
use foundation_types::{Namespace, Owner};

use super::fleet::{name, register};
use crate::bench::measure::{Contender, timed};

const RUN: usize = 16;

/// A namespace with a few services in a registry that has many others.
pub(crate) struct Corner {
    namespace: Namespace,
    services: Vec<EntrySnapshot>,
    _owners: Vec<Owner>,
}

impl Corner {
    /// `size` services in a namespace of their own.
    pub(crate) fn new(registry: &Registry, size: usize) -> Self {
        let namespace = Namespace::custom("corner").expect("letters are a name");
        let owners: Vec<Owner> = (0..size).map(|_| Owner::new()).collect();
        for (number, owner) in owners.iter().enumerate() {
            register(registry, &RegistryKey::new(namespace.clone(), name("service", number)), &owner.pid());
        }
        let services = registry.services(&namespace).expect("the registry is open");
        assert_eq!(services.len(), size);
        Self { namespace, services, _owners: owners }
    }
}

/// Listing, and copying the list that was made before.
pub(crate) fn contenders<'a>(registry: &'a Registry, corner: &'a Corner) -> Vec<Contender<'a>> {
    let size = corner.services.len();
    let list = timed(RUN, move |_, _| {
        let services = registry.services(&corner.namespace).expect("the registry is open");
        assert_eq!(black_box(services).len(), size);
    });
    let copy = timed(RUN, move |_, _| assert_eq!(black_box(corner.services.clone()).len(), size));
    vec![Contender::ours("foundation", None, list), Contender::peer("copy of the result", copy)]
}
