//! The permits and the line of those who wait for one.
//!
//! One word holds the number of free permits and whether somebody waits. While nobody does, taking and returning a permit
//! is one exchange of that word. Who finds none free takes the lock of the queue, and marks the word before it lines up;
//! from then on an exchange that would return a permit past the line fails, and whoever returns one goes through the lock
//! and hands it over.

use crate::waiting::{AtomicUsize, Mutex, MutexGuard, Ordering, Queue, Source, Ticket, wake};

/// Somebody waits. Set and cleared under the lock of the queue; no permit is free while it is set.
const WAITED_FOR: usize = 1;
/// Nobody gets in any more. Set under the lock of the queue, never cleared.
const CLOSED: usize = 2;
/// A free permit.
const PERMIT: usize = 4;

pub(super) struct Core {
    word: AtomicUsize,
    /// Held for O(1) work, and never across foreign code.
    queue: Mutex<Queue<()>>,
    pub(super) max_concurrent: usize,
    pub(super) max_waiting: usize,
}

/// Whether a newcomer would wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    None,
    Some,
}

/// What a newcomer is told.
#[derive(Debug)]
pub(super) enum Admission {
    Granted,
    Queued(Ticket),
}

/// Why a newcomer is sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Full,
    TooManyWaiting,
    Closed,
}

/// The figures of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) in_use: usize,
    pub(super) waiting: usize,
    pub(super) is_closed: bool,
}

impl Core {
    pub(super) fn new(max_concurrent: usize, max_waiting: usize) -> Self {
        let word = AtomicUsize::new(max_concurrent * PERMIT);
        Self { word, queue: Mutex::new(Queue::new()), max_concurrent, max_waiting }
    }

    /// A permit, or a place in line. Nobody overtakes: while somebody waits no permit is free.
    pub(super) fn admit(&self, patience: Patience) -> Result<Admission, Refusal> {
        match self.take_free() {
            Ok(()) => Ok(Admission::Granted),
            Err(Refusal::Full) if patience == Patience::Some => self.line_up(),
            Err(refusal) => Err(refusal),
        }
    }

    fn take_free(&self) -> Result<(), Refusal> {
        // Relaxed: the exchange checks what was read, and carries the order.
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & CLOSED != 0 {
                return Err(Refusal::Closed);
            }
            if word < PERMIT {
                return Err(Refusal::Full);
            }
            // Acquire pairs with the Release of whoever returned the permit: what was done under it is seen under this one.
            match self.word.compare_exchange_weak(word, word - PERMIT, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(changed) => word = changed,
            }
        }
    }

    fn line_up(&self) -> Result<Admission, Refusal> {
        let mut queue = self.queue.lock();
        loop {
            match self.take_free() {
                Ok(()) => return Ok(Admission::Granted),
                Err(Refusal::Full) => {}
                Err(refusal) => return Err(refusal),
            }
            if queue.len() >= self.max_waiting {
                return Err(Refusal::TooManyWaiting);
            }
            // The word is zero, or marked already. Relaxed: the mark orders nothing by itself. A return that comes later in
            // the order of changes to the word finds it and takes the lock; one that came before makes this exchange fail.
            let marked = self.word.compare_exchange(0, WAITED_FOR, Ordering::Relaxed, Ordering::Relaxed);
            if matches!(marked, Ok(_) | Err(WAITED_FOR)) {
                return Ok(Admission::Queued(queue.join()));
            }
        }
    }

    /// Returns a permit: to the first in line, or to whoever comes.
    pub(super) fn release(&self) {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & WAITED_FOR == 0 {
            match self.word.compare_exchange_weak(word, word + PERMIT, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(changed) => word = changed,
            }
        }
        self.hand_over();
    }

    #[cold]
    fn hand_over(&self) {
        let waker = {
            let mut queue = self.queue.lock();
            // The lock orders what was done under the permit before what the waiter does under it.
            if let Ok(waker) = queue.grant(()) {
                self.unmark_if_empty(&queue);
                waker
            } else {
                // The last in line left, and took the mark with it.
                self.word.fetch_add(PERMIT, Ordering::Release);
                None
            }
        };
        wake(waker);
    }

    /// To be called whenever the queue may have become empty, before its lock is released.
    fn unmark_if_empty(&self, queue: &MutexGuard<'_, Queue<()>>) {
        if queue.is_empty() {
            // Relaxed: it continues the release sequence of whoever returned a permit last.
            self.word.fetch_and(!WAITED_FOR, Ordering::Relaxed);
        }
    }

    /// Sends waiters away. Only the first call does anything; the answer is whether this was it.
    pub(super) fn close(&self) -> bool {
        {
            let mut queue = self.queue.lock();
            if self.word.fetch_or(CLOSED, Ordering::Relaxed) & CLOSED != 0 {
                return false;
            }
            queue.close();
            // Permits need not find those who are being sent away.
            self.word.fetch_and(!WAITED_FOR, Ordering::Relaxed);
        }
        // One at a time, so that the lock is never held for long.
        loop {
            let sent_away = self.queue.lock().send_away();
            let Ok(waker) = sent_away else { return true };
            wake(waker);
        }
    }

    pub(super) fn figures(&self) -> Figures {
        let queue = self.queue.lock();
        let word = self.word.load(Ordering::Relaxed);
        Figures { in_use: self.max_concurrent - word / PERMIT, waiting: queue.len(), is_closed: word & CLOSED != 0 }
    }
}

impl Source for Core {
    type Grant = ();

    fn with_queue<R>(&self, change: impl FnOnce(&mut Queue<()>) -> R) -> R {
        let mut queue = self.queue.lock();
        let result = change(&mut queue);
        self.unmark_if_empty(&queue);
        result
    }

    fn give_back(&self, (): ()) {
        self.release();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::waiting::Waiting;

    /// Nothing goes wrong if it does not; every return would take the lock.
    #[test]
    fn the_mark_goes_with_the_last_in_line() {
        let core = Core::new(1, 2);
        let line_up = || match core.admit(Patience::Some) {
            Ok(Admission::Queued(ticket)) => Waiting::new(&core, ticket),
            other => panic!("{other:?}"),
        };
        let is_marked = || core.word.load(Ordering::Relaxed) & WAITED_FOR != 0;
        assert!(matches!(core.admit(Patience::None), Ok(Admission::Granted)));
        for serve in [false, true] {
            let (one, two) = (line_up(), line_up());
            drop(one);
            assert!(is_marked());
            if serve {
                core.release();
                assert!(!is_marked(), "served, though it has not looked");
                drop(two);
                assert!(matches!(core.admit(Patience::None), Ok(Admission::Granted)), "given back");
            } else {
                drop(two);
            }
            assert!(!is_marked());
        }
    }
}
