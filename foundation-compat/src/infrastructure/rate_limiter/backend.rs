//! The original's `RateLimiter.HammerBackend`: counting by a single key.
//!
//! Its keys share no count with those of the other functions.

use std::num::NonZeroU32;

use foundation_resources::rate_limit::{Decision, Quota};

use super::RateLimiter;

impl RateLimiter {
    /// Counts `increment` requests of `key` if all of them fit the quota; the decision carries the count.
    ///
    /// The quota stands for window and limit of the original, so that neither can be senseless.
    pub fn backend_hit(&self, key: &str, quota: Quota, increment: NonZeroU32) -> Decision {
        self.hit(key, quota, increment)
    }
}

/// As [`RateLimiter::backend_hit`], on the global instance.
pub fn hit(key: &str, quota: Quota, increment: NonZeroU32) -> Decision {
    super::here().backend_hit(key, quota, increment)
}

/// As [`hit`] with an increment of one.
pub fn hit_3(key: &str, quota: Quota) -> Decision {
    hit(key, quota, NonZeroU32::MIN)
}
