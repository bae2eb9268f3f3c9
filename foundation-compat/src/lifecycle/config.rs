//! How a service wants to be treated.

use std::time::Duration;

use foundation_types::Metadata;

/// The longest interval or timeout of a service: a week.
pub const MAX_SERVICE_DURATION: Duration = Duration::from_hours(7 * 24);
/// The most keys of [`ServiceConfig::extra`].
pub const MAX_EXTRA_KEYS: usize = 1_024;

/// Whether something is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Toggle {
    /// It is.
    #[default]
    On,
    /// It is not.
    Off,
}

impl Toggle {
    /// Whether this is [`Toggle::On`].
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

/// How a service wants to be treated.
///
/// ```
/// use std::time::Duration;
/// use foundation_compat::lifecycle::ServiceConfig;
///
/// let config = ServiceConfig { health_check_interval: Some(Duration::from_secs(60)), ..ServiceConfig::default() };
/// assert_eq!(config.graceful_shutdown_timeout, Duration::from_secs(10));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceConfig {
    /// How often a monitor checks the health; `None` for never. Above zero and at most [`MAX_SERVICE_DURATION`]; the
    /// default is 30 seconds.
    pub health_check_interval: Option<Duration>,
    /// How long the service has to stop before it is abandoned. At most [`MAX_SERVICE_DURATION`]; the default is 10
    /// seconds.
    pub graceful_shutdown_timeout: Duration,
    /// How long the service has to become ready, and to answer to a change of its configuration. Above zero and at most
    /// [`MAX_SERVICE_DURATION`]; the default is 5 seconds.
    pub start_timeout: Duration,
    /// Whether events about the service are emitted.
    pub telemetry: Toggle,
    /// Whether the service is asked what it uses.
    pub resource_monitoring: Toggle,
    /// What else the service wants to be told; at most [`MAX_EXTRA_KEYS`] keys.
    pub extra: Metadata,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            health_check_interval: Some(Duration::from_secs(30)),
            graceful_shutdown_timeout: Duration::from_secs(10),
            start_timeout: Duration::from_secs(5),
            telemetry: Toggle::On,
            resource_monitoring: Toggle::On,
            extra: Metadata::new(),
        }
    }
}

impl ServiceConfig {
    /// Says whether every value is in its range.
    ///
    /// # Errors
    /// The first that is not.
    pub fn validate(&self) -> Result<(), InvalidServiceConfig> {
        let durations = [
            ("health_check_interval", self.health_check_interval.unwrap_or(MAX_SERVICE_DURATION), Zero::Refused),
            ("graceful_shutdown_timeout", self.graceful_shutdown_timeout, Zero::Allowed),
            ("start_timeout", self.start_timeout, Zero::Refused),
        ];
        for (field, duration, zero) in durations {
            if zero == Zero::Refused && duration.is_zero() {
                return Err(InvalidServiceConfig::Zero { field });
            }
            if duration > MAX_SERVICE_DURATION {
                return Err(InvalidServiceConfig::TooLong { field, duration });
            }
        }
        let keys = self.extra.len();
        if keys > MAX_EXTRA_KEYS { Err(InvalidServiceConfig::TooManyKeys { keys }) } else { Ok(()) }
    }
}

#[derive(PartialEq)]
enum Zero {
    Allowed,
    Refused,
}

/// What is to become different in a [`ServiceConfig`]; everything else stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceConfigPatch {
    health_check_interval: Change<Option<Duration>>,
    graceful_shutdown_timeout: Option<Duration>,
    start_timeout: Option<Duration>,
    telemetry: Option<Toggle>,
    resource_monitoring: Option<Toggle>,
    extra: Metadata,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Change<T> {
    #[default]
    Stays,
    To(T),
}

impl ServiceConfigPatch {
    /// A patch that changes nothing.
    pub const fn new() -> Self {
        Self {
            health_check_interval: Change::Stays,
            graceful_shutdown_timeout: None,
            start_timeout: None,
            telemetry: None,
            resource_monitoring: None,
            extra: Metadata::new(),
        }
    }

    /// Sets how often the health is checked, from the next check on; `None` for never.
    pub fn health_check_interval(mut self, interval: Option<Duration>) -> Self {
        self.health_check_interval = Change::To(interval);
        self
    }

    /// Sets how long the service has to stop.
    pub fn graceful_shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.graceful_shutdown_timeout = Some(timeout);
        self
    }

    /// Sets how long the service has to answer to a change of its configuration.
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = Some(timeout);
        self
    }

    /// Sets whether events about the service are emitted.
    pub fn telemetry(mut self, telemetry: Toggle) -> Self {
        self.telemetry = Some(telemetry);
        self
    }

    /// Sets whether the service is asked what it uses.
    pub fn resource_monitoring(mut self, monitoring: Toggle) -> Self {
        self.resource_monitoring = Some(monitoring);
        self
    }

    /// Lays these values over [`ServiceConfig::extra`].
    pub fn extra(mut self, extra: &Metadata) -> Self {
        self.extra.overlay(extra);
        self
    }

    /// `config` with the changes of this patch.
    pub fn apply_to(&self, config: &ServiceConfig) -> ServiceConfig {
        let mut extra = config.extra.clone();
        extra.overlay(&self.extra);
        ServiceConfig {
            health_check_interval: match self.health_check_interval {
                Change::Stays => config.health_check_interval,
                Change::To(interval) => interval,
            },
            graceful_shutdown_timeout: self.graceful_shutdown_timeout.unwrap_or(config.graceful_shutdown_timeout),
            start_timeout: self.start_timeout.unwrap_or(config.start_timeout),
            telemetry: self.telemetry.unwrap_or(config.telemetry),
            resource_monitoring: self.resource_monitoring.unwrap_or(config.resource_monitoring),
            extra,
        }
    }
}

/// Why a [`ServiceConfig`] is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidServiceConfig {
    /// A duration that must be above zero is zero.
    #[error("{field} must be above zero")]
    Zero {
        /// The field.
        field: &'static str,
    },
    /// A duration exceeds [`MAX_SERVICE_DURATION`].
    #[error("{field} is {duration:?}, more than a week")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Its value.
        duration: Duration,
    },
    /// [`ServiceConfig::extra`] has more than [`MAX_EXTRA_KEYS`] keys.
    #[error("extra has {keys} keys, limit {MAX_EXTRA_KEYS}")]
    TooManyKeys {
        /// How many it has.
        keys: usize,
    },
}
