//! Keys of maps: anything with a natural text on the way in, and back from that text.

use std::borrow::Cow;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{Deserializer, EnumAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde::ser::{Impossible, Serialize, Serializer};

use super::{BridgeError, BridgeErrorKind};
use crate::value::Text;

/// Serialises the key of a map.
pub(super) struct KeySerializer;

fn refuse<T>(found: &'static str) -> Result<T, BridgeError> {
    Err(BridgeError::new(BridgeErrorKind::KeyNotText { found }))
}

macro_rules! keys_by_display {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method(self, key: $type) -> Result<Text, BridgeError> {
            Ok(key.to_string().into())
        })*
    };
}

impl Serializer for KeySerializer {
    type Ok = Text;
    type Error = BridgeError;
    type SerializeSeq = Impossible<Text, BridgeError>;
    type SerializeTuple = Impossible<Text, BridgeError>;
    type SerializeTupleStruct = Impossible<Text, BridgeError>;
    type SerializeTupleVariant = Impossible<Text, BridgeError>;
    type SerializeMap = Impossible<Text, BridgeError>;
    type SerializeStruct = Impossible<Text, BridgeError>;
    type SerializeStructVariant = Impossible<Text, BridgeError>;

    keys_by_display! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_char: char,
    }

    fn serialize_f32(self, _key: f32) -> Result<Text, BridgeError> {
        refuse("a float")
    }

    fn serialize_f64(self, _key: f64) -> Result<Text, BridgeError> {
        refuse("a float")
    }

    fn serialize_str(self, key: &str) -> Result<Text, BridgeError> {
        Ok(key.into())
    }

    fn serialize_bytes(self, _key: &[u8]) -> Result<Text, BridgeError> {
        refuse("bytes")
    }

    fn serialize_none(self) -> Result<Text, BridgeError> {
        refuse("nothing")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, key: &T) -> Result<Text, BridgeError> {
        key.serialize(self)
    }

    fn serialize_unit(self) -> Result<Text, BridgeError> {
        refuse("nothing")
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Text, BridgeError> {
        refuse("nothing")
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Text, BridgeError> {
        Ok(Text::from_static(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, key: &T) -> Result<Text, BridgeError> {
        let key = key.serialize(self)?;
        match key.strip_prefix('$') {
            Some(unescaped) if name == super::ESCAPED_KEY => Ok(unescaped.into()),
            _ => Ok(key),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _content: &T,
    ) -> Result<Text, BridgeError> {
        refuse("a variant with content")
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Self::SerializeSeq, BridgeError> {
        refuse("a list")
    }

    fn serialize_tuple(self, _len: usize) -> Result<Self::SerializeTuple, BridgeError> {
        refuse("a list")
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleStruct, BridgeError> {
        refuse("a list")
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, BridgeError> {
        refuse("a variant with content")
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Self::SerializeMap, BridgeError> {
        refuse("a map")
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Self::SerializeStruct, BridgeError> {
        refuse("a map")
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, BridgeError> {
        refuse("a variant with content")
    }
}

/// Deserialises the key of a map.
pub(super) struct KeyDeserializer<'de>(pub(super) Cow<'de, str>);

macro_rules! keys_by_parsing {
    ($($method:ident => $visit:ident,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BridgeError> {
            match self.0.parse() {
                Ok(key) => visitor.$visit(key),
                Err(_) => self.deserialize_any(visitor),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for KeyDeserializer<'de> {
    type Error = BridgeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BridgeError> {
        match self.0 {
            Cow::Borrowed(key) => visitor.visit_borrowed_str(key),
            Cow::Owned(key) => visitor.visit_string(key),
        }
    }

    keys_by_parsing! {
        deserialize_bool => visit_bool,
        deserialize_i8 => visit_i64,
        deserialize_i16 => visit_i64,
        deserialize_i32 => visit_i64,
        deserialize_i64 => visit_i64,
        deserialize_i128 => visit_i128,
        deserialize_u8 => visit_i64,
        deserialize_u16 => visit_i64,
        deserialize_u32 => visit_i64,
        deserialize_u64 => visit_u64,
        deserialize_u128 => visit_u128,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BridgeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, BridgeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, BridgeError> {
        match &self.0 {
            Cow::Borrowed(key) => visitor.visit_enum(BorrowedStrDeserializer::new(key)),
            Cow::Owned(key) => visitor.visit_enum(StrDeserializer::new(key)),
        }
    }

    forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The variant of an enum that is a bare text.
pub(super) fn bare_variant(variant: &str) -> impl EnumAccess<'_, Error = BridgeError> {
    BorrowedStrDeserializer::new(variant)
}
