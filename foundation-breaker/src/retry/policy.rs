//! The policy: how often, how long and after which errors to try again.

use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::{Clock, SystemClock, sleep_until};

use super::attempts::{Attempts, Next};
use super::snapshot::{Counters, RetrySnapshot};
use super::verdict::{EveryError, RetryClassifier, ThroughBreaker, through_breaker};
use super::{Backoff, RetryBudget, RetryError};
use crate::Random;

/// Attempts of an operation, where nothing else is said.
pub const DEFAULT_MAX_ATTEMPTS: NonZeroU32 = NonZeroU32::new(3).expect("not zero");
/// How long after its beginning an operation may be tried again, where nothing else is said.
pub const DEFAULT_RETRY_DEADLINE: Duration = Duration::from_mins(1);

/// Tries an operation again when it fails, within limits on attempts, on time and on load.
///
/// Clones are the same policy and count together. It holds no lock, spawns nothing, and waits only in [`run`](Self::run); code
/// that cannot await steps through [`attempts`](Self::attempts).
///
/// ```
/// use std::num::NonZeroU32;
/// use foundation_breaker::retry::{BudgetOptions, Retry, RetryBudget, RetryVerdict};
///
/// # async fn fetch(attempt: u32) -> Result<u16, std::io::Error> { let _ = attempt; Ok(200) }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let retry = Retry::builder()
///     .max_attempts(NonZeroU32::new(4).expect("not zero"))
///     .budget(RetryBudget::new(BudgetOptions::default())?)
///     .classifier(|error: &std::io::Error| match error.kind() {
///         std::io::ErrorKind::ConnectionRefused => RetryVerdict::Retry,
///         _ => RetryVerdict::GiveUp,
///     })
///     .build();
/// let status = retry.run(|attempt| fetch(attempt)).await?;
/// # let _ = status;
/// # Ok(())
/// # }
/// ```
pub struct Retry<C = SystemClock, K = EveryError>(Arc<Policy<C, K>>);

pub(super) struct Policy<C, K> {
    pub(super) clock: C,
    pub(super) random: Random,
    pub(super) max_attempts: NonZeroU32,
    pub(super) deadline: Duration,
    pub(super) backoff: Backoff,
    pub(super) budget: Option<RetryBudget<C>>,
    pub(super) classifier: K,
    pub(super) counters: Counters,
}

impl Retry {
    /// A policy to be, on the system clock.
    pub fn builder() -> RetryBuilder {
        Self::with_clock(SystemClock)
    }

    /// A policy to be, on `clock`, which is also that of its budget.
    pub fn with_clock<C: Clock>(clock: C) -> RetryBuilder<C> {
        RetryBuilder {
            clock,
            random: None,
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            deadline: DEFAULT_RETRY_DEADLINE,
            backoff: Backoff::default(),
            budget: None,
            classifier: EveryError,
        }
    }
}

impl<C: Clock, K> Retry<C, K> {
    /// Runs `op` until it succeeds or is not worth another attempt. It gets the number of the attempt, from 1.
    ///
    /// The deadline of the policy bounds when attempts begin. One that is under way is not cut short; where attempts may hang,
    /// bound each with [`timeout_at`](foundation_types::timeout_at).
    ///
    /// # Errors
    /// [`RetryError`], with the error of the last attempt and why there were no more.
    ///
    /// # Panics
    /// Panics of `op` and of the classifier reach the caller and end the operation.
    ///
    /// # Cancel safety
    /// Dropping the future drops the attempt that is under way, or cancels the wait for the next and gives its retry back to the
    /// budget. As cancel-safe as `op` otherwise.
    pub async fn run<T, E, F>(&self, mut op: impl FnMut(u32) -> F) -> Result<T, RetryError<E>>
    where
        K: RetryClassifier<E>,
        F: Future<Output = Result<T, E>>,
    {
        let mut attempts = self.attempts();
        loop {
            let error = match op(attempts.begin()).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match attempts.after_failure(self.0.classifier.verdict(&error)) {
                Next::RetryIn(delay) => {
                    sleep_until(&self.0.clock, self.0.clock.mono().saturating_add(delay)).await;
                }
                Next::GiveUp(stopped) => return Err(RetryError::new(error, attempts.made(), stopped)),
            }
        }
    }

