//! How an instance is.

use std::collections::BTreeMap;
use std::time::Duration;

use foundation_types::{Health, Namespace, Timestamp};
use serde::Serialize;

use super::Foundation;

/// What an instance is and how its subsystems are; see [`Foundation::status`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FoundationStatus {
    /// The version of this crate.
    pub version: &'static str,
    /// The namespace in which the instance works.
    pub namespace: Namespace,
    /// When it was built.
    pub started_at: Timestamp,
    /// For how long it has existed.
    pub uptime: Duration,
    /// Its subsystems by name.
    pub subsystems: BTreeMap<&'static str, SubsystemStatus>,
}

/// How one subsystem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubsystemStatus {
    /// It works, as well as it says.
    Running(Health),
    /// It was shut down.
    Stopped,
}

impl SubsystemStatus {
    /// Whether it runs and calls itself healthy.
    pub const fn is_healthy(self) -> bool {
        matches!(self, Self::Running(Health::Healthy))
    }
}

/// Whether an instance is well; see [`Foundation::health`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundationHealth {
    /// Healthy if every subsystem is, else degraded.
    pub status: Health,
    /// When that was found.
    pub timestamp: Timestamp,
    /// Its subsystems by name.
    pub services: BTreeMap<&'static str, SubsystemStatus>,
    /// Whether every subsystem runs.
    pub foundation_available: bool,
}

impl Foundation {
    /// What the instance is and how its subsystems are. O(content of the subsystems).
    pub fn status(&self) -> FoundationStatus {
        let (mono, wall) = self.0.started;
        FoundationStatus {
            version: env!("CARGO_PKG_VERSION"),
            namespace: self.0.namespace.clone(),
            started_at: wall,
            uptime: self.0.clock.mono().saturating_since(mono),
            subsystems: self.subsystem_statuses(),
        }
    }

    /// Whether every subsystem runs, and every service, if the instance was started. O(services), and never fails: `false`
    /// after a shutdown, and after services ended too often.
    pub fn available(&self) -> bool {
        self.subsystems().all(|subsystem| subsystem.is_open)
            && self.supervisor().is_none_or(|supervisor| supervisor.available())
    }

    /// Whether the instance is well. O(content of the subsystems).
    pub fn health(&self) -> FoundationHealth {
        let services = self.subsystem_statuses();
        let all_healthy = services.values().all(|service| service.is_healthy());
        FoundationHealth {
            status: if all_healthy { Health::Healthy } else { Health::Degraded },
            timestamp: self.0.clock.wall(),
            foundation_available: !services.values().any(|service| *service == SubsystemStatus::Stopped),
            services,
        }
    }

    fn subsystem_statuses(&self) -> BTreeMap<&'static str, SubsystemStatus> {
        let statuses = self.subsystems().map(|subsystem| {
            let status = if subsystem.is_open {
                SubsystemStatus::Running(subsystem.inspect.inspect().status())
            } else {
                SubsystemStatus::Stopped
            };
            (subsystem.name, status)
        });
        statuses.collect()
    }
}
