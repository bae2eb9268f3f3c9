//! The composition root: one value that holds every subsystem.

mod application;
mod builder;
#[cfg(feature = "agent")]
mod features;
mod infrastructure;
#[cfg(all(feature = "tokio", unix))]
mod signals;
mod status;

use std::fmt;
use std::sync::Arc;

use crate::types::config::FoundationConfig;
use foundation_registry::{Registry, ServiceRegistry};
use foundation_types::inspect::{Inspect, Section};
use foundation_types::{Clock, Emitter, MonoTime, Namespace, Timestamp};

pub use self::application::{APPLICATION_STARTED_EVENT, StartError};
pub use self::builder::{BuildError, FoundationBuilder, LegacyLogs};
#[cfg(feature = "agent")]
pub use self::features::{AgentFeatures, FEATURE_CHANGED_EVENT};
#[cfg(feature = "agent")]
pub(crate) use self::features::{MASTER, announce};
pub use self::infrastructure::Breaker;
#[cfg(all(feature = "tokio", unix))]
pub use self::signals::{Termination, TerminationSignals};
pub use self::status::{FoundationHealth, FoundationStatus, SubsystemStatus};
use crate::config::{Config, SettingsStore};

/// All subsystems of one program, composed: they share a clock, an observer, a default namespace and, with the feature
/// `agent`, one switch of the agent features.
///
/// Cheap to clone; clones are the same instance. Instances share nothing with each other, so tests and libraries can have
/// their own. Building one starts no thread, and reads nothing but the sources of settings that it is given;
/// [`start`](Self::start) puts its parts and the program's own services under a [`Supervisor`](crate::lifecycle::Supervisor).
///
/// ```
/// use foundation_compat::{Foundation, Metadata, Owner, ServiceName};
///
/// let foundation = Foundation::isolated();
/// let (here, name) = (foundation.namespace(), ServiceName::from_static("indexer"));
///
/// let owner = Owner::new();
/// foundation.registry().register(here, &name, &owner.pid(), Metadata::new())?;
/// assert_eq!(foundation.services().lookup(here, &name)?, owner.pid());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Foundation(Arc<Parts>);

struct Parts {
    namespace: Namespace,
    clock: Arc<dyn Clock>,
    emitter: Emitter,
    logs: LegacyLogs,
    started: (MonoTime, Timestamp),
    #[cfg(feature = "agent")]
    gate: foundation_types::FeatureGate,
    registry: Registry,
    services: ServiceRegistry,
    infrastructure: crate::infrastructure::Parts,
    application: application::Application,
    configuration: crate::config::Instances,
    /// Whether settings have effects that they do not have in the original.
    follows_settings: bool,
    #[cfg(feature = "agent")]
    agents: crate::infrastructure::AgentParts,
}

/// One subsystem in the eyes of the composition root.
struct Subsystem<'f> {
    name: &'static str,
    is_open: bool,
    inspect: &'f dyn Inspect,
}

impl Foundation {
    /// An instance in the namespace [`Namespace::Production`], on the clocks of the operating system, that nobody
    /// observes.
    pub fn new() -> Self {
        Self::builder().build().expect("the defaults are in range")
    }

    /// An instance with options.
    pub fn builder() -> FoundationBuilder {
        FoundationBuilder::default()
    }

    /// An instance for one test: as [`new`](Self::new), in a test namespace of its own. It shares nothing with any other.
    pub fn isolated() -> Self {
        Self::builder().namespace(Namespace::test()).build().expect("the defaults are in range")
    }

    /// The namespace in which this instance works where nothing else is said.
    pub fn namespace(&self) -> &Namespace {
        &self.0.namespace
    }

    /// The clock of all subsystems.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Where all subsystems emit their events.
    pub fn emitter(&self) -> &Emitter {
        &self.0.emitter
    }

    /// Which log lines the legacy facade writes.
    pub fn legacy_logs(&self) -> LegacyLogs {
        self.0.logs
    }

    /// Who is alive, under which name.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The same registry as services use it: with events, logs, waits and health checks.
    pub fn services(&self) -> &ServiceRegistry {
        &self.0.services
    }

    /// The settings, by the functions of the original.
    pub fn config(&self) -> Config {
        Config::from(self)
    }

    /// The settings: typed reads that wait for nobody, layers, versions, overrides of agents.
    pub fn settings(&self) -> &SettingsStore {
        self.configuration().store()
    }

    /// The settings, if the instance goes by those that nothing reads in the original.
    pub(crate) fn followed(&self) -> Option<foundation_config::Guard<FoundationConfig>> {
        self.0.follows_settings.then(|| self.settings().load())
    }

    pub(crate) fn configuration(&self) -> &Arc<crate::config::Instance> {
        self.0.configuration.home()
    }

    #[cfg(feature = "agent")]
    pub(crate) fn configurations(&self) -> &crate::config::Instances {
        &self.0.configuration
    }

    /// What every subsystem shows of itself, in the order in which they build on each other. O(content of the subsystems).
    pub fn inspect(&self) -> Vec<Section> {
        self.subsystems().map(|subsystem| subsystem.inspect.inspect()).collect()
    }

    /// Whether both are the same instance.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn subsystems(&self) -> impl Iterator<Item = Subsystem<'_>> {
        let is_open = !self.is_shut_down();
        let subsystem = |name, inspect| Subsystem { name, is_open, inspect };
        let legacy = [
            Subsystem { is_open: self.registry_is_open(), ..subsystem("registry", self.registry()) },
            subsystem("config", self.settings()),
            subsystem("breakers", self.breakers()),
            subsystem("rate_limiter", self.rate_limiter()),
            subsystem("pools", self.pools()),
        ];
        #[cfg(not(feature = "agent"))]
        let agents: [Subsystem<'_>; 0] = [];
        #[cfg(feature = "agent")]
        let agents =
            [subsystem("agent_breakers", self.agent_breakers()), subsystem("agent_rate_limiter", self.agent_limiter())];
        legacy.into_iter().chain(agents)
    }

    fn registry_is_open(&self) -> bool {
        use foundation_registry::RegistryError;
        use foundation_types::ServiceName;

        // Any name does: only a closed registry has no answer.
        const NOBODY: ServiceName = ServiceName::from_static("foundation");
        !matches!(self.0.registry.is_registered(&self.0.namespace, &NOBODY), Err(RegistryError::Closed))
    }
}

impl Default for Foundation {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Foundation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foundation")
            .field("namespace", &self.0.namespace)
            .field("registry", &self.0.registry)
            .finish_non_exhaustive()
    }
}
