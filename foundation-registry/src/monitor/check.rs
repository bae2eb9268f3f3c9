//! One check, and what follows from it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use foundation_types::{EventName, Health, Measurements, Metadata, Text, Timestamp, contain, event_name};

use super::{BackendMonitor, TARGET};
use crate::backend::{Backend, BackendHealth};
use crate::error::RegistryError;

/// Emitted when a monitor moved its registry to another back-end; measures `count` 1, with `from`, `to` and `reason`.
pub const BACKEND_FAILOVER_EVENT: EventName = event_name!("foundation.process_registry.backend_failover");

/// What one check found and did; see [`BackendMonitor::check_now`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MonitorReport {
    /// How the registry's storage is.
    pub status: Health,
    /// Kind of the back-end in use after the check.
    pub backend: &'static str,
    /// How long the back-end took to answer.
    pub response_time: Duration,
    /// When it was asked.
    pub checked_at: Timestamp,
    /// Its own report; `None` if the check failed.
    pub details: Option<BackendHealth>,
    /// Checks that failed in a row, this one included.
    pub failure_count: u32,
    /// Why this one failed.
    pub failure_reason: Option<Text>,
    /// The move to another back-end that followed.
    pub failover: Option<Failover>,
}

/// A move to another back-end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failover {
    /// Kind of the back-end that failed.
    pub from: &'static str,
    /// Kind of the one now in use.
    pub to: &'static str,
    /// Why the first was left.
    pub reason: Text,
}

impl BackendMonitor {
    /// Asks the back-end in use how it is, and acts on it.
    ///
    /// A report of the back-end is passed on with its status, and ends a series of failures; entries of dead owners in it
    /// are swept. An error or a panic counts as
    /// a failure: below the [threshold](super::MonitorOptions::failure_threshold) the status is degraded; from there on
    /// the other back-ends are tried in order, and the registry moves to the first that is healthy and takes its entries.
    /// The status is degraded then, and unhealthy if there is none.
    ///
    /// # Errors
    /// [`RegistryError::Closed`] after the shutdown of the registry. A failing back-end is a result, not an error.
    pub fn check_now(&self) -> Result<MonitorReport, RegistryError> {
        let core = &self.registry.core;
        core.check_open()?;
        let store = core.store.get_shared();
        let backend = store.backend().info().kind;
        let (start, checked_at) = (core.clock.mono(), core.clock.wall());
        let answer = health_of(store.backend());
        let response_time = core.clock.mono().saturating_since(start);
        let report = |status, details| MonitorReport {
            status,
            backend,
            response_time,
            checked_at,
            details,
            failure_count: 0,
            failure_reason: None,
            failover: None,
        };
        let reason = match answer {
            Ok(health) => {
                *self.failures.lock() = 0;
                if health.dead > 0 {
                    // Left by exit hooks that met a failing back-end, or on their way out anyway.
                    if let Err(error) = self.registry.sweep() {
                        tracing::warn!(target: TARGET, backend, %error, "entries of dead owners could not be swept");
                    }
                }
                return Ok(report(health.status, Some(health)));
            }
            Err(reason) => reason,
        };
        let failure_count = {
            let mut failures = self.failures.lock();
            *failures = failures.saturating_add(1);
            *failures
        };
        tracing::warn!(target: TARGET, backend, failure_count, %reason, "back-end check failed");
        let mut report =
            MonitorReport { failure_count, failure_reason: Some(reason.clone()), ..report(Health::Degraded, None) };
        if failure_count >= self.options.failure_threshold.get() {
            match self.fail_over(backend, &reason)? {
                Outcome::Moved(failover) => {
                    report.backend = failover.to;
                    report.failover = Some(failover);
                }
                Outcome::UnderWay => {}
                Outcome::NoneLeft => report.status = Health::Unhealthy,
            }
        }
        Ok(report)
    }

    fn fail_over(&self, from: &'static str, reason: &Text) -> Result<Outcome, RegistryError> {
        // AcqRel and Release: one failover sees what the one before it did.
        if self.failing_over.swap(true, Ordering::AcqRel) {
            return Ok(Outcome::UnderWay);
        }
        // What may panic in it is caught.
        let moved = self.try_others(from, reason);
        self.failing_over.store(false, Ordering::Release);
        moved
    }

    fn try_others(&self, from: &'static str, reason: &Text) -> Result<Outcome, RegistryError> {
        let active = self.active().index;
        for (index, other) in self.backends.iter().enumerate().filter(|(index, _)| Some(*index) != active) {
            if !health_of(other.backend()).is_ok_and(|health| health.status == Health::Healthy) {
                continue;
            }
            let moved = contain(|| self.registry.core.switch(other.again()));
            match moved {
                Ok(Ok(report)) => {
                    *self.failures.lock() = 0;
                    let to = report.to;
                    tracing::warn!(target: TARGET, from, to, moved = report.moved, %reason, "failed over");
                    self.registry.core.emitter.emit(&BACKEND_FAILOVER_EVENT, || {
                        let metadata = Metadata::new().with("from", from).with("to", to).with("reason", reason.clone());
                        (Measurements::one(), metadata)
                    });
                    return Ok(Outcome::Moved(Failover { from, to, reason: reason.clone() }));
                }
                Ok(Err(RegistryError::Closed)) => return Err(RegistryError::Closed),
                Ok(Err(error)) => tracing::warn!(target: TARGET, from, index, %error, "could not fail over"),
                Err(panic) => tracing::warn!(target: TARGET, from, index, %panic, "could not fail over"),
            }
        }
        tracing::error!(target: TARGET, from, %reason, "all back-ends failed");
        Ok(Outcome::NoneLeft)
    }
}

enum Outcome {
    Moved(Failover),
    /// Another check is at it.
    UnderWay,
    NoneLeft,
}

/// The report of a back-end, or why there is none.
fn health_of(backend: &dyn Backend) -> Result<BackendHealth, Text> {
    match contain(|| backend.health()) {
        Ok(Ok(health)) => Ok(health),
        Ok(Err(error)) => Err(Text::from(error.to_string())),
        Err(panic) => Err(Text::from(format!("panic: {panic}"))),
    }
}
