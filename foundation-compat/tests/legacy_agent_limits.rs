//! Limits of agents by their old names.

#![cfg(feature = "agent")]

use std::cell::Cell;
use std::convert::Infallible;
use std::error::Error as _;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use foundation_compat::foundation_resources::rate_limit::Quota;
use foundation_compat::foundation_resources::rate_limit::agent::{Burst, OperationLimit, UnknownAgents};
use foundation_compat::foundation_types::error::{Domain, RetryStrategy, Severity};
use foundation_compat::foundation_types::testing::RecordingObserver;
use foundation_compat::foundation_types::{ManualClock, Ratio};
use foundation_compat::infrastructure::agent_rate_limiter::{
    AgentRateLimiter, BUCKETS_CLEANED_EVENT, BUCKETS_RESET_EVENT, LIMITS_UPDATED_EVENT, OPERATION_SUCCESS_EVENT,
    REQUEST_ALLOWED_EVENT, REQUEST_DENIED_EVENT,
};
use foundation_compat::process_registry::ProcessRegistry;
use foundation_compat::{
    AgentFeatures, AgentId, BuildError, Error, Foundation, FoundationBuilder, Health, Metadata, Owner, Value,
};

const SCOUT: AgentId = AgentId::from_static("scout");
const MINUTE: Duration = Duration::from_mins(1);

struct Bench {
    clock: ManualClock,
    observer: Arc<RecordingObserver>,
    foundation: Foundation,
    limiter: AgentRateLimiter,
    registry: ProcessRegistry,
    _owner: Owner,
}

impl Bench {
    /// The scout is registered, healthy, and can scan.
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(options: impl FnOnce(FoundationBuilder) -> FoundationBuilder) -> Self {
        let (clock, observer) = (ManualClock::new(), Arc::new(RecordingObserver::new()));
        let builder = Foundation::builder().clock(Arc::new(clock.clone())).observer(observer.clone());
        let foundation = options(builder).build().expect("in range");
        let owner = Owner::new();
        let registry = ProcessRegistry::from(&foundation);
        let metadata = Metadata::new().with("capabilities", vec!["scan"]).with("health", "healthy");
        registry.register_agent(foundation.namespace(), &SCOUT, &owner.pid(), &metadata).expect("free");
        observer.take();
        let limiter = AgentRateLimiter::from(&foundation);
        Self { clock, observer, foundation, limiter, registry, _owner: owner }
    }

    fn health(&self, health: Health) {
        self.registry.update_agent_health(self.foundation.namespace(), &SCOUT, health).expect("registered");
    }

    /// How many requests are let through until one is refused.
    fn allowed(&self, operation: &'static str) -> usize {
        (0..2_000).take_while(|_| self.limiter.check_rate_with_agent_2(&SCOUT, operation).is_ok()).count()
    }
}

fn facts(error: &Error) -> (u32, &str, Severity, RetryStrategy) {
    (error.code(), error.kind().as_str(), error.severity(), error.retry_strategy())
}

#[test]
fn the_default_limits_are_those_of_the_original() {
    let bench = Bench::new();
    let limits = ["training", "inference", "general", "monitoring", "coordination", "anything"];
    assert_eq!(limits.map(|operation| bench.allowed(operation)), [10, 100, 200, 500, 1000, 100]);
}

#[test]
fn limits_follow_the_health_of_the_agent() {
    let bench = Bench::new();
    for (health, limit) in [(Health::Degraded, 7), (Health::Unhealthy, 5), (Health::Healthy, 10)] {
        bench.health(health);
        bench.limiter.reset_agent_buckets(&SCOUT);
        assert_eq!(bench.limiter.get_current_limits(&SCOUT, "training").quota, Quota::per_minute(limit));
        assert_eq!(bench.allowed("training"), limit as usize);
    }
    bench.health(Health::Critical);
    let critical = bench.limiter.check_rate_with_agent_2(&SCOUT, "monitoring").expect_err("no work at all");
    assert_eq!(facts(&critical), (6014, "agent_critical", Severity::Medium, RetryStrategy::NoRetry));
}

#[test]
fn an_excess_is_6010_with_its_context_and_advice() {
    let bench = Bench::new();
    assert_eq!(bench.allowed("training"), 10);
    let denied = bench.limiter.check_rate_with_agent_2(&SCOUT, "training").expect_err("ten a minute");
    assert_eq!(denied.domain(), &Domain::Limiter);
    assert_eq!(facts(&denied), (6010, "agent_rate_limit_exceeded", Severity::Medium, RetryStrategy::FixedDelay));
    for (key, value) in [
        ("agent_id", Value::from("scout")),
        ("operation_type", "training".into()),
        ("current_count", 10.into()),
        ("limit", 10.into()),
    ] {
        assert_eq!(denied.context().get(key), Some(&value), "{key}");
    }
    let wait = denied.retry_delay(0).duration().expect("known");
    bench.clock.advance(wait);
    bench.limiter.check_rate_with_agent_2(&SCOUT, "training").expect("exactly then");
}

