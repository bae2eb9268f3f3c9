//! Monitors: each resolves once, none is forgotten, and none leaves a trace.

use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use foundation_types::liveness::ShutdownSignal;
use foundation_types::{Clock, ExitReason, ManualClock, Monitor, MonoTime, Owner, Pid, Timestamp, Wakeup};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{Counter, on_exit, poll, race, waker};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn t17_a_monitor_woken_once_and_resolves_with_the_reason() {
    let owner = Owner::new();
    let pid = owner.pid();
    let woken = Counter::default();
    let waker = woken.waker();
    let mut monitors: Vec<Monitor> = (0..10).map(|_| pid.monitor()).collect();
    for monitor in &mut monitors {
        // Polled again with the same waker, it waits once all the same.
        assert_eq!(poll(monitor, &waker), Poll::Pending);
        assert_eq!(poll(monitor, &waker), Poll::Pending);
    }
    assert_eq!(pid.held(), (0, 10, 0));
    owner.exit(ExitReason::error("over"));
    assert_eq!(woken.get(), 10);
    for monitor in &mut monitors {
        assert_eq!(poll(monitor, &waker), Poll::Ready(ExitReason::error("over")));
    }
    drop(monitors);
    assert_eq!((woken.get(), pid.held()), (10, (0, 0, 0)));
}

#[test]
fn t17_a_monitor_taken_after_death_resolves_at_once() {
    let owner = Owner::new();
    let pid = owner.pid();
    assert!(pid.kill());
    let wakes = Counter::default();
    for _ in 0..3 {
        assert_eq!(poll(&mut pid.monitor(), &wakes.waker()), Poll::Ready(ExitReason::Killed));
    }
    assert_eq!((wakes.get(), pid.held()), (0, (0, 0, 0)));
    drop(owner);
}

#[test]
fn a_monitor_that_moves_to_another_task_wakes_that_one() {
    let owner = Owner::new();
    let (old, new) = (Counter::default(), Counter::default());
    let mut monitor = owner.pid().monitor();
    assert_eq!(poll(&mut monitor, &old.waker()), Poll::Pending);
    assert_eq!(poll(&mut monitor, &new.waker()), Poll::Pending);
    assert_eq!(owner.pid().held(), (0, 1, 0));
    drop(owner);
    assert_eq!((old.get(), new.get()), (0, 1));
}

#[test]
fn t17_a_dropped_monitor_is_not_woken() {
    let owner = Owner::new();
    let (dropped, kept) = (Counter::default(), Counter::default());
    let mut first = owner.pid().monitor();
    let mut second = owner.pid().monitor();
    assert!(poll(&mut first, &dropped.waker()).is_pending());
    assert!(poll(&mut second, &kept.waker()).is_pending());
    drop(first);
    drop(owner);
    assert_eq!((dropped.get(), kept.get()), (0, 1));
}

#[test]
fn t17_monitors_taken_and_dropped_leave_no_trace() {
    let owner = Owner::new();
    let pid = owner.pid();
    let wakes = Counter::default();
    for round in 0..10_000_usize {
        let mut monitors: Vec<Monitor> = (0..round % 4).map(|_| pid.monitor()).collect();
        let mut signal = owner.on_shutdown();
        assert!(monitors.iter_mut().all(|monitor| poll(monitor, &wakes.waker()).is_pending()));
        assert!(poll(&mut signal, &wakes.waker()).is_pending());
        assert_eq!(pid.held(), (0, round % 4, 1));
    }
    assert_eq!(pid.held(), (0, 0, 0));
    drop(owner);
    assert_eq!(wakes.get(), 0);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Take,
    Poll(usize),
    Drop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![Just(Step::Take), any::<usize>().prop_map(Step::Poll), any::<usize>().prop_map(Step::Drop)]
}

