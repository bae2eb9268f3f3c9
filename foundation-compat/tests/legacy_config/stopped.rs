//! A service that is stopped.

use std::time::Duration;

use foundation_compat::config::{
    CacheStats, ConfigNotification, ConfigOptions, ConfigStatus, FALLBACK_TTL, Replay, TestMode,
};
use foundation_compat::foundation_config::{Path, PendingReport};
use foundation_compat::foundation_types::{Name, Timestamp};
use foundation_compat::{Health, Metadata, Value};

use crate::session::{Session, code, map};

fn paths<T>(entries: &[(Path, T)]) -> Vec<String> {
    entries.iter().map(|(path, _)| path.to_string()).collect()
}

fn all(report: &PendingReport) -> [Vec<String>; 5] {
    let alone = |paths: &[Path]| paths.iter().map(ToString::to_string).collect();
    [
        paths(&report.applied),
        paths(&report.failed),
        alone(&report.superseded),
        alone(&report.expired),
        paths(&report.kept),
    ]
}

const NONE: Vec<String> = Vec::new();

fn texts(paths: &[&str]) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}

#[test]
fn each_operation_has_its_answer_while_the_service_is_stopped() {
    let session = Session::new();
    let subscription = session.config.subscribe().expect("it runs");
    session.server.stop();
    session.server.stop();
    let Session { config, server, .. } = &session;

    let error = config.get_0().expect_err("it is stopped");
    assert_eq!((error.kind().as_str(), error.code(), error.severity().as_str()), ("service_unavailable", 5000, "high"));
    assert_eq!(format!("{}/{}", error.category(), error.subcategory()), "system/initialization");
    assert_eq!(code(config.reset()), Some(5000));
    assert_eq!(code(config.subscribe()), Some(5000));
    let (sender, _receiver) = std::sync::mpsc::channel();
    assert_eq!(code(server.subscribe(&Name::from_static("log").into(), sender)), Some(5000));
    assert!(!config.available());
    server.unsubscribe(&Name::from_static("log").into());
    drop(subscription);

    let update = config.update("dev.debug_mode", true).expect_err("it is stopped");
    assert_eq!((update.code(), update.context().get("queued")), (5000, Some(&true.into())));
    let Ok(ConfigStatus::Degraded(stats)) = config.status() else { panic!("it is degraded") };
    assert_eq!(stats, server.get_cache_stats());
    assert_eq!(stats.pending_update_entries, 1);
    assert_eq!(stats.total_entries, stats.config_cache_entries + 1);
    let shown = config.status().expect("never fails").to_metadata();
    assert_eq!((shown.get("status"), shown.get("fallback_mode")), (Some(&"degraded".into()), Some(&true.into())));
}

#[test]
fn reads_are_answered_for_300_seconds_inclusive_whatever_the_wall_clock_does() {
    let session = Session::new();
    session.config.update("interface.max_results", 5).expect("it may change");
    session.server.stop();
    let read = || session.config.get_as::<i64>("interface.max_results");
    assert_eq!(read().ok(), Some(5));
    session.clock.set_wall(Timestamp::MAX);
    assert_eq!(read().ok(), Some(5));
    session.clock.set_wall(Timestamp::UNIX_EPOCH);
    session.clock.advance(FALLBACK_TTL);
    assert_eq!(read().ok(), Some(5));
    assert_eq!(session.config.get("interface").map(|section| section.as_map().map_or(0, Metadata::len)).ok(), Some(3));
    assert!(session.server.get_cache_stats().config_cache_entries > 0);
    session.clock.advance(Duration::from_nanos(1));
    let error = read().expect_err("it is too long ago");
    assert_eq!((error.kind().as_str(), error.code()), ("config_unavailable", 1303));
    assert_eq!(error.context().get("reason"), Some(&"expired".into()));
    assert_eq!(session.server.get_cache_stats().config_cache_entries, 0);
}

#[test]
fn what_was_not_there_is_unavailable() {
    let session = Session::new();
    session.foundation.settings().update("mine", 1).expect("anything may be there");
    session.server.stop();
    for path in ["nothing", "ai.nothing", "ai.api_key.x", "mine"] {
        let error = session.config.get(path).expect_err("it was not there");
        assert_eq!((error.code(), error.context().get("reason")), (1303, Some(&"not available".into())), "{path}");
    }
    assert_eq!(session.config.get("ai.api_key").ok(), Some(Value::Null));
    assert_eq!(code(session.config.get(["__info__"])), Some(1000));
    assert_eq!(code(session.config.get("a..b")), Some(1304));
    assert_eq!(session.config.get_with_default("nothing", 7), 7.into());
}

