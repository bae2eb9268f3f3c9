//! Reading values: one decoder for every format, bounded in depth.

use std::cell::Cell;
use std::fmt;

use serde::Deserializer;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::{MAX_VALUE_DEPTH, TIME_KEY, ValueDecodeError};
use crate::value::{FiniteF64, Metadata, Text, Value, bridge};
use crate::{Timestamp, TimestampError};

/// The key under which `serde_json` hands over a number when its feature `arbitrary_precision` is on, which any crate in
/// the build may switch on for all others.
const NUMBER_KEY: &str = "$serde_json::private::Number";

/// What a reader learns on its way that the error type of a format cannot carry.
#[derive(Default)]
pub(super) struct Outcome {
    cause: Cell<Option<ValueDecodeError>>,
    /// A float was read that a whole number out of range could have been rounded to.
    suspect: Cell<bool>,
}

impl Outcome {
    /// Runs a reader and names what went wrong.
    pub(super) fn settle<T, E: fmt::Display>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, ValueDecodeError> {
        read(self).map_err(|error| {
            self.cause.take().unwrap_or_else(|| ValueDecodeError::Malformed { message: error.to_string() })
        })
    }

    fn refuse<E: de::Error>(&self, cause: ValueDecodeError) -> E {
        let error = E::custom(&cause);
        self.cause.set(Some(cause));
        error
    }
}

/// Reads JSON text to its end.
pub(super) fn from_str<'t, T>(
    text: &'t str,
    read: impl FnOnce(&Outcome, &mut TextReader<'t>) -> serde_json::Result<T>,
) -> Result<T, ValueDecodeError> {
    let outcome = Outcome::default();
    let value = outcome.settle(|outcome| {
        let mut reader = serde_json::Deserializer::from_str(text);
        // The seeds below bound the depth, one level further than the limit of the reader.
        reader.disable_recursion_limit();
        let value = read(outcome, &mut reader)?;
        reader.end()?;
        Ok::<_, serde_json::Error>(value)
    })?;
    if outcome.suspect.get() && has_integer_out_of_range(text) {
        return Err(ValueDecodeError::IntegerOutOfRange);
    }
    Ok(value)
}

pub(super) type TextReader<'t> = serde_json::Deserializer<serde_json::de::StrRead<'t>>;

/// Whether valid JSON text has an integer literal that does not fit in 64 bits.
fn has_integer_out_of_range(json: &str) -> bool {
    let mut rest = json;
    while let Some(start) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        rest = &rest[start..];
        if let Some(string) = rest.strip_prefix('"') {
            rest = after_string(string);
            continue;
        }
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let (literal, after) = rest.split_at(end);
        if is_integer(literal) && literal.parse::<i64>().is_err() {
            return true;
        }
        rest = after;
    }
    false
}

/// What follows a JSON string whose opening quote is consumed.
fn after_string(mut rest: &str) -> &str {
    while let Some(at) = rest.find(['"', '\\']) {
        if rest.as_bytes()[at] == b'"' {
            return &rest[at + 1..];
        }
        // The character after a backslash is ASCII in valid JSON.
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    ""
}

fn is_integer(literal: &str) -> bool {
    !literal.contains(['.', 'e', 'E'])
}

/// Reads a value inside `depth` lists and maps.
#[derive(Clone, Copy)]
pub(super) struct ValueSeed<'o> {
    depth: usize,
    outcome: &'o Outcome,
}

impl<'o> ValueSeed<'o> {
    pub(super) const fn root(outcome: &'o Outcome) -> Self {
        Self { depth: 0, outcome }
    }

