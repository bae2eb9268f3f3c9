//! The state of a pool and what moves it: admission, hand-over, return.

use std::collections::VecDeque;
use std::task::Waker;

use foundation_types::contain;

use super::events::{Events, Reason};
use super::{AsyncFactory, Check, OnPanic, Order, PoolState, PoolStatus};
use crate::waiting::{Mutex, MutexGuard, Queue, Source, Ticket, wake};

/// What does not change after the start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) size: usize,
    pub(super) max_overflow: usize,
    pub(super) max_waiting: usize,
    pub(super) order: Order,
    pub(super) on_panic: OnPanic,
    pub(super) check: Check,
}

impl Options {
    /// How many workers there may be.
    pub(super) const fn capacity(&self) -> usize {
        // The builder has checked the sum.
        self.size + self.max_overflow
    }
}

pub(super) struct Core<F: AsyncFactory> {
    pub(super) factory: F,
    pub(super) options: Options,
    pub(super) events: Events,
    /// Held for O(1) work, and never across foreign code.
    state: Mutex<State<F::Item>>,
}

/// Invariants, whenever the lock is free:
/// - `alive` = idle + checked out + being made or retired, at most the capacity;
/// - somebody waits only if nothing is idle and `alive` is the capacity;
/// - idle workers are at most `size`.
struct State<T> {
    /// Returned last at the back.
    idle: VecDeque<T>,
    /// Workers that exist or are being made.
    alive: usize,
    checked_out: usize,
    /// Workers that are being retired because there were too many, among those alive.
    leaving_overflow: usize,
    waiters: Queue<Grant<T>>,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Closed,
}

/// What a borrower is given. It is the receiver's to give back, in whatever form.
#[derive(Debug)]
pub(super) enum Grant<T> {
    /// A worker, which counts as checked out.
    Item(T),
    /// The right to make one, which counts as alive.
    Place(PlaceKind),
}

/// What a worker in the place would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlaceKind {
    Core,
    Overflow,
}

/// What a newcomer is told.
pub(super) enum Admission<T> {
    Granted(Grant<T>),
    Queued(Ticket),
}

/// Whether a newcomer would wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    None,
    Some,
}

/// Why a newcomer is sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Full,
    TooManyWaiting,
    Closed,
}

/// What becomes of a worker that comes back.
enum Fate<T> {
    /// Idle, or with a waiter that is to be woken.
    Kept(Option<Waker>),
    Retired(T, Reason),
}

impl<F: AsyncFactory> Core<F> {
    /// A core with these workers, no more than its size.
    pub(super) fn new(factory: F, options: Options, events: Events, workers: VecDeque<F::Item>) -> Self {
        let alive = workers.len();
        let state = State {
            idle: workers,
            alive,
            checked_out: 0,
            leaving_overflow: 0,
            waiters: Queue::new(),
            phase: Phase::Open,
        };
        Self { factory, options, events, state: Mutex::new(state) }
    }

    pub(super) fn status(&self) -> PoolStatus {
        let Options { size, max_overflow, .. } = self.options;
        let state = self.lock();
        let (idle, checked_out) = (state.idle.len(), state.checked_out);
        PoolStatus {
            size,
            max_overflow,
            overflow: state.alive.saturating_sub(size),
            idle,
            checked_out,
            in_transition: state.alive - idle - checked_out,
            waiting: state.waiters.len(),
            state: if state.phase == Phase::Closed {
                PoolState::Closed
            } else if idle > 0 || state.alive < size {
                PoolState::Ready
            } else if state.alive < size + max_overflow {
                PoolState::Overflow
            } else {
                PoolState::Full
            },
        }
    }

