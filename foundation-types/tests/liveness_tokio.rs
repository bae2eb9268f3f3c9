//! Tasks whose identity dies with them.
#![cfg(all(feature = "tokio", not(loom)))]

use std::future::{Future, pending};
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use foundation_types::liveness::HookGuard;
use foundation_types::{ExitReason, Owner, Pid};
use tokio::sync::oneshot;

/// What happened, in order; clones are the same trace.
#[derive(Clone, Default)]
struct Trace(Arc<Mutex<Vec<&'static str>>>);

impl Trace {
    fn lock(&self) -> MutexGuard<'_, Vec<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, event: &'static str) {
        self.lock().push(event);
    }

    fn seen(&self) -> Vec<&'static str> {
        self.lock().clone()
    }

    /// Notes the death of the owner of `pid`.
    fn death_of(&self, pid: &Pid) {
        let trace = self.clone();
        let hook = pid.on_exit(Box::new(move |_| trace.note("owner dead")));
        assert!(hook.map(HookGuard::keep).is_ok(), "the owner is alive");
    }

    /// Something that notes its own end.
    fn resource(&self) -> Resource {
        Resource(self.clone())
    }
}

struct Resource(Trace);

impl Drop for Resource {
    fn drop(&mut self) {
        self.0.note("future dropped");
    }
}

#[tokio::test]
async fn a_task_that_returns_dies_normally_and_gives_its_output() {
    let owner = Owner::new();
    let pid = owner.pid();
    let inside = pid.clone();
    let task = owner.spawn(async move {
        tokio::task::yield_now().await;
        inside.is_alive()
    });
    assert!(pid.is_alive());
    assert_eq!(pid.monitor().await, ExitReason::Normal);
    assert!(task.await.expect("the abort hook of its own death does not cancel it"), "alive while it runs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_output_arrives_however_the_end_and_the_spawn_interleave() {
    for number in 0..1_000 {
        let owner = Owner::new();
        let pid = owner.pid();
        assert_eq!(owner.spawn(async move { number }).await.expect("not cancelled"), number);
        assert_eq!(pid.exit_reason(), Some(ExitReason::Normal));
    }
}

#[tokio::test]
async fn t19_a_task_that_panics_dies_of_its_message_and_the_panic_goes_on() {
    let owner = Owner::new();
    let pid = owner.pid();
    let number = pid.id().sequence();
    let message = format!("boom {number}");
    let task = owner.spawn(async move {
        tokio::task::yield_now().await;
        panic!("boom {number}")
    });
    assert_eq!(pid.monitor().await, ExitReason::Panic(message.as_str().into()));
    let payload = task.await.expect_err("it panicked").into_panic();
    assert_eq!(payload.downcast_ref(), Some(&message));

    let owner = Owner::new();
    let pid = owner.pid();
    let task = owner.spawn(async { panic_any(7_u8) });
    assert_eq!(pid.monitor().await, ExitReason::Panic("payload is not text".into()));
    let payload = task.await.expect_err("it panicked").into_panic();
    assert_eq!(payload.downcast_ref(), Some(&7_u8));
}

#[tokio::test]
async fn a_kill_makes_the_pid_dead_at_once_and_aborts_the_task() {
    let owner = Owner::new();
    let pid = owner.pid();
    let trace = Trace::default();
    trace.death_of(&pid);
    let resource = trace.resource();
    let (started, running) = oneshot::channel();
    let task = owner.spawn(async move {
        let _resource = resource;
        started.send(()).expect("the test listens");
        pending::<()>().await;
    });
    running.await.expect("it runs");
    assert!(pid.kill());
    assert_eq!(pid.exit_reason(), Some(ExitReason::Killed));
    assert!(task.await.expect_err("aborted").is_cancelled());
    assert_eq!(trace.seen(), ["owner dead", "future dropped"], "the identity first, the code at its next await point");
    assert_eq!(pid.exit_reason(), Some(ExitReason::Killed));
}

#[tokio::test]
async fn a_task_that_kills_itself_ends_at_its_next_await_point() {
    let owner = Owner::new();
    let pid = owner.pid();
    let trace = Trace::default();
    let (inside, notes) = (pid.clone(), trace.clone());
    let task = owner.spawn(async move {
        assert!(inside.kill());
        notes.note("zombie");
        pending::<()>().await;
        notes.note("never");
    });
    assert!(task.await.expect_err("aborted").is_cancelled());
    assert_eq!(trace.seen(), ["zombie"]);
    assert_eq!(pid.exit_reason(), Some(ExitReason::Killed));
}

#[tokio::test]
async fn an_aborted_task_drops_its_future_and_then_dies() {
    let owner = Owner::new();
    let pid = owner.pid();
    let trace = Trace::default();
    trace.death_of(&pid);
    let resource = trace.resource();
    let (started, running) = oneshot::channel();
    let task = owner.spawn(async move {
        let _resource = resource;
        started.send(()).expect("the test listens");
        pending::<()>().await;
    });
    running.await.expect("it runs");
    task.abort();
    assert!(task.await.expect_err("aborted").is_cancelled());
    assert_eq!(pid.exit_reason(), Some(ExitReason::Normal));
    assert_eq!(trace.seen(), ["future dropped", "owner dead"]);
}

#[tokio::test]
async fn a_task_aborted_before_it_ran_drops_its_future_and_then_dies() {
    let owner = Owner::new();
    let pid = owner.pid();
    let trace = Trace::default();
    trace.death_of(&pid);
    let resource = trace.resource();
    let notes = trace.clone();
    let task = owner.spawn(async move {
        let _resource = resource;
        notes.note("ran");
    });
    task.abort();
    assert!(task.await.expect_err("aborted").is_cancelled());
    assert_eq!(pid.exit_reason(), Some(ExitReason::Normal));
    assert_eq!(trace.seen(), ["future dropped", "owner dead"]);
}

/// A future that keeps what it holds after it is ready, or after it panicked, until it is dropped.
struct Keeps {
    _resource: Resource,
    panics: bool,
}

impl Future for Keeps {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        assert!(!self.panics, "on purpose");
        Poll::Ready(())
    }
}

