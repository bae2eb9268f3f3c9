//! Breakers that look at the agent that calls.
#![cfg(all(feature = "agent", feature = "test-util"))]

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_breaker::agent::{
    AgentBreaker, AgentBreakerOptions, AgentBreakers, AgentCallError, AgentRejected, ResourceThresholds, StartError,
};
use foundation_breaker::{OptionsError, RejectReason, State};
use foundation_types::testing::ScriptedAgents;
use foundation_types::{
    AgentId, AgentStatus, AgentStatusSource, Capability, Feature, FeatureGate, Health, ManualClock, Name, Ratio,
    ResourceKind, ResourceLevel, ResourceReading, ResourceUsage, ResourceView, Subject,
};

const SCOUT: AgentId = AgentId::from_static("scout");
const SEARCH: Name = Name::from_static("search");
const OPEN: Duration = Duration::from_secs(10);

type Breaker = AgentBreaker<ScriptedAgents, ManualClock>;

struct Clinic {
    agents: ScriptedAgents,
    gate: FeatureGate,
    clock: ManualClock,
    breakers: AgentBreakers<ScriptedAgents, ManualClock>,
}

impl Clinic {
    fn new(health: Health) -> Self {
        let (agents, gate, clock) = (ScriptedAgents::new(), FeatureGate::all_on(), ManualClock::new());
        agents.set(&SCOUT, AgentStatus::new(health));
        let breakers = AgentBreakers::new(agents.clone(), gate.clone(), clock.clone());
        Self { agents, gate, clock, breakers }
    }

    fn start(&self, options: AgentBreakerOptions) -> Breaker {
        self.breakers.start(&SEARCH, options).expect("in range and free")
    }
}

fn options() -> AgentBreakerOptions {
    AgentBreakerOptions::new().agent(SCOUT).failure_threshold(3).recovery_timeout(OPEN)
}

fn fail(breaker: &Breaker) -> Result<(), AgentCallError<&'static str>> {
    breaker.call(|| Err("broken"))
}

fn succeed(breaker: &Breaker) -> Result<(), AgentCallError<&'static str>> {
    breaker.call(|| Ok(()))
}

fn ratio(share: f64) -> Ratio {
    Ratio::new(share).expect("a ratio")
}

#[test]
fn what_is_named_has_to_be_there_and_what_is_left_out_is_not_checked() {
    let clinic = Clinic::new(Health::Healthy);
    let stranger = AgentId::from_static("stranger");
    let scan = Capability::from_static("scan");
    let start = |options: AgentBreakerOptions| clinic.breakers.start(&SEARCH, options).map(|_| ());
    assert_eq!(start(options().agent(stranger.clone())), Err(StartError::AgentNotFound(stranger)));
    let missing = StartError::CapabilityNotFound { agent: SCOUT, capability: scan.clone() };
    assert_eq!(start(options().capability(scan.clone())), Err(missing));
    assert_eq!(start(options().failure_threshold(0)), Err(StartError::Options(OptionsError::ZeroThreshold)));
    assert!(clinic.breakers.is_empty());

    clinic.agents.set(&SCOUT, AgentStatus::new(Health::Healthy).with_capabilities([scan.clone()]));
    assert_eq!(start(options().capability(scan)), Ok(()));
    let again = StartError::AlreadyStarted { circuit: SEARCH, agent: SCOUT };
    assert_eq!(start(options()), Err(again));
    assert_eq!(start(AgentBreakerOptions::new()), Ok(()), "nobody was named");
    assert_eq!(clinic.breakers.len(), 2);
    assert!(clinic.breakers.stop(&SEARCH, &SCOUT));
    assert!(!clinic.breakers.stop(&SEARCH, &SCOUT));
    assert_eq!(clinic.breakers.len(), 1);
}

#[test]
fn agents_are_independent_for_one_circuit() {
    let clinic = Clinic::new(Health::Healthy);
    let scout = clinic.start(options());
    let other = clinic.start(AgentBreakerOptions::new().failure_threshold(3));
    for _ in 0..3 {
        assert_eq!(fail(&scout), Err(AgentCallError::Operation("broken")));
    }
    assert_eq!((scout.breaker().state(), other.breaker().state()), (State::Open, State::Closed));
}

