//! From any serde type to [`Value`] and back, without a detour through text.
//!
//! Structs and maps become maps, sequences and tuples lists, enums take serde's external form (`"Unit"`,
//! `{"Variant": ...}`), `None` and `()` become [`Value::Null`]. A [`Timestamp`](crate::Timestamp) becomes
//! [`Value::Time`], and a [`Value`] or [`Metadata`](crate::Metadata) inside a type stays as it is; other types see a
//! timestamp as RFC 3339 text. Map keys may be anything with a natural text: texts, whole numbers, booleans, unit
//! variants.
//!
//! Types that buffer what they read, which in serde are untagged and internally tagged enums and fields beside a
//! flattened one, see timestamps as text, also where they hold a [`Value`].
//!
//! ```
//! use foundation_types::{Metadata, Value, bridge};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Pool {
//!     size: u8,
//! }
//!
//! assert_eq!(bridge::to_value(&Pool { size: 5 })?, Value::from(Metadata::new().with("size", 5)));
//!
//! let error = bridge::from_value::<Vec<Pool>>(&vec![Metadata::new().with("size", 300)].into()).err().expect("too big");
//! assert_eq!(error.to_string(), "[0].size: expected u8, found integer `300`");
//! # Ok::<(), bridge::BridgeError>(())
//! ```

mod de;
mod error;
mod key;
mod ser;

use serde::{Deserialize, Deserializer, Serialize};

pub use self::error::{BridgeError, BridgeErrorKind, PathSegment};
use super::Value;

// The names by which the types of this crate make themselves known to the bridge. Formats ignore the names of newtypes,
// or treat them as they treat any other.

/// A newtype around the text of a timestamp.
pub(crate) const TIMESTAMP: &str = "$foundation_types::Timestamp";
/// A newtype around the JSON form of a value or of metadata.
pub(super) const VALUE: &str = "$foundation_types::Value";
/// The struct that is the JSON form of a timestamp.
pub(super) const TIME_OBJECT: &str = "$foundation_types::TimeObject";
/// A newtype around a key with one more `$` than it has in the value.
pub(super) const ESCAPED_KEY: &str = "$foundation_types::EscapedKey";

/// The value that `source` serialises to.
///
/// # Errors
/// [`BridgeError`] with the path of the first part that no [`Value`] can hold: an integer beyond 64 bits with sign, a
/// float that is not finite, a map key without a text, nesting deeper than [`MAX_VALUE_DEPTH`](crate::MAX_VALUE_DEPTH),
/// or an error of the type's own.
pub fn to_value<T: Serialize + ?Sized>(source: &T) -> Result<Value, BridgeError> {
    source.serialize(ser::ValueSerializer::root())
}

/// The `T` that `value` holds; it may borrow texts from it.
///
/// # Errors
/// [`BridgeError`] with the path of the first part that does not fit.
pub fn from_value<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T, BridgeError> {
    T::deserialize(de::ValueDeserializer::root(value))
}

/// What [`from_value`] reads from, for code that wraps it, to note which keys are ignored for instance.
pub fn deserializer(value: &Value) -> impl Deserializer<'_, Error = BridgeError> {
    de::ValueDeserializer::root(value)
}
