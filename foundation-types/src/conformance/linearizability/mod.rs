//! Did a concurrent object behave as if its operations happened one at a time?
//!
//! A history is *linearizable* (Herlihy & Wing, [*Linearizability: a correctness condition for concurrent
//! objects*](https://doi.org/10.1145/78969.78972), 1990) if every operation can be given one instant between its call
//! and its return at which it takes effect, such that the answers are those of the sequential object. Three steps
//! decide it:
//!
//! 1. say what the sequential object answers: a [`Sequential`] model, or a [`Model`] where answers are not determined;
//! 2. let threads use the real object through the [`ThreadLog`]s of one [`Recorder`];
//! 3. [`check`] the [`History`], or [`check_by_key`] where the object is many independent ones, and
//!    [assert](Verdict::assert_linearizable) the [`Verdict`].
//!
//! ```
//! use foundation_types::conformance::linearizability::{Limits, Recorder, Sequential, check};
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use std::thread;
//!
//! /// A counter; the operation is the amount to add, the answer what the counter held before.
//! struct Counter;
//!
//! impl Sequential for Counter {
//!     type State = u64;
//!     type Op = u64;
//!     type Ret = u64;
//!
//!     fn initial(&self) -> u64 {
//!         0
//!     }
//!
//!     fn apply(&self, held: &u64, added: &u64) -> (u64, u64) {
//!         (held + added, *held)
//!     }
//! }
//!
//! let counter = AtomicU64::new(0);
//! let recorder = Recorder::new();
//! thread::scope(|scope| {
//!     for _ in 0..2 {
//!         let mut log = recorder.thread();
//!         let counter = &counter;
//!         scope.spawn(move || {
//!             for amount in 1..=10 {
//!                 log.record(amount, |amount| counter.fetch_add(*amount, Ordering::Relaxed));
//!             }
//!         });
//!     }
//! });
//! let history = recorder.finish().expect("both threads have ended");
//!
//! assert_eq!(history.len(), 20);
//! check(&Counter, &history, Limits::default()).assert_linearizable();
//! ```
//!
//! # What a verdict is worth
//!
//! The recording puts two operations in order only if one really happened before the other, so
//! [`Verdict::NotLinearizable`] is always a defect of the object (or of the model), never of the recording.
//! [`Verdict::Linearizable`] speaks of the recorded history alone: it says nothing of schedules that did not happen.
//! Recording also synchronizes the threads through its one counter, which can hide a missing fence; code that orders
//! memory by hand wants an exhaustive model (loom) beside this.

mod checker;
mod history;
mod model;
mod search;
mod verdict;

pub use checker::{Limits, check, check_by_key};
pub use history::{Call, History, InvertedInterval, OpenLogs, Operation, Recorder, ThreadLog};
pub use model::{Model, Sequential};
pub use verdict::{Counterexample, Verdict};
