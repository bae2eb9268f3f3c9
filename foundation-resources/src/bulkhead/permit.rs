//! The right to go on.

use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::handle::Shared;

/// The right to have one call under way. It is returned when this is dropped, also by a panic or by a future that is
/// cancelled.
#[must_use = "the permit is returned as soon as this is dropped"]
pub struct BulkheadPermit<'b> {
    shared: &'b Arc<Shared>,
}

/// A [`BulkheadPermit`] that borrows nothing: it may go to another task or thread, and outlive every handle.
#[must_use = "the permit is returned as soon as this is dropped"]
pub struct OwnedBulkheadPermit {
    shared: Arc<Shared>,
}

impl<'b> BulkheadPermit<'b> {
    pub(super) const fn new(shared: &'b Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The same permit, to be sent away. Costs one reference count.
    pub fn into_owned(self) -> OwnedBulkheadPermit {
        let this = ManuallyDrop::new(self);
        OwnedBulkheadPermit { shared: Arc::clone(this.shared) }
    }
}

impl Drop for BulkheadPermit<'_> {
    fn drop(&mut self) {
        self.shared.core.release();
    }
}

impl Drop for OwnedBulkheadPermit {
    fn drop(&mut self) {
        self.shared.core.release();
    }
}

impl fmt::Debug for BulkheadPermit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkheadPermit").finish_non_exhaustive()
    }
}

impl fmt::Debug for OwnedBulkheadPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedBulkheadPermit").finish_non_exhaustive()
    }
}
