//! Stopping services.

use std::time::Duration;

use foundation_types::{ExitReason, Measurements, Metadata, MonoTime, ServiceName};
use tracing::{info, warn};

use super::slot::ended_as;
use super::{Engine, Stage, Turn};
use crate::lifecycle::events::{ABANDONED_EVENT, STOPPED_EVENT, STOPPING_EVENT};
use crate::lifecycle::instance::Stop;
use crate::lifecycle::report::{ShutdownReport, StopOutcome};
use crate::lifecycle::status::{ServiceHealth, ServiceState};
use crate::lifecycle::sync::lock;

impl Engine {
    /// Stops the service of a place, if it runs or has just died, and tells those that depend on it. Returns when it has
    /// stopped, or has had its time; after `latest` at the latest.
    pub(super) fn stop(
        &self,
        turn: &Turn<'_>,
        place: u64,
        reason: &ExitReason,
        latest: MonoTime,
    ) -> Option<(ServiceName, StopOutcome)> {
        let (name, instance, patience) = {
            let mut state = self.state();
            let slot = state.slots.get_mut(&place)?;
            let instance = slot.instance.clone()?;
            slot.state = ServiceState::Stopping;
            slot.run.health = ServiceHealth::Stopping;
            (slot.spec.name.clone(), instance, slot.run.config.graceful_shutdown_timeout)
        };
        let began = self.clock().mono();
        self.tell_dependents(turn, &name, false);
        self.emit_service(&STOPPING_EVENT, place, None);
        let stop = instance.stop(reason, began.saturating_add(patience).min(latest));
        let reason = instance.pid().exit_reason().unwrap_or_else(|| reason.clone());
        {
            let mut state = self.state();
            if let Some(slot) = state.slots.get_mut(&place) {
                slot.instance = None;
                slot.state = if stop == Stop::Stopped { ended_as(&reason) } else { ServiceState::Failed };
                slot.last_exit = Some(reason.clone());
            }
        }
        let outcome = match stop {
            Stop::Stopped => {
                self.emit_service(&STOPPED_EVENT, place, Some(&reason));
                info!(target: "foundation::lifecycle", service = %name, %reason, "service stopped");
                StopOutcome::Stopped { took: self.clock().mono().saturating_since(began) }
            }
            Stop::Abandoned => {
                self.tell_abandoned(&name, &reason);
                StopOutcome::Abandoned
            }
        };
        Some((name, outcome))
    }

    pub(super) fn tell_abandoned(&self, name: &ServiceName, reason: &ExitReason) {
        self.common.emitter.emit(&ABANDONED_EVENT, || {
            let metadata = Metadata::new().with("service", name.to_string()).with("reason", reason.to_string());
            (Measurements::one(), metadata)
        });
        warn!(target: "foundation::lifecycle", service = %name, %reason, "service did not stop in time and was abandoned");
    }

    /// Stops every service, the last started first, and ends the application.
    pub(super) fn end(&self, turn: &Turn<'_>, reason: ExitReason, failure: Option<ServiceName>) {
        let began = self.clock().mono();
        let places: Vec<u64> = {
            let mut state = self.state();
            state.stage = Stage::Stopping;
            state.slots.keys().rev().copied().collect()
        };
        self.pid.request_shutdown(reason.clone());
        let mut services = Vec::new();
        for place in places {
            // Whoever has less patience may ask while this goes on.
            let latest = self.state().latest;
            services.extend(self.stop(turn, place, &reason, latest));
        }
        let took = self.clock().mono().saturating_since(began);
        let report = ShutdownReport { reason: reason.clone(), services, took };
        {
            let mut state = self.state();
            state.stage = Stage::Ended { report, failure };
            state.exits.clear();
        }
        self.wake_monitor();
        let owner = lock(&self.owner).take();
        if let Some(owner) = owner {
            owner.exit(reason);
        }
    }

    /// Ends the application, or waits for whoever does, and returns what became of its services.
    pub(in crate::lifecycle) fn shut_down(&self, max: Duration, reason: ExitReason) -> ShutdownReport {
        let latest = self.clock().mono().saturating_add(max);
        {
            let mut state = self.state();
            state.latest = state.latest.min(latest);
        }
        // Whoever has the turn and waits for a service to start gives up.
        self.pid.request_shutdown(reason.clone());
        let turn = self.turn();
        if let Some(report) = self.report() {
            return report;
        }
        self.end(&turn, reason, None);
        self.report().expect("an application that has ended has a report")
    }

    fn report(&self) -> Option<ShutdownReport> {
        match &self.state().stage {
            Stage::Ended { report, .. } => Some(report.clone()),
            Stage::Running | Stage::Stopping => None,
        }
    }
}
