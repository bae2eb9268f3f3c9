//! What a store does, case by case; the rules in general are in the conformance suite.

use std::sync::Arc;
use std::time::Duration;

use foundation_config::{
    ConfigError, Delivery, Dynamic, Filter, Layer, MapSource, Schema, SourceOutcome, StalePolicy, Store, UpdatePolicy,
    Version, Violation, ViolationKind, Violations, path,
};
use foundation_types::{ManualClock, Metadata, Value};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Limits {
    low: i64,
    high: i64,
    #[serde(default)]
    note: Option<String>,
}

impl Schema for Limits {
    fn defaults() -> Value {
        Metadata::new().with("low", 1).with("high", 10).into()
    }

    fn validate(&self, out: &mut Violations) {
        if self.low > self.high {
            out.push(Violation::new(path!(low: i64), ViolationKind::Range, "must not exceed high"));
        }
    }

    fn update_policy() -> UpdatePolicy {
        UpdatePolicy::allow_all()
    }
}

fn map(pairs: &[(&'static str, i64)]) -> Metadata {
    pairs.iter().map(|(key, value)| (*key, *value)).collect()
}

#[test]
fn an_update_is_seen_typed_by_path_and_by_subscribers() {
    let store = Store::<Limits>::builder().build().expect("valid defaults");
    let mut changes = store.subscribe(Filter::path(path!(high: i64))).expect("room");
    let mut reader = store.reader();
    assert_eq!(reader.load().high, 10);
    let committed = store.update(path!(high: i64), 20).expect("valid");
    assert_eq!(committed.version(), Version::new(2));
    assert_eq!((reader.load().high, store.load().high), (20, 20));
    assert_eq!(store.get(path!(high: i64)), Ok(20));
    let Some(Delivery::Change(change)) = changes.try_recv() else { panic!("nothing delivered") };
    assert_eq!(change.entries()[0].after(), Some(Value::from(20)));
    let _ = store.update("low", 2).expect("valid");
    assert!(changes.try_recv().is_none(), "another path");
    assert!(changes.latest().is_some());
    assert!(changes.latest().is_none());
}

#[test]
fn what_is_refused_changes_nothing_and_says_why() {
    let store = Store::<Limits>::builder().build().expect("valid defaults");
    let text = |result: Result<_, ConfigError>| result.map(|_| ()).expect_err("refused").to_string();
    assert_eq!(text(store.update("low", 11)), "low: must not exceed high");
    assert_eq!(text(store.update("low", "x")), "low: expected i64, found string \"x\"");
    assert_eq!(text(store.update("lo", 1)), "lo: unknown key");
    assert_eq!(text(store.update("low.x", 1)), "low: expected a map");
    assert_eq!(text(store.update("low..x", 1)), "malformed path at byte 4: a component; an empty one is written \"\"");
    assert_eq!(text(store.unset("low")), "low: not set");
    assert_eq!(store.snapshot().version(), Version::FIRST);
    assert!(store.history(9).is_empty());
    assert_eq!(store.load().note, None);
}

#[test]
fn layers_lie_in_their_order_and_reset_takes_the_runtime_layer_alone() {
    let file = MapSource::new("settings.toml", Layer::File, map(&[("low", 3), ("high", 30)]));
    let env = MapSource::new("environment", Layer::Env, map(&[("low", 4)]));
    let store = Store::<Limits>::builder().source(env).source(file).load().expect("valid");
    assert_eq!((store.load().low, store.load().high), (4, 30));
    let _ = store.update("low", 5).expect("valid");
    let layers: Vec<_> = store.explain("low").expect("a path").into_iter().map(|one| one.value).collect();
    assert_eq!(layers, [5, 4, 3, 1].map(Value::from));
    let _ = store.reset().expect("valid");
    assert_eq!((store.load().low, store.load().high), (4, 30));
    let _ = store.rollback_to(Version::new(2)).expect("kept");
    assert_eq!(store.load().low, 5);
    assert_eq!(store.diff(Version::new(2), Version::new(4)).expect("kept").len(), 0);
}

#[test]
fn a_source_that_breaks_keeps_its_last_good_content_and_does_not_stop_the_others() {
    let clock = ManualClock::new();
    let file = Arc::new(MapSource::new("file", Layer::File, map(&[("low", 3)])));
    let remote = Arc::new(MapSource::new("remote", Layer::Remote, map(&[("high", 30)])));
    let store = Store::<Limits>::builder()
        .clock(Arc::new(clock.clone()))
        .source_with(Arc::clone(&file), StalePolicy::ErrorAfter(Duration::from_mins(5)))
        .source(Arc::clone(&remote))
        .load()
        .expect("valid");
    file.set(map(&[("low", 99)]));
    remote.set(map(&[("high", 40)]));
    let report = store.reload().expect("not from a schema");
    assert!(matches!(report.sources[0].outcome, SourceOutcome::Rejected(ConfigError::Invalid(_))));
    assert!(matches!(report.sources[1].outcome, SourceOutcome::Applied));
    assert_eq!((store.load().low, store.load().high), (3, 40));
    clock.advance(Duration::from_mins(5));
    assert_eq!(store.get_as::<i64>("low"), Ok(3));
    clock.advance(Duration::from_nanos(1));
    assert!(matches!(store.get_as::<i64>("low"), Err(ConfigError::Unavailable { .. })));
    assert_eq!(store.get_as::<i64>("high"), Ok(40));
    file.set(map(&[("low", 7)]));
    assert!(store.reload().expect("not from a schema").is_clean());
    assert_eq!(store.get_as::<i64>("low"), Ok(7));
}

#[test]
fn a_map_that_is_written_replaces_and_an_unset_reveals_what_is_below() {
    let file = MapSource::new("file", Layer::File, Metadata::new().with("pool", map(&[("a", 1), ("b", 2)])));
    let store = Store::<Dynamic>::builder().source(file).load().expect("valid");
    let _ = store.update("pool", map(&[("c", 3)])).expect("valid");
    assert_eq!(store.value("pool"), Ok(map(&[("c", 3)]).into()));
    let _ = store.update("pool.d", 4).expect("valid");
    assert_eq!(store.value("pool"), Ok(map(&[("c", 3), ("d", 4)]).into()));
    let _ = store.unset("pool").expect("was set");
    let _ = store.update("pool.b", 5).expect("valid");
    assert_eq!(store.value("pool"), Ok(map(&[("a", 1), ("b", 5)]).into()));
    let _ = store.unset("pool.b").expect("was set");
    assert_eq!(store.value("pool.b"), Ok(Value::from(2)));
}

#[test]
fn a_transaction_runs_again_where_it_was_overtaken() {
    let store = Store::<Dynamic>::builder().build().expect("valid");
    let _ = store.update("n", 1).expect("valid");
    let mut runs = 0;
    let (sum, committed) = store
        .transaction(|transaction| {
            let n: i64 = transaction.get_as("n")?;
            runs += 1;
            if runs == 1 {
                let _ = store.update("n", 10)?;
            }
            transaction.set("m", n + 1)?;
            transaction.get_as::<i64>("m")
        })
        .expect("valid");
    assert_eq!((runs, sum, store.get_as("m")), (2, 11, Ok(11)));
    assert!(committed.is_some());
}

#[cfg(feature = "agent")]
mod agents {
    use foundation_types::{AgentId, Feature, FeatureGate};

    use super::*;

    #[test]
    fn an_override_that_no_longer_fits_is_suspended_and_resumed() {
        let gate = FeatureGate::all_on();
        let store = Store::<Limits>::builder().gate(gate.clone()).build().expect("valid");
        let id = AgentId::from_static("a1");
        let mut mine = store.subscribe(Filter::agent(id.clone())).expect("room");
        let mut reader = store.agent(id.clone()).reader();
        let _ = store.agent(id.clone()).set("low", 8).expect("fits");
        assert!(mine.try_recv().is_some());
        assert_eq!((reader.load().low, store.load().low), (8, 1));
        assert!(matches!(store.agent(id.clone()).set("low", 11), Err(ConfigError::Invalid(_))));
        let _ = store.update("high", 5).expect("the overrides of an agent refuse nobody");
        assert!(store.agent(id.clone()).is_suspended());
        assert_eq!((reader.load().low, reader.load().high), (1, 5));
        assert!(mine.try_recv().is_some());
        let _ = store.update("high", 9).expect("valid");
        assert_eq!((reader.load().low, reader.load().high), (8, 9));
        gate.disable(Feature::Config);
        assert_eq!(reader.load().low, 1);
        assert!(matches!(store.agent(id.clone()).set("low", 2), Err(ConfigError::AgentFeaturesDisabled)));
        gate.enable(Feature::Config);
        assert_eq!(reader.load().low, 8);
        assert!(store.clear_agent(&id).expect("on").is_some());
        assert!(store.agents().is_empty());
    }

    #[test]
    fn a_change_that_hides_a_default_of_agents_is_told_to_them() {
        let defaults = Metadata::new().with("coordination", map(&[("timeout", 5)]));
        let store = Store::<Dynamic>::builder().agent_defaults(defaults).build().expect("valid");
        let timeout = foundation_config::Path::new(["coordination", "timeout"]).expect("short");
        let id = AgentId::from_static("a1");
        let mut mine = store.subscribe(Filter::agent(id.clone()).under(timeout)).expect("room");
        let _ = store.update("coordination", 1).expect("anything is valid");
        assert!(store.agent(id).value("coordination.timeout").is_err());
        assert!(mine.try_recv().is_some());
        let _ = store.update("other", 1).expect("anything is valid");
        assert!(mine.try_recv().is_none());
    }
}
