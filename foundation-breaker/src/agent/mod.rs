//! Breakers that look at the agent that calls: its health, what it can do, and what it uses.
//!
//! Each pair of a circuit and an agent has a breaker of its own. Before it is asked, the agent is: one that is gone, unwell
//! or out of resources is refused, and that counts nowhere in the circuit, because it says nothing about what the circuit
//! protects. A failure while the agent is unwell opens the circuit at once.
//!
//! The switch [`Feature::Breaker`](foundation_types::Feature::Breaker) is read once a call. While it is off, and while that
//! of the registry is, a breaker is exactly its circuit.
//!
//! ```
//! use foundation_breaker::agent::{AgentBreakerOptions, AgentBreakers, AgentCallError, AgentRejected};
//! use foundation_types::{AgentId, AgentStatus, AgentStatusSource, FeatureGate, Health, Name, SystemClock};
//!
//! /// Knows one agent, which is not well.
//! struct Ward;
//! impl AgentStatusSource for Ward {
//!     fn status(&self, agent: &AgentId) -> Option<AgentStatus> {
//!         (agent.as_str() == "scout").then(|| AgentStatus::new(Health::Unhealthy))
//!     }
//! }
//!
//! let breakers = AgentBreakers::new(Ward, FeatureGate::all_on(), SystemClock);
//! let options = AgentBreakerOptions::new().agent(AgentId::from_static("scout"));
//! let breaker = breakers.start(&Name::from_static("search"), options)?;
//! let answer = breaker.call(|| Ok::<_, ()>("never run"));
//! let unwell = AgentRejected::AgentUnhealthy(Health::Unhealthy);
//! assert_eq!(answer, Err(AgentCallError::Rejected(unwell)));
//! assert_eq!(breaker.breaker().snapshot().totals.admitted, 0);
//! # Ok::<(), foundation_breaker::agent::StartError>(())
//! ```

mod breaker;
mod error;
mod gate;
mod options;
mod set;
mod status;

pub use self::breaker::AgentBreaker;
pub use self::error::{AgentCallError, AgentRejected, StartError};
pub use self::options::{
    AgentBreakerOptions, DEFAULT_AGENT, DEFAULT_CAPABILITY, DEFAULT_FAILURE_THRESHOLD, ResourceThresholds,
};
pub use self::set::{AgentBreakers, DEFAULT_AGENT_BREAKER_LIMIT};
pub use self::status::AgentBreakerStatus;
