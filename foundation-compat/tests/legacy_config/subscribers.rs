//! Whom changes are told.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use foundation_compat::config::{ConfigNotification, SubscriberId};
use foundation_compat::foundation_types::{Name, block_on};
use foundation_compat::{ExitReason, Owner, Value};

use crate::session::{Session, code};

fn updated(path: &str, value: impl Into<Value>) -> ConfigNotification {
    ConfigNotification::Updated { path: path.parse().expect("a path"), value: value.into() }
}

#[test]
fn every_change_is_told_once_and_in_order() {
    let Session { config, .. } = Session::new();
    let mut changes = config.subscribe().expect("it runs");
    assert_eq!(changes.try_recv(), None);
    config.update("interface.max_results", 5).expect("it may change");
    config.update("interface.max_results", 5).expect("it may change");
    assert_eq!(code(config.update("interface.max_results", 0)), Some(1001));
    config.update("infrastructure.protection.a.b", 1).expect("it may change");
    config.reset().expect("the defaults are valid");
    assert_eq!(changes.try_recv(), Some(updated("interface.max_results", 5)));
    assert_eq!(changes.try_recv(), Some(updated("interface.max_results", 5)));
    assert_eq!(changes.try_recv(), Some(updated("infrastructure.protection.a.b", 1)));
    assert_eq!(changes.try_recv(), Some(ConfigNotification::Reset(config.get_0().expect("it runs"))));
    assert_eq!(changes.try_recv(), None);
}

#[test]
fn a_transaction_is_told_place_by_place() {
    let session = Session::new();
    let mut changes = session.config.subscribe().expect("it runs");
    let written = session.foundation.settings().transaction(|writes| {
        writes.set("dev.debug_mode", true)?;
        writes.set("interface.max_results", 5)
    });
    assert!(written.is_ok());
    assert_eq!(changes.try_recv(), Some(updated("dev.debug_mode", true)));
    assert_eq!(changes.try_recv(), Some(updated("interface.max_results", 5)));
    assert_eq!(changes.try_recv(), None);
    assert_eq!(session.running().updates_count, 0, "what was not written through the old functions does not count");
}

#[test]
fn what_lies_beside_the_sections_is_not_told() {
    let session = Session::new();
    let mut changes = session.config.subscribe().expect("it runs");
    session.foundation.settings().update("mine.x", 1).expect("anything may be there");
    assert_eq!(changes.try_recv(), None);
    assert_eq!(code(session.config.get("mine.x")), Some(1302));
    let whole = session.config.get("").expect("it is there");
    assert!(!whole.as_map().expect("a map").contains_key("mine"));
    assert!(session.config.get_0().expect("it runs").other.is_empty());
}

#[test]
fn who_falls_behind_is_told_how_much_was_missed() {
    let session = Session::new();
    let mut changes = session.config.subscribe().expect("it runs");
    for count in 1..=1030 {
        session.config.update("interface.max_results", count).expect("it may change");
    }
    let Some(ConfigNotification::Lagged { missed }) = changes.try_recv() else { panic!("it fell behind") };
    let left = std::iter::from_fn(|| changes.try_recv()).count();
    assert_eq!(usize::try_from(missed).expect("few") + left, 1030);
    assert!(left > 0);
}

#[test]
fn a_waiting_subscriber_is_woken() {
    let session = Session::new();
    let mut changes = session.config.subscribe().expect("it runs");
    let config = session.config.clone();
    thread::scope(|scope| {
        let waiting = scope.spawn(move || block_on(changes.recv()));
        config.update("dev.debug_mode", true).expect("it may change");
        assert_eq!(waiting.join().expect("no panic"), Some(updated("dev.debug_mode", true)));
    });
}

