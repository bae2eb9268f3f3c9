//! Factors that limits are scaled by: exact decimals, so that 0.7 of 90 is 63.

use std::fmt;
use std::str::FromStr;

use foundation_types::Ratio;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The basis points in 1.
const ONE: u32 = 10_000;
const DECIMALS: usize = 4;

/// A decimal of four places, from 0 to 429 496.7295.
///
/// ```
/// use foundation_resources::rate_limit::agent::Factor;
///
/// let factor: Factor = "0.7".parse()?;
/// assert_eq!(factor.scale(90), 63);
/// assert_eq!(factor.scale(1), 1, "what was there is never scaled to nothing");
/// assert_eq!(factor.scale(0), 0);
/// # Ok::<(), foundation_resources::rate_limit::agent::FactorError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Factor(u32);

impl Factor {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// No change.
    pub const ONE: Self = Self(ONE);
    /// The largest factor.
    pub const MAX: Self = Self(u32::MAX);

    /// The factor of so many ten-thousandths.
    pub const fn from_basis_points(points: u32) -> Self {
        Self(points)
    }

    /// Its ten-thousandths.
    pub const fn basis_points(self) -> u32 {
        self.0
    }

    /// `limit` times this factor, rounded down, at most `u32::MAX`, and at least 1 unless the limit is 0.
    pub fn scale(self, limit: u32) -> u32 {
        if limit == 0 {
            return 0;
        }
        let scaled = u64::from(limit) * u64::from(self.0) / u64::from(ONE);
        u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
    }

    /// The nearest float.
    pub fn get(self) -> f64 {
        f64::from(self.0) / f64::from(ONE)
    }
}

impl Default for Factor {
    /// No change.
    fn default() -> Self {
        Self::ONE
    }
}

impl From<Ratio> for Factor {
    /// The nearest factor.
    fn from(ratio: Ratio) -> Self {
        // In 0..=10000, and never NaN.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a ratio is in 0.0..=1.0")]
        Self((ratio.get() * f64::from(ONE)).round() as u32)
    }
}

impl TryFrom<f64> for Factor {
    type Error = FactorError;

    /// The nearest factor.
    fn try_from(float: f64) -> Result<Self, FactorError> {
        let points = (float * f64::from(ONE)).round();
        if points >= 0.0 && points <= f64::from(u32::MAX) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "just tested")]
            return Ok(Self(points as u32));
        }
        Err(FactorError)
    }
}

impl FromStr for Factor {
    type Err = FactorError;

    /// Reads a decimal such as `1.25`. More than four places are refused unless they are zeros.
    fn from_str(text: &str) -> Result<Self, FactorError> {
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let places = places.trim_end_matches('0');
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || places.len() > DECIMALS || !digits(whole) || !digits(places) {
            return Err(FactorError);
        }
        let points = format!("{whole}{places:0<DECIMALS$}");
        points.parse().map(Self).map_err(|_| FactorError)
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, places) = (self.0 / ONE, self.0 % ONE);
        if places == 0 {
            return write!(f, "{whole}.0");
        }
        let places = format!("{places:0DECIMALS$}");
        write!(f, "{whole}.{}", places.trim_end_matches('0'))
    }
}

impl fmt::Debug for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Factor {
    /// A float.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.get())
    }
}

impl<'de> Deserialize<'de> for Factor {
    /// The factor nearest to a float.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

/// The text or number is no [`Factor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a factor: a decimal of at most four places, from 0 to 429496.7295")]
pub struct FactorError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_is_an_exact_decimal_and_reads_back() {
        for (text, points) in [("0.0", 0), ("0.7", 7_000), ("1.0", 10_000), ("1.25", 12_500), ("429496.7295", u32::MAX)]
        {
            let factor = Factor::from_basis_points(points);
            assert_eq!((text.parse(), factor.to_string().as_str()), (Ok(factor), text));
            assert_eq!(Factor::try_from(factor.get()), Ok(factor));
        }
        assert_eq!("3".parse(), Ok(Factor::from_basis_points(30_000)));
        assert_eq!("0.50000".parse(), Ok(Factor::from_basis_points(5_000)));
        for text in ["", ".5", "-1", "1.00001", "1e3", "429496.7296", "0,7"] {
            assert_eq!(text.parse::<Factor>(), Err(FactorError), "{text}");
        }
        for float in [-0.1, f64::NAN, f64::INFINITY, 429_496.73] {
            assert_eq!(Factor::try_from(float), Err(FactorError), "{float}");
        }
    }
}
