//! Named steps that run in order, are timed, and stop at the first failure.

use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use xshell::Cmd;

use crate::command;
use crate::totals::Totals;

/// One step of a run over `C`, the state all steps share.
pub(crate) struct Step<C> {
    /// What `--only` selects it by.
    pub(crate) name: &'static str,
    /// What it checks, in a few words.
    pub(crate) about: &'static str,
    pub(crate) run: fn(&C) -> Result<Outcome, Failure>,
}

/// How a step that did not fail ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed(Totals),
    /// Not run, and why; the reason says how to have it run.
    LeftOut(String),
}

impl Outcome {
    /// A step that executes no tests and found nothing.
    pub(crate) const CLEAN: Self = Self::Passed(Totals { passed: 0, failed: 0 });
}

/// Why a step failed and how to see it again.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What was found, empty where the command already printed it.
    pub(crate) findings: Vec<String>,
    /// The command to copy; none stands for the step itself.
    pub(crate) rerun: Option<String>,
    pub(crate) totals: Totals,
}

impl Failure {
    /// `Ok` when nothing was found.
    pub(crate) fn unless_empty(findings: Vec<String>) -> Result<Outcome, Self> {
        if findings.is_empty() {
            Ok(Outcome::CLEAN)
        } else {
            Err(Self { findings, rerun: None, totals: Totals::default() })
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { findings: vec![format!("{error:#}")], rerun: None, totals: Totals::default() }
    }
}

/// Runs one command of a step; its tests count whether it succeeds or not.
pub(crate) fn execute(cmd: Cmd<'_>) -> Result<Totals, Failure> {
    let command = Command::from(cmd);
    let line = command::line(&command);
    println!("$ {line}");
    let finished = command::run(command)?;
    let totals = Totals::parse(&finished.output);
    if finished.success { Ok(totals) } else { Err(Failure { findings: Vec::new(), rerun: Some(line), totals }) }
}

/// What became of a run: one row a step, and the totals of all tests.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    totals: Totals,
    failed: bool,
}

#[derive(Debug)]
struct Row {
    name: &'static str,
    about: &'static str,
    result: String,
    elapsed: Option<Duration>,
}

impl Report {
    /// Runs `steps` in order, printing each as it begins, until one fails.
    pub(crate) fn of<C>(steps: &[&Step<C>], context: &C) -> Self {
        let mut report = Self::default();
        for (index, step) in steps.iter().enumerate() {
            if report.failed {
                report.rows.push(Row {
                    name: step.name,
                    about: step.about,
                    result: "not reached".into(),
                    elapsed: None,
                });
                continue;
            }
            println!("\n== {}/{} {}: {}", index + 1, steps.len(), step.name, step.about);
            let begun = Instant::now();
            let outcome = (step.run)(context);
            report.record(step.name, step.about, outcome, begun.elapsed());
        }
        report
    }

    fn record(
        &mut self,
        name: &'static str,
        about: &'static str,
        outcome: Result<Outcome, Failure>,
        elapsed: Duration,
    ) {
        let result = match outcome {
            Ok(Outcome::Passed(totals)) => {
                self.totals += totals;
                if totals.any() { totals.to_string() } else { "ok".into() }
            }
            Ok(Outcome::LeftOut(reason)) => {
                println!("left out: {reason}");
                format!("left out: {reason}")
            }
            Err(failure) => {
                self.failed = true;
                self.totals += failure.totals;
                for finding in &failure.findings {
                    println!("error: {finding}");
                }
                let rerun = failure.rerun.unwrap_or_else(|| format!("cargo xtask ci --only {name}"));
                println!("\nstep `{name}` failed; to see it again:\n\n    {rerun}");
                if failure.totals.any() { format!("FAILED, {}", failure.totals) } else { "FAILED".into() }
            }
        };
        self.rows.push(Row { name, about, result, elapsed: Some(elapsed) });
    }

    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// The totals of all tests. A failure outside any test (a format, a lint, a build) counts as one, so that a failed
    /// run never ends on `0 failed`.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = self.totals;
        if self.failed && totals.failed == 0 {
            totals.failed = 1;
        }
        totals
    }

    /// One row a step with its time, and the time of them all.
    pub(crate) fn table(&self) -> String {
        let name_width = self.rows.iter().map(|row| row.name.len()).chain([5]).max().unwrap_or(5);
        let about_width = self.rows.iter().map(|row| row.about.len()).max().unwrap_or(0);
        let mut table = String::new();
        for row in &self.rows {
            let elapsed = row.elapsed.map_or_else(|| "-".into(), seconds);
            let (name, about, result) = (row.name, row.about, &row.result);
            // Writing to a `String` cannot fail.
            let _ = writeln!(table, "{name:name_width$}  {elapsed:>8}  {about:about_width$}  {result}");
        }
        let total = self.rows.iter().filter_map(|row| row.elapsed).sum();
        let _ = writeln!(table, "{:name_width$}  {:>8}", "total", seconds(total));
        table
    }
}

fn seconds(elapsed: Duration) -> String {
    let tenths = elapsed.as_millis() / 100;
    if tenths < 600 {
        format!("{}.{} s", tenths / 10, tenths % 10)
    } else {
        let whole = tenths / 10;
        format!("{}m {:02}s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSES: Step<()> =
        Step { name: "tests", about: "unit tests", run: |()| Ok(Outcome::Passed(Totals { passed: 7, failed: 0 })) };
    const LEFT_OUT: Step<()> =
        Step { name: "licences", about: "licences", run: |()| Ok(Outcome::LeftOut("not installed".into())) };
    const FAILS_A_TEST: Step<()> = Step {
        name: "docs",
        about: "doc tests",
        run: |()| {
            Err(Failure {
                findings: Vec::new(),
                rerun: Some("cargo test --doc".into()),
                totals: Totals { passed: 1, failed: 2 },
            })
        },
    };
    const FAILS_A_RULE: Step<()> =
        Step { name: "rules", about: "rules", run: |()| Failure::unless_empty(vec!["a depends on b".into()]) };

    #[test]
    fn totals_of_all_steps_add_up() {
        let report = Report::of(&[&PASSES, &LEFT_OUT, &PASSES], &());
        assert!(!report.failed());
        assert_eq!(report.totals(), Totals { passed: 14, failed: 0 });
        assert!(report.table().contains("left out: not installed"), "{}", report.table());
    }

    #[test]
    fn the_first_failure_stops_the_run_and_its_tests_count() {
        let report = Report::of(&[&PASSES, &FAILS_A_TEST, &PASSES], &());
        assert!(report.failed());
        assert_eq!(report.totals(), Totals { passed: 8, failed: 2 });
        assert!(report.table().contains("FAILED, 1 passed, 2 failed"), "{}", report.table());
        assert!(report.table().contains("not reached"), "{}", report.table());
    }

    #[test]
    fn a_failure_outside_any_test_counts_as_one() {
        let report = Report::of(&[&PASSES, &FAILS_A_RULE], &());
        assert!(report.failed());
        assert_eq!(report.totals(), Totals { passed: 7, failed: 1 });
    }

    #[test]
    fn nothing_found_is_clean() {
        assert!(matches!(Failure::unless_empty(Vec::new()), Ok(Outcome::Passed(totals)) if !totals.any()));
    }

    #[test]
    fn times_read_in_seconds_then_minutes() {
        assert_eq!(seconds(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(61)), "1m 01s");
    }
}
