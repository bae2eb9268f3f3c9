//! What tests of this workspace, and of programs built on it, need again and again.
//!
//! [`strategies`] generates the types of this crate for property tests, and [`RecordingObserver`] tells what a component
//! emitted; [`check`] runs a property as a function; [`fuzz`] holds entry points for fuzzers; `ScriptedAgents`, with the feature `agent`,
//! are as the test says. The clock for tests is [`ManualClock`](crate::ManualClock).

#[cfg(feature = "agent")]
mod agents;
pub mod fuzz;
mod observer;
mod property;
pub mod strategies;

#[cfg(feature = "agent")]
pub use agents::ScriptedAgents;
pub use observer::{RecordedEvent, RecordingObserver};
pub use property::check;
