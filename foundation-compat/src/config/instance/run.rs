//! Running, stopped, and the way from one to the other.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use foundation_config::{PendingReport, Snapshot, SourceOutcome};
use foundation_types::error::Error;
use foundation_types::{MonoTime, Pid};

use super::Instance;
use crate::config::{ConfigOptions, Replay, TARGET, TestMode};
use crate::logic::config_logic::{known_options, split};
use crate::types::config::FoundationConfig;
use crate::validation::record::{self, Later};

/// For how long a stopped service answers reads from what it had, inclusive.
pub const FALLBACK_TTL: Duration = Duration::from_mins(5);

/// Whether the service runs.
pub(super) enum Run {
    Running,
    /// Until it is started.
    Stopped(Stopped),
    /// For good.
    ShutDown(Stopped),
}

/// What a stopped service has.
#[derive(Clone)]
pub(super) struct Stopped {
    pub(super) since: MonoTime,
    /// What was current when it stopped; `None` after it was forgotten.
    pub(super) kept: Option<Arc<Snapshot<FoundationConfig>>>,
}

impl Run {
    pub(super) fn stopped(&self) -> Option<&Stopped> {
        match self {
            Self::Running => None,
            Self::Stopped(stopped) | Self::ShutDown(stopped) => Some(stopped),
        }
    }

    fn stopped_mut(&mut self) -> Option<&mut Stopped> {
        match self {
            Self::Running => None,
            Self::Stopped(stopped) | Self::ShutDown(stopped) => Some(stopped),
        }
    }
}

/// Who stops a service.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoppedBy {
    /// Somebody who wants it stopped; a supervisor starts it again.
    Caller,
    /// Its supervisor.
    Supervisor,
}

