//! The JSON form of values, and the rendering for people.

mod decode;
mod encode;
mod length;

use std::fmt;

use serde::de::DeserializeSeed;
use serde::{Deserialize, Deserializer};

use self::decode::{MetadataSeed, Outcome, ValueSeed};
use self::encode::{Plain, PlainMap};
use super::{MAX_VALUE_DEPTH, Metadata, Value};
use crate::TimestampError;

/// The key of the object that stands for a timestamp.
pub(super) const TIME_KEY: &str = "$time";

impl Value {
    /// The JSON form, which [`Value::from_json`] reads back to an equal value.
    ///
    /// ```
    /// use foundation_types::{Metadata, Timestamp, Value};
    ///
    /// let value = Value::from(Metadata::new().with("at", Timestamp::UNIX_EPOCH).with("$cost", 1));
    /// assert_eq!(value.to_json_string(), r#"{"$$cost":1,"at":{"$time":"1970-01-01T00:00:00Z"}}"#);
    /// assert_eq!(Value::from_json_str(&value.to_json_string()), Ok(value));
    /// ```
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("keys are text and floats are finite")
    }

    /// Reads the JSON form.
    ///
    /// A [`serde_json::Value`] holds an integer literal beyond 64 bits as a float, and the last of two values of one key:
    /// only [`Value::from_json_str`] can detect these.
    ///
    /// # Errors
    /// [`ValueDecodeError`] if it is not the JSON form of a value. However deep the input nests, reading it takes bounded
    /// stack.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, ValueDecodeError> {
        Outcome::default().settle(|outcome| ValueSeed::root(outcome).deserialize(json))
    }

    /// The JSON form as compact text.
    pub fn to_json_string(&self) -> String {
        serde_json::to_string(self).expect("keys are text and floats are finite")
    }

    /// Reads the JSON form from text.
    ///
    /// Unlike the general readers of `serde_json` this one refuses integers that do not fit in 64 bits instead of rounding
    /// them, and accepts the full [`MAX_VALUE_DEPTH`] (theirs stop at 127).
    ///
    /// # Errors
    /// [`ValueDecodeError`] if the text is not the JSON form of a value. No text, however long or deep, takes more than
    /// bounded stack.
    pub fn from_json_str(text: &str) -> Result<Self, ValueDecodeError> {
        decode::from_str(text, |outcome, reader| ValueSeed::root(outcome).deserialize(reader))
    }

    /// The rendering for people: natural JSON, with timestamps as text and keys as they are. It cannot be read back in
    /// general.
    ///
    /// ```
    /// use foundation_types::{Timestamp, Value};
    ///
    /// assert_eq!(Value::from(Timestamp::UNIX_EPOCH).plain(), "1970-01-01T00:00:00Z");
    /// ```
    pub fn plain(&self) -> serde_json::Value {
        serde_json::to_value(Plain(self)).expect("keys are text and floats are finite")
    }
}

impl fmt::Display for Value {
    /// The rendering for people, as compact JSON text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&Plain(self)).map_err(|_| fmt::Error)?)
    }
}

impl Metadata {
    /// The JSON form, as [`Value::to_json`].
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("keys are text and floats are finite")
    }

    /// Reads the JSON form, as [`Value::from_json`].
    ///
    /// # Errors
    /// As [`Value::from_json`]; also if it is not an object, or the one that stands for a timestamp.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, ValueDecodeError> {
        Outcome::default().settle(|outcome| MetadataSeed::root(outcome).deserialize(json))
    }

    /// The JSON form as compact text.
    pub fn to_json_string(&self) -> String {
        serde_json::to_string(self).expect("keys are text and floats are finite")
    }

    /// Reads the JSON form from text, as [`Value::from_json_str`].
    ///
    /// # Errors
    /// As [`Value::from_json_str`]; also if it is not an object, or the one that stands for a timestamp.
    pub fn from_json_str(text: &str) -> Result<Self, ValueDecodeError> {
        decode::from_str(text, |outcome, reader| MetadataSeed::root(outcome).deserialize(reader))
    }

    /// The rendering for people, as [`Value::plain`].
    pub fn plain(&self) -> serde_json::Value {
        serde_json::to_value(PlainMap(self)).expect("keys are text and floats are finite")
    }
}

impl fmt::Display for Metadata {
    /// The rendering for people, as compact JSON text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&PlainMap(self)).map_err(|_| fmt::Error)?)
    }
}

impl<'de> Deserialize<'de> for Value {
    /// Reads the JSON form from any self-describing format.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueSeed::root(&Outcome::default()).deserialize(deserializer)
    }
}

impl<'de> Deserialize<'de> for Metadata {
    /// Reads the JSON form from any self-describing format.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        MetadataSeed::root(&Outcome::default()).deserialize(deserializer)
    }
}

/// Why something is not the JSON form of a [`Value`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueDecodeError {
    /// The text is not JSON, or something stands where something else must.
    #[error("{message}")]
    Malformed {
        /// What is wrong, with line and column where the input is text.
        message: String,
    },
    /// A whole number is outside -2^63 to 2^63 - 1.
    #[error("integer does not fit in 64 bits")]
    IntegerOutOfRange,
    /// A float is NaN or infinite; JSON has no such numbers, other formats do.
    #[error("float is not finite")]
    NotFinite,
    /// Lists and maps nest deeper than [`MAX_VALUE_DEPTH`].
    #[error("nested deeper than {MAX_VALUE_DEPTH}")]
    TooDeep,
    /// The object `{"$time": ...}` holds no valid time.
    #[error("{TIME_KEY}: {0}")]
    MalformedTime(#[source] TimestampError),
    /// A key starts with a single `$` and is not that of a timestamp.
    #[error("key {key:?} is reserved; a key that starts with '$' is written with one more '$'")]
    ReservedKey {
        /// The key as it stands in the input.
        key: String,
    },
    /// A map has the same key twice.
    #[error("key {key:?} appears twice")]
    DuplicateKey {
        /// The key, unescaped.
        key: String,
    },
}
