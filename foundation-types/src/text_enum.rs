//! Enumerations whose text form is a snake-case name: one definition gives the text, parsing and the serialised form.

/// A closed enumeration: `ALL`, `as_str`, `Display`, `FromStr` with an error of its own, `Serialize`, `Deserialize`.
macro_rules! text_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $type:ident {
            $($(#[$variant_meta:meta])* $variant:ident => $text:literal,)+
        }
        $(#[$error_meta:meta])*
        $error_vis:vis struct $error:ident($what:literal);
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $type {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $type {
            const TEXTS: &'static [&'static str] = &[$($text),+];

            /// Every value, in order.
            pub const ALL: [Self; Self::TEXTS.len()] = [$(Self::$variant),+];

            /// The text form.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $type {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    unknown => Err($error(unknown.into())),
                }
            }
        }

        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as ::serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }

        $(#[$error_meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $error_vis struct $error($crate::Text);

        impl $error {
            /// The text that is none of the known ones.
            pub fn text(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Display for $error {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, concat!("unknown ", $what, " {:?}, expected one of {}"), self.text(), $type::TEXTS.join(", "))
            }
        }

        impl ::std::error::Error for $error {}
    };
}
pub(crate) use text_enum;

/// An enumeration with named values and any other name: parsing never yields the open value for the text of a named one.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $type:ident {
            $($(#[$variant_meta:meta])* $variant:ident => $text:literal,)+
        }
        $(#[$open_meta:meta])*
        $open:ident($(#[$other_meta:meta])* $other:ident)
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        $vis enum $type {
            $($(#[$variant_meta])* $variant,)+
            $(#[$open_meta])*
            $open($other),
        }

        impl $type {
            /// The named values, in order.
            pub const NAMED: &'static [Self] = &[$(Self::$variant),+];

            /// The value of this text: a named one, or one of the caller's own.
            ///
            /// # Errors
            /// As [`Name::new`](crate::Name::new).
            pub fn new(text: impl AsRef<str>) -> Result<Self, $crate::NameError> {
                $crate::Name::new(text).map(Self::from)
            }

            /// The text form.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::$open(other) => other.as_str(),
                }
            }

            /// The text form as a name.
            pub fn to_name(&self) -> $crate::Name {
                match self {
                    $(Self::$variant => const { $crate::Name::from_static($text) },)+
                    Self::$open(other) => other.0.clone(),
                }
            }
        }

        impl From<$crate::Name> for $type {
            fn from(name: $crate::Name) -> Self {
                match name.as_str() {
                    $($text => Self::$variant,)+
                    _ => Self::$open($other(name)),
                }
            }
        }

        impl From<$other> for $type {
            fn from(other: $other) -> Self {
                Self::$open(other)
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
                f.pad(self.as_str())
            }
        }

        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$crate::Name as ::serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }

        $(#[$other_meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $other($crate::Name);

        impl $other {
            /// Checks the text and wraps it.
            ///
            /// # Errors
            /// As [`Name::new`](crate::Name::new), and [`NameError::Reserved`](crate::NameError::Reserved) for the text of
            /// a named value.
            pub fn new(text: impl AsRef<str>) -> Result<Self, $crate::NameError> {
                Self::try_from($crate::Name::new(text)?)
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

        impl TryFrom<$crate::Name> for $other {
            type Error = $crate::NameError;

            fn try_from(name: $crate::Name) -> Result<Self, $crate::NameError> {
                match name.as_str() {
                    $($text)|+ => Err($crate::NameError::Reserved),
                    _ => Ok(Self(name)),
                }
            }
        }

        impl ::std::fmt::Display for $other {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl ::std::borrow::Borrow<str> for $other {
            fn borrow(&self) -> &str {
                self.0.as_str()
            }
        }

        impl ::serde::Serialize for $other {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                ::serde::Serialize::serialize(&self.0, serializer)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $other {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = <$crate::Name as ::serde::Deserialize>::deserialize(deserializer)?;
                Self::try_from(name).map_err(::serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use open_enum;
