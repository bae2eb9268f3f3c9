//! What an agent has done, and how fast.

use serde::Serialize;

use crate::{FiniteF64, Ratio, Timestamp};

/// What an agent has done, as last reported, and the rates that follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PerformanceMetrics {
    /// Tasks that succeeded.
    pub tasks_completed: u64,
    /// Tasks that failed.
    pub tasks_failed: u64,
    /// Mean time per task in milliseconds, as last reported.
    pub average_task_duration: FiniteF64,
    /// Tasks per second, as last reported.
    pub throughput_per_second: FiniteF64,
    /// Share of tasks that failed.
    pub error_rate: Ratio,
    /// Share of tasks that succeeded.
    pub success_rate: Ratio,
    /// When any of this was last reported.
    pub last_performance_update: Timestamp,
}

impl PerformanceMetrics {
    /// The record of an agent that has done nothing yet.
    pub fn new(now: Timestamp) -> Self {
        Self {
            tasks_completed: 0,
            tasks_failed: 0,
            average_task_duration: FiniteF64::default(),
            throughput_per_second: FiniteF64::default(),
            error_rate: Ratio::ZERO,
            success_rate: Ratio::ZERO,
            last_performance_update: now,
        }
    }

    /// Takes over what `patch` gives and derives the rates: once there are any tasks, the rates are those of the counts,
    /// whatever the patch says.
    pub fn update(&mut self, patch: &PerformancePatch, now: Timestamp) {
        self.tasks_completed = patch.tasks_completed.unwrap_or(self.tasks_completed);
        self.tasks_failed = patch.tasks_failed.unwrap_or(self.tasks_failed);
        self.average_task_duration = patch.average_task_duration.unwrap_or(self.average_task_duration);
        self.throughput_per_second = patch.throughput_per_second.unwrap_or(self.throughput_per_second);
        self.error_rate = patch.error_rate.unwrap_or(self.error_rate);
        self.success_rate = patch.success_rate.unwrap_or(self.success_rate);
        // As floats the sum of two large counts cannot overflow.
        let (completed, failed) = (self.tasks_completed as f64, self.tasks_failed as f64);
        let total = completed + failed;
        if total > 0.0 {
            self.success_rate = Ratio::saturating(completed / total);
            self.error_rate = Ratio::saturating(failed / total);
        }
        self.last_performance_update = now;
    }
}

/// A report of performance: the fields given replace those of [`PerformanceMetrics`], the others stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PerformancePatch {
    /// Tasks that succeeded, in total.
    pub tasks_completed: Option<u64>,
    /// Tasks that failed, in total.
    pub tasks_failed: Option<u64>,
    /// Mean time per task in milliseconds.
    pub average_task_duration: Option<FiniteF64>,
    /// Tasks per second.
    pub throughput_per_second: Option<FiniteF64>,
    /// Share of tasks that failed; counts only while no tasks are known.
    pub error_rate: Option<Ratio>,
    /// Share of tasks that succeeded; counts only while no tasks are known.
    pub success_rate: Option<Ratio>,
}
