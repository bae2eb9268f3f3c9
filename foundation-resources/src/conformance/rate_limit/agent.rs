//! What the limiter that looks at agents keeps to.

use std::collections::BTreeMap;
use std::time::Duration;

use foundation_types::testing::ScriptedAgents;
use foundation_types::{
    AgentId, AgentStatus, Capability, Feature, FeatureGate, Health, ManualClock, Ratio, ResourceUsage, Text,
};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{check, cost};
use crate::rate_limit::agent::{
    AgentBuilder, AgentLimitError, AgentRateLimiter, Burst, ChargedTo, CoordinationId, Factor, IdleBonus, Operation,
};
use crate::rate_limit::{Decision, Pair, Quota, RateLimiter};

const CASES: u32 = 300;

fn agent(number: usize) -> AgentId {
    AgentId::new(format!("agent-{number}")).expect("a valid id")
}

fn capability(number: usize) -> Capability {
    Capability::new(format!("capability-{number}")).expect("a valid capability")
}

/// A ratio of whole basis points.
fn ratio(points: u32) -> Ratio {
    Ratio::saturating(f64::from(points) / 10_000.0)
}

/// What decides on a limit, in whole numbers.
#[derive(Clone, Debug)]
struct Case {
    base: u32,
    /// By number of the capability, in basis points.
    multipliers: Vec<Option<u32>>,
    /// Whether the agent has the capability.
    capable: Vec<bool>,
    health: Health,
    unhealthy: u32,
    memory: Option<u32>,
    cpu: Option<u32>,
    /// The pressure below which there is a bonus, and the bonus.
    bonus: Option<(u32, u32)>,
    adaptive: bool,
    resources: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    let base = prop_oneof![Just(0), 1..20_u32, 1..100_000_u32];
    let multipliers = prop::collection::vec(option::of(0..40_000_u32), 3);
    let capable = prop::collection::vec(any::<bool>(), 3);
    let pressure = || option::of(prop_oneof![0..=10_000_u32, 7_990..8_010_u32]);
    let bonus = option::of((0..=8_000_u32, 10_000..30_000_u32));
    let agent = (capable, select(Health::ALL.to_vec()), pressure(), pressure());
    let settings = (multipliers, 0..=7_000_u32, bonus, any::<bool>(), any::<bool>());
    (base, agent, settings).prop_map(
        |(base, (capable, health, memory, cpu), (multipliers, unhealthy, bonus, adaptive, resources))| Case {
            base,
            multipliers,
            capable,
            health,
            unhealthy,
            memory,
            cpu,
            bonus,
            adaptive,
            resources,
        },
    )
}

impl Case {
    fn largest_multiplier(&self) -> u64 {
        let owned = self.multipliers.iter().zip(&self.capable).filter(|(_, capable)| **capable);
        owned.filter_map(|(multiplier, _)| *multiplier).max().unwrap_or(10_000).into()
    }

    /// The limit by the definition, as fractions of whole numbers.
    fn expected(&self) -> u32 {
        if self.health == Health::Critical {
            return 0;
        }
        let step = |limit: u64, (numerator, denominator): (u64, u64)| match limit {
            0 => 0,
            _ => (limit * numerator / denominator).clamp(1, u64::from(u32::MAX)),
        };
        let health = match self.health {
            Health::Degraded if self.adaptive => (7, 10),
            Health::Unhealthy if self.adaptive => (u64::from(self.unhealthy), 10_000),
            _ => (1, 1),
        };
        let resources = match self.memory.max(self.cpu).filter(|_| self.resources) {
            Some(pressure) if self.bonus.is_some_and(|(below, _)| pressure < below) => {
                (u64::from(self.bonus.expect("just seen").1), 10_000)
            }
            // 1 − 2(p − 8/10) = (26 000 − 2p) / 10 000
            Some(pressure) if pressure > 8_000 => (26_000 - 2 * u64::from(pressure), 10_000),
            _ => (1, 1),
        };
        let limit = step(u64::from(self.base), (self.largest_multiplier(), 10_000));
        u32::try_from(step(step(limit, health), resources)).expect("clamped")
    }

    fn actual(&self) -> u32 {
        let source = ScriptedAgents::new();
        let mut usage = ResourceUsage::new();
        usage.memory = self.memory.map(ratio);
        usage.cpu = self.cpu.map(ratio);
        let owned = self.capable.iter().enumerate().filter(|(_, capable)| **capable);
        let capabilities = owned.map(|(number, _)| capability(number));
        source.set(&agent(0), AgentStatus::new(self.health).with_usage(usage).with_capabilities(capabilities));
        let builder = AgentRateLimiter::builder(source)
            .clock(ManualClock::new())
            .limit("work", Quota::per_minute(self.base))
            .health_adjustment_factor(Factor::from_basis_points(self.unhealthy));
        let limiter = self.settings(builder).build().expect("valid");
        limiter.effective_limit(&agent(0), &"work".into()).quota.limit()
    }

