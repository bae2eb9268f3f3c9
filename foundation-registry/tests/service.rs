//! The registry as services use it.
#![cfg(feature = "test-util")]

mod support;

use std::collections::BTreeSet;
use std::future::{Future, pending, ready};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use foundation_registry::{
    HealthCheckError, LOOKUP_EVENT, REGISTER_EVENT, RegisterError, Registry, RegistryError, ServiceRegistry, Verdict,
};
use foundation_types::error::ErrorKind;
use foundation_types::testing::RecordingObserver;
use foundation_types::{
    Clock, ExitReason, ManualClock, Measurements, Metadata, Namespace, Owner, Pid, ServiceName, Value,
};

use crate::support::Task;

const NAME: ServiceName = ServiceName::from_static("indexer");
const TIMEOUT: Duration = Duration::from_secs(5);
/// For checks that are expected to answer.
const AMPLE: Duration = Duration::from_secs(100_000);

struct Fixture {
    services: ServiceRegistry,
    clock: ManualClock,
    observer: Arc<RecordingObserver>,
    here: Namespace,
}

fn fixture() -> Fixture {
    let (clock, observer) = (ManualClock::new(), Arc::new(RecordingObserver::new()));
    let registry = Registry::builder().clock(Arc::new(clock.clone())).observer(observer.clone()).build();
    let services = ServiceRegistry::new(registry.expect("in range"));
    Fixture { services, clock, observer, here: Namespace::test() }
}

impl Fixture {
    fn registered(&self) -> Owner {
        let owner = Owner::new();
        self.services.register(&self.here, &NAME, &owner.pid()).expect("free");
        self.observer.take();
        owner
    }

    fn subject(&self, result: &str) -> Metadata {
        Metadata::new().with("namespace", self.here.to_string()).with("service", "indexer").with("result", result)
    }

    /// The result of a check that needs no waiting.
    fn check<V: Into<Verdict> + Send + 'static>(&self, check: impl FnOnce() -> V + Send + 'static) -> Checked {
        let check = self.services.health_check_with(&self.here, &NAME, TIMEOUT, |_| async move { check() });
        match Task::new(check).poll() {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("the check answered at once"),
        }
    }
}

type Checked = Result<Pid, HealthCheckError>;

#[test]
fn each_registration_emits_one_event_with_its_result() {
    let fixture = fixture();
    let (owner, rival) = (Owner::new(), Owner::new());
    let register = |owner: &Owner| fixture.services.register(&fixture.here, &NAME, &owner.pid()).map(drop);
    assert_eq!(register(&owner), Ok(()));
    assert_eq!(register(&owner), Ok(()), "again by the same owner");
    assert_eq!(register(&rival), Err(RegisterError::AlreadyRegistered { holder: owner.pid() }));
    let events = fixture.observer.take();
    assert!(events.iter().all(|event| event.name == REGISTER_EVENT && event.measurements == Measurements::one()));
    let expected = ["ok", "ok", "error"].map(|result| fixture.subject(result));
    assert_eq!(events.into_iter().map(|event| event.metadata).collect::<Vec<_>>(), expected);
    assert_eq!(REGISTER_EVENT.as_str(), "foundation.foundation.registry.register");
}

#[test]
fn each_lookup_emits_one_event_with_a_duration_of_at_least_one_nanosecond() {
    let fixture = fixture();
    let owner = fixture.registered();
    assert_eq!(fixture.services.lookup(&fixture.here, &NAME), Ok(owner.pid()));
    assert_eq!(fixture.services.health_check(&fixture.here, &NAME), Ok(owner.pid()));
    drop(owner);
    fixture.services.lookup(&fixture.here, &NAME).expect_err("dead");
    let events = fixture.observer.take();
    let expected = ["ok", "ok", "error"].map(|result| fixture.subject(result));
    assert!(events.iter().all(|event| event.name == LOOKUP_EVENT));
    for event in &events {
        assert_eq!(event.measurements.get("duration"), Some(&Value::Int(1)), "the clock stood still");
    }
    assert_eq!(events.into_iter().map(|event| event.metadata).collect::<Vec<_>>(), expected);
    assert_eq!(LOOKUP_EVENT.as_str(), "foundation.foundation.registry.lookup");
}

