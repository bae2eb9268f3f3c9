//! One protected call by the old function: its layers, and what is told of it.

use std::fmt;

use foundation_breaker::{Outcome, Rejected};
use foundation_resources::pool::Checkout;
use foundation_types::error::{Classify, Domain, Error, ErrorKind};
use foundation_types::{Metadata, Name, Text, contain};

use super::circuit_breaker::CircuitBreakers;
use super::circuit_breaker::events::{self as breaker_events, Ended};
use super::connection_manager::{ConnectionManager, PoolError, Workers, checkout_result};
use super::events::{self, Stop};
use super::options::ProtectedOptions;
use super::protected::{BreakerLayer, LayerPermit};
use super::protection::ProtectionConfig;
use super::rate_limiter::RateLimiter;
use super::stopwatch::Stopwatch;
use super::{TARGET, contained};
use crate::foundation::{Breaker, Foundation};

/// Why [`execute_protected`](super::execute_protected) has no result: the error of the first layer that refused, or what the
/// operation came to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError<E> {
    /// The rate layer refused: 6001 `rate_limit_exceeded`. The operation did not run.
    #[error(transparent)]
    RateLimiter(Error),
    /// The breaker layer refused: 5004 `circuit_breaker_blown`, 5005 `circuit_breaker_not_found`, or 5009 `invalid_input` for a
    /// name that is none. The operation did not run.
    #[error(transparent)]
    CircuitBreaker(Error),
    /// The pool layer lent no worker. The operation did not run.
    #[error(transparent)]
    Pool(PoolError),
    /// The operation ran and gave this error, whatever layers it went through.
    #[error("{0}")]
    Operation(E),
    /// The operation panicked: `{:error, {:exception, …}}`.
    #[error("the operation panicked: {message}")]
    Exception {
        /// The message of the panic.
        message: Text,
    },
}

impl<E> Classify for ExecuteError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::RateLimiter(error) | Self::CircuitBreaker(error) => error.kind().clone(),
            Self::Pool(error) => error.kind(),
            Self::Operation(_) => ErrorKind::ProtectedOperationFailed,
            Self::Exception { .. } => ErrorKind::RuntimeError,
        }
    }

    fn domain(&self) -> Domain {
        match self {
            Self::RateLimiter(error) | Self::CircuitBreaker(error) => error.domain().clone(),
            Self::Pool(error) => error.domain(),
            Self::Operation(_) => Domain::Breaker,
            Self::Exception { .. } => Domain::Exception,
        }
    }

    fn context(&self) -> Metadata {
        match self {
            Self::RateLimiter(error) | Self::CircuitBreaker(error) => error.context().clone(),
            Self::Pool(error) => error.context(),
            Self::Operation(_) | Self::Exception { .. } => Metadata::new(),
        }
    }
}

impl<E: fmt::Display> ExecuteError<E> {
    /// What the event of the end says: the kind of a refusal, the text of the operation's error.
    fn reason(&self) -> Text {
        match self {
            Self::RateLimiter(error) | Self::CircuitBreaker(error) => error.kind().as_str().into(),
            Self::Pool(error) => error.kind().as_str().into(),
            Self::Operation(error) => contained::text(error),
            Self::Exception { message } => message.clone(),
        }
    }
}

/// A worker of the pool layer, if there is one.
pub(super) type Lent<'w> = Option<&'w mut Checkout<Workers>>;

/// What came of the layers below the breaker: no worker, or what the operation gave.
pub(super) type Below<T, E> = Result<Result<T, E>, PoolError>;

/// One call, from its first event to its last.
pub(super) struct ProtectedCall<'c> {
    foundation: &'c Foundation,
    key: &'c str,
    options: &'c ProtectedOptions,
    /// The configuration of the key, if it has one.
    configured: Option<(Name, ProtectionConfig)>,
    stopwatch: Stopwatch,
    is_over: bool,
}

