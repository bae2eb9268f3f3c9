//! Being not ready while the circuit lets nobody through.

use std::sync::Arc;
use std::task::Poll;

use foundation_breaker::{CallError, Options, RejectReason, State};
use foundation_types::Clock;
use tower::{Service, ServiceExt};

use crate::support::{Bench, OPEN_FOR, PROBE_TIMEOUT, Readiness, TICK, Task, Then, now, poll};

/// What somebody does to the circuit.
type Action<'a> = &'a dyn Fn();

const READY: Poll<Result<(), CallError<&'static str>>> = Poll::Ready(Ok(()));

#[test]
fn a_service_waits_while_the_circuit_is_open_and_wakes_at_exactly_the_half_open_instant() {
    let bench = Bench::new();
    let (mut service, task) = (bench.waiting(), Task::new());
    assert_eq!(task.poll_ready(&mut service), READY);
    bench.open();
    let instant = bench.clock.mono().saturating_add(OPEN_FOR);
    assert_eq!(task.poll_ready(&mut service), Poll::Pending);
    assert_eq!(bench.clock.next_deadline(), Some(instant));

    bench.clock.advance(OPEN_FOR.saturating_sub(TICK));
    assert_eq!((task.wakes(), task.poll_ready(&mut service)), (0, Poll::Pending));
    bench.clock.advance(TICK);
    assert_eq!((task.wakes(), bench.clock.mono()), (1, instant));
    assert_eq!(task.poll_ready(&mut service), READY);
    assert_eq!((bench.breaker.state(), bench.outstanding()), (State::HalfOpen, 0));
    assert_eq!(now(service.call(Then::Answer(200).now())), Ok(200));
    assert_eq!(bench.breaker.state(), State::Closed);
}

#[test]
fn the_inner_service_is_not_asked_while_the_circuit_is_open() {
    let bench = Bench::new();
    let (mut service, task) = (bench.waiting(), Task::new());
    bench.open();
    assert_eq!(task.poll_ready(&mut service), Poll::Pending);
    assert_eq!(bench.backend.readied(), 0);
    bench.clock.advance(OPEN_FOR);
    assert_eq!((task.poll_ready(&mut service), bench.backend.readied()), (READY, 1));
}

#[test]
fn a_service_wakes_when_an_operator_resets_lifts_or_reconfigures_the_circuit() {
    let bench = Bench::new();
    let breaker = &bench.breaker;
    let (mut service, task) = (bench.waiting(), Task::new());
    let cases: [(Action, Action, usize); 3] = [
        (&|| bench.open(), &|| breaker.reset(), 1),
        (&|| breaker.force_open(), &|| breaker.lift(), 0),
        (&|| bench.open(), &|| breaker.reconfigure(Options::default()), 1),
    ];
    for (shut, admit, timers) in cases {
        shut();
        let wakes = task.wakes();
        assert_eq!(task.poll_ready(&mut service), Poll::Pending);
        assert_eq!((task.wakes(), bench.clock.pending()), (wakes, timers));
        admit();
        assert_eq!(task.wakes(), wakes + 1);
        assert_eq!((task.poll_ready(&mut service), bench.clock.pending()), (READY, 0));
    }
}

#[test]
fn a_circuit_that_is_forced_open_meanwhile_keeps_waiters_past_the_half_open_instant() {
    let bench = Bench::new();
    let (mut service, task) = (bench.waiting(), Task::new());
    bench.open();
    assert_eq!(task.poll_ready(&mut service), Poll::Pending);
    bench.breaker.force_open();
    assert_eq!(task.poll_ready(&mut service), Poll::Pending);
    assert_eq!(bench.clock.pending(), 0, "no instant to wait for is left");
    let wakes = task.wakes();
    bench.clock.advance(2 * OPEN_FOR);
    assert_eq!((task.wakes(), task.poll_ready(&mut service)), (wakes, Poll::Pending));
    bench.breaker.lift();
    assert_eq!((task.wakes(), task.poll_ready(&mut service)), (wakes + 1, READY));
}

