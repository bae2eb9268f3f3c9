//! Languages, as the counting library knows them.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use foundation_types::Capability;
use tokei::{CodeStats, Config, LanguageType};

use super::survey::Counts;
use super::task::LineCounts;

/// A language whose lines can be counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Language(LanguageType);

impl Language {
    /// The language of a file by its name, or, if that has no extension, by the interpreter that its first line names.
    pub(super) fn of_path(path: &Path) -> Option<Self> {
        LanguageType::from_path(path, &Config::default()).map(Self)
    }

    pub(super) fn name(self) -> &'static str {
        self.0.name()
    }

    /// What an agent that can count this language says it can do.
    pub(super) fn capability(self) -> Capability {
        Capability::new(format!("analyze:{}", self.name())).expect("names of languages are short and printable")
    }

    /// The lines of a file with these contents.
    pub(super) fn count(self, contents: &[u8]) -> LineCounts {
        summary(&self.0.parse_from_slice(contents, &Config::default()))
    }

    /// The lines of the file at `path`, which is read as a whole, and decoded if it begins with a byte order mark.
    ///
    /// # Errors
    /// That of reading it.
    pub(super) fn count_file(self, path: PathBuf) -> io::Result<LineCounts> {
        match self.0.parse(path, &Config::default()) {
            Ok(report) => Ok(summary(&report.stats)),
            Err((error, _)) => Err(error),
        }
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The lines that tokei counts, all for the language of the file, also those of another language inside it, such as the
/// Markdown of doc comments. Where a doc comment holds a fenced block that names its language, tokei drops a line of it, so
/// that the sum may be less than what `wc -l` says.
fn summary(stats: &CodeStats) -> LineCounts {
    let all = counts(&stats.summarise());
    let own = counts(stats);
    LineCounts { all, embedded: all.without(own) }
}

fn counts(stats: &CodeStats) -> Counts {
    Counts::new(stats.code as u64, stats.comments as u64, stats.blanks as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_makes_a_capability() {
        assert!(!LanguageType::list().is_empty());
        for &(language, _) in LanguageType::list() {
            assert_eq!(Language(language).capability().as_str(), format!("analyze:{}", language.name()));
        }
    }

    #[test]
    fn lines_of_embedded_languages_count_for_the_file() {
        let rust = Language::of_path(Path::new("lib.rs")).unwrap();
        let lines = rust.count(b"//! Docs.\n//! More.\n\nfn f() {}\n");
        assert_eq!(lines.all, Counts::new(1, 2, 1));
        assert_eq!(lines.embedded, Counts::new(0, 2, 0));
    }

    #[test]
    fn a_missing_file_is_an_error() {
        let rust = Language::of_path(Path::new("lib.rs")).unwrap();
        let error = rust.count_file(PathBuf::from("no/such/lib.rs")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
