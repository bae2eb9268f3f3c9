//! What a service is given to work with.

use std::fmt;
#[cfg(feature = "tokio")]
use std::future::Future;
use std::sync::Arc;

use foundation_types::liveness::ShutdownSignal;
use foundation_types::{Clock, Emitter, ExitReason, FeatureGate, Metadata, Name, Namespace, Pid, ServiceName};

use super::error::SpawnError;
use super::instance::Body;

/// What a service is given to work with. Clones are the same; keeping one keeps nothing alive.
#[derive(Clone)]
pub struct ServiceContext(pub(super) Arc<Body>);

impl ServiceContext {
    /// The name of the service.
    pub fn name(&self) -> &ServiceName {
        &self.0.surroundings.service
    }

    /// The identity of this run of the service, to register and acquire things with: it dies with the service, whatever ends
    /// it, and a restarted service has another one. Killing it ends the service.
    pub fn pid(&self) -> &Pid {
        &self.0.pid
    }

    /// The namespace of the application.
    pub fn namespace(&self) -> &Namespace {
        &self.0.common.namespace
    }

    /// Where time comes from.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.common.clock
    }

    /// The switches of the agent features.
    pub fn gate(&self) -> &FeatureGate {
        &self.0.common.gate
    }

    /// Where events go.
    pub fn emitter(&self) -> &Emitter {
        &self.0.common.emitter
    }

    /// Raised when the service is told to stop, or has ended.
    pub fn shutdown(&self) -> ShutdownSignal {
        self.0.signal.clone()
    }

    /// Runs `work` on a thread of its own, as a part of the service: when it ends, the service has ended, for the reason that
    /// it returns, or of its panic. It has to return soon after the signal that it is given is raised; if it does not, the
    /// service is abandoned.
    ///
    /// # Errors
    /// [`SpawnError::Ended`] after the service was told to stop; [`SpawnError::TooMany`]; [`SpawnError::NoThread`].
    pub fn spawn(
        &self,
        name: Name,
        work: impl FnOnce(ShutdownSignal) -> ExitReason + Send + 'static,
    ) -> Result<(), SpawnError> {
        Body::spawn(&self.0, name, work)
    }

    /// As [`spawn`](Self::spawn), as a task of the tokio runtime in which the supervisor was started. If the service is
    /// abandoned or killed, the task is aborted.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn), and [`SpawnError::NoRuntime`].
    #[cfg(feature = "tokio")]
    pub fn spawn_async(
        &self,
        name: Name,
        work: impl Future<Output = ExitReason> + Send + 'static,
    ) -> Result<(), SpawnError> {
        Body::spawn_async(&self.0, name, work)
    }
}

impl fmt::Debug for ServiceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceContext").field("name", self.name()).field("pid", self.pid()).finish_non_exhaustive()
    }
}

/// Where services are entered under their names, such as a registry of the process.
pub trait Directory: Send + Sync {
    /// Enters a service that is about to start. The entry must go when its identity dies.
    ///
    /// # Errors
    /// Who else has the name; then the service is not started.
    fn register(&self, name: &ServiceName, pid: &Pid) -> Result<(), Pid>;

    /// As [`register`](Self::register), for a [`Group`](super::Group) that is about to start, with what there is to say of it.
    ///
    /// # Errors
    /// Who else has the name; then the group is not started.
    fn register_group(&self, name: &ServiceName, pid: &Pid, metadata: &Metadata) -> Result<(), Pid> {
        let _ = metadata;
        self.register(name, pid)
    }
}
