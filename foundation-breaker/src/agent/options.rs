//! How the breaker of an agent decides.

use std::time::Duration;

use foundation_types::{AgentId, Capability, Ratio};
use serde::Serialize;

use crate::options::{OpenFor, Options, OptionsError, Probe, Recovery, TripPolicy};

/// The agent of a breaker for which none was named.
pub const DEFAULT_AGENT: AgentId = AgentId::from_static("default_agent");
/// The capability of a breaker for which none was named.
pub const DEFAULT_CAPABILITY: Capability = Capability::from_static("general");
/// Failures in a row that open the circuit where neither the options nor the capability say.
pub const DEFAULT_FAILURE_THRESHOLD: u32 = 5;

/// What an agent may use before its calls are refused. What is absent is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ResourceThresholds {
    /// Share of its memory; refused strictly above.
    pub memory: Option<Ratio>,
    /// Share of its processor time; refused strictly above.
    pub cpu: Option<Ratio>,
    /// Number of connections, a custom resource of that name; refused strictly above.
    pub connections: Option<u64>,
}

impl ResourceThresholds {
    /// Looks at nothing.
    pub const NONE: Self = Self { memory: None, cpu: None, connections: None };
}

impl Default for ResourceThresholds {
    /// 85 % of memory, 90 % of processor time, 1000 connections.
    fn default() -> Self {
        Self { memory: Some(Ratio::saturating(0.85)), cpu: Some(Ratio::saturating(0.90)), connections: Some(1_000) }
    }
}

/// How the breaker of an agent decides. What is not said has a default and is not checked against the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct AgentBreakerOptions {
    pub(super) agent: Option<AgentId>,
    pub(super) capability: Option<Capability>,
    pub(super) thresholds: ResourceThresholds,
    pub(super) failure_threshold: Option<u32>,
    pub(super) recovery_timeout: Duration,
    pub(super) half_open_max_calls: u32,
    pub(super) health_check_interval: Duration,
}

impl AgentBreakerOptions {
    /// Open for 60 seconds, three probes at once, the default thresholds.
    pub fn new() -> Self {
        Self {
            agent: None,
            capability: None,
            thresholds: ResourceThresholds::default(),
            failure_threshold: None,
            recovery_timeout: Duration::from_mins(1),
            half_open_max_calls: 3,
            health_check_interval: Duration::ZERO,
        }
    }

    /// The agent that calls; it has to be known when the breaker is started.
    pub fn agent(mut self, agent: AgentId) -> Self {
        self.agent = Some(agent);
        self
    }

    /// The agent that was named, if one was.
    pub const fn named_agent(&self) -> Option<&AgentId> {
        self.agent.as_ref()
    }

    /// What the agent calls for; it has to have the capability when the breaker is started.
    pub fn capability(mut self, capability: Capability) -> Self {
        self.capability = Some(capability);
        self
    }

    /// What the agent may use.
    pub fn resource_thresholds(mut self, thresholds: ResourceThresholds) -> Self {
        self.thresholds = thresholds;
        self
    }

    /// How many failures in a row open the circuit; else the table of capabilities says, else it is
    /// [`DEFAULT_FAILURE_THRESHOLD`].
    pub fn failure_threshold(mut self, failures: u32) -> Self {
        self.failure_threshold = Some(failures);
        self
    }

    /// How long the circuit stays open.
    pub fn recovery_timeout(mut self, time: Duration) -> Self {
        self.recovery_timeout = time;
        self
    }

    /// How many calls may probe at once. The first success closes the circuit.
    pub fn half_open_max_calls(mut self, calls: u32) -> Self {
        self.half_open_max_calls = calls;
        self
    }

    /// How long an answer about the agent may be used again, where asking is expensive. Zero, the default, asks each time.
    pub fn health_check_interval(mut self, interval: Duration) -> Self {
        self.health_check_interval = interval;
        self
    }

    /// The options of the circuit, with `by_capability` where no threshold was given.
    pub(super) fn circuit(&self, by_capability: Option<u32>) -> Result<(Options, u32), OptionsError> {
        let threshold = self.failure_threshold.or(by_capability).unwrap_or(DEFAULT_FAILURE_THRESHOLD);
        let probe = Probe {
            open_for: OpenFor::Constant(self.recovery_timeout),
            max_concurrent: self.half_open_max_calls,
            ..Probe::default()
        };
        let options = Options::new(TripPolicy::ConsecutiveFailures { threshold }, Recovery::Probe(probe))?;
        Ok((options, threshold))
    }
}

impl Default for AgentBreakerOptions {
    fn default() -> Self {
        Self::new()
    }
}
