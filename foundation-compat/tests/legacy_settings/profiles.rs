//! Settings for kinds of environments, and those of agents.

use foundation_compat::logic::config_logic::{ConfigOptions, build_config, reset_config};
use foundation_compat::types::config::{FoundationConfig, Profile, Strategy};

use crate::trees::{tree, with};

#[test]
fn f11_every_profile_is_valid_and_changes_something() {
    for profile in Profile::ALL {
        let config = build_config(&ConfigOptions::new().environment(profile.overlay()));
        let config = config.unwrap_or_else(|error| panic!("{profile}: {error}"));
        assert_ne!(config, reset_config());
        assert!(FoundationConfig::try_from(&config).is_ok());
        assert_eq!(profile.as_str().parse(), Ok(profile));
    }
    assert_eq!(
        "prod".parse::<Profile>().map_err(|error| error.to_string()),
        Err(r#"no profile "prod"; there are dev and test"#.to_owned())
    );
}

#[test]
fn profiles_set_what_the_original_sets() {
    let built = |profile: Profile| {
        build_config(&ConfigOptions::new().environment(profile.overlay())).expect("every profile is valid")
    };
    let dev = with(reset_config(), &["dev", "debug_mode"], true);
    assert_eq!(built(Profile::Dev), with(dev, &["dev", "verbose_logging"], true));

    let analysis = tree(r#"{"max_file_size":100000,"timeout":5000,"cache_ttl":60}"#);
    let test = with(reset_config(), &["ai", "analysis"], analysis);
    let test = with(test, &["ai", "planning", "default_strategy"], Strategy::Fast.as_str());
    let test = with(test, &["ai", "planning", "performance_target"], tree("0.1"));
    let processing = tree(r#"{"batch_size":10,"flush_interval":10,"max_queue_size":100}"#);
    let test = with(test, &["capture", "processing"], processing);
    assert_eq!(built(Profile::Test), with(test, &["dev", "performance_monitoring"], false));
}

#[cfg(feature = "agent")]
mod agents {
    use foundation_compat::Value;
    use foundation_compat::foundation_config::{ViolationKind, Violations};
    use foundation_compat::types::config::agent::{agent_defaults, check_agent_settings};
    use proptest::prelude::*;

    use crate::trees::{anything, paths, tree, with};

    fn violations(tree: &Value) -> Vec<(String, ViolationKind)> {
        let mut out = Violations::new();
        check_agent_settings(tree, &mut out);
        out.iter().map(|violation| (violation.path.to_string(), violation.kind)).collect()
    }

    #[test]
    fn the_defaults_of_agents_are_those_of_the_original_and_valid() {
        let expected = tree(
            r#"{"coordination":{"consensus_timeout":5000,"election_timeout":3000,"barrier_timeout":10000},
            "infrastructure":{"circuit_breaker":{"failure_threshold":5,"recovery_timeout":60000},
                "rate_limiter":{"default_limit":100,"default_window":60000}},
            "agents":{"health_check_interval":30000,"resource_thresholds":{"memory":0.8,"cpu":0.9}}}"#,
        );
        assert_eq!(Value::from(agent_defaults()), expected);
        assert_eq!(violations(&expected), []);
    }

    #[test]
    fn f17_each_number_of_agents_has_its_rule() {
        let defaults = Value::from(agent_defaults());
        let leaves = paths(&defaults).into_iter().filter(|path| {
            let value = path.iter().try_fold(&defaults, |value, key| value.as_map()?.get(key));
            value.is_some_and(|value| value.as_map().is_none())
        });
        let mut seen = 0;
        for path in leaves {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let is_share = path.contains(&"resource_thresholds");
            let bad = if is_share { ["-0.1", "1.1", "\"x\"", "null"] } else { ["-5", "0", "1.5", "null"] };
            let kind = if is_share { ViolationKind::Range } else { ViolationKind::Shape };
            for bad in bad {
                assert_eq!(violations(&with(defaults.clone(), &path, tree(bad))), [(path.join("."), kind)], "{bad}");
            }
            for good in if is_share { ["0", "1", "0.5"] } else { ["1", "5", "86400000"] } {
                assert_eq!(violations(&with(defaults.clone(), &path, tree(good))), [], "{path:?} {good}");
            }
            seen += 1;
        }
        assert_eq!(seen, 10);
    }

    #[test]
    fn a_part_of_a_tree_is_judged_by_what_is_there() {
        assert_eq!(violations(&tree("{}")), []);
        assert_eq!(violations(&tree(r#"{"coordination":{"other":"x"},"mine":5}"#)), []);
        assert_eq!(violations(&tree(r#"{"coordination":5}"#)), [("coordination".to_owned(), ViolationKind::Shape)]);
        assert_eq!(violations(&tree("5")), [(String::new(), ViolationKind::Shape)]);
    }

    proptest! {
        #[test]
        fn whatever_is_set_for_agents_is_judged(tree in anything()) {
            let _ = violations(&tree);
        }
    }
}
