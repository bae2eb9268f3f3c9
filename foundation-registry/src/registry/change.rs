//! Claiming, changing and releasing names.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use foundation_types::{ExitReason, Generation, Metadata, Namespace, Pid, ServiceName};

use super::core::Core;
use super::{Registered, StripeState};
use crate::backend::{ClaimError, Claimed};
use crate::entry::{Body, EntryKind, NewEntry, Payload, RegisteredAt, Remains, SameOwner, StoredEntry};
use crate::error::{BackendError, LimitExceeded, RegisterError, RegistryError, UpdateError};
use crate::key::{RegistryKey, hash_key};
use crate::watch::{RegistryChange, RemovalReason};

/// What is to be done after the stripe is unlocked: wakers, drops of user values, exit hooks, events.
///
/// Declared before the guard of a stripe, so that it settles after it also on early returns.
#[must_use = "it settles when dropped, which must be outside every lock"]
pub(crate) struct Aftermath<'c> {
    #[cfg_attr(not(feature = "agent"), expect(dead_code, reason = "only agents have events of their removal"))]
    core: &'c Core,
    wakers: Vec<Waker>,
    buried: Vec<Burial>,
    payload: Option<Payload>,
}

struct Burial {
    entry: Arc<StoredEntry>,
    remains: Remains,
    /// `None` if the entry never became visible.
    #[cfg_attr(not(feature = "agent"), expect(dead_code, reason = "only agents have events of their removal"))]
    reason: Option<RemovalReason>,
}

impl<'c> Aftermath<'c> {
    pub(crate) fn new(core: &'c Core) -> Self {
        Self { core, wakers: Vec::new(), buried: Vec::new(), payload: None }
    }

    /// Withdraws an entry that has left the back-end.
    pub(super) fn bury(&mut self, entry: Arc<StoredEntry>, reason: Option<RemovalReason>) {
        let remains = entry.withdraw();
        self.buried.push(Burial { entry, remains, reason });
    }

    /// Tells the watchers of the stripe.
    pub(crate) fn announce(&mut self, state: &StripeState, namespace: &Namespace, change: impl Fn() -> RegistryChange) {
        for watcher in &state.watchers {
            if watcher.watches(namespace) {
                self.wakers.extend(watcher.push(change()));
            }
        }
    }
}

/// An executor whose waker panics must not keep the others asleep.
pub(super) fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}

impl Drop for Aftermath<'_> {
    fn drop(&mut self) {
        wake_all(self.wakers.drain(..));
        for burial in &self.buried {
            if let Some(hook) = burial.remains.hook {
                burial.entry.pid().detach(hook);
            }
            #[cfg(feature = "agent")]
            if let Some(reason) = &burial.reason {
                self.core.agents.removed(self.core, &burial.entry, &burial.remains, reason);
            }
        }
        // The payloads go last, with the fields: a panic in the drop of one keeps nothing of the above from happening.
    }
}

