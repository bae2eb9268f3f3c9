//! A fleet of agents surveys a tree of files.
//!
//! Scouts list directories, readers read and hash files, analysts count lines of code, comments and blanks, reviewers have
//! texts reviewed by a service. All are agents on threads of their own, registered with their capabilities, state and health.
//! A coordinator asks the registry who can do a task, and is healthy and free, hands it over, watches that the agent lives and
//! makes progress, and gives the tasks of dead and hung ones to others. Every file counts once, whatever dies.
//!
//! # Services
//! Agents are services under a [`Supervisor`](crate::lifecycle::Supervisor): who dies is started again under its name, as somebody
//! new, up to [`MAX_RESTARTS`] times within [`RESTARTS_WITHIN`]. The watch of the settings and the way to the reviewing service
//! are started before them; then come reviewers, analysts, readers and scouts, and they are stopped the other way round, so that
//! what was begun can be ended. Who does not stop within [`AGENT_GRACE`] is left behind, and named in [`Survey::lifecycle`].
//!
//! # Settings
//! [`config`] tells which there are and where they come from. Those that may change do so while the survey runs, when their file
//! is edited for example: the coordinator asks how many readers may be at work each time it hands work out, and an agent asks for
//! its rate before each file. [`Survey::config`] lists what was changed, and what was refused.
//!
//! # Stopping early
//! When the signal of [`Surveyor::stop_on`] is raised, agents end the task that they are at, and it counts; nobody begins another
//! one. After [`STOP_GRACE`] at the latest all services are stopped in order. [`Survey::left`] says what was left. Tasks are
//! kept in memory alone, so the next survey begins anew.
//!
//! What counts:
//! - Ignore files (`.gitignore` and the like) are honoured, and hidden files left out.
//! - Symbolic links are not followed; they, pipes, sockets and devices are listed as skipped.
//! - Files of no known language, and binary files (with a zero byte among the first 8000, as for git), count as files and
//!   bytes, and have no lines.
//! - A file that cannot be read, or is gone when its turn comes, is listed as skipped, and the survey is not complete.
//!
//! # Reviews
//!
//! Every text that is counted is reviewed, once: [`Findings`] says what is looked for. Binary files are not, nor are texts above
//! [`MAX_TEXT`] and those in UTF-16 or UTF-32; [`LeftOut`] counts them. Empty files are texts.
//!
//! The reviewing service is an HTTP/1.1 server on a port of the loopback interface, started by the survey. It answers
//! `POST /reviews`, with the text as the body, with the findings as JSON. A reviewer waits for its turn at a rate limit; then
//! it tries, and after a failure tries again, as often as a budget for retries of all reviewers allows. Each attempt goes
//! through a circuit breaker, takes one of a few connections from a pool, and is limited in time. What it cannot have reviewed
//! it gives back, for another one to try later. If the service has been asked for [`GONE_AFTER`] without giving a single review,
//! it is gone for good: the survey ends all the same, with every file counted, and names the texts that were not reviewed.
//!
//! With chaos the service fails in bursts, leaves requests without an answer, and closes all connections and refuses new ones
//! for a while; and settings change, one agent's alone among them. The totals are the same; what it took is told by [`Survey::breakers`] and its neighbours.
//!
//! # Memory
//!
//! Memory is bounded by [`BYTES_IN_FLIGHT`] for contents, [`MAX_WAITING_FILES`] for files found, the names in the largest
//! directories being listed, and the directories found and not yet listed. Only a source file above [`INLINE_LIMIT`] is held
//! as a whole, one at a time.
//!
//! ```
//! use foundation_compat::demo::{Surveyor, SurveySettings};
//!
//! let survey = Surveyor::new(SurveySettings::new("src")).run()?;
//! assert!(survey.complete);
//! println!("{} files, {} lines of Rust", survey.files, survey.languages["Rust"].counts.lines);
//! # Ok::<(), foundation_compat::demo::SurveyError>(())
//! ```
//!
//! [`MAX_RESTARTS`]: settings::MAX_RESTARTS
//! [`RESTARTS_WITHIN`]: settings::RESTARTS_WITHIN
//! [`AGENT_GRACE`]: settings::AGENT_GRACE
//! [`STOP_GRACE`]: settings::STOP_GRACE
//! [`GONE_AFTER`]: settings::GONE_AFTER
//! [`BYTES_IN_FLIGHT`]: settings::BYTES_IN_FLIGHT
//! [`MAX_WAITING_FILES`]: settings::MAX_WAITING_FILES
//! [`INLINE_LIMIT`]: settings::INLINE_LIMIT
//! [`MAX_TEXT`]: settings::MAX_TEXT

mod chaos;
pub mod config;
mod coordinator;
mod deck;
mod fleet;
mod language;
mod ledger;
mod progress;
mod pulse;
mod report;
mod review;
mod roles;
mod script;
mod seat;
mod services;
pub mod settings;
mod spectator;
mod survey;
mod tally;
mod task;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::{fmt, io};

use foundation_registry::AgentError;
use foundation_types::liveness::ShutdownSignal;
use foundation_types::{Clock, ExitReason, SystemClock};

