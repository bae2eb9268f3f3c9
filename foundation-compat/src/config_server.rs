//! The original's `Foundation.Services.ConfigServer`: the service of the configuration.
//!
//! It has all of [`config`](crate::config) but two functions, and those that start, stop and inspect the service. The functions
//! act on the [global instance](crate::global), [`ConfigServer`] on any. As a part of an application that was
//! [started](crate::Foundation::start), the service is the supervisor's: when it is stopped it is started again.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use foundation_config::{Path, PendingReport};
use foundation_types::ExitReason;
use foundation_types::error::Error;
use foundation_types::inspect::Inspect;

#[cfg(doc)]
use crate::config::Config;
pub use crate::config::{CacheStats, ConfigNotification, ConfigOptions, ConfigSubscription, SubscriberId};
use crate::config::{Instance, StoppedBy};
pub use crate::config::{
    available, get, get_0, initialize, initialize_0, reset, status, updatable_paths, update, validate,
};
use crate::foundation::Foundation;
use crate::global;
use crate::lifecycle::{
    BoxError, HealthReport, Service, ServiceConfig, ServiceConfigPatch, ServiceContext, ServiceSpec,
};
use crate::types::config::FoundationConfig;

/// The original's configuration service on a given [`Foundation`]. Cheap to clone.
#[derive(Clone)]
pub struct ConfigServer {
    instance: Arc<Instance>,
}

impl From<&Foundation> for ConfigServer {
    fn from(foundation: &Foundation) -> Self {
        Self { instance: Arc::clone(foundation.configuration()) }
    }
}

impl ConfigServer {
    /// As [`Config::initialize`].
    ///
    /// # Errors
    /// As there.
    pub fn start(&self, options: &ConfigOptions) -> Result<(), Error> {
        self.instance.start(options)
    }

    /// Stops the service, if it runs: see [`config`](crate::config) for what that means. Under a supervisor it is started
    /// again.
    pub fn stop(&self) {
        self.instance.stop(StoppedBy::Caller);
    }

    /// Tells somebody of every change from now on, through a channel, on the thread that makes it and before its call
    /// returns. Does nothing if they are told already. A subscription ends with its process, or when the receiver is gone.
    ///
    /// # Errors
    /// As [`Config::subscribe`].
    pub fn subscribe(&self, id: &SubscriberId, sender: Sender<ConfigNotification>) -> Result<(), Error> {
        self.instance.subscribe_channel(id, sender)
    }

    /// Tells them no more.
    pub fn unsubscribe(&self, id: &SubscriberId) {
        self.instance.unsubscribe_channel(id);
    }

    /// As [`Config::reset_state`].
    ///
    /// # Errors
    /// As there.
    pub fn reset_state(&self) -> Result<(), Error> {
        self.instance.reset_state()
    }

    /// Makes the writes that came while the service was stopped, in the order in which they came last, each once. While it is
    /// stopped all of them are kept.
    pub fn retry_pending_updates(&self) -> PendingReport {
        self.instance.retry_pending_updates()
    }

    /// Forgets what a stopped service had, if it is too old to be read, and the writes that have waited for too long, whose
    /// paths it gives.
    pub fn cleanup_expired_cache(&self) -> Vec<Path> {
        self.instance.cleanup_expired_cache()
    }

    /// What there is for the time in which the service is stopped.
    pub fn get_cache_stats(&self) -> CacheStats {
        self.instance.cache_stats()
    }
}

impl fmt::Debug for ConfigServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConfigServer").field(&self.instance).finish()
    }
}

fn here() -> ConfigServer {
    ConfigServer::from(&global::get())
}

/// As [`initialize`].
///
/// # Errors
/// As there.
pub fn start(options: &ConfigOptions) -> Result<(), Error> {
    initialize(options)
}

/// As [`initialize_0`].
///
/// # Errors
/// As there.
pub fn start_0() -> Result<(), Error> {
    initialize_0()
}

/// As [`get_0`].
///
/// # Errors
/// As there.
pub fn get_all() -> Result<Arc<FoundationConfig>, Error> {
    get_0()
}

/// As [`config::subscribe`](crate::config::subscribe).
///
/// # Errors
/// As there.
pub fn subscribe_0() -> Result<ConfigSubscription, Error> {
    crate::config::subscribe()
}

/// Ends a subscription, as dropping it does.
pub fn unsubscribe_0(subscription: ConfigSubscription) {
    drop(subscription);
}

/// The service as the part of an application; [`Foundation::start`] has it already.
pub fn child_spec() -> ServiceSpec {
    ConfigService::spec(&global::get())
}

global::on_global! {
    ConfigServer(here()):
    fn stop();
    fn subscribe(id: &SubscriberId, sender: Sender<ConfigNotification>) -> Result<(), Error>;
    fn unsubscribe(id: &SubscriberId);
    fn reset_state() -> Result<(), Error>;
    fn retry_pending_updates() -> PendingReport;
    fn cleanup_expired_cache() -> Vec<Path>;
    fn get_cache_stats() -> CacheStats;
}

/// The configuration service of an instance, as a [`Service`].
#[derive(Clone)]
pub struct ConfigService {
    // Not the instance of Foundation, which has the supervisor that has the service.
    instance: Arc<Instance>,
}

impl ConfigService {
    /// The name of the service.
    pub const NAME: &str = "config_server";

    /// The service of this instance, to be supervised.
    pub fn spec(foundation: &Foundation) -> ServiceSpec {
        let service = Self { instance: Arc::clone(foundation.configuration()) };
        ServiceSpec::new(Self::NAME, move |_| Ok(service.clone()))
    }
}

impl Service for ConfigService {
    fn config(&self) -> ServiceConfig {
        let patch = ServiceConfigPatch::default().health_check_interval(Some(std::time::Duration::from_secs(30)));
        patch.apply_to(&ServiceConfig::default())
    }

    fn start(&self, context: &ServiceContext) -> Result<(), BoxError> {
        Ok(self.instance.start_supervised(context.pid())?)
    }

    fn check_health(&self) -> Result<HealthReport, BoxError> {
        Ok(HealthReport::of(self.instance.store().inspect().status()))
    }

    fn stop(&self, _: &ExitReason) {
        self.instance.stop(StoppedBy::Supervisor);
    }
}

impl fmt::Debug for ConfigService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConfigService").field(&self.instance).finish()
    }
}
