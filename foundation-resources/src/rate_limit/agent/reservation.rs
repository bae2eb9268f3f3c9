//! Capacity that is set aside.

use std::fmt;

use foundation_types::{AgentId, AgentStatusSource, Clock};

use super::{AgentRateLimiter, CoordinationId};

/// Requests that are charged already and not yet made. Dropping it refunds what is unused, while the window lasts.
#[must_use = "dropping a reservation releases it"]
pub struct Reservation<'l, S: AgentStatusSource, C: Clock> {
    limiter: &'l AgentRateLimiter<S, C>,
    agent: AgentId,
    id: CoordinationId,
    number: Option<u64>,
}

impl<'l, S: AgentStatusSource, C: Clock> Reservation<'l, S, C> {
    pub(super) fn new(limiter: &'l AgentRateLimiter<S, C>, agent: AgentId, id: CoordinationId, number: u64) -> Self {
        Self { limiter, agent, id, number: Some(number) }
    }

    /// Whose it is.
    pub fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// What it is for.
    pub fn id(&self) -> &CoordinationId {
        &self.id
    }

    /// How many of its requests are unused.
    pub fn left(&self) -> u32 {
        self.limiter.reserved(&self.agent, &self.id)
    }

    /// Leaves the reservation in force until [`release`](AgentRateLimiter::release) or the end of the window.
    pub fn detach(mut self) {
        self.number = None;
    }
}

impl<S: AgentStatusSource, C: Clock> Drop for Reservation<'_, S, C> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.limiter.release_number(&self.agent, &self.id, Some(number));
        }
    }
}

impl<S: AgentStatusSource, C: Clock> fmt::Debug for Reservation<'_, S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("agent", &self.agent).field("id", &self.id).finish_non_exhaustive()
    }
}
