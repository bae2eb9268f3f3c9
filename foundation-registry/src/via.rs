//! Names as values: pass one on, claim or look it up later.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Weak};

use foundation_types::{Namespace, Owner, Pid, ServiceName};

use crate::entry::{NewEntry, SameOwner};
use crate::error::{LookupError, RegisterError};
use crate::key::RegistryKey;
use crate::registry::{Core, Registered, Registry};

/// A name in a registry, claimed or not. Equal if registry, namespace and name are.
///
/// It does not keep the registry alive.
#[derive(Clone)]
pub struct Via {
    core: Weak<Core>,
    key: RegistryKey,
}

impl Registry {
    /// The name as a value; claims nothing.
    pub fn via(&self, namespace: &Namespace, name: &ServiceName) -> Via {
        Via { core: Arc::downgrade(&self.core), key: RegistryKey::new(namespace.clone(), name.clone()) }
    }
}

impl Via {
    /// The name that is meant.
    pub fn key(&self) -> &RegistryKey {
        &self.key
    }

    /// Claims the name with empty metadata. Unlike [`Registry::register`] this succeeds only once: the same owner is
    /// refused, too, while it holds the name.
    ///
    /// # Errors
    /// As [`Registry::register`]; [`RegisterError::Closed`] also if the registry is gone.
    pub fn claim(&self, owner: &Owner) -> Result<Registered, RegisterError> {
        let registry = self.registry().ok_or(RegisterError::Closed)?;
        let new = NewEntry::new(&self.key.namespace, &self.key.name, &owner.pid());
        registry.register_with(new.same_owner(SameOwner::Refuse))
    }

    /// Who holds the name.
    ///
    /// # Errors
    /// As [`Registry::lookup`]; [`LookupError::Closed`] also if the registry is gone.
    pub fn whereis(&self) -> Result<Pid, LookupError> {
        let registry = self.registry().ok_or(LookupError::Closed)?;
        registry.lookup(&self.key.namespace, &self.key.name)
    }

    fn registry(&self) -> Option<Registry> {
        self.core.upgrade().map(|core| Registry { core })
    }
}

impl PartialEq for Via {
    fn eq(&self, other: &Self) -> bool {
        // A weak pointer keeps the allocation, so that no later registry gets the address of this one.
        Weak::ptr_eq(&self.core, &other.core) && self.key == other.key
    }
}

impl Eq for Via {}

impl Hash for Via {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.core.as_ptr().hash(state);
        self.key.hash(state);
    }
}

impl fmt::Debug for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Via").field(&self.key).finish()
    }
}
