//! From values to serde types.

use std::borrow::Cow;
use std::collections::btree_map;
use std::iter;
use std::slice;

use serde::de::value::MapDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected, VariantAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::key::{KeyDeserializer, bare_variant};
use super::{BridgeError, BridgeErrorKind};
use crate::value::json::TIME_KEY;
use crate::value::{MAX_VALUE_DEPTH, Metadata, Text, Value};

/// How a value shows itself to the type that reads it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Timestamps as text, keys as they are: for all types but those of this crate.
    Natural,
    /// The JSON form, which tells timestamps from texts.
    Json,
}

/// Deserialises from a value that stands inside `depth` lists and maps.
#[derive(Clone, Copy)]
pub(super) struct ValueDeserializer<'de> {
    value: &'de Value,
    depth: usize,
    form: Form,
}

impl<'de> ValueDeserializer<'de> {
    pub(super) const fn root(value: &'de Value) -> Self {
        Self { value, depth: 0, form: Form::Natural }
    }

    /// The depth of what a list or map at this place holds.
    fn inner_depth(self) -> Result<usize, BridgeError> {
        if self.depth == MAX_VALUE_DEPTH {
            return Err(BridgeError::new(BridgeErrorKind::TooDeep));
        }
        Ok(self.depth + 1)
    }

    fn visit_list<V: Visitor<'de>>(self, items: &'de [Value], visitor: V) -> Result<V::Value, BridgeError> {
        let mut access = Items { items: items.iter().enumerate(), depth: self.inner_depth()? };
        let read = visitor.visit_seq(&mut access)?;
        if access.items.len() > 0 {
            return Err(BridgeError::invalid_length(items.len(), &"fewer entries"));
        }
        Ok(read)
    }

    fn visit_map<V: Visitor<'de>>(self, map: &'de Metadata, visitor: V) -> Result<V::Value, BridgeError> {
        let mut access = Entries { rest: map.iter(), current: None, depth: self.inner_depth()?, form: self.form };
        let read = visitor.visit_map(&mut access)?;
        if access.rest.len() > 0 {
            return Err(BridgeError::invalid_length(map.len(), &"fewer entries"));
        }
        Ok(read)
    }
}

fn describe(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Other("null"),
        Value::Bool(bool) => Unexpected::Bool(*bool),
        Value::Int(int) => Unexpected::Signed(*int),
        Value::Float(float) => Unexpected::Float(float.get()),
        Value::Text(text) => Unexpected::Str(text),
        Value::Time(_) => Unexpected::Other("a timestamp"),
        Value::List(_) => Unexpected::Seq,
        Value::Map(_) => Unexpected::Map,
    }
}

impl<'de> Deserializer<'de> for ValueDeserializer<'de> {
    type Error = BridgeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BridgeError> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(bool) => visitor.visit_bool(*bool),
            Value::Int(int) => visitor.visit_i64(*int),
            Value::Float(float) => visitor.visit_f64(float.get()),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Time(time) if self.form == Form::Json => {
                visitor.visit_map(MapDeserializer::new(iter::once((TIME_KEY, time.to_string()))))
            }
            Value::Time(time) => visitor.visit_string(time.to_string()),
            Value::List(items) => self.visit_list(items, visitor),
            Value::Map(map) => self.visit_map(map, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BridgeError> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, BridgeError> {
        let form = if name == super::VALUE { Form::Json } else { Form::Natural };
        visitor.visit_newtype_struct(Self { form, ..self })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, BridgeError> {
        match self.value {
            Value::Text(variant) => visitor.visit_enum(bare_variant(variant)),
            Value::Map(map) if map.len() == 1 => {
                let depth = self.inner_depth()?;
                let (variant, content) = map.iter().next().expect("the map has one entry");
                visitor.visit_enum(Variant { variant, content: Self { value: content, depth, form: Form::Natural } })
            }
            other => Err(BridgeError::invalid_type(describe(other), &"a variant name, or a map with that one key")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BridgeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier
    }
}

/// The items of a list that are still to be read.
struct Items<'de> {
    items: iter::Enumerate<slice::Iter<'de, Value>>,
    depth: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = BridgeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, BridgeError> {
        let Some((index, value)) = self.items.next() else { return Ok(None) };
        let item = seed.deserialize(ValueDeserializer { value, depth: self.depth, form: Form::Natural });
        item.map(Some).map_err(|error| error.under_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The entries of a map that are still to be read.
struct Entries<'de> {
    rest: btree_map::Iter<'de, Text, Value>,
    /// The entry whose key is read and whose value is not.
    current: Option<(&'de Text, &'de Value)>,
    depth: usize,
    form: Form,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = BridgeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, BridgeError> {
        self.current = self.rest.next();
        let Some((key, _)) = self.current else { return Ok(None) };
        let shown = if self.form == Form::Json && key.starts_with('$') {
            Cow::Owned(format!("${key}"))
        } else {
            Cow::Borrowed(key.as_str())
        };
        seed.deserialize(KeyDeserializer(shown)).map(Some).map_err(|error| error.under_key(key.clone()))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, BridgeError> {
        let (key, value) =
            self.current.take().ok_or_else(|| BridgeError::custom("a value was asked for before its key"))?;
        let value = seed.deserialize(ValueDeserializer { value, depth: self.depth, form: Form::Natural });
        value.map_err(|error| error.under_key(key.clone()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A variant of an enum that has content.
struct Variant<'de> {
    variant: &'de Text,
    content: ValueDeserializer<'de>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = BridgeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), BridgeError> {
        let variant = seed.deserialize(KeyDeserializer(Cow::Borrowed(self.variant)))?;
        Ok((variant, self))
    }
}

impl<'de> Variant<'de> {
    /// Reads the content and names the variant in the path of what goes wrong.
    fn read<T>(self, read: impl FnOnce(ValueDeserializer<'de>) -> Result<T, BridgeError>) -> Result<T, BridgeError> {
        read(self.content).map_err(|error| error.under_key(self.variant.clone()))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = BridgeError;

    fn unit_variant(self) -> Result<(), BridgeError> {
        self.read(de::Deserialize::deserialize)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, BridgeError> {
        self.read(|content| seed.deserialize(content))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, BridgeError> {
        self.read(|content| content.deserialize_any(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, BridgeError> {
        self.read(|content| content.deserialize_any(visitor))
    }
}
