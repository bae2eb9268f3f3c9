//! Operations that are tried again.
#![cfg(feature = "test-util")]

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_breaker::retry::{
    Backoff, BudgetOptions, EveryError, Next, Retry, RetryBudget, RetryBuilder, RetryClassifier, RetryError,
    RetryVerdict, Stopped, through_breaker,
};
use foundation_breaker::{CallError, CircuitBreaker, Random, RejectReason, Rejected, TripPolicy};
use foundation_types::{Clock, ManualClock, Name, Ratio};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);
const NAME: Name = Name::from_static("search");

fn attempts(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("not zero")
}

/// A policy that always waits a second.
fn every_second(clock: &ManualClock) -> RetryBuilder<ManualClock> {
    Retry::with_clock(clock.clone()).backoff(Backoff::constant(SECOND).expect("valid"))
}

fn budget(clock: &ManualClock, ratio: Ratio, min_per_second: u32) -> RetryBudget<ManualClock> {
    let options = BudgetOptions { ratio, min_per_second, window: Duration::from_mins(1) };
    RetryBudget::with_clock(options, clock.clone()).expect("valid")
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Runs `future` to its end, moving `clock` from deadline to deadline.
fn complete<F: Future>(clock: &ManualClock, future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = poll(future.as_mut()) {
            return output;
        }
        let deadline = clock.next_deadline().expect("something to wait for");
        clock.advance(deadline.saturating_since(clock.mono()));
    }
}

fn seconds(clock: &ManualClock) -> u64 {
    clock.mono().as_nanos() / 1_000_000_000
}

/// Pending so many times.
async fn pend(mut times: u32) {
    poll_fn(|_| {
        if times == 0 {
            return Poll::Ready(());
        }
        times -= 1;
        Poll::Pending
    })
    .await;
}

#[test]
fn success_ends_the_operation() {
    let clock = ManualClock::new();
    let retry = every_second(&clock).budget(budget(&clock, Ratio::ONE, 0)).build();
    let result = complete(&clock, retry.run(|attempt| async move { if attempt == 3 { Ok(attempt) } else { Err(()) } }));
    // The budget allows one retry per request.
    assert_eq!(result.map_err(|error| (error.attempts, error.stopped)), Err((2, Stopped::Budget)));

    let retry = every_second(&clock).build();
    let result = complete(&clock, retry.run(|attempt| async move { if attempt == 3 { Ok(attempt) } else { Err(()) } }));
    assert_eq!(result, Ok(3));
    assert_eq!(seconds(&clock), 3);
    let snapshot = retry.snapshot();
    assert_eq!((snapshot.operations, snapshot.retries, snapshot.attempts_exhausted), (1, 2, 0));
}

#[test]
fn no_more_attempts_are_made_than_allowed_and_the_error_is_that_of_the_last() {
    let clock = ManualClock::new();
    let retry = every_second(&clock).max_attempts(attempts(4)).build();
    let result: Result<(), _> = complete(&clock, retry.run(|attempt| async move { Err(attempt) }));
    assert_eq!(result, Err(RetryError::new(4, 4, Stopped::Attempts)));
    assert_eq!(seconds(&clock), 3);
    assert_eq!(retry.snapshot().attempts_exhausted, 1);
}

#[test]
fn an_error_that_is_not_worth_it_ends_the_operation_at_once() {
    let clock = ManualClock::new();
    let classify = |error: &u32| if *error == 2 { RetryVerdict::GiveUp } else { RetryVerdict::Retry };
    let retry = every_second(&clock).classifier(classify).build();
    let result: Result<(), _> = complete(&clock, retry.run(|attempt| async move { Err(attempt) }));
    assert_eq!(result, Err(RetryError::new(2, 2, Stopped::NotRetryable)));
    assert_eq!(retry.snapshot().not_retryable, 1);
}

#[test]
fn a_wait_that_the_service_asks_for_is_added_to_the_delay() {
    let clock = ManualClock::new();
    let retry = every_second(&clock).classifier(|(): &()| RetryVerdict::RetryAfter(10 * SECOND)).build();
    let begun = RefCell::new(Vec::new());
    let result: Result<(), _> = complete(
        &clock,
        retry.run(|_| {
            begun.borrow_mut().push(seconds(&clock));
            async { Err(()) }
        }),
    );
    assert_eq!(result.map_err(|error| error.stopped), Err(Stopped::Attempts));
    assert_eq!(begun.into_inner(), [0, 11, 22]);
}

