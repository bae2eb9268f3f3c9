//! What is logged, and at which level.
#![cfg(feature = "test-util")]

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foundation_registry::{
    BackendError, BackendMonitor, BackendOperation, CleanupOptions, Fault, FaultyBackend, MonitorOptions, Registry,
    ServiceLogs, ServiceRegistry, Sharded,
};
use foundation_types::{Metadata, Namespace, Owner, ServiceName};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};

const NAME: ServiceName = ServiceName::from_static("indexer");

/// Keeps the lines of this crate: level and message.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<(Level, String)>>>);

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            write!(self.0, "{value:?}").expect("a string takes everything");
        }
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "foundation::registry"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().expect("no panic").push((*event.metadata().level(), message.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What `act` logs.
fn logged(act: impl FnOnce()) -> Vec<(Level, String)> {
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), act);
    std::mem::take(&mut lines.0.lock().expect("no panic"))
}

fn line(level: Level, message: &str) -> (Level, String) {
    (level, message.to_owned())
}

#[test]
fn services_log_what_they_do() {
    let services = ServiceRegistry::new(Registry::new());
    let (here, owner, rival) = (Namespace::test(), Owner::new(), Owner::new());
    let register = |owner: &Owner| {
        let pid = owner.pid();
        logged(|| drop(services.register(&here, &NAME, &pid)))
    };
    let registering = line(Level::DEBUG, "registering service");
    assert_eq!(register(&owner), [registering.clone(), line(Level::INFO, "service registered")]);
    assert_eq!(register(&rival), [registering, line(Level::WARN, "service name is taken")]);

    let check = |passes| {
        logged(|| drop(services.health_check_blocking(&here, &NAME, Duration::from_hours(1), move |_| passes)))
    };
    assert_eq!(check(true), [line(Level::DEBUG, "health check passed")]);
    assert_eq!(check(false), [line(Level::WARN, "health check did not pass")]);
    assert_eq!(logged(|| drop(services.list(&here))), [line(Level::DEBUG, "services listed")]);
    let unregistered = logged(|| drop(services.unregister(&here, &NAME)));
    assert_eq!(unregistered, [line(Level::DEBUG, "unregistering service"), line(Level::INFO, "service unregistered")]);
}

#[test]
fn the_start_of_a_check_and_the_bounds_of_a_cleanup_are_logged_on_request() {
    let (here, owner) = (Namespace::test(), Owner::new());
    let default = ServiceRegistry::new(Registry::new());
    let logs = ServiceLogs { health_check_start: true, cleanup_bounds: false };
    let other = default.clone().with_logs(logs);
    default.register(&here, &NAME, &owner.pid()).expect("free");

    let lines = logged(|| drop(other.health_check(&here, &NAME)));
    assert_eq!(lines, [line(Level::DEBUG, "health check starts"), line(Level::DEBUG, "health check passed")]);
    let nowhere = Namespace::test();
    let cleanup =
        |services: &ServiceRegistry| logged(|| drop(services.cleanup_namespace(&nowhere, CleanupOptions::new())));
    let bounds = [line(Level::INFO, "namespace cleanup starts"), line(Level::INFO, "namespace cleaned up")];
    assert_eq!(cleanup(&default), bounds);
    assert_eq!(cleanup(&other), []);
}

#[test]
fn the_registry_itself_is_silent() {
    let registry = Registry::new();
    let here = Namespace::test();
    let lines = logged(|| {
        let owner = Owner::new();
        registry.register(&here, &NAME, &owner.pid(), Metadata::new()).expect("free");
        registry.update_metadata(&here, &NAME, Metadata::new()).expect("there");
        assert_eq!(registry.lookup(&here, &NAME), Ok(owner.pid()));
        drop(owner);
        assert_eq!(registry.count(&here), Ok(0));
        registry.shutdown();
    });
    assert_eq!(lines, []);
}

#[test]
fn a_monitor_warns_of_each_failure_and_calls_for_help_when_all_fail() {
    let backend = Arc::new(FaultyBackend::new(Arc::new(Sharded::default())));
    let registry = Registry::builder().backend(backend.clone()).build().expect("in range");
    let alone = BackendMonitor::new(&registry, [], MonitorOptions::default()).expect("in range");
    backend.fail_always(BackendOperation::Health, Fault::Error(BackendError::Unavailable));
    let check = |monitor: &BackendMonitor| logged(|| drop(monitor.check_now()));
    let failed = line(Level::WARN, "back-end check failed");
    assert_eq!((check(&alone), check(&alone)), (vec![failed.clone()], vec![failed.clone()]));
    assert_eq!(check(&alone), [failed.clone(), line(Level::ERROR, "all back-ends failed")]);

    let options = MonitorOptions { failure_threshold: std::num::NonZeroU32::MIN, ..MonitorOptions::default() };
    let reserve = Arc::new(Sharded::default());
    let monitor = BackendMonitor::new(&registry, [reserve as _], options).expect("in range");
    assert_eq!(check(&monitor), [failed, line(Level::WARN, "failed over")]);
    backend.heal();
    assert_eq!(logged(|| drop(monitor.switch_to(0))), [line(Level::INFO, "back-end switched")]);
    let dead_owner = logged(|| {
        let owner = Owner::new();
        registry.register(&Namespace::test(), &NAME, &owner.pid(), Metadata::new()).expect("free");
        backend.fail_next(BackendOperation::Release, Fault::Error(BackendError::Timeout));
    });
    assert_eq!(dead_owner, [line(Level::WARN, "entry of a dead owner could not be removed")]);
}
