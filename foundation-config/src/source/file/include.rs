//! Reading a file and what it includes.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use foundation_types::Text;

use super::builder::Budget;
use super::resolve::Include;
use super::{Format, MAX_FILE_BYTES, MAX_INCLUDE_DEPTH, MAX_INCLUDES, MissingFile};
use crate::source::{Document, Origin, SourceError, Variables};

/// One load of a file with all that it includes.
pub(super) struct Loading<'v> {
    variables: &'v Variables,
    budget: Budget,
    files: Vec<PathBuf>,
    includes: usize,
    /// The files that are being read, the outermost first.
    chain: Vec<Link>,
}

struct Link {
    /// What the path leads to.
    real: PathBuf,
    /// The path as errors show it.
    shown: String,
}

impl<'v> Loading<'v> {
    pub(super) const fn new(variables: &'v Variables) -> Self {
        Self { variables, budget: Budget::new(), files: Vec::new(), includes: 0, chain: Vec::new() }
    }

    /// The file at the top.
    pub(super) fn file(
        &mut self,
        path: &FilePath,
        format: Option<Format>,
        missing: MissingFile,
    ) -> Result<Document, SourceError> {
        self.files.push(path.to_owned());
        let place = Text::from(path.display().to_string());
        let origin = Origin::new(place.clone());
        let text = match read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && missing == MissingFile::Empty => {
                return Ok(Document::default());
            }
            read => read.map_err(|error| SourceError::Unreadable { origin: origin.clone(), error: Arc::new(error) })?,
        };
        self.parse(path, &place, origin, format, &text)
    }

    fn include(&mut self, from: &FilePath, include: &Include) -> Result<Document, SourceError> {
        let path = from.parent().unwrap_or(FilePath::new("")).join(&*include.path);
        if self.includes == MAX_INCLUDES {
            let origin = include.origin.clone();
            return Err(SourceError::TooMany { origin, what: "files to include", max: MAX_INCLUDES });
        }
        self.includes += 1;
        self.files.push(path.clone());
        let place = Text::from(path.display().to_string());
        let included = Origin::new(format!("{place}, included at {}", include.origin));
        let unreadable = |error| SourceError::Unreadable { origin: included.clone(), error: Arc::new(error) };
        let text = read(&path).map_err(unreadable)?;
        let real = fs::canonicalize(&path).map_err(unreadable)?;
        if let Some(first) = self.chain.iter().position(|link| link.real == real) {
            let chain = self.chain[first..].iter().map(|link| link.shown.clone()).chain([place.to_string()]).collect();
            return Err(SourceError::IncludeCycle { origin: include.origin.clone(), chain });
        }
        if self.chain.len() > MAX_INCLUDE_DEPTH {
            let origin = include.origin.clone();
            return Err(SourceError::TooMany { origin, what: "includes in a chain", max: MAX_INCLUDE_DEPTH });
        }
        self.parse(&path, &place, included, None, &text)
    }

    /// What a file of this text says. `origin` is for what is wrong with the file as a whole.
    fn parse(
        &mut self,
        path: &FilePath,
        place: &Text,
        origin: Origin,
        format: Option<Format>,
        text: &[u8],
    ) -> Result<Document, SourceError> {
        let format = format.or_else(|| Format::of(path));
        let format = format.ok_or_else(|| SourceError::UnknownFormat { origin, known: Format::known() })?;
        let (includes, own) = format.read_within(place.clone(), text, self.variables, &mut self.budget)?;
        if includes.is_empty() {
            return Ok(own);
        }
        // It may have been replaced since it was read; the limits hold all the same.
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        self.chain.push(Link { real, shown: place.to_string() });
        let mut document = Document::default();
        for include in &includes {
            document.overlay(self.include(path, include)?);
        }
        self.chain.pop();
        document.overlay(own);
        Ok(document)
    }

    pub(super) fn into_files(self) -> Arc<[PathBuf]> {
        self.files.into()
    }
}

