//! Exit hooks: each accepted one runs exactly once, before any monitor; a refused one never.

use std::collections::BTreeMap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;

use foundation_types::liveness::{HookGuard, HookId, OnExit};
use foundation_types::{ExitReason, Monitor, Owner, Pid};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{Counter, on_exit, poll, race, waker};

fn counting(counter: &Counter) -> Box<dyn FnOnce(&ExitReason) + Send> {
    let counter = counter.clone();
    Box::new(move |_| counter.add())
}

impl OnExit for Counter {
    fn on_exit(self: Arc<Self>, _: &ExitReason) {
        self.add();
    }
}

#[test]
fn t18_each_accepted_hook_runs_once_and_each_refused_one_never() {
    const THREADS: usize = 4;
    const EACH: usize = 50;
    let (mut accepted_at_all, mut refused_at_all) = (0, 0);
    for _ in 0..100 {
        let owner = Owner::new();
        let pid = owner.pid();
        let half_way = Barrier::new(THREADS);
        let offered = race(THREADS, |thread| {
            let mut offered = Vec::new();
            for number in 0..EACH {
                if number == EACH / 2 {
                    half_way.wait();
                    if thread == 0 {
                        assert!(pid.kill());
                    }
                }
                let (boxed, shared) = (Counter::default(), Counter::default());
                let accepted = pid.on_exit(counting(&boxed)).map(HookGuard::keep).is_ok();
                offered.push((boxed, accepted));
                let accepted = pid.attach(Arc::new(shared.clone())).is_ok();
                offered.push((shared, accepted));
            }
            offered
        });
        drop(owner);
        for (counter, accepted) in offered.iter().flatten() {
            assert_eq!(counter.get(), usize::from(*accepted));
        }
        let accepted = offered.iter().flatten().filter(|(_, accepted)| *accepted).count();
        accepted_at_all += accepted;
        refused_at_all += THREADS * EACH * 2 - accepted;
        assert_eq!(pid.held(), (0, 0, 0));
    }
    assert!(accepted_at_all >= 100 * THREADS * EACH, "those of the first half");
    assert!(refused_at_all >= 100 * EACH, "those of the killer's second half");
}

#[test]
fn t18_all_hooks_run_before_any_monitor_resolves() {
    const HOOKS: usize = 20;
    for _ in 0..100 {
        let owner = Owner::new();
        let pid = owner.pid();
        let ran = Counter::default();
        for _ in 0..HOOKS {
            on_exit(&pid, counting(&ran)).keep();
        }
        let (at_wake, seen) = mpsc::channel();
        let count = ran.clone();
        let reports = waker(move || at_wake.send(count.get()).expect("the test listens"));
        let mut monitor = pid.monitor();
        assert!(poll(&mut monitor, &reports).is_pending());
        let after = race(4, |thread| {
            if thread == 0 {
                pid.kill();
            } else {
                pid.monitor().wait();
            }
            ran.get()
        });
        assert_eq!(after, vec![HOOKS; 4]);
        assert_eq!(seen.recv(), Ok(HOOKS));
        drop(owner);
    }
}

/// A panic payload whose destructor panics, with a payload of the same kind `0` times more.
struct Nasty(u8);

impl Drop for Nasty {
    fn drop(&mut self) {
        if self.0 > 0 {
            panic_any(Nasty(self.0 - 1));
        }
    }
}

#[test]
fn t18_a_panicking_hook_neither_stops_the_others_nor_gets_out_of_the_drop() {
    let owner = Owner::new();
    let pid = owner.pid();
    let ran = Counter::default();
    for number in 0..5_u8 {
        on_exit(&pid, counting(&ran)).keep();
        let panics = move |_: &ExitReason| match number {
            0 => panic!("on purpose"),
            number => panic_any(Nasty(number)),
        };
        on_exit(&pid, panics).keep();
    }
    let monitor = pid.monitor();
    drop(owner);
    assert_eq!(ran.get(), 5);
    assert_eq!(monitor.wait(), ExitReason::Normal);
}

#[test]
fn t18_a_hook_may_panic_while_its_owner_is_dropped_by_a_panic() {
    let owner = Owner::new();
    let pid = owner.pid();
    let ran = Counter::default();
    on_exit(&pid, |_| panic!("in the hook, on purpose")).keep();
    on_exit(&pid, counting(&ran)).keep();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _owner = owner;
        panic!("on purpose");
    }));
    let payload = unwound.expect_err("the panic goes on");
    assert_eq!(payload.downcast_ref(), Some(&"on purpose"), "and is the first one");
    assert_eq!(ran.get(), 1);
    assert!(matches!(pid.exit_reason(), Some(ExitReason::Panic(_))));
}

