//! What the agent is asked before its circuit is.

use std::cell::Cell;
use std::future::ready;
use std::pin::pin;
use std::task::Poll;

use foundation_types::{AgentStatus, Health, ResourceKind, ResourceValue};

use super::draws::{any_status, commands, connections, setup, well};
use super::pair::{Answer, Command, Pair, end};
use super::subject::AgentBreaker;
use crate::agent::{AgentCallError, AgentRejected, ResourceThresholds};
use crate::conformance::calls::poll;
use crate::conformance::{AgentFactory, check};

/// P25: a call is refused for the first of these that holds: the agent is gone, it is unhealthy or critical, it uses more
/// memory, processor time or connections than it may, the circuit refuses. One that is refused because of the agent is not
/// run, and the circuit does not notice it.
pub fn p25_agent_gate<B: AgentBreaker>(make: AgentFactory<'_, B>) {
    let inputs = (setup(), commands(), any_status(), end(), well(), commands());
    check(1_000, inputs, |(setup, before, status, end, recovered, after)| {
        let breaker = make(setup.clone());
        let mut pair = Pair::new(&breaker, &setup);
        for command in &before {
            pair.run(command);
        }
        let refusal = first_reason(status.as_ref(), &setup.thresholds);
        setup.agent_is(status);
        if let Some(refusal) = refusal {
            assert_gated(&breaker, &Err(AgentCallError::Rejected(refusal)));
        } else {
            pair.run(&Command::Call(end));
            pair.run(&Command::Begin);
            assert_eq!(breaker.gated(), 0);
        }
        setup.agent_is(Some(recovered));
        for command in &after {
            pair.run(command);
        }
    });
}

/// Two calls that the agent is not fit for.
fn assert_gated<B: AgentBreaker>(breaker: &B, expected: &Answer) {
    let runs = Cell::new(0);
    let run = || {
        runs.set(runs.get() + 1);
        Ok("done")
    };
    let before = breaker.circuit();
    assert_eq!(breaker.call(run), *expected);
    let mut call = pin!(breaker.call_async(|| ready(run())));
    assert_eq!(breaker.gated(), 1, "nobody is asked before the first poll");
    match poll(call.as_mut()) {
        Poll::Ready(answer) => assert_eq!(answer, *expected),
        Poll::Pending => panic!("a refusal waits for nothing"),
    }
    assert_eq!((breaker.gated(), runs.get()), (2, 0));
    assert_eq!(breaker.circuit(), before);
}

/// Why an agent that is so is not fit for a call.
fn first_reason(status: Option<&AgentStatus>, limits: &ResourceThresholds) -> Option<AgentRejected> {
    let Some(AgentStatus { health, usage, .. }) = status else { return Some(AgentRejected::AgentUnavailable) };
    if matches!(health, Health::Unhealthy | Health::Critical) {
        return Some(AgentRejected::AgentUnhealthy(*health));
    }
    let connected = ResourceKind::Custom(connections());
    let connections = usage.get(&connected).and_then(ResourceValue::as_count);
    None.or_else(|| excess(ResourceKind::Memory, usage.memory, limits.memory))
        .or_else(|| excess(ResourceKind::Cpu, usage.cpu, limits.cpu))
        .or_else(|| excess(connected, connections, limits.connections))
}

fn excess<T>(resource: ResourceKind, usage: Option<T>, limit: Option<T>) -> Option<AgentRejected>
where
    T: PartialOrd + Into<ResourceValue>,
{
    let (usage, limit) = usage.zip(limit).filter(|(usage, limit)| usage > limit)?;
    Some(AgentRejected::ResourceExhausted { resource, usage: usage.into(), threshold: limit.into() })
}
