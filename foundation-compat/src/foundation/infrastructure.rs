//! Breakers, limits and pools of an instance.

use std::sync::Arc;

use foundation_breaker::{BreakerSet, CircuitBreaker};
use foundation_resources::pool::PoolSet;
use foundation_types::Clock;

use super::Foundation;
#[cfg(feature = "agent")]
use crate::infrastructure::agent_circuit_breaker::{CallTimeouts, InstanceAgentBreakers};
#[cfg(feature = "agent")]
use crate::infrastructure::agent_rate_limiter::InstanceAgentLimiter;
use crate::infrastructure::protection::Protections;
use crate::infrastructure::rate_limiter::{Limits, PairLimiter};

/// A breaker of an instance.
pub type Breaker = CircuitBreaker<Arc<dyn Clock>>;

impl Foundation {
    /// The circuit breakers, by name.
    pub fn breakers(&self) -> &BreakerSet<Arc<dyn Clock>> {
        &self.0.infrastructure.breakers
    }

    /// The limiter that the legacy functions count with: by entity and operation.
    pub fn rate_limiter(&self) -> &PairLimiter {
        &self.0.infrastructure.limits.pairs
    }

    /// The pools, by name.
    pub fn pools(&self) -> &PoolSet {
        &self.0.infrastructure.pools
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.infrastructure.limits
    }

    pub(crate) fn protections(&self) -> &Protections {
        &self.0.infrastructure.protections
    }

    pub(crate) fn is_shut_down(&self) -> bool {
        self.0.infrastructure.is_shut_down()
    }
}

#[cfg(feature = "agent")]
impl Foundation {
    /// The circuit breakers of agents, by circuit and agent.
    pub fn agent_breakers(&self) -> &InstanceAgentBreakers {
        &self.0.agents.breakers
    }

    /// The limiter of agents.
    pub fn agent_limiter(&self) -> &InstanceAgentLimiter {
        &self.0.agents.limiter
    }

    pub(crate) fn call_timeouts(&self) -> &CallTimeouts {
        &self.0.agents.call_timeouts
    }
}
