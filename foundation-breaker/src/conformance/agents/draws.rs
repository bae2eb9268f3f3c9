//! Agents and their breakers, drawn at random.

use foundation_types::testing::ScriptedAgents;
use foundation_types::{
    AgentId, AgentStatus, CustomResource, FeatureGate, Health, ManualClock, Ratio, ResourceUsage, ResourceValue,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::{collection, option};

use super::pair::{Command, command};
use super::subject::AgentSetup;
use crate::agent::ResourceThresholds;
use crate::conformance::command::{NANO, ms};

/// The agent that calls.
const AGENT: AgentId = AgentId::from_static("scout");

impl AgentSetup {
    /// From now on the agent is so; unknown without a status.
    pub(super) fn agent_is(&self, status: Option<AgentStatus>) {
        match status {
            Some(status) => self.agents.set(&self.agent, status),
            None => self.agents.remove(&self.agent),
        }
    }
}

/// The custom resource by which agents tell how many connections they hold.
pub(super) fn connections() -> CustomResource {
    CustomResource::new("connections").expect("a free name")
}

/// A healthy agent that uses nothing, whether it says so or not.
pub(super) fn well() -> impl Strategy<Value = AgentStatus> {
    let nothing = ResourceUsage::new().with_memory(Ratio::ZERO).with_cpu(Ratio::ZERO).with_custom(connections(), 0_u64);
    select(vec![ResourceUsage::new(), nothing]).prop_map(|usage| AgentStatus::new(Health::Healthy).with_usage(usage))
}

/// Any status, or none.
pub(super) fn any_status() -> impl Strategy<Value = Option<AgentStatus>> {
    // A share of connections is no number of them, and not compared with one.
    let count = select(vec![0_u64, 1, 1_000, 1_001, u64::MAX]).prop_map(ResourceValue::from);
    let connected = option::of(prop_oneof![5 => count, 1 => Just(ResourceValue::from(Ratio::ONE))]);
    let usage = (share(), share(), connected).prop_map(|(memory, cpu, connected)| {
        let mut usage = ResourceUsage::new();
        usage.memory = memory;
        usage.cpu = cpu;
        match connected {
            Some(value) => usage.with_custom(connections(), value),
            None => usage,
        }
    });
    let status = (select(Health::ALL.as_slice()), usage);
    option::weighted(0.9, status.prop_map(|(health, usage)| AgentStatus::new(health).with_usage(usage)))
}

/// The setup of a breaker whose agent is well.
pub(super) fn setup() -> impl Strategy<Value = AgentSetup> {
    let limit = option::of(select(vec![0, 1_000, u64::MAX]));
    let thresholds = (share(), share(), limit).prop_map(|(memory, cpu, connections)| ResourceThresholds {
        memory,
        cpu,
        connections,
    });
    let recovery_timeout = select(vec![NANO, ms(10), ms(70)]);
    (thresholds, 1_u32..4, recovery_timeout, 1_u32..4, well()).prop_map(
        |(thresholds, failure_threshold, recovery_timeout, half_open_max_calls, status)| {
            let clock = ManualClock::new();
            // Not at the origin, where a time that was never set would pass for one.
            clock.advance(ms(1_000));
            let agents = ScriptedAgents::new();
            agents.set(&AGENT, status);
            AgentSetup {
                agent: AGENT,
                thresholds,
                failure_threshold,
                recovery_timeout,
                half_open_max_calls,
                agents,
                gate: FeatureGate::all_on(),
                clock,
            }
        },
    )
}

/// The commands of a run.
pub(super) fn commands() -> impl Strategy<Value = Vec<Command>> {
    collection::vec(command(), 0..40)
}

fn share() -> impl Strategy<Value = Option<Ratio>> {
    option::of(select(vec![0.0, 0.5, 0.85, 0.850_000_1, 1.0]).prop_map(|share| Ratio::new(share).expect("a share")))
}