#[test]
fn a_wait_beyond_the_deadline_is_not_begun() {
    let clock = ManualClock::new();
    let retry = every_second(&clock).max_attempts(NonZeroU32::MAX).deadline(3 * SECOND).build();
    let result: Result<(), _> = complete(&clock, retry.run(|attempt| async move { Err(attempt) }));
    // The fourth attempt begins on the deadline, a fifth would begin after it.
    assert_eq!(result, Err(RetryError::new(4, 4, Stopped::Deadline)));
    assert_eq!(seconds(&clock), 3);
    assert_eq!(retry.snapshot().deadline_exceeded, 1);

    let mut attempts = retry.attempts();
    attempts.begin();
    let forever = RetryVerdict::Refused { retry_after: Some(Duration::MAX) };
    assert_eq!(attempts.after_failure(forever), Next::GiveUp(Stopped::Deadline));
}

#[test]
fn a_budget_that_is_used_up_ends_operations_and_is_shared_by_policies() {
    let clock = ManualClock::new();
    let budget = budget(&clock, Ratio::saturating(0.5), 0);
    let one = every_second(&clock).budget(budget.clone()).build();
    let other = every_second(&clock).budget(budget.clone()).build();
    let run = |retry: &Retry<_>| -> Result<(), RetryError<()>> { complete(&clock, retry.run(|_| async { Err(()) })) };
    assert_eq!(run(&one), Err(RetryError::new((), 1, Stopped::Budget)));
    assert_eq!(run(&other), Err(RetryError::new((), 2, Stopped::Budget)));
    let snapshot = other.snapshot();
    assert_eq!((snapshot.retries, snapshot.budget_exhausted), (1, 1));
    assert_eq!(snapshot.budget, Some(budget.snapshot()));
    assert_eq!((budget.snapshot().requests, budget.snapshot().retries, budget.snapshot().exhausted), (2, 1, 2));
}

#[test]
fn a_refusal_returns_the_retry_that_was_taken_for_the_refused_attempt() {
    let clock = ManualClock::new();
    let budget = budget(&clock, Ratio::ONE, 0);
    let retry = every_second(&clock).budget(budget.clone()).build();
    let mut attempts = retry.attempts();
    attempts.begin();
    assert_eq!(attempts.after_failure(RetryVerdict::Retry), Next::RetryIn(SECOND));
    assert_eq!(budget.balance(), 0);
    attempts.begin();
    // The retry serves the next attempt ...
    assert_eq!(attempts.after_failure(RetryVerdict::Refused { retry_after: None }), Next::RetryIn(SECOND));
    assert_eq!(budget.balance(), 0);
    attempts.begin();
    // ... and returns when there is none.
    assert_eq!(attempts.after_failure(RetryVerdict::Refused { retry_after: None }), Next::GiveUp(Stopped::Attempts));
    assert_eq!(budget.balance(), 1);
    assert_eq!((budget.snapshot().requests, budget.snapshot().retries), (1, 0));
}

#[test]
fn clones_of_a_policy_count_together() {
    let clock = ManualClock::new();
    let retry = every_second(&clock).build();
    let result: Result<(), _> = complete(&clock, retry.clone().run(|_| async { Err(()) }));
    assert_eq!(result.map_err(RetryError::into_error), Err(()));
    assert_eq!((retry.snapshot().operations, retry.snapshot().retries), (1, 2));
}

#[test]
fn a_panic_reaches_the_caller_and_its_attempt_counts_as_sent() {
    let clock = ManualClock::new();
    let budget = budget(&clock, Ratio::ONE, 0);
    let retry = every_second(&clock).budget(budget.clone()).build();
    let run = || -> Result<(), RetryError<()>> {
        complete(&clock, retry.run(|attempt| async move { if attempt == 2 { panic!("no answer") } else { Err(()) } }))
    };
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    assert_eq!((budget.snapshot().requests, budget.snapshot().retries), (1, 1));
    assert_eq!(clock.pending(), 0);
}

#[test]
fn an_attempt_that_nobody_began_is_taken_as_begun() {
    let clock = ManualClock::new();
    let retry = every_second(&clock).max_attempts(attempts(2)).build();
    let mut attempts = retry.attempts();
    assert_eq!(attempts.after_failure(RetryVerdict::Retry), Next::RetryIn(SECOND));
    assert_eq!(attempts.after_failure(RetryVerdict::Retry), Next::GiveUp(Stopped::Attempts));
    assert_eq!(attempts.made(), 2);
}

