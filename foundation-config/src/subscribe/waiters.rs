//! Who waits for a change, by the path that they wait for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use foundation_types::Text;
use parking_lot::Mutex;

use crate::path::Path;

/// The wakers of all who wait, at the places of a tree. Waking the ones that a change concerns costs O(depth + those who are
/// woken), and allocates nothing: their lists are taken as they are.
#[derive(Default)]
pub(super) struct Waiters {
    root: Mutex<Place>,
    /// How many wait, so that a commit without waiters takes no lock.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct Place {
    here: BTreeMap<u64, Waker>,
    below: BTreeMap<Text, Place>,
}

impl Waiters {
    /// Notes that `id` waits for changes at, above and below `path`. Its earlier waker there is replaced.
    ///
    /// Whoever calls this has to look for a change afterwards: one may have come in between.
    pub(super) fn enter(&self, path: &Path, id: u64, waker: Waker) {
        let displaced = {
            let mut root = self.root.lock();
            let place = path.texts().iter().fold(&mut *root, |place, key| place.below.entry(key.clone()).or_default());
            let displaced = place.here.insert(id, waker);
            if displaced.is_none() {
                // Ordered by the fence in `is_empty`.
                self.waiting.fetch_add(1, Ordering::SeqCst);
            }
            displaced
        };
        drop(displaced);
    }

    /// Forgets that `id` waits at `path`.
    pub(super) fn leave(&self, path: &Path, id: u64) {
        let removed = self.root.lock().leave(path.texts(), id);
        if removed.is_some() {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
        // A waker is foreign code, so it is dropped here.
        drop(removed);
    }

    /// Wakes all who wait at, above or below one of these paths.
    pub(super) fn wake<'p>(&self, paths: impl IntoIterator<Item = &'p Path>) {
        if self.is_empty() {
            return;
        }
        for path in paths {
            let mut taken = Vec::new();
            self.root.lock().take(path.texts(), &mut taken);
            let woken: usize = taken.iter().map(BTreeMap::len).sum();
            self.waiting.fetch_sub(woken, Ordering::SeqCst);
            for waker in taken.into_iter().flat_map(BTreeMap::into_values) {
                // Whoever cannot be woken must not keep the others from it.
                let _ = foundation_types::contain(|| waker.wake());
            }
        }
    }

    fn is_empty(&self) -> bool {
        // Sequentially consistent with the increment in `enter`: either this sees it, or who entered sees the change.
        self.waiting.load(Ordering::SeqCst) == 0
    }
}

impl Place {
    /// Moves the lists at, above and below the path to `taken`.
    fn take(&mut self, path: &[Text], taken: &mut Vec<BTreeMap<u64, Waker>>) {
        if !self.here.is_empty() {
            taken.push(std::mem::take(&mut self.here));
        }
        match path.split_first() {
            Some((key, rest)) => {
                if let Some(place) = self.below.get_mut(key) {
                    place.take(rest, taken);
                    if place.is_idle() {
                        self.below.remove(key);
                    }
                }
            }
            None => {
                for place in std::mem::take(&mut self.below).values_mut() {
                    place.take(&[], taken);
                }
            }
        }
    }

    fn leave(&mut self, path: &[Text], id: u64) -> Option<Waker> {
        let Some((key, rest)) = path.split_first() else { return self.here.remove(&id) };
        let place = self.below.get_mut(key)?;
        let waker = place.leave(rest, id);
        if place.is_idle() {
            self.below.remove(key);
        }
        waker
    }

    fn is_idle(&self) -> bool {
        self.here.is_empty() && self.below.is_empty()
    }
}
