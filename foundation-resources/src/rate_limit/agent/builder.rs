//! Settings of an agent limiter.

use std::fmt;
use std::num::NonZeroUsize;

use foundation_types::{Capability, Clock, FeatureGate, Name, SystemClock};
use parking_lot::RwLock;

use super::super::SteadyClock;
use super::context::{IdleBonus, Scaling};
use super::limiter::AgentRateLimiter;
use super::limits::Limits;
use super::table::Agents;
use super::{FALLBACK_QUOTA, Factor, InvalidAgentLimits, MAX_OPERATIONS, Operation, OperationLimit, default_limits};

/// How many agents a limiter keeps unless [`AgentBuilder::max_agents`] says otherwise: 65 536.
pub const DEFAULT_MAX_AGENTS: NonZeroUsize = NonZeroUsize::new(1 << 16).expect("not zero");

/// What an agent is taken for that the status source does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UnknownAgents {
    /// What it was when it was last seen, until it has been gone for longer than its longest window; after that, and if it was
    /// never seen, healthy, of the capability `general` and without usage.
    #[default]
    UseLastKnown,
    /// Nobody: it is rejected, with [`AgentLimitError::NotFound`](super::AgentLimitError::NotFound).
    Reject,
}

/// Settings of an [`AgentRateLimiter`], made by [`AgentRateLimiter::builder`].
pub struct AgentBuilder<S, C = SystemClock> {
    name: Name,
    source: S,
    clock: C,
    gate: FeatureGate,
    limits: Limits,
    scaling: Scaling,
    unknown_agents: UnknownAgents,
    max_agents: NonZeroUsize,
}

impl<S> AgentBuilder<S> {
    pub(super) fn new(source: S) -> Self {
        let scaling = Scaling {
            multipliers: std::collections::HashMap::new(),
            unhealthy: Some(Factor::from_basis_points(5_000)),
            resources: true,
            idle_bonus: None,
        };
        Self {
            name: Name::from_static("agent_rate_limiter"),
            source,
            clock: SystemClock,
            gate: FeatureGate::all_on(),
            limits: default_limits().collect(),
            scaling,
            unknown_agents: UnknownAgents::default(),
            max_agents: DEFAULT_MAX_AGENTS,
        }
    }
}

impl<S, C: Clock> AgentBuilder<S, C> {
    /// Its name on dashboards: `agent_rate_limiter` unless set.
    #[must_use]
    pub fn name(mut self, name: Name) -> Self {
        self.name = name;
        self
    }

    /// Where it takes the time from: the system, unless set.
    #[must_use]
    pub fn clock<D: Clock>(self, clock: D) -> AgentBuilder<S, D> {
        let Self { name, source, clock: _, gate, limits, scaling, unknown_agents, max_agents } = self;
        AgentBuilder { name, source, clock, gate, limits, scaling, unknown_agents, max_agents }
    }

    /// Which parts of the agent layer are on: all, unless set. It looks at `rate_limiter` and `registry`.
    #[must_use]
    pub fn gate(mut self, gate: FeatureGate) -> Self {
        self.gate = gate;
        self
    }

    /// The limits of operations and capabilities, in place of [`default_limits`].
    #[must_use]
    pub fn limits(mut self, limits: impl IntoIterator<Item = (Operation, OperationLimit)>) -> Self {
        self.limits = limits.into_iter().collect();
        self
    }

    /// Sets the limit of one operation or capability, beside those there are.
    #[must_use]
    pub fn limit(mut self, operation: impl Into<Operation>, limit: impl Into<OperationLimit>) -> Self {
        self.limits.insert(operation.into(), limit.into());
        self
    }

    /// Multiplies the limits of agents that have `capability`; of several, the largest multiplier counts. There are none unless
    /// set.
    #[must_use]
    pub fn capability_multiplier(mut self, capability: Capability, factor: Factor) -> Self {
        self.scaling.multipliers.insert(capability, factor);
        self
    }

    /// What remains of the limits of an unhealthy agent: half, unless set. At most 0.7, what a degraded one has, keeps worse
    /// health from meaning more.
    #[must_use]
    pub fn health_adjustment_factor(mut self, factor: Factor) -> Self {
        self.scaling.unhealthy = Some(factor);
        self
    }

    /// Lets health change no limit. Agents in critical health are denied all the same.
    #[must_use]
    pub fn without_adaptive_scaling(mut self) -> Self {
        self.scaling.unhealthy = None;
        self
    }

    /// Lets the use of resources change no limit.
    #[must_use]
    pub fn without_resource_scaling(mut self) -> Self {
        self.scaling.resources = false;
        self
    }

    /// Raises the limits of agents that have little to do. There is no bonus unless set.
    #[must_use]
    pub fn idle_bonus(mut self, bonus: IdleBonus) -> Self {
        self.scaling.idle_bonus = Some(bonus);
        self
    }

    /// What unknown agents are taken for.
    #[must_use]
    pub fn unknown_agents(mut self, policy: UnknownAgents) -> Self {
        self.unknown_agents = policy;
        self
    }

    /// How many agents it keeps at most: [`DEFAULT_MAX_AGENTS`] unless set. When a new one comes to a full table, an old one
    /// without limits of its own gives way: of some, the one whose counts expire first.
    #[must_use]
    pub fn max_agents(mut self, max: NonZeroUsize) -> Self {
        self.max_agents = max;
        self
    }

    /// The limiter.
    ///
    /// # Errors
    /// [`InvalidAgentLimits::HealthFactor`]; [`InvalidAgentLimits::TooMany`] with more than [`MAX_OPERATIONS`] limits.
    pub fn build(self) -> Result<AgentRateLimiter<S, C>, InvalidAgentLimits> {
        let Self { name, source, clock, gate, limits, scaling, unknown_agents, max_agents } = self;
        if scaling.unhealthy.is_some_and(|factor| factor > Factor::ONE) {
            return Err(InvalidAgentLimits::HealthFactor);
        }
        if limits.len() > MAX_OPERATIONS {
            return Err(InvalidAgentLimits::TooMany { limit: MAX_OPERATIONS });
        }
        Ok(AgentRateLimiter {
            name,
            source,
            clock: SteadyClock::new(clock),
            gate,
            limits: RwLock::new(limits),
            fallback: FALLBACK_QUOTA,
            scaling,
            unknown_agents,
            agents: Agents::new(max_agents),
        })
    }
}

impl<S, C> fmt::Debug for AgentBuilder<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentBuilder")
            .field("name", &self.name)
            .field("limits", &self.limits)
            .field("scaling", &self.scaling)
            .field("unknown_agents", &self.unknown_agents)
            .field("max_agents", &self.max_agents)
            .finish_non_exhaustive()
    }
}
