//! The functions of the original's facade.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use foundation_breaker::{InstallError, MAX_TOLERANCE, Options};
use foundation_types::error::{Domain, Error, ErrorKind};
use foundation_types::{Metadata, Name, Value};

use super::circuit_breaker::{FuseStatus, status_of};
use super::connection_manager::{PoolError, typed};
use super::execute::{ExecuteError, Lent, ProtectedCall};
use super::options::ProtectedOptions;
use super::protection::{Invalid, ProtectionConfig, ProtectionStatus};
use super::rate_limiter::RateLimiter;
use super::record::defined;
use super::{TARGET, events};
use crate::foundation::Foundation;

/// How a breaker decides that is made by [`initialize_circuit_breaker`](super::initialize_circuit_breaker). Other names for
/// the same numbers as [`FuseOptions`](super::circuit_breaker::FuseOptions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerConfig {
    /// How many failures are tolerated, 1 to [`MAX_TOLERANCE`]: the one after them opens the circuit. 5 by default.
    pub failure_threshold: u32,
    /// How long a failure counts, and how long the circuit stays open; above zero. 30 seconds by default.
    pub recovery_time: Duration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { failure_threshold: 5, recovery_time: Duration::from_secs(30) }
    }
}

/// The original's `Foundation.Infrastructure` on a given [`Foundation`]. Cheap to clone.
#[derive(Clone)]
pub struct Infrastructure {
    foundation: Foundation,
}

impl Infrastructure {
    /// Says that the infrastructure is ready, which it is from the start. Repeatable.
    ///
    /// # Errors
    /// `infrastructure_init_failed` after the shutdown of the instance.
    pub fn initialize_all_infra_components(&self) -> Result<(), Error> {
        if self.foundation.is_shut_down() {
            return Err(self.error(ErrorKind::InfrastructureInitFailed).with_context("exception", "shut down"));
        }
        events::initialized(self.foundation.emitter());
        Ok(())
    }

    /// Whether breakers and limiter are there: until the shutdown of the instance. Never fails.
    pub fn get_infrastructure_status(&self) -> InfrastructureStatus {
        let runs = !self.foundation.is_shut_down();
        InfrastructureStatus {
            fuse: if runs { FuseServer::Running } else { FuseServer::NotStarted },
            hammer: if runs { HammerServer::Configured } else { HammerServer::NotConfigured },
            timestamp: self.foundation.clock().wall().as_micros().div_euclid(1_000),
        }
    }

    /// Makes a breaker that does not exist yet. Of several calls at once for one name exactly one succeeds.
    ///
    /// # Errors
    /// In this order: 5015 `invalid_name`; 5016 `invalid_configuration` if the threshold, then if the recovery time is out of
    /// range; 5017 `already_exists`, with `status` `blown` in its context if the breaker does not let calls through; 5019
    /// `circuit_breaker_init_failed` if there are as many breakers as there may be.
    pub fn initialize_circuit_breaker(&self, name: &str, config: BreakerConfig) -> Result<(), Error> {
        let fail = |kind| self.breaker_error(kind).with_context("name", name);
        let checked =
            Name::new(name).map_err(|error| fail(ErrorKind::InvalidName).with_context("reason", error.to_string()))?;
        let BreakerConfig { failure_threshold, recovery_time } = config;
        if !(1..=MAX_TOLERANCE).contains(&failure_threshold) {
            return Err(fail(ErrorKind::InvalidConfiguration).with_context("failure_threshold", failure_threshold));
        }
        let options = Options::fuse(failure_threshold, recovery_time, recovery_time)
            .map_err(|error| fail(ErrorKind::InvalidConfiguration).with_context("recovery_time", error.to_string()))?;
        match self.foundation.breakers().try_install(&checked, options) {
            Ok(_) => {
                tracing::info!(target: TARGET, breaker = name, failure_threshold, ?recovery_time, "circuit breaker initialized");
                Ok(())
            }
            Err(InstallError::AlreadyExists(_)) => {
                let breaker = self.foundation.breakers().get(name);
                let is_blown = breaker.is_some_and(|breaker| status_of(&breaker) == FuseStatus::Blown);
                let error = fail(ErrorKind::AlreadyExists);
                Err(if is_blown { error.with_context("status", "blown") } else { error })
            }
            Err(other) => Err(fail(ErrorKind::CircuitBreakerInitFailed).with_context("fuse_reason", other.to_string())),
        }
    }

