//! The process registry logs what it changes, if it is told to, and at the debug level only.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use foundation_compat::process_registry::ProcessRegistry;
use foundation_compat::{Foundation, LegacyLogs, Metadata, Owner, ServiceName};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber, subscriber};

/// Keeps the levels and targets of all events.
#[derive(Clone, Default)]
struct Lines {
    seen: Arc<Mutex<Vec<(Level, String)>>>,
    spans: Arc<AtomicU64>,
}

impl Subscriber for Lines {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let line = (*metadata.level(), metadata.target().to_owned());
        self.seen.lock().expect("no test panics while it logs").push(line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What is logged while a service is registered, updated, found and unregistered, and another one refused.
fn lines(logs: LegacyLogs) -> Vec<(Level, String)> {
    let lines = Lines::default();
    subscriber::with_default(lines.clone(), || {
        let foundation = Foundation::builder().legacy_logs(logs).build().expect("in range");
        let (process, here) = (ProcessRegistry::from(&foundation), foundation.namespace());
        let (name, owner, other) = (ServiceName::from_static("indexer"), Owner::new(), Owner::new());
        process.register_3(here, &name, &owner.pid()).expect("free");
        process.register_with_indexing_3(here, &name, &other.pid()).expect_err("taken");
        process.lookup(here, &name).expect("registered");
        process.update_metadata(here, &name, Metadata::new()).expect("registered");
        process.unregister(here, &name).expect("open");
    });
    let seen = lines.seen.lock().expect("no test panics while it logs");
    seen.clone()
}

#[test]
fn the_registry_is_silent_unless_it_is_told_to_log() {
    assert_eq!(lines(LegacyLogs::default()), []);
    let told = LegacyLogs { debug_registry: true, ..LegacyLogs::default() };
    let line = (Level::DEBUG, "foundation::registry".to_owned());
    assert_eq!(lines(told), [line.clone(), line.clone(), line.clone(), line]);
}
