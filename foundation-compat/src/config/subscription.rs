//! Subscriptions that whoever holds them asks.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foundation_config::Subscription;
use foundation_types::{Clock, timeout_at};

use super::notification::{ConfigNotification, of_delivery};
use crate::types::config::FoundationConfig;

/// How many handles there are, and of which generation: a reset of the state ends all of a generation.
#[derive(Default)]
pub(crate) struct Handles(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    generation: u64,
    handles: usize,
}

impl Handles {
    fn enter(&self) -> u64 {
        let mut counted = self.lock();
        counted.handles += 1;
        counted.generation
    }

    fn leave(&self, generation: u64) {
        let mut counted = self.lock();
        if counted.generation == generation {
            counted.handles -= 1;
        }
    }

    fn is_current(&self, generation: u64) -> bool {
        self.lock().generation == generation
    }

    /// Ends all handles that there are.
    pub(super) fn end_all(&self) {
        let mut counted = self.lock();
        counted.generation += 1;
        counted.handles = 0;
    }

    pub(super) fn count(&self) -> usize {
        self.lock().handles
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        // Nothing that can panic happens under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is changed in the sections of a configuration, from the moment of subscribing on, in order. Dropping it unsubscribes.
///
/// Nothing is told twice, and what was forgotten before it was asked for is told as
/// [`Lagged`](ConfigNotification::Lagged). It stays when the service is stopped and started again; a
/// [`reset_state`](super::Config::reset_state) ends it.
#[must_use = "dropping it unsubscribes"]
pub struct ConfigSubscription {
    deliveries: Subscription<FoundationConfig>,
    /// Of a change that was told in part.
    told_next: VecDeque<ConfigNotification>,
    handles: Arc<Handles>,
    generation: u64,
    clock: Arc<dyn Clock>,
}

impl ConfigSubscription {
    pub(super) fn new(
        deliveries: Subscription<FoundationConfig>,
        handles: &Arc<Handles>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let (handles, clock) = (Arc::clone(handles), Arc::clone(clock));
        let generation = handles.enter();
        Self { deliveries, told_next: VecDeque::new(), handles, generation, clock }
    }

    /// The next notification, if it is there.
    pub fn try_recv(&mut self) -> Option<ConfigNotification> {
        while self.is_current() {
            if let Some(notification) = self.told_next.pop_front() {
                return Some(notification);
            }
            let delivery = self.deliveries.try_recv()?;
            self.told_next.extend(of_delivery(&delivery));
        }
        None
    }

    /// The next notification, as soon as it is there; `None` when the instance is gone and nothing is left, or after the
    /// subscription was ended.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn recv(&mut self) -> Option<ConfigNotification> {
        loop {
            if let Some(notification) = self.try_recv() {
                return Some(notification);
            }
            if !self.is_current() {
                return None;
            }
            let delivery = self.deliveries.recv().await?;
            self.told_next.extend(of_delivery(&delivery));
        }
    }

    /// The next notification, if it is there within `limit` on the clock of the instance. Blocks the thread.
    pub fn recv_timeout(&mut self, limit: Duration) -> Option<ConfigNotification> {
        let clock = Arc::clone(&self.clock);
        let deadline = clock.mono().saturating_add(limit);
        foundation_types::block_on(timeout_at(&clock, deadline, self.recv())).flatten()
    }

    fn is_current(&self) -> bool {
        self.handles.is_current(self.generation)
    }
}

impl Drop for ConfigSubscription {
    fn drop(&mut self) {
        self.handles.leave(self.generation);
    }
}

impl fmt::Debug for ConfigSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigSubscription").field("is_current", &self.is_current()).finish_non_exhaustive()
    }
}
