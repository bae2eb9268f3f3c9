//! What happened to breakers and pools, as an observer hears it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foundation_breaker::{State, events};
use foundation_config::events::SOURCE_FAILED_EVENT;
use foundation_resources::pool::events as pool_events;
use foundation_types::{Clock, EventName, Measurements, Metadata, MonoTime, Observer, Value};

use super::super::config::Journal;
use super::super::settings::{MAX_ABANDONED_LISTED, MAX_CIRCUIT_CHANGES};
use super::super::spectator::{Event, Spectator};
use super::summary::CircuitChange;
use crate::lifecycle;

/// Remembers the changes of circuits, counts what pools do, and passes on what is told of services and of the sources of
/// settings. What it holds is bounded by [`MAX_CIRCUIT_CHANGES`] for each
/// breaker.
pub(in super::super) struct Chronicle {
    began: MonoTime,
    spectator: Arc<dyn Spectator>,
    journal: Arc<Journal>,
    clock: Arc<dyn Clock>,
    /// Held for one entry.
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    circuits: BTreeMap<String, CircuitBook>,
    pools: BTreeMap<String, PoolBook>,
    abandoned: Vec<String>,
}

/// The history of one circuit.
#[derive(Clone, Debug, Default)]
pub(super) struct CircuitBook {
    pub(super) history: Vec<CircuitChange>,
    pub(super) changes: u64,
}

/// The counts of one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PoolBook {
    pub(super) checkouts: u64,
    pub(super) retired: u64,
    pub(super) create_failed: u64,
    pub(super) timeouts: u64,
}

impl Chronicle {
    /// A chronicle that begins now, and tells `spectator` about circuits.
    pub(in super::super) fn new(clock: Arc<dyn Clock>, spectator: Arc<dyn Spectator>, journal: Arc<Journal>) -> Self {
        Self { began: clock.mono(), spectator, journal, clock, books: Mutex::default() }
    }

    /// The services that did not stop in time so far.
    pub(in super::super) fn abandoned(&self) -> Vec<String> {
        self.books().abandoned.clone()
    }

    pub(super) fn circuit(&self, name: &str) -> CircuitBook {
        self.books().circuits.get(name).cloned().unwrap_or_default()
    }

    pub(super) fn pool(&self, name: &str) -> PoolBook {
        self.books().pools.get(name).copied().unwrap_or_default()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // An entry is made or not, whatever panics.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_circuit(&self, state: State, metadata: &Metadata) {
        let Some(name) = metadata.get("name").and_then(Value::as_str) else { return };
        let at = metadata.get("at").and_then(Value::as_i64).and_then(|at| u64::try_from(at).ok()).unwrap_or(0);
        let since = MonoTime::from_nanos(at).saturating_since(self.began);
        let reason = metadata.get("reason").and_then(Value::as_str).map(str::to_owned);
        let change = CircuitChange { at_ms: milliseconds(since), state, reason };
        {
            let mut books = self.books();
            let book = books.circuits.entry(name.to_owned()).or_default();
            book.changes += 1;
            if book.history.len() < MAX_CIRCUIT_CHANGES {
                book.history.push(change.clone());
            }
        }
        self.spectator.see(Event::Circuit { name, change: &change });
    }

    fn note_service(&self, step: Step, metadata: &Metadata) {
        let Some(service) = metadata.get("service").and_then(Value::as_str) else { return };
        match step {
            Step::Stopping => self.spectator.see(Event::Stopping { service }),
            Step::Abandoned => {
                {
                    let abandoned = &mut self.books().abandoned;
                    if abandoned.len() < MAX_ABANDONED_LISTED {
                        abandoned.push(service.to_owned());
                    }
                }
                self.spectator.see(Event::Abandoned { service });
            }
        }
    }

    /// A file cannot be read, or what it says is refused; what was in force stays so.
    fn note_source(&self, metadata: &Metadata) {
        let text = |key| metadata.get(key).and_then(Value::as_str).unwrap_or_default();
        self.refuse(text("source"), text("reason"));
    }

    /// A change of the settings was refused.
    pub(in super::super) fn refuse(&self, source: &str, reason: &str) {
        let rejection = self.journal.refuse(source, reason, self.clock.mono());
        self.spectator.see(Event::Refused { rejection: &rejection });
    }

    fn note_pool(&self, metadata: &Metadata, note: fn(&mut PoolBook)) {
        if let Some(name) = metadata.get("pool_name").and_then(Value::as_str) {
            let mut books = self.books();
            match books.pools.get_mut(name) {
                Some(book) => note(book),
                None => note(books.pools.entry(name.to_owned()).or_default()),
            }
        }
    }
}

/// What an event is to the chronicle.
enum Entry {
    Service(Step),
    Source,
    Circuit(State),
    Pool(fn(&mut PoolBook)),
}