proptest! {
    #[test]
    fn t17_the_owner_holds_exactly_the_monitors_that_wait(steps in vec(step(), 1..60)) {
        let owner = Owner::new();
        let pid = owner.pid();
        let mut monitors: Vec<(Monitor, Counter, bool)> = Vec::new();
        let mut dropped = Vec::new();
        for step in steps {
            match step {
                Step::Take => monitors.push((pid.monitor(), Counter::default(), false)),
                Step::Poll(at) if !monitors.is_empty() => {
                    let at = at % monitors.len();
                    let (monitor, wakes, waits) = &mut monitors[at];
                    prop_assert!(poll(monitor, &wakes.waker()).is_pending());
                    *waits = true;
                }
                Step::Drop(at) if !monitors.is_empty() => {
                    let (_, wakes, _) = monitors.swap_remove(at % monitors.len());
                    dropped.push(wakes);
                }
                Step::Poll(_) | Step::Drop(_) => {}
            }
            let waiting = monitors.iter().filter(|(_, _, waits)| *waits).count();
            prop_assert_eq!(pid.held(), (0, waiting, 0));
        }
        drop(owner);
        prop_assert_eq!(pid.held(), (0, 0, 0));
        for (monitor, wakes, waits) in &mut monitors {
            prop_assert_eq!(wakes.get(), usize::from(*waits));
            prop_assert_eq!(poll(monitor, Waker::noop()), Poll::Ready(ExitReason::Normal));
        }
        prop_assert!(dropped.iter().all(|wakes| wakes.get() == 0));
    }
}

#[test]
fn t17_no_wake_up_is_lost_when_monitors_are_taken_while_the_owner_dies() {
    for round in 0..300_u32 {
        let owner = Owner::new();
        let pid = owner.pid();
        let reasons =
            race(
                4,
                |thread| {
                    if thread == 0 { pid.kill().then_some(ExitReason::Killed) } else { Some(pid.monitor().wait()) }
                },
            );
        assert_eq!(reasons, vec![Some(ExitReason::Killed); 4], "round {round}");
        assert_eq!(pid.held(), (0, 0, 0));
        drop(owner);
    }
}

#[test]
fn a_monitor_polled_in_a_hook_is_pending_there_and_resolves_after_the_hooks() {
    let owner = Owner::new();
    let pid = owner.pid();
    let wakes = Counter::default();
    let (slot, taken) = std::sync::mpsc::channel();
    let (inside, count) = (pid.clone(), wakes.clone());
    let hook = move |_: &ExitReason| {
        let mut monitor = inside.monitor();
        let first = poll(&mut monitor, &count.waker());
        slot.send((monitor, first, inside.is_alive(), inside.exit_reason())).expect("the test listens");
    };
    on_exit(&pid, hook).keep();
    drop(owner);
    let (mut monitor, first, alive, reason) = taken.recv().expect("the hook ran");
    assert_eq!((first, alive, reason), (Poll::Pending, false, Some(ExitReason::Normal)));
    assert_eq!(wakes.get(), 1);
    assert_eq!(poll(&mut monitor, Waker::noop()), Poll::Ready(ExitReason::Normal));
}

#[test]
fn a_panicking_waker_does_not_keep_the_others_asleep() {
    let owner = Owner::new();
    let pid = owner.pid();
    let wakes = Counter::default();
    let mut monitors: Vec<Monitor> = (0..3).map(|_| pid.monitor()).collect();
    assert!(poll(&mut monitors[0], &wakes.waker()).is_pending());
    assert!(poll(&mut monitors[1], &waker(|| panic!("on purpose"))).is_pending());
    assert!(poll(&mut monitors[2], &wakes.waker()).is_pending());
    drop(owner);
    assert_eq!((wakes.get(), pid.exit_reason()), (2, Some(ExitReason::Normal)));
}

#[test]
fn an_owner_dropped_by_the_waker_of_its_own_kill_does_not_deadlock() {
    let owner = Owner::new();
    let pid = owner.pid();
    let held = std::sync::Mutex::new(Some(owner));
    let wakes = Counter::default();
    let count = wakes.clone();
    let mut monitor = pid.monitor();
    let drops = waker(move || {
        drop(held.lock().expect("nothing panics under it").take());
        count.add();
    });
    assert!(poll(&mut monitor, &drops).is_pending());
    assert!(pid.kill());
    assert_eq!(wakes.get(), 1);
}

/// A waker whose destructor looks at the pid, which would deadlock if it ran under the lock of the pid.
struct LooksWhenDropped(Pid, Counter);

impl Wake for LooksWhenDropped {
    fn wake(self: Arc<Self>) {}
}

impl Drop for LooksWhenDropped {
    fn drop(&mut self) {
        self.0.held();
        self.1.add();
    }
}

