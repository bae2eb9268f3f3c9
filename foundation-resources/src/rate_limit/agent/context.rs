//! What is known of an agent when it asks, and what that makes of its limits.

use std::collections::HashMap;

use foundation_types::agent::CapabilitySet;
use foundation_types::{AgentStatus, Capability, Health, Ratio, ResourceUsage};

use super::{Factor, InvalidAgentLimits, OperationLimit};

const DEGRADED: Factor = Factor::from_basis_points(7_000);
/// The pressure from which on limits shrink.
const PRESSURE_THRESHOLD: Factor = Factor::from_basis_points(8_000);
/// What is believed of an agent that nobody knows.
const GENERAL: Capability = Capability::from_static("general");

/// A bonus for agents that have little to do: below this pressure the limit is multiplied by this factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdleBonus {
    below: Ratio,
    factor: Factor,
}

impl IdleBonus {
    /// A bonus.
    ///
    /// # Errors
    /// [`InvalidAgentLimits::Bonus`] if the factor is below 1 or the pressure above 0.8, where limits shrink.
    pub fn new(below: Ratio, factor: Factor) -> Result<Self, InvalidAgentLimits> {
        if factor < Factor::ONE || Factor::from(below) > PRESSURE_THRESHOLD {
            return Err(InvalidAgentLimits::Bonus);
        }
        Ok(Self { below, factor })
    }
}

/// How limits follow the agent.
#[derive(Clone, Debug)]
pub(super) struct Scaling {
    pub(super) multipliers: HashMap<Capability, Factor>,
    /// `None` if health changes nothing.
    pub(super) unhealthy: Option<Factor>,
    pub(super) resources: bool,
    pub(super) idle_bonus: Option<IdleBonus>,
}

/// What is known of an agent, and the factors that follow from it.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) capability: Capability,
    pub(super) health: Health,
    pub(super) multiplier: Factor,
    pub(super) health_factor: Factor,
    pub(super) resource_factor: Factor,
}

impl Scaling {
    /// The context of an agent with this status.
    pub(super) fn context(&self, status: &AgentStatus) -> Context {
        Context {
            capability: first(&status.capabilities),
            health: status.health,
            multiplier: self.multiplier(&status.capabilities),
            health_factor: self.health_factor(status.health),
            resource_factor: self.resource_factor(&status.usage),
        }
    }

    /// The context of an agent of which nobody has ever heard: general, healthy, without usage.
    pub(super) fn unknown(&self) -> Context {
        self.context(&AgentStatus::new(Health::Healthy).with_capabilities([GENERAL]))
    }

    fn multiplier(&self, capabilities: &CapabilitySet) -> Factor {
        if self.multipliers.is_empty() {
            return Factor::ONE;
        }
        let matching = capabilities.iter().filter_map(|capability| self.multipliers.get(capability));
        matching.max().copied().unwrap_or(Factor::ONE)
    }

    fn health_factor(&self, health: Health) -> Factor {
        match (health, self.unhealthy) {
            (Health::Critical, _) => Factor::ZERO,
            (Health::Degraded, Some(_)) => DEGRADED,
            (Health::Unhealthy, Some(factor)) => factor,
            _ => Factor::ONE,
        }
    }

    fn resource_factor(&self, usage: &ResourceUsage) -> Factor {
        let Some(pressure) = usage.memory.max(usage.cpu).filter(|_| self.resources) else { return Factor::ONE };
        match self.idle_bonus {
            Some(IdleBonus { below, factor }) if pressure < below => factor,
            _ => {
                // 1 − 2(p − 0.8)
                let over = Factor::from(pressure).basis_points().saturating_sub(PRESSURE_THRESHOLD.basis_points());
                Factor::from_basis_points(Factor::ONE.basis_points() - 2 * over)
            }
        }
    }
}

