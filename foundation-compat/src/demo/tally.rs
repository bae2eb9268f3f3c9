//! Adding up what agents find.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::Path;

use super::language::Language;
use super::review::ReviewTally;
use super::settings::MAX_SKIPPED_LISTED;
use super::survey::{Digest, LanguageTotals, OtherFiles, SkipReason, Skipped, TopFile};
use super::task::{FileRecord, LineCounts};

/// The totals so far. What it holds does not grow with the number of files, but for the list of skipped ones, which has a
/// limit.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) directories: u64,
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) languages: BTreeMap<&'static str, LanguageTotals>,
    pub(super) other: OtherFiles,
    pub(super) digest: Digest,
    pub(super) skipped_count: u64,
    /// Files and directories that are missing from the counts.
    pub(super) losses: u64,
    pub(super) reviews: ReviewTally,
    skipped: Vec<Skipped>,
    top: BinaryHeap<Ranked>,
    top_len: usize,
}

/// More code ranks higher; of equals, the one that comes first by path. The heap has the lowest on top.
type Ranked = Reverse<(u64, Reverse<String>, &'static str)>;

impl Tally {
    pub(super) fn new(top_len: usize) -> Self {
        Self { top_len, reviews: ReviewTally::new(top_len), ..Self::default() }
    }

    /// A file of no known language, or a binary one.
    pub(super) fn add_other(&mut self, path: &Path, record: &FileRecord, is_binary: bool) {
        self.add_file(path, record);
        self.other.files += 1;
        self.other.bytes += record.bytes;
        self.other.binary += u64::from(is_binary);
    }

    /// A file whose lines were counted.
    pub(super) fn add_source(&mut self, path: &Path, record: &FileRecord, language: Language, lines: LineCounts) {
        self.add_file(path, record);
        let totals = self.languages.entry(language.name()).or_default();
        totals.files += 1;
        totals.counts += lines.all;
        totals.embedded += lines.embedded;
        self.rank(path, language, lines.all.code);
    }

    pub(super) fn skip(&mut self, path: &Path, reason: SkipReason) {
        self.skipped_count += 1;
        self.losses += u64::from(reason.is_loss());
        if self.skipped.len() < MAX_SKIPPED_LISTED {
            self.skipped.push(Skipped { path: display(path), reason });
        }
    }

    /// The files with the most code, the first one first.
    pub(super) fn top_files(&self) -> Vec<TopFile> {
        let mut ranked: Vec<_> = self.top.iter().collect();
        ranked.sort_unstable();
        ranked
            .into_iter()
            .map(|Reverse((code, Reverse(path), language))| TopFile { path: path.clone(), language, code: *code })
            .collect()
    }

    /// What was skipped, by path.
    pub(super) fn skipped(&self) -> Vec<Skipped> {
        let mut skipped = self.skipped.clone();
        skipped.sort_by(|a, b| a.path.cmp(&b.path));
        skipped
    }

    fn add_file(&mut self, path: &Path, record: &FileRecord) {
        self.files += 1;
        self.bytes += record.bytes;
        self.digest.add(path.as_os_str().as_encoded_bytes(), &record.hash);
    }

    fn rank(&mut self, path: &Path, language: Language, code: u64) {
        if self.top.len() >= self.top_len && self.top.peek().is_none_or(|Reverse((least, ..))| code < *least) {
            return;
        }
        self.top.push(Reverse((code, Reverse(display(path)), language.name())));
        if self.top.len() > self.top_len {
            self.top.pop();
        }
    }
}

/// The path as text; the input itself is `.`.
pub(super) fn display(path: &Path) -> String {
    if path.as_os_str().is_empty() { ".".to_owned() } else { path.to_string_lossy().into_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::survey::Counts;
    use super::*;

    fn add(tally: &mut Tally, path: &str, code: u64) {
        let record = FileRecord { bytes: 10, hash: *blake3::hash(path.as_bytes()).as_bytes() };
        let rust = Language::of_path(Path::new("x.rs")).unwrap();
        let lines = LineCounts { all: Counts::new(code, 1, 1), embedded: Counts::default() };
        tally.add_source(Path::new(path), &record, rust, lines);
    }

    #[test]
    fn order_does_not_matter() {
        let files = [("a", 5), ("b", 9), ("c", 5), ("d", 5), ("e", 1)];
        let mut one = Tally::new(3);
        let mut other = Tally::new(3);
        for (path, code) in files {
            add(&mut one, path, code);
        }
        for (path, code) in files.into_iter().rev() {
            add(&mut other, path, code);
        }
        let ranking =
            |tally: &Tally| tally.top_files().into_iter().map(|file| (file.path, file.code)).collect::<Vec<_>>();
        assert_eq!(ranking(&one), [("b".to_owned(), 9), ("a".to_owned(), 5), ("c".to_owned(), 5)]);
        assert_eq!(ranking(&one), ranking(&other));
        assert_eq!(one.digest, other.digest);
        assert_eq!(one.languages, other.languages);
        assert_eq!(one.languages["Rust"].counts, Counts::new(25, 5, 5));
    }

    #[test]
    fn the_digest_tells_trees_apart() {
        let digest = |path: &[u8], contents: &[u8]| {
            let mut digest = Digest::default();
            digest.add(path, blake3::hash(contents).as_bytes());
            digest
        };
        assert_ne!(digest(b"a", b"x"), digest(b"a", b"y"));
        assert_ne!(digest(b"a", b"x"), digest(b"b", b"x"));
    }

    #[test]
    fn no_list_is_kept_when_none_is_wanted() {
        let mut tally = Tally::new(0);
        add(&mut tally, "a", 5);
        assert!(tally.top_files().is_empty());
        assert_eq!(tally.files, 1);
    }

    #[test]
    fn only_what_should_have_been_counted_is_a_loss() {
        let mut tally = Tally::new(1);
        tally.skip(Path::new("link"), SkipReason::SymbolicLink);
        tally.skip(Path::new("pipe"), SkipReason::NotRegular);
        assert_eq!((tally.skipped_count, tally.losses), (2, 0));
        tally.skip(Path::new("gone"), SkipReason::Vanished);
        tally.skip(Path::new(""), SkipReason::Unreadable("no".to_owned()));
        assert_eq!((tally.skipped_count, tally.losses), (4, 2));
        assert_eq!(tally.skipped()[0].path, ".");
    }
}
