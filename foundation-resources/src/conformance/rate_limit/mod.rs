//! What every rate limiter keeps to, whatever its algorithm and wherever it keeps its counts.
//!
//! [`rate_limit_conformance!`](crate::rate_limit_conformance) makes one test of each property, given the rules that the limiter
//! claims to follow and a factory of limiters on a clock:
//!
//! ```
//! # fn main() {}
//! use foundation_resources::conformance::rate_limit::Rules;
//! use foundation_resources::rate_limit::{RateLimiter, SlidingWindow};
//! use foundation_resources::rate_limit_conformance;
//! use foundation_types::Text;
//!
//! rate_limit_conformance!(sliding, Rules::SlidingWindow, |clock| {
//!     RateLimiter::<(Text, Text), SlidingWindow>::builder().clock(clock).build()
//! });
//! ```
//!
//! With the feature `agent`, [`agent`] has the properties of the limiter that looks at agents.

#[cfg(feature = "agent")]
pub mod agent;
mod model;
mod properties;
mod trace;

use std::hash::BuildHasher;
use std::num::NonZeroU32;

#[doc(no_inline)]
pub use foundation_types::ManualClock;
use foundation_types::Text;
use foundation_types::testing::check;

pub use self::model::Rules;
pub use self::properties::{
    q01_model_equality, q02_bound, q03_completeness, q04_exact_under_threads, q05_denials_are_free,
    q06_retry_after_is_tight, q07_isolation, q08_boundary, q09_memory, q10_monotone_time, q11_usage_changes_nothing,
};
use crate::rate_limit::{Algorithm, Decision, Pair, Quota, RateLimiter, Usage};

/// A limiter under test. Its keys are pairs of texts.
pub trait Subject: Send + Sync {
    /// Counts a request if it fits.
    fn check(&self, key: (&str, &str), quota: Quota, cost: NonZeroU32) -> Decision;

    /// How much of the quota is used.
    fn usage(&self, key: (&str, &str), quota: Quota) -> Usage;

    /// Forgets what a key has used; whether there was something.
    fn reset(&self, key: (&str, &str)) -> bool;

    /// Removes dead records.
    fn sweep(&self);

    /// How many records there are, one for each key and window length that has been counted.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<A: Algorithm, S: BuildHasher + Send + Sync> Subject for RateLimiter<(Text, Text), A, ManualClock, S> {
    fn check(&self, key: (&str, &str), quota: Quota, cost: NonZeroU32) -> Decision {
        self.check_n(&Pair(key.0, key.1), quota, cost)
    }

    fn usage(&self, key: (&str, &str), quota: Quota) -> Usage {
        RateLimiter::usage(self, &Pair(key.0, key.1), quota)
    }

    fn reset(&self, key: (&str, &str)) -> bool {
        RateLimiter::reset(self, &Pair(key.0, key.1))
    }

    fn sweep(&self) {
        RateLimiter::sweep(self);
    }

    fn len(&self) -> usize {
        RateLimiter::len(self)
    }
}

/// Makes a fresh limiter on a clock, with room for a thousand keys.
pub type Factory<'f> = &'f dyn Fn(ManualClock) -> Box<dyn Subject>;

/// Makes one test of each property for the limiters that `$factory` makes (see [`rate_limit`](mod@crate::conformance::rate_limit)).
#[macro_export]
macro_rules! rate_limit_conformance {
    ($name:ident, $rules:expr, $factory:expr) => {
        mod $name {
            use super::*;

            fn make(clock: $crate::conformance::rate_limit::ManualClock) -> ::std::boxed::Box<dyn $crate::conformance::rate_limit::Subject> {
                let factory = $factory;
                ::std::boxed::Box::new(factory(clock))
            }

            $crate::rate_limit_conformance!(@tests $rules;
                q01_model_equality, q02_bound, q03_completeness, q04_exact_under_threads, q05_denials_are_free,
                q06_retry_after_is_tight, q07_isolation, q08_boundary, q09_memory, q10_monotone_time,
                q11_usage_changes_nothing
            );
        }
    };
    (@tests $rules:expr; $($property:ident),*) => {
        $(#[test]
        fn $property() {
            $crate::conformance::rate_limit::$property($rules, &make);
        })*
    };
}

fn cost(units: u32) -> NonZeroU32 {
    NonZeroU32::new(units).expect("not zero")
}
