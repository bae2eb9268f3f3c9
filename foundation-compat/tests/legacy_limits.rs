//! Rate limits by their old names: what the original does, and where it is better not to.

use std::cell::Cell;
use std::convert::Infallible;
use std::error::Error as _;
use std::fmt;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use foundation_compat::foundation_resources::rate_limit::{Decision, MAX_WINDOW, Quota};
use foundation_compat::foundation_types::error::{Domain, RetryStrategy, Severity};
use foundation_compat::foundation_types::testing::RecordingObserver;
use foundation_compat::foundation_types::{Clock, ManualClock, Timestamp};
use foundation_compat::infrastructure::rate_limiter::{
    BUCKET_RESET_EVENT, REQUEST_ALLOWED_EVENT, REQUEST_DENIED_EVENT, RateLimiter, RateState,
};
use foundation_compat::{Error, Foundation, Metadata, Value};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

struct Bench {
    clock: ManualClock,
    observer: Arc<RecordingObserver>,
    limiter: RateLimiter,
    foundation: Foundation,
}

impl Bench {
    fn new() -> Self {
        let (clock, observer) = (ManualClock::new(), Arc::new(RecordingObserver::new()));
        let builder = Foundation::builder().clock(Arc::new(clock.clone())).observer(observer.clone());
        let foundation = builder.build().expect("in range");
        Self { clock, observer, limiter: RateLimiter::from(&foundation), foundation }
    }

    fn check(&self, entity: &str, limit: u32, window: Duration) -> bool {
        self.limiter.check_rate_4(entity, "op", limit, window).is_ok()
    }
}

fn facts(error: &Error) -> (u32, &str, Severity, RetryStrategy) {
    assert_eq!(error.domain(), &Domain::Limiter);
    (error.code(), error.kind().as_str(), error.severity(), error.retry_strategy())
}

#[test]
fn windows_begin_at_multiples_of_their_length_and_a_boundary_counts_apart() {
    let bench = Bench::new();
    // The clock stands at a whole second, 40 s into a minute.
    assert_eq!(bench.clock.wall().as_micros() % 60_000_000, 40_000_000);
    assert!(bench.check("a", 1, MINUTE));
    assert!(!bench.check("a", 1, MINUTE));
    bench.clock.advance(Duration::from_millis(19_999));
    assert!(!bench.check("a", 1, MINUTE), "the last millisecond of the window");
    bench.clock.advance(Duration::from_millis(1));
    assert!(bench.check("a", 1, MINUTE), "the first one of the next");
}

#[test]
fn the_limit_is_that_of_the_call_and_denials_count_nothing() {
    let bench = Bench::new();
    for _ in 0..2 {
        assert!(bench.check("a", 2, SECOND));
    }
    for _ in 0..20 {
        assert!(!bench.check("a", 2, SECOND));
    }
    assert!(bench.check("a", 3, SECOND), "raised: the difference");
    assert!(!bench.check("a", 3, SECOND));
    assert!(!bench.check("a", 1, SECOND), "lowered: denied at once");
    assert!(!bench.check("b", 0, SECOND), "zero denies everything");
}

#[test]
fn a_window_of_no_length_is_refused_and_so_is_one_without_end() {
    let bench = Bench::new();
    for window in [Duration::ZERO, MAX_WINDOW + Duration::from_nanos(1), Duration::MAX] {
        let refused = bench.limiter.check_rate_4("a", "op", 1, window).expect_err("no window");
        assert_eq!(facts(&refused), (6009, "validation_failed", Severity::Medium, RetryStrategy::NoRetry));
    }
    assert!(bench.check("a", 1, MAX_WINDOW));
    assert!(bench.observer.events_named(REQUEST_DENIED_EVENT).is_empty());
    let ran = Cell::new(false);
    let run = || {
        ran.set(true);
        Ok::<_, Infallible>(())
    };
    bench.limiter.execute_with_limit_5("a", "op", 1, Duration::ZERO, run).expect_err("no window");
    assert!(!ran.get());
}

