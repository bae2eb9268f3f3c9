//! The limiter that looks at agents: what it knows of them, bursts, settings, switches, reports, memory.
#![cfg(all(feature = "limiter", feature = "agent", feature = "test-util"))]

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use foundation_resources::rate_limit::agent::{
    AgentBuilder, AgentExecuteError, AgentLimitError, AgentRateLimiter, Burst, ChargedTo, CoordinationId, Factor,
    InvalidAgentLimits, MAX_OPERATIONS, Operation, OperationLimit, UnknownAgents,
};
use foundation_resources::rate_limit::{FixedWindow, Quota, RateLimiter};
use foundation_types::inspect::Inspect;
use foundation_types::testing::ScriptedAgents;
use foundation_types::{
    AgentId, AgentStatus, AgentStatusSource, Capability, Feature, FeatureGate, Health, ManualClock, Ratio,
    ResourceUsage,
};

static SCOUT: AgentId = AgentId::from_static("scout");
static READER: AgentId = AgentId::from_static("reader");
const WORK: Operation = Operation::from_static("work");
const MINUTE: Duration = Duration::from_mins(1);

type Limiter = AgentRateLimiter<ScriptedAgents, ManualClock>;

/// A limiter with ten of `work` a minute, and what it depends on.
struct Stage {
    clock: ManualClock,
    agents: ScriptedAgents,
    gate: FeatureGate,
    limiter: Limiter,
}

fn stage() -> Stage {
    stage_with(|builder| builder)
}

fn stage_with(
    settings: impl FnOnce(AgentBuilder<ScriptedAgents, ManualClock>) -> AgentBuilder<ScriptedAgents, ManualClock>,
) -> Stage {
    let (clock, agents, gate) = (ManualClock::new(), ScriptedAgents::new(), FeatureGate::all_on());
    let builder = AgentRateLimiter::builder(agents.clone())
        .clock(clock.clone())
        .gate(gate.clone())
        .limits([(WORK, Quota::per_minute(10).into())]);
    let limiter = settings(builder).build().expect("valid");
    Stage { clock, agents, gate, limiter }
}

impl Stage {
    fn is_allowed(&self, agent: &AgentId) -> bool {
        self.limiter.check(agent, &WORK).is_ok()
    }

    fn limit(&self, agent: &AgentId) -> u32 {
        self.limiter.effective_limit(agent, &WORK).quota.limit()
    }
}

fn status(health: Health) -> AgentStatus {
    AgentStatus::new(health)
}

#[test]
fn the_defaults_are_those_of_the_original() {
    let limiter = AgentRateLimiter::builder(ScriptedAgents::new()).build().expect("valid");
    let expected =
        [("inference", 100), ("training", 10), ("coordination", 1000), ("monitoring", 500), ("general", 200)];
    for (operation, limit) in expected {
        assert_eq!(limiter.effective_limit(&SCOUT, &operation.into()), Quota::per_minute(limit).into());
    }
    // An unknown agent is of the capability `general`.
    assert_eq!(limiter.effective_limit(&SCOUT, &"unheard of".into()), Quota::per_minute(200).into());
    assert_eq!(limiter.configured_operations().len(), 5);
}

#[test]
fn the_base_is_that_of_the_agent_or_the_operation_or_the_first_capability_or_100_a_minute() {
    let stage = stage_with(|builder| builder.limit("capable", Quota::per_second(7)));
    let capable = status(Health::Healthy).with_capabilities([Capability::from_static("capable")]);
    stage.agents.set(&SCOUT, capable);
    stage.agents.set(&READER, status(Health::Healthy).with_capabilities([Capability::from_static("other")]));
    let limit = |agent, operation: &str| stage.limiter.effective_limit(agent, &operation.into()).quota;
    assert_eq!(limit(&SCOUT, "work"), Quota::per_minute(10));
    assert_eq!(limit(&SCOUT, "else"), Quota::per_second(7));
    assert_eq!(limit(&READER, "else"), Quota::per_minute(100));
    stage.limiter.set_limit(&SCOUT, &WORK, Quota::per_hour(3)).expect("on");
    assert_eq!(limit(&SCOUT, "work"), Quota::per_hour(3));
    assert_eq!(limit(&READER, "work"), Quota::per_minute(10));
    assert_eq!(stage.limiter.clear_settings(&SCOUT), Ok(true));
    assert_eq!(limit(&SCOUT, "work"), Quota::per_minute(10));
}

