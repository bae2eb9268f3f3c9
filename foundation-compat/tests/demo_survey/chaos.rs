use std::path::Path;
use std::sync::Arc;

use foundation_breaker::State;
use foundation_compat::demo::{Crew, Survey, SurveySettings, Surveyor};
use foundation_types::ManualClock;

use crate::direct::{Reviews, Totals};
use crate::watcher::{TimePasses, patient};
use crate::{crew, settings, survey, tree};

/// A survey with chaos in which no real time has to pass.
fn chaotic(input: &Path, seed: u64, crew: Crew) -> Survey {
    let clock = ManualClock::new();
    Surveyor::new(patient(SurveySettings::new(input).with_crew(crew).with_chaos(seed)))
        .clock(Arc::new(clock.clone()))
        .spectator(Arc::new(TimePasses::on(clock)))
        .run()
        .expect("the survey can be done")
}

#[test]
fn totals_are_those_of_a_quiet_run_for_any_seed_and_any_crew() {
    let tree = tree::repository();
    let expected = Totals::count(tree.path(), 10);
    let reviews = Reviews::count(tree.path(), 10);
    let quiet = survey(settings(tree.path()));
    assert_eq!(Totals::of(&quiet), expected);
    assert_eq!(Reviews::of(&quiet), reviews);
    for seed in 1..=8 {
        for total in [4, 8, 20] {
            let found = chaotic(tree.path(), seed, crew(total));
            assert!(found.complete, "seed {seed}, {total} agents: {:?}, {:?}", found.skipped, found.reviews.failures);
            assert_eq!(Totals::of(&found), expected, "seed {seed}, {total} agents");
            assert_eq!(found.digest, quiet.digest, "seed {seed}, {total} agents");
            assert_eq!(found.directories, quiet.directories, "seed {seed}, {total} agents");
            assert_eq!(Reviews::of(&found), reviews, "seed {seed}, {total} agents");
            assert_eq!(found.reviews.digest, quiet.reviews.digest, "seed {seed}, {total} agents");
        }
    }
}

#[test]
fn chaos_strikes_in_every_way_and_the_dead_are_replaced() {
    let tree = tree::repository();
    for seed in 1..=8 {
        let found = chaotic(tree.path(), seed, crew(8));
        let chaos = found.chaos;
        assert!(
            chaos.killed > 0 && chaos.panicked > 0 && chaos.hung > 0 && chaos.slowed > 0 && chaos.reassigned > 0,
            "seed {seed}: {chaos:?}"
        );
        assert_eq!(chaos.seed, Some(seed));
        let restarts: u64 = found.agents.iter().map(|agent| agent.restarts).sum();
        assert_eq!(restarts, chaos.killed + chaos.panicked + chaos.hung, "seed {seed}: every death is one restart");
        assert_eq!(found.lifecycle.restarts, restarts, "seed {seed}");
    }
}

#[test]
fn chaos_changes_settings_and_what_makes_no_sense_is_refused() {
    let tree = tree::repository();
    let expected = Totals::count(tree.path(), 10);
    for seed in 1..=8 {
        let found = chaotic(tree.path(), seed, crew(8));
        assert_eq!(Totals::of(&found), expected, "seed {seed}");
        let config = &found.config;
        for (path, layer) in [("read.concurrency", "runtime"), ("review.per_second", "runtime")] {
            let is_there = config.changes.iter().any(|change| change.path == path && change.layer == layer);
            assert!(is_there, "seed {seed}: {path} in {config:?}");
        }
        let is_override = |layer: &str| layer.starts_with("agent:reader-");
        assert!(config.changes.iter().any(|change| is_override(&change.layer)), "seed {seed}: {config:?}");
        assert!(config.rejected_count > 0, "seed {seed}");
        for rejected in &config.rejected {
            assert_eq!(rejected.reason, "read.concurrency: expected an integer from 1 to 256, found 0", "seed {seed}");
        }
        let versions: Vec<_> = config.changes.iter().map(|change| change.version).collect();
        assert!(versions.is_sorted() && versions.last() == Some(&config.version), "seed {seed}: {versions:?}");
        assert_eq!(versions.len() as u64, config.changes_count, "seed {seed}");
    }
}

#[test]
fn chaos_strikes_the_reviewing_service_and_the_circuit_opens_and_closes() {
    let tree = tree::repository();
    for seed in 1..=8 {
        let found = chaotic(tree.path(), seed, crew(8));
        let [breaker] = &found.breakers[..] else { panic!("{:?}", found.breakers) };
        let [pool] = &found.pools[..] else { panic!("{:?}", found.pools) };
        let reviews = &found.reviews;
        assert!(reviews.retried > 0 && breaker.failed > 0 && pool.retired > 0, "seed {seed}: {reviews:?}, {pool:?}");
        assert!(breaker.opened > 0 && breaker.succeeded >= reviews.done, "seed {seed}: {breaker:?}");
        assert!(reviews.refused >= breaker.rejected, "seed {seed}: {reviews:?}, {breaker:?}");
        let history = &breaker.history;
        assert_eq!(history.len() as u64, breaker.changes, "seed {seed}");
        assert_eq!(history[0].state, State::Open, "seed {seed}");
        assert_eq!(history.last().map(|change| change.state), Some(breaker.state), "seed {seed}");
        let opened = history.iter().filter(|change| change.state == State::Open).count();
        assert_eq!(opened as u64, breaker.opened, "seed {seed}");
        for pair in history.windows(2) {
            let follows = match pair[0].state {
                State::Closed => pair[1].state == State::Open,
                State::Open => pair[1].state == State::HalfOpen,
                _ => pair[1].state != State::HalfOpen,
            };
            assert!(follows && pair[0].at_ms <= pair[1].at_ms, "seed {seed}: {pair:?}");
        }
    }
}

#[test]
fn agents_keep_their_names_and_what_they_learnt_over_restarts() {
    let tree = tree::repository();
    let names = |survey: &Survey| survey.agents.iter().map(|agent| agent.id.clone()).collect::<Vec<_>>();
    let quiet = survey(settings(tree.path()));
    let found = chaotic(tree.path(), 7, Crew::default());
    assert_eq!(names(&found), names(&quiet));
    for language in found.languages.keys() {
        let capability = format!("analyze:{language}");
        assert!(found.agents.iter().any(|agent| agent.capabilities.contains(&capability)), "{language}");
    }
}

#[test]
fn a_crowded_directory_listed_several_times_counts_once() {
    let tree = tree::flat(5000);
    let expected = Totals::count(tree.path(), 10);
    for seed in 1..=4 {
        let found = chaotic(tree.path(), seed, crew(6));
        assert_eq!(Totals::of(&found), expected, "seed {seed}");
        assert_eq!((found.directories, found.complete), (2, true), "seed {seed}: {:?}", found.reviews.failures);
    }
}

#[test]
fn without_chaos_nobody_dies() {
    let tree = tree::repository();
    let chaos = survey(settings(tree.path())).chaos;
    assert_eq!(chaos, foundation_compat::demo::ChaosSummary::default());
}
