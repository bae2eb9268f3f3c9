//! An independent count: one plain walk, one thread, the counting library as it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use foundation_compat::demo::Survey;
use ignore::WalkBuilder;
use tokei::{Config, LanguageType};

/// What both counts must agree on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) binary: u64,
    /// Files, code, comments, blanks.
    pub(crate) languages: BTreeMap<String, [u64; 4]>,
    pub(crate) top: Vec<(u64, String)>,
}

impl Totals {
    /// Counts the tree at `root`.
    pub(crate) fn count(root: &Path, top: usize) -> Self {
        let mut totals = Self::default();
        let mut ranking = Vec::new();
        for entry in WalkBuilder::new(root).build() {
            let entry = entry.unwrap();
            if !entry.file_type().unwrap().is_file() {
                continue;
            }
            let contents = fs::read(entry.path()).unwrap();
            totals.files += 1;
            totals.bytes += contents.len() as u64;
            let is_wide = contents.starts_with(b"\xFF\xFE");
            if !is_wide && contents.iter().take(8000).any(|&byte| byte == 0) {
                totals.binary += 1;
                continue;
            }
            let Some(language) = LanguageType::from_path(entry.path(), &Config::default()) else { continue };
            let report = language.parse(entry.path().to_owned(), &Config::default()).unwrap();
            let stats = report.stats.summarise();
            let [code, comments, blanks] = [stats.code, stats.comments, stats.blanks].map(|lines| lines as u64);
            let row = totals.languages.entry(language.name().to_owned()).or_default();
            for (sum, more) in row.iter_mut().zip([1, code, comments, blanks]) {
                *sum += more;
            }
            let path = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            ranking.push((code, path));
        }
        ranking.sort_by(|(a, path_a), (b, path_b)| b.cmp(a).then_with(|| path_a.cmp(path_b)));
        ranking.truncate(top);
        totals.top = ranking;
        totals
    }

    /// What a survey says about the same.
    pub(crate) fn of(survey: &Survey) -> Self {
        let languages = survey.languages.iter().map(|(name, totals)| {
            let counts = totals.counts;
            assert_eq!(counts.lines, counts.code + counts.comments + counts.blanks, "{name}");
            ((*name).to_owned(), [totals.files, counts.code, counts.comments, counts.blanks])
        });
        Self {
            files: survey.files,
            bytes: survey.bytes,
            binary: survey.other.binary,
            languages: languages.collect(),
            top: survey.top_files.iter().map(|file| (file.code, file.path.clone())).collect(),
        }
    }
}

/// The lines of all files below `root` with this extension that a plain walk finds, as `wc` would count them, but that a
/// last line without a line feed is one, too.
pub(crate) fn lines(root: &Path, extension: &str) -> u64 {
    let walk = WalkBuilder::new(root).build().map(Result::unwrap);
    let files = walk.filter(|entry| entry.path().extension().is_some_and(|of| of == extension));
    files.map(|entry| fs::read_to_string(entry.path()).unwrap().lines().count() as u64).sum()
}