#[test]
fn the_limit_of_now_is_compared_with_what_counts_already() {
    let stage = stage();
    stage.agents.set(&SCOUT, status(Health::Healthy));
    assert!((0..8).all(|_| stage.is_allowed(&SCOUT)));
    stage.agents.set(&SCOUT, status(Health::Degraded));
    let error = stage.limiter.check(&SCOUT, &WORK).expect_err("seven for the degraded");
    let AgentLimitError::Exceeded(denial) = error else { panic!("{error}") };
    assert_eq!((denial.count, denial.limit, denial.health), (8, 7, Health::Degraded));
    stage.clock.advance(denial.retry_after.expect("the next window"));
    assert!((0..7).all(|_| stage.is_allowed(&SCOUT)));
    assert!(!stage.is_allowed(&SCOUT));
}

#[test]
fn a_critical_agent_is_denied_whatever_the_scaling_and_nothing_is_counted() {
    let stage = stage_with(AgentBuilder::without_adaptive_scaling);
    stage.agents.set(&SCOUT, status(Health::Critical));
    assert_eq!(
        stage.limiter.check(&SCOUT, &WORK),
        Err(AgentLimitError::Critical { agent: SCOUT.clone(), capability: Capability::from_static("general") })
    );
    let id = CoordinationId::from("id");
    assert!(stage.limiter.reserve(&SCOUT, &WORK, &id, NonZeroU32::MIN).is_err());
    assert_eq!(stage.limit(&SCOUT), 0);
    assert_eq!(stage.limiter.stats(&SCOUT).total_requests(), 0);
    stage.agents.set(&SCOUT, status(Health::Unhealthy));
    assert_eq!(stage.limit(&SCOUT), 10);
}

#[test]
fn a_departed_agent_is_what_it_was_for_as_long_as_its_longest_window_and_then_unknown() {
    let stage = stage();
    stage.agents.set(&SCOUT, status(Health::Unhealthy));
    assert!(stage.is_allowed(&SCOUT));
    stage.agents.remove(&SCOUT);
    assert_eq!(stage.limit(&SCOUT), 5);
    // A check notices that it is gone.
    assert!(stage.is_allowed(&SCOUT));
    stage.clock.advance(MINUTE);
    assert_eq!(stage.limiter.check(&SCOUT, &WORK).expect("in a new window").limit, 5);
    stage.clock.advance(Duration::from_nanos(1));
    assert_eq!(stage.limiter.check(&SCOUT, &WORK).expect("the window goes on").limit, 10);
    assert!(stage.limiter.status(&SCOUT).agent_context.is_none());
}

#[test]
fn a_departed_agent_is_forgotten_by_sweeps_and_its_requests_stay_in_the_overview() {
    let stage = stage();
    stage.agents.set(&SCOUT, status(Health::Healthy));
    assert!(stage.is_allowed(&SCOUT));
    stage.clock.advance(2 * MINUTE);
    assert_eq!(stage.limiter.sweep(), 1, "one dead bucket");
    assert_eq!(stage.limiter.stats(&SCOUT).total_requests(), 1, "it is known, so it stays");
    stage.agents.remove(&SCOUT);
    assert_eq!(stage.limiter.sweep(), 0);
    stage.clock.advance(2 * MINUTE);
    stage.limiter.sweep();
    assert_eq!(stage.limiter.stats(&SCOUT).total_requests(), 0);
    let overview = stage.limiter.overview();
    assert_eq!((overview.active_agents, overview.total_requests), (0, 1));
    assert_eq!(overview.requests_by_operation.get(&WORK), Some(&1));
}

