//! What can go wrong on the bridge, and where.

use std::fmt;

use serde::de::{self, Expected, Unexpected};
use serde::ser;

use crate::value::{MAX_VALUE_DEPTH, Text};

/// Why a value and a type do not fit, and at which part.
#[derive(Clone, PartialEq, Eq)]
pub struct BridgeError(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: BridgeErrorKind,
    /// From the leaf to the root: each level appends its own segment as the error passes through.
    path: Vec<PathSegment>,
}

impl BridgeError {
    pub(super) fn new(kind: BridgeErrorKind) -> Self {
        Self(Box::new(Inner { kind, path: Vec::new() }))
    }

    pub(super) fn under_key(mut self, key: impl Into<Text>) -> Self {
        self.0.path.push(PathSegment::Key(key.into()));
        self
    }

    pub(super) fn under_index(mut self, index: usize) -> Self {
        self.0.path.push(PathSegment::Index(index));
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> &BridgeErrorKind {
        &self.0.kind
    }

    /// The way from the root to the part at fault; empty for the root itself. That of a missing field ends with the field.
    pub fn path(&self) -> impl DoubleEndedIterator<Item = &PathSegment> + ExactSizeIterator {
        self.0.path.iter().rev()
    }
}

impl fmt::Display for BridgeError {
    /// The path and a colon, unless it is the root; then what went wrong.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.path().enumerate() {
            match segment {
                PathSegment::Key(key) if is_bare(key) => {
                    f.write_str(if at == 0 { "" } else { "." })?;
                    f.write_str(key)?;
                }
                PathSegment::Key(key) => write!(f, "[{key:?}]")?,
                PathSegment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        if !self.0.path.is_empty() {
            f.write_str(": ")?;
        }
        fmt::Display::fmt(&self.0.kind, f)
    }
}

impl fmt::Debug for BridgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BridgeError")
            .field("path", &self.path().collect::<Vec<_>>())
            .field("kind", &self.0.kind)
            .finish()
    }
}

impl std::error::Error for BridgeError {}

/// Whether a key can stand in a dotted path without quotes.
fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'))
}

/// One step into a list or a map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathSegment {
    /// The value of this key.
    Key(Text),
    /// The item at this position.
    Index(usize),
}

/// What went wrong on the bridge. The parts named `found` quote the offending value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeErrorKind {
    /// A value of one type stands where another is needed.
    #[error("expected {expected}, found {found}")]
    TypeMismatch {
        /// What the type needs.
        expected: String,
        /// What the value is.
        found: String,
    },
    /// A number of the right type is too large, too small, or one that the target excludes.
    #[error("expected {expected}, found {found}")]
    OutOfRange {
        /// What the type needs.
        expected: String,
        /// The number.
        found: String,
    },
    /// A value of the right type, and not a number, is one that the target excludes.
    #[error("expected {expected}, found {found}")]
    InvalidValue {
        /// What the type needs.
        expected: String,
        /// What the value is.
        found: String,
    },
    /// A list or map has too few or too many entries.
    #[error("expected {expected}, found {len} entries")]
    InvalidLength {
        /// What the type needs.
        expected: String,
        /// The number of entries.
        len: usize,
    },
    /// A field that must be there is not.
    #[error("missing field")]
    MissingField {
        /// Its name.
        field: &'static str,
    },
    /// A key is none of the fields of a type that accepts no others.
    #[error("unknown field, {}", Choice(expected))]
    UnknownField {
        /// The key.
        field: String,
        /// The fields of the type.
        expected: &'static [&'static str],
    },
    /// A text is none of the variants of an enum.
    #[error("unknown variant `{variant}`, {}", Choice(expected))]
    UnknownVariant {
        /// The text.
        variant: String,
        /// The variants of the enum.
        expected: &'static [&'static str],
    },
    /// A field was given twice, for instance under two aliases.
    #[error("duplicate field `{field}`")]
    DuplicateField {
        /// Its name.
        field: &'static str,
    },
    /// A float is NaN or infinite.
    #[error("float is not finite")]
    NotFinite,
    /// The key of a map has no text form.
    #[error("a map key must be a text, a whole number, a boolean or a unit variant, found {found}")]
    KeyNotText {
        /// What the key is.
        found: &'static str,
    },
    /// Lists and maps nest deeper than [`MAX_VALUE_DEPTH`].
    #[error("nested deeper than {MAX_VALUE_DEPTH}")]
    TooDeep,
    /// A rule of the type itself was broken.
    #[error("{message}")]
    Custom {
        /// What the type says.
        message: String,
    },
}

struct Choice<'a>(&'a [&'static str]);

impl fmt::Display for Choice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("none is expected"),
            [first, others @ ..] => {
                write!(f, "expected `{first}`")?;
                others.iter().try_for_each(|other| write!(f, " or `{other}`"))
            }
        }
    }
}

impl ser::Error for BridgeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(BridgeErrorKind::Custom { message: message.to_string() })
    }
}

impl de::Error for BridgeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(BridgeErrorKind::Custom { message: message.to_string() })
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(BridgeErrorKind::TypeMismatch { expected: expected.to_string(), found: found.to_string() })
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let (expected, found) = (expected.to_string(), unexpected.to_string());
        Self::new(match unexpected {
            Unexpected::Signed(_) | Unexpected::Unsigned(_) | Unexpected::Float(_) => {
                BridgeErrorKind::OutOfRange { expected, found }
            }
            _ => BridgeErrorKind::InvalidValue { expected, found },
        })
    }

    fn invalid_length(len: usize, expected: &dyn Expected) -> Self {
        Self::new(BridgeErrorKind::InvalidLength { expected: expected.to_string(), len })
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(BridgeErrorKind::UnknownVariant { variant: variant.to_owned(), expected })
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(BridgeErrorKind::UnknownField { field: field.to_owned(), expected })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(BridgeErrorKind::MissingField { field }).under_key(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(BridgeErrorKind::DuplicateField { field })
    }
}
