//! Ours and the peer, each deciding about one request.

use std::hash::RandomState;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use foundation_resources::rate_limit::{FixedWindow, KeyHasher, Limiter, Quota, RateLimiter, TokenBucket};
use foundation_types::SystemClock;
use governor::clock::{DefaultClock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::{DashMapStateStore, HashMapStateStore};
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota as PeerQuota, RateLimiter as PeerLimiter};

use crate::bench::measure::{Contender, Sample, Work, timed};
use crate::bench::order::shuffle;

/// At most so many times the fastest peer's time. A record here says which window it is of and where it lies, which bounds memory
/// and lets the quota come with the call; the peer keeps one number.
const TARGET: f64 = 1.5;
const RUN: usize = 64;

type Ours<A, S = KeyHasher> = RateLimiter<String, A, SystemClock, S>;
type PeerKeyed<T> =
    PeerLimiter<String, T, DefaultClock, NoOpMiddleware<<DefaultClock as governor::clock::Clock>::Instant>>;

/// A limiter of each kind that knows all keys.
#[derive(Clone)]
pub(crate) struct Keyed(Arc<AllKeyed>);

pub(crate) struct AllKeyed {
    pub(crate) keys: Vec<String>,
    pub(crate) quota: Quota,
    pub(crate) slow: Quota,
    pub(crate) fixed: Ours<FixedWindow>,
    pub(crate) bucket: Ours<TokenBucket>,
    pub(crate) sip: Ours<FixedWindow, RandomState>,
    pub(crate) dashmap: PeerKeyed<DashMapStateStore<String>>,
    pub(crate) mutex: PeerKeyed<HashMapStateStore<String>>,
    pub(crate) same_hash: PeerKeyed<DashMapStateStore<String, KeyHasher>>,
}

impl std::ops::Deref for Keyed {
    type Target = AllKeyed;

    fn deref(&self) -> &AllKeyed {
        &self.0
    }
}

impl Keyed {
    /// Quotas that are never used up.
    pub(crate) fn open(keys: usize) -> Self {
        Self::of(keys, u32::MAX)
    }

    /// Quotas that are used up.
    pub(crate) fn closed(keys: usize) -> Self {
        Self::of(keys, 1)
    }

    fn of(keys: usize, limit: u32) -> Self {
        let mut keys: Vec<_> = (0..keys).map(key).collect();
        shuffle(&mut keys);
        // A token an hour, so that no bucket is full again, and so forgotten, while it is measured.
        let (quota, peer) = (Quota::per_hour(limit), peer_quota(limit));
        let slow = Quota::per_hour(1).with_burst(limit);
        let all = AllKeyed {
            quota,
            slow,
            fixed: RateLimiter::new(),
            bucket: RateLimiter::new(),
            sip: RateLimiter::builder().hasher(RandomState::new()).build(),
            dashmap: PeerLimiter::dashmap(peer),
            mutex: PeerLimiter::hashmap_with_clock(peer, DefaultClock::default()),
            same_hash: PeerLimiter::dashmap_with_clock_and_hasher(peer, DefaultClock::default(), KeyHasher::default()),
            keys,
        };
        for key in &all.keys {
            assert!(all.fixed.check(key, quota).is_allowed());
            assert!(all.bucket.check(key, slow).is_allowed());
            assert!(all.sip.check(key, quota).is_allowed());
            assert!(all.dashmap.check_key(key).is_ok());
            assert!(all.mutex.check_key(key).is_ok());
            assert!(all.same_hash.check_key(key).is_ok());
        }
        Self(Arc::new(all))
    }

