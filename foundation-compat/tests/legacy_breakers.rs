//! Circuit breakers by their old names: what the original does, and where it is better not to.

use std::convert::Infallible;
use std::error::Error as _;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use foundation_compat::foundation_types::ManualClock;
use foundation_compat::foundation_types::error::{Domain, RetryStrategy, Severity};
use foundation_compat::foundation_types::testing::RecordingObserver;
use foundation_compat::infrastructure::circuit_breaker::{
    CALL_EXECUTED_EVENT, CALL_REJECTED_EVENT, CircuitBreakers, FUSE_INSTALL_EXCEPTION_EVENT, FUSE_INSTALL_FAILED_EVENT,
    FUSE_INSTALLED_EVENT, FuseOptions, FuseRun, FuseStatus, FuseStrategy, STATE_CHANGE_EVENT,
};
use foundation_compat::infrastructure::{BreakerConfig, Infrastructure};
use foundation_compat::{Error, Foundation, Metadata, Value};

const MINUTE: Duration = Duration::from_mins(1);
const NANO: Duration = Duration::from_nanos(1);
const NEARLY_A_MINUTE: Duration = Duration::from_nanos(59_999_999_999);

struct Bench {
    clock: ManualClock,
    observer: Arc<RecordingObserver>,
    breakers: CircuitBreakers,
    infrastructure: Infrastructure,
    foundation: Foundation,
}

impl Bench {
    fn new() -> Self {
        Self::limited(NonZeroUsize::new(100).expect("not zero"))
    }

    fn limited(limit: NonZeroUsize) -> Self {
        let (clock, observer) = (ManualClock::new(), Arc::new(RecordingObserver::new()));
        let builder = Foundation::builder().clock(Arc::new(clock.clone())).observer(observer.clone());
        let foundation = builder.breaker_limit(limit).build().expect("in range");
        let (breakers, infrastructure) = (CircuitBreakers::from(&foundation), Infrastructure::from(&foundation));
        Self { clock, observer, breakers, infrastructure, foundation }
    }

    fn install(&self, name: &str, tolerance: u32, refresh: Duration) {
        let options = FuseOptions { tolerance, refresh, ..FuseOptions::default() };
        self.breakers.start_fuse_instance(name, options).expect("in range");
    }

    fn fail(&self, name: &str) -> Error {
        self.breakers.execute_2(name, || "x".parse::<u32>()).expect_err("no number")
    }

    fn status(&self, name: &str) -> FuseStatus {
        self.breakers.get_status(name).expect("installed")
    }

    /// The legacy events so far: their last words, and their metadata.
    fn events(&self) -> Vec<(String, Metadata)> {
        let legacy = |name: &str| name.starts_with("foundation.foundation.infra.circuit_breaker.");
        let events = self.observer.take().into_iter().filter(|event| legacy(event.name.as_str()));
        events
            .map(|event| {
                assert_eq!(event.measurements.get("counter"), Some(&Value::Int(1)));
                assert_eq!(event.measurements.len(), 1);
                (event.name.segments().last().unwrap_or_default().to_owned(), event.metadata)
            })
            .collect()
    }
}

fn ok(breakers: &CircuitBreakers, name: &str) -> Result<u32, Error> {
    breakers.execute_2(name, || Ok::<_, Infallible>(7))
}

fn facts(error: &Error) -> (u32, &str, Severity, RetryStrategy) {
    assert_eq!(error.domain(), &Domain::Breaker);
    (error.code(), error.kind().as_str(), error.severity(), error.retry_strategy())
}

fn has(metadata: &Metadata, key: &str, value: impl Into<Value>) -> bool {
    metadata.get(key) == Some(&value.into())
}

