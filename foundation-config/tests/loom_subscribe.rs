//! Models of waiting for changes on the store itself: every interleaving of whoever waits with commits, with the end of the
//! store and with each other.
#![cfg(loom)]

use foundation_config::{Delivery, Dynamic, Filter, Path, Store, Subscription, Version};
use loom::future::block_on;
use loom::thread;

fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    // Three switches away from a runnable thread find every known kind of race.
    model.preemption_bound = Some(3);
    model.max_branches = 10_000;
    model.check(run);
}

fn store() -> Store<Dynamic> {
    Store::builder().build().expect("no rules")
}

fn path(text: &str) -> Path {
    text.parse().expect("a path")
}

/// All that is delivered until the store is gone.
fn hear_all(mut subscription: Subscription<Dynamic>) -> Vec<u64> {
    let mut versions = Vec::new();
    while let Some(delivery) = block_on(subscription.recv()) {
        match delivery {
            Delivery::Change(change) => versions.push(change.version().get()),
            Delivery::Lagged { .. } => panic!("enough is remembered"),
        }
    }
    versions
}

#[test]
fn loom_a_change_is_delivered_to_who_waits_whenever_they_begin_to() {
    model(|| {
        let store = store();
        let mut subscription = store.subscribe(Filter::path(path("a"))).expect("room");
        let waiting = thread::spawn(move || match block_on(subscription.recv()) {
            Some(Delivery::Change(change)) => change.version(),
            other => panic!("{other:?}"),
        });
        let committed = store.update("a.b", 1).expect("no rules");
        // The store lives on, so nothing but the commit can have woken it.
        assert_eq!(waiting.join().expect("no panic"), committed.version());
        assert_eq!(committed.version(), Version::new(2));
    });
}

#[test]
fn loom_what_was_committed_is_delivered_before_the_end_and_the_end_wakes() {
    model(|| {
        let store = store();
        let subscription = store.subscribe(Filter::path(path("a"))).expect("room");
        let waiting = thread::spawn(move || hear_all(subscription));
        let _ = store.update("a", 1).expect("no rules");
        let _ = store.update("b", 1).expect("no rules");
        drop(store);
        assert_eq!(waiting.join().expect("no panic"), [2]);
    });
}

#[test]
fn loom_one_who_goes_does_not_keep_another_from_waking() {
    model(|| {
        let store = store();
        let mut stays = store.subscribe(Filter::path(path("a"))).expect("room");
        let mut goes = store.subscribe(Filter::path(path("a"))).expect("room");
        let waiting = thread::spawn(move || block_on(stays.recv()).is_some());
        let going = thread::spawn(move || {
            // Noted, and dropped while it may be woken.
            let waker = std::task::Waker::noop();
            let polled = std::pin::pin!(goes.recv()).as_mut().poll(&mut std::task::Context::from_waker(waker));
            drop(polled);
        });
        let _ = store.update("a", 1).expect("no rules");
        assert!(waiting.join().expect("no panic"));
        going.join().expect("no panic");
        assert_eq!(store.status().subscriptions, 0);
    });
}
