//! How long to wait between attempts.

use std::fmt;
use std::iter::FusedIterator;
use std::time::Duration;

use foundation_types::Ratio;
use serde::Serialize;

use crate::Random;

/// By what decorrelated jitter multiplies the previous delay to get the longest possible next one.
const DECORRELATED_GROWTH: u32 = 3;

/// How long to wait between attempts: a rule that gives any number of delays.
///
/// Its values are checked when it is made, and no delay it gives is ever longer than [`max`](Self::max).
///
/// What many clients do after they failed together they do together again, unless chance spreads them; hence
/// [`with_jitter`](Self::with_jitter) and [`decorrelated`](Self::decorrelated). Which kind is worth what is shown by Marc Brooker
/// in [Exponential Backoff And Jitter][aws], AWS Architecture Blog, 2015.
///
/// ```
/// use std::time::Duration;
/// use foundation_breaker::Random;
/// use foundation_breaker::retry::Backoff;
///
/// let backoff = Backoff::exponential(Duration::from_millis(100), 2, Duration::from_secs(1))?;
/// let millis: Vec<u128> = backoff.delays(&Random::seeded(1)).map(|delay| delay.as_millis()).take(5).collect();
/// assert_eq!(millis, [100, 200, 400, 800, 1000]);
/// # Ok::<(), foundation_breaker::retry::BackoffError>(())
/// ```
///
/// [aws]: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Backoff {
    curve: Curve,
    jitter: Ratio,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Curve {
    Constant { delay: Duration },
    Exponential { base: Duration, factor: u32, max: Duration },
    Decorrelated { base: Duration, max: Duration },
}

/// Why a backoff is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackoffError {
    /// A delay that is zero and stays zero. Who wants no delay asks for [`Backoff::IMMEDIATE`].
    #[error("the delay must be longer than zero")]
    ZeroDelay,
    /// A factor of zero would make every delay but the first vanish.
    #[error("the factor must be at least 1")]
    ZeroFactor,
    /// The longest delay would be shorter than the first.
    #[error("the longest delay, {max:?}, is less than the first, {base:?}")]
    MaxBelowBase {
        /// The first delay.
        base: Duration,
        /// The longest.
        max: Duration,
    },
    /// Decorrelated delays are random already, and more jitter would take them below their base.
    #[error("decorrelated delays have their own jitter")]
    JitterTwice,
}

impl Backoff {
    /// No delay at all. For what is cheap to try again and never overloaded.
    pub const IMMEDIATE: Self = Self::new(Curve::Constant { delay: Duration::ZERO });

    const fn new(curve: Curve) -> Self {
        Self { curve, jitter: Ratio::ZERO }
    }

    /// The same delay each time.
    ///
    /// # Errors
    /// [`BackoffError::ZeroDelay`].
    pub const fn constant(delay: Duration) -> Result<Self, BackoffError> {
        if delay.is_zero() {
            return Err(BackoffError::ZeroDelay);
        }
        Ok(Self::new(Curve::Constant { delay }))
    }

    /// `base` first, then each time `factor` times the delay before, at most `max`.
    ///
    /// # Errors
    /// [`BackoffError::ZeroDelay`] if `base` is zero, [`BackoffError::ZeroFactor`], [`BackoffError::MaxBelowBase`].
    pub fn exponential(base: Duration, factor: u32, max: Duration) -> Result<Self, BackoffError> {
        check_bounds(base, max)?;
        if factor == 0 {
            return Err(BackoffError::ZeroFactor);
        }
        Ok(Self::new(Curve::Exponential { base, factor, max }))
    }

    /// Each time a random delay between `base` and three times the delay before, at most `max`; the delay before the first
    /// counts as `base`. The "decorrelated jitter" of [Exponential Backoff And Jitter][aws].
    ///
    /// # Errors
    /// [`BackoffError::ZeroDelay`] if `base` is zero, [`BackoffError::MaxBelowBase`].
    ///
    /// [aws]: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    pub fn decorrelated(base: Duration, max: Duration) -> Result<Self, BackoffError> {
        check_bounds(base, max)?;
        Ok(Self::new(Curve::Decorrelated { base, max }))
    }

    /// This backoff with each delay multiplied by a number drawn from `1 - fraction ..= 1`. [`Ratio::ONE`] is what
    /// [Exponential Backoff And Jitter][aws] calls "full jitter", a half is its "equal jitter".
    ///
    /// # Errors
    /// [`BackoffError::JitterTwice`] if the delays are decorrelated.
    ///
    /// [aws]: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    pub const fn with_jitter(self, fraction: Ratio) -> Result<Self, BackoffError> {
        match self.curve {
            Curve::Decorrelated { .. } => Err(BackoffError::JitterTwice),
            curve => Ok(Self { curve, jitter: fraction }),
        }
    }

    /// The longest delay that it can give.
    pub const fn max(&self) -> Duration {
        match self.curve {
            Curve::Constant { delay } => delay,
            Curve::Exponential { max, .. } | Curve::Decorrelated { max, .. } => max,
        }
    }

    /// The share by which jitter may shorten a delay.
    pub const fn jitter(&self) -> Ratio {
        self.jitter
    }

    /// The delays of one operation, with chance from `random`.
    pub fn delays(&self, random: &Random) -> Delays {
        let next = match self.curve {
            Curve::Constant { delay } => delay,
            Curve::Exponential { base, .. } | Curve::Decorrelated { base, .. } => base,
        };
        Delays { backoff: *self, random: random.clone(), state: next }
    }
}

impl Default for Backoff {
    /// 100 milliseconds, doubled each time up to 10 seconds, with full jitter.
    fn default() -> Self {
        let (base, max) = (Duration::from_millis(100), Duration::from_secs(10));
        Self { curve: Curve::Exponential { base, factor: 2, max }, jitter: Ratio::ONE }
    }
}

fn check_bounds(base: Duration, max: Duration) -> Result<(), BackoffError> {
    if base.is_zero() {
        Err(BackoffError::ZeroDelay)
    } else if max < base {
        Err(BackoffError::MaxBelowBase { base, max })
    } else {
        Ok(())
    }
}

/// The delays between the attempts of one operation, in their order. Never ends.
#[derive(Clone)]
pub struct Delays {
    backoff: Backoff,
    random: Random,
    /// The next delay before jitter; where delays are decorrelated, the one before.
    state: Duration,
}

impl Iterator for Delays {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let delay = match self.backoff.curve {
            Curve::Constant { delay } => delay,
            Curve::Exponential { factor, max, .. } => {
                let delay = self.state;
                self.state = delay.saturating_mul(factor).min(max);
                delay
            }
            Curve::Decorrelated { base, max } => {
                // No delay is below `base`, so neither is its multiple.
                let span = self.state.saturating_mul(DECORRELATED_GROWTH).saturating_sub(base);
                self.state = (base + self.random.duration_below(span)).min(max);
                self.state
            }
        };
        Some(self.jittered(delay))
    }
}

impl FusedIterator for Delays {}

impl Delays {
    fn jittered(&self, delay: Duration) -> Duration {
        let jitter = self.backoff.jitter;
        if jitter == Ratio::ZERO {
            return delay;
        }
        // As a float, the longest duration rounds up to more than a duration can be.
        let span = if jitter == Ratio::ONE { delay } else { delay.mul_f64(jitter.get()).min(delay) };
        delay.saturating_sub(self.random.duration_below(span))
    }
}

impl fmt::Debug for Delays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delays").field("backoff", &self.backoff).finish_non_exhaustive()
    }
}
