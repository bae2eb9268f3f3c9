//! Where the records are: a table in shards, each under a lock of its own.
//!
//! The hash of a key is computed once, outside the lock, and chooses the shard and the place in it; half of it is kept with the
//! record, so that growing never runs the hash function of the key. A record lies in its bucket, without an allocation of its own.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

use crossbeam_utils::CachePadded;
use hashbrown::HashTable;
use parking_lot::{Mutex, MutexGuard};

use super::{Algorithm, AsKey, Decision, Quota, SteadyTime, WhenFull};

/// The most shards.
const MAX_SHARDS: usize = 64;
/// The least share of a shard, unless there is only one.
const MIN_SHARE: usize = 256;
/// How many buckets each insertion looks at in search of the dead.
///
/// A table of n buckets is so looked through once in n/8 insertions. It grows after 7n/16 insertions at the earliest, so it
/// never grows to hold the dead.
const INSPECTED: usize = 8;
/// How many buckets each insertion adds to what may be spent on sweeping a full shard.
const SWEEP_CREDIT: usize = 64;
/// How many live records are compared when one has to give way.
pub(super) const EVICTION_SAMPLE: usize = 32;
/// A table that uses less than one in so many of its places after a sweep gives memory back.
const SPARSE: usize = 4;

/// What is kept for a key and a window length.
///
/// In a large table each line of memory that a look-up touches is a cache miss. The usual record, with a text as its key, has 56 or
/// 64 bytes and would lie across two lines most of the time; aligned, it never does.
#[repr(align(64))]
pub(super) struct Record<K, T> {
    hash: Fingerprint,
    /// The number of the last check among those of the shard, without its upper half.
    checked: u32,
    window: NonZeroU64,
    pub(super) key: K,
    pub(super) cell: T,
}

impl<K, T> Record<K, T> {
    pub(super) fn window(&self) -> NonZeroU64 {
        self.window
    }
}

/// Half of the hash of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint(u32);

impl Fingerprint {
    #[expect(clippy::cast_possible_truncation, reason = "both halves go into it")]
    pub(super) fn of(hash: u64) -> Self {
        Self((hash ^ (hash >> 32)) as u32)
    }

    /// A hash for a table, which takes the lowest bits for the place and the seven highest for a tag.
    fn spread(self) -> u64 {
        u64::from(self.0) << 32 | u64::from(self.0)
    }

    /// One of so many shards, by the bits between those; they are apart in shards of up to half a million places.
    fn shard(self, shards: usize) -> usize {
        (self.0 >> 19) as usize & (shards - 1)
    }
}

/// Records that were taken out, to be dropped when the lock is not held: their keys are foreign.
pub(super) type Removed<K, A> = Vec<Record<K, <A as Algorithm>::Cell>>;

/// What became of a new record.
pub(super) enum Insertion {
    Inserted,
    /// An old record gave way to it.
    Evicted,
    /// There is no room.
    Full,
}

/// What happened in a shard so far.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) allowed: u64,
    pub(super) denied: u64,
    pub(super) evicted: u64,
    pub(super) expired: u64,
}

impl Tally {
    #[inline]
    pub(super) fn count(&mut self, decision: &Decision) {
        *(if decision.is_allowed() { &mut self.allowed } else { &mut self.denied }) += 1;
    }

    /// The number of the next check.
    #[expect(clippy::cast_possible_truncation, reason = "only differences of less than half the range are looked at")]
    fn number(&self) -> u32 {
        self.allowed.wrapping_add(self.denied) as u32
    }
}

/// A shard under its lock, on cache lines of its own.
type Place<K, A> = CachePadded<Mutex<Shard<K, A>>>;

pub(super) struct Shards<K, A: Algorithm> {
    all: Box<[Place<K, A>]>,
    /// How many records a shard may hold; at least 1.
    share: usize,
    when_full: WhenFull,
}