#[test]
fn a_wait_ends_with_its_time_on_the_clock_of_the_instance() {
    let session = Session::new();
    let mut changes = session.config.subscribe().expect("it runs");
    let clock = session.clock.clone();
    thread::scope(|scope| {
        let waiting = scope.spawn(move || changes.recv_timeout(Duration::from_mins(1)));
        while clock.next_deadline().is_none() {
            thread::yield_now();
        }
        clock.advance(Duration::from_mins(1));
        assert_eq!(waiting.join().expect("no panic"), None);
    });
}

#[test]
fn subscriptions_are_counted_while_they_are_there() {
    let session = Session::new();
    let one = session.config.subscribe().expect("it runs");
    let two = session.config.subscribe().expect("it runs");
    let (sender, _receiver) = mpsc::channel();
    session.server.subscribe(&Name::from_static("log").into(), sender).expect("it runs");
    assert_eq!(session.running().subscribers_count, 3);
    drop(one);
    foundation_compat::config::unsubscribe(two);
    session.server.unsubscribe(&Name::from_static("log").into());
    session.server.unsubscribe(&Name::from_static("nobody").into());
    assert_eq!(session.running().subscribers_count, 0);
}

#[test]
fn a_channel_is_told_before_the_write_returns_and_once_for_each_id() {
    let Session { config, server, .. } = Session::new();
    let (sender, receiver) = mpsc::channel();
    let id = SubscriberId::from(Name::from_static("log"));
    server.subscribe(&id, sender.clone()).expect("it runs");
    server.subscribe(&id, sender).expect("it runs");
    config.update("dev.debug_mode", true).expect("it may change");
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [updated("dev.debug_mode", true)]);
}

#[test]
fn a_subscription_ends_with_its_process_and_with_its_receiver() {
    let session = Session::new();
    let owner = Owner::new();
    let (sender, receiver) = mpsc::channel();
    session.server.subscribe(&owner.pid().into(), sender.clone()).expect("it runs");
    assert_eq!((session.running().subscribers_count, owner.pid().held().0), (1, 1));
    let pid = owner.pid();
    session.server.unsubscribe(&pid.clone().into());
    assert_eq!(pid.held().0, 0, "nothing is left at the process");
    session.server.subscribe(&pid.clone().into(), sender.clone()).expect("it runs");
    owner.exit(ExitReason::Normal);
    assert_eq!(session.running().subscribers_count, 0);
    session.server.subscribe(&pid.into(), sender).expect("it does nothing for the dead");
    assert_eq!(session.running().subscribers_count, 0);

    let (sender, gone) = mpsc::channel();
    session.server.subscribe(&Name::from_static("log").into(), sender).expect("it runs");
    drop(gone);
    session.config.update("dev.debug_mode", true).expect("it may change");
    assert_eq!(session.running().subscribers_count, 0);
    assert_eq!(receiver.try_iter().count(), 0);
}

#[test]
fn p11_writers_at_the_same_time_are_told_of_in_the_order_of_their_versions() {
    const WRITERS: i64 = 4;
    const WRITES: i64 = 50;
    let session = Arc::new(Session::new());
    let (sender, receiver) = mpsc::channel();
    session.server.subscribe(&Name::from_static("log").into(), sender).expect("it runs");
    let mut changes = session.config.subscribe().expect("it runs");
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let session = &session;
            scope.spawn(move || {
                for write in 0..WRITES {
                    let value = writer * WRITES + write + 1;
                    session.config.update("interface.max_results", value).expect("it may change");
                }
            });
        }
    });
    let pushed: Vec<_> = receiver.try_iter().collect();
    let pulled: Vec<_> = std::iter::from_fn(|| changes.try_recv()).collect();
    assert_eq!(pushed, pulled);
    assert_eq!(pushed.len(), usize::try_from(WRITERS * WRITES).expect("few"));
    assert_eq!(session.running().updates_count, (WRITERS * WRITES).unsigned_abs());
    let last = session.config.get("interface.max_results").expect("it is there");
    assert_eq!(pushed.last(), Some(&updated("interface.max_results", last)));
}
