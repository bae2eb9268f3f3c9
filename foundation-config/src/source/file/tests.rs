//! What all formats have in common, and what each reads and refuses.

use super::*;
use crate::source::Origin;

fn variables() -> Variables {
    [("PORT", "8080"), ("NAME", "x"), ("BIG", "99999999999999999999")].into_iter().collect()
}

fn read(format: Format, text: &str) -> Result<Document, SourceError> {
    format.read("f", text.as_bytes(), &variables())
}

fn assert_reads(format: Format, text: &str, json: &str) {
    let document = read(format, text).unwrap_or_else(|error| panic!("{format} {text:?}: {error}"));
    assert_eq!(document.to_value().to_string(), json, "{format} {text:?}");
}

fn assert_refused(format: Format, cases: &[(&str, &str)]) {
    for (text, message) in cases {
        match read(format, text) {
            Ok(document) => panic!("{format} {text:?} reads as {}", document.to_value()),
            Err(error) => assert_eq!(error.to_string(), format!("f:{message}"), "{format} {text:?}"),
        }
    }
}

fn assert_origins(format: Format, text: &str, expected: &[(&str, &str)]) {
    let document = read(format, text).unwrap_or_else(|error| panic!("{format} {text:?}: {error}"));
    let found: Vec<_> = document.origins().map(|(path, origin)| (path.to_string(), origin.to_string())).collect();
    let mut expected: Vec<_> = expected.iter().map(|(path, at)| (path.to_string(), format!("f:{at}"))).collect();
    expected.insert(0, (String::new(), "f".to_owned()));
    assert_eq!(found, expected, "{format}");
}

