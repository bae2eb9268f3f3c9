//! Clocks, timers and deadlines.
#![cfg(feature = "test-util")]

use std::future::{Future, pending, ready};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use foundation_types::testing::strategies;
use foundation_types::{Clock, ManualClock, MonoTime, SystemClock, Timestamp, Wakeup, sleep_until, timeout_at};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// A waker that calls a function.
struct CallOnWake<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for CallOnWake<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

fn waker(call: impl Fn() + Send + Sync + 'static) -> Waker {
    Arc::new(CallOnWake(call)).into()
}

/// A waker that counts, and its count.
fn counter() -> (Waker, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    (waker(move || _ = counted.fetch_add(1, Ordering::SeqCst)), count)
}

fn after(clock: &impl Clock, wait: Duration) -> MonoTime {
    clock.mono().saturating_add(wait)
}

// ===== Points in time =====

proptest! {
    #[test]
    fn timestamps_read_back_from_their_text(stamp in strategies::timestamp()) {
        prop_assert_eq!(stamp.to_string().parse(), Ok(stamp));
        prop_assert!(stamp.to_string().ends_with('Z'));
        let json = serde_json::to_value(stamp).expect("writes");
        prop_assert_eq!(&json, &serde_json::Value::from(stamp.to_string()));
        prop_assert_eq!(serde_json::from_value::<Timestamp>(json).expect("reads"), stamp);
    }

    #[test]
    fn timestamps_order_as_time_does(a in strategies::timestamp(), b in strategies::timestamp()) {
        prop_assert_eq!(a.cmp(&b), a.as_micros().cmp(&b.as_micros()));
        let (early, late) = (a.min(b), a.max(b));
        prop_assert_eq!(early.saturating_add(late.saturating_since(early)), late);
        prop_assert_eq!(early.saturating_since(late), Duration::ZERO);
    }
}

#[test]
fn time_arithmetic_stops_at_the_bounds() {
    assert_eq!(Timestamp::MAX.saturating_add(Duration::MAX), Timestamp::MAX);
    assert_eq!(Timestamp::MIN.saturating_sub(Duration::MAX), Timestamp::MIN);
    assert_eq!(Timestamp::UNIX_EPOCH.saturating_add(SECOND).saturating_sub(SECOND), Timestamp::UNIX_EPOCH);
    assert_eq!(MonoTime::from_nanos(1).saturating_add(Duration::MAX), MonoTime::NEVER);
    assert_eq!(MonoTime::ORIGIN.saturating_since(MonoTime::NEVER), Duration::ZERO);
    assert_eq!(MonoTime::NEVER.as_nanos(), u64::MAX);
}

#[test]
fn the_coarse_clock_is_never_ahead_and_never_goes_back() {
    let mut latest = MonoTime::ORIGIN;
    for _ in 0..10_000 {
        let coarse = SystemClock.mono_coarse();
        assert!(latest <= coarse && coarse <= SystemClock.mono());
        latest = coarse;
    }
    let clock = ManualClock::new();
    clock.advance(SECOND);
    assert_eq!(clock.mono_coarse(), clock.mono());
}

#[test]
fn t15_a_bad_time_is_refused() {
    for text in ["", "yesterday", "2024-13-01T00:00:00Z", "2024-01-01", "2024-01-01T00:00:00"] {
        assert!(text.parse::<Timestamp>().is_err(), "{text}");
        assert!(serde_json::from_value::<Timestamp>(text.into()).is_err(), "{text}");
    }
    assert!(serde_json::from_value::<Timestamp>(3.into()).is_err());
}

// ===== The manual clock =====

#[test]
fn manual_clock_moves_only_when_told() {
    let clock = ManualClock::new();
    let (mono, wall) = (clock.mono(), clock.wall());
    assert_eq!((clock.mono(), clock.wall()), (mono, wall));
    clock.advance(SECOND);
    assert_eq!((clock.mono(), clock.wall()), (mono.saturating_add(SECOND), wall.saturating_add(SECOND)));
    clock.set_wall(Timestamp::UNIX_EPOCH);
    assert_eq!((clock.mono(), clock.wall()), (mono.saturating_add(SECOND), Timestamp::UNIX_EPOCH));
}

#[test]
fn manual_wall_time_loses_no_fraction_of_a_microsecond() {
    let clock = ManualClock::new();
    let wall = clock.wall();
    let _timer = clock.wake_at(MonoTime::from_nanos(250), Waker::noop().clone());
    clock.advance(Duration::from_nanos(500));
    assert_eq!(clock.wall(), wall);
    clock.advance(Duration::from_nanos(500));
    assert_eq!(clock.wall(), wall.saturating_add(Duration::from_micros(1)));
}

