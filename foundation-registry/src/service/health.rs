//! Health checks: a function of the caller's, apart from the caller.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use foundation_types::{Namespace, Pid, ServiceName, Value, contain, timeout_at};
use parking_lot::Mutex;

use super::{ServiceRegistry, TARGET};
use crate::error::{HealthCheckError, LookupError};

/// What a health check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The service is well.
    Pass,
    /// It is not, and what the check said.
    Fail(Value),
}

impl From<()> for Verdict {
    fn from((): ()) -> Self {
        Self::Pass
    }
}

impl From<bool> for Verdict {
    /// `true` passes.
    fn from(passed: bool) -> Self {
        if passed { Self::Pass } else { Self::Fail(Value::Bool(false)) }
    }
}

impl<T, E: Into<Value>> From<Result<T, E>> for Verdict {
    /// `Ok` of anything passes.
    fn from(result: Result<T, E>) -> Self {
        result.map_or_else(|error| Self::Fail(error.into()), |_| Self::Pass)
    }
}

impl ServiceRegistry {
    /// Whether a service is registered and alive.
    ///
    /// # Errors
    /// [`HealthCheckError::NotFound`] with the record of [`lookup`](Self::lookup); [`HealthCheckError::ProcessDead`] if the
    /// owner died since it was looked up; [`HealthCheckError::Closed`], [`HealthCheckError::Backend`].
    pub fn health_check(&self, namespace: &Namespace, name: &ServiceName) -> Result<Pid, HealthCheckError> {
        self.log_start(namespace, name);
        let result = self.find_alive(namespace, name);
        log_result(namespace, name, &result);
        result
    }

    /// Whether a service is registered, alive, and well in the eyes of `check`.
    ///
    /// The check runs apart from the caller: a panic in it, a check that never answers and the death of the service while
    /// it runs all become errors. It is polled within the returned future, which needs no particular runtime, and is
    /// dropped at the timeout; the clock is the registry's. A check that blocks the thread blocks the caller too; use
    /// [`health_check_blocking`](Self::health_check_blocking) for those.
    ///
    /// # Errors
    /// As [`health_check`](Self::health_check), and [`HealthCheckError::Failed`] with what the check said,
    /// [`HealthCheckError::Errored`] if it panicked, [`HealthCheckError::Timeout`], and [`HealthCheckError::Crashed`] if
    /// the service died meanwhile. An answer that is there in time always wins.
    ///
    /// # Cancel safety
    /// Dropping the future drops the check where it is.
    pub fn health_check_with<F, Fut>(
        &self,
        namespace: &Namespace,
        name: &ServiceName,
        timeout: Duration,
        check: F,
    ) -> impl Future<Output = Result<Pid, HealthCheckError>> + Send + use<F, Fut>
    where
        F: FnOnce(Pid) -> Fut + Send + 'static,
        Fut: Future<Output: Into<Verdict>> + Send + 'static,
    {
        let (services, namespace, name) = (self.clone(), namespace.clone(), name.clone());
        async move {
            services.log_start(&namespace, &name);
            let result = match services.find_alive(&namespace, &name) {
                Ok(pid) => services.ask(pid, timeout, check).await,
                Err(error) => Err(error),
            };
            log_result(&namespace, &name, &result);
            result
        }
    }

