//! Time that is aligned with the wall clock and that nobody can set.

use std::time::Duration;

use foundation_types::{Clock, MonoTime, SystemClock};

/// A point in time: nanoseconds since the Unix epoch by a wall clock that was read once, plus monotonic time since then.
///
/// Points of different [`SteadyClock`]s differ by what the wall clock was set in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SteadyTime(u64);

impl SteadyTime {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);
    /// A point that is never reached.
    pub const NEVER: Self = Self(u64::MAX);

    /// The point this many nanoseconds after the epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This point moved by `duration` into the future, at most to [`SteadyTime::NEVER`].
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this point is; zero if it is not after it.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The first multiple of `window` nanoseconds since the epoch that is after this point.
    pub(crate) const fn next_boundary(self, window: u64) -> Self {
        Self((self.0 - self.0 % window).saturating_add(window))
    }
}

/// A clock that reads the wall clock once, when it is made, and counts monotonic time from there.
///
/// A wall clock before 1970 counts as 1970, one after 2262 as 2262: windows then are aligned with nothing in particular, and
/// all else holds.
#[derive(Clone, Debug)]
pub struct SteadyClock<C = SystemClock> {
    clock: C,
    /// Steady time at monotonic time `since`.
    base: u64,
    since: MonoTime,
}

impl<C: Clock> SteadyClock<C> {
    /// Reads the wall clock of `clock` and starts from there.
    pub fn new(clock: C) -> Self {
        // Leaves as much room above as the clock could fill in 292 years.
        const LATEST: u64 = 1 << 63;
        let micros = u64::try_from(clock.wall().as_micros()).unwrap_or(0);
        let base = micros.saturating_mul(1_000).min(LATEST);
        let since = clock.mono();
        Self { clock, base, since }
    }

    /// Now.
    #[inline]
    pub fn now(&self) -> SteadyTime {
        self.at(self.clock.mono())
    }

    #[inline]
    pub(crate) fn at(&self, time: MonoTime) -> SteadyTime {
        SteadyTime(self.base.saturating_add(time.as_nanos().saturating_sub(self.since.as_nanos())))
    }

    /// The clock it reads.
    pub const fn clock(&self) -> &C {
        &self.clock
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use foundation_types::{ManualClock, Timestamp};

    use super::*;

    #[test]
    fn q10_setting_the_wall_clock_moves_nothing() {
        let clock = ManualClock::new();
        let steady = SteadyClock::new(clock.clone());
        let start = steady.now();
        assert_eq!(start.as_nanos(), 1_000_000_000_000_000_000);
        clock.set_wall(Timestamp::UNIX_EPOCH);
        assert_eq!(steady.now(), start);
        clock.advance(Duration::from_nanos(3));
        clock.set_wall(Timestamp::MAX);
        assert_eq!(steady.now().saturating_since(start), Duration::from_nanos(3));
    }

    #[test]
    fn a_wall_clock_beyond_the_range_is_taken_for_its_bound() {
        let clock = ManualClock::new();
        clock.set_wall(Timestamp::MIN);
        let steady = SteadyClock::new(clock.clone());
        assert_eq!(steady.now(), SteadyTime::EPOCH);
        clock.set_wall(Timestamp::MAX);
        let steady = SteadyClock::new(clock.clone());
        let start = steady.now();
        clock.advance(Duration::from_hours(24));
        assert_eq!(steady.now().saturating_since(start), Duration::from_hours(24));
    }

    #[test]
    fn the_next_boundary_is_a_multiple_after_the_point() {
        assert_eq!(SteadyTime(0).next_boundary(10), SteadyTime(10));
        assert_eq!(SteadyTime(9).next_boundary(10), SteadyTime(10));
        assert_eq!(SteadyTime(10).next_boundary(10), SteadyTime(20));
        assert_eq!(SteadyTime(u64::MAX - 1).next_boundary(1 << 63), SteadyTime::NEVER);
    }
}
