//! What tests of this workspace, and of programs built on it, need again and again.
//!
//! [`strategies`] generates the types of this crate for property tests, and [`RecordingObserver`] tells what a component
//! emitted. The clock for tests is [`ManualClock`](crate::ManualClock).

mod observer;
pub mod strategies;

pub use observer::{RecordedEvent, RecordingObserver};