    /// The attempts of one operation, to be stepped through by hand. The deadline counts from now.
    pub fn attempts(&self) -> Attempts<C, K> {
        Attempts::new(self.clone())
    }

    /// Whether `error` is worth another attempt, by the classifier of the policy.
    pub fn verdict<E: ?Sized>(&self, error: &E) -> super::RetryVerdict
    where
        K: RetryClassifier<E>,
    {
        self.0.classifier.verdict(error)
    }

    /// The budget, if there is one.
    pub fn budget(&self) -> Option<&RetryBudget<C>> {
        self.0.budget.as_ref()
    }

    /// What has been counted so far. While other threads retry, the numbers need not be of one instant.
    pub fn snapshot(&self) -> RetrySnapshot {
        self.0.counters.snapshot(self.0.budget.as_ref().map(RetryBudget::snapshot))
    }

    pub(super) fn policy(&self) -> &Policy<C, K> {
        &self.0
    }
}

impl<C, K> Clone for Retry<C, K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: Clock, K> fmt::Debug for Retry<C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("max_attempts", &self.0.max_attempts)
            .field("deadline", &self.0.deadline)
            .field("backoff", &self.0.backoff)
            .field("budget", &self.0.budget)
            .finish_non_exhaustive()
    }
}

/// Makes a [`Retry`]. Every combination is valid.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it builds"]
pub struct RetryBuilder<C: Clock = SystemClock, K = EveryError> {
    clock: C,
    random: Option<Random>,
    max_attempts: NonZeroU32,
    deadline: Duration,
    backoff: Backoff,
    budget: Option<RetryBudget<C>>,
    classifier: K,
}

impl<C: Clock, K> RetryBuilder<C, K> {
    /// How often an operation is attempted at most, refused attempts and the first included. By default
    /// [`DEFAULT_MAX_ATTEMPTS`].
    pub fn max_attempts(self, max_attempts: NonZeroU32) -> Self {
        Self { max_attempts, ..self }
    }

    /// How long after the beginning of an operation its last attempt may begin; by default [`DEFAULT_RETRY_DEADLINE`]. A wait
    /// that would take longer is not begun. [`Duration::MAX`] is no limit.
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// How long to wait between attempts.
    pub fn backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// Limits retries by a budget, which policies may share. By default there is none.
    pub fn budget(self, budget: RetryBudget<C>) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// Takes chance from `random`; by default from [`Random::from_entropy`].
    pub fn random(self, random: Random) -> Self {
        Self { random: Some(random), ..self }
    }

    /// Says which errors are worth another attempt; by default all. The argument of a closure needs its type written out.
    pub fn classifier<L>(self, classifier: L) -> RetryBuilder<C, L> {
        self.map_classifier(|_| classifier)
    }

    /// For operations that call through a circuit breaker: refusals wait without taking from the budget, and the classifier set
    /// so far judges the errors of the operation. See [`through_breaker`].
    pub fn through_breaker(self) -> RetryBuilder<C, ThroughBreaker<K>> {
        self.map_classifier(through_breaker)
    }

    fn map_classifier<L>(self, map: impl FnOnce(K) -> L) -> RetryBuilder<C, L> {
        RetryBuilder {
            clock: self.clock,
            random: self.random,
            max_attempts: self.max_attempts,
            deadline: self.deadline,
            backoff: self.backoff,
            budget: self.budget,
            classifier: map(self.classifier),
        }
    }

    /// The policy.
    pub fn build(self) -> Retry<C, K> {
        Retry(Arc::new(Policy {
            clock: self.clock,
            random: self.random.unwrap_or_else(Random::from_entropy),
            max_attempts: self.max_attempts,
            deadline: self.deadline,
            backoff: self.backoff,
            budget: self.budget,
            classifier: self.classifier,
            counters: Counters::default(),
        }))
    }
}
