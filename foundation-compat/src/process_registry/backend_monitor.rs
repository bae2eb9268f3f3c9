//! The original's `Foundation.ProcessRegistry.BackendMonitor`: checks the back-end, fails over, keeps figures.
//!
//! The functions act on the monitor of the [global instance](crate::global), [`BackendMonitor`] on that of any registry.
//! Nothing runs until [`start`] is called; the other functions work without it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use foundation_registry::backend::{Backend, Partitioned, Sharded};
pub use foundation_registry::{BackendMetrics, MonitorOptions, MonitorReport};
use foundation_registry::{
    BackendMonitor as NativeMonitor, MonitorThread, OptionsError, Registry, RegistryError,
    SwitchError as NativeSwitchError,
};
use foundation_types::{Owner, Pid, Text};

use super::backend::BackendModule;
use super::{ChildKind, ChildSpec, Restart};
use crate::global::{self, on_global};

/// The original's monitor on a given registry, which it can move between the table and the partitions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct BackendMonitor {
    monitor: Arc<NativeMonitor>,
    /// The kinds of the back-ends by number.
    kinds: Arc<[&'static str]>,
}

impl BackendMonitor {
    /// A monitor of `registry`, whose back-end in use comes first; of the table and the partitions, what is not in use is in
    /// reserve.
    ///
    /// # Errors
    /// [`OptionsError`] if a duration is zero.
    pub fn new(registry: &Registry, options: MonitorOptions) -> Result<Self, OptionsError> {
        let in_use = NativeMonitor::new(registry, [], options)?.active().kind;
        let all: [Arc<dyn Backend>; 2] = [Arc::new(Sharded::default()), Arc::new(Partitioned::default())];
        let reserve: Vec<_> = all.into_iter().filter(|backend| backend.info().kind != in_use).collect();
        let kinds = std::iter::once(in_use).chain(reserve.iter().map(|backend| backend.info().kind)).collect();
        Ok(Self { monitor: Arc::new(NativeMonitor::new(registry, reserve, options)?), kinds })
    }

    /// The monitor below.
    pub fn monitor(&self) -> &Arc<NativeMonitor> {
        &self.monitor
    }

    /// Asks the back-end in use how it is, and fails over if it has failed too often in a row.
    ///
    /// # Errors
    /// [`MonitorError::Failed`] with the report if the back-end failed and no other took over, [`MonitorError::Registry`]
    /// after the shutdown of the registry.
    pub fn health_check(&self) -> Result<MonitorReport, MonitorError> {
        let report = self.monitor.check_now()?;
        if report.failure_reason.is_some() && report.failover.is_none() {
            return Err(MonitorError::Failed(Box::new(report)));
        }
        Ok(report)
    }

    /// Figures over the operations noted within the window that ends now.
    pub fn get_performance_metrics(&self) -> BackendMetrics {
        self.monitor.metrics()
    }

    /// The back-end in use; `None` if it is a stranger's.
    pub fn get_active_backend(&self) -> Option<BackendModule> {
        BackendModule::of_kind(self.monitor.active().kind)
    }

    /// Moves the registry to another back-end, with all that it holds.
    ///
    /// # Errors
    /// [`SwitchError`]; the registry goes on with the back-end it had.
    pub fn switch_backend(&self, backend: BackendModule) -> Result<(), SwitchError> {
        let number = self.kinds.iter().position(|kind| BackendModule::of_kind(kind) == Some(backend));
        match self.monitor.switch_to(number.ok_or(SwitchError::BackendNotAvailable)?) {
            Ok(_) => Ok(()),
            Err(NativeSwitchError::Registry(error)) => Err(error.into()),
            Err(_) => Err(SwitchError::BackendNotAvailable),
        }
    }

    /// Notes that an operation took so long and whether it succeeded.
    pub fn record_metric(&self, operation: &str, duration: Duration, success: bool) {
        self.monitor.record(Text::from(operation), duration, success);
    }
}

