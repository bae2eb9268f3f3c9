//! How much is allowed in how long.

use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest window: 2^63 ns, about 292 years.
pub const MAX_WINDOW: Duration = Duration::from_nanos(1 << 63);

/// So many requests in a window of such a length.
///
/// Serialised it is `{"limit": n, "window_ms": n}`, with `window_ns` instead where the window is no whole number of
/// milliseconds, and with `burst` where one is set. Reading also accepts `{"limit", "scale"}` and `{"requests", "window"}`,
/// in milliseconds.
///
/// ```
/// use std::time::Duration;
/// use foundation_resources::rate_limit::{Quota, QuotaError};
///
/// let quota = Quota::new(100, Duration::from_mins(1))?;
/// assert_eq!(quota, Quota::per_minute(100));
/// assert_eq!(Quota::new(100, Duration::ZERO), Err(QuotaError::ZeroWindow));
/// # Ok::<(), QuotaError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    limit: u32,
    burst: Option<u32>,
    window: NonZeroU64,
}

impl Quota {
    /// At most `limit` in `window`. A limit of 0 denies everything.
    ///
    /// # Errors
    /// [`QuotaError::ZeroWindow`]; [`QuotaError::WindowTooLong`] past [`MAX_WINDOW`].
    pub const fn new(limit: u32, window: Duration) -> Result<Self, QuotaError> {
        let nanos = window.as_nanos();
        if nanos > MAX_WINDOW.as_nanos() {
            return Err(QuotaError::WindowTooLong);
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 2^63, as just tested")]
        match NonZeroU64::new(nanos as u64) {
            Some(window) => Ok(Self { limit, burst: None, window }),
            None => Err(QuotaError::ZeroWindow),
        }
    }

    /// At most `limit` a second.
    pub const fn per_second(limit: u32) -> Self {
        Self::of(limit, Duration::from_secs(1))
    }

    /// At most `limit` a minute.
    pub const fn per_minute(limit: u32) -> Self {
        Self::of(limit, Duration::from_mins(1))
    }

    /// At most `limit` an hour.
    pub const fn per_hour(limit: u32) -> Self {
        Self::of(limit, Duration::from_hours(1))
    }

    const fn of(limit: u32, window: Duration) -> Self {
        match Self::new(limit, window) {
            Ok(quota) => quota,
            Err(_) => unreachable!(),
        }
    }

    pub(super) const fn from_parts(limit: u32, window: NonZeroU64) -> Self {
        Self { limit, burst: None, window }
    }

    /// This quota with a token bucket of this capacity instead of one that holds `limit`. The algorithms of windows do not
    /// look at it.
    #[must_use]
    pub const fn with_burst(mut self, capacity: u32) -> Self {
        self.burst = Some(capacity);
        self
    }

    /// This quota with another limit, and the same window and burst.
    #[must_use]
    pub const fn with_limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// How many are allowed in a window.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// The capacity set by [`with_burst`](Self::with_burst).
    pub const fn burst(&self) -> Option<u32> {
        self.burst
    }

    /// How many a token bucket holds: the burst, or else the limit; 0 if the limit is 0.
    pub const fn capacity(&self) -> u32 {
        match self.burst {
            Some(capacity) if self.limit > 0 => capacity,
            _ => self.limit,
        }
    }

    /// The length of the window.
    pub const fn window(&self) -> Duration {
        Duration::from_nanos(self.window.get())
    }

    /// The length of the window in nanoseconds: 1 to 2^63.
    pub const fn window_nanos(&self) -> NonZeroU64 {
        self.window
    }
}

/// Why there is no such [`Quota`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuotaError {
    /// The window has no length.
    #[error("the window of a quota is zero")]
    ZeroWindow,
    /// The window is longer than [`MAX_WINDOW`].
    #[error("the window of a quota is longer than 2^63 ns")]
    WindowTooLong,
}

const NANOS_PER_MILLI: u64 = 1_000_000;

#[derive(Default, Serialize, Deserialize)]
struct Written {
    #[serde(alias = "requests")]
    limit: u32,
    #[serde(alias = "scale", alias = "window", default, skip_serializing_if = "Option::is_none")]
    window_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    window_ns: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    burst: Option<u32>,
}

impl Serialize for Quota {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nanos = self.window.get();
        let mut written = Written { limit: self.limit, burst: self.burst, ..Written::default() };
        if nanos.is_multiple_of(NANOS_PER_MILLI) {
            written.window_ms = Some(nanos / NANOS_PER_MILLI);
        } else {
            written.window_ns = Some(nanos);
        }
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Quota {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;

        let written = Written::deserialize(deserializer)?;
        let window = match (written.window_ms, written.window_ns) {
            (Some(millis), None) => Duration::from_millis(millis),
            (None, Some(nanos)) => Duration::from_nanos(nanos),
            (None, None) => return Err(D::Error::missing_field("window_ms")),
            (Some(_), Some(_)) => return Err(D::Error::custom("both window_ms and window_ns are given")),
        };
        let quota = Self::new(written.limit, window).map_err(D::Error::custom)?;
        Ok(Self { burst: written.burst, ..quota })
    }
}

#[cfg(test)]
mod tests {
    use foundation_types::{Value, bridge};

    use super::*;

    fn read(entries: &[(&'static str, i64)]) -> Result<Quota, String> {
        let map = entries.iter().map(|&(key, value)| (key, Value::Int(value))).collect();
        bridge::from_value(&Value::Map(map)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_window_of_no_length_and_one_past_the_bound_are_refused() {
        assert_eq!(Quota::new(1, Duration::ZERO), Err(QuotaError::ZeroWindow));
        assert_eq!(Quota::new(1, MAX_WINDOW).map(|quota| quota.window()), Ok(MAX_WINDOW));
        assert_eq!(Quota::new(1, MAX_WINDOW + Duration::from_nanos(1)), Err(QuotaError::WindowTooLong));
    }

    #[test]
    fn a_quota_reads_back_and_the_legacy_spellings_are_read_too() {
        let odd = Quota::new(7, Duration::from_nanos(1_500_001)).expect("valid");
        for quota in [Quota::per_minute(100), Quota::per_second(5).with_burst(9), odd, odd.with_limit(0)] {
            let written = bridge::to_value(&quota).expect("serialises");
            assert_eq!(bridge::from_value::<Quota>(&written), Ok(quota));
        }
        let quota = Ok(Quota::per_minute(100));
        assert_eq!(read(&[("limit", 100), ("window_ms", 60_000)]), quota);
        assert_eq!(read(&[("limit", 100), ("scale", 60_000)]), quota);
        assert_eq!(read(&[("requests", 100), ("window", 60_000)]), quota);
    }

    #[test]
    fn what_is_no_quota_is_not_read() {
        assert!(read(&[("limit", 100)]).is_err());
        assert!(read(&[("limit", 100), ("window_ms", 0)]).is_err());
        assert!(read(&[("limit", -1), ("window_ms", 1)]).is_err());
        assert!(read(&[("limit", 1), ("window_ms", 1), ("window_ns", 1_000_000)]).is_err());
    }

    #[test]
    fn a_burst_does_not_open_a_limit_of_zero() {
        assert_eq!(Quota::per_second(0).with_burst(5).capacity(), 0);
        assert_eq!(Quota::per_second(1).with_burst(5).capacity(), 5);
        assert_eq!(Quota::per_second(3).capacity(), 3);
    }
}
