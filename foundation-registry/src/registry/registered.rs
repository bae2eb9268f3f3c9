//! Tokens of a claim.

use std::fmt;
use std::sync::Arc;

use foundation_types::{Generation, Metadata};

use super::Core;
use crate::entry::StoredEntry;
use crate::error::{RegistryError, UpdateError};
use crate::key::RegistryKey;

/// Proof of one claim of a name. What it does concerns this claim only, never a successor that holds the name by then.
///
/// Dropping it does nothing; see [`guard`](Self::guard) for a token that gives the name up.
#[derive(Clone)]
pub struct Registered(Arc<StoredEntry>);

impl Registered {
    pub(crate) fn new(entry: Arc<StoredEntry>) -> Self {
        Self(entry)
    }

    fn core(&self) -> Option<Arc<Core>> {
        self.0.home()?.core()
    }

    /// Which claim of the name this is.
    pub fn generation(&self) -> Generation {
        self.0.generation()
    }

    /// The name that was claimed.
    pub fn key(&self) -> &RegistryKey {
        self.0.key()
    }

    /// Gives the name up if this claim still holds it. Returns whether it did. After a shutdown of the registry it does
    /// nothing.
    #[expect(clippy::must_use_candidate, reason = "giving a name up that is gone is no mistake")]
    pub fn unregister(self) -> bool {
        self.release()
    }

    fn release(&self) -> bool {
        let Some(core) = self.core() else { return false };
        match core.release(self.0.key_ref(), Some(self.generation())) {
            Ok(was_held) => was_held,
            Err(RegistryError::Closed) => false,
            Err(error) => {
                tracing::warn!(target: "foundation::registry", key = %self.key(), %error, "name could not be given up");
                false
            }
        }
    }

    /// Replaces the metadata if this claim still holds the name.
    ///
    /// # Errors
    /// [`UpdateError::Superseded`] if it does not; otherwise as
    /// [`Registry::update_metadata`](crate::Registry::update_metadata).
    pub fn update(&self, metadata: Metadata) -> Result<(), UpdateError> {
        let core = self.core().ok_or(UpdateError::Closed)?;
        core.update(self.0.key_ref(), Some(self.generation()), metadata)
    }

    /// A guard that gives the name up when dropped.
    pub fn guard(self) -> RegistrationGuard {
        RegistrationGuard(Some(self))
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("key", self.key()).field("generation", &self.generation()).finish()
    }
}

/// Gives a name up when dropped; made by [`Registered::guard`].
#[must_use = "dropping the guard gives the name up"]
#[derive(Debug)]
pub struct RegistrationGuard(Option<Registered>);

impl RegistrationGuard {
    /// The claim, which then stays until it is given up or its owner dies.
    #[expect(clippy::missing_panics_doc, reason = "the claim is there until the guard is consumed")]
    pub fn keep(mut self) -> Registered {
        self.0.take().expect("the guard holds the claim until it is consumed")
    }
}

impl Drop for RegistrationGuard {
    fn drop(&mut self) {
        if let Some(registered) = &self.0 {
            registered.release();
        }
    }
}
