//! Asking services how they are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::{Health, Measurements, Metadata, ServiceName, Text, contain};

use super::Engine;
use crate::lifecycle::config::Toggle;
use crate::lifecycle::error::LifecycleError;
use crate::lifecycle::events::{HEALTH_CHECK_EVENT, HEALTH_CHECK_FAILED_EVENT};
use crate::lifecycle::instance::{Instance, Outcome};
use crate::lifecycle::service::{HealthReport, Usage};
use crate::lifecycle::status::{CheckedHealth, HealthCheck, ServiceHealth, ServiceMetrics};

/// A service to ask.
pub(super) struct Subject {
    pub(super) place: u64,
    name: ServiceName,
    /// `None` if it does not run.
    instance: Option<Arc<Instance>>,
    resources: Toggle,
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    Somebody,
    Monitor,
}

/// What an outcome means.
struct Finding {
    health: Health,
    /// How long it took to report a health.
    response_time: Option<Duration>,
    /// How long the check took, whatever came of it; `None` if there was none.
    took: Option<Duration>,
    details: Text,
    report: Metadata,
    usage: Usage,
    /// The status of the service in its own account.
    status: ServiceHealth,
    /// Why the check failed, if it did.
    failure: Option<Text>,
}

impl Engine {
    pub(in crate::lifecycle) fn health_check(&self) -> HealthCheck {
        let subjects = {
            let state = self.state();
            let enabled = state.slots.iter().filter(|(_, slot)| slot.is_enabled());
            enabled.map(|(&place, slot)| Subject::of(place, slot)).collect()
        };
        HealthCheck::of(self.ask(subjects, Asker::Somebody))
    }

    /// Asks all subjects at the same time, and waits for each as long as one may take.
    pub(super) fn ask(&self, subjects: Vec<Subject>, asker: Asker) -> BTreeMap<ServiceName, CheckedHealth> {
        let began = self.clock().mono();
        let deadline = began.saturating_add(self.options.health.timeout);
        let under_way: Vec<_> = subjects
            .into_iter()
            .map(|subject| {
                let probe = subject.instance.as_ref().map(|instance| instance.probe(subject.resources));
                (subject, probe)
            })
            .collect();
        let mut found = BTreeMap::new();
        for (subject, probe) in under_way {
            let outcome = probe.map_or(Outcome::NotRunning, |probe| probe.wait(self.clock(), deadline));
            let finding = Finding::of(outcome, self.options.health.timeout);
            self.note(&subject, &finding, asker);
            found.insert(
                subject.name,
                CheckedHealth {
                    health: finding.health,
                    response_time: finding.response_time,
                    last_check: self.common.clock.wall(),
                    details: finding.details,
                    report: finding.report,
                },
            );
        }
        found
    }

    /// Counts a check in the account of the run that it was about, and tells of it.
    fn note(&self, subject: &Subject, finding: &Finding, asker: Asker) {
        // A run that ended before it was asked has no account any more.
        let (Some(instance), Some(took)) = (&subject.instance, finding.took) else { return };
        let wall = self.common.clock.wall();
        let telemetry = {
            let mut state = self.state();
            let slot = state.slots.get_mut(&subject.place);
            let is_current =
                |slot: &&mut super::Slot| slot.instance.as_ref().is_some_and(|current| Arc::ptr_eq(current, instance));
            let Some(slot) = slot.filter(is_current) else { return };
            let run = &mut slot.run;
            run.checks += 1;
            run.failures += u64::from(finding.failure.is_some());
            if run.health != ServiceHealth::Stopping {
                run.health = finding.status;
            }
            run.last_check = Some((wall, finding.health));
            run.usage = finding.usage;
            if asker == Asker::Monitor {
                run.watch.take(finding.health, &self.options.health);
            }
            run.config.telemetry
        };
        if !telemetry.is_on() {
            return;
        }
        let service = || subject.name.to_string();
        self.common.emitter.emit(&HEALTH_CHECK_EVENT, || {
            let result = match (&finding.failure, finding.status) {
                (Some(_), _) => "failure",
                (None, ServiceHealth::Degraded) => "degraded",
                (None, _) => "success",
            };
            let nanos = i64::try_from(took.as_nanos()).unwrap_or(i64::MAX);
            let metadata = Metadata::new().with("service", service()).with("result", result);
            (Measurements::new().with("duration", nanos), metadata)
        });
        if let Some(reason) = &finding.failure {
            self.common.emitter.emit(&HEALTH_CHECK_FAILED_EVENT, || {
                (Measurements::one(), Metadata::new().with("service", service()).with("reason", reason.clone()))
            });
        }
    }