#[test]
fn reads_do_not_see_what_waits_or_what_was_written_below() {
    let session = Session::new();
    session.server.stop();
    assert_eq!(code(session.config.update("interface.max_results", 5)), Some(5000));
    session.foundation.settings().update("interface.query_timeout", 5).expect("the store goes on");
    assert_eq!(session.config.get_as("interface.max_results").ok(), Some(1000));
    assert_eq!(session.config.get_as("interface.query_timeout").ok(), Some(10_000));
}

#[test]
fn f05_only_acceptable_writes_wait() {
    let session = Session::new();
    session.server.stop();
    let update = |path: &str, value: Value| code(session.config.update(path, value));
    assert_eq!(update("a..b", 1.into()), Some(1304));
    assert_eq!(update("__info__", 1.into()), Some(1000));
    assert_eq!(update("dev.debug_mode", map(r#"{"__info__":1}"#).into()), Some(1005));
    assert_eq!(update("mine", 1.into()), Some(1401));
    assert_eq!(update("interface.max_results", 0.into()), Some(1001));
    assert_eq!(update("infrastructure.protection.a.rate_limiter.x", 1.into()), Some(1001));
    assert_eq!(session.server.get_cache_stats().pending_update_entries, 0);
    // Against what is there with what waits before it.
    assert_eq!(update("infrastructure.protection.a", map("{}").into()), Some(5000));
    let limiter = map(r#"{"scale":1,"limit":1}"#);
    assert_eq!(update("infrastructure.protection.a.rate_limiter", limiter.into()), Some(5000));
    assert_eq!(update("infrastructure.protection.a.rate_limiter.scale", 0.into()), Some(1001));
    assert_eq!(update("infrastructure.protection.a.rate_limiter.scale", 9.into()), Some(5000));
    assert_eq!(session.server.get_cache_stats().pending_update_entries, 3);
}

#[test]
fn p21_what_waits_is_made_in_the_order_of_the_last_writes_and_once() {
    let session = Session::new();
    let mut changes = session.config.subscribe().expect("it runs");
    session.server.stop();
    for (path, value) in [("interface.max_results", 1), ("interface.query_timeout", 2), ("interface.max_results", 3)] {
        assert_eq!(code(session.config.update(path, value)), Some(5000));
    }
    session.config.initialize_0().expect("it starts");
    assert_eq!(session.config.get_as("interface.max_results").ok(), Some(1000), "nothing retries by itself");
    assert_eq!(session.server.get_cache_stats().pending_update_entries, 2);
    let report = session.server.retry_pending_updates();
    let made = texts(&["interface.query_timeout", "interface.max_results"]);
    assert_eq!(all(&report), [made, NONE, NONE, NONE, NONE]);
    assert_eq!(session.config.get_as("interface.max_results").ok(), Some(3));
    assert_eq!(session.running().updates_count, 2);
    assert_eq!(session.events("foundation.config_updates").len(), 2);
    let told: Vec<_> = std::iter::from_fn(|| changes.try_recv()).collect();
    assert!(matches!(&told[..], [ConfigNotification::Updated { path, .. }, ConfigNotification::Updated { .. }]
        if path.last() == Some("query_timeout")));
    assert_eq!(all(&session.server.retry_pending_updates()), [NONE, NONE, NONE, NONE, NONE]);
}

#[test]
fn f04_what_was_written_later_is_not_overwritten() {
    let session = Session::new();
    session.server.stop();
    assert_eq!(code(session.config.update("interface.max_results", 1)), Some(5000));
    assert_eq!(code(session.config.update("infrastructure.protection.a.b", 1)), Some(5000));
    session.foundation.settings().update("infrastructure.protection", map(r#"{"z":{}}"#)).expect("the store goes on");
    session.config.initialize_0().expect("it starts");
    session.config.update("interface.max_results", 2).expect("it may change");
    assert_eq!(session.server.get_cache_stats().pending_update_entries, 1, "the later write cleared the earlier one");
    let report = session.server.retry_pending_updates();
    assert_eq!(all(&report), [NONE, NONE, texts(&["infrastructure.protection.a.b"]), NONE, NONE]);
    assert_eq!(session.config.get_as("interface.max_results").ok(), Some(2));
}

#[test]
fn what_waited_too_long_is_told_and_dropped() {
    let session = Session::new();
    session.server.stop();
    assert_eq!(code(session.config.update("interface.max_results", 1)), Some(5000));
    session.advance_secs(300);
    assert_eq!(code(session.config.update("interface.query_timeout", 1)), Some(5000));
    assert!(session.server.cleanup_expired_cache().is_empty());
    assert!(session.server.get_cache_stats().config_cache_entries > 0);
    session.clock.advance(Duration::from_nanos(1));
    let expired: Vec<_> = session.server.cleanup_expired_cache().iter().map(ToString::to_string).collect();
    assert_eq!(expired, ["interface.max_results"]);
    assert_eq!(session.server.get_cache_stats().total_entries, 1);

    session.advance_secs(301);
    session.config.initialize_0().expect("it starts");
    let report = session.server.retry_pending_updates();
    assert_eq!(all(&report), [NONE, NONE, NONE, texts(&["interface.query_timeout"]), NONE]);
}

#[test]
fn a_retry_while_it_is_stopped_keeps_all() {
    let session = Session::new();
    session.server.stop();
    assert_eq!(code(session.config.update("interface.max_results", 1)), Some(5000));
    let report = session.server.retry_pending_updates();
    assert_eq!(all(&report), [NONE, NONE, NONE, NONE, texts(&["interface.max_results"])]);
    assert_eq!(session.server.get_cache_stats().pending_update_entries, 1);
    assert_eq!(session.config.get_as("interface.max_results").ok(), Some(1000));
}

#[test]
fn a_service_that_replays_makes_what_waits_when_it_starts() {
    let session = Session::with(ConfigOptions::new().replay(Replay::OnStart));
    session.server.stop();
    assert_eq!(code(session.config.update("interface.max_results", 1)), Some(5000));
    session.server.start(&ConfigOptions::new()).expect("it starts");
    assert_eq!(session.config.get_as("interface.max_results").ok(), Some(1));
    assert_eq!(session.server.get_cache_stats().total_entries, 0);
}

#[test]
fn f02_nothing_is_lost_between_stop_and_start() {
    let session = Session::new();
    let mut changes = session.config.subscribe().expect("it runs");
    session.config.update("interface.max_results", 5).expect("it may change");
    session.advance_secs(9);
    session.server.stop();
    session.advance_secs(9);
    session.config.initialize_0().expect("it starts");
    assert_eq!(session.config.get_as("interface.max_results").ok(), Some(5));
    let status = session.running();
    assert_eq!((status.updates_count, status.subscribers_count, status.uptime), (1, 1, Duration::ZERO));
    session.config.update("interface.max_results", 6).expect("it may change");
    assert_eq!(std::iter::from_fn(|| changes.try_recv()).count(), 2);
}

#[test]
fn options_at_a_start_replace_those_before_and_bad_ones_change_nothing() {
    let options = |json: &str| ConfigOptions::new().options(map(json));
    let session = Session::with(options(r#"{"interface":{"max_results":1}}"#));
    session.config.update("dev.debug_mode", true).expect("it may change");
    session.server.stop();
    let bad = session.config.initialize(&options(r#"{"interface":{"query_timeout":0}}"#)).expect_err("0 is too short");
    assert_eq!(bad.code(), 1001);
    assert!(!session.config.available());
    assert_eq!(code(session.config.initialize(&options(r#"{"mine":1}"#))), Some(1001));
    assert!(!session.config.available());
    assert_eq!(session.foundation.settings().health(), Health::Healthy);
    assert_eq!(session.foundation.settings().load().interface.max_results, 1);

    session.config.initialize(&options(r#"{"interface":{"query_timeout":7}}"#)).expect("it is valid");
    assert_eq!(session.config.get_as("interface.query_timeout").ok(), Some(7));
    assert_eq!(session.config.get_as("interface.max_results").ok(), Some(1000), "the options before are gone");
    assert_eq!(session.config.get_as("dev.debug_mode").ok(), Some(true), "what was written while running is not");
}

#[test]
fn resetting_the_state_of_a_stopped_service_forgets_all_it_had() {
    let session = Session::with(ConfigOptions::new().test_mode(TestMode::On));
    session.server.stop();
    assert_eq!(code(session.config.update("interface.max_results", 1)), Some(5000));
    session.server.reset_state().expect("this is a test");
    assert_eq!(session.server.get_cache_stats(), CacheStats::default());
    assert_eq!(code(session.config.get("interface.max_results")), Some(1303));
    assert!(!session.config.available());
}

#[test]
fn a_shutdown_stops_the_service_for_good() {
    let session = Session::new();
    session.foundation.shutdown();
    assert!(!session.config.available());
    assert_eq!(session.config.get_as("interface.max_results").ok(), Some(1000));
    assert_eq!(code(session.config.initialize_0()), Some(5000));
    assert_eq!(code(session.config.update("interface.max_results", 1)), Some(5000));
}
