//! Watching a survey while it runs.

use std::time::Duration;

use foundation_types::{AgentId, ExitReason, MonoTime};

use super::config::{ConfigChange, Rejection};
use super::review::summary::CircuitChange;
use super::roles::Role;

/// Somebody who watches. Coordinator and agents call it from their own threads, without any lock; what it does costs them
/// time.
pub trait Spectator: Send + Sync {
    /// Something happened.
    fn see(&self, event: Event<'_>);
}

/// Watches nothing.
impl Spectator for () {
    fn see(&self, _: Event<'_>) {}
}

/// What a [`Spectator`] sees.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'e> {
    /// How far the work is; often.
    Progress(&'e Progress),
    /// Chaos makes an agent hang: it waits, in the middle of a task, until somebody ends it.
    Hanging {
        /// The agent.
        agent: &'e AgentId,
    },
    /// Chaos makes an agent dawdle over a task.
    Slowed {
        /// The agent.
        agent: &'e AgentId,
    },
    /// An agent died while there was work.
    Died {
        /// The agent.
        agent: &'e AgentId,
        /// Why.
        reason: &'e ExitReason,
        /// Whether it was ended because it showed no progress.
        was_hung: bool,
        /// How many tasks were taken from it for others.
        reassigned: usize,
    },
    /// An agent was started again under its name.
    Restarted {
        /// The agent.
        agent: &'e AgentId,
        /// How often so far.
        restarts: u64,
    },
    /// A service is told to stop, or has died and is about to be started again; agents are services.
    Stopping {
        /// Its name.
        service: &'e str,
    },
    /// A service has not stopped in time, and is left behind.
    Abandoned {
        /// Its name.
        service: &'e str,
    },
    /// A setting was changed.
    Setting {
        /// The change.
        change: &'e ConfigChange,
    },
    /// A change of the settings was refused; they are what they were.
    Refused {
        /// What was refused, and why.
        rejection: &'e Rejection,
    },
    /// The survey was asked to stop early. Agents end the task that they are at, and begin no other.
    Interrupted {
        /// How many agents are at work.
        busy: usize,
    },
    /// A reviewer calls the reviewing service, if the circuit breaker lets it.
    Calling {
        /// The agent.
        agent: &'e AgentId,
        /// How long the call may take.
        limit: Duration,
    },
    /// The call has ended, in whatever way.
    Called {
        /// The agent.
        agent: &'e AgentId,
    },
    /// A reader or a reviewer waits for its turn at a rate limit, or a reviewer before it tries again.
    Waiting {
        /// The agent.
        agent: &'e AgentId,
        /// How long.
        until: MonoTime,
    },
    /// Chaos makes the reviewing service leave a request without an answer.
    Stalling,
    /// The reviewing service takes no connections for a while: chaos made it close all it had and refuse new ones, or the
    /// operating system gives it none. This is told before the first one is refused.
    Down {
        /// How long.
        until: MonoTime,
    },
    /// The reviewing service takes connections again, already.
    Up,
    /// The circuit of a breaker changed its state.
    Circuit {
        /// The breaker.
        name: &'e str,
        /// The change.
        change: &'e CircuitChange,
    },
}

/// How far the work is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Directories.
    pub listed: Phase,
    /// Files to read.
    pub read: Phase,
    /// Files to count the lines of.
    pub counted: Phase,
    /// Texts to have reviewed.
    pub reviewed: Phase,
    /// Bytes read.
    pub bytes: u64,
    /// Agents of each role, in the order of [`Role::ALL`].
    pub agents: [Attendance; Role::ALL.len()],
    /// Restarts of agents so far.
    pub restarts: u64,
    /// Tasks given to another agent so far.
    pub reassigned: u64,
}

/// How far one kind of work is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Phase {
    /// Done.
    pub done: u64,
    /// Known so far, done included.
    pub known: u64,
}

/// What the agents of a role are at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attendance {
    /// With work.
    pub busy: usize,
    /// All of them.
    pub all: usize,
}
