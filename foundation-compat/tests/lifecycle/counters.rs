//! Property 11: the account of a service.

use foundation_compat::lifecycle::{ServiceHealth, Toggle};
use foundation_types::testing::check;
use foundation_types::{Health, ServiceName};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::scripted::{Check, Stage};

/// Rows of the table of the contract: the status after a check, and whether it failed.
fn row(check: Check) -> (ServiceHealth, bool) {
    match check {
        Check::Report(Health::Healthy) | Check::Unsupported => (ServiceHealth::Healthy, false),
        Check::Report(Health::Degraded | Health::Unknown) => (ServiceHealth::Degraded, false),
        Check::Report(Health::Unhealthy | Health::Critical) | Check::Error | Check::Panic => {
            (ServiceHealth::Unhealthy, true)
        }
    }
}

#[test]
fn p11_checks_and_failures_are_counted_the_status_is_that_of_the_last_and_none_ends_the_service() {
    let all: Vec<Check> = Health::ALL.into_iter().map(Check::Report).collect();
    let checks = select([&all[..], &[Check::Unsupported, Check::Error, Check::Panic]].concat());
    check(96, vec((checks, any::<bool>()), 0..24), |script| {
        let stage = Stage::new();
        let name = ServiceName::from_static("subject");
        let supervisor =
            stage.builder().service(stage.spec(&name)).health_warnings(Toggle::Off).start().expect("it starts");
        let pid = supervisor.pid(&name).expect("it runs");
        let monitor = supervisor.monitor().expect("the application runs");
        let (mut made, mut failed) = (0, 0);
        let fresh = supervisor.service_metrics(&name).expect("it is known");
        assert_eq!((fresh.health_status, fresh.health_checks, fresh.tasks), (ServiceHealth::Starting, 0, 1));
        for (check, by_monitor) in script {
            stage.script_checks(&name, [check]);
            if by_monitor {
                stage.advance_seconds(30);
                assert_eq!(supervisor.run_due(), 1);
            } else {
                supervisor.health_check();
            }
            let (status, fails) = row(check);
            made += 1;
            failed += u64::from(fails);
            let metrics = supervisor.service_metrics(&name).expect("it is known");
            assert_eq!(
                (metrics.health_checks, metrics.health_check_failures, metrics.health_status),
                (made, failed, status)
            );
            assert!(metrics.last_health_check.is_some());
            assert_eq!(supervisor.pid(&name).ok().as_ref(), Some(&pid));
        }
        drop(monitor);
        assert_eq!(stage.started().len(), 1, "it was started once");
        assert_eq!(stage.stopped(), []);
    });
}
