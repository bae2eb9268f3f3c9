//! The rules of the pool, one by one.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use foundation_resources::pool::{
    AsyncFactory, Builder, Check, Checkout, CheckoutError, Factory, MAX_POOL_SIZE, MAX_WAITING_LIMIT, OnPanic,
    OptionsError, Order, Pool, PoolState, StartError, events,
};
use foundation_types::testing::RecordingObserver;
use foundation_types::{ManualClock, Name, Value};
use support::{Refused, Worker, Workers, now, poll};

const SECOND: Duration = Duration::from_secs(1);

fn builder(workers: &Workers, size: usize, max_overflow: usize) -> Builder<Workers> {
    Pool::builder(workers.clone()).size(size).max_overflow(max_overflow)
}

fn pool(workers: &Workers, size: usize, max_overflow: usize) -> Pool<Workers> {
    builder(workers, size, max_overflow).build().expect("starts")
}

/// Idle, out, in line.
fn figures<C: foundation_types::Clock>(pool: &Pool<Workers, C>) -> (usize, usize, usize) {
    let status = pool.status();
    (status.idle, status.checked_out, status.waiting)
}

#[test]
fn k01_a_start_makes_all_workers_or_none() {
    let workers = Workers::new();
    assert_eq!(figures(&pool(&workers, 3, 0)), (3, 0, 0));
    assert_eq!(workers.retired(), 3, "the last handle retires them");

    let workers = Workers::new();
    workers.refuse_after(2);
    assert_eq!(builder(&workers, 3, 0).build().map(drop), Err(StartError::Create(Refused)));
    assert_eq!((workers.made(), workers.retired()), (2, 2));

    let workers = Workers::new();
    assert_eq!(figures(&pool(&workers, 0, 0)), (0, 0, 0));
    assert_eq!(workers.made(), 0);
}

#[test]
fn k01_an_asynchronous_start_that_is_dropped_leaves_nothing_behind() {
    struct Slow(Workers);
    impl AsyncFactory for Slow {
        type Item = Worker;
        type Error = Refused;

        async fn create(&self) -> Result<Worker, Refused> {
            let worker = Factory::create(&self.0)?;
            if worker.number == 3 {
                std::future::pending::<()>().await;
            }
            Ok(worker)
        }

        fn retire(&self, worker: Worker) {
            Factory::retire(&self.0, worker);
        }
    }
    let workers = Workers::new();
    let mut starting = Box::pin(Pool::builder(Slow(workers.clone())).size(4).build_async());
    assert!(poll(&mut starting).is_pending());
    drop(starting);
    assert_eq!((workers.made(), workers.retired()), (3, 2), "the third was the future's own");
}

#[test]
fn options_out_of_range_are_refused_by_name_before_a_worker_is_made() {
    let workers = Workers::new();
    let refused = |builder: Builder<Workers>| match builder.build() {
        Err(StartError::Options(error)) => error,
        other => panic!("{other:?}"),
    };
    let huge = usize::MAX;
    assert_eq!(refused(builder(&workers, huge, 0)), OptionsError::Size { size: huge });
    assert_eq!(refused(builder(&workers, 0, huge)), OptionsError::Overflow { max_overflow: huge });
    let total = OptionsError::Total { size: MAX_POOL_SIZE, max_overflow: 1 };
    assert_eq!(refused(builder(&workers, MAX_POOL_SIZE, 1)), total);
    let waiting = MAX_WAITING_LIMIT + 1;
    assert_eq!(refused(builder(&workers, 1, 0).max_waiting(waiting)), OptionsError::Waiting { max_waiting: waiting });
    assert_eq!(workers.made(), 0);
}

