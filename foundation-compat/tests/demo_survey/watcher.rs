//! Spectators for tests.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

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
    /// The longest that one of those may take.
    longest_limit: Duration,
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
        let mut reviewers = self.reviewers.lock().unwrap();
        what(&mut reviewers);
        if reviewers.in_calls == 0 && !reviewers.service_is_down {
            self.pass_until(reviewers.waiting_until, &reviewers);
        }
    }

    /// The lock keeps two threads from letting the same time pass twice, and calls from beginning before it has passed.
    fn pass_until(&self, until: MonoTime, _: &MutexGuard<'_, Reviewers>) {
        self.clock.advance(until.saturating_since(self.clock.mono()));
    }

    /// Lets so much time pass, whoever is in a call.
    fn pass(&self, by: impl FnOnce(&Reviewers) -> Duration) {
        let reviewers = self.reviewers.lock().unwrap();
        self.clock.advance(by(&reviewers));
    }
}

impl Spectator for TimePasses {
    fn see(&self, event: Event<'_>) {
        match event {
            Event::Hanging { .. } => self.pass(|_| PATIENCE + Duration::from_millis(1)),
            Event::Slowed { .. } => self.pass(|_| Duration::from_millis(20)),
            Event::Stalling => self.pass(|reviewers| reviewers.longest_limit),
            Event::Down { until } => {
                let mut reviewers = self.reviewers.lock().unwrap();
                reviewers.service_is_down = true;
                self.pass_until(until, &reviewers);
            }
            Event::Up => self.note(|reviewers| reviewers.service_is_down = false),
            Event::Calling { limit, .. } => self.note(|reviewers| {
                reviewers.in_calls += 1;
                reviewers.longest_limit = reviewers.longest_limit.max(limit);
            }),
            Event::Called { .. } => self.note(|reviewers| {
                reviewers.in_calls -= 1;
                if reviewers.in_calls == 0 {
                    reviewers.longest_limit = Duration::ZERO;
                }
            }),
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
