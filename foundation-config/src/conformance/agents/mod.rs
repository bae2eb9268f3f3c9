//! What holds of overrides of agents.

mod backend;
mod command;
mod effect;
mod model;
mod switch;

pub use self::backend::{AgentBackend, Whom};
pub use self::effect::{p15_agent_filter, p23_agent_redaction, p24_agent_overlay};
pub use self::switch::p25_agent_off_is_legacy;
