//! The configurations of an instance, by namespace.

#[cfg(feature = "agent")]
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
#[cfg(feature = "agent")]
use std::sync::{PoisonError, RwLock};

#[cfg(feature = "agent")]
use foundation_types::Namespace;
#[cfg(feature = "agent")]
use foundation_types::error::Error;

#[cfg(feature = "agent")]
use super::ConfigOptions;
use super::{Instance, Surroundings};
#[cfg(feature = "agent")]
use crate::validation::record;

/// The most configurations beside the one of the instance's own namespace.
#[cfg(feature = "agent")]
const MAX_NAMESPACES: usize = 1024;

/// The configuration of an instance, and those of other namespaces, which the functions for agents start. They share
/// nothing.
pub(crate) struct Instances {
    home: Arc<Instance>,
    #[cfg(feature = "agent")]
    others: RwLock<BTreeMap<Namespace, Arc<Instance>>>,
    #[cfg(feature = "agent")]
    around: Surroundings,
}

impl Instances {
    pub(crate) fn new(home: Instance, around: Surroundings) -> Self {
        #[cfg(not(feature = "agent"))]
        drop(around);
        Self {
            home: Arc::new(home),
            #[cfg(feature = "agent")]
            others: RwLock::default(),
            #[cfg(feature = "agent")]
            around,
        }
    }

    /// The configuration of the instance's own namespace.
    pub(crate) const fn home(&self) -> &Arc<Instance> {
        &self.home
    }

    pub(crate) fn shut_down(&self) {
        #[cfg(feature = "agent")]
        self.shut_down_others();
        self.home.shut_down();
    }
}

#[cfg(feature = "agent")]
impl Instances {
    /// The configuration of another namespace, if it was started.
    pub(crate) fn other(&self, namespace: &Namespace) -> Option<Arc<Instance>> {
        // Nothing that can panic happens under the lock.
        self.others.read().unwrap_or_else(PoisonError::into_inner).get(namespace).cloned()
    }

    /// Starts the configuration of another namespace; does nothing if it runs.
    pub(crate) fn start_other(&self, namespace: &Namespace, options: &ConfigOptions) -> Result<(), Error> {
        // No other namespace begins to run after a shutdown.
        self.home.check_not_shut_down()?;
        if let Some(there) = self.other(namespace) {
            return there.start(options);
        }
        let made = Arc::new(Instance::new(options, &[], &self.around)?);
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        if others.len() >= MAX_NAMESPACES && !others.contains_key(namespace) {
            return Err(record::too_many_namespaces(MAX_NAMESPACES));
        }
        others.entry(namespace.clone()).or_insert(made);
        Ok(())
    }

    fn shut_down_others(&self) {
        let others: Vec<_> = self.others.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for instance in others {
            instance.shut_down();
        }
    }
}

impl fmt::Debug for Instances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Instances").field(&self.home).finish()
    }
}
