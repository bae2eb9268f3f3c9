//! What can go wrong with the limits of agents.

use std::time::Duration;

use foundation_types::error::{Classify, Domain, ErrorKind};
use foundation_types::{AgentId, Capability, Health, Metadata};

use super::super::QuotaError;
use super::super::keyed::millis;
use super::Operation;

/// Why an agent must not do what it asked to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgentLimitError {
    /// Its limit is used up.
    #[error(transparent)]
    Exceeded(Box<AgentDenial>),
    /// Its health is critical, so it must be given no work at all. Nothing was counted.
    #[error("agent {agent} is in critical health")]
    Critical {
        /// The agent.
        agent: AgentId,
        /// Its first capability.
        capability: Capability,
    },
    /// Nobody knows it, and unknown agents are rejected.
    #[error("agent {agent} is not known")]
    NotFound {
        /// The agent.
        agent: AgentId,
    },
    /// It has a reservation of that id already.
    #[error("agent {agent} has a reservation of this id already")]
    Reserved {
        /// The agent.
        agent: AgentId,
    },
    /// It has as many reservations as an agent may have.
    #[error("agent {agent} has {limit} reservations, its limit")]
    TooManyReservations {
        /// The agent.
        agent: AgentId,
        /// How many an agent may have.
        limit: usize,
    },
    /// There are as many agents with settings of their own as the limiter may hold, so it has no room for another one.
    #[error("the limiter is full of agents with settings of their own")]
    Full,
    /// Limits of agents are switched off.
    #[error("agent features are disabled")]
    Disabled,
}

/// The details of a denied request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rate limit of agent {agent} for {operation} exceeded: {count} of {limit} in {window:?}")]
#[non_exhaustive]
pub struct AgentDenial {
    /// The agent.
    pub agent: AgentId,
    /// What it asked to do.
    pub operation: Operation,
    /// How many requests of the window count.
    pub count: u32,
    /// The effective limit.
    pub limit: u32,
    /// The length of the window.
    pub window: Duration,
    /// After how long the window ends; `None` if the request never fits under the limit of now.
    pub retry_after: Option<Duration>,
    /// The health of the agent that the limit followed.
    pub health: Health,
    /// The first capability of the agent.
    pub capability: Capability,
}

impl Classify for AgentLimitError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Exceeded(_) | Self::TooManyReservations { .. } | Self::Full => ErrorKind::AgentRateLimitExceeded,
            Self::Critical { .. } => ErrorKind::AgentCritical,
            Self::NotFound { .. } => ErrorKind::AgentNotFound,
            Self::Reserved { .. } => ErrorKind::InvalidConfiguration,
            Self::Disabled => ErrorKind::AgentFeaturesDisabled,
        }
    }

    fn domain(&self) -> Domain {
        match self {
            Self::Disabled => Domain::Core,
            _ => Domain::Limiter,
        }
    }

    fn context(&self) -> Metadata {
        let agent = |agent: &AgentId| Metadata::new().with("agent_id", agent.as_str());
        match self {
            Self::Exceeded(denial) => {
                let context = agent(&denial.agent)
                    .with("operation_type", denial.operation.as_str())
                    .with("current_count", i64::from(denial.count))
                    .with("limit", i64::from(denial.limit))
                    .with("time_window_ms", millis(denial.window))
                    .with("agent_health", denial.health.as_str())
                    .with("agent_capability", denial.capability.as_str());
                match denial.retry_after {
                    Some(wait) => context.with("retry_after_ms", millis(wait)),
                    None => context,
                }
            }
            Self::Critical { agent: id, capability } => {
                agent(id).with("agent_health", Health::Critical.as_str()).with("agent_capability", capability.as_str())
            }
            Self::NotFound { agent: id }
            | Self::Reserved { agent: id }
            | Self::TooManyReservations { agent: id, .. } => agent(id),
            Self::Full | Self::Disabled => Metadata::new(),
        }
    }
}

/// Why there is no result of [`execute`](super::AgentRateLimiter::execute).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgentExecuteError<E> {
    /// The operation did not run.
    #[error(transparent)]
    Limited(AgentLimitError),
    /// The operation ran and failed. The request counts.
    #[error("rate-limited operation failed: {0}")]
    Operation(#[source] E),
}

impl<E> Classify for AgentExecuteError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Limited(error) => error.kind(),
            Self::Operation(_) => ErrorKind::RateLimitedOperationFailed,
        }
    }

    fn domain(&self) -> Domain {
        match self {
            Self::Limited(error) => error.domain(),
            Self::Operation(_) => Domain::Limiter,
        }
    }

    fn context(&self) -> Metadata {
        match self {
            Self::Limited(error) => error.context(),
            Self::Operation(_) => Metadata::new(),
        }
    }
}

