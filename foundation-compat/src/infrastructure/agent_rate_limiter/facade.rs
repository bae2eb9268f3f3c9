//! The limits of agents of an instance, by their old functions.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use foundation_registry::RegistryDirectory;
use foundation_resources::rate_limit::Quota;
use foundation_resources::rate_limit::agent::{
    AgentAdmission, AgentBuilder, AgentLimitError, AgentLimiterStatus, AgentRateLimiter as NativeLimiter, AgentStats,
    Burst, CoordinationId, InvalidAgentLimits, Operation, OperationLimit, Overview,
};
use foundation_types::error::{Cause, Domain, Error, ErrorKind};
use foundation_types::{AgentId, Clock, EventName, Health, Measurements, Metadata, Value, event_name};

use crate::foundation::Foundation;
use crate::infrastructure::contained::{self, Failure};
use crate::infrastructure::record::{advised, coded, millis};

/// The limiter was started: `namespace`, and `capabilities`, the names of its limits.
pub const STARTED_EVENT: EventName = event_name!("foundation.infrastructure.agent_rate_limiter.started");
/// A request was let through: the caller's metadata, `agent_id`, `operation_type`, `agent_health`, `agent_capability`.
pub const REQUEST_ALLOWED_EVENT: EventName =
    event_name!("foundation.infrastructure.agent_rate_limiter.request_allowed");
/// A request was refused: as [`REQUEST_ALLOWED_EVENT`], with what is known of the agent.
pub const REQUEST_DENIED_EVENT: EventName = event_name!("foundation.infrastructure.agent_rate_limiter.request_denied");
/// An agent was given a limit of its own: `agent_id`, `capability`, `limit`, a list of limit and milliseconds.
pub const LIMITS_UPDATED_EVENT: EventName = event_name!("foundation.infrastructure.agent_rate_limiter.limits_updated");
/// The buckets of an agent were emptied: `agent_id`.
pub const BUCKETS_RESET_EVENT: EventName = event_name!("foundation.infrastructure.agent_rate_limiter.buckets_reset");
/// Dead buckets were removed: `deleted_count`.
pub const BUCKETS_CLEANED_EVENT: EventName =
    event_name!("foundation.infrastructure.agent_rate_limiter.buckets_cleaned");
/// A limited operation gave a result: the caller's metadata, `agent_id`, `operation_type`.
pub const OPERATION_SUCCESS_EVENT: EventName =
    event_name!("foundation.infrastructure.agent_rate_limiter.operation_success");

/// The key of metadata by which a check takes from a reservation.
const COORDINATION_ID: &str = "coordination_id";

/// The agent limiter of an instance.
pub type InstanceAgentLimiter = NativeLimiter<RegistryDirectory, Arc<dyn Clock>>;

/// Settings of the agent limiter of an instance.
pub type InstanceAgentLimiterBuilder = AgentBuilder<RegistryDirectory, Arc<dyn Clock>>;

/// The original's agent limiter on a given [`Foundation`]: that of [`Foundation::agent_limiter`], under the old names. Cheap to
/// clone.
///
/// While agent features are off, checks go by the limit of the operation alone, and what changes limits is refused; all else
/// goes on working.
#[derive(Clone)]
pub struct AgentRateLimiter {
    foundation: Foundation,
}

impl AgentRateLimiter {
    /// Counts a request of an agent if it fits the limit that is in force for it now. With a `coordination_id` in the metadata,
    /// the request is taken from the [reservation](Self::reserve_capacity_for_coordination) of that id, while it lasts.
    ///
    /// # Errors
    /// 6010 `agent_rate_limit_exceeded`, with advice when to try again; 6014 `agent_critical`; 6016 `agent_not_found` if
    /// unknown agents are rejected.
    pub fn check_rate_with_agent(
        &self,
        agent: &AgentId,
        operation: impl Into<Operation>,
        metadata: Metadata,
    ) -> Result<(), Error> {
        self.check(agent, &operation.into(), metadata).map(drop)
    }

    /// As [`check_rate_with_agent`](Self::check_rate_with_agent) without metadata.
    ///
    /// # Errors
    /// As there.
    pub fn check_rate_with_agent_2(&self, agent: &AgentId, operation: impl Into<Operation>) -> Result<(), Error> {
        self.check_rate_with_agent(agent, operation, Metadata::new())
    }