#[test]
fn an_agent_with_limits_of_its_own_is_never_forgotten() {
    let stage = stage_with(|builder| builder.max_agents(NonZeroUsize::new(2).expect("not zero")));
    stage.limiter.set_limit(&SCOUT, &WORK, Quota::per_minute(1)).expect("on");
    for number in 0..100 {
        let agent = AgentId::new(format!("agent-{number}")).expect("valid");
        assert!(stage.is_allowed(&agent));
        stage.clock.advance(MINUTE);
        stage.limiter.sweep();
    }
    assert_eq!(stage.limit(&SCOUT), 1);
    stage.limiter.set_burst(&READER, Burst::of(1)).expect("there is room for two");
    let third = AgentId::from_static("third");
    assert_eq!(stage.limiter.check(&third, &WORK), Err(AgentLimitError::Full));
    let full = stage.limiter.set_limit(&third, &WORK, Quota::per_minute(1));
    assert_eq!(full, Err(InvalidAgentLimits::TooMany { limit: 2 }));
    assert_eq!(stage.limiter.overview().total_requests, 100, "those of the evicted included");
}

#[test]
fn new_agents_push_out_the_departed() {
    let stage = stage();
    for number in 0..20_000 {
        let agent = AgentId::new(format!("agent-{number}")).expect("valid");
        assert!(stage.is_allowed(&agent));
        stage.clock.advance(Duration::from_secs(1));
    }
    let section = stage.limiter.inspect();
    let agents = section.gauges().iter().find(|gauge| gauge.name() == "agents").expect("shown").value();
    let foundation_types::inspect::Cell::Count(kept) = *agents else { panic!("a count") };
    assert!(kept < 10_000, "{kept} of 20000 were kept, of which 60 count");
    assert_eq!(stage.limiter.overview().total_requests, 20_000);
}

#[test]
fn unknown_agents_are_rejected_if_that_is_wanted_but_not_while_the_registry_is_off() {
    let stage = stage_with(|builder| builder.unknown_agents(UnknownAgents::Reject));
    assert_eq!(stage.limiter.check(&SCOUT, &WORK), Err(AgentLimitError::NotFound { agent: SCOUT.clone() }));
    assert_eq!(stage.limiter.stats(&SCOUT).total_requests(), 0);
    stage.gate.disable(Feature::Registry);
    assert!((0..10).all(|_| stage.is_allowed(&SCOUT)));
    assert!(!stage.is_allowed(&SCOUT));
}

#[test]
fn while_the_registry_is_off_the_departed_are_healthy_and_not_forgotten() {
    let stage = stage();
    stage.agents.set(&SCOUT, status(Health::Unhealthy));
    assert!(stage.is_allowed(&SCOUT));
    stage.agents.remove(&SCOUT);
    stage.gate.disable(Feature::Registry);
    assert_eq!(stage.limit(&SCOUT), 10);
    stage.clock.advance(10 * MINUTE);
    stage.limiter.sweep();
    stage.gate.enable(Feature::Registry);
    assert_eq!(stage.limit(&SCOUT), 5, "known again");
}

#[test]
fn a_burst_is_allowed_when_the_limit_is_used_up_and_only_soon_after_the_first_request() {
    let limit = OperationLimit::from(Quota::per_minute(2)).with_burst(Burst::within(2, Duration::from_secs(5)));
    let stage = stage_with(|builder| builder.limit(WORK, limit));
    let charged = || stage.limiter.check(&SCOUT, &WORK).map(|admission| admission.charged_to).ok();
    assert_eq!(charged(), Some(ChargedTo::Limit));
    stage.clock.advance(Duration::from_secs(4));
    assert_eq!(charged(), Some(ChargedTo::Limit));
    assert_eq!(charged(), Some(ChargedTo::Burst));
    stage.clock.advance(Duration::from_secs(1));
    assert_eq!(charged(), None, "five seconds after the first");
    assert_eq!(stage.limiter.status(&SCOUT).total_usage(), 3);
    stage.limiter.set_burst(&SCOUT, Burst::of(3)).expect("on");
    assert_eq!([charged(), charged(), charged()], [Some(ChargedTo::Burst), Some(ChargedTo::Burst), None]);
    stage.clock.advance(MINUTE);
    let window = [charged(), charged(), charged(), charged(), charged(), charged()];
    assert_eq!(window.iter().flatten().count(), 5, "two and three");
}