#[test]
fn a_failing_operation_is_6020_and_its_request_is_spent() {
    let bench = Bench::new();
    let run = |text: &'static str| bench.limiter.execute_with_limit_3(&SCOUT, "training", || text.parse::<u32>());
    assert_eq!(run("7"), Ok(7));
    let failed = run("x").expect_err("no number");
    assert_eq!(facts(&failed), (6020, "rate_limited_operation_failed", Severity::Medium, RetryStrategy::NoRetry));
    assert!(failed.source().is_some_and(<dyn std::error::Error>::is::<std::num::ParseIntError>));
    let bang = || -> Result<(), Infallible> { panic!("bang") };
    let failed = bench.limiter.execute_with_limit_3(&SCOUT, "training", bang).expect_err("contained");
    assert_eq!((failed.code(), failed.context().get("exception")), (6020, Some(&Value::from("bang"))));
    assert_eq!(bench.allowed("training"), 7);
    let ran = Cell::new(false);
    let refused = bench.limiter.execute_with_limit_3(&SCOUT, "training", || {
        ran.set(true);
        Ok::<_, Infallible>(())
    });
    assert_eq!((refused.expect_err("used up").code(), ran.get()), (6010, false));
    assert_eq!(bench.observer.events_named(OPERATION_SUCCESS_EVENT).len(), 1);
}

#[test]
fn limits_of_one_agent_of_operations_and_bursts_can_be_set() {
    let bench = Bench::new();
    bench.limiter.update_agent_limits(&SCOUT, "training", Quota::per_minute(3)).expect("on");
    assert_eq!(bench.allowed("training"), 3);
    bench.limiter.update_operation_limits("index", OperationLimit::from(Quota::per_minute(2))).expect("valid");
    assert_eq!(bench.allowed("index"), 2);
    bench.limiter.update_agent_config(&SCOUT, Burst::of(4)).expect("on");
    assert_eq!(bench.allowed("index"), 4, "beyond the limit");
    let nothing = bench.limiter.update_operation_limits("index", OperationLimit::from(Quota::per_minute(0)));
    assert_eq!(facts(&nothing.expect_err("lets nothing through")).0, 6015);
    assert_eq!(bench.limiter.get_current_limits(&SCOUT, "index").quota, Quota::per_minute(2), "unchanged");
    let updated = bench.observer.events_named(LIMITS_UPDATED_EVENT);
    let limit = vec![Value::Int(3), Value::Int(60_000)];
    let expected = Metadata::new().with("agent_id", "scout").with("capability", "training").with("limit", limit);
    assert_eq!(updated[0].metadata, expected);
}

#[test]
fn capacity_can_be_reserved_and_is_taken_by_its_id() {
    let bench = Bench::new();
    let eight = NonZeroU32::new(8).expect("not zero");
    bench.limiter.reserve_capacity_for_coordination(&SCOUT, "training", "vote", eight).expect("room");
    let twice = bench.limiter.reserve_capacity_for_coordination(&SCOUT, "training", "vote", NonZeroU32::MIN);
    assert_eq!(facts(&twice.expect_err("there is one")).0, 6015);
    let more = bench.limiter.reserve_capacity_for_coordination(&SCOUT, "training", "more", eight);
    assert_eq!(facts(&more.expect_err("two are left")).0, 6010);
    let vote = || Metadata::new().with("coordination_id", "vote");
    for _ in 0..3 {
        bench.limiter.check_rate_with_agent(&SCOUT, "training", vote()).expect("reserved");
    }
    assert_eq!(bench.allowed("training"), 2);
    assert_eq!(bench.limiter.release_coordination_reservation(&SCOUT, "vote"), Some(5));
    assert_eq!(bench.limiter.release_coordination_reservation(&SCOUT, "vote"), None);
    assert_eq!(bench.allowed("training"), 5, "what was unused is refunded");
}

#[test]
fn statistics_and_status_add_up() {
    let bench = Bench::new();
    let unknown = bench.limiter.get_agent_stats(&AgentId::from_static("nobody"));
    assert_eq!((unknown.total_requests(), unknown.success_rate()), (0, Ratio::ONE));
    bench.allowed("training");
    let counts = bench.limiter.get_agent_stats(&SCOUT);
    assert_eq!((counts.successful_requests, counts.rate_limited_requests, counts.total_requests()), (10, 1, 11));
    let overview = bench.limiter.get_system_overview();
    assert_eq!((overview.active_agents, overview.total_requests), (1, 11));
    let status = bench.limiter.get_agent_status(&SCOUT);
    assert_eq!((status.active_buckets, status.total_usage()), (1, 10));
    let context = status.agent_context.expect("seen");
    assert_eq!((context.capability.as_str(), context.health), ("scan", Health::Healthy));
    assert!(bench.limiter.get_agent_status(&AgentId::from_static("nobody")).agent_context.is_none());

    let other = AgentId::from_static("other");
    bench.limiter.check_rate_with_agent_2(&other, "training").expect("unknown agents have the defaults");
    bench.limiter.reset_agent_bucket(&SCOUT);
    assert_eq!(bench.limiter.get_agent_status(&SCOUT).total_usage(), 0);
    assert_eq!(bench.limiter.get_agent_status(&other).total_usage(), 1, "of no other agent");
    bench.limiter.reset_all_buckets();
    assert_eq!(bench.limiter.get_agent_status(&other).total_usage(), 0);
    assert_eq!(bench.observer.events_named(BUCKETS_RESET_EVENT).len(), 1);
}