#[test]
fn the_error_tells_why_and_keeps_its_source() {
    let error = RetryError::new(std::io::Error::other("no route"), 3, Stopped::Budget);
    assert_eq!(error.to_string(), "failed for good after 3 attempt(s): the retry budget is used up");
    assert_eq!(std::error::Error::source(&error).map(ToString::to_string).as_deref(), Some("no route"));
}

#[test]
fn a_refusal_by_a_breaker_is_told_from_an_error_of_the_operation() {
    let classifier =
        through_breaker(|error: &u32| if *error == 1 { RetryVerdict::Retry } else { RetryVerdict::GiveUp });
    let rejected = |retry_after| CallError::<u32>::Rejected(Rejected::new(NAME, RejectReason::Open, retry_after));
    for retry_after in [None, Some(SECOND)] {
        assert_eq!(classifier.verdict(&rejected(retry_after)), RetryVerdict::Refused { retry_after });
    }
    assert_eq!(classifier.verdict(&CallError::Operation(1)), RetryVerdict::Retry);
    assert_eq!(classifier.verdict(&CallError::Operation(2)), RetryVerdict::GiveUp);
    assert_eq!(through_breaker(EveryError).verdict(&CallError::Operation(())), RetryVerdict::Retry);
}

#[test]
fn an_operation_waits_for_its_breaker_to_heal_and_the_wait_costs_no_budget() {
    let clock = ManualClock::new();
    let breaker = CircuitBreaker::builder(NAME)
        .trip(TripPolicy::ConsecutiveFailures { threshold: 2 })
        .recovery(foundation_breaker::Recovery::AutoClose { after: 30 * SECOND })
        .clock(clock.clone())
        .build()
        .expect("valid");
    let budget = budget(&clock, Ratio::ONE, 0);
    let retry = every_second(&clock).max_attempts(attempts(4)).budget(budget.clone()).through_breaker().build();
    let sent = RefCell::new(Vec::new());
    let call = || {
        sent.borrow_mut().push(seconds(&clock));
        let is_healthy = seconds(&clock) >= 20;
        async move { if is_healthy { Ok("answer") } else { Err("down") } }
    };
    let first = complete(&clock, retry.run(|_| breaker.call_async(call)));
    // Two attempts trip the breaker; the budget has no third, and a refusal would need none.
    assert_eq!(first, Err(RetryError::new(CallError::Operation("down"), 2, Stopped::Budget)));
    let second = complete(&clock, retry.run(|_| breaker.call_async(call)));
    assert_eq!(second, Ok("answer"));
    // Refused at 1, when the circuit had 30 seconds to go; the backoff adds one.
    assert_eq!(sent.into_inner(), [0, 1, 32]);
    assert_eq!((budget.snapshot().requests, budget.snapshot().retries), (2, 1));
    assert_eq!((retry.snapshot().operations, retry.snapshot().refusals), (2, 1));
}

fn verdict() -> impl Strategy<Value = RetryVerdict> {
    let wait = || (0_u64..2_000).prop_map(Duration::from_millis);
    prop_oneof![
        6 => Just(RetryVerdict::Retry),
        2 => wait().prop_map(RetryVerdict::RetryAfter),
        6 => prop::option::of(wait()).prop_map(|retry_after| RetryVerdict::Refused { retry_after }),
        1 => Just(RetryVerdict::GiveUp),
    ]
}

