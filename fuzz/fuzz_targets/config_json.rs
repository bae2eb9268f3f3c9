//! Any text is refused or read as settings in JSON, each with its place in the text.

#![no_main]

use foundation_config::testing::fuzz;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::json(data));
