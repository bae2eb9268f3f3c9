//! What is asked of the agent before the circuit is.

use std::sync::Arc;
use std::time::Duration;

use foundation_types::{
    AgentId, AgentStatus, AgentStatusSource, Clock, CustomResource, Feature, FeatureGate, Health, MonoTime,
    ResourceKind, ResourceUsage, ResourceView, Subject, Timestamp,
};
use parking_lot::Mutex;

use super::error::AgentRejected;
use super::options::ResourceThresholds;

/// Where breakers learn how agents are, and whether they may look.
pub(super) struct Sources<S> {
    pub(super) agents: S,
    pub(super) resources: Option<Arc<dyn ResourceView>>,
    pub(super) gate: FeatureGate,
}

impl<S: AgentStatusSource> Sources<S> {
    /// Whether agents are looked at: the switch is on, and so is that of the registry, without which nobody is known.
    pub(super) fn looks_at_agents(&self) -> bool {
        self.gate.is_on(Feature::Breaker) && self.gate.is_on(Feature::Registry)
    }

    /// What `agent` uses, as far as it is known.
    pub(super) fn usage(&self, agent: &AgentId, status: &AgentStatus) -> ResourceUsage {
        let measured = self.resources.as_ref().and_then(|view| view.usage(Subject::Agent(agent)));
        measured.unwrap_or_else(|| status.usage.clone())
    }
}

/// What was last learnt of an agent.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    asked: MonoTime,
    pub(super) at: Timestamp,
    pub(super) status: Option<AgentStatus>,
}

/// Asks how one agent is, and may remember the answer for a while.
pub(super) struct Checkup {
    agent: AgentId,
    remembers_for: Duration,
    latest: Mutex<Option<Reading>>,
}

impl Checkup {
    pub(super) const fn new(agent: AgentId, remembers_for: Duration) -> Self {
        Self { agent, remembers_for, latest: Mutex::new(None) }
    }

    pub(super) const fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// How the agent is now, or was no longer ago than an answer may be used.
    pub(super) fn reading<S: AgentStatusSource>(&self, sources: &Sources<S>, clock: &impl Clock) -> Reading {
        let asked = clock.mono();
        if !self.remembers_for.is_zero() {
            let latest = self.latest.lock().clone();
            if let Some(latest) = latest.filter(|latest| asked.saturating_since(latest.asked) < self.remembers_for) {
                return latest;
            }
        }
        let reading = Reading { asked, at: clock.wall(), status: sources.agents.status(&self.agent) };
        if !self.remembers_for.is_zero() {
            *self.latest.lock() = Some(reading.clone());
        }
        reading
    }

    /// Refuses if the agent is not fit for a call. The first reason counts: gone, unwell, out of memory, processor time or
    /// connections.
    pub(super) fn admit<S: AgentStatusSource>(
        &self,
        sources: &Sources<S>,
        thresholds: &ResourceThresholds,
        clock: &impl Clock,
    ) -> Result<(), AgentRejected> {
        let status = self.reading(sources, clock).status.ok_or(AgentRejected::AgentUnavailable)?;
        if is_unwell(status.health) {
            return Err(AgentRejected::AgentUnhealthy(status.health));
        }
        let usage = sources.usage(&self.agent, &status);
        let limits = [
            (ResourceKind::Memory, thresholds.memory.map(Into::into)),
            (ResourceKind::Cpu, thresholds.cpu.map(Into::into)),
            (connections(), thresholds.connections.map(Into::into)),
        ];
        for (resource, threshold) in limits {
            let (Some(threshold), Some(usage)) = (threshold, usage.get(&resource)) else { continue };
            if exceeds(usage, threshold) {
                return Err(AgentRejected::ResourceExhausted { resource, usage, threshold });
            }
        }
        Ok(())
    }

    /// Whether the agent is unhealthy or critical.
    pub(super) fn is_unwell<S: AgentStatusSource>(&self, sources: &Sources<S>, clock: &impl Clock) -> bool {
        self.reading(sources, clock).status.is_some_and(|status| is_unwell(status.health))
    }
}

/// Only like is compared with like: a share says nothing about a number.
fn exceeds(usage: foundation_types::ResourceValue, threshold: foundation_types::ResourceValue) -> bool {
    match (usage.as_ratio(), threshold.as_ratio(), usage.as_count(), threshold.as_count()) {
        (Some(usage), Some(threshold), ..) => usage > threshold,
        (_, _, Some(usage), Some(threshold)) => usage > threshold,
        _ => false,
    }
}

const fn is_unwell(health: Health) -> bool {
    matches!(health, Health::Unhealthy | Health::Critical)
}

/// The custom resource by which agents tell how many connections they hold.
fn connections() -> ResourceKind {
    ResourceKind::Custom(CustomResource::new("connections").expect("a free name"))
}
