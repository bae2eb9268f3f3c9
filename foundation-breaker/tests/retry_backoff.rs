//! The delays between attempts.
#![cfg(feature = "test-util")]

use std::time::Duration;

use foundation_breaker::Random;
use foundation_breaker::retry::{Backoff, BackoffError};
use foundation_types::Ratio;
use proptest::prelude::*;

/// The largest draw there is.
const ALMOST_ONE: f64 = 1.0 - f64::EPSILON / 2.0;
/// Enough for the slowest growing curve to reach what it is going to.
const DELAYS: usize = 100;

fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        any::<Duration>(),
        (1_u64..10_000).prop_map(Duration::from_millis),
        prop::sample::select(vec![Duration::from_nanos(1), Duration::from_secs(u64::MAX), Duration::MAX]),
    ]
    .prop_filter("no delay", |duration| !duration.is_zero())
}

/// A base and a maximum that is no less.
fn bounds() -> impl Strategy<Value = (Duration, Duration)> {
    (duration(), duration()).prop_map(|(one, other)| (one.min(other), one.max(other)))
}

fn ratio() -> impl Strategy<Value = Ratio> {
    prop_oneof![(0.0..=1.0_f64).prop_map(Ratio::saturating), Just(Ratio::ZERO), Just(Ratio::ONE)]
}

fn draws() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![4 => 0.0..1.0_f64, 1 => Just(0.0), 1 => Just(ALMOST_ONE)], 1..20)
}

/// Any backoff.
fn backoff() -> impl Strategy<Value = Backoff> {
    let exponential = (bounds(), 1_u32.., ratio())
        .prop_map(|((base, max), factor, jitter)| Backoff::exponential(base, factor, max)?.with_jitter(jitter));
    prop_oneof![
        (duration(), ratio()).prop_map(|(delay, jitter)| Backoff::constant(delay)?.with_jitter(jitter)),
        exponential,
        bounds().prop_map(|(base, max)| Backoff::decorrelated(base, max)),
        Just(Ok(Backoff::IMMEDIATE)),
    ]
    .prop_map(|backoff| backoff.expect("valid values"))
}

proptest! {
    #[test]
    fn no_delay_is_longer_than_the_longest(backoff in backoff(), draws in draws()) {
        let delays: Vec<Duration> = backoff.delays(&Random::scripted(draws)).take(DELAYS).collect();
        prop_assert!(delays.iter().all(|&delay| delay <= backoff.max()), "{delays:?}");
    }

    #[test]
    fn constant_delays_are_constant(delay in duration()) {
        let backoff = Backoff::constant(delay)?;
        prop_assert!(backoff.delays(&Random::seeded(0)).take(DELAYS).all(|given| given == delay));
    }

    #[test]
    fn exponential_delays_are_the_base_times_powers_of_the_factor_and_saturate(
        (base, max) in bounds(),
        factor in prop_oneof![1_u32..4, any::<u32>().prop_map(|factor| factor.max(1))],
    ) {
        let backoff = Backoff::exponential(base, factor, max)?;
        for (nth, given) in (0..).zip(backoff.delays(&Random::seeded(0)).take(DELAYS)) {
            let exact = u128::from(factor).checked_pow(nth).and_then(|power| base.as_nanos().checked_mul(power));
            let expected = exact.filter(|&nanos| nanos < max.as_nanos()).unwrap_or(max.as_nanos());
            prop_assert_eq!(given.as_nanos(), expected, "delay {}", nth);
        }
    }

    #[test]
    fn decorrelated_delays_lie_between_the_base_and_three_times_the_one_before(
        (base, max) in bounds(),
        draws in draws(),
    ) {
        let mut before = base;
        for delay in Backoff::decorrelated(base, max)?.delays(&Random::scripted(draws)).take(DELAYS) {
            let longest = before.saturating_mul(3).min(max);
            prop_assert!((base..=longest).contains(&delay), "{delay:?} not in {base:?}..={longest:?}");
            before = delay;
        }
    }

    #[test]
    fn jitter_shortens_by_at_most_its_share(
        (base, max) in bounds(),
        factor in 1_u32..10,
        jitter in ratio(),
        draws in draws(),
    ) {
        let plain = Backoff::exponential(base, factor, max)?;
        let jittered = plain.with_jitter(jitter)?;
        prop_assert_eq!(jittered.jitter(), jitter);
        let random = Random::scripted(draws);
        for (full, given) in plain.delays(&random).zip(jittered.delays(&random)).take(DELAYS) {
            let shortest = full.as_secs_f64() * (1.0 - jitter.get());
            // As exact as floats are, and to the nanosecond.
            let slack = full.as_secs_f64() * f64::EPSILON * 4.0 + 2e-9;
            prop_assert!(given <= full && given.as_secs_f64() >= shortest - slack, "{given:?} of {full:?}");
        }
    }

    #[test]
    fn delays_are_those_of_the_seed(backoff in backoff(), seed: u64) {
        let delays = |seed| backoff.delays(&Random::seeded(seed)).take(DELAYS).collect::<Vec<_>>();
        prop_assert_eq!(delays(seed), delays(seed));
    }

    #[test]
    fn a_longest_delay_below_the_base_is_refused((max, base) in bounds()) {
        prop_assume!(max < base);
        let error = Err(BackoffError::MaxBelowBase { base, max });
        prop_assert_eq!(Backoff::exponential(base, 2, max), error);
        prop_assert_eq!(Backoff::decorrelated(base, max), error);
    }
}

