//! Every interleaving of small programs of owners, pids, hooks and monitors, as allowed by the memory model.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release -p foundation-types --test loom_liveness`.
//!
//! The search is exhaustive, except where a model says that it bounds the preemptions.
//! What hooks and wakers write here is written and read relaxed, so that a model fails unless the order comes from the
//! code under test.
#![cfg(loom)]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool as StdBool;
use std::task::{Context, Poll, Wake};

use foundation_types::liveness::{HookGuard, no_death_in_progress};
use foundation_types::{ExitReason, Owner, Pid};
use loom::model::Builder;
use loom::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use loom::thread;

/// Something that happens once in every execution of a model that counts; clones are the same.
#[derive(Clone)]
struct Happened(Arc<AtomicUsize>);

impl Happened {
    fn new() -> Self {
        Self(Arc::new(AtomicUsize::new(0)))
    }

    fn note(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn times(&self) -> usize {
        self.0.load(Relaxed)
    }

    fn hook(&self) -> Box<dyn FnOnce(&ExitReason) + Send> {
        let this = self.clone();
        Box::new(move |_| this.note())
    }
}

impl Wake for Happened {
    fn wake(self: Arc<Self>) {
        self.note();
    }
}

/// Whether some execution of the model took a path; shows that a model is not vacuous.
#[derive(Clone, Default)]
struct Reached(Arc<StdBool>);

impl Reached {
    fn mark(&self) {
        self.0.store(true, Relaxed);
    }

