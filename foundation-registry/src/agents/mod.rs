//! Agents: entries that say what they can do, how well they are and what they use.
//!
//! An agent `x` lives under the name [`ServiceName::agent`](foundation_types::ServiceName::agent)`(x)`, with a record of its
//! own ([`AgentInfo`](foundation_types::AgentInfo)) in place of metadata. Everything begins at
//! [`Registry::agents`](crate::Registry::agents).

mod attribute;
mod directory;
mod error;
mod events;
mod feeds;
mod history;
mod query;
mod reads;
mod record;
mod search;
mod state;
mod summaries;
mod view;
mod writes;

pub use directory::RegistryDirectory;
pub use error::AgentError;
pub use events::{CLEANUP_EVENT, HEALTH_CHANGED_EVENT, METADATA_MODE_CHANGED_EVENT, REGISTERED_EVENT};
pub use history::HealthChange;
pub use query::AgentQuery;
pub use reads::{AgentEntry, Agents};
pub(crate) use record::AgentRecord;
#[cfg(feature = "test-util")]
pub use state::AgentsHeld;
pub(crate) use state::AgentsState;
pub use summaries::{AgentStats, HealthOverview, ResourceStats};