#[test]
fn k02_idle_workers_go_out_in_the_order_asked_for() {
    for (order, expected) in [(Order::Lifo, [2, 1, 3]), (Order::Fifo, [3, 1, 2])] {
        let workers = Workers::new();
        let pool = builder(&workers, 3, 0).order(order).build().expect("starts");
        let mut out: Vec<_> = (0..3).map(|_| pool.try_checkout().expect("idle")).collect();
        out.sort_by_key(|worker| worker.number);
        // 3 comes back first and 2 last.
        for number in [3, 1, 2] {
            let at = out.iter().position(|worker| worker.number == number).expect("out");
            drop(out.remove(at));
        }
        let out: Vec<_> = (0..3).map(|_| pool.try_checkout().expect("idle")).collect();
        assert_eq!(out.iter().map(|worker| worker.number).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn k02_a_failed_creation_is_the_callers_error_and_gives_its_place_back() {
    let workers = Workers::new();
    let pool = pool(&workers, 0, 1);
    workers.refuse(true);
    for _ in 0..3 {
        assert_eq!(pool.try_checkout().map(drop), Err(CheckoutError::Create(Refused)));
    }
    workers.refuse(false);
    let _worker = pool.try_checkout().expect("the place is free");
    assert_eq!(pool.try_checkout().map(drop), Err(CheckoutError::Full { capacity: 1 }));
}

#[test]
fn k03_waiters_are_served_in_order_whether_they_block_or_not() {
    let workers = Workers::new();
    let pool = pool(&workers, 1, 0);
    let held = pool.try_checkout().expect("idle");
    let (served, order) = mpsc::channel();

    let mut first = Box::pin(pool.checkout());
    assert!(poll(&mut first).is_pending());
    let blocking = thread::spawn({
        let (pool, served) = (pool.clone(), served.clone());
        move || {
            let worker = pool.checkout_blocking().expect("served");
            served.send("second").expect("listened to");
            drop(worker);
        }
    });
    while pool.status().waiting < 2 {
        thread::yield_now();
    }
    let mut third = Box::pin(pool.checkout());
    assert!(poll(&mut third).is_pending());
    assert_eq!(figures(&pool), (0, 1, 3));

    drop(held);
    assert_eq!(figures(&pool), (0, 1, 2), "handed over, though the first has not looked");
    assert_eq!(pool.try_checkout().map(drop), Err(CheckoutError::Full { capacity: 1 }), "a newcomer does not overtake");
    let Poll::Ready(Ok(worker)) = poll(&mut first) else { panic!("served") };
    assert!(poll(&mut third).is_pending());
    served.send("first").expect("listened to");
    drop(worker);
    blocking.join().expect("no panic");
    assert!(matches!(poll(&mut third), Poll::Ready(Ok(_))));
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!(figures(&pool), (1, 0, 0));
}

#[test]
fn k04_a_waiter_that_times_out_leaves_the_line_and_one_that_was_served_does_not_time_out() {
    let (workers, clock) = (Workers::new(), ManualClock::new());
    let pool = builder(&workers, 1, 0).clock(clock.clone()).build().expect("starts");
    let held = pool.try_checkout().expect("idle");
    let timeout = |waited| Err(CheckoutError::Timeout { waited });
    assert_eq!(pool.checkout_timeout(Duration::ZERO).map(drop), timeout(Duration::ZERO));
    assert_eq!(now(pool.checkout_within(Duration::ZERO)).map(drop), timeout(Duration::ZERO));

    let mut late = Box::pin(pool.checkout_within(SECOND));
    let mut patient = Box::pin(pool.checkout_within(2 * SECOND));
    assert!(poll(&mut late).is_pending() && poll(&mut patient).is_pending());
    clock.advance(SECOND);
    assert_eq!(poll(&mut late).map_ok(drop), Poll::Ready(timeout(SECOND)));
    assert_eq!(figures(&pool), (0, 1, 1));
    drop(held);
    clock.advance(SECOND);
    assert!(matches!(poll(&mut patient), Poll::Ready(Ok(_))), "served before the deadline");
    assert_eq!((figures(&pool), clock.pending()), ((1, 0, 0), 0));
}

#[test]
fn k04_a_blocked_thread_times_out_on_the_clock_of_the_pool() {
    let (workers, clock) = (Workers::new(), ManualClock::new());
    let pool = builder(&workers, 1, 0).clock(clock.clone()).build().expect("starts");
    let _held = pool.try_checkout().expect("idle");
    let blocked = thread::spawn({
        let pool = pool.clone();
        move || pool.checkout_timeout(SECOND).map(drop)
    });
    while clock.pending() == 0 {
        thread::yield_now();
    }
    clock.advance(SECOND);
    assert_eq!(blocked.join().expect("no panic"), Err(CheckoutError::Timeout { waited: SECOND }));
    assert_eq!(figures(&pool), (0, 1, 0));
}

#[test]
fn k04_a_worker_handed_to_a_waiter_that_leaves_goes_to_the_next() {
    let workers = Workers::new();
    let pool = pool(&workers, 1, 0);
    let held = pool.try_checkout().expect("idle");
    let (mut first, mut second) = (Box::pin(pool.checkout()), Box::pin(pool.checkout()));
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    drop(held);
    drop(first);
    let Poll::Ready(Ok(worker)) = poll(&mut second) else { panic!("served") };
    assert_eq!(worker.number, 1);
}

#[test]
fn k05_a_return_above_the_size_ends_the_very_worker_that_came_back() {
    let workers = Workers::new();
    let pool = pool(&workers, 1, 1);
    let (core, extra) = (pool.try_checkout().expect("idle"), pool.try_checkout().expect("room"));
    assert_eq!((core.number, extra.number, pool.status().overflow), (1, 2, 1));
    drop(core);
    assert_eq!((workers.retired(), pool.status().overflow), (1, 0));
    drop(extra);
    assert_eq!((figures(&pool), pool.try_checkout().expect("idle").number), ((1, 0, 0), 2));
}

#[test]
fn k06_a_lost_worker_leaves_its_place_to_the_first_in_line_who_makes_its_own() {
    let workers = Workers::new();
    let pool = pool(&workers, 1, 0);
    for lose in [
        |worker: Checkout<Workers>| worker.discard(),
        |mut worker: Checkout<Workers>| {
            worker.is_broken = true;
            drop(worker);
        },
    ] {
        let worker = pool.try_checkout().expect("room");
        let mut waiting = Box::pin(pool.checkout());
        assert!(poll(&mut waiting).is_pending());
        let before = (workers.made(), workers.retired());
        lose(worker);
        assert_eq!((workers.made(), workers.retired()), (before.0, before.1 + 1), "not made in the drop of a guard");
        assert_eq!((figures(&pool), pool.status().in_transition), ((0, 0, 0), 1));
        assert!(matches!(poll(&mut waiting), Poll::Ready(Ok(_))));
        assert_eq!(workers.made(), before.0 + 1);
    }
    pool.try_checkout().expect("idle").discard();
    assert_eq!((figures(&pool), pool.status().state), ((0, 0, 0), PoolState::Ready), "replaced on demand");
    assert!(pool.try_checkout().is_ok());
}

#[test]
fn k06_a_place_is_passed_on_by_a_waiter_that_fails_to_fill_it() {
    let workers = Workers::new();
    let pool = pool(&workers, 1, 0);
    let worker = pool.try_checkout().expect("idle");
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(pool.checkout())).collect();
    assert!(waiting.iter_mut().all(|waiting| poll(waiting).is_pending()));
    worker.discard();
    drop(waiting.remove(0));
    workers.refuse(true);
    assert_eq!(poll(&mut waiting[0]).map_ok(drop), Poll::Ready(Err(CheckoutError::Create(Refused))));
    workers.refuse(false);
    assert!(matches!(poll(&mut waiting[1]), Poll::Ready(Ok(_))));
    assert_eq!(figures(&pool), (1, 0, 0));
}

#[test]
fn k07_a_worker_of_a_borrower_that_panics_is_retired_or_reused_as_asked() {
    for (on_panic, idle) in [(OnPanic::Retire, 0), (OnPanic::Reuse, 1)] {
        let workers = Workers::new();
        let pool = builder(&workers, 1, 0).on_panic(on_panic).build().expect("starts");
        let mut waiting = None;
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _worker = pool.try_checkout().expect("idle");
            waiting = Some(Box::pin(pool.checkout()));
            assert!(poll(waiting.as_mut().expect("there")).is_pending());
            panic!("borrower");
        }));
        assert!(panicked.is_err());
        assert_eq!(workers.retired(), 1 - idle);
        assert!(matches!(poll(waiting.as_mut().expect("there")), Poll::Ready(Ok(_))), "the next is served either way");
        assert_eq!(figures(&pool), (1, 0, 0));
    }
}

