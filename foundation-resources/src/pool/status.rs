//! What a pool tells of itself.

use std::fmt;

use serde::Serialize;

/// The figures of a pool at one moment. Serialised they have their short names: `workers`, `monitors`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PoolStatus {
    /// How many workers it keeps, as configured.
    pub size: usize,
    /// How many more it may have while all of those are out, as configured.
    pub max_overflow: usize,
    /// How many more than `size` it has.
    pub overflow: usize,
    /// Workers that wait for a borrower.
    #[serde(rename = "workers")]
    pub idle: usize,
    /// Workers that are out, those handed to a waiter that has not looked yet included.
    #[serde(rename = "monitors")]
    pub checked_out: usize,
    /// Workers that are being made or retired.
    pub in_transition: usize,
    /// Callers in line.
    pub waiting: usize,
    /// In a word.
    pub state: PoolState,
}

impl PoolStatus {
    /// Every worker there is: idle, out, being made or being retired. Never more than `size + max_overflow`.
    pub const fn alive(&self) -> usize {
        self.idle + self.checked_out + self.in_transition
    }
}

/// Whether a pool has room, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PoolState {
    /// A worker is idle, or one of `size` is yet to be made.
    Ready,
    /// The next borrower gets a worker beyond `size`.
    Overflow,
    /// The next borrower waits.
    Full,
    /// No more borrowers: the pool was closed.
    Closed,
}

impl PoolState {
    /// The word: `ready`, `overflow`, `full` or `closed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Overflow => "overflow",
            Self::Full => "full",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for PoolState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
