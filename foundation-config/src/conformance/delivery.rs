//! Who hears of what.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use foundation_types::{Value, block_on};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::backend::{Backend, Heard, Record, Snapshot, Subscription};
use super::command::{Base, Command, Did, Pair, bases, commands, plain};
use super::schema::Ruled;
use super::setup::Setup;
use super::trees::{at, path};
use super::{Factory, check};
use crate::change::Scope;
use crate::layer::Version;
use crate::path::Path;

/// Whether a change is heard by those who listen at and below `prefix`: if it wrote there, or above it so that the value
/// there is another one. `before` and `after` are the trees.
pub(super) fn is_heard(record: &Record, prefix: &Path, before: &Value, after: &Value) -> bool {
    record.entries.iter().filter(|entry| matches!(entry.scope, Scope::Layer(_))).any(|entry| {
        entry.path.starts_with(prefix) || (prefix.starts_with(&entry.path) && at(before, prefix) != at(after, prefix))
    })
}

/// Waits for the next delivery.
pub(super) fn recv(subscription: &mut impl Subscription) -> Option<Heard> {
    block_on(poll_fn(|context| subscription.poll_recv(context)))
}

/// Whether somebody has been woken.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Somebody who has heard all that there is, and waits.
pub(super) struct Waiting(Arc<Flag>);

impl Waiting {
    pub(super) fn new(subscription: &mut impl Subscription) -> Self {
        let flag = Arc::new(Flag::default());
        let waker = Waker::from(Arc::clone(&flag));
        assert_eq!(subscription.poll_recv(&mut Context::from_waker(&waker)), Poll::Pending);
        Self(flag)
    }

    pub(super) fn is_woken(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }
}

/// Somebody who listens, and all that was for them.
struct Listener<B: Backend> {
    subscription: B::Subscription,
    prefix: Path,
    wanted: Vec<Record>,
    /// The versions from which on it has heard, or been told that it has missed.
    next: Version,
    /// How many of those that were wanted have been delivered or declared missed.
    done: usize,
    /// Whether something was wanted since it asked for the latest version.
    has_news: bool,
    /// The version that it has seen when it did.
    seen: Version,
}

impl<B: Backend> Listener<B> {
    fn new(store: &B, prefix: Path) -> Self {
        let next = store.snapshot().version().next();
        let subscription = store.subscribe(prefix.clone()).expect("room");
        Self { subscription, prefix, wanted: Vec::new(), next, done: 0, has_news: false, seen: next }
    }

    /// Takes one delivery, which has to be the right one; whether there was one.
    fn take(&mut self, current: Version, remembered: usize) -> bool {
        let oldest = current.get().saturating_sub(remembered as u64) + 1;
        match self.subscription.try_recv() {
            None => {
                assert_eq!(self.done, self.wanted.len(), "something was not delivered");
                self.next = current.next();
                false
            }
            Some(Heard::Change(record)) => {
                assert_eq!(Some(&record), self.wanted.get(self.done), "under {}", self.prefix);
                assert!(record.version >= self.next, "what was missed is delivered");
                self.done += 1;
                self.next = record.version.next();
                true
            }
            Some(Heard::Lagged { first, last, snapshot }) => {
                assert!(first >= self.next && first <= last, "{first} to {last} after {}", self.next);
                assert_eq!((last.get() + 1, snapshot), (oldest, current), "what is remembered is not missed");
                let skipped = &self.wanted[self.done..];
                assert!(skipped.iter().all(|record| record.version >= first));
                self.done += skipped.iter().filter(|record| record.version <= last).count();
                self.next = last.next();
                true
            }
        }
    }

    fn latest(&mut self, current: Version, remembered: usize) {
        let is_overtaken = self.seen.get() + remembered as u64 <= current.get();
        let latest = self.subscription.latest();
        if self.has_news {
            assert_eq!(latest, Some(current));
        } else {
            assert!(latest.is_none() || (is_overtaken && latest == Some(current)));
        }
        (self.has_news, self.seen) = (false, current.next());
    }
}

#[derive(Clone, Debug)]
enum Step {
    Do(Command),
    Subscribe(Path),
    Unsubscribe(usize),
    Take(usize, usize),
    Latest(usize),
}

/// P14: what a subscription delivers and what it says was missed are together, in order and without overlap, the changes
/// that it wants since it began, however little is remembered and however slow it is; and only what is not remembered is
/// missed.
pub fn p14_delivery<B: Backend>(make: Factory<'_, B>) {
    let prefixes = || prop_oneof![1 => Just(Path::ROOT), 3 => B::Schema::paths()];
    let step = prop_oneof![
        5 => B::Schema::writes().prop_map(|(path, value)| Step::Do(Command::Update(path, value))),
        1 => B::Schema::paths().prop_map(|path| Step::Do(Command::Unset(path))),
        1 => select(vec![Command::Reset, Command::Rollback(1), Command::Rollback(3)]).prop_map(Step::Do),
        2 => prefixes().prop_map(Step::Subscribe),
        1 => (0..4_usize).prop_map(Step::Unsubscribe),
        4 => (0..4_usize, 1..4_usize).prop_map(|(who, count)| Step::Take(who, count)),
        1 => (0..4_usize).prop_map(Step::Latest),
    ];
    check(300, (1..=8_usize, prefixes(), vec(step, 0..40)), |(history, first, steps)| {
        let mut pair = Pair::new(make, &Base { history, ..plain() });
        let mut listeners = vec![Listener::new(&pair.store, first)];
        for step in steps {
            match step {
                Step::Do(command) => {
                    let before = pair.model.tree();
                    let Did::Commit(record) = pair.run(&command) else { continue };
                    let after = pair.model.tree();
                    for listener in &mut listeners {
                        if is_heard(&record, &listener.prefix, &before, &after) {
                            listener.wanted.push(record.clone());
                            listener.has_news = true;
                        }
                    }
                }
                Step::Subscribe(prefix) => listeners.push(Listener::new(&pair.store, prefix)),
                Step::Unsubscribe(who) => {
                    if who < listeners.len() {
                        listeners.swap_remove(who);
                    }
                }
                Step::Take(who, count) => {
                    if let Some(listener) = listeners.get_mut(who) {
                        (0..count).all(|_| listener.take(pair.older(0), history));
                    }
                }
                Step::Latest(who) => {
                    if let Some(listener) = listeners.get_mut(who) {
                        listener.latest(pair.older(0), history);
                    }
                }
            }
            assert_eq!(pair.store.subscriptions(), listeners.len());
        }
        for listener in &mut listeners {
            while listener.take(pair.older(0), history) {}
            listener.latest(pair.older(0), history);
        }
    });
    delivered_to_threads(make);
}

