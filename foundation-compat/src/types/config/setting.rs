//! Settings as values, and the types of sections, each field with its default.

use std::collections::BTreeMap;

use foundation_config::Secret;
use foundation_types::{FiniteF64, Metadata, Text, Value};

/// What can stand in a configuration.
pub(crate) trait Setting {
    /// The value in the tree; null in place of what no tree can hold, so that no rule accepts it.
    fn to_setting(&self) -> Value;
}

impl Setting for bool {
    fn to_setting(&self) -> Value {
        Value::from(*self)
    }
}

impl Setting for u64 {
    fn to_setting(&self) -> Value {
        i64::try_from(*self).map_or(Value::Null, Value::from)
    }
}

impl Setting for f64 {
    fn to_setting(&self) -> Value {
        FiniteF64::new(*self).map_or(Value::Null, Value::from)
    }
}

impl Setting for String {
    fn to_setting(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl Setting for Metadata {
    fn to_setting(&self) -> Value {
        Value::Map(self.clone())
    }
}

impl<S: Setting> Setting for BTreeMap<Text, S> {
    fn to_setting(&self) -> Value {
        self.iter().map(|(key, setting)| (key.clone(), setting.to_setting())).collect::<Metadata>().into()
    }
}

/// Trees hold secrets as they are: what shows them withholds them by their paths.
impl Setting for Option<Secret<String>> {
    fn to_setting(&self) -> Value {
        self.as_ref().map(|secret| secret.expose().as_str()).into()
    }
}

/// A struct of settings: documentation, type and default of each. Decoding takes the default of what is missing.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* pub $field:ident: $of:ty = $default:expr,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, serde::Deserialize)]
        #[serde(default)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $of,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $crate::types::config::setting::Setting for $name {
            fn to_setting(&self) -> foundation_types::Value {
                foundation_types::Metadata::new()
                    $(.with(stringify!($field), $crate::types::config::setting::Setting::to_setting(&self.$field)))+
                    .into()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::types::config::setting::Setting::to_setting(self).serialize(serializer)
            }
        }
    };
}

/// A setting that is one of a few words.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$word_meta:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$word_meta])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// The words, in the order of the variants.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::types::config::setting::Setting for $name {
            fn to_setting(&self) -> foundation_types::Value {
                self.as_str().into()
            }
        }
    };
}

pub(super) use {settings, words};
