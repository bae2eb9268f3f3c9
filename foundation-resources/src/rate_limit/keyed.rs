//! The limiter with keys.

use std::fmt;
use std::hash::BuildHasher;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use foundation_types::{Clock, Emitter, EventName, Measurements, Metadata, Name, SystemClock, event_name};

use super::inspect::KeyText;
use super::key::KeyHasher;
use super::steady::SteadyClock;
use super::table::{Fingerprint, Insertion, Removed, Shard, Shards};
use super::{Algorithm, AsKey, Builder, Decision, Denial, DenialReason, FixedWindow, Quota, SteadyTime, Usage};

const ALLOWED: EventName = event_name!("foundation.rate_limit.allowed");
const DENIED: EventName = event_name!("foundation.rate_limit.denied");
const RESET: EventName = event_name!("foundation.rate_limit.reset");
const SWEPT: EventName = event_name!("foundation.rate_limit.swept");
const EVICTED: EventName = event_name!("foundation.rate_limit.evicted");

/// Counts requests by key and says which may run; see [the module](super).
///
/// A check of a key that has a record takes one hash, one lock of up to 64, chosen by the hash, and one look-up; it allocates
/// nothing. A check of a new key clones it and inserts a record, amortised O(1); a denied one leaves no record. Nothing ever
/// waits for a clock or for memory of another shard.
///
/// # Events
///
/// With an emitter ([`Builder::emitter`]) it emits, each with its name as `limiter`:
///
/// | event | measurements | also |
/// |---|---|---|
/// | `foundation.rate_limit.allowed` | count, remaining, cost, limit, window_ms | |
/// | `foundation.rate_limit.denied` | count, cost, limit, window_ms, retry_after_ms if known | reason |
/// | `foundation.rate_limit.reset` | count: the records that were removed | |
/// | `foundation.rate_limit.swept` | count: the dead that a sweep removed, if any | |
/// | `foundation.rate_limit.evicted` | count 1 | |
///
/// Keys are not in events: they may be secrets, and have no text form in general.
pub struct RateLimiter<K, A: Algorithm = FixedWindow, C = SystemClock, S = KeyHasher> {
    name: Name,
    pub(super) clock: SteadyClock<C>,
    hasher: S,
    emitter: Emitter,
    max_keys: NonZeroUsize,
    pub(super) key_text: Option<KeyText<K>>,
    pub(super) shards: Shards<K, A>,
}

impl<K, A: Algorithm> RateLimiter<K, A> {
    /// A limiter with the defaults of its [`builder`](Self::builder).
    pub fn new() -> Self {
        Builder::default().build()
    }

    /// Settings to make a limiter from.
    pub fn builder() -> Builder<K, A> {
        Builder::default()
    }
}

impl<K, A: Algorithm> Default for RateLimiter<K, A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, A: Algorithm, C: Clock, S> RateLimiter<K, A, C, S> {
    pub(super) fn from_builder(builder: Builder<K, A, C, S>) -> Self {
        let Builder { name, clock, hasher, emitter, max_keys, when_full, key_text, algorithm: _ } = builder;
        let (clock, shards) = (SteadyClock::new(clock), Shards::new(max_keys, when_full));
        Self { name, clock, hasher, emitter, max_keys, key_text, shards }
    }

    /// Its name in events and on dashboards.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The clock that it takes the time from.
    pub fn clock(&self) -> &SteadyClock<C> {
        &self.clock
    }

    /// How many records it holds at most.
    pub fn max_keys(&self) -> NonZeroUsize {
        self.max_keys
    }