#[test]
fn dead_buckets_are_cleaned_up_and_told_of_only_if_there_were_any() {
    let bench = Bench::new();
    bench.allowed("training");
    assert_eq!(bench.limiter.clean_buckets(), 0);
    assert!(bench.observer.events_named(BUCKETS_CLEANED_EVENT).is_empty());
    bench.clock.advance(MINUTE);
    assert_eq!(bench.limiter.clean_buckets(), 1);
    let cleaned = bench.observer.events_named(BUCKETS_CLEANED_EVENT);
    assert_eq!(cleaned[0].metadata, Metadata::new().with("deleted_count", 1));
}

#[test]
fn events_have_the_names_and_keys_of_the_original() {
    let bench = Bench::new();
    let callers = || Metadata::new().with("request", 9).with("agent_id", "mine");
    bench.limiter.update_agent_limits(&SCOUT, "training", Quota::per_minute(1)).expect("on");
    bench.limiter.check_rate_with_agent(&SCOUT, "training", callers()).expect("the first");
    bench.limiter.check_rate_with_agent(&SCOUT, "training", callers()).expect_err("the second");
    let base = Metadata::new()
        .with("request", 9)
        .with("agent_id", "scout")
        .with("operation_type", "training")
        .with("agent_health", "healthy")
        .with("agent_capability", "scan");
    for event in [REQUEST_ALLOWED_EVENT, REQUEST_DENIED_EVENT] {
        let events = bench.observer.events_named(&event);
        assert_eq!(events.len(), 1);
        assert_eq!((&events[0].metadata, events[0].measurements.get("count")), (&base, Some(&Value::Int(1))));
    }
    bench.health(Health::Critical);
    bench.limiter.check_rate_with_agent(&SCOUT, "training", callers()).expect_err("critical");
    let denied = bench.observer.events_named(REQUEST_DENIED_EVENT);
    assert_eq!(denied[1].metadata.get("agent_health"), Some(&Value::from("critical")));
}

#[test]
fn unknown_agents_can_be_rejected() {
    let bench = Bench::with(|builder| builder.agent_limits(|limits| limits.unknown_agents(UnknownAgents::Reject)));
    let nobody = AgentId::from_static("nobody");
    let rejected = bench.limiter.check_rate_with_agent_2(&nobody, "training").expect_err("unknown");
    assert_eq!(facts(&rejected), (6016, "agent_not_found", Severity::Medium, RetryStrategy::NoRetry));
    bench.limiter.check_rate_with_agent_2(&SCOUT, "training").expect("known");
}

#[test]
fn options_out_of_range_are_refused_when_the_instance_is_built() {
    let limits =
        (0..300).map(|number| (format!("op-{number}").into(), Quota::per_minute(1).into())).collect::<Vec<_>>();
    let built = Foundation::builder().agent_limits(move |builder| builder.limits(limits)).build();
    assert!(matches!(built.map(drop), Err(BuildError::AgentLimits(_))));
}

#[test]
fn switched_off_the_limit_of_the_operation_is_all_that_counts() {
    let bench = Bench::new();
    bench.limiter.update_agent_limits(&SCOUT, "training", Quota::per_minute(3)).expect("on");
    bench.health(Health::Critical);
    bench.foundation.set_agent_features(AgentFeatures::Disabled);
    assert_eq!(bench.allowed("training"), 10);
    for refused in [
        bench.limiter.update_agent_limits(&SCOUT, "training", Quota::per_minute(1)),
        bench.limiter.update_agent_config(&SCOUT, Burst::of(1)),
        bench.limiter.update_operation_limits("training", Quota::per_minute(1).into()),
        bench.limiter.reserve_capacity_for_coordination(&SCOUT, "training", "vote", NonZeroU32::MIN),
    ] {
        assert_eq!(facts(&refused.expect_err("off")).0, 3901);
    }
    bench.limiter.reset_agent_buckets(&SCOUT);
    bench.foundation.set_agent_features(AgentFeatures::Enabled);
    bench.health(Health::Healthy);
    assert_eq!(bench.allowed("training"), 3, "what was set is back");
}
