//! What concerns the whole back-end: moving to another one while in use, and sweeping.

use std::collections::HashSet;
use std::sync::Arc;

use foundation_types::ExitReason;

use super::change::Aftermath;
use super::core::{Core, Store, entries_of};
use super::{Stripe, StripeState};
use crate::backend::{Backend, ClaimError};
use crate::entry::{EntryKind, SameOwner, StoredEntry};
use crate::error::{BackendError, RegistryError};
use crate::sync::MutexGuard;
use crate::watch::{RemovalReason, Turn};

/// What moved in [`Registry::switch_backend`](crate::Registry::switch_backend).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SwitchReport {
    /// Kind of the back-end left.
    pub from: &'static str,
    /// Kind of the back-end now in use.
    pub to: &'static str,
    /// Entries that moved.
    pub moved: usize,
}

impl Core {
    pub(crate) fn switch(&self, to: Store) -> Result<SwitchReport, RegistryError> {
        self.check_open()?;
        let mut aftermath = Aftermath::new(self);
        let mut left = Vec::new();
        let guards = self.lock_all();
        let from = self.store.get_shared();
        let kinds = (from.backend().info().kind, to.backend().info().kind);
        let mut report = SwitchReport { from: kinds.0, to: kinds.1, moved: 0 };
        if from.is_same(&to) {
            return Ok(report);
        }
        let mut moving = entries_of(from.backend(), None, EntryKind::Service)?;
        moving.extend(entries_of(from.backend(), None, EntryKind::Agent)?);
        // Whoever was not seen above for being dead is dead now, too. Exit hooks wait for the stripes and will find nothing.
        for dead in from.backend().sweep()? {
            moving.retain(|entry| entry.generation() != dead.generation());
            self.bury_dead(dead, &guards, &mut aftermath);
        }
        self.clear_target(to.backend(), &moving, &mut left)?;

        let mut copies = Vec::with_capacity(moving.len());
        for entry in &moving {
            let copy = Arc::new(entry.duplicate());
            match to.backend().claim(Arc::clone(&copy), SameOwner::Refuse) {
                Ok(_) => copies.push(copy),
                Err(ClaimError::DeadOwner) => {}
                Err(error) => {
                    for copy in copies {
                        // What cannot be taken back now, the next attempt does.
                        let _ = to.backend().release(copy.key_ref(), Some(copy.generation()));
                        left.push(copy);
                    }
                    return Err(match error {
                        ClaimError::Backend(error) => error,
                        other => BackendError::Rejected(other.to_string()),
                    }
                    .into());
                }
            }
        }
        report.moved = copies.len();
        self.index.fill(&copies);
        self.store.set(Arc::new(to));

        let moved: HashSet<_> = copies.iter().map(|copy| copy.generation()).collect();
        for entry in moving {
            // Best effort, as it may be failing: what stays is taken out when the registry comes back to it.
            let _ = from.backend().release(entry.key_ref(), Some(entry.generation()));
            if moved.contains(&entry.generation()) {
                // Its copy has the hook, and who still reads the old entry will look again.
                left.push(entry);
            } else {
                self.bury_dead(entry, &guards, &mut aftermath);
            }
        }
        drop(guards);
        for entry in left {
            drop(entry.withdraw());
        }
        Ok(report)
    }

    /// Removes the entries of dead owners, and returns how many there were.
    pub(crate) fn sweep(&self) -> Result<usize, RegistryError> {
        self.check_open()?;
        let mut aftermath = Aftermath::new(self);
        let guards = self.lock_all();
        let swept = self.with_backend(Backend::sweep)?;
        let count = swept.len();
        for dead in swept {
            self.bury_dead(dead, &guards, &mut aftermath);
        }
        Ok(count)
    }

    /// Does what the exit hook of a dead owner would have done.
    fn bury_dead(&self, dead: Arc<StoredEntry>, guards: &[MutexGuard<'_, StripeState>], aftermath: &mut Aftermath<'_>) {
        self.forget(&dead);
        let reason = RemovalReason::OwnerExit(dead.pid().exit_reason().unwrap_or(ExitReason::Normal));
        let state = &guards[Self::stripe_of(dead.key_ref().hash())];
        aftermath.announce(state, &dead, Turn::Removed(&reason));
        aftermath.bury(dead, Some(reason));
    }

    /// Takes out of `to` what this registry left there before.
    ///
    /// Fails if `to` holds anything else: entries of another registry, or the very entries that are to move.
    fn clear_target(
        &self,
        to: &dyn Backend,
        moving: &[Arc<StoredEntry>],
        left: &mut Vec<Arc<StoredEntry>>,
    ) -> Result<(), BackendError> {
        let mut stale = entries_of(to, None, EntryKind::Service)?;
        stale.extend(entries_of(to, None, EntryKind::Agent)?);
        if stale.is_empty() {
            return Ok(());
        }
        let current: HashSet<_> = moving.iter().map(Arc::as_ptr).collect();
        for entry in &stale {
            let home: &Arc<Stripe> = self.stripe(Self::stripe_of(entry.key_ref().hash()));
            if !entry.is_at_home(home) || current.contains(&Arc::as_ptr(entry)) {
                return Err(BackendError::Rejected("back-end is in use already".to_owned()));
            }
        }
        for entry in stale {
            left.extend(to.release(entry.key_ref(), Some(entry.generation()))?);
        }
        Ok(())
    }
}