impl Context {
    /// What becomes of a limit: multiplied by capability, health and resources, rounded down each time.
    pub(super) fn effective(&self, base: OperationLimit) -> OperationLimit {
        let limit = if self.health == Health::Critical {
            0
        } else {
            let limit = self.multiplier.scale(base.quota.limit());
            self.resource_factor.scale(self.health_factor.scale(limit))
        };
        let mut burst = base.burst;
        burst.allowance = self.multiplier.scale(burst.allowance);
        OperationLimit { quota: base.quota.with_limit(limit), burst }
    }
}

/// The first capability, in the order of their names.
fn first(capabilities: &CapabilitySet) -> Capability {
    capabilities.first().cloned().unwrap_or(GENERAL)
}

#[cfg(test)]
mod tests {
    use super::super::super::Quota;
    use super::*;

    fn scaling() -> Scaling {
        Scaling {
            multipliers: HashMap::new(),
            unhealthy: Some(Factor::from_basis_points(5_000)),
            resources: true,
            idle_bonus: None,
        }
    }

    fn ratio(value: f64) -> Ratio {
        Ratio::new(value).expect("in range")
    }

    fn of_ten(health: Health, usage: ResourceUsage) -> u32 {
        let context = scaling().context(&AgentStatus::new(health).with_usage(usage));
        context.effective(Quota::per_minute(10).into()).quota.limit()
    }

    #[test]
    fn the_examples_of_the_documentation() {
        let usage = ResourceUsage::new;
        assert_eq!(of_ten(Health::Healthy, usage()), 10);
        assert_eq!(of_ten(Health::Unknown, usage()), 10);
        assert_eq!(of_ten(Health::Degraded, usage()), 7);
        assert_eq!(of_ten(Health::Unhealthy, usage()), 5);
        assert_eq!(of_ten(Health::Critical, usage()), 0);
        assert_eq!(of_ten(Health::Healthy, usage().with_memory(ratio(0.9))), 8);
        assert_eq!(of_ten(Health::Healthy, usage().with_memory(ratio(0.8))), 10);
        assert_eq!(of_ten(Health::Healthy, usage().with_cpu(Ratio::ONE)), 6);
        assert_eq!(of_ten(Health::Unhealthy, usage().with_cpu(Ratio::ONE).with_memory(ratio(0.1))), 3);
    }

    #[test]
    fn the_largest_multiplier_counts_and_also_widens_the_burst() {
        let (one, two) = (Capability::from_static("a"), Capability::from_static("b"));
        let mut scaling = scaling();
        scaling.multipliers = HashMap::from([
            (one.clone(), Factor::from_basis_points(15_000)),
            (two.clone(), Factor::from_basis_points(25_000)),
        ]);
        let context = scaling.context(&AgentStatus::new(Health::Degraded).with_capabilities([one, two]));
        let base = OperationLimit::from(Quota::per_minute(10)).with_burst(super::super::Burst::of(3));
        let limit = context.effective(base);
        assert_eq!((limit.quota.limit(), limit.burst.allowance), (17, 7));
        assert_eq!(scaling.unknown().effective(base).quota.limit(), 10);
    }

    #[test]
    fn the_idle_have_a_bonus_if_their_usage_is_known() {
        let bonus = IdleBonus::new(ratio(0.3), Factor::from_basis_points(12_000)).expect("valid");
        let scaling = Scaling { idle_bonus: Some(bonus), ..scaling() };
        let limit = |usage: ResourceUsage| {
            let context = scaling.context(&AgentStatus::new(Health::Healthy).with_usage(usage));
            context.effective(Quota::per_minute(10).into()).quota.limit()
        };
        assert_eq!(limit(ResourceUsage::new().with_cpu(ratio(0.29))), 12);
        assert_eq!(limit(ResourceUsage::new().with_cpu(ratio(0.3))), 10);
        assert_eq!(limit(ResourceUsage::new().with_cpu(ratio(0.1)).with_memory(Ratio::ONE)), 6);
        assert_eq!(limit(ResourceUsage::new()), 10);
        assert_eq!(IdleBonus::new(ratio(0.3), Factor::ZERO), Err(InvalidAgentLimits::Bonus));
        assert_eq!(IdleBonus::new(ratio(0.9), Factor::ONE), Err(InvalidAgentLimits::Bonus));
    }
}
