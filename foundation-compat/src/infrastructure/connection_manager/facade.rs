//! The pools of an instance, by their old functions.

use std::any::type_name;
use std::fmt;
use std::time::Duration;

use foundation_resources::pool::{AddError, Checkout, CheckoutError, FindError, PoolStatus, StartError, StartInError};
use foundation_types::error::Cause;
use foundation_types::{Name, Text, contain};

use super::config::{LegacyPool, PoolConfig, invalid};
use super::error::{ConnectionError, PoolError, PoolNotFound, StartPoolError};
use super::events;
use super::worker::Workers;
use crate::foundation::Foundation;
use crate::infrastructure::{TARGET, contained};

/// How long a caller waits for a worker unless told otherwise.
pub const DEFAULT_CHECKOUT_TIMEOUT: Duration = Duration::from_secs(5);

/// The original's connection manager on a given [`Foundation`]: the pools of [`Foundation::pools`], under the old names. Cheap
/// to clone.
///
/// There is no process between a caller and its pool: operations run on the caller's thread, any number at a time, and pools
/// know nothing of each other.
#[derive(Clone)]
pub struct ConnectionManager {
    foundation: Foundation,
}

impl ConnectionManager {
    /// Makes the first workers and starts a pool.
    ///
    /// # Errors
    /// [`StartPoolError`]; the workers made until then have been retired.
    pub fn start_pool(&self, name: &str, config: &PoolConfig) -> Result<LegacyPool, StartPoolError> {
        let started = self.try_start(name, config);
        match &started {
            Ok(_) => {
                events::started(self.foundation.emitter(), name, || config.to_metadata());
                tracing::info!(target: TARGET, pool = name, "connection pool started");
            }
            Err(error) => tracing::error!(target: TARGET, pool = name, %error, "connection pool could not be started"),
        }
        started
    }

    fn try_start(&self, name: &str, config: &PoolConfig) -> Result<LegacyPool, StartPoolError> {
        let checked = Name::new(name)?;
        if self.foundation.is_shut_down() {
            return Err(StartPoolError::Closed);
        }
        let builder = config.builder(&self.foundation);
        let started = self.foundation.pools().start(checked.clone(), builder).map_err(|error| match error {
            StartInError::Add(AddError::AlreadyExists { name }) => StartPoolError::AlreadyExists { name: name.into() },
            StartInError::Start(StartError::Options(error)) => invalid(error),
            StartInError::Start(StartError::Create(cause)) => {
                StartPoolError::WorkerFailed { name: Text::from(name), cause: cause.into() }
            }
            _ => StartPoolError::TooManyPools,
        })?;
        if self.foundation.is_shut_down() {
            // The shutdown may have looked before this pool was there.
            let _ = self.foundation.pools().remove(&checked);
            return Err(StartPoolError::Closed);
        }
        Ok(started)
    }

    /// Stops a pool: idle workers go now, those that are out when they come back, and who waits is sent away. The name is free
    /// at once.
    ///
    /// # Errors
    /// [`PoolNotFound`].
    pub fn stop_pool(&self, name: &str) -> Result<(), PoolNotFound> {
        let removed = Name::new(name).ok().and_then(|name| self.foundation.pools().remove(&name).ok());
        removed.ok_or_else(|| PoolNotFound { name: name.into() })?;
        events::stopped(self.foundation.emitter(), name);
        tracing::info!(target: TARGET, pool = name, "connection pool stopped");
        Ok(())
    }

