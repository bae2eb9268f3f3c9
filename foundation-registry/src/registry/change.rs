//! Claiming, changing and releasing names.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use foundation_types::{ExitReason, Generation, Metadata, Pid, contain};

use super::core::Core;
use super::{Registered, StripeState};
use crate::backend::{ClaimError, Claimed, Replaced};
use crate::entry::{Body, EntryKind, NewEntry, Payload, RegisteredAt, Remains, SameOwner, StoredEntry};
use crate::error::{BackendError, LimitExceeded, RegisterError, RegistryError, UpdateError};
use crate::key::KeyRef;
use crate::watch::{RegistryChange, RemovalReason, Turn};

/// What is to be done after the stripe is unlocked: wakers, drops of user values, exit hooks, events.
///
/// Declared before the guard of a stripe, so that it settles after it also on early returns.
#[must_use = "it settles when dropped, which must be outside every lock"]
pub(crate) struct Aftermath<'c> {
    #[cfg_attr(not(feature = "agent"), expect(dead_code, reason = "only agents have events of their removal"))]
    core: &'c Core,
    wakers: Vec<Waker>,
    /// No operation on one name buries more than one entry.
    buried: Option<Burial>,
    more_buried: Vec<Burial>,
    payload: Option<Payload>,
}

struct Burial {
    entry: Arc<StoredEntry>,
    remains: Remains,
    /// `None` if the entry never became visible.
    #[cfg_attr(not(feature = "agent"), expect(dead_code, reason = "only agents have events of their removal"))]
    reason: Option<RemovalReason>,
}

/// A claim of a name that is held.
struct Reclaim<'p> {
    pid: &'p Pid,
    same_owner: SameOwner,
    indexed: bool,
    body: Body,
}

impl<'c> Aftermath<'c> {
    pub(crate) fn new(core: &'c Core) -> Self {
        Self { core, wakers: Vec::new(), buried: None, more_buried: Vec::new(), payload: None }
    }

    /// Withdraws an entry that has left the back-end.
    pub(super) fn bury(&mut self, entry: Arc<StoredEntry>, reason: Option<RemovalReason>) {
        let remains = entry.withdraw();
        let burial = Burial { entry, remains, reason };
        match &self.buried {
            None => self.buried = Some(burial),
            Some(_) => self.more_buried.push(burial),
        }
    }

    /// Has these wakers called, too.
    #[cfg(feature = "agent")]
    pub(crate) fn wake(&mut self, wakers: impl IntoIterator<Item = Waker>) {
        self.wakers.extend(wakers);
    }

    /// Tells the watchers of the stripe.
    pub(crate) fn announce(&mut self, state: &StripeState, entry: &StoredEntry, turn: Turn<'_>) {
        #[cfg(feature = "agent")]
        if entry.kind() == EntryKind::Agent {
            self.wakers.extend(self.core.agents.announce(entry, turn));
            return;
        }
        for watcher in &state.watchers {
            if watcher.watches(&entry.key().namespace) {
                self.wakers.extend(watcher.push(RegistryChange::of(entry, turn)));
            }
        }
    }
}

/// An executor whose waker panics must not keep the others asleep.
pub(super) fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        let _ = contain(|| waker.wake());
    }
}

