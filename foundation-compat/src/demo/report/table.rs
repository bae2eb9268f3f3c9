//! Tables of plain text.

use std::fmt::Write as _;

/// On which side of its column a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// Rows of text under headings, between rules.
pub(super) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
    foot: Option<Vec<String>>,
}

impl Table {
    pub(super) fn new<const N: usize>(columns: [(&'static str, Align); N]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new(), foot: None }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// The row below the last rule.
    pub(super) fn foot<const N: usize>(&mut self, cells: [String; N]) {
        self.foot = Some(cells.into());
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table, with a line feed at the end.
    pub(super) fn render(&self) -> String {
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width(column)).collect();
        let rule = "─".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1));
        let mut text = String::new();
        let headings: Vec<_> = self.columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
        self.line(&mut text, &headings, &widths);
        text.push_str(&rule);
        text.push('\n');
        for row in &self.rows {
            self.line(&mut text, row, &widths);
        }
        if let Some(foot) = &self.foot {
            text.push_str(&rule);
            text.push('\n');
            self.line(&mut text, foot, &widths);
        }
        text
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().chain(&self.foot).map(|row| row[column].chars().count());
        cells.chain([self.columns[column].0.chars().count()]).max().unwrap_or(0)
    }

    fn line(&self, text: &mut String, cells: &[String], widths: &[usize]) {
        let begin = text.len();
        for ((cell, (_, align)), &width) in cells.iter().zip(&self.columns).zip(widths) {
            let gap = if text.len() == begin { "" } else { "  " };
            // Writing to a string does not fail.
            let _ = match align {
                Align::Left => write!(text, "{gap}{cell:<width$}"),
                Align::Right => write!(text, "{gap}{cell:>width$}"),
            };
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new([("Name", Align::Left), ("n", Align::Right), ("Note", Align::Left)]);
        table.row(["a".to_owned(), "1".to_owned(), String::new()]);
        table.row(["größer".to_owned(), "1,000".to_owned(), "x".to_owned()]);
        table.foot(["Total".to_owned(), "1,001".to_owned(), String::new()]);
        let lines = [
            "Name        n  Note",
            "───────────────────",
            "a           1",
            "größer  1,000  x",
            "───────────────────",
            "Total   1,001",
            "",
        ];
        assert_eq!(table.render(), lines.join("\n"));
    }
}
