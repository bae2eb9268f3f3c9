//! The breakers of all agents.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use foundation_types::inspect::{Gauge, Inspect, Section, Table};
use foundation_types::{
    AgentId, AgentStatusSource, Capability, Clock, Emitter, Feature, FeatureGate, Health, Name, ResourceView,
    SystemClock,
};
use parking_lot::RwLock;

use super::breaker::{AgentBreaker, Inner};
use super::error::StartError;
use super::gate::{Checkup, Sources};
use super::options::{AgentBreakerOptions, DEFAULT_AGENT, DEFAULT_CAPABILITY};
use crate::breaker::CircuitBreaker;
use crate::options::{MAX_THRESHOLD, OptionsError};
use crate::snapshot::State;

/// How many breakers of agents there may be if nothing else is said.
pub const DEFAULT_AGENT_BREAKER_LIMIT: NonZeroUsize = NonZeroUsize::new(100_000).expect("not zero");

/// The breakers of all agents, by circuit and agent. Those of different agents are independent, also for one circuit.
pub struct AgentBreakers<S, C: Clock = SystemClock> {
    sources: Arc<Sources<S>>,
    thresholds: HashMap<Capability, u32>,
    breakers: RwLock<Breakers<S, C>>,
    limit: NonZeroUsize,
    emitter: Emitter,
    clock: C,
}

struct Breakers<S, C: Clock> {
    by_circuit: HashMap<Name, BTreeMap<AgentId, AgentBreaker<S, C>>>,
    len: usize,
}

impl<S: AgentStatusSource, C: Clock + Clone> AgentBreakers<S, C> {
    /// None yet. `source` tells how agents are, and `gate` whether they are looked at.
    pub fn new(source: S, gate: FeatureGate, clock: C) -> Self {
        Self {
            sources: Arc::new(Sources { agents: source, resources: None, gate }),
            thresholds: HashMap::new(),
            breakers: RwLock::new(Breakers { by_circuit: HashMap::new(), len: 0 }),
            limit: DEFAULT_AGENT_BREAKER_LIMIT,
            emitter: Emitter::none(),
            clock,
        }
    }

    /// With a view of what agents really use, which is believed before what they say. To be said before any is started.
    #[must_use]
    pub fn resources(mut self, view: Arc<dyn ResourceView>) -> Self {
        if let Some(sources) = Arc::get_mut(&mut self.sources) {
            sources.resources = Some(view);
        }
        self
    }

    /// With an observer for the circuits that are started from now on.
    #[must_use]
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// With another limit on the number of breakers.
    #[must_use]
    pub fn limit(mut self, limit: NonZeroUsize) -> Self {
        self.limit = limit;
        self
    }

    /// With a failure threshold for breakers of this capability that are given none.
    ///
    /// # Errors
    /// [`OptionsError::ZeroThreshold`] or [`OptionsError::ThresholdTooLarge`].
    pub fn capability_threshold(mut self, capability: Capability, failures: u32) -> Result<Self, OptionsError> {
        match failures {
            0 => Err(OptionsError::ZeroThreshold),
            1..=MAX_THRESHOLD => {
                self.thresholds.insert(capability, failures);
                Ok(self)
            }
            threshold => Err(OptionsError::ThresholdTooLarge { threshold }),
        }
    }

    /// Starts the breaker of an agent for a circuit.
    ///
    /// # Errors
    /// [`StartError::Disabled`] while the switch is off; [`StartError::Options`]; [`StartError::AgentNotFound`] and
    /// [`StartError::CapabilityNotFound`] for what was named and is not there; [`StartError::AlreadyStarted`];
    /// [`StartError::Full`].
    pub fn start(&self, circuit: &Name, options: AgentBreakerOptions) -> Result<AgentBreaker<S, C>, StartError> {
        if !self.sources.gate.is_on(Feature::Breaker) {
            return Err(StartError::Disabled);
        }
        let by_capability = options.capability.as_ref().and_then(|capability| self.thresholds.get(capability));
        let (circuit_options, failure_threshold) = options.circuit(by_capability.copied())?;
        let agent = options.agent.clone().unwrap_or(DEFAULT_AGENT);
        if self.sources.looks_at_agents() {
            self.check(&agent, &options)?;
        }
        let breaker = AgentBreaker(Arc::new(Inner {
            circuit: CircuitBreaker::builder(circuit.clone())
                .options(circuit_options)
                .emitter(self.emitter.clone())
                .clock(self.clock.clone())
                .assemble(),
            checkup: Checkup::new(agent.clone(), options.health_check_interval),
            capability: options.capability.unwrap_or(DEFAULT_CAPABILITY),
            thresholds: options.thresholds,
            failure_threshold,
            gated: AtomicU64::new(0),
            sources: Arc::clone(&self.sources),
        }));
        let mut breakers = self.breakers.write();
        let Breakers { by_circuit, len } = &mut *breakers;
        if by_circuit.get(circuit).is_some_and(|agents| agents.contains_key(&agent)) {
            return Err(StartError::AlreadyStarted { circuit: circuit.clone(), agent });
        }
        if *len >= self.limit.get() {
            return Err(StartError::Full { limit: self.limit.get() });
        }
        *len += 1;
        by_circuit.entry(circuit.clone()).or_default().insert(agent, breaker.clone());
        Ok(breaker)
    }

