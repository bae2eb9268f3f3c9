//! Breakers that look at the agent that calls.
#![cfg(all(feature = "agent", feature = "test-util"))]

use std::collections::HashMap;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_breaker::agent::{
    AgentBreaker, AgentBreakerOptions, AgentBreakers, AgentCallError, AgentRejected, ResourceThresholds, StartError,
};
use foundation_breaker::{
    CallError, CircuitBreaker, OpenFor, OptionsError, Probe, Recovery, RejectReason, State, TripPolicy,
};
use foundation_types::{
    AgentId, AgentStatus, AgentStatusSource, Capability, CustomResource, Feature, FeatureGate, Health, ManualClock,
    Name, Ratio, ResourceKind, ResourceLevel, ResourceReading, ResourceUsage, ResourceValue, ResourceView, Subject,
};
use proptest::prelude::*;

const SCOUT: AgentId = AgentId::from_static("scout");
const SEARCH: Name = Name::from_static("search");
const OPEN_NANOS: u64 = 10_000_000_000;
const OPEN: Duration = Duration::from_nanos(OPEN_NANOS);

/// Agents that are as the test says, and how often one was asked for.
#[derive(Clone, Default)]
struct Ward(Arc<(Mutex<HashMap<AgentId, AgentStatus>>, AtomicUsize)>);

impl Ward {
    fn with(health: Health) -> Self {
        let ward = Self::default();
        ward.set(AgentStatus::new(health));
        ward
    }

    fn set(&self, status: AgentStatus) {
        self.0.0.lock().expect("no panic").insert(SCOUT, status);
    }

    fn leave(&self) {
        self.0.0.lock().expect("no panic").remove(&SCOUT);
    }

    fn asked(&self) -> usize {
        self.0.1.load(Ordering::Relaxed)
    }
}

impl AgentStatusSource for Ward {
    fn status(&self, agent: &AgentId) -> Option<AgentStatus> {
        self.0.1.fetch_add(1, Ordering::Relaxed);
        self.0.0.lock().expect("no panic").get(agent).cloned()
    }
}

type Breaker = AgentBreaker<Ward, ManualClock>;

struct Clinic {
    ward: Ward,
    gate: FeatureGate,
    clock: ManualClock,
    breakers: AgentBreakers<Ward, ManualClock>,
}