#[test]
fn the_threshold_comes_from_the_options_then_from_the_capability_then_from_the_default() {
    let scan = Capability::from_static("scan");
    let agents = ScriptedAgents::new();
    agents.set(&SCOUT, AgentStatus::new(Health::Healthy).with_capabilities([scan.clone()]));
    let breakers = AgentBreakers::new(agents, FeatureGate::all_on(), ManualClock::new())
        .capability_threshold(scan.clone(), 2)
        .expect("in range");
    let threshold = |circuit: &'static str, options: AgentBreakerOptions| {
        let started = breakers.start(&Name::from_static(circuit), options.agent(SCOUT)).expect("free");
        started.status().failure_threshold
    };
    assert_eq!(threshold("a", AgentBreakerOptions::new().capability(scan.clone())), 2);
    assert_eq!(threshold("b", AgentBreakerOptions::new().capability(scan).failure_threshold(7)), 7);
    assert_eq!(threshold("c", AgentBreakerOptions::new()), 5);
}

#[test]
fn a_failure_while_the_agent_is_unwell_opens_the_circuit_at_once() {
    let clinic = Clinic::new(Health::Healthy);
    let breaker = clinic.start(options());
    let falls_ill = || {
        clinic.agents.set(&SCOUT, AgentStatus::new(Health::Critical));
        Err::<(), _>("broken")
    };
    assert_eq!(breaker.call(falls_ill), Err(AgentCallError::Operation("broken")));
    assert_eq!(breaker.breaker().state(), State::Open);

    breaker.reset();
    clinic.agents.set(&SCOUT, AgentStatus::new(Health::Healthy));
    let panics = || {
        clinic.agents.set(&SCOUT, AgentStatus::new(Health::Unhealthy));
        panic!("broken")
    };
    assert!(catch_unwind(AssertUnwindSafe(|| breaker.call::<(), ()>(panics))).is_err());
    assert_eq!(breaker.breaker().state(), State::Open, "a panic is a failure like any other");

    breaker.reset();
    clinic.gate.disable(Feature::Breaker);
    assert!(fail(&breaker).is_err());
    assert_eq!(breaker.breaker().state(), State::Closed, "switched off, it is one failure of three");
}

#[test]
fn an_agent_that_falls_ill_and_succeeds_opens_nothing() {
    let clinic = Clinic::new(Health::Healthy);
    let breaker = clinic.start(options());
    let result = breaker.call(|| {
        clinic.agents.set(&SCOUT, AgentStatus::new(Health::Critical));
        Ok::<_, ()>(1)
    });
    assert_eq!(result, Ok(1));
    assert_eq!(breaker.breaker().state(), State::Closed);
}

#[test]
fn a_view_of_resources_is_believed_before_the_agent() {
    struct Measured;

    impl ResourceView for Measured {
        fn reading(&self, _: Subject<'_>, _: &ResourceKind) -> Option<ResourceReading> {
            None
        }

        fn usage(&self, subject: Subject<'_>) -> Option<ResourceUsage> {
            (subject == Subject::Agent(&SCOUT)).then(|| ResourceUsage::new().with_memory(ratio(0.99)))
        }

        fn overall_level(&self, _: Subject<'_>) -> Option<ResourceLevel> {
            None
        }
    }

    let agents = ScriptedAgents::new();
    agents.set(&SCOUT, AgentStatus::new(Health::Healthy));
    let breakers = AgentBreakers::new(agents, FeatureGate::all_on(), ManualClock::new());
    let breakers = breakers.resources(Arc::new(Measured));
    let breaker = breakers.start(&SEARCH, options()).expect("free");
    let exhausted = AgentRejected::ResourceExhausted {
        resource: ResourceKind::Memory,
        usage: ratio(0.99).into(),
        threshold: ratio(0.85).into(),
    };
    assert_eq!(succeed(&breaker), Err(AgentCallError::Rejected(exhausted)));
    assert_eq!(breaker.status().resource_usage, Some(ResourceUsage::new().with_memory(ratio(0.99))));
}

#[test]
fn an_answer_may_be_used_again_for_as_long_as_it_may() {
    #[derive(Default)]
    struct Asked(ScriptedAgents, AtomicUsize);

    impl AgentStatusSource for Asked {
        fn status(&self, agent: &AgentId) -> Option<AgentStatus> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.status(agent)
        }
    }

    let (agents, clock) = (Arc::new(Asked::default()), ManualClock::new());
    agents.0.set(&SCOUT, AgentStatus::new(Health::Healthy));
    let breakers = AgentBreakers::new(Arc::clone(&agents), FeatureGate::all_on(), clock.clone());
    let options = options().health_check_interval(Duration::from_secs(30));
    let breaker = breakers.start(&SEARCH, options).expect("in range and free");
    let call = || breaker.call(|| Ok::<_, ()>(()));
    let asked = || agents.1.load(Ordering::Relaxed);
    let before = asked();
    assert_eq!(call(), Ok(()));
    agents.0.set(&SCOUT, AgentStatus::new(Health::Critical));
    clock.advance(Duration::from_nanos(29_999_999_999));
    assert_eq!(call(), Ok(()), "remembered");
    assert_eq!(asked(), before + 1);
    clock.advance(Duration::from_nanos(1));
    assert_eq!(call(), Err(AgentCallError::Rejected(AgentRejected::AgentUnhealthy(Health::Critical))));
}

