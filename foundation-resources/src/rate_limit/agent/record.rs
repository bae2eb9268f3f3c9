//! Everything that is kept for one agent.

use std::hash::{Hash, Hasher};
use std::num::NonZeroU64;
use std::time::Duration;

use foundation_types::{AgentStatus, Health};
use hashbrown::{Equivalent, HashMap};

use super::super::{Quota, SteadyTime};
use super::bucket::{Bucket, NoRoom};
use super::context::{Context, Scaling};
use super::{AgentStats, Burst, CoordinationId, MAX_OPERATIONS, MAX_RESERVATIONS, Operation, OperationLimit};

pub(super) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// How long an agent that has never asked for anything is remembered after it is gone.
const LEAST_MEMORY: Duration = Duration::from_mins(1);

/// What the status source says of an agent.
pub(super) enum Seen {
    /// How it is, and what follows from that.
    Known(AgentStatus, Context),
    /// It is unknown, or gone.
    Gone,
    /// The source is switched off: nobody is known, and that means nothing.
    NobodyToAsk,
}

#[derive(Default)]
pub(super) struct AgentRecord {
    /// Limits of this agent alone.
    pub(super) overrides: Map<Operation, Quota>,
    /// Its burst, whatever the operation.
    pub(super) burst: Option<Burst>,
    buckets: Map<BucketKey, Bucket>,
    reservations: Map<CoordinationId, Held>,
    last_reservation: u64,
    /// How the agent was when it was last seen.
    pub(super) last_known: Option<AgentStatus>,
    gone_since: Option<SteadyTime>,
    longest_window: Option<NonZeroU64>,
    pub(super) stats: AgentStats,
    /// Requests by operation.
    pub(super) requests: Map<Operation, u64>,
}

#[derive(PartialEq, Eq, Hash)]
struct BucketKey {
    operation: Operation,
    window: NonZeroU64,
}

struct BucketRef<'a> {
    operation: &'a Operation,
    window: NonZeroU64,
}

impl Hash for BucketRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.operation.hash(state);
        self.window.hash(state);
    }
}

impl Equivalent<BucketKey> for BucketRef<'_> {
    fn equivalent(&self, key: &BucketKey) -> bool {
        *self.operation == key.operation && self.window == key.window
    }
}

/// What is reserved and not yet used.
pub(super) struct Held {
    /// Tells it from later reservations of the same id.
    number: u64,
    operation: Operation,
    window: NonZeroU64,
    ends_at: SteadyTime,
    left: u32,
}

/// What stood in the way of a reservation.
pub(super) enum NotReserved {
    Exists,
    TooMany,
    NoRoom(NoRoom),
}

impl AgentRecord {
    /// What is known of the agent at `now`, and remembers it.
    pub(super) fn context(&mut self, seen: Seen, now: SteadyTime, scaling: &Scaling) -> Context {
        match seen {
            Seen::Known(status, context) => {
                self.last_known = Some(status);
                self.gone_since = None;
                context
            }
            Seen::Gone => {
                self.note_gone(now);
                self.last_known.as_ref().map_or_else(|| scaling.unknown(), |status| scaling.context(status))
            }
            Seen::NobodyToAsk => scaling.unknown(),
        }
    }

    /// Notes that the source does not know the agent, and forgets its status when that has been so for longer than its longest
    /// window. Returns whether it has.
    pub(super) fn note_gone(&mut self, now: SteadyTime) -> bool {
        let since = *self.gone_since.get_or_insert(now);
        let memory = self.longest_window.map_or(LEAST_MEMORY, |window| Duration::from_nanos(window.get()));
        let long_gone = now.saturating_since(since) > memory;
        if long_gone {
            self.last_known = None;
        }
        long_gone
    }

    pub(super) fn note_seen(&mut self) {
        self.gone_since = None;
    }