#[test]
fn two_clones_wait_apart_and_the_first_to_call_gets_the_place() {
    let bench = Bench::new();
    let mut one = bench.waiting();
    let (first, second) = (Task::new(), Task::new());
    bench.open();
    assert_eq!(first.poll_ready(&mut one), Poll::Pending);
    let mut other = one.clone();
    assert_eq!(bench.clock.pending(), 1, "a clone has no part in what the original waits for");
    assert_eq!(second.poll_ready(&mut other), Poll::Pending);
    assert_eq!(bench.clock.pending(), 2);
    bench.clock.advance(OPEN_FOR);
    assert!(first.wakes() > 0 && second.wakes() > 0);
    assert_eq!((first.poll_ready(&mut one), second.poll_ready(&mut other)), (READY, READY));

    let mut probe = one.call(Then::Answer(200).after(1));
    assert_eq!(poll(&mut probe), Poll::Pending);
    let error = now(other.call(Then::Answer(200).now())).expect_err("the only place is taken");
    assert_eq!(error.rejected().map(|rejected| rejected.reason), Some(RejectReason::HalfOpenBusy));
    let wakes = second.wakes();
    assert_eq!(second.poll_ready(&mut other), Poll::Pending);
    assert_eq!(second.wakes(), wakes);
    assert_eq!(poll(&mut probe), Poll::Ready(Ok(200)));
    assert_eq!((second.wakes(), second.poll_ready(&mut other)), (wakes + 1, READY));
    assert_eq!(now(other.call(Then::Answer(201).now())), Ok(201));
}

#[test]
fn dropping_one_of_two_waiting_clones_leaves_the_other_waiting() {
    let bench = Bench::new();
    let mut one = bench.waiting();
    let mut other = one.clone();
    let (first, second) = (Task::new(), Task::new());
    bench.open();
    assert_eq!(first.poll_ready(&mut one), Poll::Pending);
    assert_eq!(second.poll_ready(&mut other), Poll::Pending);
    drop(one);
    assert_eq!(bench.clock.pending(), 1);
    bench.breaker.reset();
    assert_eq!((first.wakes(), second.wakes()), (0, 1));
}

#[test]
fn a_waiting_service_that_is_dropped_leaves_nothing_behind() {
    let bench = Bench::new();
    let (mut service, task) = (bench.waiting(), Task::new());
    bench.open();
    assert_eq!(task.poll_ready(&mut service), Poll::Pending);
    assert_eq!((bench.clock.pending(), Arc::strong_count(&task) > 1), (1, true));
    drop(service);
    assert_eq!((bench.clock.pending(), Arc::strong_count(&task)), (0, 1));
    bench.clock.advance(OPEN_FOR);
    bench.breaker.reset();
    assert_eq!(task.wakes(), 0);
}

#[test]
fn a_service_that_became_ready_leaves_nothing_behind() {
    let bench = Bench::new();
    let (mut service, task) = (bench.waiting(), Task::new());
    bench.open();
    assert_eq!(task.poll_ready(&mut service), Poll::Pending);
    bench.clock.advance(OPEN_FOR);
    assert_eq!(task.poll_ready(&mut service), READY);
    assert_eq!((bench.clock.pending(), Arc::strong_count(&task)), (0, 1));
}

#[test]
fn the_task_that_polled_last_is_the_one_that_wakes() {
    let bench = Bench::new();
    let (mut service, former, latter) = (bench.waiting(), Task::new(), Task::new());
    for admit in [&|| bench.clock.advance(OPEN_FOR), &|| bench.breaker.reset()] as [Action; 2] {
        bench.open();
        let wakes = latter.wakes();
        assert_eq!(former.poll_ready(&mut service), Poll::Pending);
        assert_eq!(latter.poll_ready(&mut service), Poll::Pending);
        assert_eq!((bench.clock.pending(), Arc::strong_count(&former)), (1, 1));
        admit();
        assert_eq!((former.wakes(), latter.wakes()), (0, wakes + 1));
        assert_eq!(latter.poll_ready(&mut service), READY);
        bench.breaker.reset();
    }
}

#[test]
fn polling_again_for_the_same_task_adds_nothing() {
    let bench = Bench::new();
    let (mut service, task) = (bench.waiting(), Task::new());
    bench.open();
    for _ in 0..5 {
        assert_eq!(task.poll_ready(&mut service), Poll::Pending);
    }
    assert_eq!(bench.clock.pending(), 1);
    bench.breaker.reset();
    assert_eq!(task.wakes(), 1);
}

