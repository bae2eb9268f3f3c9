//! The original's `Foundation.Infrastructure.AgentCircuitBreaker`: a breaker for each circuit and agent.
//!
//! The functions act on the [global instance](crate::global), [`AgentCircuitBreakers`] on any. How agents are, the registry
//! says, in the namespace of the instance.
//!
//! ```
//! use foundation_compat::foundation_breaker::State;
//! use foundation_compat::foundation_breaker::agent::AgentBreakerOptions;
//! use foundation_compat::infrastructure::agent_circuit_breaker::{self, AgentBreakerConfig};
//! use foundation_compat::{AgentId, Metadata, Owner, global, process_registry};
//!
//! let (scout, owner) = (AgentId::from_static("scout"), Owner::new());
//! let foundation = global::get();
//! let here = foundation.namespace();
//! let metadata = Metadata::new().with("capabilities", vec!["scan"]).with("health", "healthy");
//! process_registry::agent::register_agent(here, &scout, &owner.pid(), &metadata)?;
//!
//! let options = AgentBreakerOptions::new().failure_threshold(1);
//! agent_circuit_breaker::start_agent_breaker("disk", AgentBreakerConfig::from(options).agent(scout.clone()))?;
//! let failed = agent_circuit_breaker::execute_with_agent_3("disk", &scout, || "x".parse::<u32>()).expect_err("no number");
//! assert_eq!(failed.code(), 7004);
//! assert_eq!(agent_circuit_breaker::get_agent_status("disk", &scout)?.circuit_state, State::Open);
//! agent_circuit_breaker::stop_agent_breaker("disk", &scout)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod events;
mod facade;

use std::future::Future;

use foundation_breaker::agent::AgentBreakerStatus;
use foundation_types::error::{Cause, Error};
use foundation_types::{AgentId, Metadata};

pub use self::events::{CIRCUIT_RESET_EVENT, CIRCUIT_STARTED_EVENT, OPERATION_EXECUTED_EVENT};
pub(crate) use self::facade::CallTimeouts;
pub use self::facade::{
    AgentBreakerConfig, AgentCircuitBreakers, DEFAULT_CALL_TIMEOUT, InstanceAgentBreaker, InstanceAgentBreakers,
};
use crate::global::{self, on_global};

fn here() -> AgentCircuitBreakers {
    AgentCircuitBreakers::from(&global::get())
}

/// As [`AgentCircuitBreakers::execute_with_agent`], on the global instance.
///
/// # Errors
/// As there.
pub fn execute_with_agent<T, E: Into<Cause>>(
    circuit: &str,
    agent: &AgentId,
    operation: impl FnOnce() -> Result<T, E>,
    metadata: Metadata,
) -> Result<T, Error> {
    here().execute_with_agent(circuit, agent, operation, metadata)
}

/// As [`AgentCircuitBreakers::execute_with_agent_3`], on the global instance.
///
/// # Errors
/// As there.
pub fn execute_with_agent_3<T, E: Into<Cause>>(
    circuit: &str,
    agent: &AgentId,
    operation: impl FnOnce() -> Result<T, E>,
) -> Result<T, Error> {
    here().execute_with_agent_3(circuit, agent, operation)
}

/// As [`AgentCircuitBreakers::execute_with_agent_async`], on the global instance.
///
/// # Errors
/// As there.
///
/// # Cancel safety
/// As there.
pub async fn execute_with_agent_async<T, E, F>(
    circuit: &str,
    agent: &AgentId,
    operation: impl FnOnce() -> F,
    metadata: Metadata,
) -> Result<T, Error>
where
    E: Into<Cause>,
    F: Future<Output = Result<T, E>>,
{
    here().execute_with_agent_async(circuit, agent, operation, metadata).await
}

on_global! {
    AgentCircuitBreakers(here()):
    fn start_agent_breaker(circuit: &str, config: AgentBreakerConfig) -> Result<InstanceAgentBreaker, Error>;
    fn start_agent_breaker_1(circuit: &str) -> Result<InstanceAgentBreaker, Error>;
    fn get_agent_status(circuit: &str, agent: &AgentId) -> Result<AgentBreakerStatus, Error>;
    fn reset_agent_circuit(circuit: &str, agent: &AgentId) -> Result<(), Error>;
    fn stop_agent_breaker(circuit: &str, agent: &AgentId) -> Result<(), Error>;
}