    /// Whether somebody has set limits for this agent, which must not be forgotten.
    pub(super) fn is_configured(&self) -> bool {
        !self.overrides.is_empty() || self.burst.is_some()
    }

    /// Whether nothing of it counts at `now` and nobody has configured it.
    pub(super) fn is_idle(&self, now: SteadyTime) -> bool {
        !self.is_configured() && self.busy_until() <= now
    }

    /// When nothing of it counts any more.
    pub(super) fn busy_until(&self) -> SteadyTime {
        self.buckets.values().map(Bucket::ends_at).max().unwrap_or_default()
    }

    /// Charges the bucket of an operation for one request.
    pub(super) fn charge(
        &mut self,
        operation: &Operation,
        limit: &OperationLimit,
        now: SteadyTime,
    ) -> Result<(u32, bool), NoRoom> {
        let within_burst = self.change_bucket(operation, &limit.quota, now, |bucket| {
            let main = bucket.charge(now, &limit.quota, 1);
            match main {
                Ok(()) => Ok(false),
                Err(_) if limit.burst.allowance > 0 => bucket.charge_burst(now, limit).map(|()| true),
                Err(no_room) => Err(no_room),
            }
        })?;
        Ok((self.count(operation, &limit.quota, now), within_burst))
    }

    pub(super) fn count(&self, operation: &Operation, quota: &Quota, now: SteadyTime) -> u32 {
        let key = BucketRef { operation, window: quota.window_nanos() };
        self.buckets.get(&key).map_or(0, |bucket| bucket.count_at(now))
    }

    /// Runs `change` on a bucket, which is kept if that succeeds.
    fn change_bucket<T>(
        &mut self,
        operation: &Operation,
        quota: &Quota,
        now: SteadyTime,
        change: impl FnOnce(&mut Bucket) -> Result<T, NoRoom>,
    ) -> Result<T, NoRoom> {
        let window = quota.window_nanos();
        if let Some(bucket) = self.buckets.get_mut(&BucketRef { operation, window }) {
            return change(bucket);
        }
        let mut bucket = Bucket::default();
        let result = change(&mut bucket)?;
        self.make_room(now);
        self.buckets.insert(BucketKey { operation: operation.clone(), window }, bucket);
        self.longest_window = self.longest_window.max(Some(window));
        Ok(result)
    }

    fn make_room(&mut self, now: SteadyTime) {
        if self.buckets.len() < MAX_OPERATIONS {
            return;
        }
        self.remove_dead(now);
        while self.buckets.len() >= MAX_OPERATIONS {
            let first = self.buckets.values().map(Bucket::ends_at).min().unwrap_or_default();
            let mut found = false;
            // One of those that end first gives way.
            self.buckets.retain(|_, bucket| {
                let goes = !found && bucket.ends_at() == first;
                found |= goes;
                !goes
            });
        }
    }

    /// Removes buckets and reservations whose window is over, and returns how many buckets.
    pub(super) fn remove_dead(&mut self, now: SteadyTime) -> usize {
        let before = self.buckets.len();
        self.buckets.retain(|_, bucket| bucket.is_live(now));
        self.reservations.retain(|_, held| now < held.ends_at);
        before - self.buckets.len()
    }

    /// Empties all buckets; reservations lapse with them.
    pub(super) fn reset(&mut self) {
        self.buckets.clear();
        self.reservations.clear();
    }

    /// The counts of live buckets.
    pub(super) fn usage(&self, now: SteadyTime) -> impl Iterator<Item = (&Operation, u32)> {
        let live = self.buckets.iter().filter(move |(_, bucket)| bucket.is_live(now));
        live.map(move |(key, bucket)| (&key.operation, bucket.count_at(now)))
    }

    /// Counts a request in the statistics.
    pub(super) fn record(&mut self, operation: &Operation, admitted: bool) {
        if admitted {
            self.stats.successful_requests += 1;
        } else {
            self.stats.rate_limited_requests += 1;
        }
        add_requests(&mut self.requests, operation, 1);
    }

