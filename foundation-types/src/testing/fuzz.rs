//! Entry points for fuzzers: any bytes go in, and a broken rule is a panic.
//!
//! They are plain functions, so that a property test can drive them on any toolchain and a coverage-guided fuzzer where
//! there is one.

use crate::{EventName, Metadata, Name, Namespace, Timestamp, Value, bridge};

/// Reads the bytes as the JSON form of a value and of metadata. What is read must read back to an equal value from
/// JSON text and over the bridge.
///
/// # Panics
/// If it does not.
pub fn json(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(value) = Value::from_json_str(&text) {
        assert_eq!(Value::from_json_str(&value.to_json_string()).as_ref(), Ok(&value));
        assert_eq!(Value::from_json(&value.to_json()).as_ref(), Ok(&value));
        assert_eq!(bridge::to_value(&value).as_ref(), Ok(&value));
        assert_eq!(bridge::from_value::<Value>(&value).as_ref(), Ok(&value));
        if let Ok(metadata) = Metadata::from_json_str(&text) {
            assert_eq!(Value::Map(metadata), value);
        }
    }
}

/// Reads the bytes as each of the texts that have a syntax: names, namespaces, event names and timestamps. What is read
/// must be the text it came from, and of a timestamp the instant it stands for.
///
/// # Panics
/// If it is not.
pub fn texts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(name) = Name::new(&text) {
        assert_eq!(name.as_str(), text);
    }
    if let Ok(namespace) = text.parse::<Namespace>() {
        assert_eq!(namespace.to_string(), text);
    }
    if let Ok(event) = text.parse::<EventName>() {
        assert_eq!(EventName::from_segments(event.segments()).as_ref(), Ok(&event));
        assert_eq!(event.as_str(), text);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        assert_eq!(time.to_string().parse(), Ok(time));
    }
}
