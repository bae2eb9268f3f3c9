//! What puts a breaker around a service.

use std::fmt;

use foundation_types::{Clock, SystemClock};
use tower_layer::Layer;

use super::service::{BreakerService, Gate};
use crate::breaker::CircuitBreaker;
use crate::classify::AnyErr;

/// Puts a breaker around services. All services that it makes, and their clones, go through the same circuit.
///
/// The breaker it is made from is the handle to observe and to operate the circuit with; it needs neither the layer nor a
/// service to live.
#[derive(Clone)]
pub struct BreakerLayer<K = AnyErr, C = SystemClock> {
    breaker: CircuitBreaker<C>,
    classify: K,
    when_open: WhenOpen,
}

/// What services do whose circuit lets nobody through.
#[derive(Clone, Copy, Debug)]
enum WhenOpen {
    Refuse,
    Wait,
}

impl<C: Clock> BreakerLayer<AnyErr, C> {
    /// A layer that puts `breaker` around services, for which errors are failures. Calls are refused while the circuit is
    /// open.
    pub const fn new(breaker: CircuitBreaker<C>) -> Self {
        Self { breaker, classify: AnyErr, when_open: WhenOpen::Refuse }
    }
}

impl<K, C: Clock> BreakerLayer<K, C> {
    /// With `classify` to say what results mean: a [`FailureClassifier`](crate::FailureClassifier) of
    /// `Result<S::Response, S::Error>`, for example [`on_status`](super::on_status) or a function.
    ///
    /// Each call that is let through has a clone of it; where that is costly, have it behind an `Arc`.
    pub fn classify<L>(self, classify: L) -> BreakerLayer<L, C> {
        BreakerLayer { breaker: self.breaker, classify, when_open: self.when_open }
    }

    /// With services that are not ready while the circuit would refuse a call.
    ///
    /// Their `poll_ready` waits, and wakes the task at the instant the circuit becomes half-open or closes, when a probe gives
    /// its place back, and when an operator resets or lifts it. All who wait are woken, for being ready takes no place: the
    /// first to call get those that there are, and the others are refused. The wait ends with the circuit's, so it has no limit
    /// while an operator holds the circuit open; a limit around `ready` is the caller's to set.
    pub fn back_pressure(mut self) -> Self {
        self.when_open = WhenOpen::Wait;
        self
    }

    /// The breaker.
    pub const fn breaker(&self) -> &CircuitBreaker<C> {
        &self.breaker
    }
}

impl<S, K: Clone, C: Clock> Layer<S> for BreakerLayer<K, C> {
    type Service = BreakerService<S, K, C>;

    fn layer(&self, inner: S) -> Self::Service {
        let gate = match self.when_open {
            WhenOpen::Refuse => Gate::Refuse(self.breaker.clone()),
            WhenOpen::Wait => Gate::Wait(self.breaker.readiness()),
        };
        BreakerService::new(inner, gate, self.classify.clone())
    }
}

impl<K, C: Clock> fmt::Debug for BreakerLayer<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerLayer")
            .field("breaker", &self.breaker)
            .field("when_open", &self.when_open)
            .finish_non_exhaustive()
    }
}