    /// Checks, and runs `run` if the request is let through. The request counts also if that fails.
    ///
    /// # Errors
    /// As [`check_rate_with_agent`](Self::check_rate_with_agent), without running it; 6020 `rate_limited_operation_failed` with
    /// its error as the source, or with `kind` `panic`.
    pub fn execute_with_limit<T, E: Into<Cause>>(
        &self,
        agent: &AgentId,
        operation: impl Into<Operation>,
        run: impl FnOnce() -> Result<T, E>,
        metadata: Metadata,
    ) -> Result<T, Error> {
        let operation = operation.into();
        self.check(agent, &operation, metadata.clone())?;
        let failed = || {
            coded(self.foundation.clock(), Domain::Limiter, ErrorKind::RateLimitedOperationFailed, 6020)
                .with_context("agent_id", agent.as_str())
                .with_context("operation_type", operation.as_str())
        };
        match contained::run(|| run().map_err(Into::into)) {
            Ok(value) => {
                self.emit(&OPERATION_SUCCESS_EVENT, || about(metadata, agent, &operation));
                Ok(value)
            }
            Err(Failure::Error(cause)) => {
                Err(failed().with_context("exception", contained::text(cause.as_error())).caused_by(cause))
            }
            Err(Failure::Panic(message)) => {
                Err(failed().with_context("kind", "panic").with_context("exception", message))
            }
        }
    }

