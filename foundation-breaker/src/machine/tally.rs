//! What a closed circuit remembers, and when that is too much.

use std::collections::VecDeque;
use std::time::Duration;

use foundation_types::MonoTime;

use crate::options::{CountWindow, Rate, SlowCalls, TimeWindow, TripPolicy};
use crate::snapshot::WindowCounts;

/// What a closed circuit remembers of the calls that ended.
#[derive(Debug)]
pub(crate) enum Tally {
    Intensity(Intensity),
    Run(u32),
    Count(CountTally),
    Time(TimeTally),
    Nothing,
}

impl Tally {
    /// An empty tally; `start` is when the circuit closed.
    pub(crate) fn new(trip: &TripPolicy, start: MonoTime) -> Self {
        match *trip {
            TripPolicy::FailureIntensity { .. } => Self::Intensity(Intensity::default()),
            TripPolicy::ConsecutiveFailures { .. } => Self::Run(0),
            TripPolicy::CountWindow(_) => Self::Count(CountTally::default()),
            TripPolicy::TimeWindow(window) => Self::Time(TimeTally::new(&window, start)),
            TripPolicy::Never => Self::Nothing,
        }
    }

    /// Records how a call ended at `now`, and returns whether that opens the circuit.
    pub(crate) fn record(&mut self, trip: &TripPolicy, call: Ended, now: MonoTime) -> bool {
        match (self, *trip) {
            (Self::Intensity(melts), TripPolicy::FailureIntensity { tolerance, window }) => {
                call.failed && melts.melt(tolerance, window, now)
            }
            (Self::Run(run), TripPolicy::ConsecutiveFailures { threshold }) => {
                *run = if call.failed { run.saturating_add(1) } else { 0 };
                *run >= threshold
            }
            (Self::Count(calls), TripPolicy::CountWindow(window)) => {
                calls.record(window.size, call);
                let CountWindow { min_calls, failure_rate, slow, .. } = window;
                exceeds(&calls.counts, min_calls, failure_rate, slow)
            }
            (Self::Time(calls), TripPolicy::TimeWindow(window)) => {
                calls.record(call, now);
                let TimeWindow { min_calls, failure_rate, slow, .. } = window;
                exceeds(&calls.counts, min_calls, failure_rate, slow)
            }
            // A tally is made for its policy, and anew for each new one.
            _ => false,
        }
    }

    /// Failures in a row, where these are counted.
    pub(crate) const fn run(&self) -> u32 {
        if let Self::Run(run) = self { *run } else { 0 }
    }

    /// What is in the window at `now`.
    pub(crate) fn counts(&self, trip: &TripPolicy, now: MonoTime) -> WindowCounts {
        match (self, trip) {
            (Self::Intensity(melts), TripPolicy::FailureIntensity { window, .. }) => {
                let failures = melts.younger_than(*window, now);
                WindowCounts { recorded: failures, failures, slow: 0 }
            }
            (Self::Run(run), _) => WindowCounts { recorded: u64::from(*run), failures: u64::from(*run), slow: 0 },
            (Self::Count(calls), _) => calls.counts,
            (Self::Time(calls), _) => calls.counts_at(now),
            _ => WindowCounts::default(),
        }
    }
}

fn exceeds(counts: &WindowCounts, min_calls: u32, failure_rate: Rate, slow: Option<SlowCalls>) -> bool {
    counts.recorded >= u64::from(min_calls)
        && (failure_rate.is_reached(counts.failures, counts.recorded)
            || slow.is_some_and(|slow| slow.rate.is_reached(counts.slow, counts.recorded)))
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) failed: bool,
    pub(crate) slow: bool,
}

/// The newest failures, oldest first: one more than is tolerated suffices, for the circuit opens iff the oldest of so many
/// is young.
#[derive(Debug, Default)]
pub(crate) struct Intensity(VecDeque<MonoTime>);

impl Intensity {
    fn melt(&mut self, tolerance: u32, window: Duration, now: MonoTime) -> bool {
        let needed = tolerance as usize + 1;
        if self.0.len() == needed {
            self.0.pop_front();
        }
        self.0.push_back(now);
        self.0.len() == needed && self.0.front().is_some_and(|oldest| now.saturating_since(*oldest) < window)
    }

    fn younger_than(&self, window: Duration, now: MonoTime) -> u64 {
        let expired = self.0.partition_point(|melt| now.saturating_since(*melt) >= window);
        (self.0.len() - expired) as u64
    }
}

/// The last calls, oldest first.
#[derive(Debug, Default)]
pub(crate) struct CountTally {
    /// One byte a call: bit 0 failed, bit 1 slow.
    calls: VecDeque<u8>,
    counts: WindowCounts,
}

impl CountTally {
    fn record(&mut self, size: u32, call: Ended) {
        if self.calls.len() == size as usize
            && let Some(oldest) = self.calls.pop_front()
        {
            self.counts.recorded -= 1;
            self.counts.failures -= u64::from(oldest & 1);
            self.counts.slow -= u64::from(oldest >> 1);
        }
        self.calls.push_back(u8::from(call.failed) | u8::from(call.slow) << 1);
        self.counts.add(call);
    }
}

/// The calls of the current bucket and of those before it that the window still covers.
#[derive(Debug)]
pub(crate) struct TimeTally {
    start: MonoTime,
    window: Duration,
    buckets: u32,
    /// Those with calls in them, by their number since the start, oldest first.
    filled: VecDeque<(u64, WindowCounts)>,
    /// Of all of them.
    counts: WindowCounts,
}

impl TimeTally {
    fn new(window: &TimeWindow, start: MonoTime) -> Self {
        Self {
            start,
            window: window.window,
            buckets: window.buckets,
            filled: VecDeque::new(),
            counts: WindowCounts::default(),
        }
    }

    /// The number of the bucket that `now` falls into. Exact also where buckets are no whole number of nanoseconds long.
    fn bucket(&self, now: MonoTime) -> u64 {
        let elapsed = now.saturating_since(self.start).as_nanos();
        let number = elapsed * u128::from(self.buckets) / self.window.as_nanos();
        u64::try_from(number).unwrap_or(u64::MAX)
    }

    const fn is_covered(&self, number: u64, current: u64) -> bool {
        current - number < self.buckets as u64
    }

    fn record(&mut self, call: Ended, now: MonoTime) {
        let current = self.bucket(now);
        while let Some(&(number, counts)) = self.filled.front()
            && !self.is_covered(number, current)
        {
            self.filled.pop_front();
            self.counts.subtract(counts);
        }
        match self.filled.back_mut() {
            Some((number, counts)) if *number == current => counts.add(call),
            _ => {
                let mut counts = WindowCounts::default();
                counts.add(call);
                self.filled.push_back((current, counts));
            }
        }
        self.counts.add(call);
    }

    fn counts_at(&self, now: MonoTime) -> WindowCounts {
        let current = self.bucket(now);
        let mut counts = self.counts;
        for &(number, expired) in self.filled.iter().take_while(|(number, _)| !self.is_covered(*number, current)) {
            let _ = number;
            counts.subtract(expired);
        }
        counts
    }
}

impl WindowCounts {
    fn add(&mut self, call: Ended) {
        self.recorded += 1;
        self.failures += u64::from(call.failed);
        self.slow += u64::from(call.slow);
    }

    const fn subtract(&mut self, other: Self) {
        self.recorded -= other.recorded;
        self.failures -= other.failures;
        self.slow -= other.slow;
    }
}
