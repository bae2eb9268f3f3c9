//! Where a byte of a text is, as people count.

use std::num::NonZeroU32;

use foundation_types::Text;

use crate::source::Origin;

/// How many bytes apart the places are for which the number of characters before them is kept.
const STRIDE: usize = 64;

/// A text of which one can say where something stands. Making it is O(length), asking O(log lines).
pub(super) struct Located<'t> {
    place: Text,
    text: &'t str,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
    /// How many characters begin before each multiple of [`STRIDE`].
    chars: Vec<usize>,
}

impl<'t> Located<'t> {
    pub(super) fn new(place: Text, text: &'t str) -> Self {
        let mut lines = vec![0];
        let mut chars = Vec::with_capacity(text.len() / STRIDE + 1);
        let mut seen = 0;
        for (at, byte) in text.bytes().enumerate() {
            if at.is_multiple_of(STRIDE) {
                chars.push(seen);
            }
            seen += usize::from(begins_character(byte));
            if byte == b'\n' {
                lines.push(at + 1);
            }
        }
        if text.len().is_multiple_of(STRIDE) {
            chars.push(seen);
        }
        Self { place, text, lines, chars }
    }

    pub(super) const fn text(&self) -> &'t str {
        self.text
    }

    pub(super) fn place(&self) -> &Text {
        &self.place
    }

    /// Where the byte at `at` stands, or the end of the text if there is none.
    pub(super) fn origin(&self, at: usize) -> Origin {
        let at = at.min(self.text.len());
        // The first line begins at 0, so one begins at or before any place.
        let line = self.lines.partition_point(|&start| start <= at);
        let column = self.chars_before(at) - self.chars_before(self.lines[line - 1]) + 1;
        Origin::new(self.place.clone()).at(count(line), count(column))
    }

    fn chars_before(&self, at: usize) -> usize {
        let rest = &self.text.as_bytes()[at - at % STRIDE..at];
        self.chars[at / STRIDE] + rest.iter().filter(|&&byte| begins_character(byte)).count()
    }
}

const fn begins_character(byte: u8) -> bool {
    // All but continuation bytes.
    byte & 0b1100_0000 != 0b1000_0000
}

/// A count from 1.
fn count(count: usize) -> NonZeroU32 {
    u32::try_from(count).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_and_columns_count_from_1_and_columns_count_characters(text in "[a\u{e9}\u{1f600}\n]{0,300}") {
            let located = Located::new("f".into(), &text);
            let (mut line, mut column) = (1, 1);
            for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
                let origin = located.origin(at);
                let found = (origin.line().map(NonZeroU32::get), origin.column().map(NonZeroU32::get));
                prop_assert_eq!(found, (Some(line), Some(column)));
                (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            prop_assert_eq!(located.origin(usize::MAX), located.origin(text.len()));
        }
    }
}
