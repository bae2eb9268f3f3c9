//! Waiting for a service.
#![cfg(feature = "test-util")]

mod support;

use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use foundation_registry::{LOOKUP_EVENT, Registry, ServiceRegistry, WaitError};
use foundation_types::testing::RecordingObserver;
use foundation_types::{Clock, ManualClock, Metadata, Namespace, Owner, ServiceName, Value};
use proptest::prelude::*;

use crate::support::{Task, on_each_backend};

const NAME: ServiceName = ServiceName::from_static("late");
const TIMEOUT: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_nanos(1);

fn registries(clock: &ManualClock) -> [Registry; 2] {
    on_each_backend(|builder| builder.clock(Arc::new(clock.clone())))
}

fn register(registry: &Registry, here: &Namespace, owner: &Owner) {
    registry.register(here, &NAME, &owner.pid(), Metadata::new()).expect("free");
}

#[test]
fn r16_the_timeout_comes_at_the_deadline_and_not_before() {
    let clock = ManualClock::new();
    for registry in registries(&clock) {
        let mut task = Task::new(registry.wait_for(&Namespace::test(), &NAME, TIMEOUT));
        assert_eq!(task.poll(), Poll::Pending);
        clock.advance(TIMEOUT.saturating_sub(TICK));
        assert!(!task.was_woken());
        assert_eq!(task.poll(), Poll::Pending);
        clock.advance(TICK);
        assert!(task.was_woken());
        assert_eq!(task.poll(), Poll::Ready(Err(WaitError::Timeout)));
    }
}

#[test]
fn r16_a_registration_wakes_the_waiter_and_wins_over_a_timeout_that_passes_before_it_looks() {
    let clock = ManualClock::new();
    for registry in registries(&clock) {
        let (here, owner) = (Namespace::test(), Owner::new());
        let mut task = Task::new(registry.wait_for(&here, &NAME, TIMEOUT));
        assert_eq!(task.poll(), Poll::Pending);
        register(&registry, &here, &owner);
        assert!(task.was_woken());
        clock.advance(2 * TIMEOUT);
        assert_eq!(task.poll(), Poll::Ready(Ok(owner.pid())));
    }
}

#[test]
fn r16_other_names_wake_nobody() {
    let registry = Registry::new();
    let (here, owner) = (Namespace::test(), Owner::new());
    let mut task = Task::new(registry.wait_for(&here, &NAME, TIMEOUT));
    assert_eq!(task.poll(), Poll::Pending);
    for number in 0..1_000 {
        let other = ServiceName::new(format!("other {number}")).expect("valid");
        registry.register(&here, &other, &owner.pid(), Metadata::new()).expect("free");
    }
    register(&registry, &Namespace::test(), &owner);
    assert!(!task.was_woken());
}

#[test]
fn r16_a_timeout_of_zero_is_one_look() {
    let clock = ManualClock::new();
    for registry in registries(&clock) {
        let (here, owner) = (Namespace::test(), Owner::new());
        let mut nobody = Task::new(registry.wait_for(&here, &NAME, Duration::ZERO));
        assert_eq!(nobody.poll(), Poll::Ready(Err(WaitError::Timeout)));
        register(&registry, &here, &owner);
        let mut there = Task::new(registry.wait_for(&here, &NAME, Duration::ZERO));
        assert_eq!(there.poll(), Poll::Ready(Ok(owner.pid())));
    }
}

#[test]
fn r16_a_holder_that_died_before_the_waiter_looked_does_not_count() {
    let clock = ManualClock::new();
    for registry in registries(&clock) {
        let here = Namespace::test();
        let mut task = Task::new(registry.wait_for(&here, &NAME, TIMEOUT));
        assert_eq!(task.poll(), Poll::Pending);
        let mayfly = Owner::new();
        register(&registry, &here, &mayfly);
        drop(mayfly);
        assert!(task.was_woken());
        assert_eq!(task.poll(), Poll::Pending);
        let owner = Owner::new();
        register(&registry, &here, &owner);
        assert!(task.was_woken(), "it waits again");
        assert_eq!(task.poll(), Poll::Ready(Ok(owner.pid())));
    }
}

