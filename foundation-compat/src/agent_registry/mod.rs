//! The original's agent-aware `Foundation.ProcessRegistry`, which names processes by namespace, node and local id.
//!
//! Its processes are the agents of the registry: the local id `x` is the agent `x`. The functions act on the
//! [global instance](crate::global), [`AgentRegistry`] on any. The bare name is the function with the most arguments; a
//! shorter one carries its arity.

mod facade;

use std::convert::Infallible;
use std::sync::Arc;

pub use foundation_registry::AgentError;
use foundation_registry::RegistryError;
use foundation_types::{
    AgentId, AgentInfo, AgentType, Capability, Health, Metadata, Namespace, NodeId, Pid, ProcessId,
};

pub use self::facade::{AgentRegistry, Process, reason};
use crate::global::{self, on_global};
use crate::process_registry::{ChildKind, ChildSpec, Restart};

fn here() -> AgentRegistry {
    AgentRegistry::from(&global::get())
}

/// The agent registry of the global instance, which exists from now on. The options are ignored.
pub fn start(options: &Metadata) -> AgentRegistry {
    let _ = options;
    here()
}

/// As [`start`] without options.
pub fn start_0() -> AgentRegistry {
    here()
}

/// How a supervisor would run the registry. The argument is ignored.
pub fn child_spec(argument: &Metadata) -> ChildSpec {
    let _ = argument;
    ChildSpec {
        id: "Foundation.ProcessRegistry",
        kind: ChildKind::Worker,
        restart: Restart::Permanent,
        shutdown: Some(std::time::Duration::from_secs(5)),
    }
}

on_global! {
    AgentRegistry(here()):
    fn register(process: &ProcessId, pid: &Pid, metadata: &Metadata) -> Result<(), AgentError>;
    fn register_2(process: &ProcessId, pid: &Pid) -> Result<(), AgentError>;
    fn lookup(process: &ProcessId) -> Result<Process, AgentError>;
    fn unregister(process: &ProcessId) -> Result<(), RegistryError>;
    fn register_local(id: &AgentId, pid: &Pid, metadata: &Metadata) -> Result<(), AgentError>;
    fn register_local_2(id: &AgentId, pid: &Pid) -> Result<(), AgentError>;
    fn lookup_local(id: &AgentId, namespace: &Namespace) -> Result<Process, AgentError>;
    fn lookup_local_1(id: &AgentId) -> Result<Process, AgentError>;
    fn unregister_local(id: &AgentId, namespace: &Namespace) -> Result<(), RegistryError>;
    fn unregister_local_1(id: &AgentId) -> Result<(), RegistryError>;
    fn find_by_capability(capability: &Capability) -> Result<Vec<Process>, AgentError>;
    fn find_by_type(agent_type: &AgentType) -> Result<Vec<Process>, AgentError>;
    fn find_by_health(health: Health) -> Result<Vec<Process>, AgentError>;
    fn list_all(namespace: &Namespace) -> Result<Vec<Process>, AgentError>;
    fn list_all_0() -> Result<Vec<Process>, AgentError>;
    fn register_agent_3(id: &AgentId, pid: &Pid, config: &Metadata) -> Result<(), AgentError>;
    fn update_agent_health(id: &AgentId, health: Health) -> Result<(), AgentError>;
    fn get_agent_metadata(id: &AgentId) -> Result<Arc<AgentInfo>, AgentError>;
    fn cluster_lookup(process: &ProcessId) -> Result<Process, AgentError>;
    fn migrate_agent(id: &AgentId, node: &NodeId) -> Result<Infallible, AgentError>;
    fn initialize_optimizations();
    fn cleanup_optimizations();
}
