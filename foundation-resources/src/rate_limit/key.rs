//! What a record is found by.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};

/// A form of the key `K` that records are looked up by, without making a `K` where there is a record already.
///
/// Everything that a `K` can be borrowed as and made from is one: `str` for `String`, `[u8]` for `Vec<u8>`, `K` itself. [`Pair`]
/// is one for pairs. Forms of your own are worth it for keys of several parts.
///
/// Two forms of one key must hash alike: like the key itself hashes.
pub trait AsKey<K>: Hash {
    /// Whether `key` is the one this is a form of. Runs under a lock; see [the module](super#foreign-code).
    fn is(&self, key: &K) -> bool;

    /// The key this is a form of. Runs outside every lock.
    fn to_key(&self) -> K;
}

impl<K, Q> AsKey<K> for Q
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
{
    #[inline]
    fn is(&self, key: &K) -> bool {
        key.borrow() == self
    }

    fn to_key(&self) -> K {
        self.to_owned()
    }
}

/// A key of two parts by what its parts can be borrowed as.
///
/// ```
/// use foundation_resources::rate_limit::{Pair, Quota, RateLimiter, SlidingWindow};
///
/// let limiter: RateLimiter<(String, String), SlidingWindow> = RateLimiter::new();
/// let quota = Quota::per_minute(1);
/// assert!(limiter.check(&Pair("a:b", "c"), quota).is_allowed());
/// assert!(limiter.check(&Pair("a", "b:c"), quota).is_allowed(), "another key");
/// assert!(!limiter.check(&("a".to_owned(), "b:c".to_owned()), quota).is_allowed());
/// ```
// Neither `Clone` nor `Copy`: either would make it `ToOwned`, for which there is an implementation above.
#[derive(Debug, Hash)]
pub struct Pair<'a, A: ?Sized, B: ?Sized>(pub &'a A, pub &'a B);

impl<A, B, K1, K2> AsKey<(K1, K2)> for Pair<'_, A, B>
where
    A: Hash + Eq + ?Sized,
    B: Hash + Eq + ?Sized,
    K1: Borrow<A> + for<'x> From<&'x A>,
    K2: Borrow<B> + for<'x> From<&'x B>,
{
    #[inline]
    fn is(&self, key: &(K1, K2)) -> bool {
        key.0.borrow() == self.0 && key.1.borrow() == self.1
    }

    fn to_key(&self) -> (K1, K2) {
        (self.0.into(), self.1.into())
    }
}

/// The hash function of a limiter unless [`Builder::hasher`](super::Builder::hasher) says otherwise: fast, and seeded anew for
/// each limiter.
///
/// It is not made to withstand somebody who chooses keys so that they collide and who can measure that they do. Where strangers
/// choose the keys, [`std::hash::RandomState`] does, for 20 to 40 ns a check.
#[derive(Clone, Default)]
pub struct KeyHasher(foldhash::quality::RandomState);

impl BuildHasher for KeyHasher {
    type Hasher = KeyHash;

    #[inline]
    fn build_hasher(&self) -> KeyHash {
        KeyHash(self.0.build_hasher())
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHasher")
    }
}

/// A hash of [`KeyHasher`] in the making.
#[derive(Clone)]
pub struct KeyHash(foldhash::quality::FoldHasher<'static>);

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash")
    }
}

macro_rules! forward {
    ($($write:ident: $number:ty),*) => {
        $(#[inline]
        fn $write(&mut self, number: $number) {
            self.0.$write(number);
        })*
    };
}

impl Hasher for KeyHash {
    #[inline]
    fn finish(&self) -> u64 {
        self.0.finish()
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    forward! {
        write_u8: u8, write_u16: u16, write_u32: u32, write_u64: u64, write_u128: u128, write_usize: usize,
        write_i8: i8, write_i16: i16, write_i32: i32, write_i64: i64, write_i128: i128, write_isize: isize
    }
}