#[test]
fn any_text_is_a_key_and_equal_texts_are_one_key_whatever_they_were() {
    let bench = Bench::new();
    let long = "x".repeat(40_000);
    for entity in ["", "a b", "a:b", "a/b", "ä\u{1F600}", "\n", long.as_str()] {
        assert!(bench.check(entity, 1, SECOND), "{entity:.10}");
        assert!(!bench.check(entity, 1, SECOND), "{entity:.10}");
    }
    bench.limiter.check_rate_4(123, "op", 1, SECOND).expect("first");
    assert!(!bench.check("123", 1, SECOND), "the number and the text");
    bench.limiter.check_rate_4("a:b", "c", 1, SECOND).expect("first");
    bench.limiter.check_rate_4("a", "b:c", 1, SECOND).expect("another pair");
}

#[test]
fn windows_of_different_length_and_other_pairs_share_nothing() {
    let bench = Bench::new();
    assert!(bench.check("a", 1, SECOND));
    assert!(bench.check("a", 1, MINUTE));
    assert!(!bench.check("a", 1, SECOND) && !bench.check("a", 1, MINUTE));
    bench.limiter.check_rate_4("a", "other", 1, SECOND).expect("another operation");
    assert!(bench.check("b", 1, SECOND));
}

#[test]
fn threads_are_let_through_exactly_as_often_as_the_limit_says() {
    let bench = Bench::new();
    let allowed: usize = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| (0..100).filter(|_| bench.check("a", 150, MINUTE)).count())).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert_eq!(allowed, 150);
}

#[test]
fn setting_the_wall_clock_reopens_no_window() {
    let bench = Bench::new();
    assert!(bench.check("a", 1, MINUTE));
    for wall in [Timestamp::UNIX_EPOCH, Timestamp::MAX] {
        bench.clock.set_wall(wall);
        assert!(!bench.check("a", 1, MINUTE));
    }
}

#[test]
fn a_window_longer_than_two_hours_is_remembered_to_its_end() {
    let bench = Bench::new();
    let week = Duration::from_hours(24 * 7);
    assert!(bench.check("a", 1, week));
    bench.clock.advance(Duration::from_hours(3));
    for entity in 0..5_000 {
        assert!(bench.check(&entity.to_string(), 1, SECOND));
    }
    bench.foundation.rate_limiter().sweep();
    assert!(!bench.check("a", 1, week));
}

#[test]
fn an_excess_is_6001_with_its_context_and_advice() {
    let bench = Bench::new();
    assert!(bench.check("a", 1, MINUTE));
    let denied = bench.limiter.check_rate_4("a", "op", 1, MINUTE).expect_err("one a minute");
    assert_eq!(facts(&denied), (6001, "rate_limit_exceeded", Severity::Medium, RetryStrategy::FixedDelay));
    let context =
        Metadata::new().with("entity_id", "a").with("operation", "op").with("limit", 1).with("time_window_ms", 60_000);
    assert_eq!(denied.context(), &context);
    assert_eq!(denied.retry_delay(0).duration(), Some(Duration::from_secs(20)), "the next minute begins");
    bench.clock.advance(Duration::from_secs(20));
    assert!(bench.check("a", 1, MINUTE));
}

#[test]
fn the_status_tells_the_truth_and_counts_nothing() {
    let bench = Bench::new();
    let unknown = bench.limiter.get_status("a", "op").expect("has a text");
    assert_eq!((unknown.status, unknown.current_count, unknown.limit), (RateState::Available, 0, 100));
    assert_eq!((unknown.window, unknown.remaining, unknown.reset_after), (MINUTE, 100, Duration::ZERO));

    for _ in 0..3 {
        bench.check("a", 2, MINUTE);
    }
    for _ in 0..2 {
        let status = bench.limiter.get_status("a", "op").expect("has a text");
        assert_eq!((status.status, status.current_count, status.limit), (RateState::RateLimited, 2, 2));
        assert_eq!((status.window, status.remaining, status.reset_after), (MINUTE, 0, Duration::from_secs(20)));
        assert_eq!((status.entity_id.as_str(), status.operation.as_str()), ("a", "op"));
    }
    bench.clock.advance(MINUTE);
    let status = bench.limiter.get_status("a", "op").expect("has a text");
    assert_eq!((status.status, status.current_count, status.limit), (RateState::Available, 0, 2));
}

