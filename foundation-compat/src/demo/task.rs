//! Tasks, and what agents and coordinator say to each other about them.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use foundation_types::OwnerId;

use super::chaos::Fate;
use super::language::Language;
use super::ledger::Blame;
use super::review::score::Findings;
use super::survey::{Counts, SkipReason};

/// Names a task. It follows from the path relative to the input alone, so a file has the same id in every run, and in
/// the hands of every agent.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TaskId([u8; 16]);

impl TaskId {
    pub(super) fn of_directory(path: &Path) -> Self {
        Self::derive(b"directory\0", path)
    }

    pub(super) fn of_file(path: &Path) -> Self {
        Self::derive(b"file\0", path)
    }

    fn derive(kind: &[u8], path: &Path) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(kind).update(path.as_os_str().as_encoded_bytes());
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        Self(id)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The contents of a file of at most [`INLINE_LIMIT`](super::settings::INLINE_LIMIT) bytes.
pub(super) type Contents = Bytes;

/// The contents of a file that is no binary one.
#[derive(Clone, Debug)]
pub(super) enum Text {
    /// In memory.
    Here(Contents),
    /// Too many to be held.
    Large,
    /// In an encoding of several bytes a unit.
    Wide,
}

impl Text {
    /// The contents, if they are in memory.
    pub(super) const fn contents(&self) -> Option<&Contents> {
        match self {
            Self::Here(contents) => Some(contents),
            Self::Large | Self::Wide => None,
        }
    }
}

/// What a reader finds out about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileRecord {
    pub(super) bytes: u64,
    pub(super) hash: [u8; 32],
}

/// What is to be done about a path.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// List a directory.
    Scan,
    /// Read and hash a file of about this size.
    Read { size: u64 },
    /// Count the lines of a file that was read; if its text is not here, from its path.
    Count { language: Language, text: Text, record: FileRecord },
    /// Have the text of a file that was counted reviewed.
    Review { text: Contents },
}

/// A task in the hands of an agent.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    pub(super) id: TaskId,
    /// Relative to the input.
    pub(super) path: Arc<Path>,
    pub(super) job: Job,
    /// What chaos does to the agent in the middle of it.
    pub(super) fate: Option<Fate>,
}

/// What an agent is given at once; it works through it in order.
pub(super) type Batch = Vec<Assignment>;

/// What an agent says.
#[derive(Debug)]
pub(super) struct Message {
    /// The life that says it. An agent restarted under the same name is another one.
    pub(super) from: OwnerId,
    pub(super) report: Report,
}

#[derive(Debug)]
pub(super) enum Report {
    /// It is registered and idle. `worked` is the time it took for its last batch.
    Ready { worked: Duration },
    /// Some entries of the directory that it is listing.
    Found { directory: TaskId, entries: Vec<Found> },
    /// A task is done.
    Finished { task: TaskId, outcome: Outcome },
}

/// An entry of a directory.
#[derive(Debug)]
pub(super) struct Found {
    /// Relative to the input.
    pub(super) path: Arc<Path>,
    pub(super) kind: FoundKind,
}

#[derive(Debug)]
pub(super) enum FoundKind {
    Directory,
    File { size: u64 },
    Skipped(SkipReason),
}

/// How a task ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// All entries of the directory were reported.
    Scanned,
    /// The file was read.
    Read(ReadFile),
    /// Its lines were counted.
    Counted(LineCounts),
    /// Its text was reviewed.
    Reviewed(Findings),
    /// It cannot be done now; perhaps later.
    Returned(GivenBack),
    /// It cannot be done.
    Skipped(SkipReason),
}

/// Why an agent gave a task back.
#[derive(Debug)]
pub(super) struct GivenBack {
    pub(super) reason: String,
    pub(super) blame: Blame,
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct ReadFile {
    pub(super) record: FileRecord,
    pub(super) kind: FileKind,
}

/// What kind of file it turned out to be.
#[derive(Debug)]
pub(super) enum FileKind {
    /// Text of a known language.
    Source { language: Language, text: Text },
    /// Text of no known language.
    Other { text: Text },
    /// No text.
    Binary,
}

/// The lines of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LineCounts {
    /// All of them.
    pub(super) all: Counts,
    /// Those in languages embedded in that of the file.
    pub(super) embedded: Counts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_follows_from_kind_and_path() {
        let path = Path::new("src/lib.rs");
        assert_eq!(TaskId::of_file(path), TaskId::of_file(path));
        assert_ne!(TaskId::of_file(path), TaskId::of_directory(path));
        assert_ne!(TaskId::of_file(path), TaskId::of_file(Path::new("src/lib.r")));
    }
}
