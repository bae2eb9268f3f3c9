//! Observers that are slow or panic.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use foundation_types::testing::RecordingObserver;
use foundation_types::{EventName, ManualClock, Measurements, Metadata, Observer};

use super::backend::{Backend, Heard, Snapshot, Subscription};
use super::command::{Command, Did, Pair, bases, commands};
use super::setup::Setup;
use super::trees::path;
use super::{Factory, check};
use crate::path::Path;

/// Blocks in the first event that it hears until it is let go.
struct Blocking {
    entered: Sender<()>,
    /// Taken by whoever blocks.
    release: Mutex<Option<Receiver<()>>>,
}

impl Observer for Blocking {
    fn emit(&self, _: &EventName, _: &Measurements, _: &Metadata) {
        let release = self.release.lock().expect("nobody panics with it").take();
        if let Some(release) = release {
            self.entered.send(()).expect("somebody waits");
            release.recv().expect("somebody lets go");
        }
    }
}

/// P22: while the observer blocks on a change, that change is read by all, and others write, read and listen; and an observer
/// that panics changes no result.
pub fn p22_observer_isolation<B: Backend>(make: Factory<'_, B>) {
    let (entered, has_entered) = channel();
    let (let_go, release) = channel();
    let mut setup = Setup::new(&ManualClock::new());
    setup.observer = Some(Arc::new(Blocking { entered, release: Mutex::new(Some(release)) }));
    let store = make(setup);
    let mut subscription = store.subscribe(Path::ROOT).expect("room");
    thread::scope(|scope| {
        let slow = scope.spawn(|| store.update("labels.slow", 1.into()));
        has_entered.recv().expect("the observer is called");
        // The other one blocks from here on, on its own thread.
        let version = store.snapshot().version();
        assert_eq!(store.value("labels.slow"), Ok(1.into()));
        let other = store.update("labels.other", 2.into()).expect("valid");
        assert_eq!(other.version, version.next());
        assert_eq!(store.value("labels.other"), Ok(2.into()));
        let both: Vec<_> = std::iter::from_fn(|| subscription.try_recv()).collect();
        assert_eq!((both.len(), both.last()), (2, Some(&Heard::Change(other))));
        assert!(store.unset("labels.other").is_ok() && store.reload().is_ok() && store.reset().is_ok());
        assert!(store.value(path("labels.slow")).is_err());
        assert!(!slow.is_finished());
        let_go.send(()).expect("the observer waits");
        let record = slow.join().expect("no panic").expect("valid");
        assert_eq!((record.version, &Heard::Change(record)), (version, &both[0]));
    });
    check(60, (bases::<B::Schema>(), commands::<B::Schema>()), |(base, commands)| {
        let observers = [(); 2].map(|()| Arc::new(RecordingObserver::new()));
        observers[1].start_panicking();
        let [calm, panicking] = observers.each_ref().map(|observer| {
            let heard_by = Arc::clone(observer);
            let mut pair = Pair::with(make, &base, |setup| setup.observer = Some(heard_by));
            let did: Vec<Did> = commands.iter().map(|command: &Command| pair.run(command)).collect();
            pair.agree();
            did
        });
        assert_eq!(calm, panicking);
        let commits = calm.iter().filter(|did| matches!(did, Did::Commit(_))).count();
        assert!(observers[0].events().len() >= commits, "each change is told");
        assert_eq!(observers[0].events(), observers[1].events());
    });
}