    fn check(&self, answer: bool, check: impl Fn(&AllKeyed, &String) -> bool + Sync + 'static) -> Work<'static> {
        let all = self.clone();
        timed(RUN, move |_, number| {
            let key = &all.keys[number % all.keys.len()];
            assert_eq!(black_box(check(&all, key)), answer);
        })
    }

    fn contenders(&self, answer: bool) -> Vec<Contender<'static>> {
        let quota = self.quota;
        vec![
            Contender::ours(
                "fixed window",
                TARGET,
                self.check(answer, move |all, key| all.fixed.check(key.as_str(), quota).is_allowed()),
            ),
            Contender::ours(
                "fixed window, SipHash",
                TARGET,
                self.check(answer, move |all, key| all.sip.check(key.as_str(), quota).is_allowed()),
            ),
            Contender::ours(
                "token bucket",
                TARGET,
                self.check(answer, |all, key| all.bucket.check(key.as_str(), all.slow).is_allowed()),
            ),
            Contender::peer("governor, dashmap", self.check(answer, |all, key| all.dashmap.check_key(key).is_ok())),
            Contender::peer(
                "governor, dashmap, our hash",
                self.check(answer, |all, key| all.same_hash.check_key(key).is_ok()),
            ),
            Contender::peer("governor, mutex", self.check(answer, |all, key| all.mutex.check_key(key).is_ok())),
        ]
    }

    pub(crate) fn hits(&self) -> Vec<Contender<'static>> {
        self.contenders(true)
    }

    pub(crate) fn denials(&self) -> Vec<Contender<'static>> {
        self.contenders(false)
    }
}

/// Limiters without keys.
pub(crate) struct Single {
    fixed: Arc<Limiter<FixedWindow>>,
    bucket: Arc<Limiter<TokenBucket>>,
    peer: Arc<PeerLimiter<NotKeyed, InMemoryState, MonotonicClock>>,
}

impl Single {
    pub(crate) fn open() -> Self {
        let quota = Quota::per_hour(u32::MAX);
        Self {
            fixed: Arc::new(Limiter::new(quota)),
            bucket: Arc::new(Limiter::new(quota)),
            peer: Arc::new(PeerLimiter::direct(peer_quota(u32::MAX))),
        }
    }

    pub(crate) fn hits(self) -> Vec<Contender<'static>> {
        let Self { fixed, bucket, peer } = self;
        vec![
            Contender::ours("fixed window", TARGET, timed(RUN, move |_, _| assert!(fixed.check().is_allowed()))),
            Contender::ours("token bucket", TARGET, timed(RUN, move |_, _| assert!(bucket.check().is_allowed()))),
            Contender::peer("governor, direct", timed(RUN, move |_, _| assert!(peer.check().is_ok()))),
        ]
    }
}

/// How many new keys come to a limiter before it is replaced by an empty one.
const NEWCOMERS: usize = 10_000;

/// The first hit of each of many keys, from an empty limiter on.
pub(crate) fn first_hits() -> Vec<Contender<'static>> {
    fn growing<L: 'static>(make: fn() -> L, hit: impl Fn(&L, &String) + Sync + 'static) -> Work<'static> {
        let keys: Vec<_> = (0..NEWCOMERS).map(key).collect();
        Box::new(move |_, _| {
            let limiter = make();
            let start = Instant::now();
            for key in &keys {
                hit(&limiter, key);
            }
            Sample { operations: NEWCOMERS as u64, time: start.elapsed() }
        })
    }

    let quota = Quota::per_hour(1);
    vec![
        Contender::ours(
            "fixed window",
            TARGET,
            growing(Ours::<FixedWindow>::new, move |limiter, key| {
                assert!(limiter.check(key.as_str(), quota).is_allowed());
            }),
        ),
        Contender::peer(
            "governor, dashmap",
            growing(
                || PeerLimiter::dashmap(peer_quota(1)),
                |limiter: &PeerKeyed<DashMapStateStore<String>>, key| assert!(limiter.check_key(key).is_ok()),
            ),
        ),
    ]
}

fn peer_quota(limit: u32) -> PeerQuota {
    PeerQuota::per_hour(NonZeroU32::new(limit).expect("not zero"))
}

fn key(number: usize) -> String {
    format!("customer-{number:08}")
}
