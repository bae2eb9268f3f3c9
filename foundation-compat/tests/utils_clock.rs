//! `utils` takes its time from the clock of the global instance, and makes no instance to have one.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use foundation_compat::foundation_types::{Clock, ManualClock, MonoTime, Timestamp, Wakeup};
use foundation_compat::utils::{self, RetryOptions, Stopped};
use foundation_compat::{Foundation, Value, global};

/// A clock that goes to whatever moment someone waits for.
struct Leaping(ManualClock);

impl Clock for Leaping {
    fn mono(&self) -> MonoTime {
        self.0.mono()
    }

    fn wall(&self) -> Timestamp {
        self.0.wall()
    }

    fn wake_at(&self, deadline: MonoTime, waker: Waker) -> Wakeup {
        self.0.advance(deadline.saturating_since(self.0.mono()));
        self.0.wake_at(deadline, waker)
    }
}

// One test, for there is one global instance.
#[test]
fn time_comes_from_the_installed_clock_and_retries_wait_on_it() {
    // On the clock of the operating system, as there is no instance.
    let (result, _) = utils::measure(utils::monotonic_timestamp);
    assert!(result <= utils::monotonic_timestamp());
    assert!(utils::wall_timestamp() > 1_700_000_000_000_000_000, "nanoseconds of this century");

    let clock = ManualClock::new();
    let foundation = Foundation::builder().clock(Arc::new(Leaping(clock.clone()))).build().expect("in range");
    global::install(foundation).expect("nothing so far has made an instance");

    assert_eq!((utils::monotonic_timestamp(), utils::wall_timestamp()), (Duration::ZERO, 1_000_000_000_000_000_000));
    let (result, took) = utils::measure(|| {
        clock.advance(Duration::from_nanos(1_500));
        7
    });
    assert_eq!((result, took), (7, Duration::from_nanos(1_500)));

    let start = utils::monotonic_timestamp();
    let mut at = Vec::new();
    let failed = utils::retry_1(|| {
        at.push(utils::monotonic_timestamp().saturating_sub(start).as_millis());
        Err::<(), _>("down")
    });
    assert_eq!(failed.expect_err("it is down").stopped, Stopped::Attempts);
    assert_eq!(at, [0, 100, 300]);
    let start = utils::monotonic_timestamp();
    let once = utils::retry(|| Err::<(), _>("down"), RetryOptions::new().max_attempts(1));
    assert!(once.is_err() && utils::monotonic_timestamp() == start, "nothing is waited for after the last attempt");

    clock.set_wall(Timestamp::MAX);
    assert_eq!(utils::wall_timestamp(), i64::MAX);
    clock.set_wall(Timestamp::MIN);
    assert_eq!(utils::wall_timestamp(), i64::MIN);
    clock.set_wall(Timestamp::UNIX_EPOCH);
    let truncated = utils::truncate_if_large("x".into(), 0);
    let stamp = truncated.as_map().and_then(|map| map.get("timestamp"));
    assert_eq!(stamp, Some(&Value::Time(Timestamp::UNIX_EPOCH)));
}