impl<'c> ProtectedCall<'c> {
    pub(super) fn start(foundation: &'c Foundation, key: &'c str, options: &'c ProtectedOptions) -> Self {
        let stopwatch = Stopwatch::start(foundation.clock(), foundation.emitter());
        events::started(foundation.emitter(), key, options);
        let configured = Name::new(key).ok().and_then(|name| {
            let config = foundation.protections().get(&name).unwrap_or_else(|error| {
                tracing::warn!(target: TARGET, key, %error, "protection configuration could not be read");
                None
            });
            config.map(|config| (name, config))
        });
        Self { foundation, key, options, configured, stopwatch, is_over: false }
    }

    /// Runs the layers and the operation on this thread.
    pub(super) fn run<T, E: fmt::Display>(
        mut self,
        operation: impl FnOnce(Lent<'_>) -> Below<T, E>,
    ) -> Result<T, ExecuteError<E>> {
        let result = self.admitted().and_then(|breaker| {
            let stopwatch = self.now();
            let result = contain(|| {
                let permit = breaker.as_ref().admit()?;
                let result = self.with_worker(operation);
                permit.report(outcome(&result));
                Ok(result)
            });
            self.settle(breaker.as_ref(), stopwatch, result)
        });
        self.finish(result)
    }

    /// As [`run`](Self::run), without blocking.
    pub(super) async fn run_async<T, E: fmt::Display>(
        mut self,
        operation: impl AsyncFnOnce(Lent<'_>) -> Below<T, E>,
    ) -> Result<T, ExecuteError<E>> {
        let result = match self.admitted() {
            Ok(breaker) => {
                let stopwatch = self.now();
                let result = contained::polled(async {
                    let permit = breaker.as_ref().admit()?;
                    let result = self.with_worker_async(operation).await;
                    permit.report(outcome(&result));
                    Ok(result)
                });
                let result = result.await;
                self.settle(breaker.as_ref(), stopwatch, result)
            }
            Err(error) => Err(error),
        };
        self.finish(result)
    }

    /// The rate layer, and the breaker of the breaker layer.
    fn admitted<E>(&self) -> Result<Option<Breaker>, ExecuteError<E>> {
        self.check_rate().map_err(ExecuteError::RateLimiter)?;
        let Some(name) = self.options.breaker() else { return Ok(None) };
        if self.foundation.followed().is_some_and(|settings| !settings.infrastructure.circuit_breaker.enabled) {
            return Ok(None);
        }
        if let Some(breaker) = self.foundation.breakers().get(name) {
            self.note(|used| used.breaker = Some(name.clone()));
            return Ok(Some(breaker));
        }
        let error = CircuitBreakers::from(self.foundation).refuse_unknown(name, Metadata::new());
        Err(ExecuteError::CircuitBreaker(error))
    }

    fn check_rate(&self) -> Result<(), Error> {
        let Some((rule, identifier)) = self.options.rate() else { return Ok(()) };
        let config = self.configured.as_ref().map(|(_, config)| config);
        let followed = self.foundation.followed();
        let settings = followed.as_ref().map(|settings| &settings.infrastructure.rate_limiting);
        if settings.is_some_and(|settings| !settings.enabled) {
            return Ok(());
        }
        let set = settings.and_then(|settings| settings.default_rules.get(rule.as_str())?.quota());
        let quota = self.foundation.protections().quota(config, rule, set);
        self.note(|used| used.rate = Some((identifier.clone(), rule.clone())));
        let limiter = RateLimiter::from(self.foundation);
        limiter.check((identifier.clone(), rule.clone()), quota, Metadata::new()).map(drop).inspect_err(|_| {
            events::triggered(self.foundation.emitter(), rule, identifier);
        })
    }

    fn with_worker<T, E>(&self, operation: impl FnOnce(Lent<'_>) -> Below<T, E>) -> Below<T, E> {
        let Some(name) = self.options.pool() else { return operation(None) };
        let pool = self.pool(name)?;
        let mut worker = checkout_result(name, pool.checkout_timeout(self.options.checkout_timeout()))?;
        operation(Some(&mut worker))
    }

    async fn with_worker_async<T, E>(&self, operation: impl AsyncFnOnce(Lent<'_>) -> Below<T, E>) -> Below<T, E> {
        let Some(name) = self.options.pool() else { return operation(None).await };
        let pool = self.pool(name)?;
        let mut worker = checkout_result(name, pool.checkout_within(self.options.checkout_timeout()).await)?;
        operation(Some(&mut worker)).await
    }

    fn pool(&self, name: &Text) -> Result<super::connection_manager::LegacyPool, PoolError> {
        let pool = ConnectionManager::from(self.foundation).find(name)?;
        self.note(|used| used.pool = Some(name.clone()));
        Ok(pool)
    }

    fn note(&self, note: impl FnOnce(&mut super::protection::LastUsed)) {
        if let Some((key, _)) = &self.configured {
            self.foundation.protections().used(key, note);
        }
    }

    fn now(&self) -> Stopwatch {
        Stopwatch::start(self.foundation.clock(), self.foundation.emitter())
    }

    /// Emits the event of the breaker layer, if there is one, and brings the result into the form of the caller.
    fn settle<T, E: fmt::Display>(
        &self,
        breaker: Option<&Breaker>,
        stopwatch: Stopwatch,
        result: Result<Result<Below<T, E>, Rejected>, Text>,
    ) -> Result<T, ExecuteError<E>> {
        let result = match result {
            Ok(Ok(Ok(result))) => result.map_err(ExecuteError::Operation),
            Ok(Ok(Err(error))) => Err(ExecuteError::Pool(error)),
            Ok(Err(rejected)) => {
                let breakers = CircuitBreakers::from(self.foundation);
                let error = breakers.refuse(rejected.breaker.as_str(), Metadata::new(), &rejected);
                return Err(ExecuteError::CircuitBreaker(error));
            }
            Err(message) => Err(ExecuteError::Exception { message }),
        };
        if let Some(breaker) = breaker {
            let micros = || stopwatch.micros(self.foundation.clock());
            let text;
            let ended = match &result {
                Ok(_) => Ended::Success,
                Err(ExecuteError::Exception { message }) => Ended::Panic(message),
                Err(error) => {
                    text = error.reason();
                    Ended::Error(&text)
                }
            };
            let name = breaker.name().as_str();
            breaker_events::executed(self.foundation.emitter(), name, Metadata::new(), micros, &ended);
        }
        result
    }

    fn finish<T, E: fmt::Display>(&mut self, result: Result<T, ExecuteError<E>>) -> Result<T, ExecuteError<E>> {
        self.is_over = true;
        match &result {
            Ok(_) => events::stopped(self.foundation, self.key, self.stopwatch, &Stop::Success),
            Err(ExecuteError::Exception { message }) => {
                events::panicked(self.foundation, self.key, self.stopwatch, message);
            }
            Err(error) => {
                let reason = error.reason();
                events::stopped(self.foundation, self.key, self.stopwatch, &Stop::Failure(&reason));
            }
        }
        result
    }
}

impl Drop for ProtectedCall<'_> {
    /// A call that is dropped half way has ended, too.
    fn drop(&mut self) {
        if !self.is_over {
            events::stopped(self.foundation, self.key, self.stopwatch, &Stop::Failure("cancelled"));
        }
    }
}

/// What a call means to the breaker: the operation decides; that there is no worker says nothing about what is called, unless
/// one could not be made.
fn outcome<T, E>(result: &Below<T, E>) -> Outcome {
    match result {
        Ok(Ok(_)) => Outcome::Success,
        Ok(Err(_)) | Err(PoolError::WorkerFailed { .. }) => Outcome::Failure,
        Err(_) => Outcome::Ignored,
    }
}