    /// As [`initialize_circuit_breaker`](Self::initialize_circuit_breaker) with the default configuration, which is that of
    /// the settings where the instance [follows](crate::FoundationBuilder::follow_settings) them.
    ///
    /// # Errors
    /// As there.
    pub fn initialize_circuit_breaker_1(&self, name: &str) -> Result<(), Error> {
        let set = self.foundation.followed().map(|settings| {
            let defaults = &settings.infrastructure.circuit_breaker.default_config;
            BreakerConfig {
                failure_threshold: u32::try_from(defaults.failure_threshold).unwrap_or(u32::MAX),
                recovery_time: Duration::from_millis(defaults.recovery_time),
            }
        });
        self.initialize_circuit_breaker(name, set.unwrap_or_default())
    }

    /// Runs an operation behind the layers that the options name, in the order limiter, breaker, pool. The first refusal ends
    /// the call.
    ///
    /// - The limiter goes by the quota that is [configured](Self::configure_protection) for `key`, or else by the
    ///   [rule](super::protection::RateRules) of the instance, or else by 100 a minute. What it has counted stays counted when a
    ///   later layer refuses.
    /// - The breaker must exist. It counts `Err` and panics of the operation as failures, and a worker that could not be made;
    ///   that the pool had none to lend counts as nothing.
    /// - With a pool, a worker is held while the operation runs. [`execute_protected_with_connection`](
    ///   Self::execute_protected_with_connection) gives it to the operation, too.
    ///
    /// # Errors
    /// [`ExecuteError`]. Panics of the operation are among them; none gets past.
    pub fn execute_protected<T, E: fmt::Display>(
        &self,
        key: &str,
        options: &ProtectedOptions,
        operation: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, ExecuteError<E>> {
        ProtectedCall::start(&self.foundation, key, options).run(|_| Ok(operation()))
    }

    /// As [`execute_protected`](Self::execute_protected), for an operation that takes a worker of the pool that the options
    /// name.
    ///
    /// # Errors
    /// As there; [`PoolError::NotFound`] also if the options name no pool, and [`PoolError::WrongWorker`] if its workers are of
    /// another type.
    pub fn execute_protected_with_connection<W: 'static, T, E: fmt::Display>(
        &self,
        key: &str,
        options: &ProtectedOptions,
        operation: impl FnOnce(&mut W) -> Result<T, E>,
    ) -> Result<T, ExecuteError<E>> {
        let call = ProtectedCall::start(&self.foundation, key, options);
        call.run(|lent| Ok(operation(worker_of(options, lent)?)))
    }