#[tokio::test]
async fn a_future_that_is_done_is_dropped_before_its_owner_dies() {
    for panics in [false, true] {
        let owner = Owner::new();
        let trace = Trace::default();
        trace.death_of(&owner.pid());
        let ended = owner.spawn(Keeps { _resource: trace.resource(), panics }).await;
        assert_eq!(ended.is_err_and(|error| error.is_panic()), panics);
        assert_eq!(trace.seen(), ["future dropped", "owner dead"]);
    }
}

#[tokio::test]
async fn spawning_with_an_owner_that_was_killed_runs_nothing() {
    let owner = Owner::new();
    let pid = owner.pid();
    assert!(pid.kill());
    let trace = Trace::default();
    let notes = trace.clone();
    let task = owner.spawn(async move { notes.note("ran") });
    assert!(task.await.expect_err("aborted").is_cancelled());
    assert!(trace.seen().is_empty());
    assert_eq!(pid.exit_reason(), Some(ExitReason::Killed));
}

#[test]
fn shutting_the_runtime_down_ends_the_owners_of_its_tasks() {
    let owner = Owner::new();
    let pid = owner.pid();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers");
    let task = {
        let _inside = runtime.enter();
        owner.spawn(pending::<()>())
    };
    assert!(pid.is_alive());
    drop(runtime);
    assert_eq!(pid.exit_reason(), Some(ExitReason::Normal));
    assert!(task.is_finished());
}

#[test]
fn spawning_outside_a_runtime_panics_and_ends_the_owner() {
    let owner = Owner::new();
    let pid = owner.pid();
    let spawned = std::thread::spawn(move || drop(owner.spawn(async {})));
    assert!(spawned.join().is_err());
    assert!(matches!(pid.exit_reason(), Some(ExitReason::Panic(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_that_race_with_the_end_of_the_task_give_one_reason() {
    let mut ends = [0_u32; 2];
    for _ in 0..500 {
        let owner = Owner::new();
        let pid = owner.pid();
        let monitor = pid.monitor();
        let killer = tokio::spawn({
            let pid = pid.clone();
            async move { pid.kill() }
        });
        let task = owner.spawn(tokio::task::yield_now());
        let won = killer.await.expect("it does not panic");
        let expected = if won { ExitReason::Killed } else { ExitReason::Normal };
        assert_eq!(monitor.await, expected);
        // A kill that comes after the last await point finds nothing to abort.
        assert!(task.await.is_ok() || won);
        ends[usize::from(won)] += 1;
    }
    assert_eq!(ends.iter().sum::<u32>(), 500);
}
