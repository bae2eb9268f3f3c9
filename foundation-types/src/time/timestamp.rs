//! Points in time.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bridge;

/// A point in wall time: UTC, microsecond resolution, from the year -9999 to 9999.
///
/// Its text form is RFC 3339 with `Z`. Wall time can be set back: use it for stamps, and [`MonoTime`] for durations.
///
/// ```
/// use foundation_types::Timestamp;
///
/// let stamp: Timestamp = "2024-05-01T12:00:00.25Z".parse()?;
/// assert_eq!(stamp.as_micros(), 1_714_564_800_250_000);
/// assert_eq!(stamp.to_string(), "2024-05-01T12:00:00.25Z");
/// # Ok::<(), foundation_types::TimestampError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(0);
    /// The earliest timestamp, in the year -9999.
    pub const MIN: Self = Self(-377_705_023_201_000_000);
    /// The latest timestamp, on the last day of the year 9999.
    pub const MAX: Self = Self(253_402_207_200_999_999);

    /// The point this many microseconds after the Unix epoch (before it, if negative).
    ///
    /// # Errors
    /// [`TimestampError::OutOfRange`] outside [`Timestamp::MIN`]`..=`[`Timestamp::MAX`].
    pub const fn from_micros(micros: i64) -> Result<Self, TimestampError> {
        if micros < Self::MIN.0 || micros > Self::MAX.0 {
            return Err(TimestampError::OutOfRange);
        }
        Ok(Self(micros))
    }

    /// Microseconds since the Unix epoch; negative before it.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This point moved by `duration` into the future, at most to [`Timestamp::MAX`]. Parts of a microsecond are dropped.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros).min(Self::MAX.0))
    }

    /// This point moved by `duration` into the past, at most to [`Timestamp::MIN`]. Parts of a microsecond are dropped.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros).max(Self::MIN.0))
    }

    /// How long after `earlier` this point is; zero if it is not after it.
    pub fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl From<SystemTime> for Timestamp {
    /// The same instant cut to microseconds, and to the nearest bound where it lies outside the range.
    fn from(time: SystemTime) -> Self {
        let micros = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
        };
        Self(micros.clamp(Self::MIN.0, Self::MAX.0))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads RFC 3339 with any offset. Digits past the microsecond are cut off.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let stamp: jiff::Timestamp = text.parse().map_err(|_| TimestampError::Malformed)?;
        let nanos = stamp.as_nanosecond();
        let micros = i64::try_from(nanos.div_euclid(1_000)).map_err(|_| TimestampError::OutOfRange)?;
        Self::from_micros(micros)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not from microseconds: that conversion refuses the last second of the range.
        let stamp = jiff::Timestamp::from_nanosecond(i128::from(self.0) * 1_000).map_err(|_| fmt::Error)?;
        fmt::Display::fmt(&stamp, f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A newtype of its text, as formats see it; the name tells `bridge` to keep it a time.
        serializer.serialize_newtype_struct(bridge::TIMESTAMP, &format_args!("{self}"))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TimestampVisitor;

        impl<'de> Visitor<'de> for TimestampVisitor {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Timestamp, D::Error> {
                deserializer.deserialize_str(self)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_newtype_struct(bridge::TIMESTAMP, TimestampVisitor)
    }
}

/// Why a text or number is not a [`Timestamp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// The text is not RFC 3339.
    #[error("not an RFC 3339 time")]
    Malformed,
    /// The instant lies outside the years -9999 to 9999.
    #[error("time outside the years -9999 to 9999")]
    OutOfRange,
}

/// A point in monotonic time: nanoseconds since the origin of the clock that gave it.
///
/// Points of different clocks have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MonoTime(u64);

impl MonoTime {
    /// The origin of the clock.
    pub const ORIGIN: Self = Self(0);
    /// A point that is never reached (584 years after the origin).
    pub const NEVER: Self = Self(u64::MAX);

    /// The point this many nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This point moved by `duration` into the future, at most to [`MonoTime::NEVER`].
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this point is; zero if it is not after it.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_have_a_text_form_that_reads_back() {
        for stamp in [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH] {
            assert_eq!(stamp.to_string().parse(), Ok(stamp), "{}", stamp.as_micros());
        }
        assert_eq!(Timestamp::from_micros(i64::MAX), Err(TimestampError::OutOfRange));
    }

    #[test]
    fn offsets_are_resolved_and_nanoseconds_cut() {
        let stamp: Timestamp = "1969-12-31T23:59:59.999999999Z".parse().expect("valid");
        assert_eq!(stamp.as_micros(), -1);
        let offset: Timestamp = "1970-01-01T01:00:00+01:00".parse().expect("valid");
        assert_eq!(offset, Timestamp::UNIX_EPOCH);
        assert_eq!("yesterday".parse::<Timestamp>(), Err(TimestampError::Malformed));
    }
}