impl Drop for Aftermath<'_> {
    fn drop(&mut self) {
        wake_all(self.wakers.drain(..));
        for burial in self.buried.iter().chain(&self.more_buried) {
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
        let NewEntry { key, pid, same_owner, indexed, body } = new;
        if self.limits.max_metadata_bytes.is_some() {
            self.limits.check_metadata(&body.metadata())?;
        }
        let hash = key.borrowed().hash();
        let number = Self::stripe_of(hash);
        let stripe = self.stripe(number);
        let mut aftermath = Aftermath::new(self);
        let mut state = stripe.lock();
        // Again, as a shutdown may have come between; it takes the stripe's lock after it closes.
        self.check_open()?;

        let borrowed = KeyRef::with_hash(&key.namespace, &key.name, hash);
        if let Some(holder) = self.get(borrowed).map_err(RegisterError::Backend)? {
            let claim = Reclaim { pid: &pid, same_owner, indexed, body };
            return self.claim_held(&holder, claim, &state, &mut aftermath);
        }
        if !pid.is_alive() {
            return Err(RegisterError::DeadProcess { pid: pid.id() });
        }
        self.count_in()?;
        let generation = Generation::new(state.next_generation(number, self.stripe_count()));
        let at = RegisteredAt { mono: self.clock.mono(), wall: self.clock.wall() };
        let home = Arc::downgrade(stripe);
        let entry = Arc::new(StoredEntry::with_home(key, hash, pid, generation, kind, at, home, body));
        let Ok(hook) = entry.pid().attach(Arc::clone(&entry) as _) else {
            self.count_out();
            let pid = entry.pid().id();
            aftermath.bury(entry, None);
            return Err(RegisterError::DeadProcess { pid });
        };
        entry.body().hook = Some(hook);
        if indexed {
            entry.set_indexed();
        }
        self.remember(&entry);
        let claimed = contain(|| self.with_backend(|backend| backend.claim(Arc::clone(&entry), SameOwner::Refuse)));
        // A back-end that panics must not leave the exit hook, the rows and the count of a claim that came to nothing.
        let claimed = claimed.unwrap_or_else(|panic| Err(BackendError::Corrupt(format!("panicked: {panic}")).into()));
        match claimed {
            Ok(Claimed::New { displaced }) => {
                if let Some(displaced) = displaced {
                    // Its exit hook, which waits for the stripe, will find nothing.
                    self.forget(&displaced);
                    aftermath.announce(&state, &displaced, Turn::Removed(&RemovalReason::Replaced));
                    aftermath.bury(displaced, Some(RemovalReason::Replaced));
                }
                aftermath.announce(&state, &entry, Turn::Added);
                if !state.waiters.is_empty()
                    && let Some(waiters) = state.waiters.remove(entry.key())
                {
                    aftermath.wakers.extend(waiters.into_iter().map(|(_, waker)| waker));
                }
                Ok(Registered::new(entry))
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
        &self,
        holder: &Arc<StoredEntry>,
        claim: Reclaim<'_>,
        state: &StripeState,
        aftermath: &mut Aftermath<'_>,
    ) -> Result<Registered, RegisterError> {
        let Reclaim { pid, same_owner, indexed, mut body } = claim;
        // Whichever payload is left over at the end is dropped after the stripe is unlocked.
        aftermath.payload = body.payload.take();
        let replaces_agent = holder.kind() == EntryKind::Agent && same_owner == SameOwner::Replace;
        if holder.pid() != pid || same_owner == SameOwner::Refuse || replaces_agent {
            return Err(RegisterError::AlreadyRegistered { holder: holder.pid().clone() });
        }
        if same_owner == SameOwner::Replace {
            if !self.exchange_metadata(holder, &body.metadata(), indexed || holder.is_indexed())? {
                return Err(RegisterError::DeadProcess { pid: pid.id() });
            }
            let mut body = holder.body();
            std::mem::swap(&mut body.payload, &mut aftermath.payload);
            drop(body);
            aftermath.announce(state, holder, Turn::Updated);
        }
        Ok(Registered::new(Arc::clone(holder)))
    }

    /// Replaces the metadata of an entry in place; index rows follow. Returns whether the entry was still there. The stripe is
    /// locked.
    fn exchange_metadata(
        &self,
        entry: &Arc<StoredEntry>,
        metadata: &Arc<Metadata>,
        indexed: bool,
    ) -> Result<bool, BackendError> {
        let before = entry.metadata();
        let nothing = Metadata::new();
        let rows_before = if entry.is_indexed() { &*before } else { &nothing };
        if indexed {
            self.index.insert_for(entry, metadata);
        }
        let expect = Some(entry.generation());
        let replaced = self.with_backend(|backend| backend.replace(entry.key_ref(), expect, Arc::clone(metadata)));
        if indexed {
            if matches!(replaced, Ok(Replaced::Done { .. })) {
                entry.set_indexed();
            }
            // Whatever came of it, also if the back-end failed or the owner died meanwhile.
            let now = entry.metadata();
            let rows_now = if entry.is_indexed() { &*now } else { &nothing };
            self.index.remove_stale(entry, rows_before, rows_now);
            if !Arc::ptr_eq(&now, metadata) {
                self.index.remove_stale(entry, metadata, rows_now);
            }
        }
        Ok(matches!(replaced?, Replaced::Done { .. }))
    }

    pub(crate) fn update(
        &self,
        key: KeyRef<'_>,
        expect: Option<Generation>,
        metadata: Metadata,
    ) -> Result<(), UpdateError> {
        self.check_open()?;
        self.limits.check_metadata(&metadata)?;
        let metadata = Arc::new(metadata);
        let stripe = self.stripe(Self::stripe_of(key.hash()));
        let mut aftermath = Aftermath::new(self);
        let state = stripe.lock();
        let entry = self.get(key).map_err(UpdateError::Backend)?;
        let entry = match (entry, expect) {
            (None, None) => return Err(UpdateError::NotFound),
            (None, Some(_)) => return Err(UpdateError::Superseded),
            (Some(entry), Some(expect)) if entry.generation() != expect => return Err(UpdateError::Superseded),
            (Some(entry), _) => entry,
        };
        if entry.kind() == EntryKind::Agent {
            return Err(UpdateError::AgentManaged);
        }
        if !self.exchange_metadata(&entry, &metadata, entry.is_indexed())? {
            // The owner died meanwhile.
            return Err(if expect.is_some() { UpdateError::Superseded } else { UpdateError::NotFound });
        }
        aftermath.announce(&state, &entry, Turn::Updated);
        drop(state);
        Ok(())
    }

    /// Releases a name, if the claim of it is the one expected (any, if `None`); returns whether a live owner held it.
    pub(crate) fn release(&self, key: KeyRef<'_>, expect: Option<Generation>) -> Result<bool, RegistryError> {
        self.check_open()?;
        let stripe = self.stripe(Self::stripe_of(key.hash()));
        let mut aftermath = Aftermath::new(self);
        let state = stripe.lock();
        // Looked at before: an owner that dies between the removal and a look at it then would seem to have died before the
        // removal, whose effect others may have seen while it was alive.
        let mut was_held = false;
        self.with_backend(|backend| {
            backend.read(key, &mut |entry| was_held = expect.is_none_or(|expect| expect == entry.generation()))
        })?;
        self.remove_under(&state, key, expect, RemovalReason::Unregistered, &mut aftermath)?;
        drop(state);
        Ok(was_held)
    }

    /// Takes the entry of a dead owner out.
    pub(super) fn bury(&self, entry: &Arc<StoredEntry>, reason: &ExitReason) {
        let reason = RemovalReason::OwnerExit(reason.clone());
        if let Err(error) = self.remove(entry.key_ref(), Some(entry.generation()), reason) {
            let key = entry.key();
            tracing::warn!(target: "foundation::registry", %key, %error, "entry of a dead owner could not be removed");
        }
    }

    /// Removes an entry, and tells everyone.
    pub(crate) fn remove(
        &self,
        key: KeyRef<'_>,
        expect: Option<Generation>,
        reason: RemovalReason,
    ) -> Result<(), BackendError> {
        let stripe = self.stripe(Self::stripe_of(key.hash()));
        let mut aftermath = Aftermath::new(self);
        let state = stripe.lock();
        self.remove_under(&state, key, expect, reason, &mut aftermath)
    }

    /// As [`remove`](Self::remove), with the stripe locked.
    fn remove_under(
        &self,
        state: &StripeState,
        key: KeyRef<'_>,
        expect: Option<Generation>,
        reason: RemovalReason,
        aftermath: &mut Aftermath<'_>,
    ) -> Result<(), BackendError> {
        if let Some(entry) = self.with_backend(|backend| backend.release(key, expect))? {
            self.forget(&entry);
            aftermath.announce(state, &entry, Turn::Removed(&reason));
            aftermath.bury(entry, Some(reason));
        }
        Ok(())
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
