//! What the report says about reviews, and about what protected them.

use foundation_breaker::State;
use serde::Serialize;

use super::super::survey::Digest;
use super::score::Findings;

/// What came of the reviews.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReviewTotals {
    /// Texts reviewed, each once.
    pub done: u64,
    /// Calls that were not made: the circuit breaker refused them, or no connection became free.
    pub refused: u64,
    /// Attempts after the first of an agent at a text, refused ones included.
    pub retried: u64,
    /// How often an agent gave a text back, for another one to try later.
    pub returned: u64,
    /// Texts that should have been reviewed, and were not. They count in all other totals.
    pub failed: u64,
    /// Which those were, by path, and why; shorter than they are many if the list had to be cut.
    pub failures: Vec<Unreviewed>,
    /// Files that are not to be reviewed.
    pub left_out: LeftOut,
    /// All findings together.
    pub findings: Findings,
    /// Texts by their score.
    pub grades: Grades,
    /// The texts with the lowest scores below [`BEST_SCORE`](super::score::BEST_SCORE), the lowest first.
    pub worst_files: Vec<WorstFile>,
    /// The exclusive or, over all reviews, of the BLAKE3 hash of each file's path and findings: equal if and only if every
    /// text was reviewed once, with the same result.
    pub digest: Digest,
}

/// Files that count, but are not reviewed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// Binary ones.
    pub binary: u64,
    /// Texts larger than [`MAX_TEXT`](super::super::settings::MAX_TEXT), which the service does not take.
    pub large: u64,
    /// Texts in UTF-16 or UTF-32, of which it makes nothing.
    pub wide: u64,
}

/// Numbers of texts by their score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Grades {
    /// 90 to 100.
    pub excellent: u64,
    /// 75 to 89.
    pub good: u64,
    /// 50 to 74.
    pub fair: u64,
    /// Below 50.
    pub poor: u64,
}

impl Grades {
    /// Takes one more text into account.
    pub(in super::super) const fn add(&mut self, score: u64) {
        match score {
            90.. => self.excellent += 1,
            75.. => self.good += 1,
            50.. => self.fair += 1,
            _ => self.poor += 1,
        }
    }
}

/// One of the files with the lowest scores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WorstFile {
    /// Its path, relative to the input; bytes that are no text are replaced.
    pub path: String,
    /// Its score.
    pub score: u64,
    /// What was found in it.
    #[serde(flatten)]
    pub findings: Findings,
}

/// A text that was not reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unreviewed {
    /// Its path, relative to the input; bytes that are no text are replaced.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// A circuit breaker, at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BreakerSummary {
    /// Its name.
    pub name: String,
    /// The state of its circuit.
    pub state: State,
    /// How often the circuit opened.
    pub opened: u64,
    /// Calls that it refused.
    pub rejected: u64,
    /// Calls that succeeded.
    pub succeeded: u64,
    /// Calls that failed.
    pub failed: u64,
    /// The changes of its state in their order, the first ones if there are too many.
    pub history: Vec<CircuitChange>,
    /// How many changes there were; more than the history is long if that had to be cut.
    pub changes: u64,
}

/// A change of the state of a circuit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CircuitChange {
    /// When it took effect, in milliseconds since the survey began.
    pub at_ms: u64,
    /// The state from then on.
    pub state: State,
    /// What brought it about: `tripped`, `probe_failed`, `recovered` and so on; nothing if time did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A rate limiter, at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LimiterSummary {
    /// Its name.
    pub name: String,
    /// How many it allows a second.
    pub per_second: u32,
    /// How many of those at once.
    pub burst: u32,
    /// Requests that were let through.
    pub allowed: u64,
    /// Requests that were put off.
    pub denied: u64,
}

/// A pool, at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PoolSummary {
    /// Its name.
    pub name: String,
    /// How many connections it keeps, and may have.
    pub size: usize,
    /// How many it has.
    pub alive: usize,
    /// How often one was lent.
    pub checkouts: u64,
    /// How many had to be given up.
    pub retired: u64,
    /// How often none could be made.
    pub create_failed: u64,
    /// How often none became free in time.
    pub timeouts: u64,
}
