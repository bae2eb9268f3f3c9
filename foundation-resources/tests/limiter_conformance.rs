//! The public suite on every algorithm of this crate.
#![cfg(all(feature = "limiter", feature = "conformance"))]

use std::hash::RandomState;
use std::num::NonZeroUsize;

use foundation_resources::conformance::rate_limit::Rules;
use foundation_resources::rate_limit::{FixedWindow, LeakyBucket, RateLimiter, SlidingWindow, TokenBucket};
use foundation_resources::rate_limit_conformance;
use foundation_types::Text;

type Key = (Text, Text);

rate_limit_conformance!(fixed_window, Rules::FixedWindow, |clock| {
    RateLimiter::<Key, FixedWindow>::builder().clock(clock).build()
});
rate_limit_conformance!(sliding_window, Rules::SlidingWindow, |clock| {
    RateLimiter::<Key, SlidingWindow>::builder().clock(clock).build()
});
rate_limit_conformance!(token_bucket, Rules::TokenBucket, |clock| {
    RateLimiter::<Key, TokenBucket>::builder().clock(clock).build()
});
rate_limit_conformance!(leaky_bucket_in_one_shard, Rules::TokenBucket, |clock| {
    let few = NonZeroUsize::new(511).expect("not zero");
    RateLimiter::<Key, LeakyBucket>::builder().clock(clock).max_keys(few).hasher(RandomState::new()).build()
});

#[cfg(feature = "agent")]
mod agent {
    use foundation_resources::conformance::rate_limit::agent;

    #[test]
    fn q23_effective_limit() {
        agent::q23_effective_limit();
    }

    #[test]
    fn q24_off_is_legacy() {
        agent::q24_off_is_legacy();
    }

    #[test]
    fn q25_reservation() {
        agent::q25_reservation();
    }
}
