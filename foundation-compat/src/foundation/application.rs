//! An instance as a running application: its services under a supervisor.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use foundation_registry::{RegisterError, Registry};
use foundation_types::inspect::Inspect;
use foundation_types::{Error, ErrorKind, ExitReason, Metadata, Namespace, Pid, ServiceName};

use super::{BuildError, Foundation, FoundationBuilder, Parts};
use crate::config_server::ConfigService;
use crate::lifecycle::{
    BoxError, Directory, HealthReport, LifecycleError, Phase, Service, ServiceConfig, ServiceConfigPatch, ServiceSpec,
    ShutdownReport, Supervisor,
};

/// What became of the application of an instance.
pub(super) struct Application {
    state: Mutex<State>,
}

struct State {
    /// The services of the program, beside those of the instance.
    extra: Vec<ServiceSpec>,
    is_driven_by_hand: bool,
    run: Run,
}

enum Run {
    NotStarted,
    /// Somebody is starting it.
    Starting,
    Running(Arc<Supervisor>),
    /// It was shut down.
    Stopped(Option<ShutdownReport>),
}

impl Application {
    pub(super) const fn new(extra: Vec<ServiceSpec>, is_driven_by_hand: bool) -> Self {
        Self { state: Mutex::new(State { extra, is_driven_by_hand, run: Run::NotStarted }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The supervisor, while it runs.
    pub(super) fn supervisor(&self) -> Option<Arc<Supervisor>> {
        if let Run::Running(supervisor) = &self.state().run { Some(Arc::clone(supervisor)) } else { None }
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
        self.services.push(spec);
        self
    }

    /// Lets restarts and health checks of the services take place only when
    /// [`run_due`](Supervisor::run_due) is called, as tests with a manual clock want it.
    pub fn driven_by_hand(mut self) -> Self {
        self.is_driven_by_hand = true;
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
        let (extra, is_driven_by_hand) = {
            let mut state = self.0.application.state();
            match state.run {
                Run::NotStarted => state.run = Run::Starting,
                Run::Starting | Run::Running(_) => return Err(LifecycleError::AlreadyStarted),
                Run::Stopped(_) => return Err(LifecycleError::Stopped),
            }
            (state.extra.clone(), state.is_driven_by_hand)
        };
        let started = self.start_services(extra, is_driven_by_hand);
        let mut state = self.0.application.state();
        match started {
            // Shut down meanwhile: what has started is stopped by the drop.
            Ok(_) if matches!(state.run, Run::Stopped(_)) => Err(LifecycleError::Stopped),
            Ok(supervisor) => {
                state.run = Run::Running(Arc::new(supervisor));
                Ok(())
            }
            Err(error) => {
                if matches!(state.run, Run::Starting) {
                    state.run = Run::NotStarted;
                }
                Err(error)
            }
        }
    }

    fn start_services(&self, extra: Vec<ServiceSpec>, is_driven_by_hand: bool) -> Result<Supervisor, LifecycleError> {
        let directory = Entries { registry: self.registry().clone(), namespace: self.namespace().clone() };
        let builder = Supervisor::builder()
            .services(self.own_services())
            .services(extra)
            .clock(Arc::clone(self.clock()))
            .emitter(self.emitter().clone())
            .namespace(self.namespace().clone())
            .directory(Arc::new(directory));
        #[cfg(feature = "agent")]
        let builder = builder.gate(self.gate().clone());
        if is_driven_by_hand { builder.driven_by_hand().start() } else { builder.start() }
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
            Run::Running(supervisor) => Ok(Arc::clone(supervisor)),
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
                Run::Running(supervisor) => Some(Arc::clone(supervisor)),
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
            Run::Running(_) => "running",
            Run::Stopped(_) => "stopped",
        };
        f.write_str(run)
    }
}
