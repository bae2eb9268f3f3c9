//! Rate limits that follow the agent: its capabilities, its health, what it uses.
//!
//! [`AgentRateLimiter`] keeps a fixed window for each agent and operation. Its limit is found anew at each check:
//!
//! 1. The [`AgentStatusSource`](foundation_types::AgentStatusSource) says how the agent is. One that is in critical health is
//!    denied outright. What an unknown one is taken for, [`UnknownAgents`] says.
//! 2. The base is the limit set for this agent and operation, or else the limit of the operation, or else the limit of the first
//!    capability of the agent, or else 100 a minute. Capabilities are ordered by name.
//! 3. It is multiplied by the largest of the multipliers of the agent's capabilities, 1 if there are none,
//! 4. by 0.7 if the agent is degraded and by 0.5, unless another factor is set, if it is unhealthy,
//! 5. and by 1 − 2(p − 0.8) if the pressure p, the larger of its shares of memory and processor, is above 0.8: from there down to
//!    0.6 at full pressure. Below a threshold, where one is set, by an idle bonus instead.
//!
//! Each step rounds down, and to no less than 1 unless it began with 0. Factors are exact decimals ([`Factor`]): 0.7 of 90 is 63.
//!
//! ```
//! use foundation_resources::rate_limit::Quota;
//! use foundation_resources::rate_limit::agent::{AgentRateLimiter, Operation};
//! use foundation_types::{AgentId, AgentStatus, AgentStatusSource, Health};
//!
//! struct Degraded;
//!
//! impl AgentStatusSource for Degraded {
//!     fn status(&self, _: &AgentId) -> Option<AgentStatus> {
//!         Some(AgentStatus::new(Health::Degraded))
//!     }
//! }
//!
//! let limiter = AgentRateLimiter::builder(Degraded).limit("scan", Quota::per_minute(10)).build()?;
//! let (agent, scan) = (AgentId::from_static("scout-1"), Operation::from("scan"));
//! assert_eq!(limiter.effective_limit(&agent, &scan).quota.limit(), 7);
//! assert!(limiter.check(&agent, &scan).is_ok());
//! # Ok::<(), foundation_resources::rate_limit::agent::InvalidAgentLimits>(())
//! ```
//!
//! # Switches
//!
//! The flag `rate_limiter` of the [`FeatureGate`](foundation_types::FeatureGate) is read once a call. While it is off, checks use
//! the limit of the operation, or else 100 a minute, and look at nothing else; limits of agents and reservations are kept, but
//! unseen, and changing them answers that agent features are disabled. While `registry` is off the source knows nobody: agents
//! then count as healthy and without usage, and none is rejected or forgotten.
//!
//! # Memory
//!
//! Agents are bounded by [`AgentBuilder::max_agents`], what is kept for each by [`MAX_OPERATIONS`], [`MAX_OVERRIDES`] and
//! [`MAX_RESERVATIONS`]. What was known of an agent is dropped when the source has not known it for longer than its longest window,
//! noticed at a check, by a sweep, or in passing when new agents come; its record goes too when nothing of it counts and nobody has
//! set limits for it.

mod bucket;
mod builder;
mod context;
mod error;
mod factor;
mod limiter;
mod limits;
mod record;
mod report;
mod reservation;
mod table;

pub use self::builder::{AgentBuilder, DEFAULT_MAX_AGENTS, UnknownAgents};
pub use self::context::IdleBonus;
pub use self::error::{AgentDenial, AgentExecuteError, AgentLimitError, InvalidAgentLimits};
pub use self::factor::{Factor, FactorError};
pub use self::limiter::{AgentAdmission, AgentRateLimiter, ChargedTo};
pub use self::limits::{Burst, CoordinationId, FALLBACK_QUOTA, Operation, OperationLimit, default_limits};
pub use self::report::{AgentLimiterStatus, AgentStats, KnownAgent, Overview};
pub use self::reservation::Reservation;

/// How many operations have a limit of their own, and how many buckets and counts by operation an agent has, at most.
///
/// Of the buckets, the dead give way to a new one, then the one that ends first; operations beyond are counted as
/// [`Operation::OTHER`].
pub const MAX_OPERATIONS: usize = 256;
/// How many operations may have a limit for one agent alone.
pub const MAX_OVERRIDES: usize = 256;
/// How many reservations an agent may have at a time.
pub const MAX_RESERVATIONS: usize = 256;