    /// How many records it holds, dead ones that nobody has removed yet included. O(shards).
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.len()).sum()
    }

    /// Whether it holds no records.
    pub fn is_empty(&self) -> bool {
        self.shards.iter().all(|shard| shard.len() == 0)
    }

    /// Removes all dead records, gives back memory that is no longer needed, and returns how many there were. O(records), in
    /// pieces: one shard is locked at a time. No answer ever depends on whether somebody sweeps.
    pub fn sweep(&self) -> usize {
        let now = self.clock.now();
        let mut expired = 0;
        for shard in self.shards.iter() {
            expired += drop_unlocked(shard, |shard, removed| shard.sweep(now, removed));
        }
        if expired > 0 {
            self.emit(&SWEPT, || (counted(expired), Metadata::new()));
        }
        expired
    }

    /// Forgets every key. O(records).
    pub fn clear(&self) {
        let mut cleared = 0;
        for shard in self.shards.iter() {
            cleared += drop_unlocked(shard, |shard, removed| {
                shard.clear(removed);
                removed.len()
            });
        }
        self.emit(&RESET, || (counted(cleared), Metadata::new()));
    }

    /// What happened so far. O(shards).
    pub fn stats(&self) -> LimiterStats {
        let mut stats = LimiterStats::default();
        for shard in self.shards.iter() {
            let tally = shard.tally;
            stats.records += shard.len();
            stats.allowed += tally.allowed;
            stats.denied += tally.denied;
            stats.evicted += tally.evicted;
            stats.expired += tally.expired;
        }
        stats
    }

    fn emit(&self, name: &EventName, build: impl FnOnce() -> (Measurements, Metadata)) {
        self.emitter.emit(name, || {
            let (measurements, metadata) = build();
            (measurements, metadata.with("limiter", self.name.clone()))
        });
    }

    #[inline]
    fn report(&self, decision: &Decision, quota: &Quota, cost: NonZeroU32) {
        if self.emitter.is_installed() {
            self.emit_decision(decision, quota, cost);
        }
    }

    #[cold]
    fn emit_decision(&self, decision: &Decision, quota: &Quota, cost: NonZeroU32) {
        let measured = |count: u32| {
            Measurements::new()
                .with("count", i64::from(count))
                .with("cost", i64::from(cost.get()))
                .with("limit", i64::from(quota.limit()))
                .with("window_ms", millis(quota.window()))
        };
        match decision {
            Decision::Allowed(admission) => self.emit(&ALLOWED, || {
                (measured(admission.count).with("remaining", i64::from(admission.remaining)), Metadata::new())
            }),
            Decision::Denied(denial) => self.emit(&DENIED, || {
                let measured = measured(denial.count);
                let measured = match denial.retry_after {
                    Some(wait) => measured.with("retry_after_ms", millis(wait)),
                    None => measured,
                };
                (measured, Metadata::new().with("reason", denial.reason.as_str()))
            }),
        }
    }
}

impl<K, A: Algorithm, C: Clock, S: BuildHasher> RateLimiter<K, A, C, S> {
    /// Counts a request of `key` if it fits `quota`.
    #[inline]
    pub fn check<Q: AsKey<K> + ?Sized>(&self, key: &Q, quota: Quota) -> Decision {
        self.check_n(key, quota, NonZeroU32::MIN)
    }

    /// Counts a request of `key` that costs as much as `cost` others if all of it fits `quota`.
    #[inline]
    pub fn check_n<Q: AsKey<K> + ?Sized>(&self, key: &Q, quota: Quota, cost: NonZeroU32) -> Decision {
        let now = self.clock.now();
        self.check_at(key, quota, cost, now)
    }

    #[inline]
    pub(super) fn check_at<Q: AsKey<K> + ?Sized>(
        &self,
        key: &Q,
        quota: Quota,
        cost: NonZeroU32,
        now: SteadyTime,
    ) -> Decision {
        let hash = self.fingerprint(key);
        let known = self.shards.lock(hash).check((hash, key), now, &quota, cost);
        let decision = known.unwrap_or_else(|| self.check_new(hash, key, quota, cost, now));
        self.report(&decision, &quota, cost);
        decision
    }