proptest! {
    #[test]
    fn refusals_never_consume_the_budget_and_count_as_attempts(
        verdicts in prop::collection::vec(verdict(), 0..12),
        max_attempts in 1_u32..12,
        min_per_second in 0_u32..2,
        deadline in 0_u64..20,
        seed: u64,
    ) {
        let clock = ManualClock::new();
        let budget = budget(&clock, Ratio::saturating(0.5), min_per_second);
        let retry = Retry::with_clock(clock.clone())
            .max_attempts(attempts(max_attempts))
            .deadline(Duration::from_secs(deadline))
            .budget(budget.clone())
            .random(Random::seeded(seed))
            .classifier(|verdict: &RetryVerdict| *verdict)
            .build();
        let begun = RefCell::new(Vec::new());
        let result = complete(&clock, retry.run(|attempt| {
            begun.borrow_mut().push(clock.mono());
            let verdict = verdicts.get(attempt as usize - 1).copied();
            async move { verdict.map_or(Ok(()), Err) }
        }));
        let begun = begun.into_inner();
        let made = begun.len();
        prop_assert!(made >= 1 && made <= max_attempts as usize);
        prop_assert!(begun.iter().all(|at| at.as_nanos() <= deadline * 1_000_000_000));

        let answers = &verdicts[..made.min(verdicts.len())];
        let refused = answers.iter().filter(|verdict| matches!(verdict, RetryVerdict::Refused { .. })).count();
        let sent = (made - refused) as u64;
        let spent = budget.snapshot();
        prop_assert_eq!((spent.requests, spent.retries), (sent.min(1), sent.saturating_sub(1)));
        prop_assert_eq!(retry.snapshot().refusals, refused as u64);
        prop_assert_eq!(retry.snapshot().retries, made as u64 - 1);

        for (pair, verdict) in begun.windows(2).zip(answers) {
            let waited = pair[1].saturating_since(pair[0]);
            match *verdict {
                RetryVerdict::RetryAfter(least) | RetryVerdict::Refused { retry_after: Some(least) } => {
                    prop_assert!(waited >= least);
                }
                RetryVerdict::Retry | RetryVerdict::Refused { retry_after: None } => {}
                RetryVerdict::GiveUp => prop_assert!(false, "an attempt after giving up"),
            }
        }
        match result {
            Ok(()) => prop_assert_eq!(made, verdicts.len() + 1),
            Err(error) => {
                prop_assert_eq!(error.attempts as usize, made);
                prop_assert_eq!(error.error, verdicts[made - 1]);
                match error.stopped {
                    Stopped::Attempts => prop_assert_eq!(made, max_attempts as usize),
                    Stopped::NotRetryable => prop_assert_eq!(error.error, RetryVerdict::GiveUp),
                    Stopped::Budget => {
                        prop_assert_eq!(spent.exhausted, 1);
                        let is_refused = matches!(error.error, RetryVerdict::Refused { .. });
                        prop_assert!(sent > 0 && !is_refused, "a refusal needs no budget");
                    }
                    _ => prop_assert_eq!(error.stopped, Stopped::Deadline),
                }
            }
        }
    }

    #[test]
    fn cancelling_at_any_poll_leaks_nothing(
        // Per attempt, how often it is pending, and whether it is then refused.
        script in prop::collection::vec((0_u32..3, any::<bool>()), 1..6),
        polls in 0_usize..25,
    ) {
        let clock = ManualClock::new();
        let budget = budget(&clock, Ratio::ONE, 1);
        let full = budget.balance();
        let refused = RetryVerdict::Refused { retry_after: None };
        let retry = every_second(&clock)
            .max_attempts(attempts(u32::try_from(script.len()).expect("short")))
            .budget(budget.clone())
            .classifier(|verdict: &RetryVerdict| *verdict)
            .build();
        let (begun, refusals, under_way) = (Cell::new(0_u64), Cell::new(0_u64), Cell::new(0_u32));
        let mut future = Box::pin(retry.run(|attempt| {
            let (pending, is_refused) = script[attempt as usize - 1];
            begun.set(begun.get() + 1);
            let (refusals, under_way) = (&refusals, &under_way);
            async move {
                let _guard = Guard::new(under_way);
                pend(pending).await;
                refusals.set(refusals.get() + u64::from(is_refused));
                Err::<(), _>(if is_refused { refused } else { RetryVerdict::Retry })
            }
        }));
        for _ in 0..polls {
            if poll(future.as_mut()).is_ready() {
                break;
            }
            if let Some(deadline) = clock.next_deadline() {
                clock.advance(deadline.saturating_since(clock.mono()));
            }
        }
        drop(future);
        let sent = begun.get() - refusals.get();
        prop_assert_eq!(under_way.get(), 0);
        prop_assert_eq!(clock.pending(), 0);
        let after = budget.snapshot();
        prop_assert_eq!((after.requests, after.retries), (sent.min(1), sent.saturating_sub(1)));
        prop_assert_eq!(after.balance, full + sent.min(1) - sent.saturating_sub(1));
    }
}

/// Counts the futures that are under way.
struct Guard<'c>(&'c Cell<u32>);

impl<'c> Guard<'c> {
    fn new(count: &'c Cell<u32>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
