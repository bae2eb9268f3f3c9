//! The thread that watches.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use foundation_types::{Clock, contain};
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use parking_lot::Mutex;

use super::places::Places;
use super::signal::Signal;
use super::{POLL_INTERVAL, WatchError, WatchOptions};

type Files = Box<dyn Fn() -> Vec<PathBuf> + Send>;
type Changed = Box<dyn Fn() + Send>;

/// The thread, from the side of who started it.
pub(super) struct Driver {
    signal: Arc<Signal>,
    unwatched: Arc<Mutex<BTreeSet<PathBuf>>>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    pub(super) fn start(options: WatchOptions, files: Files, changed: Changed) -> Result<Self, WatchError> {
        let signal = Signal::new(options.quiet);
        let mut watching = Watching {
            clock: options.clock,
            signal: Arc::clone(&signal),
            unwatched: Arc::default(),
            places: Places::of(files()),
            files,
            changed,
            watcher: None,
        };
        watching.watch().map_err(|error| WatchError { reason: error.to_string().into() })?;
        let unwatched = Arc::clone(&watching.unwatched);
        // What changed before the watch began, nobody has seen.
        signal.changed(watching.clock.mono());
        let thread = thread::Builder::new().name("foundation-config-watch".to_owned()).spawn(move || watching.run());
        let thread = thread.map_err(|error| WatchError { reason: error.to_string().into() })?;
        Ok(Self { signal, unwatched, thread: Some(thread) })
    }

    pub(super) fn unwatched(&self) -> Vec<PathBuf> {
        self.unwatched.lock().iter().cloned().collect()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.signal.stop();
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            // It contains the panics of others, and has none of its own.
            let _ = thread.join();
        }
    }
}

/// The thread, from its own side.
struct Watching {
    clock: Arc<dyn Clock>,
    signal: Arc<Signal>,
    unwatched: Arc<Mutex<BTreeSet<PathBuf>>>,
    files: Files,
    changed: Changed,
    places: Places,
    watcher: Option<RecommendedWatcher>,
}

impl Watching {
    fn run(mut self) {
        while self.signal.wait(&*self.clock) {
            // Folders may have been replaced by others of the same name, so all are watched anew, and before the files are
            // read: what changes from here on is noticed.
            self.look();
            if self.watch().is_err() {
                *self.unwatched.lock() = self.places.folders().map(PathBuf::from).collect();
            }
            let poll = !self.unwatched.lock().is_empty();
            self.signal.poll_at(poll.then(|| self.clock.mono().saturating_add(POLL_INTERVAL)));
            if self.signal.is_stopped() {
                return;
            }
            // The panic hook has reported what went wrong.
            let _ = contain(|| (self.changed)());
            // Files that are included since, or whose folder has been made, have not been watched while they were read.
            if self.look() {
                self.signal.changed(self.clock.mono());
            }
        }
    }

    /// Finds out where the files can change, and says whether that is elsewhere than before.
    fn look(&mut self) -> bool {
        // Whoever panics instead of giving files still has those before.
        let Ok(files) = contain(|| (self.files)()) else { return false };
        let places = Places::of(files);
        let moved = places != self.places;
        self.places = places;
        moved
    }

    /// Watches the places. On failure those that were watched before still are.
    fn watch(&mut self) -> notify::Result<()> {
        let (signal, clock) = (Arc::clone(&self.signal), Arc::clone(&self.clock));
        let concerned = self.places.clone();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // What failed to be said may have been what matters.
            if event.map_or(true, |event| matters(&event, &concerned)) {
                signal.changed(clock.mono());
            }
        })?;
        let mut unwatched = BTreeSet::new();
        for folder in self.places.folders() {
            if watcher.watch(folder, RecursiveMode::NonRecursive).is_err() {
                unwatched.insert(folder.to_owned());
            }
        }
        *self.unwatched.lock() = unwatched;
        self.watcher = Some(watcher);
        Ok(())
    }
}

/// Whether what happened can have changed what a file holds. That it was read has not: reading would never end.
fn matters(event: &Event, places: &Places) -> bool {
    let is_read = match event.kind {
        EventKind::Access(access) => access != AccessKind::Close(AccessMode::Write),
        _ => false,
    };
    event.need_rescan() || (!is_read && event.paths.iter().any(|path| places.concern(path)))
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, Flag, ModifyKind, RenameMode};

    use super::*;

    #[test]
    fn reading_makes_no_difference_and_neither_do_other_files() {
        let places = Places::of(["/nowhere-such/app.toml"]);
        let at = |kind, path: &str| matters(&Event::new(kind).add_path(path.into()), &places);
        let created = EventKind::Create(CreateKind::Any);
        assert!(at(created, "/nowhere-such"));
        assert!(!at(created, "/nowhere-other"));
        assert!(at(EventKind::Modify(ModifyKind::Name(RenameMode::To)), "/nowhere-such"));
        assert!(at(EventKind::Access(AccessKind::Close(AccessMode::Write)), "/nowhere-such"));
        for read in [AccessKind::Open(AccessMode::Any), AccessKind::Read, AccessKind::Close(AccessMode::Read)] {
            assert!(!at(EventKind::Access(read), "/nowhere-such"));
        }
    }

    #[test]
    fn folders_that_cannot_be_watched_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let gone = std::fs::canonicalize(folder.path()).expect("it exists").join("gone");
        std::fs::create_dir(&gone).expect("a folder");
        let mut watching = Watching {
            clock: Arc::new(foundation_types::ManualClock::new()),
            signal: Signal::new(std::time::Duration::ZERO),
            unwatched: Arc::default(),
            places: Places::of([gone.join("app.toml")]),
            files: Box::new(Vec::new),
            changed: Box::new(|| {}),
            watcher: None,
        };
        std::fs::remove_dir(&gone).expect("it is empty");
        watching.watch().expect("the others are watched");
        assert_eq!(*watching.unwatched.lock(), BTreeSet::from([gone]));
    }

    #[test]
    fn lost_events_count_as_a_change() {
        assert!(matters(&Event::new(EventKind::Other).set_flag(Flag::Rescan), &Places::default()));
    }
}
