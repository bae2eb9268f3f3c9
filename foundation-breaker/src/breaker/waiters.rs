//! Those who wait until a call would be let through.

use std::collections::BTreeMap;
use std::task::Waker;

use crate::sync::{AtomicUsize, Mutex, Ordering};

/// The wakers of those who wait. Each has one, and takes it away when it goes, so there are as many as there are waiting
/// handles.
#[derive(Default)]
pub(crate) struct Waiters {
    /// How many wait, so that a change of the state looks at the list only if somebody does.
    waiting: AtomicUsize,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    wakers: BTreeMap<u64, Waker>,
    next: u64,
}

impl Waiters {
    /// Adds a waker, or renews the one of `key`. The caller has to look at the circuit once more afterwards.
    pub(crate) fn register(&self, key: &mut Option<u64>, waker: &Waker) {
        let fresh = waker.clone();
        let mut list = self.list.lock();
        let number = *key.get_or_insert_with(|| {
            list.next += 1;
            list.next
        });
        let former = list.wakers.insert(number, fresh);
        // Ordered before the caller's second look by the machine's lock, which both that look and every change take: either
        // the change sees the count, or the look sees the change.
        self.waiting.store(list.wakers.len(), Ordering::SeqCst);
        drop(list);
        drop(former);
    }

    /// Takes the waker of `key` away.
    pub(crate) fn cancel(&self, key: u64) {
        let mut list = self.list.lock();
        let former = list.wakers.remove(&key);
        self.waiting.store(list.wakers.len(), Ordering::SeqCst);
        drop(list);
        drop(former);
    }

    /// Wakes all who wait. Those who are not let through will register again.
    pub(crate) fn wake_all(&self) {
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut list = self.list.lock();
        let wakers = std::mem::take(&mut list.wakers);
        self.waiting.store(0, Ordering::SeqCst);
        drop(list);
        for waker in wakers.into_values() {
            // The panic hook has reported what a waker did; the others have to be woken all the same.
            let _ = foundation_types::contain(|| waker.wake());
        }
    }
}