#[test]
fn wakers_are_dropped_outside_the_lock() {
    let owner = Owner::new();
    let pid = owner.pid();
    let drops = Counter::default();
    let look = || Waker::from(Arc::new(LooksWhenDropped(pid.clone(), drops.clone())));
    let mut monitor = pid.monitor();
    let mut signal = owner.on_shutdown();
    for _ in 0..2 {
        assert!(poll(&mut monitor, &look()).is_pending());
        assert!(poll(&mut signal, &look()).is_pending());
    }
    assert_eq!(drops.get(), 2, "the replaced ones");
    drop((monitor, signal));
    assert_eq!(drops.get(), 4, "the cancelled ones");
    let mut monitor = pid.monitor();
    assert!(poll(&mut monitor, &look()).is_pending());
    drop(owner);
    assert_eq!(drops.get(), 5, "the called one");
    assert!(poll(&mut monitor, &look()).is_ready());
}

/// A clock on which something happens as soon as someone waits for time to pass.
struct OnWait<F> {
    clock: ManualClock,
    happens: F,
}

impl<F: Fn(&ManualClock, MonoTime) + Send + Sync + 'static> Clock for OnWait<F> {
    fn mono(&self) -> MonoTime {
        self.clock.mono()
    }

    fn wall(&self) -> Timestamp {
        self.clock.wall()
    }

    fn wake_at(&self, deadline: MonoTime, waker: Waker) -> Wakeup {
        let wakeup = self.clock.wake_at(deadline, waker);
        (self.happens)(&self.clock, deadline);
        wakeup
    }
}

#[test]
fn waiting_until_a_deadline_ends_with_it_and_leaves_no_trace() {
    let owner = Owner::new();
    let pid = owner.pid();
    let clock = OnWait {
        clock: ManualClock::new(),
        happens: |clock: &ManualClock, deadline: MonoTime| clock.advance(deadline.saturating_since(clock.mono())),
    };
    let deadline = clock.mono().saturating_add(SECOND);
    assert_eq!(pid.monitor().wait_until(&clock, deadline), None);
    assert_eq!(clock.mono(), deadline);
    assert_eq!(owner.on_shutdown().wait_until(&clock, deadline.saturating_add(SECOND)), None);
    assert_eq!(clock.mono(), deadline.saturating_add(SECOND));
    assert_eq!((pid.held(), clock.clock.pending()), ((0, 0, 0), 0));
    assert!(pid.is_alive());
}

#[test]
fn waiting_until_a_deadline_ends_with_the_death_before_it() {
    let owner = Owner::new();
    let pid = owner.pid();
    let dies = pid.clone();
    let clock = OnWait { clock: ManualClock::new(), happens: move |_: &ManualClock, _| assert!(dies.kill()) };
    let deadline = clock.mono().saturating_add(SECOND);
    assert_eq!(pid.monitor().wait_until(&clock, deadline), Some(ExitReason::Killed));
    assert_eq!((clock.mono(), clock.clock.pending()), (MonoTime::ORIGIN, 0));
    assert_eq!(owner.on_shutdown().wait_until(&clock, deadline), Some(ExitReason::Killed));
}

#[test]
fn a_death_before_a_deadline_that_has_passed_too_is_reported() {
    let owner = Owner::new();
    let pid = owner.pid();
    let clock = ManualClock::new();
    clock.advance(SECOND);
    assert_eq!(pid.monitor().wait_until(&clock, MonoTime::ORIGIN), None);
    drop(owner);
    assert_eq!(pid.monitor().wait_until(&clock, MonoTime::ORIGIN), Some(ExitReason::Normal));
}

#[test]
fn a_monitor_can_be_awaited_beside_other_futures() {
    let owner = Owner::new();
    let mut both = pin!(async {
        let signal: ShutdownSignal = owner.on_shutdown();
        (signal.await, owner.pid().monitor().await)
    });
    let woken = Counter::default();
    let waker = woken.waker();
    let pid = {
        let mut context = Context::from_waker(&waker);
        assert!(both.as_mut().poll(&mut context).is_pending());
        owner.pid()
    };
    assert!(pid.request_shutdown(ExitReason::Shutdown));
    assert_eq!(woken.get(), 1);
    assert!(both.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let killed = panic::catch_unwind(AssertUnwindSafe(|| pid.kill()));
    assert!(killed.is_ok_and(|won| won));
    assert_eq!(woken.get(), 2);
    let reasons = both.as_mut().poll(&mut Context::from_waker(&waker));
    assert_eq!(reasons, Poll::Ready((ExitReason::Shutdown, ExitReason::Killed)));
}