#[test]
fn decorrelated_delays_follow_the_draws() -> Result<(), BackoffError> {
    let backoff = Backoff::decorrelated(Duration::from_millis(100), Duration::from_millis(500))?;
    let delays: Vec<u128> =
        backoff.delays(&Random::scripted([0.5, 0.75, 0.75, 0.0])).map(|delay| delay.as_millis()).take(5).collect();
    // 100 + 0.5 * 200, 100 + 0.75 * 500, 100 + 0.75 * 1325 cut to 500, 100, 100 + 0.5 * 200.
    assert_eq!(delays, [200, 475, 500, 100, 200]);
    Ok(())
}

#[test]
fn full_jitter_reaches_from_the_whole_delay_to_next_to_none() -> Result<(), BackoffError> {
    let backoff = Backoff::constant(Duration::from_secs(1))?.with_jitter(Ratio::ONE)?;
    let delays: Vec<Duration> = backoff.delays(&Random::scripted([0.0, 0.25, ALMOST_ONE])).take(3).collect();
    assert_eq!(delays, [Duration::from_secs(1), Duration::from_millis(750), Duration::from_nanos(1)]);
    Ok(())
}

#[test]
fn values_out_of_range_are_refused_by_name() -> Result<(), BackoffError> {
    let second = Duration::from_secs(1);
    assert_eq!(Backoff::constant(Duration::ZERO), Err(BackoffError::ZeroDelay));
    assert_eq!(Backoff::exponential(Duration::ZERO, 2, second), Err(BackoffError::ZeroDelay));
    assert_eq!(Backoff::decorrelated(Duration::ZERO, second), Err(BackoffError::ZeroDelay));
    assert_eq!(Backoff::exponential(second, 0, second), Err(BackoffError::ZeroFactor));
    let decorrelated = Backoff::decorrelated(second, second)?;
    assert_eq!(decorrelated.with_jitter(Ratio::ONE), Err(BackoffError::JitterTwice));
    Ok(())
}

#[test]
fn default_is_exponential_with_full_jitter() -> Result<(), BackoffError> {
    let explicit = Backoff::exponential(Duration::from_millis(100), 2, Duration::from_secs(10))?;
    assert_eq!(Backoff::default(), explicit.with_jitter(Ratio::ONE)?);
    Ok(())
}
