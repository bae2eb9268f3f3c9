//! Property 8: the arithmetic of health.

use std::collections::BTreeMap;

use foundation_compat::lifecycle::{HealthSummary, Phase, Restart, gauge_value};
use foundation_types::testing::check;
use foundation_types::{ExitReason, Health, ServiceName};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::plan::Plan;
use crate::scripted::{Check, Stage, end};

/// How a service is when it is asked.
#[derive(Clone, Copy, Debug)]
enum Mood {
    Answers(Check),
    Ended,
}

fn moods() -> impl Strategy<Value = Mood> {
    let mut all: Vec<Mood> = Health::ALL.into_iter().map(|health| Mood::Answers(Check::Report(health))).collect();
    // Healthy ones more often, or hardly any set would be healthy.
    all.extend([Mood::Answers(Check::Report(Health::Healthy)); 6]);
    all.extend([Check::Unsupported, Check::Error, Check::Panic].map(Mood::Answers));
    all.push(Mood::Ended);
    select(all)
}

/// Rows of the table of the contract: health, whether it counts, details.
fn row(mood: Mood) -> (Health, &'static str) {
    match mood {
        Mood::Answers(Check::Report(health)) => (health, "Health check successful"),
        Mood::Answers(Check::Unsupported) => (Health::Healthy, "Service alive but doesn't support health checks"),
        Mood::Answers(Check::Error) => (Health::Degraded, "Health check returned error: told to fail"),
        Mood::Answers(Check::Panic) => (Health::Unhealthy, "Health check failed: told to panic"),
        Mood::Ended => (Health::Unhealthy, "Service process not found"),
    }
}

/// The worst of some healths, and the percentage, computed the plain way.
fn model(healths: &[Health]) -> (Health, f64) {
    let bad = |health: &&Health| matches!(health, Health::Unhealthy | Health::Critical);
    let middling = |health: &&Health| matches!(health, Health::Degraded | Health::Unknown);
    let (bad, middling) = (healths.iter().filter(bad).count(), healths.iter().filter(middling).count());
    let good = healths.len() - bad - middling;
    let overall = match (bad, middling) {
        (0, 0) => Health::Healthy,
        (0, _) => Health::Degraded,
        _ => Health::Unhealthy,
    };
    let percentage = if healths.is_empty() {
        0.0
    } else {
        ((good as f64 + 0.5 * middling as f64) / healths.len() as f64 * 1_000.0).round() / 10.0
    };
    (overall, percentage)
}

#[test]
fn p08_health_counts_percentages_phases_and_recommendations_are_those_of_the_model() {
    check(64, (Plan::any(20), vec(moods(), 20)), |(plan, moods)| {
        let stage = Stage::new();
        let specs = stage.specs(&plan).into_iter().map(|spec| spec.restart(Restart::Temporary));
        let supervisor = stage.builder().services(specs).start().expect("it starts");
        for (index, &mood) in moods.iter().enumerate().take(plan.len()) {
            match mood {
                Mood::Answers(check) => stage.script_checks(&plan.name(index), [check]),
                Mood::Ended => end(&supervisor.pid(&plan.name(index)).expect("it runs"), &ExitReason::Normal),
            }
        }
        supervisor.run_due();
        let found = supervisor.health_check();
        let expected: BTreeMap<ServiceName, (Health, &str)> =
            (0..plan.len()).map(|index| (plan.name(index), row(moods[index]))).collect();
        let seen: BTreeMap<ServiceName, (Health, &str)> = found
            .service_health
            .iter()
            .map(|(name, checked)| (name.clone(), (checked.health, checked.details.as_str())))
            .collect();
        assert_eq!(seen, expected);
        for (index, mood) in moods.iter().enumerate().take(plan.len()) {
            let reports = matches!(mood, Mood::Answers(Check::Report(_)));
            assert_eq!(found.service_health[&plan.name(index)].response_time.is_some(), reports);
        }

        let healths: Vec<Health> = expected.values().map(|(health, _)| *health).collect();
        let (overall, percentage) = model(&healths);
        assert_eq!(found.overall_health, overall);
        let that_are = |wanted: [Health; 2]| -> Vec<ServiceName> {
            let those = expected.iter().filter(|(_, (health, _))| wanted.contains(health));
            those.map(|(name, _)| name.clone()).collect()
        };
        let failed = that_are([Health::Unhealthy, Health::Critical]);
        let degraded = that_are([Health::Degraded, Health::Unknown]);
        assert_eq!(found.failed_services, failed);
        assert_eq!(found.degraded_services, degraded);
        let texts = 3 * usize::from(!failed.is_empty()) + 3 * usize::from(!degraded.is_empty());
        assert_eq!(found.recommendations.len(), texts.max(1));
        if texts == 0 {
            assert_eq!(found.recommendations, ["All services are healthy"]);
        }
        let listed = |names: &[ServiceName]| {
            let names = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            found.recommendations.iter().any(|text| text.ends_with(&names))
        };
        assert!(listed(&failed) && listed(&degraded));

        let status = supervisor.status();
        assert_eq!(status.status, overall, "status and health agree");
        let summary = status.health_summary;
        assert_eq!((summary.total_services, summary.health_percentage()), (plan.len(), percentage));
        assert_eq!((summary.unhealthy, summary.degraded), (failed.len(), degraded.len()));
        for phase in Phase::ALL {
            let of: Vec<Health> = (0..plan.len())
                .filter(|&index| plan.0[index].phase == phase)
                .map(|index| expected[&plan.name(index)].0)
                .collect();
            let seen = &status.startup_phases[&phase];
            let good = of.iter().filter(|&&health| health == Health::Healthy).count();
            assert_eq!((seen.total_count, seen.healthy_count, seen.status), (of.len(), good, model(&of).0));
        }
    });
}

#[test]
fn p08_a_summary_of_any_healths_is_that_of_the_model() {
    check(512, vec(select(Health::ALL.to_vec()), 0..64), |healths| {
        let summary = HealthSummary::of(healths.iter().copied());
        let (overall, percentage) = model(&healths);
        assert_eq!((summary.overall(), summary.health_percentage()), (overall, percentage));
        assert_eq!(summary.healthy + summary.degraded + summary.unhealthy, healths.len());
        let gauge = match overall {
            Health::Healthy => 100.0,
            Health::Degraded => 50.0,
            _ => 0.0,
        };
        assert!((gauge_value(overall) - gauge).abs() < f64::EPSILON);
    });
}
