//! The events of the engine.

use foundation_types::{EventName, event_name};

/// A service has become ready. Measures `count` 1, with `service`, `health_status`, `namespace`.
pub const STARTED_EVENT: EventName = event_name!("foundation.service.started");
/// A service was told to stop. As [`STARTED_EVENT`].
pub const STOPPING_EVENT: EventName = event_name!("foundation.service.stopping");
/// A service has ended. As [`STARTED_EVENT`], and `reason`.
pub const STOPPED_EVENT: EventName = event_name!("foundation.service.stopped");
/// A health check was made. Measures `duration` in nanoseconds, with `service` and `result`: `success`, `degraded` or
/// `failure`.
pub const HEALTH_CHECK_EVENT: EventName = event_name!("foundation.service.health_check.duration");
/// A health check failed. Measures `count` 1, with `service` and `reason`.
pub const HEALTH_CHECK_FAILED_EVENT: EventName = event_name!("foundation.service.health_check.failures");
/// A service was restarted after it ended. Measures `count` 1, with `service`, `reason` and `restarts_in_window`.
pub const RESTARTED_EVENT: EventName = event_name!("foundation.application.service_restarted");
/// A service did not stop in time: its identity was killed, its thread runs on. Measures `count` 1, with `service` and
/// `reason`.
pub const ABANDONED_EVENT: EventName = event_name!("foundation.application.service_abandoned");
/// Services ended too often, and the application ends. Measures `count` 1, with `service`, `reason`, `max_restarts` and
/// `within_ms`.
pub const INTENSITY_EXCEEDED_EVENT: EventName = event_name!("foundation.application.intensity_exceeded");
/// A switch of the agent features changed, be it that of an optional service. Measures `count` 1, with `feature`, `old` and
/// `new`; the feature is `agent_features` for the master switch.
pub const FEATURE_CHANGED_EVENT: EventName = event_name!("foundation.application.feature_changed");
/// A round of a monitor. Measures `value` (100 healthy, 50 degraded, 0 unhealthy), with `failed_services` and
/// `degraded_services`, their numbers.
pub const HEALTH_EVENT: EventName = event_name!("foundation.application.health_percentage");
/// Services run whose dependencies do not. Measures `unmet_count`.
pub const DEPENDENCY_WARNINGS_EVENT: EventName = event_name!("foundation.application.dependency_warnings");
