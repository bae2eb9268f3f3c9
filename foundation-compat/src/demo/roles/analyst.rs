//! Analysts count lines.

use std::path::PathBuf;

use super::super::language::Language;
use super::super::survey::SkipReason;
use super::super::task::Outcome;
use super::{Desk, Quit};

/// Counts the lines of a file of so many bytes: those of its contents, or, if they are not at hand, those of the file itself.
pub(super) fn count(
    desk: &Desk<'_>,
    language: Language,
    contents: Option<&[u8]>,
    bytes: u64,
    file: impl FnOnce() -> PathBuf,
) -> Result<Outcome, Quit> {
    desk.carry_on(bytes)?;
    desk.suffer()?;
    Ok(match contents {
        Some(contents) => Outcome::Counted(language.count(contents)),
        None => match language.count_file(file()) {
            Ok(lines) => Outcome::Counted(lines),
            Err(error) => Outcome::Skipped(SkipReason::of(&error)),
        },
    })
}
