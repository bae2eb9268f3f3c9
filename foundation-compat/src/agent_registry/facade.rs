//! The agent registry for a given registry.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use foundation_registry::{AgentError, AgentQuery, Registry, RegistryError};
use foundation_types::{
    AgentId, AgentInfo, AgentInfoError, AgentType, Capability, Health, Metadata, Namespace, NodeId, Pid, ProcessId,
    Scope, ServiceName, Value,
};

use crate::foundation::Foundation;

/// A registered process: `{pid, metadata}`.
pub type Process = (Pid, Arc<AgentInfo>);

/// The original's agent registry on a given [`Registry`]. Cheap to clone.
///
/// While the agent features are off, everything but [`unregister`](Self::unregister) gives [`AgentError::Disabled`]. After
/// the shutdown of the registry everything gives `Closed`.
#[derive(Clone)]
pub struct AgentRegistry {
    registry: Registry,
    namespace: Namespace,
}

impl AgentRegistry {
    /// The agent registry on `registry`, with the namespace of calls that name none.
    pub const fn new(registry: Registry, namespace: Namespace) -> Self {
        Self { registry, namespace }
    }

    /// The registry below.
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Registers a process. The metadata is read by [`AgentInfo::from_metadata`]; a type that is absent means service.
    ///
    /// # Errors
    /// [`AgentError::RemoteNode`] for a process of another node; [`AgentError::Invalid`] if the metadata or the id cannot be
    /// that of an agent; [`AgentError::AlreadyRegistered`] if a live owner, this very one included, holds the name;
    /// [`AgentError::DeadProcess`], [`AgentError::Limit`], [`AgentError::Disabled`], [`AgentError::Closed`],
    /// [`AgentError::Backend`]. [`reason`] gives the word of the original.
    pub fn register(&self, process: &ProcessId, pid: &Pid, metadata: &Metadata) -> Result<(), AgentError> {
        let id = local_id(process)?;
        self.register_in(&process.namespace, &id, pid, metadata)
    }

