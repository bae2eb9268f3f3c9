//! Shares of a whole.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{FiniteF64, Value};

/// A share of a whole: a float in `0.0..=1.0`, never NaN, never `-0.0`; hence totally ordered and hashable.
///
/// ```
/// use foundation_types::Ratio;
///
/// let usage = Ratio::new(0.75)?;
/// assert!(usage < Ratio::ONE);
/// assert!(Ratio::new(1.5).is_err());
/// assert_eq!(Ratio::saturating(1.5), Ratio::ONE);
/// # Ok::<(), foundation_types::RatioError>(())
/// ```
#[derive(Clone, Copy, Default)]
pub struct Ratio(f64);

impl Ratio {
    /// Nothing of it.
    pub const ZERO: Self = Self(0.0);
    /// All of it.
    pub const ONE: Self = Self(1.0);

    /// Checks that `value` is in `0.0..=1.0`.
    ///
    /// # Errors
    /// [`RatioError::NotANumber`] or [`RatioError::OutOfRange`].
    pub const fn new(value: f64) -> Result<Self, RatioError> {
        if value.is_nan() {
            Err(RatioError::NotANumber)
        } else if value >= 0.0 && value <= 1.0 {
            // Adding zero turns -0.0 into 0.0 and changes nothing else.
            Ok(Self(value + 0.0))
        } else {
            Err(RatioError::OutOfRange { value })
        }
    }

    /// The nearest ratio to `value`. NaN gives [`Ratio::ONE`]: a measurement that failed must not look like room.
    pub const fn saturating(value: f64) -> Self {
        match Self::new(value) {
            Ok(ratio) => ratio,
            Err(_) if value < 0.0 => Self::ZERO,
            Err(_) => Self::ONE,
        }
    }

    /// The float.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The mean of some ratios; `None` if there are none.
    pub fn mean(ratios: impl IntoIterator<Item = Self>) -> Option<Self> {
        let (sum, count) = ratios.into_iter().fold((0.0, 0_u64), |(sum, count), ratio| (sum + ratio.0, count + 1));
        (count > 0).then(|| Self::saturating(sum / count as f64))
    }
}

impl TryFrom<f64> for Ratio {
    type Error = RatioError;

    fn try_from(value: f64) -> Result<Self, RatioError> {
        Self::new(value)
    }
}

impl From<Ratio> for f64 {
    fn from(ratio: Ratio) -> Self {
        ratio.0
    }
}

impl From<Ratio> for FiniteF64 {
    fn from(ratio: Ratio) -> Self {
        Self::new(ratio.0).expect("a ratio is finite")
    }
}

impl From<Ratio> for Value {
    /// A float.
    fn from(ratio: Ratio) -> Self {
        Self::Float(ratio.into())
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Ratio {}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Ratio {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Why a float is not a [`Ratio`].
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RatioError {
    /// It is NaN.
    #[error("not a number")]
    NotANumber,
    /// It lies outside `0.0..=1.0`.
    #[error("{value} is not in 0.0..=1.0")]
    OutOfRange {
        /// The float.
        value: f64,
    },
}
