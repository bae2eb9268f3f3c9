//! Options from anywhere: what is out of range is refused by name, and what is in range works.
#![cfg(feature = "test-util")]

use std::time::Duration;

use foundation_breaker::{
    CancelPolicy, CircuitBreaker, CountWindow, MAX_BUCKETS, MAX_PROBES, MAX_THRESHOLD, MAX_TOLERANCE, MAX_WINDOW_SIZE,
    OpenFor, Options, OptionsError, Probe, Random, Rate, Recovery, SlowCalls, State, TimeWindow, TripPolicy,
};
use foundation_types::{ManualClock, Name, Ratio};
use proptest::prelude::*;
use proptest::sample::select;

const NANO: Duration = Duration::from_nanos(1);
const SECOND: Duration = Duration::from_secs(1);
const LONG: Recovery = Recovery::AutoClose { after: SECOND };

/// Whether a breaker can be made of it, by both ways there are.
fn build(trip: TripPolicy, recovery: Recovery) -> Result<(), OptionsError> {
    let by_options = Options::new(trip, recovery.clone()).map(drop);
    let by_builder = CircuitBreaker::builder(Name::from_static("x")).trip(trip).recovery(recovery).build().map(drop);
    assert_eq!(by_options, by_builder);
    by_options
}

fn trip(trip: TripPolicy) -> Result<(), OptionsError> {
    build(trip, LONG)
}

fn probe(probe: Probe) -> Result<(), OptionsError> {
    build(TripPolicy::Never, Recovery::Probe(probe))
}

fn open_for(open_for: OpenFor) -> Result<(), OptionsError> {
    probe(Probe { open_for, ..Probe::default() })
}

fn intensity(tolerance: u32, window: Duration) -> Result<(), OptionsError> {
    trip(TripPolicy::FailureIntensity { tolerance, window })
}

fn count(size: u32, min_calls: u32) -> Result<(), OptionsError> {
    trip(TripPolicy::CountWindow(CountWindow { size, min_calls, failure_rate: Rate::ALL, slow: None }))
}

fn time(window: Duration, buckets: u32, min_calls: u32) -> Result<(), OptionsError> {
    trip(TripPolicy::TimeWindow(TimeWindow { window, buckets, min_calls, failure_rate: Rate::ALL, slow: None }))
}

#[test]
fn a_failure_intensity_has_a_window_and_a_bounded_tolerance() {
    assert_eq!(intensity(0, NANO), Ok(()));
    assert_eq!(intensity(MAX_TOLERANCE, Duration::MAX), Ok(()));
    assert_eq!(intensity(0, Duration::ZERO), Err(OptionsError::ZeroWindow));
    for tolerance in [MAX_TOLERANCE + 1, u32::MAX] {
        assert_eq!(intensity(tolerance, NANO), Err(OptionsError::ToleranceTooLarge { tolerance }));
    }
}

#[test]
fn a_fuse_of_no_window_never_opens_but_its_other_numbers_are_checked() {
    let fuse = |tolerance, window, open_for| Options::fuse(tolerance, window, open_for).map(|options| *options.trip());
    assert_eq!(fuse(0, Duration::ZERO, NANO), Ok(TripPolicy::Never));
    assert_eq!(fuse(0, NANO, NANO), Ok(TripPolicy::FailureIntensity { tolerance: 0, window: NANO }));
    let tolerance = MAX_TOLERANCE + 1;
    for window in [Duration::ZERO, NANO] {
        assert_eq!(fuse(tolerance, window, NANO), Err(OptionsError::ToleranceTooLarge { tolerance }));
        assert_eq!(fuse(0, window, Duration::ZERO), Err(OptionsError::ZeroOpenTime));
    }
}

#[test]
fn a_threshold_is_1_to_its_maximum() {
    let threshold = |threshold| trip(TripPolicy::ConsecutiveFailures { threshold });
    assert_eq!((threshold(1), threshold(MAX_THRESHOLD)), (Ok(()), Ok(())));
    assert_eq!(threshold(0), Err(OptionsError::ZeroThreshold));
    for above in [MAX_THRESHOLD + 1, u32::MAX] {
        assert_eq!(threshold(above), Err(OptionsError::ThresholdTooLarge { threshold: above }));
    }
}