#[test]
fn manual_timers_wake_in_the_order_of_their_deadlines_and_at_their_time() {
    let clock = ManualClock::new();
    let woken = Arc::new(Mutex::new(Vec::new()));
    let timers: Vec<Wakeup> = [5_u64, 1, 3, 1, 9]
        .into_iter()
        .enumerate()
        .map(|(index, seconds)| {
            let (now, woken) = (clock.clone(), woken.clone());
            let waker = waker(move || woken.lock().expect("unpoisoned").push((index, now.mono(), now.wall())));
            clock.wake_at(after(&clock, SECOND * u32::try_from(seconds).expect("small")), waker)
        })
        .collect();
    let wall = clock.wall();
    assert_eq!((clock.pending(), clock.next_deadline()), (5, Some(after(&clock, SECOND))));

    clock.advance(SECOND * 8);
    let expected: Vec<_> = [(1, 1), (3, 1), (2, 3), (0, 5)]
        .map(|(index, seconds)| {
            let moved = SECOND * seconds;
            (index, MonoTime::ORIGIN.saturating_add(moved), wall.saturating_add(moved))
        })
        .into();
    assert_eq!(*woken.lock().expect("unpoisoned"), expected);
    assert_eq!((clock.pending(), clock.mono()), (1, MonoTime::ORIGIN.saturating_add(SECOND * 8)));
    drop(timers);
    assert_eq!((clock.pending(), clock.next_deadline()), (0, None));
}

#[test]
fn manual_timers_never_wake_early_and_wake_once() {
    let clock = ManualClock::new();
    let (waker, count) = counter();
    let _timer = clock.wake_at(after(&clock, SECOND), waker);
    clock.advance(Duration::from_nanos(999_999_999));
    assert_eq!(count.load(Ordering::SeqCst), 0);
    clock.advance(Duration::from_nanos(1));
    assert_eq!(count.load(Ordering::SeqCst), 1);
    clock.advance(SECOND);
    assert_eq!((count.load(Ordering::SeqCst), clock.pending()), (1, 0));
}

#[test]
fn cancelling_a_manual_timer_frees_its_waker() {
    let clock = ManualClock::new();
    let (waker, count) = counter();
    let timer = clock.wake_at(after(&clock, SECOND), waker);
    assert_eq!((clock.pending(), Arc::strong_count(&count)), (1, 2));
    drop(timer);
    assert_eq!((clock.pending(), Arc::strong_count(&count)), (0, 1));
    clock.advance(SECOND * 2);
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[test]
fn a_past_deadline_wakes_at_once() {
    let clock = ManualClock::new();
    let (waker, count) = counter();
    let _timer = clock.wake_at(clock.mono(), waker);
    assert_eq!((count.load(Ordering::SeqCst), clock.pending()), (1, 0));
}

#[test]
fn a_waker_may_arm_timers_that_fire_in_the_same_advance_and_move_the_clock_further() {
    let clock = ManualClock::new();
    let (second, count) = counter();
    let armed = Arc::new(OnceLock::new());
    let first = {
        let (clock, armed) = (clock.clone(), armed.clone());
        waker(move || {
            armed.set(clock.wake_at(after(&clock, SECOND), second.clone())).expect("woken once");
            clock.advance(SECOND * 3);
        })
    };
    let _timer = clock.wake_at(after(&clock, SECOND), first);
    clock.advance(SECOND * 2);
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert_eq!(clock.mono(), MonoTime::ORIGIN.saturating_add(SECOND * 5));
}

#[test]
fn advances_from_many_threads_add_up() {
    let clock = ManualClock::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1_000).for_each(|_| clock.advance(MILLI)));
        }
    });
    assert_eq!(clock.mono(), MonoTime::ORIGIN.saturating_add(MILLI * 4_000));
}

// ===== Waiting =====

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn sleep_ends_at_its_deadline_and_frees_its_timer() {
    let clock = ManualClock::new();
    let deadline = after(&clock, SECOND);
    {
        let mut sleep = pin!(sleep_until(&clock, deadline));
        assert_eq!((poll_once(sleep.as_mut()), clock.pending()), (Poll::Pending, 1));
        assert_eq!((poll_once(sleep.as_mut()), clock.pending()), (Poll::Pending, 1));
        clock.advance(SECOND);
        assert_eq!(poll_once(sleep.as_mut()), Poll::Ready(()));
    }
    {
        let mut cancelled = pin!(sleep_until(&clock, after(&clock, SECOND)));
        assert_eq!((poll_once(cancelled.as_mut()), clock.pending()), (Poll::Pending, 1));
    }
    assert_eq!(clock.pending(), 0);
    assert_eq!(poll_once(pin!(sleep_until(&clock, deadline))), Poll::Ready(()));
}

