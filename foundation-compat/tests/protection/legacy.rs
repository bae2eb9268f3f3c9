//! The facade by its old names.

use std::cell::Cell;
use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use foundation_compat::foundation_resources::pool::from_fn;
use foundation_compat::infrastructure::connection_manager::{PoolConfig, PoolError};
use foundation_compat::infrastructure::{
    EXECUTE_EXCEPTION_EVENT, EXECUTE_START_EVENT, EXECUTE_STOP_EVENT, ExecuteError, FuseServer, HammerServer,
    INFRASTRUCTURE_INITIALIZED_EVENT, PROTECTION_TRIGGERED_EVENT, ProtectedOptions,
};
use foundation_compat::{Error, Metadata, Value};

use crate::bench::{Bench, MINUTE, all_layers, config};

#[test]
fn the_infrastructure_is_there_until_the_instance_is_shut_down() {
    let bench = Bench::new();
    for _ in 0..2 {
        bench.infrastructure.initialize_all_infra_components().expect("repeatable");
    }
    let status = bench.infrastructure.get_infrastructure_status();
    assert_eq!((status.fuse, status.hammer), (FuseServer::Running, HammerServer::Configured));
    assert_eq!(status.timestamp, 1_000_000_000_000);
    let events = bench.observer.events_named(INFRASTRUCTURE_INITIALIZED_EVENT);
    assert_eq!((events.len(), events[0].metadata.len()), (2, 0));
    assert_eq!(events[0].measurements.get("components"), Some(&Value::from(vec!["fuse", "hammer"])));

    bench.foundation.shutdown();
    let status = bench.infrastructure.get_infrastructure_status();
    assert_eq!((status.fuse, status.hammer), (FuseServer::NotStarted, HammerServer::NotConfigured));
    let failed = bench.infrastructure.initialize_all_infra_components().expect_err("shut down");
    assert_eq!(failed.kind().as_str(), "infrastructure_init_failed");
}

#[test]
fn a_result_is_not_wrapped_by_any_layer() {
    let bench = Bench::new();
    let run = |options: &ProtectedOptions| {
        bench.infrastructure.execute_protected("key", options, || Ok::<_, Infallible>(Ok::<u32, u32>(7)))
    };
    assert_eq!(run(&ProtectedOptions::new()), Ok(Ok(7)));
    assert_eq!(run(&all_layers()), Ok(Ok(7)));
    let with_worker =
        bench
            .infrastructure
            .execute_protected_with_connection("key", &all_layers(), |worker: &mut u32| Ok::<_, Infallible>(*worker));
    assert_eq!(with_worker, Ok(7));
}

#[test]
fn a_failing_operation_opens_the_breaker_and_surfaces_as_one_variant() {
    for options in [ProtectedOptions::new().circuit_breaker("db"), all_layers()] {
        let bench = Bench::with(1, |builder| builder);
        let fail = || bench.infrastructure.execute_protected("key", &options, || Err::<(), _>("no"));
        assert_eq!(fail(), Err(ExecuteError::Operation("no")));
        assert_eq!(fail(), Err(ExecuteError::Operation("no")));
        let Err(ExecuteError::CircuitBreaker(refused)) = fail() else { panic!("the second failure opens") };
        assert_eq!(refused.code(), 5004);
        bench.clock.advance(MINUTE);
        assert_eq!(fail(), Err(ExecuteError::Operation("no")), "closed again");
    }
    let bench = Bench::new();
    let plain = bench.infrastructure.execute_protected("key", &ProtectedOptions::new(), || Err::<(), _>("no"));
    assert_eq!(plain, Err(ExecuteError::Operation("no")));
}

#[test]
fn no_panic_gets_past_and_the_breaker_counts_it() {
    for options in [
        ProtectedOptions::new(),
        ProtectedOptions::new().circuit_breaker("db"),
        ProtectedOptions::new().connection_pool("db"),
        all_layers(),
    ] {
        let bench = Bench::with(0, |builder| builder);
        let bang = || -> Result<(), Infallible> { panic!("bang") };
        let result = bench.infrastructure.execute_protected("key", &options, bang);
        assert_eq!(result, Err(ExecuteError::Exception { message: "bang".into() }));
        let has_breaker =
            options != ProtectedOptions::new() && options != ProtectedOptions::new().connection_pool("db");
        assert_eq!(bench.totals().failed, u64::from(has_breaker));
        let figures = bench.figures();
        assert_eq!((figures.checked_out, figures.waiting), (0, 0));
        bench.breakers.reset("db").expect("installed");
        let again = bench.infrastructure.execute_protected("key", &options, || Ok::<_, Infallible>(1));
        assert_eq!(again, Ok(1), "everything stays usable");
    }
}

