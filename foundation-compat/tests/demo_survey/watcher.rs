//! Spectators for tests.

use std::sync::Mutex;
use std::time::Duration;

use foundation_compat::demo::settings::CHAOS_TASK_TIMEOUT;
use foundation_compat::demo::{Event, Progress, Spectator};
use foundation_types::ManualClock;

/// Moves a manual clock exactly when somebody waits for time to pass: when an agent hangs, until it is overdue, and when
/// one is slowed down, until it may go on.
pub(crate) struct TimePasses(pub(crate) ManualClock);

impl Spectator for TimePasses {
    fn see(&self, event: Event<'_>) {
        match event {
            Event::Hanging { .. } => self.0.advance(CHAOS_TASK_TIMEOUT + Duration::from_millis(1)),
            Event::Slowed { .. } => self.0.advance(Duration::from_millis(20)),
            _ => {}
        }
    }
}

/// Does something at the first progress that fits.
pub(crate) struct Once<F> {
    fits: fn(&Progress) -> bool,
    then: Mutex<Option<F>>,
}

impl<F: FnOnce()> Once<F> {
    pub(crate) fn when(fits: fn(&Progress) -> bool, then: F) -> Self {
        Self { fits, then: Mutex::new(Some(then)) }
    }
}

impl<F: FnOnce() + Send> Spectator for Once<F> {
    fn see(&self, event: Event<'_>) {
        if let Event::Progress(progress) = event
            && (self.fits)(progress)
            && let Some(then) = self.then.lock().unwrap().take()
        {
            then();
        }
    }
}
