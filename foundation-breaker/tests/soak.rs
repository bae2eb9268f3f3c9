//! A million calls that are given up, at every point at which they can be.
#![cfg(feature = "test-util")]

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_breaker::{CancelPolicy, CircuitBreaker, OpenFor, Options, Probe, Random, Recovery, State, TripPolicy};
use foundation_types::{ManualClock, Name};

const CALLS: u64 = 1_000_000;
/// The most awaits of an operation.
const AWAITS: u64 = 5;
const SEED: u64 = 0x5eed_0fb4_ea4e;
const OPEN_FOR: Duration = Duration::from_millis(1);

type Breaker = CircuitBreaker<ManualClock>;

/// What the operation does at the poll that follows its awaits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Succeeds,
    Fails,
    Panics,
}

/// An operation that awaits something so often.
struct Operation {
    awaits: u64,
    last: Last,
}

impl Future for Operation {
    type Output = Result<(), ()>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if self.awaits > 0 {
            self.awaits -= 1;
            return Poll::Pending;
        }
        match self.last {
            Last::Succeeds => Poll::Ready(Ok(())),
            Last::Fails => Poll::Ready(Err(())),
            // Not reported by the hook a hundred thousand times.
            Last::Panics => resume_unwind(Box::new(())),
        }
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls a call at the most so often, and gives it up if it is not over by then. Returns whether it was let through.
fn give_up_after(breaker: &Breaker, awaits: u64, polls: u64, last: Last) -> bool {
    let mut was_made = false;
    let mut call = pin!(breaker.call_async(|| {
        was_made = true;
        Operation { awaits, last }
    }));
    for _ in 0..polls {
        match catch_unwind(AssertUnwindSafe(|| poll(call.as_mut()))) {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(_)) | Err(_) => break,
        }
    }
    was_made
}

/// One success closes, one failure opens.
fn short(max_concurrent: u32) -> Probe {
    Probe { open_for: OpenFor::Constant(OPEN_FOR), max_concurrent, ..Probe::default() }
}

/// The circuit goes half-open and stays so.
fn endless(max_concurrent: u32) -> Probe {
    Probe { required_successes: u32::MAX, max_failures: u32::MAX, ..short(max_concurrent) }
}

fn breaker(trip: TripPolicy, cancel: CancelPolicy, probe: Probe) -> (Breaker, ManualClock) {
    let clock = ManualClock::new();
    let breaker = CircuitBreaker::builder(Name::from_static("soak"))
        .options(Options::new(trip, Recovery::Probe(probe)).expect("in range"))
        .on_cancel(cancel)
        .clock(clock.clone())
        .build()
        .expect("in range");
    (breaker, clock)
}

fn assert_nothing_is_held(breaker: &Breaker) {
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.probes.outstanding, snapshot.totals.outstanding()), (0, 0), "{snapshot:?}");
    if matches!(snapshot.state, State::Closed | State::HalfOpen) {
        breaker.try_acquire().expect("a free place").ignore();
    }
}

#[test]
fn p11_a_million_calls_given_up_at_random_points_leak_no_place() {
    println!("seed {SEED:#x}");
    let random = Random::seeded(SEED);
    let uniform = |bound: u64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "less than the bound")]
        let drawn = (random.uniform() * bound as f64) as u64;
        drawn
    };
    let never = TripPolicy::Never;
    let in_a_row = TripPolicy::ConsecutiveFailures { threshold: 3 };
    let fuse = TripPolicy::FailureIntensity { tolerance: 3, window: OPEN_FOR * 10 };
    let mut breakers = [
        breaker(never, CancelPolicy::Ignore, short(1)),
        breaker(in_a_row, CancelPolicy::Ignore, short(1)),
        breaker(in_a_row, CancelPolicy::Failure, short(2)),
        breaker(fuse, CancelPolicy::FailureIfLongerThan(Duration::ZERO), short(3)),
        breaker(in_a_row, CancelPolicy::Ignore, endless(1)),
        breaker(in_a_row, CancelPolicy::Failure, endless(3)),
    ];
    let mut let_through = [0_u64; 6];
    let mut given_up = 0_u64;
    for number in 0..CALLS {
        let which = usize::try_from(uniform(6)).expect("small");
        let (breaker, clock) = &mut breakers[which];
        let awaits = uniform(AWAITS + 1);
        let polls = uniform(awaits + 2);
        let last = match uniform(10) {
            0 => Last::Panics,
            1..4 => Last::Fails,
            _ => Last::Succeeds,
        };
        if give_up_after(breaker, awaits, polls, last) {
            let_through[which] += 1;
            given_up += u64::from(polls <= awaits);
        } else if polls > 0 {
            clock.advance(OPEN_FOR);
        }
        if number % 1_000 == 0 {
            assert_nothing_is_held(breaker);
        }
    }
    for (breaker, clock) in &breakers {
        clock.advance(OPEN_FOR);
        assert_nothing_is_held(breaker);
        breaker.try_acquire().expect("open no more").success();
    }
    // All of them were at work, and a good part of the calls was really given up half way.
    assert!(let_through.iter().all(|count| *count > CALLS / 20), "{let_through:?}");
    assert!(given_up > CALLS / 4, "{given_up}");
    assert_eq!((breakers[4].0.state(), breakers[5].0.state()), (State::HalfOpen, State::HalfOpen));
}

#[test]
fn p11_every_way_to_give_up_a_short_call_leaves_its_place() {
    for cancel in [CancelPolicy::Ignore, CancelPolicy::Failure, CancelPolicy::FailureIfLongerThan(Duration::ZERO)] {
        for state in [State::Closed, State::HalfOpen] {
            for awaits in 0..=AWAITS {
                for polls in 0..=awaits + 1 {
                    for last in [Last::Succeeds, Last::Fails, Last::Panics] {
                        one_way(cancel, state, awaits, polls, last);
                    }
                }
            }
        }
    }
}

fn one_way(cancel: CancelPolicy, state: State, awaits: u64, polls: u64, last: Last) {
    let (breaker, clock) = breaker(TripPolicy::ConsecutiveFailures { threshold: 1 }, cancel, short(1));
    let mut melted = 0;
    if state == State::HalfOpen {
        breaker.melt();
        melted = 1;
        clock.advance(OPEN_FOR);
    }
    assert_eq!(breaker.state(), state);
    assert_eq!(give_up_after(&breaker, awaits, polls, last), polls > 0);
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.probes.outstanding, snapshot.totals.outstanding()), (0, 0));
    // What the call counts as, and where that leads.
    let [succeeded, failed, ignored] = match (polls, last) {
        (0, _) => [0, 0, 0],
        (polls, Last::Succeeds) if polls > awaits => [1, 0, 0],
        (polls, _) if polls > awaits => [0, 1, 0],
        // No time passed, so it was not too long.
        _ if cancel == CancelPolicy::Failure => [0, 1, 0],
        _ => [0, 0, 1],
    };
    let totals = snapshot.totals;
    assert_eq!([totals.succeeded, totals.failed - melted, totals.ignored], [succeeded, failed, ignored]);
    let expected = match (failed, succeeded) {
        (1, _) => State::Open,
        (_, 1) => State::Closed,
        _ => state,
    };
    assert_eq!(snapshot.state, expected);
    if expected == State::Open {
        clock.advance(OPEN_FOR);
    }
    assert!(breaker.try_acquire().is_ok());
}
