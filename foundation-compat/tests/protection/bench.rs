//! What the tests share.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use foundation_compat::foundation_breaker::Totals;
use foundation_compat::foundation_resources::pool::{PoolStatus, from_fn};
use foundation_compat::foundation_types::testing::{RecordedEvent, RecordingObserver};
use foundation_compat::foundation_types::{ManualClock, Name};
use foundation_compat::infrastructure::circuit_breaker::{CircuitBreakers, FuseOptions};
use foundation_compat::infrastructure::connection_manager::{ConnectionManager, LegacyPool, PoolConfig};
use foundation_compat::infrastructure::rate_limiter::RateLimiter;
use foundation_compat::infrastructure::{Infrastructure, ProtectedOptions};
use foundation_compat::{Breaker, Foundation, FoundationBuilder, Metadata};

pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const NAME: Name = Name::from_static("db");

/// An instance with a breaker and a pool, both called `db`.
pub(crate) struct Bench {
    pub(crate) clock: ManualClock,
    pub(crate) observer: Arc<RecordingObserver>,
    pub(crate) foundation: Foundation,
    pub(crate) infrastructure: Infrastructure,
    pub(crate) breakers: CircuitBreakers,
    pub(crate) limiter: RateLimiter,
    pub(crate) pools: ConnectionManager,
}

impl Bench {
    /// The breaker tolerates five failures, the pool has one worker.
    pub(crate) fn new() -> Self {
        Self::with(5, |builder| builder)
    }

    pub(crate) fn with(tolerance: u32, options: impl FnOnce(FoundationBuilder) -> FoundationBuilder) -> Self {
        let (clock, observer) = (ManualClock::new(), Arc::new(RecordingObserver::new()));
        let builder = Foundation::builder().clock(Arc::new(clock.clone())).observer(observer.clone());
        let foundation = options(builder).build().expect("in range");
        let bench = Self {
            infrastructure: Infrastructure::from(&foundation),
            breakers: CircuitBreakers::from(&foundation),
            limiter: RateLimiter::from(&foundation),
            pools: ConnectionManager::from(&foundation),
            clock,
            observer,
            foundation,
        };
        let fuse = FuseOptions { tolerance, ..FuseOptions::default() };
        bench.breakers.start_fuse_instance("db", fuse).expect("in range");
        let numbers = PoolConfig::new(from_fn(|| Ok::<_, Infallible>(7_u32))).size(1).max_overflow(0);
        bench.pools.start_pool("db", &numbers).expect("starts");
        bench.observer.take();
        bench
    }

    pub(crate) fn breaker(&self) -> Breaker {
        self.foundation.breakers().get("db").expect("installed")
    }

    pub(crate) fn totals(&self) -> Totals {
        self.breaker().snapshot().totals
    }

    pub(crate) fn pool(&self) -> LegacyPool {
        self.foundation.pools().get(&NAME).expect("started")
    }

    pub(crate) fn figures(&self) -> PoolStatus {
        self.pools.get_pool_status("db").expect("started")
    }

    /// How many requests of the pair that [`all_layers`] names have been counted.
    pub(crate) fn requests(&self) -> u32 {
        self.limiter.get_status("user", "rule").expect("has a text").current_count
    }

    /// The last words of the events of the facade and of its layers so far, and forgets them.
    pub(crate) fn words(&self) -> Vec<String> {
        let legacy = |event: &RecordedEvent| event.name.as_str().starts_with("foundation.foundation.");
        let events = self.observer.take().into_iter().filter(legacy);
        events.filter_map(|event| event.name.segments().last().map(str::to_owned)).collect()
    }
}

pub(crate) fn all_layers() -> ProtectedOptions {
    ProtectedOptions::new()
        .rate_limiter("rule", "user")
        .circuit_breaker("db")
        .connection_pool("db")
        .timeout(Duration::ZERO)
}

/// A protection configuration that is valid.
pub(crate) fn config(limit: i64) -> Metadata {
    Metadata::new()
        .with("circuit_breaker", Metadata::new().with("failure_threshold", 3).with("recovery_time", 1_000))
        .with("rate_limiter", Metadata::new().with("scale", 60_000).with("limit", limit))
        .with("connection_pool", Metadata::new().with("size", 2).with("max_overflow", 0))
}
