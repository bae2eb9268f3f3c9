//! Any text is refused or read as a path whose text form is read back equal.

#![no_main]

use foundation_config::testing::fuzz;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::path(data));
