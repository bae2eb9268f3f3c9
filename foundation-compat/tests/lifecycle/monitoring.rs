//! Property 10: what a monitor makes of its checks.

use std::sync::Arc;
use std::time::Duration;

use foundation_compat::lifecycle::{ServiceConfig, ServiceHealth, ServiceSpec, Supervisor, Toggle};
use foundation_types::testing::{RecordingObserver, check};
use foundation_types::{Health, ServiceName};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::scripted::{Check, Stage};

fn checks() -> impl Strategy<Value = Check> {
    let bad = [Health::Degraded, Health::Unhealthy, Health::Critical, Health::Unknown].map(Check::Report);
    let good = [Check::Report(Health::Healthy), Check::Unsupported];
    select([&good[..], &bad[..], &[Check::Error, Check::Panic]].concat())
}

fn is_bad(check: Check) -> bool {
    !matches!(check, Check::Report(Health::Healthy) | Check::Unsupported)
}

/// A service in the model.
#[derive(Debug)]
struct Watched {
    interval: Option<u64>,
    script: Vec<Check>,
    due: Option<u64>,
    made: usize,
    bad_in_a_row: usize,
}

#[test]
fn p10_a_monitor_takes_a_service_for_what_its_last_checks_say_each_at_its_own_interval() {
    let service = (proptest::option::weighted(0.9, 1..8_u64), vec(checks(), 64));
    check(64, (vec(service, 1..6), vec(0..5_u64, 1..24)), |(services, steps)| {
        let stage = Stage::new();
        let names: Vec<ServiceName> =
            (0..services.len()).map(|index| ServiceName::new(format!("s{index}")).expect("valid")).collect();
        let mut model: Vec<Watched> = Vec::new();
        for (name, (interval, script)) in names.iter().zip(services) {
            let config =
                ServiceConfig { health_check_interval: interval.map(Duration::from_secs), ..ServiceConfig::default() };
            stage.script_config(name, config);
            stage.script_checks(name, script.clone());
            model.push(Watched { interval, script, due: interval.map(|_| 0), made: 0, bad_in_a_row: 0 });
        }
        let builder = stage.builder().services(names.iter().map(|name| stage.spec(name)));
        let supervisor = builder.health_warnings(Toggle::Off).start().expect("it starts");
        assert_eq!(supervisor.run_due(), 0, "nothing is checked while no monitor is on");
        let monitor = supervisor.monitor().expect("the application runs");
        let mut now = 0;
        for step in steps {
            stage.advance_seconds(step);
            now += step;
            let mut expected = 0;
            for watched in &mut model {
                if watched.due.is_some_and(|due| due <= now) {
                    let check = watched.script[watched.made];
                    watched.made += 1;
                    watched.bad_in_a_row = if is_bad(check) { watched.bad_in_a_row + 1 } else { 0 };
                    watched.due = watched.interval.map(|interval| now + interval);
                    expected += 1;
                }
            }
            assert_eq!(supervisor.run_due(), expected);
            let status = supervisor.status();
            for (name, watched) in names.iter().zip(&model) {
                let health = match watched.bad_in_a_row {
                    0 => Health::Healthy,
                    1 | 2 => Health::Degraded,
                    _ => Health::Unhealthy,
                };
                assert_eq!(status.services[name].health, health, "{name} after {watched:?}");
                let metrics = supervisor.service_metrics(name).expect("it is known");
                assert_eq!(metrics.health_checks, watched.made as u64);
                assert_eq!(metrics.health_status == ServiceHealth::Starting, watched.made == 0);
            }
        }
        drop(monitor);
        stage.advance_seconds(60);
        assert_eq!(supervisor.run_due(), 0, "nothing is checked when the monitor is off");
    });
}

#[test]
fn a_restarted_service_is_checked_one_interval_later_and_its_bad_checks_are_forgotten() {
    let stage = Stage::new();
    let name = ServiceName::from_static("phoenix");
    stage.script_checks(&name, [Check::Error; 3]);
    let supervisor =
        stage.builder().service(stage.spec(&name)).health_warnings(Toggle::Off).start().expect("it starts");
    let _monitor = supervisor.monitor().expect("the application runs");
    for _ in 0..3 {
        assert_eq!(supervisor.run_due(), 1);
        stage.advance_seconds(30);
    }
    assert_eq!(supervisor.status().services[&name].health, Health::Unhealthy);
    supervisor.restart_service(&name).expect("it restarts");
    assert_eq!(supervisor.status().services[&name].health, Health::Healthy);
    stage.advance_seconds(29);
    assert_eq!(supervisor.run_due(), 0);
    stage.advance_seconds(1);
    assert_eq!(supervisor.run_due(), 1);
}

