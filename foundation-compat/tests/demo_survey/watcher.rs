//! Spectators for tests.

use std::sync::Mutex;
use std::time::Duration;

use foundation_compat::demo::settings::CHAOS_REVIEW_TIMEOUT;
use foundation_compat::demo::{Event, Progress, Spectator, SurveySettings};
use foundation_types::{Clock, ManualClock, MonoTime};

/// The task timeout of surveys whose time passes by jumps: longer than all jumps together that are made for reviewers, so that
/// these leave the others alone, however long they really take for a file.
const PATIENCE: Duration = Duration::from_hours(1);

/// Settings for a survey whose time passes by jumps.
pub(crate) fn patient(settings: SurveySettings) -> SurveySettings {
    // The jumps for agents that hang are no reason to give a text back.
    settings.with_task_timeout(PATIENCE).with_review_deadline(Duration::MAX)
}

/// Moves a manual clock exactly when somebody waits for time to pass: when an agent hangs, until it is overdue; when one is
/// slowed down, until it may go on; when the reviewing service stalls, until the caller gives up; when it is down, until
/// it may come back; and when reviewers wait, none of them is in a call and the service is not down, until all may go on.
pub(crate) struct TimePasses {
    clock: ManualClock,
    reviewers: Mutex<Reviewers>,
}

#[derive(Default)]
struct Reviewers {
    in_calls: usize,
    /// And about to come back.
    service_is_down: bool,
    /// When the last of those that wait may go on.
    waiting_until: MonoTime,
}

impl TimePasses {
    pub(crate) fn on(clock: ManualClock) -> Self {
        Self { clock, reviewers: Mutex::default() }
    }

    /// Notes what a reviewer does, and lets time pass if that is what all of them wait for.
    fn note(&self, what: impl FnOnce(&mut Reviewers)) {
        let until = {
            let mut reviewers = self.reviewers.lock().unwrap();
            what(&mut reviewers);
            let is_idle = reviewers.in_calls == 0 && !reviewers.service_is_down;
            is_idle.then_some(reviewers.waiting_until)
        };
        if let Some(until) = until {
            self.pass_until(until);
        }
    }

    fn pass_until(&self, until: MonoTime) {
        self.clock.advance(until.saturating_since(self.clock.mono()));
    }
}

impl Spectator for TimePasses {
    fn see(&self, event: Event<'_>) {
        match event {
            Event::Hanging { .. } => self.clock.advance(PATIENCE + Duration::from_millis(1)),
            Event::Slowed { .. } => self.clock.advance(Duration::from_millis(20)),
            Event::Stalling => self.clock.advance(CHAOS_REVIEW_TIMEOUT),
            Event::Down { until } => {
                self.note(|reviewers| reviewers.service_is_down = true);
                self.pass_until(until);
            }
            Event::Up => self.note(|reviewers| reviewers.service_is_down = false),
            Event::Calling { .. } => self.note(|reviewers| reviewers.in_calls += 1),
            Event::Called { .. } => self.note(|reviewers| reviewers.in_calls -= 1),
            Event::Waiting { until, .. } => {
                self.note(|reviewers| reviewers.waiting_until = reviewers.waiting_until.max(until));
            }
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
