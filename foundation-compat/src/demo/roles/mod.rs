//! Agents: the roles there are, and the life that all of them share.

mod analyst;
mod reader;
mod reviewer;
mod scout;

use std::cell::RefCell;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, TrySendError, select};
use foundation_config::Store;
use foundation_config::agent::AgentReader;
use foundation_registry::{AgentError, Registry};
use foundation_resources::rate_limit::{Decision, RateLimiter, TokenBucket};
use foundation_types::liveness::ShutdownSignal;
use foundation_types::{
    AgentId, AgentInfo, AgentState, Capability, Clock, Emitter, ExitReason, Health, MonoTime, Name, Namespace, Pid,
    Ratio, ResourceUsage, Timestamp, Value,
};

use super::chaos::{Fate, SLOWDOWN};
use super::config::DemoSettings;
use super::pulse::Pulse;
use super::review::Gateway;
use super::review::summary::LimiterSummary;
use super::settings::{Crew, SLOWEST_RATE};
use super::spectator::{Event, Spectator};
use super::task::{Assignment, Batch, Job, Message, Report};
use crate::Foundation;

/// How long an agent that waits for its turn to read waits at most before it looks at its settings again.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Key in the metadata of an agent's record that says which of its lives the record is about.
pub(super) const LIFE: &str = "life";

/// What an agent is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Lists directories, honouring ignore files.
    Scout,
    /// Reads and hashes files.
    Reader,
    /// Counts lines. An analyst learns one language after another, as they are needed.
    Analyst,
    /// Has texts reviewed by a service.
    Reviewer,
}

impl Role {
    /// All of them, in the order of the work.
    pub const ALL: [Self; 4] = [Self::Scout, Self::Reader, Self::Analyst, Self::Reviewer];

    /// Its name, from which those of its agents are made.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scout => "scout",
            Self::Reader => "reader",
            Self::Analyst => "analyst",
            Self::Reviewer => "reviewer",
        }
    }

    /// What every agent of this role can do.
    pub const fn capability(self) -> Capability {
        match self {
            Self::Scout => Capability::from_static("scan"),
            Self::Reader => Capability::from_static("read"),
            Self::Analyst => Capability::from_static("analyze"),
            Self::Reviewer => Capability::from_static("review"),
        }
    }
}

/// What agents and coordinator of one survey share.
pub(super) struct Site {
    pub(super) registry: Registry,
    pub(super) namespace: Namespace,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) emitter: Emitter,
    pub(super) spectator: Arc<dyn Spectator>,
    pub(super) input: PathBuf,
    pub(super) settings: Store<DemoSettings>,
    pub(super) gateway: Gateway,
    /// By agent, for those that have a rate of reading.
    pub(super) reads: RateLimiter<AgentId, TokenBucket, Arc<dyn Clock>>,
    is_closing: AtomicBool,
}

/// The name of the limiter of reads.
const READS: Name = Name::from_static("reads");

impl Site {
    pub(super) fn new(
        foundation: &Foundation,
        spectator: Arc<dyn Spectator>,
        input: PathBuf,
        settings: Store<DemoSettings>,
        gateway: Gateway,
    ) -> Self {
        let clock = Arc::clone(foundation.clock());
        let reads = RateLimiter::<AgentId, TokenBucket>::builder()
            .name(READS)
            .max_keys(NonZeroUsize::new(Crew::MAX).expect("not zero"))
            .emitter(foundation.emitter().clone())
            .clock(Arc::clone(&clock))
            .build();
        let (registry, namespace) = (foundation.registry().clone(), foundation.namespace().clone());
        let (emitter, is_closing) = (foundation.emitter().clone(), AtomicBool::new(false));
        Self { registry, namespace, clock, emitter, spectator, input, settings, gateway, reads, is_closing }
    }

    /// By when work on so many bytes that begins now should show progress.
    pub(super) fn due(&self, bytes: u64) -> MonoTime {
        self.clock.mono().saturating_add(self.task_timeout() + Duration::from_secs(bytes / SLOWEST_RATE))
    }

    /// How long an agent may show no progress.
    pub(super) fn task_timeout(&self) -> Duration {
        self.settings.load().task_timeout()
    }

    /// From now on no agent begins another task.
    pub(super) fn close(&self) {
        // Relaxed: a hint that orders nothing; whoever misses it begins one more.
        self.is_closing.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }

