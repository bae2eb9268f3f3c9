//! Counting in windows that begin at multiples of their length.

use std::num::{NonZeroU32, NonZeroU64};

use super::{Admission, Algorithm, Decision, Denial, DenialReason, Quota, SteadyTime};

/// At most `limit` in each window; windows begin at multiples of their length since the Unix epoch, not at the first request.
///
/// Up to twice the limit may pass within the length of a window, around a boundary. That is the nature of the algorithm;
/// [`SlidingWindow`](super::SlidingWindow) and [`TokenBucket`](super::TokenBucket) do better for more memory or a smoother
/// rate. A denial asks to retry when the next window begins.
#[derive(Clone, Copy, Debug)]
pub struct FixedWindow;

/// The window that was last counted in.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedWindowCell {
    ends_at: SteadyTime,
    count: u32,
    /// The limit of the last check.
    limit: u32,
}

impl FixedWindowCell {
    pub(super) fn limit(&self) -> u32 {
        self.limit
    }
}

impl Algorithm for FixedWindow {
    type Cell = FixedWindowCell;

    const NAME: &'static str = "fixed window";

    #[inline]
    fn check(cell: &mut FixedWindowCell, now: SteadyTime, quota: &Quota, cost: NonZeroU32) -> Decision {
        // Also true of a time before the window began, which counts as its beginning; no division while a window lasts.
        let (ends_at, count) = if now < cell.ends_at {
            (cell.ends_at, cell.count)
        } else {
            (now.next_boundary(quota.window_nanos().get()), 0)
        };
        let (limit, cost) = (quota.limit(), cost.get());
        let reset_after = ends_at.saturating_since(now);
        cell.limit = limit;
        match count.checked_add(cost) {
            Some(count) if count <= limit => {
                *cell = FixedWindowCell { ends_at, count, limit };
                Decision::Allowed(Admission::new(count, limit - count, reset_after))
            }
            _ if cost > limit => {
                Decision::Denied(Denial::new(DenialReason::TooCostly, count, limit, quota.window(), None))
            }
            _ => Decision::Denied(Denial::new(DenialReason::Exceeded, count, limit, quota.window(), Some(reset_after))),
        }
    }

    fn count(cell: &FixedWindowCell, now: SteadyTime, _: NonZeroU64) -> u32 {
        if now < cell.ends_at { cell.count } else { 0 }
    }

    fn expires_at(cell: &FixedWindowCell, _: NonZeroU64) -> SteadyTime {
        cell.ends_at
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MILLI: u64 = 1_000_000;

    fn check(cell: &mut FixedWindowCell, at: u64, quota: Quota, cost: u32) -> Decision {
        FixedWindow::check(cell, SteadyTime::from_nanos(at), &quota, NonZeroU32::new(cost).expect("not zero"))
    }

    #[test]
    fn l1_windows_begin_at_multiples_of_their_length() {
        let quota = Quota::new(1, Duration::from_millis(10)).expect("valid");
        let mut cell = FixedWindowCell::default();
        assert!(check(&mut cell, 19 * MILLI, quota, 1).is_allowed());
        let denied = check(&mut cell, 20 * MILLI - 1, quota, 1);
        assert_eq!(denied.denial().and_then(|denial| denial.retry_after), Some(Duration::from_nanos(1)));
        assert!(check(&mut cell, 20 * MILLI, quota, 1).is_allowed());
    }

    #[test]
    fn l2_denied_checks_do_not_count() {
        let quota = Quota::per_second(2);
        let mut cell = FixedWindowCell::default();
        assert!(check(&mut cell, 0, quota, 2).is_allowed());
        assert!(!check(&mut cell, 1, quota, 1).is_allowed());
        assert_eq!(FixedWindow::count(&cell, SteadyTime::from_nanos(2), quota.window_nanos()), 2);
    }

    #[test]
    fn l3_raising_the_limit_admits_the_difference_and_lowering_it_denies_at_once() {
        let quota = Quota::per_second(2);
        let mut cell = FixedWindowCell::default();
        assert!(check(&mut cell, 0, quota, 2).is_allowed());
        assert!(!check(&mut cell, 0, quota, 1).is_allowed());
        assert!(check(&mut cell, 0, quota.with_limit(3), 1).is_allowed());
        assert!(!check(&mut cell, 0, quota.with_limit(3), 1).is_allowed());
        assert!(!check(&mut cell, 0, quota.with_limit(1), 1).is_allowed());
    }

    #[test]
    fn l4_a_limit_of_zero_denies_without_a_hint() {
        let mut cell = FixedWindowCell::default();
        let decision = check(&mut cell, 0, Quota::per_second(0), 1);
        let denial = decision.denial().expect("denied");
        assert_eq!((denial.reason, denial.retry_after), (DenialReason::TooCostly, None));
    }

    #[test]
    fn a_thread_that_read_the_clock_before_the_boundary_counts_in_the_window_after_it() {
        let quota = Quota::new(1, Duration::from_millis(10)).expect("valid");
        let mut cell = FixedWindowCell::default();
        assert!(check(&mut cell, 10 * MILLI, quota, 1).is_allowed());
        assert!(!check(&mut cell, 10 * MILLI - 1, quota, 1).is_allowed());
    }
}
