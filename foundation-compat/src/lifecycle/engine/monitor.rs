//! Asking again and again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread;

use foundation_types::{FiniteF64, Health, Measurements, Metadata, MonoTime, Text, timeout_at};
use tracing::warn;

use super::health::{Asker, Subject};
use super::{Engine, Stage};
use crate::lifecycle::bell::Bell;
use crate::lifecycle::error::{LifecycleError, names};
use crate::lifecycle::events::{DEPENDENCY_WARNINGS_EVENT, HEALTH_EVENT};
use crate::lifecycle::status::{HealthSummary, gauge_value};
use crate::lifecycle::sync::lock;

/// That a monitor is on. There is one for each supervisor, whoever asks for it, and it is off when nobody holds it.
pub(in crate::lifecycle) struct MonitorThread {
    bell: Arc<Bell>,
    ended: Arc<AtomicBool>,
    rounds: Mutex<Rounds>,
}

/// When the rounds over all services are due.
struct Rounds {
    health: MonoTime,
    dependencies: MonoTime,
}

impl Drop for MonitorThread {
    fn drop(&mut self) {
        // SeqCst, with the ring that follows: whoever hears it sees this.
        self.ended.store(true, Ordering::SeqCst);
        self.bell.ring();
    }
}

/// Whether a monitor has a thread, or is driven by hand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::lifecycle) enum Driving {
    Thread,
    ByHand,
}

impl Engine {
    /// Turns the monitor on, or joins those who have done so.
    pub(in crate::lifecycle) fn monitor(
        self: &Arc<Self>,
        driving: Driving,
    ) -> Result<Arc<MonitorThread>, LifecycleError> {
        let now = self.clock().mono();
        let mut state = self.state();
        if !matches!(state.stage, Stage::Running) {
            drop(state);
            return Err(self.ended());
        }
        if let Some(monitor) = state.monitor.upgrade() {
            return Ok(monitor);
        }
        let monitor = Arc::new(MonitorThread {
            bell: Arc::default(),
            ended: Arc::default(),
            rounds: Mutex::new(Rounds {
                health: now,
                dependencies: now.saturating_add(self.options.health.dependency_interval),
            }),
        });
        state.monitor = Arc::downgrade(&monitor);
        for slot in state.slots.values_mut() {
            slot.run.watch.due = slot.run.config.health_check_interval.map(|_| now);
        }
        drop(state);
        if driving == Driving::Thread {
            let (engine, of) = (Arc::downgrade(self), Arc::downgrade(&monitor));
            let (bell, ended) = (Arc::clone(&monitor.bell), Arc::clone(&monitor.ended));
            let spawned = thread::Builder::new()
                .name("foundation-health".to_owned())
                .spawn(move || serve(&engine, &of, (&bell, &ended)));
            spawned.map_err(|error| LifecycleError::NoThread(Text::from(error.to_string())))?;
        }
        Ok(monitor)
    }

    /// Makes the monitor look again when its next check is due.
    pub(super) fn wake_monitor(&self) {
        let monitor = self.state().monitor.upgrade();
        if let Some(monitor) = monitor {
            monitor.bell.ring();
        }
    }

    /// Makes all checks that are due, if a monitor is on. Returns how many there were.
    pub(in crate::lifecycle) fn check_due(&self) -> usize {
        let monitor = self.state().monitor.upgrade();
        monitor.map_or(0, |monitor| self.check_due_of(&monitor))
    }

    fn check_due_of(&self, monitor: &MonitorThread) -> usize {
        let now = self.clock().mono();
        let subjects: Vec<Subject> = {
            let mut state = self.state();
            if !matches!(state.stage, Stage::Running) {
                return 0;
            }
            let mut subjects = Vec::new();
            for (&place, slot) in &mut state.slots {
                if slot.live().is_some() && slot.run.watch.due.is_some_and(|due| due <= now) {
                    let interval = slot.run.config.health_check_interval;
                    slot.run.watch.due = interval.map(|interval| now.saturating_add(interval));
                    subjects.push(Subject::of(place, slot));
                }
            }
            subjects
        };
        let checks = subjects.len();
        if checks > 0 {
            self.ask(subjects, Asker::Monitor);
        }
        let (health_due, dependencies_due) = {
            let mut rounds = lock(&monitor.rounds);
            let due = (rounds.health <= now, rounds.dependencies <= now);
            if due.0 {
                rounds.health = now.saturating_add(self.options.health.interval);
            }
            if due.1 {
                rounds.dependencies = now.saturating_add(self.options.health.dependency_interval);
            }
            due
        };
        if health_due {
            self.report_health();
        }
        if dependencies_due {
            self.report_dependencies();
        }
        checks
    }