#[test]
fn a_round_of_the_monitor_tells_the_health_of_the_whole() {
    let stage = Stage::new();
    let observer = Arc::new(RecordingObserver::new());
    let (good, bad) = (ServiceName::from_static("good"), ServiceName::from_static("bad"));
    stage.script_checks(&bad, [Check::Report(Health::Degraded)]);
    let builder = stage.builder().services([stage.spec(&good), stage.spec(&bad)]).health_warnings(Toggle::Off);
    let supervisor = builder.observer(Arc::<RecordingObserver>::clone(&observer)).start().expect("it starts");
    let _monitor = supervisor.monitor().expect("the application runs");
    let gauge = || {
        let events = observer.events_named("foundation.application.health_percentage");
        let last = events.last().expect("there was a round");
        let number = |key| last.metadata.get(key).and_then(foundation_types::Value::as_i64);
        (
            last.measurements.get("value").and_then(foundation_types::Value::as_f64),
            number("failed_services"),
            number("degraded_services"),
            events.len(),
        )
    };
    supervisor.run_due();
    assert_eq!(gauge(), (Some(50.0), Some(0), Some(1), 1));
    stage.advance_seconds(30);
    supervisor.run_due();
    assert_eq!(gauge(), (Some(100.0), Some(0), Some(0), 2));
    let checks = observer.events_named("foundation.service.health_check.duration");
    let results: Vec<_> = checks.iter().filter_map(|event| event.metadata.get("result")?.as_str()).collect();
    assert_eq!(results.iter().filter(|&&result| result == "degraded").count(), 1);
    assert_eq!(results.len(), 4);
}

#[test]
fn services_that_run_without_their_dependencies_are_told_of_once_a_minute() {
    let stage = Stage::new();
    let observer = Arc::new(RecordingObserver::new());
    let [base, user] = ["base", "user"].map(ServiceName::from_static);
    let specs = [
        stage.spec(&base).restart(foundation_compat::lifecycle::Restart::Temporary),
        stage.spec(&user).depends_on(base.clone()),
    ];
    let builder = stage.builder().services(specs).health_warnings(Toggle::Off);
    let supervisor = builder.observer(Arc::<RecordingObserver>::clone(&observer)).start().expect("it starts");
    let _monitor = supervisor.monitor().expect("the application runs");
    let warnings = || observer.events_named("foundation.application.dependency_warnings");
    stage.advance_seconds(60);
    supervisor.run_due();
    assert_eq!(warnings(), []);
    crate::scripted::end(&supervisor.pid(&base).expect("it runs"), &foundation_types::ExitReason::Normal);
    stage.advance_seconds(60);
    supervisor.run_due();
    assert_eq!(warnings().len(), 1);
    assert_eq!(warnings()[0].measurements.get("unmet_count"), Some(&foundation_types::Value::Int(1)));
}

#[test]
fn a_monitor_with_a_thread_checks_at_once_and_ends_with_the_application() {
    use foundation_types::Owner;

    struct Tells(std::sync::Mutex<Option<Owner>>);
    impl foundation_compat::lifecycle::Service for Tells {
        fn check_health(
            &self,
        ) -> Result<foundation_compat::lifecycle::HealthReport, foundation_compat::lifecycle::BoxError> {
            let owner = self.0.lock().expect("not poisoned").take();
            drop(owner);
            Ok(foundation_compat::lifecycle::HealthReport::of(Health::Healthy))
        }
    }
    let owner = Owner::new();
    let checked = owner.pid().monitor();
    let slot = std::sync::Mutex::new(Some(owner));
    let spec = ServiceSpec::new("told", move |_| Ok(Tells(std::sync::Mutex::new(slot.lock().expect("ok").take()))));
    let supervisor = Supervisor::builder().service(spec).start().expect("it starts");
    let monitor = supervisor.monitor().expect("the application runs");
    checked.wait();
    supervisor.shutdown(Duration::MAX);
    assert!(supervisor.monitor().is_err());
    drop(monitor);
}
