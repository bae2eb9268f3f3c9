//! How a bulkhead is configured.

use std::sync::Arc;
use std::time::Duration;

use foundation_types::{Clock, Emitter, Name, Observer, SystemClock};

use super::core::Core;
use super::error::OptionsError;
use super::events::Events;
use super::handle::Shared;
use super::{Bulkhead, DEFAULT_MAX_WAITING, MAX_CONCURRENT_LIMIT, MAX_WAITING_LIMIT};

/// Configures a bulkhead. Made by [`Bulkhead::builder`].
#[derive(Debug)]
#[must_use = "a builder does nothing until it builds"]
pub struct Builder<C = SystemClock> {
    max_concurrent: usize,
    max_waiting: usize,
    max_wait: Option<Duration>,
    name: Option<Name>,
    emitter: Emitter,
    clock: C,
}

impl Builder {
    pub(super) const fn new(max_concurrent: usize) -> Self {
        Self {
            max_concurrent,
            max_waiting: DEFAULT_MAX_WAITING,
            max_wait: None,
            name: None,
            emitter: Emitter::none(),
            clock: SystemClock,
        }
    }
}

impl<C: Clock> Builder<C> {
    /// How many callers may wait at once; [`DEFAULT_MAX_WAITING`] unless set, 0 to [`MAX_WAITING_LIMIT`].
    pub const fn max_waiting(mut self, max_waiting: usize) -> Self {
        self.max_waiting = max_waiting;
        self
    }

    /// How long any caller waits at most, whatever it asks for; no bound unless set. Zero means that nobody waits.
    pub const fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = Some(max_wait);
        self
    }

    /// What the bulkhead is called in its events and on dashboards.
    pub fn name(mut self, name: Name) -> Self {
        self.name = Some(name);
        self
    }

    /// Who hears the [events](super::events) of the bulkhead; nobody unless set.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.emitter = Emitter::new(observer);
        self
    }

    /// As [`observer`](Self::observer), for whoever has an emitter, which may lead nowhere.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// Where time comes from; the system's clock unless set.
    pub fn clock<D: Clock>(self, clock: D) -> Builder<D> {
        let Self { max_concurrent, max_waiting, max_wait, name, emitter, clock: _ } = self;
        Builder { max_concurrent, max_waiting, max_wait, name, emitter, clock }
    }

    /// The bulkhead.
    ///
    /// # Errors
    /// [`OptionsError`], by the option that is out of range.
    pub fn build(self) -> Result<Bulkhead<C>, OptionsError> {
        let Self { max_concurrent, max_waiting, max_wait, name, emitter, clock } = self;
        if max_concurrent == 0 {
            return Err(OptionsError::ZeroConcurrent);
        }
        if max_concurrent > MAX_CONCURRENT_LIMIT {
            return Err(OptionsError::Concurrent { max_concurrent });
        }
        if max_waiting > MAX_WAITING_LIMIT {
            return Err(OptionsError::Waiting { max_waiting });
        }
        let core = Core::new(max_concurrent, max_waiting);
        let shared = Shared { core, max_wait, events: Events { emitter, name } };
        Ok(Bulkhead::from_parts(shared, clock))
    }
}
