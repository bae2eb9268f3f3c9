//! Composing a supervisor.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use foundation_types::{Clock, Emitter, FeatureGate, Namespace, Observer, SystemClock, Text};

use super::config::{MAX_SERVICE_DURATION, Toggle};
use super::context::Directory;
use super::engine::{Driving, Engine, HealthOptions, Options};
use super::error::LifecycleError;
use super::graph;
use super::instance::Common;
use super::policy::{Intensity, RestartWindow, Strategy};
use super::spec::ServiceSpec;
use super::supervisor::{MAX_SERVICES, Supervisor};

/// How long a factory may take.
pub(super) const DEFAULT_START_TIMEOUT: Duration = Duration::from_secs(5);

/// Options of a [`Supervisor`].
#[must_use = "a builder does nothing until started"]
pub struct SupervisorBuilder {
    services: Vec<ServiceSpec>,
    strategy: Strategy,
    intensity: Intensity,
    clock: Arc<dyn Clock>,
    gate: FeatureGate,
    emitter: Emitter,
    namespace: Namespace,
    start_timeout: Duration,
    health: HealthOptions,
    health_warnings: Toggle,
    directory: Option<Arc<dyn Directory>>,
    driving: Driving,
}

impl Default for SupervisorBuilder {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            strategy: Strategy::default(),
            intensity: Intensity::default(),
            clock: Arc::new(SystemClock),
            gate: FeatureGate::default(),
            emitter: Emitter::none(),
            namespace: Namespace::default(),
            start_timeout: DEFAULT_START_TIMEOUT,
            health: HealthOptions::default(),
            health_warnings: Toggle::On,
            directory: None,
            driving: Driving::Thread,
        }
    }
}

impl SupervisorBuilder {
    /// Adds a service. The order of additions is of no consequence.
    pub fn service(mut self, spec: ServiceSpec) -> Self {
        self.services.push(spec);
        self
    }

    /// Adds services.
    pub fn services(mut self, specs: impl IntoIterator<Item = ServiceSpec>) -> Self {
        self.services.extend(specs);
        self
    }

    /// Who is restarted together; the default is [`Strategy::OneForOne`].
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// How many restarts are too many; the default is [`Intensity::APPLICATION`].
    pub fn intensity(mut self, intensity: Intensity) -> Self {
        self.intensity = intensity;
        self
    }

    /// Where time comes from; the default is [`SystemClock`].
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The switches of the agent features, which the flags of optional services belong to. The default is a gate of its own.
    pub fn gate(mut self, gate: FeatureGate) -> Self {
        self.gate = gate;
        self
    }

    /// Who hears what happens; nobody by default.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.emitter = Emitter::new(observer);
        self
    }

    /// As [`observer`](Self::observer), for who has an emitter already.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// The namespace of the services; the default is [`Namespace::Production`].
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    /// Where services are entered under their names; nowhere by default.
    pub fn directory(mut self, directory: Arc<dyn Directory>) -> Self {
        self.directory = Some(directory);
        self
    }

    /// How long the factory of a service may take; the default is 5 seconds. From then on the
    /// [configuration](super::ServiceConfig::start_timeout) of the service holds.
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// How long a health check may take; the default is 5 seconds.
    pub fn health_check_timeout(mut self, timeout: Duration) -> Self {
        self.health.timeout = timeout;
        self
    }

    /// How often a monitor reports the health of the whole; the default is 30 seconds.
    pub fn health_report_interval(mut self, interval: Duration) -> Self {
        self.health.interval = interval;
        self
    }

    /// How often a monitor looks for services that run without their dependencies; the default is 60 seconds.
    pub fn dependency_check_interval(mut self, interval: Duration) -> Self {
        self.health.dependency_interval = interval;
        self
    }

    /// How many bad health checks in a row make a monitor take a service for degraded, and for unhealthy; the default is 1
    /// and 3.
    pub fn health_thresholds(mut self, degraded: NonZeroU32, unhealthy: NonZeroU32) -> Self {
        (self.health.degraded_after, self.health.unhealthy_after) = (degraded, unhealthy);
        self
    }

    /// Whether a monitor logs that the health is bad or dependencies are missing; it does by default.
    pub fn health_warnings(mut self, warnings: Toggle) -> Self {
        self.health_warnings = warnings;
        self
    }

    /// Starts no thread of the supervisor's own: restarts and health checks take place when
    /// [`run_due`](Supervisor::run_due) is called. For programs with a loop of their own, and for tests with a manual clock.
    pub fn driven_by_hand(mut self) -> Self {
        self.driving = Driving::ByHand;
        self
    }

    /// Starts every service, each after those that it depends on, and returns when all are ready: by phase, in a phase
    /// dependencies first, ties by name. Then starts the thread that restarts services, unless it is to be
    /// [driven by hand](Self::driven_by_hand). With the feature `tokio`, the asynchronous tasks of services run on the runtime
    /// in which this is called.
    ///
    /// # Errors
    /// Before anything was started, `DuplicateService`, `UnknownDependency`, `PhaseOrder`, `DependencyCycle` or
    /// `TooManyServices`. If a service does not become ready, `StartFailed`, `StartTimeout`, `InvalidConfig` or
    /// `RegistrationFailed` with its name, after those that had been started were stopped in reverse. A service that is late has
    /// its [time to stop](super::ServiceConfig::graceful_shutdown_timeout) as well before it is abandoned.
    pub fn start(self) -> Result<Supervisor, LifecycleError> {
        if self.services.len() > MAX_SERVICES {
            return Err(LifecycleError::TooManyServices);
        }
        let order = graph::start_order(self.services)?;
        let disabled = graph::disabled_at_start(&order, &self.gate);
        let common = Common { clock: self.clock, gate: self.gate, emitter: self.emitter, namespace: self.namespace };
        let options = Options {
            strategy: self.strategy,
            start_timeout: self.start_timeout,
            health: self.health,
            health_warnings: self.health_warnings,
            directory: self.directory,
            longest_stop: MAX_SERVICE_DURATION,
        };
        let engine = Engine::new(common, options, RestartWindow::new(self.intensity));
        engine.start_all(order, &disabled)?;
        drive(Supervisor::new(engine, self.driving))
    }
}

/// Starts the thread that restarts services, unless they are driven by hand.
pub(super) fn drive(supervisor: Supervisor) -> Result<Supervisor, LifecycleError> {
    if supervisor.driving() == Driving::Thread {
        let engine = Arc::clone(supervisor.engine());
        let spawned = thread::Builder::new().name("foundation-supervisor".to_owned()).spawn(move || engine.drive());
        spawned.map_err(|error| LifecycleError::NoThread(Text::from(error.to_string())))?;
    }
    Ok(supervisor)
}

impl fmt::Debug for SupervisorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SupervisorBuilder")
            .field("services", &self.services)
            .field("strategy", &self.strategy)
            .field("intensity", &self.intensity)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}
