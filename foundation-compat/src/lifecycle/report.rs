//! What became of each service at the end.

use std::time::Duration;

use foundation_types::{ExitReason, ServiceName};

/// What became of each service when its supervisor was shut down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Why the application ended.
    pub reason: ExitReason,
    /// The services that ran, in the order in which they were stopped.
    pub services: Vec<(ServiceName, StopOutcome)>,
    /// How long it took altogether.
    pub took: Duration,
}

impl ShutdownReport {
    /// The report of an application that had no service.
    pub(crate) const fn of_nothing(reason: ExitReason) -> Self {
        Self { reason, services: Vec::new(), took: Duration::ZERO }
    }

    /// Whether every service stopped in time.
    pub fn is_clean(&self) -> bool {
        self.abandoned().next().is_none()
    }

    /// The services that did not stop in time.
    pub fn abandoned(&self) -> impl Iterator<Item = &ServiceName> {
        self.services.iter().filter(|(_, outcome)| *outcome == StopOutcome::Abandoned).map(|(name, _)| name)
    }
}

/// What became of one service that was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopOutcome {
    /// It stopped.
    Stopped {
        /// How long that took.
        took: Duration,
    },
    /// It did not stop in time. Its identity was killed, so that it can register nothing any more, and its asynchronous tasks
    /// were aborted; its threads run on until they return.
    Abandoned,
}
