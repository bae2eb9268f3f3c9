//! Scouts list directories.

use std::fs::FileType;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ignore::{DirEntry, WalkBuilder};

use super::super::survey::SkipReason;
use super::super::task::{Found, FoundKind, Outcome, Report, TaskId};
use super::{Desk, Quit};

/// Entries that are reported at once.
const CHUNK: usize = 256;

/// Lists one directory, without those below it. Hidden entries, and those that an ignore file here or above excludes, do not
/// exist for it.
pub(super) fn list(desk: &Desk<'_>, directory: TaskId, path: &Path) -> Result<Outcome, Quit> {
    let walk = WalkBuilder::new(desk.input().join(path)).max_depth(Some(1)).build();
    let mut entries = Vec::new();
    for entry in walk {
        let found = match entry {
            Ok(entry) if entry.depth() == 0 => continue,
            Ok(entry) => found(desk.input(), &entry),
            Err(error) => Found { path: path_of(&error, desk.input(), path), kind: FoundKind::Skipped(reason(&error)) },
        };
        entries.push(found);
        if entries.len() == CHUNK {
            desk.agent.say(Report::Found { directory, entries: std::mem::take(&mut entries) })?;
            desk.carry_on(0)?;
        }
    }
    desk.suffer()?;
    if !entries.is_empty() {
        desk.agent.say(Report::Found { directory, entries })?;
    }
    Ok(Outcome::Scanned)
}

fn found(input: &Path, entry: &DirEntry) -> Found {
    let path = entry.path().strip_prefix(input).expect("the walk began below the input").into();
    let kind = match entry.file_type() {
        Some(kind) if kind.is_dir() => FoundKind::Directory,
        Some(kind) if kind.is_file() => match entry.metadata() {
            Ok(metadata) => FoundKind::File { size: metadata.len() },
            Err(error) => FoundKind::Skipped(reason(&error)),
        },
        kind if kind.as_ref().is_some_and(FileType::is_symlink) => FoundKind::Skipped(SkipReason::SymbolicLink),
        _ => FoundKind::Skipped(SkipReason::NotRegular),
    };
    Found { path, kind }
}

fn reason(error: &ignore::Error) -> SkipReason {
    match error.io_error() {
        Some(error) => SkipReason::of(error),
        None => SkipReason::of(&io::Error::other(error.to_string())),
    }
}

/// The path that a walk failed at, if it says, otherwise the directory it was about.
fn path_of(error: &ignore::Error, input: &Path, directory: &Path) -> Arc<Path> {
    match error {
        ignore::Error::WithPath { path, .. } => path.strip_prefix(input).unwrap_or(directory).into(),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err, input, directory)
        }
        _ => directory.into(),
    }
}
