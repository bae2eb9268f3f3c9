//! Numbers that are given once.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

use serde::Serialize;

/// A number that nothing else in this process gets: positive, and greater than that of every call that returned before.
///
/// It means nothing to another process, nor to this program when it is started again; what has to be unique there is a
/// [`CorrelationId`](crate::error::CorrelationId).
///
/// ```
/// use foundation_types::LocalId;
///
/// let (first, second) = (LocalId::fresh(), LocalId::fresh());
/// assert!(0 < first.get() && first < second);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct LocalId(i64);

impl LocalId {
    /// A new number. Numbers last for 2⁶³ calls, which at one every nanosecond are 292 years.
    pub fn fresh() -> Self {
        static NEXT: AtomicI64 = AtomicI64::new(1);
        // Relaxed: one counter has one order, which agrees with that of calls of which one happens before the other; and
        // nothing else is published with the number.
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl From<LocalId> for crate::Value {
    fn from(id: LocalId) -> Self {
        Self::Int(id.0)
    }
}

impl fmt::Display for LocalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for LocalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