#[test]
fn a_service_that_is_not_there_gives_the_common_record() {
    let fixture = fixture();
    fixture.clock.advance(Duration::from_secs(1));
    let error = fixture.services.lookup(&fixture.here, &NAME).expect_err("nobody there");
    assert_eq!((error.code(), error.kind()), (5001, &ErrorKind::ServiceNotFound));
    assert_eq!(error.message(), format!("Service indexer not found in namespace {}", fixture.here));
    let key = Metadata::new().with("namespace", fixture.here.to_string()).with("service", "indexer");
    assert_eq!(error.context(), &key);
    assert_eq!(error.timestamp(), fixture.clock.wall());
    assert!(!error.is_retryable() && error.correlation_id().is_none());

    fixture.services.registry().shutdown();
    let error = fixture.services.lookup(&fixture.here, &NAME).expect_err("closed");
    assert_eq!((error.code(), error.context()), (7106, &key));
}

#[test]
fn services_and_registry_act_on_the_same_entries() {
    let fixture = fixture();
    let (services, registry) = (&fixture.services, fixture.services.registry());
    let owner = Owner::new();
    let other = ServiceName::from_static("other");
    services.register(&fixture.here, &NAME, &owner.pid()).expect("free");
    registry.register(&fixture.here, &other, &owner.pid(), Metadata::new()).expect("free");
    assert_eq!(registry.lookup(&fixture.here, &NAME), Ok(owner.pid()));
    let listed: BTreeSet<_> = services.list(&fixture.here).expect("open").into_iter().collect();
    assert_eq!(listed, BTreeSet::from([NAME, other.clone()]));
    assert_eq!(services.unregister(&fixture.here, &other), Ok(true));
    assert_eq!(services.unregister(&fixture.here, &other), Ok(false));
    assert_eq!(registry.count(&fixture.here), Ok(1));
}

#[test]
fn the_info_of_a_namespace_counts_time_from_the_registration() {
    let fixture = fixture();
    fixture.clock.advance(Duration::from_secs(1_000));
    let owner = fixture.registered();
    fixture.clock.advance(Duration::from_secs(3));
    let young = ServiceName::from_static("young");
    fixture.services.register(&fixture.here, &young, &owner.pid()).expect("free");
    let info = fixture.services.service_info(&fixture.here).expect("open");
    assert_eq!((&info.namespace, info.total_services, info.healthy_services), (&fixture.here, 2, 2));
    let old = &info.services[&NAME];
    assert_eq!((&old.pid, old.alive, old.uptime), (&owner.pid(), true, Duration::from_secs(3)));
    assert_eq!(info.services[&young].uptime, Duration::ZERO);
}

#[test]
fn a_check_without_a_function_is_a_test_for_life() {
    let fixture = fixture();
    let check = || fixture.services.health_check(&fixture.here, &NAME);
    let Err(HealthCheckError::NotFound(record)) = check() else { panic!("nobody there") };
    assert_eq!(record.code(), 5001);
    let owner = fixture.registered();
    assert_eq!(check(), Ok(owner.pid()));
    fixture.services.registry().shutdown();
    assert_eq!(check(), Err(HealthCheckError::Closed));
}

#[test]
fn the_answer_of_a_check_decides() {
    let fixture = fixture();
    let owner = fixture.registered();
    let pid = owner.pid();
    assert_eq!(fixture.check(|| ()), Ok(pid.clone()));
    assert_eq!(fixture.check(|| true), Ok(pid.clone()));
    assert_eq!(fixture.check(|| Ok::<_, Value>("anything")), Ok(pid.clone()));
    assert_eq!(fixture.check(|| false), Err(HealthCheckError::Failed(Value::Bool(false))));
    let slow = Metadata::new().with("lag_ms", 900);
    let failed = Err(HealthCheckError::Failed(Value::Map(slow.clone())));
    assert_eq!(fixture.check(move || Err::<(), _>(slow)), failed);
    assert_eq!(fixture.check(|| Verdict::Fail(Value::Null)), Err(HealthCheckError::Failed(Value::Null)));
    assert_eq!(fixture.observer.events_named(LOOKUP_EVENT).len(), 6, "one lookup each");
}

