//! The breaker of one agent for one circuit.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use foundation_types::{AgentId, AgentStatusSource, Capability, Clock, Name, SystemClock, contain};

use super::error::{AgentCallError, AgentRejected};
use super::gate::{Checkup, Sources};
use super::options::ResourceThresholds;
use super::status::AgentBreakerStatus;
use crate::breaker::{CircuitBreaker, Permit};
use crate::snapshot::State;

/// The breaker of one agent for one circuit. Cheap to clone; clones are the same breaker.
///
/// Operations run on the caller, and calls of one agent run beside each other.
pub struct AgentBreaker<S, C: Clock = SystemClock>(pub(super) Arc<Inner<S, C>>);

pub(super) struct Inner<S, C: Clock> {
    pub(super) circuit: CircuitBreaker<C>,
    pub(super) checkup: Checkup,
    pub(super) capability: Capability,
    pub(super) thresholds: ResourceThresholds,
    pub(super) failure_threshold: u32,
    /// Calls that were refused because of the agent.
    pub(super) gated: AtomicU64,
    pub(super) sources: Arc<Sources<S>>,
}

impl<S: AgentStatusSource, C: Clock> AgentBreaker<S, C> {
    /// The circuit's name.
    pub fn circuit(&self) -> &Name {
        self.0.circuit.name()
    }

    /// The agent that calls.
    pub fn agent(&self) -> &AgentId {
        self.0.checkup.agent()
    }

    /// What the agent calls for.
    pub fn capability(&self) -> &Capability {
        &self.0.capability
    }

    /// The circuit alone, which knows nothing of the agent.
    pub fn breaker(&self) -> &CircuitBreaker<C> {
        &self.0.circuit
    }

    /// Runs `op` if the agent is fit for it and the circuit lets it.
    ///
    /// # Errors
    /// [`AgentCallError::Rejected`] if it was not run; [`AgentCallError::Operation`] with the error of `op`.
    ///
    /// # Panics
    /// A panic of `op` counts as a failure and goes on to the caller.
    pub fn call<T, E>(&self, op: impl FnOnce() -> Result<T, E>) -> Result<T, AgentCallError<E>> {
        let permit = self.admit()?;
        let result = op();
        permit.report(result)
    }

    /// As [`AgentBreaker::call`], for an operation that takes time. Agent and circuit are asked when the future is first
    /// polled.
    ///
    /// # Cancel safety
    /// Dropping the future gives a half-open circuit its place back at once and counts as nothing.
    pub async fn call_async<F, T, E>(&self, op: impl FnOnce() -> F) -> Result<T, AgentCallError<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let permit = self.admit()?;
        let result = op().await;
        permit.report(result)
    }

    /// The agent's permission for one call.
    fn admit(&self) -> Result<AgentPermit<'_, S, C>, AgentRejected> {
        let Inner { circuit, checkup, thresholds, gated, sources, .. } = &*self.0;
        let looks_at_agent = sources.looks_at_agents();
        if looks_at_agent {
            checkup.admit(sources, thresholds, circuit.clock()).inspect_err(|_| {
                gated.fetch_add(1, Ordering::Relaxed);
            })?;
        }
        let permit = circuit.try_acquire()?;
        Ok(AgentPermit { breaker: self, permit: Some(permit), looks_at_agent })
    }

    /// Whether a call would be let through by the circuit, and everything else that is known.
    pub fn status(&self) -> AgentBreakerStatus {
        let Inner { circuit, checkup, capability, thresholds, failure_threshold, gated, sources } = &*self.0;
        let snapshot = circuit.snapshot();
        let wall = circuit.clock().wall();
        let reading = sources.looks_at_agents().then(|| checkup.reading(sources, circuit.clock()));
        let status = reading.as_ref().and_then(|reading| reading.status.as_ref());
        AgentBreakerStatus {
            circuit_name: snapshot.name,
            agent_id: checkup.agent().clone(),
            capability: capability.clone(),
            circuit_state: if snapshot.state == State::ForcedOpen { State::Open } else { snapshot.state },
            failure_count: snapshot.consecutive_failures,
            failure_threshold: *failure_threshold,
            agent_health: reading
                .as_ref()
                .map(|reading| reading.status.as_ref().map(|status| status.health).unwrap_or_default()),
            last_health_check: reading.as_ref().map(|reading| reading.at),
            last_failure_time: snapshot.last_failure_ago.map(|ago| wall.saturating_sub(ago)),
            half_open_calls: snapshot.probes.outstanding,
            resource_thresholds: *thresholds,
            resource_usage: status.map(|status| sources.usage(checkup.agent(), status)),
            total_operations: snapshot.totals.admitted,
            gated: gated.load(Ordering::Relaxed),
        }
    }

    /// Closes the circuit and forgets its failures. What the agent is refused for stays as it is.
    pub fn reset(&self) {
        self.0.circuit.reset();
    }

    /// Whether the agent is unwell, for what is reported now.
    fn agent_is_unwell(&self) -> bool {
        let Inner { circuit, checkup, sources, .. } = &*self.0;
        // A panic of the source while another unwinds would end the process; the panic hook has reported it.
        contain(|| checkup.is_unwell(sources, circuit.clock())).unwrap_or(false)
    }
}

/// A permit whose failure counts more while the agent is unwell.
struct AgentPermit<'b, S: AgentStatusSource, C: Clock> {
    breaker: &'b AgentBreaker<S, C>,
    permit: Option<Permit<'b, C>>,
    looks_at_agent: bool,
}

impl<S: AgentStatusSource, C: Clock> AgentPermit<'_, S, C> {
    fn report<T, E>(mut self, result: Result<T, E>) -> Result<T, AgentCallError<E>> {
        if result.is_err() {
            self.weigh();
        }
        if let Some(permit) = self.permit.take() {
            match &result {
                Ok(_) => permit.success(),
                Err(_) => permit.failure(),
            }
        }
        result.map_err(AgentCallError::Operation)
    }

    fn weigh(&mut self) {
        if self.looks_at_agent
            && let Some(permit) = &mut self.permit
            && self.breaker.agent_is_unwell()
        {
            permit.make_vital();
        }
    }
}

impl<S: AgentStatusSource, C: Clock> Drop for AgentPermit<'_, S, C> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.weigh();
        }
    }
}

impl<S, C: Clock> Clone for AgentBreaker<S, C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: AgentStatusSource, C: Clock> fmt::Debug for AgentBreaker<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentBreaker").field("agent", self.agent()).field("circuit", &self.0.circuit).finish()
    }
}
