//! How large values are, and how to show those that are too large.

use std::fmt::Write;

use foundation_types::{Clock, Metadata, Text, Value};

use crate::global;

/// The size beyond which [`truncate_if_large_1`] truncates, in bytes.
pub const DEFAULT_SIZE_LIMIT: usize = 10_000;
/// How many elements of lists and maps [`safe_inspect`] shows, all of them together.
pub const INSPECT_ELEMENTS: usize = 100;
/// How many characters of each text [`safe_inspect`] shows, and the preview of a text has.
pub const INSPECT_CHARACTERS: usize = 100;
/// How many elements of a list its preview shows.
pub const PREVIEW_ITEMS: usize = 10;
/// How many entries of a map its preview shows.
pub const PREVIEW_ENTRIES: usize = 5;

/// What stands for what is left out.
const ELLIPSIS: &str = "...";

/// The size of a value in bytes: the length of its JSON form. A text without escapes has two bytes more than it is long.
pub fn deep_size(value: &Value) -> usize {
    value.json_len()
}

/// The value itself, or if its [`deep_size`] is more than `limit` a map that stands for it: `truncated` (true),
/// `original_size` in bytes, `preview` as text, and `timestamp`.
///
/// The preview of a text is its first [`INSPECT_CHARACTERS`] characters and `...`; that of a list shows its first
/// [`PREVIEW_ITEMS`] elements, that of a map its first [`PREVIEW_ENTRIES`] entries, each as [`safe_inspect`] does.
pub fn truncate_if_large(value: Value, limit: usize) -> Value {
    let size = deep_size(&value);
    if size <= limit {
        return value;
    }
    let summary = Metadata::new()
        .with("truncated", true)
        .with("original_size", i64::try_from(size).unwrap_or(i64::MAX))
        .with("preview", preview(&value))
        .with("timestamp", global::clock().wall());
    value.dismantle();
    Value::Map(summary)
}

/// As [`truncate_if_large`] with [`DEFAULT_SIZE_LIMIT`].
pub fn truncate_if_large_1(value: Value) -> Value {
    truncate_if_large(value, DEFAULT_SIZE_LIMIT)
}

/// The value as people read it, cut to [`INSPECT_ELEMENTS`] elements and [`INSPECT_CHARACTERS`] characters of each text;
/// `...` stands for what is left out. Where nothing is, it is the text that the value displays as.
///
/// The length of the result, the time and the stack it takes are bounded, however large and deep the value is.
pub fn safe_inspect(value: &Value) -> String {
    let mut rendering = Rendering::new();
    rendering.value(value);
    rendering.out
}

fn preview(value: &Value) -> String {
    let mut rendering = Rendering::new();
    match value {
        Value::Text(text) => return beginning(text).unwrap_or(text).to_owned() + ELLIPSIS,
        Value::List(items) => rendering.list(items, PREVIEW_ITEMS),
        Value::Map(map) => rendering.map(map, PREVIEW_ENTRIES),
        scalar => rendering.value(scalar),
    }
    rendering.out
}

/// The first characters of a text that has more than may be shown.
fn beginning(text: &str) -> Option<&str> {
    let (end, _) = text.char_indices().nth(INSPECT_CHARACTERS)?;
    Some(&text[..end])
}

struct Rendering {
    out: String,
    /// How many elements may still be shown. Each level of nesting takes one, which bounds the recursion.
    left: usize,
}

impl Rendering {
    const fn new() -> Self {
        Self { out: String::new(), left: INSPECT_ELEMENTS }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.text(text),
            Value::List(items) => self.list(items, usize::MAX),
            Value::Map(map) => self.map(map, usize::MAX),
            scalar => write!(self.out, "{scalar}").expect("a string takes whatever is written"),
        }
    }

    fn text(&mut self, text: &str) {
        let shown = beginning(text);
        // As JSON, in which the quotes show where the text ends.
        self.out.push_str(&Value::from(shown.unwrap_or(text)).to_string());
        if shown.is_some() {
            self.out.push_str(ELLIPSIS);
        }
    }

    fn list(&mut self, items: &[Value], at_most: usize) {
        self.out.push('[');
        self.elements(items, at_most, Self::value);
        self.out.push(']');
    }

    fn map(&mut self, map: &Metadata, at_most: usize) {
        self.out.push('{');
        self.elements(map, at_most, |rendering, (key, value): (&Text, &Value)| {
            rendering.text(key);
            rendering.out.push(':');
            rendering.value(value);
        });
        self.out.push('}');
    }

    fn elements<E>(&mut self, all: impl IntoIterator<Item = E>, at_most: usize, show: impl Fn(&mut Self, E)) {
        for (place, element) in all.into_iter().enumerate() {
            if place > 0 {
                self.out.push(',');
            }
            if place == at_most || self.left == 0 {
                self.out.push_str(ELLIPSIS);
                return;
            }
            self.left -= 1;
            show(self, element);
        }
    }
}
