//! An overview of a namespace.

use std::collections::BTreeMap;
use std::time::Duration;

use foundation_types::{Namespace, Pid, ServiceName};

use super::ServiceRegistry;
use crate::error::RegistryError;

/// The services of a namespace; see [`ServiceRegistry::service_info`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceInfo {
    /// The namespace.
    pub namespace: Namespace,
    /// Its services by name.
    pub services: BTreeMap<ServiceName, ServiceStatus>,
    /// How many there are.
    pub total_services: usize,
    /// How many of them are alive.
    pub healthy_services: usize,
}

/// One service in a [`ServiceInfo`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceStatus {
    /// Who holds the name.
    pub pid: Pid,
    /// Whether it is alive.
    pub alive: bool,
    /// For how long it has held the name, on the monotonic clock.
    pub uptime: Duration,
}

impl ServiceRegistry {
    /// Every service of a namespace with its age. O(services in it).
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn service_info(&self, namespace: &Namespace) -> Result<ServiceInfo, RegistryError> {
        let entries = self.registry.services(namespace)?;
        let now = self.registry.core.clock.mono();
        let services: BTreeMap<_, _> = entries
            .into_iter()
            .map(|entry| {
                let alive = entry.pid.is_alive();
                let uptime = now.saturating_since(entry.registered_at.mono);
                (entry.key.name, ServiceStatus { pid: entry.pid, alive, uptime })
            })
            .collect();
        Ok(ServiceInfo {
            namespace: namespace.clone(),
            total_services: services.len(),
            healthy_services: services.values().filter(|service| service.alive).count(),
            services,
        })
    }
}
