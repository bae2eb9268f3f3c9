//! What a check found, in a form that people can act on.

use std::error::Error;
use std::fmt::{self, Debug};

use super::Operation;

/// Whether a history is linearizable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a verdict that nobody looks at tests nothing"]
pub enum Verdict {
    /// It is.
    Linearizable {
        /// An order in which the operations may have taken effect, as indices into
        /// [`History::operations`](super::History::operations). Operations that never returned and are not in it need
        /// not have taken effect.
        order: Vec<usize>,
    },
    /// It is not.
    NotLinearizable(Counterexample),
    /// The search was given up at its [limits](super::Limits).
    Undecided {
        /// How many configurations were visited.
        explored: usize,
    },
}

impl Verdict {
    /// Whether an order was found. An undecided history is not known to be linearizable.
    pub fn is_linearizable(&self) -> bool {
        matches!(self, Self::Linearizable { .. })
    }

    /// Returns if the history is linearizable.
    ///
    /// # Panics
    /// If it is not, with the counterexample drawn as a timeline, or if it is undecided.
    #[track_caller]
    pub fn assert_linearizable(&self) {
        assert!(self.is_linearizable(), "{self}");
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linearizable { order } => write!(f, "linearizable: {} operations have an order", order.len()),
            Self::NotLinearizable(counterexample) => write!(f, "{counterexample}"),
            Self::Undecided { explored } => write!(
                f,
                "undecided after {explored} configurations; overlap fewer operations, check by key or raise the limit"
            ),
        }
    }
}

/// The furthest that a search came before it met an operation which fits nowhere.
///
/// Every operation that returned before the misplaced one can be given its place; no order whatever has a place for
/// that one too. One order that gets this far is given: one with the most operations that returned, and then with the
/// fewest that did not.
///
/// Printed, it is a timeline with one line per operation, of which those in the order are numbered by their place in
/// it, the misplaced ones marked `!!` and those open at the same time `?`:
///
/// ```text
/// not linearizable: an answer fits no order
/// after the 2 operations numbered below the state is 1
///   T0   |-----|             1. Write(1) -> 1
///   T1     |-----|           2. Read -> 1
///   T1             |-|      !!  Read -> 0
///   T2       |--------->     ?  Write(2)
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    key: Option<String>,
    order: Vec<usize>,
    misplaced: Vec<usize>,
    open: Vec<usize>,
    state: String,
    lines: Vec<Line>,
}

/// One operation of the printed timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    thread: usize,
    invoked: u64,
    returned: Option<u64>,
    mark: String,
    text: String,
}

impl Counterexample {
    /// Of a long order only the end explains anything; the rest is counted.
    const SHOWN: usize = 8;

    pub(super) fn new<Op: Debug, Ret: Debug>(
        operations: &[Operation<Op, Ret>],
        order: Vec<usize>,
        misplaced: Vec<usize>,
        open: Vec<usize>,
        state: &impl Debug,
    ) -> Self {
        let line = |index: usize, mark: String| {
            let Operation { thread, op, invoked, returned } = &operations[index];
            let (returned, text) = match returned {
                Some((stamp, ret)) => (Some(*stamp), format!("{op:?} -> {ret:?}")),
                None => (None, format!("{op:?}")),
            };
            Line { thread: *thread, invoked: *invoked, returned, mark, text }
        };
        let hidden = order.len().saturating_sub(Self::SHOWN);
        let mut lines: Vec<Line> = order
            .iter()
            .enumerate()
            .skip(hidden)
            .map(|(place, &index)| line(index, format!("{}.", place + 1)))
            .collect();
        lines.extend(misplaced.iter().map(|&index| line(index, "!! ".to_owned())));
        lines.extend(open.iter().take(Self::SHOWN).map(|&index| line(index, "? ".to_owned())));
        Self { key: None, order, misplaced, open, state: format!("{state:?}"), lines }
    }

    pub(super) fn at_key(mut self, key: &impl Debug) -> Self {
        self.key = Some(format!("{key:?}"));
        self
    }

    /// The key whose history this is, in its `Debug` form, if keys were checked apart.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The order that got furthest, as indices into [`History::operations`](super::History::operations).
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The operation whose answer fits nowhere. More than one only if several returned at the same stamp.
    pub fn misplaced(&self) -> &[usize] {
        &self.misplaced
    }

    /// Operations that were invoked by then, have not returned before, and are not in the order.
    pub fn open(&self) -> &[usize] {
        &self.open
    }

    /// The state that the order leads to, in its `Debug` form.
    pub fn state(&self) -> &str {
        &self.state
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not linearizable")?;
        if let Some(key) = &self.key {
            write!(f, " at key {key}")?;
        }
        let (placed, state) = (self.order.len(), &self.state);
        writeln!(f, ": an answer fits no order\nafter the {placed} operations numbered below the state is {state}")?;
        if placed > Self::SHOWN {
            writeln!(f, "  (the first {} are left out)", placed - Self::SHOWN)?;
        }

        let mut stamps: Vec<u64> =
            self.lines.iter().flat_map(|line| [Some(line.invoked), line.returned]).flatten().collect();
        stamps.sort_unstable();
        stamps.dedup();
        let column = |stamp: u64| 2 * stamps.partition_point(|earlier| *earlier < stamp);
        let width = 2 * stamps.len();
        for Line { thread, invoked, returned, mark, text } in &self.lines {
            let start = column(*invoked);
            let (end, tip) = returned.map_or((width, '>'), |stamp| (column(stamp), '|'));
            let bar = format!("{:start$}|{:-<dashes$}{tip}", "", "", dashes = end.saturating_sub(start + 1));
            writeln!(f, "  T{thread:<3} {bar:<bars$} {mark:>6} {text}", bars = width + 1)?;
        }
        if self.open.len() > Self::SHOWN {
            writeln!(f, "  ({} more were open)", self.open.len() - Self::SHOWN)?;
        }
        Ok(())
    }
}

impl Error for Counterexample {}
