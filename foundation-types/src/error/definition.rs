//! What is known about each kind of error, looked up by domain and kind.

use super::kind::ErrorKind;
use super::retry::RetryStrategy;
use super::vocabulary::{Category, Domain, Severity, Subcategory};

/// The code of errors that have no number of their own.
pub const UNKNOWN_CODE: u32 = 9999;

/// What follows from the identity of an error unless the error says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The number for people, 1 to 9999. Within [`Domain::Core`] no two defined kinds share one.
    pub code: u32,
    /// How bad it is.
    pub severity: Severity,
    /// The broad class.
    pub category: Category,
    /// The narrow class.
    pub subcategory: Subcategory,
    /// When to try again.
    pub retry: RetryStrategy,
    /// The message of an error that was given none.
    pub message: &'static str,
}

static UNKNOWN: Definition = Definition {
    code: UNKNOWN_CODE,
    severity: Severity::Medium,
    category: Category::Unknown,
    subcategory: Subcategory::Unknown,
    retry: RetryStrategy::FixedDelay,
    message: "Unknown error",
};

impl Definition {
    /// The definition in force for `kind` in `domain`: its own there, else the one of [`Domain::Core`], else
    /// [`Definition::unknown`]. O(1).
    pub fn of(domain: &Domain, kind: &ErrorKind) -> &'static Self {
        Self::find(domain, kind).unwrap_or(&UNKNOWN)
    }

    /// As [`Definition::of`], but `None` where nothing is defined.
    pub fn find(domain: &Domain, kind: &ErrorKind) -> Option<&'static Self> {
        let entries = kind.entries();
        let of = |domain: &Domain| entries.iter().find(|entry| entry.domain == *domain);
        of(domain).or_else(|| of(&Domain::Core)).map(|entry| &entry.definition)
    }

    /// The definition of everything undefined: code 9999, medium, class unknown, message `Unknown error`.
    pub fn unknown() -> &'static Self {
        &UNKNOWN
    }
}

/// One row of the definition table.
///
/// In most domains a kind has one row. Where older programs gave one kind several codes, the first row is the
/// definition and [`Entry::find`] reaches the others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Where the row applies.
    pub domain: Domain,
    /// The kind it describes.
    pub kind: ErrorKind,
    /// What it says.
    pub definition: Definition,
}

impl Entry {
    /// The row of `kind` in `domain` with this code.
    pub fn find(domain: &Domain, kind: &ErrorKind, code: u32) -> Option<&'static Self> {
        kind.entries().iter().find(|entry| entry.domain == *domain && entry.definition.code == code)
    }

    /// The whole table, in the order of [`ErrorKind::KNOWN`].
    pub fn all() -> impl Iterator<Item = &'static Self> {
        ErrorKind::KNOWN.iter().flat_map(ErrorKind::entries)
    }
}
