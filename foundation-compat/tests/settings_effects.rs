//! What settings do to the parts of an instance.
#![cfg(feature = "agent")]

use std::convert::Infallible;
use std::sync::Arc;

use foundation_compat::config::{Config, ConfigOptions};
use foundation_compat::foundation_config::{Layer, MapSource};
use foundation_compat::foundation_types::testing::RecordingObserver;
use foundation_compat::foundation_types::{Feature, Metadata, Value};
use foundation_compat::infrastructure::{ExecuteError, Infrastructure, ProtectedOptions};
use foundation_compat::{FEATURE_CHANGED_EVENT, Foundation, FoundationBuilder, Namespace};

fn isolated() -> FoundationBuilder {
    Foundation::builder().namespace(Namespace::test())
}

fn switches(pairs: &[(&'static str, bool)]) -> Metadata {
    Metadata::new().with("features", pairs.iter().map(|(name, is_on)| (*name, *is_on)).collect::<Metadata>())
}

#[test]
fn the_settings_of_features_switch_them_and_one_that_nobody_sets_is_left_alone() {
    let observer = Arc::new(RecordingObserver::new());
    let file = Arc::new(MapSource::new("file", Layer::File, switches(&[("config", false), ("nonsense", true)])));
    let foundation = isolated().observer(observer.clone()).config_source(Arc::clone(&file)).build().expect("in range");
    let gate = foundation.gate().clone();
    assert!(!gate.is_on(Feature::Config), "the settings that it starts with count");
    assert!(gate.is_on(Feature::Registry));

    gate.disable(Feature::Breaker);
    file.set(switches(&[("config", true)]));
    assert!(foundation.settings().reload().expect("not from a schema").is_clean());
    assert!(gate.is_on(Feature::Config), "a reload counts as well");
    assert!(!gate.is_on(Feature::Breaker), "what no setting names stays as it is");

    foundation.settings().update("features.agent_features", false).map(drop).expect("any value is valid there");
    assert!(!gate.agent_features_enabled());
    foundation.settings().update("features.agent_features", 7).map(drop).expect("any value is valid there");
    assert!(!gate.agent_features_enabled(), "what is no truth value changes nothing");
    foundation.settings().update("features.agent_features", true).map(drop).expect("any value is valid there");
    assert!(gate.agent_features_enabled());

    let told = observer.events_named(FEATURE_CHANGED_EVENT).len();
    assert_eq!(told, 4, "each flip is told once");
}

#[test]
fn settings_of_features_are_none_of_the_legacy_sections() {
    let foundation = isolated().config(ConfigOptions::new()).build().expect("in range");
    foundation.settings().update("features.config", true).map(drop).expect("any value is valid there");
    let config = Config::from(&foundation);
    assert_eq!(config.get("features.config").expect_err("not a section").code(), 1302);
    assert!(config.get_as::<bool>("dev.debug_mode").is_ok());
}

#[test]
fn an_instance_that_follows_its_settings_protects_calls_by_them_as_they_are_now() {
    let run = |foundation: &Foundation| {
        let options = ProtectedOptions::new().rate_limiter("api_calls", "user-7").circuit_breaker("store");
        Infrastructure::from(foundation).execute_protected("unconfigured", &options, || Ok::<_, Infallible>(1))
    };
    let settings = |foundation: &Foundation, path: &str, value: Value| {
        foundation.settings().update(path, value).map(drop).expect("it may be set");
    };
    let rule = Metadata::new().with("scale", 60_000).with("limit", 1);
    let rules = Metadata::new()
        .with("rate_limiting", Metadata::new().with("default_rules", Metadata::new().with("api_calls", rule)));
    let file = || MapSource::new("file", Layer::File, Metadata::new().with("infrastructure", rules.clone()));

    let deaf = isolated().config_source(file()).build().expect("in range");
    Infrastructure::from(&deaf).initialize_circuit_breaker_1("store").expect("new");
    assert!((0..3).all(|_| run(&deaf).is_ok()), "as in the original, nothing reads the rules");

    let following = isolated().config_source(file()).follow_settings().build().expect("in range");
    let infrastructure = Infrastructure::from(&following);
    infrastructure.initialize_circuit_breaker_1("store").expect("new");
    assert_eq!(run(&following), Ok(1));
    assert!(matches!(run(&following), Err(ExecuteError::RateLimiter(_))));
    settings(&following, "infrastructure.rate_limiting.enabled", false.into());
    assert_eq!(run(&following), Ok(1));

    following.breakers().get("store").expect("made above").force_open();
    assert!(matches!(run(&following), Err(ExecuteError::CircuitBreaker(_))));
    settings(&following, "infrastructure.circuit_breaker.enabled", false.into());
    assert_eq!(run(&following), Ok(1));
}
