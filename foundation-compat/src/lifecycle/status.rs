//! How an application and its services are.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use foundation_types::{ExitReason, Health, Metadata, Pid, ServiceName, Text, Timestamp};
use serde::{Serialize, Serializer};

use super::error::names;
use super::service::Usage;
use super::spec::Phase;

/// Whether an application runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationState {
    /// It runs.
    Running,
    /// It is being shut down.
    Stopping,
    /// It was shut down.
    Stopped,
    /// It ended by itself, for this reason.
    Failed(ExitReason),
}

/// Whether a service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// It is becoming ready.
    Starting,
    /// It is ready.
    Running,
    /// It was told to stop.
    Stopping,
    /// It ended orderly, or was never started.
    Stopped,
    /// It failed, or did not become ready.
    Failed,
    /// It is switched off.
    Disabled,
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Disabled => "disabled",
        })
    }
}

/// How a service is in its own account: what its last health check said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceHealth {
    /// It has not been checked since it was started.
    #[default]
    Starting,
    /// It works as it should.
    Healthy,
    /// It works, but worse than it should.
    Degraded,
    /// It does not work as it should, or its check failed.
    Unhealthy,
    /// It was told to stop.
    Stopping,
}

impl ServiceHealth {
    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
            Self::Stopping => "stopping",
        }
    }
}

impl fmt::Display for ServiceHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How an application is; see [`Supervisor::status`](super::Supervisor::status).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ApplicationStatus {
    /// Whether it runs.
    pub state: ApplicationState,
    /// The worst of its services; healthy if there are none.
    pub status: Health,
    /// Its services.
    #[serde(serialize_with = "by_text")]
    pub services: BTreeMap<ServiceName, ServiceStatus>,
    /// Its phases, also those without a service.
    pub startup_phases: BTreeMap<Phase, PhaseStatus>,
    /// What each service depends on, in declared order.
    #[serde(serialize_with = "by_text")]
    pub dependencies: BTreeMap<ServiceName, Vec<ServiceName>>,
    /// How many are how.
    pub health_summary: HealthSummary,
}

/// How one service is. It was asked nothing for this: health and usage are those of the last check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServiceStatus {
    /// Whether it runs.
    pub status: ServiceState,
    /// Its identity while it runs.
    #[serde(serialize_with = "pid_text")]
    pub pid: Option<Pid>,
    /// For how long it has been ready, in milliseconds; zero if it does not run.
    #[serde(serialize_with = "millis")]
    pub uptime: Duration,
    /// What it used at the last check.
    #[serde(flatten)]
    pub usage: Usage,
    /// What the monitor takes it for, or else what the last check said; a service that runs and was never checked is healthy,
    /// for it said that it is ready. One that does not run is unhealthy; unknown if it is disabled.
    pub health: Health,
    /// When it was last checked.
    pub last_health_check: Option<Timestamp>,
    /// How often it was started again in its place, for whatever reason.
    pub restarts: u64,
    /// Why it last ended.
    pub last_exit: Option<ExitReason>,
}

/// The services of one phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PhaseStatus {
    /// Those that are not disabled, in the order of their start.
    pub services: Vec<ServiceName>,
    /// How many of them are healthy.
    pub healthy_count: usize,
    /// How many there are.
    pub total_count: usize,
    /// The worst of them; healthy if there are none.
    pub status: Health,
}

/// How many services are how; disabled ones do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HealthSummary {
    /// All.
    pub total_services: usize,
    /// The healthy ones.
    pub healthy: usize,
    /// The degraded ones, and those whose health is unknown.
    pub degraded: usize,
    /// The unhealthy ones, and the critical ones.
    pub unhealthy: usize,
    /// Healthy ones count fully and degraded ones half, in tenths of a percent of all; 0 if there are none.
    #[serde(rename = "health_percentage", serialize_with = "percent")]
    pub health_permille: u32,
}

impl HealthSummary {
    /// Counts.
    pub fn of(healths: impl IntoIterator<Item = Health>) -> Self {
        let mut summary = Self::default();
        for health in healths {
            summary.total_services += 1;
            match level(health) {
                Level::Healthy => summary.healthy += 1,
                Level::Degraded => summary.degraded += 1,
                Level::Unhealthy => summary.unhealthy += 1,
            }
        }
        let points = 2 * summary.healthy + summary.degraded;
        if summary.total_services > 0 {
            // Rounded to the nearest, halves up: (1000 p / 2n) + 1/2, in whole numbers.
            let permille = (1_000 * points + summary.total_services) / (2 * summary.total_services);
            summary.health_permille = u32::try_from(permille).expect("at most 1000");
        }
        summary
    }

    /// Healthy ones count fully and degraded ones half, in percent of all, rounded to one decimal; 0.0 if there are none.
    pub fn health_percentage(&self) -> f64 {
        f64::from(self.health_permille) / 10.0
    }

    /// Unhealthy if any is, else degraded if any is, else healthy.
    pub const fn overall(&self) -> Health {
        if self.unhealthy > 0 {
            Health::Unhealthy
        } else if self.degraded > 0 {
            Health::Degraded
        } else {
            Health::Healthy
        }
    }
}

enum Level {
    Healthy,
    Degraded,
    Unhealthy,
}

