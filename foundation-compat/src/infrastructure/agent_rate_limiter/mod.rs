//! The original's `Foundation.Infrastructure.AgentRateLimiter`: limits that follow the health of the agent and what it uses.
//!
//! The functions act on the [global instance](crate::global), [`AgentRateLimiter`] on any. How agents are, the registry says, in
//! the namespace of the instance; what the limits are, [`FoundationBuilder::agent_limits`](crate::FoundationBuilder::agent_limits).
//!
//! ```
//! use foundation_compat::AgentId;
//! use foundation_compat::infrastructure::agent_rate_limiter;
//!
//! let trainer = AgentId::from_static("trainer");
//! for _ in 0..10 {
//!     agent_rate_limiter::check_rate_with_agent_2(&trainer, "training")?;
//! }
//! let denied = agent_rate_limiter::check_rate_with_agent_2(&trainer, "training").expect_err("ten a minute");
//! assert_eq!(denied.code(), 6010);
//! # Ok::<(), foundation_compat::Error>(())
//! ```

mod facade;

use std::num::NonZeroU32;

use foundation_resources::rate_limit::Quota;
use foundation_resources::rate_limit::agent::{
    AgentLimiterStatus, AgentStats, Burst, CoordinationId, Operation, OperationLimit, Overview,
};
use foundation_types::error::{Cause, Error};
use foundation_types::{AgentId, Metadata};

pub use self::facade::{
    AgentRateLimiter, BUCKETS_CLEANED_EVENT, BUCKETS_RESET_EVENT, InstanceAgentLimiter, InstanceAgentLimiterBuilder,
    LIMITS_UPDATED_EVENT, OPERATION_SUCCESS_EVENT, REQUEST_ALLOWED_EVENT, REQUEST_DENIED_EVENT, STARTED_EVENT,
};
use crate::global::{self, on_global};

fn here() -> AgentRateLimiter {
    AgentRateLimiter::from(&global::get())
}

/// The agent limiter of the global instance, which exists from now on. The options are ignored:
/// [`FoundationBuilder::agent_limits`](crate::FoundationBuilder::agent_limits) has them.
pub fn start(options: &Metadata) -> AgentRateLimiter {
    let _ = options;
    start_0()
}

/// As [`start`] without options.
pub fn start_0() -> AgentRateLimiter {
    let limiter = here();
    limiter.announce();
    limiter
}

/// As [`AgentRateLimiter::check_rate_with_agent`], on the global instance.
///
/// # Errors
/// As there.
pub fn check_rate_with_agent(
    agent: &AgentId,
    operation: impl Into<Operation>,
    metadata: Metadata,
) -> Result<(), Error> {
    here().check_rate_with_agent(agent, operation, metadata)
}

/// As [`AgentRateLimiter::check_rate_with_agent_2`], on the global instance.
///
/// # Errors
/// As there.
pub fn check_rate_with_agent_2(agent: &AgentId, operation: impl Into<Operation>) -> Result<(), Error> {
    here().check_rate_with_agent_2(agent, operation)
}

/// As [`AgentRateLimiter::execute_with_limit`], on the global instance.
///
/// # Errors
/// As there.
pub fn execute_with_limit<T, E: Into<Cause>>(
    agent: &AgentId,
    operation: impl Into<Operation>,
    run: impl FnOnce() -> Result<T, E>,
    metadata: Metadata,
) -> Result<T, Error> {
    here().execute_with_limit(agent, operation, run, metadata)
}

/// As [`AgentRateLimiter::execute_with_limit_3`], on the global instance.
///
/// # Errors
/// As there.
pub fn execute_with_limit_3<T, E: Into<Cause>>(
    agent: &AgentId,
    operation: impl Into<Operation>,
    run: impl FnOnce() -> Result<T, E>,
) -> Result<T, Error> {
    here().execute_with_limit_3(agent, operation, run)
}

/// As [`AgentRateLimiter::update_agent_limits`], on the global instance.
///
/// # Errors
/// As there.
pub fn update_agent_limits(agent: &AgentId, operation: impl Into<Operation>, quota: Quota) -> Result<(), Error> {
    here().update_agent_limits(agent, operation, quota)
}

/// As [`AgentRateLimiter::update_operation_limits`], on the global instance.
///
/// # Errors
/// As there.
pub fn update_operation_limits(operation: impl Into<Operation>, limit: OperationLimit) -> Result<(), Error> {
    here().update_operation_limits(operation, limit)
}

/// As [`AgentRateLimiter::get_current_limits`], on the global instance.
pub fn get_current_limits(agent: &AgentId, operation: impl Into<Operation>) -> OperationLimit {
    here().get_current_limits(agent, operation)
}

/// As [`AgentRateLimiter::reserve_capacity_for_coordination`], on the global instance.
///
/// # Errors
/// As there.
pub fn reserve_capacity_for_coordination(
    agent: &AgentId,
    operation: impl Into<Operation>,
    id: impl Into<CoordinationId>,
    reserved_requests: NonZeroU32,
) -> Result<(), Error> {
    here().reserve_capacity_for_coordination(agent, operation, id, reserved_requests)
}

/// As [`AgentRateLimiter::release_coordination_reservation`], on the global instance.
pub fn release_coordination_reservation(agent: &AgentId, id: impl Into<CoordinationId>) -> Option<u32> {
    here().release_coordination_reservation(agent, id)
}

on_global! {
    AgentRateLimiter(here()):
    fn update_agent_config(agent: &AgentId, burst: Burst) -> Result<(), Error>;
    fn get_agent_status(agent: &AgentId) -> AgentLimiterStatus;
    fn get_agent_stats(agent: &AgentId) -> AgentStats;
    fn get_system_overview() -> Overview;
    fn reset_agent_buckets(agent: &AgentId);
    fn reset_agent_bucket(agent: &AgentId);
    fn reset_all_buckets();
    fn clean_buckets() -> usize;
}
