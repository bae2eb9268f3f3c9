//! The definition table and the code ranges.

use std::collections::BTreeSet;

use foundation_types::error::{
    Category, CodeRange, Definition, Domain, Entry, Error, ErrorKind, RetryStrategy, Severity, Subcategory,
    category_of, is_in_category,
};
use foundation_types::testing::strategies::text;
use proptest::prelude::*;

/// The core table, transcribed independently of the source.
const CORE: &str = "\
invalid_config_structure | 1101 | high | config / structure | immediate | Configuration structure is invalid
missing_required_field | 1102 | high | config / structure | immediate | Required configuration field missing
invalid_config_value | 1201 | medium | config / validation | no_retry | Configuration value failed validation
constraint_violation | 1202 | medium | config / validation | fixed_delay | Configuration constraint violated
range_error | 1203 | low | config / validation | fixed_delay | Value outside acceptable range
config_not_found | 1301 | high | config / access | immediate | Configuration not found
config_update_forbidden | 1401 | medium | config / runtime | fixed_delay | Configuration update not allowed
initialization_failed | 2101 | critical | system / initialization | no_retry | System initialization failed
service_unavailable | 2102 | high | system / initialization | immediate | Required service unavailable
resource_exhausted | 2201 | high | system / resources | immediate | System resources exhausted
dependency_failed | 2301 | high | system / dependencies | immediate | Required dependency failed
internal_error | 2401 | critical | system / runtime | no_retry | Internal system error
serialization_failed | 3101 | medium | data / serialization | fixed_delay | Data serialization failed
deserialization_failed | 3102 | medium | data / serialization | fixed_delay | Data deserialization failed
type_mismatch | 3201 | low | data / validation | fixed_delay | Data type mismatch
format_error | 3202 | low | data / validation | fixed_delay | Data format error
validation_failed | 3203 | medium | data / validation | fixed_delay | Data validation failed
invalid_input | 3204 | low | data / validation | fixed_delay | Invalid input provided
data_corruption | 3301 | critical | data / corruption | no_retry | Data corruption detected
data_not_found | 3401 | low | data / not_found | fixed_delay | Requested data not found
network_error | 4101 | medium | external / network | exponential_backoff | Network communication error
external_service_error | 4201 | medium | external / service | fixed_delay | External service error
timeout | 4301 | medium | external / timeout | exponential_backoff | Operation timeout
authentication_failed | 4401 | high | external / auth | immediate | Authentication failed
external_error | 4900 | medium | external / runtime | fixed_delay | External operation failed";

