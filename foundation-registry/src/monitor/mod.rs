//! Watching the back-end of a registry, and moving to another one when it fails.

mod check;
mod metrics;
mod run;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use foundation_types::Text;
use parking_lot::Mutex;

pub use self::check::{BACKEND_FAILOVER_EVENT, Failover, MonitorReport};
use self::metrics::Ring;
pub use self::metrics::{BackendMetrics, MAX_METRIC_SAMPLES, OperationMetrics};
pub use self::run::MonitorThread;
use crate::backend::Backend;
use crate::error::{OptionsError, RegistryError};
use crate::registry::{Registry, Store, SwitchReport};

/// How a [`BackendMonitor`] watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonitorOptions {
    /// From one check to the next; the default is 30 s.
    pub check_interval: Duration,
    /// How far back the metrics reach; the default is 5 min.
    pub performance_window: Duration,
    /// How many failed checks in a row make the registry leave a back-end; the default is 3.
    pub failure_threshold: NonZeroU32,
}

impl MonitorOptions {
    /// The default [`check_interval`](Self::check_interval).
    pub const DEFAULT_CHECK_INTERVAL: Duration = Duration::from_secs(30);
    /// The default [`performance_window`](Self::performance_window).
    pub const DEFAULT_PERFORMANCE_WINDOW: Duration = Duration::from_mins(5);
    /// The default [`failure_threshold`](Self::failure_threshold).
    pub const DEFAULT_FAILURE_THRESHOLD: NonZeroU32 = NonZeroU32::new(3).expect("not zero");

    fn check(&self) -> Result<(), OptionsError> {
        for (option, duration) in
            [("check_interval", self.check_interval), ("performance_window", self.performance_window)]
        {
            if duration.is_zero() {
                return Err(OptionsError::Zero { option });
            }
        }
        Ok(())
    }
}

impl Default for MonitorOptions {
    fn default() -> Self {
        Self {
            check_interval: Self::DEFAULT_CHECK_INTERVAL,
            performance_window: Self::DEFAULT_PERFORMANCE_WINDOW,
            failure_threshold: Self::DEFAULT_FAILURE_THRESHOLD,
        }
    }
}

/// Checks the back-end that a registry uses, fails over to others, and keeps figures about operations.
///
/// Nothing runs by itself: call [`check_now`](Self::check_now), await [`run`](Self::run) in a task, or
/// [`spawn_thread`](Self::spawn_thread). Time is the registry's clock.
///
/// ```
/// use std::sync::Arc;
/// use foundation_registry::{BackendMonitor, MonitorOptions, Partitioned, Registry};
/// use foundation_types::Health;
///
/// let registry = Registry::new();
/// let reserve = Arc::new(Partitioned::default());
/// let monitor = BackendMonitor::new(&registry, [reserve as _], MonitorOptions::default())?;
///
/// let report = monitor.check_now()?;
/// assert_eq!((report.status, report.backend), (Health::Healthy, "sharded"));
/// monitor.switch_to(1)?;
/// assert_eq!(monitor.active().kind, "partitioned");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BackendMonitor {
    registry: Registry,
    /// The back-end in use when the monitor was made, and the candidates.
    backends: Vec<Arc<Store>>,
    options: MonitorOptions,
    /// Checks that failed in a row.
    failures: Mutex<u32>,
    /// Set while a failover is under way, which only one check does at a time.
    failing_over: AtomicBool,
    samples: Mutex<Ring>,
}

/// The back-end in use; see [`BackendMonitor::active`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActiveBackend {
    /// Its number for [`BackendMonitor::switch_to`]; `None` if the registry was moved to one that the monitor does not
    /// know.
    pub index: Option<usize>,
    /// Its kind.
    pub kind: &'static str,
}

/// Why [`BackendMonitor::switch_to`] did not switch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// There is no back-end of this number.
    #[error("there are {count} back-ends, and none with the number {index}")]
    NotAvailable {
        /// The number.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// The registry could not move; it goes on with the back-end it had.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl BackendMonitor {
    /// A monitor of a registry with back-ends in reserve, in the order in which they are tried.
    ///
    /// The back-end that the registry uses now has the number 0, the candidates the numbers from 1; a candidate that is the
    /// back-end in use counts once, as number 0.
    ///
    /// # Errors
    /// [`OptionsError::Zero`] if a duration is.
    pub fn new(
        registry: &Registry,
        candidates: impl IntoIterator<Item = Arc<dyn Backend>>,
        options: MonitorOptions,
    ) -> Result<Self, OptionsError> {
        options.check()?;
        let mut backends = vec![registry.core.store.get_shared()];
        let candidates = candidates.into_iter().map(|candidate| Arc::new(Store::Dyn(candidate)));
        for candidate in candidates {
            if !backends[0].is_same(&candidate) {
                backends.push(candidate);
            }
        }
        Ok(Self {
            registry: registry.clone(),
            backends,
            options,
            failures: Mutex::new(0),
            failing_over: AtomicBool::new(false),
            samples: Mutex::new(Ring::new()),
        })
    }

    /// The options it was made with.
    pub fn options(&self) -> MonitorOptions {
        self.options
    }

    /// The back-end that the registry uses.
    pub fn active(&self) -> ActiveBackend {
        let store = self.registry.core.store.get_shared();
        let index = self.backends.iter().position(|backend| backend.is_same(&store));
        ActiveBackend { index, kind: store.backend().info().kind }
    }

    /// Moves the registry to the back-end of this number; see [`Registry::switch_backend`]. Nothing happens if it is
    /// there.
    ///
    /// # Errors
    /// [`SwitchError`]; the registry goes on with the back-end it had.
    pub fn switch_to(&self, index: usize) -> Result<SwitchReport, SwitchError> {
        let count = self.backends.len();
        let backend = self.backends.get(index).ok_or(SwitchError::NotAvailable { index, count })?;
        let report = self.registry.core.switch(backend.again())?;
        *self.failures.lock() = 0;
        tracing::info!(target: TARGET, from = report.from, to = report.to, moved = report.moved, "back-end switched");
        Ok(report)
    }

    /// Notes that an operation took so long and whether it succeeded. The last [`MAX_METRIC_SAMPLES`] are kept.
    pub fn record(&self, operation: impl Into<Text>, elapsed: Duration, ok: bool) {
        let at = self.registry.core.clock.mono();
        let displaced = self.samples.lock().push(at, operation.into(), elapsed, ok);
        drop(displaced);
    }

    /// Figures over the operations noted within the [window](MonitorOptions::performance_window) that ends now.
    pub fn metrics(&self) -> BackendMetrics {
        let now = self.registry.core.clock.mono();
        self.samples.lock().metrics(now, self.options.performance_window)
    }
}

const TARGET: &str = "foundation::registry";

impl fmt::Debug for BackendMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendMonitor")
            .field("backends", &self.backends.len())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