/// A step in the life of a service.
#[derive(Clone, Copy)]
enum Step {
    Stopping,
    Abandoned,
}

impl Entry {
    fn of(event: &EventName) -> Option<Self> {
        let entries = [
            (lifecycle::STOPPING_EVENT, Self::Service(Step::Stopping)),
            (lifecycle::ABANDONED_EVENT, Self::Service(Step::Abandoned)),
            (SOURCE_FAILED_EVENT, Self::Source),
            (events::OPENED_EVENT, Self::Circuit(State::Open)),
            (events::HALF_OPENED_EVENT, Self::Circuit(State::HalfOpen)),
            (events::CLOSED_EVENT, Self::Circuit(State::Closed)),
            (events::FORCED_OPEN_EVENT, Self::Circuit(State::ForcedOpen)),
            (pool_events::CHECKOUT_EVENT, Self::Pool(|book| book.checkouts += 1)),
            (pool_events::RETIRED_EVENT, Self::Pool(|book| book.retired += 1)),
            (pool_events::CREATE_FAILED_EVENT, Self::Pool(|book| book.create_failed += 1)),
            (pool_events::TIMEOUT_EVENT, Self::Pool(|book| book.timeouts += 1)),
        ];
        entries.into_iter().find_map(|(name, entry)| (name == *event).then_some(entry))
    }
}

impl Observer for Chronicle {
    fn enabled(&self, name: &EventName) -> bool {
        Entry::of(name).is_some()
    }

    fn emit(&self, name: &EventName, _: &Measurements, metadata: &Metadata) {
        match Entry::of(name) {
            Some(Entry::Circuit(state)) => self.note_circuit(state, metadata),
            Some(Entry::Pool(note)) => self.note_pool(metadata, note),
            Some(Entry::Service(step)) => self.note_service(step, metadata),
            Some(Entry::Source) => self.note_source(metadata),
            None => {}
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use foundation_breaker::{CircuitBreaker, Options, Recovery, TripPolicy};
    use foundation_types::{Clock, ManualClock, Name};

    use super::*;

    fn chronicle(clock: &ManualClock) -> Chronicle {
        let journal = Arc::new(Journal::new(clock.mono()));
        Chronicle::new(Arc::new(clock.clone()), Arc::new(()), journal)
    }

    fn breaker(clock: &ManualClock, chronicle: &Arc<Chronicle>) -> CircuitBreaker<ManualClock> {
        let trip = TripPolicy::ConsecutiveFailures { threshold: 1 };
        let recovery = Recovery::AutoClose { after: Duration::from_millis(10) };
        let observer: Arc<dyn Observer> = Arc::clone(chronicle) as _;
        CircuitBreaker::builder(Name::from_static("reviews"))
            .options(Options::new(trip, recovery).unwrap())
            .observer(observer)
            .clock(clock.clone())
            .build()
            .unwrap()
    }

    #[test]
    fn changes_are_kept_in_their_order_with_the_time_since_the_beginning() {
        let clock = ManualClock::new();
        let chronicle = Arc::new(chronicle(&clock));
        let breaker = breaker(&clock, &chronicle);
        clock.advance(Duration::from_millis(5));
        assert!(breaker.call(|| Err::<(), _>(())).is_err());
        clock.advance(Duration::from_millis(20));
        assert_eq!(breaker.state(), State::Closed);
        // The state is told when somebody looks at it.
        let _ = breaker.snapshot();
        let book = chronicle.circuit("reviews");
        let told: Vec<_> =
            book.history.iter().map(|change| (change.at_ms, change.state, change.reason.as_deref())).collect();
        assert_eq!(told, [(5, State::Open, Some("tripped")), (15, State::Closed, Some("healed"))]);
        assert_eq!(book.changes, 2);
        assert!(chronicle.circuit("others").history.is_empty());
    }

    #[test]
    fn a_history_is_cut_and_its_length_is_told() {
        let clock = ManualClock::new();
        let chronicle = Arc::new(chronicle(&clock));
        let breaker = breaker(&clock, &chronicle);
        for _ in 0..MAX_CIRCUIT_CHANGES {
            assert!(breaker.call(|| Err::<(), _>(())).is_err());
            clock.advance(Duration::from_millis(20));
            let _ = breaker.snapshot();
        }
        let book = chronicle.circuit("reviews");
        assert_eq!(book.history.len(), MAX_CIRCUIT_CHANGES);
        assert_eq!(book.changes, 2 * MAX_CIRCUIT_CHANGES as u64);
    }

    #[test]
    fn it_listens_to_nothing_else() {
        let chronicle = chronicle(&ManualClock::new());
        assert!(chronicle.enabled(&events::OPENED_EVENT) && chronicle.enabled(&pool_events::CHECKOUT_EVENT));
        assert!(!chronicle.enabled(&events::CALL_EVENT) && !chronicle.enabled(&events::REJECTED_EVENT));
    }
}
