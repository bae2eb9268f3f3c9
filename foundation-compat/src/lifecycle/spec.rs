//! What there is to start.

use std::fmt;
use std::sync::Arc;

use foundation_types::{Feature, ServiceName};
use serde::Serialize;

use super::context::ServiceContext;
use super::policy::Restart;
use super::service::{BoxError, Service};

/// When, in the start of an application, a service is started: all of one phase before any of the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// What everything else stands on.
    Infrastructure,
    /// Configuration, events, telemetry.
    FoundationServices,
    /// What lets several parts work together.
    Coordination,
    /// The program itself.
    #[default]
    Application,
    /// The multi-agent layer.
    Mabeam,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 5] =
        [Self::Infrastructure, Self::FoundationServices, Self::Coordination, Self::Application, Self::Mabeam];

    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Infrastructure => "infrastructure",
            Self::FoundationServices => "foundation_services",
            Self::Coordination => "coordination",
            Self::Application => "application",
            Self::Mabeam => "mabeam",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

pub(super) type Factory = dyn Fn(&ServiceContext) -> Result<Arc<dyn Service>, BoxError> + Send + Sync;

/// How to make a service, and its place among the others.
///
/// ```
/// use foundation_compat::lifecycle::{Phase, Restart, Service, ServiceSpec};
///
/// struct Indexer;
/// impl Service for Indexer {}
///
/// let spec = ServiceSpec::new("indexer", |_| Ok(Indexer)).depends_on("store").restart(Restart::Transient);
/// assert_eq!((spec.name().to_string(), spec.phase_of()), ("indexer".to_owned(), Phase::Application));
/// ```
#[derive(Clone)]
pub struct ServiceSpec {
    pub(super) name: ServiceName,
    pub(super) phase: Phase,
    pub(super) dependencies: Vec<ServiceName>,
    pub(super) restart: Restart,
    pub(super) optional: Option<Feature>,
    pub(super) factory: Arc<Factory>,
}

impl ServiceSpec {
    /// A permanent service of the phase [`Phase::Application`] that depends on nothing.
    ///
    /// The factory makes a new value for each start. What must outlive a restart belongs to structures that it captures.
    pub fn new<F, S>(name: impl Into<ServiceName>, factory: F) -> Self
    where
        F: Fn(&ServiceContext) -> Result<S, BoxError> + Send + Sync + 'static,
        S: Service,
    {
        let factory: Arc<Factory> = Arc::new(move |context| Ok(Arc::new(factory(context)?) as Arc<dyn Service>));
        Self::from_factory(name.into(), factory)
    }

    pub(super) fn from_factory(name: ServiceName, factory: Arc<Factory>) -> Self {
        Self {
            name,
            phase: Phase::default(),
            dependencies: Vec::new(),
            restart: Restart::default(),
            optional: None,
            factory,
        }
    }

    /// Starts it in this phase.
    pub fn phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
        self
    }

    /// Starts it after that service is ready, and tells it whenever that one is lost or back. Naming one twice is naming it
    /// once.
    pub fn depends_on(mut self, name: impl Into<ServiceName>) -> Self {
        let name = name.into();
        if !self.dependencies.contains(&name) {
            self.dependencies.push(name);
        }
        self
    }

    /// Whether it is started again when it ended by itself.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// Makes it a service that can be [disabled](super::Supervisor::disable_services), with the flag that follows. It is
    /// not started at first if the feature is off then, unless a service that is not optional needs it.
    pub fn optional(mut self, feature: Feature) -> Self {
        self.optional = Some(feature);
        self
    }

    /// Its name.
    pub const fn name(&self) -> &ServiceName {
        &self.name
    }

    /// Its phase.
    pub const fn phase_of(&self) -> Phase {
        self.phase
    }

    /// What it depends on, in the order in which that was declared.
    pub fn dependencies(&self) -> &[ServiceName] {
        &self.dependencies
    }
}

impl fmt::Debug for ServiceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceSpec")
            .field("name", &self.name)
            .field("phase", &self.phase)
            .field("dependencies", &self.dependencies)
            .field("restart", &self.restart)
            .field("optional", &self.optional)
            .finish_non_exhaustive()
    }
}
