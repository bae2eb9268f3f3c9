//! Reviews in the report, and what stood between reviewers and the service.

use std::fmt::Write as _;

use foundation_breaker::State;

use super::super::review::score::BEST_SCORE;
use super::super::review::summary::{BreakerSummary, LeftOut, LimiterSummary};
use super::super::survey::Survey;
use super::figures::{count, numbered, seconds, shorten};
use super::table::{Align, Table};
use super::{PATH_WIDTH, SKIPPED_SHOWN};

/// Changes of a circuit that the text lists; the JSON form has more.
const CHANGES_SHOWN: usize = 12;

/// The word for a state in which a circuit is now.
pub(in super::super) const fn circuit_state(state: State) -> &'static str {
    match state {
        State::Closed => "closed",
        State::Open => "opened",
        State::HalfOpen => "half-open",
        State::ForcedOpen => "held open",
        _ => "changed",
    }
}

/// The texts with the lowest scores.
pub(super) fn worst_files(survey: &Survey) -> Table {
    use Align::{Left, Right};
    let mut table = Table::new([
        ("Lowest scores", Left),
        ("Score", Right),
        ("Lines", Right),
        ("Long", Right),
        ("Deep", Right),
        ("Marked", Right),
        ("Trailing", Right),
    ]);
    for file in &survey.reviews.worst_files {
        let found = file.findings;
        let [score, lines, long, deep, marked, trailing] =
            [file.score, found.lines, found.long, found.deep, found.marked, found.trailing].map(count);
        table.row([shorten(&file.path, PATH_WIDTH), score, lines, long, deep, marked, trailing]);
    }
    table
}

/// All about reviews in a few lines; nothing if there was nothing to review.
pub(super) fn summary(survey: &Survey) -> String {
    let mut text = results(survey);
    for breaker in &survey.breakers {
        text.push_str(&circuit(breaker));
    }
    for limiter in &survey.limiters {
        text.push_str(&limits(limiter));
    }
    for pool in &survey.pools {
        // Here and below: writing to a string does not fail.
        let _ = write!(
            text,
            "Pool {}: {}, lent {}",
            pool.name,
            numbered(pool.size as u64, "connection", "connections"),
            numbered(pool.checkouts, "time", "times")
        );
        if pool.retired + pool.create_failed + pool.timeouts > 0 {
            let [retired, failed, timeouts] = [pool.retired, pool.create_failed, pool.timeouts].map(count);
            let _ = write!(text, "; {retired} given up, {failed} not made, {timeouts} not free in time");
        }
        text.push('\n');
    }
    text
}

/// What a limiter did; nothing if it was not asked and limits nothing.
fn limits(limiter: &LimiterSummary) -> String {
    let LimiterSummary { name, per_second, allowed, denied, .. } = limiter;
    if allowed + denied + u64::from(*per_second) == 0 {
        return String::new();
    }
    let rate = match per_second {
        0 => "at the rates of single agents".to_owned(),
        rate => format!("at {} a second", count((*rate).into())),
    };
    format!("Limiter {name}: {} let through, {} put off, {rate}\n", count(*allowed), count(*denied))
}

fn results(survey: &Survey) -> String {
    let reviews = &survey.reviews;
    let grades = reviews.grades;
    let mut text = format!("Reviews: {} done", count(reviews.done));
    if reviews.failed > 0 {
        let _ = write!(text, ", {} FAILED", count(reviews.failed));
    }
    let _ = write!(text, "; attempts refused {}, retried {}", count(reviews.refused), count(reviews.retried));
    if reviews.returned > 0 {
        let _ = write!(text, ", texts given back {}", count(reviews.returned));
    }
    text.push_str(&left_out(reviews.left_out));
    if reviews.done > 0 {
        let [excellent, good, fair, poor] = [grades.excellent, grades.good, grades.fair, grades.poor].map(count);
        let _ = write!(
            text,
            "\nScores, of {BEST_SCORE}: {excellent} texts from 90, {good} from 75, {fair} from 50, {poor} below"
        );
    }
    text.push('\n');
    for failure in reviews.failures.iter().take(SKIPPED_SHOWN) {
        let _ = writeln!(text, "  {}: {}", failure.path, failure.reason);
    }
    let more = reviews.failed.saturating_sub(SKIPPED_SHOWN as u64);
    if more > 0 {
        let _ = writeln!(text, "  and {} more; `--report json` lists them", count(more));
    }
    text
}

fn left_out(LeftOut { binary, large, wide }: LeftOut) -> String {
    let kinds = [(binary, "binary"), (large, "above 1 MiB"), (wide, "in UTF-16 or UTF-32")];
    let kinds: Vec<_> = kinds
        .into_iter()
        .filter(|(files, _)| *files > 0)
        .map(|(files, kind)| format!("{} {kind}", count(files)))
        .collect();
    if kinds.is_empty() { String::new() } else { format!("; left out {}", kinds.join(", ")) }
}

fn circuit(breaker: &BreakerSummary) -> String {
    let state = match breaker.state {
        State::Open => "open",
        state => circuit_state(state),
    };
    let mut text = format!(
        "Circuit {}: {state}; opened {}, {} refused, {} failed\n",
        breaker.name,
        numbered(breaker.opened, "time", "times"),
        numbered(breaker.rejected, "call", "calls"),
        count(breaker.failed)
    );
    for change in breaker.history.iter().take(CHANGES_SHOWN) {
        let reason = change.reason.as_deref().unwrap_or_default().replace('_', " ");
        let line = format!("  {:>8}  {:<9}  {reason}", seconds(change.at_ms), circuit_state(change.state));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let more = breaker.changes.saturating_sub(CHANGES_SHOWN as u64);
    if more > 0 {
        let _ = writeln!(text, "  and {} more changes; `--report json` lists them", count(more));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::super::review::summary::CircuitChange;
    use super::*;

    #[test]
    fn a_circuit_is_told_with_its_history() {
        let change =
            |at_ms, state, reason: Option<&str>| CircuitChange { at_ms, state, reason: reason.map(str::to_owned) };
        let mut breaker = BreakerSummary {
            name: "reviews".to_owned(),
            state: State::Closed,
            opened: 1,
            rejected: 12,
            succeeded: 100,
            failed: 3,
            history: vec![
                change(113, State::Open, Some("probe_failed")),
                change(170, State::HalfOpen, None),
                change(1171, State::Closed, Some("recovered")),
            ],
            changes: 3,
        };
        let lines = [
            "Circuit reviews: closed; opened 1 time, 12 calls refused, 3 failed",
            "    0.11 s  opened     probe failed",
            "    0.17 s  half-open",
            "    1.17 s  closed     recovered",
            "",
        ];
        assert_eq!(circuit(&breaker), lines.join("\n"));
        breaker.history = vec![change(1, State::HalfOpen, None); CHANGES_SHOWN + 1];
        breaker.changes = 300;
        assert!(circuit(&breaker).ends_with("\n  and 288 more changes; `--report json` lists them\n"));
    }

    #[test]
    fn only_what_was_left_out_is_told() {
        assert_eq!(left_out(LeftOut::default()), "");
        assert_eq!(left_out(LeftOut { binary: 2, large: 0, wide: 1 }), "; left out 2 binary, 1 in UTF-16 or UTF-32");
    }
}
