use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use foundation_breaker::State;
use foundation_compat::demo::settings::{GONE_AFTER, MAX_REVIEW_ATTEMPTS, MIN_FRUITLESS_CALLS};
use foundation_compat::demo::{Survey, SurveyError, SurveySettings, Surveyor};
use foundation_types::ManualClock;

use crate::direct::{Reviews, Totals};
use crate::reviewer::{Manner, OwnReviewer};
use crate::watcher::{TimePasses, patient};
use crate::{crew, settings, survey, tree};

/// A survey in which no real time has to pass.
fn timeless(settings: SurveySettings) -> Survey {
    let clock = ManualClock::new();
    let passes = TimePasses::on(clock.clone());
    let surveyor = Surveyor::new(patient(settings));
    surveyor.clock(Arc::new(clock)).spectator(Arc::new(passes)).run().expect("the survey can be done")
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap()
}

#[test]
fn every_text_is_reviewed_once_and_as_an_independent_reviewer_would() {
    let tree = tree::repository();
    let expected = Reviews::count(tree.path(), 10);
    assert!(expected.files.iter().all(|&files| files > 0), "{expected:?}");
    assert!(expected.findings.iter().all(|&found| found > 0), "{expected:?}");
    assert!(expected.worst.len() > 1, "{expected:?}");
    for total in [4, 8, 33] {
        let found = survey(settings(tree.path()).with_crew(crew(total)));
        assert_eq!(Reviews::of(&found), expected, "{total} agents");
        let reviews = &found.reviews;
        assert_eq!((reviews.retried, reviews.refused, reviews.returned, reviews.failed), (0, 0, 0, 0));
        assert_eq!(reviews.done + found.other.binary + 2, found.files, "one file is large and one wide");
        let breaker = &found.breakers[0];
        assert_eq!((breaker.state, breaker.opened, breaker.rejected), (State::Closed, 0, 0));
        assert_eq!((breaker.succeeded, found.limiters[0].allowed), (reviews.done, reviews.done));
        assert_eq!(found.pools[0].checkouts, reviews.done);
    }
}

#[test]
fn there_are_no_more_connections_than_the_pool_may_have() {
    let tree = tree::repository();
    let reviewers = |total: usize| total / 4;
    for (total, connections) in [(8, reviewers(8)), (48, 8)] {
        let found = survey(settings(tree.path()).with_crew(crew(total)));
        let pool = &found.pools[0];
        assert_eq!((pool.size, pool.alive), (connections, connections), "{total} agents");
        assert_eq!((pool.retired, pool.timeouts), (0, 0), "{total} agents");
    }
}

#[test]
fn the_answers_of_another_service_count_and_those_to_dead_agents_do_not() {
    let tree = tree::repository();
    let expected = Reviews::count(tree.path(), 10);
    let quiet = survey(settings(tree.path())).reviews.digest;
    let mut asked_again = 0;
    for seed in 1..=4 {
        let service = OwnReviewer::start(Manner::Diligent);
        let found = timeless(settings(tree.path()).with_chaos(seed).with_reviewer(service.address));
        assert_eq!(Reviews::of(&found), expected, "seed {seed}");
        assert_eq!(found.reviews.digest, quiet, "seed {seed}");
        assert!(found.complete, "seed {seed}");
        assert!(service.texts() as u64 <= found.reviews.done, "seed {seed}");
        asked_again += service.requests() as u64 - found.reviews.done;
    }
    assert!(asked_again > 0, "some agent died with an answer in its hands");
}

#[test]
fn reviews_wait_for_their_turn_at_the_rate_limit() {
    let tree = tree::flat(100);
    let slow = NonZeroU32::new(10).unwrap();
    let found = timeless(settings(tree.path()).with_reviews_per_second(slow));
    let limiter = &found.limiters[0];
    assert_eq!((limiter.per_second, limiter.burst, limiter.allowed), (10, 1, 100));
    assert!(limiter.denied >= 99, "{limiter:?}");
    assert!(found.elapsed_ms >= 9900, "99 of them a tenth of a second after the one before: {} ms", found.elapsed_ms);
    assert_eq!(Reviews::of(&found), Reviews::count(tree.path(), 10));
}

#[test]
fn a_service_that_goes_for_good_leaves_everything_counted_and_the_rest_unreviewed() {
    let tree = tree::repository();
    let expected = Totals::count(tree.path(), 10);
    let texts = Reviews::count(tree.path(), 10).files[0];
    let service = OwnReviewer::start(Manner::Leaving { after: 20 });
    let found = timeless(settings(tree.path()).with_reviewer(service.address));
    assert_eq!(Totals::of(&found), expected);
    assert_eq!(found.skipped_count, 0);
    assert!(!found.complete);
    let reviews = &found.reviews;
    assert!((20..100).contains(&reviews.done), "{}: equal texts count once for the service", reviews.done);
    assert_eq!(reviews.done + reviews.failed, texts);
    assert_eq!(reviews.failures.len() as u64, reviews.failed);
    assert!(
        reviews.failures.iter().any(|failure| failure.reason.contains("given up: cannot connect")),
        "{:?}",
        reviews.failures
    );
    assert!(found.breakers[0].failed >= u64::from(MIN_FRUITLESS_CALLS));
    assert!(found.elapsed_ms >= millis(GONE_AFTER) && found.elapsed_ms < 6 * millis(GONE_AFTER));
    let bound = u64::from(MAX_REVIEW_ATTEMPTS) * (reviews.returned + 1);
    assert!(reviews.refused + found.breakers[0].failed <= bound, "{reviews:?}");
    assert!(found.breakers[0].opened > 0);
}

