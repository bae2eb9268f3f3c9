//! Names and measurements of telemetry events.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

use crate::{Metadata, Text, Value};

/// The most segments of an event name.
pub const MAX_EVENT_SEGMENTS: usize = 16;
/// The longest segment of an event name, in bytes.
pub const MAX_SEGMENT_LEN: usize = 64;

/// The dotted name of a telemetry event, such as `foundation.process_registry.registered`.
///
/// It has 1 to [`MAX_EVENT_SEGMENTS`] segments of 1 to [`MAX_SEGMENT_LEN`] bytes out of `A-Z a-z 0-9 _ - ? !`. Names are
/// case-sensitive; cloning is O(1); nothing is interned.
///
/// ```
/// use foundation_types::{EventName, event_name};
///
/// const STARTED: EventName = event_name!("my_app.service.started");
/// assert_eq!(STARTED.segments().last(), Some("started"));
/// assert!("a..b".parse::<EventName>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventName(SmolStr);

impl EventName {
    /// Checks a dotted name.
    ///
    /// # Errors
    /// [`InvalidEventName`] if it breaks a rule of the type.
    pub fn new(dotted: impl AsRef<str>) -> Result<Self, InvalidEventName> {
        let dotted = dotted.as_ref();
        if is_valid(dotted) { Ok(Self(SmolStr::new(dotted))) } else { Err(InvalidEventName) }
    }

    /// The name of a static dotted text, checked at compile time in const position; see
    /// [`event_name!`](crate::event_name).
    ///
    /// # Panics
    /// If the text is not a valid event name; in a `const` that is a compile error.
    pub const fn from_static(dotted: &'static str) -> Self {
        assert!(is_valid(dotted), "not a valid event name");
        Self(SmolStr::new_static(dotted))
    }

    /// Joins segments with dots and checks the result.
    ///
    /// # Errors
    /// [`InvalidEventName`] if a segment is invalid, or there are none or too many.
    pub fn from_segments<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> Result<Self, InvalidEventName> {
        let mut dotted = String::new();
        for (index, segment) in segments.into_iter().enumerate() {
            let segment = segment.as_ref();
            if index >= MAX_EVENT_SEGMENTS || segment.contains('.') {
                return Err(InvalidEventName);
            }
            if index > 0 {
                dotted.push('.');
            }
            dotted.push_str(segment);
        }
        Self::new(dotted)
    }

    /// The dotted form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments in order; at least one.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }
}

const fn is_valid(dotted: &str) -> bool {
    let bytes = dotted.as_bytes();
    let (mut at, mut segments, mut len) = (0, 1, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'.' => {
                if len == 0 {
                    return false;
                }
                segments += 1;
                len = 0;
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'?' | b'!' => len += 1,
            _ => return false,
        }
        if len > MAX_SEGMENT_LEN {
            return false;
        }
        at += 1;
    }
    len > 0 && segments <= MAX_EVENT_SEGMENTS
}

/// An [`EventName`] checked at compile time.
///
/// ```compile_fail
/// foundation_types::event_name!("not a name");
/// ```
#[macro_export]
macro_rules! event_name {
    ($dotted:expr) => {
        const { $crate::EventName::from_static($dotted) }
    };
}

impl FromStr for EventName {
    type Err = InvalidEventName;

    fn from_str(dotted: &str) -> Result<Self, InvalidEventName> {
        Self::new(dotted)
    }
}

impl TryFrom<&str> for EventName {
    type Error = InvalidEventName;

    fn try_from(dotted: &str) -> Result<Self, InvalidEventName> {
        Self::new(dotted)
    }
}

impl AsRef<str> for EventName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for EventName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The text is not an event name; the rules stand at [`EventName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an event name: 1 to 16 segments of 1 to 64 letters, digits, '_', '-', '?' or '!', joined by dots")]
pub struct InvalidEventName;

/// What an event measured: values by name, numbers as a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Measurements(Metadata);

impl Measurements {
    /// No measurements.
    pub const fn new() -> Self {
        Self(Metadata::new())
    }

    /// `{count: 1}`: what an event measures that just happened.
    pub fn one() -> Self {
        Self::new().with("count", 1)
    }

    /// These measurements with `key` set to `value`.
    #[must_use]
    pub fn with(self, key: impl Into<Text>, value: impl Into<Value>) -> Self {
        Self(self.0.with(key, value))
    }
}

impl Deref for Measurements {
    type Target = Metadata;

    fn deref(&self) -> &Metadata {
        &self.0
    }
}

impl DerefMut for Measurements {
    fn deref_mut(&mut self) -> &mut Metadata {
        &mut self.0
    }
}

impl From<Metadata> for Measurements {
    fn from(values: Metadata) -> Self {
        Self(values)
    }
}
