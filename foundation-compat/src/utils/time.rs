//! The time, and how long something takes.

use std::time::Duration;

use foundation_types::{Clock, MonoTime};

use crate::global;

/// Monotonic time since the origin of the clock, which for that of the operating system is its first use in the process. The
/// integer of the original is its `as_millis`.
pub fn monotonic_timestamp() -> Duration {
    global::clock().mono().saturating_since(MonoTime::ORIGIN)
}

/// Nanoseconds of wall time since the Unix epoch, in steps of a microsecond; negative before 1970, and held at the bounds of
/// the type outside the years 1677 to 2262.
pub fn wall_timestamp() -> i64 {
    global::clock().wall().as_micros().saturating_mul(1_000)
}

/// The result of `work`, and how long it took. The integer of the original is the duration's `as_micros`.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let clock = global::clock();
    let start = clock.mono();
    let result = work();
    (result, clock.mono().saturating_since(start))
}
