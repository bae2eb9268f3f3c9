//! The keyed limiter: keys, memory, events, waiting, foreign code.
#![cfg(all(feature = "limiter", feature = "test-util"))]

use std::hash::{Hash, Hasher, RandomState};
use std::num::{NonZeroU32, NonZeroUsize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{future::Future, pin::pin};

use foundation_resources::rate_limit::{
    Algorithm, Builder, Decision, DenialReason, ExecuteError, FixedWindow, Limiter, Pair, Quota, RateLimiter,
    SlidingWindow, TokenBucket, WaitError, WhenFull,
};
use foundation_types::testing::RecordingObserver;
use foundation_types::{Clock, Emitter, ManualClock, Name, Text, Value};

const MINUTE: Duration = Duration::from_mins(1);

fn cost(units: u32) -> NonZeroU32 {
    NonZeroU32::new(units).expect("not zero")
}

fn at_most(keys: usize) -> NonZeroUsize {
    NonZeroUsize::new(keys).expect("not zero")
}

/// Settings of a limiter for which time stands still.
fn standing<K>() -> Builder<K, FixedWindow, ManualClock> {
    RateLimiter::<K>::builder().clock(ManualClock::new())
}

fn retry_after(decision: &Decision) -> Option<Duration> {
    decision.denial().expect("denied").retry_after
}

#[test]
fn l8_any_text_is_a_key_and_parts_are_not_confused() {
    let limiter = standing::<(Text, Text)>().build();
    let quota = Quota::per_hour(1);
    let long = "x".repeat(40_000);
    let keys =
        [("", ""), ("a:b", "c"), ("a", "b:c"), ("/ /", "ü\u{1F980}"), (long.as_str(), "c"), ("c", long.as_str())];
    for (entity, operation) in keys {
        assert!(limiter.check(&Pair(entity, operation), quota).is_allowed());
    }
    for (entity, operation) in keys {
        assert!(!limiter.check(&Pair(entity, operation), quota).is_allowed());
        assert_eq!(limiter.usage(&(Text::from(entity), Text::from(operation)), quota).count, 1);
    }
    assert_eq!(limiter.len(), keys.len());
}

#[test]
fn l10_reset_forgets_windows_of_every_length_of_its_key_alone() {
    let limiter = standing::<String>().build();
    let (minute, hour) = (Quota::per_minute(1), Quota::per_hour(1));
    for key in ["a", "b"] {
        assert!(limiter.check(key, minute).is_allowed());
        assert!(limiter.check(key, hour).is_allowed());
    }
    assert!(limiter.reset("a"));
    assert!(!limiter.reset("a"), "nothing is left to forget");
    assert!(!limiter.reset("unknown"));
    assert_eq!(limiter.usage("a", minute).count + limiter.usage("a", hour).count, 0);
    assert_eq!((limiter.usage("b", minute).count, limiter.usage("b", hour).count), (1, 1));
    limiter.clear();
    assert!(limiter.is_empty());
}

#[test]
fn the_latest_check_of_a_key_tells_its_quota_and_is_not_one_itself() {
    let clock = ManualClock::new();
    let limiter = RateLimiter::<String>::builder().clock(clock.clone()).build();
    let (minute, hour) = (Quota::per_minute(2), Quota::per_hour(5));
    let latest = |key: &str| limiter.latest(key).map(|(quota, usage)| (quota, usage.count, usage.is_available()));
    assert_eq!(latest("a"), None);
    assert!(limiter.check("a", hour).is_allowed());
    assert_eq!(latest("a"), Some((hour, 1, true)));
    assert!(limiter.check_n("a", minute, cost(2)).is_allowed());
    assert_eq!(latest("a"), Some((minute, 2, false)));
    assert!(limiter.check("a", hour).is_allowed());
    assert_eq!(latest("a"), Some((hour, 2, true)));
    assert!(!limiter.check("a", minute.with_limit(1)).is_allowed());
    assert_eq!(latest("a"), Some((minute.with_limit(1), 2, false)), "a denied check is one as well");
    clock.advance(MINUTE);
    assert_eq!(latest("a"), Some((hour, 2, true)), "nothing of the minute counts any more");
    limiter.sweep();
    assert_eq!(latest("a"), Some((hour, 2, true)), "whether it is swept or not");
    assert!(limiter.reset("a"));
    assert_eq!(latest("a"), None);
}

#[test]
fn denied_checks_of_new_keys_leave_no_record() {
    let limiter = standing::<String>().build();
    assert!(!limiter.check("a", Quota::per_minute(0)).is_allowed());
    assert!(!limiter.check_n("b", Quota::per_minute(5), cost(6)).is_allowed());
    assert!(limiter.is_empty());
    assert_eq!(limiter.stats().denied, 2);
}

#[test]
fn a_window_of_a_month_outlives_any_number_of_other_keys() {
    let clock = ManualClock::new();
    let limiter = RateLimiter::<u64>::builder().clock(clock.clone()).build();
    let month = Quota::new(1, 30 * Duration::from_hours(24)).expect("valid");
    assert!(limiter.check(&0, month).is_allowed());
    for key in 1..20_000 {
        clock.advance(Duration::from_secs(1));
        assert!(limiter.check(&key, Quota::per_second(1)).is_allowed());
    }
    limiter.sweep();
    assert!(!limiter.check(&0, month).is_allowed());
}

#[test]
fn insertions_alone_keep_the_dead_few() {
    let clock = ManualClock::new();
    let limiter = RateLimiter::<u64>::builder().clock(clock.clone()).build();
    for key in 0..200_000 {
        // 500 keys live at any time.
        clock.advance(Duration::from_millis(2));
        assert!(limiter.check(&key, Quota::per_second(1)).is_allowed());
        assert!(limiter.len() <= 8_000, "{} records after {key} keys", limiter.len());
    }
    let stats = limiter.stats();
    assert_eq!(stats.expired + stats.records as u64, 200_000);
    clock.advance(MINUTE);
    assert_eq!(limiter.sweep(), stats.records);
    assert!(limiter.is_empty());
}

#[test]
fn a_full_table_evicts_what_expires_first_and_never_holds_more() {
    let clock = ManualClock::new();
    let limiter = RateLimiter::<u32, SlidingWindow>::builder().clock(clock.clone()).max_keys(at_most(10)).build();
    let quota = Quota::per_minute(1);
    for key in 0..10 {
        assert!(limiter.check(&key, quota).is_allowed());
        clock.advance(Duration::from_secs(1));
    }
    assert!(limiter.check(&10, quota).is_allowed(), "0 gives way");
    assert_eq!(limiter.len(), 10);
    assert!((1..=10).all(|key| limiter.usage(&key, quota).count == 1));
    assert_eq!(limiter.usage(&0, quota).count, 0);
    for key in 11..10_000 {
        assert!(limiter.check(&key, quota).is_allowed());
        assert!(limiter.len() <= 10);
    }
    assert_eq!(limiter.stats().evicted, 9_990);
}

#[test]
fn a_large_full_table_never_holds_more_than_its_limit() {
    let limiter = standing::<u32>().max_keys(at_most(20_000)).build();
    for key in 0..100_000 {
        assert!(limiter.check(&key, Quota::per_hour(1)).is_allowed());
    }
    assert!((18_000..=20_000).contains(&limiter.len()), "{}", limiter.len());
}

#[test]
fn a_full_table_that_denies_keeps_its_keys_and_has_room_when_one_expires() {
    let clock = ManualClock::new();
    let limiter =
        RateLimiter::<u32>::builder().clock(clock.clone()).max_keys(at_most(3)).when_full(WhenFull::Deny).build();
    let quota = Quota::per_minute(2);
    for key in 0..3 {
        assert!(limiter.check(&key, quota).is_allowed());
    }
    let decision = limiter.check(&3, quota);
    let denial = decision.denial().expect("there is no room");
    assert_eq!((denial.reason, denial.retry_after), (DenialReason::TableFull, None));
    assert!((0..3).all(|key| limiter.check(&key, quota).is_allowed()), "known keys go on");
    clock.advance(MINUTE);
    assert!(limiter.check(&3, quota).is_allowed(), "the others are dead");
    assert_eq!(limiter.stats().evicted, 0);
}

#[test]
fn events_tell_what_was_decided_and_never_the_key() {
    let observer = Arc::new(RecordingObserver::new());
    let clock = ManualClock::new();
    let limiter = RateLimiter::<String>::builder()
        .name(Name::from_static("logins"))
        .clock(clock.clone())
        .emitter(Emitter::new(observer.clone()))
        .max_keys(at_most(1))
        .build();
    let quota = Quota::per_minute(1);
    assert!(limiter.check("secret-a", quota).is_allowed());
    assert!(!limiter.check("secret-a", quota).is_allowed());
    assert!(limiter.check("secret-b", quota).is_allowed());
    limiter.reset("secret-b");
    assert!(limiter.check("secret-b", quota).is_allowed());
    clock.advance(MINUTE);
    limiter.sweep();
    limiter.sweep();
    let events = observer.take();
    let names: Vec<_> = events.iter().map(|event| event.name.segments().last().unwrap_or("").to_owned()).collect();
    assert_eq!(names, ["allowed", "denied", "evicted", "allowed", "reset", "allowed", "swept"]);
    assert!(events.iter().all(|event| event.metadata.get("limiter") == Some(&Value::from("logins"))));
    assert!(!format!("{events:?}").contains("secret"));
    let denied = &events[1].measurements;
    assert_eq!(denied.get("count"), Some(&Value::Int(1)));
    assert!(denied.get("retry_after_ms").is_some());
}

#[test]
fn an_observer_that_panics_or_calls_back_changes_nothing() {
    struct CallsBack(std::sync::OnceLock<Weak<RateLimiter<String, FixedWindow, ManualClock>>>);

    impl foundation_types::Observer for CallsBack {
        fn emit(
            &self,
            _: &foundation_types::EventName,
            _: &foundation_types::Measurements,
            _: &foundation_types::Metadata,
        ) {
            let limiter = self.0.get().and_then(Weak::upgrade).expect("alive");
            assert_eq!(limiter.usage("a", Quota::per_hour(1)).count, 1);
            panic!("an observer");
        }
    }

    let observer = Arc::new(CallsBack(std::sync::OnceLock::new()));
    let limiter = Arc::new(standing::<String>().emitter(Emitter::new(observer.clone())).build());
    observer.0.set(Arc::downgrade(&limiter)).expect("set once");
    assert!(limiter.check("a", Quota::per_hour(1)).is_allowed());
    assert!(!limiter.check("a", Quota::per_hour(1)).is_allowed());
}

#[test]
fn any_hash_function_will_do() {
    let limiter = standing::<String>().hasher(RandomState::new()).build();
    for key in ["a", "b"] {
        assert!(limiter.check(key, Quota::per_hour(1)).is_allowed());
        assert!(!limiter.check(key, Quota::per_hour(1)).is_allowed());
    }
}

/// A key whose every function may misbehave.
#[derive(Debug)]
struct Touchy {
    name: &'static str,
    limiter: Weak<RateLimiter<Touchy, FixedWindow, ManualClock>>,
    compares: &'static AtomicUsize,
    explodes: Arc<AtomicBool>,
}

impl PartialEq for Touchy {
    fn eq(&self, other: &Self) -> bool {
        self.compares.fetch_add(1, Ordering::Relaxed);
        assert!(!self.explodes.load(Ordering::Relaxed), "cannot be compared");
        self.name == other.name
    }
}

impl Eq for Touchy {}

impl Hash for Touchy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // No lock is held, or this would never return.
        if let Some(limiter) = self.limiter.upgrade() {
            limiter.sweep();
        }
        self.name.hash(state);
    }
}