/// Why a setting was not taken. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAgentLimits {
    /// Limits of agents are switched off.
    #[error("agent features are disabled")]
    Disabled,
    /// An operation that is limited must be allowed at least once in a window.
    #[error("an operation must be allowed at least once in its window")]
    NoRequests,
    /// The window is none.
    #[error(transparent)]
    Quota(#[from] QuotaError),
    /// The factor for the unhealthy would raise their limits.
    #[error("the health adjustment factor is above 1")]
    HealthFactor,
    /// The bonus for the idle is below 1, or is meant for agents under pressure.
    #[error("an idle bonus needs a factor of at least 1 and a pressure of at most 0.8")]
    Bonus,
    /// There is no room for settings of another agent or operation.
    #[error("there are {limit} settings of this kind, the limit")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
}

impl Classify for InvalidAgentLimits {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Disabled => ErrorKind::AgentFeaturesDisabled,
            _ => ErrorKind::InvalidConfiguration,
        }
    }

    fn domain(&self) -> Domain {
        match self {
            Self::Disabled => Domain::Core,
            _ => Domain::Limiter,
        }
    }
}

#[cfg(test)]
mod tests {
    use foundation_types::error::classification;

    use super::*;

    #[test]
    fn every_error_has_a_number_that_stays() {
        let agent = AgentId::from_static("a");
        let denial = AgentDenial {
            agent: agent.clone(),
            operation: Operation::INFERENCE,
            count: 7,
            limit: 7,
            window: Duration::from_mins(1),
            retry_after: Some(Duration::from_secs(2)),
            health: Health::Degraded,
            capability: Capability::from_static("scan"),
        };
        let exceeded = AgentLimitError::Exceeded(Box::new(denial));
        let critical = AgentLimitError::Critical { agent: agent.clone(), capability: Capability::from_static("scan") };
        let failed = AgentExecuteError::Operation("boom");
        let limited: AgentExecuteError<&str> = AgentExecuteError::Limited(AgentLimitError::Disabled);
        let errors: [(&str, &dyn Classify); 13] = [
            ("exceeded", &exceeded),
            ("critical", &critical),
            ("not found", &AgentLimitError::NotFound { agent: agent.clone() }),
            ("reserved", &AgentLimitError::Reserved { agent: agent.clone() }),
            ("reservations", &AgentLimitError::TooManyReservations { agent, limit: 1 }),
            ("full", &AgentLimitError::Full),
            ("disabled", &AgentLimitError::Disabled),
            ("failed", &failed),
            ("limited", &limited),
            ("setting, disabled", &InvalidAgentLimits::Disabled),
            ("setting, no requests", &InvalidAgentLimits::NoRequests),
            ("setting, quota", &InvalidAgentLimits::Quota(QuotaError::ZeroWindow)),
            ("setting, too many", &InvalidAgentLimits::TooMany { limit: 1 }),
        ];
        let expected = "\
exceeded: limiter/agent_rate_limit_exceeded 6010 medium agent/availability fixed_delay
critical: limiter/agent_critical 6014 medium agent/availability no_retry
not found: limiter/agent_not_found 6016 medium agent/not_found no_retry
reserved: limiter/invalid_configuration 6015 medium config/validation no_retry
reservations: limiter/agent_rate_limit_exceeded 6010 medium agent/availability fixed_delay
full: limiter/agent_rate_limit_exceeded 6010 medium agent/availability fixed_delay
disabled: core/agent_features_disabled 3901 medium agent/availability no_retry
failed: limiter/rate_limited_operation_failed 6008 medium external/runtime no_retry
limited: core/agent_features_disabled 3901 medium agent/availability no_retry
setting, disabled: core/agent_features_disabled 3901 medium agent/availability no_retry
setting, no requests: limiter/invalid_configuration 6015 medium config/validation no_retry
setting, quota: limiter/invalid_configuration 6015 medium config/validation no_retry
setting, too many: limiter/invalid_configuration 6015 medium config/validation no_retry
";
        assert_eq!(classification(errors), expected);
        let context = exceeded.context();
        let keys: Vec<_> = context.iter().map(|(key, _)| key.as_str()).collect();
        let expected = [
            "agent_capability",
            "agent_health",
            "agent_id",
            "current_count",
            "limit",
            "operation_type",
            "retry_after_ms",
            "time_window_ms",
        ];
        assert_eq!(keys, expected);
    }
}