#[test]
fn a_burst_does_not_open_a_limit_of_zero_and_is_not_for_reservations() {
    let stage = stage();
    stage.limiter.set_limit(&SCOUT, &WORK, Quota::per_minute(0)).expect("on");
    stage.limiter.set_burst(&SCOUT, Burst::of(5)).expect("on");
    assert!(!stage.is_allowed(&SCOUT));
    stage.limiter.set_limit(&SCOUT, &WORK, Quota::per_minute(1)).expect("on");
    assert!(stage.is_allowed(&SCOUT));
    let id = CoordinationId::from("id");
    assert!(stage.limiter.reserve(&SCOUT, &WORK, &id, NonZeroU32::MIN).is_err());
    assert!(stage.is_allowed(&SCOUT));
}

#[test]
fn operations_must_be_allowed_at_least_once() {
    let stage = stage();
    assert_eq!(
        stage.limiter.set_operation_limit(WORK, Quota::per_minute(0).into()),
        Err(InvalidAgentLimits::NoRequests)
    );
    assert_eq!(stage.limit(&SCOUT), 10, "nothing has changed");
    assert_eq!(stage.limiter.set_operation_limit(WORK, Quota::per_minute(3).into()), Ok(()));
    assert_eq!(stage.limit(&SCOUT), 3);
    for number in 1..MAX_OPERATIONS {
        let set = stage.limiter.set_operation_limit(format!("operation-{number}"), Quota::per_minute(1).into());
        assert_eq!(set, Ok(()));
    }
    let more = stage.limiter.set_operation_limit("one more", Quota::per_minute(1).into());
    assert_eq!(more, Err(InvalidAgentLimits::TooMany { limit: MAX_OPERATIONS }));
    assert_eq!(stage.limiter.set_operation_limit(WORK, Quota::per_minute(4).into()), Ok(()));
}

#[test]
fn settings_out_of_range_are_refused() {
    let builder = || AgentRateLimiter::builder(ScriptedAgents::new());
    let above_one = Factor::from_basis_points(10_001);
    assert_eq!(builder().health_adjustment_factor(above_one).build().err(), Some(InvalidAgentLimits::HealthFactor));
    assert!(builder().health_adjustment_factor(Factor::ONE).build().is_ok());
    let many = (0..=MAX_OPERATIONS).map(|number| (Operation::from(number.to_string()), Quota::per_minute(1).into()));
    let too_many = builder().limits(many).build().err();
    assert_eq!(too_many, Some(InvalidAgentLimits::TooMany { limit: MAX_OPERATIONS }));
}

#[test]
fn off_means_the_plain_limit_and_that_what_is_stored_is_kept_unseen() {
    let stage = stage();
    stage.agents.set(&SCOUT, status(Health::Critical));
    stage.limiter.set_limit(&SCOUT, &WORK, Quota::per_minute(99)).expect("on");
    let id = CoordinationId::from("id");
    stage.agents.set(&SCOUT, status(Health::Healthy));
    let reservation = stage.limiter.reserve(&SCOUT, &WORK, &id, NonZeroU32::new(4).expect("not zero")).expect("free");
    stage.agents.set(&SCOUT, status(Health::Critical));
    stage.gate.disable(Feature::RateLimiter);
    let admission = stage.limiter.check_reserved(&SCOUT, &WORK, &id).expect("not looked at");
    assert_eq!((admission.charged_to, admission.count, admission.limit), (ChargedTo::Limit, 5, 10));
    assert_eq!(stage.limiter.set_limit(&SCOUT, &WORK, Quota::per_minute(1)), Err(InvalidAgentLimits::Disabled));
    assert_eq!(stage.limiter.set_burst(&SCOUT, Burst::of(1)), Err(InvalidAgentLimits::Disabled));
    assert_eq!(stage.limiter.clear_settings(&SCOUT), Err(InvalidAgentLimits::Disabled));
    let set = stage.limiter.set_operation_limit(WORK, Quota::per_minute(1).into());
    assert_eq!(set, Err(InvalidAgentLimits::Disabled));
    let refused = stage.limiter.reserve(&SCOUT, &WORK, &"other".into(), NonZeroU32::MIN);
    assert_eq!(refused.err(), Some(AgentLimitError::Disabled));
    let report = stage.limiter.status(&SCOUT);
    assert_eq!(report.agent_context, None);
    assert_eq!(report.effective_limits.get(&WORK), Some(&Quota::per_minute(10).into()));
    assert_eq!(report.total_usage(), 5);
    drop(reservation);
    assert_eq!(stage.limiter.status(&SCOUT).total_usage(), 1, "release works");
    stage.limiter.reset(&SCOUT);
    assert_eq!(stage.limiter.status(&SCOUT).total_usage(), 0, "reset works");
    assert_eq!(stage.limiter.stats(&SCOUT).successful_requests, 1);
    stage.gate.enable(Feature::RateLimiter);
    stage.agents.set(&SCOUT, status(Health::Healthy));
    assert_eq!(stage.limit(&SCOUT), 99, "kept");
}

