//! Subscribers that are told through a channel.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use foundation_config::Subscription;
use foundation_types::liveness::HookGuard;
use foundation_types::{ExitReason, Name, OwnerId, Pid};

use super::notification::{ConfigNotification, of_delivery};
use crate::types::config::FoundationConfig;

/// Who is told: there is one subscription for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubscriberId {
    /// An owner; the subscription ends with it.
    Process(Pid),
    /// Somebody of this name.
    Named(Name),
}

impl From<Pid> for SubscriberId {
    fn from(pid: Pid) -> Self {
        Self::Process(pid)
    }
}

impl From<Name> for SubscriberId {
    fn from(name: Name) -> Self {
        Self::Named(name)
    }
}

/// What tells subscribers apart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Process(OwnerId),
    Named(Name),
}

impl From<&SubscriberId> for Key {
    fn from(id: &SubscriberId) -> Self {
        match id {
            SubscriberId::Process(pid) => Self::Process(pid.id()),
            SubscriberId::Named(name) => Self::Named(name.clone()),
        }
    }
}

/// All that are told through a channel.
#[derive(Default)]
pub(super) struct Subscribers {
    entries: Mutex<BTreeMap<Key, Arc<Subscriber>>>,
}

/// One that is told. Whoever holds the lock of its place has it alone, so that it is told in order.
struct Subscriber {
    deliveries: Mutex<Subscription<FoundationConfig>>,
    sender: Sender<ConfigNotification>,
    /// Ends the subscription with the process; goes with it, so that hooks do not pile up.
    hook: Mutex<Option<HookGuard>>,
}

impl Subscribers {
    /// Adds a subscriber, unless there is one of this id, or it is a process that is dead.
    pub(super) fn add(
        self: &Arc<Self>,
        id: &SubscriberId,
        sender: Sender<ConfigNotification>,
        deliveries: Subscription<FoundationConfig>,
    ) {
        let subscriber = Arc::new(Subscriber { deliveries: Mutex::new(deliveries), sender, hook: Mutex::default() });
        {
            let mut entries = self.lock();
            match entries.entry(Key::from(id)) {
                Entry::Occupied(_) => return,
                Entry::Vacant(place) => place.insert(Arc::clone(&subscriber)),
            };
        }
        let SubscriberId::Process(pid) = id else { return };
        let (subscribers, dead) = (Arc::downgrade(self), Key::from(id));
        let forget = Box::new(move |_: &ExitReason| {
            if let Some(subscribers) = Weak::upgrade(&subscribers) {
                subscribers.remove_key(&dead);
            }
        });
        match pid.on_exit(forget) {
            Ok(hook) => *subscriber.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(hook),
            Err(_) => self.remove(id),
        }
    }

    pub(super) fn remove(&self, id: &SubscriberId) {
        self.remove_key(&Key::from(id));
    }

    fn remove_key(&self, key: &Key) {
        let removed = self.lock().remove(key);
        drop(removed);
    }

    pub(super) fn clear(&self) {
        let removed = std::mem::take(&mut *self.lock());
        drop(removed);
    }

    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Tells all of them what they have not been told yet. When it returns they have been told all that was published before
    /// it was called.
    pub(super) fn tell(&self) {
        let all: Vec<_> = self.lock().iter().map(|(key, one)| (key.clone(), Arc::clone(one))).collect();
        for (key, subscriber) in all {
            if subscriber.tell().is_err() {
                self.remove_key(&key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Arc<Subscriber>>> {
        // Nothing that can panic happens under the lock.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The receiver of a subscriber is gone.
struct Gone;

impl Subscriber {
    fn tell(&self) -> Result<(), Gone> {
        let mut deliveries = self.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(delivery) = deliveries.try_recv() {
            for notification in of_delivery(&delivery) {
                self.sender.send(notification).map_err(|_| Gone)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Subscribers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribers").field("count", &self.count()).finish()
    }
}
