//! Why an agent's call was not made, or its breaker not started.

use foundation_types::error::{Classify, Domain, ErrorKind};
use foundation_types::{AgentId, Capability, Health, Metadata, Name, ResourceKind, ResourceValue};

use crate::error::Rejected;
use crate::options::OptionsError;

/// A call that was refused. The operation was not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgentRejected {
    /// Nobody knows the agent, or it is gone.
    #[error("the agent is not available")]
    AgentUnavailable,
    /// The agent is unhealthy or critical.
    #[error("the agent is {0}")]
    AgentUnhealthy(Health),
    /// The agent uses more of a resource than the breaker lets it.
    #[error("the agent uses {usage:?} of {resource}, more than {threshold:?}")]
    ResourceExhausted {
        /// The resource.
        resource: ResourceKind,
        /// What the agent uses.
        usage: ResourceValue,
        /// What it may use.
        threshold: ResourceValue,
    },
    /// The circuit refused.
    #[error(transparent)]
    Circuit(#[from] Rejected),
}

/// Why a call of an agent gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentCallError<E> {
    /// It was refused; the operation was not run.
    #[error(transparent)]
    Rejected(#[from] AgentRejected),
    /// The operation ran and gave this error.
    #[error("{0}")]
    Operation(#[source] E),
}

/// Why no breaker was started.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The agent that was named is unknown.
    #[error("agent {0} is not known")]
    AgentNotFound(AgentId),
    /// The agent does not have the capability that was named.
    #[error("agent {agent} does not have the capability {capability}")]
    CapabilityNotFound {
        /// The agent.
        agent: AgentId,
        /// The capability.
        capability: Capability,
    },
    /// The agent has a breaker for this circuit already.
    #[error("agent {agent} has a breaker for {circuit} already")]
    AlreadyStarted {
        /// The circuit.
        circuit: Name,
        /// The agent.
        agent: AgentId,
    },
    /// The agent features of breakers are switched off.
    #[error("agent features are disabled")]
    Disabled,
    /// As many breakers as there may be have been started.
    #[error("there are {limit} breakers of agents, the limit")]
    Full {
        /// The most there may be.
        limit: usize,
    },
    /// An option is out of range.
    #[error(transparent)]
    Options(#[from] OptionsError),
}

impl Classify for AgentRejected {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AgentUnavailable => ErrorKind::AgentUnavailable,
            Self::AgentUnhealthy(_) => ErrorKind::AgentUnhealthy,
            Self::ResourceExhausted { .. } => ErrorKind::ResourceExhausted,
            Self::Circuit(_) => ErrorKind::CircuitBreakerOpen,
        }
    }

    fn domain(&self) -> Domain {
        Domain::Breaker
    }

    fn context(&self) -> Metadata {
        match self {
            Self::AgentUnavailable => Metadata::new(),
            Self::AgentUnhealthy(health) => Metadata::new().with("agent_health", health.as_str()),
            Self::ResourceExhausted { resource, usage, threshold } => Metadata::new()
                .with("resource", resource.to_string())
                .with("usage", *usage)
                .with("threshold", *threshold),
            Self::Circuit(rejected) => rejected.context(),
        }
    }
}

impl Classify for StartError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AgentNotFound(_) => ErrorKind::AgentNotFound,
            Self::CapabilityNotFound { .. } => ErrorKind::CapabilityNotFound,
            Self::AlreadyStarted { .. } => ErrorKind::AlreadyStarted,
            Self::Disabled => ErrorKind::AgentFeaturesDisabled,
            Self::Full { .. } => ErrorKind::CircuitBreakerInstallFailed,
            Self::Options(error) => error.kind(),
        }
    }

    fn domain(&self) -> Domain {
        Domain::Breaker
    }

    fn context(&self) -> Metadata {
        match self {
            Self::AgentNotFound(agent) => Metadata::new().with("agent_id", agent.as_str()),
            Self::CapabilityNotFound { agent, capability } => {
                Metadata::new().with("agent_id", agent.as_str()).with("capability", capability.as_str())
            }
            Self::AlreadyStarted { circuit, agent } => {
                Metadata::new().with("circuit_name", circuit.as_str()).with("agent_id", agent.as_str())
            }
            Self::Full { limit } => Metadata::new().with("limit", i64::try_from(*limit).unwrap_or(i64::MAX)),
            Self::Disabled | Self::Options(_) => Metadata::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use foundation_types::Ratio;
    use foundation_types::error::classification;

    use super::*;
    use crate::error::RejectReason;

    #[test]
    fn every_error_has_a_number_that_stays() {
        let agent = AgentId::from_static("scout");
        let circuit = Name::from_static("search");
        let exhausted = AgentRejected::ResourceExhausted {
            resource: ResourceKind::Memory,
            usage: Ratio::ONE.into(),
            threshold: Ratio::ZERO.into(),
        };
        let rejected = [
            AgentRejected::AgentUnavailable,
            AgentRejected::AgentUnhealthy(Health::Critical),
            exhausted,
            Rejected::new(circuit.clone(), RejectReason::Open, None).into(),
        ];
        let capability = Capability::from_static("scan");
        let start = [
            StartError::AgentNotFound(agent.clone()),
            StartError::CapabilityNotFound { agent: agent.clone(), capability },
            StartError::AlreadyStarted { circuit, agent },
            StartError::Disabled,
            StartError::Full { limit: 1 },
            StartError::Options(OptionsError::ZeroThreshold),
        ];
        let all = rejected.iter().map(|error| ("call", error as &dyn Classify));
        let all = all.chain(start.iter().map(|error| ("start", error as &dyn Classify)));
        let expected = "\
call: breaker/agent_unavailable 7008 high agent/availability no_retry
call: breaker/agent_unhealthy 7009 medium agent/availability exponential_backoff
call: breaker/resource_exhausted 7010 medium agent/resources exponential_backoff
call: breaker/circuit_breaker_open 7003 medium external/availability exponential_backoff
start: breaker/agent_not_found 7011 medium agent/not_found no_retry
start: breaker/capability_not_found 7012 medium agent/not_found no_retry
start: breaker/already_started 7013 medium service/registration no_retry
start: breaker/agent_features_disabled 3901 medium agent/availability no_retry
start: breaker/circuit_breaker_install_failed 5001 high system/initialization no_retry
start: breaker/invalid_configuration 5016 medium config/validation no_retry
";
        assert_eq!(classification(all), expected);
    }
}