    /// The seed of what a list or map at this place holds.
    fn descend<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_VALUE_DEPTH {
            return Err(self.outcome.refuse(ValueDecodeError::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn integer<E: de::Error>(self, integer: Result<i64, std::num::TryFromIntError>) -> Result<Value, E> {
        integer.map(Value::Int).map_err(|_| self.outcome.refuse(ValueDecodeError::IntegerOutOfRange))
    }

    fn literal<E: de::Error>(self, literal: &str) -> Result<Value, E> {
        if is_integer(literal) {
            let integer = literal.parse().map(Value::Int);
            return integer.map_err(|_| self.outcome.refuse(ValueDecodeError::IntegerOutOfRange));
        }
        self.visit_f64(literal.parse().map_err(E::custom)?)
    }

    /// Reads the rest of a map whose first key is consumed.
    fn entries<'de, A: MapAccess<'de>>(self, first: Key, mut access: A) -> Result<Metadata, A::Error> {
        let inner = self.descend()?;
        let mut map = Metadata::new();
        let mut next = Some(first);
        while let Some(key) = next {
            let key = match key {
                Key::Plain(key) => key,
                Key::Reserved(key) => return Err(self.outcome.refuse(ValueDecodeError::ReservedKey { key })),
            };
            if map.contains_key(&key) {
                return Err(self.outcome.refuse(ValueDecodeError::DuplicateKey { key: key.as_str().to_owned() }));
            }
            map.insert(key, access.next_value_seed(inner)?);
            next = access.next_key_seed(KeySeed)?;
        }
        Ok(map)
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        // Transparent in formats; the name asks the bridge for the JSON form.
        deserializer.deserialize_newtype_struct(bridge::VALUE, self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Value, E> {
        Ok(Value::Bool(bool))
    }

    fn visit_i64<E>(self, int: i64) -> Result<Value, E> {
        Ok(Value::Int(int))
    }

    fn visit_u64<E: de::Error>(self, int: u64) -> Result<Value, E> {
        self.integer(int.try_into())
    }

    fn visit_i128<E: de::Error>(self, int: i128) -> Result<Value, E> {
        self.integer(int.try_into())
    }

    fn visit_u128<E: de::Error>(self, int: u128) -> Result<Value, E> {
        self.integer(int.try_into())
    }

    fn visit_f64<E: de::Error>(self, float: f64) -> Result<Value, E> {
        // A JSON integer that fits no 64-bit type arrives rounded to a float, which then is 2^63 in size or more.
        if float.abs() >= 9.2e18 {
            self.outcome.suspect.set(true);
        }
        FiniteF64::new(float).map(Value::Float).map_err(|_| self.outcome.refuse(ValueDecodeError::NotFinite))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.descend()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let Some(first) = access.next_key_seed(KeySeed)? else {
            return self.descend().map(|_| Value::Map(Metadata::new()));
        };
        match first {
            Key::Reserved(key) if key == TIME_KEY => {
                let time = access.next_value_seed(TimeSeed(self.outcome))?;
                match access.next_key_seed(KeySeed)? {
                    None => Ok(Value::Time(time)),
                    Some(_) => Err(self.outcome.refuse(ValueDecodeError::ReservedKey { key })),
                }
            }
            Key::Reserved(key) if key == NUMBER_KEY => self.literal(&access.next_value::<String>()?),
            first => self.entries(first, access).map(Value::Map),
        }
    }
}

/// Reads a map inside `depth` lists and maps.
pub(super) struct MetadataSeed<'o>(ValueSeed<'o>);

impl<'o> MetadataSeed<'o> {
    pub(super) const fn root(outcome: &'o Outcome) -> Self {
        Self(ValueSeed::root(outcome))
    }
}

impl<'de> DeserializeSeed<'de> for MetadataSeed<'_> {
    type Value = Metadata;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Metadata, D::Error> {
        deserializer.deserialize_newtype_struct(bridge::VALUE, self)
    }
}

impl<'de> Visitor<'de> for MetadataSeed<'_> {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Metadata, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Metadata, A::Error> {
        match access.next_key_seed(KeySeed)? {
            Some(first) => self.0.entries(first, access),
            None => Ok(Metadata::new()),
        }
    }
}

enum Key {
    /// A key, unescaped.
    Plain(Text),
    /// A key that starts with a single `$`.
    Reserved(String),
}

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        Ok(match key.strip_prefix('$') {
            Some(escaped) if escaped.starts_with('$') => Key::Plain(escaped.into()),
            Some(_) => Key::Reserved(key.to_owned()),
            None => Key::Plain(key.into()),
        })
    }
}

/// Reads the text of a timestamp.
struct TimeSeed<'o>(&'o Outcome);

impl<'de> DeserializeSeed<'de> for TimeSeed<'_> {
    type Value = Timestamp;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Timestamp, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for TimeSeed<'_> {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of a time under $time")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
        text.parse().map_err(|error: TimestampError| self.0.refuse(ValueDecodeError::MalformedTime(error)))
    }
}