    /// Lends a worker to an operation, for which it waits at most `timeout` long; [`Duration::MAX`] is however long it takes,
    /// and zero not at all. The operation itself has no time limit.
    ///
    /// The worker goes back however the operation ends; after a panic it is retired. The type of the workers is that of the
    /// factory, and the operation has to name it.
    ///
    /// # Errors
    /// [`ConnectionError::Pool`] without running the operation; [`ConnectionError::Operation`] with its error;
    /// [`ConnectionError::Panicked`].
    pub fn with_connection<W: 'static, T, E>(
        &self,
        name: &str,
        operation: impl FnOnce(&mut W) -> Result<T, E>,
        timeout: Duration,
    ) -> Result<T, ConnectionError<E>> {
        let pool = self.find(name)?;
        let worker = checkout_result(name, pool.checkout_timeout(timeout))?;
        let result = contain(move || {
            // In here, so that a panic finds it on the stack and the pool learns of it.
            let mut worker = worker;
            typed::<W>(name, &mut worker).map(operation)
        });
        ended(name, result)
    }

    /// As [`with_connection`](Self::with_connection), waiting at most five seconds for a worker.
    ///
    /// # Errors
    /// As there.
    pub fn with_connection_2<W: 'static, T, E>(
        &self,
        name: &str,
        operation: impl FnOnce(&mut W) -> Result<T, E>,
    ) -> Result<T, ConnectionError<E>> {
        self.with_connection(name, operation, DEFAULT_CHECKOUT_TIMEOUT)
    }

    /// As [`with_connection`](Self::with_connection), without blocking.
    ///
    /// # Errors
    /// As [`with_connection`](Self::with_connection).
    ///
    /// # Cancel safety
    /// Dropped at any point it gives back its place in line, or the worker, which then is none the worse for it.
    pub async fn with_connection_async<W: 'static, T, E>(
        &self,
        name: &str,
        operation: impl AsyncFnOnce(&mut W) -> Result<T, E>,
        timeout: Duration,
    ) -> Result<T, ConnectionError<E>> {
        let pool = self.find(name)?;
        let worker = checkout_result(name, pool.checkout_within(timeout).await)?;
        let result = contained::polled(async move {
            // In here, so that a panic finds it on the stack and the pool learns of it.
            let mut worker = worker;
            match typed::<W>(name, &mut worker) {
                Ok(worker) => Ok(operation(worker).await),
                Err(error) => Err(error),
            }
        });
        ended(name, result.await)
    }

    /// The figures of a pool.
    ///
    /// # Errors
    /// [`PoolNotFound`].
    pub fn get_pool_status(&self, name: &str) -> Result<PoolStatus, PoolNotFound> {
        let status = Name::new(name).ok().and_then(|name| self.foundation.pools().status(&name).ok());
        status.ok_or_else(|| PoolNotFound { name: name.into() })
    }

    /// The names of all pools, in order.
    pub fn list_pools(&self) -> Vec<Name> {
        self.foundation.pools().names()
    }

    pub(crate) fn find(&self, name: &str) -> Result<LegacyPool, PoolError> {
        let found = Name::new(name).ok().map(|name| self.foundation.pools().get(&name));
        match found {
            Some(Ok(pool)) => Ok(pool),
            Some(Err(FindError::WrongType { wanted, .. })) => Err(PoolError::WrongWorker { name: name.into(), wanted }),
            Some(Err(_)) | None => Err(PoolError::NotFound { name: name.into() }),
        }
    }
}

/// The worker as the type that the operation takes.
pub(crate) fn typed<'w, W: 'static>(name: &str, worker: &'w mut Checkout<Workers>) -> Result<&'w mut W, PoolError> {
    // Through the box: the guard has a type of its own.
    let worker: &mut super::Worker = worker;
    worker.downcast_mut().ok_or_else(|| PoolError::WrongWorker { name: name.into(), wanted: type_name::<W>() })
}

pub(crate) fn checkout_result(
    name: &str,
    result: Result<Checkout<Workers>, CheckoutError<Cause>>,
) -> Result<Checkout<Workers>, PoolError> {
    result.map_err(|error| {
        let name = Text::from(name);
        match error {
            CheckoutError::Timeout { waited } => PoolError::CheckoutTimeout { name, waited },
            CheckoutError::Create(cause) => PoolError::WorkerFailed { name, cause: cause.into() },
            CheckoutError::Closed => PoolError::Closed { name },
            _ => PoolError::TooManyWaiting { name },
        }
    })
}

fn ended<T, E>(name: &str, result: Result<Result<Result<T, E>, PoolError>, Text>) -> Result<T, ConnectionError<E>> {
    match result {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(error))) => {
            tracing::error!(target: TARGET, pool = name, "operation on a connection failed");
            Err(ConnectionError::Operation(error))
        }
        Ok(Err(error)) => Err(ConnectionError::Pool(error)),
        Err(message) => {
            tracing::warn!(target: TARGET, pool = name, %message, "connection lost: the operation on it panicked");
            Err(ConnectionError::Panicked { message })
        }
    }
}

impl From<&Foundation> for ConnectionManager {
    /// The connection manager of an instance.
    fn from(foundation: &Foundation) -> Self {
        Self { foundation: foundation.clone() }
    }
}

impl fmt::Debug for ConnectionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionManager").field("pools", self.foundation.pools()).finish_non_exhaustive()
    }
}
