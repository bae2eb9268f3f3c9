//! When many changes are one.

use std::time::Duration;

use foundation_types::MonoTime;

use super::MAX_DELAY_FACTOR;

/// Changes that nobody has been told of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Debounce {
    quiet: Duration,
    /// When the first and the last of them were.
    pending: Option<(MonoTime, MonoTime)>,
    /// When to tell though nothing has changed.
    poll: Option<MonoTime>,
}

impl Debounce {
    pub(super) const fn new(quiet: Duration) -> Self {
        Self { quiet, pending: None, poll: None }
    }

    pub(super) fn changed(&mut self, now: MonoTime) {
        let first = self.pending.map_or(now, |(first, _)| first);
        self.pending = Some((first, now.max(first)));
    }

    pub(super) const fn poll_at(&mut self, poll: Option<MonoTime>) {
        self.poll = poll;
    }

    /// When to tell.
    pub(super) fn due(&self) -> Option<MonoTime> {
        let pending = self.pending.map(|(first, last)| {
            let at_last = first.saturating_add(self.quiet.saturating_mul(MAX_DELAY_FACTOR));
            last.saturating_add(self.quiet).min(at_last)
        });
        pending.into_iter().chain(self.poll).min()
    }

    /// Whoever has to be told has been.
    pub(super) const fn told(&mut self) {
        self.pending = None;
        self.poll = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_millis(100);

    fn at(millis: u64) -> MonoTime {
        MonoTime::ORIGIN.saturating_add(Duration::from_millis(millis))
    }

    #[test]
    fn nothing_is_told_before_anything_changed() {
        let mut debounce = Debounce::new(QUIET);
        assert_eq!(debounce.due(), None);
        debounce.changed(at(5));
        debounce.told();
        assert_eq!(debounce.due(), None);
    }

    #[test]
    fn a_change_is_told_when_it_has_been_quiet_for_long_enough() {
        let mut debounce = Debounce::new(QUIET);
        debounce.changed(at(5));
        assert_eq!(debounce.due(), Some(at(105)));
        debounce.changed(at(90));
        assert_eq!(debounce.due(), Some(at(190)));
    }

    #[test]
    fn changes_without_end_are_told_in_the_end() {
        let mut debounce = Debounce::new(QUIET);
        for now in (0..5_000).step_by(50) {
            debounce.changed(at(now));
        }
        assert_eq!(debounce.due(), Some(at(1_000)));
        debounce.told();
        debounce.changed(at(5_000));
        assert_eq!(debounce.due(), Some(at(5_100)));
    }

    #[test]
    fn a_poll_is_told_unless_a_change_comes_first() {
        let mut debounce = Debounce::new(QUIET);
        debounce.poll_at(Some(at(300)));
        assert_eq!(debounce.due(), Some(at(300)));
        debounce.changed(at(10));
        assert_eq!(debounce.due(), Some(at(110)));
        debounce.changed(at(250));
        assert_eq!(debounce.due(), Some(at(300)));
        debounce.told();
        assert_eq!(debounce.due(), None);
    }
}
