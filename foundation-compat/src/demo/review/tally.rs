//! Adding up reviews.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::settings::MAX_SKIPPED_LISTED;
use super::super::tally::display;
use super::super::task::Text;
use super::score::{BEST_SCORE, Findings};
use super::summary::{ReviewTotals, Unreviewed, WorstFile};

/// The reviews so far. What it holds does not grow with the number of files, but for the list of failed ones, which has a
/// limit.
#[derive(Default)]
pub(in super::super) struct ReviewTally {
    totals: ReviewTotals,
    /// By score and path.
    worst: BTreeMap<(u64, String), Findings>,
    worst_len: usize,
}

impl ReviewTally {
    pub(in super::super) fn new(worst_len: usize) -> Self {
        Self { worst_len, ..Self::default() }
    }

    /// A text was reviewed.
    pub(in super::super) fn add(&mut self, path: &Path, findings: Findings) {
        let score = findings.score();
        self.totals.done += 1;
        self.totals.findings += findings;
        self.totals.grades.add(score);
        let hash = blake3::hash(&findings.to_bytes());
        self.totals.digest.add(path.as_os_str().as_encoded_bytes(), hash.as_bytes());
        self.rank(path, score, findings);
    }

    /// An agent gave a text back.
    pub(in super::super) const fn note_returned(&mut self) {
        self.totals.returned += 1;
    }

    /// A text was not reviewed, and will not be.
    pub(in super::super) fn fail(&mut self, path: &Path, reason: String) {
        self.totals.failed += 1;
        if self.totals.failures.len() < MAX_SKIPPED_LISTED {
            self.totals.failures.push(Unreviewed { path: display(path), reason });
        }
    }

    /// A file was counted that is no text.
    pub(in super::super) const fn leave_out_binary(&mut self) {
        self.totals.left_out.binary += 1;
    }

    /// A text was counted that the service would not take.
    pub(in super::super) const fn leave_out(&mut self, text: &Text) {
        match text {
            Text::Here(_) => {}
            Text::Large => self.totals.left_out.large += 1,
            Text::Wide => self.totals.left_out.wide += 1,
        }
    }

    /// Whether every text was reviewed that is to be, so far.
    pub(in super::super) const fn is_complete(&self) -> bool {
        self.totals.failed == 0
    }

    /// All of it.
    pub(in super::super) fn totals(&self) -> ReviewTotals {
        let mut totals = self.totals.clone();
        totals.failures.sort_by(|a, b| a.path.cmp(&b.path));
        let worst = self.worst.iter();
        totals.worst_files =
            worst.map(|((score, path), &findings)| WorstFile { path: path.clone(), score: *score, findings }).collect();
        totals
    }

    fn rank(&mut self, path: &Path, score: u64, findings: Findings) {
        let is_full = self.worst.len() >= self.worst_len;
        if score == BEST_SCORE || is_full && self.worst.last_key_value().is_none_or(|((best, _), _)| score > *best) {
            return;
        }
        self.worst.insert((score, display(path)), findings);
        if self.worst.len() > self.worst_len {
            self.worst.pop_last();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [(&str, &[u8]); 5] =
        [("a", b"TODO\n"), ("b", b"fine\n"), ("c", b"TODO\n"), ("d", b"x \n"), ("e", b"TODO \n")];

    fn tally<'t>(texts: impl IntoIterator<Item = &'t (&'t str, &'t [u8])>, worst_len: usize) -> ReviewTotals {
        let mut tally = ReviewTally::new(worst_len);
        for (path, text) in texts {
            tally.add(Path::new(path), Findings::of(text));
        }
        tally.totals()
    }

    #[test]
    fn order_does_not_matter() {
        let totals = tally(&TEXTS, 3);
        assert_eq!(totals, tally(TEXTS.iter().rev(), 3));
        let worst: Vec<_> = totals.worst_files.iter().map(|file| (file.path.as_str(), file.score)).collect();
        assert_eq!(worst, [("e", 16), ("a", 20), ("c", 20)]);
        let grades = totals.grades;
        assert_eq!((grades.excellent, grades.good, grades.fair, grades.poor), (1, 0, 1, 3));
        assert_eq!((totals.done, totals.findings.lines, totals.findings.marked), (5, 5, 3));
    }

    #[test]
    fn a_text_without_findings_is_none_of_the_worst() {
        let worst = tally(&TEXTS, 10).worst_files;
        assert_eq!(worst.len(), 4);
        assert!(worst.iter().all(|file| file.path != "b"));
        assert!(tally(&TEXTS, 0).worst_files.is_empty());
    }

    #[test]
    fn the_digest_tells_reviews_apart() {
        let digest = |texts: &[(&str, &[u8])]| tally(texts, 0).digest;
        assert_ne!(digest(&[("a", b"x")]), digest(&[("b", b"x")]));
        assert_ne!(digest(&[("a", b"x")]), digest(&[("a", b"TODO")]));
        assert_ne!(digest(&[("a", b"x"), ("a", b"x")]), digest(&[("a", b"x")]));
    }
}
