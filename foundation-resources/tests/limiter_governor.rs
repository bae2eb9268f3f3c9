//! `governor` as an oracle for the token bucket: wherever its rounding to nanoseconds does not matter, both agree.
#![cfg(all(feature = "limiter", feature = "test-util", not(loom)))]

use std::num::NonZeroU32;
use std::time::Duration;

use foundation_resources::rate_limit::{Limiter, Quota, TokenBucket};
use foundation_types::ManualClock;
use governor::clock::FakeRelativeClock;
use governor::{Quota as TheirQuota, RateLimiter as TheirLimiter};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_token_bucket_decides_as_governor_does(
        // A token comes every so many whole nanoseconds, so that nothing is rounded.
        period in 1..50_000_000_u64,
        burst in 1..20_u32,
        steps in prop::collection::vec((0..100_000_000_u64, 1..5_u32), 1..200),
    ) {
        let clock = ManualClock::new();
        let quota = Quota::new(1, Duration::from_nanos(period)).expect("valid").with_burst(burst);
        let ours = Limiter::<TokenBucket, _>::with_clock(quota, clock.clone());

        let their_clock = FakeRelativeClock::default();
        let their_quota = TheirQuota::with_period(Duration::from_nanos(period)).expect("not zero");
        let burst = NonZeroU32::new(burst).expect("not zero");
        let theirs = TheirLimiter::direct_with_clock(their_quota.allow_burst(burst), their_clock.clone());

        for (step, (pause, cost)) in steps.into_iter().enumerate() {
            clock.advance(Duration::from_nanos(pause));
            their_clock.advance(Duration::from_nanos(pause));
            let cost = NonZeroU32::new(cost).expect("not zero");
            let admitted = matches!(theirs.check_n(cost), Ok(Ok(())));
            prop_assert_eq!(ours.check_n(cost).is_allowed(), admitted, "step {}", step);
        }
    }
}
