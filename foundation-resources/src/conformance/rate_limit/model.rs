//! What the algorithms count, from the whole history and by definition.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::rate_limit::{Admission, Decision, Denial, DenialReason, Quota, Usage};

/// What a limiter claims to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Those of [`FixedWindow`](crate::rate_limit::FixedWindow).
    FixedWindow,
    /// Those of [`SlidingWindow`](crate::rate_limit::SlidingWindow).
    SlidingWindow,
    /// Those of [`TokenBucket`](crate::rate_limit::TokenBucket).
    TokenBucket,
}

/// A request that was admitted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admitted {
    /// Nanoseconds since the Unix epoch.
    pub(super) at: u128,
    pub(super) cost: u32,
    /// The limit of its quota.
    pub(super) limit: u32,
}

impl Rules {
    /// How many requests may count.
    pub(super) fn bound(self, quota: &Quota) -> u32 {
        match self {
            Self::FixedWindow | Self::SlidingWindow => quota.limit(),
            Self::TokenBucket => quota.capacity(),
        }
    }

    /// How many of the admitted count at `now`.
    pub(super) fn count(self, admitted: &[Admitted], window: Duration, now: u128) -> u128 {
        let window = window.as_nanos();
        let sum = |counts: &dyn Fn(&Admitted) -> bool| {
            admitted.iter().filter(|one| counts(one)).map(|one| u128::from(one.cost)).sum()
        };
        match self {
            Self::FixedWindow => sum(&|one| one.at / window == now / window),
            Self::SlidingWindow => sum(&|one| one.at + window > now),
            Self::TokenBucket => {
                // In parts of a token: as many as the window has nanoseconds.
                let mut level = 0_u128;
                for (index, one) in admitted.iter().enumerate() {
                    let until = admitted.get(index + 1).map_or(now, |next| next.at);
                    level += u128::from(one.cost) * window;
                    level = level.saturating_sub((until - one.at) * u128::from(one.limit));
                }
                level.div_ceil(window)
            }
        }
    }
}

/// A limiter that remembers every admission.
pub(super) struct Model {
    rules: Rules,
    pub(super) now: u128,
    admitted: BTreeMap<(usize, Duration), Vec<Admitted>>,
}

impl Model {
    pub(super) fn new(rules: Rules, now: u128) -> Self {
        Self { rules, now, admitted: BTreeMap::new() }
    }

    fn count_at(&self, key: usize, quota: &Quota, now: u128) -> u128 {
        let admitted = self.admitted.get(&(key, quota.window()));
        admitted.map_or(0, |admitted| self.rules.count(admitted, quota.window(), now))
    }

    /// After how long at the earliest no more than `count` count, if nothing is admitted meanwhile.
    fn time_until(&self, key: usize, quota: &Quota, count: u128) -> Duration {
        let holds_after = |nanos: u64| self.count_at(key, quota, self.now + u128::from(nanos)) <= count;
        if holds_after(0) {
            return Duration::ZERO;
        }
        // What counts only ever gets less, so the first such moment can be searched for.
        let (mut too_early, mut late_enough) = (0, 1);
        while !holds_after(late_enough) {
            (too_early, late_enough) = (late_enough, late_enough * 2);
        }
        while late_enough - too_early > 1 {
            let middle = too_early + (late_enough - too_early) / 2;
            *(if holds_after(middle) { &mut late_enough } else { &mut too_early }) = middle;
        }
        Duration::from_nanos(late_enough)
    }

    pub(super) fn check(&mut self, key: usize, quota: &Quota, cost: u32) -> Decision {
        let bound = self.rules.bound(quota);
        let count = self.count_at(key, quota, self.now);
        let narrow = |count: u128| u32::try_from(count).expect("small");
        if count + u128::from(cost) <= u128::from(bound) {
            let admitted = Admitted { at: self.now, cost, limit: quota.limit() };
            self.admitted.entry((key, quota.window())).or_default().push(admitted);
            let count = narrow(self.count_at(key, quota, self.now));
            return Decision::Allowed(Admission::new(count, bound - count, self.time_until(key, quota, 0)));
        }
        let (reason, retry_after) = if cost > bound {
            (DenialReason::TooCostly, None)
        } else {
            (DenialReason::Exceeded, Some(self.time_until(key, quota, u128::from(bound - cost))))
        };
        Decision::Denied(Denial::new(reason, narrow(count), bound, quota.window(), retry_after))
    }

    pub(super) fn usage(&self, key: usize, quota: &Quota) -> Usage {
        let count = u32::try_from(self.count_at(key, quota, self.now)).expect("small");
        Usage::new(count, self.rules.bound(quota), self.time_until(key, quota, 0))
    }

    /// Whether anything of the key counts, in a window of whatever length.
    pub(super) fn reset(&mut self, key: usize) -> bool {
        let counted = self.live().any(|(of, _)| of == key);
        self.admitted.retain(|(of, _), _| *of != key);
        counted
    }

    /// The keys and window lengths of which something counts.
    pub(super) fn live(&self) -> impl Iterator<Item = (usize, Duration)> {
        let counts = |(key, window): &(usize, Duration), admitted: &[Admitted]| {
            (self.rules.count(admitted, *window, self.now) > 0).then_some((*key, *window))
        };
        self.admitted.iter().filter_map(move |(key, admitted)| counts(key, admitted))
    }
}