    /// A worker, the right to make one, or a place in line. Nobody overtakes: while somebody waits nothing is idle and no
    /// place is free.
    pub(super) fn admit(&self, patience: Patience) -> Result<Admission<F::Item>, Refusal> {
        let options = &self.options;
        let mut state = self.lock();
        if state.phase == Phase::Closed {
            return Err(Refusal::Closed);
        }
        let idle = match options.order {
            Order::Lifo => state.idle.pop_back(),
            Order::Fifo => state.idle.pop_front(),
        };
        if let Some(item) = idle {
            state.checked_out += 1;
            return Ok(Admission::Granted(Grant::Item(item)));
        }
        if state.alive < options.capacity() {
            state.alive += 1;
            let kind = if state.alive > options.size { PlaceKind::Overflow } else { PlaceKind::Core };
            return Ok(Admission::Granted(Grant::Place(kind)));
        }
        match patience {
            Patience::None => Err(Refusal::Full),
            Patience::Some if state.waiters.len() >= options.max_waiting => Err(Refusal::TooManyWaiting),
            Patience::Some => Ok(Admission::Queued(state.waiters.join())),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().phase == Phase::Closed
    }

    /// Whether the factory finds the worker fit for another borrower.
    pub(super) fn is_usable(&self, item: &mut F::Item) -> bool {
        contain(|| self.factory.is_usable(item)).unwrap_or(false)
    }

    /// A worker was made in a place.
    ///
    /// # Errors
    /// The worker, if the pool was closed meanwhile; the place is still the caller's.
    pub(super) fn fill(&self, item: F::Item) -> Result<F::Item, F::Item> {
        let mut state = self.lock();
        if state.phase == Phase::Closed {
            return Err(item);
        }
        state.checked_out += 1;
        Ok(item)
    }

    /// A borrower is done with a worker that is fit for the next.
    pub(super) fn put_back(&self, item: F::Item) {
        let fate = {
            let mut state = self.lock();
            let too_many = state.alive - state.leaving_overflow > self.options.size;
            if state.phase == Phase::Closed {
                state.checked_out -= 1;
                Fate::Retired(item, Reason::Closed)
            } else {
                match state.waiters.grant(Grant::Item(item)) {
                    Ok(waker) => Fate::Kept(waker),
                    Err(Grant::Item(item)) if too_many => {
                        state.checked_out -= 1;
                        state.leaving_overflow += 1;
                        Fate::Retired(item, Reason::Overflow)
                    }
                    Err(Grant::Item(item)) => {
                        state.checked_out -= 1;
                        state.idle.push_back(item);
                        Fate::Kept(None)
                    }
                    Err(Grant::Place(_)) => unreachable!("the grant that comes back is the one that went in"),
                }
            }
        };
        match fate {
            Fate::Kept(waker) => wake(waker),
            Fate::Retired(item, reason) => {
                self.retire(item, reason);
                self.free_place_after(|state| state.leaving_overflow -= usize::from(reason == Reason::Overflow));
            }
        }
    }

    /// A worker that is out will not come back. Its place is free when it has been retired.
    pub(super) fn lose(&self, item: F::Item, reason: Reason) {
        self.uncount(item, reason);
        self.free_place();
    }

    /// Retires a worker that is out. The place that it leaves is the caller's.
    pub(super) fn uncount(&self, item: F::Item, reason: Reason) {
        self.lock().checked_out -= 1;
        self.retire(item, reason);
    }

    /// Gives the place to the first in line, or leaves it empty.
    pub(super) fn free_place(&self) {
        self.free_place_after(|_| {});
    }

    fn free_place_after(&self, account: impl FnOnce(&mut State<F::Item>)) {
        let waker = {
            let mut state = self.lock();
            account(&mut state);
            // A place is only waited for at capacity, where a new worker is an overflow worker if there are any.
            let kind = if self.options.max_overflow > 0 { PlaceKind::Overflow } else { PlaceKind::Core };
            match state.phase {
                Phase::Open => state.waiters.grant(Grant::Place(kind)),
                Phase::Closed => Err(Grant::Place(kind)),
            }
            .unwrap_or_else(|_| {
                state.alive -= 1;
                None
            })
        };
        wake(waker);
    }

    /// Ends a worker, outside the lock.
    pub(super) fn retire(&self, item: F::Item, reason: Reason) {
        // The panic hook reports what the factory does; whoever returns a worker is not to blame, and may be unwinding.
        let _ = contain(|| self.factory.retire(item));
        self.events.retired(reason);
    }

    /// Sends waiters away and retires what is idle. Only the first call does anything; the answer is whether this was it.
    pub(super) fn close(&self) -> bool {
        let idle = {
            let mut state = self.lock();
            if state.phase == Phase::Closed {
                return false;
            }
            state.phase = Phase::Closed;
            state.waiters.close();
            std::mem::take(&mut state.idle)
        };
        // One at a time, so that the lock is never held for long.
        loop {
            let sent_away = self.lock().waiters.send_away();
            let Ok(waker) = sent_away else { break };
            wake(waker);
        }
        for item in idle {
            self.retire(item, Reason::Closed);
            self.free_place();
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State<F::Item>> {
        self.state.lock()
    }
}

impl<F: AsyncFactory> Source for Core<F> {
    type Grant = Grant<F::Item>;

    fn with_queue<R>(&self, change: impl FnOnce(&mut Queue<Self::Grant>) -> R) -> R {
        change(&mut self.lock().waiters)
    }

    fn give_back(&self, grant: Self::Grant) {
        match grant {
            Grant::Item(item) => self.put_back(item),
            Grant::Place(_) => self.free_place(),
        }
    }
}

impl<F: AsyncFactory> Drop for Core<F> {
    /// The last handle and the last guard are gone.
    fn drop(&mut self) {
        let idle = std::mem::take(&mut self.state.get_mut().idle);
        for item in idle {
            self.retire(item, Reason::Closed);
        }
    }
}
