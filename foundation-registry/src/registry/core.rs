//! The state of a registry.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;

use crate::sync::MutexGuard;
use foundation_types::{Clock, Emitter, Namespace};

use super::change::wake_all;
use super::{Limits, Stripe, StripeState};
use crate::backend::{Backend, BackendInfo, Sharded};
use crate::entry::{EntryKind, StoredEntry};
use crate::error::{BackendError, RegistryError};
use crate::index::MetadataIndex;
use crate::key::KeyRef;
use crate::table::{Swap, pin};

/// Locks that order the changes of keys: more than any machine has threads that register at once.
const STRIPES: usize = if cfg!(loom) { 2 } else { 64 };

pub(crate) struct Core {
    pub(crate) store: Swap<Store>,
    closed: AtomicBool,
    stripes: Box<[Arc<Stripe>]>,
    /// Entries of both kinds, counted only if there is a limit to them.
    pub(crate) entries: AtomicUsize,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) emitter: Emitter,
    pub(crate) index: MetadataIndex,
    #[cfg(feature = "agent")]
    pub(crate) agents: crate::agents::AgentsState,
}

/// The back-end in use. The default one is known by type, so that a lookup in it is a plain call.
pub(crate) enum Store {
    Sharded(Sharded),
    Dyn(Arc<dyn Backend>),
    /// One that was left and come back to: each time in an allocation of its own, so that a reader sees by the address
    /// whether there was a switch.
    Again(Arc<Store>),
}

impl Store {
    pub(crate) fn backend(&self) -> &dyn Backend {
        match self {
            Self::Sharded(sharded) => sharded,
            Self::Dyn(backend) => &**backend,
            Self::Again(store) => store.backend(),
        }
    }

    /// The same back-end in an allocation of its own.
    pub(crate) fn again(self: &Arc<Self>) -> Self {
        match &**self {
            Self::Sharded(_) => Self::Again(Arc::clone(self)),
            Self::Dyn(backend) => Self::Dyn(Arc::clone(backend)),
            Self::Again(store) => Self::Again(Arc::clone(store)),
        }
    }

    /// Whether both are the same back-end, not only of the same kind.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dyn(one), Self::Dyn(two)) => Arc::ptr_eq(one, two),
            (Self::Again(one), two) | (two, Self::Again(one)) => one.is_same(two),
            _ => std::ptr::eq(self, other),
        }
    }
}

/// What a [`Core`] is made of, checked by the builder.
pub(crate) struct CoreParts {
    pub(crate) store: Store,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) emitter: Emitter,
    pub(crate) index: MetadataIndex,
    #[cfg(feature = "agent")]
    pub(crate) agents: crate::agents::AgentsState,
}

impl Core {
    pub(crate) fn new(parts: CoreParts) -> Arc<Self> {
        Arc::new_cyclic(|core| Self {
            store: Swap::new(Arc::new(parts.store)),
            closed: AtomicBool::new(false),
            stripes: (0..STRIPES).map(|_| Arc::new(Stripe::new(core.clone()))).collect(),
            entries: AtomicUsize::new(0),
            limits: parts.limits,
            clock: parts.clock,
            emitter: parts.emitter,
            index: parts.index,
            #[cfg(feature = "agent")]
            agents: parts.agents,
        })
    }

    /// # Errors
    /// [`RegistryError::Closed`] after shutdown.
    #[inline]
    pub(crate) fn check_open(&self) -> Result<(), RegistryError> {
        // Acquire: who sees the registry closed also sees what the closing thread did before.
        if self.closed.load(Ordering::Acquire) { Err(RegistryError::Closed) } else { Ok(()) }
    }

    /// The number of a key's stripe.
    pub(crate) fn stripe_of(hash: u64) -> usize {
        // Bits that neither the shard nor the first slots of a table use.
        (hash >> 24) as usize % STRIPES
    }

    pub(crate) fn stripe(&self, number: usize) -> &Arc<Stripe> {
        &self.stripes[number]
    }

    pub(crate) fn stripe_count(&self) -> usize {
        self.stripes.len()
    }

    /// Locks every stripe, in order. Nothing changes while the guards are held.
    pub(crate) fn lock_all(&self) -> Vec<MutexGuard<'_, StripeState>> {
        self.stripes.iter().map(|stripe| stripe.lock()).collect()
    }

    pub(crate) fn backend_info(&self) -> BackendInfo {
        self.store.get_shared().backend().info()
    }

    /// Runs `with` on the back-end of now.
    pub(crate) fn with_backend<R>(&self, with: impl FnOnce(&dyn Backend) -> R) -> R {
        let pin = pin();
        with(self.store.get(&pin).backend())
    }

    /// Runs `read` on the back-end of now, again if another one took its place meanwhile: a back-end that was left is
    /// emptied, so what `read` did not find there may be in its successor.
    pub(crate) fn read_backend<R>(&self, mut read: impl FnMut(&dyn Backend) -> R) -> R {
        loop {
            let pin = pin();
            let store = self.store.get(&pin);
            let result = read(store.backend());
            if std::ptr::eq(store, self.store.get(&pin)) {
                return result;
            }
        }
    }

    /// The live entry of a name.
    pub(crate) fn get(&self, key: KeyRef<'_>) -> Result<Option<Arc<StoredEntry>>, BackendError> {
        self.read_backend(|backend| backend.get(key))
    }

    /// The live entries of a kind, of one namespace or of all.
    pub(crate) fn collect(
        &self,
        namespace: Option<&Namespace>,
        kind: EntryKind,
    ) -> Result<Vec<Arc<StoredEntry>>, RegistryError> {
        self.check_open()?;
        Ok(self.read_backend(|backend| entries_of(backend, namespace, kind))?)
    }

    pub(crate) fn shutdown(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut wakers: Vec<Waker> = Vec::new();
        for stripe in &self.stripes {
            let mut state = stripe.lock();
            for (_, waiters) in state.waiters.drain() {
                wakers.extend(waiters.into_iter().map(|(_, waker)| waker));
            }
            for watcher in state.watchers.drain(..) {
                wakers.extend(watcher.close());
            }
        }
        wake_all(wakers);
        #[cfg(feature = "agent")]
        self.agents.close();
    }
}

/// The live entries of a kind in a back-end.
pub(super) fn entries_of(
    backend: &dyn Backend,
    namespace: Option<&Namespace>,
    kind: EntryKind,
) -> Result<Vec<Arc<StoredEntry>>, BackendError> {
    let mut entries = Vec::new();
    backend.for_each(namespace, kind, &mut |entry| {
        entries.push(entry);
        ControlFlow::Continue(())
    })?;
    Ok(entries)
}

impl Drop for Core {
    fn drop(&mut self) {
        // Owners that outlive the registry must not keep its entries as exit hooks.
        let store = self.store.get_shared();
        for kind in [EntryKind::Service, EntryKind::Agent] {
            let detached = store.backend().for_each(None, kind, &mut |entry| {
                let remains = entry.withdraw();
                if let Some(hook) = remains.hook {
                    entry.pid().detach(hook);
                }
                ControlFlow::Continue(())
            });
            if let Err(error) = detached {
                tracing::warn!(target: "foundation::registry", %error, "back-end failed while its registry was dropped");
            }
        }
    }
}
