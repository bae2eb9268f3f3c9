//! Error records in the shape of the original.

use std::time::Duration;

use foundation_types::error::{Domain, Entry, Error, ErrorKind};
use foundation_types::{Clock, Metadata};

/// The record of a kind that has several codes, with the severity and the retry advice of this one.
pub(crate) fn coded(clock: &dyn Clock, domain: Domain, kind: ErrorKind, code: u32) -> Error {
    let error = match Entry::find(&domain, &kind, code) {
        Some(entry) => Error::from_entry(entry),
        None => Error::new(kind).with_domain(domain).with_code(code),
    };
    error.with_clock(clock)
}

/// The record of a kind as its domain defines it.
pub(crate) fn defined(clock: &dyn Clock, domain: Domain, kind: ErrorKind) -> Error {
    Error::new(kind).with_domain(domain).with_clock(clock)
}

/// This error with advice to try again after this long, where that is known, in place of the second that its strategy says.
/// Parts of a millisecond are rounded up, so that a retry is never too early.
pub(crate) fn advised(error: Error, retry_after: Option<Duration>) -> Error {
    match retry_after {
        Some(wait) => {
            let millis = wait.as_nanos().div_ceil(1_000_000);
            error.with_retry_context(Metadata::new().with("base_delay", i64::try_from(millis).unwrap_or(i64::MAX)))
        }
        None => error,
    }
}

/// Whole milliseconds, as metadata holds them.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