    fn settings<S>(&self, mut builder: AgentBuilder<S, ManualClock>) -> AgentBuilder<S, ManualClock> {
        for (number, multiplier) in self.multipliers.iter().enumerate() {
            if let Some(points) = multiplier {
                builder = builder.capability_multiplier(capability(number), Factor::from_basis_points(*points));
            }
        }
        if let Some((below, factor)) = self.bonus {
            let factor = Factor::from_basis_points(factor);
            builder = builder.idle_bonus(IdleBonus::new(ratio(below), factor).expect("valid"));
        }
        if !self.adaptive {
            builder = builder.without_adaptive_scaling();
        }
        if !self.resources {
            builder = builder.without_resource_scaling();
        }
        builder
    }
}

/// Q23: the effective limit is that of an independent computation in whole numbers; worse health or higher pressure never
/// raises it; it is at least 1 unless the base is 0 or the agent in critical health; and it is at most base × multiplier × bonus.
pub fn q23_effective_limit() {
    check(CASES, (cases(), 0..=10_000_u32), |(case, pressure)| {
        let limit = case.actual();
        assert_eq!(limit, case.expected());
        if case.health != Health::Critical {
            assert_eq!(limit == 0, case.base == 0);
        }
        let bonus = case.bonus.map_or(10_000, |(_, factor)| u128::from(factor));
        let most = u128::from(case.base) * u128::from(case.largest_multiplier()) * bonus / 100_000_000;
        assert!(u128::from(limit) <= most.max(1));
        let healths = [Health::Healthy, Health::Degraded, Health::Unhealthy, Health::Critical];
        let by_health = healths.map(|health| Case { health, ..case.clone() }.actual());
        assert!(by_health.is_sorted_by(|better, worse| better >= worse), "{by_health:?}");
        if case.memory.is_some() {
            let higher = Case { memory: case.memory.max(Some(pressure)), ..case.clone() };
            assert!(higher.actual() <= limit, "{higher:?}");
        }
    });
}

/// What a caller does in the comparison with the plain limiter.
type Step = (usize, usize, u64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0..3_usize, 0..3_usize, 0..20_000_u64), 1..120)
}

const OPERATIONS: [&str; 3] = ["inference", "training", "unheard of"];

/// Q24: while limits of agents are off, and for agents that are healthy and use nothing, every answer is that of the plain
/// limiter with the quota of the operation, or of 100 a minute.
pub fn q24_off_is_legacy() {
    let limits = prop::collection::vec((0..6_u32, 1..30_u64), 2);
    check(CASES, (limits, steps(), any::<bool>()), |(limits, steps, on)| {
        let clock = ManualClock::new();
        let source = ScriptedAgents::new();
        let gate = FeatureGate::all_on();
        let health = if on { Health::Healthy } else { Health::Critical };
        source.set(&agent(0), AgentStatus::new(health));
        source.set(&agent(1), AgentStatus::new(health));
        let quotas: BTreeMap<&str, Quota> = OPERATIONS
            .into_iter()
            .zip(limits.iter().map(|(limit, secs)| Quota::new(*limit, Duration::from_secs(*secs)).expect("valid")))
            .collect();
        let limits = quotas.iter().map(|(operation, quota)| (Operation::from(*operation), (*quota).into()));
        let limiter = AgentRateLimiter::builder(source).clock(clock.clone()).gate(gate.clone()).limits(limits);
        let limiter = limiter.build().expect("valid");
        if !on {
            // Kept, but unseen while the flag is off.
            limiter.set_limit(&agent(0), &OPERATIONS[0].into(), Quota::per_second(1_000)).expect("on");
            limiter.set_burst(&agent(1), Burst::of(5)).expect("on");
            gate.disable(Feature::RateLimiter);
        }
        let plain = RateLimiter::<(Text, Text)>::builder().clock(clock.clone()).build();
        for (who, operation, millis) in steps {
            clock.advance(Duration::from_millis(millis));
            let quota = quotas.get(OPERATIONS[operation]).copied().unwrap_or(Quota::per_minute(100));
            let expected = plain.check(&Pair(agent(who).as_str(), OPERATIONS[operation]), quota);
            match (limiter.check(&agent(who), &OPERATIONS[operation].into()), expected) {
                (Ok(admission), Decision::Allowed(expected)) => {
                    assert_eq!((admission.count, admission.charged_to), (expected.count, ChargedTo::Limit));
                }
                (Err(AgentLimitError::Exceeded(denial)), Decision::Denied(expected)) => {
                    let actual = (denial.count, denial.limit, denial.window, denial.retry_after);
                    assert_eq!(actual, (expected.count, expected.limit, expected.window, expected.retry_after));
                }
                (actual, expected) => panic!("{actual:?} where the plain limiter says {expected:?}"),
            }
        }
    });
}

