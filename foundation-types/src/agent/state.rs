//! The life cycle of an agent.

use crate::text_enum::text_enum;

text_enum! {
    /// Where in its life cycle an agent is.
    ///
    /// | from | allowed to |
    /// |---|---|
    /// | initializing | ready, stopped |
    /// | ready | active, idle, maintenance, stopping |
    /// | active | idle, degraded, maintenance, stopping |
    /// | idle | active, ready, maintenance, stopping |
    /// | degraded | active, idle, maintenance, stopping |
    /// | maintenance | ready, stopping |
    /// | stopping | stopped |
    /// | stopped | none |
    ///
    /// The table has no edge for a crash; see [`AgentInfo::mark_terminated`](super::AgentInfo::mark_terminated).
    #[derive(PartialOrd, Ord, Default)]
    pub enum AgentState {
        /// Starting up.
        #[default]
        Initializing => "initializing",
        /// Started, and waiting for its first work.
        Ready => "ready",
        /// Working.
        Active => "active",
        /// Between two pieces of work.
        Idle => "idle",
        /// Working, but not well.
        Degraded => "degraded",
        /// Kept from work by its operators.
        Maintenance => "maintenance",
        /// Finishing up.
        Stopping => "stopping",
        /// Gone for good.
        Stopped => "stopped",
    }

    /// The text is no [`AgentState`].
    pub struct UnknownAgentState("agent state");
}

impl AgentState {
    /// Whether the table has an edge from this state to `next`. No state has an edge to itself.
    pub const fn can_become(self, next: Self) -> bool {
        use AgentState::{Active, Degraded, Idle, Initializing, Maintenance, Ready, Stopped, Stopping};
        match self {
            Initializing => matches!(next, Ready | Stopped),
            Ready => matches!(next, Active | Idle | Maintenance | Stopping),
            Active => matches!(next, Idle | Degraded | Maintenance | Stopping),
            Idle => matches!(next, Active | Ready | Maintenance | Stopping),
            Degraded => matches!(next, Active | Idle | Maintenance | Stopping),
            Maintenance => matches!(next, Ready | Stopping),
            Stopping => matches!(next, Stopped),
            Stopped => false,
        }
    }

    /// Whether the agent works as intended: ready, active or idle.
    pub const fn is_operational(self) -> bool {
        matches!(self, Self::Ready | Self::Active | Self::Idle)
    }

    /// Whether the agent can be given work: ready or idle.
    pub const fn accepts_work(self) -> bool {
        matches!(self, Self::Ready | Self::Idle)
    }

    /// Whether no state follows.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Stopped)
    }
}
