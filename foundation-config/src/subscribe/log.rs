//! The changes that are remembered.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::MonoTime;

use crate::change::Change;
use crate::layer::Version;

/// The latest changes, bounded by number and age. Their versions have no gaps.
pub(super) struct Log {
    changes: VecDeque<Arc<Change>>,
    /// The version of the next change.
    next: Version,
    most: usize,
    age: Duration,
}

/// What is known of a version.
pub(super) enum Read {
    /// It has not been published.
    NotYet,
    Change(Arc<Change>),
    /// It is forgotten; this is the first that is not.
    Forgotten {
        oldest: Version,
    },
}

impl Log {
    pub(super) const fn new(most: usize, age: Duration) -> Self {
        Self { changes: VecDeque::new(), next: Version::FIRST.next(), most, age }
    }

    pub(super) const fn next(&self) -> Version {
        self.next
    }

    /// Appends a change and returns what is forgotten for it, to be dropped outside the lock.
    pub(super) fn push(&mut self, change: Arc<Change>, now: MonoTime) -> Vec<Arc<Change>> {
        debug_assert_eq!(change.version(), self.next, "versions have no gaps");
        self.next = change.version().next();
        self.changes.push_back(change);
        let mut forgotten = Vec::new();
        while let Some(oldest) = self.changes.front() {
            let is_old = now.saturating_since(oldest.committed) > self.age && self.changes.len() > 1;
            if self.changes.len() <= self.most && !is_old {
                break;
            }
            forgotten.extend(self.changes.pop_front());
        }
        forgotten
    }

    pub(super) fn read(&self, version: Version) -> Read {
        if version >= self.next {
            return Read::NotYet;
        }
        let oldest = self.changes.front().map_or(self.next, |change| change.version());
        let Some(index) = version.get().checked_sub(oldest.get()) else { return Read::Forgotten { oldest } };
        let index = usize::try_from(index).expect("not more than the number of changes");
        Read::Change(Arc::clone(&self.changes[index]))
    }

    /// The changes that are remembered, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Arc<Change>> {
        self.changes.iter().rev()
    }
}