#[test]
fn a_count_window_holds_some_calls_and_decides_on_some_of_them() {
    for (size, min_calls) in [(1, 1), (MAX_WINDOW_SIZE, 1), (MAX_WINDOW_SIZE, MAX_WINDOW_SIZE)] {
        assert_eq!(count(size, min_calls), Ok(()));
    }
    for size in [0, MAX_WINDOW_SIZE + 1, u32::MAX] {
        assert_eq!(count(size, 1), Err(OptionsError::WindowSizeOutOfRange { size }));
    }
    assert_eq!(count(1, 0), Err(OptionsError::ZeroMinCalls));
    for (size, min_calls) in [(1, 2), (MAX_WINDOW_SIZE, MAX_WINDOW_SIZE + 1), (7, u32::MAX)] {
        assert_eq!(count(size, min_calls), Err(OptionsError::MinCallsExceedWindow { min_calls, size }));
    }
}

#[test]
fn a_time_window_can_be_cut_into_its_buckets() {
    let nanos = |nanos| Duration::from_nanos(u64::from(nanos));
    for (window, buckets) in [(NANO, 1), (nanos(MAX_BUCKETS), MAX_BUCKETS), (Duration::MAX, MAX_BUCKETS)] {
        assert_eq!(time(window, buckets, 1), Ok(()));
    }
    assert_eq!(time(SECOND, 1, u32::MAX), Ok(()), "as many calls as a window of time may hold");
    assert_eq!(time(SECOND, 1, 0), Err(OptionsError::ZeroMinCalls));
    assert_eq!(time(Duration::ZERO, 1, 1), Err(OptionsError::ZeroWindow));
    for buckets in [0, MAX_BUCKETS + 1, u32::MAX] {
        assert_eq!(time(SECOND, buckets, 1), Err(OptionsError::BucketsOutOfRange { buckets }));
    }
    for buckets in [2, MAX_BUCKETS] {
        let window = nanos(buckets - 1);
        assert_eq!(time(window, buckets, 1), Err(OptionsError::BucketTooShort { window, buckets }));
    }
}

#[test]
fn a_rate_is_1_to_10000_basis_points() {
    for basis_points in [1, 10_000] {
        assert_eq!(Rate::basis_points(basis_points).map(Rate::as_basis_points).map(u32::from), Ok(basis_points));
    }
    for basis_points in [0, 10_001, u32::MAX] {
        assert_eq!(Rate::basis_points(basis_points), Err(OptionsError::RateOutOfRange { basis_points }));
    }
    assert_eq!(Rate::percent(100), Ok(Rate::ALL));
    for (percent, basis_points) in [(0, 0), (101, 10_100), (u32::MAX, u32::MAX)] {
        assert_eq!(Rate::percent(percent), Err(OptionsError::RateOutOfRange { basis_points }));
    }
}

#[test]
fn a_circuit_stays_open_for_some_time() {
    for after in [NANO, Duration::MAX] {
        assert_eq!(build(TripPolicy::Never, Recovery::AutoClose { after }), Ok(()));
        assert_eq!(open_for(OpenFor::Constant(after)), Ok(()));
        assert_eq!(open_for(OpenFor::Exponential { base: after, factor: 1, max: after }), Ok(()));
    }
    let none = Recovery::AutoClose { after: Duration::ZERO };
    assert_eq!(build(TripPolicy::Never, none), Err(OptionsError::ZeroOpenTime));
    assert_eq!(open_for(OpenFor::Constant(Duration::ZERO)), Err(OptionsError::ZeroOpenTime));
    let exponential = |base, factor, max| open_for(OpenFor::Exponential { base, factor, max });
    assert_eq!(exponential(Duration::ZERO, 2, SECOND), Err(OptionsError::ZeroOpenTime));
    assert_eq!(exponential(NANO, 0, SECOND), Err(OptionsError::ZeroFactor));
    assert_eq!(exponential(NANO, u32::MAX, Duration::MAX), Ok(()));
    for (base, max) in [(NANO, Duration::ZERO), (SECOND, SECOND.saturating_sub(NANO)), (Duration::MAX, SECOND)] {
        assert_eq!(exponential(base, 2, max), Err(OptionsError::MaxBelowBase { base, max }));
    }
}

