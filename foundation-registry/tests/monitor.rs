//! Watching the back-end, and failing over.
#![cfg(feature = "test-util")]

mod support;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use foundation_registry::{
    BACKEND_FAILOVER_EVENT, Backend, BackendError, BackendMonitor, BackendOperation, Fault, FaultyBackend,
    MonitorOptions, MonitorReport, NewEntry, OptionsError, Partitioned, Registry, RegistryError, ServiceKey, Sharded,
    SwitchError,
};
use foundation_types::testing::RecordingObserver;
use foundation_types::{
    Clock, Health, ManualClock, Measurements, Metadata, Namespace, Owner, ServiceName, Text, Value,
};

use crate::support::Task;

const NAME: ServiceName = ServiceName::from_static("store");
const DOWN: BackendError = BackendError::Unavailable;

struct Fixture {
    clock: ManualClock,
    observer: Arc<RecordingObserver>,
    main: Arc<FaultyBackend>,
    registry: Registry,
}

fn fixture() -> Fixture {
    let (clock, observer) = (ManualClock::new(), Arc::new(RecordingObserver::new()));
    let main = Arc::new(FaultyBackend::new(Arc::new(Sharded::default())));
    let builder = Registry::builder().clock(Arc::new(clock.clone())).observer(observer.clone()).backend(main.clone());
    Fixture { registry: builder.build().expect("in range"), clock, observer, main }
}

impl Fixture {
    fn monitor(&self, candidates: impl IntoIterator<Item = Arc<dyn Backend>>) -> BackendMonitor {
        BackendMonitor::new(&self.registry, candidates, MonitorOptions::default()).expect("in range")
    }

    fn health_fails(&self) {
        self.main.fail_always(BackendOperation::Health, Fault::Error(DOWN));
    }
}

fn check(monitor: &BackendMonitor) -> MonitorReport {
    monitor.check_now().expect("open")
}

#[test]
fn options_of_no_length_are_refused() {
    let new = |options| BackendMonitor::new(&Registry::new(), [], options).map(drop);
    let default = MonitorOptions::default();
    assert_eq!(new(default), Ok(()));
    let no_interval = MonitorOptions { check_interval: Duration::ZERO, ..default };
    assert_eq!(new(no_interval), Err(OptionsError::Zero { option: "check_interval" }));
    let no_window = MonitorOptions { performance_window: Duration::ZERO, ..default };
    assert_eq!(new(no_window), Err(OptionsError::Zero { option: "performance_window" }));
}

#[test]
fn a_report_of_the_backend_is_passed_on() {
    let fixture = fixture();
    let monitor = fixture.monitor([]);
    let owner = Owner::new();
    fixture.registry.register(&Namespace::test(), &NAME, &owner.pid(), Metadata::new()).expect("free");
    fixture.clock.advance(Duration::from_secs(7));
    let report = check(&monitor);
    assert_eq!((report.status, report.backend, report.failure_count), (Health::Healthy, "faulty", 0));
    assert_eq!(report.checked_at, fixture.clock.wall());
    let details = report.details.expect("it answered");
    assert_eq!((details.registrations, details.live, details.dead), (1, 1, 0));
    assert!(report.failure_reason.is_none() && report.failover.is_none());
}

#[test]
fn failures_below_the_threshold_degrade_and_an_answer_ends_the_series() {
    let fixture = fixture();
    let monitor = fixture.monitor([Arc::new(Partitioned::default()) as _]);
    fixture.main.fail_next(BackendOperation::Health, Fault::Error(DOWN));
    fixture.main.fail_next(BackendOperation::Health, Fault::Panic);
    fixture.main.pass_next(BackendOperation::Health);
    fixture.main.fail_next(BackendOperation::Health, Fault::Error(DOWN));

    let first = check(&monitor);
    assert_eq!((first.status, first.failure_count), (Health::Degraded, 1));
    assert_eq!(first.failure_reason.as_deref(), Some("back-end is unavailable"));
    assert!(first.details.is_none());
    let second = check(&monitor);
    assert_eq!((second.status, second.failure_count), (Health::Degraded, 2));
    assert!(second.failure_reason.is_some_and(|reason| reason.starts_with("panic: ")), "a panic is a failure");
    assert_eq!((check(&monitor).status, check(&monitor).failure_count), (Health::Healthy, 1));
    assert_eq!(monitor.active().index, Some(0));
    assert!(fixture.observer.events().is_empty());
}

