//! Circuit breakers of agents by their old names.

#![cfg(feature = "agent")]

use std::convert::Infallible;
use std::error::Error as _;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_compat::foundation_breaker::State;
use foundation_compat::foundation_breaker::agent::{AgentBreakerOptions, ResourceThresholds};
use foundation_compat::foundation_types::error::{Domain, RetryStrategy, Severity};
use foundation_compat::foundation_types::testing::RecordingObserver;
use foundation_compat::foundation_types::{Feature, ManualClock};
use foundation_compat::infrastructure::agent_circuit_breaker::{
    AgentBreakerConfig, AgentCircuitBreakers, CIRCUIT_RESET_EVENT, CIRCUIT_STARTED_EVENT, OPERATION_EXECUTED_EVENT,
};
use foundation_compat::process_registry::ProcessRegistry;
use foundation_compat::{
    AgentFeatures, AgentId, Capability, Error, Foundation, Health, Metadata, NodeId, Owner, Value,
};

static SCOUT: AgentId = AgentId::from_static("scout");
const MINUTE: Duration = Duration::from_mins(1);

struct Bench {
    clock: ManualClock,
    observer: Arc<RecordingObserver>,
    foundation: Foundation,
    breakers: AgentCircuitBreakers,
    registry: ProcessRegistry,
    owner: Owner,
}

impl Bench {
    /// The scout is registered, healthy, and can scan.
    fn new() -> Self {
        let (clock, observer) = (ManualClock::new(), Arc::new(RecordingObserver::new()));
        let builder = Foundation::builder().clock(Arc::new(clock.clone())).observer(observer.clone());
        let foundation = builder.build().expect("in range");
        let (breakers, registry) = (AgentCircuitBreakers::from(&foundation), ProcessRegistry::from(&foundation));
        let bench = Self { clock, observer, foundation, breakers, registry, owner: Owner::new() };
        let metadata = Metadata::new().with("capabilities", vec!["scan"]).with("health", "healthy");
        let here = bench.foundation.namespace();
        bench.registry.register_agent(here, &SCOUT, &bench.owner.pid(), &metadata).expect("free");
        bench.observer.take();
        bench
    }

    fn start(&self, threshold: u32) {
        let options = AgentBreakerOptions::new().failure_threshold(threshold);
        self.breakers
            .start_agent_breaker("disk", AgentBreakerConfig::from(options).agent(SCOUT.clone()))
            .expect("known");
    }

    fn health(&self, health: Health) {
        self.registry.update_agent_health(self.foundation.namespace(), &SCOUT, health).expect("registered");
    }

    fn run(&self, text: &str) -> Result<u32, Error> {
        self.breakers.execute_with_agent_3("disk", &SCOUT, || text.parse::<u32>())
    }

    fn state(&self) -> State {
        self.breakers.get_agent_status("disk", &SCOUT).expect("started").circuit_state
    }
}

fn facts(error: &Error) -> (u32, &str, Severity, RetryStrategy) {
    assert_eq!(error.domain(), &Domain::Breaker);
    assert!(error.context().contains_key("circuit_name") && error.context().contains_key("agent_id"), "{error}");
    (error.code(), error.kind().as_str(), error.severity(), error.retry_strategy())
}