#[test]
fn sleep_wakes_the_task_that_polled_last() {
    let clock = ManualClock::new();
    let ((first, first_count), (last, last_count)) = (counter(), counter());
    let mut sleep = pin!(sleep_until(&clock, after(&clock, SECOND)));
    assert!(sleep.as_mut().poll(&mut Context::from_waker(&first)).is_pending());
    assert!(sleep.as_mut().poll(&mut Context::from_waker(&last)).is_pending());
    clock.advance(SECOND);
    assert_eq!((first_count.load(Ordering::SeqCst), last_count.load(Ordering::SeqCst)), (0, 1));
}

#[test]
fn timeout_prefers_a_ready_result_even_after_the_deadline() {
    let clock = ManualClock::new();
    let past = clock.mono();
    clock.advance(SECOND);
    assert_eq!(pollster::block_on(timeout_at(&clock, past, ready(7))), Some(7));
    assert_eq!(pollster::block_on(timeout_at(&clock, past, pending::<u8>())), None);
}

#[test]
fn timeout_ends_at_its_deadline() {
    let clock = ManualClock::new();
    let mut timeout = pin!(timeout_at(&clock, after(&clock, SECOND), pending::<u8>()));
    assert!(poll_once(timeout.as_mut()).is_pending());
    clock.advance(MILLI * 999);
    assert!(poll_once(timeout.as_mut()).is_pending());
    clock.advance(MILLI);
    assert_eq!(poll_once(timeout.as_mut()), Poll::Ready(None));
}

// ===== The system clock =====

#[test]
fn system_time_goes_forward_and_is_this_century() {
    let mut last = SystemClock.mono();
    for _ in 0..1_000 {
        let now = SystemClock.mono();
        assert!(now >= last);
        last = now;
    }
    assert!(SystemClock.wall() > "2024-01-01T00:00:00Z".parse().expect("valid"));
}

#[test]
fn system_timers_are_never_early() {
    for micros in [0, 1, 50, 1_000, 3_000] {
        let deadline = after(&SystemClock, Duration::from_micros(micros));
        pollster::block_on(sleep_until(&SystemClock, deadline));
        assert!(SystemClock.mono() >= deadline);
    }
    pollster::block_on(sleep_until(&SystemClock, MonoTime::ORIGIN));
}

#[test]
fn many_system_timers_all_fire_and_none_early() {
    let (sender, fired) = mpsc::channel();
    let timers: Vec<Wakeup> = (0..64_u32)
        .map(|index| {
            // Later timers are due earlier, so each arming moves the deadline that the timer thread waits for.
            let deadline = after(&SystemClock, Duration::from_micros(u64::from(6_400 - index * 100)));
            let sender = sender.clone();
            let waker = waker(move || {
                let early = SystemClock.mono() < deadline;
                _ = sender.send((index, early));
            });
            SystemClock.wake_at(deadline, waker)
        })
        .collect();
    let mut woken: Vec<(u32, bool)> = fired.iter().take(timers.len()).collect();
    woken.sort_unstable();
    assert_eq!(woken, (0..64).map(|index| (index, false)).collect::<Vec<_>>());
}

#[test]
fn cancelling_a_system_timer_frees_its_waker() {
    let (waker, count) = counter();
    let timer = SystemClock.wake_at(after(&SystemClock, SECOND * 3_600), waker);
    assert_eq!(Arc::strong_count(&count), 2);
    drop(timer);
    assert_eq!((Arc::strong_count(&count), count.load(Ordering::SeqCst)), (1, 0));
}

#[test]
fn a_deadline_that_never_comes_keeps_no_waker() {
    let (waker, count) = counter();
    let _timer = SystemClock.wake_at(MonoTime::NEVER, waker);
    assert_eq!((Arc::strong_count(&count), count.load(Ordering::SeqCst)), (1, 0));
}

#[test]
fn a_waker_that_panics_does_not_stop_the_timers_of_others() {
    let deadline = after(&SystemClock, MILLI);
    let _panics = SystemClock.wake_at(deadline, waker(|| panic!("a waker of someone else")));
    pollster::block_on(sleep_until(&SystemClock, deadline.saturating_add(MILLI)));
    assert!(SystemClock.mono() >= deadline);
}

#[test]
fn timeout_on_the_system_clock_ends() {
    let deadline = after(&SystemClock, MILLI);
    assert_eq!(pollster::block_on(timeout_at(&SystemClock, deadline, pending::<u8>())), None);
    assert!(SystemClock.mono() >= deadline);
    let far = after(&SystemClock, SECOND * 3_600);
    assert_eq!(pollster::block_on(timeout_at(&SystemClock, far, ready(1))), Some(1));
}