#[test]
fn the_failure_after_the_tolerated_ones_opens_and_the_refresh_time_closes() {
    let bench = Bench::new();
    bench.install("db", 2, MINUTE);
    for _ in 0..2 {
        bench.fail("db");
        assert_eq!(bench.status("db"), FuseStatus::Ok);
    }
    bench.fail("db");
    assert_eq!(bench.status("db"), FuseStatus::Blown);
    bench.clock.advance(NEARLY_A_MINUTE);
    assert_eq!(ok(&bench.breakers, "db").expect_err("open").code(), 5004);
    bench.clock.advance(NANO);
    assert_eq!(ok(&bench.breakers, "db"), Ok(7));
    for _ in 0..2 {
        bench.fail("db");
    }
    assert_eq!(bench.status("db"), FuseStatus::Ok, "closed with nothing remembered");
}

#[test]
fn a_failure_exactly_as_old_as_the_window_counts_no_more_and_successes_never_do() {
    let bench = Bench::new();
    bench.install("db", 1, MINUTE);
    bench.fail("db");
    for _ in 0..10 {
        ok(&bench.breakers, "db").expect("closed");
    }
    bench.clock.advance(MINUTE);
    bench.fail("db");
    assert_eq!(bench.status("db"), FuseStatus::Ok);
    bench.clock.advance(NEARLY_A_MINUTE);
    ok(&bench.breakers, "db").expect("closed");
    bench.fail("db");
    assert_eq!(bench.status("db"), FuseStatus::Blown);
}

#[test]
fn no_tolerance_opens_at_once_and_no_window_never() {
    let bench = Bench::new();
    bench.install("strict", 0, MINUTE);
    bench.fail("strict");
    assert_eq!(bench.status("strict"), FuseStatus::Blown);
    bench.install("never", 0, Duration::ZERO);
    for _ in 0..50 {
        bench.fail("never");
    }
    assert_eq!(bench.status("never"), FuseStatus::Ok);
}

#[test]
fn every_option_that_is_given_counts_and_the_defaults_are_five_and_a_minute() {
    let bench = Bench::new();
    bench.breakers.start_fuse_instance_1("defaults").expect("in range");
    for _ in 0..5 {
        bench.fail("defaults");
    }
    assert_eq!(bench.status("defaults"), FuseStatus::Ok);
    bench.fail("defaults");
    let open = ok(&bench.breakers, "defaults").expect_err("the sixth opens");
    assert_eq!(open.retry_delay(0).duration(), Some(MINUTE), "advice is when it closes");
    let options = FuseOptions { tolerance: 1, ..FuseOptions::default() };
    bench.breakers.start_fuse_instance("one", options).expect("in range");
    bench.fail("one");
    bench.fail("one");
    assert_eq!(bench.status("one"), FuseStatus::Blown);
}

#[test]
fn installing_again_closes_replaces_the_options_and_keeps_the_counters() {
    let bench = Bench::new();
    bench.install("db", 0, MINUTE);
    bench.fail("db");
    bench.install("db", 1, MINUTE);
    assert_eq!(bench.status("db"), FuseStatus::Ok);
    bench.fail("db");
    assert_eq!(bench.status("db"), FuseStatus::Ok, "the new tolerance");
    let totals = bench.foundation.breakers().get("db").expect("installed").snapshot().totals;
    assert_eq!((totals.admitted, totals.failed), (2, 2));
    bench.breakers.remove("db").expect("installed");
    bench.install("db", 1, MINUTE);
    assert_eq!(bench.foundation.breakers().get("db").expect("installed").snapshot().totals.admitted, 0);
}

#[test]
fn a_returned_error_value_is_a_success() {
    let bench = Bench::new();
    bench.install("db", 0, MINUTE);
    let value = bench.breakers.execute_2("db", || Ok::<_, Infallible>(Err::<u32, _>("inside")));
    assert_eq!(value, Ok(Err("inside")));
    assert_eq!(bench.status("db"), FuseStatus::Ok);
}

