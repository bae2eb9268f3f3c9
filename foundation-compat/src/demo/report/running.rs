//! What went on beside the work: services, settings, and the end if it came early.

use std::fmt::Write as _;

use super::super::config::{ConfigChange, ConfigSummary, Rejection};
use super::super::survey::{Left, LifecycleSummary};
use super::figures::{count, numbered, seconds};

/// Changes of settings that the text lists; the JSON form has more.
const CHANGES_SHOWN: usize = 12;

/// What the supervisors did.
pub(super) fn services(lifecycle: &LifecycleSummary) -> String {
    let mut text = format!(
        "Services: {} stopped in order in {}; {}",
        count(lifecycle.stopped.len() as u64),
        seconds(lifecycle.stopped_in_ms),
        numbered(lifecycle.restarts, "restart", "restarts")
    );
    if !lifecycle.abandoned.is_empty() {
        let mut names = lifecycle.abandoned.clone();
        names.sort();
        names.dedup();
        let times = numbered(lifecycle.abandoned.len() as u64, "time", "times");
        // Writing to a string does not fail.
        let _ = write!(text, "; not stopped in time {times}: {}", names.join(", "));
    }
    text.push('\n');
    text
}

/// What became of the settings; nothing if they are what they were.
pub(super) fn settings(config: &ConfigSummary) -> String {
    if config.changes_count + config.rejected_count == 0 {
        return String::new();
    }
    let mut text = format!(
        "Settings: version {}; {}, {} refused\n",
        count(config.version),
        numbered(config.changes_count, "change", "changes"),
        count(config.rejected_count)
    );
    let changes = config.changes.iter().map(|change| (change.at_ms, changed(change)));
    let rejected = config.rejected.iter().map(|rejection| (rejection.at_ms, refused(rejection)));
    let mut lines: Vec<_> = changes.chain(rejected).collect();
    lines.sort_by_key(|(at_ms, _)| *at_ms);
    for (at_ms, line) in lines.iter().take(CHANGES_SHOWN) {
        // Here and below: writing to a string does not fail.
        let _ = writeln!(text, "  {:>8}  {line}", seconds(*at_ms));
    }
    let more = (config.changes_count + config.rejected_count).saturating_sub(CHANGES_SHOWN as u64);
    if more > 0 {
        let _ = writeln!(text, "  and {} more; `--report json` lists them", count(more));
    }
    text
}

fn changed(change: &ConfigChange) -> String {
    let ConfigChange { version, path, layer, value, .. } = change;
    match value {
        Some(value) => format!("version {version:<3} {path} = {} ({layer})", value.plain()),
        None => format!("version {version:<3} {path} taken back ({layer})"),
    }
}

fn refused(rejection: &Rejection) -> String {
    format!("refused     {}", rejection.reason)
}

/// What was left to do, and how to go on.
pub(super) fn left(left: &Left) -> String {
    let parts = [
        (left.directories, "directory not listed", "directories not listed"),
        (left.unread, "file not read", "files not read"),
        (left.uncounted, "file not counted", "files not counted"),
        (left.unreviewed, "text not reviewed", "texts not reviewed"),
    ];
    let parts: Vec<_> =
        parts.into_iter().filter(|(number, ..)| *number > 0).map(|(n, one, many)| numbered(n, one, many)).collect();
    format!("Stopped early: {}. Nothing is kept: the same command begins anew.\n", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_left_is_told() {
        let some = Left { unread: 1, unreviewed: 1200, ..Left::default() };
        assert_eq!(
            left(&some),
            "Stopped early: 1 file not read, 1,200 texts not reviewed. Nothing is kept: the same command begins anew.\n"
        );
    }

    #[test]
    fn settings_that_are_what_they_were_are_not_told() {
        assert_eq!(settings(&ConfigSummary::default()), "");
    }
}
