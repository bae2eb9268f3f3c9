//! What the engine knows of one service.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::{ExitReason, Health, MonoTime, Timestamp};

use super::HealthOptions;
use crate::lifecycle::config::ServiceConfig;
use crate::lifecycle::instance::Instance;
use crate::lifecycle::service::Usage;
use crate::lifecycle::spec::ServiceSpec;
use crate::lifecycle::status::{ServiceHealth, ServiceState};

/// One service.
pub(in crate::lifecycle) struct Slot {
    pub(in crate::lifecycle) spec: Arc<ServiceSpec>,
    pub(super) state: ServiceState,
    /// From the moment it starts until it has ended.
    pub(super) instance: Option<Arc<Instance>>,
    /// How many runs it has had.
    pub(super) runs: u64,
    pub(super) last_exit: Option<ExitReason>,
    pub(super) run: Run,
}

/// What belongs to one run.
#[derive(Default)]
pub(super) struct Run {
    pub(super) config: ServiceConfig,
    pub(super) ready_at: Option<MonoTime>,
    pub(super) health: ServiceHealth,
    pub(super) checks: u64,
    pub(super) failures: u64,
    pub(super) last_check: Option<(Timestamp, Health)>,
    pub(super) usage: Usage,
    pub(super) watch: Watch,
}

/// What a monitor makes of its checks.
#[derive(Default)]
pub(super) struct Watch {
    /// When it checks next; none before it has looked for the first time.
    pub(super) due: Option<MonoTime>,
    pub(super) verdict: Option<Health>,
    bad_in_a_row: u32,
}

impl Watch {
    /// One that checks for the first time at `due`.
    pub(super) fn from(due: Option<MonoTime>) -> Self {
        Self { due, ..Self::default() }
    }

    /// Takes the health that a check found.
    pub(super) fn take(&mut self, found: Health, options: &HealthOptions) {
        if found == Health::Healthy {
            self.bad_in_a_row = 0;
            self.verdict = Some(Health::Healthy);
            return;
        }
        self.bad_in_a_row = self.bad_in_a_row.saturating_add(1);
        let reached = |threshold: NonZeroU32| self.bad_in_a_row >= threshold.get();
        if reached(options.unhealthy_after) {
            self.verdict = Some(Health::Unhealthy);
        } else if reached(options.degraded_after) {
            self.verdict = Some(Health::Degraded);
        } else if self.verdict.is_none() {
            self.verdict = Some(Health::Healthy);
        }
    }
}

impl Slot {
    pub(super) fn new(spec: ServiceSpec, state: ServiceState) -> Self {
        Self { spec: Arc::new(spec), state, instance: None, runs: 0, last_exit: None, run: Run::default() }
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.state != ServiceState::Disabled
    }

    /// Whether it counts as ready: its death may be known to others before the engine has dealt with it.
    pub(super) fn is_ready(&self) -> bool {
        self.state == ServiceState::Running
    }

    /// The run, if it is ready and has not died.
    pub(super) fn live(&self) -> Option<&Arc<Instance>> {
        self.instance.as_ref().filter(|instance| self.is_ready() && instance.pid().is_alive())
    }

    /// The state as others see it: a death counts at once.
    pub(super) fn visible_state(&self) -> ServiceState {
        let died = self.instance.as_ref().filter(|_| self.is_ready()).and_then(|instance| instance.pid().exit_reason());
        died.map_or(self.state, |reason| ended_as(&reason))
    }

    /// How it is, as far as is known without asking.
    pub(super) fn known_health(&self) -> Health {
        if self.state == ServiceState::Disabled {
            return Health::Unknown;
        }
        if self.live().is_none() {
            return Health::Unhealthy;
        }
        self.run.watch.verdict.or(self.run.last_check.map(|(_, health)| health)).unwrap_or(Health::Healthy)
    }

    pub(super) fn uptime(&self, now: MonoTime) -> Duration {
        self.live().and(self.run.ready_at).map_or(Duration::ZERO, |since| now.saturating_since(since))
    }
}

/// The state of a service that ended for this reason and is not started again.
pub(super) fn ended_as(reason: &ExitReason) -> ServiceState {
    if reason.is_orderly() { ServiceState::Stopped } else { ServiceState::Failed }
}
