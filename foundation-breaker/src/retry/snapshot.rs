//! What retries have come to.

// Never loom's: the counts are for reports and decide nothing.
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::{BudgetSnapshot, Stopped};

/// What a retry policy has counted since it was made, and its budget. Counts wrap around.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RetrySnapshot {
    /// Operations that were begun.
    pub operations: u64,
    /// Attempts of them that were begun after their first, refused ones included.
    pub retries: u64,
    /// Attempts that were refused before anything was sent.
    pub refusals: u64,
    /// Operations that were given up after as many attempts as may be made.
    pub attempts_exhausted: u64,
    /// Operations that were given up for want of a budget.
    pub budget_exhausted: u64,
    /// Operations that were given up because the next attempt would have come too late.
    pub deadline_exceeded: u64,
    /// Operations that failed with an error that was not worth another attempt.
    pub not_retryable: u64,
    /// The budget, if there is one.
    pub budget: Option<BudgetSnapshot>,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    operations: AtomicU64,
    retries: AtomicU64,
    refusals: AtomicU64,
    attempts_exhausted: AtomicU64,
    budget_exhausted: AtomicU64,
    deadline_exceeded: AtomicU64,
    not_retryable: AtomicU64,
}

impl Counters {
    pub(super) fn operation(&self) {
        add(&self.operations);
    }

    /// The `nth` attempt of an operation begins.
    pub(super) fn attempt(&self, nth: u32) {
        if nth > 1 {
            add(&self.retries);
        }
    }

    pub(super) fn refusal(&self) {
        add(&self.refusals);
    }

    pub(super) fn stopped(&self, stopped: Stopped) {
        add(match stopped {
            Stopped::Attempts => &self.attempts_exhausted,
            Stopped::Budget => &self.budget_exhausted,
            Stopped::Deadline => &self.deadline_exceeded,
            Stopped::NotRetryable => &self.not_retryable,
        });
    }

    pub(super) fn snapshot(&self, budget: Option<BudgetSnapshot>) -> RetrySnapshot {
        RetrySnapshot {
            operations: get(&self.operations),
            retries: get(&self.retries),
            refusals: get(&self.refusals),
            attempts_exhausted: get(&self.attempts_exhausted),
            budget_exhausted: get(&self.budget_exhausted),
            deadline_exceeded: get(&self.deadline_exceeded),
            not_retryable: get(&self.not_retryable),
            budget,
        }
    }
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

fn get(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}