#[test]
fn k07_a_worker_borrowed_by_a_destructor_during_an_unwinding_is_not_blamed() {
    struct Borrows(Pool<Workers>);
    impl Drop for Borrows {
        fn drop(&mut self) {
            drop(self.0.try_checkout());
        }
    }
    let workers = Workers::new();
    let pool = pool(&workers, 1, 0);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _borrows = Borrows(pool.clone());
        panic!("somebody else");
    }));
    assert!(panicked.is_err());
    assert_eq!((workers.retired(), figures(&pool)), (0, (1, 0, 0)));
}

#[test]
fn k09_closing_sends_waiters_away_and_retires_each_worker_once() {
    let workers = Workers::new();
    let pool = pool(&workers, 2, 0);
    let (one, two) = (pool.try_checkout().expect("idle"), pool.try_checkout().expect("idle"));
    let mut waiting = Box::pin(pool.checkout());
    assert!(poll(&mut waiting).is_pending());
    let mut served = Box::pin(pool.checkout());
    drop(one);
    assert!(matches!(poll(&mut waiting), Poll::Ready(Ok(_))));
    assert!(matches!(poll(&mut served), Poll::Ready(Ok(_))));
    let mut waiting = Box::pin(pool.checkout());
    let held = now(pool.checkout()).expect("idle");
    assert!(poll(&mut waiting).is_pending());

    pool.close();
    assert_eq!(poll(&mut waiting).map_ok(drop), Poll::Ready(Err(CheckoutError::Closed)));
    assert_eq!(pool.try_checkout().map(drop), Err(CheckoutError::Closed));
    assert_eq!(pool.checkout_timeout(SECOND).map(drop), Err(CheckoutError::Closed));
    assert_eq!(workers.retired(), 0, "both are out");
    drop(held);
    pool.close();
    two.discard();
    assert_eq!((workers.retired(), figures(&pool), pool.status().alive()), (2, (0, 0, 0), 0));
    assert_eq!(pool.status().state, PoolState::Closed);
}

