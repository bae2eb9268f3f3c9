//! Models of a breaker as a whole: every interleaving of what it does without its lock, and of its lock.
//!
//! The thread that began a model writes, and those that it spawns read: loom runs the first one first, and of the accesses
//! to an atomic remembers the last. A read that the writer itself reads over is forgotten, and with it the order in which it
//! comes after the write.
#![cfg(loom)]

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use foundation_breaker::{
    CircuitBreaker, OpenFor, Options, OwnedPermit, Probe, Recovery, RejectReason, State, TripPolicy,
};
use foundation_types::{Clock, ManualClock, MonoTime, Name, Timestamp, Wakeup};
use loom::future::block_on;
use loom::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Release, SeqCst},
};
use loom::thread;

fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    // Three switches away from a runnable thread; without a bound the lock and the counts of a few calls give millions of
    // schedules.
    model.preemption_bound = Some(3);
    model.max_branches = 10_000;
    model.check(run);
}

/// A clock of which every reading is a step of the model, and whose timers never fire.
#[derive(Clone)]
struct ModelClock(Arc<AtomicU64>);

impl ModelClock {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(0)))
    }

    fn advance(&self, by: Duration) {
        self.0.fetch_add(nanos(by), SeqCst);
    }
}

impl Clock for ModelClock {
    fn mono(&self) -> MonoTime {
        MonoTime::from_nanos(self.0.load(SeqCst))
    }

