//! The entry points for fuzzers, driven by property tests.

#![cfg(feature = "test-util")]

use foundation_config::testing::fuzz;
use proptest::prelude::*;
use proptest::sample::select;

/// Texts of pieces that mean something, with some that do not.
fn pieces(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let any = prop::collection::vec(any::<u8>(), 0..4);
    let piece = prop_oneof![20 => select(pieces).prop_map(|piece| piece.as_bytes().to_vec()), 1 => any];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn paths(text in pieces(&["a", "b1", ".", "..", "\"", "\\", "\\\"", "\\u{41}", "\\u{", "}", " ", "\u{e9}", "\n", "\0"])) {
        fuzz::path(&text);
    }

    #[cfg(feature = "toml")]
    #[test]
    fn toml(text in pieces(&[
        "a", "b", ".", " = ", "=", "\n", "[", "]", "[[", "]]", "[a]\n", "[a.b]\n", "[[a]]\n", "{", "}", ",", "1", "-", "1.5", "e9", "inf",
        "nan", "true", "false", "\"", "'", "\"\"\"", "'''", "\\", "\\u00e9", "#", "0x1f", "1979-05-27T07:32:00Z", "1979-05-27", "07:32:00",
        "a = 1\n", "a = {", "a = [", "\"$env\"", "\"$time\"", "default", "include", "\u{feff}", "\u{e9}", "\t", "\r\n", "_",
    ])) {
        fuzz::toml(&text);
    }

    #[cfg(feature = "yaml")]
    #[test]
    fn yaml(text in pieces(&[
        "a", "b", ": ", ":", "- ", "-", "\n", "\n  ", "\n    ", "[", "]", "{", "}", ",", ", ", "? ", "!", "!!str ", "&a ", "*a", "<<", "|", ">",
        "|-\n", "---", "...", "---\n", "%YAML 1.2\n", "#", " #", "'", "\"", "\\", "\\x41", "~", "null", "true", "1", "1.5", ".inf", "0x1f",
        "$env", "$time", "default", "include", "\u{feff}", "\u{e9}", "\t", "\r\n", "\u{85}", "\u{2028}", "a: 1\n", "b:\n  ",
    ])) {
        fuzz::yaml(&text);
    }

    #[cfg(feature = "json")]
    #[test]
    fn json(text in pieces(&[
        "{", "}", "[", "]", ":", ",", "\"", "\"a\"", "\"b\"", "\"a\":", "\"b\":", "{\"a\":", "{\"b\":[", "1", "-", "0", "1.5", "e9", "true", "false",
        "null", " ", "\n", "\\", "\\u00e9", "\\ud83d\\ude00", "\\ud800", "\"$env\":\"X\"", "\"default\":", "\"$time\":",
        "\"1970-01-01T00:00:00Z\"", "\"$$x\":", "\"include\":[", "\u{feff}", "\u{e9}", "\t", "\r\n", "//", "/*", "'", "\u{b}", "\u{a0}",
    ])) {
        fuzz::json(&text);
    }
}