#[test]
fn at_the_threshold_the_registry_moves_with_all_it_holds() {
    let fixture = fixture();
    let monitor = fixture.monitor([Arc::new(Partitioned::default()) as _]);
    let (here, owner, mortal) = (Namespace::test(), Owner::new(), Owner::new());
    let key: ServiceKey<u32> = ServiceKey::new(NAME);
    let handle = Arc::new(7);
    let token = fixture.registry.provide(&here, &key, &owner.pid(), Arc::clone(&handle)).expect("free");
    let indexed = ServiceName::from_static("indexed");
    let new = NewEntry::new(&here, &indexed, &mortal.pid()).metadata(Metadata::new().with("type", "worker")).indexed();
    fixture.registry.register_with(new).expect("free");
    let registered_at = fixture.registry.entry(&here, &NAME).expect("there").registered_at;

    fixture.health_fails();
    check(&monitor);
    check(&monitor);
    let report = check(&monitor);
    let failover = report.failover.expect("the third failure");
    assert_eq!((report.status, report.backend, report.failure_count), (Health::Degraded, "partitioned", 3));
    assert_eq!(
        (failover.from, failover.to, failover.reason.as_str()),
        ("faulty", "partitioned", "back-end is unavailable")
    );
    assert_eq!((monitor.active().index, monitor.active().kind), (Some(1), "partitioned"));

    let events = fixture.observer.take();
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0].name, &events[0].measurements), (&BACKEND_FAILOVER_EVENT, &Measurements::one()));
    let told =
        Metadata::new().with("from", "faulty").with("to", "partitioned").with("reason", "back-end is unavailable");
    assert_eq!(events[0].metadata, told);
    assert_eq!(BACKEND_FAILOVER_EVENT.as_str(), "foundation.process_registry.backend_failover");

    let entry = fixture.registry.entry(&here, &NAME).expect("moved");
    assert_eq!((entry.generation, entry.registered_at), (token.generation(), registered_at));
    assert!(Arc::ptr_eq(&fixture.registry.get(&here, &key).expect("moved").into_inner(), &handle));
    let worker = Value::from("worker");
    assert_eq!(fixture.registry.find_indexed(&here, "type", &worker).expect("open").len(), 1);
    drop(mortal);
    assert_eq!(fixture.registry.find_indexed(&here, "type", &worker).expect("open").len(), 0);
    assert_eq!((check(&monitor).status, check(&monitor).failure_count), (Health::Healthy, 0));
    assert!(token.unregister(), "tokens keep working");
    assert_eq!(Arc::strong_count(&handle), 1, "nothing of it stays behind");
}

#[test]
fn only_healthy_candidates_are_moved_to_in_order() {
    let fixture = fixture();
    let broken = Arc::new(FaultyBackend::new(Arc::new(Sharded::default())));
    broken.fail_always(BackendOperation::Health, Fault::Panic);
    let refusing = Arc::new(FaultyBackend::new(Arc::new(Sharded::default())));
    refusing.fail_always(BackendOperation::Claim, Fault::Error(DOWN));
    let panicking = Arc::new(FaultyBackend::new(Arc::new(Sharded::default())));
    panicking.fail_always(BackendOperation::Claim, Fault::Panic);
    let candidates: [Arc<dyn Backend>; 4] = [broken, refusing, panicking, Arc::new(Partitioned::default())];
    let monitor = fixture.monitor(candidates);
    let (here, owner) = (Namespace::test(), Owner::new());
    fixture.registry.register(&here, &NAME, &owner.pid(), Metadata::new()).expect("free");
    fixture.health_fails();
    let last = (0..3).map(|_| check(&monitor)).last().expect("three");
    assert_eq!(last.failover.map(|failover| failover.to), Some("partitioned"));
    assert_eq!(monitor.active().index, Some(4));
    assert_eq!(fixture.registry.lookup(&here, &NAME), Ok(owner.pid()));
}

