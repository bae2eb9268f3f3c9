//! Figures over a sliding window.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use foundation_types::{MonoTime, Text};

/// Samples that a [`BackendMonitor`](super::BackendMonitor) keeps; more displace the oldest.
pub const MAX_METRIC_SAMPLES: usize = 10_000;

/// Figures of a [`BackendMonitor`](super::BackendMonitor) over its window.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BackendMetrics {
    /// Mean duration of an operation in milliseconds, to two decimals; 0 without samples.
    pub avg_response_time_ms: f64,
    /// Share of operations that succeeded, to three decimals; 1 without samples.
    pub success_rate: f64,
    /// Operations in the window by its length, to one decimal.
    pub operations_per_second: f64,
    /// Operations that failed.
    pub error_count: usize,
    /// Operations in the window.
    pub total_operations: usize,
    /// The counts by operation.
    pub operations: BTreeMap<Text, OperationMetrics>,
}

/// How often one operation happened; part of [`BackendMetrics`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationMetrics {
    /// How often.
    pub count: usize,
    /// How often it failed.
    pub errors: usize,
}

/// The newest samples, oldest first.
pub(super) struct Ring(VecDeque<Sample>);

pub(super) struct Sample {
    at: MonoTime,
    operation: Text,
    elapsed: Duration,
    ok: bool,
}

impl Ring {
    pub(super) const fn new() -> Self {
        Self(VecDeque::new())
    }

    /// Adds a sample and returns the one that had to go.
    pub(super) fn push(&mut self, at: MonoTime, operation: Text, elapsed: Duration, ok: bool) -> Option<Sample> {
        let displaced = if self.0.len() >= MAX_METRIC_SAMPLES { self.0.pop_front() } else { None };
        self.0.push_back(Sample { at, operation, elapsed, ok });
        displaced
    }

    pub(super) fn metrics(&self, now: MonoTime, window: Duration) -> BackendMetrics {
        let (mut total, mut errors, mut elapsed) = (0_usize, 0_usize, Duration::ZERO);
        let mut operations: BTreeMap<Text, OperationMetrics> = BTreeMap::new();
        // All of them, as threads may have read the clock and recorded in different orders.
        for sample in self.0.iter().filter(|sample| now.saturating_since(sample.at) < window) {
            let failed = usize::from(!sample.ok);
            total += 1;
            errors += failed;
            elapsed = elapsed.saturating_add(sample.elapsed);
            let operation = operations.entry(sample.operation.clone()).or_default();
            operation.count += 1;
            operation.errors += failed;
        }
        let mean = |sum: f64| if total == 0 { 0.0 } else { sum / total as f64 };
        BackendMetrics {
            avg_response_time_ms: rounded(mean(elapsed.as_secs_f64() * 1e3), 100.0),
            success_rate: if total == 0 { 1.0 } else { rounded(mean((total - errors) as f64), 1000.0) },
            operations_per_second: rounded(total as f64 / window.as_secs_f64(), 10.0),
            error_count: errors,
            total_operations: total,
            operations,
        }
    }
}

fn rounded(number: f64, steps: f64) -> f64 {
    (number * steps).round() / steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> MonoTime {
        MonoTime::ORIGIN.saturating_add(Duration::from_secs(seconds))
    }

    #[test]
    fn nothing_recorded_means_no_errors() {
        let metrics = Ring::new().metrics(at(9), Duration::from_secs(1));
        assert_eq!(
            (metrics.avg_response_time_ms, metrics.success_rate, metrics.operations_per_second),
            (0.0, 1.0, 0.0)
        );
        assert_eq!((metrics.error_count, metrics.total_operations, metrics.operations.len()), (0, 0, 0));
    }

    #[test]
    fn figures_are_rounded_and_cover_the_window_at_the_time_of_asking() {
        let mut ring = Ring::new();
        for (second, millis, ok) in [(0, 999, false), (10, 1, true), (11, 2, true), (12, 2, false)] {
            ring.push(at(second), "lookup".into(), Duration::from_millis(millis), ok);
        }
        let metrics = ring.metrics(at(12), Duration::from_secs(10));
        assert_eq!((metrics.total_operations, metrics.error_count), (3, 1));
        let rates = (metrics.avg_response_time_ms, metrics.success_rate, metrics.operations_per_second);
        assert_eq!(rates, (1.67, 0.667, 0.3));
        assert_eq!(metrics.operations["lookup"], OperationMetrics { count: 3, errors: 1 });
        assert_eq!(
            ring.metrics(at(22), Duration::from_secs(10)).total_operations,
            0,
            "the window moves with the clock"
        );
    }

    #[test]
    fn the_ring_keeps_the_newest_samples_and_no_more() {
        let mut ring = Ring::new();
        for number in 0..=MAX_METRIC_SAMPLES {
            ring.push(at(0), "op".into(), Duration::ZERO, number > 0);
        }
        let metrics = ring.metrics(at(0), Duration::from_secs(1));
        assert_eq!((metrics.total_operations, metrics.error_count), (MAX_METRIC_SAMPLES, 0));
    }
}
