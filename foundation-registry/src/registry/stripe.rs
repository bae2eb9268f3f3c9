//! The locks that put the changes of one key in order.

use std::sync::{Arc, Weak};
use std::task::Waker;

use crate::sync::{Mutex, MutexGuard};
use crossbeam_utils::CachePadded;
use foundation_types::ExitReason;
use hashbrown::HashMap;

use super::Core;
use crate::entry::StoredEntry;
use crate::key::RegistryKey;
use crate::watch::WatchQueue;

/// One of the locks under which names are claimed, changed and released. A key always has the same one.
///
/// Under it happen: the change in the back-end, the rows of the index, the queues of watchers. Not under it: code of the
/// user's, wakers, drops of user values. It may be held while the lock of an owner's state is taken, never the other way
/// round: owners run their exit hooks without a lock.
pub(crate) struct Stripe {
    core: Weak<Core>,
    state: CachePadded<Mutex<StripeState>>,
}

#[derive(Default)]
pub(crate) struct StripeState {
    /// The last generation given out here, without the number of the stripe.
    last_generation: u64,
    pub(crate) waiters: HashMap<RegistryKey, Vec<(u64, Waker)>, foldhash::fast::RandomState>,
    pub(crate) watchers: Vec<Arc<WatchQueue>>,
}

impl Stripe {
    pub(crate) fn new(core: Weak<Core>) -> Self {
        Self { core, state: CachePadded::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, StripeState> {
        self.state.lock()
    }

    /// The registry it is part of.
    pub(crate) fn core(&self) -> Option<Arc<Core>> {
        self.core.upgrade()
    }

    /// Takes the entry of a dead owner out of the registry.
    pub(crate) fn bury(&self, entry: &Arc<StoredEntry>, reason: &ExitReason) {
        if let Some(core) = self.core() {
            core.bury(entry, reason);
        }
    }
}

impl StripeState {
    /// A number higher than every one given out before on this stripe, and different from those of the other stripes.
    pub(crate) fn next_generation(&mut self, stripe: usize, stripes: usize) -> u64 {
        self.last_generation += 1;
        self.last_generation * stripes as u64 + stripe as u64
    }
}
