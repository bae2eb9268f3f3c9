//! How the thread that watches is woken.

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use foundation_types::{Clock, MonoTime, Wakeup};
use parking_lot::{Condvar, Mutex};

use super::debounce::Debounce;

/// What the thread that watches waits for: changes, the time to tell of them, and the end.
pub(super) struct Signal {
    state: Mutex<State>,
    woken: Condvar,
}

struct State {
    debounce: Debounce,
    stopped: bool,
    /// Something has happened since the thread last looked.
    woken: bool,
}

impl Signal {
    pub(super) fn new(quiet: Duration) -> Arc<Self> {
        let state = State { debounce: Debounce::new(quiet), stopped: false, woken: false };
        Arc::new(Self { state: Mutex::new(state), woken: Condvar::new() })
    }

    pub(super) fn changed(&self, now: MonoTime) {
        self.update(|state| state.debounce.changed(now));
    }

    pub(super) fn poll_at(&self, poll: Option<MonoTime>) {
        self.update(|state| state.debounce.poll_at(poll));
    }

    pub(super) fn stop(&self) {
        self.update(|state| state.stopped = true);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.state.lock().stopped
    }

    fn update(&self, update: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        update(&mut state);
        state.woken = true;
        self.woken.notify_one();
    }

    /// Waits until it is time to tell of a change, and counts it as told; `false` at the end.
    pub(super) fn wait(self: &Arc<Self>, clock: &dyn Clock) -> bool {
        let waker = Waker::from(Arc::clone(self));
        let mut alarm: Option<(MonoTime, Wakeup)> = None;
        loop {
            let due = {
                let mut state = self.state.lock();
                if state.stopped {
                    return false;
                }
                state.woken = false;
                state.debounce.due()
            };
            let now = clock.mono();
            if due.is_some_and(|due| due <= now) {
                self.state.lock().debounce.told();
                return true;
            }
            // An alarm that comes too early does no harm.
            if let Some(due) = due
                && alarm.as_ref().is_none_or(|(at, _)| *at > due || *at <= now)
            {
                alarm = Some((due, clock.wake_at(due, waker.clone())));
            }
            let mut state = self.state.lock();
            while !state.woken {
                self.woken.wait(&mut state);
            }
        }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.update(|_| {});
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use foundation_types::ManualClock;

    use super::*;

    #[test]
    fn it_waits_for_the_quiet_time_on_the_clock_that_it_is_given() {
        let clock = ManualClock::new();
        let signal = Signal::new(Duration::from_millis(100));
        let (told, hears) = mpsc::channel();
        let thread = {
            let (clock, signal) = (clock.clone(), Arc::clone(&signal));
            thread::spawn(move || {
                while signal.wait(&clock) {
                    told.send(clock.mono()).expect("somebody listens");
                }
            })
        };
        let patience = Duration::from_mins(1);
        for round in 1..=3_u64 {
            signal.changed(clock.mono());
            // Whether the alarm is set before the clock moves or after: it is time then.
            clock.advance(Duration::from_millis(100));
            let at = hears.recv_timeout(patience).expect("told");
            assert_eq!(at.saturating_since(MonoTime::ORIGIN), Duration::from_millis(100 * round));
        }
        signal.stop();
        thread.join().expect("no panic");
        assert!(hears.recv().is_err(), "told once each time");
    }
}
