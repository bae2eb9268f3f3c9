//! How many tests passed and failed, read from what the test runners print.

use std::fmt;
use std::ops::AddAssign;

/// Counts of executed tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Totals {
    /// Adds up the summaries of one command's output, whether cargo test or cargo-nextest ran the tests.
    pub(crate) fn parse(output: &str) -> Self {
        let mut by_libtest = Self::default();
        let mut by_nextest = None;
        for line in output.lines() {
            let line = without_colours(line);
            let line = line.trim_start();
            if let Some(summary) = line.strip_prefix("test result:") {
                by_libtest += libtest(summary);
            } else if let Some(summary) = line.strip_prefix("Summary [") {
                *by_nextest.get_or_insert_default() += nextest(summary);
            }
        }
        // Nextest repeats the output of failed tests, which has a summary of libtest for each.
        by_nextest.unwrap_or(by_libtest)
    }

    /// Whether any test was executed.
    pub(crate) fn any(self) -> bool {
        self.passed + self.failed > 0
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// ` FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s`
fn libtest(summary: &str) -> Totals {
    let counts = summary.split_once('.').map_or(summary, |(_, counts)| counts);
    tally(counts.split(';'))
}

/// `   0.012s] 5 tests run: 3 passed (1 slow), 1 failed, 1 timed out, 2 skipped`
fn nextest(summary: &str) -> Totals {
    let counts = summary.split_once("run:").map_or("", |(_, counts)| counts);
    let mut depth = 0_u32;
    let flat = counts.chars().filter(|&c| match c {
        '(' => {
            depth += 1;
            false
        }
        ')' => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => depth == 0,
    });
    tally(flat.collect::<String>().split(','))
}

fn tally<'a>(counts: impl Iterator<Item = &'a str>) -> Totals {
    let mut totals = Totals::default();
    for count in counts {
        let Some((number, what)) = count.trim().split_once(' ') else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        match what.trim() {
            "passed" => totals.passed += number,
            "failed" | "exec failed" | "timed out" => totals.failed += number,
            _ => {}
        }
    }
    totals
}

fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // A colour sequence is `ESC [ parameters letter`.
            chars.by_ref().skip(1).find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtest_summaries_of_all_binaries_add_up() {
        let output = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 1 passed; 2 failed; 1 ignored; 0 measured; 4 filtered out; finished in 1.20s\n";
        assert_eq!(Totals::parse(output), Totals { passed: 4, failed: 2 });
    }

    #[test]
    fn a_nextest_summary_counts_every_kind_of_failure() {
        let output = "     Summary [   3.210s] 9 tests run: 5 passed (1 slow, 2 leaky), 2 failed, 1 exec failed, 1 timed out, 7 skipped\n";
        assert_eq!(Totals::parse(output), Totals { passed: 5, failed: 4 });
    }

    #[test]
    fn a_nextest_run_cut_short_counts_what_ran() {
        let output = "     Summary [   0.100s] 2/9 tests run: 1 passed, 1 failed, 3 skipped\n";
        assert_eq!(Totals::parse(output), Totals { passed: 1, failed: 1 });
    }

    #[test]
    fn one_nextest_test_is_counted_too() {
        assert_eq!(Totals::parse("Summary [ 0.1s] 1 test run: 1 passed, 0 skipped"), Totals { passed: 1, failed: 0 });
    }

    #[test]
    fn failed_tests_that_nextest_shows_are_counted_once() {
        let output = "  stdout ───\n\n    running 1 test\n    test result: FAILED. 0 passed; 1 failed; 0 ignored\n\n\
            Summary [ 0.1s] 3 tests run: 2 passed, 1 failed, 0 skipped\n";
        assert_eq!(Totals::parse(output), Totals { passed: 2, failed: 1 });
    }

    #[test]
    fn colours_do_not_hide_a_summary() {
        let nextest = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.012s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m \
            \u{1b}[32;1mpassed\u{1b}[0m, 0 skipped\n";
        assert_eq!(Totals::parse(nextest), Totals { passed: 2, failed: 0 });
        let libtest = "test result: \u{1b}[32mok\u{1b}[m. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(Totals::parse(libtest), Totals { passed: 4, failed: 0 });
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(Totals::parse("test a::b ... ok\n3 passed\n   Compiling x v1.0.0\n"), Totals::default());
        assert!(!Totals::default().any());
    }

    #[test]
    fn totals_read_as_one_line() {
        assert_eq!(Totals { passed: 12, failed: 1 }.to_string(), "12 passed, 1 failed");
    }
}
