//! Making a breaker.

use std::sync::Arc;

use foundation_types::{Clock, Emitter, Name, Observer, SystemClock};

use super::CircuitBreaker;
use super::shared::Shared;
use crate::options::{CancelPolicy, Options, OptionsError, Recovery, TripPolicy};
use crate::random::Random;

/// Makes a [`CircuitBreaker`]. Whatever is not set is as in [`Options::default`].
#[derive(Debug)]
#[must_use = "a builder makes nothing until it is told to build"]
pub struct Builder<C = SystemClock> {
    name: Name,
    base: Options,
    trip: Option<TripPolicy>,
    recovery: Option<Recovery>,
    on_cancel: Option<CancelPolicy>,
    #[cfg(feature = "fault-injection")]
    fault_rate: Option<f64>,
    emitter: Emitter,
    random: Option<Random>,
    clock: C,
}

impl Builder {
    pub(super) fn new(name: Name) -> Self {
        Self {
            name,
            base: Options::default(),
            trip: None,
            recovery: None,
            on_cancel: None,
            #[cfg(feature = "fault-injection")]
            fault_rate: None,
            emitter: Emitter::none(),
            random: None,
            clock: SystemClock,
        }
    }
}

impl<C: Clock> Builder<C> {
    /// Begins from these options instead of the default ones.
    pub fn options(mut self, options: Options) -> Self {
        self.base = options;
        self
    }

    /// When the circuit opens.
    pub fn trip(mut self, trip: TripPolicy) -> Self {
        self.trip = Some(trip);
        self
    }

    /// How it closes again.
    pub fn recovery(mut self, recovery: Recovery) -> Self {
        self.recovery = Some(recovery);
        self
    }

    /// What calls count as that are given up.
    pub fn on_cancel(mut self, policy: CancelPolicy) -> Self {
        self.on_cancel = Some(policy);
        self
    }

    /// Refuses calls at random while the circuit is closed, each with the probability `rate`, 0 (exclusive) to 1.
    #[cfg(feature = "fault-injection")]
    pub fn inject_faults(mut self, rate: f64) -> Self {
        self.fault_rate = Some(rate);
        self
    }

    /// Tells `observer` the events that [`events`](crate::events) lists. Calls then read the clock.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.emitter = Emitter::new(observer);
        self
    }

    /// Tells what `emitter` leads to, if anything.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// Draws jitter and faults from `random`; from a source seeded by the system otherwise.
    pub fn random(mut self, random: Random) -> Self {
        self.random = Some(random);
        self
    }

    /// Reads time from `clock`.
    pub fn clock<D: Clock>(self, clock: D) -> Builder<D> {
        Builder {
            name: self.name,
            base: self.base,
            trip: self.trip,
            recovery: self.recovery,
            on_cancel: self.on_cancel,
            #[cfg(feature = "fault-injection")]
            fault_rate: self.fault_rate,
            emitter: self.emitter,
            random: self.random,
            clock,
        }
    }

    /// The breaker, closed.
    ///
    /// # Errors
    /// An [`OptionsError`] that names the first value out of range.
    pub fn build(mut self) -> Result<CircuitBreaker<C>, OptionsError> {
        let mut options = self.base;
        if self.trip.is_some() || self.recovery.is_some() {
            let trip = self.trip.take().unwrap_or(*options.trip());
            let recovery = self.recovery.take().unwrap_or_else(|| options.recovery().clone());
            options = options.with_policies(trip, recovery)?;
        }
        if let Some(policy) = self.on_cancel {
            options = options.on_cancel(policy);
        }
        #[cfg(feature = "fault-injection")]
        if let Some(rate) = self.fault_rate {
            options = options.inject_faults(rate)?;
        }
        self.base = options;
        Ok(self.assemble())
    }

    /// The breaker with the options that were checked already.
    pub(crate) fn assemble(self) -> CircuitBreaker<C> {
        let random = self.random.unwrap_or_else(Random::from_entropy);
        let shared = Shared::new(self.name, self.base, self.clock, self.emitter, random);
        CircuitBreaker { shared: Arc::new(shared) }
    }
}
