//! Q14 in every interleaving: what comes back reaches the next in line, whoever leaves it meanwhile.
#![cfg(loom)]

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;

use foundation_resources::bulkhead::{AcquireError, Bulkhead};
use foundation_resources::pool::{CheckoutError, Factory, Pool};
use loom::future::block_on;
use loom::thread;

fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    // Four switches away from a runnable thread; without a bound the locks alone give millions of schedules.
    model.preemption_bound = Some(4);
    model.max_branches = 10_000;
    model.check(run);
}

struct Units;

impl Factory for Units {
    type Item = ();
    type Error = Infallible;

    fn create(&self) -> Result<(), Infallible> {
        Ok(())
    }
}

fn pool(size: usize) -> Pool<Units> {
    Pool::builder(Units).size(size).max_overflow(0).build().expect("starts")
}

fn bulkhead(max_concurrent: usize) -> Bulkhead {
    Bulkhead::builder(max_concurrent).build().expect("in range")
}

/// Polls `future` once and drops it, served or not.
async fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

#[test]
fn loom_q14_a_worker_that_comes_back_wakes_the_waiter() {
    model(|| {
        let pool = pool(1);
        let held = pool.try_checkout().expect("idle");
        let waiter = thread::spawn({
            let pool = pool.clone();
            move || drop(block_on(pool.checkout()).expect("served"))
        });
        drop(held);
        waiter.join().expect("no panic");
        let status = pool.status();
        assert_eq!((status.idle, status.checked_out, status.waiting), (1, 0, 0));
    });
}

#[test]
fn loom_q14_a_waiter_that_leaves_passes_on_what_it_was_given() {
    model(|| {
        let pool = pool(1);
        let held = pool.try_checkout().expect("idle");
        let leaver = thread::spawn({
            let pool = pool.clone();
            move || drop(block_on(poll_once(pool.checkout())))
        });
        let waiter = thread::spawn({
            let pool = pool.clone();
            move || drop(block_on(pool.checkout()).expect("served"))
        });
        drop(held);
        leaver.join().expect("no panic");
        waiter.join().expect("no panic");
        let status = pool.status();
        assert_eq!((status.idle, status.checked_out, status.waiting), (1, 0, 0));
    });
}

#[test]
fn loom_q14_the_place_of_a_lost_worker_reaches_the_waiter() {
    model(|| {
        let pool = pool(1);
        let held = pool.try_checkout().expect("idle");
        let waiter = thread::spawn({
            let pool = pool.clone();
            move || drop(block_on(pool.checkout()).expect("served"))
        });
        held.discard();
        waiter.join().expect("no panic");
        let status = pool.status();
        assert_eq!((status.alive(), status.idle, status.waiting), (1, 1, 0));
    });
}

#[test]
fn loom_q14_closing_wakes_a_waiter_or_finds_it_served() {
    model(|| {
        let pool = pool(1);
        let held = pool.try_checkout().expect("idle");
        let waiter = thread::spawn({
            let pool = pool.clone();
            move || match block_on(pool.checkout()) {
                Ok(worker) => drop(worker),
                Err(error) => assert_eq!(error, CheckoutError::Closed),
            }
        });
        let closing = thread::spawn({
            let pool = pool.clone();
            move || pool.close()
        });
        drop(held);
        waiter.join().expect("no panic");
        closing.join().expect("no panic");
        assert_eq!((pool.status().alive(), pool.status().waiting), (0, 0));
    });
}

#[test]
fn loom_q14_overflow_workers_that_come_back_together_leave_the_size() {
    model(|| {
        let pool = Pool::builder(Units).size(1).max_overflow(1).build().expect("starts");
        let (one, two) = (pool.try_checkout().expect("idle"), pool.try_checkout().expect("room"));
        let other = thread::spawn(move || drop(one));
        drop(two);
        other.join().expect("no panic");
        let status = pool.status();
        assert_eq!((status.idle, status.alive()), (1, 1));
    });
}

#[test]
fn loom_a_permit_that_comes_back_wakes_the_waiter() {
    model(|| {
        let bulkhead = bulkhead(1);
        let held = bulkhead.try_acquire().expect("free").into_owned();
        let waiter = thread::spawn({
            let bulkhead = bulkhead.clone();
            move || drop(block_on(bulkhead.acquire()).expect("served"))
        });
        drop(held);
        waiter.join().expect("no panic");
        let status = bulkhead.status();
        assert_eq!((status.in_use, status.waiting), (0, 0));
        assert!(bulkhead.try_acquire().is_ok());
    });
}

#[test]
fn loom_permits_are_conserved_whoever_leaves_the_line() {
    model(|| {
        let bulkhead = bulkhead(1);
        let held = bulkhead.try_acquire().expect("free").into_owned();
        let leaver = thread::spawn({
            let bulkhead = bulkhead.clone();
            move || drop(block_on(poll_once(bulkhead.acquire())))
        });
        let waiter = thread::spawn({
            let bulkhead = bulkhead.clone();
            move || drop(block_on(bulkhead.acquire()).expect("served"))
        });
        drop(held);
        leaver.join().expect("no panic");
        waiter.join().expect("no panic");
        let status = bulkhead.status();
        assert_eq!((status.in_use, status.waiting), (0, 0));
        assert!(bulkhead.try_acquire().is_ok());
    });
}

#[test]
fn loom_a_bulkhead_lets_one_in_and_orders_what_they_do() {
    model(|| {
        let bulkhead = bulkhead(1);
        let log = loom::sync::Arc::new(loom::sync::atomic::AtomicUsize::new(0));
        let enter = |bulkhead: &Bulkhead, log: &loom::sync::atomic::AtomicUsize| {
            let _permit = block_on(bulkhead.acquire()).expect("open");
            // Relaxed: only the permit orders the two.
            let seen = log.load(Relaxed);
            log.store(seen + 1, Relaxed);
        };
        let other = thread::spawn({
            let (bulkhead, log) = (bulkhead.clone(), log.clone());
            move || enter(&bulkhead, &log)
        });
        enter(&bulkhead, &log);
        other.join().expect("no panic");
        assert_eq!(log.load(Relaxed), 2);
    });
}

#[test]
fn loom_closing_a_bulkhead_wakes_a_waiter_or_finds_it_served() {
    model(|| {
        let bulkhead = bulkhead(1);
        let held = bulkhead.try_acquire().expect("free").into_owned();
        let waiter = thread::spawn({
            let bulkhead = bulkhead.clone();
            move || match block_on(bulkhead.acquire()) {
                Ok(permit) => drop(permit),
                Err(error) => assert_eq!(error, AcquireError::Closed),
            }
        });
        let closing = thread::spawn({
            let bulkhead = bulkhead.clone();
            move || bulkhead.close()
        });
        drop(held);
        waiter.join().expect("no panic");
        closing.join().expect("no panic");
        let status = bulkhead.status();
        assert_eq!((status.in_use, status.waiting), (0, 0));
    });
}