#[test]
fn unknown_names_are_refused_by_their_layer() {
    let bench = Bench::new();
    let ran = Cell::new(false);
    let run = |options: ProtectedOptions| {
        bench.infrastructure.execute_protected("key", &options, || {
            ran.set(true);
            Ok::<_, Infallible>(())
        })
    };
    let Err(ExecuteError::CircuitBreaker(unknown)) = run(ProtectedOptions::new().circuit_breaker("nobody")) else {
        panic!("not made on the fly")
    };
    assert_eq!(unknown.code(), 5005);
    let Err(ExecuteError::CircuitBreaker(invalid)) = run(ProtectedOptions::new().circuit_breaker("")) else {
        panic!("no name")
    };
    assert_eq!(invalid.code(), 5009);
    for name in ["nobody", ""] {
        let refused = run(ProtectedOptions::new().connection_pool(name));
        assert_eq!(refused, Err(ExecuteError::Pool(PoolError::NotFound { name: name.into() })));
    }
    assert!(bench.foundation.breakers().get("nobody").is_none());
    assert!(!ran.get());
}

#[test]
fn a_pool_without_a_worker_says_nothing_about_the_dependency() {
    let bench = Bench::with(0, |builder| builder);
    let held = bench.pool().try_checkout().expect("idle");
    let run = || bench.infrastructure.execute_protected("key", &all_layers(), || Ok::<_, Infallible>(()));
    for _ in 0..3 {
        let waited = Duration::ZERO;
        assert_eq!(run(), Err(ExecuteError::Pool(PoolError::CheckoutTimeout { name: "db".into(), waited })));
    }
    let absent = all_layers().connection_pool("nobody");
    let absent = bench.infrastructure.execute_protected("key", &absent, || Ok::<_, Infallible>(()));
    assert!(matches!(absent, Err(ExecuteError::Pool(PoolError::NotFound { .. }))));
    assert_eq!((bench.totals().ignored, bench.totals().failed), (4, 0));
    drop(held);
    assert_eq!(run(), Ok(()));
}

#[test]
fn a_worker_that_cannot_be_made_is_a_failure_of_the_dependency() {
    let bench = Bench::with(0, |builder| builder);
    let broken = PoolConfig::new(from_fn(|| Err::<u32, _>(fmt::Error))).size(0);
    bench.pools.start_pool("broken", &broken).expect("nothing is made at the start");
    let options = all_layers().connection_pool("broken");
    let failed = bench.infrastructure.execute_protected("key", &options, || Ok::<_, Infallible>(()));
    assert!(matches!(failed, Err(ExecuteError::Pool(PoolError::WorkerFailed { .. }))));
    assert_eq!(bench.totals().failed, 1);
    let refused = bench.infrastructure.execute_protected("key", &options, || Ok::<_, Infallible>(()));
    assert!(matches!(refused, Err(ExecuteError::CircuitBreaker(_))));
}

#[test]
fn an_operation_that_takes_a_worker_needs_a_pool_of_such() {
    let bench = Bench::new();
    let take = |options: &ProtectedOptions| {
        bench
            .infrastructure
            .execute_protected_with_connection("key", options, |worker: &mut String| Ok::<_, Infallible>(worker.len()))
    };
    assert!(matches!(take(&all_layers()), Err(ExecuteError::Pool(PoolError::WrongWorker { .. }))));
    let none = ProtectedOptions::new().circuit_breaker("db");
    assert!(matches!(take(&none), Err(ExecuteError::Pool(PoolError::NotFound { .. }))));
    assert_eq!((bench.totals().ignored, bench.totals().failed), (2, 0));
}

