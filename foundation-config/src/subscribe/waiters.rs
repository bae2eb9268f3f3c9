//! Who waits for a change, by the path that they wait for.

use std::collections::BTreeMap;
use std::task::Waker;

use foundation_types::{Text, contain};

use crate::path::Path;
use crate::sync::{AtomicUsize, Mutex, Ordering};

/// The wakers of all who wait, at the places of a tree. Waking the ones that a change concerns costs O(depth + those who are
/// woken), and allocates nothing for them: their lists are taken as they are.
#[derive(Default)]
pub(super) struct Waiters {
    root: Mutex<Root>,
    /// How many wait, so that a commit without waiters takes no lock.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct Root {
    place: Place,
    /// How often lists have been taken; never 0 in a ticket.
    round: u64,
}

#[derive(Default)]
struct Place {
    here: Vec<Option<Waker>>,
    /// The places in the list that somebody has left.
    free: Vec<usize>,
    /// The round in which the list began.
    since: u64,
    below: BTreeMap<Text, Place>,
}

/// Where somebody waits. It says nothing any more once the list has been taken.
#[derive(Clone, Copy, Default)]
pub(super) struct Ticket {
    since: u64,
    index: usize,
}

impl Waiters {
    /// Notes that somebody waits for changes at, above and below `path`, in place of what they noted with their last ticket,
    /// which is the default one at first and after they have left.
    ///
    /// Whoever calls this has to look for a change afterwards, under the lock under which changes are published: one may have
    /// come in between.
    pub(super) fn enter(&self, path: &Path, ticket: Ticket, waker: Waker) -> Ticket {
        let (ticket, displaced) = {
            let mut root = self.root.lock();
            let round = root.round + 1;
            let place =
                path.texts().iter().fold(&mut root.place, |place, key| place.below.entry(key.clone()).or_default());
            if place.here.is_empty() {
                place.since = round;
            }
            if ticket.since == place.since {
                (ticket, place.here[ticket.index].replace(waker))
            } else {
                // Relaxed: see `is_empty`.
                self.waiting.fetch_add(1, Ordering::Relaxed);
                (place.enter(waker), None)
            }
        };
        // A waker is foreign code, so it is dropped here.
        drop(displaced);
        ticket
    }

    /// Forgets who has the ticket.
    pub(super) fn leave(&self, path: &Path, ticket: Ticket) {
        let removed = self.root.lock().place.leave(path.texts(), ticket);
        if removed.is_some() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        drop(removed);
    }

    /// Wakes all who wait at, above or below one of these paths. A change that they wait for has been published before.
    pub(super) fn wake<'p>(&self, paths: impl IntoIterator<Item = &'p Path>) {
        if self.is_empty() {
            return;
        }
        for path in paths {
            self.wake_at(path);
        }
    }

    /// Wakes all who wait, whatever the count says.
    pub(super) fn wake_all(&self) {
        self.wake_at(&Path::ROOT);
    }

    fn wake_at(&self, path: &Path) {
        let mut taken = Vec::new();
        {
            let mut root = self.root.lock();
            root.round += 1;
            root.place.take(path.texts(), &mut taken);
        }
        let woken = taken.iter().flatten().flatten().count();
        for list in taken {
            let mut list = list.into_iter();
            // Whoever cannot be woken must not keep the others from it.
            while contain(|| list.by_ref().flatten().for_each(Waker::wake)).is_err() {}
        }
        self.waiting.fetch_sub(woken, Ordering::Relaxed);
    }

    fn is_empty(&self) -> bool {
        // Relaxed: whoever entered looks for a change under the lock under which it was published. If that look came after,
        // they saw the change; if it came before, the lock orders their increment before this.
        self.waiting.load(Ordering::Relaxed) == 0
    }
}

impl Place {
    fn enter(&mut self, waker: Waker) -> Ticket {
        let index = self.free.pop().unwrap_or_else(|| {
            self.here.push(None);
            self.here.len() - 1
        });
        self.here[index] = Some(waker);
        Ticket { since: self.since, index }
    }

    /// Moves the lists at, above and below the path to `taken`.
    fn take(&mut self, path: &[Text], taken: &mut Vec<Vec<Option<Waker>>>) {
        if !self.here.is_empty() {
            taken.push(std::mem::take(&mut self.here));
            self.free.clear();
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

    fn leave(&mut self, path: &[Text], ticket: Ticket) -> Option<Waker> {
        let Some((key, rest)) = path.split_first() else {
            if self.since != ticket.since {
                return None;
            }
            let waker = self.here.get_mut(ticket.index)?.take();
            self.free.push(ticket.index);
            return waker;
        };
        let place = self.below.get_mut(key)?;
        let waker = place.leave(rest, ticket);
        if place.is_idle() {
            self.below.remove(key);
        }
        waker
    }

    fn is_idle(&self) -> bool {
        self.here.len() == self.free.len() && self.below.is_empty()
    }
}