/// The same with listeners that wait on threads of their own while others write.
fn delivered_to_threads<B: Backend>(make: Factory<'_, B>) {
    const WRITES: i64 = 60;
    for history in [1, 2, 8, 1024] {
        let mut pair = Pair::new(make, &Base { history, ..plain() });
        let store = pair.store.clone();
        let prefixes = ["", "labels", "labels.even", "labels.odd", "labels.even.more"];
        let started = Barrier::new(prefixes.len() + 1);
        let heard: Vec<Vec<Heard>> = thread::scope(|scope| {
            let listeners = prefixes.map(|prefix| {
                let mut subscription = store.subscribe(path(prefix)).expect("room");
                let started = &started;
                scope.spawn(move || {
                    started.wait();
                    std::iter::from_fn(|| recv(&mut subscription)).collect()
                })
            });
            started.wait();
            for number in 0..WRITES {
                let place = if number % 2 == 0 { "labels.even" } else { "labels.odd" };
                pair.run(&Command::Update(path(place), number.into()));
            }
            // The last handle ends all listening, after what is left.
            drop(store);
            pair.store = make(Setup::new(&pair.clock));
            listeners.map(|listener| listener.join().expect("no panic")).into()
        });
        for (prefix, heard) in prefixes.into_iter().zip(heard) {
            let listens_to = |record: &&Record| record.entries[0].path.starts_with(&path(prefix));
            // The value below a number is never there, so it never changes.
            let wanted: Vec<_> = pair.model.changes.iter().filter(listens_to).collect();
            let mut rest = wanted.into_iter().peekable();
            let mut next = Version::FIRST.next();
            for heard in heard {
                match heard {
                    Heard::Change(record) => {
                        assert_eq!(rest.next(), Some(&record), "under {prefix}");
                        next = record.version.next();
                    }
                    Heard::Lagged { first, last, snapshot } => {
                        assert!(next <= first && first <= last && last < snapshot);
                        assert!(snapshot.get() - last.get() >= history as u64, "it was remembered");
                        assert!(rest.peek().is_none_or(|record| record.version >= first));
                        while rest.next_if(|record| record.version <= last).is_some() {}
                        next = last.next();
                    }
                }
            }
            assert_eq!(rest.next(), None, "under {prefix}");
        }
    }
}

/// P15: a change is delivered exactly if it wrote at or below the path, or above it so that the value there is another one;
/// and once, however many of its places match; and whoever waits for it is woken.
pub fn p15_filter<B: Backend>(make: Factory<'_, B>) {
    let prefixes = vec(prop_oneof![1 => Just(Path::ROOT), 5 => B::Schema::paths()], 1..6);
    check(200, (bases::<B::Schema>(), prefixes, commands::<B::Schema>()), |(base, prefixes, commands)| {
        let mut pair = Pair::new(make, &Base { history: 1024, ..base });
        let listen = |prefix: Path| (pair.store.subscribe(prefix.clone()).expect("room"), prefix);
        let mut listeners: Vec<_> = prefixes.into_iter().map(listen).collect();
        for command in &commands {
            let before = pair.model.tree();
            // Who waits at the same places, and goes before anything happens, is in nobody's way.
            let passing = listeners.iter().map(|(_, prefix)| {
                let mut subscription = pair.store.subscribe(prefix.clone()).expect("room");
                let _ = Waiting::new(&mut subscription);
                subscription
            });
            let passing: Vec<_> = passing.collect();
            let waiting: Vec<_> = listeners.iter_mut().map(|(subscription, _)| Waiting::new(subscription)).collect();
            drop(passing);
            let did = pair.run(command);
            let after = pair.model.tree();
            for ((subscription, prefix), waiting) in listeners.iter_mut().zip(waiting) {
                let wanted = match &did {
                    Did::Commit(record) => is_heard(record, prefix, &before, &after).then(|| record.clone()),
                    _ => None,
                };
                assert!(waiting.is_woken() || wanted.is_none(), "under {prefix}");
                assert_eq!(subscription.latest(), wanted.as_ref().map(|record| record.version), "under {prefix}");
                assert_eq!(subscription.try_recv(), wanted.map(Heard::Change), "under {prefix}");
                assert_eq!(subscription.try_recv(), None);
            }
        }
    });
}