    fn wall(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn wake_at(&self, _deadline: MonoTime, _waker: Waker) -> Wakeup {
        Wakeup::done()
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("short")
}

const OPEN_FOR: Duration = Duration::from_secs(100);

fn breaker<C: Clock>(trip: TripPolicy, probe: Probe, clock: &C) -> CircuitBreaker<C>
where
    C: Clone,
{
    let options = Options::new(trip, Recovery::Probe(probe)).expect("in range");
    CircuitBreaker::builder(Name::from_static("model")).options(options).clock(clock.clone()).build().expect("in range")
}

fn in_a_row(threshold: u32) -> TripPolicy {
    TripPolicy::ConsecutiveFailures { threshold }
}

fn probe(max_concurrent: u32) -> Probe {
    Probe { open_for: OpenFor::Constant(OPEN_FOR), max_concurrent, ..Probe::default() }
}

fn half_open(max_concurrent: u32, policy: Probe) -> CircuitBreaker<ModelClock> {
    let clock = ModelClock::new();
    let breaker = breaker(in_a_row(1), Probe { max_concurrent, ..policy }, &clock);
    breaker.melt();
    clock.advance(OPEN_FOR);
    assert_eq!(breaker.state(), State::HalfOpen);
    breaker
}

/// No outcome of a probe changes the state.
fn endless() -> Probe {
    Probe { required_successes: u32::MAX, max_failures: u32::MAX, ..probe(1) }
}

#[test]
fn loom_p06_a_success_that_races_with_failures_breaks_the_run_or_came_before_it() {
    model(|| {
        let breaker = breaker(in_a_row(2), probe(1), &ModelClock::new());
        let succeeds = breaker.try_acquire_owned().expect("closed");
        let other = thread::spawn(move || succeeds.success());
        breaker.try_acquire().map(|permit| permit.failure()).expect("closed");
        breaker.try_acquire().map(|permit| permit.failure()).expect("one failure in a row does not open");
        other.join().expect("no panic");
        let snapshot = breaker.snapshot();
        // Before both, between them, or after both, when the circuit was open already.
        match (snapshot.state, snapshot.consecutive_failures) {
            (State::Open, _) | (State::Closed, 1) => {}
            seen => panic!("{seen:?}"),
        }
        assert_eq!((snapshot.totals.succeeded, snapshot.totals.failed, snapshot.totals.outstanding()), (1, 2, 0));
    });
}

#[test]
fn loom_p06_a_success_that_knows_of_a_failure_breaks_the_run() {
    model(|| {
        let breaker = breaker(in_a_row(2), probe(1), &ModelClock::new());
        let has_failed = Arc::new(AtomicU32::new(0));
        let succeeding = thread::spawn({
            let (breaker, has_failed) = (breaker.clone(), Arc::clone(&has_failed));
            move || {
                let knows = has_failed.load(Acquire) == 1;
                breaker.call(|| Ok::<_, ()>(())).expect("one failure does not open");
                knows
            }
        });
        breaker.melt();
        has_failed.store(1, Release);
        let knew = succeeding.join().expect("no panic");
        let run = breaker.snapshot().consecutive_failures;
        // One that did not know came before or after.
        assert!(run == 0 || !knew && run == 1, "a run of {run}, of which the success knew: {knew}");
    });
}

#[test]
fn loom_p12_a_success_from_before_a_reset_does_not_break_the_run_after_it() {
    model(|| {
        let breaker = breaker(in_a_row(3), probe(1), &ModelClock::new());
        let stale = breaker.try_acquire_owned().expect("closed");
        breaker.melt();
        let other = thread::spawn(move || stale.success());
        breaker.reset();
        breaker.melt();
        breaker.melt();
        other.join().expect("no panic");
        assert_eq!(breaker.snapshot().consecutive_failures, 2);
    });
}

#[test]
fn loom_p10_probes_never_exceed_the_bound_and_leave_their_places() {
    model(|| {
        let breaker = half_open(1, endless());
        let under_way = Arc::new(AtomicU32::new(0));
        let call = |outcome: fn(foundation_breaker::Permit<'_, ModelClock>)| {
            let (breaker, under_way) = (breaker.clone(), Arc::clone(&under_way));
            move || {
                if let Ok(permit) = breaker.try_acquire() {
                    assert_eq!(under_way.fetch_add(1, SeqCst), 0, "two probes at once");
                    under_way.fetch_sub(1, SeqCst);
                    outcome(permit);
                }
            }
        };
        let succeeding = thread::spawn(call(|permit| permit.success()));
        let given_up = thread::spawn(call(|permit| drop(permit)));
        call(|permit| permit.failure())();
        succeeding.join().expect("no panic");
        given_up.join().expect("no panic");
        let snapshot = breaker.snapshot();
        assert_eq!((snapshot.state, snapshot.probes.outstanding), (State::HalfOpen, 0));
        assert_eq!(snapshot.totals.outstanding(), 0);
        assert_eq!(snapshot.totals.admitted + snapshot.totals.rejected, 3);
        assert!(breaker.try_acquire().is_ok());
    });
}

#[test]
fn loom_p10_of_three_at_once_two_get_the_two_places() {
    model(|| {
        let breaker = half_open(2, endless());
        let ask = {
            let breaker = breaker.clone();
            move || breaker.try_acquire_owned().ok()
        };
        let others = [thread::spawn(ask.clone()), thread::spawn(ask.clone())];
        let mut held: Vec<_> = ask().into_iter().collect();
        held.extend(others.into_iter().filter_map(|other| other.join().expect("no panic")));
        assert_eq!((held.len(), breaker.snapshot().probes.outstanding), (2, 2));
        drop(held);
        assert_eq!(breaker.snapshot().probes.outstanding, 0);
    });
}

#[test]
fn loom_p12_a_probe_that_ends_late_frees_no_place_of_the_next_episode() {
    model(|| {
        let breaker = half_open(1, probe(1));
        let late = breaker.try_acquire_owned().expect("a free place");
        let next = thread::spawn({
            let breaker = breaker.clone();
            move || {
                breaker.melt();
                breaker.clock().advance(OPEN_FOR);
                breaker.try_acquire_owned()
            }
        });
        late.ignore();
        let held = next.join().expect("no panic").expect("a new episode has a free place");
        assert_eq!((breaker.state(), breaker.snapshot().probes.outstanding), (State::HalfOpen, 1));
        assert!(breaker.try_acquire().is_err());
        drop(held);
        assert!(breaker.try_acquire().is_ok());
    });
}

#[test]
fn loom_p11_a_success_that_closes_and_a_call_given_up_leave_nothing_behind() {
    model(|| {
        let breaker = half_open(2, probe(2));
        let first = breaker.try_acquire_owned().expect("a free place");
        let second = breaker.try_acquire_owned().expect("another");
        let other = thread::spawn(move || drop(second));
        first.success();
        other.join().expect("no panic");
        let snapshot = breaker.snapshot();
        assert_eq!((snapshot.state, snapshot.totals.outstanding()), (State::Closed, 0));
        assert_eq!(snapshot.totals.ignored, 1);
    });
}

/// What a caller learns while one opening ends and a second, longer one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    FirstOpening,
    LetThrough,
    Busy,
    SecondOpening,
}

#[test]
fn loom_p01_a_refusal_without_the_lock_is_of_the_opening_of_its_time() {
    const SECOND: Duration = Duration::from_secs(300);

    fn ask(breaker: &CircuitBreaker<ModelClock>) -> (Answer, Option<OwnedPermit<ModelClock>>) {
        match breaker.try_acquire_owned() {
            Ok(permit) => {
                assert!(permit.is_probe());
                (Answer::LetThrough, Some(permit))
            }
            Err(rejected) => match (rejected.reason, rejected.retry_after) {
                (RejectReason::Open, Some(OPEN_FOR)) => (Answer::FirstOpening, None),
                (RejectReason::Open, Some(SECOND)) => (Answer::SecondOpening, None),
                (RejectReason::HalfOpenBusy, None) => (Answer::Busy, None),
                answer => panic!("{answer:?} is of no opening"),
            },
        }
    }

    model(|| {
        let clock = ModelClock::new();
        let open_for = OpenFor::Exponential { base: OPEN_FOR, factor: 3, max: SECOND };
        let breaker = breaker(in_a_row(1), Probe { open_for, ..probe(1) }, &clock);
        breaker.melt();
        let asking = thread::spawn({
            let breaker = breaker.clone();
            move || {
                let (first, _held) = ask(&breaker);
                let (second, _other) = ask(&breaker);
                (first, second)
            }
        });
        // Half-open and open again in one go: no word says half-open.
        clock.advance(OPEN_FOR);
        breaker.melt();
        let (first, second) = asking.join().expect("no panic");
        assert!(first <= second, "{first:?}, then {second:?}");
        assert_ne!((first, second), (Answer::LetThrough, Answer::LetThrough), "one place");
        assert_eq!(ask(&breaker).0, Answer::SecondOpening);
    });
}

#[test]
fn loom_p01_a_refusal_without_the_lock_tells_no_time_at_which_the_circuit_was_closed() {
    const LATER: Duration = Duration::from_secs(10);
    model(|| {
        let breaker = breaker(in_a_row(1), probe(1), &ModelClock::new());
        breaker.melt();
        let asking = thread::spawn({
            let breaker = breaker.clone();
            move || breaker.try_acquire_owned().map(drop)
        });
        breaker.reset();
        breaker.clock().advance(LATER);
        if let Err(rejected) = asking.join().expect("no panic") {
            // The circuit was open at the beginning alone.
            assert_eq!((rejected.reason, rejected.retry_after), (RejectReason::Open, Some(OPEN_FOR)));
        }
        assert!(breaker.try_acquire().is_ok());
    });
}

#[test]
fn loom_p03_a_circuit_that_closes_in_time_refuses_nobody_after_it() {
    model(|| {
        let clock = ModelClock::new();
        let options = Options::fuse(0, OPEN_FOR, OPEN_FOR).expect("in range");
        let breaker = CircuitBreaker::builder(Name::from_static("model")).options(options).clock(clock.clone()).build();
        let breaker = breaker.expect("in range");
        breaker.melt();
        let asking = thread::spawn({
            let breaker = breaker.clone();
            move || {
                let at = breaker.clock().mono();
                (at, breaker.try_acquire_owned().map(drop))
            }
        });
        clock.advance(OPEN_FOR);
        assert_eq!(breaker.state(), State::Closed);
        let (at, answer) = asking.join().expect("no panic");
        match answer {
            Ok(()) => {}
            Err(rejected) => {
                assert_eq!(at, MonoTime::ORIGIN, "it was asked when the opening was over");
                assert_eq!((rejected.reason, rejected.retry_after), (RejectReason::Open, Some(OPEN_FOR)));
            }
        }
    });
}

#[test]
fn loom_p14_nothing_is_let_through_by_whoever_knows_of_an_operator() {
    model(|| {
        let breaker = breaker(in_a_row(1), probe(1), &ModelClock::new());
        let is_held = Arc::new(AtomicU32::new(0));
        let calling = thread::spawn({
            let (breaker, is_held) = (breaker.clone(), Arc::clone(&is_held));
            move || {
                let knows = is_held.load(Acquire) == 1;
                let is_admitted = breaker.try_acquire().map(|permit| permit.failure()).is_ok();
                assert!(!(knows && is_admitted));
                is_admitted
            }
        });
        breaker.force_open();
        is_held.store(1, Release);
        breaker.reset();
        assert!(breaker.try_acquire().is_err());
        let is_admitted = calling.join().expect("no panic");
        // The failure of a call that was let through before opened the circuit first, or came too late to do anything.
        assert_eq!(breaker.state(), State::ForcedOpen);
        assert_eq!(breaker.snapshot().totals.failed, u64::from(is_admitted));
    });
}

#[test]
fn loom_a_waiter_is_woken_by_the_probe_that_ends() {
    model(|| {
        let breaker = half_open(1, endless());
        let held = breaker.try_acquire_owned().expect("a free place");
        let other = thread::spawn(move || drop(held));
        block_on(breaker.ready());
        assert!(breaker.try_acquire().is_ok());
        other.join().expect("no panic");
    });
}

#[test]
fn loom_two_waiters_are_woken_by_an_operator() {
    model(|| {
        let breaker = breaker(in_a_row(1), probe(1), &ModelClock::new());
        breaker.force_open();
        let waiting = thread::spawn({
            let breaker = breaker.clone();
            move || block_on(breaker.ready())
        });
        let lifting = thread::spawn({
            let breaker = breaker.clone();
            move || breaker.lift()
        });
        block_on(breaker.ready());
        waiting.join().expect("no panic");
        lifting.join().expect("no panic");
        assert_eq!(breaker.state(), State::Closed);
    });
}

#[test]
fn loom_a_waiter_is_woken_by_a_reset_of_an_open_circuit() {
    model(|| {
        let breaker = breaker(in_a_row(1), probe(1), &ModelClock::new());
        breaker.melt();
        let resetting = thread::spawn({
            let breaker = breaker.clone();
            move || breaker.reset()
        });
        block_on(breaker.ready());
        resetting.join().expect("no panic");
    });
}

#[test]
fn loom_a_waiter_is_woken_when_an_opening_ends() {
    model(|| {
        let clock = ManualClock::new();
        let breaker = breaker(in_a_row(1), probe(1), &clock);
        breaker.melt();
        // Its lock is not the model's, but it is never held over a step of the model.
        let passing = thread::spawn(move || clock.advance(OPEN_FOR));
        block_on(breaker.ready());
        assert_eq!(breaker.state(), State::HalfOpen);
        passing.join().expect("no panic");
    });
}

#[test]
fn loom_a_waiter_that_leaves_takes_no_wake_up_of_another() {
    model(|| {
        let breaker = half_open(1, endless());
        let held = breaker.try_acquire_owned().expect("a free place");
        let leaving = thread::spawn({
            let breaker = breaker.clone();
            move || {
                block_on(std::future::poll_fn(|context| {
                    let mut readiness = breaker.readiness();
                    let _ = readiness.poll_ready(context);
                    std::task::Poll::Ready(())
                }));
            }
        });
        let other = thread::spawn(move || drop(held));
        block_on(breaker.ready());
        leaving.join().expect("no panic");
        other.join().expect("no panic");
    });
}
