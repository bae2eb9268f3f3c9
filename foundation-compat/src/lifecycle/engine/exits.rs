//! What follows from exits.

use std::collections::BTreeSet;
use std::sync::Arc;

use foundation_types::{ExitReason, Measurements, Metadata, MonoTime, ServiceName};
use tracing::{error, info};

use super::slot::ended_as;
use super::{Engine, Exit, Stage, Turn};
use crate::lifecycle::error::LifecycleError;
use crate::lifecycle::events::{INTENSITY_EXCEEDED_EVENT, RESTARTED_EVENT};
use crate::lifecycle::policy::{Restart, Strategy, Verdict};
use crate::lifecycle::status::ServiceState;

impl Engine {
    /// Deals with every exit so far, and with those that come in meanwhile. Returns how many there were.
    pub(in crate::lifecycle) fn settle(self: &Arc<Self>, turn: &Turn<'_>) -> usize {
        let mut settled = 0;
        while let Some((exit, name)) = self.next_exit() {
            settled += 1;
            self.reap(turn, &exit, &name);
        }
        settled
    }

    /// The next exit of a run that is still the current one of its service.
    fn next_exit(&self) -> Option<(Exit, ServiceName)> {
        let mut state = self.state();
        loop {
            // Whoever is about to end the application stops what has died as well.
            if !matches!(state.stage, Stage::Running) || self.closing.requested().is_some() {
                return None;
            }
            let exit = state.exits.pop_front()?;
            let slot = state.slots.get(&exit.place);
            let is_current = |slot: &&super::Slot| {
                slot.is_ready() && slot.instance.as_ref().is_some_and(|instance| instance.pid().id() == exit.id)
            };
            if let Some(slot) = slot.filter(is_current) {
                let name = slot.spec.name.clone();
                return Some((exit, name));
            }
        }
    }

    fn reap(self: &Arc<Self>, turn: &Turn<'_>, exit: &Exit, name: &ServiceName) {
        self.stop(turn, exit.place, &exit.reason, MonoTime::NEVER);
        let restart = {
            let mut state = self.state();
            let Some(slot) = state.slots.get_mut(&exit.place) else { return };
            slot.state = ended_as(&exit.reason);
            slot.spec.restart
        };
        if restart.applies_to(&exit.reason) {
            self.restart(turn, exit, name);
        }
    }

    /// Starts an ended service again, and those that the strategy says, unless that is once too often. A start that fails is
    /// an exit, too.
    fn restart(self: &Arc<Self>, turn: &Turn<'_>, exit: &Exit, name: &ServiceName) {
        let (mut place, mut name, mut reason, mut at) = (exit.place, name.clone(), exit.reason.clone(), exit.at);
        let mut waiting: BTreeSet<u64> = BTreeSet::new();
        loop {
            let verdict = self.state().window.record(at);
            let Verdict::Within(in_window) = verdict else {
                return self.give_up(turn, &name, &reason);
            };
            let affected = self.affected(place);
            for &other in affected.iter().rev().filter(|&&other| other != place) {
                self.stop(turn, other, &ExitReason::Shutdown, MonoTime::NEVER);
            }
            waiting.extend(affected.into_iter().filter(|&other| other == place || self.may_come_back(other)));
            let mut failed = None;
            while let Some(next) = waiting.pop_first() {
                match self.start(turn, next) {
                    Ok(_) if next == place => self.tell_restarted(&name, &reason, in_window),
                    Ok(_) => {}
                    Err(error) => {
                        failed = Some((next, error));
                        break;
                    }
                }
            }
            let Some((next, error)) = failed else { return };
            if matches!(error, LifecycleError::Stopped) {
                return;
            }
            error!(target: "foundation::lifecycle", service = %name, %error, "service could not be restarted");
            let Some(failed) = self.state().slots.get(&next).map(|slot| slot.spec.name.clone()) else { return };
            (place, name, reason, at) = (next, failed, ExitReason::error(error.to_string()), self.clock().mono());
        }
    }

    /// Who is restarted together with the service of a place, itself included, in start order.
    fn affected(&self, place: u64) -> Vec<u64> {
        let state = self.state();
        let enabled = state.slots.iter().filter(|(_, slot)| slot.is_enabled()).map(|(&other, _)| other);
        match self.options.strategy {
            Strategy::OneForOne => vec![place],
            Strategy::OneForAll => enabled.collect(),
            Strategy::RestForOne => enabled.filter(|&other| other >= place).collect(),
        }
    }

    fn may_come_back(&self, place: u64) -> bool {
        self.state().slots.get(&place).is_some_and(|slot| slot.spec.restart != Restart::Temporary)
    }

    fn tell_restarted(&self, name: &ServiceName, reason: &ExitReason, in_window: usize) {
        self.common.emitter.emit(&RESTARTED_EVENT, || {
            let metadata = Metadata::new()
                .with("service", name.to_string())
                .with("reason", reason.to_string())
                .with("restarts_in_window", i64::try_from(in_window).unwrap_or(i64::MAX));
            (Measurements::one(), metadata)
        });
        info!(target: "foundation::lifecycle", service = %name, %reason, in_window, "service restarted");
    }

    /// Ends the application because of too many restarts.
    fn give_up(&self, turn: &Turn<'_>, name: &ServiceName, reason: &ExitReason) {
        let intensity = self.state().window.intensity();
        error!(target: "foundation::lifecycle", service = %name, %reason, "services ended too often");
        let cause = ExitReason::error(format!("restart intensity exceeded by service {name}: {reason}"));
        self.end(turn, cause, Some(name.clone()));
        self.common.emitter.emit(&INTENSITY_EXCEEDED_EVENT, || {
            let metadata = Metadata::new()
                .with("service", name.to_string())
                .with("reason", reason.to_string())
                .with("max_restarts", intensity.max_restarts)
                .with("within_ms", i64::try_from(intensity.within.as_millis()).unwrap_or(i64::MAX));
            (Measurements::one(), metadata)
        });
    }

    /// Marks a service that does not run.
    pub(super) fn mark(&self, place: u64, as_: ServiceState) {
        if let Some(slot) = self.state().slots.get_mut(&place) {
            slot.state = as_;
        }
    }
}