#[test]
fn an_error_is_5003_with_its_source_and_a_panic_is_5012() {
    let bench = Bench::new();
    bench.install("db", 5, MINUTE);
    let failed = bench.fail("db");
    assert_eq!(facts(&failed), (5003, "protected_operation_failed", Severity::Medium, RetryStrategy::NoRetry));
    assert_eq!(
        failed.context(),
        &Metadata::new().with("fuse_name", "db").with("exception", "invalid digit found in string")
    );
    assert!(failed.source().is_some_and(<dyn std::error::Error>::is::<std::num::ParseIntError>));

    let panicked = bench.breakers.execute_2("db", || -> Result<(), Infallible> { panic!("went {}", "bang") });
    let panicked = panicked.expect_err("contained");
    assert_eq!(facts(&panicked).0, 5012);
    let context = Metadata::new().with("fuse_name", "db").with("kind", "panic").with("value", "went bang");
    assert_eq!(panicked.context(), &context);
    let totals = bench.foundation.breakers().get("db").expect("installed").snapshot().totals;
    assert_eq!((totals.failed, totals.succeeded), (2, 0));
    assert_eq!(ok(&bench.breakers, "db"), Ok(7), "a panic leaves the breaker usable");
}

#[test]
fn each_error_has_its_code_severity_advice_and_context() {
    let bench = Bench::new();
    let breakers = &bench.breakers;
    let none = RetryStrategy::NoRetry;
    let unknown = ok(breakers, "nobody").expect_err("unknown");
    assert_eq!(facts(&unknown), (5005, "circuit_breaker_not_found", Severity::High, none));
    assert_eq!(unknown.context(), &Metadata::new().with("fuse_name", "nobody"));
    let status = breakers.get_status("nobody").expect_err("unknown");
    assert_eq!(facts(&status), (5007, "circuit_breaker_not_found", Severity::Medium, none));
    let reset = breakers.reset("nobody").expect_err("unknown");
    assert_eq!(facts(&reset), (5013, "circuit_breaker_not_found", Severity::Medium, none));

    bench.install("db", 0, MINUTE);
    bench.fail("db");
    let blown = ok(breakers, "db").expect_err("open");
    assert_eq!(facts(&blown), (5004, "circuit_breaker_blown", Severity::Medium, RetryStrategy::FixedDelay));
    assert_eq!(blown.context(), &Metadata::new().with("fuse_name", "db"));
}

#[test]
fn a_name_that_is_none_is_invalid_input() {
    let bench = Bench::new();
    for name in ["", "a\nb", &"x".repeat(256)] {
        let executed = ok(&bench.breakers, name).expect_err("no name");
        assert_eq!(facts(&executed), (5009, "invalid_input", Severity::Medium, RetryStrategy::NoRetry));
        assert_eq!(executed.context(), &Metadata::new().with("name", name).with("operation_type", "function"));
        for refused in [bench.breakers.get_status(name).map(drop), bench.breakers.reset(name)] {
            let refused = refused.expect_err("no name");
            assert_eq!((refused.code(), refused.context()), (5011, &Metadata::new().with("name", name)));
        }
        let installed = bench.breakers.start_fuse_instance_1(name).expect_err("no name");
        assert_eq!(facts(&installed).0, 5002);
        let initialized = bench.infrastructure.initialize_circuit_breaker_1(name).expect_err("no name");
        assert_eq!(facts(&initialized), (5015, "invalid_name", Severity::Medium, RetryStrategy::NoRetry));
        bench.breakers.melt(name);
    }
    let executed = bench.observer.events_named(CALL_REJECTED_EVENT);
    assert!(executed.is_empty(), "a call that fails the input check has no event");
    assert!(bench.foundation.breakers().is_empty());
}

