//! Loose values: what metadata, labels and event payloads are made of.

mod finite;
mod json;
mod merge;
mod metadata;
mod text;

pub mod bridge;

pub use finite::{FiniteF64, NotFinite};
pub use json::ValueDecodeError;
pub use metadata::Metadata;
pub use text::Text;

use crate::Timestamp;

/// The deepest nesting of lists and maps that a decoder accepts.
pub const MAX_VALUE_DEPTH: usize = 128;

/// A value whose type is known only at run time.
///
/// Integers and floats are different values, also `1` and `1.0`. Floats are finite and `-0.0` is `0.0`, so values have a
/// total `Eq`, `Ord` and `Hash`, and serve as index keys.
///
/// The serialised form is the natural one of JSON with two additions that make decoding the exact inverse: a timestamp is
/// `{"$time": "<RFC 3339>"}`, and a map key that starts with `$` gets one more `$`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(FiniteF64),
    /// A text.
    Text(Text),
    /// A point in wall time.
    Time(Timestamp),
    /// Several values in order.
    List(Vec<Value>),
    /// Values by key.
    Map(Metadata),
}

impl Value {
    /// The float inside, or the integer as a float where that loses nothing.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(float) => Some(float.get()),
            Self::Int(int) => {
                let float = *int as f64;
                // Converting back saturates at the upper bound, which therefore is no proof of equality.
                #[expect(clippy::cast_possible_truncation, reason = "the comparison detects it")]
                let exact = float as i64 == *int && *int != i64::MAX;
                exact.then_some(float)
            }
            _ => None,
        }
    }

    /// The integer inside.
    pub const fn as_i64(&self) -> Option<i64> {
        if let Self::Int(int) = self { Some(*int) } else { None }
    }

    /// The truth value inside.
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(bool) = self { Some(*bool) } else { None }
    }

    /// The text inside.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text.as_str()) } else { None }
    }

    /// The time inside.
    pub const fn as_time(&self) -> Option<Timestamp> {
        if let Self::Time(time) = self { Some(*time) } else { None }
    }

    /// The items of the list inside.
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The map inside.
    pub const fn as_map(&self) -> Option<&Metadata> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// Whether this is [`Value::Null`].
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Drops this value with a stack that does not grow with its depth, as that of the plain drop does.
    ///
    /// For values of unknown depth; those that a decoder made are at most [`MAX_VALUE_DEPTH`] deep.
    pub fn dismantle(self) {
        let mut left = vec![self];
        while let Some(value) = left.pop() {
            match value {
                Self::List(items) => left.extend(items),
                Self::Map(map) => left.extend(map.into_iter().map(|(_, value)| value)),
                _ => {}
            }
        }
    }
}

macro_rules! value_from {
    ($($from:ty => |$value:ident| $into:expr;)*) => {
        $(impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $into
            }
        })*
    };
}

value_from! {
    bool => |value| Self::Bool(value);
    i8 => |value| Self::Int(value.into());
    i16 => |value| Self::Int(value.into());
    i32 => |value| Self::Int(value.into());
    i64 => |value| Self::Int(value);
    u8 => |value| Self::Int(value.into());
    u16 => |value| Self::Int(value.into());
    u32 => |value| Self::Int(value.into());
    FiniteF64 => |value| Self::Float(value);
    &str => |value| Self::Text(value.into());
    String => |value| Self::Text(value.into());
    Text => |value| Self::Text(value);
    &crate::Name => |value| Self::Text(value.as_str().into());
    crate::Name => |value| Self::Text(value.into());
    Timestamp => |value| Self::Time(value);
    Metadata => |value| Self::Map(value);
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(items: Vec<V>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<V: Into<Value>> From<Option<V>> for Value {
    /// `None` becomes [`Value::Null`].
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
