//! The handle of a pool.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::{Clock, MonoTime, Name, SystemClock, timeout_at};

use super::checkout::{Settled, settle};
use super::core::{Admission, Core, Grant, Patience, Refusal};
use super::error::CheckoutError;
use super::events::STOPPED_EVENT;
use super::{AsyncFactory, Builder, Checkout, Factory, PoolStatus};
use crate::waiting::{Closed, Waiting, block_on};

/// Workers of one kind, each lent to one borrower at a time. Clones are the same pool.
///
/// The [module](super) tells the rules. A handle needs no runtime; the pool lives until the last handle and the last
/// [`Checkout`] are gone.
pub struct Pool<F: AsyncFactory, C = SystemClock> {
    core: Arc<Core<F>>,
    clock: C,
}

type Outcome<F> = Result<Checkout<F>, CheckoutError<<F as AsyncFactory>::Error>>;

impl<F: AsyncFactory> Pool<F> {
    /// Configures a pool whose workers `factory` makes.
    pub const fn builder(factory: F) -> Builder<F> {
        Builder::new(factory)
    }
}

impl<F: Factory, C: Clock> Pool<F, C> {
    /// A worker that is idle, or a new one if there is room; never waits for another borrower.
    ///
    /// # Errors
    /// [`CheckoutError::Full`], [`CheckoutError::Closed`], [`CheckoutError::Create`].
    ///
    /// # Panics
    /// If the factory does; the place is free again.
    pub fn try_checkout(&self) -> Result<Checkout<F>, CheckoutError<<F as Factory>::Error>> {
        let stopwatch = self.stopwatch();
        match self.admit(Patience::None)? {
            Admission::Granted(grant) => self.finish(grant, stopwatch),
            Admission::Queued(_) => unreachable!("whoever has no patience is not queued"),
        }
    }

    /// A worker, for which it blocks the thread at most `wait` long, in line with all others who wait for one,
    /// asynchronously or not. Zero means that it does not wait.
    ///
    /// `wait` bounds the wait for other borrowers, not the making of a worker. A worker that is handed over before the
    /// deadline always wins over it.
    ///
    /// # Errors
    /// [`CheckoutError::Timeout`], [`CheckoutError::TooManyWaiting`], [`CheckoutError::Closed`],
    /// [`CheckoutError::Create`].
    ///
    /// # Panics
    /// If the factory does; the place is free again.
    pub fn checkout_timeout(&self, wait: Duration) -> Result<Checkout<F>, CheckoutError<<F as Factory>::Error>> {
        let stopwatch = self.stopwatch();
        let grant = match self.admit_within(wait)? {
            Admission::Granted(grant) => grant,
            Admission::Queued(ticket) => block_on(self.wait_in_line(Waiting::new(&*self.core, ticket), wait))?,
        };
        self.finish(grant, stopwatch)
    }

    /// As [`checkout_timeout`](Self::checkout_timeout), however long it takes.
    ///
    /// # Errors
    /// [`CheckoutError::TooManyWaiting`], [`CheckoutError::Closed`], [`CheckoutError::Create`].
    ///
    /// # Panics
    /// If the factory does; the place is free again.
    pub fn checkout_blocking(&self) -> Result<Checkout<F>, CheckoutError<<F as Factory>::Error>> {
        self.checkout_timeout(Duration::MAX)
    }

    fn finish(&self, grant: Grant<F::Item>, stopwatch: Stopwatch) -> Outcome<F> {
        let checkout = match settle(&self.core, grant)? {
            Settled::Ready(checkout) => checkout,
            Settled::Create(place) => {
                let made = Factory::create(place.factory());
                place.fill(made)?
            }
        };
        self.checked_out(stopwatch);
        Ok(checkout)
    }
}

impl<F: AsyncFactory, C: Clock> Pool<F, C> {
    /// A worker, as soon as one is free, in line with all others who wait for one, blocking or not.
    ///
    /// # Errors
    /// [`CheckoutError::TooManyWaiting`], [`CheckoutError::Closed`], [`CheckoutError::Create`].
    ///
    /// # Panics
    /// If the factory does; the place is free again.
    ///
    /// # Cancel safety
    /// Dropping the future at any point leaves the pool as if it had never been polled: its place in line is gone, a
    /// worker that was handed over goes to the next, and so does the place of a worker that was being made. (An idle
    /// worker that it found to be [unusable](super::Check::OnCheckout) stays retired.)
    pub async fn checkout(&self) -> Result<Checkout<F>, CheckoutError<F::Error>> {
        self.checkout_within(Duration::MAX).await
    }

