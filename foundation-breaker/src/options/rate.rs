//! Shares of calls, in basis points.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::OptionsError;

/// A share of calls: 1 to 10 000 basis points, that is 0.01 % to 100 %. Compared exactly, without rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Rate(u16);

impl Rate {
    /// All calls.
    pub const ALL: Self = Self(10_000);

    /// The rate of this many basis points.
    ///
    /// # Errors
    /// [`OptionsError::RateOutOfRange`] outside 1..=10 000.
    pub const fn basis_points(points: u32) -> Result<Self, OptionsError> {
        if points == 0 || points > 10_000 {
            return Err(OptionsError::RateOutOfRange { basis_points: points });
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 10 000")]
        Ok(Self(points as u16))
    }

    /// The rate of this many per cent.
    ///
    /// # Errors
    /// [`OptionsError::RateOutOfRange`] outside 1..=100.
    pub const fn percent(percent: u32) -> Result<Self, OptionsError> {
        Self::basis_points(percent.saturating_mul(100))
    }

    /// In basis points.
    pub const fn as_basis_points(self) -> u16 {
        self.0
    }

    /// Whether `part` of `whole` is this rate or more.
    pub(crate) const fn is_reached(self, part: u64, whole: u64) -> bool {
        (part as u128) * 10_000 >= (self.0 as u128) * (whole as u128)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} %", self.0 / 100, self.0 % 100)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::basis_points(u32::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