/// The rows of the other domains: domain, kind, code, severity; `-` for rows without a number of their own.
const OTHERS: &str = "\
config security_violation 1000 high
config security_violation 1005 high
config validation_failed 1001 medium
config invalid_config_value 1002 medium
config constraint_violation 1003 high
config range_error 1004 high
config service_unavailable 5000 high
config operation_forbidden 5002 high
config config_path_not_found 1302 medium
config config_path_invalid 1304 medium
config invalid_path 1304 medium
config config_unavailable 1303 medium
config config_update_forbidden 1401 medium
config type_mismatch 1205 medium
config version_conflict 1402 medium
config version_evicted 1403 medium
config limit_exceeded 1404 medium
config agent_features_disabled 3901 medium
config config_server_error 9001 medium
config config_not_found 9002 low
config config_validation_failed 9003 medium
events validation_failed 2001 high
events type_mismatch 2002 medium
events data_too_large 2003 high
events invalid_event_type 2004 medium
events invalid_argument 2005 high
events service_unavailable 3000 high
events not_found 3001 low
events operation_forbidden 3002 high
events duplicate_id 3003 medium
events busy 3004 low
events storage_failed 3005 high
events outcome_unknown 3006 high
events schema_outdated 3007 high
events backfill_incomplete 3008 low
events invalid_cursor 3010 low
events operation_not_supported 4001 medium
events serialization_failed - medium
events deserialization_failed - medium
events agent_features_disabled 3901 medium
events event_store_error 9101 medium
events event_validation_failed 9102 medium
events event_query_failed 9103 medium
registry service_not_found 5001 medium
registry already_registered 7101 medium
registry dead_process 7102 medium
registry superseded 7103 medium
registry agent_managed 7104 medium
registry limit_exceeded 7105 medium
registry closed 7106 high
registry backend_error 7107 high
registry agent_not_found 3101 medium
registry invalid_agent_metadata 3102 medium
registry agent_features_disabled 3103 medium
processes validation_error 3001 high
processes process_start_failed 5001 high
breaker circuit_breaker_install_failed 5001 high
breaker circuit_breaker_exception 5002 critical
breaker protected_operation_failed 5003 medium
breaker circuit_breaker_blown 5004 medium
breaker circuit_breaker_not_found 5005 high
breaker circuit_breaker_exception 5006 critical
breaker circuit_breaker_not_found 5007 medium
breaker circuit_breaker_exception 5008 medium
breaker invalid_input 5009 medium
breaker invalid_input 5010 medium
breaker invalid_input 5011 medium
breaker protected_operation_failed 5012 medium
breaker circuit_breaker_not_found 5013 medium
breaker circuit_breaker_exception 5014 medium
breaker invalid_name 5015 medium
breaker invalid_configuration 5016 medium
breaker already_exists 5017 medium
breaker invalid_arguments 5018 medium
breaker circuit_breaker_init_failed 5019 medium
breaker circuit_breaker_not_found 7001 medium
breaker circuit_breaker_timeout 7002 medium
breaker circuit_breaker_open 7003 medium
breaker protected_operation_failed 7004 medium
breaker circuit_status_error 7005 low
breaker circuit_reset_error 7006 medium
breaker circuit_execution_error 7007 high
breaker agent_unavailable 7008 high
breaker agent_unhealthy 7009 medium
breaker resource_exhausted 7010 medium
breaker agent_not_found 7011 medium
breaker capability_not_found 7012 medium
breaker already_started 7013 medium
infrastructure circuit_breaker_init_failed - medium
infrastructure invalid_arguments - medium
infrastructure invalid_name - medium
infrastructure invalid_configuration - medium
infrastructure already_exists - medium
limiter rate_limit_exceeded 6001 medium
limiter rate_limiter_exception 6003 critical
limiter rate_limiter_exception 6007 medium
limiter rate_limited_operation_failed 6008 medium
limiter validation_failed 6008 medium
limiter validation_failed 6009 medium
limiter agent_critical 6014 medium
limiter invalid_configuration 6015 medium
limiter agent_not_found 6016 medium
limiter agent_rate_limit_exceeded 6010 medium
limiter rate_limiter_error 6011 medium
limiter rate_limiter_timeout 6012 medium
limiter rate_limiter_not_running 6013 high
limiter rate_limited_operation_failed 6020 medium
telemetry operation_forbidden 7002 high
telemetry service_unavailable - medium
telemetry service_initialization_failed - high
telemetry telemetry_service_error 9201 medium
telemetry telemetry_validation_failed 9202 medium
telemetry telemetry_query_failed 9203 medium
coordination coordination_service_error 4101 medium
resources resource_manager_error 8001 medium
resources agent_not_found 8002 medium
resources resource_availability_check_failed 8003 medium
resources agent_resource_limit_exceeded 8004 medium
resources system_resource_critical 8005 high
resources system_resource_limit_exceeded 8006 high
exception invalid_argument 1002 high
exception invalid_argument 1003 high
exception pattern_match_failed 1004 high
exception protocol_undefined 1005 high
exception function_undefined 1006 high
exception runtime_error 9001 high
exception system_limit_exceeded 9002 high
exception erlang_error 9003 high
exception unknown_exception 9999 high";

#[test]
fn e02_every_core_row_gives_exactly_its_values() {
    let rows: Vec<&str> = CORE.lines().collect();
    assert_eq!(rows.len(), 25);
    for row in rows {
        let kind = row.split(" | ").next().expect("a row has cells");
        let error = Error::new(kind);
        let shown = format!(
            "{} | {} | {} | {} / {} | {} | {}",
            error.kind(),
            error.code(),
            error.severity(),
            error.category(),
            error.subcategory(),
            error.retry_strategy(),
            error.message()
        );
        assert_eq!(shown, row);
        assert_ne!(Definition::find(&Domain::Core, &kind.into()), None);
    }
}

#[test]
fn e02_core_codes_are_pairwise_distinct() {
    let codes: Vec<u32> =
        Entry::all().filter(|entry| entry.domain == Domain::Core).map(|entry| entry.definition.code).collect();
    assert_eq!(codes.len(), 26, "the rows of the table and agent_features_disabled");
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    assert!(!codes.contains(&9999));
}

proptest! {
    #[test]
    fn e02_unknown_kinds_give_the_last_row(text in text()) {
        let kind = ErrorKind::from(text.as_str());
        prop_assume!(matches!(kind, ErrorKind::Other(_)));
        let error = Error::new(kind);
        prop_assert_eq!((error.code(), error.severity(), error.message()), (9999, Severity::Medium, "Unknown error"));
        prop_assert_eq!((error.category(), error.subcategory()), (&Category::Unknown, &Subcategory::Unknown));
        prop_assert_eq!(error.retry_strategy(), RetryStrategy::FixedDelay);
    }
}

