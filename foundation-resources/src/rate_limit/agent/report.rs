//! What an agent limiter tells of itself.

use std::collections::BTreeMap;

use foundation_types::inspect::{Gauge, Inspect, Section, Table};
use foundation_types::{AgentId, AgentStatusSource, Capability, Clock, Feature, Health, Ratio, ResourceUsage};
use serde::Serialize;

use super::record::AgentRecord;
use super::{AgentRateLimiter, Factor, Operation, OperationLimit};

/// How an agent stands with its limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AgentLimiterStatus {
    /// The agent.
    pub agent_id: AgentId,
    /// What is known of it; `None` for one that was never seen, and while limits of agents are switched off.
    pub agent_context: Option<KnownAgent>,
    /// How many of its buckets have a window that lasts.
    pub active_buckets: usize,
    /// How many requests of those windows count, by operation; windows of several lengths are added up.
    pub current_usage: BTreeMap<Operation, u32>,
    /// The effective limits of each configured operation.
    pub effective_limits: BTreeMap<Operation, OperationLimit>,
    /// What health makes of its limits; 0 if it is critical.
    pub health_adjustment: Factor,
    /// What its use of resources makes of its limits.
    pub resource_adjustment: Factor,
}

impl AgentLimiterStatus {
    /// The sum of [`current_usage`](Self::current_usage).
    pub fn total_usage(&self) -> u64 {
        self.current_usage.values().map(|&count| u64::from(count)).sum()
    }
}

/// What a limiter knows of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KnownAgent {
    /// The agent.
    pub agent_id: AgentId,
    /// Its first capability.
    pub capability: Capability,
    /// Its health.
    pub health: Health,
    /// What it uses.
    pub resource_usage: ResourceUsage,
}

/// What became of the requests of an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct AgentStats {
    /// How many were admitted.
    pub successful_requests: u64,
    /// How many were denied because the limit was used up.
    pub rate_limited_requests: u64,
}

impl AgentStats {
    /// How many there were.
    pub const fn total_requests(&self) -> u64 {
        self.successful_requests + self.rate_limited_requests
    }

    /// The share that was admitted; 1 if there were none.
    pub fn success_rate(&self) -> Ratio {
        match self.total_requests() {
            0 => Ratio::ONE,
            total => Ratio::saturating(self.successful_requests as f64 / total as f64),
        }
    }
}

/// What all agents do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Overview {
    /// How many agents have made a request and have not been forgotten.
    pub active_agents: usize,
    /// How many requests there were, those of forgotten agents included.
    pub total_requests: u64,
    /// The same by operation.
    pub requests_by_operation: BTreeMap<Operation, u64>,
}

impl<S: AgentStatusSource, C: Clock> AgentRateLimiter<S, C> {
    /// How an agent stands with its limits. Counts nothing.
    pub fn status(&self, agent: &AgentId) -> AgentLimiterStatus {
        let on = self.gate.is_on(Feature::RateLimiter);
        let status = if on { self.source.status(agent) } else { None };
        let now = self.clock.now();
        let report = |record: &AgentRecord| {
            let context = if on { self.context_of(record, status.as_ref()) } else { self.scaling.unknown() };
            let known = status.as_ref().or(record.last_known.as_ref()).filter(|_| on);
            let mut current_usage = BTreeMap::new();
            let mut active_buckets = 0;
            for (operation, count) in record.usage(now) {
                active_buckets += 1;
                let sum: &mut u32 = current_usage.entry(operation.clone()).or_default();
                *sum = sum.saturating_add(count);
            }
            let operations = self.configured_operations();
            let own = record.overrides.keys().filter(|_| on).cloned();
            let effective = |operation: Operation| {
                let limit = if on { self.limit(record, &operation, &context) } else { self.plain_limit(&operation) };
                (operation, limit)
            };
            AgentLimiterStatus {
                agent_id: agent.clone(),
                agent_context: known.map(|status| KnownAgent {
                    agent_id: agent.clone(),
                    capability: context.capability.clone(),
                    health: status.health,
                    resource_usage: status.usage.clone(),
                }),
                active_buckets,
                current_usage,
                effective_limits: operations.into_iter().chain(own).map(effective).collect(),
                health_adjustment: context.health_factor,
                resource_adjustment: context.resource_factor,
            }
        };
        self.agents.get(agent, |record| report(record)).unwrap_or_else(|| report(&AgentRecord::default()))
    }

    /// What became of the requests of an agent; nothing for one that is unknown or forgotten.
    pub fn stats(&self, agent: &AgentId) -> AgentStats {
        self.agents.get(agent, |record| record.stats).unwrap_or_default()
    }

    /// What all agents do. O(agents).
    pub fn overview(&self) -> Overview {
        let mut overview = Overview::default();
        let mut add = |operation: &Operation, count: u64| {
            *overview.requests_by_operation.entry(operation.clone()).or_default() += count;
            overview.total_requests += count;
        };
        let mut active_agents = 0;
        self.agents.for_each(|_, record| {
            active_agents += usize::from(record.stats.total_requests() > 0);
            record.requests.iter().for_each(|(operation, count)| add(operation, *count));
        });
        self.agents.for_each_departed(add);
        Overview { active_agents, ..overview }
    }
}

/// How many agents and operations are shown.
const SHOWN: usize = 50;

impl<S: AgentStatusSource, C: Clock> Inspect for AgentRateLimiter<S, C> {
    /// The requests of all, by operation and by agent, the busiest first. O(agents); asks the source nothing.
    fn inspect(&self) -> Section {
        let now = self.clock.now();
        let overview = self.overview();
        let mut agents = Vec::new();
        self.agents.for_each(|agent, record| {
            let usage: u64 = record.usage(now).map(|(_, count)| u64::from(count)).sum();
            agents.push((usage, agent.clone(), record.stats, record.last_health()));
        });
        agents.sort_unstable_by(|one, two| two.0.cmp(&one.0).then_with(|| one.1.cmp(&two.1)));
        let mut operations: Vec<_> = overview.requests_by_operation.into_iter().collect();
        operations.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let state = if self.gate.is_on(Feature::RateLimiter) { "on" } else { "off" };
        Section::new(self.name().clone(), Health::Healthy)
            .gauge(Gauge::new("limits of agents", state))
            .gauge(Gauge::new("agents", self.agents.len()))
            .gauge(Gauge::new("most agents", self.max_agents().get()))
            .gauge(Gauge::new("requests", overview.total_requests))
            .table(Table::new(
                "operations",
                ["operation", "requests"],
                operations.iter().take(SHOWN).map(|(operation, count)| (operation.as_str(), *count)),
            ))
            .table(Table::new(
                "busiest agents",
                ["agent", "in the window", "admitted", "limited", "health"],
                agents.iter().take(SHOWN).map(|(usage, agent, stats, health)| {
                    (agent.as_str(), *usage, stats.successful_requests, stats.rate_limited_requests, *health)
                }),
            ))
    }
}
