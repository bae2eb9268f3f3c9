//! What is wrong with a tree.

use std::borrow::Cow;
use std::fmt;

use crate::path::Path;
use crate::source::Origin;

/// The most violations that are kept; of more only the number is.
pub const MAX_VIOLATIONS: usize = 100;

/// One rule that a tree breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Where.
    pub path: Path,
    /// Which kind of rule.
    pub kind: ViolationKind,
    /// What is wrong. It must not quote the value of a secret.
    pub message: Cow<'static, str>,
    /// Where the value comes from, as closely as is known; the store fills it in.
    pub origin: Option<Origin>,
}

impl Violation {
    /// A violation at `path`.
    pub fn new(path: impl Into<Path>, kind: ViolationKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { path: path.into(), kind, message: message.into(), origin: None }
    }
}

impl fmt::Display for Violation {
    /// Origin, path and message, as far as there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.path.is_root() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Which kind of rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// Something is missing, has the wrong type, or has no place there.
    Shape,
    /// A value is none of those it can be.
    NotInEnum,
    /// A value does not fit with another, or with what it stands for.
    Constraint,
    /// A number is too large or too small.
    Range,
}

/// What is wrong with a tree, in the order in which it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    kept: Vec<Violation>,
    omitted: usize,
}

impl Violations {
    /// Nothing wrong.
    pub const fn new() -> Self {
        Self { kept: Vec::new(), omitted: 0 }
    }

    /// Adds one.
    pub fn push(&mut self, violation: Violation) {
        if self.kept.len() < MAX_VIOLATIONS {
            self.kept.push(violation);
        } else {
            self.omitted += 1;
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The first one that was found.
    pub fn first(&self) -> Option<&Violation> {
        self.kept.first()
    }

    /// Those that are kept, at most [`MAX_VIOLATIONS`], in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Violation> {
        self.kept.iter()
    }

    /// How many there were beyond those that are kept.
    pub const fn omitted(&self) -> usize {
        self.omitted
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Violation> {
        self.kept.iter_mut()
    }
}

impl From<Violation> for Violations {
    fn from(violation: Violation) -> Self {
        Self { kept: vec![violation], omitted: 0 }
    }
}

impl fmt::Display for Violations {
    /// One after the other, with semicolons between.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.kept.iter().enumerate() {
            write!(f, "{}{violation}", if index > 0 { "; " } else { "" })?;
        }
        if self.omitted > 0 {
            write!(f, "; and {} more", self.omitted)?;
        }
        Ok(())
    }
}
