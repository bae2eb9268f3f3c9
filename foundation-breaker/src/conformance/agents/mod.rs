//! Breakers that look at the agent that calls.

mod draws;
mod gate;
mod pair;
mod subject;
mod switch;

pub use self::gate::p25_agent_gate;
pub use self::subject::{AgentBreaker, AgentSetup};
pub use self::switch::p24_base_when_off;
