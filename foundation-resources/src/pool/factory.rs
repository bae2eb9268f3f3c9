//! How workers come into being and go.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// Makes the workers of a pool, on the thread that wants one.
///
/// Every factory is an [`AsyncFactory`] too, so its pool has the asynchronous calls as well; there `create` runs inside
/// the poll, so implement [`AsyncFactory`] instead if it blocks for long. [`from_fn`] makes a factory of a closure.
///
/// No method is called under a lock, so all may use the pool. A panic in [`create`](Self::create) goes to who asked for the
/// worker, whose place is free again; panics in the others are contained.
pub trait Factory: Send + Sync {
    /// What the pool holds: a connection, a session, a parser.
    type Item: Send;
    /// Why a worker could not be made.
    type Error: Send;

    /// A new worker.
    fn create(&self) -> Result<Self::Item, Self::Error>;

    /// Whether the worker can serve another borrower; when it is asked, [`Check`](super::Check) says. It runs in the drop
    /// of a guard, so it should look at what is known rather than wait for an answer. A panic means no.
    fn is_usable(&self, item: &mut Self::Item) -> bool {
        let _ = item;
        true
    }

    /// Ends a worker that leaves the pool. Its place is free only after this returns, so that there are never more workers
    /// than the pool may have.
    fn retire(&self, item: Self::Item) {
        drop(item);
    }
}

/// Makes the workers of a pool without blocking.
///
/// A type implements this or [`Factory`], which implies this.
pub trait AsyncFactory: Send + Sync {
    /// What the pool holds: a connection, a session, a parser.
    type Item: Send;
    /// Why a worker could not be made.
    type Error: Send;

    /// A new worker.
    ///
    /// # Cancel safety
    /// The future is dropped with the checkout that wants the worker. Whatever it has opened by then must go with it.
    fn create(&self) -> impl Future<Output = Result<Self::Item, Self::Error>> + Send;

    /// As [`Factory::is_usable`]. It runs in the drop of a guard and so cannot wait.
    fn is_usable(&self, item: &mut Self::Item) -> bool {
        let _ = item;
        true
    }

    /// As [`Factory::retire`]. It runs in the drop of a guard and so cannot wait.
    fn retire(&self, item: Self::Item) {
        drop(item);
    }
}

impl<F: Factory> AsyncFactory for F {
    type Item = F::Item;
    type Error = F::Error;

    async fn create(&self) -> Result<Self::Item, Self::Error> {
        Factory::create(self)
    }

    fn is_usable(&self, item: &mut Self::Item) -> bool {
        Factory::is_usable(self, item)
    }

    fn retire(&self, item: Self::Item) {
        Factory::retire(self, item);
    }
}

impl<F: Factory + ?Sized> Factory for Arc<F> {
    type Item = F::Item;
    type Error = F::Error;

    fn create(&self) -> Result<Self::Item, Self::Error> {
        (**self).create()
    }

    fn is_usable(&self, item: &mut Self::Item) -> bool {
        (**self).is_usable(item)
    }

    fn retire(&self, item: Self::Item) {
        (**self).retire(item);
    }
}

/// The factory of [`from_fn`].
#[derive(Clone, Copy)]
pub struct FromFn<F>(F);

/// A factory that calls `create`, finds every worker usable and ends one by dropping it.
///
/// ```
/// use std::convert::Infallible;
/// use foundation_resources::pool::{self, Pool};
///
/// let pool = Pool::builder(pool::from_fn(|| Ok::<_, Infallible>(Vec::<u8>::new()))).size(2).build()?;
/// pool.try_checkout()?.extend(b"scratch");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const fn from_fn<F, T, E>(create: F) -> FromFn<F>
where
    F: Fn() -> Result<T, E> + Send + Sync,
    T: Send,
    E: Send,
{
    FromFn(create)
}

impl<F, T, E> Factory for FromFn<F>
where
    F: Fn() -> Result<T, E> + Send + Sync,
    T: Send,
    E: Send,
{
    type Item = T;
    type Error = E;

    fn create(&self) -> Result<T, E> {
        (self.0)()
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FromFn")
    }
}
