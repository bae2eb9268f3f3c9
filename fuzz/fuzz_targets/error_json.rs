//! Any JSON is refused or read as an error whose own JSON form is read back equal.

#![no_main]

use foundation_types::Error;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(json) = serde_json::from_slice(data) else { return };
    let Ok(error) = Error::from_json(&json) else { return };
    assert_eq!(Error::from_json(&error.to_json()).as_ref(), Ok(&error));
});
