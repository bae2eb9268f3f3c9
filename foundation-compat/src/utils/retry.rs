//! Trying again what failed.

use std::num::NonZeroU32;
use std::time::Duration;

use foundation_breaker::Random;
use foundation_breaker::retry::{Backoff, Next, Retry, RetryBuilder, RetryError, RetryVerdict};
use foundation_types::{Clock, Ratio, sleep_until};

use crate::global;

/// How often [`retry_1`] tries.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 3;
/// How long [`retry_1`] waits before the second attempt.
pub const DEFAULT_BASE_DELAY: Duration = Duration::from_millis(100);
/// How long [`retry_1`] waits at most.
pub const DEFAULT_MAX_DELAY: Duration = Duration::from_secs(5);

/// The factor between one delay and the next.
const GROWTH: u32 = 2;

/// How [`retry`] goes about it. `S` waits.
#[derive(Clone, Debug)]
#[must_use]
pub struct RetryOptions<S = fn(Duration)> {
    max_attempts: u32,
    base_delay: Duration,
    max_delay: Duration,
    jitter: Ratio,
    random: Option<Random>,
    sleeper: S,
}

impl RetryOptions {
    /// Three attempts, with delays of 100 ms and 200 ms between them that block the calling thread.
    pub const fn new() -> Self {
        Self {
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            base_delay: DEFAULT_BASE_DELAY,
            max_delay: DEFAULT_MAX_DELAY,
            jitter: Ratio::ZERO,
            random: None,
            sleeper: block,
        }
    }
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> RetryOptions<S> {
    /// The option `max_attempts`, the first included. 0 counts as 1.
    pub fn max_attempts(self, max_attempts: u32) -> Self {
        Self { max_attempts, ..self }
    }

    /// The option `base_delay`: the delay before the second attempt. It doubles with each further one. Zero stays zero.
    pub fn base_delay(self, base_delay: Duration) -> Self {
        Self { base_delay, ..self }
    }

    /// The option `max_delay`: no delay is longer, the first included.
    pub fn max_delay(self, max_delay: Duration) -> Self {
        Self { max_delay, ..self }
    }

    /// The share by which chance may shorten a delay, so that those who failed together do not come back together. None by
    /// default.
    pub fn jitter(self, jitter: Ratio) -> Self {
        Self { jitter, ..self }
    }

    /// Where chance comes from; by default from [`Random::from_entropy`].
    pub fn random(self, random: Random) -> Self {
        Self { random: Some(random), ..self }
    }

    /// What waits; by default the calling thread, on the clock of the global instance.
    pub fn sleeper<T: FnMut(Duration)>(self, sleeper: T) -> RetryOptions<T> {
        let Self { max_attempts, base_delay, max_delay, jitter, random, sleeper: _ } = self;
        RetryOptions { max_attempts, base_delay, max_delay, jitter, random, sleeper }
    }

    fn backoff(&self) -> Backoff {
        let base = self.base_delay.min(self.max_delay);
        // All that can be wrong with these is that there is no delay.
        let backoff = Backoff::exponential(base, GROWTH, self.max_delay).unwrap_or(Backoff::IMMEDIATE);
        backoff.with_jitter(self.jitter).expect("exponential and constant delays have no jitter of their own")
    }
}

/// Runs `operation` until it succeeds, or has failed as often as it may. Between attempts it waits
/// `min(base_delay × 2^(attempt - 1), max_delay)`, less the jitter if any.
///
/// Blocks while it waits; [`Retry::run`] is its asynchronous sibling, with deadlines and budgets.
///
/// # Errors
/// [`RetryError`], with the number of attempts and the error of the last.
///
/// # Panics
/// Panics of `operation` and of the sleeper reach the caller at once.
pub fn retry<T, E>(
    mut operation: impl FnMut() -> Result<T, E>,
    options: RetryOptions<impl FnMut(Duration)>,
) -> Result<T, RetryError<E>> {
    let policy = Retry::builder()
        .max_attempts(NonZeroU32::new(options.max_attempts).unwrap_or(NonZeroU32::MIN))
        .backoff(options.backoff())
        .deadline(Duration::MAX);
    let policy = options.random.into_iter().fold(policy, RetryBuilder::random).build();
    let mut sleeper = options.sleeper;
    let mut attempts = policy.attempts();
    loop {
        attempts.begin();
        let error = match operation() {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        match attempts.after_failure(RetryVerdict::Retry) {
            Next::RetryIn(delay) => sleeper(delay),
            Next::GiveUp(stopped) => return Err(RetryError::new(error, attempts.made(), stopped)),
        }
    }
}

/// As [`retry`] with [`RetryOptions::new`].
///
/// # Errors
/// As there.
pub fn retry_1<T, E>(operation: impl FnMut() -> Result<T, E>) -> Result<T, RetryError<E>> {
    retry(operation, RetryOptions::new())
}

/// Blocks the calling thread until the clock has moved on by `delay`.
fn block(delay: Duration) {
    let clock = global::clock();
    pollster::block_on(sleep_until(&*clock, clock.mono().saturating_add(delay)));
}