    /// As [`checkout`](Self::checkout), waiting at most `wait` long on the clock of the pool. Zero means that it does not
    /// wait.
    ///
    /// `wait` bounds the wait for other borrowers, not the making of a worker; to bound both, drop the future in time. A
    /// worker that is handed over before the deadline always wins over it.
    ///
    /// # Errors
    /// [`CheckoutError::Timeout`], [`CheckoutError::TooManyWaiting`], [`CheckoutError::Closed`],
    /// [`CheckoutError::Create`].
    ///
    /// # Panics
    /// If the factory does; the place is free again.
    ///
    /// # Cancel safety
    /// As [`checkout`](Self::checkout).
    pub async fn checkout_within(&self, wait: Duration) -> Result<Checkout<F>, CheckoutError<F::Error>> {
        let stopwatch = self.stopwatch();
        let grant = match self.admit_within(wait)? {
            Admission::Granted(grant) => grant,
            Admission::Queued(ticket) => self.wait_in_line(Waiting::new(&*self.core, ticket), wait).await?,
        };
        let checkout = match settle(&self.core, grant)? {
            Settled::Ready(checkout) => checkout,
            Settled::Create(place) => {
                let made = AsyncFactory::create(place.factory()).await;
                place.fill(made)?
            }
        };
        self.checked_out(stopwatch);
        Ok(checkout)
    }

    /// The figures at this moment. O(1); calls no foreign code.
    pub fn status(&self) -> PoolStatus {
        self.core.status()
    }

    /// Ends the pool: whoever waits and whoever comes gets [`CheckoutError::Closed`], idle workers are retired now, and
    /// those that are out when they come back. Closing again does nothing.
    pub fn close(&self) {
        if self.core.close() {
            self.core.events.happened(&STOPPED_EVENT);
        }
    }

    /// What the pool is called, if it has a name.
    pub fn name(&self) -> Option<&Name> {
        self.core.events.name.as_ref()
    }

    pub(super) const fn from_parts(core: Arc<Core<F>>, clock: C) -> Self {
        Self { core, clock }
    }

    fn admit_within(&self, wait: Duration) -> Result<Admission<F::Item>, CheckoutError<F::Error>> {
        if !wait.is_zero() {
            return self.admit(Patience::Some);
        }
        self.admit(Patience::None).map_err(|error| match error {
            CheckoutError::Full { .. } => self.timed_out(wait),
            other => other,
        })
    }

    fn admit(&self, patience: Patience) -> Result<Admission<F::Item>, CheckoutError<F::Error>> {
        let options = &self.core.options;
        self.core.admit(patience).map_err(|refusal| match refusal {
            Refusal::Full => CheckoutError::Full { capacity: options.capacity() },
            Refusal::TooManyWaiting => CheckoutError::TooManyWaiting { limit: options.max_waiting },
            Refusal::Closed => CheckoutError::Closed,
        })
    }

    /// Waits, bounded unless `wait` reaches to the end of time.
    async fn wait_in_line(
        &self,
        waiting: Waiting<&Core<F>>,
        wait: Duration,
    ) -> Result<Grant<F::Item>, CheckoutError<F::Error>> {
        let granted = if wait == Duration::MAX {
            waiting.await
        } else {
            let deadline = self.clock.mono().saturating_add(wait);
            let in_time = timeout_at(&self.clock, deadline, waiting).await;
            in_time.ok_or_else(|| self.timed_out(wait))?
        };
        granted.map_err(|Closed| CheckoutError::Closed)
    }

    fn timed_out(&self, waited: Duration) -> CheckoutError<F::Error> {
        self.core.events.timeout(waited);
        CheckoutError::Timeout { waited }
    }

    /// Reads the clock only if somebody may want to know.
    fn stopwatch(&self) -> Stopwatch {
        Stopwatch(self.core.events.are_heard().then(|| self.clock.mono()))
    }

    fn checked_out(&self, Stopwatch(start): Stopwatch) {
        if let Some(start) = start {
            self.core.events.checkout(self.clock.mono().saturating_since(start));
        }
    }
}

/// When a checkout began.
#[derive(Clone, Copy)]
struct Stopwatch(Option<MonoTime>);

impl<F: AsyncFactory, C: Clone> Clone for Pool<F, C> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), clock: self.clock.clone() }
    }
}

impl<F: AsyncFactory, C: Clock> fmt::Debug for Pool<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("name", &self.name()).field("status", &self.status()).finish_non_exhaustive()
    }
}