#[test]
fn options_out_of_range_are_5002_and_a_full_set_is_5001() {
    let bench = Bench::limited(NonZeroUsize::MIN);
    let absurd = [
        FuseOptions { tolerance: u32::MAX, ..FuseOptions::default() },
        FuseOptions { strategy: FuseStrategy::FaultInjection { rate: 0.0 }, ..FuseOptions::default() },
        FuseOptions { strategy: FuseStrategy::FaultInjection { rate: f64::NAN }, ..FuseOptions::default() },
        FuseOptions { strategy: FuseStrategy::FaultInjection { rate: 0.5 }, tolerance: 0, ..FuseOptions::default() },
    ];
    for options in absurd {
        let refused = bench.breakers.start_fuse_instance("db", options).expect_err("out of range");
        assert_eq!(facts(&refused).0, 5002);
        assert_eq!(refused.severity(), Severity::Critical);
    }
    bench.install("db", 5, Duration::MAX);
    let full = bench.breakers.start_fuse_instance_1("more").expect_err("one at most");
    assert_eq!(facts(&full), (5001, "circuit_breaker_install_failed", Severity::High, RetryStrategy::NoRetry));
    let full = bench.infrastructure.initialize_circuit_breaker_1("more").expect_err("one at most");
    assert_eq!(facts(&full), (5019, "circuit_breaker_init_failed", Severity::Medium, RetryStrategy::NoRetry));
    assert!(full.context().contains_key("fuse_reason"));
    assert_eq!(bench.observer.events_named(FUSE_INSTALL_EXCEPTION_EVENT).len(), 4);
    assert_eq!(bench.observer.events_named(FUSE_INSTALL_FAILED_EVENT).len(), 1);
    bench.install("db", 1, MINUTE);
}

#[test]
fn fault_injection_is_honoured_and_changes_no_status() {
    let bench = Bench::new();
    let strategy = FuseStrategy::FaultInjection { rate: 1.0 };
    bench.breakers.start_fuse_instance("db", FuseOptions { strategy, ..FuseOptions::default() }).expect("in range");
    assert_eq!(ok(&bench.breakers, "db").expect_err("injected").code(), 5004);
    assert_eq!(bench.status("db"), FuseStatus::Ok);
}

#[test]
fn the_functions_of_the_library_below_are_there() {
    let bench = Bench::new();
    bench.install("db", 1, MINUTE);
    let breakers = &bench.breakers;
    breakers.melt("db");
    breakers.melt("nobody");
    assert_eq!(bench.status("db"), FuseStatus::Ok);
    assert_eq!(breakers.run("db", || FuseRun::Melt(1)), Ok(1), "the value comes back either way");
    assert_eq!(bench.status("db"), FuseStatus::Blown);
    assert_eq!(breakers.run("db", || FuseRun::Ok(2)).expect_err("open").code(), 5004);
    assert_eq!(breakers.run("nobody", || FuseRun::Ok(2)).expect_err("unknown").code(), 5005);

    breakers.circuit_disable("db").expect("installed");
    breakers.circuit_disable("db").expect("again");
    bench.clock.advance(MINUTE * 10);
    breakers.reset("db").expect("the answer is ok");
    bench.install("db", 5, MINUTE);
    assert_eq!(bench.status("db"), FuseStatus::Blown, "neither time, reset nor install enable it");
    breakers.circuit_enable("db").expect("installed");
    assert_eq!(breakers.run("db", || FuseRun::Ok(3)), Ok(3));
    assert_eq!(breakers.run("db", || -> FuseRun<()> { panic!("bang") }).expect_err("contained").code(), 5012);

    breakers.circuit_disable("db").expect("installed");
    breakers.remove("db").expect("installed");
    assert_eq!(breakers.remove("db").expect_err("gone").code(), 5013);
    assert_eq!(breakers.circuit_disable("db").expect_err("gone").code(), 5013);
    assert_eq!(breakers.circuit_enable("db").expect_err("gone").code(), 5013);
    bench.install("db", 5, MINUTE);
    assert_eq!(bench.status("db"), FuseStatus::Ok, "a removal forgets that it was disabled");
}

