//! Any text is refused or read as a namespace whose text form is that very text.

#![no_main]

use foundation_types::Namespace;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(namespace) = text.parse::<Namespace>() else { return };
    assert_eq!(namespace.to_string(), text);
    assert_eq!(namespace.to_string().parse().as_ref(), Ok(&namespace));
});
