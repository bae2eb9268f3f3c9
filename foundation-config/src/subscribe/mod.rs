//! Hearing of changes.

mod feed;
mod filter;
mod log;
mod subscription;
mod waiters;

pub(crate) use self::feed::{Feed, Outgoing};
pub use self::filter::Filter;
pub use self::subscription::{Delivery, Subscription};