#[test]
fn events_have_the_names_and_keys_of_the_original() {
    let bench = Bench::new();
    bench.install("db", 1, MINUTE);
    let options = Metadata::new().with("strategy", "standard").with("tolerance", 1).with("refresh", 60_000);
    let installed = Metadata::new().with("name", "db").with("options", options);
    assert_eq!(bench.events(), [("fuse_installed".to_owned(), installed)]);
    assert_eq!(FUSE_INSTALLED_EVENT.as_str(), "foundation.foundation.infra.circuit_breaker.fuse_installed");

    let callers = || Metadata::new().with("request", 9).with("name", "mine").with("status", "mine");
    let clock = bench.clock.clone();
    let slow = || {
        clock.advance(Duration::from_micros(1_500));
        Ok::<_, Infallible>(())
    };
    bench.breakers.execute("db", slow, callers()).expect("closed");
    bench.breakers.execute("db", || "x".parse::<u32>(), callers()).expect_err("no number");
    bench.breakers.execute("db", || -> Result<(), Infallible> { panic!("bang") }, callers()).expect_err("contained");
    bench.breakers.execute("db", || Ok::<_, Infallible>(()), callers()).expect_err("open");
    bench.breakers.execute("nobody", || Ok::<_, Infallible>(()), callers()).expect_err("unknown");
    let events = bench.events();
    let words: Vec<_> = events.iter().map(|(word, _)| word.as_str()).collect();
    assert_eq!(words, ["call_executed", "call_executed", "call_executed", "call_rejected", "call_rejected"]);
    let base = |duration: i64, status| {
        Metadata::new().with("request", 9).with("name", "db").with("duration", duration).with("status", status)
    };
    assert_eq!(events[0].1, base(1_500, "success"));
    assert_eq!(events[1].1, base(0, "failed").with("exception", "invalid digit found in string"));
    assert_eq!(events[2].1, base(0, "failed").with("kind", "panic").with("value", "bang"));
    assert_eq!(events[3].1, callers().with("name", "db").with("reason", "circuit_blown"));
    assert_eq!(events[4].1, callers().with("name", "nobody").with("reason", "not_found"));

    bench.breakers.reset("db").expect("installed");
    bench.breakers.reset("db").expect("also when it is closed");
    let reset = ("state_change".to_owned(), Metadata::new().with("name", "db").with("new_state", "reset"));
    assert_eq!(bench.events(), [reset.clone(), reset]);
    assert!(STATE_CHANGE_EVENT.as_str().ends_with("state_change"));
}

#[test]
fn an_opening_has_an_event_of_the_core() {
    let bench = Bench::new();
    bench.install("db", 0, MINUTE);
    bench.fail("db");
    let opened = bench.observer.events_named("foundation.breaker.opened");
    assert_eq!(opened.len(), 1);
    assert!(has(&opened[0].metadata, "name", "db"));
}

#[test]
fn an_observer_that_panics_changes_no_result() {
    let bench = Bench::new();
    bench.install("db", 1, MINUTE);
    bench.observer.start_panicking();
    assert_eq!(ok(&bench.breakers, "db"), Ok(7));
    let totals = bench.foundation.breakers().get("db").expect("installed").snapshot().totals;
    assert_eq!((totals.succeeded, totals.failed), (1, 0));
}

