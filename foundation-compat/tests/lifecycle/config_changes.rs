//! Property 13: changes of a configuration.

use std::time::Duration;

use foundation_compat::lifecycle::{
    LifecycleError, MAX_EXTRA_KEYS, MAX_SERVICE_DURATION, ServiceConfig, ServiceConfigPatch, Toggle,
};
use foundation_types::testing::check;
use foundation_types::{Metadata, ServiceName};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::scripted::{Entry, Stage};

/// What a patch does to the interval.
#[derive(Clone, Copy, Debug)]
enum Interval {
    Stays,
    To(Option<Duration>),
}

/// A patch in the open.
#[derive(Clone, Debug)]
struct Draw {
    interval: Interval,
    graceful: Option<Duration>,
    start: Option<Duration>,
    telemetry: Option<Toggle>,
    key: Option<&'static str>,
}

fn draws() -> impl Strategy<Value = Draw> {
    let durations = || {
        let too_long = MAX_SERVICE_DURATION + Duration::from_nanos(1);
        select(vec![Duration::ZERO, Duration::from_secs(1), Duration::from_secs(7), MAX_SERVICE_DURATION, too_long])
    };
    let interval = prop_oneof![Just(Interval::Stays), option::of(durations()).prop_map(Interval::To)];
    let sometimes = || option::weighted(0.3, durations());
    let toggles = option::of(select(vec![Toggle::On, Toggle::Off]));
    let keys = option::of(select(vec!["a", "b", "refuse", "panic"]));
    (interval, sometimes(), sometimes(), toggles, keys).prop_map(|(interval, graceful, start, telemetry, key)| Draw {
        interval,
        graceful,
        start,
        telemetry,
        key,
    })
}

impl Draw {
    fn patch(&self) -> ServiceConfigPatch {
        let mut patch = ServiceConfigPatch::new();
        if let Interval::To(interval) = self.interval {
            patch = patch.health_check_interval(interval);
        }
        if let Some(graceful) = self.graceful {
            patch = patch.graceful_shutdown_timeout(graceful);
        }
        if let Some(start) = self.start {
            patch = patch.start_timeout(start);
        }
        if let Some(telemetry) = self.telemetry {
            patch = patch.telemetry(telemetry);
        }
        if let Some(key) = self.key {
            patch = patch.extra(&Metadata::new().with(key, 1));
        }
        patch
    }

    fn is_valid(&self) -> bool {
        let in_range = |duration: Duration| duration <= MAX_SERVICE_DURATION;
        let above_zero = |duration: Duration| !duration.is_zero() && in_range(duration);
        !matches!(self.interval, Interval::To(Some(interval)) if !above_zero(interval))
            && self.graceful.is_none_or(in_range)
            && self.start.is_none_or(above_zero)
    }

    fn merged_into(&self, config: &ServiceConfig) -> ServiceConfig {
        let mut config = config.clone();
        if let Interval::To(interval) = self.interval {
            config.health_check_interval = interval;
        }
        config.graceful_shutdown_timeout = self.graceful.unwrap_or(config.graceful_shutdown_timeout);
        config.start_timeout = self.start.unwrap_or(config.start_timeout);
        config.telemetry = self.telemetry.unwrap_or(config.telemetry);
        if let Some(key) = self.key {
            config.extra.insert(key, 1);
        }
        config
    }
}

#[test]
fn p13_a_change_is_merged_and_told_once_or_changes_nothing() {
    check(96, vec(draws(), 1..16), |draws| {
        let stage = Stage::new();
        let name = ServiceName::from_static("subject");
        let supervisor = stage.builder().service(stage.spec(&name)).start().expect("it starts");
        let mut current = ServiceConfig::default();
        let mut told: Vec<ServiceConfig> = Vec::new();
        for draw in draws {
            let merged = draw.merged_into(&current);
            let answer = supervisor.update_service_config(&name, &draw.patch());
            if draw.is_valid() {
                told.push(merged.clone());
                if draw.key.is_some_and(|key| key == "refuse" || key == "panic") {
                    assert!(matches!(answer, Err(LifecycleError::ConfigRefused { .. })), "{answer:?}");
                } else {
                    answer.expect("it is valid and not refused");
                    current = merged;
                }
            } else {
                assert!(matches!(answer, Err(LifecycleError::InvalidConfig { .. })), "{answer:?}");
            }
            assert_eq!(supervisor.service_config(&name).expect("it runs"), current);
            let heard: Vec<ServiceConfig> = stage
                .journal()
                .into_iter()
                .filter_map(|entry| if let Entry::Configured(_, config) = entry { Some(config) } else { None })
                .collect();
            assert_eq!(heard, told);
        }
    });
}

#[test]
fn more_keys_than_allowed_are_refused_unheard() {
    let stage = Stage::new();
    let name = ServiceName::from_static("subject");
    let supervisor = stage.builder().service(stage.spec(&name)).start().expect("it starts");
    let keys = |count: usize| (0..count).map(|key| (key.to_string(), 1)).collect::<Metadata>();
    let patch = |count| ServiceConfigPatch::new().extra(&keys(count));
    assert!(supervisor.update_service_config(&name, &patch(MAX_EXTRA_KEYS + 1)).is_err());
    assert!(!stage.journal().iter().any(|entry| matches!(entry, Entry::Configured(..))));
    supervisor.update_service_config(&name, &patch(MAX_EXTRA_KEYS)).expect("as many as allowed");
}

#[test]
fn a_changed_interval_applies_from_the_next_check() {
    let stage = Stage::new();
    let name = ServiceName::from_static("subject");
    let supervisor = stage.builder().service(stage.spec(&name)).start().expect("it starts");
    let _monitor = supervisor.monitor().expect("the application runs");
    assert_eq!(supervisor.run_due(), 1);
    let patch = ServiceConfigPatch::new().health_check_interval(Some(Duration::from_secs(1)));
    supervisor.update_service_config(&name, &patch).expect("it is valid");
    stage.advance_seconds(29);
    assert_eq!(supervisor.run_due(), 0, "the next check is due when it was");
    stage.advance_seconds(1);
    assert_eq!(supervisor.run_due(), 1);
    stage.advance_seconds(1);
    assert_eq!(supervisor.run_due(), 1);
}
