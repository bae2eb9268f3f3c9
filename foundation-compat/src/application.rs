//! The original's `Foundation.Application`: the global instance as a running application.
//!
//! For an instance of one's own the same is in [`Foundation::start`], [`Foundation::running`] and [`Foundation::shutdown`].

use foundation_types::{Pid, ServiceName};

use crate::foundation::{Foundation, FoundationBuilder, StartError};
use crate::global;
use crate::lifecycle::{ApplicationStatus, HealthCheck, LifecycleError, ShutdownReport};

#[cfg(feature = "agent")]
pub use crate::foundation::AgentFeatures;

/// Makes an instance of these options, starts its services and makes it the global one. Started again after [`stop`], it is
/// another instance, with nothing of the former.
///
/// # Errors
/// The error of [`FoundationBuilder::start`]; [`LifecycleError::AlreadyStarted`] if there is a global instance that has not
/// been shut down. Nothing has changed then.
pub fn start(options: FoundationBuilder) -> Result<Foundation, StartError> {
    let foundation = options.build()?;
    // Before its services run, so that they find themselves in it.
    global::install(foundation.clone()).map_err(|_| LifecycleError::AlreadyStarted)?;
    match foundation.start() {
        Ok(()) => Ok(foundation),
        Err(error) => {
            foundation.shutdown();
            Err(error.into())
        }
    }
}

/// Shuts an instance down; see [`Foundation::shutdown`].
#[expect(clippy::needless_pass_by_value, reason = "whoever stops it has no further use for it")]
pub fn stop(foundation: Foundation) -> ShutdownReport {
    foundation.shutdown()
}

/// How the application and its services are, as far as is known without asking them.
///
/// # Errors
/// [`LifecycleError::NotStarted`], [`LifecycleError::Stopped`].
pub fn get_application_status() -> Result<ApplicationStatus, LifecycleError> {
    Ok(global::get().running()?.status())
}

/// Asks every service how it is; see [`Supervisor::health_check`](crate::lifecycle::Supervisor::health_check).
///
/// # Errors
/// [`LifecycleError::NotStarted`], [`LifecycleError::Stopped`].
pub fn health_check() -> Result<HealthCheck, LifecycleError> {
    Ok(global::get().running()?.health_check())
}

/// Stops a service, if it runs, and starts it anew.
///
/// # Errors
/// As [`Supervisor::restart_service`](crate::lifecycle::Supervisor::restart_service); [`LifecycleError::NotStarted`].
pub fn restart_service(name: &ServiceName) -> Result<Pid, LifecycleError> {
    global::get().running()?.restart_service(name)
}

/// Switches optional services off.
///
/// # Errors
/// As [`Supervisor::disable_services`](crate::lifecycle::Supervisor::disable_services); [`LifecycleError::NotStarted`].
pub fn disable_services(names: &[ServiceName]) -> Result<(), LifecycleError> {
    global::get().running()?.disable_services(names)
}

/// Switches optional services on.
///
/// # Errors
/// As [`Supervisor::enable_services`](crate::lifecycle::Supervisor::enable_services); [`LifecycleError::NotStarted`].
pub fn enable_services(names: &[ServiceName]) -> Result<(), LifecycleError> {
    global::get().running()?.enable_services(names)
}

/// Switches all agent features of the global instance on or off, at once and without loss, and returns what they were: the
/// original's setting `agent_features_enabled`. See [`Foundation::set_agent_features`].
#[cfg(feature = "agent")]
pub fn set_agent_features_enabled(features: AgentFeatures) -> AgentFeatures {
    global::get().set_agent_features(features)
}