#[test]
fn r16_all_who_wait_are_woken_and_a_shutdown_tells_them_so() {
    let registry = Registry::new();
    let (here, owner) = (Namespace::test(), Owner::new());
    let mut tasks: Vec<_> = (0..5).map(|_| Task::new(registry.wait_for(&here, &NAME, TIMEOUT))).collect();
    let mut never = Task::new(registry.wait_for(&Namespace::test(), &NAME, TIMEOUT));
    assert_eq!(never.poll(), Poll::Pending);
    for task in &mut tasks {
        assert_eq!(task.poll(), Poll::Pending);
    }
    register(&registry, &here, &owner);
    for task in &mut tasks {
        assert!(task.was_woken());
        assert_eq!(task.poll(), Poll::Ready(Ok(owner.pid())));
    }
    registry.shutdown();
    assert!(never.was_woken());
    assert_eq!(never.poll(), Poll::Ready(Err(WaitError::Closed)));
    let mut late = Task::new(registry.wait_for(&here, &NAME, TIMEOUT));
    assert_eq!(late.poll(), Poll::Ready(Err(WaitError::Closed)));
}

#[test]
fn r16_a_waiter_that_moved_to_another_task_is_woken_there() {
    let clock = ManualClock::new();
    for registry in registries(&clock) {
        let (here, owner) = (Namespace::test(), Owner::new());
        let mut task = Task::new(registry.wait_for(&here, &NAME, TIMEOUT));
        assert_eq!(task.poll(), Poll::Pending);
        let old_was_woken = task.move_to_new_task();
        assert_eq!(task.poll(), Poll::Pending);
        assert_eq!((registry.held().waiters, clock.pending()), (1, 1));
        register(&registry, &here, &owner);
        assert!(task.was_woken() && !old_was_woken());
    }
}

#[test]
fn r17_waiters_leave_nothing_behind() {
    let clock = ManualClock::new();
    for registry in registries(&clock) {
        let (here, owner) = (Namespace::test(), Owner::new());
        let before = registry.held();
        let wait = || Task::new(registry.wait_for(&here, &NAME, TIMEOUT));

        let mut dropped = wait();
        assert_eq!(dropped.poll(), Poll::Pending);
        assert_eq!((registry.held().waiters, clock.pending()), (1, 1));
        drop(dropped);
        assert_eq!((registry.held(), clock.pending()), (before, 0), "dropped");

        drop(wait());
        assert_eq!((registry.held(), clock.pending()), (before, 0), "never polled");

        let mut timed_out = wait();
        assert_eq!(timed_out.poll(), Poll::Pending);
        clock.advance(TIMEOUT);
        assert_eq!(timed_out.poll(), Poll::Ready(Err(WaitError::Timeout)));
        assert_eq!((registry.held(), clock.pending()), (before, 0), "timed out");

        let mut served = wait();
        assert_eq!(served.poll(), Poll::Pending);
        register(&registry, &here, &owner);
        assert_eq!(served.poll(), Poll::Ready(Ok(owner.pid())));
        drop(owner);
        assert_eq!((registry.held(), clock.pending()), (before, 0), "served");
    }
}

#[test]
fn r16_one_lookup_event_tells_the_result_of_a_wait() {
    let (clock, observer) = (ManualClock::new(), Arc::new(RecordingObserver::new()));
    let registries = on_each_backend(|builder| builder.clock(Arc::new(clock.clone())).observer(observer.clone()));
    for registry in registries {
        let services = ServiceRegistry::new(registry.clone());
        let (here, owner) = (Namespace::test(), Owner::new());
        let subject = |result: &str| {
            Metadata::new().with("namespace", here.to_string()).with("service", "late").with("result", result)
        };

        let mut task = Task::new(services.wait_for(&here, &NAME, TIMEOUT));
        assert_eq!(task.poll(), Poll::Pending);
        clock.advance(Duration::from_secs(2));
        assert_eq!(task.poll(), Poll::Pending);
        assert!(observer.events().is_empty());
        register(&registry, &here, &owner);
        assert_eq!(task.poll(), Poll::Ready(Ok(owner.pid())));
        let events = observer.take();
        assert_eq!(events.len(), 1);
        assert_eq!((&events[0].name, &events[0].metadata), (&LOOKUP_EVENT, &subject("ok")));
        assert_eq!(events[0].measurements.get("duration"), Some(&Value::Int(2_000_000_000)));

        registry.unregister(&here, &NAME).expect("open");
        let mut task = Task::new(services.wait_for(&here, &NAME, TIMEOUT));
        assert_eq!(task.poll(), Poll::Pending);
        clock.advance(TIMEOUT);
        assert_eq!(task.poll(), Poll::Ready(Err(WaitError::Timeout)));
        let events = observer.take();
        assert_eq!(events.iter().map(|event| &event.metadata).collect::<Vec<_>>(), [&subject("error")]);

        let mut task = Task::new(services.wait_for(&here, &NAME, TIMEOUT));
        assert_eq!(task.poll(), Poll::Pending);
        drop(task);
        assert!(observer.take().is_empty(), "a wait without a result has no event");
    }
}

