//! Breakers by name.

use std::fmt;
use std::hash::BuildHasher;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;
use foldhash::fast::RandomState;
use foundation_types::{Clock, Emitter, Name, SystemClock};
use hashbrown::HashTable;
use parking_lot::RwLock;

use crate::breaker::CircuitBreaker;
use crate::error::{AlreadyExists, InstallError, SetFull};
use crate::options::Options;

/// How many breakers a set holds if nothing else is said: about 100 MB of them, when two threads call through each.
pub const DEFAULT_SET_LIMIT: NonZeroUsize = NonZeroUsize::new(100_000).expect("not zero");

/// How many breakers a full set looks at to find one that it can give up.
pub const EVICTION_SAMPLE: usize = 64;

/// Parts that are locked apart. More than the cores ask for, so that growing one stalls few.
const SHARDS: usize = 64;

/// What a set does that is full when a name is new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// Refuses the name.
    #[default]
    Refuse,
    /// Gives up a breaker that nobody would miss: closed, with no failure remembered, no call under way and no handle
    /// outside the set. At most [`EVICTION_SAMPLE`] are looked at; if none of them will do, the name is refused.
    EvictIdle,
}

/// Breakers by name, for one per host, tenant or key.
///
/// Looking one up takes a shared lock on one of 64 parts, for as long as the search and a clone take: O(1). The memory is
/// bounded by a limit on the number of breakers.
///
/// ```
/// use foundation_breaker::{BreakerSet, Options};
/// use foundation_types::Name;
///
/// let hosts = BreakerSet::new();
/// let host = Name::from_static("db-1.example");
/// let breaker = hosts.get_or_install(&host, Options::default)?;
/// assert!(breaker.call(|| Ok::<_, ()>(1)).is_ok());
/// assert!(hosts.get("db-1.example").is_some_and(|again| again.is_same(&breaker)));
/// # Ok::<(), foundation_breaker::SetFull>(())
/// ```
pub struct BreakerSet<C = SystemClock> {
    shards: Box<[CachePadded<Shard<C>>]>,
    hasher: RandomState,
    len: AtomicUsize,
    limit: NonZeroUsize,
    when_full: WhenFull,
    emitter: Emitter,
    clock: C,
}

type Shard<C> = RwLock<HashTable<CircuitBreaker<C>>>;

impl BreakerSet {
    /// An empty set on the system clock, with [`DEFAULT_SET_LIMIT`].
    pub fn new() -> Self {
        Self::with_clock(SystemClock)
    }
}

