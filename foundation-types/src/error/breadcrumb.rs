//! The path an operation took.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::redact::Redacted;
use crate::{Metadata, MonoTime, Text, Timestamp, Value};

/// How many breadcrumbs a context keeps unless told otherwise.
pub const DEFAULT_BREADCRUMBS: NonZeroUsize = NonZeroUsize::new(100).expect("100 is not zero");

/// One step of an operation.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Breadcrumb {
    /// Where the step was made.
    pub module: Text,
    /// What made it.
    pub function: Text,
    /// When, in wall time.
    pub timestamp: Timestamp,
    /// When, in monotonic time of the context's clock.
    pub at: MonoTime,
    /// What was known.
    pub metadata: Metadata,
}

impl Breadcrumb {
    pub(super) fn to_value(&self) -> Value {
        Value::Map(
            Metadata::new()
                .with("module", self.module.clone())
                .with("function", self.function.clone())
                .with("timestamp", self.timestamp)
                .with("metadata", self.metadata.clone()),
        )
    }
}

impl fmt::Debug for Breadcrumb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breadcrumb")
            .field("module", &self.module)
            .field("function", &self.function)
            .field("timestamp", &self.timestamp)
            .field("metadata", &Redacted::whole(&self.metadata))
            .finish_non_exhaustive()
    }
}

/// A bounded path: the first step always stays, of the others the latest.
///
/// A clone shares the steps, so a child costs one pointer per step and not a copy of its metadata.
#[derive(Clone)]
pub(super) struct Path {
    first: Arc<Breadcrumb>,
    later: VecDeque<Arc<Breadcrumb>>,
    limit: NonZeroUsize,
    dropped: u64,
}

impl Path {
    pub(super) fn new(first: Breadcrumb) -> Self {
        Self { first: Arc::new(first), later: VecDeque::new(), limit: DEFAULT_BREADCRUMBS, dropped: 0 }
    }

    /// O(1) amortised.
    pub(super) fn push(&mut self, step: Breadcrumb) {
        self.later.push_back(Arc::new(step));
        self.trim();
    }

    pub(super) fn set_limit(&mut self, limit: NonZeroUsize) {
        self.limit = limit;
        self.trim();
    }

    fn trim(&mut self) {
        while self.later.len() >= self.limit.get() {
            self.later.pop_front();
            self.dropped += 1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Breadcrumb> {
        std::iter::once(&*self.first).chain(self.later.iter().map(|step| &**step))
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_its_first_and_its_latest_steps() {
        let step = |number: u64| Breadcrumb {
            module: "m".into(),
            function: number.to_string().into(),
            timestamp: Timestamp::UNIX_EPOCH,
            at: MonoTime::from_nanos(number),
            metadata: Metadata::new(),
        };
        let mut path = Path::new(step(0));
        path.set_limit(NonZeroUsize::new(3).expect("not zero"));
        (1..=5).for_each(|number| path.push(step(number)));
        let kept: Vec<_> = path.iter().map(|step| step.function.to_string()).collect();
        assert_eq!((kept, path.dropped()), (vec!["0".to_owned(), "4".to_owned(), "5".to_owned()], 3));
        path.set_limit(NonZeroUsize::MIN);
        assert_eq!((path.iter().count(), path.dropped()), (1, 5));
    }
}