impl<K, A: Algorithm> Shards<K, A> {
    pub(super) fn new(max_keys: NonZeroUsize, when_full: WhenFull) -> Self {
        let fitting = (max_keys.get() / MIN_SHARE).clamp(1, MAX_SHARDS);
        // The largest power of two that fits.
        let count = 1 << fitting.ilog2();
        let all = (0..count).map(|_| CachePadded::new(Mutex::new(Shard::new()))).collect();
        Self { all, share: max_keys.get() / count, when_full }
    }

    #[inline]
    pub(super) fn lock(&self, hash: Fingerprint) -> MutexGuard<'_, Shard<K, A>> {
        self.all[hash.shard(self.all.len())].lock()
    }

    /// The shards, each locked while it is visited.
    pub(super) fn iter(&self) -> impl Iterator<Item = MutexGuard<'_, Shard<K, A>>> {
        self.all.iter().map(|shard| shard.lock())
    }

    /// Puts a record that is not there into its locked shard.
    pub(super) fn insert(
        &self,
        shard: &mut Shard<K, A>,
        (hash, window, key, cell): (Fingerprint, NonZeroU64, K, A::Cell),
        now: SteadyTime,
        removed: &mut Removed<K, A>,
    ) -> Insertion {
        let record = Record { hash, checked: shard.tally.number(), window, key, cell };
        shard.remove_some_dead(now, removed);
        let mut outcome = Insertion::Inserted;
        if shard.records.len() >= self.share && !shard.sweep_on_credit(now, removed) {
            if self.when_full == WhenFull::Deny {
                removed.push(record);
                return Insertion::Full;
            }
            shard.evict(removed);
            outcome = Insertion::Evicted;
        }
        shard.records.insert_unique(hash.spread(), record, |record| record.hash.spread());
        outcome
    }
}

/// Some of the records, and what became of the checks of their keys.
pub(super) struct Shard<K, A: Algorithm> {
    records: HashTable<Record<K, A::Cell>>,
    /// The bucket that is looked at next in search of the dead.
    hand: usize,
    /// How many buckets a sweep of the full shard may look at.
    credit: usize,
    pub(super) tally: Tally,
}

impl<K, A: Algorithm> Shard<K, A> {
    fn new() -> Self {
        Self { records: HashTable::new(), hand: 0, credit: 0, tally: Tally::default() }
    }

    /// The decision for a key that has a record.
    #[inline]
    pub(super) fn check<Q: AsKey<K> + ?Sized>(
        &mut self,
        (hash, key): (Fingerprint, &Q),
        now: SteadyTime,
        quota: &Quota,
        cost: NonZeroU32,
    ) -> Option<Decision> {
        let window = quota.window_nanos();
        let record = self
            .records
            .find_mut(hash.spread(), |record| record.hash == hash && record.window == window && key.is(&record.key))?;
        record.checked = self.tally.number();
        let decision = A::check(&mut record.cell, now, quota, cost);
        self.tally.count(&decision);
        Some(decision)
    }

    pub(super) fn find<Q: AsKey<K> + ?Sized>(
        &self,
        hash: Fingerprint,
        window: NonZeroU64,
        key: &Q,
    ) -> Option<&A::Cell> {
        let found = self
            .records
            .find(hash.spread(), |record| record.hash == hash && record.window == window && key.is(&record.key));
        found.map(|record| &record.cell)
    }

    /// The record of a key that was checked last, of those that are alive at `now`.
    pub(super) fn latest<Q: AsKey<K> + ?Sized>(
        &self,
        hash: Fingerprint,
        key: &Q,
        now: SteadyTime,
    ) -> Option<&Record<K, A::Cell>> {
        let records = self.records.iter_hash(hash.spread());
        let of_key = records.filter(|record| record.hash == hash && key.is(&record.key));
        let alive = of_key.filter(|record| !is_dead::<K, A>(record, now));
        alive.min_by_key(|record| self.tally.number().wrapping_sub(record.checked))
    }