#[test]
fn the_guard_of_a_reservation_releases_its_own_and_no_successor() {
    let stage = stage();
    let (id, five) = (CoordinationId::from("id"), NonZeroU32::new(5).expect("not zero"));
    let reservation = stage.limiter.reserve(&SCOUT, &WORK, &id, five).expect("free");
    assert_eq!(stage.limiter.release(&SCOUT, &id), Some(5));
    let successor = stage.limiter.reserve(&SCOUT, &WORK, &id, five).expect("free");
    drop(reservation);
    assert_eq!(successor.left(), 5);
    stage.clock.advance(MINUTE);
    assert_eq!(successor.left(), 0, "it lapsed with the window");
    assert!((0..10).all(|_| stage.is_allowed(&SCOUT)));
    drop(successor);
    assert!(!stage.is_allowed(&SCOUT), "nothing is refunded to another window");
    assert_eq!(stage.limiter.release(&SCOUT, &id), None);
}

#[test]
fn a_reservation_is_for_its_operation_and_lapses_with_a_reset() {
    let stage = stage();
    let (id, ten) = (CoordinationId::from("id"), NonZeroU32::new(10).expect("not zero"));
    let reservation = stage.limiter.reserve(&SCOUT, &WORK, &id, ten).expect("free");
    let other = stage.limiter.check_reserved(&SCOUT, &"other".into(), &id).expect("another bucket");
    assert_eq!(other.charged_to, ChargedTo::Limit);
    assert_eq!(reservation.left(), 10);
    stage.limiter.reset(&SCOUT);
    assert_eq!(reservation.left(), 0);
    assert!((0..10).all(|_| stage.is_allowed(&SCOUT)));
    drop(reservation);
    assert!(!stage.is_allowed(&SCOUT));
}

#[test]
fn reset_empties_the_buckets_of_one_agent_or_of_all_and_keeps_limits_and_statistics() {
    let stage = stage();
    stage.limiter.set_limit(&SCOUT, &WORK, Quota::per_minute(1)).expect("on");
    assert!(stage.is_allowed(&SCOUT) && !stage.is_allowed(&SCOUT));
    assert!((0..10).all(|_| stage.is_allowed(&READER)) && !stage.is_allowed(&READER));
    stage.limiter.reset(&SCOUT);
    assert!(stage.is_allowed(&SCOUT) && !stage.is_allowed(&SCOUT), "one, as before");
    assert!(!stage.is_allowed(&READER));
    stage.limiter.reset_all();
    assert!(stage.is_allowed(&SCOUT) && stage.is_allowed(&READER));
    let stats = stage.limiter.stats(&SCOUT);
    assert_eq!((stats.successful_requests, stats.rate_limited_requests), (3, 2));
    assert_eq!(stats.success_rate(), Ratio::saturating(0.6));
    assert_eq!(stage.limiter.stats(&AgentId::from_static("nobody")).success_rate(), Ratio::ONE);
}