    /// When the monitor has something to do next.
    fn next_due(&self, monitor: &MonitorThread) -> MonoTime {
        let rounds = {
            let rounds = lock(&monitor.rounds);
            rounds.health.min(rounds.dependencies)
        };
        let state = self.state();
        let checks = state.slots.values().filter(|slot| slot.live().is_some()).filter_map(|slot| slot.run.watch.due);
        checks.min().map_or(rounds, |due| due.min(rounds))
    }

    fn report_health(&self) {
        let healths: Vec<_> = {
            let state = self.state();
            let enabled = state.slots.values().filter(|slot| slot.is_enabled());
            enabled.map(|slot| (slot.spec.name.clone(), slot.known_health())).collect()
        };
        let summary = HealthSummary::of(healths.iter().map(|(_, health)| *health));
        let overall = summary.overall();
        self.common.emitter.emit(&HEALTH_EVENT, || {
            let count = |number| i64::try_from(number).unwrap_or(i64::MAX);
            let value = FiniteF64::new(gauge_value(overall)).expect("the three values are finite");
            let measurements = Measurements::new().with("value", value);
            let metadata = Metadata::new()
                .with("failed_services", count(summary.unhealthy))
                .with("degraded_services", count(summary.degraded));
            (measurements, metadata)
        });
        if overall != Health::Healthy && self.options.health_warnings.is_on() {
            let that_are = |wanted: &[Health]| {
                let those = healths.iter().filter(|(_, health)| wanted.contains(health));
                names(&those.map(|(name, _)| name.clone()).collect::<Vec<_>>())
            };
            let failed = that_are(&[Health::Unhealthy, Health::Critical]);
            let degraded = that_are(&[Health::Degraded, Health::Unknown]);
            warn!(target: "foundation::lifecycle", health = %overall, failed, degraded, "application is not healthy");
        }
    }

    fn report_dependencies(&self) {
        let unmet: Vec<_> = {
            let state = self.state();
            let running = state.slots.values().filter(|slot| slot.live().is_some());
            let lacking = running.flat_map(|slot| slot.spec.dependencies.iter()).filter(|name| !state.runs(name));
            lacking.cloned().collect()
        };
        if unmet.is_empty() {
            return;
        }
        self.common.emitter.emit(&DEPENDENCY_WARNINGS_EVENT, || {
            let count = i64::try_from(unmet.len()).unwrap_or(i64::MAX);
            (Measurements::new().with("unmet_count", count), Metadata::new())
        });
        if self.options.health_warnings.is_on() {
            warn!(target: "foundation::lifecycle", unmet = names(&unmet), "dependencies of running services do not run");
        }
    }
}

fn serve(engine: &Weak<Engine>, monitor: &Weak<MonitorThread>, (bell, ended): (&Bell, &AtomicBool)) {
    loop {
        // Neither is held while nothing is due, so that both can be dropped.
        let (clock, due) = {
            let (Some(engine), Some(monitor)) = (engine.upgrade(), monitor.upgrade()) else { return };
            if engine.closing.requested().is_some() {
                return;
            }
            engine.check_due_of(&monitor);
            (Arc::clone(&engine.common.clock), engine.next_due(&monitor))
        };
        pollster::block_on(timeout_at(&*clock, due, bell.heard()));
        if ended.load(Ordering::SeqCst) {
            return;
        }
    }
}

impl std::fmt::Debug for MonitorThread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MonitorThread").finish_non_exhaustive()
    }
}
