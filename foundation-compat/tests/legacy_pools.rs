//! Pools by their old names: what the original does, and where it is better not to.

use std::convert::Infallible;
use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use foundation_compat::foundation_resources::pool::{Factory, MAX_POOL_SIZE, Order, Pool, PoolState, from_fn};
use foundation_compat::foundation_types::error::Domain;
use foundation_compat::foundation_types::testing::{RecordedEvent, RecordingObserver};
use foundation_compat::foundation_types::{EventName, ManualClock, Name};
use foundation_compat::infrastructure::connection_manager::{
    CHECKIN_EVENT, CHECKOUT_EVENT, ConnectionError, ConnectionManager, LegacyPool, OVERFLOW_EVENT, POOL_STARTED_EVENT,
    POOL_STOPPED_EVENT, PoolConfig, PoolError, StartPoolError, TIMEOUT_EVENT,
};
use foundation_compat::{Error, Foundation, Metadata, Value};

/// A worker with a number.
#[derive(Debug, PartialEq, Eq)]
struct Line(usize);

struct Bench {
    clock: ManualClock,
    observer: Arc<RecordingObserver>,
    manager: ConnectionManager,
    foundation: Foundation,
    made: Arc<AtomicUsize>,
}

impl Bench {
    fn new() -> Self {
        let (clock, observer) = (ManualClock::new(), Arc::new(RecordingObserver::new()));
        let builder = Foundation::builder().clock(Arc::new(clock.clone())).observer(observer.clone());
        let foundation = builder.build().expect("in range");
        Self { clock, observer, manager: ConnectionManager::from(&foundation), foundation, made: Arc::default() }
    }

    fn config(&self) -> PoolConfig {
        let made = Arc::clone(&self.made);
        PoolConfig::new(from_fn(move || Ok::<_, Infallible>(Line(made.fetch_add(1, Ordering::Relaxed)))))
    }

    fn start(&self, name: &str, size: usize, max_overflow: usize) {
        let config = self.config().size(size).max_overflow(max_overflow);
        self.manager.start_pool(name, &config).expect("starts");
    }

    /// The pool `db`.
    fn pool(&self) -> LegacyPool {
        self.foundation.pools().get(&Name::from_static("db")).expect("started")
    }

    fn figures(&self, name: &str) -> (usize, usize, usize, usize, usize) {
        let status = self.manager.get_pool_status(name).expect("started");
        (status.size, status.overflow, status.idle, status.waiting, status.checked_out)
    }

    fn count(&self, event: &EventName) -> usize {
        self.observer.events_named(event).len()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "operations give results")]
fn number(line: &mut Line) -> Result<usize, Infallible> {
    Ok(line.0)
}

#[test]
fn a_pool_lends_its_workers_and_gets_them_back() {
    let bench = Bench::new();
    bench.start("db", 2, 0);
    assert_eq!(bench.figures("db"), (2, 0, 2, 0, 0), "size, overflow, workers, waiting, monitors");
    let inside = bench.manager.with_connection_2("db", |_: &mut Line| Ok::<_, Infallible>(bench.figures("db")));
    assert_eq!(inside, Ok((2, 0, 1, 0, 1)));
    assert_eq!(bench.figures("db"), (2, 0, 2, 0, 0));
    assert_eq!(bench.manager.with_connection_2("db", number), Ok(1), "the last to come back goes out first");
    let json = serde_json::to_value(bench.manager.get_pool_status("db").expect("started")).expect("plain data");
    for key in ["size", "workers", "overflow", "waiting", "monitors"] {
        assert!(json[key].is_u64(), "{key}");
    }
}

#[test]
fn fifo_uses_all_workers_alike() {
    let bench = Bench::new();
    bench.manager.start_pool("db", &bench.config().size(3).strategy(Order::Fifo)).expect("starts");
    let order: Vec<_> = (0..4).map(|_| bench.manager.with_connection_2("db", number).expect("idle")).collect();
    assert_eq!(order, [0, 1, 2, 0]);
}

