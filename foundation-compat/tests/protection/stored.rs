//! Protection configurations: what may be stored, and what it does.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use foundation_compat::foundation_resources::pool::{PoolState, from_fn};
use foundation_compat::foundation_resources::rate_limit::Quota;
use foundation_compat::foundation_types::Name;
use foundation_compat::foundation_types::error::Domain;
use foundation_compat::infrastructure::ProtectedOptions;
use foundation_compat::infrastructure::circuit_breaker::FuseStatus;
use foundation_compat::infrastructure::connection_manager::PoolConfig;
use foundation_compat::infrastructure::protection::{
    FALLBACK_QUOTA, MAX_PROTECTION_KEYS, MemoryStore, PROTECTION_PATH, ProtectionStore, RateRules,
};
use foundation_compat::infrastructure::rate_limiter::RateState;
use foundation_compat::{Error, ErrorKind, Metadata, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::bench::{Bench, all_layers, config};

fn refusal(bench: &Bench, config: impl Into<Value>) -> String {
    let error = bench.infrastructure.configure_protection("key", config).expect_err("invalid");
    assert_eq!(error.domain(), &Domain::Infrastructure);
    error.kind().as_str().to_owned()
}

/// The valid configuration with one field of one section replaced.
fn with_field(section: &str, field: &str, value: impl Into<Value>) -> Metadata {
    let valid = config(5);
    let changed = valid.get(section).and_then(Value::as_map).expect("a section").clone().with(field, value);
    valid.with(section, changed)
}

#[test]
fn what_is_refused_is_named_in_order() {
    let bench = Bench::new();
    assert_eq!(refusal(&bench, "text"), "invalid_config_format");
    assert_eq!(refusal(&bench, Value::Null), "invalid_config_format");
    assert_eq!(refusal(&bench, Metadata::new()), "missing_required_keys");
    for section in ["circuit_breaker", "rate_limiter", "connection_pool"] {
        let mut without = config(5);
        without.remove(section);
        assert_eq!(refusal(&bench, without), "missing_required_keys");
        let kind = format!("invalid_{section}_config");
        assert_eq!(refusal(&bench, config(5).with(section, "text")), kind);
        assert_eq!(refusal(&bench, config(5).with(section, Metadata::new())), kind);
    }
    let all_wrong = ["circuit_breaker", "rate_limiter", "connection_pool"].map(|section| (section, Metadata::new()));
    assert_eq!(refusal(&bench, Metadata::from(all_wrong)), "invalid_circuit_breaker_config");
    let invalid = bench.infrastructure.configure_protection("", config(5)).expect_err("no key");
    assert_eq!(invalid.kind(), &ErrorKind::InvalidName);
    assert!(bench.infrastructure.list_protection_keys().is_empty());
}

#[test]
fn numbers_are_checked() {
    let bench = Bench::new();
    for (section, field, lowest) in [
        ("circuit_breaker", "failure_threshold", 1),
        ("circuit_breaker", "recovery_time", 1),
        ("rate_limiter", "scale", 1),
        ("rate_limiter", "limit", 1),
        ("connection_pool", "size", 1),
        ("connection_pool", "max_overflow", 0),
    ] {
        let kind = format!("invalid_{section}_config");
        for wrong in [Value::Int(lowest - 1), Value::Int(-5), Value::Int(i64::MAX), "3".into(), Value::Null] {
            assert_eq!(refusal(&bench, with_field(section, field, wrong)), kind, "{field}");
        }
        bench.infrastructure.configure_protection("key", with_field(section, field, lowest)).expect("in range");
    }
}

#[test]
fn a_store_of_ones_own_is_asked_and_its_errors_and_panics_come_back() {
    struct Broken;
    impl ProtectionStore for Broken {
        fn put(&self, _: &Name, _: Metadata) -> Result<(), Error> {
            Err(Error::new(ErrorKind::ServiceUnavailable))
        }

        fn get(&self, _: &Name) -> Result<Option<Metadata>, Error> {
            panic!("no store")
        }

        fn keys(&self) -> Result<Vec<Name>, Error> {
            Err(Error::new(ErrorKind::ServiceUnavailable))
        }
    }
    let bench = Bench::with(5, |builder| builder.protection_store(Arc::new(Broken)));
    let put = bench.infrastructure.configure_protection("key", config(5)).expect_err("down");
    assert_eq!(put.kind(), &ErrorKind::ServiceUnavailable);
    let got = bench.infrastructure.get_protection_config("key").expect_err("down");
    assert_eq!((got.kind(), got.message()), (&ErrorKind::InternalError, "no store"));
    assert!(bench.infrastructure.list_protection_keys().is_empty());
    let run = bench.infrastructure.execute_protected("key", &all_layers(), || Ok::<_, Infallible>(1));
    assert_eq!(run, Ok(1), "the layers are there without it");
}

#[test]
fn a_full_store_refuses_new_keys_only() {
    let store = MemoryStore::new();
    let key = |number: usize| Name::new(format!("key-{number}")).expect("valid");
    for number in 0..MAX_PROTECTION_KEYS {
        store.put(&key(number), Metadata::new()).expect("room");
    }
    let full = store.put(&key(MAX_PROTECTION_KEYS), Metadata::new()).expect_err("full");
    assert_eq!(full.kind(), &ErrorKind::ResourceExhausted);
    store.put(&key(0), config(1)).expect("known");
    assert_eq!(store.get(&key(0)), Ok(Some(config(1))));
    assert_eq!(PROTECTION_PATH, ["infrastructure", "protection"]);
}

#[test]
fn the_configured_quota_is_the_one_that_counts() {
    let bench = Bench::new();
    let allowed = |key: &str, user: &str, rule: &str| {
        let options = ProtectedOptions::new().rate_limiter(rule, user);
        let run = || bench.infrastructure.execute_protected(key, &options, || Ok::<_, Infallible>(())).is_ok();
        (0..200).take_while(|_| run()).count()
    };
    bench.infrastructure.configure_protection("key", config(3)).expect("valid");
    assert_eq!(allowed("key", "a", "api_calls"), 3);
    assert_eq!(allowed("other", "b", "api_calls"), FALLBACK_QUOTA.limit() as usize);
    bench.infrastructure.configure_protection("key", config(5)).expect("valid");
    assert_eq!(allowed("key", "a", "api_calls"), 2, "raised: the difference");

    let rules = RateRules::original().with("tiny", Quota::per_minute(2));
    let bench = Bench::with(5, |builder| builder.rate_rules(rules));
    let allowed = |rule: &str| {
        let options = ProtectedOptions::new().rate_limiter(rule, "a");
        let run = || bench.infrastructure.execute_protected("key", &options, || Ok::<_, Infallible>(())).is_ok();
        (0..1_000).take_while(|_| run()).count()
    };
    assert_eq!([allowed("tiny"), allowed("file_operations"), allowed("db_queries"), allowed("?")], [2, 10, 500, 100]);
}

#[test]
fn the_numbers_of_a_configuration_make_a_breaker_and_a_pool() {
    let bench = Bench::new();
    bench.infrastructure.configure_protection("key", config(3)).expect("valid");
    assert!(bench.foundation.breakers().get("key").is_none(), "storing makes none");
    let protection = bench.infrastructure.protection("key").expect("stored");
    bench.infrastructure.initialize_circuit_breaker("key", protection.breaker()).expect("new");
    for _ in 0..4 {
        bench.breakers.melt("key");
    }
    assert_eq!(bench.breakers.get_status("key"), Ok(FuseStatus::Blown), "three are tolerated");
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(bench.breakers.get_status("key"), Ok(FuseStatus::Ok));
    let pool = PoolConfig::new(from_fn(|| Ok::<_, Infallible>(())))
        .size(protection.pool_size())
        .max_overflow(protection.max_overflow());
    let pool = bench.pools.start_pool("key", &pool).expect("starts");
    assert_eq!((pool.status().size, pool.status().max_overflow), (2, 0));
    assert_eq!(protection.quota(), Quota::per_minute(3));
}

#[test]
fn the_status_of_a_key_is_that_of_what_it_was_last_used_with() {
    let bench = Bench::with(0, |builder| builder);
    let unknown = bench.infrastructure.get_protection_status("key").expect_err("not configured");
    assert_eq!(unknown.kind(), &ErrorKind::NotFound);
    bench.infrastructure.configure_protection("key", config(1)).expect("valid");
    let status = || bench.infrastructure.get_protection_status("key").expect("configured");
    assert_eq!((status().circuit_breaker, status().rate_limiter, status().connection_pool), (None, None, None));

    bench.infrastructure.execute_protected("key", &all_layers(), || Err::<(), _>("no")).expect_err("fails");
    assert_eq!(status().circuit_breaker, Some(FuseStatus::Blown));
    let rate = status().rate_limiter.expect("used");
    assert_eq!((rate.status, rate.current_count, rate.limit), (RateState::RateLimited, 1, 1));
    assert_eq!(status().connection_pool.expect("used").state, PoolState::Ready);

    bench.breakers.remove("db").expect("installed");
    bench.pools.stop_pool("db").expect("started");
    assert_eq!((status().circuit_breaker, status().connection_pool), (None, None), "what is gone is unknown");
    bench.infrastructure.execute_protected("stranger", &all_layers(), || Ok::<_, Infallible>(())).expect_err("gone");
    assert!(bench.infrastructure.get_protection_status("stranger").is_err());
}

fn number(from: i64) -> impl Strategy<Value = i64> {
    prop_oneof![from..1_000, -3..3_i64, Just(i64::MAX)]
}

prop_compose! {
    /// Configurations, mostly valid, some with more keys than there have to be.
    fn configs()(
        numbers in [number(1), number(1), number(1), number(1), number(1), number(0)],
        extra in proptest::option::of("[a-z]{1,6}"),
        missing in proptest::option::weighted(0.1, 0..3_usize),
    ) -> (Metadata, bool) {
        let [threshold, recovery, scale, limit, size, overflow] = numbers;
        let mut config = Metadata::new()
            .with("circuit_breaker", Metadata::new().with("failure_threshold", threshold).with("recovery_time", recovery))
            .with("rate_limiter", Metadata::new().with("scale", scale).with("limit", limit))
            .with("connection_pool", Metadata::new().with("size", size).with("max_overflow", overflow));
        if let Some(extra) = extra {
            config.insert(format!("extra_{extra}"), vec![1, 2]);
        }
        if let Some(missing) = missing {
            config.remove(["circuit_breaker", "rate_limiter", "connection_pool"][missing]);
        }
        let in_range = [threshold, recovery, scale, limit, size].iter().all(|number| (1..1_000).contains(number));
        (config, in_range && (0..1_000).contains(&overflow) && missing.is_none())
    }
}

proptest! {
    #[test]
    fn q22_a_stored_configuration_reads_back_equal_and_a_refused_one_changes_nothing(
        steps in vec((0..4_usize, configs()), 1..20),
    ) {
        let bench = Bench::new();
        let mut model = std::collections::BTreeMap::new();
        for (key, (config, is_valid)) in steps {
            let key = ["a", "b", "c", "d"][key];
            let stored = bench.infrastructure.configure_protection(key, config.clone());
            prop_assert_eq!(stored.is_ok(), is_valid, "{:?}", config);
            if is_valid {
                model.insert(key, config);
            }
            for key in ["a", "b", "c", "d"] {
                let read = bench.infrastructure.get_protection_config(key).ok();
                prop_assert_eq!(read.as_ref(), model.get(key));
            }
            let keys = bench.infrastructure.list_protection_keys();
            prop_assert!(keys.iter().map(Name::as_str).eq(model.keys().copied()));
        }
    }
}
