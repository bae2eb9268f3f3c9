//! Subscriptions to the settings of agents.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foundation_config::{Change, Delivery, Filter, Path, Subscription};
use foundation_types::{AgentId, Clock, timeout_at};

use super::change::{AgentConfigChange, EffectiveChange, effects, places};
use crate::types::config::FoundationConfig;

/// Who listens to what, to say to how many a change is delivered.
#[derive(Default)]
pub(crate) struct Listeners(Mutex<Filters>);

#[derive(Default)]
struct Filters {
    next: u64,
    filters: BTreeMap<u64, Filter>,
}

impl Listeners {
    /// To how many a change is delivered. O(subscriptions).
    pub(crate) fn hearing(&self, change: &Change) -> usize {
        let filters: Vec<Filter> = self.lock().filters.values().cloned().collect();
        filters.iter().filter(|filter| filter.matches(change)).count()
    }

    fn enter(self: &Arc<Self>, filter: Filter) -> Listening {
        let mut filters = self.lock();
        let id = filters.next;
        filters.next += 1;
        filters.filters.insert(id, filter);
        Listening { listeners: Arc::clone(self), id }
    }

    fn lock(&self) -> MutexGuard<'_, Filters> {
        // Nothing that can panic happens under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Listening {
    listeners: Arc<Listeners>,
    id: u64,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let filter = self.listeners.lock().filters.remove(&self.id);
        drop(filter);
    }
}

/// What an agent-aware subscription gives, change by change.
struct Deliveries<T> {
    source: Subscription<FoundationConfig>,
    told_next: VecDeque<T>,
    clock: Arc<dyn Clock>,
    _listening: Listening,
}

impl<T> Deliveries<T> {
    fn new(deliveries: Subscription<FoundationConfig>, listeners: &Arc<Listeners>, clock: &Arc<dyn Clock>) -> Self {
        let listening = listeners.enter(deliveries.filter().clone());
        Self { source: deliveries, told_next: VecDeque::new(), clock: Arc::clone(clock), _listening: listening }
    }

    fn try_recv(&mut self, told: impl Fn(&Delivery) -> Vec<T>) -> Option<T> {
        loop {
            if let Some(next) = self.told_next.pop_front() {
                return Some(next);
            }
            let delivery = self.source.try_recv()?;
            self.told_next.extend(told(&delivery));
        }
    }

    async fn recv(&mut self, told: impl Fn(&Delivery) -> Vec<T>) -> Option<T> {
        loop {
            if let Some(next) = self.told_next.pop_front() {
                return Some(next);
            }
            let delivery = self.source.recv().await?;
            self.told_next.extend(told(&delivery));
        }
    }

    fn recv_timeout(&mut self, limit: Duration, told: impl Fn(&Delivery) -> Vec<T>) -> Option<T> {
        let clock = Arc::clone(&self.clock);
        let deadline = clock.mono().saturating_add(limit);
        foundation_types::block_on(timeout_at(&clock, deadline, self.recv(told))).flatten()
    }
}

/// That changes were forgotten before a subscriber asked for them. Whoever needs them reads the settings anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{missed} changes were missed")]
pub struct Missed {
    /// How many.
    pub missed: u64,
}

fn missed<T>(delivery: &Delivery, told: impl FnOnce(&Change) -> Vec<T>) -> Vec<Result<T, Missed>> {
    match delivery {
        Delivery::Change(change) => told(change).into_iter().map(Ok).collect(),
        Delivery::Lagged { first, last, .. } => vec![Err(Missed { missed: last.get() - first.get() + 1 })],
    }
}

macro_rules! subscription {
    ($(#[$meta:meta])* pub struct $name:ident of $change:ty { $($field:ident: $of:ty),+ } told by $told:expr) => {
        $(#[$meta])*
        #[must_use = "dropping it unsubscribes"]
        pub struct $name {
            deliveries: Deliveries<Result<$change, Missed>>,
            $($field: $of,)+
        }

        impl $name {
            pub(super) fn new(
                deliveries: Subscription<FoundationConfig>,
                listeners: &Arc<Listeners>,
                clock: &Arc<dyn Clock>,
                $($field: $of,)+
            ) -> Self {
                Self { deliveries: Deliveries::new(deliveries, listeners, clock), $($field,)+ }
            }

            /// The next change, if it is there.
            pub fn try_recv(&mut self) -> Option<Result<$change, Missed>> {
                let Self { deliveries, $($field,)+ } = self;
                deliveries.try_recv(|delivery| missed(delivery, |change| $told(change, $($field,)+)))
            }

            /// The next change, as soon as it is there; `None` when the instance is gone and nothing is left.
            ///
            /// # Cancel safety
            /// Nothing is lost by dropping the future.
            pub async fn recv(&mut self) -> Option<Result<$change, Missed>> {
                let Self { deliveries, $($field,)+ } = self;
                deliveries.recv(|delivery| missed(delivery, |change| $told(change, $($field,)+))).await
            }

            /// The next change, if it is there within `limit` on the clock of the instance. Blocks the thread.
            pub fn recv_timeout(&mut self, limit: Duration) -> Option<Result<$change, Missed>> {
                let Self { deliveries, $($field,)+ } = self;
                deliveries.recv_timeout(limit, |delivery| missed(delivery, |change| $told(change, $($field,)+)))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($field), &self.$field))+.finish_non_exhaustive()
            }
        }
    };
}

subscription! {
    /// What is written at, above and below a path, to the settings of all and to the overrides of any agent; in order, each
    /// change once. Dropping it unsubscribes.
    pub struct AgentConfigSubscription of AgentConfigChange { path: Path }
    told by |change: &Change, path: &Path| places(change, path).collect::<Vec<_>>()
}

subscription! {
    /// What changes at, above and below a path for one agent: what is written to its overrides, and what they do not hide.
    /// Dropping it unsubscribes. While the agent features are off, nothing is told.
    pub struct EffectiveSubscription of EffectiveChange { agent: AgentId, path: Path }
    told by |change: &Change, agent: &AgentId, path: &Path| effects(change, agent, path)
}