    /// Charges a reservation to the bucket of an operation. Gives its number.
    pub(super) fn reserve(
        &mut self,
        operation: &Operation,
        quota: &Quota,
        now: SteadyTime,
        (id, requests): (&CoordinationId, u32),
    ) -> Result<u64, NotReserved> {
        if self.reservations.get(id).is_some_and(|held| now < held.ends_at) {
            return Err(NotReserved::Exists);
        }
        if self.reservations.len() >= MAX_RESERVATIONS {
            self.reservations.retain(|_, held| now < held.ends_at);
            if self.reservations.len() >= MAX_RESERVATIONS {
                return Err(NotReserved::TooMany);
            }
        }
        let charge = |bucket: &mut Bucket| bucket.charge(now, quota, requests).map(|()| bucket.ends_at());
        let ends_at = self.change_bucket(operation, quota, now, charge).map_err(NotReserved::NoRoom)?;
        self.last_reservation += 1;
        let number = self.last_reservation;
        let held = Held { number, operation: operation.clone(), window: quota.window_nanos(), ends_at, left: requests };
        self.reservations.insert(id.clone(), held);
        Ok(number)
    }

    /// Takes one request out of a reservation.
    pub(super) fn take_reserved(&mut self, id: &CoordinationId, operation: &Operation, now: SteadyTime) -> bool {
        let held = self.reservations.get_mut(id);
        let Some(held) = held.filter(|held| held.left > 0 && now < held.ends_at && held.operation == *operation) else {
            return false;
        };
        held.left -= 1;
        true
    }

    /// How much of a reservation is left.
    pub(super) fn reserved(&self, id: &CoordinationId, now: SteadyTime) -> u32 {
        self.reservations.get(id).filter(|held| now < held.ends_at).map_or(0, |held| held.left)
    }

    /// Ends a reservation, refunds what is unused of it while its window lasts, and says how much that was. With a number, only
    /// the reservation of that number. `None` if there is none.
    pub(super) fn release(&mut self, id: &CoordinationId, number: Option<u64>, now: SteadyTime) -> Option<u32> {
        let held = self.reservations.get(id)?;
        if number.is_some_and(|number| number != held.number) {
            return None;
        }
        let held = self.reservations.remove(id)?;
        if now >= held.ends_at {
            return Some(0);
        }
        if let Some(bucket) = self.buckets.get_mut(&BucketRef { operation: &held.operation, window: held.window }) {
            bucket.refund(held.ends_at, held.left);
        }
        Some(held.left)
    }

    /// The limit of an operation before it follows the agent: that of the agent, or of the operation, or of its capability.
    pub(super) fn base(
        &self,
        operation: &Operation,
        context: &Context,
        limits: &super::limits::Limits,
        fallback: Quota,
    ) -> OperationLimit {
        let base = match self.overrides.get(operation) {
            Some(quota) => (*quota).into(),
            None => limits
                .get(operation)
                .or_else(|| limits.get(context.capability.as_str()))
                .copied()
                .unwrap_or_else(|| fallback.into()),
        };
        OperationLimit { burst: self.burst.unwrap_or(base.burst), ..base }
    }

    /// The health it was last seen in, for those who look without asking.
    pub(super) fn last_health(&self) -> Health {
        self.last_known.as_ref().map_or(Health::Unknown, |status| status.health)
    }
}

/// Adds to the requests of an operation, or of [`Operation::OTHER`] when there are too many different ones.
pub(super) fn add_requests(requests: &mut Map<Operation, u64>, operation: &Operation, count: u64) {
    if let Some(so_far) = requests.get_mut(operation) {
        *so_far += count;
        return;
    }
    let key = if requests.len() < MAX_OPERATIONS { operation } else { &Operation::OTHER };
    *requests.entry(key.clone()).or_default() += count;
}