    /// As [`health_check_with`](Self::health_check_with), for a function that may block: it runs on a thread of its own
    /// while the caller blocks until the answer or the timeout.
    ///
    /// A function that is not done by then runs on, and its answer is dropped.
    ///
    /// # Errors
    /// As [`health_check_with`](Self::health_check_with); [`HealthCheckError::Errored`] also if no thread can be started.
    pub fn health_check_blocking<V: Into<Verdict> + Send + 'static>(
        &self,
        namespace: &Namespace,
        name: &ServiceName,
        timeout: Duration,
        check: impl FnOnce(Pid) -> V + Send + 'static,
    ) -> Result<Pid, HealthCheckError> {
        let on_thread = move |pid: Pid| answer_of_thread(move || check(pid));
        pollster::block_on(self.health_check_with(namespace, name, timeout, on_thread))
    }

    fn find_alive(&self, namespace: &Namespace, name: &ServiceName) -> Result<Pid, HealthCheckError> {
        let pid = self.look_up(namespace, name).map_err(|error| match error {
            LookupError::NotFound => HealthCheckError::NotFound(self.record(error, namespace, name)),
            LookupError::Closed => HealthCheckError::Closed,
            LookupError::Backend(error) => HealthCheckError::Backend(error),
        })?;
        if pid.is_alive() { Ok(pid) } else { Err(HealthCheckError::ProcessDead) }
    }

    async fn ask<F, Fut>(&self, pid: Pid, timeout: Duration, check: F) -> Result<Pid, HealthCheckError>
    where
        F: FnOnce(Pid) -> Fut,
        Fut: Future<Output: Into<Verdict>>,
    {
        let clock = &self.registry.core.clock;
        let deadline = clock.mono().saturating_add(timeout);
        let asked = pid.clone();
        let mut answer = Apart::new(move || check(asked))?;
        let mut death = pin!(pid.monitor());
        let first = poll_fn(|context| {
            if let Poll::Ready(answer) = answer.poll(context) {
                return Poll::Ready(answer);
            }
            death.as_mut().poll(context).map(|reason| Err(HealthCheckError::Crashed(reason)))
        });
        match timeout_at(clock, deadline, first).await {
            Some(Ok(Verdict::Pass)) => Ok(pid),
            Some(Ok(Verdict::Fail(value))) => Err(HealthCheckError::Failed(value)),
            Some(Err(error)) => Err(error),
            None => Err(HealthCheckError::Timeout),
        }
    }

    fn log_start(&self, namespace: &Namespace, service: &ServiceName) {
        if self.logs.health_check_start {
            tracing::debug!(target: TARGET, %namespace, %service, "health check starts");
        }
    }
}

fn log_result(namespace: &Namespace, service: &ServiceName, result: &Result<Pid, HealthCheckError>) {
    match result {
        Ok(pid) => tracing::debug!(target: TARGET, %namespace, %service, %pid, "health check passed"),
        Err(error) => tracing::warn!(target: TARGET, %namespace, %service, %error, "health check did not pass"),
    }
}

/// A check whose panics, also in being dropped, stay within.
struct Apart<Fut>(Option<Pin<Box<Fut>>>);

impl<Fut: Future<Output: Into<Verdict>>> Apart<Fut> {
    fn new(start: impl FnOnce() -> Fut) -> Result<Self, HealthCheckError> {
        contain(|| Box::pin(start())).map(|check| Self(Some(check))).map_err(HealthCheckError::Errored)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Verdict, HealthCheckError>> {
        let Some(check) = &mut self.0 else { return Poll::Pending };
        match contain(|| check.as_mut().poll(context).map(Into::into)) {
            Ok(verdict) => verdict.map(Ok),
            Err(panic) => Poll::Ready(Err(HealthCheckError::Errored(panic))),
        }
    }
}

impl<Fut> Drop for Apart<Fut> {
    fn drop(&mut self) {
        let check = self.0.take();
        let _ = contain(|| drop(check));
    }
}

/// Runs `check` on a thread of its own; the future takes its answer, and its panic.
fn answer_of_thread<V: Send + 'static>(check: impl FnOnce() -> V + Send + 'static) -> impl Future<Output = V> + Send {
    let slot = Arc::new(Slot { answer: Mutex::new(None), waker: Mutex::new(None) });
    let filled = Arc::clone(&slot);
    let thread = thread::Builder::new().name("foundation-health-check".to_owned()).spawn(move || {
        let answer = catch_unwind(AssertUnwindSafe(check));
        *filled.answer.lock() = Some(answer);
        let waker = filled.waker.lock().take();
        // Before the waker, so that whoever it wakes finds the last share of the answer.
        drop(filled);
        if let Some(waker) = waker {
            waker.wake();
        }
    });
    if let Err(error) = thread {
        *slot.answer.lock() = Some(Err(Box::new(format!("no thread for the check: {error}"))));
    }
    poll_fn(move |context| {
        let old = slot.waker.lock().replace(context.waker().clone());
        drop(old);
        // After the waker is in place, so that the thread either finds it or has answered.
        let answer = slot.answer.lock().take();
        match answer {
            Some(Ok(answer)) => Poll::Ready(answer),
            Some(Err(panic)) => resume_unwind(panic),
            None => Poll::Pending,
        }
    })
}

/// Where a thread leaves its answer.
struct Slot<V> {
    answer: Mutex<Option<thread::Result<V>>>,
    waker: Mutex<Option<Waker>>,
}
