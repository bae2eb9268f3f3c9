//! What a limiter shows to dashboards.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use foundation_types::inspect::{Gauge, Inspect, Section, Table};
use foundation_types::{Clock, Health, Ratio, Text};

use super::{Algorithm, RateLimiter};

/// The text of a key; see [`Builder::show_keys`](super::Builder::show_keys).
pub(super) type KeyText<K> = fn(&K) -> Text;

/// How many of the busiest keys are shown.
const SHOWN_KEYS: usize = 20;

impl<K: Clone, A: Algorithm, C: Clock, S> RateLimiter<K, A, C, S> {
    /// The keys that count the most now, at most `most` of them, the busiest first, each with its count. A key with windows of
    /// several lengths may come several times. O(records × log `most`).
    ///
    /// Keys are cloned under the lock of one shard: cloning must not call the limiter.
    pub fn busiest(&self, most: usize) -> Vec<(K, u32)> {
        let now = self.clock.now();
        let mut busiest = Vec::new();
        for shard in self.shards.iter() {
            // The least of the busiest so far is on top, with its number in the shard.
            let mut top = BinaryHeap::new();
            for (number, record) in shard.iter().enumerate() {
                let count = A::count(&record.cell, now, record.window());
                if count > 0 {
                    top.push(Reverse((count, number)));
                    if top.len() > most {
                        top.pop();
                    }
                }
            }
            let mut chosen: Vec<_> = top.into_iter().map(|Reverse((count, number))| (number, count)).collect();
            chosen.sort_unstable();
            let mut chosen = chosen.into_iter().peekable();
            for (number, record) in shard.iter().enumerate() {
                let Some((_, count)) = chosen.next_if(|(next, _)| *next == number) else { continue };
                busiest.push((record.key.clone(), count));
            }
        }
        busiest.sort_by_key(|(_, count)| Reverse(*count));
        busiest.truncate(most);
        busiest
    }
}

impl<K, A, C, S> Inspect for RateLimiter<K, A, C, S>
where
    K: Clone + Send,
    A: Algorithm,
    C: Clock,
    S: Send + Sync,
{
    /// What is counted, how full the table is, and the busiest keys if [`Builder::show_keys`](super::Builder::show_keys) allows
    /// it. O(records) with keys, O(shards) without.
    fn inspect(&self) -> Section {
        let stats = self.stats();
        let max = self.max_keys().get();
        let section = Section::new(self.name().clone(), Health::Healthy)
            .gauge(Gauge::new("algorithm", A::NAME))
            .gauge(Gauge::new("allowed", stats.allowed))
            .gauge(Gauge::new("denied", stats.denied))
            .gauge(Gauge::new("records", stats.records))
            .gauge(Gauge::new("most records", max))
            .gauge(Gauge::new("full", Ratio::saturating(stats.records as f64 / max as f64)))
            .gauge(Gauge::new("evicted", stats.evicted))
            .gauge(Gauge::new("expired", stats.expired));
        let Some(text) = self.key_text else { return section };
        let rows = self.busiest(SHOWN_KEYS).into_iter().map(|(key, count)| (text(&key), count));
        section.table(Table::new("busiest keys", ["key", "count"], rows))
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use foundation_types::ManualClock;
    use foundation_types::inspect::Cell;

    use super::super::Quota;
    use super::*;

    fn rows(section: &Section) -> Vec<(String, u64)> {
        let rows = section.tables().iter().flat_map(Table::rows);
        rows.map(|row| match row.as_slice() {
            [Cell::Text(key), Cell::Count(count)] => (key.to_string(), *count),
            other => panic!("{other:?}"),
        })
        .collect()
    }

    #[test]
    fn the_busiest_keys_are_shown_only_where_that_is_allowed_and_never_without_bound() {
        let clock = ManualClock::new();
        let silent: RateLimiter<String, _, _> = RateLimiter::<String>::builder().clock(clock.clone()).build();
        let open = RateLimiter::<String>::builder().clock(clock.clone()).show_keys(|key| key.as_str().into()).build();
        for number in 1..=100 {
            let cost = NonZeroU32::new(number).expect("not zero");
            for limiter in [&silent, &open] {
                assert!(limiter.check_n(&format!("key-{number}"), Quota::per_minute(100), cost).is_allowed());
            }
        }
        assert!(silent.inspect().tables().is_empty());
        let shown = rows(&open.inspect());
        let expected: Vec<_> = (81..=100).rev().map(|number| (format!("key-{number}"), number)).collect();
        assert_eq!(shown, expected);
        clock.advance(Duration::from_mins(1));
        assert_eq!(rows(&open.inspect()), [], "nothing counts in the new window");
    }
}
