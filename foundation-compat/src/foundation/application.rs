//! An instance as a running application: its services under a supervisor.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use foundation_registry::{RegisterError, Registry};
use foundation_types::inspect::Inspect;
use foundation_types::{
    Error, ErrorKind, EventName, ExitReason, Measurements, Metadata, Namespace, Pid, ServiceName, Value, event_name,
};

use super::{BuildError, Foundation, FoundationBuilder, Parts};
use crate::config_server::ConfigService;
use crate::lifecycle::{
    BoxError, Directory, HealthReport, LifecycleError, MonitorHandle, Phase, Service, ServiceConfig,
    ServiceConfigPatch, ServiceSpec, ShutdownReport, Supervisor, SupervisorBuilder, Toggle,
};

/// The services of an instance have started. Measures `count` 1, with `services`, their names in the order of their start.
pub const APPLICATION_STARTED_EVENT: EventName = event_name!("foundation.application.application_started");

/// What became of the application of an instance.
pub(super) struct Application {
    state: Mutex<State>,
}

struct State {
    plan: Arc<Plan>,
    run: Run,
}

/// What is started, and how.
#[derive(Default)]
pub(super) struct Plan {
    /// The services of the program, beside those of the instance.
    pub(super) services: Vec<ServiceSpec>,
    pub(super) supervise: Vec<Box<Supervise>>,
    pub(super) health_monitor: Toggle,
    pub(super) is_driven_by_hand: bool,
}

type Supervise = dyn Fn(SupervisorBuilder) -> SupervisorBuilder + Send + Sync;