const fn level(health: Health) -> Level {
    match health {
        Health::Healthy => Level::Healthy,
        Health::Degraded | Health::Unknown => Level::Degraded,
        Health::Unhealthy | Health::Critical => Level::Unhealthy,
    }
}

/// The value of the health gauge: 100.0 for healthy, 50.0 for degraded, 0.0 for unhealthy.
pub const fn gauge_value(overall: Health) -> f64 {
    match level(overall) {
        Level::Healthy => 100.0,
        Level::Degraded => 50.0,
        Level::Unhealthy => 0.0,
    }
}

/// What came out of asking every service how it is; see [`Supervisor::health_check`](super::Supervisor::health_check).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HealthCheck {
    /// Unhealthy if any service is, else degraded if any is, else healthy.
    pub overall_health: Health,
    /// The services that are not disabled.
    #[serde(serialize_with = "by_text")]
    pub service_health: BTreeMap<ServiceName, CheckedHealth>,
    /// Those that are unhealthy, by name.
    pub failed_services: Vec<ServiceName>,
    /// Those that are degraded, by name.
    pub degraded_services: Vec<ServiceName>,
    /// What a person might do.
    pub recommendations: Vec<String>,
}

/// What came out of asking one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckedHealth {
    /// How it is.
    pub health: Health,
    /// How long it took to answer, in microseconds; none if it did not report its health.
    #[serde(serialize_with = "micros")]
    pub response_time: Option<Duration>,
    /// When it was asked.
    pub last_check: Timestamp,
    /// In words.
    pub details: Text,
    /// What it said besides.
    pub report: Metadata,
}

impl HealthCheck {
    pub(super) fn of(service_health: BTreeMap<ServiceName, CheckedHealth>) -> Self {
        let that_are = |wanted: fn(Level) -> bool| -> Vec<ServiceName> {
            let those = service_health.iter().filter(|(_, checked)| wanted(level(checked.health)));
            those.map(|(name, _)| name.clone()).collect()
        };
        let failed_services = that_are(|level| matches!(level, Level::Unhealthy));
        let degraded_services = that_are(|level| matches!(level, Level::Degraded));
        Self {
            overall_health: HealthSummary::of(service_health.values().map(|checked| checked.health)).overall(),
            recommendations: recommendations(&failed_services, &degraded_services),
            service_health,
            failed_services,
            degraded_services,
        }
    }
}

fn recommendations(failed: &[ServiceName], degraded: &[ServiceName]) -> Vec<String> {
    let mut texts = Vec::new();
    if !failed.is_empty() {
        texts.push(format!("{} services need immediate attention", failed.len()));
        texts.push(format!("Check logs for: {}", names(failed)));
        texts.push("Consider restarting failed services".to_owned());
    }
    if !degraded.is_empty() {
        texts.push(format!("Monitor degraded services: {}", names(degraded)));
        texts.push("Check system resources and dependencies".to_owned());
        texts.push("Consider scaling if degradation persists".to_owned());
    }
    if texts.is_empty() {
        texts.push("All services are healthy".to_owned());
    }
    texts
}

/// What a service has been through since it was started; see [`Supervisor::service_metrics`](super::Supervisor::service_metrics).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServiceMetrics {
    /// How it is in its own account.
    pub health_status: ServiceHealth,
    /// How often it was asked.
    pub health_checks: u64,
    /// How often it was unhealthy, or its check failed, panicked or took too long.
    pub health_check_failures: u64,
    /// When it was last asked.
    pub last_health_check: Option<Timestamp>,
    /// For how long it has been ready, in milliseconds.
    #[serde(rename = "uptime_ms", serialize_with = "millis")]
    pub uptime: Duration,
    /// What it uses, as it says now.
    #[serde(flatten)]
    pub usage: Usage,
    /// How many tasks it has.
    pub tasks: usize,
}

fn by_text<V: Serialize, S: Serializer>(map: &BTreeMap<ServiceName, V>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(map.iter().map(|(name, value)| (name.to_string(), value)))
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn pid_text<S: Serializer>(pid: &Option<Pid>, serializer: S) -> Result<S::Ok, S::Error> {
    match pid {
        Some(pid) => serializer.collect_str(pid),
        None => serializer.serialize_none(),
    }
}

fn whole(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(whole(duration.as_millis()))
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn micros<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => serializer.serialize_u64(whole(duration.as_micros())),
        None => serializer.serialize_none(),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference to the field")]
fn percent<S: Serializer>(permille: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(f64::from(*permille) / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_set_is_healthy_at_zero_percent() {
        let summary = HealthSummary::of([]);
        assert_eq!((summary.overall(), summary.health_percentage()), (Health::Healthy, 0.0));
        assert_eq!(HealthCheck::of(BTreeMap::new()).recommendations, ["All services are healthy"]);
    }

    #[test]
    fn degraded_services_count_half() {
        let summary = HealthSummary::of([Health::Healthy, Health::Unknown, Health::Critical]);
        assert_eq!((summary.healthy, summary.degraded, summary.unhealthy), (1, 1, 1));
        assert_eq!((summary.overall(), summary.health_percentage()), (Health::Unhealthy, 50.0));
        assert_eq!(HealthSummary::of([Health::Healthy, Health::Healthy, Health::Unhealthy]).health_permille, 667);
    }
}
