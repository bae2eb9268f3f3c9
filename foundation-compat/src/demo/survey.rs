//! What a survey finds.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::{fmt, io};

use serde::{Serialize, Serializer};

use super::config::ConfigSummary;
use super::review::summary::{BreakerSummary, LimiterSummary, PoolSummary, ReviewTotals};
use crate::lifecycle::ShutdownReport;

/// The result of a survey. Its serialised form is the JSON report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Survey {
    /// The directory, as an absolute path.
    pub input: String,
    /// Whether every file was counted, and every text reviewed; otherwise [`skipped`](Self::skipped) and
    /// [`ReviewTotals::failures`] say which were not.
    pub complete: bool,
    /// Directories listed, the input included.
    pub directories: u64,
    /// Files counted.
    pub files: u64,
    /// The sum of their sizes.
    pub bytes: u64,
    /// Files and lines by language.
    pub languages: BTreeMap<&'static str, LanguageTotals>,
    /// Files of no known language, and binary ones.
    pub other: OtherFiles,
    /// The files with the most lines of code, largest first.
    pub top_files: Vec<TopFile>,
    /// What was found and not counted, by path.
    pub skipped: Vec<Skipped>,
    /// How much that was; more than the list is long if that had to be cut.
    pub skipped_count: u64,
    /// The exclusive or, over all files, of the BLAKE3 hash of each file's path and contents. Equal trees have equal digests,
    /// in whatever order they were read. It finds differences; it does not withstand forgers.
    pub digest: Digest,
    /// What came of the reviews.
    pub reviews: ReviewTotals,
    /// The circuit breakers that calls went through.
    pub breakers: Vec<BreakerSummary>,
    /// The rate limiters.
    pub limiters: Vec<LimiterSummary>,
    /// The pools of connections.
    pub pools: Vec<PoolSummary>,
    /// Who did the work.
    pub agents: Vec<AgentSummary>,
    /// How long it took.
    pub elapsed_ms: u64,
    /// What went wrong on the way, by chaos or on its own.
    pub chaos: ChaosSummary,
    /// What the supervisor of the fleet did.
    pub lifecycle: LifecycleSummary,
    /// What became of the settings on the way.
    pub config: ConfigSummary,
    /// If the survey was stopped early, what was known to be left to do.
    pub left: Option<Left>,
}

/// What the supervisors did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LifecycleSummary {
    /// How many services there were: agents, and what they work with.
    pub services: u64,
    /// How often one was started again.
    pub restarts: u64,
    /// The services that did not stop in time when they were ended, in order; a service may be there more than once. The list
    /// ends after [`MAX_ABANDONED_LISTED`](super::settings::MAX_ABANDONED_LISTED).
    pub abandoned: Vec<String>,
    /// The services that were stopped at the end, in that order.
    pub stopped: Vec<String>,
    /// How long that took, in milliseconds.
    pub stopped_in_ms: u64,
}

impl LifecycleSummary {
    /// Takes the end of some services into account.
    pub(super) fn add(&mut self, report: &ShutdownReport) {
        self.services += report.services.len() as u64;
        self.stopped.extend(report.services.iter().map(|(name, _)| name.to_string()));
        self.stopped_in_ms += u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX);
    }
}

/// What was left to do when a survey was stopped early, as far as was known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Left {
    /// Directories that were not listed to the end. What is in them is not known.
    pub directories: u64,
    /// Files that were not read.
    pub unread: u64,
    /// Files that were read, and whose lines were not counted.
    pub uncounted: u64,
    /// Files that were counted, and whose texts were not reviewed.
    pub unreviewed: u64,
}

/// Numbers of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// All lines: the sum of the others.
    pub lines: u64,
    /// Lines with code.
    pub code: u64,
    /// Lines with nothing but comments.
    pub comments: u64,
    /// Lines with nothing but blanks.
    pub blanks: u64,
}

impl Counts {
    /// The counts with these parts.
    pub const fn new(code: u64, comments: u64, blanks: u64) -> Self {
        Self { lines: code + comments + blanks, code, comments, blanks }
    }

