//! Pools and protections log what the original logs, and limits nothing.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foundation_compat::foundation_resources::pool::from_fn;
use foundation_compat::infrastructure::Infrastructure;
use foundation_compat::infrastructure::connection_manager::{ConnectionManager, PoolConfig};
use foundation_compat::infrastructure::rate_limiter::RateLimiter;
use foundation_compat::{Foundation, Metadata};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber, subscriber};

/// Keeps the levels of the lines with the target of the infrastructure.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<Level>>>);

impl Subscriber for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "foundation::infrastructure"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.0.lock().expect("no test panics while it logs").push(*event.metadata().level());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn lines(run: impl FnOnce(&Foundation)) -> Vec<Level> {
    let lines = Lines::default();
    subscriber::with_default(lines.clone(), || run(&Foundation::isolated()));
    let seen = lines.0.lock().expect("no test panics while it logs");
    seen.clone()
}

#[test]
fn a_pool_tells_of_its_start_its_end_and_what_fails() {
    let numbers = || PoolConfig::new(from_fn(|| Ok::<_, Infallible>(7_u32)));
    let fails = |_: &mut u32| Err::<(), _>("no");
    let panics = |_: &mut u32| -> Result<(), Infallible> { panic!("bang") };
    let seen = lines(|foundation| {
        let pools = ConnectionManager::from(foundation);
        pools.start_pool("db", &numbers()).expect("starts");
        pools.start_pool("db", &numbers()).expect_err("taken");
        pools.with_connection_2("db", |_: &mut u32| Ok::<_, Infallible>(())).expect("quiet");
        pools.with_connection_2("db", fails).expect_err("fails");
        pools.with_connection_2("db", panics).expect_err("contained");
        pools.stop_pool("db").expect("started");
    });
    assert_eq!(seen, [Level::INFO, Level::ERROR, Level::ERROR, Level::WARN, Level::INFO]);
}

#[test]
fn protections_and_breakers_are_told_of_and_refused_requests_are_not() {
    let seen = lines(|foundation| {
        let infrastructure = Infrastructure::from(foundation);
        infrastructure.configure_protection("key", Metadata::new()).expect_err("no sections");
        infrastructure.initialize_circuit_breaker_1("db").expect("new");
        infrastructure.initialize_circuit_breaker_1("db").expect_err("taken");
        let limiter = RateLimiter::from(foundation);
        limiter.check_rate_4("a", "op", 0, Duration::from_secs(1)).expect_err("denies everything");
    });
    assert_eq!(seen, [Level::WARN, Level::INFO]);
}