#[test]
fn a_reset_empties_every_window_of_the_pair() {
    let bench = Bench::new();
    for window in [SECOND, MINUTE] {
        assert!(bench.check("a", 1, window) && bench.check("b", 1, window));
    }
    bench.limiter.reset("a", "op").expect("has a text");
    bench.limiter.reset("nobody", "op").expect("also of an unknown pair");
    for window in [SECOND, MINUTE] {
        assert!(bench.check("a", 1, window));
        assert!(!bench.check("b", 1, window), "the others keep theirs");
    }
    let pair = |entity| Metadata::new().with("entity_id", entity).with("operation", "op");
    let resets: Vec<_> =
        bench.observer.events_named(BUCKET_RESET_EVENT).into_iter().map(|event| event.metadata).collect();
    assert_eq!(resets, [pair("a"), pair("nobody")]);
}

#[test]
fn a_failing_operation_is_6008_and_its_request_is_spent() {
    let bench = Bench::new();
    let run = |text: &'static str| bench.limiter.execute_with_limit_5("a", "op", 2, MINUTE, || text.parse::<u32>());
    assert_eq!(run("7"), Ok(7));
    let failed = run("x").expect_err("no number");
    assert_eq!(facts(&failed), (6008, "rate_limited_operation_failed", Severity::Medium, RetryStrategy::NoRetry));
    assert!(failed.source().is_some_and(<dyn std::error::Error>::is::<std::num::ParseIntError>));
    assert_eq!(run("7").expect_err("two are spent").code(), 6001);
}

#[test]
fn a_panicking_operation_goes_through_and_leaves_the_limiter_usable() {
    let bench = Bench::new();
    let run = AssertUnwindSafe(|| {
        bench.limiter.execute_with_limit_5("a", "op", 2, MINUTE, || -> Result<(), Infallible> { panic!("bang") })
    });
    assert!(catch_unwind(run).is_err());
    assert!(bench.check("a", 2, MINUTE), "one was spent");
    assert!(!bench.check("a", 2, MINUTE));
}

#[test]
fn what_has_no_text_form_is_refused() {
    struct Mute;
    impl fmt::Display for Mute {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    let bench = Bench::new();
    for refused in [
        bench.limiter.check_rate_4(Mute, "op", 1, SECOND),
        bench.limiter.check_rate_4("a", Mute, 1, SECOND),
        bench.limiter.get_status(Mute, "op").map(drop),
        bench.limiter.reset(Mute, "op"),
    ] {
        assert_eq!(facts(&refused.expect_err("no text")).0, 6009);
    }
    assert!(bench.foundation.rate_limiter().is_empty());
}

#[test]
fn events_have_the_names_and_keys_of_the_original() {
    let bench = Bench::new();
    let callers = || Metadata::new().with("request", 9).with("entity_id", "mine");
    bench.limiter.check_rate("a", "op", 1, MINUTE, callers()).expect("first");
    bench.limiter.check_rate("a", "op", 1, MINUTE, callers()).expect_err("second");
    let base = callers().with("entity_id", "a").with("operation", "op").with("limit", 1).with("time_window_ms", 60_000);
    let allowed = bench.observer.events_named("foundation.foundation.infra.rate_limiter.request_allowed");
    let denied = bench.observer.events_named("foundation.foundation.infra.rate_limiter.request_denied");
    assert_eq!((allowed.len(), denied.len()), (1, 1));
    assert_eq!(allowed[0].metadata, base.clone().with("count", 1));
    assert_eq!(denied[0].metadata, base);
    for event in [&allowed[0], &denied[0]] {
        assert_eq!(event.measurements.iter().collect::<Vec<_>>(), [(&"counter".into(), &Value::Int(1))]);
    }
    assert_eq!(allowed[0].name, REQUEST_ALLOWED_EVENT);
    assert_eq!(denied[0].name, REQUEST_DENIED_EVENT);
}

#[test]
fn the_counting_process_counts_keys_of_its_own() {
    let bench = Bench::new();
    let (quota, two) = (Quota::new(3, MINUTE).expect("valid"), NonZeroU32::new(2).expect("not zero"));
    let count = |increment| match bench.limiter.backend_hit("a", quota, increment) {
        Decision::Allowed(admission) => Ok(admission.count),
        Decision::Denied(denial) => Err(denial.count),
    };
    assert_eq!(count(two), Ok(2));
    assert_eq!(count(two), Err(2), "all or nothing");
    assert_eq!(count(NonZeroU32::MIN), Ok(3));
    bench.limiter.check_rate_4("a", "", 1, MINUTE).expect("shares no count with pairs");
}
