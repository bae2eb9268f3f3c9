//! What follows from the end of a service.

use std::collections::VecDeque;
use std::time::Duration;

use foundation_types::{ExitReason, MonoTime};

/// Whether a service is started again when it ended without being told to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Restart {
    /// Always.
    #[default]
    Permanent,
    /// Unless the exit was orderly: [`ExitReason::Normal`] or [`ExitReason::Shutdown`].
    Transient,
    /// Never.
    Temporary,
}

impl Restart {
    /// Whether a service of this type is started again after an exit for this reason.
    pub const fn applies_to(self, reason: &ExitReason) -> bool {
        match self {
            Self::Permanent => true,
            Self::Transient => !reason.is_orderly(),
            Self::Temporary => false,
        }
    }
}

/// Who is restarted when one service has to be.
///
/// As in Erlang's `supervisor`: those that are restarted along are stopped first, the last started first, and then started in
/// the order of their first start. A [`Restart::Temporary`] service among them is stopped and stays so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// That service alone.
    #[default]
    OneForOne,
    /// All services.
    OneForAll,
    /// That service and those that were started after it.
    RestForOne,
}

/// How many restarts are too many.
///
/// At most `max_restarts` within the sliding window `within`; the next one ends the application instead. A restart exactly
/// `within` ago no longer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Intensity {
    /// The most restarts in the window; 0 if the first exit is to end it.
    pub max_restarts: u32,
    /// The length of the window, in monotonic time.
    pub within: Duration,
}

impl Intensity {
    /// That of an application: 10 restarts in 60 seconds.
    pub const APPLICATION: Self = Self { max_restarts: 10, within: Duration::from_mins(1) };
    /// That of a group: 3 restarts in 5 seconds.
    pub const GROUP: Self = Self { max_restarts: 3, within: Duration::from_secs(5) };
}

impl Default for Intensity {
    /// [`Intensity::APPLICATION`].
    fn default() -> Self {
        Self::APPLICATION
    }
}

/// The restarts that count. At most `max_restarts` + 1 points in time.
#[derive(Debug)]
pub(super) struct RestartWindow {
    intensity: Intensity,
    restarts: VecDeque<MonoTime>,
}

/// What the window says about one more restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may take place; so many are in the window now.
    Within(usize),
    /// It is one too many.
    Exceeded,
}

impl RestartWindow {
    pub(super) const fn new(intensity: Intensity) -> Self {
        Self { intensity, restarts: VecDeque::new() }
    }

    pub(super) const fn intensity(&self) -> Intensity {
        self.intensity
    }

    /// Counts an exit at `at` that calls for a restart.
    pub(super) fn record(&mut self, at: MonoTime) -> Verdict {
        // Exits are told in the order of their deaths, but two threads may read the clock in the other order.
        let at = self.restarts.back().map_or(at, |&last| at.max(last));
        while self.restarts.front().is_some_and(|&first| at.saturating_since(first) >= self.intensity.within) {
            self.restarts.pop_front();
        }
        if self.restarts.len() >= usize::try_from(self.intensity.max_restarts).unwrap_or(usize::MAX) {
            return Verdict::Exceeded;
        }
        self.restarts.push_back(at);
        Verdict::Within(self.restarts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> MonoTime {
        MonoTime::ORIGIN.saturating_add(Duration::from_secs(seconds))
    }

    #[test]
    fn a_restart_exactly_the_window_ago_no_longer_counts() {
        let mut window = RestartWindow::new(Intensity { max_restarts: 2, within: Duration::from_secs(5) });
        assert_eq!(window.record(at(0)), Verdict::Within(1));
        assert_eq!(window.record(at(1)), Verdict::Within(2));
        assert_eq!(window.record(at(4)), Verdict::Exceeded);
        assert_eq!(window.record(at(5)), Verdict::Within(2));
        assert_eq!(window.record(at(5)), Verdict::Exceeded);
    }

    #[test]
    fn with_no_restarts_allowed_the_first_exit_is_one_too_many() {
        let mut window = RestartWindow::new(Intensity { max_restarts: 0, within: Duration::from_secs(5) });
        assert_eq!(window.record(at(0)), Verdict::Exceeded);
    }
}