use crate::lifecycle::LifecycleError;
use crate::{BuildError, Foundation};
use config::{DemoSettings, Journal, SettingsError};
use coordinator::{Brief, Coordinator};
pub use progress::{Bars, Lines};
pub use report::text;
pub use review::score::{BEST_SCORE, DEEP_INDENTATION, Findings, LINE_WIDTH, MARKS, TAB_WIDTH};
pub use review::summary::{
    BreakerSummary, CircuitChange, Grades, LeftOut, LimiterSummary, PoolSummary, ReviewTotals, Unreviewed, WorstFile,
};
use review::{Chronicle, Gateway};
pub use roles::Role;
use roles::Site;
pub use settings::{Crew, CrewSizeError, SurveySettings};
pub use spectator::{Attendance, Event, Phase, Progress, Spectator};
pub use survey::{
    AgentSummary, ChaosSummary, Counts, Digest, LanguageTotals, Left, LifecycleSummary, OtherFiles, SkipReason,
    Skipped, Survey, TopFile,
};

/// Surveys a directory; see the [module](self).
#[must_use = "a surveyor does nothing until it is run"]
pub struct Surveyor {
    settings: SurveySettings,
    clock: Arc<dyn Clock>,
    spectator: Arc<dyn Spectator>,
    stop: Option<ShutdownSignal>,
}

impl Surveyor {
    /// A surveyor on the system clock that nobody watches.
    pub fn new(settings: SurveySettings) -> Self {
        Self { settings, clock: Arc::new(SystemClock), spectator: Arc::new(()), stop: None }
    }

    /// Where time comes from.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Who watches.
    pub fn spectator(self, spectator: Arc<dyn Spectator>) -> Self {
        Self { spectator, ..self }
    }

    /// Stops early when this signal is raised: agents end the task that they are at, which counts, and begin no other; then all
    /// services are stopped in order. [`Survey::left`] says what was left.
    pub fn stop_on(self, signal: ShutdownSignal) -> Self {
        Self { stop: Some(signal), ..self }
    }

    /// Surveys the directory, on threads of its own, and returns when they have ended. Those that are stuck in the operating
    /// system are left behind.
    ///
    /// # Errors
    /// [`SurveyError`]. That single files cannot be counted is no error: see [`Survey::complete`].
    pub fn run(self) -> Result<Survey, SurveyError> {
        let Self { settings, clock, spectator, stop } = self;
        let SurveySettings { input, sources, reviewer, chaos } = settings;
        let found = input.canonicalize().and_then(|input| {
            if input.metadata()?.is_dir() { Ok(input) } else { Err(io::ErrorKind::NotADirectory.into()) }
        });
        let input = found.map_err(|error| SurveyError::Input { path: input, error })?;
        let journal = Arc::new(Journal::new(clock.mono()));
        let chronicle = Arc::new(Chronicle::new(Arc::clone(&clock), Arc::clone(&spectator), Arc::clone(&journal)));
        let opened = Arc::new(sources.open_with(Arc::clone(&clock), Some(Arc::clone(&chronicle) as _))?);
        let store = opened.store().clone();
        let foundation = Foundation::builder().clock(clock).observer(Arc::clone(&chronicle) as _).build()?;
        let demo_settings = DemoSettings::clone(&store.load());
        let gateway =
            Gateway::start((reviewer, chaos), &demo_settings, &foundation, Arc::clone(&chronicle), &spectator)?;
        let site = Arc::new(Site::new(&foundation, spectator, input, store, gateway));
        let brief = Brief { opened, chronicle, journal, chaos, stop };
        foundation.start()?;
        let survey = Coordinator::new(site, brief).and_then(Coordinator::run);
        let report = foundation.shutdown_within(settings::SHUTDOWN_GRACE);
        survey.map(|mut survey| {
            survey.lifecycle.add(&report);
            survey
        })
    }
}

impl fmt::Debug for Surveyor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surveyor").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Why a survey could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SurveyError {
    /// The input is no directory that can be read.
    #[error("cannot survey {}: {error}", path.display())]
    Input {
        /// The input.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The settings are refused.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A service of the fleet does not start.
    #[error("cannot start the fleet: {0}; try fewer agents")]
    Start(#[from] LifecycleError),
    /// Agents die again and again: more than [`MAX_RESTARTS`](settings::MAX_RESTARTS) times in a short while.
    #[error("agents keep dying: {reason}")]
    KeepsDying {
        /// Which one was the last, and why it died.
        reason: ExitReason,
    },
    /// Too many agents hang.
    #[error("{threads} threads are stuck; does the disk or server that the input is on still answer?")]
    Stuck {
        /// Threads whose agents were ended, and that go on hanging.
        threads: usize,
    },
    /// The reviewing service cannot be started.
    #[error("cannot start the reviewing service: {error}")]
    Service {
        /// Why.
        error: io::Error,
    },
    /// No reviewing service is where it should be.
    #[error("no reviewing service at {address}: {reason}")]
    Reviewer {
        /// Where.
        address: SocketAddr,
        /// Why.
        reason: String,
    },
    /// No agent is left to report.
    #[error("all agents have gone")]
    Deserted,
    /// The registry refused something.
    #[error(transparent)]
    Registry(#[from] AgentError),
    /// The subsystems could not be composed.
    #[error(transparent)]
    Build(#[from] BuildError),
}
