//! Writing values.

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use super::TIME_KEY;
use crate::value::{Metadata, Value, bridge};

impl Serialize for Value {
    /// Writes the JSON form.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(bool) => serializer.serialize_bool(*bool),
            Self::Int(int) => serializer.serialize_i64(*int),
            Self::Float(float) => serializer.serialize_f64(float.get()),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Time(time) => {
                let mut object = serializer.serialize_struct(bridge::TIME_OBJECT, 1)?;
                object.serialize_field(TIME_KEY, time)?;
                object.end()
            }
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(map) => map.serialize(serializer),
        }
    }
}

impl Serialize for Metadata {
    /// Writes the JSON form.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self {
            if key.starts_with('$') {
                map.serialize_entry(&EscapedKey(key), value)?;
            } else {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }
}

struct EscapedKey<'a>(&'a str);

impl Serialize for EscapedKey<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(bridge::ESCAPED_KEY, &format_args!("${}", self.0))
    }
}

/// A value as people read it.
pub(super) struct Plain<'a>(pub(super) &'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Time(time) => time.serialize(serializer),
            Value::List(items) => serializer.collect_seq(items.iter().map(Plain)),
            Value::Map(map) => PlainMap(map).serialize(serializer),
            scalar => scalar.serialize(serializer),
        }
    }
}

/// A map as people read it.
pub(super) struct PlainMap<'a>(pub(super) &'a Metadata);

impl Serialize for PlainMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, Plain(value))))
    }
}