impl Default for BreakerSet {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Clock + Clone> BreakerSet<C> {
    /// An empty set on `clock`, with [`DEFAULT_SET_LIMIT`].
    pub fn with_clock(clock: C) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| CachePadded::default()).collect(),
            hasher: RandomState::default(),
            len: AtomicUsize::new(0),
            limit: DEFAULT_SET_LIMIT,
            when_full: WhenFull::default(),
            emitter: Emitter::none(),
            clock,
        }
    }

    /// This set with another limit, and another answer to being full. To be said before the set is used.
    #[must_use]
    pub fn limit(mut self, limit: NonZeroUsize, when_full: WhenFull) -> Self {
        self.limit = limit;
        self.when_full = when_full;
        self
    }

    /// This set with an observer for all breakers that it makes from now on.
    #[must_use]
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// The breaker `name` with these options.
    ///
    /// If there is one already its options are replaced, all it remembers is forgotten and it closes, unless it is held open;
    /// its handles stay valid and its totals go on.
    ///
    /// # Errors
    /// [`SetFull`] if the name is new and the set is full.
    pub fn install(&self, name: &Name, options: Options) -> Result<CircuitBreaker<C>, SetFull> {
        let (breaker, is_new) = self.entry(name, || options.clone())?;
        if !is_new {
            breaker.reconfigure(options);
        }
        Ok(breaker)
    }

    /// The breaker `name` with these options, if there was none. Of several at once exactly one succeeds.
    ///
    /// # Errors
    /// [`InstallError::AlreadyExists`], or [`InstallError::Full`].
    pub fn try_install(&self, name: &Name, options: Options) -> Result<CircuitBreaker<C>, InstallError> {
        match self.entry(name, || options)? {
            (breaker, true) => Ok(breaker),
            (_, false) => Err(AlreadyExists { name: name.clone() }.into()),
        }
    }

    /// The breaker `name`, made with `options` if there was none.
    ///
    /// `options` is called outside every lock, and its result is dropped if another thread was faster.
    ///
    /// # Errors
    /// [`SetFull`] if the name is new and the set is full.
    pub fn get_or_install(&self, name: &Name, options: impl FnOnce() -> Options) -> Result<CircuitBreaker<C>, SetFull> {
        match self.get(name.as_str()) {
            Some(breaker) => Ok(breaker),
            None => Ok(self.entry(name, options)?.0),
        }
    }

    /// The breaker `name`, and whether it is new.
    fn entry(&self, name: &Name, options: impl FnOnce() -> Options) -> Result<(CircuitBreaker<C>, bool), SetFull> {
        let fresh = CircuitBreaker::builder(name.clone())
            .options(options())
            .emitter(self.emitter.clone())
            .clock(self.clock.clone())
            .assemble();
        let (shard, hash) = self.shard(name.as_str());
        {
            let mut shard = shard.write();
            if let Some(breaker) = shard.find(hash, |breaker| breaker.name() == name) {
                return Ok((breaker.clone(), false));
            }
            if self.reserve() {
                self.insert(&mut shard, hash, &fresh);
                return Ok((fresh, true));
            }
        }
        // What goes is dropped after the locks are free.
        let evicted = self.evict(hash);
        let mut shard = shard.write();
        if let Some(breaker) = shard.find(hash, |breaker| breaker.name() == name) {
            return Ok((breaker.clone(), false));
        }
        if !self.reserve() {
            return Err(SetFull { limit: self.limit.get() });
        }
        self.insert(&mut shard, hash, &fresh);
        drop(shard);
        drop(evicted);
        Ok((fresh, true))
    }

    fn insert(&self, shard: &mut HashTable<CircuitBreaker<C>>, hash: u64, fresh: &CircuitBreaker<C>) {
        shard.insert_unique(hash, fresh.clone(), |breaker| self.hasher.hash_one(breaker.name().as_str()));
    }

    /// Counts one more, if there is room.
    fn reserve(&self) -> bool {
        self.len
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |len| (len < self.limit.get()).then(|| len + 1))
            .is_ok()
    }

    /// Takes one idle breaker out, beginning with the part after the one of `hash`.
    fn evict(&self, hash: u64) -> Option<CircuitBreaker<C>> {
        if self.when_full == WhenFull::Refuse {
            return None;
        }
        let mut looked_at = 0;
        for offset in 1..=SHARDS {
            let mut shard = self.shards[(Self::index(hash) + offset) % SHARDS].write();
            let left = EVICTION_SAMPLE - looked_at;
            let idle = shard.iter().take(left).position(CircuitBreaker::is_idle);
            if let Some(position) = idle {
                let name = shard.iter().nth(position).map(|breaker| breaker.name().clone())?;
                let hash = self.hasher.hash_one(name.as_str());
                let found = shard.find_entry(hash, |breaker| *breaker.name() == name).ok()?;
                let (evicted, _) = found.remove();
                self.len.fetch_sub(1, Ordering::Relaxed);
                return Some(evicted);
            }
            looked_at += shard.len().min(left);
            if looked_at == EVICTION_SAMPLE {
                break;
            }
        }
        None
    }
}

impl<C: Clock> BreakerSet<C> {
    /// The breaker of this name. O(1).
    #[inline]
    pub fn get(&self, name: &str) -> Option<CircuitBreaker<C>> {
        let (shard, hash) = self.shard(name);
        shard.read().find(hash, |breaker| breaker.name().as_str() == name).cloned()
    }

    /// Takes the breaker of this name out of the set. Its handles go on working as a breaker of their own.
    pub fn remove(&self, name: &str) -> Option<CircuitBreaker<C>> {
        let (shard, hash) = self.shard(name);
        let mut shard = shard.write();
        let found = shard.find_entry(hash, |breaker| breaker.name().as_str() == name).ok()?;
        let (removed, _) = found.remove();
        self.len.fetch_sub(1, Ordering::Relaxed);
        Some(removed)
    }

    /// All names, in no stated order. O(breakers); one part is locked at a time.
    pub fn names(&self) -> Vec<Name> {
        self.collect(|breaker| breaker.name().clone())
    }

    /// All breakers, in no stated order. O(breakers); one part is locked at a time.
    pub fn all(&self) -> Vec<CircuitBreaker<C>> {
        self.collect(Clone::clone)
    }

    fn collect<T>(&self, each: impl Fn(&CircuitBreaker<C>) -> T) -> Vec<T> {
        let mut all = Vec::with_capacity(self.len());
        for shard in &self.shards {
            all.extend(shard.read().iter().map(&each));
        }
        all
    }

    /// How many breakers there are.
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn index(hash: u64) -> usize {
        // The table uses the top bits and the bottom ones; these are between.
        (hash >> 32) as usize % SHARDS
    }

    #[inline]
    fn shard(&self, name: &str) -> (&Shard<C>, u64) {
        let hash = self.hasher.hash_one(name);
        (&self.shards[Self::index(hash)], hash)
    }
}

impl<C: Clock> CircuitBreaker<C> {
    /// Whether nobody would miss it: it remembers nothing, and nobody but the set holds it.
    fn is_idle(&self) -> bool {
        self.handles() == 1 && self.shared.is_at_rest()
    }
}

impl<C: Clock> fmt::Debug for BreakerSet<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerSet").field("len", &self.len()).field("limit", &self.limit).finish_non_exhaustive()
    }
}