#[test]
fn probes_are_some_and_bounded_and_end() {
    let concurrent = |max_concurrent| probe(Probe { max_concurrent, ..Probe::default() });
    assert_eq!((concurrent(1), concurrent(MAX_PROBES)), (Ok(()), Ok(())));
    for max_concurrent in [0, MAX_PROBES + 1, u32::MAX] {
        assert_eq!(concurrent(max_concurrent), Err(OptionsError::ProbesOutOfRange { max_concurrent }));
    }
    let successes = |required_successes| probe(Probe { required_successes, ..Probe::default() });
    assert_eq!((successes(1), successes(u32::MAX)), (Ok(()), Ok(())));
    assert_eq!(successes(0), Err(OptionsError::ZeroRequiredSuccesses));
    let failures = |max_failures| probe(Probe { max_failures, ..Probe::default() });
    assert_eq!((failures(0), failures(u32::MAX)), (Ok(()), Ok(())));
    let timeout = |probe_timeout| probe(Probe { probe_timeout, ..Probe::default() });
    assert_eq!((timeout(NANO), timeout(Duration::MAX)), (Ok(()), Ok(())));
    assert_eq!(timeout(Duration::ZERO), Err(OptionsError::ZeroProbeTimeout));
}

#[test]
fn what_is_refused_changes_nothing() {
    let builder = CircuitBreaker::builder(Name::from_static("x"));
    let refused =
        builder.trip(TripPolicy::ConsecutiveFailures { threshold: 0 }).on_cancel(CancelPolicy::Failure).build();
    assert!(matches!(refused, Err(OptionsError::ZeroThreshold)));
    let kept = CircuitBreaker::builder(Name::from_static("x")).build().expect("the defaults are in range");
    assert_eq!(kept.options(), Options::default());
}

#[cfg(feature = "fault-injection")]
mod faults {
    use super::*;

    #[test]
    fn a_fault_rate_is_above_0_and_up_to_1() {
        let inject = |rate| {
            let by_options = Options::default().inject_faults(rate).map(|options| options.fault_rate());
            let by_builder = CircuitBreaker::builder(Name::from_static("x")).inject_faults(rate).build();
            assert_eq!(by_options.is_ok(), by_builder.is_ok());
            by_options
        };
        for rate in [f64::MIN_POSITIVE, 0.5, 1.0] {
            assert_eq!(inject(rate), Ok(Some(Ratio::new(rate).expect("in range"))));
        }
        for above_or_below in [0.0, -0.0, -f64::MIN_POSITIVE, 1.0 + f64::EPSILON, f64::INFINITY, f64::NEG_INFINITY] {
            let error = OptionsError::FaultRateOutOfRange { rate: above_or_below };
            assert_eq!(inject(above_or_below), Err(error));
        }
        // No number equals this one, itself included.
        let nan = inject(f64::NAN);
        assert!(matches!(nan, Err(OptionsError::FaultRateOutOfRange { rate }) if rate.is_nan()), "{nan:?}");
    }

    #[test]
    fn faults_need_a_fuse_that_tolerates_one() {
        let fuse = |tolerance| Options::fuse(tolerance, SECOND, SECOND).expect("in range").inject_faults(0.5);
        assert!(fuse(1).is_ok());
        assert_eq!(fuse(0), Err(OptionsError::FaultsNeedTolerance));
        let late = CircuitBreaker::builder(Name::from_static("x"))
            .options(fuse(1).expect("in range"))
            .trip(TripPolicy::FailureIntensity { tolerance: 0, window: SECOND })
            .build();
        assert!(matches!(late, Err(OptionsError::FaultsNeedTolerance)));
    }
}

/// The whole domain, and its edges more often than chance would find them.
fn any_number() -> impl Strategy<Value = u32> {
    let edges = [MAX_TOLERANCE, MAX_THRESHOLD, MAX_WINDOW_SIZE, MAX_BUCKETS, MAX_PROBES, u32::MAX - 1];
    let edges = edges.into_iter().flat_map(|edge| [edge, edge + 1]).collect::<Vec<_>>();
    prop_oneof![2 => any::<u32>(), 2 => select(edges), 3 => 0_u32..10]
}

fn any_duration() -> impl Strategy<Value = Duration> {
    let edges = vec![
        Duration::ZERO,
        NANO,
        SECOND,
        Duration::from_nanos(u64::MAX - 1),
        Duration::from_nanos(u64::MAX),
        Duration::from_nanos(u64::MAX).saturating_add(NANO),
        Duration::MAX.saturating_sub(NANO),
        Duration::MAX,
    ];
    prop_oneof![2 => any::<Duration>(), 3 => select(edges), 2 => (0_u64..100).prop_map(Duration::from_millis)]
}