#[test]
fn without_a_healthy_candidate_the_registry_stays_and_is_unhealthy_until_it_recovers() {
    let fixture = fixture();
    let broken = Arc::new(FaultyBackend::new(Arc::new(Sharded::default())));
    broken.break_down(&DOWN);
    let monitor = fixture.monitor([broken as _]);
    fixture.health_fails();
    let statuses: Vec<_> = (0..4).map(|_| check(&monitor).status).collect();
    assert_eq!(statuses, [Health::Degraded, Health::Degraded, Health::Unhealthy, Health::Unhealthy]);
    assert_eq!(monitor.active().index, Some(0));
    assert!(fixture.observer.events().is_empty());
    fixture.main.heal();
    assert_eq!((check(&monitor).status, check(&monitor).failure_count), (Health::Healthy, 0));
}

#[test]
fn the_threshold_is_the_one_that_was_set() {
    let fixture = fixture();
    let options = MonitorOptions { failure_threshold: NonZeroU32::MIN, ..MonitorOptions::default() };
    let reserve = Arc::new(Partitioned::default());
    let monitor = BackendMonitor::new(&fixture.registry, [reserve as _], options).expect("in range");
    fixture.health_fails();
    assert!(check(&monitor).failover.is_some());
}

#[test]
fn r26_the_registry_goes_to_and_fro_and_keeps_what_it_holds() {
    let registry = Registry::new();
    let reserve: Arc<dyn Backend> = Arc::new(Partitioned::default());
    let monitor = BackendMonitor::new(&registry, [reserve.clone()], MonitorOptions::default()).expect("in range");
    let (here, owner) = (Namespace::test(), Owner::new());
    let names: Vec<_> = (0..100).map(|number| ServiceName::new(number.to_string()).expect("valid")).collect();
    let mut mortals: Vec<Owner> = (0..5).map(|_| Owner::new()).collect();
    for name in &names {
        registry.register(&here, name, &owner.pid(), Metadata::new()).expect("free");
    }
    for round in 0..5 {
        let mortal = mortals.pop().expect("one a round");
        let name = ServiceName::new(format!("mortal {round}")).expect("valid");
        registry.register(&here, &name, &mortal.pid(), Metadata::new()).expect("free");
        let index = (round + 1) % 2;
        let report = monitor.switch_to(index).expect("empty but for what was left there");
        assert_eq!((report.moved, monitor.active().index), (101, Some(index)));
        assert_eq!(monitor.switch_to(index).expect("nothing to do").moved, 0);
        drop(mortal);
        assert_eq!(registry.count(&here), Ok(100));
        let left = if index == 0 { reserve.health().expect("healthy").registrations } else { 0 };
        assert_eq!(left, 0, "a back-end that was left is empty");
    }
    for name in &names {
        assert_eq!(registry.lookup(&here, name), Ok(owner.pid()));
    }
    assert_eq!(owner.pid().held().0, 100, "one exit hook a name");
    let far = monitor.switch_to(2);
    assert_eq!(far.map(drop), Err(SwitchError::NotAvailable { index: 2, count: 2 }));
}

#[test]
fn r26_a_backend_that_holds_anything_else_is_refused() {
    let (registry, other) = (Registry::new(), Arc::new(Partitioned::default()));
    let stranger = Registry::builder().backend(other.clone()).build().expect("in range");
    let (here, owner) = (Namespace::test(), Owner::new());
    registry.register(&here, &NAME, &owner.pid(), Metadata::new()).expect("free");
    stranger.register(&here, &ServiceName::from_static("its own"), &owner.pid(), Metadata::new()).expect("free");
    let refused = registry.switch_backend(other);
    assert!(matches!(refused, Err(RegistryError::Backend(BackendError::Rejected(_)))), "{refused:?}");
    assert_eq!((registry.count(&here), stranger.count(&here)), (Ok(1), Ok(1)));

    let shared = Arc::new(Partitioned::default());
    let registry = Registry::builder().backend(shared.clone()).build().expect("in range");
    registry.register(&here, &NAME, &owner.pid(), Metadata::new()).expect("free");
    let wrapped = registry.switch_backend(Arc::new(FaultyBackend::new(shared)));
    assert!(wrapped.is_err(), "the very entries that would move");
    assert_eq!(registry.lookup(&here, &NAME), Ok(owner.pid()));
}