#[test]
fn the_switch_skips_the_agent_and_refuses_new_breakers_and_flipping_it_changes_no_circuit() {
    let clinic = Clinic::new(Health::Healthy);
    let breaker = clinic.start(options());
    assert!(fail(&breaker).is_err());
    clinic.agents.remove(&SCOUT);
    assert_eq!(succeed(&breaker), Err(AgentCallError::Rejected(AgentRejected::AgentUnavailable)));
    let before = breaker.breaker().snapshot();
    for off in [Feature::Breaker, Feature::Registry] {
        clinic.gate.disable(off);
        assert_eq!(breaker.breaker().snapshot(), before);
        let status = breaker.status();
        assert_eq!((status.agent_health, status.resource_usage, status.last_health_check), (None, None, None));
        assert_eq!(status.failure_count, 1);
        clinic.gate.enable(off);
    }
    clinic.gate.disable(Feature::Breaker);
    assert_eq!(succeed(&breaker), Ok(()));
    assert_eq!(clinic.breakers.start(&Name::from_static("other"), options()).map(|_| ()), Err(StartError::Disabled));
    assert!(clinic.breakers.get(&SEARCH, &SCOUT).is_some());
    breaker.reset();
    assert!(clinic.breakers.stop(&SEARCH, &SCOUT));
}

#[test]
fn the_status_shows_agent_and_circuit() {
    let clinic = Clinic::new(Health::Degraded);
    let breaker = clinic.start(options());
    assert!(fail(&breaker).is_err());
    clinic.clock.advance(Duration::from_secs(2));
    assert_eq!(succeed(&breaker), Ok(()));
    assert!(fail(&breaker).is_err());
    let failed_at = foundation_types::Clock::wall(&clinic.clock);
    clinic.clock.advance(Duration::from_secs(2));
    let status = breaker.status();
    assert_eq!((status.circuit_name.as_str(), status.agent_id.as_str()), ("search", "scout"));
    assert_eq!((status.circuit_state, status.failure_count, status.failure_threshold), (State::Closed, 1, 3));
    assert_eq!((status.agent_health, status.total_operations, status.gated), (Some(Health::Degraded), 3, 0));
    assert_eq!(status.last_failure_time, Some(failed_at));
    assert_eq!(status.resource_thresholds, ResourceThresholds::default());
    breaker.breaker().force_open();
    assert_eq!(breaker.status().circuit_state, State::Open);
    breaker.breaker().lift();
    let status = breaker.status();
    assert_eq!((status.circuit_state, status.failure_count, status.last_failure_time), (State::Closed, 0, None));
}

#[test]
fn a_dropped_call_frees_its_probe_and_calls_run_beside_each_other() {
    let clinic = Clinic::new(Health::Healthy);
    let breaker = clinic.start(options().half_open_max_calls(2));
    for _ in 0..3 {
        assert!(fail(&breaker).is_err());
    }
    clinic.clock.advance(OPEN);
    let mut context = Context::from_waker(Waker::noop());
    {
        let mut one = pin!(breaker.call_async(pending::<Result<(), ()>>));
        let mut two = pin!(breaker.call_async(pending::<Result<(), ()>>));
        assert!(one.as_mut().poll(&mut context).is_pending() && two.as_mut().poll(&mut context).is_pending());
        assert_eq!(breaker.status().half_open_calls, 2);
        let third = succeed(&breaker);
        let Err(AgentCallError::Rejected(AgentRejected::Circuit(refusal))) = third else { panic!("{third:?}") };
        assert_eq!(refusal.reason, RejectReason::HalfOpenBusy);
    }
    assert_eq!(breaker.status().half_open_calls, 0);
    let done = pin!(breaker.call_async(|| async { Ok::<_, ()>(1) })).poll(&mut context);
    assert_eq!(done, Poll::Ready(Ok(1)));
    assert_eq!(breaker.breaker().state(), State::Closed);
}
