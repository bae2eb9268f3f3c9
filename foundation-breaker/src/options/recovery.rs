//! How an open circuit closes again.

use std::time::Duration;

use foundation_types::Ratio;
use serde::Serialize;

use super::OptionsError;

/// The most calls that may probe at once.
pub const MAX_PROBES: u32 = 65_535;

/// How an open circuit closes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Recovery {
    /// It closes by itself, with full traffic at once, as Erlang's fuse does.
    AutoClose {
        /// How long after it opened.
        after: Duration,
    },
    /// A few calls are let through to see whether what failed works again.
    Probe(Probe),
}

/// How probing goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// How long the circuit stays open before it probes.
    pub open_for: OpenFor,
    /// The share by which an opening may be shorter, at random: the time is multiplied by a number drawn from
    /// `1 - jitter ..= 1`. Keeps the breakers of many processes from probing at one instant.
    pub jitter: Ratio,
    /// How many calls may probe at once, 1 to [`MAX_PROBES`].
    pub max_concurrent: u32,
    /// How many probes have to succeed to close the circuit, at least 1.
    pub required_successes: u32,
    /// How many probes may fail before the circuit opens again; the next one opens it.
    pub max_failures: u32,
    /// When a probe that has not reported is given up and the circuit opens again, so that a call that hangs, or a permit
    /// that leaks, cannot block it for ever.
    pub probe_timeout: Duration,
}

impl Default for Probe {
    /// One probe at a time after 60 seconds; one success closes, one failure opens; given up after 60 seconds.
    fn default() -> Self {
        Self {
            open_for: OpenFor::Constant(Duration::from_mins(1)),
            jitter: Ratio::ZERO,
            max_concurrent: 1,
            required_successes: 1,
            max_failures: 0,
            probe_timeout: Duration::from_mins(1),
        }
    }
}

/// How long a circuit stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OpenFor {
    /// Always the same time.
    Constant(Duration),
    /// The n-th opening in a row lasts `base * factor^(n - 1)`, at most `max`. Closing begins the row anew.
    Exponential {
        /// The first opening.
        base: Duration,
        /// By what each further one is longer, at least 1.
        factor: u32,
        /// The longest opening.
        max: Duration,
    },
}

impl OpenFor {
    /// How long the `nth` opening in a row lasts, counted from 1, before jitter.
    pub(crate) fn nth(self, nth: u32) -> Duration {
        match self {
            Self::Constant(time) => time,
            Self::Exponential { base, factor, max } => {
                let factor = u128::from(factor).checked_pow(nth.saturating_sub(1));
                let nanos = factor.and_then(|factor| base.as_nanos().checked_mul(factor));
                match nanos.map(u64::try_from) {
                    Some(Ok(nanos)) => Duration::from_nanos(nanos).min(max),
                    Some(Err(_)) | None => max,
                }
            }
        }
    }

    fn check(self) -> Result<(), OptionsError> {
        match self {
            Self::Constant(time) if time.is_zero() => Err(OptionsError::ZeroOpenTime),
            Self::Exponential { base, .. } if base.is_zero() => Err(OptionsError::ZeroOpenTime),
            Self::Exponential { factor: 0, .. } => Err(OptionsError::ZeroFactor),
            Self::Exponential { base, max, .. } if max < base => Err(OptionsError::MaxBelowBase { base, max }),
            Self::Constant(_) | Self::Exponential { .. } => Ok(()),
        }
    }
}

impl Recovery {
    pub(super) fn check(&self) -> Result<(), OptionsError> {
        match self {
            Self::AutoClose { after } if after.is_zero() => Err(OptionsError::ZeroOpenTime),
            Self::AutoClose { .. } => Ok(()),
            Self::Probe(probe) => probe.check(),
        }
    }
}

impl Probe {
    fn check(&self) -> Result<(), OptionsError> {
        self.open_for.check()?;
        if self.max_concurrent == 0 || self.max_concurrent > MAX_PROBES {
            return Err(OptionsError::ProbesOutOfRange { max_concurrent: self.max_concurrent });
        }
        if self.required_successes == 0 {
            return Err(OptionsError::ZeroRequiredSuccesses);
        }
        if self.probe_timeout.is_zero() {
            return Err(OptionsError::ZeroProbeTimeout);
        }
        Ok(())
    }
}