#[test]
fn e02_core_strategies_follow_from_kind_and_severity() {
    for entry in Entry::all().filter(|entry| entry.domain == Domain::Core && entry.definition.code != 3901) {
        let expected = match (&entry.kind, entry.definition.severity) {
            (ErrorKind::Timeout | ErrorKind::NetworkError, _) => RetryStrategy::ExponentialBackoff,
            (ErrorKind::InvalidConfigValue | ErrorKind::DataCorruption, _) | (_, Severity::Critical) => {
                RetryStrategy::NoRetry
            }
            (ErrorKind::ResourceExhausted, _) | (_, Severity::High) => RetryStrategy::Immediate,
            _ => RetryStrategy::FixedDelay,
        };
        assert_eq!(entry.definition.retry, expected, "{}", entry.kind);
    }
}

#[test]
fn e02_every_row_of_the_other_domains_is_there() {
    for row in OTHERS.lines() {
        let [domain, kind, code, severity] = row.split(' ').collect::<Vec<_>>()[..] else {
            panic!("a row has four cells: {row}");
        };
        let (domain, kind) = (Domain::from(domain), ErrorKind::from(kind));
        let inherited = Definition::of(&Domain::Core, &kind).code;
        let error = match code.parse() {
            Ok(code) if kind == ErrorKind::AgentFeaturesDisabled => {
                let error = Error::new(kind.clone()).with_domain(domain.clone());
                assert_eq!(error.code(), code);
                error
            }
            Ok(code) => Error::from_entry(Entry::find(&domain, &kind, code).expect(row)),
            Err(_) => {
                let error = Error::new(kind.clone()).with_domain(domain.clone());
                assert_eq!(error.code(), inherited, "{row}");
                error
            }
        };
        assert_eq!((error.domain(), error.kind(), error.severity().as_str()), (&domain, &kind, severity), "{row}");
        assert_ne!(Definition::find(&domain, &kind), None, "{row}");
        if let Ok(code) = code.parse::<u32>() {
            assert_eq!(error.code(), code, "{row}");
        }
    }
}

#[test]
fn retried_rows_of_the_other_domains_are_the_stated_ones() {
    let retried = Entry::all().filter(|entry| entry.domain != Domain::Core);
    let retried = retried.filter(|entry| entry.definition.retry != RetryStrategy::NoRetry);
    let retried: Vec<String> =
        retried.map(|Entry { domain, kind, definition, .. }| format!("{domain}/{kind} {}", definition.retry)).collect();
    assert_eq!(
        retried,
        [
            "breaker/resource_exhausted exponential_backoff",
            "events/busy fixed_delay",
            "events/storage_failed exponential_backoff",
            "events/outcome_unknown immediate",
            "registry/backend_error exponential_backoff",
            "breaker/circuit_breaker_blown fixed_delay",
            "breaker/circuit_breaker_open exponential_backoff",
            "breaker/agent_unhealthy exponential_backoff",
            "limiter/rate_limit_exceeded fixed_delay",
            "limiter/agent_rate_limit_exceeded fixed_delay",
            "infrastructure/checkout_timeout fixed_delay",
            "infrastructure/pool_full fixed_delay",
            "infrastructure/bulkhead_full fixed_delay",
            "resources/system_resource_critical exponential_backoff",
        ]
    );
}

#[test]
fn kinds_keep_their_core_definition_in_domains_without_one() {
    assert_eq!(Error::new(ErrorKind::Timeout).with_domain(Domain::Registry).code(), 4301);
    assert_eq!(Error::new(ErrorKind::Timeout).with_domain("weather").code(), 4301);
    assert_eq!(Error::new(ErrorKind::CircuitBreakerBlown).code(), 9999, "defined for breakers only");
}

#[test]
fn service_not_found_is_a_discovery_error_of_the_system() {
    let error = Error::new(ErrorKind::ServiceNotFound).with_domain(Domain::Registry);
    assert_eq!((error.category(), error.subcategory()), (&Category::System, &Subcategory::Discovery));
    assert!(!error.is_retryable());
}

#[test]
fn e21_ranges_cover_the_thousands() {
    const NAMES: [&str; 9] = [
        "validation",
        "infrastructure",
        "agent",
        "coordination",
        "circuit_breaker",
        "rate_limiting",
        "process_registry",
        "telemetry",
        "system",
    ];
    for code in 0..=20_000_u32 {
        let expected = match code {
            1000..=9999 => NAMES[code as usize / 1000 - 1],
            _ => "unknown",
        };
        assert_eq!(category_of(code), expected, "{code}");
        assert_eq!(CodeRange::of(code).map_or("unknown", CodeRange::as_str), expected);
        let matching = NAMES.iter().filter(|name| is_in_category(code, name)).count();
        assert_eq!(matching, usize::from(expected != "unknown"), "{code}");
        assert!(!is_in_category(code, "unknown"));
    }
}
