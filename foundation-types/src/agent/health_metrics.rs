//! The health of an agent, as reported and as derived from its resources.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Health, HealthTrend, Ratio, ResourceKind, ResourceUsage, Timestamp};

/// Above this share a resource is degraded.
const DEGRADED_ABOVE: f64 = 0.8;
/// Above this share a resource is unhealthy.
const UNHEALTHY_ABOVE: f64 = 0.9;

/// The health of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HealthMetrics {
    /// The health as last reported.
    pub overall_health: Health,
    /// The health of each resource known as a ratio, derived from its usage: above 0.9 unhealthy, above 0.8 degraded.
    pub resource_health: BTreeMap<ResourceKind, Health>,
    /// How well the agent performs, as last reported; nothing derives it.
    pub performance_health: Health,
    /// How well the agent coordinates with others, as last reported; nothing derives it.
    pub coordination_health: Health,
    /// When the health was last reported.
    pub last_health_check: Timestamp,
    /// Which way the overall health went at the last report.
    pub health_trend: HealthTrend,
    /// 1.0 for healthy, 0.7 for degraded, 0.3 for unhealthy, 0.0 for critical and unknown; less 0.3 for each ratio resource
    /// above 0.9 and 0.1 for each other one above 0.8; never below 0.0.
    pub health_score: Ratio,
}

impl HealthMetrics {
    /// The health of an agent that nobody has reported on.
    pub const fn new(now: Timestamp) -> Self {
        Self {
            overall_health: Health::Unknown,
            resource_health: BTreeMap::new(),
            performance_health: Health::Unknown,
            coordination_health: Health::Healthy,
            last_health_check: now,
            health_trend: HealthTrend::Stable,
            health_score: Ratio::ZERO,
        }
    }

    /// Takes over a report: trend from the previous overall health, resource health and score from `usage`.
    pub(super) fn report(&mut self, overall: Health, usage: &ResourceUsage, now: Timestamp) {
        self.health_trend = self.overall_health.trend_to(overall);
        self.last_health_check = now;
        self.assess(overall, usage);
    }

    /// Sets the overall health and what follows from it and `usage`.
    pub(super) fn assess(&mut self, overall: Health, usage: &ResourceUsage) {
        self.overall_health = overall;
        self.resource_health = usage.ratios().map(|(kind, ratio)| (kind, resource_health(ratio))).collect();
        self.health_score = score(overall, self.resource_health.values().copied());
    }
}

fn resource_health(usage: Ratio) -> Health {
    if usage.get() > UNHEALTHY_ABOVE {
        Health::Unhealthy
    } else if usage.get() > DEGRADED_ABOVE {
        Health::Degraded
    } else {
        Health::Healthy
    }
}

/// Reckoned in tenths, which are exact.
fn score(overall: Health, resources: impl Iterator<Item = Health>) -> Ratio {
    let base: u8 = match overall {
        Health::Healthy => 10,
        Health::Degraded => 7,
        Health::Unhealthy => 3,
        Health::Critical | Health::Unknown => 0,
    };
    let tenths = resources.fold(base, |tenths, health| match health {
        Health::Unhealthy => tenths.saturating_sub(3),
        Health::Degraded => tenths.saturating_sub(1),
        _ => tenths,
    });
    Ratio::saturating(f64::from(tenths) / 10.0)
}