#[test]
fn the_backend_in_use_counts_once_among_the_candidates() {
    let backend: Arc<dyn Backend> = Arc::new(Partitioned::default());
    let registry = Registry::builder().backend(backend.clone()).build().expect("in range");
    let sharded: Arc<dyn Backend> = Arc::new(Sharded::default());
    let monitor = BackendMonitor::new(&registry, [backend, sharded], MonitorOptions::default()).expect("in range");
    assert_eq!(monitor.switch_to(1).expect("empty").to, "sharded");
    assert!(matches!(monitor.switch_to(2), Err(SwitchError::NotAvailable { count: 2, .. })));
    registry.switch_backend(Arc::new(Partitioned::default())).expect("empty");
    assert_eq!((monitor.active().index, monitor.active().kind), (None, "partitioned"), "one it does not know");
}

#[test]
fn metrics_cover_the_window_that_ends_now() {
    let fixture = fixture();
    let options = MonitorOptions { performance_window: Duration::from_secs(10), ..MonitorOptions::default() };
    let monitor = BackendMonitor::new(&fixture.registry, [], options).expect("in range");
    monitor.record("register", Duration::from_millis(3), false);
    fixture.clock.advance(Duration::from_secs(5));
    monitor.record("lookup", Duration::from_millis(1), true);
    let metrics = monitor.metrics();
    assert_eq!((metrics.total_operations, metrics.error_count, metrics.success_rate), (2, 1, 0.5));
    assert_eq!((metrics.avg_response_time_ms, metrics.operations_per_second), (2.0, 0.2));
    fixture.clock.advance(Duration::from_secs(5));
    let metrics = monitor.metrics();
    assert_eq!((metrics.total_operations, metrics.error_count), (1, 0), "the first has left");
    assert_eq!(metrics.operations.keys().map(Text::as_str).collect::<Vec<_>>(), ["lookup"]);
}

#[test]
fn checks_come_at_every_interval_until_the_shutdown() {
    let fixture = fixture();
    let monitor = fixture.monitor([]);
    let interval = MonitorOptions::DEFAULT_CHECK_INTERVAL;
    let checks = || fixture.main.calls(BackendOperation::Health);
    let mut run = Task::new(monitor.run());
    assert!(run.poll().is_pending());
    assert_eq!(checks(), 0, "the first after an interval");
    for number in 1..=3 {
        fixture.clock.advance(interval);
        assert!(run.was_woken() && run.poll().is_pending());
        assert_eq!(checks(), number);
    }
    fixture.clock.advance(10 * interval);
    assert!(run.poll().is_pending());
    assert_eq!(checks(), 4, "missed intervals are skipped");
    fixture.clock.advance(interval);
    assert!(run.poll().is_pending());
    assert_eq!(checks(), 5);
    fixture.registry.shutdown();
    fixture.clock.advance(interval);
    assert!(run.poll().is_ready());
    drop(run);
    assert_eq!(fixture.clock.pending(), 0);
}

#[test]
fn the_thread_of_a_monitor_stops_when_its_handle_is_dropped() {
    let options = MonitorOptions { check_interval: Duration::from_millis(1), ..MonitorOptions::default() };
    let backend = Arc::new(FaultyBackend::new(Arc::new(Sharded::default())));
    let registry = Registry::builder().backend(backend.clone()).build().expect("in range");
    let monitor = Arc::new(BackendMonitor::new(&registry, [], options).expect("in range"));
    let thread = monitor.spawn_thread().expect("a thread");
    while backend.calls(BackendOperation::Health) < 3 {
        std::thread::yield_now();
    }
    drop(thread);
    assert_eq!(Arc::strong_count(&monitor), 1, "the thread is gone and holds nothing");
    assert_eq!(monitor.check_now().map(|report| report.status), Ok(Health::Healthy));
}

#[test]
fn a_check_sweeps_what_exit_hooks_could_not_remove() {
    let fixture = fixture();
    let monitor = fixture.monitor([]);
    let (here, owner) = (Namespace::test(), Owner::new());
    let new = NewEntry::new(&here, &NAME, &owner.pid()).metadata(Metadata::new().with("type", "worker")).indexed();
    fixture.registry.register_with(new).expect("free");
    fixture.main.fail_next(BackendOperation::Release, Fault::Error(DOWN));
    drop(owner);
    assert_eq!((fixture.registry.count(&here), fixture.registry.held().entries), (Ok(0), 1), "unseen, but there");
    let report = check(&monitor);
    assert_eq!((report.status, report.details.map(|details| details.dead)), (Health::Unhealthy, Some(1)));
    assert_eq!((fixture.registry.held().entries, fixture.registry.index_rows()), (0, 0));
    assert_eq!(check(&monitor).status, Health::Healthy);
}
