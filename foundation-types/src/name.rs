//! Validated names: the text every id in the workspace is made of.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

/// The longest name, in bytes of UTF-8.
pub const MAX_NAME_LEN: usize = 255;

/// A short, validated text: 1 to [`MAX_NAME_LEN`] bytes of UTF-8 without control characters.
///
/// Names compare, order and hash by their bytes, case-sensitively. Nothing is interned, so memory does not grow with the
/// number of distinct names ever seen. Cloning never copies more than 24 bytes: names of up to 23 bytes live inline,
/// longer ones share one allocation.
///
/// ```
/// use foundation_types::Name;
///
/// const CONFIG: Name = Name::from_static("config_server");
/// assert_eq!(CONFIG, Name::new("config_server")?);
/// assert!(Name::new("").is_err());
/// # Ok::<(), foundation_types::NameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(SmolStr);

impl Name {
    /// Checks `text` and makes it a name. O(length).
    ///
    /// # Errors
    /// [`NameError::Empty`], [`NameError::TooLong`] or [`NameError::Control`], tested in this order.
    pub fn new(text: impl AsRef<str>) -> Result<Self, NameError> {
        let text = text.as_ref();
        check(text)?;
        Ok(Self(SmolStr::new(text)))
    }

    /// The name of a static text, checked at compile time in const position.
    ///
    /// # Panics
    /// If the text is not a valid name; in a `const` that is a compile error. ASCII and C1 control characters are
    /// refused alike.
    pub const fn from_static(text: &'static str) -> Self {
        assert!(!text.is_empty(), "name is empty");
        assert!(text.len() <= MAX_NAME_LEN, "name is longer than 255 bytes");
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            // C1 controls are U+0080..=U+009F, encoded as C2 80..=C2 9F.
            let c1 = byte == 0xC2 && bytes[at + 1] < 0xA0;
            assert!(byte >= 0x20 && byte != 0x7F && !c1, "name has a control character");
            at += 1;
        }
        Self(SmolStr::new_static(text))
    }

    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_smol(self) -> SmolStr {
        self.0
    }
}

fn check(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > MAX_NAME_LEN {
        return Err(NameError::TooLong { len: text.len() });
    }
    match text.char_indices().find(|(_, c)| c.is_control()) {
        Some((at, _)) => Err(NameError::Control { at }),
        None => Ok(()),
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl TryFrom<&str> for Name {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(text).map_err(serde::de::Error::custom)
    }
}

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    #[error("name is empty")]
    Empty,
    /// The text is longer than [`MAX_NAME_LEN`] bytes.
    #[error("name is {len} bytes, limit {MAX_NAME_LEN}")]
    TooLong {
        /// Length of the text in bytes.
        len: usize,
    },
    /// The text holds a control character (Unicode category Cc).
    #[error("control character at byte {at}")]
    Control {
        /// Byte offset of the first control character.
        at: usize,
    },
    /// The text starts with a prefix that belongs to another kind of name, such as `test:`.
    #[error("reserved prefix")]
    Reserved,
    /// The text form of a test namespace is not `test:` followed by 32 lower-case hexadecimal digits.
    #[error("malformed test namespace")]
    MalformedTestRef,
}

/// Wraps [`Name`] in a type of its own: same rules, same text form, not interchangeable.
macro_rules! name_newtype {
    ($(#[$meta:meta])* $vis:vis struct $type:ident;) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(transparent)]
        $vis struct $type($crate::Name);

        impl $type {
            /// Checks the text and wraps it.
            ///
            /// # Errors
            /// As [`Name::new`](crate::Name::new).
            pub fn new(text: impl AsRef<str>) -> Result<Self, $crate::NameError> {
                $crate::Name::new(text).map(Self)
            }

            /// Wraps a static text, checked at compile time in const position.
            ///
            /// # Panics
            /// If the text is not a valid name; in a `const` that is a compile error.
            pub const fn from_static(text: &'static str) -> Self {
                Self($crate::Name::from_static(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The name inside.
            pub const fn as_name(&self) -> &$crate::Name {
                &self.0
            }
        }

        impl From<$crate::Name> for $type {
            fn from(name: $crate::Name) -> Self {
                Self(name)
            }
        }

        impl From<$type> for $crate::Name {
            fn from(wrapped: $type) -> Self {
                wrapped.0
            }
        }

        impl ::std::str::FromStr for $type {
            type Err = $crate::NameError;

            fn from_str(text: &str) -> Result<Self, $crate::NameError> {
                Self::new(text)
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl ::std::fmt::Debug for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Debug::fmt(&self.0, f)
            }
        }

        impl ::std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                self.0.as_str()
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.0.as_str()
            }
        }
    };
}
pub(crate) use name_newtype;
