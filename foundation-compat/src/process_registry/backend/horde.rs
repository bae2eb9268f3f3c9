//! The original's cluster back-end, of which it has a placeholder only.
//!
//! As there, nothing can join, leave or migrate. What the placeholder answers with constants is told here as it is: one
//! node, the local one, with the processes of the global registry.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use foundation_registry::{LookupError, RegistryError};
use foundation_types::{Metadata, Namespace, NodeId, ServiceName};

use super::NotImplemented;
use crate::process_registry::{self, ProcessRegistryStats, ServiceEntry};

/// The nodes that share the registry; see [`cluster_topology`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterTopology {
    /// This node.
    pub local_node: NodeId,
    /// All of them.
    pub nodes: Vec<NodeId>,
}

/// The metadata of a name in the global registry.
///
/// # Errors
/// As [`process_registry::get_metadata`].
pub fn get_metadata(namespace: &Namespace, service: &ServiceName) -> Result<Arc<Metadata>, LookupError> {
    process_registry::get_metadata(namespace, service)
}

/// The services of a namespace of the global registry whose metadata satisfies a predicate.
///
/// # Errors
/// [`RegistryError`].
///
/// # Panics
/// If the predicate does.
pub fn find_services_by_metadata(
    namespace: &Namespace,
    predicate: impl FnMut(&Metadata) -> bool,
) -> Result<Vec<ServiceEntry>, RegistryError> {
    process_registry::find_services_by_metadata(namespace, predicate)
}

/// What the global registry holds.
///
/// # Errors
/// [`RegistryError`].
pub fn get_stats() -> Result<ProcessRegistryStats, RegistryError> {
    process_registry::stats()
}

/// Joins a cluster: not implemented.
///
/// # Errors
/// [`NotImplemented`], always.
pub fn join_cluster(nodes: &[NodeId]) -> Result<Infallible, NotImplemented> {
    let _ = nodes;
    Err(NotImplemented)
}

/// Leaves the cluster: not implemented.
///
/// # Errors
/// [`NotImplemented`], always.
pub fn leave_cluster() -> Result<Infallible, NotImplemented> {
    Err(NotImplemented)
}

/// The nodes that share the registry: this one.
pub fn cluster_topology() -> ClusterTopology {
    let local = NodeId::local().clone();
    ClusterTopology { nodes: vec![local.clone()], local_node: local }
}

/// Moves a process to another node: not implemented.
///
/// # Errors
/// [`NotImplemented`], always.
pub fn migrate_process(service: &ServiceName, node: &NodeId) -> Result<Infallible, NotImplemented> {
    let _ = (service, node);
    Err(NotImplemented)
}

/// How many services live on each node: all on this one.
///
/// # Errors
/// [`RegistryError`].
pub fn process_distribution() -> Result<BTreeMap<NodeId, usize>, RegistryError> {
    Ok(BTreeMap::from([(NodeId::local().clone(), process_registry::stats()?.total_services)]))
}
