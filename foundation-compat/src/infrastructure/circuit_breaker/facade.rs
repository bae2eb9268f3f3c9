//! The breakers of an instance, by their old functions.

use std::fmt;
use std::future::Future;

use foundation_breaker::{CallError, Rejected};
use foundation_types::error::{Cause, Domain, Error, ErrorKind};
use foundation_types::{Metadata, Name, Text};

use super::events::{self, Ended};
use super::options::{FuseOptions, FuseRun, FuseStatus};
use crate::foundation::{Breaker, Foundation};
use crate::infrastructure::contained::{self, Failure};
use crate::infrastructure::record::{advised, coded};
use crate::infrastructure::stopwatch::Stopwatch;

/// The original's circuit breakers on a given [`Foundation`]: the breakers of [`Foundation::breakers`], under the old names.
/// Cheap to clone.
///
/// Names are text; one that is no valid [`Name`] can have no breaker. Operations run on the caller's thread, outside every
/// lock. Their panics are caught, counted as failures, and answered as errors.
#[derive(Clone)]
pub struct CircuitBreakers {
    foundation: Foundation,
}

impl CircuitBreakers {
    /// Installs a breaker. Over one of the same name it replaces the options, forgets the failures and closes an open
    /// circuit; only one that is [disabled](Self::circuit_disable) stays so.
    ///
    /// # Errors
    /// 5002 `circuit_breaker_exception` if the name is not valid or an option is out of range; 5001
    /// `circuit_breaker_install_failed` if the name is new and there are as many breakers as there may be.
    pub fn start_fuse_instance(&self, name: &str, options: FuseOptions) -> Result<(), Error> {
        let emitter = self.foundation.emitter();
        let checked = Name::new(name).map_err(|error| error.to_string());
        let checked = checked.and_then(|name| Ok((name, options.to_core().map_err(|error| error.to_string())?)));
        let (checked, core) = checked.map_err(|exception| {
            events::install_exception(emitter, name, &exception);
            self.error(ErrorKind::CircuitBreakerException, 5002, name).with_context("exception", exception)
        })?;
        match self.foundation.breakers().install(&checked, core) {
            Ok(_) => {
                events::installed(emitter, name, &options);
                Ok(())
            }
            Err(full) => {
                let reason = full.to_string();
                events::install_failed(emitter, name, &reason);
                Err(self.error(ErrorKind::CircuitBreakerInstallFailed, 5001, name).with_context("reason", reason))
            }
        }
    }

    /// As [`start_fuse_instance`](Self::start_fuse_instance) with the default options.
    ///
    /// # Errors
    /// As there.
    pub fn start_fuse_instance_1(&self, name: &str) -> Result<(), Error> {
        self.start_fuse_instance(name, FuseOptions::default())
    }

    /// Runs an operation if the circuit lets it. Whatever it returns as `Ok` is a success, also a value that describes an
    /// error; `Err` and a panic count as failures. There is no time limit.
    ///
    /// The event of the call carries `metadata`; where a key of the breaker is in it, the breaker's value wins.
    ///
    /// # Errors
    /// 5003 `protected_operation_failed` with the error of the operation as its source and its text as `exception`; 5012, of
    /// the same kind, with `kind` `panic` and the message as `value`; 5004 `circuit_breaker_blown` if the circuit refuses,
    /// with advice when to try again; 5005 `circuit_breaker_not_found`; 5009 `invalid_input` if the name is not valid. In the
    /// last three cases the operation did not run.
    pub fn execute<T, E: Into<Cause>>(
        &self,
        name: &str,
        operation: impl FnOnce() -> Result<T, E>,
        metadata: Metadata,
    ) -> Result<T, Error> {
        let (breaker, metadata) = self.admitting(name, metadata)?;
        let stopwatch = self.stopwatch();
        let result = breaker.call(|| contained::run(|| operation().map_err(Into::into)));
        self.ended(name, metadata, stopwatch, result)
    }