impl Core {
    /// Claims a name; the policy for the same owner is the entry's.
    pub(crate) fn claim(self: &Arc<Self>, new: NewEntry, kind: EntryKind) -> Result<Registered, RegisterError> {
        self.check_open()?;
        let NewEntry { key, pid, same_owner, body } = new;
        self.limits.check_metadata(&body.metadata)?;
        let number = Self::stripe_of(hash_key(&key.namespace, &key.name));
        let stripe = self.stripe(number);
        let mut aftermath = Aftermath::new(self);
        let mut state = stripe.lock();
        // Again, as a shutdown may have come between; it takes the stripe's lock after it closes.
        self.check_open()?;

        if let Some(holder) = self.get(&key.namespace, &key.name).map_err(RegisterError::Backend)? {
            return self.claim_held(&holder, &pid, same_owner, body, &state, &mut aftermath);
        }
        if !pid.is_alive() {
            return Err(RegisterError::DeadProcess { pid: pid.id() });
        }
        self.count_in()?;
        let generation = Generation::new(state.next_generation(number, self.stripe_count()));
        let at = RegisteredAt { mono: self.clock.mono(), wall: self.clock.wall() };
        let home = Arc::downgrade(stripe);
        let entry = Arc::new(StoredEntry::with_home(key, pid, generation, kind, at, home, body));
        let Ok(hook) = entry.pid().attach(Arc::clone(&entry) as _) else {
            self.count_out();
            let pid = entry.pid().id();
            aftermath.bury(entry, None);
            return Err(RegisterError::DeadProcess { pid });
        };
        entry.body().hook = Some(hook);
        self.remember(&entry);
        let claimed = self.with_backend(|backend| backend.claim(Arc::clone(&entry), SameOwner::Refuse));
        match claimed {
            Ok(Claimed::New { displaced }) => {
                if let Some(displaced) = displaced {
                    // Its exit hook, which waits for the stripe, will find nothing.
                    self.forget(&displaced);
                    aftermath.announce(&state, &entry.key().namespace, || {
                        RegistryChange::removed(&displaced, RemovalReason::Replaced)
                    });
                    aftermath.bury(displaced, Some(RemovalReason::Replaced));
                }
                aftermath.announce(&state, &entry.key().namespace, || RegistryChange::added(&entry));
                if let Some(waiters) = state.waiters.remove(entry.key()) {
                    aftermath.wakers.extend(waiters.into_iter().map(|(_, waker)| waker));
                }
                Ok(Registered::new(self, &entry))
            }
            Ok(Claimed::Kept(_) | Claimed::Replaced { .. }) => {
                unreachable!("a claim that refuses the same owner either is new or fails")
            }
            Err(error) => {
                let pid = entry.pid().id();
                self.forget(&entry);
                aftermath.bury(entry, None);
                Err(match error {
                    ClaimError::Held(holder) => RegisterError::AlreadyRegistered { holder },
                    ClaimError::DeadOwner => RegisterError::DeadProcess { pid },
                    ClaimError::Backend(error) => RegisterError::Backend(error),
                })
            }
        }
    }

    /// A claim of a name that a live owner holds.
    fn claim_held(
        self: &Arc<Self>,
        holder: &Arc<StoredEntry>,
        pid: &Pid,
        same_owner: SameOwner,
        body: Body,
        state: &StripeState,
        aftermath: &mut Aftermath<'_>,
    ) -> Result<Registered, RegisterError> {
        let Body { metadata, payload, indexed, .. } = body;
        // Whichever payload is left over at the end is dropped after the stripe is unlocked.
        aftermath.payload = payload;
        let replaces_agent = holder.kind() == EntryKind::Agent && same_owner == SameOwner::Replace;
        if holder.pid() != pid || same_owner == SameOwner::Refuse || replaces_agent {
            return Err(RegisterError::AlreadyRegistered { holder: holder.pid().clone() });
        }
        if same_owner == SameOwner::Replace {
            self.exchange_metadata(holder, metadata, indexed || holder.is_indexed())?;
            let mut body = holder.body();
            std::mem::swap(&mut body.payload, &mut aftermath.payload);
            drop(body);
            aftermath.announce(state, &holder.key().namespace, || RegistryChange::updated(holder));
        }
        Ok(Registered::new(self, holder))
    }

    /// Replaces the metadata of an entry in place; index rows follow. The stripe is locked.
    fn exchange_metadata(
        &self,
        entry: &Arc<StoredEntry>,
        metadata: Arc<Metadata>,
        indexed: bool,
    ) -> Result<(), BackendError> {
        let before = entry.metadata();
        let nothing = Metadata::new();
        let rows_before = if entry.is_indexed() { &*before } else { &nothing };
        if indexed {
            self.index.insert_for(entry, &metadata);
        }
        let expect = Some(entry.generation());
        let replaced = self.with_backend(|backend| backend.replace(entry.key(), expect, Arc::clone(&metadata)));
        if indexed {
            if replaced.is_ok() {
                entry.body().indexed = true;
            }
            // Whatever came of it, also if the back-end failed or the owner died meanwhile.
            let now = entry.metadata();
            let rows_now = if entry.is_indexed() { &*now } else { &nothing };
            self.index.remove_stale(entry, rows_before, rows_now);
            if !Arc::ptr_eq(&now, &metadata) {
                self.index.remove_stale(entry, &metadata, rows_now);
            }
        }
        replaced.map(drop)
    }

