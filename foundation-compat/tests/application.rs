//! An instance as a running application.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use foundation_compat::config::Config;
use foundation_compat::foundation_types::ManualClock;
use foundation_compat::foundation_types::testing::RecordingObserver;
use foundation_compat::lifecycle::{HEALTH_EVENT, LifecycleError, Phase, Service, ServiceSpec, StopOutcome, Toggle};
use foundation_compat::{
    APPLICATION_STARTED_EVENT, ExitReason, Foundation, Health, Namespace, ServiceName, StartError, Value,
};
use proptest::prelude::*;

struct Counted(Arc<AtomicUsize>);

impl Service for Counted {
    fn stop(&self, _: &ExitReason) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn isolated() -> foundation_compat::FoundationBuilder {
    Foundation::builder().namespace(Namespace::test())
}

fn names(report: &foundation_compat::lifecycle::ShutdownReport) -> Vec<String> {
    report.services.iter().map(|(name, _)| name.to_string()).collect()
}

#[test]
fn an_instance_starts_its_services_in_order_and_stops_them_in_reverse() {
    let stops = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&stops);
    let worker = ServiceSpec::new("worker", move |_| Ok(Counted(Arc::clone(&counted)))).depends_on("config_server");
    let foundation = isolated().service(worker).start().expect("every service starts");
    let supervisor = foundation.supervisor().expect("it runs");
    let started: Vec<String> = supervisor.services().iter().map(ToString::to_string).collect();
    assert_eq!(started, ["process_registry", "config_server", "connection_manager", "rate_limiter_backend", "worker"]);
    assert_eq!(supervisor.health_check().overall_health, Health::Healthy);
    let worker = ServiceName::from_static("worker");
    let pid = foundation.registry().lookup(foundation.namespace(), &worker).expect("services are registered");
    assert_eq!(Ok(pid), supervisor.pid(&worker).map_err(drop));
    assert!(matches!(foundation.start(), Err(LifecycleError::AlreadyStarted)));
    assert!(foundation.available());

    let report = foundation.shutdown();
    assert!(report.is_clean());
    let mut reversed = started;
    reversed.reverse();
    assert_eq!(names(&report), reversed);
    assert_eq!(stops.load(Ordering::SeqCst), 1);
    assert!(!foundation.available());
    assert_eq!(names(&foundation.shutdown()), reversed, "a second shutdown says the same");
    assert!(matches!(foundation.start(), Err(LifecycleError::Stopped)));
}

#[test]
fn a_service_that_does_not_start_leaves_nothing_running() {
    let refusing = ServiceSpec::new("refusing", |_| -> Result<Counted, _> { Err("no disk".into()) });
    let error = isolated().service(refusing).start().expect_err("it refuses");
    assert!(matches!(&error, StartError::Lifecycle(LifecycleError::StartFailed { service, .. })
        if *service == ServiceName::from_static("refusing")));
    assert!(error.to_string().contains("no disk"));
}

#[test]
fn services_hold_no_instance_alive() {
    let stops = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&stops);
    let worker = ServiceSpec::new("worker", move |_| Ok(Counted(Arc::clone(&counted)))).phase(Phase::Mabeam);
    let foundation = isolated().service(worker).start().expect("every service starts");
    drop(foundation);
    assert_eq!(stops.load(Ordering::SeqCst), 1, "dropping the last handle shuts down");
}

#[test]
fn an_instance_that_was_not_started_shuts_down_with_nothing_to_report() {
    let foundation = isolated().build().expect("in range");
    assert!(foundation.supervisor().is_none() && foundation.available());
    assert!(foundation.shutdown_within(Duration::ZERO).services.is_empty());
    assert!(!foundation.available());
}

#[test]
fn concurrent_shutdowns_agree() {
    let foundation = isolated().start().expect("every service starts");
    let reports: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| foundation.shutdown())).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(reports.iter().all(|report| *report == reports[0]));
    assert!(reports[0].services.iter().all(|(_, outcome)| *outcome != StopOutcome::Abandoned));
}

/// Something that is done to an instance under supervision.
#[derive(Clone, Copy, Debug)]
enum Step {
    Update(&'static str, bool),
    Get(&'static str),
    Reset,
    Restart(&'static str),
    Check,
    Shutdown,
}

fn step() -> impl Strategy<Value = Step> {
    let path = || prop::sample::select(vec!["dev.debug_mode", "dev.verbose_logging", "dev.unknown"]);
    let service = prop::sample::select(vec!["config_server", "process_registry", "nobody"]);
    prop_oneof![
        6 => (path(), any::<bool>()).prop_map(|(path, value)| Step::Update(path, value)),
        6 => path().prop_map(Step::Get),
        1 => Just(Step::Reset),
        2 => service.prop_map(Step::Restart),
        2 => Just(Step::Check),
        1 => Just(Step::Shutdown),
    ]
}

/// Does it and says what came of it, identities left aside.
fn act(foundation: &Foundation, step: Step) -> String {
    let config = Config::from(foundation);
    match step {
        Step::Update(path, value) => format!("{:?}", config.update(path, value).map_err(|error| error.code())),
        Step::Get(path) => format!("{:?}", config.get(path).map_err(|error| error.code())),
        Step::Reset => format!("{:?}", config.reset().map_err(|error| error.code())),
        Step::Restart(service) => {
            let name = ServiceName::new(service).expect("a name");
            let restarted = foundation.running().and_then(|supervisor| supervisor.restart_service(&name));
            format!("{:?}", restarted.map(|pid| pid.is_alive()).map_err(|error| error.to_string()))
        }
        Step::Check => {
            format!("{} {:?}", foundation.available(), foundation.running().map(|it| it.status().status).ok())
        }
        Step::Shutdown => format!("{:?}", names(&foundation.shutdown())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn p21_instances_under_supervision_do_not_notice_each_other(
        steps in prop::collection::vec((any::<bool>(), step()), 2..40),
    ) {
        let new = || isolated().driven_by_hand().start().expect("every service starts");
        let (one, other) = (new(), new());
        let beside: Vec<_> =
            steps.iter().map(|(first, step)| act(if *first { &one } else { &other }, *step)).collect();
        for side in [true, false] {
            let alone = new();
            for ((_, step), answer) in steps.iter().zip(&beside).filter(|((first, _), _)| *first == side) {
                prop_assert_eq!(&act(&alone, *step), answer, "{:?}", step);
            }
        }
    }
}

#[test]
fn health_is_watched_and_the_supervisor_is_as_the_program_wants_it() {
    let (clock, observer) = (ManualClock::new(), Arc::new(RecordingObserver::new()));
    let foundation = isolated()
        .clock(Arc::new(clock.clone()))
        .observer(observer.clone())
        .supervise(|supervisor| supervisor.health_report_interval(Duration::from_secs(7)))
        .driven_by_hand()
        .start()
        .expect("every service starts");
    let [started] = &observer.events_named(APPLICATION_STARTED_EVENT)[..] else { panic!("told once") };
    assert_eq!(started.metadata.get("services").and_then(Value::as_list).map(<[_]>::len), Some(4));
    let supervisor = foundation.running().expect("it runs");
    supervisor.run_due();
    let rounds = || observer.events_named(HEALTH_EVENT).len();
    assert_eq!(rounds(), 1, "the first round is at once");
    clock.advance(Duration::from_secs(7));
    supervisor.run_due();
    assert_eq!(rounds(), 2);

    let quiet =
        isolated().health_monitor(Toggle::Off).observer(observer.clone()).start().expect("every service starts");
    assert!(quiet.shutdown().is_clean());
    assert_eq!(rounds(), 2);
}
