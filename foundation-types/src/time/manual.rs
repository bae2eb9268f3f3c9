//! A clock that stands still until told to move.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use super::{Clock, MonoTime, Timestamp, Wakeup};

/// A clock for tests: time moves only by [`advance`](Self::advance), and timers fire inside that call.
///
/// Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use foundation_types::{Clock, ManualClock};
///
/// let clock = ManualClock::new();
/// let start = clock.mono();
/// clock.advance(Duration::from_secs(3));
/// assert_eq!(clock.mono().saturating_since(start), Duration::from_secs(3));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    mono: MonoTime,
    /// Where the calls of `advance` that are under way will leave `mono`, so that calls that overlap add up.
    target: MonoTime,
    /// Wall time as it was set, and monotonic time at that moment. Wall time is their sum, so fractions of a microsecond
    /// are not lost between calls.
    wall_base: (Timestamp, MonoTime),
    next_number: u64,
    pending: BTreeMap<(MonoTime, u64), Waker>,
}

impl ManualClock {
    /// A clock at the monotonic origin and at 2001-09-09T01:46:40Z wall time.
    pub fn new() -> Self {
        let wall = Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(1_000_000_000));
        Self(Arc::new(Mutex::new(State {
            mono: MonoTime::ORIGIN,
            target: MonoTime::ORIGIN,
            wall_base: (wall, MonoTime::ORIGIN),
            next_number: 0,
            pending: BTreeMap::new(),
        })))
    }

    /// Moves both times forward and wakes, in order of their deadlines, every waker that is due.
    ///
    /// Each waker runs at the moment of its deadline, outside every lock; it may arm timers, which fire in this call if
    /// they are due, and may advance the clock further.
    pub fn advance(&self, by: Duration) {
        {
            let mut state = self.lock();
            state.target = state.target.saturating_add(by);
        }
        loop {
            let mut state = self.lock();
            let target = state.target;
            let due = state.pending.first_entry().filter(|entry| entry.key().0 <= target);
            let Some(entry) = due else {
                state.mono = target;
                return;
            };
            let ((deadline, _), waker) = entry.remove_entry();
            state.mono = state.mono.max(deadline);
            drop(state);
            waker.wake();
        }
    }

    /// Sets wall time, also back, without moving monotonic time.
    pub fn set_wall(&self, wall: Timestamp) {
        let mut state = self.lock();
        state.wall_base = (wall, state.mono);
    }

    /// The earliest deadline that something waits for.
    pub fn next_deadline(&self) -> Option<MonoTime> {
        self.lock().pending.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// How many wakers are pending.
    pub fn pending(&self) -> usize {
        self.lock().pending.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn mono(&self) -> MonoTime {
        self.lock().mono
    }

    fn wall(&self) -> Timestamp {
        let state = self.lock();
        let (wall, since) = state.wall_base;
        wall.saturating_add(state.mono.saturating_since(since))
    }

    fn wake_at(&self, deadline: MonoTime, waker: Waker) -> Wakeup {
        let mut state = self.lock();
        if deadline <= state.mono {
            drop(state);
            waker.wake();
            return Wakeup::done();
        }
        state.next_number += 1;
        let key = (deadline, state.next_number);
        state.pending.insert(key, waker);
        drop(state);
        let clock = self.clone();
        Wakeup::new(move || {
            let waker = clock.lock().pending.remove(&key);
            drop(waker);
        })
    }
}
