//! How long something took, where anybody wants to know.

use foundation_types::{Clock, Emitter, MonoTime};

/// When something began. The clock is read only if there is an observer.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Option<MonoTime>);

impl Stopwatch {
    pub(crate) fn start(clock: &dyn Clock, emitter: &Emitter) -> Self {
        Self(emitter.is_installed().then(|| clock.mono()))
    }

    /// Microseconds since then.
    pub(crate) fn micros(self, clock: &dyn Clock) -> i64 {
        let took = self.0.map(|start| clock.mono().saturating_since(start)).unwrap_or_default();
        i64::try_from(took.as_micros()).unwrap_or(i64::MAX)
    }
}