#[test]
fn refusals_on_this_side_give_up_neither_texts_nor_a_service_that_recovers() {
    let tree = tree::flat(200);
    // While one reviewer tries whether it has recovered, the breaker refuses all others, over and over.
    let service = OwnReviewer::start(Manner::Recovering { after: 40, status: "503 Service Unavailable" });
    let found = timeless(settings(tree.path()).with_crew(crew(80)).with_reviewer(service.address));
    assert!(found.breakers[0].opened > 1 && found.reviews.returned > 0, "{:?}", found.reviews);
    assert!(found.complete, "{:?}", found.reviews.failures);
    assert_eq!(Reviews::of(&found), Reviews::count(tree.path(), 10));
}

#[test]
fn jumps_of_the_clock_under_calls_give_up_neither_texts_nor_the_service() {
    let tree = tree::flat(40);
    let clock = ManualClock::new();
    let by = Duration::from_mins(5);
    let after = MIN_FRUITLESS_CALLS as usize - 1;
    let service = OwnReviewer::start(Manner::Startled { after, clock: clock.clone(), by });
    let passes = TimePasses::on(clock.clone());
    // With the deadline that surveys have by themselves; nobody but the service is to be caught by the jumps.
    let settings = settings(tree.path()).with_reviewer(service.address).with_task_timeout(Duration::from_hours(1000));
    let found = Surveyor::new(settings).clock(Arc::new(clock)).spectator(Arc::new(passes)).run().unwrap();
    assert!(found.elapsed_ms >= millis(by * MIN_FRUITLESS_CALLS / 2), "two of them may share a jump");
    assert!(found.complete, "{:?}", found.reviews.failures);
    assert_eq!(Reviews::of(&found), Reviews::count(tree.path(), 10));
}

#[test]
fn a_service_that_never_answers_ends_the_reviews_and_not_the_survey() {
    let tree = tree::flat(40);
    let clock = ManualClock::new();
    let limit = Duration::from_millis(20);
    let passes = Arc::new(TimePasses::on(clock.clone()));
    let service = OwnReviewer::start(Manner::Silent { passes: Arc::clone(&passes) });
    let surveyor = Surveyor::new(settings(tree.path()).with_reviewer(service.address).with_review_timeout(limit));
    let found = surveyor.clock(Arc::new(clock)).spectator(passes).run().unwrap();
    assert_eq!((found.files, found.skipped_count, found.complete), (40, 0, false));
    assert_eq!((found.reviews.done, found.reviews.failed), (0, 40));
    // It was given more time for every answer that did not come.
    assert!(found.reviews.failures.iter().any(|failure| failure.reason.contains("given up: no answer within 2s")));
    assert!(found.elapsed_ms >= millis(GONE_AFTER) && found.elapsed_ms < 6 * millis(GONE_AFTER));
    assert!(found.breakers[0].opened > 0);
}

#[test]
fn an_answer_that_is_no_review_of_the_text_is_none() {
    let tree = tree::flat(12);
    for (status, body, reason) in [
        ("200 OK", "fine", "no review"),
        ("200 OK", r#"{"bytes":1,"lines":1,"long":0,"deep":0,"marked":0,"trailing":0}"#, "1 bytes instead of"),
        ("413 Payload Too Large", "", "413"),
        ("500 Internal Server Error", "", "500"),
    ] {
        let service = OwnReviewer::start(Manner::Answering { status, body });
        let found = timeless(settings(tree.path()).with_reviewer(service.address));
        assert_eq!((found.files, found.complete, found.reviews.done), (12, false, 0), "{status}");
        assert_eq!(found.reviews.failed, 12, "{status}");
        let reasons: Vec<_> = found.reviews.failures.iter().map(|failure| failure.reason.as_str()).collect();
        assert!(reasons.iter().any(|told| told.contains(reason)), "{reason}: {reasons:?}");
        // What is our own mistake says nothing about the service, and is not repeated.
        let is_ours = status.starts_with('4');
        assert_eq!((found.breakers[0].opened == 0, found.reviews.retried == 0), (is_ours, is_ours), "{status}");
    }
}

#[test]
fn nobody_at_the_address_of_the_service_is_an_error_at_once() {
    let tree = tree::flat(4);
    let address = OwnReviewer::start(Manner::Diligent).address;
    // The service that was there has gone, and with it whoever waited at the door.
    while std::net::TcpStream::connect(address).is_ok() {}
    let error = Surveyor::new(settings(tree.path()).with_reviewer(address)).run().unwrap_err();
    assert!(matches!(error, SurveyError::Reviewer { .. }), "{error}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn only_this_machine_is_asked() {
    let tree = tree::flat(4);
    let elsewhere = settings(tree.path()).with_reviewer("192.0.2.1:80".parse().unwrap());
    let error = Surveyor::new(elsewhere).run().unwrap_err();
    assert!(error.to_string().contains("not on this machine"), "{error}");
}

#[test]
fn a_survey_can_be_run_on_a_thread_that_belongs_to_a_runtime() {
    let tree = tree::flat(4);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let found = runtime.block_on(async { survey(settings(tree.path())) });
    assert_eq!((found.reviews.done, found.complete), (4, true));
}
