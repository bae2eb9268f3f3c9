//! A burst, and then a steady rate.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use super::{Admission, Algorithm, Decision, Denial, DenialReason, Quota, SteadyTime};

/// A bucket of [`Quota::capacity`] tokens that is full at first and into which tokens arrive continuously, `limit` a window. A
/// request of cost n takes n tokens.
///
/// The arithmetic is exact, in nanoseconds and fractions of a token: nothing is lost or gained to rounding, however long the
/// bucket lives. A denial asks to retry at the first nanosecond at which the tokens are there.
///
/// The limit and the capacity may change from call to call. The capacity of the call is in force at once; tokens arrive at the
/// rate of the last admission.
///
/// It is the meter form of the [leaky bucket](https://en.wikipedia.org/wiki/Leaky_bucket#As_a_meter): what is kept is the
/// level, the tokens that are missing, which leaks away.
#[derive(Clone, Copy, Debug)]
pub struct TokenBucket;

/// The mirror image of [`TokenBucket`], and the same thing: its level is the capacity without the tokens.
pub type LeakyBucket = TokenBucket;

/// How much is missing from the bucket.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenBucketCell {
    /// The lower bits of the tokens missing at `at`, in parts of which a token has as many as the window has nanoseconds. They
    /// are at most 2^32 × 2^63, and in two pieces because a record then fits into a cache line.
    level_low: u64,
    level_high: u32,
    at: SteadyTime,
    /// How many of the parts arrive each nanosecond: the limit of the last admission.
    rate: u32,
}

impl TokenBucketCell {
    #[expect(clippy::cast_possible_truncation, reason = "the two pieces make the whole")]
    fn new(level: u128, at: SteadyTime, rate: u32) -> Self {
        Self { level_low: level as u64, level_high: (level >> 64) as u32, at, rate }
    }

    fn level(&self) -> u128 {
        u128::from(self.level_high) << 64 | u128::from(self.level_low)
    }

    fn level_at(&self, now: SteadyTime) -> u128 {
        let elapsed = now.as_nanos().saturating_sub(self.at.as_nanos());
        self.level().saturating_sub(u128::from(elapsed) * u128::from(self.rate))
    }
}

/// The first number of nanoseconds in which `parts` have arrived.
fn time_for(parts: u128, rate: u32) -> Duration {
    // The rate is zero only while nothing was ever admitted, and then nothing is missing.
    let nanos = div_ceil(parts, u64::from(rate.max(1)));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// How many tokens these parts make, a started one counting.
fn tokens(parts: u128, window: NonZeroU64) -> u32 {
    u32::try_from(div_ceil(parts, window.get())).unwrap_or(u32::MAX)
}

fn div_ceil(dividend: u128, divisor: u64) -> u128 {
    // A division of 64 bits is several times cheaper, and most levels fit.
    match u64::try_from(dividend) {
        Ok(dividend) => dividend.div_ceil(divisor).into(),
        Err(_) => dividend.div_ceil(divisor.into()),
    }
}

impl Algorithm for TokenBucket {
    type Cell = TokenBucketCell;

    const NAME: &'static str = "token bucket";

    #[inline]
    fn check(cell: &mut TokenBucketCell, now: SteadyTime, quota: &Quota, cost: NonZeroU32) -> Decision {
        let window = quota.window_nanos();
        let (capacity, cost) = (quota.capacity(), cost.get());
        let level = cell.level_at(now);
        let part = u128::from(window.get());
        let room = u128::from(capacity) * part;
        let wanted = level + u128::from(cost) * part;
        if wanted <= room {
            let now = now.max(cell.at);
            *cell = TokenBucketCell::new(wanted, now, quota.limit());
            let count = tokens(wanted, window);
            return Decision::Allowed(Admission::new(count, capacity - count, time_for(wanted, quota.limit())));
        }
        let (reason, retry_after) = if cost > capacity {
            (DenialReason::TooCostly, None)
        } else {
            // A time before the last admission counts as that.
            let behind = cell.at.saturating_since(now);
            (DenialReason::Exceeded, Some(time_for(wanted - room, cell.rate) + behind))
        };
        Decision::Denied(Denial::new(reason, tokens(level, window), capacity, quota.window(), retry_after))
    }

    fn count(cell: &TokenBucketCell, now: SteadyTime, window: NonZeroU64) -> u32 {
        tokens(cell.level_at(now), window)
    }

    fn expires_at(cell: &TokenBucketCell, _: NonZeroU64) -> SteadyTime {
        cell.at.saturating_add(time_for(cell.level(), cell.rate))
    }

    fn bound(quota: &Quota) -> u32 {
        quota.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cell: &mut TokenBucketCell, at: u64, quota: Quota, cost: u32) -> Decision {
        TokenBucket::check(cell, SteadyTime::from_nanos(at), &quota, NonZeroU32::new(cost).expect("not zero"))
    }

    #[test]
    fn a_third_of_a_token_a_nanosecond_is_not_rounded() {
        // 1 token in 3 ns, capacity 2: one passes every 3 ns and never earlier.
        let quota = Quota::new(1, Duration::from_nanos(3)).expect("valid").with_burst(2);
        let mut cell = TokenBucketCell::default();
        assert!(check(&mut cell, 0, quota, 2).is_allowed());
        for round in 1..1_000_000 {
            let denied = check(&mut cell, 3 * round - 1, quota, 1);
            assert_eq!(denied.denial().and_then(|denial| denial.retry_after), Some(Duration::from_nanos(1)));
            assert!(check(&mut cell, 3 * round, quota, 1).is_allowed());
        }
    }

    #[test]
    fn the_largest_quota_does_not_overflow() {
        let quota = Quota::new(u32::MAX, super::super::MAX_WINDOW).expect("valid");
        let mut cell = TokenBucketCell::default();
        assert!(check(&mut cell, 0, quota, u32::MAX).is_allowed());
        let decision = check(&mut cell, 0, quota, u32::MAX);
        assert_eq!(decision.denial().and_then(|denial| denial.retry_after), Some(super::super::MAX_WINDOW));
        assert!(check(&mut cell, 1 << 63, quota, u32::MAX).is_allowed());
        assert_eq!(TokenBucket::expires_at(&cell, quota.window_nanos()), SteadyTime::NEVER);
    }

    #[test]
    fn the_capacity_of_the_call_and_the_rate_of_the_last_admission_are_in_force() {
        let (slow, fast) = (Quota::per_second(1).with_burst(4), Quota::per_second(1_000).with_burst(4));
        let mut cell = TokenBucketCell::default();
        assert!(check(&mut cell, 0, slow, 4).is_allowed());
        assert!(!check(&mut cell, 2_000_000, fast, 1).is_allowed(), "tokens still come one a second");
        assert!(check(&mut cell, 2_000_000, fast.with_burst(5), 1).is_allowed(), "a larger bucket has room at once");
        assert!(
            check(&mut cell, 3_000_000, fast.with_burst(5), 1).is_allowed(),
            "and now they come a thousand a second"
        );
    }
}
