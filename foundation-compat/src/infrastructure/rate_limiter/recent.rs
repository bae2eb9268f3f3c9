//! What quota each pair was last checked with.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foundation_resources::rate_limit::Quota;
use foundation_types::Text;

/// How many pairs of entity and operation have their last quota remembered at least, before those checked longest ago are
/// forgotten; it may be twice as many. Their counts are not forgotten with it.
pub const REMEMBERED_QUOTAS: usize = 1 << 16;

const SHARDS: usize = 16;

type Pair = (Text, Text);

/// The last quota by pair. Bounded: each part keeps two generations, and when the young one is full it becomes the old one,
/// whose pairs come back into the young one as they are checked.
pub(crate) struct Recent {
    hasher: RandomState,
    shards: [Mutex<Generations>; SHARDS],
}

#[derive(Default)]
struct Generations {
    young: HashMap<Pair, Quota>,
    old: HashMap<Pair, Quota>,
}

impl Recent {
    pub(crate) fn new() -> Self {
        Self { hasher: RandomState::new(), shards: std::array::from_fn(|_| Mutex::default()) }
    }

    pub(crate) fn note(&self, pair: Pair, quota: Quota) {
        let forgotten = {
            let mut shard = self.shard(&pair);
            shard.young.insert(pair, quota);
            let is_full = shard.young.len() >= REMEMBERED_QUOTAS / SHARDS;
            is_full.then(|| {
                let young = mem::take(&mut shard.young);
                mem::replace(&mut shard.old, young)
            })
        };
        // Thousands of texts: not under the lock.
        drop(forgotten);
    }

    pub(crate) fn get(&self, pair: &Pair) -> Option<Quota> {
        let shard = self.shard(pair);
        shard.young.get(pair).or_else(|| shard.old.get(pair)).copied()
    }

    fn shard(&self, pair: &Pair) -> MutexGuard<'_, Generations> {
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
        let index = self.hasher.hash_one(pair) as usize % SHARDS;
        // Nothing that can panic happens under the lock.
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(number: usize) -> Pair {
        (Text::from(number.to_string()), Text::from_static("op"))
    }

    #[test]
    fn memory_is_bounded_and_what_was_checked_lately_is_remembered() {
        let recent = Recent::new();
        let total = 8 * REMEMBERED_QUOTAS;
        for number in 0..total {
            recent.note(pair(number), Quota::per_second(1));
        }
        let held: usize =
            recent.shards.iter().map(|shard| shard.lock().expect("sound")).map(|s| s.young.len() + s.old.len()).sum();
        assert!(held <= 2 * REMEMBERED_QUOTAS, "{held}");
        assert_eq!(recent.get(&pair(total - 1)), Some(Quota::per_second(1)));
        assert_eq!(recent.get(&pair(0)), None);
    }
}
