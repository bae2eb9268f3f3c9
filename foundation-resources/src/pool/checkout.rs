//! What a borrower holds: a worker, or for a moment the right to make one.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::thread;

use super::core::{Core, Grant, PlaceKind};
use super::error::CheckoutError;
use super::events::{CHECKIN_EVENT, CREATE_FAILED_EVENT, OVERFLOW_EVENT, Reason};
use super::{AsyncFactory, OnPanic};

/// A worker that is out. It goes back to the pool when this is dropped, also by a panic or by a future that is cancelled.
///
/// It may be sent to another thread, and outlive every handle of the pool. If its thread has begun to unwind since the
/// checkout, the worker is retired or goes back, as [`OnPanic`] says.
#[must_use = "the worker goes back as soon as this is dropped"]
pub struct Checkout<F: AsyncFactory> {
    core: Arc<Core<F>>,
    /// Taken out by whatever ends the loan.
    item: Option<F::Item>,
    /// A worker may be borrowed by a destructor during an unwinding that is none of its fault.
    was_unwinding: bool,
}

impl<F: AsyncFactory> Checkout<F> {
    fn new(core: Arc<Core<F>>, item: F::Item) -> Self {
        Self { core, item: Some(item), was_unwinding: thread::panicking() }
    }

    /// Retires the worker instead of returning it. Its place goes to the first in line, who makes a new one, or stays
    /// empty until it is needed.
    pub fn discard(mut self) {
        if let Some(item) = self.item.take() {
            self.core.lose(item, Reason::Discarded);
            self.core.events.happened(&CHECKIN_EVENT);
        }
    }
}

impl<F: AsyncFactory> Drop for Checkout<F> {
    fn drop(&mut self) {
        let Some(mut item) = self.item.take() else { return };
        let core = &self.core;
        let panicked = !self.was_unwinding && thread::panicking();
        if panicked && core.options.on_panic == OnPanic::Retire {
            core.lose(item, Reason::Panic);
        } else if core.options.check.is_on_return() && !core.is_usable(&mut item) {
            core.lose(item, Reason::Unusable);
        } else {
            core.put_back(item);
        }
        core.events.happened(&CHECKIN_EVENT);
    }
}

const HELD: &str = "only what ends the loan takes the worker out";

impl<F: AsyncFactory> Deref for Checkout<F> {
    type Target = F::Item;

    fn deref(&self) -> &F::Item {
        self.item.as_ref().expect(HELD)
    }
}

impl<F: AsyncFactory> DerefMut for Checkout<F> {
    fn deref_mut(&mut self) -> &mut F::Item {
        self.item.as_mut().expect(HELD)
    }
}

impl<F: AsyncFactory<Item: fmt::Debug>> fmt::Debug for Checkout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Checkout").field(&**self).finish()
    }
}

/// What a grant comes to.
pub(super) enum Settled<'c, F: AsyncFactory> {
    Ready(Checkout<F>),
    /// A worker has to be made, outside every lock.
    Create(Place<'c, F>),
}

/// Takes what was granted, and looks at the worker if the pool is to do so.
///
/// # Errors
/// [`CheckoutError::Closed`] if a worker would have to be made for a pool that was closed meanwhile.
pub(super) fn settle<F: AsyncFactory>(
    core: &Arc<Core<F>>,
    grant: Grant<F::Item>,
) -> Result<Settled<'_, F>, CheckoutError<F::Error>> {
    let place = match grant {
        Grant::Item(item) => {
            let mut checkout = Checkout::new(Arc::clone(core), item);
            if !core.options.check.is_on_checkout() || core.is_usable(&mut checkout) {
                return Ok(Settled::Ready(checkout));
            }
            let item = checkout.item.take().expect(HELD);
            core.uncount(item, Reason::Unusable);
            // Whether it is one beyond the size has been told when it was made.
            Place { core, kind: PlaceKind::Core }
        }
        Grant::Place(kind) => Place { core, kind },
    };
    // Otherwise the pool would make a worker only to retire it.
    if core.is_closed() { Err(CheckoutError::Closed) } else { Ok(Settled::Create(place)) }
}

/// The right to make a worker. It goes to the next in line when it is dropped, also by a panic of the factory or by a
/// future that is cancelled.
pub(super) struct Place<'c, F: AsyncFactory> {
    core: &'c Arc<Core<F>>,
    kind: PlaceKind,
}

impl<F: AsyncFactory> Place<'_, F> {
    pub(super) fn factory(&self) -> &F {
        &self.core.factory
    }

    /// Puts what was made into the place.
    ///
    /// # Errors
    /// [`CheckoutError::Create`] if nothing was, and [`CheckoutError::Closed`] if the pool was closed meanwhile.
    pub(super) fn fill(self, made: Result<F::Item, F::Error>) -> Result<Checkout<F>, CheckoutError<F::Error>> {
        let item = match made {
            Ok(item) => item,
            Err(error) => {
                let core = self.core;
                drop(self);
                core.events.happened(&CREATE_FAILED_EVENT);
                return Err(CheckoutError::Create(error));
            }
        };
        match self.core.fill(item) {
            Ok(item) => {
                let (core, kind) = (self.core, self.kind);
                // The worker holds the place from now on.
                std::mem::forget(self);
                let checkout = Checkout::new(Arc::clone(core), item);
                if kind == PlaceKind::Overflow {
                    core.events.happened(&OVERFLOW_EVENT);
                }
                Ok(checkout)
            }
            Err(item) => {
                self.core.retire(item, Reason::Closed);
                Err(CheckoutError::Closed)
            }
        }
    }
}

impl<F: AsyncFactory> Drop for Place<'_, F> {
    fn drop(&mut self) {
        self.core.free_place();
    }
}