impl Clinic {
    fn new(health: Health) -> Self {
        let (ward, gate, clock) = (Ward::with(health), FeatureGate::all_on(), ManualClock::new());
        let breakers = AgentBreakers::new(ward.clone(), gate.clone(), clock.clone());
        Self { ward, gate, clock, breakers }
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

fn connections() -> CustomResource {
    CustomResource::new("connections").expect("a free name")
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

    clinic.ward.set(AgentStatus::new(Health::Healthy).with_capabilities([scan.clone()]));
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
    let ward = Ward::default();
    ward.set(AgentStatus::new(Health::Healthy).with_capabilities([scan.clone()]));
    let breakers = AgentBreakers::new(ward, FeatureGate::all_on(), ManualClock::new())
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
        clinic.ward.set(AgentStatus::new(Health::Critical));
        Err::<(), _>("broken")
    };
    assert_eq!(breaker.call(falls_ill), Err(AgentCallError::Operation("broken")));
    assert_eq!(breaker.breaker().state(), State::Open);

    breaker.reset();
    clinic.ward.set(AgentStatus::new(Health::Healthy));
    let panics = || {
        clinic.ward.set(AgentStatus::new(Health::Unhealthy));
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
        clinic.ward.set(AgentStatus::new(Health::Critical));
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

    let ward = Ward::with(Health::Healthy);
    let breakers = AgentBreakers::new(ward.clone(), FeatureGate::all_on(), ManualClock::new());
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
    let clinic = Clinic::new(Health::Healthy);
    let breaker = clinic.start(options().health_check_interval(Duration::from_secs(30)));
    let before = clinic.ward.asked();
    assert_eq!(succeed(&breaker), Ok(()));
    clinic.ward.set(AgentStatus::new(Health::Critical));
    clinic.clock.advance(Duration::from_nanos(29_999_999_999));
    assert_eq!(succeed(&breaker), Ok(()), "remembered");
    assert_eq!(clinic.ward.asked(), before + 1);
    clinic.clock.advance(Duration::from_nanos(1));
    let unwell = AgentCallError::Rejected(AgentRejected::AgentUnhealthy(Health::Critical));
    assert_eq!(succeed(&breaker), Err(unwell));
}

#[test]
fn the_switch_skips_the_agent_and_refuses_new_breakers_and_flipping_it_changes_no_circuit() {
    let clinic = Clinic::new(Health::Healthy);
    let breaker = clinic.start(options());
    assert!(fail(&breaker).is_err());
    clinic.ward.leave();
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

#[derive(Clone, Debug)]
enum Command {
    Advance(u64),
    Succeed,
    Fail,
    Panic,
    Abandon,
    Reset,
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        (0..=OPEN_NANOS + 1).prop_map(Command::Advance),
        Just(Command::Advance(OPEN_NANOS)),
        Just(Command::Succeed),
        Just(Command::Fail),
        Just(Command::Fail),
        Just(Command::Panic),
        Just(Command::Abandon),
        Just(Command::Reset),
    ]
}

/// What a caller sees of a call.
#[derive(Debug, PartialEq)]
enum Seen {
    Done,
    Failed,
    Panicked,
    Refused(RejectReason, Option<Duration>),
    Pending,
    Nothing,
}

fn health() -> impl Strategy<Value = Health> {
    prop::sample::select(Health::ALL.as_slice())
}

fn share() -> impl Strategy<Value = Option<Ratio>> {
    prop::option::of(prop::sample::select(vec![0.0, 0.5, 0.85, 0.851, 0.9, 0.901, 1.0]).prop_map(ratio))
}

fn usage() -> impl Strategy<Value = ResourceUsage> {
    let connected = prop::option::of(prop::sample::select(vec![0_u64, 1_000, 1_001, u64::MAX]));
    (share(), share(), connected).prop_map(|(memory, cpu, connected)| {
        let mut usage = ResourceUsage::new();
        usage.memory = memory;
        usage.cpu = cpu;
        match connected {
            Some(count) => usage.with_custom(connections(), count),
            None => usage,
        }
    })
}

proptest! {
    #[test]
    fn p24_an_agent_breaker_that_is_off_or_whose_agent_is_well_is_the_core_breaker(
        commands in prop::collection::vec(command(), 0..60),
        off in prop::sample::select(vec![None, Some(Feature::Breaker), Some(Feature::Registry)]),
        while_off in health(),
    ) {
        let clinic = Clinic::new(Health::Healthy);
        let agents = clinic.start(options());
        let probe = Probe { open_for: OpenFor::Constant(OPEN), max_concurrent: 3, ..Probe::default() };
        let core = CircuitBreaker::builder(SEARCH)
            .trip(TripPolicy::ConsecutiveFailures { threshold: 3 })
            .recovery(Recovery::Probe(probe))
            .clock(clinic.clock.clone())
            .build()
            .expect("in range");
        if let Some(off) = off {
            clinic.gate.disable(off);
            clinic.ward.set(AgentStatus::new(while_off));
        }
        let mut context = Context::from_waker(Waker::noop());
        for command in commands {
            let (seen, expected) = match command {
                Command::Advance(by) => {
                    clinic.clock.advance(Duration::from_nanos(by));
                    (Seen::Nothing, Seen::Nothing)
                }
                Command::Succeed => (of_agent(succeed(&agents)), of_core(core.call(|| Ok::<(), &str>(())))),
                Command::Fail => (of_agent(fail(&agents)), of_core(core.call(|| Err::<(), _>("broken")))),
                Command::Panic => {
                    let one = catch_unwind(AssertUnwindSafe(|| agents.call::<(), &str>(|| panic!("broken"))));
                    let two = catch_unwind(AssertUnwindSafe(|| core.call::<(), &str>(|| panic!("broken"))));
                    (one.map_or(Seen::Panicked, of_agent), two.map_or(Seen::Panicked, of_core))
                }
                Command::Abandon => {
                    let one = pin!(agents.call_async(pending::<Result<(), &str>>)).poll(&mut context);
                    let two = pin!(core.call_async(pending::<Result<(), &str>>)).poll(&mut context);
                    let of = |poll: Poll<Seen>| if let Poll::Ready(seen) = poll { seen } else { Seen::Pending };
                    (of(one.map(of_agent)), of(two.map(of_core)))
                }
                Command::Reset => {
                    agents.reset();
                    core.reset();
                    (Seen::Nothing, Seen::Nothing)
                }
            };
            prop_assert_eq!(seen, expected);
            prop_assert_eq!(agents.breaker().snapshot(), core.snapshot());
        }
    }

    #[test]
    fn p25_the_first_reason_refuses_and_the_circuit_does_not_notice(
        status in prop::option::of((health(), usage())),
        failures in 0..4,
        thresholds in (share(), share(), prop::option::of(Just(1_000))),
    ) {
        let clinic = Clinic::new(Health::Healthy);
        let (memory, cpu, connections_limit) = thresholds;
        let thresholds = ResourceThresholds { memory, cpu, connections: connections_limit };
        let breaker = clinic.start(options().resource_thresholds(thresholds));
        for _ in 0..failures {
            let _ = fail(&breaker);
        }
        match &status {
            Some((health, usage)) => clinic.ward.set(AgentStatus::new(*health).with_usage(usage.clone())),
            None => clinic.ward.leave(),
        }
        let before = breaker.breaker().snapshot();
        let answer = succeed(&breaker);
        let exceeds = |usage: Option<ResourceValue>, limit: Option<ResourceValue>| matches!((usage, limit), (Some(usage), Some(limit)) if usage > limit);
        let expected = match &status {
            None => Some(AgentRejected::AgentUnavailable),
            Some((health @ (Health::Unhealthy | Health::Critical), _)) => Some(AgentRejected::AgentUnhealthy(*health)),
            Some((_, usage)) => {
                let connections = ResourceKind::Custom(connections());
                [
                    (ResourceKind::Memory, usage.memory.map(Into::into), memory.map(Into::into)),
                    (ResourceKind::Cpu, usage.cpu.map(Into::into), cpu.map(Into::into)),
                    (connections.clone(), usage.get(&connections), connections_limit.map(|limit: u64| limit.into())),
                ]
                .into_iter()
                .find(|(_, usage, limit)| exceeds(*usage, *limit))
                .map(|(resource, usage, limit)| AgentRejected::ResourceExhausted {
                    resource,
                    usage: usage.expect("exceeds"),
                    threshold: limit.expect("exceeded"),
                })
            }
        };
        match expected {
            Some(refusal) => {
                prop_assert_eq!(answer, Err(AgentCallError::Rejected(refusal)));
                prop_assert_eq!(breaker.breaker().snapshot(), before);
                prop_assert_eq!(breaker.status().gated, 1);
            }
            None if failures == 3 => {
                let Err(AgentCallError::Rejected(AgentRejected::Circuit(refusal))) = answer else {
                    return Err(TestCaseError::fail("the circuit is open"));
                };
                prop_assert_eq!(refusal.reason, RejectReason::Open);
            }
            None => prop_assert_eq!(answer, Ok(())),
        }
    }
}

fn of_agent(result: Result<(), AgentCallError<&str>>) -> Seen {
    match result {
        Ok(()) => Seen::Done,
        Err(AgentCallError::Operation(_)) => Seen::Failed,
        Err(AgentCallError::Rejected(AgentRejected::Circuit(refusal))) => {
            Seen::Refused(refusal.reason, refusal.retry_after)
        }
        Err(AgentCallError::Rejected(other)) => panic!("the agent was looked at: {other}"),
    }
}

fn of_core(result: Result<(), CallError<&str>>) -> Seen {
    match result {
        Ok(()) => Seen::Done,
        Err(CallError::Operation(_)) => Seen::Failed,
        Err(CallError::Rejected(refusal)) => Seen::Refused(refusal.reason, refusal.retry_after),
    }
}