    /// Checks what was named against the agent.
    fn check(&self, agent: &AgentId, options: &AgentBreakerOptions) -> Result<(), StartError> {
        if options.agent.is_none() && options.capability.is_none() {
            return Ok(());
        }
        let status = self.sources.agents.status(agent);
        if options.agent.is_some() && status.is_none() {
            return Err(StartError::AgentNotFound(agent.clone()));
        }
        match &options.capability {
            Some(capability) if !status.is_some_and(|status| status.capabilities.contains(capability)) => {
                Err(StartError::CapabilityNotFound { agent: agent.clone(), capability: capability.clone() })
            }
            _ => Ok(()),
        }
    }
}

impl<S: AgentStatusSource, C: Clock> AgentBreakers<S, C> {
    /// The breaker of an agent for a circuit.
    pub fn get(&self, circuit: &Name, agent: &AgentId) -> Option<AgentBreaker<S, C>> {
        self.breakers.read().by_circuit.get(circuit)?.get(agent).cloned()
    }

    /// Stops the breaker of an agent for a circuit; returns whether there was one. Its handles go on working.
    pub fn stop(&self, circuit: &Name, agent: &AgentId) -> bool {
        let mut breakers = self.breakers.write();
        let Some(agents) = breakers.by_circuit.get_mut(circuit) else { return false };
        let stopped = agents.remove(agent);
        if agents.is_empty() {
            breakers.by_circuit.remove(circuit);
        }
        breakers.len -= usize::from(stopped.is_some());
        drop(breakers);
        stopped.is_some()
    }

    /// All breakers, in no stated order. O(breakers).
    pub fn all(&self) -> Vec<AgentBreaker<S, C>> {
        self.breakers.read().by_circuit.values().flat_map(BTreeMap::values).cloned().collect()
    }

    /// How many breakers there are.
    pub fn len(&self) -> usize {
        self.breakers.read().len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<S: AgentStatusSource, C: Clock> Inspect for AgentBreakers<S, C> {
    /// A row for each breaker, by circuit and agent. Degraded while any circuit is not closed.
    fn inspect(&self) -> Section {
        let mut all: Vec<_> = self.all().iter().map(AgentBreaker::status).collect();
        all.sort_by(|one, two| (&one.circuit_name, &one.agent_id).cmp(&(&two.circuit_name, &two.agent_id)));
        let not_closed = all.iter().filter(|status| status.circuit_state != State::Closed).count();
        let status = if not_closed == 0 { Health::Healthy } else { Health::Degraded };
        let rows = all.iter().map(|status| {
            (
                &status.circuit_name,
                status.agent_id.as_str(),
                status.circuit_state.as_str(),
                status.agent_health,
                status.failure_count,
                status.total_operations,
                status.gated,
            )
        });
        let columns = ["circuit", "agent", "state", "health", "failures in a row", "operations", "gated"];
        Section::new("circuit breakers of agents", status)
            .gauge(Gauge::new("breakers", all.len()))
            .gauge(Gauge::new("not closed", not_closed))
            .table(Table::new("breakers", columns, rows))
    }
}

impl<S: AgentStatusSource, C: Clock> fmt::Debug for AgentBreakers<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentBreakers").field("len", &self.len()).field("limit", &self.limit).finish_non_exhaustive()
    }
}