impl Instance {
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state().run, Run::Running)
    }

    /// What the service has while it is stopped; `None` while it runs.
    pub(super) fn stopped(&self) -> Option<Stopped> {
        self.state().run.stopped().cloned()
    }

    /// # Errors
    /// `service_unavailable` (5000) if the service does not run.
    pub(super) fn check_running(&self) -> Result<(), Error> {
        if self.is_running() { Ok(()) } else { Err(self.at_now(record::service_unavailable(Later::Never))) }
    }

    /// Starts the service, with other settings below those of run time if there are some in `options`; does nothing if it
    /// runs.
    pub(crate) fn start(&self, options: &ConfigOptions) -> Result<(), Error> {
        match &self.state().run {
            Run::Running => return Ok(()),
            Run::ShutDown(_) => return Err(self.at_now(record::service_unavailable(Later::Never))),
            Run::Stopped(_) => {}
        }
        if options.has_settings() {
            self.replace_settings(options).map_err(|error| self.at_now(error))?;
        } else {
            // Sources are asked again, as a start does; what fails keeps what it held.
            self.store.reload().map_err(|error| self.at_now(record::refused(error)))?;
        }
        {
            let mut state = self.state();
            match &state.run {
                Run::Running => return Ok(()),
                Run::ShutDown(_) => return Err(self.at_now(record::service_unavailable(Later::Never))),
                Run::Stopped(_) => {}
            }
            state.run = Run::Running;
            state.started = self.clock.mono();
        }
        if self.test_mode == TestMode::Off {
            tracing::info!(target: TARGET, "configuration service started");
        }
        if self.replay == Replay::OnStart {
            self.retry_pending_updates();
        }
        Ok(())
    }

    /// Puts other settings in place of those that the caller gave before.
    fn replace_settings(&self, options: &ConfigOptions) -> Result<(), Error> {
        let (environment, given) = (split(&options.environment).0, known_options(options)?);
        let before = (self.environment.set(environment), self.options.set(given));
        let refused = self.reload_own();
        if refused.is_err() {
            self.environment.set(before.0);
            self.options.set(before.1);
            self.reload_own()?;
        }
        refused
    }

    /// Asks the sources again.
    ///
    /// # Errors
    /// Why one of the instance's own is refused.
    fn reload_own(&self) -> Result<(), Error> {
        let report = self.store.reload().map_err(record::refused)?;
        let own =
            report.sources.into_iter().filter(|source| ["environment", "options"].contains(&source.name.as_str()));
        for source in own {
            match source.outcome {
                SourceOutcome::Rejected(error) => return Err(record::refused(error)),
                SourceOutcome::Failed(error) => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Stops the service. What is in the store stays.
    pub(crate) fn stop(&self, by: StoppedBy) {
        let kept = self.store.snapshot();
        let supervised = {
            let mut state = self.state();
            if !matches!(state.run, Run::Running) {
                return;
            }
            state.run = Run::Stopped(Stopped { since: self.clock.mono(), kept: Some(kept) });
            state.supervised.take()
        };
        if let Some(pid) = supervised.filter(|_| by == StoppedBy::Caller) {
            pid.kill();
        }
    }

    /// Stops the service for good.
    pub(crate) fn shut_down(&self) {
        self.stop(StoppedBy::Supervisor);
        let mut state = self.state();
        if let Some(stopped) = state.run.stopped().cloned() {
            state.run = Run::ShutDown(stopped);
        }
    }

    /// # Errors
    /// `service_unavailable` (5000) after a shutdown.
    #[cfg(feature = "agent")]
    pub(crate) fn check_not_shut_down(&self) -> Result<(), Error> {
        match &self.state().run {
            Run::ShutDown(_) => Err(self.at_now(record::service_unavailable(Later::Never))),
            Run::Running | Run::Stopped(_) => Ok(()),
        }
    }

    /// Starts the service as the part of an application that has this identity.
    pub(crate) fn start_supervised(&self, pid: &Pid) -> Result<(), Error> {
        self.start(&ConfigOptions::new())?;
        self.state().supervised = Some(pid.clone());
        Ok(())
    }

    /// Rebuilds the state from the sources: nothing that was written while running is left, no subscriber, no count.
    pub(crate) fn reset_state(&self) -> Result<(), Error> {
        if self.test_mode == TestMode::Off {
            return Err(self.at_now(record::operation_forbidden("reset_state")));
        }
        // Before anything changes, so that they hear nothing of it.
        self.handles.end_all();
        self.subscribers.clear();
        if !self.is_running() {
            for path in self.pending.paths() {
                self.pending.discard(&path);
            }
            let forgotten = self.state().run.stopped_mut().and_then(|stopped| stopped.kept.take());
            drop(forgotten);
            return Ok(());
        }
        let reset = self.store.reset().and_then(|_| self.store.reload());
        reset.map_err(|error| self.at_now(record::refused(error)))?;
        let mut state = self.state();
        (state.started, state.updates, state.last_update) = (self.clock.mono(), 0, None);
        Ok(())
    }

    /// Makes the writes that wait, each once, in order.
    pub(crate) fn retry_pending_updates(&self) -> PendingReport {
        if let Some(stopped) = self.stopped() {
            let age = self.clock.mono().saturating_since(stopped.since);
            let mut report = PendingReport::default();
            let unavailable = |path: foundation_config::Path| {
                (path.clone(), foundation_config::ConfigError::Unavailable { path, age })
            };
            report.kept = self.pending.paths().into_iter().map(unavailable).collect();
            return report;
        }
        let report = self.pending.replay();
        for (path, committed) in &report.applied {
            self.note_update(path, committed);
        }
        let made = report.applied.len();
        let all = made + report.failed.len() + report.superseded.len() + report.expired.len() + report.kept.len();
        if all > 0 {
            tracing::info!(target: TARGET, "{made}/{all} pending updates were successful");
        }
        report
    }

    /// Forgets what is too old to be served, and the writes that have waited for too long.
    pub(crate) fn cleanup_expired_cache(&self) -> Vec<foundation_config::Path> {
        let now = self.clock.mono();
        let forgotten = {
            let mut state = self.state();
            let stopped = state.run.stopped_mut();
            let too_old = stopped.filter(|stopped| now.saturating_since(stopped.since) > FALLBACK_TTL);
            too_old.and_then(|stopped| stopped.kept.take())
        };
        drop(forgotten);
        let expired = self.pending.expire();
        for path in &expired {
            tracing::warn!(target: TARGET, %path, "a pending update has expired");
        }
        expired
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Stopped(_) => "stopped",
            Self::ShutDown(_) => "shut down",
        })
    }
}