    /// As [`execute_with_limit`](Self::execute_with_limit) without metadata.
    ///
    /// # Errors
    /// As there.
    pub fn execute_with_limit_3<T, E: Into<Cause>>(
        &self,
        agent: &AgentId,
        operation: impl Into<Operation>,
        run: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, Error> {
        self.execute_with_limit(agent, operation, run, Metadata::new())
    }

    /// Gives an agent a limit of its own for an operation, which still follows its health and its use of resources.
    ///
    /// # Errors
    /// 3901 `agent_features_disabled`; 6015 `invalid_configuration` if the agent has as many as it may have.
    pub fn update_agent_limits(
        &self,
        agent: &AgentId,
        operation: impl Into<Operation>,
        quota: Quota,
    ) -> Result<(), Error> {
        let operation = operation.into();
        self.changed(self.limiter().set_limit(agent, &operation, quota))?;
        self.emit(&LIMITS_UPDATED_EVENT, || {
            let limit = vec![Value::from(quota.limit()), Value::from(millis(quota.window()))];
            Metadata::new().with("agent_id", agent.as_str()).with("capability", operation.as_str()).with("limit", limit)
        });
        Ok(())
    }

    /// Sets what an agent may do beyond its limits for a short while, in place of what the operations say.
    ///
    /// # Errors
    /// As [`update_agent_limits`](Self::update_agent_limits).
    pub fn update_agent_config(&self, agent: &AgentId, burst: Burst) -> Result<(), Error> {
        self.changed(self.limiter().set_burst(agent, burst))
    }

    /// Sets the limit of an operation, or of a capability, for all agents.
    ///
    /// # Errors
    /// 3901 `agent_features_disabled`; 6015 `invalid_configuration` if it lets nothing through, or if there are as many as
    /// there may be.
    pub fn update_operation_limits(&self, operation: impl Into<Operation>, limit: OperationLimit) -> Result<(), Error> {
        self.changed(self.limiter().set_operation_limit(operation, limit))
    }

    /// The limit that is in force for an agent now.
    pub fn get_current_limits(&self, agent: &AgentId, operation: impl Into<Operation>) -> OperationLimit {
        self.limiter().effective_limit(agent, &operation.into())
    }

    /// How an agent stands with its limits. Counts nothing.
    pub fn get_agent_status(&self, agent: &AgentId) -> AgentLimiterStatus {
        self.limiter().status(agent)
    }

    /// What became of the requests of an agent.
    pub fn get_agent_stats(&self, agent: &AgentId) -> AgentStats {
        self.limiter().stats(agent)
    }

    /// What all agents do. O(agents).
    pub fn get_system_overview(&self) -> Overview {
        self.limiter().overview()
    }

    /// Charges requests to the bucket of an operation at once, all or nothing, for those who work together under `id`. It
    /// holds until it is [released](Self::release_coordination_reservation), or its window is over.
    /// [`Foundation::agent_limiter`] gives a guard instead.
    ///
    /// # Errors
    /// 6010 `agent_rate_limit_exceeded` if there is no room; 6015 `invalid_configuration` if the agent has a reservation of
    /// this id; 6014, 6016; 3901 `agent_features_disabled`.
    pub fn reserve_capacity_for_coordination(
        &self,
        agent: &AgentId,
        operation: impl Into<Operation>,
        id: impl Into<CoordinationId>,
        reserved_requests: NonZeroU32,
    ) -> Result<(), Error> {
        let reserved = self.limiter().reserve(agent, &operation.into(), &id.into(), reserved_requests);
        reserved.map(foundation_resources::rate_limit::agent::Reservation::detach).map_err(|error| self.refused(error))
    }

    /// Ends a reservation and gives how many of its requests were unused, and are refunded while the window lasts; `None` if
    /// the agent has none of this id.
    pub fn release_coordination_reservation(&self, agent: &AgentId, id: impl Into<CoordinationId>) -> Option<u32> {
        self.limiter().release(agent, &id.into())
    }

    /// Empties the buckets of an agent and of no other. Its limits stay.
    pub fn reset_agent_buckets(&self, agent: &AgentId) {
        self.limiter().reset(agent);
        self.emit(&BUCKETS_RESET_EVENT, || Metadata::new().with("agent_id", agent.as_str()));
    }

    /// The same as [`reset_agent_buckets`](Self::reset_agent_buckets).
    pub fn reset_agent_bucket(&self, agent: &AgentId) {
        self.reset_agent_buckets(agent);
    }

    /// Empties the buckets of all agents. O(agents).
    pub fn reset_all_buckets(&self) {
        self.limiter().reset_all();
    }

    /// Removes what no longer counts, and says how many buckets that were. It is removed in passing, too. O(agents).
    pub fn clean_buckets(&self) -> usize {
        let deleted = self.limiter().sweep();
        if deleted > 0 {
            self.emit(&BUCKETS_CLEANED_EVENT, || {
                Metadata::new().with("deleted_count", i64::try_from(deleted).unwrap_or(i64::MAX))
            });
        }
        deleted
    }

    /// Says that the limiter is there, as the original does when it starts.
    pub(super) fn announce(&self) {
        self.emit(&STARTED_EVENT, || {
            let operations = self.limiter().configured_operations();
            let capabilities: Vec<_> = operations.iter().map(Operation::as_str).collect();
            let namespace = self.foundation.namespace().to_string();
            Metadata::new().with("namespace", namespace).with("capabilities", capabilities)
        });
    }

    fn limiter(&self) -> &InstanceAgentLimiter {
        self.foundation.agent_limiter()
    }

    fn check(&self, agent: &AgentId, operation: &Operation, metadata: Metadata) -> Result<AgentAdmission, Error> {
        let id = metadata.get(COORDINATION_ID).and_then(Value::as_str).map(CoordinationId::from);
        let checked = match id {
            Some(id) => self.limiter().check_reserved(agent, operation, &id),
            None => self.limiter().check(agent, operation),
        };
        match checked {
            Ok(admission) => {
                let known = Some((admission.health, admission.capability.as_str()));
                self.told(&REQUEST_ALLOWED_EVENT, metadata, (agent, operation), known);
                Ok(admission)
            }
            Err(error) => {
                let known = match &error {
                    AgentLimitError::Exceeded(denial) => Some((denial.health, denial.capability.as_str())),
                    _ => None,
                };
                let metadata = match &error {
                    AgentLimitError::Critical { .. } => metadata.with("agent_health", Health::Critical.as_str()),
                    _ => metadata,
                };
                self.told(&REQUEST_DENIED_EVENT, metadata, (agent, operation), known);
                Err(self.refused(error).with_context("operation_type", operation.as_str()))
            }
        }
    }

    fn told(
        &self,
        event: &EventName,
        metadata: Metadata,
        (agent, operation): (&AgentId, &Operation),
        known: Option<(Health, &str)>,
    ) {
        self.emit(event, || {
            let metadata = about(metadata, agent, operation);
            match known {
                Some((health, capability)) => {
                    metadata.with("agent_health", health.as_str()).with("agent_capability", capability)
                }
                None => metadata,
            }
        });
    }

    fn emit(&self, event: &EventName, metadata: impl FnOnce() -> Metadata) {
        self.foundation.emitter().emit(event, || (Measurements::one(), metadata()));
    }

    fn refused(&self, error: AgentLimitError) -> Error {
        let retry_after = match &error {
            AgentLimitError::Exceeded(denial) => denial.retry_after,
            _ => None,
        };
        advised(Error::from(error).with_clock(self.foundation.clock()), retry_after)
    }

    fn changed(&self, result: Result<(), InvalidAgentLimits>) -> Result<(), Error> {
        result.map_err(|error| Error::from(error).with_clock(self.foundation.clock()))
    }
}

fn about(metadata: Metadata, agent: &AgentId, operation: &Operation) -> Metadata {
    metadata.with("agent_id", agent.as_str()).with("operation_type", operation.as_str())
}

impl From<&Foundation> for AgentRateLimiter {
    /// The agent limiter of an instance.
    fn from(foundation: &Foundation) -> Self {
        Self { foundation: foundation.clone() }
    }
}

impl fmt::Debug for AgentRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentRateLimiter").field("limiter", self.limiter()).finish_non_exhaustive()
    }
}