    /// Takes out every record of a key.
    pub(super) fn remove<Q: AsKey<K> + ?Sized>(&mut self, hash: Fingerprint, key: &Q, removed: &mut Removed<K, A>) {
        let is_of_key = |record: &Record<K, A::Cell>| record.hash == hash && key.is(&record.key);
        while let Ok(entry) = self.records.find_entry(hash.spread(), is_of_key) {
            removed.push(entry.remove().0);
        }
    }

    /// Takes out every record.
    pub(super) fn clear(&mut self, removed: &mut Removed<K, A>) {
        removed.extend(self.records.drain());
        self.give_back();
    }

    /// Takes out all dead records and gives back the memory of a table that has become sparse. Returns how many there were.
    pub(super) fn sweep(&mut self, now: SteadyTime, removed: &mut Removed<K, A>) -> usize {
        let before = removed.len();
        removed.extend(self.records.extract_if(|record| is_dead::<K, A>(record, now)));
        let expired = removed.len() - before;
        self.tally.expired += expired as u64;
        self.give_back();
        expired
    }

    fn give_back(&mut self) {
        if self.records.len() < self.records.capacity() / SPARSE {
            self.records.shrink_to(2 * self.records.len(), |record| record.hash.spread());
        }
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Record<K, A::Cell>> {
        self.records.iter()
    }

    fn next_bucket(&mut self) -> usize {
        let bucket = if self.hand < self.records.num_buckets() { self.hand } else { 0 };
        self.hand = bucket + 1;
        bucket
    }

    fn remove_some_dead(&mut self, now: SteadyTime, removed: &mut Removed<K, A>) {
        self.credit = self.credit.saturating_add(SWEEP_CREDIT);
        for _ in 0..INSPECTED.min(self.records.num_buckets()) {
            let bucket = self.next_bucket();
            if let Ok(entry) = self.records.get_bucket_entry(bucket)
                && is_dead::<K, A>(entry.get(), now)
            {
                removed.push(entry.remove().0);
                self.tally.expired += 1;
            }
        }
    }

    /// Takes out all the dead if insertions have paid for it. Returns whether there were some.
    ///
    /// A shard that stays full would otherwise be swept for every new key, in vain.
    fn sweep_on_credit(&mut self, now: SteadyTime, removed: &mut Removed<K, A>) -> bool {
        if self.credit < self.records.num_buckets() {
            return false;
        }
        self.credit = 0;
        let before = removed.len();
        removed.extend(self.records.extract_if(|record| is_dead::<K, A>(record, now)));
        let expired = removed.len() - before;
        self.tally.expired += expired as u64;
        expired > 0
    }

    /// Takes out the one of some records that expires first.
    fn evict(&mut self, removed: &mut Removed<K, A>) {
        let mut first: Option<(SteadyTime, usize)> = None;
        let mut seen = 0;
        for _ in 0..self.records.num_buckets() {
            let bucket = self.next_bucket();
            let Some(record) = self.records.get_bucket(bucket) else { continue };
            let expires_at = A::expires_at(&record.cell, record.window);
            if first.is_none_or(|(earliest, _)| expires_at < earliest) {
                first = Some((expires_at, bucket));
            }
            seen += 1;
            if seen == EVICTION_SAMPLE {
                break;
            }
        }
        if let Some(Ok(entry)) = first.map(|(_, bucket)| self.records.get_bucket_entry(bucket)) {
            removed.push(entry.remove().0);
            self.tally.evicted += 1;
        }
    }
}

fn is_dead<K, A: Algorithm>(record: &Record<K, A::Cell>, now: SteadyTime) -> bool {
    A::expires_at(&record.cell, record.window) <= now
}

#[cfg(test)]
mod tests {
    use super::super::{FixedWindow, TokenBucket};
    use super::*;

    #[test]
    fn a_record_with_a_text_as_its_key_is_a_cache_line() {
        assert_eq!(size_of::<Record<String, <FixedWindow as Algorithm>::Cell>>(), 64);
        assert_eq!(size_of::<Record<String, <TokenBucket as Algorithm>::Cell>>(), 64);
    }
}
