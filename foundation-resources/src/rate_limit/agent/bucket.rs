//! The count of an operation of an agent.

use std::time::Duration;

use super::super::{Quota, SteadyTime};
use super::{Burst, OperationLimit};

/// The window that was last counted in: a fixed window with a second count for the burst.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    ends_at: SteadyTime,
    /// When the first request of the window was admitted.
    first_at: SteadyTime,
    /// What counts against the limit, reservations included.
    count: u32,
    /// What was admitted beyond it.
    burst: u32,
}

/// Why there is no room, and when there is some.
pub(super) struct NoRoom {
    pub(super) count: u32,
    pub(super) retry_after: Option<Duration>,
}

impl Bucket {
    /// The bucket at `now`: itself, or an empty one if its window is over.
    fn at(self, now: SteadyTime, quota: &Quota) -> Self {
        if now < self.ends_at {
            return self;
        }
        Self { ends_at: now.next_boundary(quota.window_nanos().get()), first_at: now, ..Self::default() }
    }

    /// Charges `cost` to the main limit, all or nothing.
    pub(super) fn charge(&mut self, now: SteadyTime, quota: &Quota, cost: u32) -> Result<(), NoRoom> {
        let mut bucket = self.at(now, quota);
        let limit = quota.limit();
        match bucket.count.checked_add(cost) {
            Some(count) if count <= limit => {
                bucket.count = count;
                *self = bucket;
                Ok(())
            }
            _ => {
                let possible = cost <= limit;
                let retry_after = possible.then(|| bucket.ends_at.saturating_since(now));
                Err(NoRoom { count: bucket.total(), retry_after })
            }
        }
    }

    /// Charges one request to the burst.
    pub(super) fn charge_burst(&mut self, now: SteadyTime, limit: &OperationLimit) -> Result<(), NoRoom> {
        let mut bucket = self.at(now, &limit.quota);
        let Burst { allowance, window } = limit.burst;
        // A limit of zero has no first request, and so no burst.
        let begun = bucket.count > 0 && limit.quota.limit() > 0;
        let in_time = window.is_none_or(|window| now.saturating_since(bucket.first_at) < window);
        if begun && in_time && bucket.burst < allowance {
            bucket.burst += 1;
            *self = bucket;
            return Ok(());
        }
        let retry_after = (limit.quota.limit() > 0).then(|| bucket.ends_at.saturating_since(now));
        Err(NoRoom { count: bucket.total(), retry_after })
    }

    /// Gives back what was charged to the window that ends at `ends_at`, if it is still that one.
    pub(super) fn refund(&mut self, ends_at: SteadyTime, cost: u32) {
        if self.ends_at == ends_at {
            self.count = self.count.saturating_sub(cost);
        }
    }

    pub(super) fn ends_at(&self) -> SteadyTime {
        self.ends_at
    }

    pub(super) fn is_live(&self, now: SteadyTime) -> bool {
        now < self.ends_at
    }

    /// How many count at `now`.
    pub(super) fn count_at(&self, now: SteadyTime) -> u32 {
        if self.is_live(now) { self.total() } else { 0 }
    }

    fn total(&self) -> u32 {
        self.count.saturating_add(self.burst)
    }
}
