//! The seam between how requests are counted and where the counts are kept.

use std::num::{NonZeroU32, NonZeroU64};

use super::{Decision, Quota, SteadyTime, Usage};

/// A way of counting requests.
///
/// An implementation has no state of its own; the limiter keeps one cell for each key and window length. Its functions run
/// under the lock of the cell: they must be quick and must not call the limiter.
///
/// Rules, which the public suite of the feature `conformance` checks:
///
/// - A default cell counts nothing, at any time.
/// - A denial leaves everything that can be seen of the cell as it was.
/// - From [`expires_at`](Self::expires_at) on, a cell cannot be told from a default one.
/// - `now` may lie a little before the time of an earlier call, because threads read the clock before they take the lock.
///   It then counts as that time.
pub trait Algorithm: 'static {
    /// What is kept for a key.
    type Cell: Default + Send + 'static;

    /// A short name, for dashboards.
    const NAME: &'static str;

    /// Counts a request of this cost if it fits.
    fn check(cell: &mut Self::Cell, now: SteadyTime, quota: &Quota, cost: NonZeroU32) -> Decision;

    /// How many count at `now`, in a window of so many nanoseconds.
    fn count(cell: &Self::Cell, now: SteadyTime, window: NonZeroU64) -> u32;

    /// When nothing in the cell counts any more, for a window of so many nanoseconds.
    fn expires_at(cell: &Self::Cell, window: NonZeroU64) -> SteadyTime;

    /// How many may count under a quota.
    fn bound(quota: &Quota) -> u32 {
        quota.limit()
    }

    /// How much of the quota is used at `now`.
    fn usage(cell: &Self::Cell, now: SteadyTime, quota: &Quota) -> Usage {
        let window = quota.window_nanos();
        let count = Self::count(cell, now, window);
        Usage::new(count, Self::bound(quota), Self::expires_at(cell, window).saturating_since(now))
    }
}