/// Why a check failed; see [`BackendMonitor::health_check`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MonitorError {
    /// The back-end failed, and no other took over.
    #[error("back-end {} failed: {}", .0.backend, .0.failure_reason.as_deref().unwrap_or("unknown"))]
    Failed(Box<MonitorReport>),
    /// The registry was shut down.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// Why a registry was not moved; see [`BackendMonitor::switch_backend`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// There is no such back-end: `{:error, :backend_not_available}`.
    #[error("back-end is not available")]
    BackendNotAvailable,
    /// The registry could not move.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// Why the monitor of the global instance was not started; see [`start`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// It runs already.
    #[error("the monitor runs already, as {0}")]
    AlreadyStarted(Pid),
    /// An option is out of range.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The operating system gave no thread.
    #[error("no thread for the monitor")]
    Thread(#[from] io::Error),
}

/// The running monitor of the global instance. Dropping it stops the checks.
#[must_use = "dropping the handle stops the monitor"]
#[derive(Debug)]
pub struct RunningMonitor {
    // Stops first, so that its identity is alive as long as it runs.
    thread: MonitorThread,
    running: Owner,
}

impl RunningMonitor {
    /// The identity of the monitor, alive as long as it runs.
    pub fn pid(&self) -> Pid {
        self.running.pid()
    }

    /// Stops the checks, after the one that may be under way.
    pub fn stop(self) {
        drop(self.thread);
    }
}

/// The monitor of the global instance, and who runs it.
struct Global {
    monitor: BackendMonitor,
    running: Option<Pid>,
}

fn global() -> MutexGuard<'static, Global> {
    static GLOBAL: OnceLock<Mutex<Global>> = OnceLock::new();

    let made = GLOBAL.get_or_init(|| {
        let monitor = BackendMonitor::new(global::get().registry(), MonitorOptions::default());
        Mutex::new(Global { monitor: monitor.expect("the default durations are not zero"), running: None })
    });
    made.lock().unwrap_or_else(PoisonError::into_inner)
}

fn here() -> BackendMonitor {
    global().monitor.clone()
}

/// Starts the monitor of the global instance: from now on it checks at intervals, on a thread of its own, until the handle
/// is dropped. The figures noted before are forgotten.
///
/// # Errors
/// [`StartError`]; nothing has changed then.
pub fn start(options: MonitorOptions) -> Result<RunningMonitor, StartError> {
    let running = Owner::new();
    {
        let mut global = global();
        if let Some(pid) = global.running.as_ref().filter(|pid| pid.is_alive()) {
            return Err(StartError::AlreadyStarted(pid.clone()));
        }
        // Takes the place before the back-end is asked for anything, which must not happen under the lock. If that fails,
        // the owner is dropped, and the place is free again.
        global.running = Some(running.pid());
    }
    let monitor = BackendMonitor::new(global::get().registry(), options)?;
    let thread = monitor.monitor().spawn_thread()?;
    let former = std::mem::replace(&mut global().monitor, monitor);
    drop(former);
    Ok(RunningMonitor { thread, running })
}

/// As [`start`] with the default options.
///
/// # Errors
/// As [`start`].
pub fn start_0() -> Result<RunningMonitor, StartError> {
    start(MonitorOptions::default())
}

/// How a supervisor would run the monitor.
pub fn child_spec(options: MonitorOptions) -> ChildSpec {
    let _ = options;
    ChildSpec {
        id: "Foundation.ProcessRegistry.BackendMonitor",
        kind: ChildKind::Worker,
        restart: Restart::Permanent,
        shutdown: Some(Duration::from_secs(5)),
    }
}

on_global! {
    BackendMonitor(here()):
    fn health_check() -> Result<MonitorReport, MonitorError>;
    fn get_performance_metrics() -> BackendMetrics;
    fn get_active_backend() -> Option<BackendModule>;
    fn switch_backend(backend: BackendModule) -> Result<(), SwitchError>;
    fn record_metric(operation: &str, duration: Duration, success: bool);
}
