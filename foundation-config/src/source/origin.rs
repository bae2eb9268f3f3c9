//! Where a value stands.

use std::fmt;
use std::num::NonZeroU32;

use foundation_types::Text;

/// Where a value comes from: a file with line and column, an environment variable, a key of a remote store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    place: Text,
    line: Option<NonZeroU32>,
    column: Option<NonZeroU32>,
}

impl Origin {
    /// The place as a whole: the path of a file, `environment variable X`.
    pub fn new(place: impl Into<Text>) -> Self {
        Self { place: place.into(), line: None, column: None }
    }

    /// A position in the place; lines and columns count from 1, columns in characters.
    #[must_use]
    pub const fn at(mut self, line: NonZeroU32, column: NonZeroU32) -> Self {
        self.line = Some(line);
        self.column = Some(column);
        self
    }

    /// The place.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The line, from 1, where the place has lines.
    pub const fn line(&self) -> Option<NonZeroU32> {
        self.line
    }

    /// The column in characters, from 1, where the place has lines.
    pub const fn column(&self) -> Option<NonZeroU32> {
        self.column
    }
}

impl fmt::Display for Origin {
    /// `place:line:column`, as far as they are known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        Ok(())
    }
}
