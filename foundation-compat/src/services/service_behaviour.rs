//! The original's `Foundation.Services.ServiceBehaviour`, as far as it is functions: the account of the health checks of one
//! service. The behaviour itself is the trait [`Service`](crate::lifecycle::Service), whose supervisor keeps this account.
//!
//! ```
//! use std::time::Duration;
//! use foundation_compat::Health;
//! use foundation_compat::lifecycle::Usage;
//! use foundation_compat::services::service_behaviour::{
//!     calculate_current_metrics, initialize_metrics, update_health_metrics,
//! };
//!
//! let checks = [Health::Healthy, Health::Unhealthy, Health::Degraded];
//! let metrics = checks.into_iter().fold(initialize_metrics(), update_health_metrics);
//! let metrics = calculate_current_metrics(metrics, Duration::from_secs(5), Usage::default().queue(3));
//! assert_eq!((metrics.health_checks, metrics.health_check_failures), (3, 1));
//! assert_eq!((metrics.uptime, metrics.usage.queue_len), (Duration::from_secs(5), Some(3)));
//! ```

use std::time::Duration;

use foundation_types::Health;

use crate::lifecycle::{ServiceHealth, ServiceMetrics, Usage};

/// The account of a service that has just been started: no checks, no time, nothing known about what it uses.
pub const fn initialize_metrics() -> ServiceMetrics {
    ServiceMetrics {
        health_status: ServiceHealth::Starting,
        health_checks: 0,
        health_check_failures: 0,
        last_health_check: None,
        uptime: Duration::ZERO,
        usage: Usage { memory_bytes: None, queue_len: None },
        tasks: 0,
    }
}

/// The account with one more check, that found the service so.
///
/// An unhealthy or critical service counts as a failure, and so does a check that gave an error or panicked, which has found
/// it unhealthy. An unknown health is a degraded one. A service that is stopping stays so, whatever the check says.
pub const fn update_health_metrics(metrics: ServiceMetrics, health: Health) -> ServiceMetrics {
    let found = match health {
        Health::Healthy => ServiceHealth::Healthy,
        Health::Degraded | Health::Unknown => ServiceHealth::Degraded,
        Health::Unhealthy | Health::Critical => ServiceHealth::Unhealthy,
    };
    let health_status = match metrics.health_status {
        ServiceHealth::Stopping => ServiceHealth::Stopping,
        _ => found,
    };
    let failures = match found {
        ServiceHealth::Unhealthy => 1,
        _ => 0,
    };
    ServiceMetrics {
        health_status,
        health_checks: metrics.health_checks.saturating_add(1),
        health_check_failures: metrics.health_check_failures.saturating_add(failures),
        ..metrics
    }
}

/// The account with what is true at this moment: for how long the service has been ready, and what it uses.
pub const fn calculate_current_metrics(metrics: ServiceMetrics, uptime: Duration, usage: Usage) -> ServiceMetrics {
    ServiceMetrics { uptime, usage, ..metrics }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const HEALTHS: [Health; 5] =
        [Health::Healthy, Health::Degraded, Health::Unhealthy, Health::Critical, Health::Unknown];

    #[test]
    fn a_fresh_account_is_empty() {
        let metrics = initialize_metrics();
        assert_eq!((metrics.health_status, metrics.last_health_check), (ServiceHealth::Starting, None));
        assert_eq!((metrics.health_checks, metrics.health_check_failures), (0, 0));
        assert_eq!((metrics.uptime, metrics.usage, metrics.tasks), (Duration::ZERO, Usage::default(), 0));
    }

    #[test]
    fn each_check_has_its_status_and_only_bad_ones_are_failures() {
        use ServiceHealth::{Degraded, Healthy, Unhealthy};
        let expected = [(Healthy, 0), (Degraded, 0), (Unhealthy, 1), (Unhealthy, 1), (Degraded, 0)];
        for (health, (status, failures)) in HEALTHS.into_iter().zip(expected) {
            let metrics = update_health_metrics(initialize_metrics(), health);
            assert_eq!((metrics.health_status, metrics.health_checks), (status, 1), "{health}");
            assert_eq!(metrics.health_check_failures, failures, "{health}");
        }
    }

    #[test]
    fn a_stopping_service_stays_so_and_its_checks_count() {
        let stopping = ServiceMetrics { health_status: ServiceHealth::Stopping, ..initialize_metrics() };
        let metrics = update_health_metrics(stopping, Health::Critical);
        assert_eq!((metrics.health_status, metrics.health_check_failures), (ServiceHealth::Stopping, 1));
    }

    proptest! {
        #[test]
        fn accounts_add_up(checks in prop::collection::vec(select(&HEALTHS[..]), 0..40), millis: u64, memory: u64) {
            let (uptime, usage) = (Duration::from_millis(millis), Usage::default().memory(memory));
            let metrics = checks.iter().copied().fold(initialize_metrics(), update_health_metrics);
            let current = calculate_current_metrics(metrics, uptime, usage);
            let failures = checks.iter().filter(|health| matches!(health, Health::Unhealthy | Health::Critical)).count();
            prop_assert_eq!(current.health_checks, checks.len() as u64);
            prop_assert_eq!(current.health_check_failures, failures as u64);
            prop_assert_eq!(&current, &ServiceMetrics { uptime, usage, ..metrics });
        }
    }
}
