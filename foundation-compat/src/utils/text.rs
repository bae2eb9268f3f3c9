//! Text for people.

use std::time::Duration;

use foundation_types::format;

/// The text on one line: every run of ASCII white space is one space, and the ends have no white space, of any script.
pub fn sanitize_string(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.trim().chars() {
        // The vertical tab, which Rust does not count, is white space in the original.
        let is_space = character.is_ascii_whitespace() || character == '\u{b}';
        if !is_space {
            line.push(character);
        } else if !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line
}

/// A number of bytes in B, KB, MB or GB of powers of 1024, with one decimal from KB on: `1.1 KB`.
pub fn format_bytes(bytes: u64) -> String {
    format::bytes(bytes)
}

/// A duration in ns, μs, ms or s, with one decimal from μs on: `1.5μs`.
pub fn format_duration(duration: Duration) -> String {
    format::duration(duration)
}
