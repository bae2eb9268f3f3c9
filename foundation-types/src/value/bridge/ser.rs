//! From serde types to values.

use serde::ser::{self, Serialize, Serializer};

use super::key::KeySerializer;
use super::{BridgeError, BridgeErrorKind};
use crate::value::json::TIME_KEY;
use crate::value::{FiniteF64, MAX_VALUE_DEPTH, Metadata, Text, Value};

/// Serialises into a value that stands inside `depth` lists and maps.
#[derive(Clone, Copy)]
pub(super) struct ValueSerializer {
    depth: usize,
}

impl ValueSerializer {
    pub(super) const fn root() -> Self {
        Self { depth: 0 }
    }

    /// The serializer of what a list or map at this place holds.
    fn descend(self) -> Result<Self, BridgeError> {
        if self.depth == MAX_VALUE_DEPTH {
            return Err(BridgeError::new(BridgeErrorKind::TooDeep));
        }
        Ok(Self { depth: self.depth + 1 })
    }

    fn list(self, len: Option<usize>) -> Result<ListSerializer, BridgeError> {
        // The length is a hint of foreign code: trust it only as far as it is cheap.
        let items = Vec::with_capacity(len.unwrap_or(0).min(1024));
        Ok(ListSerializer { inner: self.descend()?, items })
    }

    fn map(self) -> Result<MapSerializer, BridgeError> {
        Ok(MapSerializer { inner: self.descend()?, map: Metadata::new(), key: Text::default() })
    }
}

fn integer<N: TryInto<i64> + ToString + Copy>(number: N) -> Result<Value, BridgeError> {
    number.try_into().map(Value::Int).map_err(|_| {
        BridgeError::new(BridgeErrorKind::OutOfRange {
            expected: "an integer of 64 bits with sign".to_owned(),
            found: format!("integer `{}`", number.to_string()),
        })
    })
}

fn variant_of(variant: &'static str, content: Value) -> Value {
    Value::Map(Metadata::new().with(Text::from_static(variant), content))
}

impl Serializer for ValueSerializer {
    type Ok = Value;
    type Error = BridgeError;
    type SerializeSeq = ListSerializer;
    type SerializeTuple = ListSerializer;
    type SerializeTupleStruct = ListSerializer;
    type SerializeTupleVariant = VariantSerializer<ListSerializer>;
    type SerializeMap = MapSerializer;
    type SerializeStruct = StructSerializer;
    type SerializeStructVariant = VariantSerializer<MapSerializer>;

    fn serialize_bool(self, bool: bool) -> Result<Value, BridgeError> {
        Ok(Value::Bool(bool))
    }

    fn serialize_i8(self, int: i8) -> Result<Value, BridgeError> {
        Ok(Value::Int(int.into()))
    }

    fn serialize_i16(self, int: i16) -> Result<Value, BridgeError> {
        Ok(Value::Int(int.into()))
    }

    fn serialize_i32(self, int: i32) -> Result<Value, BridgeError> {
        Ok(Value::Int(int.into()))
    }

    fn serialize_i64(self, int: i64) -> Result<Value, BridgeError> {
        Ok(Value::Int(int))
    }

    fn serialize_i128(self, int: i128) -> Result<Value, BridgeError> {
        integer(int)
    }

    fn serialize_u8(self, int: u8) -> Result<Value, BridgeError> {
        Ok(Value::Int(int.into()))
    }

    fn serialize_u16(self, int: u16) -> Result<Value, BridgeError> {
        Ok(Value::Int(int.into()))
    }

    fn serialize_u32(self, int: u32) -> Result<Value, BridgeError> {
        Ok(Value::Int(int.into()))
    }

    fn serialize_u64(self, int: u64) -> Result<Value, BridgeError> {
        integer(int)
    }

    fn serialize_u128(self, int: u128) -> Result<Value, BridgeError> {
        integer(int)
    }

    fn serialize_f32(self, float: f32) -> Result<Value, BridgeError> {
        self.serialize_f64(float.into())
    }

    fn serialize_f64(self, float: f64) -> Result<Value, BridgeError> {
        FiniteF64::new(float).map(Value::Float).map_err(|_| BridgeError::new(BridgeErrorKind::NotFinite))
    }

