//! An observer that remembers.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{EventName, Measurements, Metadata, Observer};

/// One event that an observer heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its name.
    pub name: EventName,
    /// What it measured.
    pub measurements: Measurements,
    /// What it was about.
    pub metadata: Metadata,
}

/// An observer that keeps every event, in the order in which they were emitted.
///
/// ```
/// use std::sync::Arc;
/// use foundation_types::testing::RecordingObserver;
/// use foundation_types::{Emitter, EventName, Measurements, Metadata, event_name};
///
/// const STARTED: EventName = event_name!("app.started");
///
/// let observer = Arc::new(RecordingObserver::new());
/// Emitter::new(observer.clone()).emit(&STARTED, || (Measurements::one(), Metadata::new().with("pid", 7)));
///
/// let events = observer.take();
/// assert_eq!(events.len(), 1);
/// assert_eq!(events[0].name, STARTED);
/// assert!(observer.events().is_empty());
/// ```
#[derive(Debug, Default)]
pub struct RecordingObserver {
    events: Mutex<Vec<RecordedEvent>>,
    listens_to: Option<BTreeSet<EventName>>,
    panics: AtomicBool,
}

impl RecordingObserver {
    /// An observer that listens to everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// An observer that listens to these names alone: for all others [`Observer::enabled`] is false.
    pub fn listening_to(names: impl IntoIterator<Item = EventName>) -> Self {
        Self { listens_to: Some(names.into_iter().collect()), ..Self::default() }
    }

    /// From now on every event is recorded, and then the observer panics.
    pub fn start_panicking(&self) {
        self.panics.store(true, Ordering::SeqCst);
    }

    /// Ends what [`start_panicking`](Self::start_panicking) began.
    pub fn stop_panicking(&self) {
        self.panics.store(false, Ordering::SeqCst);
    }

    /// The events so far.
    pub fn events(&self) -> Vec<RecordedEvent> {
        self.lock().clone()
    }

    /// The events so far that have this name.
    pub fn events_named(&self, name: impl AsRef<str>) -> Vec<RecordedEvent> {
        let name = name.as_ref();
        self.lock().iter().filter(|event| event.name.as_str() == name).cloned().collect()
    }

    /// The names of the events so far.
    pub fn names(&self) -> Vec<EventName> {
        self.lock().iter().map(|event| event.name.clone()).collect()
    }

    /// The events so far, and forgets them.
    pub fn take(&self) -> Vec<RecordedEvent> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<RecordedEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for RecordingObserver {
    fn enabled(&self, name: &EventName) -> bool {
        self.listens_to.as_ref().is_none_or(|names| names.contains(name))
    }

    /// Records the event.
    ///
    /// # Panics
    /// Between [`start_panicking`](Self::start_panicking) and [`stop_panicking`](Self::stop_panicking).
    fn emit(&self, name: &EventName, measurements: &Measurements, metadata: &Metadata) {
        let event =
            RecordedEvent { name: name.clone(), measurements: measurements.clone(), metadata: metadata.clone() };
        self.lock().push(event);
        assert!(!self.panics.load(Ordering::SeqCst), "the observer was told to panic");
    }
}
