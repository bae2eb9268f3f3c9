//! Timers of the system clock: one thread for all of them, and none while nothing is pending.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use super::{Clock, MonoTime, SystemClock};
use crate::contain;

/// How long the timer thread waits for new work before it ends.
const IDLE: Duration = Duration::from_secs(2);

/// A pending call of a waker, made by [`Clock::wake_at`]. Dropping it cancels the call.
#[must_use = "dropping a wakeup cancels it"]
pub struct Wakeup(Option<Box<dyn FnOnce() + Send + Sync>>);

impl Wakeup {
    /// A wakeup that runs `cancel` when dropped. For implementors of [`Clock`].
    pub fn new(cancel: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(cancel)))
    }

    /// A wakeup that has happened already.
    pub const fn done() -> Self {
        Self(None)
    }
}

impl Drop for Wakeup {
    fn drop(&mut self) {
        if let Some(cancel) = self.0.take() {
            cancel();
        }
    }
}

impl fmt::Debug for Wakeup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wakeup").finish_non_exhaustive()
    }
}

/// Pending wakers by deadline; the number tells apart those of one deadline.
type Pending = BTreeMap<(MonoTime, u64), Waker>;

struct Timers {
    pending: Pending,
    next_number: u64,
    thread_runs: bool,
}

static TIMERS: Mutex<Timers> = Mutex::new(Timers { pending: BTreeMap::new(), next_number: 0, thread_runs: false });
static CHANGED: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, Timers> {
    // No foreign code runs under the lock, so a poisoned state is a consistent one.
    TIMERS.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn wake_at(deadline: MonoTime, waker: Waker) -> Wakeup {
    if deadline == MonoTime::NEVER {
        return Wakeup::done();
    }
    let mut timers = lock();
    timers.next_number += 1;
    let key = (deadline, timers.next_number);
    let is_first = timers.pending.first_key_value().is_none_or(|(&first, _)| key < first);
    timers.pending.insert(key, waker);
    if !timers.thread_runs {
        timers.thread_runs = true;
        if thread::Builder::new().name("foundation-timer".to_owned()).spawn(serve).is_err() {
            // Without a thread the only way to keep the promise "at or after" is the next attempt to arm a timer.
            timers.thread_runs = false;
        }
    } else if is_first {
        CHANGED.notify_one();
    }
    drop(timers);
    Wakeup::new(move || {
        let waker = lock().pending.remove(&key);
        drop(waker);
    })
}

fn serve() {
    let mut timers = lock();
    loop {
        let now = SystemClock.mono();
        let wait = match timers.pending.first_entry() {
            Some(entry) if entry.key().0 <= now => {
                let waker = entry.remove();
                drop(timers);
                // All timers of the process depend on this thread; the panic hook has reported what a waker did.
                let _ = contain(|| waker.wake());
                timers = lock();
                continue;
            }
            Some(entry) => entry.key().0.saturating_since(now),
            None => IDLE,
        };
        let (guard, timeout) = CHANGED.wait_timeout(timers, wait).unwrap_or_else(PoisonError::into_inner);
        timers = guard;
        if timeout.timed_out() && timers.pending.is_empty() {
            timers.thread_runs = false;
            return;
        }
    }
}