    fn serialize_char(self, char: char) -> Result<Value, BridgeError> {
        self.serialize_str(char.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<Value, BridgeError> {
        Ok(Value::Text(text.into()))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Value, BridgeError> {
        self.descend()?;
        Ok(bytes.to_vec().into())
    }

    fn serialize_none(self) -> Result<Value, BridgeError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, content: &T) -> Result<Value, BridgeError> {
        content.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, BridgeError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, BridgeError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Value, BridgeError> {
        Ok(Value::Text(Text::from_static(variant)))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        content: &T,
    ) -> Result<Value, BridgeError> {
        let value = content.serialize(self)?;
        if name == super::TIMESTAMP
            && let Some(time) = value.as_str().and_then(|text| text.parse().ok())
        {
            return Ok(Value::Time(time));
        }
        Ok(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        content: &T,
    ) -> Result<Value, BridgeError> {
        let content = content.serialize(self.descend()?);
        Ok(variant_of(variant, content.map_err(|error| error.under_key(Text::from_static(variant)))?))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<ListSerializer, BridgeError> {
        self.list(len)
    }

    fn serialize_tuple(self, len: usize) -> Result<ListSerializer, BridgeError> {
        self.list(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<ListSerializer, BridgeError> {
        self.list(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<VariantSerializer<ListSerializer>, BridgeError> {
        Ok(VariantSerializer { variant, content: self.descend()?.list(Some(len))? })
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<MapSerializer, BridgeError> {
        self.map()
    }

    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<StructSerializer, BridgeError> {
        if name == super::TIME_OBJECT {
            return Ok(StructSerializer::Time { content: self, time: Value::Null });
        }
        self.map().map(StructSerializer::Fields)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<VariantSerializer<MapSerializer>, BridgeError> {
        Ok(VariantSerializer { variant, content: self.descend()?.map()? })
    }
}

/// Collects the items of a list.
pub(super) struct ListSerializer {
    inner: ValueSerializer,
    items: Vec<Value>,
}

impl ListSerializer {
    fn push<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), BridgeError> {
        let index = self.items.len();
        self.items.push(item.serialize(self.inner).map_err(|error| error.under_index(index))?);
        Ok(())
    }
}

impl ser::SerializeSeq for ListSerializer {
    type Ok = Value;
    type Error = BridgeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), BridgeError> {
        self.push(item)
    }

    fn end(self) -> Result<Value, BridgeError> {
        Ok(Value::List(self.items))
    }
}

impl ser::SerializeTuple for ListSerializer {
    type Ok = Value;
    type Error = BridgeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), BridgeError> {
        self.push(item)
    }

    fn end(self) -> Result<Value, BridgeError> {
        Ok(Value::List(self.items))
    }
}

impl ser::SerializeTupleStruct for ListSerializer {
    type Ok = Value;
    type Error = BridgeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), BridgeError> {
        self.push(item)
    }

    fn end(self) -> Result<Value, BridgeError> {
        Ok(Value::List(self.items))
    }
}

/// Collects the entries of a map, or the fields of a struct.
pub(super) struct MapSerializer {
    inner: ValueSerializer,
    map: Metadata,
    /// The key whose value comes next.
    key: Text,
}

impl MapSerializer {
    fn insert<T: Serialize + ?Sized>(&mut self, key: Text, value: &T) -> Result<(), BridgeError> {
        let value = value.serialize(self.inner).map_err(|error| error.under_key(key.clone()))?;
        self.map.insert(key, value);
        Ok(())
    }
}

impl ser::SerializeMap for MapSerializer {
    type Ok = Value;
    type Error = BridgeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), BridgeError> {
        self.key = key.serialize(KeySerializer)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), BridgeError> {
        let key = std::mem::take(&mut self.key);
        self.insert(key, value)
    }

    fn end(self) -> Result<Value, BridgeError> {
        Ok(Value::Map(self.map))
    }
}

/// Collects the fields of a struct, which may be the one that stands for a timestamp.
pub(super) enum StructSerializer {
    Fields(MapSerializer),
    Time { content: ValueSerializer, time: Value },
}

impl ser::SerializeStruct for StructSerializer {
    type Ok = Value;
    type Error = BridgeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, field: &'static str, value: &T) -> Result<(), BridgeError> {
        match self {
            Self::Fields(fields) => fields.insert(Text::from_static(field), value),
            Self::Time { content, time } => {
                debug_assert_eq!(field, TIME_KEY, "the only field of the object");
                *time = value.serialize(*content)?;
                Ok(())
            }
        }
    }

    fn end(self) -> Result<Value, BridgeError> {
        Ok(match self {
            Self::Fields(fields) => Value::Map(fields.map),
            Self::Time { time, .. } => time,
        })
    }
}

/// Collects the content of a variant.
pub(super) struct VariantSerializer<C> {
    variant: &'static str,
    content: C,
}

impl ser::SerializeTupleVariant for VariantSerializer<ListSerializer> {
    type Ok = Value;
    type Error = BridgeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), BridgeError> {
        self.content.push(item).map_err(|error| error.under_key(Text::from_static(self.variant)))
    }

    fn end(self) -> Result<Value, BridgeError> {
        Ok(variant_of(self.variant, Value::List(self.content.items)))
    }
}

impl ser::SerializeStructVariant for VariantSerializer<MapSerializer> {
    type Ok = Value;
    type Error = BridgeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, field: &'static str, value: &T) -> Result<(), BridgeError> {
        let inserted = self.content.insert(Text::from_static(field), value);
        inserted.map_err(|error| error.under_key(Text::from_static(self.variant)))
    }

    fn end(self) -> Result<Value, BridgeError> {
        Ok(variant_of(self.variant, Value::Map(self.content.map)))
    }
}