    fn assert(&self, path: &str) {
        assert!(self.0.load(Relaxed), "no execution reached: {path}");
    }
}

fn keep(pid: &Pid, hook: Box<dyn FnOnce(&ExitReason) + Send>) -> bool {
    pid.on_exit(hook).map(HookGuard::keep).is_ok()
}

fn join<T>(handle: thread::JoinHandle<T>) -> T {
    handle.join().expect("threads of a model do not panic")
}

#[test]
fn loom_t16_two_deaths_have_one_reason() {
    let paths = [Reached::default(), Reached::default()];
    let [by_kill, by_exit] = paths.clone();
    loom::model(move || {
        let owner = Owner::new();
        let pid = owner.pid();
        let killer = thread::spawn({
            let pid = pid.clone();
            move || (pid.kill(), pid.exit_reason())
        });
        owner.exit(ExitReason::Shutdown);
        let here = pid.exit_reason();
        let (won, there) = join(killer);
        assert_eq!(here, there);
        assert_eq!(here, Some(if won { ExitReason::Killed } else { ExitReason::Shutdown }));
        if won { by_kill.mark() } else { by_exit.mark() }
    });
    paths[0].assert("killed");
    paths[1].assert("exited");
}

#[test]
fn loom_t16_death_is_seen_with_its_reason_and_for_ever() {
    let paths = [Reached::default(), Reached::default()];
    let [saw_alive, saw_dead] = paths.clone();
    loom::model(move || {
        let owner = Owner::new();
        let pid = owner.pid();
        let written = Happened::new();
        let observer = thread::spawn({
            let written = written.clone();
            move || {
                let alive = pid.is_alive();
                let reason = pid.exit_reason();
                let later = pid.is_alive();
                (alive, reason, later, written.times())
            }
        });
        written.note();
        drop(owner);
        let (alive, reason, later, seen) = join(observer);
        if alive {
            saw_alive.mark();
        } else {
            assert_eq!((reason.as_ref(), seen), (Some(&ExitReason::Normal), 1));
            saw_dead.mark();
        }
        assert!(reason.is_none() || !later);
    });
    paths[0].assert("alive");
    paths[1].assert("dead");
}

#[test]
fn loom_t18_a_hook_offered_while_the_owner_dies_runs_once_or_is_refused() {
    let paths = [Reached::default(), Reached::default()];
    let [accepted, refused] = paths.clone();
    loom::model(move || {
        let owner = Owner::new();
        let pid = owner.pid();
        // With a hook in place there is a first phase, in which offers must be refused already.
        let (first, ran) = (Happened::new(), Happened::new());
        assert!(keep(&pid, first.hook()));
        let offer = thread::spawn({
            let ran = ran.clone();
            move || keep(&pid, ran.hook())
        });
        drop(owner);
        let taken = join(offer);
        assert_eq!((first.times(), ran.times()), (1, usize::from(taken)));
        if taken { accepted.mark() } else { refused.mark() }
    });
    paths[0].assert("accepted");
    paths[1].assert("refused");
}

#[test]
fn loom_t18_a_hook_removed_while_the_owner_dies_runs_or_is_removed() {
    let paths = [Reached::default(), Reached::default()];
    let [removed, taken] = paths.clone();
    loom::model(move || {
        let owner = Owner::new();
        let ran = Happened::new();
        let guard = owner.pid().on_exit(ran.hook()).unwrap_or_else(|_| panic!("the owner is alive"));
        let other = thread::spawn(move || guard.remove());
        drop(owner);
        let was_there = join(other);
        assert_eq!(ran.times(), usize::from(!was_there));
        if was_there { removed.mark() } else { taken.mark() }
    });
    paths[0].assert("removed");
    paths[1].assert("taken");
}

#[test]
fn loom_t18_two_deaths_run_a_hook_once_and_both_return_after_it() {
    loom::model(|| {
        let owner = Owner::new();
        let pid = owner.pid();
        let ran = Happened::new();
        assert!(keep(&pid, ran.hook()));
        let killer = thread::spawn({
            let ran = ran.clone();
            move || pid.kill().then(|| ran.times())
        });
        drop(owner);
        assert_eq!(ran.times(), 1, "the drop waits for the hooks of the kill");
        assert!(matches!(join(killer), None | Some(1)));
    });
}

#[test]
fn loom_t17_a_monitor_taken_while_the_owner_dies_is_woken() {
    loom::model(|| {
        let owner = Owner::new();
        let pid = owner.pid();
        // A lost wake-up would leave this thread waiting, which loom reports as a deadlock.
        let waiter = thread::spawn({
            let pid = pid.clone();
            move || pid.monitor().wait()
        });
        drop(owner);
        assert_eq!(join(waiter), ExitReason::Normal);
    });
}

#[test]
fn loom_t17_a_monitor_dropped_while_the_owner_dies_is_woken_at_most_once() {
    let paths = [Reached::default(), Reached::default(), Reached::default()];
    let [woken, cancelled, ready] = paths.clone();
    loom::model(move || {
        let owner = Owner::new();
        let pid = owner.pid();
        let called = Happened::new();
        let waiter = thread::spawn({
            let (pid, waker) = (pid.clone(), Arc::new(called.clone()).into());
            move || {
                let mut monitor = pid.monitor();
                Pin::new(&mut monitor).poll(&mut Context::from_waker(&waker))
            }
        });
        drop(owner);
        match (join(waiter), called.times()) {
            (Poll::Pending, 1) => woken.mark(),
            (Poll::Pending, 0) => cancelled.mark(),
            (Poll::Ready(ExitReason::Normal), 0) => ready.mark(),
            other => panic!("{other:?}"),
        }
    });
    for (path, name) in paths.iter().zip(["woken", "cancelled", "ready"]) {
        path.assert(name);
    }
}

#[test]
fn loom_t18_hooks_run_before_a_monitor_resolves() {
    loom::model(|| {
        let owner = Owner::new();
        let pid = owner.pid();
        let ran = Happened::new();
        assert!(keep(&pid, ran.hook()));
        let waiter = thread::spawn({
            let ran = ran.clone();
            move || {
                let reason = pid.monitor().wait();
                (reason, ran.times())
            }
        });
        drop(owner);
        assert_eq!(join(waiter), (ExitReason::Normal, 1));
    });
}

#[test]
fn loom_a_drop_returns_after_the_wakers_that_a_kill_calls() {
    loom::model(|| {
        let owner = Owner::new();
        let pid = owner.pid();
        let called = Happened::new();
        let waker = Arc::new(called.clone()).into();
        let mut monitor = pid.monitor();
        assert!(Pin::new(&mut monitor).poll(&mut Context::from_waker(&waker)).is_pending());
        let killer = thread::spawn(move || pid.kill());
        drop(owner);
        assert_eq!(called.times(), 1);
        join(killer);
    });
}

#[test]
fn loom_t17_a_monitor_resolves_once_and_after_the_hooks_when_two_threads_kill() {
    // All executions take ten seconds; those with at most four preemptions a fraction of one.
    let mut builder = Builder::new();
    builder.preemption_bound = Some(4);
    builder.check(|| {
        let owner = Owner::new();
        let pid = owner.pid();
        let ran = Happened::new();
        assert!(keep(&pid, ran.hook()));
        let kill = || {
            let pid = pid.clone();
            thread::spawn(move || pid.kill())
        };
        let killers = [kill(), kill()];
        assert_eq!(pid.monitor().wait(), ExitReason::Killed);
        assert_eq!(ran.times(), 1);
        let won = killers.map(join);
        assert!(won[0] != won[1]);
        drop(owner);
    });
}

#[test]
fn loom_whoever_saw_an_owner_dead_and_then_no_death_in_progress_sees_what_its_hooks_did() {
    let paths = [Reached::default(), Reached::default()];
    let [quiet, busy] = paths.clone();
    loom::model(move || {
        let owner = Owner::new();
        let pid = owner.pid();
        let cleaned = Happened::new();
        assert!(keep(&pid, cleaned.hook()));
        let reader = thread::spawn({
            let cleaned = cleaned.clone();
            move || (pid.is_alive(), no_death_in_progress(), cleaned.times())
        });
        drop(owner);
        match join(reader) {
            (false, true, times) => {
                assert_eq!(times, 1);
                quiet.mark();
            }
            (false, false, _) => busy.mark(),
            (true, _, _) => {}
        }
        assert!(no_death_in_progress());
    });
    paths[0].assert("dead, no death in progress");
    paths[1].assert("dead, death in progress");
}

#[test]
fn loom_another_death_in_between_does_not_break_the_chain_to_the_hooks() {
    let paths = [Reached::default(), Reached::default()];
    let [quiet, busy] = paths.clone();
    loom::model(move || {
        let (first, second) = (Owner::new(), Owner::new());
        let pids = [first.pid(), second.pid()];
        let cleaned = [Happened::new(), Happened::new()];
        assert!(keep(&pids[0], cleaned[0].hook()) && keep(&pids[1], cleaned[1].hook()));
        let others = [thread::spawn(move || drop(first)), thread::spawn(move || drop(second))];
        let dead = pids.map(|pid| !pid.is_alive());
        let none = no_death_in_progress();
        if none {
            for (dead, cleaned) in dead.iter().zip(&cleaned) {
                assert!(!dead || cleaned.times() == 1);
            }
        }
        if dead == [true, true] {
            if none { quiet.mark() } else { busy.mark() }
        }
        others.into_iter().for_each(join);
        assert!(no_death_in_progress());
    });
    paths[0].assert("both dead, no death in progress");
    paths[1].assert("both dead, death in progress");
}

#[test]
fn loom_whoever_is_told_of_a_death_is_as_good_as_whoever_saw_it() {
    let told = Reached::default();
    let mark = told.clone();
    loom::model(move || {
        let owner = Owner::new();
        let pid = owner.pid();
        let cleaned = Happened::new();
        assert!(keep(&pid, cleaned.hook()));
        let message = Arc::new(AtomicBool::new(false));
        let witness = thread::spawn({
            let message = message.clone();
            move || {
                if !pid.is_alive() {
                    message.store(true, Release);
                }
            }
        });
        let killer = thread::spawn(move || drop(owner));
        if message.load(Acquire) && no_death_in_progress() {
            assert_eq!(cleaned.times(), 1);
            mark.mark();
        }
        join(witness);
        join(killer);
    });
    told.assert("told of the death, no death in progress");
}

#[test]
fn loom_a_death_with_a_panicking_hook_comes_to_its_end() {
    loom::model(|| {
        let owner = Owner::new();
        let ran = Happened::new();
        assert!(keep(&owner.pid(), Box::new(|_| std::panic::resume_unwind(Box::new("on purpose")))));
        assert!(keep(&owner.pid(), ran.hook()));
        drop(owner);
        assert_eq!(ran.times(), 1);
        assert!(no_death_in_progress());
    });
}

#[test]
fn loom_no_shutdown_request_is_lost() {
    loom::model(|| {
        let owner = Owner::new();
        let pid = owner.pid();
        let asker = thread::spawn(move || pid.request_shutdown(ExitReason::Shutdown));
        assert_eq!(owner.on_shutdown().wait(), ExitReason::Shutdown);
        assert!(join(asker));
    });
}

#[test]
fn loom_a_death_raises_the_shutdown_signal_once_with_the_first_reason() {
    let paths = [Reached::default(), Reached::default()];
    let [in_time, too_late] = paths.clone();
    loom::model(move || {
        let owner = Owner::new();
        let pid = owner.pid();
        let signal = owner.on_shutdown();
        let asker = thread::spawn({
            let pid = pid.clone();
            move || pid.request_shutdown(ExitReason::Shutdown)
        });
        let killer = thread::spawn(move || pid.kill());
        let reason = signal.wait();
        let accepted = join(asker);
        assert_eq!(reason, if accepted { ExitReason::Shutdown } else { ExitReason::Killed });
        assert!(join(killer));
        if accepted {
            in_time.mark();
        } else {
            too_late.mark();
        }
        drop(owner);
    });
    paths[0].assert("asked before the death");
    paths[1].assert("asked after the death");
}