enum Run {
    NotStarted,
    /// Somebody is starting it.
    Starting,
    Running(Arc<Supervisor>, #[expect(dead_code, reason = "its drop ends the monitor")] Option<MonitorHandle>),
    /// It was shut down.
    Stopped(Option<ShutdownReport>),
}

impl Application {
    pub(super) fn new(plan: Plan) -> Self {
        Self { state: Mutex::new(State { plan: Arc::new(plan), run: Run::NotStarted }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The supervisor, while it runs.
    pub(super) fn supervisor(&self) -> Option<Arc<Supervisor>> {
        if let Run::Running(supervisor, _) = &self.state().run { Some(Arc::clone(supervisor)) } else { None }
    }
}

/// Why an application did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The instance could not be composed.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A service did not start; those that had were stopped.
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
}

impl StartError {
    /// The error in the common vocabulary.
    pub fn into_record(self) -> Error {
        match self {
            Self::Build(BuildError::Config(error)) => error,
            Self::Build(error) => Error::new(ErrorKind::InitializationFailed).with_message(error.to_string()),
            Self::Lifecycle(error) => error.into(),
        }
    }
}

impl FoundationBuilder {
    /// Adds a service of the program's own to those that [`start`](Self::start) starts.
    ///
    /// What its factory captures lives as long as the instance. A clone of the instance among that keeps it alive until it
    /// is shut down.
    pub fn service(mut self, spec: ServiceSpec) -> Self {
        self.plan.services.push(spec);
        self
    }

    /// Changes the options of the supervisor: how many restarts are too many, who is restarted together, how long health checks
    /// may take and how many bad ones are too many. Called at each attempt to start; what it says of clock, gate, observer,
    /// namespace and directory is what counts.
    ///
    /// ```
    /// use std::time::Duration;
    /// use foundation_compat::Foundation;
    ///
    /// let foundation = Foundation::builder()
    ///     .supervise(|supervisor| supervisor.health_check_timeout(Duration::from_secs(1)))
    ///     .start()?;
    /// assert!(foundation.shutdown().is_clean());
    /// # Ok::<(), foundation_compat::StartError>(())
    /// ```
    pub fn supervise(
        mut self,
        configure: impl Fn(SupervisorBuilder) -> SupervisorBuilder + Send + Sync + 'static,
    ) -> Self {
        self.plan.supervise.push(Box::new(configure));
        self
    }

    /// Whether the health of the services is checked all the time, each at its interval, on a thread; it is by default, unless
    /// the settings say that the program is [under test](crate::config::TestMode).
    pub fn health_monitor(mut self, health_monitor: Toggle) -> Self {
        self.plan.health_monitor = health_monitor;
        self
    }

    /// Lets restarts and health checks of the services take place only when
    /// [`run_due`](Supervisor::run_due) is called, as tests with a manual clock want it.
    pub fn driven_by_hand(mut self) -> Self {
        self.plan.is_driven_by_hand = true;
        self
    }

    /// The instance, with its services and those of the program started and supervised.
    ///
    /// # Errors
    /// [`StartError`]; nothing runs then.
    pub fn start(self) -> Result<Foundation, StartError> {
        let foundation = self.build()?;
        foundation.start()?;
        Ok(foundation)
    }
}

impl Foundation {
    /// Starts the services of an instance that was only built, in order, and supervises them from then on. See
    /// [`builder`](Foundation::builder) for adding services of one's own.
    ///
    /// # Errors
    /// [`LifecycleError::AlreadyStarted`], [`LifecycleError::Stopped`] after a shutdown, and what keeps a service from
    /// starting: then those that had started were stopped, and another attempt is possible.
    pub fn start(&self) -> Result<(), LifecycleError> {
        let plan = {
            let mut state = self.0.application.state();
            match state.run {
                Run::NotStarted => state.run = Run::Starting,
                Run::Starting | Run::Running(..) => return Err(LifecycleError::AlreadyStarted),
                Run::Stopped(_) => return Err(LifecycleError::Stopped),
            }
            Arc::clone(&state.plan)
        };
        match self.start_services(&plan) {
            Ok((supervisor, monitor)) => self.started(supervisor, monitor),
            Err(error) => {
                let mut state = self.0.application.state();
                if matches!(state.run, Run::Starting) {
                    state.run = Run::NotStarted;
                }
                Err(error)
            }
        }
    }

    /// Takes note that the services run, and tells.
    fn started(&self, supervisor: Supervisor, monitor: Option<MonitorHandle>) -> Result<(), LifecycleError> {
        let supervisor = Arc::new(supervisor);
        let is_stopped = {
            let mut state = self.0.application.state();
            let is_stopped = matches!(state.run, Run::Stopped(_));
            if !is_stopped {
                state.run = Run::Running(Arc::clone(&supervisor), monitor);
            }
            is_stopped
        };
        if is_stopped {
            // Shut down meanwhile. Here, because services are foreign.
            supervisor.shutdown(Duration::MAX);
            return Err(LifecycleError::Stopped);
        }
        self.emitter().emit(&APPLICATION_STARTED_EVENT, || {
            let services = supervisor.services().iter().map(|name| Value::from(name.to_string())).collect();
            (Measurements::one(), Metadata::new().with("services", Value::List(services)))
        });
        Ok(())
    }

    fn start_services(&self, plan: &Plan) -> Result<(Supervisor, Option<MonitorHandle>), LifecycleError> {
        let directory = Entries { registry: self.registry().clone(), namespace: self.namespace().clone() };
        let builder = Supervisor::builder()
            .services(self.own_services())
            .services(plan.services.iter().cloned())
            .clock(Arc::clone(self.clock()))
            .emitter(self.emitter().clone())
            .namespace(self.namespace().clone())
            .directory(Arc::new(directory));
        #[cfg(feature = "agent")]
        let builder = builder.gate(self.gate().clone());
        let builder = plan.supervise.iter().fold(builder, |builder, configure| configure(builder));
        let builder = if plan.is_driven_by_hand { builder.driven_by_hand() } else { builder };
        let supervisor = builder.start()?;
        let monitor = match plan.health_monitor {
            Toggle::On => Some(supervisor.monitor()?),
            Toggle::Off => None,
        };
        Ok((supervisor, monitor))
    }

    /// The supervisor of the services, while they run: it restarts, disables and checks them.
    pub fn supervisor(&self) -> Option<Arc<Supervisor>> {
        self.0.application.supervisor()
    }

    /// The supervisor of the services, or why there is none.
    ///
    /// # Errors
    /// [`LifecycleError::NotStarted`], [`LifecycleError::Stopped`].
    pub fn running(&self) -> Result<Arc<Supervisor>, LifecycleError> {
        match &self.0.application.state().run {
            Run::Running(supervisor, _) => Ok(Arc::clone(supervisor)),
            Run::NotStarted | Run::Starting => Err(LifecycleError::NotStarted),
            Run::Stopped(_) => Err(LifecycleError::Stopped),
        }
    }

    /// Shuts the instance down: stops its services, if it was started, the last started first; then closes every subsystem, so
    /// that their operations say that they are closed. Pools are closed with it; breakers and limiters have nothing to close,
    /// and go on working for who still has them. Owners are not touched.
    ///
    /// Idempotent; a call at the same time as another waits for it. Clones of this instance and handles taken from it are
    /// shut down with it.
    pub fn shutdown(&self) -> ShutdownReport {
        self.shutdown_within(Duration::MAX)
    }

    /// As [`shutdown`](Self::shutdown), with at most `max` for all services together. Those that have not stopped by then are
    /// [abandoned](crate::lifecycle::StopOutcome::Abandoned).
    pub fn shutdown_within(&self, max: Duration) -> ShutdownReport {
        let running = {
            let mut state = self.0.application.state();
            match &state.run {
                Run::Running(supervisor, _) => Some(Arc::clone(supervisor)),
                Run::Stopped(_) => None,
                Run::NotStarted | Run::Starting => {
                    state.run = Run::Stopped(None);
                    None
                }
            }
        };
        let report = running.map(|supervisor| supervisor.shutdown(max));
        self.0.configuration.shut_down();
        self.0.infrastructure.shut_down();
        self.0.registry.shutdown();
        let (report, former) = {
            let mut state = self.0.application.state();
            let report = report.or_else(|| if let Run::Stopped(report) = &state.run { report.clone() } else { None });
            (report.clone(), std::mem::replace(&mut state.run, Run::Stopped(report)))
        };
        // The services may be of the program's own types.
        drop(former);
        report.unwrap_or_else(|| ShutdownReport::of_nothing(ExitReason::Shutdown))
    }

    /// The services that every instance has.
    fn own_services(&self) -> Vec<ServiceSpec> {
        let watched = |name: &'static str, phase, health_check_interval, part: Part| {
            // Not the instance itself, which has the supervisor that has the service.
            let parts = Arc::downgrade(&self.0);
            let watched = Watched { parts, part, health_check_interval };
            ServiceSpec::new(name, move |_| Ok(watched.clone())).phase(phase)
        };
        vec![
            watched("process_registry", Phase::Infrastructure, Duration::from_mins(1), |all| all.registry()),
            ConfigService::spec(self).phase(Phase::FoundationServices).depends_on("process_registry"),
            watched("connection_manager", Phase::Coordination, Duration::from_secs(45), |all| all.pools())
                .depends_on("process_registry"),
            watched("rate_limiter_backend", Phase::Coordination, Duration::from_mins(2), |all| all.rate_limiter()),
        ]
    }
}

type Part = fn(&Foundation) -> &dyn Inspect;

/// A part of the instance as a service. Its content is the instance's, and outlives restarts of the service.
#[derive(Clone)]
struct Watched {
    parts: Weak<Parts>,
    part: Part,
    health_check_interval: Duration,
}

impl Service for Watched {
    fn config(&self) -> ServiceConfig {
        let patch = ServiceConfigPatch::default().health_check_interval(Some(self.health_check_interval));
        patch.apply_to(&ServiceConfig::default())
    }

    fn check_health(&self) -> Result<HealthReport, BoxError> {
        let foundation = self.parts.upgrade().map(Foundation).ok_or("the instance is gone")?;
        Ok(HealthReport::of((self.part)(&foundation).inspect().status()))
    }
}

/// Enters services in the registry of the instance.
struct Entries {
    registry: Registry,
    namespace: Namespace,
}

impl Directory for Entries {
    fn register(&self, name: &ServiceName, pid: &Pid) -> Result<(), Pid> {
        let metadata = Metadata::new().with("type", "service");
        match self.registry.register(&self.namespace, name, pid, metadata) {
            Err(RegisterError::AlreadyRegistered { holder }) => Err(holder),
            // A registry that cannot take it keeps no service from running: the supervisor knows its services itself.
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = match &self.state().run {
            Run::NotStarted => "not started",
            Run::Starting => "starting",
            Run::Running(..) => "running",
            Run::Stopped(_) => "stopped",
        };
        f.write_str(run)
    }
}