    /// The limiter of reads, with the quota that holds for readers without one of their own.
    pub(super) fn reads(&self) -> LimiterSummary {
        let stats = self.reads.stats();
        let quota = self.settings.load().read_quota();
        LimiterSummary {
            name: READS.to_string(),
            per_second: quota.map_or(0, |quota| quota.limit()),
            burst: quota.map_or(0, |quota| quota.capacity()),
            allowed: stats.allowed,
            denied: stats.denied,
        }
    }
}

/// One life of an agent, on its thread.
pub(super) struct Agent {
    pub(super) pid: Pid,
    /// Raised when it is told to stop, or is dead.
    pub(super) stop: ShutdownSignal,
    /// Closed at the same time.
    pub(super) leave: Receiver<Infallible>,
    pub(super) id: AgentId,
    /// The number of the life: restarts before it.
    pub(super) life: i64,
    pub(super) site: Arc<Site>,
    /// The settings as they are for this agent.
    pub(super) settings: RefCell<AgentReader<DemoSettings>>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) reports: Sender<Message>,
}

/// Why an agent ends before it has done its task.
enum Quit {
    /// It was killed or told to stop, or nobody listens any more.
    Over,
    /// The registry refused something.
    Registry(AgentError),
}

impl From<AgentError> for Quit {
    fn from(error: AgentError) -> Self {
        Self::Registry(error)
    }
}

impl Agent {
    /// Works until it is told to stop, or dies. Whoever calls it sees to panics.
    pub(super) fn live(self, inbox: &Receiver<Batch>) -> ExitReason {
        match self.serve(inbox, self.site.clock.mono()) {
            Ok(()) | Err(Quit::Over) => ExitReason::Shutdown,
            Err(Quit::Registry(error)) => ExitReason::error(error.to_string()),
        }
    }

    fn serve(&self, inbox: &Receiver<Batch>, began: MonoTime) -> Result<(), Quit> {
        self.enter(AgentState::Ready)?;
        self.say(Report::Ready { worked: Duration::ZERO })?;
        let mut busy = Duration::ZERO;
        while let Some(batch) = self.next(inbox) {
            let start = self.site.clock.mono();
            self.enter(AgentState::Active)?;
            for assignment in batch {
                if self.site.is_closing() {
                    break;
                }
                self.work_on(&assignment)?;
            }
            let now = self.site.clock.mono();
            let worked = now.saturating_since(start);
            busy += worked;
            // At least some time, so that none at all is no share.
            let alive = now.saturating_since(began).as_secs_f64().max(f64::MIN_POSITIVE);
            self.report_idle(busy.as_secs_f64() / alive)?;
            self.say(Report::Ready { worked })?;
        }
        self.enter(AgentState::Stopping)?;
        self.enter(AgentState::Stopped)?;
        Ok(())
    }

    /// The next batch; `None` if the agent is to leave.
    fn next(&self, inbox: &Receiver<Batch>) -> Option<Batch> {
        select! {
            recv(inbox) -> batch => batch.ok(),
            recv(self.leave) -> _ => None,
        }
    }

    fn work_on(&self, assignment: &Assignment) -> Result<(), Quit> {
        let Assignment { id, path, job, fate } = assignment;
        let desk = Desk { agent: self, fate: *fate };
        desk.carry_on(0)?;
        let file = || self.site.input.join(path);
        if matches!(job, Job::Read { .. }) {
            desk.await_turn_to_read()?;
        }
        let outcome = match job {
            Job::Scan => scout::list(&desk, *id, path)?,
            Job::Read { size } => reader::read(&desk, &file(), *size)?,
            Job::Count { language, text, record } => {
                analyst::count(&desk, *language, text.contents().map(Bytes::as_ref), record.bytes, file)?
            }
            Job::Review { text } => reviewer::review(&desk, text)?,
        };
        self.say(Report::Finished { task: *id, outcome })
    }