#[test]
fn a_refused_hook_comes_back_ready_to_be_used() {
    let owner = Owner::new();
    let pid = owner.pid();
    drop(owner);
    let ran = Counter::default();
    let hook = pid.on_exit(counting(&ran)).expect_err("dead");
    assert_eq!(ran.get(), 0);
    hook(&ExitReason::Normal);
    assert_eq!(ran.get(), 1);
    let shared = Arc::new(ran.clone());
    let Err(back) = pid.attach(shared) else { panic!("dead pids take no hooks") };
    back.on_exit(&ExitReason::Normal);
    assert_eq!(ran.get(), 2);
}

#[test]
fn a_hook_runs_on_the_thread_that_caused_the_death_and_sees_the_pid_dead() {
    let owner = Owner::new();
    let pid = owner.pid();
    let (sender, receiver) = mpsc::channel();
    let inside = pid.clone();
    let hook = move |reason: &ExitReason| {
        let refused = inside.on_exit(Box::new(|_| ())).is_err();
        let seen = (thread::current().id(), reason.clone(), inside.exit_reason(), refused, inside.kill());
        sender.send(seen).expect("the test listens");
    };
    on_exit(&pid, hook).keep();
    let killer = thread::spawn(move || {
        assert!(pid.kill());
        thread::current().id()
    });
    let thread = killer.join().expect("it does not panic");
    assert_eq!(receiver.recv(), Ok((thread, ExitReason::Killed, Some(ExitReason::Killed), true, false)));
    drop(owner);
}

#[test]
fn a_hook_guard_removes_its_hook_unless_kept() {
    let owner = Owner::new();
    let pid = owner.pid();
    let (kept, dropped, removed, held) =
        (Counter::default(), Counter::default(), Counter::default(), Counter::default());
    on_exit(&pid, counting(&kept)).keep();
    drop(on_exit(&pid, counting(&dropped)));
    assert!(on_exit(&pid, counting(&removed)).remove());
    let guard = on_exit(&pid, counting(&held));
    assert_eq!(pid.held(), (2, 0, 0));
    drop(owner);
    assert_eq!([&kept, &dropped, &removed, &held].map(Counter::get), [1, 0, 0, 1]);
    assert!(!guard.remove(), "the death has taken it");
}

#[test]
fn removing_a_hook_is_idempotent_and_never_touches_a_later_one() {
    let owner = Owner::new();
    let pid = owner.pid();
    let (first, second) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
    let attach = |counter: &Arc<Counter>| {
        let Ok(id) = pid.attach(counter.clone()) else { panic!("the owner is alive") };
        id
    };
    let id = attach(&first);
    assert!(pid.detach(id));
    assert!(!pid.detach(id));
    let later = attach(&second);
    assert_ne!(id, later);
    assert!(!pid.detach(id), "the slot is used again, by another hook");
    drop(owner);
    assert!(!pid.detach(later));
    assert_eq!((first.get(), second.get()), (0, 1));
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 1), "nothing holds them any more");
}

/// Looks at a pid when dropped, which would deadlock if it happened under the lock of the pid.
struct LooksWhenDropped(Pid, Counter);

impl Drop for LooksWhenDropped {
    fn drop(&mut self) {
        self.0.held();
        self.1.add();
    }
}

#[test]
fn hooks_run_and_are_dropped_outside_the_lock() {
    let owner = Owner::new();
    let pid = owner.pid();
    let drops = Counter::default();
    let hook = || {
        let looks = LooksWhenDropped(pid.clone(), drops.clone());
        move |_: &ExitReason| drop(looks)
    };
    drop(on_exit(&pid, hook()));
    assert_eq!(drops.get(), 1);
    on_exit(&pid, hook()).keep();
    drop(owner);
    assert_eq!(drops.get(), 2);
    assert!(pid.on_exit(Box::new(hook())).is_err());
    assert_eq!(drops.get(), 3);
}

#[test]
fn an_owner_dropped_in_its_own_hook_does_not_deadlock() {
    let owner = Owner::new();
    let pid = owner.pid();
    let ran = Counter::default();
    on_exit(&pid, counting(&ran)).keep();
    on_exit(&pid, move |_| drop(owner)).keep();
    on_exit(&pid, counting(&ran)).keep();
    let monitor = pid.monitor();
    assert!(pid.kill());
    assert_eq!(ran.get(), 2);
    assert_eq!(monitor.wait(), ExitReason::Killed);
}

#[test]
fn owners_that_hold_each_other_in_their_hooks_die_together() {
    let (first, second) = (Owner::new(), Owner::new());
    let pids = [first.pid(), second.pid()];
    on_exit(&pids[0], move |_| drop(second)).keep();
    on_exit(&pids[1], move |_| drop(first)).keep();
    assert!(pids[0].kill());
    assert_eq!(pids.map(|pid| pid.monitor().wait()), [ExitReason::Killed, ExitReason::Normal]);
}

