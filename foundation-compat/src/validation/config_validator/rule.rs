//! What a single setting has to be.

use std::borrow::Cow;

use foundation_config::ViolationKind;
use foundation_types::Value;

use crate::types::config::NumBuffers;

/// The longest text that a message quotes, in characters.
const QUOTED_CHARACTERS: usize = 40;

/// What a setting has to be.
#[derive(Clone, Copy)]
pub(crate) enum Rule {
    /// An integer above 0.
    Above0,
    /// An integer from 0 up.
    From0,
    /// True or false.
    Boolean,
    /// False.
    Off,
    /// A text.
    Text,
    /// A text that may not be quoted, or null.
    SecretOrNull,
    /// One of these words, which are an enumeration of its own.
    OneOf(&'static [&'static str]),
    /// One of these words; others have the wrong shape.
    ShapedAs(&'static [&'static str]),
    /// A number from 0 up, as a constraint.
    Target,
    /// A number from 0 to 1.
    Share,
    /// How many buffers there are.
    Buffers,
}

impl Rule {
    pub(crate) fn holds(self, value: &Value) -> bool {
        match self {
            Self::Above0 => value.as_i64().is_some_and(|number| number > 0),
            Self::From0 => value.as_i64().is_some_and(|number| number >= 0),
            Self::Boolean => value.as_bool().is_some(),
            Self::Off => value.as_bool() == Some(false),
            Self::Text => value.as_str().is_some(),
            Self::SecretOrNull => value.is_null() || value.as_str().is_some(),
            Self::OneOf(words) | Self::ShapedAs(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Self::Target => match value {
                Value::Int(number) => *number >= 0,
                Value::Float(number) => number.get() >= 0.0,
                _ => false,
            },
            Self::Share => match value {
                Value::Int(number) => (0..=1).contains(number),
                Value::Float(number) => (0.0..=1.0).contains(&number.get()),
                _ => false,
            },
            Self::Buffers => Self::Above0.holds(value) || value.as_str() == Some(NumBuffers::SCHEDULERS),
        }
    }

    /// What a value that does not fit is, whatever its type.
    pub(crate) const fn kind(self) -> ViolationKind {
        match self {
            Self::OneOf(_) => ViolationKind::NotInEnum,
            Self::Target => ViolationKind::Constraint,
            Self::Share => ViolationKind::Range,
            _ => ViolationKind::Shape,
        }
    }

    pub(crate) fn expected(self) -> Cow<'static, str> {
        match self {
            Self::Above0 => "an integer above 0".into(),
            Self::From0 => "an integer from 0 up".into(),
            Self::Boolean => "true or false".into(),
            Self::Off => "false".into(),
            Self::Text => "a text".into(),
            Self::SecretOrNull => "a text or null".into(),
            Self::OneOf(words) | Self::ShapedAs(words) => format!("one of {}", words.join(", ")).into(),
            Self::Target => "a number from 0 up".into(),
            Self::Share => "a number from 0 to 1".into(),
            Self::Buffers => "schedulers or an integer above 0".into(),
        }
    }

    /// The value for a message, as far as it may be shown.
    pub(crate) fn found(self, value: &Value) -> Cow<'static, str> {
        if let Self::SecretOrNull = self {
            return type_name(value).into();
        }
        match value {
            Value::Int(number) => number.to_string().into(),
            Value::Float(number) => format!("{:?}", number.get()).into(),
            Value::Bool(bool) => bool.to_string().into(),
            Value::Text(text) => {
                let mut quoted: String = text.chars().take(QUOTED_CHARACTERS).collect();
                if quoted.len() < text.len() {
                    quoted.push('…');
                }
                format!("{quoted:?}").into()
            }
            other => type_name(other).into(),
        }
    }
}

/// What kind of value it is.
pub(crate) const fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) => "integer",
        Value::Float(_) => "float",
        Value::Text(_) => "text",
        Value::Time(_) => "time",
        Value::List(_) => "list",
        Value::Map(_) => "map",
    }
}
