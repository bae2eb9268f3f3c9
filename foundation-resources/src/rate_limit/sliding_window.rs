//! Counting in the window that ends now.

use std::collections::VecDeque;
use std::num::{NonZeroU32, NonZeroU64};

use super::{Admission, Algorithm, Decision, Denial, DenialReason, Quota, SteadyTime};

/// At most `limit` in *every* half-open stretch `(t − window, t]`.
///
/// It remembers the instants of the admissions that still count, at most as many as the largest limit used: 16 bytes each. A
/// check is O(log limit), amortised. A denial asks to retry when enough of them have left.
#[derive(Clone, Copy, Debug)]
pub struct SlidingWindow;

/// The admissions that may still count, oldest first.
#[derive(Clone, Debug, Default)]
pub struct SlidingWindowCell {
    log: VecDeque<Instant>,
    /// The total of the last admission that was dropped from the log.
    base: u64,
}

/// What was admitted at one point in time.
#[derive(Clone, Copy, Debug)]
struct Instant {
    at: SteadyTime,
    /// All that was ever admitted up to here. A cell would have to admit a request each nanosecond for 584 years to wrap it.
    total: u64,
}

impl SlidingWindowCell {
    fn total(&self) -> u64 {
        self.log.back().map_or(self.base, |last| last.total)
    }

    /// How many entries have left the window by `now`: those of `now − window` or before.
    fn left_by(&self, now: SteadyTime, window: NonZeroU64) -> usize {
        let Some(edge) = now.as_nanos().checked_sub(window.get()) else { return 0 };
        let edge = SteadyTime::from_nanos(edge);
        if self.log.front().is_none_or(|first| first.at > edge) {
            return 0;
        }
        self.log.partition_point(|entry| entry.at <= edge)
    }

    /// All that was admitted up to and including the first `entries` of the log.
    fn total_of(&self, entries: usize) -> u64 {
        entries.checked_sub(1).map_or(self.base, |last| self.log[last].total)
    }

    fn not_before_the_last(&self, now: SteadyTime) -> SteadyTime {
        self.log.back().map_or(now, |last| last.at.max(now))
    }
}

fn narrow(count: u64) -> u32 {
    // What counts was admitted under limits of 32 bits.
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Algorithm for SlidingWindow {
    type Cell = SlidingWindowCell;

    const NAME: &'static str = "sliding window";

    fn check(cell: &mut SlidingWindowCell, now: SteadyTime, quota: &Quota, cost: NonZeroU32) -> Decision {
        let asked_at = now;
        let (now, window) = (cell.not_before_the_last(now), quota.window_nanos());
        let left = cell.left_by(now, window);
        let (total, gone) = (cell.total(), cell.total_of(left));
        let count = total - gone;
        let (limit, cost) = (quota.limit(), cost.get());
        if count + u64::from(cost) <= u64::from(limit) {
            cell.log.drain(..left);
            cell.base = gone;
            let total = total + u64::from(cost);
            match cell.log.back_mut() {
                Some(last) if last.at == now => last.total = total,
                _ => cell.log.push_back(Instant { at: now, total }),
            }
            let count = narrow(total - gone);
            let reset_after = now.saturating_add(quota.window()).saturating_since(asked_at);
            return Decision::Allowed(Admission::new(count, limit - count, reset_after));
        }
        let (reason, retry_after) = if cost > limit {
            (DenialReason::TooCostly, None)
        } else {
            // So much must have left in all before the rest and the cost fit.
            let enough = total + u64::from(cost) - u64::from(limit);
            let last_to_leave = cell.log.partition_point(|entry| entry.total < enough);
            let at = cell.log[last_to_leave].at;
            (DenialReason::Exceeded, Some(at.saturating_add(quota.window()).saturating_since(asked_at)))
        };
        Decision::Denied(Denial::new(reason, narrow(count), limit, quota.window(), retry_after))
    }

    fn count(cell: &SlidingWindowCell, now: SteadyTime, window: NonZeroU64) -> u32 {
        let now = cell.not_before_the_last(now);
        narrow(cell.total() - cell.total_of(cell.left_by(now, window)))
    }

    fn expires_at(cell: &SlidingWindowCell, window: NonZeroU64) -> SteadyTime {
        cell.log
            .back()
            .map_or(SteadyTime::EPOCH, |last| SteadyTime::from_nanos(last.at.as_nanos().saturating_add(window.get())))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(cell: &mut SlidingWindowCell, at: u64, quota: Quota, cost: u32) -> Decision {
        SlidingWindow::check(cell, SteadyTime::from_nanos(at), &quota, NonZeroU32::new(cost).expect("not zero"))
    }

    #[test]
    fn an_admission_counts_until_exactly_the_length_of_the_window_later() {
        let quota = Quota::new(2, Duration::from_nanos(100)).expect("valid");
        let mut cell = SlidingWindowCell::default();
        assert!(check(&mut cell, 1_000, quota, 1).is_allowed());
        assert!(check(&mut cell, 1_050, quota, 1).is_allowed());
        let denied = check(&mut cell, 1_099, quota, 1);
        assert_eq!(denied.denial().and_then(|denial| denial.retry_after), Some(Duration::from_nanos(1)));
        let costly = check(&mut cell, 1_099, quota, 2);
        assert_eq!(costly.denial().and_then(|denial| denial.retry_after), Some(Duration::from_nanos(51)));
        assert!(check(&mut cell, 1_100, quota, 1).is_allowed());
    }

    #[test]
    fn the_log_is_never_longer_than_the_limit() {
        let quota = Quota::new(5, Duration::from_nanos(10)).expect("valid");
        let mut cell = SlidingWindowCell::default();
        let mut admitted = 0;
        for at in 0..1_000 {
            admitted += u32::from(check(&mut cell, at, quota, 1).is_allowed());
            assert!(cell.log.len() <= 5, "at {at}");
        }
        assert_eq!(admitted, 500);
    }

    #[test]
    fn admissions_of_one_instant_share_an_entry() {
        let mut cell = SlidingWindowCell::default();
        for _ in 0..100 {
            assert!(check(&mut cell, 7, Quota::per_second(100), 1).is_allowed());
        }
        assert_eq!(cell.log.len(), 1);
        assert!(!check(&mut cell, 7, Quota::per_second(100), 1).is_allowed());
    }
}