#[test]
fn k09_a_worker_made_for_a_pool_that_closes_meanwhile_is_retired() {
    struct ClosesMeanwhile(Workers, std::sync::OnceLock<Pool<Arc<ClosesMeanwhile>>>);
    impl Factory for ClosesMeanwhile {
        type Item = Worker;
        type Error = Refused;

        fn create(&self) -> Result<Worker, Refused> {
            let made = Factory::create(&self.0);
            if let Some(pool) = self.1.get() {
                pool.close();
            }
            made
        }

        fn retire(&self, worker: Worker) {
            Factory::retire(&self.0, worker);
        }
    }
    let workers = Workers::new();
    let factory = Arc::new(ClosesMeanwhile(workers.clone(), std::sync::OnceLock::new()));
    let pool = Pool::builder(Arc::clone(&factory)).size(1).build().expect("starts");
    assert!(factory.1.set(pool.clone()).is_ok());
    let _worker = pool.try_checkout().expect("idle");
    assert_eq!(pool.try_checkout().map(drop), Err(CheckoutError::Closed));
    assert_eq!((workers.made(), workers.retired()), (2, 1));
    assert_eq!(pool.status().alive(), 1);
}

#[test]
fn k10_the_state_is_that_of_the_original_for_every_size() {
    use PoolState::{Full, Overflow, Ready};
    let table = [
        (2, 0, vec![Ready, Ready, Full]),
        (1, 1, vec![Ready, Overflow, Full]),
        (0, 2, vec![Overflow, Overflow, Full]),
        (0, 0, vec![Full]),
    ];
    for (size, max_overflow, states) in table {
        let pool = pool(&Workers::new(), size, max_overflow);
        let mut out = Vec::new();
        for state in states {
            assert_eq!(pool.status().state, state, "{size}/{max_overflow} with {} out", out.len());
            out.extend(pool.try_checkout().ok());
        }
    }
}