fn any_rate() -> impl Strategy<Value = Rate> {
    (1_u32..=10_000).prop_map(|points| Rate::basis_points(points).expect("in range"))
}

fn any_slow() -> impl Strategy<Value = Option<SlowCalls>> {
    proptest::option::of((any_duration(), any_rate()).prop_map(|(longer_than, rate)| SlowCalls { longer_than, rate }))
}

fn any_trip() -> impl Strategy<Value = TripPolicy> {
    let number = any_number;
    prop_oneof![
        (number(), any_duration()).prop_map(|(tolerance, window)| TripPolicy::FailureIntensity { tolerance, window }),
        number().prop_map(|threshold| TripPolicy::ConsecutiveFailures { threshold }),
        (number(), number(), any_rate(), any_slow()).prop_map(|(size, min_calls, failure_rate, slow)| {
            TripPolicy::CountWindow(CountWindow { size, min_calls, failure_rate, slow })
        }),
        (any_duration(), number(), number(), any_rate(), any_slow()).prop_map(
            |(window, buckets, min_calls, failure_rate, slow)| {
                TripPolicy::TimeWindow(TimeWindow { window, buckets, min_calls, failure_rate, slow })
            }
        ),
        Just(TripPolicy::Never),
    ]
}

fn any_recovery() -> impl Strategy<Value = Recovery> {
    let open_for = prop_oneof![
        any_duration().prop_map(OpenFor::Constant),
        (any_duration(), any_number(), any_duration()).prop_map(|(base, factor, max)| OpenFor::Exponential {
            base,
            factor,
            max
        }),
    ];
    let jitter = prop_oneof![Just(0.0), Just(1.0), 0.0..1.0];
    let probe = (open_for, jitter, any_number(), any_number(), any_number(), any_duration()).prop_map(
        |(open_for, jitter, max_concurrent, required_successes, max_failures, probe_timeout)| {
            let jitter = Ratio::new(jitter).expect("in range");
            Probe { open_for, jitter, max_concurrent, required_successes, max_failures, probe_timeout }
        },
    );
    prop_oneof![
        1 => any_duration().prop_map(|after| Recovery::AutoClose { after }),
        3 => probe.prop_map(Recovery::Probe),
    ]
}

fn any_cancel() -> impl Strategy<Value = CancelPolicy> {
    prop_oneof![
        Just(CancelPolicy::Ignore),
        Just(CancelPolicy::Failure),
        any_duration().prop_map(CancelPolicy::FailureIfLongerThan),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_options_panic_and_what_builds_works(
        trip in any_trip(),
        recovery in any_recovery(),
        cancel in any_cancel(),
        draw in prop_oneof![Just(0.0), Just(0.999_999), 0.0..1.0_f64],
        steps in proptest::collection::vec((any_duration(), 0_u8..8), 0..12),
    ) {
        let Ok(options) = Options::new(trip, recovery) else { return Ok(()) };
        let clock = ManualClock::new();
        let breaker = CircuitBreaker::builder(Name::from_static("x"))
            .options(options.on_cancel(cancel))
            .random(Random::scripted([draw]))
            .clock(clock.clone())
            .build()
            .expect("checked");
        let mut held = Vec::new();
        for (gap, what) in steps {
            clock.advance(gap);
            match what {
                0..3 => held.extend(breaker.try_acquire_owned().ok()),
                3 => drop(held.pop()),
                4 => held.drain(..).for_each(foundation_breaker::OwnedPermit::success),
                5 => held.drain(..).for_each(foundation_breaker::OwnedPermit::failure),
                6 => breaker.melt(),
                _ => {
                    let snapshot = breaker.snapshot();
                    prop_assert_eq!(snapshot.totals.outstanding(), held.len() as u64);
                    prop_assert_eq!(snapshot.retry_after.is_some(), snapshot.state == State::Open);
                }
            }
        }
        drop(held);
        breaker.force_open();
        breaker.lift();
        prop_assert_eq!(breaker.state(), State::Closed);
        prop_assert_eq!(breaker.call(|| Ok::<_, ()>(1)), Ok(1));
        prop_assert_eq!(breaker.snapshot().totals.outstanding(), 0);
    }
}
