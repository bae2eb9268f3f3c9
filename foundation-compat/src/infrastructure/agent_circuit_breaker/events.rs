//! The events of the original's agent breakers: names, measurements and metadata as there.

use std::thread;

use foundation_types::{AgentId, EventName, Measurements, Metadata, NodeId, Value, event_name};

use crate::foundation::Foundation;

/// A breaker was started: `circuit_name`, `agent_id`, `capability`.
pub const CIRCUIT_STARTED_EVENT: EventName =
    event_name!("foundation.infrastructure.agent_circuit_breaker.circuit_started");
/// A call was made or refused: the caller's metadata, `circuit_name`, `agent_id`, `capability`, `circuit_state` as it was before
/// the call, `agent_health` while agents are looked at, `result`: `success`, `failure` or `rejected`. Unless it is the last,
/// `duration` in microseconds, which is measured as well; with a failure, `error`.
pub const OPERATION_EXECUTED_EVENT: EventName =
    event_name!("foundation.infrastructure.agent_circuit_breaker.operation_executed");
/// A circuit was reset by hand: `circuit_name`, `agent_id`.
pub const CIRCUIT_RESET_EVENT: EventName = event_name!("foundation.infrastructure.agent_circuit_breaker.circuit_reset");

/// Emits an event about a circuit of an agent; `timestamp`, `node` and `process` are added unless they are there.
pub(super) fn emit(
    foundation: &Foundation,
    event: &EventName,
    (circuit, agent): (&str, &AgentId),
    build: impl FnOnce() -> (Measurements, Metadata),
) {
    foundation.emitter().emit(event, || {
        let (measurements, metadata) = build();
        let mut metadata = metadata.with("circuit_name", circuit).with("agent_id", agent.as_str());
        let mut add = |key: &'static str, value: fn(&Foundation) -> Value| {
            if !metadata.contains_key(key) {
                metadata.insert(key, value(foundation));
            }
        };
        add("timestamp", |foundation| foundation.clock().wall().into());
        add("node", |_| NodeId::local().to_string().into());
        add("process", |_| process().into());
        (measurements, metadata)
    });
}

/// What stands for the process of the original: the thread, by name if it has one.
fn process() -> String {
    let thread = thread::current();
    thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned)
}
