//! Namespaces: the first half of every registry key.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::{Name, NameError};

const PRODUCTION: &str = "production";
const TEST_PREFIX: &str = "test:";

/// Keeps the names of independent parts of a program, or of independent tests, apart.
///
/// The text form is total and injective: `production`, `test:` followed by 32 lower-case hexadecimal digits, or any other
/// valid name.
///
/// ```
/// use foundation_types::Namespace;
///
/// let here = Namespace::test();
/// assert_ne!(here, Namespace::test());
/// assert_eq!(here, here.to_string().parse()?);
/// assert_eq!(Namespace::custom("production")?, Namespace::Production);
/// # Ok::<(), foundation_types::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Namespace {
    /// The namespace of the running system.
    #[default]
    Production,
    /// A namespace of one test run, never equal to another one.
    Test(TestRef),
    /// A namespace named by the user; make one with [`Namespace::custom`].
    Custom(CustomNamespace),
}

impl Namespace {
    /// A fresh test namespace, different from every other one ever made.
    pub fn test() -> Self {
        Self::Test(TestRef::new())
    }

    /// A namespace named by the caller; `production` gives [`Namespace::Production`].
    ///
    /// # Errors
    /// [`NameError`] if the text is not a name, [`NameError::Reserved`] if it starts with `test:`.
    pub fn custom(text: impl AsRef<str>) -> Result<Self, NameError> {
        let text = text.as_ref();
        if text == PRODUCTION {
            return Ok(Self::Production);
        }
        let name = Name::new(text)?;
        if text.starts_with(TEST_PREFIX) {
            return Err(NameError::Reserved);
        }
        Ok(Self::Custom(CustomNamespace(name)))
    }
}

impl FromStr for Namespace {
    type Err = NameError;

    /// Reads the text form.
    ///
    /// # Errors
    /// [`NameError::MalformedTestRef`] if the text starts with `test:` and goes on with anything but 32 lower-case
    /// hexadecimal digits; otherwise as [`Namespace::custom`].
    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.strip_prefix(TEST_PREFIX) {
            Some(digits) => digits.parse().map(Self::Test),
            None => Self::custom(text),
        }
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Production => f.pad(PRODUCTION),
            Self::Test(test) => write!(f, "{TEST_PREFIX}{test}"),
            Self::Custom(name) => fmt::Display::fmt(name, f),
        }
    }
}

impl Serialize for Namespace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Namespace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The name of a custom namespace: never `production`, never with the prefix `test:`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomNamespace(Name);

impl CustomNamespace {
    /// The name.
    pub const fn as_name(&self) -> &Name {
        &self.0
    }
}

impl fmt::Display for CustomNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// 128 random bits that tell one test namespace from every other.
///
/// The text form is 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TestRef([u64; 2]);

impl TestRef {
    /// A fresh reference: 122 random bits from the operating system, as a version 4 UUID.
    #[expect(clippy::new_without_default, reason = "every call gives another value, which a default must not")]
    pub fn new() -> Self {
        Self::from_bits(Uuid::new_v4().as_u128())
    }
}

impl TestRef {
    /// Two halves, the high one first: a `u128` would make every namespace a third larger for its alignment.
    fn from_bits(bits: u128) -> Self {
        let (high, low) = Uuid::from_u128(bits).as_u64_pair();
        Self([high, low])
    }
}

impl FromStr for TestRef {
    type Err = NameError;

    fn from_str(digits: &str) -> Result<Self, NameError> {
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != 32 || !digits.bytes().all(lower_hex) {
            return Err(NameError::MalformedTestRef);
        }
        u128::from_str_radix(digits, 16).map(Self::from_bits).map_err(|_| NameError::MalformedTestRef)
    }
}

impl fmt::Display for TestRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [high, low] = self.0;
        write!(f, "{high:016x}{low:016x}")
    }
}

impl fmt::Debug for TestRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
