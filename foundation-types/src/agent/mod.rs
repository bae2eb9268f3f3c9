//! Agents: what is known of one, how it changes, and the seams through which crates ask about them.
//!
//! [`AgentInfo`] is the record. Its mutators keep its invariants: the state follows the transition table of [`AgentState`],
//! scores are derived and never set, every change raises the version by one and never sets a stamp back. The sub-records
//! ([`HealthMetrics`], [`PerformanceMetrics`], [`CoordinationState`], [`AgentConfiguration`]) are read through it.
//!
//! Crates that need to know about agents ask an [`AgentStatusSource`] or an [`AgentDirectory`] and follow its
//! [`AgentChanges`]; implementors feed those through an [`AgentChangeFeed`].
//!
//! ```
//! use foundation_types::agent::{AgentInfo, AgentState};
//! use foundation_types::{AgentId, Capability, Clock, Health, ResourceUsage, SystemClock};
//!
//! let clock = SystemClock;
//! let scan = Capability::from_static("scan");
//! let mut scout = AgentInfo::builder(AgentId::from_static("scout-1")).capability(scan.clone()).build(&clock);
//! scout.transition(AgentState::Ready, clock.wall())?;
//! scout.update_health(Health::Healthy, &ResourceUsage::new(), clock.wall());
//! assert!(scout.is_available() && scout.has_capability(&scan));
//! # Ok::<(), foundation_types::agent::AgentInfoError>(())
//! ```

mod builder;
mod capabilities;
mod changes;
mod codec;
mod configuration;
mod context;
mod coordination;
mod directory;
mod error;
mod from_metadata;
mod health_metrics;
mod info;
mod kind;
mod load;
mod performance;
mod state;
#[cfg(feature = "test-util")]
pub mod strategies;
mod summary;
mod view;

pub use builder::AgentInfoBuilder;
pub use capabilities::CapabilitySet;
pub use changes::{AgentChange, AgentChangeFeed, AgentChanges, DEFAULT_CHANGE_CAPACITY, Removal};
pub use configuration::{AgentConfiguration, ResourceLimits};
pub use context::{AgentContext, ContextStatus, UnknownContextStatus};
pub use coordination::{CoordinationLists, CoordinationPatch, CoordinationState};
pub use directory::{AgentDirectory, AgentStatus, AgentStatusSource, AgentView};
pub use error::AgentInfoError;
pub use health_metrics::HealthMetrics;
pub use info::AgentInfo;
pub use kind::{AgentType, OtherAgentType};
pub use load::{LoadLevel, UnknownLoadLevel};
pub use performance::{PerformanceMetrics, PerformancePatch};
pub use state::{AgentState, UnknownAgentState};
pub use summary::StatusSummary;
pub use view::{MetadataView, UnknownMetadataView};
