//! Time as a dependency: wall time for stamps, monotonic time for durations, both from a [`Clock`].

mod block;
mod clock;
#[cfg(feature = "test-util")]
mod manual;
mod timer;
mod timestamp;

pub use block::block_on;
pub use clock::{COARSE_TICK, Clock, SystemClock, sleep_until, timeout_at};
#[cfg(feature = "test-util")]
pub use manual::ManualClock;
pub use timer::Wakeup;
pub use timestamp::{MonoTime, Timestamp, TimestampError};