#[test]
fn r16_no_wake_up_is_lost_between_threads() {
    // A lost wake-up shows as a test that does not end.
    const FOREVER: Duration = Duration::from_secs(100_000);
    const ROUNDS: usize = 500;

    for registry in on_each_backend(|builder| builder) {
        let here = Namespace::test();
        let names: Vec<_> =
            (0..ROUNDS).map(|round| ServiceName::new(format!("round {round}")).expect("valid")).collect();
        let owner = Owner::new();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for name in &names {
                        assert_eq!(registry.wait_for_blocking(&here, name, FOREVER), Ok(owner.pid()));
                    }
                });
            }
            for name in &names {
                registry.register(&here, name, &owner.pid(), Metadata::new()).expect("free");
            }
        });
        assert_eq!(registry.held().waiters, 0);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Register,
    Unregister,
    Die,
    Advance(u8),
    Move,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Register),
        2 => Just(Step::Unregister),
        2 => Just(Step::Die),
        4 => (0..=4_u8).prop_map(Step::Advance),
        1 => Just(Step::Move),
    ]
}

proptest! {
    #[test]
    fn r16_a_wait_succeeds_if_and_only_if_the_name_is_held_before_the_deadline(
        timeout in 0..12_u64,
        steps in prop::collection::vec(step(), 0..24),
    ) {
        let clock = ManualClock::new();
        for registry in registries(&clock) {
            let here = Namespace::test();
            let deadline = clock.mono().saturating_add(Duration::from_millis(timeout));
            let mut task = Task::new(registry.wait_for(&here, &NAME, Duration::from_millis(timeout)));
            let mut owner: Option<Owner> = None;
            let mut result = task.poll();
            for step in &steps {
                match step {
                    Step::Register => {
                        let new = owner.take().unwrap_or_else(Owner::new);
                        registry.register(&here, &NAME, &new.pid(), Metadata::new()).expect("free or held by it");
                        owner = Some(new);
                    }
                    Step::Unregister => {
                        registry.unregister(&here, &NAME).expect("open");
                    }
                    Step::Die => owner = None,
                    Step::Advance(by) => clock.advance(Duration::from_millis((*by).into())),
                    Step::Move => {
                        drop(task.move_to_new_task());
                        if result.is_pending() {
                            result = task.poll();
                        }
                    }
                }
                // As an executor does: it polls what was woken, before anything else happens.
                if result.is_pending() && task.was_woken() {
                    result = task.poll();
                }
                let holder = registry.lookup(&here, &NAME).ok();
                match &result {
                    Poll::Pending => {
                        prop_assert!(clock.mono() < deadline);
                        prop_assert_eq!(holder, None, "a live holder is found");
                    }
                    Poll::Ready(Ok(pid)) => {
                        prop_assert_eq!(holder.as_ref(), Some(pid));
                        break;
                    }
                    Poll::Ready(Err(error)) => {
                        prop_assert_eq!(error, &WaitError::Timeout);
                        prop_assert!(clock.mono() >= deadline);
                        break;
                    }
                }
            }
            drop(task);
            prop_assert_eq!((registry.held().waiters, clock.pending()), (0, 0));
        }
    }
}