impl Clone for Touchy {
    fn clone(&self) -> Self {
        if let Some(limiter) = self.limiter.upgrade() {
            limiter.sweep();
        }
        Self {
            name: self.name,
            limiter: self.limiter.clone(),
            compares: self.compares,
            explodes: self.explodes.clone(),
        }
    }
}

impl Drop for Touchy {
    fn drop(&mut self) {
        if let Some(limiter) = self.limiter.upgrade() {
            limiter.sweep();
        }
    }
}

#[test]
fn keys_are_hashed_cloned_and_dropped_outside_the_locks_and_a_panic_in_comparing_is_harmless() {
    static COMPARES: AtomicUsize = AtomicUsize::new(0);
    let limiter = Arc::new(standing::<Touchy>().max_keys(at_most(2)).build());
    let explodes = Arc::new(AtomicBool::new(false));
    let key =
        |name| Touchy { name, limiter: Arc::downgrade(&limiter), compares: &COMPARES, explodes: explodes.clone() };
    let quota = Quota::per_hour(3);
    for name in ["a", "b", "c"] {
        assert!(limiter.check(&key(name), quota).is_allowed());
    }
    assert_eq!(limiter.len(), 2, "one was evicted, and dropped outside the lock");
    explodes.store(true, Ordering::Relaxed);
    assert!(catch_unwind(AssertUnwindSafe(|| limiter.check(&key("c"), quota))).is_err());
    explodes.store(false, Ordering::Relaxed);
    assert_eq!(limiter.usage(&key("c"), quota).count, 1);
    assert!(limiter.check(&key("c"), quota).is_allowed());
    assert!(COMPARES.load(Ordering::Relaxed) > 0);
    limiter.clear();
    assert!(limiter.is_empty());
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn waiting_takes_exactly_as_long_as_the_denial_said() {
    let clock = ManualClock::new();
    let limiter = RateLimiter::<String, TokenBucket>::builder().clock(clock.clone()).build();
    let quota = Quota::per_second(10).with_burst(1);
    assert!(limiter.check("a", quota).is_allowed());
    let mut wait = pin!(limiter.until_allowed("a", quota, MINUTE));
    assert!(poll_once(wait.as_mut()).is_pending());
    clock.advance(Duration::from_millis(100) - Duration::from_nanos(1));
    assert!(poll_once(wait.as_mut()).is_pending());
    clock.advance(Duration::from_nanos(1));
    assert!(matches!(poll_once(wait.as_mut()), Poll::Ready(Ok(_))));
    assert_eq!(clock.pending(), 0);
}

#[test]
fn of_two_that_wait_for_one_place_one_waits_for_the_next() {
    let clock = ManualClock::new();
    let limiter = Limiter::<SlidingWindow, _>::with_clock(Quota::per_second(1), clock.clone());
    assert!(limiter.check().is_allowed());
    let (mut one, mut two) = (pin!(limiter.until_allowed(MINUTE)), pin!(limiter.until_allowed(MINUTE)));
    assert!(poll_once(one.as_mut()).is_pending() && poll_once(two.as_mut()).is_pending());
    clock.advance(Duration::from_secs(1));
    assert!(poll_once(two.as_mut()).is_ready());
    assert!(poll_once(one.as_mut()).is_pending());
    clock.advance(Duration::from_secs(1));
    assert!(poll_once(one.as_mut()).is_ready());
}

#[test]
fn a_wait_that_is_too_long_or_in_vain_ends_at_once() {
    let clock = ManualClock::new();
    let limiter = RateLimiter::<String>::builder().clock(clock.clone()).build();
    let quota = Quota::per_minute(1);
    assert!(limiter.check("a", quota).is_allowed());
    let decision = limiter.check("a", quota);
    let pause = retry_after(&decision).expect("the next window");
    let too_short = pause.saturating_sub(Duration::from_nanos(1));
    let Poll::Ready(Err(error)) = poll_once(pin!(limiter.until_allowed("a", quota, too_short))) else {
        panic!("it cannot be in time")
    };
    assert!(matches!(error, WaitError::TooLong { at_most, .. } if at_most == too_short));
    assert!(poll_once(pin!(limiter.until_allowed("a", quota, pause))).is_pending(), "this can");
    let never = poll_once(pin!(limiter.until_allowed("a", Quota::per_minute(0), MINUTE)));
    assert!(matches!(never, Poll::Ready(Err(WaitError::Never(denial))) if denial.reason == DenialReason::TooCostly));
}

#[test]
fn a_wait_that_is_dropped_counts_nothing_and_leaves_no_timer() {
    let clock = ManualClock::new();
    let limiter = RateLimiter::<String>::builder().clock(clock.clone()).build();
    let quota = Quota::per_minute(1);
    assert!(limiter.check("a", quota).is_allowed());
    {
        let mut wait = pin!(limiter.until_allowed("a", quota, MINUTE));
        assert!(poll_once(wait.as_mut()).is_pending());
        assert_eq!(clock.pending(), 1);
    }
    assert_eq!(clock.pending(), 0);
    clock.advance(MINUTE);
    assert_eq!(limiter.usage("a", quota).count, 0);
}

#[test]
fn l9_execute_counts_also_what_fails_or_panics_and_does_not_run_what_is_denied() {
    let limiter = standing::<String>().build();
    let quota = Quota::per_minute(3);
    assert_eq!(limiter.execute("a", quota, || Ok::<_, ()>(7)), Ok(7));
    assert_eq!(limiter.execute("a", quota, || Err::<(), _>("boom")), Err(ExecuteError::Operation("boom")));
    let panicked =
        catch_unwind(AssertUnwindSafe(|| limiter.execute("a", quota, || -> Result<(), ()> { panic!("boom") })));
    assert!(panicked.is_err());
    assert_eq!(limiter.usage("a", quota).count, 3);
    let denied = limiter.execute("a", quota, || -> Result<(), ()> { panic!("must not run") });
    assert!(matches!(denied, Err(ExecuteError::Denied(_))));
}

#[test]
fn every_handle_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    fn all<A: Algorithm>() {
        shared::<RateLimiter<String, A, Arc<dyn Clock>>>();
        shared::<Limiter<A>>();
    }
    all::<FixedWindow>();
    all::<SlidingWindow>();
    all::<TokenBucket>();
}
