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

/// What reviews must agree on, by a reviewer of our own who takes lines for text where they are that, and bytes elsewhere.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reviews {
    /// Texts, then binary, large and wide files.
    pub(crate) files: [u64; 4],
    /// Bytes, lines, long, deep, marked, trailing.
    pub(crate) findings: [u64; 6],
    /// From 90, from 75, from 50, below.
    pub(crate) grades: [u64; 4],
    pub(crate) worst: Vec<(u64, String)>,
}

impl Reviews {
    /// Reviews the tree at `root`.
    pub(crate) fn count(root: &Path, top: usize) -> Self {
        let mut reviews = Self::default();
        for entry in WalkBuilder::new(root).build().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            let contents = fs::read(entry.path()).unwrap();
            let is_wide = contents.starts_with(b"\xFF\xFE");
            let is_binary = !is_wide && contents.iter().take(8000).any(|&byte| byte == 0);
            let kind = match () {
                () if is_binary => 1,
                () if contents.len() > 1_048_576 => 2,
                () if is_wide => 3,
                () => 0,
            };
            reviews.files[kind] += 1;
            if kind > 0 {
                continue;
            }
            let findings = findings(&contents);
            let [_, lines, long, deep, marked, trailing] = findings;
            for (sum, more) in reviews.findings.iter_mut().zip(findings) {
                *sum += more;
            }
            let score = if lines == 0 { 100 } else { 100 * lines / (lines + long + deep + trailing + 4 * marked) };
            let grade = [90, 75, 50, 0].iter().position(|&least| score >= least).unwrap();
            reviews.grades[grade] += 1;
            if score < 100 {
                reviews.worst.push((score, entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned()));
            }
        }
        reviews.worst.sort();
        reviews.worst.truncate(top);
        reviews
    }

    /// What a survey says about the same.
    pub(crate) fn of(survey: &Survey) -> Self {
        let reviews = &survey.reviews;
        let (left_out, found, grades) = (reviews.left_out, reviews.findings, reviews.grades);
        Self {
            files: [reviews.done, left_out.binary, left_out.large, left_out.wide],
            findings: [found.bytes, found.lines, found.long, found.deep, found.marked, found.trailing],
            grades: [grades.excellent, grades.good, grades.fair, grades.poor],
            worst: reviews.worst_files.iter().map(|file| (file.score, file.path.clone())).collect(),
        }
    }
}

/// Bytes, lines, long, deep, marked, trailing.
pub(crate) fn findings(text: &[u8]) -> [u64; 6] {
    let bytes = text.len() as u64;
    let text = String::from_utf8_lossy(text);
    let number = |lines: &dyn Fn(&str) -> bool| text.lines().filter(|line| lines(line)).count() as u64;
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    [
        bytes,
        number(&|_| true),
        number(&|line| line.chars().count() > 120),
        number(&|line| {
            let code = line.trim_start_matches([' ', '\t']);
            let indentation = &line[..line.len() - code.len()];
            !code.is_empty() && indentation.replace('\t', "    ").len() >= 24
        }),
        number(&|line| line.split(|c| !is_word(c)).any(|word| matches!(word, "TODO" | "FIXME" | "XXX" | "HACK"))),
        number(&|line| line.ends_with([' ', '\t'])),
    ]
}

/// The lines of all files below `root` with this extension that a plain walk finds, as `wc` would count them, but that a
/// last line without a line feed is one, too.
pub(crate) fn lines(root: &Path, extension: &str) -> u64 {
    let walk = WalkBuilder::new(root).build().map(Result::unwrap);
    let files = walk.filter(|entry| entry.path().extension().is_some_and(|of| of == extension));
    files.map(|entry| fs::read_to_string(entry.path()).unwrap().lines().count() as u64).sum()
}