#[test]
fn the_state_names_are_those_of_the_original_library() {
    for (size, overflow, expected) in [
        (2, 0, [PoolState::Ready, PoolState::Ready, PoolState::Full]),
        (1, 1, [PoolState::Ready, PoolState::Overflow, PoolState::Full]),
        (0, 2, [PoolState::Overflow, PoolState::Overflow, PoolState::Full]),
    ] {
        let bench = Bench::new();
        bench.start("db", size, overflow);
        let state = || bench.manager.get_pool_status("db").expect("started").state;
        let mut out = Vec::new();
        let mut states = vec![state()];
        let pool = bench.pool();
        for _ in 0..2 {
            out.push(pool.try_checkout().expect("room"));
            states.push(state());
        }
        assert_eq!(states, expected, "{size}/{overflow}");
    }
    let bench = Bench::new();
    bench.start("none", 0, 0);
    assert_eq!(bench.manager.get_pool_status("none").expect("started").state, PoolState::Full);
}

#[test]
fn starting_is_refused_with_the_reasons_of_the_original() {
    let bench = Bench::new();
    bench.start("db", 1, 0);
    let taken = bench.manager.start_pool("db", &bench.config()).expect_err("taken");
    assert_eq!(taken, StartPoolError::AlreadyExists { name: "db".into() });
    assert_eq!(Error::from(taken).kind().as_str(), "already_exists");

    let made = bench.made.load(Ordering::Relaxed);
    for (config, field) in [
        (bench.config().size(usize::MAX), "size"),
        (bench.config().max_overflow(usize::MAX), "max_overflow"),
        (bench.config().size(1).max_overflow(MAX_POOL_SIZE), "max_overflow"),
    ] {
        let absurd = bench.manager.start_pool("big", &config).expect_err("out of range");
        assert!(matches!(&absurd, StartPoolError::InvalidConfig { field: named, .. } if *named == field), "{absurd}");
        let record = Error::from(absurd);
        assert_eq!((record.kind().as_str(), record.domain()), ("invalid_config", &Domain::Infrastructure));
    }
    assert_eq!(bench.made.load(Ordering::Relaxed), made, "no worker was made");

    for name in ["", "a\0b"] {
        let invalid = bench.manager.start_pool(name, &bench.config()).expect_err("no name");
        assert!(matches!(invalid, StartPoolError::InvalidName(_)));
        assert!(bench.manager.stop_pool(name).is_err() && bench.manager.get_pool_status(name).is_err());
        let unknown = bench.manager.with_connection_2(name, number).expect_err("no pool");
        assert_eq!(unknown, ConnectionError::Pool(PoolError::NotFound { name: name.into() }));
    }
    assert_eq!(bench.manager.list_pools(), ["db"]);
}

#[test]
fn a_factory_that_fails_or_panics_leaves_nothing_behind() {
    let bench = Bench::new();
    let failing = PoolConfig::new(from_fn(|| Err::<Line, _>(fmt::Error)));
    let failed = bench.manager.start_pool("db", &failing).expect_err("fails");
    assert_eq!(Error::from(failed).kind().as_str(), "worker_start_failed");
    let panicking = PoolConfig::new(from_fn(|| -> Result<Line, Infallible> { panic!("no line") }));
    let failed = bench.manager.start_pool("db", &panicking).expect_err("panics");
    let cause = std::error::Error::source(&failed).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("the factory panicked: no line"));
    assert!(bench.manager.list_pools().is_empty());

    bench.manager.start_pool("db", &panicking.size(0)).expect("nothing is made at the start");
    let failed = bench.manager.with_connection_2("db", number).expect_err("panics");
    assert!(matches!(failed, ConnectionError::Pool(PoolError::WorkerFailed { .. })));
    assert_eq!(bench.figures("db"), (0, 0, 0, 0, 0));
    bench.start("other", 1, 0);
    assert_eq!(bench.manager.with_connection_2("other", number), Ok(0), "pools know nothing of each other");
}

