//! What an instance counts requests with.

use std::num::NonZeroUsize;
use std::sync::Arc;

use foundation_resources::rate_limit::{FixedWindow, RateLimiter};
use foundation_types::{Clock, Emitter, Name, Text};

use super::recent::Recent;

/// The limiter that the legacy functions count with: fixed windows by entity and operation.
pub type PairLimiter = RateLimiter<(Text, Text), FixedWindow, Arc<dyn Clock>>;

/// The limiters of an instance.
pub(crate) struct Limits {
    pub(crate) pairs: PairLimiter,
    pub(crate) recent: Recent,
    /// The keys of the counting process, which share no count with the pairs.
    pub(crate) backend: RateLimiter<String, FixedWindow, Arc<dyn Clock>>,
}

impl Limits {
    pub(crate) fn new(clock: &Arc<dyn Clock>, emitter: &Emitter, max_keys: NonZeroUsize) -> Self {
        let pairs = RateLimiter::<(Text, Text)>::builder()
            .clock(Arc::clone(clock))
            .emitter(emitter.clone())
            .max_keys(max_keys)
            .build();
        let backend = RateLimiter::<String>::builder()
            .name(Name::from_static("rate_limiter_backend"))
            .clock(Arc::clone(clock))
            .emitter(emitter.clone())
            .max_keys(max_keys)
            .build();
        Self { pairs, recent: Recent::new(), backend }
    }
}
