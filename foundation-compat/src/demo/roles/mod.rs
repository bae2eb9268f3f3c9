//! Agents: the roles there are, and the life that all of them share.

mod analyst;
mod reader;
mod reviewer;
mod scout;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender};
use foundation_registry::{AgentError, Registry};
use foundation_types::{
    AgentId, AgentInfo, AgentState, Capability, Clock, ExitReason, Health, MonoTime, Namespace, Owner, Ratio,
    ResourceUsage, Timestamp, Value,
};

use super::chaos::{Fate, SLOWDOWN};
use super::pulse::Pulse;
use super::review::Gateway;
use super::settings::SLOWEST_RATE;
use super::spectator::{Event, Spectator};
use super::task::{Assignment, Batch, Job, Message, Report};

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
    pub(super) spectator: Arc<dyn Spectator>,
    pub(super) input: PathBuf,
    pub(super) task_timeout: Duration,
    pub(super) gateway: Gateway,
}

impl Site {
    /// By when work on so many bytes that begins now should show progress.
    pub(super) fn due(&self, bytes: u64) -> MonoTime {
        self.clock.mono().saturating_add(self.task_timeout + Duration::from_secs(bytes / SLOWEST_RATE))
    }
}

/// One life of an agent, on its thread.
pub(super) struct Agent {
    pub(super) owner: Owner,
    pub(super) id: AgentId,
    /// The number of the life: restarts before it.
    pub(super) life: i64,
    pub(super) site: Arc<Site>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) reports: Sender<Message>,
}

/// Why an agent ends before it is told to.
enum Quit {
    /// It was killed, or nobody listens any more.
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
    /// Works until the inbox is closed, or it dies.
    pub(super) fn live(self, inbox: &Receiver<Batch>) {
        let began = self.site.clock.mono();
        let end = catch_unwind(AssertUnwindSafe(|| self.serve(inbox, began)));
        self.owner.exit(match end {
            Ok(Ok(()) | Err(Quit::Over)) => ExitReason::Shutdown,
            Ok(Err(Quit::Registry(error))) => ExitReason::error(error.to_string()),
            Err(payload) => ExitReason::from_panic(&*payload),
        });
    }

    fn serve(&self, inbox: &Receiver<Batch>, began: MonoTime) -> Result<(), Quit> {
        self.enter(AgentState::Ready)?;
        self.say(Report::Ready { worked: Duration::ZERO })?;
        let mut busy = Duration::ZERO;
        while let Ok(batch) = inbox.recv() {
            let start = self.site.clock.mono();
            self.enter(AgentState::Active)?;
            for assignment in batch {
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

    fn work_on(&self, assignment: &Assignment) -> Result<(), Quit> {
        let Assignment { id, path, job, fate } = assignment;
        let desk = Desk { agent: self, fate: *fate };
        desk.carry_on(0)?;
        let file = || self.site.input.join(path);
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
        self.reports.send(Message { from: self.owner.pid().id(), report }).map_err(|_| Quit::Over)
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
        if !self.agent.owner.pid().is_alive() {
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

    /// Waits, which is no lack of progress, and is ended by death.
    ///
    /// # Errors
    /// If the agent is dead and should stop.
    fn pause(&self, time: Duration) -> Result<(), Quit> {
        let Agent { owner, id, site, pulse, .. } = self.agent;
        let until = site.clock.mono().saturating_add(time);
        pulse.rest();
        site.spectator.see(Event::Waiting { agent: id, until });
        owner.on_shutdown().wait_until(&*site.clock, until);
        self.carry_on(0)
    }

    /// In the middle of the task: lets chaos have its way.
    fn suffer(&self) -> Result<(), Quit> {
        let Agent { owner, id, site, .. } = self.agent;
        match self.fate {
            // A real panic, but for the message on standard error.
            Some(Fate::Panic) => resume_unwind(Box::new("chaos")),
            Some(Fate::Hang) => {
                site.spectator.see(Event::Hanging { agent: id });
                // It goes on afterwards, not knowing that it is dead: its result comes late, and must not count.
                owner.on_shutdown().wait();
                Ok(())
            }
            Some(Fate::Slow) => {
                self.agent.amend(|info, now| {
                    info.update_health(Health::Degraded, &ResourceUsage::new(), now);
                    Ok(())
                })?;
                let until = site.clock.mono().saturating_add(SLOWDOWN);
                site.spectator.see(Event::Slowed { agent: id });
                owner.on_shutdown().wait_until(&*site.clock, until);
                Ok(())
            }
            // The coordinator sees to that.
            Some(Fate::Kill) | None => Ok(()),
        }
    }
}