#[derive(Clone, Debug)]
enum Move {
    Check,
    CheckReserved(usize),
    Reserve(usize, u32),
    Release(usize),
    Advance(u64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let step = prop_oneof![
        4 => Just(Move::Check),
        4 => (0..3_usize).prop_map(Move::CheckReserved),
        2 => (0..3_usize, 1..6_u32).prop_map(|(id, requests)| Move::Reserve(id, requests)),
        2 => (0..3_usize).prop_map(Move::Release),
        1 => (0..800_u64).prop_map(Move::Advance),
    ];
    prop::collection::vec(step, 1..80)
}

/// Q25: what was admitted and what is reserved and unused never make more than the limit; to reserve and to release within a
/// window changes nothing; and admitted and limited requests make the total.
pub fn q25_reservation() {
    const WINDOW: Duration = Duration::from_secs(1);
    check(CASES, (1..10_u32, moves()), |(limit, moves)| {
        let clock = ManualClock::new();
        let quota = Quota::new(limit, WINDOW).expect("valid");
        let builder = AgentRateLimiter::builder(ScriptedAgents::new()).clock(clock.clone()).limit("work", quota);
        let limiter = builder.build().expect("valid");
        let (who, work) = (agent(0), Operation::from("work"));
        let ids: Vec<CoordinationId> = (0..3).map(|id| format!("id-{id}").into()).collect();
        // The model: what was admitted in the window, and what is left of each reservation.
        let (mut elapsed, mut admitted, mut held) = (Duration::ZERO, 0_u32, BTreeMap::new());
        let (mut successful, mut refused) = (0, 0);
        for step in moves {
            let reserved: u32 = held.values().sum();
            match step {
                Move::Advance(millis) => {
                    let window = elapsed.as_secs();
                    elapsed += Duration::from_millis(millis);
                    clock.advance(Duration::from_millis(millis));
                    if elapsed.as_secs() > window {
                        admitted = 0;
                        held.clear();
                    }
                }
                Move::Check => {
                    let fits = admitted + reserved < limit;
                    assert_eq!(limiter.check(&who, &work).is_ok(), fits);
                    admitted += u32::from(fits);
                    *(if fits { &mut successful } else { &mut refused }) += 1;
                }
                Move::CheckReserved(id) => {
                    let result = limiter.check_reserved(&who, &work, &ids[id]);
                    let held = held.get_mut(&id).filter(|left| **left > 0);
                    let fits = held.is_some() || admitted + reserved < limit;
                    let charged_to = if held.is_some() { ChargedTo::Reservation } else { ChargedTo::Limit };
                    assert_eq!(result.ok().map(|admission| admission.charged_to), fits.then_some(charged_to));
                    if let Some(left) = held {
                        *left -= 1;
                    }
                    admitted += u32::from(fits);
                    *(if fits { &mut successful } else { &mut refused }) += 1;
                }
                Move::Reserve(id, requests) => {
                    match limiter.reserve(&who, &work, &ids[id], cost(requests)) {
                        Ok(reservation) => {
                            assert!(!held.contains_key(&id) && admitted + reserved + requests <= limit);
                            reservation.detach();
                            held.insert(id, requests);
                        }
                        Err(AgentLimitError::Reserved { .. }) => assert!(held.contains_key(&id)),
                        Err(error) => {
                            assert!(matches!(error, AgentLimitError::Exceeded(_)), "{error}");
                            assert!(admitted + reserved + requests > limit);
                        }
                    }
                    // To reserve what is free and to drop the guard is to do nothing.
                    let free = limit - admitted - held.values().sum::<u32>();
                    if let Some(free) = std::num::NonZeroU32::new(free) {
                        let reservation = limiter.reserve(&who, &work, &"spare".into(), free).expect("free");
                        assert_eq!(reservation.left(), free.get());
                        assert!(limiter.check(&who, &work).is_err(), "all is taken");
                        refused += 1;
                    }
                }
                Move::Release(id) => {
                    let refunded = limiter.release(&who, &ids[id]);
                    let left = held.remove(&id);
                    // A reservation whose window is over may still be there, with nothing to refund.
                    assert_eq!(refunded.unwrap_or(0), left.unwrap_or(0));
                }
            }
            let reserved: u32 = held.values().sum();
            assert!(admitted + reserved <= limit);
            assert_eq!(limiter.status(&who).total_usage(), u64::from(admitted + reserved));
        }
        let stats = limiter.stats(&who);
        assert_eq!((stats.successful_requests, stats.rate_limited_requests), (successful, refused));
        assert_eq!(limiter.overview().total_requests, stats.total_requests());
    });
}