#[test]
fn a_circuit_that_opens_after_readiness_refuses_the_call() {
    let bench = Bench::new();
    let (mut service, task) = (bench.waiting(), Task::new());
    assert_eq!(task.poll_ready(&mut service), READY);
    bench.open();
    let error = now(service.call(Then::Answer(200).now())).expect_err("open");
    assert_eq!(error.rejected().map(|rejected| rejected.reason), Some(RejectReason::Open));
    assert_eq!((bench.backend.called(), bench.clock.pending()), (0, 0));
}

#[test]
fn a_circuit_that_opens_while_the_inner_service_is_busy_is_waited_for_first() {
    let bench = Bench::new();
    let (mut service, task) = (bench.waiting(), Task::new());
    bench.backend.be(Readiness::Busy);
    assert_eq!(task.poll_ready(&mut service), Poll::Pending);
    bench.open();
    bench.backend.be(Readiness::Ready);
    assert_eq!(task.poll_ready(&mut service), Poll::Pending);
    assert_eq!(bench.backend.readied(), 1);
    bench.clock.advance(OPEN_FOR);
    assert_eq!(task.poll_ready(&mut service), READY);
}

#[test]
fn who_waits_for_a_place_wakes_when_the_probe_is_given_up() {
    let bench = Bench::new();
    let (mut service, task) = (bench.waiting(), Task::new());
    bench.half_open();
    let probe = bench.refusing().call(Then::Answer(200).after(1));
    assert_eq!(task.poll_ready(&mut service), Poll::Pending);
    drop(probe);
    assert_eq!((task.wakes(), task.poll_ready(&mut service)), (1, READY));
    assert_eq!(bench.clock.pending(), 0);
}

#[test]
fn who_waits_for_a_place_sits_out_a_probe_that_hangs_and_the_opening_after_it() {
    let bench = Bench::new();
    let (mut service, task) = (bench.waiting(), Task::new());
    bench.half_open();
    let hanging = bench.refusing().call(Then::Answer(200).after(1));
    assert_eq!(task.poll_ready(&mut service), Poll::Pending);
    bench.clock.advance(PROBE_TIMEOUT);
    assert!(task.wakes() > 0, "the circuit opens again at this instant");
    assert_eq!((task.poll_ready(&mut service), bench.breaker.state()), (Poll::Pending, State::Open));
    let wakes = task.wakes();
    bench.clock.advance(OPEN_FOR.saturating_sub(TICK));
    assert_eq!(task.wakes(), wakes);
    bench.clock.advance(TICK);
    assert_eq!((task.wakes(), task.poll_ready(&mut service)), (wakes + 1, READY));
    drop(hanging);
    assert_eq!(now(service.call(Then::Answer(200).now())), Ok(200), "the stale probe took no place with it");
}

#[test]
fn without_back_pressure_a_service_is_ready_while_the_circuit_is_open() {
    let bench = Bench::new();
    let (mut service, task) = (bench.refusing(), Task::new());
    bench.open();
    assert_eq!(task.poll_ready(&mut service), READY);
    assert_eq!((bench.clock.pending(), Arc::strong_count(&task)), (0, 1));
}

#[test]
fn nobody_who_waits_is_forgotten_under_threads() {
    const ROUNDS: u64 = 300;
    const TASKS: u64 = 4;
    let bench = Bench::new();
    let breaker = &bench.breaker;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("threads");
    let cases: [(Action, Action); 3] = [
        (&|| bench.open(), &|| bench.clock.advance(OPEN_FOR)),
        (&|| breaker.force_open(), &|| breaker.lift()),
        (&|| bench.open(), &|| breaker.reset()),
    ];
    for (shut, admit) in cases.iter().cycle().take(3 * usize::try_from(ROUNDS).expect("small")) {
        shut();
        let wait_and_call = || {
            let mut service = bench.waiting();
            runtime.spawn(async move {
                // Who was ready is refused when others were faster to take the only place of a probe.
                while service.ready().await.expect("it never breaks").call(Then::Answer(200).after(1)).await.is_err() {}
            })
        };
        let tasks: Vec<_> = (0..TASKS).map(|_| wait_and_call()).collect();
        // Once, while they begin to wait: a task that missed it would wait for ever.
        admit();
        for task in tasks {
            runtime.block_on(task).expect("it does not panic");
        }
        assert_eq!((breaker.state(), bench.clock.pending()), (State::Closed, 0));
    }
    let totals = breaker.snapshot().totals;
    assert_eq!((totals.succeeded, totals.outstanding()), (3 * ROUNDS * TASKS, 0));
}
