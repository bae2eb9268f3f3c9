//! How many retries a budget allows.
#![cfg(feature = "test-util")]

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use foundation_breaker::retry::{
    BudgetError, BudgetOptions, MAX_BUDGET_WINDOW, MAX_MIN_PER_SECOND, MIN_BUDGET_WINDOW, RetryBudget, Withdrawal,
};
use foundation_types::{ManualClock, Ratio};
use proptest::prelude::*;

/// To what part of the window a budget is exact.
const RESOLUTION: u32 = 32;

fn options(ratio: f64, min_per_second: u32, window: Duration) -> BudgetOptions {
    BudgetOptions { ratio: Ratio::saturating(ratio), min_per_second, window }
}

fn budget(clock: &ManualClock, ratio: f64, min_per_second: u32) -> RetryBudget<ManualClock> {
    RetryBudget::with_clock(options(ratio, min_per_second, Duration::from_secs(10)), clock.clone()).expect("valid")
}

#[derive(Clone, Debug)]
enum Step {
    Advance(Duration),
    Deposit(u8),
    Spend,
    GiveBack,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0_u64..3_000).prop_map(|millis| Step::Advance(Duration::from_millis(millis))),
        1 => (0_u64..200_000_000).prop_map(|nanos| Step::Advance(Duration::from_nanos(nanos))),
        3 => (1_u8..20).prop_map(Step::Deposit),
        6 => Just(Step::Spend),
        1 => Just(Step::GiveBack),
    ];
    prop::collection::vec(step, 1..300)
}

/// How many of `times` are within `length` before `now`; what is exactly so old is not.
fn within(times: &[Duration], now: Duration, length: Duration) -> u64 {
    times.iter().filter(|&&time| time + length > now).count() as u64
}

proptest! {
    #[test]
    fn retries_of_any_window_stay_within_the_share_and_the_minimum_and_come_close_to_them(
        parts in 0_u32..=100,
        min_per_second in 0_u32..3,
        millis in 1_000_u64..5_000,
        steps in steps(),
    ) {
        let window = Duration::from_millis(millis);
        let tick = window / RESOLUTION + Duration::from_nanos(1);
        let clock = ManualClock::new();
        let budget = RetryBudget::with_clock(options(f64::from(parts) / 100.0, min_per_second, window), clock.clone())?;
        let allowed = |requests: u64| (requests * u64::from(parts)) / 100 + u64::from(min_per_second) * millis / 1000;
        let (mut requests, mut retries) = (Vec::new(), Vec::new());
        let mut now = Duration::ZERO;
        for step in steps {
            match step {
                Step::Advance(by) => {
                    clock.advance(by);
                    now += by;
                }
                Step::Deposit(count) => {
                    for _ in 0..count {
                        budget.deposit();
                        requests.push(now);
                    }
                }
                Step::GiveBack => drop(budget.withdraw()),
                Step::Spend => {
                    let before = budget.balance();
                    let withdrawal = budget.withdraw();
                    prop_assert_eq!(withdrawal.is_some(), before > 0);
                    if let Some(withdrawal) = withdrawal {
                        withdrawal.spend();
                        retries.push(now);
                        // A retry is the end of every window that has the most retries.
                        prop_assert!(within(&retries, now, window) <= allowed(within(&requests, now, window)));
                    } else {
                        let sure = allowed(within(&requests, now, window.saturating_sub(tick)));
                        prop_assert!(within(&retries, now, window + tick) >= sure, "refused too early");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_given_back_is_there_again(min_per_second in 1_u32..50, taken in 1_usize..100) {
        let budget = budget(&ManualClock::new(), 0.0, min_per_second);
        let all = budget.balance();
        let withdrawals: Vec<_> = (0..taken).map_while(|_| budget.withdraw()).collect();
        prop_assert_eq!(budget.balance(), all - withdrawals.len() as u64);
        drop(withdrawals);
        prop_assert_eq!(budget.balance(), all);
        prop_assert_eq!(budget.snapshot().retries, 0);
    }

    #[test]
    fn shares_are_exact_to_a_millionth(parts in 0_u32..=1_000_000, deposits in 0_u16..1_000) {
        let budget = budget(&ManualClock::new(), f64::from(parts) / 1e6, 0);
        (0..deposits).for_each(|_| budget.deposit());
        prop_assert_eq!(budget.balance(), u64::from(deposits) * u64::from(parts) / 1_000_000);
    }
}

#[test]
fn requests_lapse_after_the_window() {
    let clock = ManualClock::new();
    let budget = budget(&clock, 1.0, 0);
    budget.deposit();
    clock.advance(Duration::from_secs(9));
    assert_eq!(budget.balance(), 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(budget.balance(), 0);
    assert!(budget.withdraw().is_none());
}

#[test]
fn the_minimum_is_there_before_the_first_request_and_returns_after_a_window() {
    let clock = ManualClock::new();
    let budget = budget(&clock, 0.2, 3);
    assert_eq!(budget.balance(), 30);
    (0..30).for_each(|_| budget.withdraw().expect("a reserve").spend());
    assert!(budget.withdraw().is_none());
    clock.advance(Duration::from_secs(11));
    assert_eq!(budget.balance(), 30);
}

#[test]
fn clones_are_one_budget() {
    let budget = budget(&ManualClock::new(), 1.0, 0);
    let clone = budget.clone();
    budget.deposit();
    clone.withdraw().expect("the deposit").spend();
    assert!(budget.withdraw().is_none());
    let snapshot = clone.snapshot();
    assert_eq!((snapshot.requests, snapshot.retries, snapshot.balance, snapshot.exhausted), (1, 1, 0, 1));
}

#[test]
fn threads_get_exactly_what_there_is() {
    const THREADS: usize = 4;
    let clock = ManualClock::new();
    // Not at the origin, where every slot still counts for the tick of that time.
    clock.advance(Duration::from_secs(1_000));
    let budget = budget(&clock, 0.5, 0);
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                (0..500).for_each(|_| budget.deposit());
            });
        }
    });
    let taken: usize = thread::scope(|scope| {
        let take = || {
            start.wait();
            (0..1_000).filter_map(|_| budget.withdraw()).map(Withdrawal::spend).count()
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(take)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert_eq!(taken, 1_000);
    assert_eq!(budget.snapshot().exhausted, 3_000);
}

#[test]
fn values_out_of_range_are_refused_by_name() {
    let clock = ManualClock::new();
    let build = |min, window| RetryBudget::with_clock(options(0.1, min, window), clock.clone()).map(|_| ());
    for window in [
        Duration::ZERO,
        MIN_BUDGET_WINDOW.saturating_sub(Duration::from_nanos(1)),
        MAX_BUDGET_WINDOW * 2,
        Duration::MAX,
    ] {
        assert_eq!(build(1, window), Err(BudgetError::WindowOutOfRange { window }));
    }
    let min_per_second = MAX_MIN_PER_SECOND + 1;
    assert_eq!(build(min_per_second, MIN_BUDGET_WINDOW), Err(BudgetError::MinTooLarge { min_per_second }));
    assert_eq!(build(MAX_MIN_PER_SECOND, MAX_BUDGET_WINDOW), Ok(()));
}

#[test]
fn default_is_that_of_finagle() {
    let clock = ManualClock::new();
    let budget = RetryBudget::with_clock(BudgetOptions::default(), clock.clone()).expect("valid");
    assert_eq!(budget.balance(), 100);
    (0..50).for_each(|_| budget.deposit());
    assert_eq!(budget.balance(), 110);
    assert_eq!(clock.pending(), 0);
}