#[test]
fn no_more_may_wait_than_the_limit_says() {
    let workers = Workers::new();
    let pool = builder(&workers, 1, 0).max_waiting(1).build().expect("starts");
    let held = pool.try_checkout().expect("idle");
    let mut waiting = Box::pin(pool.checkout());
    assert!(poll(&mut waiting).is_pending());
    assert_eq!(now(pool.checkout()).map(drop), Err(CheckoutError::TooManyWaiting { limit: 1 }));
    assert_eq!(pool.checkout_blocking().map(drop), Err(CheckoutError::TooManyWaiting { limit: 1 }));
    drop(waiting);
    let mut waiting = Box::pin(pool.checkout());
    assert!(poll(&mut waiting).is_pending());
    drop(held);
    assert!(matches!(poll(&mut waiting), Poll::Ready(Ok(_))));
}

#[test]
fn panics_of_the_factory_leave_every_place_where_it_was() {
    let workers = Workers::new();
    let pool = pool(&workers, 1, 1);
    let worker = pool.try_checkout().expect("idle");

    workers.panic_on_create(true);
    assert!(catch_unwind(AssertUnwindSafe(|| pool.try_checkout().map(drop))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| now(pool.checkout()).map(drop))).is_err());
    workers.panic_on_create(false);
    assert_eq!(pool.status().alive(), 1);

    workers.panic_on_retire(true);
    let extra = pool.try_checkout().expect("room");
    drop(extra);
    assert_eq!((workers.retired(), pool.status().alive()), (1, 1), "contained, and its place is free");

    workers.panic_on_check(true);
    drop(worker);
    assert_eq!((workers.retired(), pool.status().alive()), (2, 0), "not usable");
    workers.panic_on_check(false);
    let _worker = pool.try_checkout().expect("on demand");
    pool.close();
}

#[test]
fn a_worker_that_went_bad_while_idle_is_replaced_on_its_way_out() {
    let workers = Workers::new();
    let pool = builder(&workers, 1, 0).check(Check::OnCheckout).build().expect("starts");
    let mut worker = pool.try_checkout().expect("idle");
    worker.is_broken = true;
    drop(worker);
    assert_eq!(figures(&pool), (1, 0, 0), "not looked at yet");
    let worker = pool.checkout_timeout(SECOND).expect("a new one");
    assert_eq!((worker.number, workers.retired(), figures(&pool)), (2, 1, (0, 1, 0)));
}

#[test]
fn a_checkout_outlives_its_pool_and_moves_between_threads() {
    let workers = Workers::new();
    let pool = pool(&workers, 1, 0);
    let worker = pool.try_checkout().expect("idle");
    drop(pool);
    assert_eq!(workers.retired(), 0);
    thread::spawn(move || drop(worker)).join().expect("no panic");
    assert_eq!(workers.retired(), 1);
}

#[test]
fn a_factory_may_be_chosen_at_run_time() {
    let workers = Workers::new();
    let factory: Arc<dyn Factory<Item = Worker, Error = Refused>> = Arc::new(workers.clone());
    let pool = Pool::builder(factory).size(1).build().expect("starts");
    assert_eq!(pool.try_checkout().expect("idle").number, 1);
    assert_eq!(now(pool.checkout()).expect("idle").number, 1);
    drop(pool);
    assert_eq!(workers.retired(), 1);
}