/// The file, or one byte more than is read.
fn read(path: &FilePath) -> io::Result<Vec<u8>> {
    // Opening a pipe would wait for whoever writes into it.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut text = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(all(test, feature = "toml", feature = "yaml", feature = "json"))]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::source::{FileSource, Source as _};

    /// A folder with these files in it.
    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a file")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        folder
    }

    fn load(folder: &TempDir, name: &str) -> Result<Document, SourceError> {
        FileSource::new(folder.path().join(name)).load()
    }

    /// What is wrong with a file, with paths from the folder on.
    fn error(folder: &TempDir, name: &str) -> String {
        let error = load(folder, name).expect_err("refused").to_string();
        error.replace(&format!("{}/", folder.path().display()), "")
    }

    fn origins(folder: &TempDir, document: &Document, paths: &[&str]) -> Vec<String> {
        let prefix = format!("{}/", folder.path().display());
        let origin = |path: &&str| document.origin(&path.parse().expect("a path")).expect("known").to_string();
        paths.iter().map(origin).map(|origin| origin.replace(&prefix, "")).collect()
    }

    #[test]
    fn a_file_lies_over_what_it_includes_and_later_includes_over_earlier_ones() {
        let folder = folder(&[
            ("main.toml", "include = [\"conf.d/a.yaml\", \"conf.d/b.json\"]\nmine = 1\n[shared]\nof = \"main\"\n"),
            ("conf.d/a.yaml", "shared: {of: a, a: 1, both: a}\nhidden: {by: scalar}\n"),
            (
                "conf.d/b.json",
                "{\"include\": [\"c.toml\"],\n\"shared\": {\"of\": \"b\", \"both\": \"b\"}, \"hidden\": 1}",
            ),
            ("conf.d/c.toml", "[shared]\nboth = \"c\"\nc = true\n"),
        ]);
        let document = load(&folder, "main.toml").expect("valid");
        assert_eq!(
            document.to_value().to_string(),
            r#"{"hidden":1,"mine":1,"shared":{"a":1,"both":"b","c":true,"of":"main"}}"#
        );
        assert_eq!(
            origins(&folder, &document, &["mine", "shared.of", "shared.a", "shared.both", "shared.c", "hidden"]),
            [
                "main.toml:2:8",
                "main.toml:4:6",
                "conf.d/a.yaml:1:20",
                "conf.d/b.json:2:31",
                "conf.d/c.toml:3:5",
                "conf.d/b.json:2:47"
            ]
        );
        assert_eq!(
            document.origin(&"hidden.by".parse().expect("a path")),
            document.origin(&"hidden".parse().expect("a path"))
        );
    }

    #[test]
    fn the_files_that_were_looked_for_are_known_also_after_a_failure() {
        let folder = folder(&[("a.json", r#"{"include":["b.json","c.json"]}"#), ("b.json", "{}")]);
        let source = FileSource::new(folder.path().join("a.json"));
        assert_eq!(*source.files(), [folder.path().join("a.json")]);
        assert!(source.load().is_err());
        assert_eq!(*source.files(), ["a.json", "b.json", "c.json"].map(|name| folder.path().join(name)));
    }

    #[test]
    fn a_file_may_be_included_twice_but_not_by_itself() {
        let files = [
            ("a.json", r#"{"include":["b.json","c.json"]}"#),
            ("b.json", r#"{"include":["d.json"]}"#),
            ("c.json", r#"{"include":["d.json"]}"#),
            ("d.json", r#"{"x":1}"#),
            ("self.json", r#"{"include":["./self.json"]}"#),
            ("top.json", r#"{"include":["x/loop.json"]}"#),
            ("x/loop.json", "{\"include\":[\n\"../y.json\"]}"),
            ("y.json", r#"{"include":["x/../x/loop.json"]}"#),
        ];
        let folder = folder(&files);
        assert_eq!(load(&folder, "a.json").expect("no cycle").to_value().to_string(), r#"{"x":1}"#);
        assert_eq!(error(&folder, "self.json"), "self.json:1:13: includes itself: self.json -> ./self.json");
        assert_eq!(
            error(&folder, "top.json"),
            "x/../y.json:1:13: includes itself: x/loop.json -> x/../y.json -> x/../x/../x/loop.json"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_cycle_through_a_link_is_one() {
        let folder = folder(&[("a.json", r#"{"include":["b.json"]}"#)]);
        std::os::unix::fs::symlink("a.json", folder.path().join("b.json")).expect("a link");
        assert_eq!(error(&folder, "a.json"), "a.json:1:13: includes itself: a.json -> b.json");
    }

    #[test]
    fn the_number_of_includes_and_their_chain_are_limited_at_the_exact_bound() {
        let chain = |len: usize| {
            let name = |number: usize| format!("{number}.json");
            let text = |number: usize| {
                if number == len { "{}".to_owned() } else { format!(r#"{{"include":["{}"]}}"#, name(number + 1)) }
            };
            let files: Vec<_> = (0..=len).map(|number| (name(number), text(number))).collect();
            folder(&files.iter().map(|(name, text)| (&**name, &**text)).collect::<Vec<_>>())
        };
        assert!(load(&chain(MAX_INCLUDE_DEPTH), "0.json").is_ok());
        assert_eq!(error(&chain(MAX_INCLUDE_DEPTH + 1), "0.json"), "8.json:1:13: more than 8 includes in a chain");
        let wide = |count: usize| {
            let text = format!(r#"{{"include":[{}]}}"#, vec![r#""b.json""#; count].join(","));
            folder(&[("a.json", &text), ("b.json", "{}")])
        };
        assert!(load(&wide(MAX_INCLUDES), "a.json").is_ok());
        assert_eq!(error(&wide(MAX_INCLUDES + 1), "a.json"), "a.json:1:589: more than 64 files to include");
    }

    #[test]
    fn included_files_share_one_budget_of_values() {
        let list = vec!["1"; 60_000].join(",");
        let folder = folder(&[
            ("a.json", &format!(r#"{{"include":["b.json"],"a":[{list}]}}"#)),
            ("b.json", &format!(r#"{{"b":[{list}]}}"#)),
        ]);
        assert_eq!(error(&folder, "a.json"), "b.json:1:79995: more than 100000 values");
        assert!(load(&folder, "b.json").is_ok());
    }

    #[test]
    fn an_include_that_cannot_be_read_says_where_it_is_included() {
        let folder = folder(&[
            ("a.json", "{\"include\":[\n \"b.json\"]}"),
            ("c.json", r#"{"include":["d.txt"]}"#),
            ("d.txt", ""),
            ("e.json", r#"{"include":["f.json"]}"#),
            ("f.json", "{\"x\": y}"),
            ("g.json", r#"{"include":"f.json"}"#),
            ("h.json", r#"{"include":["f.json", 7]}"#),
            ("i.json", r#"{"include":["."]}"#),
        ]);
        assert_eq!(error(&folder, "a.json"), "b.json, included at a.json:2:2: No such file or directory (os error 2)");
        assert_eq!(
            error(&folder, "c.json"),
            "d.txt, included at c.json:1:13: its extension is none of .toml, .yaml, .yml, .json"
        );
        assert_eq!(error(&folder, "e.json"), "f.json:1:7: expected value");
        assert_eq!(error(&folder, "g.json"), "g.json:1:12: include: expected a list of paths, found a text");
        assert_eq!(error(&folder, "h.json"), "h.json:1:23: include: expected a list of paths, found an integer");
        assert!(error(&folder, "i.json").ends_with(", included at i.json:1:13: not a regular file"));
    }

    #[test]
    fn only_regular_files_of_known_formats_are_read() {
        let folder = folder(&[("a", "x = 1"), ("big.json", &" ".repeat(MAX_FILE_BYTES + 1))]);
        assert_eq!(error(&folder, "a"), "a: its extension is none of .toml, .yaml, .yml, .json");
        let explicit = FileSource::new(folder.path().join("a")).format(Format::Toml).load().expect("TOML");
        assert_eq!(explicit.to_value().to_string(), r#"{"x":1}"#);
        assert_eq!(error(&folder, "big.json"), "big.json: longer than 1048576 bytes");
        fs::create_dir(folder.path().join("d.json")).expect("a folder");
        assert_eq!(error(&folder, "d.json"), "d.json: not a regular file");
        #[cfg(unix)]
        assert_eq!(
            FileSource::new("/dev/zero").format(Format::Json).load().expect_err("endless").to_string(),
            "/dev/zero: not a regular file"
        );
    }
}
