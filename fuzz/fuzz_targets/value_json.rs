//! Any text is refused or read as a value whose JSON form is read back equal, as text and as a tree.

#![no_main]

use foundation_types::Value;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(value) = Value::from_json_str(text) else { return };
    assert_eq!(Value::from_json_str(&value.to_json_string()).as_ref(), Ok(&value));
    assert_eq!(Value::from_json(&value.to_json()).as_ref(), Ok(&value));
});