#[test]
fn every_checkout_is_followed_by_a_checkin() {
    let (workers, clock, observer) = (Workers::new(), ManualClock::new(), Arc::new(RecordingObserver::new()));
    let pool = builder(&workers, 1, 1)
        .name(Name::from_static("db"))
        .observer(observer.clone())
        .clock(clock.clone())
        .build()
        .expect("starts");
    let (one, two) = (pool.try_checkout().expect("idle"), pool.try_checkout().expect("room"));
    let mut waiting = Box::pin(pool.checkout_within(SECOND));
    assert!(poll(&mut waiting).is_pending());
    clock.advance(Duration::from_nanos(7));
    one.discard();
    let Poll::Ready(Ok(three)) = poll(&mut waiting) else { panic!("served") };
    assert!(pool.checkout_timeout(Duration::ZERO).is_err());
    workers.refuse(true);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _three = three;
        panic!("borrower");
    }));
    assert!(pool.try_checkout().is_err());
    drop(two);
    pool.close();
    pool.close();
    let log: Vec<_> = observer
        .events()
        .iter()
        .map(|event| {
            assert_eq!(event.metadata.get("pool_name"), Some(&Value::from("db")));
            let reason = event.metadata.get("reason").and_then(Value::as_str).unwrap_or_default();
            format!("{} {reason}", event.name.segments().last().expect("not empty")).trim_end().to_owned()
        })
        .collect();
    let expected = [
        "started",
        "checkout",
        "overflow",
        "checkout",
        "retired discarded",
        "checkin",
        "overflow",
        "checkout",
        "timeout",
        "retired panic",
        "checkin",
        "create_failed",
        "checkin",
        "retired closed",
        "stopped",
    ];
    assert_eq!(log, expected);
    let times = observer.events_named(events::CHECKOUT_EVENT.as_str());
    assert_eq!(times[2].measurements.get("checkout_time"), Some(&Value::Int(7)));
}

#[test]
fn observers_may_use_the_pool_and_panic() {
    struct Meddles(std::sync::OnceLock<Pool<Workers>>);
    impl foundation_types::Observer for Meddles {
        fn emit(
            &self,
            name: &foundation_types::EventName,
            _: &foundation_types::Measurements,
            _: &foundation_types::Metadata,
        ) {
            if let (Some(pool), true) = (self.0.get(), *name == events::CHECKIN_EVENT) {
                let _ = pool.status();
                panic!("observer");
            }
        }
    }
    let (workers, meddler) = (Workers::new(), Arc::new(Meddles(std::sync::OnceLock::new())));
    let pool = builder(&workers, 1, 0).observer(meddler.clone()).build().expect("starts");
    assert!(meddler.0.set(pool.clone()).is_ok());
    drop(pool.try_checkout().expect("idle"));
    assert_eq!(figures(&pool), (1, 0, 0));
}

#[tokio::test]
async fn the_pool_of_an_asynchronous_factory_awaits_its_workers() {
    struct Connects;
    impl AsyncFactory for Connects {
        type Item = u32;
        type Error = std::convert::Infallible;

        async fn create(&self) -> Result<u32, Self::Error> {
            tokio::task::yield_now().await;
            Ok(7)
        }
    }
    let pool = Pool::builder(Connects).size(1).max_overflow(1).build_async().await.expect("starts");
    let one = pool.checkout().await.expect("idle");
    let two = tokio::spawn({
        let pool = pool.clone();
        async move { pool.checkout_within(SECOND).await.map(|worker| *worker) }
    });
    assert_eq!((*one, two.await.expect("no panic")), (7, Ok(7)));
    assert_eq!(pool.status().alive(), 1, "the second was one beyond the size");
}