    pub(crate) fn update(
        &self,
        namespace: &Namespace,
        name: &ServiceName,
        expect: Option<Generation>,
        metadata: Arc<Metadata>,
    ) -> Result<(), UpdateError> {
        self.check_open()?;
        self.limits.check_metadata(&metadata)?;
        let stripe = self.stripe(Self::stripe_of(hash_key(namespace, name)));
        let mut aftermath = Aftermath::new(self);
        let state = stripe.lock();
        let entry = self.get(namespace, name).map_err(UpdateError::Backend)?;
        let entry = match (entry, expect) {
            (None, None) => return Err(UpdateError::NotFound),
            (None, Some(_)) => return Err(UpdateError::Superseded),
            (Some(entry), Some(expect)) if entry.generation() != expect => return Err(UpdateError::Superseded),
            (Some(entry), _) => entry,
        };
        if entry.kind() == EntryKind::Agent {
            return Err(UpdateError::AgentManaged);
        }
        self.exchange_metadata(&entry, metadata, entry.is_indexed())?;
        aftermath.announce(&state, namespace, || RegistryChange::updated(&entry));
        drop(state);
        Ok(())
    }

    /// Releases a name; returns whether a live owner held it.
    pub(crate) fn release(
        &self,
        namespace: &Namespace,
        name: &ServiceName,
        expect: Option<Generation>,
    ) -> Result<bool, RegistryError> {
        self.check_open()?;
        Ok(self.remove(namespace, name, expect, RemovalReason::Unregistered)?.is_some_and(|entry| entry.is_alive()))
    }

    /// Takes the entry of a dead owner out.
    pub(super) fn bury(&self, entry: &Arc<StoredEntry>, reason: &ExitReason) {
        let key = entry.key();
        let removed =
            self.remove(&key.namespace, &key.name, Some(entry.generation()), RemovalReason::OwnerExit(reason.clone()));
        if let Err(error) = removed {
            tracing::warn!(target: "foundation::registry", %key, %error, "entry of a dead owner could not be removed");
        }
    }

    /// Removes an entry, and tells everyone.
    pub(crate) fn remove(
        &self,
        namespace: &Namespace,
        name: &ServiceName,
        expect: Option<Generation>,
        reason: RemovalReason,
    ) -> Result<Option<Arc<StoredEntry>>, BackendError> {
        let key = RegistryKey::new(namespace.clone(), name.clone());
        let stripe = self.stripe(Self::stripe_of(hash_key(namespace, name)));
        let mut aftermath = Aftermath::new(self);
        let state = stripe.lock();
        let removed = self.with_backend(|backend| backend.release(&key, expect))?;
        if let Some(entry) = &removed {
            self.forget(entry);
            aftermath.announce(&state, namespace, || RegistryChange::removed(entry, reason.clone()));
            aftermath.bury(Arc::clone(entry), Some(reason.clone()));
        }
        Ok(removed)
    }

    /// Notes what the registry keeps about an entry outside the back-end, before the entry becomes visible.
    fn remember(&self, entry: &Arc<StoredEntry>) {
        if entry.is_indexed() {
            self.index.insert(entry);
        }
        #[cfg(feature = "agent")]
        if entry.kind() == EntryKind::Agent {
            self.agents.remember(entry);
        }
    }

    /// Drops what the registry keeps about an entry outside the back-end.
    pub(super) fn forget(&self, entry: &Arc<StoredEntry>) {
        if entry.is_indexed() {
            self.index.remove(entry);
        }
        #[cfg(feature = "agent")]
        if entry.kind() == EntryKind::Agent {
            self.agents.forget(entry);
        }
        self.count_out();
    }

    fn count_in(&self) -> Result<(), LimitExceeded> {
        let Some(limit) = self.limits.max_entries else { return Ok(()) };
        // Relaxed: the count orders nothing; the stripe's lock orders the claim.
        let counted = self
            .entries
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |entries| (entries < limit).then_some(entries + 1));
        counted.map(drop).map_err(|_| LimitExceeded::Entries { limit })
    }

    fn count_out(&self) {
        if self.limits.max_entries.is_some() {
            self.entries.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