    /// As [`execute`](Self::execute) without metadata.
    ///
    /// # Errors
    /// As there.
    pub fn execute_2<T, E: Into<Cause>>(
        &self,
        name: &str,
        operation: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, Error> {
        self.execute(name, operation, Metadata::new())
    }

    /// As [`execute`](Self::execute), for an operation that takes time: the circuit is asked when this is first polled, and
    /// the operation is not called before.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    ///
    /// # Cancel safety
    /// Dropped half way the call counts as nothing, and there is no event for it.
    pub async fn execute_async<T, E, F>(
        &self,
        name: &str,
        operation: impl FnOnce() -> F,
        metadata: Metadata,
    ) -> Result<T, Error>
    where
        E: Into<Cause>,
        F: Future<Output = Result<T, E>>,
    {
        let (breaker, metadata) = self.admitting(name, metadata)?;
        let stopwatch = self.stopwatch();
        let converted = || async { operation().await.map_err(Into::into) };
        let result = breaker.call_async(|| contained::run_async(converted)).await;
        self.ended(name, metadata, stopwatch, result)
    }

    /// Whether calls go through. Changes nothing and counts nothing.
    ///
    /// # Errors
    /// 5007 `circuit_breaker_not_found`; 5011 `invalid_input` if the name is not valid.
    pub fn get_status(&self, name: &str) -> Result<FuseStatus, Error> {
        let breaker = self.known(name, 5007)?;
        Ok(status_of(&breaker))
    }

    /// Closes a circuit and forgets its failures. One that is disabled stays so.
    ///
    /// # Errors
    /// 5013 `circuit_breaker_not_found`; 5011 `invalid_input` if the name is not valid.
    pub fn reset(&self, name: &str) -> Result<(), Error> {
        self.known(name, 5013)?.reset();
        events::was_reset(self.foundation.emitter(), name);
        Ok(())
    }

    /// Counts a failure that was seen elsewhere. Does nothing if there is no such breaker.
    pub fn melt(&self, name: &str) {
        if let Some(breaker) = self.foundation.breakers().get(name) {
            breaker.melt();
        }
    }

    /// Forgets a breaker. Calls under way end normally; its counters start anew when it is installed again.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        match self.foundation.breakers().remove(name) {
            Some(_) => Ok(()),
            None => Err(self.absent(name, 5013)),
        }
    }

    /// Holds a circuit open until it is [enabled](Self::circuit_enable) or removed, whatever else happens.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub fn circuit_disable(&self, name: &str) -> Result<(), Error> {
        self.known(name, 5013)?.force_open();
        Ok(())
    }

    /// Closes a circuit that is disabled, with its failures forgotten; changes no other.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub fn circuit_enable(&self, name: &str) -> Result<(), Error> {
        self.known(name, 5013)?.lift();
        Ok(())
    }

    /// Runs an operation that says itself whether to count a failure, and emits no event of the original's.
    ///
    /// # Errors
    /// 5004 `circuit_breaker_blown` and 5005 `circuit_breaker_not_found`, without running it; 5012
    /// `protected_operation_failed` if it panics; 5009 `invalid_input` if the name is not valid.
    pub fn run<T>(&self, name: &str, operation: impl FnOnce() -> FuseRun<T>) -> Result<T, Error> {
        let breaker = self.foundation.breakers().get(name).ok_or_else(|| self.not_admitting(name))?;
        let said = breaker.call(|| {
            contained::run(|| match operation() {
                FuseRun::Ok(value) => Ok(value),
                FuseRun::Melt(value) => Err(value),
            })
        });
        match said {
            Ok(value) | Err(CallError::Operation(Failure::Error(value))) => Ok(value),
            Err(CallError::Operation(Failure::Panic(message))) => Err(self.panicked(name, message)),
            Err(CallError::Rejected(rejected)) => Err(self.blown(name, &rejected)),
        }
    }

    fn stopwatch(&self) -> Stopwatch {
        Stopwatch::start(self.foundation.clock(), self.foundation.emitter())
    }

    fn error(&self, kind: ErrorKind, code: u32, name: &str) -> Error {
        coded(self.foundation.clock(), Domain::Breaker, kind, code).with_context("fuse_name", name)
    }

    /// The breaker of a call, and the metadata back.
    fn admitting(&self, name: &str, metadata: Metadata) -> Result<(Breaker, Metadata), Error> {
        match self.foundation.breakers().get(name) {
            Some(breaker) => Ok((breaker, metadata)),
            None => Err(self.refuse_unknown(name, metadata)),
        }
    }

    /// Tells of a call through a breaker that is not there.
    pub(crate) fn refuse_unknown(&self, name: &str, metadata: Metadata) -> Error {
        let error = self.not_admitting(name);
        if *error.kind() == ErrorKind::CircuitBreakerNotFound {
            events::rejected(self.foundation.emitter(), name, metadata, "not_found");
        }
        error
    }

    fn not_admitting(&self, name: &str) -> Error {
        if Name::new(name).is_ok() {
            return self.error(ErrorKind::CircuitBreakerNotFound, 5005, name);
        }
        coded(self.foundation.clock(), Domain::Breaker, ErrorKind::InvalidInput, 5009)
            .with_context("name", name)
            .with_context("operation_type", "function")
    }

    fn known(&self, name: &str, code: u32) -> Result<Breaker, Error> {
        self.foundation.breakers().get(name).ok_or_else(|| self.absent(name, code))
    }

    fn absent(&self, name: &str, code: u32) -> Error {
        if Name::new(name).is_ok() {
            return self.error(ErrorKind::CircuitBreakerNotFound, code, name);
        }
        let clock = self.foundation.clock();
        coded(clock, Domain::Breaker, ErrorKind::InvalidInput, 5011).with_context("name", name)
    }

    fn ended<T>(
        &self,
        name: &str,
        metadata: Metadata,
        stopwatch: Stopwatch,
        result: Result<T, CallError<Failure<Cause>>>,
    ) -> Result<T, Error> {
        let emitter = self.foundation.emitter();
        let micros = || stopwatch.micros(self.foundation.clock());
        match result {
            Ok(value) => {
                events::executed(emitter, name, metadata, micros, &Ended::Success);
                Ok(value)
            }
            Err(CallError::Operation(Failure::Error(cause))) => {
                let text = contained::text(cause.as_error());
                events::executed(emitter, name, metadata, micros, &Ended::Error(&text));
                let error = self.error(ErrorKind::ProtectedOperationFailed, 5003, name);
                Err(error.with_context("exception", text).caused_by(cause))
            }
            Err(CallError::Operation(Failure::Panic(message))) => {
                events::executed(emitter, name, metadata, micros, &Ended::Panic(&message));
                Err(self.panicked(name, message))
            }
            Err(CallError::Rejected(rejected)) => Err(self.refuse(name, metadata, &rejected)),
        }
    }

    fn panicked(&self, name: &str, message: Text) -> Error {
        self.error(ErrorKind::ProtectedOperationFailed, 5012, name)
            .with_context("kind", "panic")
            .with_context("value", message)
    }

    /// Tells of a call that the circuit refused.
    pub(crate) fn refuse(&self, name: &str, metadata: Metadata, rejected: &Rejected) -> Error {
        events::rejected(self.foundation.emitter(), name, metadata, "circuit_blown");
        self.blown(name, rejected)
    }

    fn blown(&self, name: &str, rejected: &Rejected) -> Error {
        advised(self.error(ErrorKind::CircuitBreakerBlown, 5004, name), rejected.retry_after)
    }
}

pub(crate) fn status_of(breaker: &Breaker) -> FuseStatus {
    if breaker.snapshot().admits() { FuseStatus::Ok } else { FuseStatus::Blown }
}

impl From<&Foundation> for CircuitBreakers {
    /// The circuit breakers of an instance.
    fn from(foundation: &Foundation) -> Self {
        Self { foundation: foundation.clone() }
    }
}

impl fmt::Debug for CircuitBreakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakers").field("breakers", self.foundation.breakers()).finish_non_exhaustive()
    }
}
