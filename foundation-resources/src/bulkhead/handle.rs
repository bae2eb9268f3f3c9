//! The handle of a bulkhead.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::{Clock, Name, SystemClock, timeout_at};

use super::core::{Admission, Core, Patience, Refusal};
use super::error::AcquireError;
use super::events::Events;
use super::{Builder, BulkheadPermit, BulkheadState, BulkheadStatus};
use crate::waiting::{Closed, Ticket, Waiting, block_on};

/// A bound on how many calls are under way at once. Clones are the same bulkhead.
///
/// The [module](super) tells the rules.
pub struct Bulkhead<C = SystemClock> {
    shared: Arc<Shared>,
    clock: C,
}

/// What permits refer to.
pub(super) struct Shared {
    pub(super) core: Core,
    pub(super) max_wait: Option<Duration>,
    pub(super) events: Events,
}

impl Bulkhead {
    /// Configures a bulkhead that lets `max_concurrent` calls be under way, 1 to
    /// [`MAX_CONCURRENT_LIMIT`](super::MAX_CONCURRENT_LIMIT).
    pub const fn builder(max_concurrent: usize) -> Builder {
        Builder::new(max_concurrent)
    }
}

impl<C: Clock> Bulkhead<C> {
    /// A permit, if one is free. One atomic exchange when it is.
    ///
    /// # Errors
    /// [`AcquireError::Full`], [`AcquireError::Closed`].
    pub fn try_acquire(&self) -> Result<BulkheadPermit<'_>, AcquireError> {
        match self.shared.core.admit(Patience::None) {
            Ok(_) => Ok(self.permit()),
            Err(refusal) => Err(self.refused(refusal)),
        }
    }

    /// A permit, for which it blocks the thread at most `wait` long, in line with all others who wait for one,
    /// asynchronously or not. Zero means that it does not wait. A permit that is handed over before the deadline always
    /// wins over it.
    ///
    /// # Errors
    /// [`AcquireError::Timeout`], [`AcquireError::TooManyWaiting`], [`AcquireError::Closed`].
    pub fn acquire_timeout(&self, wait: Duration) -> Result<BulkheadPermit<'_>, AcquireError> {
        let wait = self.bounded(wait);
        if let Some(ticket) = self.admit_within(wait)? {
            block_on(self.wait_in_line(Waiting::new(&self.shared.core, ticket), wait))?;
        }
        Ok(self.permit())
    }

    /// As [`acquire_timeout`](Self::acquire_timeout), as long as the bulkhead lets anybody wait.
    ///
    /// # Errors
    /// As [`acquire_timeout`](Self::acquire_timeout).
    pub fn acquire_blocking(&self) -> Result<BulkheadPermit<'_>, AcquireError> {
        self.acquire_timeout(Duration::MAX)
    }

    /// A permit, as soon as one is free, in line with all others who wait for one, blocking or not.
    ///
    /// # Errors
    /// [`AcquireError::TooManyWaiting`], [`AcquireError::Closed`], and [`AcquireError::Timeout`] if the bulkhead has a
    /// bound on all waits.
    ///
    /// # Cancel safety
    /// Dropping the future at any point leaves the bulkhead as if it had never been polled: its place in line is gone,
    /// and a permit that was handed over goes to the next.
    pub async fn acquire(&self) -> Result<BulkheadPermit<'_>, AcquireError> {
        self.acquire_within(Duration::MAX).await
    }

    /// As [`acquire`](Self::acquire), waiting at most `wait` long on the clock of the bulkhead. Zero means that it does
    /// not wait. A permit that is handed over before the deadline always wins over it.
    ///
    /// # Errors
    /// [`AcquireError::Timeout`], [`AcquireError::TooManyWaiting`], [`AcquireError::Closed`].
    ///
    /// # Cancel safety
    /// As [`acquire`](Self::acquire).
    pub async fn acquire_within(&self, wait: Duration) -> Result<BulkheadPermit<'_>, AcquireError> {
        let wait = self.bounded(wait);
        if let Some(ticket) = self.admit_within(wait)? {
            self.wait_in_line(Waiting::new(&self.shared.core, ticket), wait).await?;
        }
        Ok(self.permit())
    }

    /// The figures at this moment. O(1); calls no foreign code.
    pub fn status(&self) -> BulkheadStatus {
        let Core { max_concurrent, max_waiting, .. } = self.shared.core;
        let figures = self.shared.core.figures();
        let state = if figures.is_closed {
            BulkheadState::Closed
        } else if figures.in_use < max_concurrent {
            BulkheadState::Ready
        } else {
            BulkheadState::Full
        };
        BulkheadStatus { max_concurrent, max_waiting, in_use: figures.in_use, waiting: figures.waiting, state }
    }

    /// From now on nobody gets in: whoever waits and whoever comes gets [`AcquireError::Closed`]. Permits that are out
    /// stay good. Closing again does nothing.
    pub fn close(&self) {
        if self.shared.core.close() {
            self.shared.events.closed();
        }
    }

    /// What the bulkhead is called, if it has a name.
    pub fn name(&self) -> Option<&Name> {
        self.shared.events.name.as_ref()
    }

    pub(super) fn from_parts(shared: Shared, clock: C) -> Self {
        Self { shared: Arc::new(shared), clock }
    }

    /// To be called by whoever has been granted a permit.
    const fn permit(&self) -> BulkheadPermit<'_> {
        BulkheadPermit::new(&self.shared)
    }

    fn bounded(&self, wait: Duration) -> Duration {
        self.shared.max_wait.map_or(wait, |most| wait.min(most))
    }

    /// `None` if a permit was free, and else a place in line.
    fn admit_within(&self, wait: Duration) -> Result<Option<Ticket>, AcquireError> {
        let patience = if wait.is_zero() { Patience::None } else { Patience::Some };
        match self.shared.core.admit(patience) {
            Ok(Admission::Granted) => Ok(None),
            Ok(Admission::Queued(ticket)) => Ok(Some(ticket)),
            Err(Refusal::Full) => Err(self.rejected(AcquireError::Timeout { waited: wait })),
            Err(refusal) => Err(self.refused(refusal)),
        }
    }

    /// Waits, bounded unless `wait` reaches to the end of time.
    async fn wait_in_line(&self, waiting: Waiting<&Core>, wait: Duration) -> Result<(), AcquireError> {
        let granted = if wait == Duration::MAX {
            Some(waiting.await)
        } else {
            let deadline = self.clock.mono().saturating_add(wait);
            timeout_at(&self.clock, deadline, waiting).await
        };
        match granted {
            Some(Ok(())) => Ok(()),
            Some(Err(Closed)) => Err(self.rejected(AcquireError::Closed)),
            None => Err(self.rejected(AcquireError::Timeout { waited: wait })),
        }
    }

    #[cold]
    fn refused(&self, refusal: Refusal) -> AcquireError {
        let core = &self.shared.core;
        self.rejected(match refusal {
            Refusal::Full => AcquireError::Full { max_concurrent: core.max_concurrent },
            Refusal::TooManyWaiting => AcquireError::TooManyWaiting { limit: core.max_waiting },
            Refusal::Closed => AcquireError::Closed,
        })
    }

    fn rejected(&self, error: AcquireError) -> AcquireError {
        self.shared.events.rejected(error);
        error
    }
}

impl<C: Clone> Clone for Bulkhead<C> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), clock: self.clock.clone() }
    }
}

impl<C: Clock> fmt::Debug for Bulkhead<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulkhead").field("name", &self.name()).field("status", &self.status()).finish_non_exhaustive()
    }
}