#[test]
fn the_status_tells_context_usage_limits_and_factors() {
    let stage = stage_with(|builder| builder.limit("other", Quota::per_second(100)));
    let usage = ResourceUsage::new().with_memory(Ratio::saturating(0.9));
    let capabilities = [Capability::from_static("scan")];
    stage.agents.set(&SCOUT, status(Health::Degraded).with_usage(usage.clone()).with_capabilities(capabilities));
    for _ in 0..3 {
        assert!(stage.is_allowed(&SCOUT));
    }
    stage.limiter.set_limit(&SCOUT, &"own".into(), Quota::per_minute(20)).expect("on");
    let report = stage.limiter.status(&SCOUT);
    let context = report.agent_context.as_ref().expect("known");
    assert_eq!((context.health, context.capability.as_str()), (Health::Degraded, "scan"));
    assert_eq!(context.resource_usage, usage);
    assert_eq!((report.active_buckets, report.current_usage.get(&WORK)), (1, Some(&3)));
    let limits: Vec<_> =
        report.effective_limits.iter().map(|(operation, limit)| (operation.as_str(), limit.quota.limit())).collect();
    assert_eq!(limits, [("other", 56), ("own", 11), ("work", 5)]);
    assert_eq!(
        (report.health_adjustment.to_string(), report.resource_adjustment.to_string()),
        ("0.7".into(), "0.8".into())
    );
    let stranger = stage.limiter.status(&READER);
    assert_eq!((&stranger.agent_context, stranger.active_buckets, stranger.total_usage()), (&None, 0, 0));
    stage.clock.advance(MINUTE);
    assert_eq!(stage.limiter.status(&SCOUT).active_buckets, 0);
}

#[test]
fn execute_counts_also_what_fails_and_does_not_run_what_is_denied() {
    let stage = stage();
    stage.limiter.set_limit(&SCOUT, &WORK, Quota::per_minute(2)).expect("on");
    assert_eq!(stage.limiter.execute(&SCOUT, &WORK, || Ok::<_, ()>(7)), Ok(7));
    assert_eq!(
        stage.limiter.execute(&SCOUT, &WORK, || Err::<(), _>("boom")),
        Err(AgentExecuteError::Operation("boom"))
    );
    let denied = stage.limiter.execute(&SCOUT, &WORK, || -> Result<(), ()> { panic!("must not run") });
    assert!(matches!(denied, Err(AgentExecuteError::Limited(AgentLimitError::Exceeded(_)))));
}

#[test]
fn the_source_may_ask_the_limiter() {
    struct Curious(std::sync::OnceLock<std::sync::Weak<AgentRateLimiter<Arc<Self>, ManualClock>>>);

    impl AgentStatusSource for Curious {
        fn status(&self, agent: &AgentId) -> Option<AgentStatus> {
            if let Some(limiter) = self.0.get().and_then(std::sync::Weak::upgrade) {
                limiter.stats(agent);
                limiter.reset(&READER);
            }
            None
        }
    }

    let source = Arc::new(Curious(std::sync::OnceLock::new()));
    let builder = AgentRateLimiter::builder(source.clone()).clock(ManualClock::new());
    let limiter = Arc::new(builder.build().expect("valid"));
    source.0.set(Arc::downgrade(&limiter)).expect("set once");
    assert!(limiter.check(&SCOUT, &WORK).is_ok());
    limiter.sweep();
    assert_eq!(limiter.status(&SCOUT).total_usage(), 1);
}

#[test]
fn an_agent_with_more_operations_than_are_kept_has_the_newest() {
    let stage = stage();
    for number in 0..2 * MAX_OPERATIONS {
        assert!(stage.limiter.check(&SCOUT, &Operation::from(number.to_string())).is_ok());
    }
    assert_eq!(stage.limiter.status(&SCOUT).active_buckets, MAX_OPERATIONS);
    let overview = stage.limiter.overview();
    assert_eq!(overview.total_requests, 2 * MAX_OPERATIONS as u64);
    assert!(overview.requests_by_operation.len() <= MAX_OPERATIONS + 1);
    assert_eq!(overview.requests_by_operation.get(&Operation::OTHER), Some(&(MAX_OPERATIONS as u64)));
}

#[test]
fn the_plain_limiter_never_looks_at_the_gate() {
    let limiter = RateLimiter::<String, FixedWindow>::builder().clock(ManualClock::new()).build();
    assert!(limiter.check("a", Quota::per_minute(1)).is_allowed());
    assert!(!limiter.check("a", Quota::per_minute(1)).is_allowed());
}