#[test]
fn events_have_the_names_and_the_swapped_shapes_of_the_original() {
    let bench = Bench::new();
    let clock = bench.clock.clone();
    let slow = || {
        clock.advance(Duration::from_micros(250));
        Ok::<_, Infallible>(())
    };
    bench.infrastructure.execute_protected("key", &all_layers(), slow).expect("no layer refuses");
    let key = Metadata::new().with("protection_key", "key");
    let starts = bench.observer.events_named(EXECUTE_START_EVENT);
    let options = Metadata::new().with("circuit_breaker", "db").with("connection_pool", "db").with("timeout", 0);
    assert_eq!(starts[0].measurements.iter().collect::<Vec<_>>(), key.iter().collect::<Vec<_>>());
    assert_eq!(starts[0].metadata, Metadata::new().with("options", options), "the identifier is private");
    let stops = bench.observer.events_named(EXECUTE_STOP_EVENT);
    assert_eq!(stops[0].measurements.iter().collect::<Vec<_>>(), key.iter().collect::<Vec<_>>());
    assert_eq!(stops[0].metadata, Metadata::new().with("duration", 250).with("success", true));
    let expected = ["execute_start", "request_allowed", "checkout", "checkin", "call_executed", "execute_stop"];
    assert_eq!(bench.words(), expected);

    let plain = ProtectedOptions::new();
    bench.infrastructure.execute_protected("key", &plain, || Err::<(), _>("no")).expect_err("fails");
    let bang = || -> Result<(), Infallible> { panic!("bang") };
    bench.infrastructure.execute_protected("key", &plain, bang).expect_err("contained");
    let starts = bench.observer.events_named(EXECUTE_START_EVENT);
    assert_eq!(starts[0].metadata, Metadata::new().with("options", Metadata::new()));
    let stops = bench.observer.events_named(EXECUTE_STOP_EVENT);
    let failed = Metadata::new().with("duration", 0).with("success", false).with("reason", "no");
    assert_eq!(stops[0].metadata, failed);
    let exceptions = bench.observer.events_named(EXECUTE_EXCEPTION_EVENT);
    assert_eq!(exceptions[0].metadata, Metadata::new().with("duration", 0).with("error", "bang"));
    assert_eq!(bench.words(), ["execute_start", "execute_stop", "execute_start", "execute_exception"]);

    bench.infrastructure.configure_protection("strict", config(1)).expect("valid");
    let run = || bench.infrastructure.execute_protected("strict", &all_layers(), || Ok::<_, Infallible>(()));
    bench.limiter.reset("user", "rule").expect("has a text");
    run().expect("the first");
    bench.words();
    let Err(ExecuteError::RateLimiter(refused)) = run() else { panic!("one a minute") };
    assert_eq!(refused.code(), 6001);
    let triggered = bench.observer.events_named(PROTECTION_TRIGGERED_EVENT);
    let measured = Metadata::new().with("protection_type", "rate_limit");
    assert_eq!(triggered[0].measurements.iter().collect::<Vec<_>>(), measured.iter().collect::<Vec<_>>());
    assert_eq!(triggered[0].metadata, Metadata::new().with("rule_name", "rule").with("identifier", "user"));
    let stops = bench.observer.events_named(EXECUTE_STOP_EVENT);
    assert_eq!(stops[0].metadata.get("reason"), Some(&Value::from("rate_limit_exceeded")));
    assert_eq!(bench.words(), ["execute_start", "request_denied", "protection_triggered", "execute_stop"]);
}

#[test]
fn errors_of_the_facade_become_records_with_the_kind_of_their_layer() {
    let bench = Bench::new();
    let kinds = |error: ExecuteError<fmt::Error>| Error::from(error).kind().as_str().to_owned();
    let absent = ProtectedOptions::new().circuit_breaker("nobody");
    let refused = bench.infrastructure.execute_protected("key", &absent, || Err::<(), _>(fmt::Error));
    assert_eq!(kinds(refused.expect_err("unknown")), "circuit_breaker_not_found");
    let absent = ProtectedOptions::new().connection_pool("nobody");
    let refused = bench.infrastructure.execute_protected("key", &absent, || Err::<(), _>(fmt::Error));
    assert_eq!(kinds(refused.expect_err("unknown")), "pool_not_found");
    let failed = bench.infrastructure.execute_protected("key", &ProtectedOptions::new(), || Err::<(), _>(fmt::Error));
    assert_eq!(kinds(failed.expect_err("fails")), "protected_operation_failed");
}
