//! Waiting until a call would be let through.

use std::task::{Context, Poll, Waker};

use foundation_types::{Clock, MonoTime, Wakeup};

use super::CircuitBreaker;

/// Waits, over and over, until a call would be let through. Holds no place: whoever is ready has to ask like everybody.
///
/// Dropping it takes its waker back.
#[must_use = "nothing waits unless it is polled"]
pub struct Readiness<C: Clock> {
    breaker: CircuitBreaker<C>,
    key: Option<u64>,
    /// For the instant at which the state changes by itself.
    timer: Option<(MonoTime, Waker, Wakeup)>,
}

impl<C: Clock> Readiness<C> {
    pub(super) const fn new(breaker: CircuitBreaker<C>) -> Self {
        Self { breaker, key: None, timer: None }
    }

    /// The breaker that is waited for.
    pub const fn breaker(&self) -> &CircuitBreaker<C> {
        &self.breaker
    }

    /// Ready if a call would be let through now; else the task is woken when that may have changed: at the instant an open
    /// circuit becomes half-open or closes, when a probe gives its place back, and when an operator resets or lifts it.
    ///
    /// All who wait are woken, and the first to call get the places.
    pub fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.breaker.shared.would_admit().is_ok() {
            self.stop_waiting();
            return Poll::Ready(());
        }
        self.breaker.shared.waiters.register(&mut self.key, context.waker());
        // It may have changed before the waker was there; and arming a timer may find its time past.
        loop {
            match self.breaker.shared.would_admit() {
                Ok(()) => {
                    self.stop_waiting();
                    return Poll::Ready(());
                }
                Err(deadline) => {
                    if !self.arm(deadline, context.waker()) {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    /// Sets the timer for `deadline`, unless it is set; returns whether the deadline is past, so that one has to look again.
    fn arm(&mut self, deadline: Option<MonoTime>, waker: &Waker) -> bool {
        let Some(deadline) = deadline else {
            self.timer = None;
            return false;
        };
        let is_set = self.timer.as_ref().is_some_and(|(at, set, _)| *at == deadline && set.will_wake(waker));
        if !is_set {
            let clock = &self.breaker.shared.clock;
            self.timer = Some((deadline, waker.clone(), clock.wake_at(deadline, waker.clone())));
        }
        self.breaker.shared.clock.mono() >= deadline
    }

    fn stop_waiting(&mut self) {
        self.timer = None;
        if let Some(key) = self.key.take() {
            self.breaker.shared.waiters.cancel(key);
        }
    }
}

impl<C: Clock> Drop for Readiness<C> {
    fn drop(&mut self) {
        self.stop_waiting();
    }
}

impl<C: Clock> std::fmt::Debug for Readiness<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readiness").field("breaker", &self.breaker).finish_non_exhaustive()
    }
}
