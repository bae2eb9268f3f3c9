//! One subscriber.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use foundation_types::{Measurements, Metadata, block_on, timeout_at};
use futures_core::Stream;

use super::Filter;
use super::feed::Feed;
use super::log::Read;
use super::waiters::Ticket;
use crate::change::Change;
use crate::error::ConfigError;
use crate::events::SUBSCRIBER_LAGGED_EVENT;
use crate::layer::Version;
use crate::limits::Limit;
use crate::schema::{Dynamic, Schema};
use crate::snapshot::Snapshot;

/// What a [`Subscription`] delivers.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// A change that the filter wants.
    Change(Arc<Change>),
    /// The changes `first` to `last` were forgotten before they were read; the filter may have wanted any of them. Whoever
    /// needs them reads the current snapshot anew.
    Lagged {
        /// The first that was missed.
        first: Version,
        /// The last that was missed.
        last: Version,
        /// The version that was current when this was found.
        snapshot: Version,
    },
}

/// Changes of a store, in order, from the moment of subscribing on. Dropping it unsubscribes.
///
/// It is a place in the store's history of changes: a commit neither waits for it nor stores anything for it. Whoever falls
/// further behind than the history reaches is told once what was missed. It does not keep the store alive: when the last
/// [`Store`](crate::Store) is dropped it delivers what is left, and ends.
///
/// As a `Stream` it yields what [`recv`](Self::recv) does.
#[must_use = "dropping it unsubscribes"]
pub struct Subscription<S: Schema = Dynamic> {
    feed: Arc<Feed<S>>,
    filter: Filter,
    /// Where it waits in the feed, if it does.
    ticket: Ticket,
    /// The version that it looks at next.
    next: Version,
    /// The version up to which [`Self::latest`] has looked.
    seen: Version,
}

impl<S: Schema> Subscription<S> {
    pub(crate) fn new(feed: &Arc<Feed<S>>, filter: Filter, most: usize) -> Result<Self, ConfigError> {
        if !feed.enter(most) {
            return Err(ConfigError::LimitExceeded { what: Limit::Subscriptions, max: most });
        }
        let next = feed.next_version();
        Ok(Self { feed: Arc::clone(feed), filter, ticket: Ticket::default(), next, seen: next })
    }

    /// The next delivery, if it is there.
    pub fn try_recv(&mut self) -> Option<Delivery> {
        loop {
            match self.feed.read(self.next) {
                Read::NotYet => return None,
                Read::Change(change) => {
                    self.next = self.next.next();
                    if self.filter.matches(&change) {
                        return Some(Delivery::Change(change));
                    }
                }
                Read::Forgotten { oldest } => return Some(self.lag(oldest)),
            }
        }
    }

    /// The next delivery, as soon as it is there; `None` when the store is gone and nothing is left.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub fn recv(&mut self) -> impl Future<Output = Option<Delivery>> + Send + '_ {
        poll_fn(|context| self.poll_delivery(context))
    }

    /// The next delivery, if it is there within `limit` on the store's clock. Blocks the thread.
    pub fn recv_timeout(&mut self, limit: Duration) -> Option<Delivery> {
        let clock = Arc::clone(&self.feed.clock);
        let deadline = clock.mono().saturating_add(limit);
        block_on(timeout_at(&clock, deadline, self.recv())).flatten()
    }

    /// The current snapshot, if a change that the filter wants, or may have wanted, was published since the last call of
    /// this (at first: since the subscription). Many changes count as one, so whoever reads settings in this way never lags.
    ///
    /// Independent of the deliveries.
    pub fn latest(&mut self) -> Option<Arc<Snapshot<S>>> {
        let mut is_wanted = false;
        loop {
            match self.feed.read(self.seen) {
                Read::NotYet => break,
                Read::Change(change) => {
                    self.seen = self.seen.next();
                    is_wanted = is_wanted || self.filter.matches(&change);
                }
                Read::Forgotten { oldest } => {
                    self.seen = oldest;
                    is_wanted = true;
                }
            }
        }
        // It was published before the change that was read last.
        is_wanted.then(|| self.feed.current.load_full())
    }

    /// What it delivers.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    fn poll_delivery(&mut self, context: &mut Context<'_>) -> Poll<Option<Delivery>> {
        if let Some(delivery) = self.try_recv() {
            return Poll::Ready(Some(delivery));
        }
        self.ticket = self.feed.wait(&self.filter.prefix, self.ticket, context.waker().clone());
        // Looked at before the last look for a change: what was committed before the end is delivered.
        let is_closed = self.feed.is_closed();
        match self.try_recv() {
            Some(delivery) => Poll::Ready(Some(delivery)),
            None if is_closed => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn lag(&mut self, oldest: Version) -> Delivery {
        let (first, last) = (self.next, Version::new(oldest.get() - 1));
        self.next = oldest;
        let snapshot = self.feed.current.load().version();
        self.feed.emitter.emit(&SUBSCRIBER_LAGGED_EVENT, || {
            let missed = i64::try_from(oldest.get() - first.get()).unwrap_or(i64::MAX);
            let metadata = Metadata::new().with("path", self.filter.prefix.to_string());
            (Measurements::new().with("missed", missed), metadata)
        });
        Delivery::Lagged { first, last, snapshot }
    }
}

impl<S: Schema> Stream for Subscription<S> {
    type Item = Delivery;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Delivery>> {
        self.get_mut().poll_delivery(context)
    }
}

impl<S: Schema> Drop for Subscription<S> {
    fn drop(&mut self) {
        self.feed.stop_waiting(&self.filter.prefix, self.ticket);
        self.feed.leave();
    }
}

impl<S: Schema> fmt::Debug for Subscription<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("filter", &self.filter).field("next", &self.next).finish_non_exhaustive()
    }
}
