//! What the suite asks of the breaker of an agent.

use std::future::Future;
use std::time::Duration;

use foundation_types::testing::ScriptedAgents;
use foundation_types::{AgentId, AgentStatusSource, Clock, FeatureGate, ManualClock, Name};

use crate::agent::{self, AgentBreakerOptions, AgentBreakers, AgentCallError, ResourceThresholds};
use crate::conformance::View;

/// The breaker of one agent for one circuit, under test.
pub trait AgentBreaker: Send + Sync {
    /// Runs `op` if the agent is fit for it and the circuit lets it.
    ///
    /// # Errors
    /// [`AgentCallError::Rejected`] if it was not run, and else [`AgentCallError::Operation`] with the error of `op`.
    fn call<T, E>(&self, op: impl FnOnce() -> Result<T, E>) -> Result<T, AgentCallError<E>>;

    /// The same for an operation that takes time. Agent and circuit are asked at the first poll; a future that is dropped
    /// before it is ready counts as neither a success nor a failure.
    fn call_async<Op, F, T, E>(&self, op: Op) -> impl Future<Output = Result<T, AgentCallError<E>>>
    where
        Op: FnOnce() -> F,
        F: Future<Output = Result<T, E>>;

    /// Closes the circuit and forgets its failures.
    fn reset(&self);

    /// Everything that the circuit, which knows nothing of the agent, tells of itself now.
    fn circuit(&self) -> View;

    /// How many calls were refused because of the agent.
    fn gated(&self) -> u64;
}

/// What the breaker of an agent is to be made of.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AgentSetup {
    /// The agent that calls, which `agents` knows.
    pub agent: AgentId,
    /// What it may use.
    pub thresholds: ResourceThresholds,
    /// How many failures in a row open the circuit; at least 1.
    pub failure_threshold: u32,
    /// How long it then stays open; never zero.
    pub recovery_timeout: Duration,
    /// How many calls may probe at once, at least 1. The first success closes the circuit, the first failure opens it
    /// again, and one that does not end does so after the time-out of [`Probe::default`](crate::Probe).
    pub half_open_max_calls: u32,
    /// Who has to be asked at each call how the agent is. The suite changes the answers.
    pub agents: ScriptedAgents,
    /// The switches, all on. The suite turns them off once the breaker is made.
    pub gate: FeatureGate,
    /// The clock it has to read.
    pub clock: ManualClock,
}

impl From<AgentSetup> for agent::AgentBreaker<ScriptedAgents, ManualClock> {
    /// The breaker of this crate.
    ///
    /// # Panics
    /// If a number is out of range, or the agent unknown, or the switch off.
    fn from(setup: AgentSetup) -> Self {
        let options = AgentBreakerOptions::new()
            .agent(setup.agent)
            .resource_thresholds(setup.thresholds)
            .failure_threshold(setup.failure_threshold)
            .recovery_timeout(setup.recovery_timeout)
            .half_open_max_calls(setup.half_open_max_calls);
        AgentBreakers::new(setup.agents, setup.gate, setup.clock)
            .start(&Name::from_static("subject"), options)
            .expect("in range, known and on")
    }
}

impl<S: AgentStatusSource, C: Clock> AgentBreaker for agent::AgentBreaker<S, C> {
    fn call<T, E>(&self, op: impl FnOnce() -> Result<T, E>) -> Result<T, AgentCallError<E>> {
        self.call(op)
    }

    fn call_async<Op, F, T, E>(&self, op: Op) -> impl Future<Output = Result<T, AgentCallError<E>>>
    where
        Op: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
    {
        self.call_async(op)
    }

    fn reset(&self) {
        self.reset();
    }

    fn circuit(&self) -> View {
        self.breaker().snapshot().into()
    }

    fn gated(&self) -> u64 {
        self.status().gated
    }
}
