//! The agents of a namespace in numbers.

use std::collections::{BTreeMap, HashMap};

use foundation_types::{AgentInfo, Capability, Health, Namespace, Ratio, ResourceKind, ResourceValue};

use super::AgentError;
use super::reads::{AgentEntry, Agents};

/// How the agents of a namespace are.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct HealthOverview {
    /// All of them.
    pub total_agents: usize,
    /// Those that are healthy.
    pub healthy_count: usize,
    /// Those that are degraded.
    pub degraded_count: usize,
    /// Those that are unhealthy.
    pub unhealthy_count: usize,
    /// Those that are critical.
    pub critical_count: usize,
    /// Those whose health is unknown.
    pub unknown_count: usize,
    /// The share that is healthy; all of them if there are none.
    pub health_percentage: Ratio,
}

impl HealthOverview {
    fn of(healths: impl Iterator<Item = Health>) -> Self {
        let mut overview = Self {
            total_agents: 0,
            healthy_count: 0,
            degraded_count: 0,
            unhealthy_count: 0,
            critical_count: 0,
            unknown_count: 0,
            health_percentage: Ratio::ONE,
        };
        for health in healths {
            overview.total_agents += 1;
            *match health {
                Health::Healthy => &mut overview.healthy_count,
                Health::Degraded => &mut overview.degraded_count,
                Health::Unhealthy => &mut overview.unhealthy_count,
                Health::Critical => &mut overview.critical_count,
                Health::Unknown => &mut overview.unknown_count,
            } += 1;
        }
        if overview.total_agents > 0 {
            overview.health_percentage =
                Ratio::saturating(overview.healthy_count as f64 / overview.total_agents as f64);
        }
        overview
    }
}

/// What the agents of a namespace use. A value is absent if no agent reports the resource.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ResourceStats {
    /// All agents, also those that report nothing.
    pub agents_count: usize,
    /// The mean share of memory, over those that report it.
    pub average_memory_usage: Option<Ratio>,
    /// The largest share of memory.
    pub max_memory_usage: Option<Ratio>,
    /// The mean share of processor time, over those that report it.
    pub average_cpu_usage: Option<Ratio>,
    /// The largest share of processor time.
    pub max_cpu_usage: Option<Ratio>,
}

impl ResourceStats {
    fn of(agents: &[AgentEntry]) -> Self {
        let memory = || agents.iter().filter_map(|agent| agent.info.resource_usage().memory);
        let cpu = || agents.iter().filter_map(|agent| agent.info.resource_usage().cpu);
        Self {
            agents_count: agents.len(),
            average_memory_usage: Ratio::mean(memory()),
            max_memory_usage: memory().max(),
            average_cpu_usage: Ratio::mean(cpu()),
            max_cpu_usage: cpu().max(),
        }
    }
}

/// What the agents of a namespace are, can do and use.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AgentStats {
    /// All of them.
    pub total_agents: usize,
    /// How many are of each health; those that nobody is of are absent.
    pub health_distribution: HashMap<Health, usize>,
    /// How many have each capability.
    pub capability_distribution: BTreeMap<Capability, usize>,
    /// The mean of what is used of each resource, over those that report it: shares as fractions, the others as numbers. A
    /// resource that some report as a share and others as a number counts by its shares.
    pub average_resource_usage: BTreeMap<ResourceKind, f64>,
}

impl AgentStats {
    fn of<'i>(infos: impl Iterator<Item = &'i AgentInfo>) -> Self {
        #[derive(Default)]
        struct Mean {
            sum: f64,
            count: usize,
        }

        impl Mean {
            fn add(&mut self, value: f64) {
                self.sum += value;
                self.count += 1;
            }
        }

        let mut stats = Self::default();
        let mut usage: BTreeMap<ResourceKind, (Mean, Mean)> = BTreeMap::new();
        for info in infos {
            stats.total_agents += 1;
            *stats.health_distribution.entry(info.health().overall_health).or_default() += 1;
            for capability in info.capabilities() {
                *stats.capability_distribution.entry(capability.clone()).or_default() += 1;
            }
            for (kind, value) in info.resource_usage().iter() {
                let (shares, numbers) = usage.entry(kind).or_default();
                match value {
                    ResourceValue::Ratio(ratio) => shares.add(ratio.get()),
                    ResourceValue::Count(count) => numbers.add(count as f64),
                }
            }
        }
        stats.average_resource_usage = usage
            .into_iter()
            .map(|(kind, (shares, numbers))| (kind, if shares.count > 0 { shares } else { numbers }))
            .map(|(kind, mean)| (kind, mean.sum / mean.count as f64))
            .collect();
        stats
    }
}

/// Each costs O(agents in the namespace).
impl Agents<'_> {
    /// How the agents of a namespace are.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn overview(&self, namespace: &Namespace) -> Result<HealthOverview, AgentError> {
        let agents = self.list(namespace)?;
        Ok(HealthOverview::of(agents.iter().map(|agent| agent.info.health().overall_health)))
    }

    /// What memory and processor time the agents of a namespace use.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn resource_stats(&self, namespace: &Namespace) -> Result<ResourceStats, AgentError> {
        Ok(ResourceStats::of(&self.list(namespace)?))
    }

    /// What the agents of a namespace are, can do and use.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn stats(&self, namespace: &Namespace) -> Result<AgentStats, AgentError> {
        let agents = self.list(namespace)?;
        Ok(AgentStats::of(agents.iter().map(|agent| &*agent.info)))
    }
}
