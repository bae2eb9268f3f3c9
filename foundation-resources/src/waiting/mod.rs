//! Waiting in line: the queue that pools and bulkheads share, and the future and the blocking call that wait in it.
//!
//! What is waited for is *handed over*: whoever returns something gives it to the first in line while it holds the lock
//! of the queue. Nothing is put down for a newcomer to snatch, so the order of arrival is the order of service, and a
//! wake-up cannot be lost: the grant lies in the waiter's slot whether it looks or not. A waiter that leaves with an
//! unseen grant in its slot gives it back to its [`Source`], which serves the next in line.

mod block;
mod future;
mod queue;
mod sync;

pub(crate) use block::block_on;
pub(crate) use future::{Closed, Source, Waiting, wake};
pub(crate) use queue::{Queue, Ticket};
pub(crate) use sync::{AtomicUsize, Mutex, MutexGuard, Ordering};