    #[cold]
    fn check_new<Q: AsKey<K> + ?Sized>(
        &self,
        hash: Fingerprint,
        key: &Q,
        quota: Quota,
        cost: NonZeroU32,
        now: SteadyTime,
    ) -> Decision {
        let mut cell = A::Cell::default();
        let decision = A::check(&mut cell, now, &quota, cost);
        if !decision.is_allowed() {
            // Nothing counts, so there is nothing to keep.
            self.shards.lock(hash).tally.denied += 1;
            return decision;
        }
        let owned = key.to_key();
        let mut removed = Vec::new();
        let (decision, inserted) = {
            let mut shard = self.shards.lock(hash);
            // Another thread may have been faster.
            match shard.check((hash, key), now, &quota, cost) {
                Some(decision) => (decision, Insertion::Inserted),
                None => {
                    match self.shards.insert(&mut shard, (hash, quota.window_nanos(), owned, cell), now, &mut removed) {
                        Insertion::Full => {
                            shard.tally.denied += 1;
                            (Decision::Denied(full(&quota)), Insertion::Full)
                        }
                        inserted => {
                            shard.tally.allowed += 1;
                            (decision, inserted)
                        }
                    }
                }
            }
        };
        drop(removed);
        if matches!(inserted, Insertion::Evicted) {
            self.emit(&EVICTED, || (Measurements::one(), Metadata::new()));
        }
        decision
    }

    /// How much of `quota` the key has used. Counts nothing.
    pub fn usage<Q: AsKey<K> + ?Sized>(&self, key: &Q, quota: Quota) -> Usage {
        let now = self.clock.now();
        let hash = self.fingerprint(key);
        let shard = self.shards.lock(hash);
        match shard.find(hash, quota.window_nanos(), key) {
            Some(cell) => A::usage(cell, now, &quota),
            None => A::usage(&A::Cell::default(), now, &quota),
        }
    }

    /// Forgets what the key has used, in windows of every length. Returns whether there was something to forget.
    pub fn reset<Q: AsKey<K> + ?Sized>(&self, key: &Q) -> bool {
        let hash = self.fingerprint(key);
        let count = drop_unlocked(self.shards.lock(hash), |shard, removed| {
            shard.remove(hash, key, removed);
            removed.len()
        });
        self.emit(&RESET, || (counted(count), Metadata::new()));
        count > 0
    }

    #[inline]
    fn fingerprint<Q: AsKey<K> + ?Sized>(&self, key: &Q) -> Fingerprint {
        Fingerprint::of(self.hasher.hash_one(key))
    }
}

impl<K, C: Clock, S: BuildHasher> RateLimiter<K, FixedWindow, C, S> {
    /// The quota of the last check of the key, denied or not, and how much of it is used; `None` if nothing of the key counts now.
    /// Of windows of several lengths, those are looked at in which something counts. Counts nothing itself.
    pub fn latest<Q: AsKey<K> + ?Sized>(&self, key: &Q) -> Option<(Quota, Usage)> {
        let now = self.clock.now();
        let hash = self.fingerprint(key);
        let shard = self.shards.lock(hash);
        let record = shard.latest(hash, key, now)?;
        let quota = Quota::from_parts(record.cell.limit(), record.window());
        Some((quota, FixedWindow::usage(&record.cell, now, &quota)))
    }
}

/// Runs `change` on a locked shard, and drops what it removed after the lock.
fn drop_unlocked<K, A: Algorithm, T>(
    mut shard: parking_lot::MutexGuard<'_, Shard<K, A>>,
    change: impl FnOnce(&mut Shard<K, A>, &mut Removed<K, A>) -> T,
) -> T {
    let mut removed = Vec::new();
    let result = change(&mut shard, &mut removed);
    drop(shard);
    drop(removed);
    result
}

fn full(quota: &Quota) -> Denial {
    Denial::new(DenialReason::TableFull, 0, quota.limit(), quota.window(), None)
}

fn counted(count: usize) -> Measurements {
    Measurements::new().with("count", i64::try_from(count).unwrap_or(i64::MAX))
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl<K, A: Algorithm, C, S> fmt::Debug for RateLimiter<K, A, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("name", &self.name)
            .field("algorithm", &A::NAME)
            .field("max_keys", &self.max_keys)
            .finish_non_exhaustive()
    }
}

/// What happened in a limiter so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimiterStats {
    /// How many records it holds now, dead ones that nobody has removed yet included.
    pub records: usize,
    /// How many checks were allowed.
    pub allowed: u64,
    /// How many checks were denied.
    pub denied: u64,
    /// How many live records gave way to new keys.
    pub evicted: u64,
    /// How many dead records were removed.
    pub expired: u64,
}