    /// Tells the coordinator; waits if it is behind, which is no lack of progress.
    fn say(&self, report: Report) -> Result<(), Quit> {
        self.pulse.rest();
        let message = Message { from: self.pid.id(), report };
        // Whoever is to leave does not wait, but says what can be said at once.
        match self.reports.try_send(message) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(message)) => select! {
                send(self.reports, message) -> sent => sent.map_err(|_| Quit::Over),
                recv(self.leave) -> _ => Err(Quit::Over),
            },
            Err(TrySendError::Disconnected(_)) => Err(Quit::Over),
        }
    }

    fn enter(&self, state: AgentState) -> Result<(), Quit> {
        self.amend(|info, now| info.transition(state, now).map_err(AgentError::from))
    }

    /// Idle, healthy, and busy for this share of its life so far.
    fn report_idle(&self, share: f64) -> Result<(), Quit> {
        let usage = ResourceUsage::new().with_cpu(Ratio::saturating(share));
        self.amend(|info, now| {
            info.transition(AgentState::Idle, now)?;
            info.update_health(Health::Healthy, &usage, now);
            Ok(())
        })
    }

    /// Changes the record of this life. Another life of the same name may have a record by now, which is none of its
    /// business.
    fn amend(&self, mut change: impl FnMut(&mut AgentInfo, Timestamp) -> Result<(), AgentError>) -> Result<(), Quit> {
        let Site { registry, namespace, clock, .. } = &*self.site;
        registry.agents().try_modify(namespace, &self.id, |info| {
            if info.metadata().get(LIFE) != Some(&Value::Int(self.life)) {
                return Err(Quit::Over);
            }
            change(info, clock.wall()).map_err(Quit::from)
        })
    }
}

/// An agent at one task.
struct Desk<'a> {
    agent: &'a Agent,
    fate: Option<Fate>,
}

impl Desk<'_> {
    fn input(&self) -> &Path {
        &self.agent.site.input
    }

    /// Shows progress, and promises more within the time that so many bytes may take.
    ///
    /// # Errors
    /// If the agent is dead and should stop.
    fn carry_on(&self, bytes: u64) -> Result<(), Quit> {
        if !self.agent.pid.is_alive() {
            return Err(Quit::Over);
        }
        self.agent.pulse.expect_by(self.agent.site.due(bytes));
        Ok(())
    }

    /// Shows progress, and promises more after a step that is itself limited to `limit`.
    ///
    /// # Errors
    /// As [`carry_on`](Self::carry_on).
    fn carry_on_within(&self, limit: Duration) -> Result<(), Quit> {
        self.carry_on(0)?;
        let Agent { pulse, site, .. } = self.agent;
        pulse.expect_by(site.due(0).saturating_add(limit));
        Ok(())
    }

    /// What is set for the agent.
    fn setting<R>(&self, read: impl FnOnce(&DemoSettings) -> R) -> R {
        read(self.agent.settings.borrow_mut().load())
    }

    /// Waits until the agent may begin to read a file.
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    fn await_turn_to_read(&self) -> Result<(), Quit> {
        let Agent { id, site, .. } = self.agent;
        while let Some(quota) = self.setting(DemoSettings::read_quota) {
            match site.reads.check(id, quota) {
                Decision::Allowed(_) => break,
                // With room for every agent, each quota lets one through in time.
                Decision::Denied(denial) => {
                    self.pause(denial.retry_after.unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE))?;
                }
            }
        }
        Ok(())
    }

    /// Waits, which is no lack of progress, and is ended by death and by the request to stop.
    ///
    /// # Errors
    /// If the agent is dead or should stop.
    fn pause(&self, time: Duration) -> Result<(), Quit> {
        let Agent { stop, id, site, pulse, .. } = self.agent;
        let until = site.clock.mono().saturating_add(time);
        pulse.rest();
        site.spectator.see(Event::Waiting { agent: id, until });
        match stop.clone().wait_until(&*site.clock, until) {
            Some(_) => Err(Quit::Over),
            None => self.carry_on(0),
        }
    }

    /// In the middle of the task: lets chaos have its way.
    fn suffer(&self) -> Result<(), Quit> {
        let Agent { stop, id, site, .. } = self.agent;
        match self.fate {
            // A real panic, but for the message on standard error.
            Some(Fate::Panic) => resume_unwind(Box::new("chaos")),
            Some(Fate::Hang) => {
                site.spectator.see(Event::Hanging { agent: id });
                // It goes on afterwards, not knowing that it is dead: its result comes late, and must not count.
                stop.clone().wait();
                Ok(())
            }
            Some(Fate::Slow) => {
                self.agent.amend(|info, now| {
                    info.update_health(Health::Degraded, &ResourceUsage::new(), now);
                    Ok(())
                })?;
                let until = site.clock.mono().saturating_add(SLOWDOWN);
                site.spectator.see(Event::Slowed { agent: id });
                stop.clone().wait_until(&*site.clock, until);
                Ok(())
            }
            // The coordinator sees to that.
            Some(Fate::Kill) | None => Ok(()),
        }
    }
}
