//! Changes of the state, on their way to the observer.

use std::collections::VecDeque;
use std::time::Duration;

use foundation_types::MonoTime;

use crate::snapshot::State;

/// Changes that wait for the observer at the most. More pile up only while it is slower than the circuit changes; the
/// oldest are then dropped, and the next event says how many were missed.
pub(crate) const MAX_PENDING_CHANGES: usize = 1024;

/// One change of the state.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) generation: u64,
    pub(crate) at: MonoTime,
    pub(crate) kind: ChangeKind,
    /// Changes before this one that the observer will not hear of.
    pub(crate) missed: u64,
}

#[derive(Clone, Debug)]
pub(crate) enum ChangeKind {
    Opened {
        from: State,
        reason: &'static str,
        failures: u64,
        open_for: Duration,
    },
    HalfOpened,
    Closed {
        from: State,
        reason: &'static str,
    },
    ForcedOpen {
        from: State,
    },
    /// A reset that found the circuit closed, or held open.
    Reset,
}

/// Changes in the order they happened. One thread at a time delivers them, so that they arrive in that order.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pending: VecDeque<Change>,
    is_being_delivered: bool,
    missed: u64,
}

impl Changes {
    pub(crate) fn push(&mut self, generation: u64, at: MonoTime, kind: ChangeKind) {
        if self.pending.len() == MAX_PENDING_CHANGES {
            let dropped = self.pending.pop_front();
            self.missed += 1 + dropped.map_or(0, |change| change.missed);
        }
        self.pending.push_back(Change { generation, at, kind, missed: 0 });
    }

    /// Whether the caller has to deliver: there is something, and nobody is at it.
    pub(crate) fn begin(&mut self) -> bool {
        let begins = !self.pending.is_empty() && !self.is_being_delivered;
        self.is_being_delivered |= begins;
        begins
    }

    /// The next change for the one who delivers; `None` ends the delivery.
    pub(crate) fn next(&mut self) -> Option<Change> {
        let next = self.pending.pop_front();
        self.is_being_delivered = next.is_some();
        next.map(|mut change| {
            change.missed += std::mem::take(&mut self.missed);
            change
        })
    }
}
