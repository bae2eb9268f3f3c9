//! What an instance holds of the infrastructure for its agents.

use std::sync::Arc;

use foundation_breaker::agent::AgentBreakers;
use foundation_registry::{Registry, RegistryDirectory};
use foundation_resources::rate_limit::agent::{AgentRateLimiter, InvalidAgentLimits};
use foundation_types::{Clock, Emitter, FeatureGate, Namespace};

use super::agent_circuit_breaker::{CallTimeouts, InstanceAgentBreakers};
use super::agent_rate_limiter::{InstanceAgentLimiter, InstanceAgentLimiterBuilder};

type Configure<T> = Option<Box<dyn FnOnce(T) -> T + Send>>;

/// Options of the parts.
#[derive(Default)]
pub(crate) struct AgentSettings {
    pub(crate) breakers: Configure<InstanceAgentBreakers>,
    pub(crate) limits: Configure<InstanceAgentLimiterBuilder>,
}

pub(crate) struct AgentParts {
    pub(crate) breakers: InstanceAgentBreakers,
    pub(crate) call_timeouts: CallTimeouts,
    pub(crate) limiter: InstanceAgentLimiter,
}

impl AgentParts {
    pub(crate) fn new(
        settings: AgentSettings,
        (registry, namespace): (&Registry, &Namespace),
        gate: &FeatureGate,
        clock: &Arc<dyn Clock>,
        emitter: &Emitter,
    ) -> Result<Self, InvalidAgentLimits> {
        let directory: RegistryDirectory = registry.directory(namespace);
        let breakers = AgentBreakers::new(directory.clone(), gate.clone(), Arc::clone(clock)).emitter(emitter.clone());
        let limiter = AgentRateLimiter::builder(directory).clock(Arc::clone(clock)).gate(gate.clone());
        let AgentSettings { breakers: configure_breakers, limits } = settings;
        Ok(Self {
            breakers: configured(breakers, configure_breakers),
            call_timeouts: CallTimeouts::default(),
            limiter: configured(limiter, limits).build()?,
        })
    }
}

fn configured<T>(value: T, configure: Configure<T>) -> T {
    match configure {
        Some(configure) => configure(value),
        None => value,
    }
}