    /// These lines but for those of `part`, which belong to them.
    pub(super) const fn without(self, part: Self) -> Self {
        Self::new(self.code - part.code, self.comments - part.comments, self.blanks - part.blanks)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.code += other.code;
        self.comments += other.comments;
        self.blanks += other.blanks;
    }
}

/// What there is of a language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LanguageTotals {
    /// Its files.
    pub files: u64,
    /// Their lines. As tokei counts them, all for the language of the file.
    #[serde(flatten)]
    pub counts: Counts,
    /// Those of the lines that are in other languages inside the files, such as the Markdown of doc comments. tokei shows
    /// them apart; its own row of the language is the rest.
    pub embedded: Counts,
}

/// Files that count as files and bytes, but have no lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OtherFiles {
    /// All of them.
    pub files: u64,
    /// The sum of their sizes.
    pub bytes: u64,
    /// Those that are binary.
    pub binary: u64,
}

/// One of the largest files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TopFile {
    /// Its path, relative to the input; bytes that are no text are replaced.
    pub path: String,
    /// Its language.
    pub language: &'static str,
    /// Its lines of code.
    pub code: u64,
}

/// An entry of the tree that was not counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Skipped {
    /// Its path, relative to the input; bytes that are no text are replaced.
    pub path: String,
    /// Why.
    pub reason: SkipReason,
}

/// Why something was not counted. The serialised form is the text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// A symbolic link, which is not followed: what it points to counts where it lies, and links can form loops.
    SymbolicLink,
    /// A pipe, socket or device.
    NotRegular,
    /// It was gone when its turn came.
    Vanished,
    /// The operating system refused to read it; what it said.
    Unreadable(String),
    /// So many agents died of it or hung in it.
    GivenUp {
        /// How many.
        attempts: u8,
    },
}

impl SkipReason {
    /// The reason why reading failed with `error`.
    pub(super) fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Vanished,
            _ => Self::Unreadable(error.to_string()),
        }
    }

    /// Whether a file, or a directory of files, is missing from the counts. What is no regular file never belongs there.
    pub const fn is_loss(&self) -> bool {
        !matches!(self, Self::SymbolicLink | Self::NotRegular)
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SymbolicLink => f.write_str("symbolic link, not followed"),
            Self::NotRegular => f.write_str("not a regular file"),
            Self::Vanished => f.write_str("vanished"),
            Self::Unreadable(message) => write!(f, "unreadable: {message}"),
            Self::GivenUp { attempts } => write!(f, "given up: {attempts} agents died of it or hung in it"),
        }
    }
}

impl Serialize for SkipReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What an agent has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AgentSummary {
    /// Its name, which it keeps over restarts.
    pub id: String,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// Tasks whose result was taken from it: directories for scouts, files for the others.
    pub tasks: u64,
    /// How often it died and was started anew.
    pub restarts: u64,
}

/// What went wrong, by chaos or on its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ChaosSummary {
    /// The seed of the chaos, if there was any.
    pub seed: Option<u64>,
    /// Agents that were killed while they worked.
    pub killed: u64,
    /// Agents that panicked.
    pub panicked: u64,
    /// Agents that showed no progress for longer than the task timeout, and were ended for it.
    pub hung: u64,
    /// Tasks that were slowed down.
    pub slowed: u64,
    /// Tasks taken from dead agents and given to others.
    pub reassigned: u64,
    /// Results that came from agents after their task had been taken from them.
    pub discarded: u64,
}

/// 256 bits that identify a tree; see [`Survey::digest`]. Shown and serialised in hexadecimal.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Takes one more file into account.
    pub(super) fn add(&mut self, path: &[u8], contents_hash: &[u8; 32]) {
        let mut hasher = blake3::Hasher::new();
        // The hash has a fixed length, so the two parts cannot be mistaken for each other.
        hasher.update(contents_hash).update(path);
        for (byte, more) in self.0.iter_mut().zip(hasher.finalize().as_bytes()) {
            *byte ^= more;
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
