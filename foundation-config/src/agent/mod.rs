//! Settings of single agents, over those of all.

mod config;
mod matching;
mod overlays;
mod reader;
mod settle;
mod typed;

pub use self::config::AgentConfig;
pub(crate) use self::overlays::Overlays;
pub use self::reader::AgentReader;
pub(crate) use self::settle::{Candidate, Effect, Settings};
pub use self::typed::AgentSnapshot;
pub(crate) use self::typed::TypedOverlays;
