//! How everything is, without asking anybody.

use std::sync::Arc;

use foundation_types::{ExitReason, Pid, ServiceName};

use super::{Engine, Stage};
use crate::lifecycle::config::ServiceConfig;
use crate::lifecycle::error::LifecycleError;
use crate::lifecycle::instance::Instance;
use crate::lifecycle::spec::Phase;
use crate::lifecycle::status::{
    ApplicationState, ApplicationStatus, HealthSummary, PhaseStatus, ServiceState, ServiceStatus,
};

impl Engine {
    pub(in crate::lifecycle) fn status(&self) -> ApplicationStatus {
        let now = self.clock().mono();
        let closing = self.closing.requested().is_some();
        let state = self.state();
        let application = match &state.stage {
            Stage::Running if closing => ApplicationState::Stopping,
            Stage::Running => ApplicationState::Running,
            Stage::Stopping => ApplicationState::Stopping,
            Stage::Ended { failure: None, .. } => ApplicationState::Stopped,
            Stage::Ended { report, .. } => ApplicationState::Failed(report.reason.clone()),
        };
        let enabled = || state.slots.values().filter(|slot| slot.is_enabled());
        let phase_status = |phase: Phase| {
            let those = || enabled().filter(move |slot| slot.spec.phase == phase);
            let summary = HealthSummary::of(those().map(super::Slot::known_health));
            PhaseStatus {
                services: those().map(|slot| slot.spec.name.clone()).collect(),
                healthy_count: summary.healthy,
                total_count: summary.total_services,
                status: summary.overall(),
            }
        };
        let health_summary = HealthSummary::of(enabled().map(super::Slot::known_health));
        let services = state.slots.values().map(|slot| {
            let status = ServiceStatus {
                status: slot.visible_state(),
                pid: slot.live().map(|instance| instance.pid().clone()),
                uptime: slot.uptime(now),
                usage: slot.run.usage,
                health: slot.known_health(),
                last_health_check: slot.run.last_check.map(|(at, _)| at),
                restarts: slot.runs.saturating_sub(1),
                last_exit: slot.last_exit.clone(),
            };
            (slot.spec.name.clone(), status)
        });
        ApplicationStatus {
            state: application,
            status: health_summary.overall(),
            services: services.collect(),
            startup_phases: Phase::ALL.into_iter().map(|phase| (phase, phase_status(phase))).collect(),
            dependencies: state
                .slots
                .values()
                .map(|slot| (slot.spec.name.clone(), slot.spec.dependencies.clone()))
                .collect(),
            health_summary,
        }
    }

    /// Whether the application runs, and with it every service that is neither disabled nor done.
    pub(in crate::lifecycle) fn is_available(&self) -> bool {
        if self.closing.requested().is_some() {
            return false;
        }
        let state = self.state();
        let is_up = |slot: &super::Slot| match slot.visible_state() {
            ServiceState::Running | ServiceState::Disabled => true,
            ServiceState::Stopped => slot.last_exit.as_ref().is_some_and(ExitReason::is_orderly),
            ServiceState::Starting | ServiceState::Stopping | ServiceState::Failed => false,
        };
        matches!(state.stage, Stage::Running) && state.slots.values().all(is_up)
    }

    /// The services in the order of their start.
    pub(in crate::lifecycle) fn names(&self) -> Vec<ServiceName> {
        self.state().slots.values().map(|slot| slot.spec.name.clone()).collect()
    }

    /// The identity of a service that runs.
    pub(in crate::lifecycle) fn pid_of(&self, name: &ServiceName) -> Result<Pid, LifecycleError> {
        let state = self.state();
        let slot = state.slot(name)?;
        match slot.live() {
            Some(instance) => Ok(instance.pid().clone()),
            None if slot.is_enabled() => Err(LifecycleError::NotRunning(name.clone())),
            None => Err(LifecycleError::Disabled(name.clone())),
        }
    }

    /// The configuration of a service that runs.
    pub(in crate::lifecycle) fn config_of(&self, name: &ServiceName) -> Result<ServiceConfig, LifecycleError> {
        let state = self.state();
        let slot = state.slot(name)?;
        if slot.live().is_some() { Ok(slot.run.config.clone()) } else { Err(LifecycleError::NotRunning(name.clone())) }
    }

    /// The services in the order of their start: name, whether it is live, and its run if it has one.
    pub(in crate::lifecycle) fn runs(&self) -> Vec<(ServiceName, ServiceState, Option<Arc<Instance>>)> {
        let state = self.state();
        let view = |slot: &super::Slot| (slot.spec.name.clone(), slot.visible_state(), slot.instance.clone());
        state.slots.values().map(view).collect()
    }
}
