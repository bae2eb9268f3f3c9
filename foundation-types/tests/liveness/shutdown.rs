//! Asking an owner to stop.

use std::task::{Poll, Waker};

use foundation_types::{ExitReason, Owner};

use crate::{Counter, poll, race};

#[test]
fn a_shutdown_request_does_not_kill() {
    let owner = Owner::new();
    let pid = owner.pid();
    assert_eq!(owner.shutdown_requested(), None);
    assert!(pid.request_shutdown(ExitReason::Shutdown));
    assert!(pid.is_alive());
    assert_eq!(pid.exit_reason(), None);
    assert_eq!(owner.shutdown_requested(), Some(ExitReason::Shutdown));
    owner.exit(ExitReason::Normal);
    assert_eq!(pid.exit_reason(), Some(ExitReason::Normal), "the reason of the request is not that of the death");
    assert!(!pid.request_shutdown(ExitReason::Shutdown));
}

#[test]
fn the_signal_is_level_triggered() {
    let owner = Owner::new();
    let wakes = Counter::default();
    let mut early = owner.on_shutdown();
    assert_eq!(early.requested(), None);
    assert!(poll(&mut early, &wakes.waker()).is_pending());
    assert!(owner.pid().request_shutdown(ExitReason::Shutdown));
    assert_eq!((wakes.get(), owner.pid().held()), (1, (0, 0, 0)));
    assert_eq!(poll(&mut early, Waker::noop()), Poll::Ready(ExitReason::Shutdown));
    for _ in 0..2 {
        let mut late = owner.on_shutdown();
        assert_eq!(late.requested(), Some(ExitReason::Shutdown));
        assert_eq!(poll(&mut late, Waker::noop()), Poll::Ready(ExitReason::Shutdown));
        assert_eq!(late.wait(), ExitReason::Shutdown);
    }
}

#[test]
fn the_first_request_stands_and_wakes_once() {
    let owner = Owner::new();
    let pid = owner.pid();
    let wakes = Counter::default();
    let mut signal = owner.on_shutdown();
    assert!(poll(&mut signal, &wakes.waker()).is_pending());
    assert!(pid.request_shutdown(ExitReason::error("first")));
    assert!(pid.request_shutdown(ExitReason::error("second")), "it is alive, and asked");
    assert!(pid.kill());
    assert_eq!(wakes.get(), 1);
    assert_eq!(owner.shutdown_requested(), Some(ExitReason::error("first")));
    assert_eq!(signal.wait(), ExitReason::error("first"));
}

#[test]
fn death_raises_the_signal() {
    let killed = Owner::new();
    let wakes = Counter::default();
    let mut signal = killed.on_shutdown();
    assert!(poll(&mut signal, &wakes.waker()).is_pending());
    assert!(killed.pid().kill());
    assert_eq!(wakes.get(), 1);
    assert_eq!(poll(&mut signal, Waker::noop()), Poll::Ready(ExitReason::Killed));

    let ended = Owner::new();
    let signal = ended.on_shutdown();
    ended.exit(ExitReason::error("done for"));
    assert_eq!(signal.wait(), ExitReason::error("done for"));
}

#[test]
fn clones_of_a_signal_wait_each_for_itself() {
    let owner = Owner::new();
    let (first, second) = (Counter::default(), Counter::default());
    let mut signal = owner.on_shutdown();
    assert!(poll(&mut signal, &first.waker()).is_pending());
    let mut clone = signal.clone();
    assert!(poll(&mut clone, &second.waker()).is_pending());
    assert_eq!(owner.pid().held(), (0, 0, 2));
    drop(signal);
    assert_eq!(owner.pid().held(), (0, 0, 1));
    assert!(owner.pid().request_shutdown(ExitReason::Shutdown));
    assert_eq!((first.get(), second.get()), (0, 1));
}

#[test]
fn no_request_is_lost_when_the_owner_begins_to_wait_meanwhile() {
    for _ in 0..300 {
        let owner = Owner::new();
        let reasons = race(3, |thread| {
            if thread == 0 {
                assert!(owner.pid().request_shutdown(ExitReason::Shutdown));
                ExitReason::Shutdown
            } else {
                owner.on_shutdown().wait()
            }
        });
        assert_eq!(reasons, vec![ExitReason::Shutdown; 3]);
        assert_eq!(owner.pid().held(), (0, 0, 0));
    }
}