#[test]
fn nobody_waits_longer_than_told() {
    let bench = Bench::new();
    bench.start("db", 1, 0);
    let outer = bench.manager.with_connection_2("db", |_: &mut Line| {
        let inner = bench.manager.with_connection("db", number, Duration::ZERO);
        Ok::<_, Infallible>(inner)
    });
    let waited = Duration::ZERO;
    assert_eq!(outer, Ok(Err(ConnectionError::Pool(PoolError::CheckoutTimeout { name: "db".into(), waited }))));
    assert_eq!(bench.count(&TIMEOUT_EVENT), 1);

    let held = bench.pool().try_checkout().expect("idle");
    let wait = Duration::from_secs(5);
    let mut waiting = pin!(bench.manager.with_connection_async("db", async |line: &mut Line| number(line), wait));
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    assert_eq!(bench.figures("db").3, 1);
    bench.clock.advance(wait);
    let Poll::Ready(Err(error)) = waiting.as_mut().poll(&mut context) else { panic!("the time is up") };
    assert_eq!(error, ConnectionError::Pool(PoolError::CheckoutTimeout { name: "db".into(), waited: wait }));
    let timeouts = bench.observer.events_named(TIMEOUT_EVENT);
    assert_eq!(timeouts[1].measurements.iter().collect::<Vec<_>>(), [(&"timeout".into(), &Value::Int(5_000))]);
    drop(held);
    assert_eq!(bench.figures("db"), (1, 0, 1, 0, 0));
}

#[test]
fn errors_and_panics_of_operations_come_back_and_the_pool_stays_usable() {
    let bench = Bench::new();
    bench.start("db", 1, 0);
    let failed = bench.manager.with_connection_2("db", |_: &mut Line| Err::<(), _>("no"));
    assert_eq!(failed, Err(ConnectionError::Operation("no")));
    assert_eq!(bench.manager.with_connection_2("db", number), Ok(0), "the same worker");
    let bang = bench.manager.with_connection_2("db", |_: &mut Line| -> Result<(), Infallible> { panic!("bang") });
    assert_eq!(bang, Err(ConnectionError::Panicked { message: "bang".into() }));
    assert_eq!(bench.figures("db"), (1, 0, 0, 0, 0), "the worker is gone");
    assert_eq!(bench.manager.with_connection_2("db", number), Ok(1), "and replaced on demand");

    let mut context = Context::from_waker(Waker::noop());
    let bang = async |_: &mut Line| -> Result<(), Infallible> { panic!("bang") };
    let bang = pin!(bench.manager.with_connection_async("db", bang, Duration::ZERO)).poll(&mut context);
    assert_eq!(bang, Poll::Ready(Err(ConnectionError::Panicked { message: "bang".into() })));
    assert_eq!(bench.manager.with_connection_2("db", number), Ok(2));
    assert_eq!(bench.count(&CHECKOUT_EVENT), bench.count(&CHECKIN_EVENT));
}

#[test]
fn an_operation_that_takes_another_worker_is_not_run() {
    let bench = Bench::new();
    bench.start("db", 1, 0);
    let wrong = bench.manager.with_connection_2("db", |_: &mut String| Ok::<_, Infallible>(()));
    let Err(ConnectionError::Pool(error @ PoolError::WrongWorker { .. })) = wrong else { panic!("{wrong:?}") };
    assert_eq!(Error::from(error).kind().as_str(), "invalid_worker_module");
    assert_eq!(bench.figures("db"), (1, 0, 1, 0, 0));

    let native = Pool::builder(from_fn(|| Ok::<_, Infallible>(1_u8))).build().expect("starts");
    bench.foundation.pools().add(Name::from_static("native"), native).expect("free");
    let wrong = bench.manager.with_connection_2("native", |_: &mut u8| Ok::<_, Infallible>(()));
    assert!(matches!(wrong, Err(ConnectionError::Pool(PoolError::WrongWorker { .. }))));
    assert_eq!(bench.manager.get_pool_status("native").expect("added").idle, 5);
}

#[test]
fn all_workers_work_at_the_same_time() {
    let bench = Bench::new();
    bench.start("db", 2, 2);
    let together = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                bench.manager.with_connection_2("db", |_: &mut Line| {
                    together.wait();
                    Ok::<_, Infallible>(())
                })
            });
        }
    });
    assert_eq!(bench.figures("db"), (2, 0, 2, 0, 0));
    assert_eq!(bench.count(&OVERFLOW_EVENT), 2);
}