/// A text in each format of a map that nests so deep, with a list innermost.
fn nested(format: Format, depth: usize) -> String {
    match format {
        #[cfg(feature = "toml")]
        Format::Toml => format!("{}a = []\n", "a.".repeat(depth - 1)),
        #[cfg(feature = "yaml")]
        Format::Yaml => format!("{}[]{}", "{a: ".repeat(depth), "}".repeat(depth)),
        #[cfg(feature = "json")]
        Format::Json => format!("{}[]{}", r#"{"a":"#.repeat(depth), "}".repeat(depth)),
    }
}

/// A text in each format of a list of so many integers under one key.
fn long(format: Format, items: usize) -> String {
    let items = vec!["1"; items].join(",");
    match format {
        #[cfg(feature = "toml")]
        Format::Toml => format!("a = [{items}]"),
        #[cfg(feature = "yaml")]
        Format::Yaml => format!("a: [{items}]"),
        #[cfg(feature = "json")]
        Format::Json => format!(r#"{{"a":[{items}]}}"#),
    }
}

/// A text in each format of a comment or white space of so many bytes, and nothing else that counts.
fn padded(format: Format, bytes: usize) -> String {
    let text = match format {
        #[cfg(feature = "toml")]
        Format::Toml => "a = 1\n",
        #[cfg(feature = "yaml")]
        Format::Yaml => "a: 1\n",
        #[cfg(feature = "json")]
        Format::Json => "{\"a\": 1}\n",
    };
    format!("{text}{}", "\n".repeat(bytes - text.len()))
}

fn formats() -> Vec<Format> {
    vec![
        #[cfg(feature = "toml")]
        Format::Toml,
        #[cfg(feature = "yaml")]
        Format::Yaml,
        #[cfg(feature = "json")]
        Format::Json,
    ]
}

#[test]
fn depth_is_limited_at_its_exact_bound() {
    for format in formats() {
        assert!(read(format, &nested(format, MAX_FILE_DEPTH)).is_ok(), "{format}");
        let error = read(format, &nested(format, MAX_FILE_DEPTH + 1)).expect_err("too deep");
        assert!(matches!(error, SourceError::TooDeep { max: MAX_FILE_DEPTH, .. }), "{format}: {error}");
        assert!(error.to_string().ends_with(": nested deeper than 50"), "{format}: {error}");
    }
}

#[test]
fn the_number_of_values_is_limited_at_its_exact_bound() {
    // The map at the top and the list are two.
    for format in formats() {
        assert!(read(format, &long(format, MAX_FILE_VALUES - 2)).is_ok(), "{format}");
        let error = read(format, &long(format, MAX_FILE_VALUES - 1)).expect_err("too many");
        assert!(error.to_string().ends_with(": more than 100000 values"), "{format}: {error}");
    }
}

#[test]
fn the_length_is_limited_at_its_exact_bound() {
    for format in formats() {
        assert!(read(format, &padded(format, MAX_FILE_BYTES)).is_ok(), "{format}");
        let error = read(format, &padded(format, MAX_FILE_BYTES + 1)).expect_err("too long");
        assert_eq!(error.to_string(), "f: longer than 1048576 bytes", "{format}");
    }
}

#[test]
fn a_text_that_only_opens_is_refused_soon_at_any_length() {
    for format in formats() {
        for opening in ["[", "{", "- ", "? ", "a = [", "{\"a\":", "[a.", "a.", "\"", "&a ", "a: "] {
            let text = opening.repeat(MAX_FILE_BYTES / opening.len());
            assert!(read(format, &text).is_err(), "{format} {opening:?}");
        }
    }
}

#[test]
fn a_byte_order_mark_counts_nothing() {
    for format in formats() {
        let text = format!("\u{feff}{}", padded(format, 20));
        let document = read(format, &text).expect("valid");
        assert_eq!(document, read(format, &text[3..]).expect("valid"), "{format}");
    }
}

#[test]
fn what_is_not_utf_8_is_refused_at_its_first_byte() {
    for format in formats() {
        let mut text = "é\nü".to_owned().into_bytes();
        text.push(0xff);
        let error = format.read("f", &text, &variables()).expect_err("not UTF-8");
        assert_eq!(error.to_string(), "f:2:2: not UTF-8", "{format}");
        let utf_16 = [0xff, 0xfe, b'a', 0];
        assert_eq!(format.read("f", &utf_16, &variables()).expect_err("not UTF-8").to_string(), "f:1:1: not UTF-8");
    }
}

#[test]
fn formats_go_by_extension_in_any_case() {
    for format in formats() {
        let extension = format.to_string().to_lowercase();
        assert_eq!(Format::of(format!("a/b.x.{extension}")), Some(format));
        assert_eq!(Format::of(format!("b.{format}")), Some(format));
    }
    for other in ["a", "a.txt", ".json", "a.json.bak", ""] {
        assert_eq!(Format::of(other), None, "{other}");
    }
}

#[cfg(feature = "toml")]
mod toml {
    use super::*;
    use crate::path::Path;

    #[test]
    fn every_value_knows_where_it_stands() {
        let text = "a = 1\n[b.c]\nd = [1, {x=2}]\n[[e]]\nf=1\n[[e]]\nf=2\n[g]\nh.\"é\".j = \"é\"\nk = {l = true}\n";
        let expected = [
            ("a", "1:5"),
            ("b", "2:2"),
            ("b.c", "2:4"),
            ("b.c.d", "3:5"),
            ("e", "4:1"),
            ("g", "8:2"),
            ("g.h", "9:1"),
            ("g.h.é", "9:3"),
            ("g.h.é.j", "9:11"),
            ("g.k", "10:1"),
            ("g.k.l", "10:10"),
        ];
        let mut expected = expected.to_vec();
        expected.sort_by_key(|(path, _)| path.parse::<Path>().expect("a path"));
        assert_origins(Format::Toml, text, &expected);
    }

    #[test]
    fn all_kinds_of_values_are_read() {
        assert_reads(Format::Toml, "", "{}");
        assert_reads(
            Format::Toml,
            "a = 0x1F\nb = 1_000\nc = 1e3\nd = 'x'\ne = 1979-05-27T07:32:00.1234567-07:00\nf = [true, [], {}]\ng = \"\"\"\n5\"\"\"",
            r#"{"a":31,"b":1000,"c":1000.0,"d":"x","e":"1979-05-27T14:32:00.123456Z","f":[true,[],{}],"g":"5"}"#,
        );
        assert_reads(Format::Toml, "a = -9223372036854775808", r#"{"a":-9223372036854775808}"#);
    }

    #[test]
    fn what_no_setting_can_be_is_refused() {
        let time = "expected a time with an offset such as `Z`, or a text in quotes, found one without";
        assert_refused(
            Format::Toml,
            &[
                ("a.b = 1\na.b = 2", "2:3: duplicate key"),
                ("[a]\nb=1\n[a]", "3:2: duplicate key"),
                ("a.b = 1\na.b.c = 2", "2:3: cannot extend value of type integer with a dotted key"),
                ("a = 99999999999999999999", "1:5: a: expected an integer from -2^63 to 2^63 - 1, found one beyond"),
                ("a = 0x8000000000000000", "1:5: a: expected an integer from -2^63 to 2^63 - 1, found one beyond"),
                ("a.b = -inf", "1:7: a.b: expected a finite number, found one that is not"),
                ("a = nan", "1:5: a: expected a finite number, found one that is not"),
                ("a = 1e999", "1:5: a: expected a finite number, found one that is not"),
                ("a = [1, nan]", "1:9: a: expected a finite number, found one that is not"),
                ("a = 1979-05-27", &format!("1:5: a: {time}")),
                ("a = 07:32:00", &format!("1:5: a: {time}")),
                ("x.a = 1979-05-27T07:32:00", &format!("1:7: x.a: {time}")),
                ("a = 1979-05-27T99:32:00Z", "1:5: invalid time, expected hour between 00 and 23"),
                ("a = \"hunter2", "1:13: invalid basic string, expected `\"`"),
                ("a = hunter2", "1:5: string values must be quoted, expected literal string"),
                ("hunter2", "1:8: key with no value, expected `=`"),
            ],
        );
    }
}

#[cfg(feature = "yaml")]
mod yaml {
    use foundation_types::Value;

    use super::*;

    #[test]
    fn every_value_knows_where_it_stands() {
        let text = "a: 1\nb:\n  c:\n    - x\n    - {y: 2}\n  z: \n  é: ü\n\"q\": {r: [1]}\n";
        let expected =
            [("a", "1:4"), ("b", "3:3"), ("b.c", "4:5"), ("b.z", "6:5"), ("b.é", "7:6"), ("q", "8:6"), ("q.r", "8:10")];
        let document = read(Format::Yaml, text).expect("valid");
        let null = document.origin(&"b.z".parse().expect("a path")).expect("known");
        assert_eq!((null.line().map(u32::from), document.tree().get_path(["b", "z"])), (Some(6), Some(&Value::Null)));
        let text = text.replace("  z: \n", "  z: ~\n");
        let mut expected = expected.to_vec();
        expected[3] = ("b.z", "6:6");
        assert_origins(Format::Yaml, &text, &expected);
    }

    #[test]
    fn the_scalars_are_those_of_the_core_schema() {
        assert_reads(Format::Yaml, "", "{}");
        assert_reads(Format::Yaml, "# nothing\n---\n", "{}");
        let cases = [
            ("null", "null"),
            ("~", "null"),
            ("NULL", "null"),
            ("True", "true"),
            ("FALSE", "false"),
            ("yes", r#""yes""#),
            ("no", r#""no""#),
            ("off", r#""off""#),
            ("'5'", r#""5""#),
            ("\"null\"", r#""null""#),
            ("+7", "7"),
            ("0777", "777"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("0b1", r#""0b1""#),
            ("0x", r#""0x""#),
            ("1_000", r#""1_000""#),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("-1.5e+3", "-1500.0"),
            ("1e", r#""1e""#),
            (".", r#"".""#),
            ("+", r#""+""#),
            ("1.2.3", r#""1.2.3""#),
            ("2001-12-14t21:59:43.10-05:00", r#""2001-12-14t21:59:43.10-05:00""#),
            ("|\n  x\n  y", r#""x\ny\n""#),
            ("-9223372036854775808", "-9223372036854775808"),
        ];
        for (text, json) in cases {
            assert_reads(Format::Yaml, &format!("a: {text}"), &format!(r#"{{"a":{json}}}"#));
        }
    }

    #[test]
    fn what_no_setting_can_be_is_refused() {
        assert_refused(
            Format::Yaml,
            &[
                ("a: 1\na: 2", "2:1: a: already set at f:1:1"),
                ("x:\n  a: 1\n  'a': 2", "3:3: x.a: already set at f:2:3"),
                ("b: *x", "1:4: b: expected a value, found an alias, which is not read; repeat the value"),
                ("a: &x 1\nb: *x", "1:7: a: expected a value, found an anchor, which is not read; remove it"),
                ("a: &x [*x]", "1:7: a: expected a value, found an anchor, which is not read; remove it"),
                ("a: !!str 1", "1:10: a: expected a value, found a tag, which is not read; remove it"),
                ("a: !x {}", "1:7: a: expected a value, found a tag, which is not read; remove it"),
                ("a: !x", "1:6: a: expected a value, found a tag, which is not read; remove it"),
                ("<<: {a: 1}", "1:1: expected a key, found a merge key, which is not read; repeat the values"),
                ("a:\n  1: 2", "2:3: a: expected a text as key, found an integer; put it in quotes"),
                ("true: 2", "1:1: expected a text as key, found a truth value; put it in quotes"),
                (": 2", "1:1: expected a text as key, found null; put it in quotes"),
                ("99999999999999999999: 2", "1:1: expected a text as key, found a number; put it in quotes"),
                ("? [a]\n: b", "1:3: expected a text as key, found a list"),
                ("? {a: b}\n: b", "1:3: expected a text as key, found a map"),
                ("a: 1\n---\nb: 2", "2:1: expected one document, found a second"),
                ("- a", "1:1: expected a map at the top, found a list"),
                ("x", "1:1: expected a map at the top, found a text"),
                ("a: .inf", "1:4: a: expected a finite number, found one that is not"),
                ("a: -.INF", "1:4: a: expected a finite number, found one that is not"),
                ("a: [.NaN]", "1:5: a: expected a finite number, found one that is not"),
                ("a: 1e999", "1:4: a: expected a finite number, found one that is not"),
                ("a: 99999999999999999999", "1:4: a: expected an integer from -2^63 to 2^63 - 1, found one beyond"),
                ("a: 0xffffffffffffffff", "1:4: a: expected an integer from -2^63 to 2^63 - 1, found one beyond"),
                ("a: [1", "1:4: unclosed bracket '['"),
                ("a: b: c", "1:5: mapping values are not allowed in this context"),
                ("a: 'hunter2", "1:4: unclosed quote"),
                ("a: \"\\hunter2\"", "1:4: while parsing a quoted scalar, found unknown escape character"),
            ],
        );
    }
}

#[cfg(feature = "json")]
mod json {
    use foundation_types::testing::strategies;
    use foundation_types::{Metadata, Value};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_value_knows_where_it_stands() {
        let text = "{\"a\": 1,\n \"b\": {\"é\": [1, {}], \"c\": \"ü\"},\n\"d\": {\"$env\": \"PORT\"}}";
        let expected = [("a", "1:7"), ("b", "2:7"), ("b.c", "2:27"), ("b.é", "2:13"), ("d", "3:6")];
        assert_origins(Format::Json, text, &expected);
    }

    #[test]
    fn a_reference_is_the_value_of_the_variable_or_its_default() {
        let cases = [
            (r#"{"a":{"$env":"PORT"}}"#, r#"{"a":8080}"#),
            (r#"{"a":{"$env":"PORT","default":1}}"#, r#"{"a":8080}"#),
            (r#"{"a":{"$env":"NAME","default":{"$env":"OTHER"}}}"#, r#"{"a":"x"}"#),
            (r#"{"a":{"$env":"OTHER","default":{"b":[1]}}}"#, r#"{"a":{"b":[1]}}"#),
            (r#"{"a":{"$env":"OTHER","default":null}}"#, r#"{"a":null}"#),
            (r#"{"a":{"$env":"OTHER","default":{"$env":"PORT"}}}"#, r#"{"a":8080}"#),
            (r#"{"a":[{"$env":"PORT"},{"default":1}]}"#, r#"{"a":[8080,{"default":1}]}"#),
        ];
        for (text, json) in cases {
            assert_reads(Format::Json, text, json);
        }
        let text = r#"{"a":{"$env":"OTHER","default":{"b":1}}}"#;
        assert_origins(Format::Json, text, &[("a", "1:32"), ("a.b", "1:37")]);
    }

    #[test]
    fn a_reference_that_leads_nowhere_or_is_malformed_is_refused() {
        assert_refused(
            Format::Json,
            &[
                (r#"{"a":{"b":{"$env":"OTHER"}}}"#, "1:11: a.b: environment variable OTHER is not set"),
                (
                    r#"{"a":{"$env":"OTHER","default":{"$env":"NEITHER"}}}"#,
                    "1:32: a: environment variable NEITHER is not set",
                ),
                (
                    r#"{"a":{"$env":"BIG"}}"#,
                    "1:14: a: environment variable BIG: expected an integer from -2^63 to 2^63 - 1, found one beyond",
                ),
                (r#"{"a":{"$env":7}}"#, "1:14: a: expected the name of a variable in `$env`, found an integer"),
                (
                    r#"{"a":{"$env":"PORT","fallback":1}}"#,
                    "1:21: a: expected nothing but `default` beside `$env`, found another key",
                ),
                (r#"{"a":{"$env":"PORT","$time":1}}"#, "1:7: a: expected one of `$env` and `$time`, found both"),
            ],
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_referenced_variable_that_is_not_utf_8_is_refused() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;

        let variables = [("X", OsStr::from_bytes(b"\xff"))].into_iter().collect();
        let error = Format::Json.read("f", br#"{"a":{"$env":"X"}}"#, &variables).expect_err("not UTF-8");
        assert_eq!(error.to_string(), "environment variable X: not UTF-8");
    }

    #[test]
    fn times_and_keys_with_a_dollar_are_escaped() {
        let document = read(Format::Json, r#"{"a":{"$time":"1970-01-01T01:00:00+01:00"},"$$b":1,"$$$c":2}"#);
        let expected = Metadata::new().with("a", foundation_types::Timestamp::UNIX_EPOCH).with("$b", 1).with("$$c", 2);
        assert_eq!(document.expect("valid").tree(), &expected);
        let reserved = "expected `$env`, `$time` or a key that begins with `$$` for `$`, found another with `$`";
        assert_refused(
            Format::Json,
            &[
                (
                    r#"{"a":{"$time":"hunter2"}}"#,
                    "1:15: a: expected an RFC 3339 time in `$time`, found another text: not an RFC 3339 time",
                ),
                (r#"{"a":{"$time":1}}"#, "1:15: a: expected an RFC 3339 time in `$time`, found an integer"),
                (
                    r#"{"a":{"$time":"1970-01-01T00:00:00Z","b":1}}"#,
                    "1:38: a: expected nothing beside `$time`, found another key",
                ),
                (r#"{"a":{"$b":1}}"#, &format!("1:7: a: {reserved}")),
                (r#"{"$b":1}"#, &format!("1:2: {reserved}")),
                (r#"{"a":[{"$":1}]}"#, &format!("1:8: {reserved}")),
            ],
        );
    }

    #[test]
    fn a_key_that_is_no_component_of_a_path_is_refused_where_there_are_paths() {
        let key = "k".repeat(256);
        assert_refused(
            Format::Json,
            &[(&format!(r#"{{"a":{{"{key}":1}}}}"#), "1:7: component 1 of the path is 256 bytes, limit 255")],
        );
        assert!(read(Format::Json, &format!(r#"{{"a":[{{"{key}":1}}]}}"#)).is_ok());
        assert!(read(Format::Json, &format!(r#"{{"$${}":1}}"#, &key[..254])).is_ok());
    }

    #[test]
    fn a_text_that_is_no_file_includes_nothing() {
        assert_refused(
            Format::Json,
            &[(r#"{"include":["a"]}"#, "1:13: expected nothing to include, as this is no file, found a path")],
        );
        assert_reads(Format::Json, r#"{"include":[]}"#, "{}");
        assert_reads(Format::Json, r#"{"a":{"include":["a"]}}"#, r#"{"a":{"include":["a"]}}"#);
    }

    #[test]
    fn what_no_setting_can_be_is_refused() {
        assert_refused(
            Format::Json,
            &[
                ("", "1:1: EOF while parsing a value"),
                ("{", "1:1: EOF while parsing an object"),
                ("{\"a\":1,}", "1:8: key must be a string"),
                ("{\"a\":1}x", "1:8: trailing characters"),
                ("[1]", "1:1: expected a map at the top, found a list"),
                ("\n 1", "2:2: expected a map at the top, found an integer"),
                ("{\"a\":{\"b\":1,\n\"b\":2}}", "2:1: a.b: already set at f:1:7"),
                ("{\"a\":[{\"b\":1,\"b\":2}]}", "1:14: a: already set at f:1:8"),
                ("{\"a\":1,\"\\u0061\":2}", "1:8: a: already set at f:1:2"),
                (
                    "{\"a\":99999999999999999999}",
                    "1:6: a: expected an integer from -2^63 to 2^63 - 1, found one beyond",
                ),
                ("{\"a\":9223372036854775808}", "1:6: a: expected an integer from -2^63 to 2^63 - 1, found one beyond"),
                ("{\"a\":1e999}", "1:6: a: expected a finite number, found one that is not"),
                ("{\"a\":\"\\ud800\"}", "1:7: expected an escape of a character, found one of none"),
                ("{\"a\":\n\"hu\nnter\"}", "2:3: control character (\\u0000-\\u001F) found while parsing a string"),
                ("{\"a\": // x\n1}", "1:7: expected value"),
                ("{'a': 1}", "1:2: key must be a string"),
                ("{\"é\": 01}", "1:8: invalid number"),
                ("{\"a\": NaN}", "1:7: expected value"),
                ("{\"a\":\u{a0}1}", "1:6: expected value"),
                ("{\"a\": 1 \"b\": 2}", "1:9: expected `,` or `}`"),
            ],
        );
    }

    /// Whether a text of `value` is within the limits, and what it includes is no include.
    fn fits(value: &Metadata) -> bool {
        fn depth(value: &Value) -> usize {
            match value {
                Value::List(items) => items.iter().map(depth).max().map_or(0, |depth| depth + 1),
                Value::Map(map) => map.iter().map(|(_, value)| depth(value)).max().map_or(0, |depth| depth + 1),
                Value::Time(_) => 1,
                _ => 0,
            }
        }
        fn keys_fit(value: &Value) -> bool {
            let fits = |(key, value): (&Text, &Value)| key.len() <= 255 && keys_fit(value);
            value.as_map().is_none_or(|map| map.iter().all(fits))
        }
        let value = Value::from(value.clone());
        depth(&value) <= MAX_FILE_DEPTH
            && keys_fit(&value)
            && value.as_map().is_some_and(|map| !map.contains_key("include"))
    }

    proptest! {
        #[test]
        fn what_values_write_reads_back(tree in strategies::metadata().prop_filter("within the limits", fits)) {
            let document = read(Format::Json, &tree.to_json_string()).expect("what values write is JSON");
            prop_assert_eq!(document.tree(), &tree);
        }
    }
}

#[test]
fn a_source_shows_what_it_is() {
    let source = FileSource::new("no/such.file").in_layer(Layer::Namespace);
    assert_eq!((source.name(), Source::layer(&source)), ("no/such.file", Layer::Namespace));
    assert!(format!("{source:?}").starts_with("FileSource { path: \"no/such.file\", format: None"));
    let origin = Origin::new("no/such.file");
    let error = source.load().expect_err("not there");
    assert!(matches!(&error, SourceError::Unreadable { origin: at, .. } if *at == origin));
    assert_eq!(error.to_string(), "no/such.file: No such file or directory (os error 2)");
    assert!(source.missing(MissingFile::Empty).load().expect("may be missing").tree().is_empty());
}