#[test]
fn a_check_gets_the_pid_that_it_is_about() {
    let fixture = fixture();
    let owner = fixture.registered();
    let expected = owner.pid();
    let check = fixture.services.health_check_with(&fixture.here, &NAME, TIMEOUT, move |pid| ready(pid == expected));
    assert_eq!(Task::new(check).poll(), Poll::Ready(Ok(owner.pid())));
}

#[test]
fn a_check_is_not_called_for_a_service_that_is_not_there() {
    let fixture = fixture();
    assert!(matches!(fixture.check(|| -> bool { unreachable!() }), Err(HealthCheckError::NotFound(_))));
}

#[test]
fn a_panic_in_a_check_becomes_an_error() {
    let fixture = fixture();
    let owner = fixture.registered();
    let errored = |message: &str| Err(HealthCheckError::Errored(message.into()));
    assert_eq!(fixture.check(|| -> bool { panic!("boom") }), errored("boom"));

    let start = |_| -> std::future::Ready<()> { panic!("before the future") };
    let check = fixture.services.health_check_with(&fixture.here, &NAME, TIMEOUT, start);
    assert_eq!(Task::new(check).poll(), Poll::Ready(errored("before the future")));

    let check = fixture.services.health_check_blocking(&fixture.here, &NAME, AMPLE, |_| -> bool { panic!("thread") });
    assert_eq!(check, errored("thread"));
    assert!(owner.pid().is_alive());
}

/// Notes when it is dropped, and panics then.
struct Trap(Arc<AtomicBool>);

impl Drop for Trap {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
        assert!(thread::panicking(), "in the drop of a check");
    }
}

fn trapped(dropped: &Arc<AtomicBool>) -> impl Future<Output = ()> + Send + use<> {
    let trap = Trap(Arc::clone(dropped));
    async move {
        let _trap = trap;
        pending::<()>().await;
    }
}

#[test]
fn a_check_without_an_answer_times_out_at_the_deadline_and_is_dropped() {
    let fixture = fixture();
    let owner = fixture.registered();
    let dropped = Arc::new(AtomicBool::new(false));
    let check = trapped(&dropped);
    let mut task = Task::new(fixture.services.health_check_with(&fixture.here, &NAME, TIMEOUT, |_| check));
    assert!(task.poll().is_pending());
    fixture.clock.advance(TIMEOUT.saturating_sub(Duration::from_nanos(1)));
    assert!(!task.was_woken() && task.poll().is_pending());
    fixture.clock.advance(Duration::from_nanos(1));
    assert!(task.was_woken());
    assert_eq!(task.poll(), Poll::Ready(Err(HealthCheckError::Timeout)));
    assert!(dropped.load(Ordering::SeqCst));
    assert_eq!((fixture.clock.pending(), owner.pid().held().1), (0, 0), "nothing is left behind");
}

#[test]
fn dropping_the_future_drops_the_check() {
    let fixture = fixture();
    let owner = fixture.registered();
    let dropped = Arc::new(AtomicBool::new(false));
    let check = trapped(&dropped);
    let mut task = Task::new(fixture.services.health_check_with(&fixture.here, &NAME, TIMEOUT, |_| check));
    assert!(task.poll().is_pending());
    drop(task);
    assert!(dropped.load(Ordering::SeqCst));
    assert_eq!((fixture.clock.pending(), owner.pid().held().1), (0, 0), "nothing is left behind");
}

#[test]
fn the_death_of_the_service_ends_the_check() {
    let fixture = fixture();
    let owner = fixture.registered();
    let mut task = Task::new(fixture.services.health_check_with(&fixture.here, &NAME, TIMEOUT, |_| pending::<bool>()));
    assert!(task.poll().is_pending());
    owner.exit(ExitReason::error("disk full"));
    assert!(task.was_woken());
    assert_eq!(task.poll(), Poll::Ready(Err(HealthCheckError::Crashed(ExitReason::error("disk full")))));
}