#[test]
fn an_operation_that_takes_time_is_admitted_at_the_first_poll() {
    let bench = Bench::new();
    bench.install("db", 0, MINUTE);
    let calls = AtomicUsize::new(0);
    let call = |result: Result<u32, std::fmt::Error>| {
        let calls = &calls;
        bench.breakers.execute_async(
            "db",
            move || async move {
                calls.fetch_add(1, Ordering::Relaxed);
                result
            },
            Metadata::new(),
        )
    };
    let mut context = Context::from_waker(Waker::noop());
    let early = call(Ok(1));
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    assert_eq!(pin!(early).poll(&mut context), Poll::Ready(Ok(1)));
    let Poll::Ready(Err(failed)) = pin!(call(Err(std::fmt::Error))).poll(&mut context) else { panic!("failed") };
    assert_eq!(failed.code(), 5003);
    let Poll::Ready(Err(refused)) = pin!(call(Ok(1))).poll(&mut context) else { panic!("open") };
    assert_eq!((refused.code(), calls.load(Ordering::Relaxed)), (5004, 2), "a refused call never runs");

    bench.breakers.reset("db").expect("installed");
    let bang = bench.breakers.execute_async(
        "db",
        || async { if calls.load(Ordering::Relaxed) > 0 { panic!("bang") } else { Ok::<(), Infallible>(()) } },
        Metadata::new(),
    );
    let Poll::Ready(Err(panicked)) = pin!(bang).poll(&mut context) else { panic!("contained") };
    assert_eq!((panicked.code(), bench.status("db")), (5012, FuseStatus::Blown));

    bench.breakers.reset("db").expect("installed");
    let bang = bench.breakers.execute_async(
        "db",
        || -> std::future::Ready<Result<(), Infallible>> { panic!("before there is a future") },
        Metadata::new(),
    );
    let Poll::Ready(Err(panicked)) = pin!(bang).poll(&mut context) else { panic!("contained") };
    assert_eq!((panicked.code(), bench.status("db")), (5012, FuseStatus::Blown));
    assert_eq!(bench.observer.events_named(CALL_EXECUTED_EVENT).len(), 4);
}

#[test]
fn futures_of_calls_can_be_sent() {
    fn sendable(future: impl Future + Send) {
        drop(future);
    }
    let bench = Bench::new();
    sendable(bench.breakers.execute_async("db", || async { Ok::<_, Infallible>(1) }, Metadata::new()));
}

#[test]
fn initialization_checks_in_order_and_takes_no_name_twice() {
    let bench = Bench::new();
    let infrastructure = &bench.infrastructure;
    let config = |failure_threshold, recovery_time| BreakerConfig { failure_threshold, recovery_time };
    let code = |result: Result<(), Error>| result.expect_err("refused").code();
    assert_eq!(code(infrastructure.initialize_circuit_breaker("", config(0, Duration::ZERO))), 5015);
    let both = infrastructure.initialize_circuit_breaker("db", config(0, Duration::ZERO)).expect_err("refused");
    assert_eq!((both.code(), both.context().contains_key("failure_threshold")), (5016, true));
    assert_eq!(code(infrastructure.initialize_circuit_breaker("db", config(1, Duration::ZERO))), 5016);
    assert_eq!(code(infrastructure.initialize_circuit_breaker("db", config(1_000_001, MINUTE))), 5016);

    infrastructure.initialize_circuit_breaker("db", config(1, MINUTE)).expect("new");
    let taken = infrastructure.initialize_circuit_breaker_1("db").expect_err("taken");
    assert_eq!((taken.code(), taken.context().contains_key("status")), (5017, false));
    bench.fail("db");
    assert_eq!(bench.status("db"), FuseStatus::Ok, "the threshold is tolerated");
    bench.fail("db");
    let taken = infrastructure.initialize_circuit_breaker_1("db").expect_err("taken");
    assert!(has(taken.context(), "status", "blown"));
    assert_eq!(bench.status("db"), FuseStatus::Blown, "and stays as it is");

    infrastructure.initialize_circuit_breaker_1("defaults").expect("new");
    for _ in 0..6 {
        bench.fail("defaults");
    }
    let open = ok(&bench.breakers, "defaults").expect_err("the sixth opens");
    assert_eq!(open.retry_delay(0).duration(), Some(Duration::from_secs(30)));
}

#[test]
fn of_several_initializations_at_once_exactly_one_succeeds() {
    let bench = Bench::new();
    for round in 0..50 {
        let name = format!("db-{round}");
        let won: usize = thread::scope(|scope| {
            let racers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| bench.infrastructure.initialize_circuit_breaker_1(&name).is_ok()))
                .collect();
            racers.into_iter().map(|racer| usize::from(racer.join().expect("no panic"))).sum()
        });
        assert_eq!(won, 1, "{name}");
    }
}
