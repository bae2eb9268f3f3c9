//! What tests of this workspace, and of programs built on it, need again and again.
//!
//! [`strategies`] generates the types of this crate for property tests, and [`RecordingObserver`] tells what a component
//! emitted; [`check`] runs a property as a function; [`fuzz`] holds entry points for fuzzers. The clock for tests is [`ManualClock`](crate::ManualClock).

pub mod fuzz;
mod observer;
mod property;
pub mod strategies;

pub use observer::{RecordedEvent, RecordingObserver};
pub use property::check;
