//! Retry advice.

use std::num::NonZeroU32;
use std::time::Duration;

use foundation_types::error::{Error, ErrorKind, RetryDelay, RetryStrategy};
use proptest::prelude::*;

use crate::strategies::{kind, lone_error, strategy};

const CAP: Duration = Duration::from_secs(30);

fn millis(delay: RetryDelay) -> Option<u128> {
    delay.duration().map(|delay| delay.as_millis())
}

proptest! {
    #[test]
    fn e06_delays_stay_within_their_bounds(strategy in strategy(), one: u32, other: u32) {
        let (earlier, later) = (strategy.delay(one.min(other)), strategy.delay(one.max(other)));
        match strategy {
            RetryStrategy::NoRetry => prop_assert_eq!((earlier, later), (RetryDelay::Never, RetryDelay::Never)),
            RetryStrategy::Immediate => prop_assert_eq!(millis(later), Some(0)),
            RetryStrategy::FixedDelay => prop_assert_eq!(millis(later), Some(1_000)),
            RetryStrategy::Custom => prop_assert_eq!(millis(later), Some(5_000)),
            RetryStrategy::LinearBackoff | RetryStrategy::ExponentialBackoff => {
                prop_assert!(earlier <= later && later <= RetryDelay::After(CAP));
            }
        }
        prop_assert_eq!(Error::new(ErrorKind::Timeout).with_retry(strategy).retry_delay(one), strategy.delay(one));
    }

    #[test]
    fn e06_any_retry_context_gives_a_delay_without_panic(error in lone_error(), attempt: u32) {
        prop_assert_eq!(error.retry_delay(attempt) == RetryDelay::Never, !error.is_retryable());
    }

    #[test]
    fn e07_retryable_means_that_there_is_a_first_delay(error in lone_error()) {
        prop_assert_eq!(error.is_retryable(), error.retry_delay(0) != RetryDelay::Never);
    }

    #[test]
    fn e07_attempts_end_at_the_maximum(error in lone_error(), count: u32, max in 1..u32::MAX) {
        let max = NonZeroU32::new(max).expect("the range starts at one");
        let error = error.with_retry_count(count).with_max_retries(max);
        prop_assert_eq!(error.next_attempt().is_some(), error.is_retryable() && count < max.get());
        prop_assert!(error.next_attempt().is_none_or(|next| next == error.retry_delay(count)));
    }

    #[test]
    fn jitter_never_exceeds_the_delay(strategy in strategy(), attempt: u32, random: u64) {
        let delay = strategy.delay(attempt);
        prop_assert!(delay.with_jitter(|| random) <= delay);
        prop_assert_eq!(delay.with_jitter(|| u64::MAX), delay);
        prop_assert_eq!(delay.with_jitter(|| 0) == RetryDelay::Never, delay == RetryDelay::Never);
    }

    #[test]
    fn transient_errors_are_retryable(kind in kind()) {
        let error = Error::new(kind);
        prop_assert!(error.is_retryable() || !error.is_transient());
        prop_assert_eq!(error.retry_advice().is_transient(), error.is_transient());
    }
}

#[test]
fn e06_the_first_delays_are_the_documented_ones() {
    let delays = |strategy: RetryStrategy| (0..7).map(|attempt| millis(strategy.delay(attempt))).collect::<Vec<_>>();
    let expected = |millis: [u128; 7]| millis.map(Some).to_vec();
    assert_eq!(
        delays(RetryStrategy::ExponentialBackoff),
        expected([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    );
    assert_eq!(delays(RetryStrategy::LinearBackoff), expected([0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000]));
    assert_eq!(millis(RetryStrategy::LinearBackoff.delay(31)), Some(30_000));
    assert_eq!(millis(RetryStrategy::ExponentialBackoff.delay(1_023)), Some(30_000));
}

#[test]
fn what_trying_again_cannot_mend_is_not_transient() {
    for kind in [
        ErrorKind::InvalidConfigStructure,
        ErrorKind::ConfigNotFound,
        ErrorKind::ConfigUpdateForbidden,
        ErrorKind::ValidationFailed,
        ErrorKind::InvalidInput,
        ErrorKind::AuthenticationFailed,
        ErrorKind::DataCorruption,
        ErrorKind::DataNotFound,
        ErrorKind::InternalError,
    ] {
        assert!(!Error::new(kind.clone()).is_transient(), "{kind}");
    }
    for kind in
        [ErrorKind::Timeout, ErrorKind::NetworkError, ErrorKind::ServiceUnavailable, ErrorKind::ResourceExhausted]
    {
        assert!(Error::new(kind.clone()).is_transient(), "{kind}");
    }
}

#[test]
fn both_words_for_never_are_read() {
    assert_eq!("none".parse(), Ok(RetryStrategy::NoRetry));
    assert_eq!("no_retry".parse(), Ok(RetryStrategy::NoRetry));
    assert!("sometimes".parse::<RetryStrategy>().is_err());
}
