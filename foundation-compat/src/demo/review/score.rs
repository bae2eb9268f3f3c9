//! What a review says about a text.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// The most characters of a line that is not long.
pub const LINE_WIDTH: usize = 120;

/// Columns of indentation from which on a line is deep: six levels of four.
pub const DEEP_INDENTATION: usize = 24;

/// Columns that a tab at the beginning of a line stands for.
pub const TAB_WIDTH: usize = 4;

/// Words that mark what is left undone.
pub const MARKS: [&str; 4] = ["FIXME", "HACK", "TODO", "XXX"];

/// How much more a marked line costs than any other finding.
const MARK_COST: u64 = 4;

/// The score of a text without findings.
pub const BEST_SCORE: u64 = 100;

/// What a review finds in one text, or in several. It follows from the bytes alone, whatever language they are in.
///
/// A line ends with a line feed, which with a carriage return before it is no part of the line; the last one may lack it. A
/// character is a byte that is no continuation byte of UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Findings {
    /// Bytes of the text.
    pub bytes: u64,
    /// Its lines.
    pub lines: u64,
    /// Lines of more than [`LINE_WIDTH`] characters.
    pub long: u64,
    /// Lines that are indented by [`DEEP_INDENTATION`] columns or more and do not end there; a tab is [`TAB_WIDTH`] columns.
    pub deep: u64,
    /// Lines with one of [`MARKS`] in them as a whole word: with no ASCII letter, digit or underscore beside it.
    pub marked: u64,
    /// Lines that end with a space or a tab.
    pub trailing: u64,
}

impl Findings {
    /// Reviews a text. O(bytes).
    pub fn of(text: &[u8]) -> Self {
        let mut findings = Self { bytes: text.len() as u64, ..Self::default() };
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
            findings.lines += 1;
            findings.long += u64::from(characters(line) > LINE_WIDTH);
            findings.deep += u64::from(is_deep(line));
            findings.marked += u64::from(MARKS.iter().any(|mark| has_word(line, mark.as_bytes())));
            findings.trailing += u64::from(matches!(line.last(), Some(b' ' | b'\t')));
        }
        findings
    }

    /// From 0 to [`BEST_SCORE`]: the share of the lines in lines and points together, rounded down, where a marked line is
    /// worth four points, and every other finding one. A text without lines has the best score.
    pub const fn score(&self) -> u64 {
        let points = self.long + self.deep + self.trailing + MARK_COST * self.marked;
        match (BEST_SCORE * self.lines).checked_div(self.lines + points) {
            Some(score) => score,
            None => BEST_SCORE,
        }
    }

    /// Whether there is nothing to complain of.
    pub const fn is_clean(&self) -> bool {
        self.long == 0 && self.deep == 0 && self.marked == 0 && self.trailing == 0
    }

    /// All numbers in a row, to be hashed.
    pub(in super::super) fn to_bytes(self) -> [u8; 48] {
        let Self { bytes, lines, long, deep, marked, trailing } = self;
        let mut row = [0; 48];
        for (place, number) in row.chunks_exact_mut(8).zip([bytes, lines, long, deep, marked, trailing]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        row
    }
}

impl AddAssign for Findings {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.long += other.long;
        self.deep += other.deep;
        self.marked += other.marked;
        self.trailing += other.trailing;
    }
}

fn characters(line: &[u8]) -> usize {
    line.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}

fn is_deep(line: &[u8]) -> bool {
    let mut column = 0;
    for byte in line {
        match byte {
            b' ' => column += 1,
            b'\t' => column += TAB_WIDTH,
            _ => return column >= DEEP_INDENTATION,
        }
    }
    false
}

fn has_word(line: &[u8], word: &[u8]) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    line.windows(word.len()).enumerate().any(|(start, window)| {
        let before = start.checked_sub(1).and_then(|at| line.get(at));
        window == word && !is_part(before) && !is_part(line.get(start + word.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_counts_its_lines() {
        let wide = "é".repeat(120);
        let deep = format!("{}x", " ".repeat(24));
        let text = format!(
            "{wide}\n{wide}y\n{deep}\n\t\t\t\t\t\tx\r\n\t\t\t\t\t   x\nends \n// TODO, FIXME\nTODOS\n_XXX\nlast\t"
        );
        let findings = Findings::of(text.as_bytes());
        let expected = Findings { bytes: text.len() as u64, lines: 10, long: 1, deep: 2, marked: 1, trailing: 2 };
        assert_eq!(findings, expected);
        assert_eq!(findings.score(), 100 * 10 / (10 + 5 + 4));
        assert!(!findings.is_clean());
    }

    #[test]
    fn a_text_without_lines_or_findings_is_as_good_as_can_be() {
        assert_eq!(Findings::of(b""), Findings::default());
        assert_eq!(Findings::of(b"").score(), 100);
        assert_eq!(Findings::of(b"fine\n").score(), 100);
        assert!(Findings::of(b"fine").is_clean());
    }

    #[test]
    fn indentation_alone_is_trailing_and_not_deep() {
        let findings = Findings::of(&[b' '; 40]);
        assert_eq!((findings.deep, findings.trailing), (0, 1));
    }

    #[test]
    fn findings_add_up() {
        let mut sum = Findings::of(b"TODO\n");
        sum += Findings::of(b"x \n");
        assert_eq!(sum, Findings::of(b"TODO\nx \n"));
    }
}
