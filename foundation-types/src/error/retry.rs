//! When to try again.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::vocabulary::UnknownWord;
use crate::{Metadata, Value};

const BASE: Duration = Duration::from_secs(1);
const CUSTOM: Duration = Duration::from_secs(5);
const CAP: Duration = Duration::from_secs(30);

/// How the delay before the next attempt follows from the number of attempts made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum RetryStrategy {
    /// Never; also read from the text `none`.
    #[default]
    NoRetry,
    /// At once.
    Immediate,
    /// After 1 s.
    FixedDelay,
    /// After `attempt` × 1 s, at most 30 s.
    LinearBackoff,
    /// After 1 s × 2^`attempt`, at most 30 s.
    ExponentialBackoff,
    /// After the delay that the error carries as `base_delay` in its retry context, or 5 s.
    Custom,
}

impl RetryStrategy {
    /// Every strategy.
    pub const ALL: [Self; 6] =
        [Self::NoRetry, Self::Immediate, Self::FixedDelay, Self::LinearBackoff, Self::ExponentialBackoff, Self::Custom];

    /// The word in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoRetry => "no_retry",
            Self::Immediate => "immediate",
            Self::FixedDelay => "fixed_delay",
            Self::LinearBackoff => "linear_backoff",
            Self::ExponentialBackoff => "exponential_backoff",
            Self::Custom => "custom",
        }
    }

    /// The delay before attempt `attempt`, counted from 0. Total: huge attempts saturate.
    pub fn delay(self, attempt: u32) -> RetryDelay {
        Backoff::default().delay(self, attempt)
    }
}

impl FromStr for RetryStrategy {
    type Err = UnknownWord;

    /// Reads the word of a strategy; `none` is [`RetryStrategy::NoRetry`].
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        if text == "none" {
            return Ok(Self::NoRetry);
        }
        Self::ALL.into_iter().find(|strategy| strategy.as_str() == text).ok_or(UnknownWord("retry strategy"))
    }
}

impl fmt::Display for RetryStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for RetryStrategy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RetryStrategy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// When the next attempt is due. `Never` is later than every delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetryDelay {
    /// After this long.
    After(Duration),
    /// Not at all.
    Never,
}

impl RetryDelay {
    /// The delay; `None` for never.
    pub const fn duration(self) -> Option<Duration> {
        match self {
            Self::After(delay) => Some(delay),
            Self::Never => None,
        }
    }

    /// A random delay from zero to this one ("full jitter"), given a source of uniformly random 64-bit numbers.
    ///
    /// Spreads the retries of clients that failed together; see
    /// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.
    #[must_use]
    pub fn with_jitter(self, random: impl FnOnce() -> u64) -> Self {
        match self {
            Self::After(delay) => Self::After(delay.mul_f64(random() as f64 / u64::MAX as f64).min(delay)),
            Self::Never => Self::Never,
        }
    }
}

/// What a caller should do about an error, as far as trying again goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryAdvice {
    /// The strategy in force.
    pub strategy: RetryStrategy,
    /// When the next attempt is due; `None` if the strategy is never or the attempts are used up.
    pub next: Option<RetryDelay>,
    pub(super) transient: bool,
}

impl RetryAdvice {
    /// Whether the same operation may succeed later without anyone changing anything.
    ///
    /// `false` where nothing is ever retried, and for every error of configuration, validation, permission, corruption
    /// or absence, whatever the strategy says. Automatic retries should require `true`.
    pub const fn is_transient(self) -> bool {
        self.transient
    }
}

/// The numbers of a back-off; the fields of an error's retry context override the defaults.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    base: Option<Duration>,
    max: Option<Duration>,
    factor: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: None, max: None, factor: 2.0 }
    }
}

impl Backoff {
    /// Reads `base_delay` and `max_delay` (milliseconds) and `backoff_factor` (at least 1). What is absent or makes no
    /// sense leaves the default in force.
    pub(super) fn from_context(context: &Metadata) -> Self {
        let millis = |key| {
            let millis = context.get(key).and_then(Value::as_f64)?;
            Duration::try_from_secs_f64(millis / 1_000.0).ok()
        };
        let factor = context.get("backoff_factor").and_then(Value::as_f64).filter(|factor| *factor >= 1.0);
        Self { base: millis("base_delay"), max: millis("max_delay"), factor: factor.unwrap_or(2.0) }
    }

    pub(super) fn delay(self, strategy: RetryStrategy, attempt: u32) -> RetryDelay {
        let base = self.base.unwrap_or(BASE);
        let uncapped = self.max.unwrap_or(Duration::MAX);
        RetryDelay::After(match strategy {
            RetryStrategy::NoRetry => return RetryDelay::Never,
            RetryStrategy::Immediate => Duration::ZERO,
            RetryStrategy::FixedDelay => base.min(uncapped),
            RetryStrategy::Custom => self.base.unwrap_or(CUSTOM).min(uncapped),
            RetryStrategy::LinearBackoff => base.saturating_mul(attempt).min(self.max.unwrap_or(CAP)),
            RetryStrategy::ExponentialBackoff => self.exponential(base, attempt).min(self.max.unwrap_or(CAP)),
        })
    }

    fn exponential(self, base: Duration, attempt: u32) -> Duration {
        if base.is_zero() {
            // Zero times an overflowed power would be no number.
            return base;
        }
        let power = self.factor.powi(i32::try_from(attempt).unwrap_or(i32::MAX));
        Duration::try_from_secs_f64(base.as_secs_f64() * power).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_context_overrides_the_numbers() {
        let context = Metadata::new().with("base_delay", 100).with("max_delay", 2_500).with("backoff_factor", 3);
        let backoff = Backoff::from_context(&context);
        let millis = |strategy, attempt| backoff.delay(strategy, attempt).duration().map(|delay| delay.as_millis());
        assert_eq!(millis(RetryStrategy::ExponentialBackoff, 2), Some(900));
        assert_eq!(millis(RetryStrategy::ExponentialBackoff, u32::MAX), Some(2_500));
        assert_eq!(millis(RetryStrategy::LinearBackoff, 4), Some(400));
        assert_eq!(millis(RetryStrategy::FixedDelay, 9), Some(100));
        assert_eq!(millis(RetryStrategy::Custom, 0), Some(100));
    }

    #[test]
    fn senseless_overrides_are_ignored() {
        let context = Metadata::new().with("base_delay", -5).with("max_delay", "soon").with("backoff_factor", 0);
        let backoff = Backoff::from_context(&context);
        assert_eq!(backoff.delay(RetryStrategy::ExponentialBackoff, 1), RetryDelay::After(Duration::from_secs(2)));
    }

    #[test]
    fn a_zero_base_stays_zero() {
        let backoff = Backoff::from_context(&Metadata::new().with("base_delay", 0));
        assert_eq!(backoff.delay(RetryStrategy::ExponentialBackoff, u32::MAX), RetryDelay::After(Duration::ZERO));
    }
}
