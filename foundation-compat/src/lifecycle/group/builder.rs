//! Composing a group.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use foundation_types::{
    Clock, Emitter, FeatureGate, Metadata, Name, Namespace, Scope, ServiceName, SystemClock, contain,
};

use super::{COORDINATOR, Group, GroupError, MAX_GROUP_SIZE, MEMBER_SHUTDOWN_TIMEOUT, worker};
use crate::lifecycle::builder::{DEFAULT_START_TIMEOUT, drive};
use crate::lifecycle::config::Toggle;
use crate::lifecycle::context::{Directory, ServiceContext};
use crate::lifecycle::engine::{Driving, Engine, HealthOptions, Options};
use crate::lifecycle::error::LifecycleError;
use crate::lifecycle::instance::Common;
use crate::lifecycle::policy::{Intensity, RestartWindow, Strategy};
use crate::lifecycle::service::{BoxError, Service};
use crate::lifecycle::spec::{Factory, ServiceSpec};
use crate::lifecycle::supervisor::Supervisor;

/// Options of a [`Group`].
#[must_use = "a builder does nothing until started"]
pub struct GroupBuilder {
    id: Name,
    coordinator: Option<ServiceSpec>,
    workers: Vec<(usize, Arc<Factory>)>,
    strategy: Strategy,
    intensity: Intensity,
    member_shutdown: Duration,
    clock: Arc<dyn Clock>,
    gate: FeatureGate,
    emitter: Emitter,
    namespace: Namespace,
    directory: Option<Arc<dyn Directory>>,
    driving: Driving,
}

impl GroupBuilder {
    pub(super) fn new(id: Name) -> Self {
        Self {
            id,
            coordinator: None,
            workers: Vec::new(),
            strategy: Strategy::default(),
            intensity: Intensity::GROUP,
            member_shutdown: MEMBER_SHUTDOWN_TIMEOUT,
            clock: Arc::new(SystemClock),
            gate: FeatureGate::default(),
            emitter: Emitter::none(),
            namespace: Namespace::default(),
            directory: None,
            driving: Driving::Thread,
        }
    }

    /// The coordinator, which is started before all workers.
    pub fn coordinator<F, S>(mut self, factory: F) -> Self
    where
        F: Fn(&ServiceContext) -> Result<S, BoxError> + Send + Sync + 'static,
        S: Service,
    {
        self.coordinator = Some(ServiceSpec::new(COORDINATOR, factory));
        self
    }

    /// So many workers from the start; called more than once, all of them, in this order.
    pub fn workers<F, S>(mut self, count: usize, factory: F) -> Self
    where
        F: Fn(&ServiceContext) -> Result<S, BoxError> + Send + Sync + 'static,
        S: Service,
    {
        self.workers.push((count, ServiceSpec::new(COORDINATOR, factory).factory));
        self
    }

    /// Who is restarted together; the default is [`Strategy::OneForOne`].
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// How many restarts are too many; the default is [`Intensity::GROUP`].
    pub fn intensity(mut self, intensity: Intensity) -> Self {
        self.intensity = intensity;
        self
    }

    /// The longest that a member has to stop; the default is [`MEMBER_SHUTDOWN_TIMEOUT`].
    pub fn member_shutdown(mut self, timeout: Duration) -> Self {
        self.member_shutdown = timeout;
        self
    }

    /// Where time comes from; the default is [`SystemClock`].
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The switches of the agent features, for the members.
    pub fn gate(mut self, gate: FeatureGate) -> Self {
        self.gate = gate;
        self
    }

    /// Who hears what happens; nobody by default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// The namespace of the group; the default is [`Namespace::Production`].
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    /// Where the group is entered as a whole, as `ecosystem_supervisor:<id>`; nowhere by default. Members are entered nowhere.
    pub fn directory(mut self, directory: Arc<dyn Directory>) -> Self {
        self.directory = Some(directory);
        self
    }

    /// Starts no thread of the group's own: restarts take place when [`run_due`](Group::run_due) is called.
    pub fn driven_by_hand(mut self) -> Self {
        self.driving = Driving::ByHand;
        self
    }

    /// The group, with the coordinator and the workers from the start running.
    ///
    /// # Errors
    /// [`GroupError::NoCoordinator`]; [`GroupError::TooMany`]; [`GroupError::AlreadyStarted`] if the directory has a group of
    /// this id; [`GroupError::Member`] if a member does not start, after those that did were stopped.
    pub fn start(self) -> Result<Group, GroupError> {
        let Some(coordinator) = self.coordinator else { return Err(GroupError::NoCoordinator) };
        let initial = self.workers.iter().fold(0, |sum: usize, (count, _)| sum.saturating_add(*count));
        if initial >= MAX_GROUP_SIZE {
            return Err(GroupError::TooMany);
        }
        let factories = self.workers.into_iter().flat_map(|(count, factory)| std::iter::repeat_n(factory, count));
        let workers = factories.zip(1..).map(|(factory, number)| ServiceSpec::from_factory(worker(number), factory));
        let members: Vec<ServiceSpec> = std::iter::once(coordinator).chain(workers).collect();

        let started_at = self.clock.wall();
        let common = Common { clock: self.clock, gate: self.gate, emitter: self.emitter, namespace: self.namespace };
        let options = Options {
            strategy: self.strategy,
            start_timeout: DEFAULT_START_TIMEOUT,
            health: HealthOptions::default(),
            health_warnings: Toggle::Off,
            directory: None,
            longest_stop: self.member_shutdown,
        };
        let engine = Engine::new(common, options, RestartWindow::new(self.intensity));
        if let Some(directory) = &self.directory {
            let name = ServiceName::scoped(Scope::EcosystemSupervisor, self.id.clone());
            let metadata = Metadata::new()
                .with("type", "ecosystem_supervisor")
                .with("ecosystem_id", self.id.clone())
                .with("started_at", started_at.to_string());
            match contain(|| directory.register_group(&name, engine.identity(), &metadata)) {
                Ok(Ok(())) => {}
                Ok(Err(existing)) => return Err(GroupError::AlreadyStarted(existing)),
                Err(panic) => {
                    let source = format!("directory panicked: {panic}").into();
                    return Err(LifecycleError::StartFailed { service: name, source }.into());
                }
            }
        }
        engine.start_all(members, &BTreeSet::new())?;
        let supervisor = drive(Supervisor::new(engine, self.driving))?;
        let initial = u64::try_from(initial).unwrap_or(u64::MAX);
        Ok(Group { id: self.id, supervisor, initial, next: AtomicU64::new(initial.saturating_add(1)) })
    }
}

impl fmt::Debug for GroupBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupBuilder")
            .field("id", &self.id)
            .field("strategy", &self.strategy)
            .field("intensity", &self.intensity)
            .finish_non_exhaustive()
    }
}
