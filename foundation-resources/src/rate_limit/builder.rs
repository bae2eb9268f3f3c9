//! Settings of a keyed limiter.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;

use foundation_types::{Clock, Emitter, Name, SystemClock, Text};

use super::inspect::KeyText;
use super::key::KeyHasher;
use super::keyed::RateLimiter;
use super::{Algorithm, FixedWindow};

/// How many records a limiter holds unless [`Builder::max_keys`] says otherwise: 1 048 576.
pub const DEFAULT_MAX_KEYS: NonZeroUsize = NonZeroUsize::new(1 << 20).expect("not zero");

/// What happens to a request with a new key when the limiter is full of live records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WhenFull {
    /// It takes the place of an old record, whose key starts anew when it comes again: the one whose counts would have expired
    /// first, out of a sample of at most [`Builder::EVICTION_SAMPLE`] of its shard.
    #[default]
    EvictOldest,
    /// It is denied, with [`DenialReason::TableFull`](super::DenialReason::TableFull).
    Deny,
}

/// Settings of a [`RateLimiter`], made by [`RateLimiter::builder`].
pub struct Builder<K, A = FixedWindow, C = SystemClock, S = KeyHasher> {
    pub(super) name: Name,
    pub(super) clock: C,
    pub(super) hasher: S,
    pub(super) emitter: Emitter,
    pub(super) max_keys: NonZeroUsize,
    pub(super) when_full: WhenFull,
    pub(super) key_text: Option<KeyText<K>>,
    pub(super) algorithm: PhantomData<fn() -> A>,
}

impl<K, A> Default for Builder<K, A> {
    fn default() -> Self {
        Self {
            name: Name::from_static("rate_limiter"),
            clock: SystemClock,
            hasher: KeyHasher::default(),
            emitter: Emitter::none(),
            max_keys: DEFAULT_MAX_KEYS,
            when_full: WhenFull::default(),
            key_text: None,
            algorithm: PhantomData,
        }
    }
}

impl<K, A: Algorithm, C: Clock, S> Builder<K, A, C, S> {
    /// How many records are compared when one has to give way to a new key. A limiter that holds no more than these evicts
    /// the very oldest.
    pub const EVICTION_SAMPLE: usize = super::table::EVICTION_SAMPLE;

    /// Its name in events and on dashboards: `rate_limiter` unless set.
    #[must_use]
    pub fn name(mut self, name: Name) -> Self {
        self.name = name;
        self
    }

    /// Where it takes the time from: the system, unless set. The wall clock is read once, when the limiter is built.
    #[must_use]
    pub fn clock<D: Clock>(self, clock: D) -> Builder<K, A, D, S> {
        let Self { name, clock: _, hasher, emitter, max_keys, when_full, key_text, algorithm } = self;
        Builder { name, clock, hasher, emitter, max_keys, when_full, key_text, algorithm }
    }

    /// How keys are hashed: by [`KeyHasher`] unless set.
    #[must_use]
    pub fn hasher<T>(self, hasher: T) -> Builder<K, A, C, T> {
        let Self { name, clock, hasher: _, emitter, max_keys, when_full, key_text, algorithm } = self;
        Builder { name, clock, hasher, emitter, max_keys, when_full, key_text, algorithm }
    }

    /// Where it emits `foundation.rate_limit.*`: nowhere unless set. See [`RateLimiter`].
    #[must_use]
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// How many records it holds at most: [`DEFAULT_MAX_KEYS`] unless set. Each key has one for each window length that it is
    /// checked with.
    ///
    /// The records are spread over up to 64 shards, each of which has an equal share and is full when that is used up: with keys
    /// that hash well, the first is full when the table is nine tenths full or more. Below 512 there is one shard, which is full
    /// at exactly this number; it also means one lock for all keys.
    #[must_use]
    pub fn max_keys(mut self, max: NonZeroUsize) -> Self {
        self.max_keys = max;
        self
    }

    /// What happens to a new key when it is full: it takes the place of an old one, unless set.
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Lets [`Inspect`](foundation_types::Inspect) show the busiest keys by these texts. Without it no key is shown: keys may be
    /// secrets, such as tokens, or personal, such as addresses.
    #[must_use]
    pub fn show_keys(mut self, text: fn(&K) -> Text) -> Self {
        self.key_text = Some(text);
        self
    }

    /// The limiter.
    pub fn build(self) -> RateLimiter<K, A, C, S> {
        RateLimiter::from_builder(self)
    }
}

impl<K, A, C, S> fmt::Debug for Builder<K, A, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("max_keys", &self.max_keys)
            .field("when_full", &self.when_full)
            .finish_non_exhaustive()
    }
}
