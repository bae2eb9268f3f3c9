//! The original's `Foundation.BEAM.EcosystemSupervisor`: groups of a coordinator and its workers.
//!
//! The bare name is the function with the most arguments; a shorter one carries its arity. In place of the pid of the supervisor
//! there is the [`Group`], which ends when it is dropped.
//!
//! ```
//! use foundation_compat::beam::ecosystem_supervisor as ecosystem;
//! use foundation_compat::foundation_types::Name;
//! use foundation_compat::lifecycle::{Group, Service};
//!
//! struct Member;
//! impl Service for Member {}
//!
//! let config = Group::builder(Name::new("survey")?).coordinator(|_| Ok(Member)).workers(3, |_| Ok(Member));
//! let group = ecosystem::start_link(config)?;
//! ecosystem::add_worker_2(&group, |_| Ok(Member))?;
//! assert_eq!(ecosystem::list_workers(&group).len(), 4);
//! assert_eq!(ecosystem::get_ecosystem_info(&group).total_processes, 5);
//! assert!(ecosystem::shutdown(&group).is_clean());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;
use std::time::Duration;

use foundation_registry::{RegisterError, Registry};
use foundation_types::{Metadata, Name, Namespace, Pid, ServiceName};

use crate::Foundation;
use crate::global;
use crate::lifecycle::{BoxError, Directory, Service, ServiceContext, ShutdownReport};
pub use crate::lifecycle::{Group, GroupBuilder, GroupError, GroupInfo, MemberInfo};

/// How long all members together have to stop; those that take longer are abandoned.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

impl Foundation {
    /// Options of a [`Group`] that has the clock, the observer and the namespace of this instance, and is entered in its registry
    /// as `ecosystem_supervisor:<id>`. The group is its caller's: it goes on when the instance is shut down.
    pub fn group(&self, id: Name) -> GroupBuilder {
        self.equip(Group::builder(id))
    }

    /// Gives a group what all parts of this instance share.
    fn equip(&self, group: GroupBuilder) -> GroupBuilder {
        let directory = Groups { registry: self.registry().clone(), namespace: self.namespace().clone() };
        let group = group
            .clock(Arc::clone(self.clock()))
            .emitter(self.emitter().clone())
            .namespace(self.namespace().clone())
            .directory(Arc::new(directory));
        #[cfg(feature = "agent")]
        let group = group.gate(self.gate().clone());
        group
    }
}

/// Enters groups in the registry of an instance.
struct Groups {
    registry: Registry,
    namespace: Namespace,
}

impl Directory for Groups {
    fn register(&self, name: &ServiceName, pid: &Pid) -> Result<(), Pid> {
        self.register_group(name, pid, &Metadata::new())
    }

    fn register_group(&self, name: &ServiceName, pid: &Pid, metadata: &Metadata) -> Result<(), Pid> {
        match self.registry.register(&self.namespace, name, pid, metadata.clone()) {
            Err(RegisterError::AlreadyRegistered { holder }) => Err(holder),
            // A registry that cannot take it keeps no group from running: whoever has the handle needs no registry.
            _ => Ok(()),
        }
    }
}

/// Starts a group with the clock, the observer, the namespace and the registry of the global instance. When this returns all
/// members run.
///
/// # Errors
/// As [`GroupBuilder::start`].
pub fn start_link(config: GroupBuilder) -> Result<Group, GroupError> {
    global::get().equip(config).start()
}

/// The coordinator of a group.
///
/// # Errors
/// As [`Group::coordinator`].
pub fn get_coordinator(group: &Group) -> Result<Pid, GroupError> {
    group.coordinator()
}

/// Adds a worker that is made of `args`, each time that it is started.
///
/// # Errors
/// As [`Group::add_worker`].
pub fn add_worker<A, F, S>(group: &Group, factory: F, args: A) -> Result<Pid, GroupError>
where
    A: Send + Sync + 'static,
    F: Fn(&ServiceContext, &A) -> Result<S, BoxError> + Send + Sync + 'static,
    S: Service,
{
    group.add_worker(move |context| factory(context, &args))
}

/// Adds a worker.
///
/// # Errors
/// As [`Group::add_worker`].
pub fn add_worker_2<F, S>(group: &Group, factory: F) -> Result<Pid, GroupError>
where
    F: Fn(&ServiceContext) -> Result<S, BoxError> + Send + Sync + 'static,
    S: Service,
{
    group.add_worker(factory)
}

/// Removes a worker for good.
///
/// # Errors
/// As [`Group::remove_worker`].
pub fn remove_worker(group: &Group, worker: &Pid) -> Result<(), GroupError> {
    group.remove_worker(worker)
}

/// The workers of a group that are alive, those that were added first; none when it has ended.
pub fn list_workers(group: &Group) -> Vec<Pid> {
    group.workers()
}

/// The members of a group that are alive, and what they use; none when it has ended.
pub fn get_ecosystem_info(group: &Group) -> GroupInfo {
    group.info()
}

/// Ends a group, within [`SHUTDOWN_TIMEOUT`]. Idempotent.
pub fn shutdown(group: &Group) -> ShutdownReport {
    group.shutdown(SHUTDOWN_TIMEOUT)
}