#[test]
fn an_answer_in_time_wins_over_death_and_timeout_that_come_before_it_is_read() {
    let fixture = fixture();
    let owner = fixture.registered();
    let pid = owner.pid();
    let answered = Arc::new(AtomicBool::new(false));
    let answer = Arc::clone(&answered);
    let check = move |_| {
        std::future::poll_fn(move |_| if answer.load(Ordering::SeqCst) { Poll::Ready(true) } else { Poll::Pending })
    };
    let mut task = Task::new(fixture.services.health_check_with(&fixture.here, &NAME, TIMEOUT, check));
    assert!(task.poll().is_pending());
    answered.store(true, Ordering::SeqCst);
    drop(owner);
    fixture.clock.advance(2 * TIMEOUT);
    assert_eq!(task.poll(), Poll::Ready(Ok(pid)));
}

#[test]
fn a_blocking_check_runs_on_a_thread_of_its_own() {
    let fixture = fixture();
    let owner = fixture.registered();
    let caller = thread::current().id();
    let check = move |_| thread::current().id() != caller;
    assert_eq!(fixture.services.health_check_blocking(&fixture.here, &NAME, AMPLE, check), Ok(owner.pid()));
    let refused = fixture.services.health_check_blocking(&fixture.here, &NAME, AMPLE, |_| Err::<(), _>("not ready"));
    assert_eq!(refused, Err(HealthCheckError::Failed("not ready".into())));
}

#[test]
fn a_blocking_check_that_is_late_is_left_behind() {
    let fixture = fixture();
    let owner = fixture.registered();
    let (answer_now, wait) = mpsc::channel::<()>();
    let (done, is_done) = mpsc::channel::<()>();
    let check = move |_| {
        let answered = wait.recv().is_ok();
        done.send(()).expect("the test listens");
        answered
    };
    // Its deadline has passed when it begins.
    let late = fixture.services.health_check_blocking(&fixture.here, &NAME, Duration::ZERO, check);
    assert_eq!(late, Err(HealthCheckError::Timeout));
    answer_now.send(()).expect("the check still runs");
    assert_eq!(is_done.recv(), Ok(()), "it ends by itself");
    assert!(owner.pid().is_alive());
}

#[test]
fn checks_run_on_any_executor() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("starts");
    let services = ServiceRegistry::new(Registry::new());
    let (here, owner) = (Namespace::test(), Owner::new());
    services.register(&here, &NAME, &owner.pid()).expect("free");
    let checks: Vec<_> = (0..20)
        .map(|number| {
            let check = move |_| async move {
                tokio::task::yield_now().await;
                number % 2 == 0
            };
            runtime.spawn(services.health_check_with(&here, &NAME, AMPLE, check))
        })
        .collect();
    runtime.block_on(async {
        for (number, check) in checks.into_iter().enumerate() {
            let result = check.await.expect("no panic");
            let failed = Err(HealthCheckError::Failed(Value::Bool(false)));
            assert_eq!(result, if number % 2 == 0 { Ok(owner.pid()) } else { failed });
        }
    });
}

#[test]
fn r15_an_observer_that_panics_or_calls_back_changes_no_result() {
    let fixture = fixture();
    fixture.observer.start_panicking();
    let owner = Owner::new();
    fixture.services.register(&fixture.here, &NAME, &owner.pid()).expect("free");
    assert_eq!(fixture.services.lookup(&fixture.here, &NAME), Ok(owner.pid()));
    assert_eq!(fixture.check(|| true), Ok(owner.pid()));
    assert_eq!(fixture.services.wait_for_blocking(&fixture.here, &NAME, TIMEOUT), Ok(owner.pid()));
    assert_eq!(fixture.observer.names().len(), 4);
}

#[test]
fn after_the_shutdown_everything_says_so() {
    let fixture = fixture();
    let owner = fixture.registered();
    fixture.services.registry().shutdown();
    let (services, here) = (&fixture.services, &fixture.here);
    assert_eq!(services.register(here, &NAME, &owner.pid()).map(drop), Err(RegisterError::Closed));
    assert_eq!(services.unregister(here, &NAME), Err(RegistryError::Closed));
    assert_eq!(services.list(here), Err(RegistryError::Closed));
    assert_eq!(services.service_info(here), Err(RegistryError::Closed));
    assert_eq!(fixture.check(|| true), Err(HealthCheckError::Closed));
    assert!(owner.pid().is_alive());
}