#[test]
fn the_threshold_in_a_row_opens_and_one_success_of_a_probe_closes() {
    let bench = Bench::new();
    bench.start(2);
    bench.run("x").expect_err("no number");
    bench.run("1").expect("a success begins the count anew");
    bench.run("x").expect_err("no number");
    assert_eq!(bench.state(), State::Closed);
    let failed = bench.run("x").expect_err("no number");
    assert_eq!(facts(&failed), (7004, "protected_operation_failed", Severity::Medium, RetryStrategy::NoRetry));
    assert!(failed.source().is_some_and(<dyn std::error::Error>::is::<std::num::ParseIntError>));
    assert_eq!(failed.context().get("original_error"), Some(&Value::from("invalid digit found in string")));
    let refused = bench.run("1").expect_err("open");
    assert_eq!(facts(&refused), (7003, "circuit_breaker_open", Severity::Medium, RetryStrategy::ExponentialBackoff));
    bench.clock.advance(MINUTE);
    assert_eq!(bench.state(), State::HalfOpen);
    assert_eq!(bench.run("1"), Ok(1));
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn an_agent_that_is_unwell_gone_or_out_of_resources_is_refused_and_nothing_is_counted() {
    let bench = Bench::new();
    bench.start(1);
    for health in [Health::Unhealthy, Health::Critical] {
        bench.health(health);
        let refused = bench.run("1").expect_err("unwell");
        assert_eq!(facts(&refused), (7009, "agent_unhealthy", Severity::Medium, RetryStrategy::ExponentialBackoff));
        assert_eq!(refused.context().get("agent_health"), Some(&Value::from(health.as_str())));
    }
    bench.health(Health::Degraded);
    bench.run("1").expect("degraded passes");
    let busy = Metadata::new()
        .with("capabilities", vec!["scan"])
        .with("resource_usage", Metadata::new().with("memory", Value::Float(0.9.try_into().expect("finite"))));
    bench.registry.update_agent_metadata(bench.foundation.namespace(), &SCOUT, &busy).expect("registered");
    let refused = bench.run("1").expect_err("above 85 %");
    assert_eq!(facts(&refused).0, 7010);
    assert_eq!(refused.context().get("resource"), Some(&Value::from("memory")));

    bench.registry.unregister_agent(bench.foundation.namespace(), &SCOUT).expect("registered");
    let refused = bench.run("1").expect_err("gone");
    assert_eq!(facts(&refused), (7008, "agent_unavailable", Severity::High, RetryStrategy::NoRetry));
    let status = bench.breakers.get_agent_status("disk", &SCOUT).expect("started");
    assert_eq!((status.total_operations, status.gated, status.circuit_state), (1, 4, State::Closed));
}

#[test]
fn several_agents_share_a_circuit_by_name_alone() {
    let bench = Bench::new();
    bench.start(1);
    bench.breakers.start_agent_breaker_1("disk").expect("another agent");
    let other = AgentId::from_static("default_agent");
    bench.run("x").expect_err("no number");
    assert_eq!(bench.state(), State::Open);
    let status = bench.breakers.get_agent_status("disk", &other).expect("started");
    assert_eq!(
        (status.circuit_state, status.failure_threshold, status.capability.as_str()),
        (State::Closed, 5, "general")
    );
    assert_eq!(status.resource_thresholds, ResourceThresholds::default());
}

#[test]
fn what_is_named_is_checked_at_the_start() {
    let bench = Bench::new();
    let start = |config| bench.breakers.start_agent_breaker("disk", config).map(drop);
    let nobody = AgentId::from_static("nobody");
    let unknown = start(AgentBreakerConfig::new().agent(nobody)).expect_err("unknown");
    assert_eq!(facts(&unknown), (7011, "agent_not_found", Severity::Medium, RetryStrategy::NoRetry));
    let options = AgentBreakerOptions::new().capability(Capability::from_static("fly"));
    let unable = start(AgentBreakerConfig::from(options).agent(SCOUT.clone())).expect_err("cannot fly");
    assert_eq!(facts(&unable), (7012, "capability_not_found", Severity::Medium, RetryStrategy::NoRetry));
    let options = AgentBreakerOptions::new().failure_threshold(0);
    assert_eq!(facts(&start(AgentBreakerConfig::from(options)).expect_err("zero")).0, 5016);
    bench.start(1);
    let twice = start(AgentBreakerConfig::new().agent(SCOUT.clone())).expect_err("started");
    assert_eq!(facts(&twice), (7013, "already_started", Severity::Medium, RetryStrategy::NoRetry));
    let nameless = bench.breakers.start_agent_breaker_1("").expect_err("no name");
    assert_eq!(facts(&nameless).0, 5015);
}

#[test]
fn a_breaker_that_was_never_started_or_was_stopped_is_not_found() {
    let bench = Bench::new();
    let not_found = (7001, "circuit_breaker_not_found", Severity::Medium, RetryStrategy::NoRetry);
    for circuit in ["disk", ""] {
        let status = bench.breakers.get_agent_status(circuit, &SCOUT).map(drop);
        let executed = bench.breakers.execute_with_agent_3(circuit, &SCOUT, || Ok::<_, Infallible>(()));
        let reset = bench.breakers.reset_agent_circuit(circuit, &SCOUT);
        let stopped = bench.breakers.stop_agent_breaker(circuit, &SCOUT);
        for refused in [status, executed, reset, stopped] {
            assert_eq!(facts(&refused.expect_err("never started")), not_found);
        }
    }
    bench.start(1);
    bench.breakers.stop_agent_breaker("disk", &SCOUT).expect("started");
    assert_eq!(facts(&bench.run("1").expect_err("stopped")).0, 7001);
    bench.start(1);
}

#[test]
fn a_failure_while_the_agent_is_unwell_opens_at_once() {
    let bench = Bench::new();
    bench.start(5);
    let failed = bench.breakers.execute_with_agent_3("disk", &SCOUT, || {
        bench.health(Health::Unhealthy);
        Err::<(), _>(std::fmt::Error)
    });
    failed.expect_err("fails");
    assert_eq!(bench.state(), State::Open);
    bench.breakers.reset_agent_circuit("disk", &SCOUT).expect("started");
    assert_eq!(bench.state(), State::Closed);
    assert_eq!(
        facts(&bench.run("1").expect_err("unwell")).0,
        7009,
        "a reset does not touch what the agent is refused for"
    );
}

#[test]
fn panics_come_back_and_count() {
    let bench = Bench::new();
    bench.start(1);
    let bang = || -> Result<(), Infallible> { panic!("bang") };
    let failed = bench.breakers.execute_with_agent_3("disk", &SCOUT, bang).expect_err("contained");
    assert_eq!(facts(&failed).0, 7004);
    assert_eq!(failed.context().get("original_error"), Some(&Value::from("bang")));
    assert_eq!(bench.state(), State::Open);
    bench.breakers.reset_agent_circuit("disk", &SCOUT).expect("started");
    assert_eq!(bench.run("1"), Ok(1));
}

#[test]
fn an_operation_that_takes_too_long_is_dropped_and_counts_as_failed() {
    let bench = Bench::new();
    let options = AgentBreakerOptions::new().failure_threshold(1);
    let config = AgentBreakerConfig::from(options).agent(SCOUT.clone()).call_timeout(Duration::from_secs(2));
    bench.breakers.start_agent_breaker("disk", config).expect("known");
    let never = || std::future::pending::<Result<(), Infallible>>();
    let mut call = pin!(bench.breakers.execute_with_agent_async("disk", &SCOUT, never, Metadata::new()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut context).is_pending());
    bench.clock.advance(Duration::from_secs(2));
    let Poll::Ready(Err(late)) = call.as_mut().poll(&mut context) else { panic!("the time is up") };
    assert_eq!(facts(&late), (7002, "circuit_breaker_timeout", Severity::Medium, RetryStrategy::NoRetry));
    assert_eq!(bench.state(), State::Open);

    bench.breakers.stop_agent_breaker("disk", &SCOUT).expect("started");
    bench.start(1);
    let mut call = pin!(bench.breakers.execute_with_agent_async("disk", &SCOUT, never, Metadata::new()));
    assert!(call.as_mut().poll(&mut context).is_pending());
    bench.clock.advance(Duration::from_secs(9));
    assert!(call.as_mut().poll(&mut context).is_pending(), "ten seconds unless told otherwise");
    bench.clock.advance(Duration::from_secs(1));
    assert!(call.as_mut().poll(&mut context).is_ready());
    let quick =
        bench.breakers.execute_with_agent_async("disk", &SCOUT, || async { Ok::<_, Infallible>(1) }, Metadata::new());
    let Poll::Ready(Err(open)) = pin!(quick).poll(&mut context) else { panic!("open") };
    assert_eq!(facts(&open).0, 7003);
}

#[test]
fn futures_of_calls_can_be_sent() {
    fn sendable(future: impl Future + Send) {
        drop(future);
    }
    let bench = Bench::new();
    let call =
        bench.breakers.execute_with_agent_async("disk", &SCOUT, || async { Ok::<_, Infallible>(1) }, Metadata::new());
    sendable(call);
}

#[test]
fn events_have_the_names_and_keys_of_the_original() {
    let bench = Bench::new();
    bench.start(1);
    let callers = || Metadata::new().with("request", 9).with("node", "mine");
    let clock = bench.clock.clone();
    let slow = || {
        clock.advance(Duration::from_micros(30));
        "1".parse::<u32>()
    };
    bench.breakers.execute_with_agent("disk", &SCOUT, slow, callers()).expect("a number");
    bench.breakers.execute_with_agent("disk", &SCOUT, || "x".parse::<u32>(), callers()).expect_err("no number");
    bench.breakers.execute_with_agent("disk", &SCOUT, || "1".parse::<u32>(), callers()).expect_err("open");
    bench.breakers.reset_agent_circuit("disk", &SCOUT).expect("started");

    let started = bench.observer.events_named(CIRCUIT_STARTED_EVENT);
    let about = |metadata: &Metadata| {
        assert!(metadata.get("timestamp").is_some_and(|stamp| stamp.as_time().is_some()));
        assert!(metadata.get("process").is_some_and(|process| process.as_str().is_some()));
        assert_eq!(metadata.get("circuit_name"), Some(&Value::from("disk")));
        assert_eq!(metadata.get("agent_id"), Some(&Value::from("scout")));
    };
    about(&started[0].metadata);
    assert_eq!(started[0].metadata.get("node"), Some(&Value::from(NodeId::local().to_string())));
    assert_eq!(started[0].metadata.get("capability"), Some(&Value::from("general")));
    let executed = bench.observer.events_named(OPERATION_EXECUTED_EVENT);
    let expected = [("success", "closed", Some(30)), ("failure", "closed", Some(0)), ("rejected", "open", None)];
    assert_eq!(executed.len(), expected.len());
    for (event, (result, state, micros)) in executed.iter().zip(expected) {
        let metadata = &event.metadata;
        about(metadata);
        assert_eq!(metadata.get("result"), Some(&Value::from(result)));
        assert_eq!(metadata.get("circuit_state"), Some(&Value::from(state)), "as it was before the call");
        assert_eq!(metadata.get("agent_health"), Some(&Value::from("healthy")));
        assert_eq!(metadata.get("node"), Some(&Value::from("mine")), "what is there stays");
        assert_eq!(metadata.get("request"), Some(&Value::Int(9)));
        assert_eq!(metadata.get("duration"), micros.map(Value::Int).as_ref());
        assert_eq!(event.measurements.get("duration"), micros.map(Value::Int).as_ref());
        assert_eq!(event.measurements.get("count"), Some(&Value::Int(1)));
        assert_eq!(metadata.contains_key("error"), result == "failure");
    }
    about(&bench.observer.events_named(CIRCUIT_RESET_EVENT)[0].metadata);
}

#[test]
fn switched_off_a_breaker_is_exactly_its_circuit_and_none_is_started() {
    let bench = Bench::new();
    bench.start(1);
    bench.health(Health::Critical);
    for switch in [None, Some(Feature::Breaker), Some(Feature::Registry)] {
        let was = match switch {
            None => bench.foundation.set_agent_features(AgentFeatures::Disabled),
            Some(feature) => bench.foundation.set_feature(feature, AgentFeatures::Disabled),
        };
        assert_eq!(was, AgentFeatures::Enabled);
        assert_eq!(bench.run("1"), Ok(1), "nobody looks at the agent");
        let status = bench.breakers.get_agent_status("disk", &SCOUT).expect("goes on working");
        assert_eq!((status.agent_health, status.resource_usage), (None, None));
        bench.breakers.reset_agent_circuit("disk", &SCOUT).expect("goes on working");
        bench.foundation.set_feature(Feature::Breaker, AgentFeatures::Enabled);
        bench.foundation.set_feature(Feature::Registry, AgentFeatures::Enabled);
        bench.foundation.set_agent_features(AgentFeatures::Enabled);
        assert_eq!(facts(&bench.run("1").expect_err("critical")).0, 7009, "a flip loses nothing");
    }
    bench.foundation.set_agent_features(AgentFeatures::Disabled);
    let disabled = bench.breakers.start_agent_breaker_1("disk").map(drop).expect_err("off");
    assert_eq!(facts(&disabled).0, 3901);
    bench.breakers.stop_agent_breaker("disk", &SCOUT).expect("goes on working");
}

#[test]
fn thresholds_by_capability_are_options_of_the_instance() {
    let builder = Foundation::builder().agent_breakers(|breakers| {
        breakers.capability_threshold(Capability::from_static("scan"), 2).expect("in range")
    });
    let foundation = builder.build().expect("in range");
    let owner = Owner::new();
    let metadata = Metadata::new().with("capabilities", vec!["scan"]);
    ProcessRegistry::from(&foundation)
        .register_agent(foundation.namespace(), &SCOUT, &owner.pid(), &metadata)
        .expect("free");
    let options = AgentBreakerOptions::new().capability(Capability::from_static("scan"));
    let config = AgentBreakerConfig::from(options).agent(SCOUT.clone());
    let breaker = AgentCircuitBreakers::from(&foundation).start_agent_breaker("disk", config).expect("it can scan");
    assert_eq!(breaker.status().failure_threshold, 2);
}