#[test]
fn factories_are_asked_about_workers_that_come_back() {
    struct Fragile;
    impl Factory for Fragile {
        type Item = Line;
        type Error = Infallible;

        fn create(&self) -> Result<Line, Infallible> {
            Ok(Line(0))
        }

        fn is_usable(&self, line: &mut Line) -> bool {
            line.0 == 0
        }
    }
    let bench = Bench::new();
    bench.manager.start_pool("db", &PoolConfig::new(Fragile).size(1).max_overflow(0)).expect("starts");
    let broken = bench.manager.with_connection_2("db", |line: &mut Line| {
        line.0 = 7;
        Ok::<_, Infallible>(())
    });
    assert_eq!(broken, Ok(()));
    assert_eq!(bench.manager.with_connection_2("db", number), Ok(0), "a new one");
}

#[test]
fn a_stopped_pool_sends_waiters_away_and_frees_its_name() {
    let bench = Bench::new();
    bench.start("db", 1, 0);
    let held = bench.pool().try_checkout().expect("idle");
    let wait = Duration::from_secs(5);
    let mut waiting = pin!(bench.manager.with_connection_async("db", async |line: &mut Line| number(line), wait));
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    bench.manager.stop_pool("db").expect("started");
    let Poll::Ready(Err(error)) = waiting.as_mut().poll(&mut context) else { panic!("stopped") };
    assert_eq!(error, ConnectionError::Pool(PoolError::Closed { name: "db".into() }));
    bench.start("db", 2, 0);
    drop(held);
    assert_eq!(bench.figures("db"), (2, 0, 2, 0, 0), "what was out of the old one concerns the new one not");
    assert_eq!(bench.manager.stop_pool("nobody").expect_err("unknown").name, "nobody");
}

#[test]
fn a_shut_down_instance_has_no_pools_and_starts_none() {
    let bench = Bench::new();
    bench.start("db", 1, 0);
    bench.foundation.shutdown();
    assert!(bench.manager.list_pools().is_empty());
    assert_eq!(bench.manager.start_pool("db", &bench.config()).expect_err("shut down"), StartPoolError::Closed);
}

#[test]
fn events_have_the_names_and_keys_of_the_original() {
    let bench = Bench::new();
    bench.start("db", 1, 1);
    let clock = bench.clock.clone();
    let nested = bench.manager.with_connection_2("db", |_: &mut Line| {
        clock.advance(Duration::from_micros(3));
        bench.manager.with_connection_2("db", number).map(drop)
    });
    nested.expect("two workers");
    bench.manager.stop_pool("db").expect("started");

    let legacy = |event: &&RecordedEvent| event.name.as_str().starts_with("foundation.foundation.connection_pool.");
    let events = bench.observer.events();
    let words: Vec<_> = events.iter().filter(legacy).filter_map(|event| event.name.segments().last()).collect();
    let expected = ["pool_started", "checkout", "overflow", "checkout", "checkin", "checkin", "pool_stopped"];
    assert_eq!(words, expected);
    for event in events.iter().filter(legacy) {
        assert_eq!(event.metadata.get("pool_name"), Some(&Value::from("db")));
        let measured: Vec<_> = event.measurements.iter().map(|(key, _)| key.as_str()).collect();
        let expected: &[&str] = if event.name == CHECKOUT_EVENT { &["checkout_time"] } else { &[] };
        assert_eq!(measured, expected);
        assert_eq!(event.metadata.len(), 1 + usize::from(event.name == POOL_STARTED_EVENT));
    }
    let config = Metadata::new()
        .with("size", 1)
        .with("max_overflow", 1)
        .with("worker_module", std::any::type_name::<Line>())
        .with("strategy", "lifo");
    let started = bench.observer.events_named(POOL_STARTED_EVENT);
    assert_eq!(started[0].metadata.get("config"), Some(&Value::Map(config)));
    assert_eq!(bench.count(&POOL_STOPPED_EVENT), 1);
}

#[test]
fn futures_of_operations_can_be_sent() {
    fn sendable(future: impl Future + Send) {
        drop(future);
    }
    let bench = Bench::new();
    let never = Duration::ZERO;
    sendable(bench.manager.with_connection_async("db", async |line: &mut Line| number(line), never));
}