    /// As [`register`](Self::register), with empty metadata.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn register_2(&self, process: &ProcessId, pid: &Pid) -> Result<(), AgentError> {
        self.register(process, pid, &Metadata::new())
    }

    /// A registered process.
    ///
    /// # Errors
    /// [`AgentError::NotFound`], also for a process of another node; [`AgentError::Disabled`], [`AgentError::Closed`],
    /// [`AgentError::Backend`].
    pub fn lookup(&self, process: &ProcessId) -> Result<Process, AgentError> {
        match local_id(process) {
            Ok(id) => self.lookup_local(&id, &process.namespace),
            Err(_) => Err(AgentError::NotFound),
        }
    }

    /// Gives the name of a process up, whoever holds it and whether anyone does; works also while the agent features are off.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn unregister(&self, process: &ProcessId) -> Result<(), RegistryError> {
        match local_id(process) {
            Ok(id) => self.unregister_local(&id, &process.namespace),
            Err(_) => Ok(()),
        }
    }

    /// Registers a process of this node in the default namespace.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn register_local(&self, id: &AgentId, pid: &Pid, metadata: &Metadata) -> Result<(), AgentError> {
        self.register_in(&self.namespace, id, pid, metadata)
    }

    /// As [`register_local`](Self::register_local), with empty metadata.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn register_local_2(&self, id: &AgentId, pid: &Pid) -> Result<(), AgentError> {
        self.register_local(id, pid, &Metadata::new())
    }

    /// A registered process of this node.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub fn lookup_local(&self, id: &AgentId, namespace: &Namespace) -> Result<Process, AgentError> {
        let agent = self.registry.agents().lookup(namespace, id)?;
        Ok((agent.pid, agent.info))
    }

    /// As [`lookup_local`](Self::lookup_local), in the default namespace.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub fn lookup_local_1(&self, id: &AgentId) -> Result<Process, AgentError> {
        self.lookup_local(id, &self.namespace)
    }

    /// As [`unregister`](Self::unregister), for a process of this node.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn unregister_local(&self, id: &AgentId, namespace: &Namespace) -> Result<(), RegistryError> {
        self.registry.agents().unregister(namespace, id).map(drop)
    }

    /// As [`unregister_local`](Self::unregister_local), in the default namespace.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn unregister_local_1(&self, id: &AgentId) -> Result<(), RegistryError> {
        self.unregister_local(id, &self.namespace)
    }

    /// The processes of all namespaces that can do something, in no order.
    ///
    /// # Errors
    /// [`AgentError::Disabled`], [`AgentError::Closed`], [`AgentError::Backend`].
    pub fn find_by_capability(&self, capability: &Capability) -> Result<Vec<Process>, AgentError> {
        self.find(&AgentQuery::new().capability(capability.clone()))
    }

    /// The processes of all namespaces of a type, in no order.
    ///
    /// # Errors
    /// As [`find_by_capability`](Self::find_by_capability).
    pub fn find_by_type(&self, agent_type: &AgentType) -> Result<Vec<Process>, AgentError> {
        self.find(&AgentQuery::new().agent_type(agent_type.clone()))
    }

    /// The processes of all namespaces of an overall health, in no order. Those registered without one are healthy.
    ///
    /// # Errors
    /// As [`find_by_capability`](Self::find_by_capability).
    pub fn find_by_health(&self, health: Health) -> Result<Vec<Process>, AgentError> {
        self.find(&AgentQuery::new().health(health))
    }

    /// The processes of a namespace, in no order.
    ///
    /// # Errors
    /// As [`find_by_capability`](Self::find_by_capability).
    pub fn list_all(&self, namespace: &Namespace) -> Result<Vec<Process>, AgentError> {
        let agents = self.registry.agents().list(namespace)?;
        Ok(agents.into_iter().map(|agent| (agent.pid, agent.info)).collect())
    }

    /// As [`list_all`](Self::list_all), of the production namespace.
    ///
    /// # Errors
    /// As [`find_by_capability`](Self::find_by_capability).
    pub fn list_all_0(&self) -> Result<Vec<Process>, AgentError> {
        self.list_all(&Namespace::Production)
    }

    /// Registers an agent of this node in the default namespace: whatever the configuration says, its type is agent, and
    /// it was created and its health checked just now.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn register_agent_3(&self, id: &AgentId, pid: &Pid, config: &Metadata) -> Result<(), AgentError> {
        let config = config
            .clone()
            .with("type", "agent")
            // Null counts as absent: the record is then stamped with the time of its creation.
            .with("last_health_check", Value::Null);
        self.register_in(&self.namespace, id, pid, &config)
    }

    /// Sets the overall health of an agent of the default namespace.
    ///
    /// # Errors
    /// [`AgentError::NotFound`]; otherwise as [`find_by_capability`](Self::find_by_capability).
    pub fn update_agent_health(&self, id: &AgentId, health: Health) -> Result<(), AgentError> {
        self.registry.agents().set_health(&self.namespace, id, health).map(drop)
    }

    /// The record of an agent of the default namespace.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub fn get_agent_metadata(&self, id: &AgentId) -> Result<Arc<AgentInfo>, AgentError> {
        self.lookup_local_1(id).map(|(_, info)| info)
    }

    /// The same as [`lookup`](Self::lookup): the cluster is this node.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub fn cluster_lookup(&self, process: &ProcessId) -> Result<Process, AgentError> {
        self.lookup(process)
    }

    /// Moves an agent to another node: not implemented.
    ///
    /// # Errors
    /// [`AgentError::NotImplemented`], always.
    pub fn migrate_agent(&self, id: &AgentId, node: &NodeId) -> Result<Infallible, AgentError> {
        let _ = (id, node);
        Err(AgentError::NotImplemented)
    }

    /// Nothing: the indexes of agents are always there.
    pub fn initialize_optimizations(&self) {}

    /// Nothing: the indexes of agents are always there.
    pub fn cleanup_optimizations(&self) {}

    fn register_in(
        &self,
        namespace: &Namespace,
        id: &AgentId,
        pid: &Pid,
        metadata: &Metadata,
    ) -> Result<(), AgentError> {
        let agents = self.registry.agents();
        let is_absent = |key| metadata.get(key).is_none_or(Value::is_null);
        let registered = if is_absent("type") && is_absent("agent_type") {
            agents.register_from_metadata(namespace, id, pid, &metadata.clone().with("type", "service"))
        } else {
            agents.register_from_metadata(namespace, id, pid, metadata)
        };
        registered.map(drop)
    }

    fn find(&self, query: &AgentQuery) -> Result<Vec<Process>, AgentError> {
        let found = self.registry.agents().query_everywhere(query)?;
        Ok(found.into_iter().map(|(_, agent)| (agent.pid, agent.info)).collect())
    }
}

impl From<&Foundation> for AgentRegistry {
    /// The agent registry of an instance, whose default namespace is that of the instance.
    fn from(foundation: &Foundation) -> Self {
        Self::new(foundation.registry().clone(), foundation.namespace().clone())
    }
}

impl fmt::Debug for AgentRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentRegistry")
            .field("registry", &self.registry)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

/// The agent that a process of this node is: `x` for the plain name and for the agent `x`, `scope:x` for another scope.
fn local_id(process: &ProcessId) -> Result<AgentId, AgentError> {
    if process.node != *NodeId::local() {
        return Err(AgentError::RemoteNode(process.node.clone()));
    }
    let name: &ServiceName = &process.name;
    let id = match name.scope() {
        Scope::Plain | Scope::Agent => return Ok(AgentId::from(name.name().clone())),
        _ => AgentId::new(name.to_string()),
    };
    id.map_err(|error| AgentInfoError::InvalidField { field: "process_id", reason: error.to_string() }.into())
}

/// The word with which the original refuses what this error refuses; the errors it does not know have words of their own.
pub fn reason(error: &AgentError) -> &'static str {
    match error {
        AgentError::AlreadyRegistered { .. } => "already_registered",
        AgentError::DeadProcess { .. } => "dead_process",
        AgentError::NotFound => "not_found",
        AgentError::NotImplemented => "not_implemented",
        AgentError::Disabled => "agent_features_disabled",
        AgentError::RemoteNode(_) | AgentError::IdMismatch { .. } => "invalid_process_id",
        AgentError::Invalid(AgentInfoError::InvalidField { field, .. }) => match *field {
            "process_id" => "invalid_process_id",
            "type" => "invalid_type",
            "capabilities" => "invalid_capabilities",
            "health" => "invalid_health_status",
            _ => "invalid_metadata",
        },
        AgentError::Invalid(_) => "invalid_metadata",
        _ => "registration_failed",
    }
}