    pub(in crate::lifecycle) fn service_metrics(&self, name: &ServiceName) -> Result<ServiceMetrics, LifecycleError> {
        let (instance, resources) = {
            let state = self.state();
            let slot = state.slot(name)?;
            (slot.instance.clone(), slot.run.config.resource_monitoring)
        };
        let service = instance.as_ref().filter(|_| resources.is_on()).and_then(|instance| instance.service());
        // The value may be dropped in here, if the service has been stopped meanwhile.
        let usage = service.and_then(|service| contain(move || service.usage()).ok()).unwrap_or_default();
        let tasks = instance.map_or(0, |instance| instance.body.live_tasks());
        let now = self.clock().mono();
        let state = self.state();
        let slot = state.slot(name)?;
        Ok(ServiceMetrics {
            health_status: slot.run.health,
            health_checks: slot.run.checks,
            health_check_failures: slot.run.failures,
            last_health_check: slot.run.last_check.map(|(at, _)| at),
            uptime: slot.uptime(now),
            usage,
            tasks,
        })
    }
}

impl Subject {
    pub(super) fn of(place: u64, slot: &super::Slot) -> Self {
        Self {
            place,
            name: slot.spec.name.clone(),
            instance: slot.live().cloned(),
            resources: slot.run.config.resource_monitoring,
        }
    }
}

impl Finding {
    fn of(outcome: Outcome, timeout: Duration) -> Self {
        let bad = |health, took, details: String, reason: Text| Self {
            health,
            response_time: None,
            took,
            details: details.into(),
            report: Metadata::new(),
            usage: Usage::default(),
            status: ServiceHealth::Unhealthy,
            failure: Some(reason),
        };
        match outcome {
            Outcome::Reported { report, took, usage } => Self::reported(&report, took, usage),
            Outcome::Failed { error, took } => {
                bad(Health::Degraded, Some(took), format!("Health check returned error: {error}"), error)
            }
            Outcome::Crashed { message, took } => {
                bad(Health::Unhealthy, Some(took), format!("Health check failed: {message}"), message)
            }
            Outcome::TimedOut => {
                let reason = Text::from_static("timeout");
                bad(Health::Degraded, Some(timeout), "Health check timed out".to_owned(), reason)
            }
            Outcome::NotRunning => {
                let reason = Text::from_static("not running");
                bad(Health::Unhealthy, None, "Service process not found".to_owned(), reason)
            }
        }
    }

    fn reported(report: &HealthReport, took: Duration, usage: Usage) -> Self {
        let (details, response_time) = match report.health() {
            Some(_) => ("Health check successful", Some(took)),
            None => ("Service alive but doesn't support health checks", None),
        };
        let health = report.health().unwrap_or(Health::Healthy);
        let (status, failure) = match health {
            Health::Healthy => (ServiceHealth::Healthy, None),
            Health::Degraded | Health::Unknown => (ServiceHealth::Degraded, None),
            Health::Unhealthy | Health::Critical => (ServiceHealth::Unhealthy, Some(Text::from_static("unhealthy"))),
        };
        Self {
            health,
            response_time,
            took: Some(took),
            details: Text::from_static(details),
            report: report.details().clone(),
            usage,
            status,
            failure,
        }
    }
}
