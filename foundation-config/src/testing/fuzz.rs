//! Entry points for fuzzers: any bytes go in, and a broken rule is a panic.
//!
//! They are plain functions, so that a property test can drive them on any toolchain and a coverage-guided fuzzer where
//! there is one.

use crate::path::Path;
#[cfg(any(feature = "toml", feature = "yaml", feature = "json"))]
use crate::source::{Document, Format, MAX_FILE_BYTES, MAX_FILE_DEPTH, MAX_FILE_VALUES, SourceError, Variables};

/// Reads the bytes as the text form of a path. What is read must be written so that it reads back equal.
///
/// # Panics
/// If it does not.
pub fn path(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(path) = Path::parse_dotted(&text) {
        assert_eq!(Path::parse_dotted(&path.to_string()).as_ref(), Ok(&path));
        assert_eq!(Path::new(path.components()).as_ref(), Ok(&path));
    }
}

/// Reads the bytes as settings in TOML; see [`json`].
///
/// # Panics
/// If a rule is broken.
#[cfg(feature = "toml")]
pub fn toml(bytes: &[u8]) {
    settings(Format::Toml, bytes);
}

/// Reads the bytes as settings in YAML; see [`json`].
///
/// # Panics
/// If a rule is broken.
#[cfg(feature = "yaml")]
pub fn yaml(bytes: &[u8]) {
    settings(Format::Yaml, bytes);
}

/// Reads the bytes as settings in JSON. Every value must have its own place in the text, what is wrong must be somewhere in
/// it, and what is read must read back equal from the JSON form of its tree.
///
/// # Panics
/// If a rule is broken.
#[cfg(feature = "json")]
pub fn json(bytes: &[u8]) {
    settings(Format::Json, bytes);
}

#[cfg(any(feature = "toml", feature = "yaml", feature = "json"))]
fn settings(format: Format, bytes: &[u8]) {
    let lines: Vec<_> =
        bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).split(|&byte| byte == b'\n').collect();
    let document = match format.read("text", bytes, &Variables::none()) {
        Ok(document) => document,
        Err(error) => return assert_placed(&error, &lines),
    };
    assert!(bytes.len() <= MAX_FILE_BYTES);
    let mut values = 0;
    visit(&document.to_value(), Some(&Path::ROOT), 0, &mut |path, depth| {
        values += 1;
        assert!(depth <= MAX_FILE_DEPTH, "a value at depth {depth}");
        if let Some(path) = path.filter(|path| !path.is_root()) {
            let own = document.origins().any(|(at, _)| at == path);
            assert!(own, "{path} has no place");
        }
    });
    assert!(values <= MAX_FILE_VALUES, "{values} values");
    for (path, origin) in document.origins().filter(|(path, _)| !path.is_root()) {
        assert_inside(origin, &lines, path);
    }
    assert_reads_back(&document);
}

#[cfg(any(feature = "toml", feature = "yaml", feature = "json"))]
fn assert_placed(error: &SourceError, lines: &[&[u8]]) {
    let origin = match error {
        SourceError::NotUtf8 { origin }
        | SourceError::TooDeep { origin, .. }
        | SourceError::TooMany { origin, .. }
        | SourceError::Syntax { origin, .. }
        | SourceError::Invalid { origin, .. }
        | SourceError::SetTwice { origin, .. }
        | SourceError::MissingVariable { origin, .. } => origin,
        SourceError::TooLarge { .. } => return,
        other => panic!("a text has no such error: {other}"),
    };
    assert_inside(origin, lines, &Path::ROOT);
}

/// Whether a place is in a text of these lines, or just behind its end.
#[cfg(any(feature = "toml", feature = "yaml", feature = "json"))]
fn assert_inside(origin: &crate::Origin, lines: &[&[u8]], path: &Path) {
    let position = |number: Option<std::num::NonZeroU32>| number.map_or(0, |number| number.get() as usize);
    let (line, column) = (position(origin.line()), position(origin.column()));
    assert!(line >= 1 && column >= 1, "{path} is at {origin}");
    let text = lines.get(line - 1).unwrap_or_else(|| panic!("{path} is at {origin}, behind the end"));
    let longest = text.len() + 1;
    assert!(column <= longest, "{path} is at {origin}, behind the end of the line");
}

#[cfg(any(feature = "toml", feature = "yaml", feature = "json"))]
fn visit(
    value: &foundation_types::Value,
    path: Option<&Path>,
    depth: usize,
    each: &mut impl FnMut(Option<&Path>, usize),
) {
    each(path, depth);
    for item in value.as_list().into_iter().flatten() {
        visit(item, None, depth + 1, each);
    }
    for (key, value) in value.as_map().into_iter().flatten() {
        let below = path.map(|path| path.join(key.clone()).expect("a setting has a path"));
        visit(value, below.as_ref(), depth + 1, each);
    }
}

/// The JSON form of a tree is JSON, and YAML within the limits of its keys.
#[cfg(feature = "json")]
fn assert_reads_back(document: &Document) {
    let json = document.tree().to_json_string();
    // Escapes may make it longer than is read, times a step deeper, and at the top `include` means something else.
    match Format::Json.read("text", json.as_bytes(), &Variables::none()) {
        Ok(read) => assert_eq!(read.tree(), document.tree()),
        Err(SourceError::TooLarge { .. } | SourceError::TooDeep { .. } | SourceError::TooMany { .. }) => {}
        Err(error) => panic!("its JSON form is refused: {error}"),
    }
}

#[cfg(all(any(feature = "toml", feature = "yaml"), not(feature = "json")))]
fn assert_reads_back(document: &Document) {
    let json = document.tree().to_json_string();
    assert_eq!(foundation_types::Metadata::from_json_str(&json).as_ref(), Ok(document.tree()));
}