#[test]
fn dropping_an_owner_waits_for_the_hooks_that_a_kill_runs() {
    for _ in 0..100 {
        let owner = Owner::new();
        let pid = owner.pid();
        let (entered, wait_entered) = mpsc::channel();
        let (release, wait_release) = mpsc::channel();
        let ran = Counter::default();
        let count = ran.clone();
        let hook = move |_: &ExitReason| {
            entered.send(()).expect("the test listens");
            wait_release.recv().expect("the test releases");
            count.add();
        };
        on_exit(&pid, hook).keep();
        thread::scope(|scope| {
            scope.spawn(|| assert!(pid.kill()));
            wait_entered.recv().expect("the hook runs");
            assert!(!pid.is_alive(), "dead before the hooks are done");
            scope.spawn(move || release.send(()).expect("the hook waits"));
            drop(owner);
            assert_eq!(ran.get(), 1);
        });
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Attach,
    Guard,
    Detach(usize),
    DropGuard(usize),
    KeepGuard(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Attach),
        3 => Just(Step::Guard),
        2 => any::<usize>().prop_map(Step::Detach),
        1 => any::<usize>().prop_map(Step::DropGuard),
        1 => any::<usize>().prop_map(Step::KeepGuard),
    ]
}

proptest! {
    #[test]
    fn t18_exactly_the_hooks_left_in_place_run(steps in vec(step(), 1..60)) {
        let owner = Owner::new();
        let pid = owner.pid();
        let log = Arc::new(Mutex::new(BTreeMap::<usize, usize>::new()));
        let mut in_place: Vec<usize> = Vec::new();
        let mut ids: Vec<(usize, HookId)> = Vec::new();
        let mut guards: Vec<(usize, HookGuard)> = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            let run = move |log: &Mutex<BTreeMap<usize, usize>>| {
                *log.lock().expect("nothing panics under it").entry(number).or_default() += 1;
            };
            match step {
                Step::Attach => {
                    struct Shared<F>(F);
                    impl<F: Fn() + Send + Sync> OnExit for Shared<F> {
                        fn on_exit(self: Arc<Self>, _: &ExitReason) {
                            (self.0)();
                        }
                    }
                    let log = log.clone();
                    let Ok(id) = pid.attach(Arc::new(Shared(move || run(&log)))) else { panic!("alive") };
                    ids.push((number, id));
                    in_place.push(number);
                }
                Step::Guard => {
                    let log = log.clone();
                    guards.push((number, on_exit(&pid, move |_| run(&log))));
                    in_place.push(number);
                }
                // Ids are not forgotten, so that stale ones are used again.
                Step::Detach(at) if !ids.is_empty() => {
                    let (number, id) = ids[at % ids.len()];
                    prop_assert_eq!(pid.detach(id), in_place.contains(&number));
                    in_place.retain(|&other| other != number);
                }
                Step::DropGuard(at) if !guards.is_empty() => {
                    let (number, guard) = guards.swap_remove(at % guards.len());
                    drop(guard);
                    in_place.retain(|&other| other != number);
                }
                Step::KeepGuard(at) if !guards.is_empty() => guards.swap_remove(at % guards.len()).1.keep(),
                Step::Detach(_) | Step::DropGuard(_) | Step::KeepGuard(_) => {}
            }
            prop_assert_eq!(pid.held(), (in_place.len(), 0, 0));
        }
        drop(owner);
        let log = mem::take(&mut *log.lock().expect("nothing panics under it"));
        prop_assert_eq!(log, in_place.into_iter().map(|number| (number, 1)).collect());
    }
}

#[test]
fn hooks_detached_while_the_owner_dies_run_once_or_not_at_all() {
    for _ in 0..200 {
        let owner = Owner::new();
        let pid = owner.pid();
        let counters: Vec<Counter> = (0..8).map(|_| Counter::default()).collect();
        let guards: Vec<_> = counters.iter().map(|counter| on_exit(&pid, counting(counter))).collect();
        let guards = Mutex::new(Some(guards));
        let removed = race(2, |thread| {
            if thread == 0 {
                pid.kill();
                return Vec::new();
            }
            let guards = guards.lock().expect("nothing panics under it").take().expect("taken once");
            guards.into_iter().map(HookGuard::remove).collect()
        });
        assert_eq!(removed[1].len(), counters.len());
        for (removed, counter) in removed[1].iter().zip(&counters) {
            assert_eq!(counter.get(), usize::from(!removed));
        }
        drop(owner);
    }
}

#[test]
fn a_hook_may_wait_for_the_monitor_of_another_owner() {
    let (first, second) = (Owner::new(), Owner::new());
    let (pid, other): (Pid, Monitor) = (first.pid(), second.pid().monitor());
    let (sender, receiver) = mpsc::channel();
    let hook = move |_: &ExitReason| {
        drop(second);
        sender.send(other.wait()).expect("the test listens");
    };
    on_exit(&pid, hook).keep();
    drop(first);
    assert_eq!(receiver.recv(), Ok(ExitReason::Normal));
}