    /// As [`execute_protected`](Self::execute_protected), without blocking: the layers are asked when this is first polled.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Dropped at any point it gives back its place in line, the worker and the place of a probe, counts as nothing for the
    /// breaker, and the event of its end says `cancelled`.
    pub async fn execute_protected_async<T, E, F>(
        &self,
        key: &str,
        options: &ProtectedOptions,
        operation: impl FnOnce() -> F,
    ) -> Result<T, ExecuteError<E>>
    where
        E: fmt::Display,
        F: Future<Output = Result<T, E>>,
    {
        let call = ProtectedCall::start(&self.foundation, key, options);
        call.run_async(async |_: Lent<'_>| Ok(operation().await)).await
    }

    /// As [`execute_protected_with_connection`](Self::execute_protected_with_connection), without blocking.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As [`execute_protected_async`](Self::execute_protected_async).
    pub async fn execute_protected_with_connection_async<W: 'static, T, E: fmt::Display>(
        &self,
        key: &str,
        options: &ProtectedOptions,
        operation: impl AsyncFnOnce(&mut W) -> Result<T, E>,
    ) -> Result<T, ExecuteError<E>> {
        let call = ProtectedCall::start(&self.foundation, key, options);
        call.run_async(async |lent: Lent<'_>| Ok(operation(worker_of(options, lent)?).await)).await
    }

    /// Stores how calls with a key are protected: a map with the sections that [`ProtectionConfig`] lists. It makes no breaker
    /// and no pool.
    ///
    /// # Errors
    /// Domain `infrastructure`, and nothing is changed: `invalid_name` if the key is no valid [`Name`]; then, in this order,
    /// `invalid_config_format` if the configuration is no map, `missing_required_keys`, `invalid_circuit_breaker_config`,
    /// `invalid_rate_limiter_config`, `invalid_connection_pool_config`; or the error of the store.
    pub fn configure_protection(&self, key: &str, config: impl Into<Value>) -> Result<(), Error> {
        let result = self.try_configure(key, config.into());
        match &result {
            Ok(()) => tracing::info!(target: TARGET, key, "protection configured"),
            Err(error) => tracing::warn!(target: TARGET, key, %error, "protection configuration refused"),
        }
        result
    }

    fn try_configure(&self, key: &str, config: Value) -> Result<(), Error> {
        let key = Name::new(key).map_err(|error| {
            let error = self.error(ErrorKind::InvalidName).with_context("reason", error.to_string());
            error.with_context("protection_key", key)
        })?;
        let config = ProtectionConfig::check(config).map_err(|Invalid { kind, context }| {
            self.error(kind).with_context_map(context).with_context("protection_key", &key)
        })?;
        self.foundation.protections().put(&key, config.into_metadata())
    }

    /// The configuration of a key, as it was given.
    ///
    /// # Errors
    /// `not_found`; or the error of the store.
    pub fn get_protection_config(&self, key: &str) -> Result<Metadata, Error> {
        self.configured(key).map(|(_, config)| config.into_metadata())
    }

    /// The configuration of a key with its numbers, to make a breaker or a pool by: storing it makes none.
    ///
    /// # Errors
    /// As [`get_protection_config`](Self::get_protection_config).
    pub fn protection(&self, key: &str) -> Result<ProtectionConfig, Error> {
        self.configured(key).map(|(_, config)| config)
    }

    /// How the layers are that a key was last used with.
    ///
    /// # Errors
    /// `not_found` if the key is not configured; or the error of the store.
    pub fn get_protection_status(&self, key: &str) -> Result<ProtectionStatus, Error> {
        let (key, _) = self.configured(key)?;
        let used = self.foundation.protections().last_used(&key);
        let breaker = used.breaker.and_then(|name| self.foundation.breakers().get(&name));
        let pool = used.pool.and_then(|name| Name::new(&name).ok());
        Ok(ProtectionStatus {
            circuit_breaker: breaker.as_ref().map(status_of),
            rate_limiter: used
                .rate
                .map(|(entity, operation)| RateLimiter::from(&self.foundation).status_of(entity, operation)),
            connection_pool: pool.and_then(|name| self.foundation.pools().status(&name).ok()),
        })
    }

    /// All keys that are configured, in order; none if the store fails.
    pub fn list_protection_keys(&self) -> Vec<Name> {
        let mut keys = self.foundation.protections().keys().unwrap_or_default();
        keys.sort();
        keys
    }

    fn configured(&self, key: &str) -> Result<(Name, ProtectionConfig), Error> {
        if let Ok(name) = Name::new(key)
            && let Some(config) = self.foundation.protections().get(&name)?
        {
            return Ok((name, config));
        }
        Err(self.error(ErrorKind::NotFound).with_context("protection_key", key))
    }

    fn error(&self, kind: ErrorKind) -> Error {
        defined(self.foundation.clock(), Domain::Infrastructure, kind)
    }

    fn breaker_error(&self, kind: ErrorKind) -> Error {
        defined(self.foundation.clock(), Domain::Breaker, kind)
    }
}

fn worker_of<'w, W: 'static>(options: &ProtectedOptions, lent: Lent<'w>) -> Result<&'w mut W, PoolError> {
    let name = options.pool().cloned().unwrap_or_default();
    match lent {
        Some(worker) => typed(&name, worker),
        None => Err(PoolError::NotFound { name }),
    }
}

impl From<&Foundation> for Infrastructure {
    /// The infrastructure of an instance.
    fn from(foundation: &Foundation) -> Self {
        Self { foundation: foundation.clone() }
    }
}

impl fmt::Debug for Infrastructure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Infrastructure").field("foundation", &self.foundation).finish()
    }
}

/// What the original tells of its infrastructure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InfrastructureStatus {
    /// The breakers.
    pub fuse: FuseServer,
    /// The limiter.
    pub hammer: HammerServer,
    /// When that was so: milliseconds since the Unix epoch.
    pub timestamp: i64,
}

/// Whether there are breakers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FuseServer {
    /// There are: `running`.
    Running,
    /// The instance was shut down: `not_started`.
    NotStarted,
}

/// Whether there is a limiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HammerServer {
    /// There is: `configured`.
    Configured,
    /// The instance was shut down: `not_configured`.
    NotConfigured,
}
