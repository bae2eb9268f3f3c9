//! How a pool is configured and started.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use foundation_types::{Clock, Emitter, Name, Observer, SystemClock, contain};

use super::core::{Core, Options};
use super::error::{OptionsError, StartError};
use super::events::Events;
use super::{
    AsyncFactory, DEFAULT_MAX_OVERFLOW, DEFAULT_MAX_WAITING, DEFAULT_SIZE, Factory, MAX_POOL_SIZE, MAX_WAITING_LIMIT,
    Pool,
};

/// Which of the idle workers goes out first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// The one that came back last: few workers stay warm.
    #[default]
    Lifo,
    /// The one that came back first: all are used alike.
    Fifo,
}

/// What becomes of a worker whose borrower panics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnPanic {
    /// It is retired: nobody knows what the borrower left half-done.
    #[default]
    Retire,
    /// It goes back to the pool, if the factory finds it usable.
    Reuse,
}

/// When the factory is asked whether a worker is usable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Check {
    /// When it comes back, so that whoever is next in line gets a good one.
    #[default]
    OnReturn,
    /// When it goes out, for workers that go bad while they are idle. A new one is made in place of one that did.
    OnCheckout,
    /// When it comes back and again when it goes out.
    Both,
}

impl Check {
    pub(super) const fn is_on_return(self) -> bool {
        matches!(self, Self::OnReturn | Self::Both)
    }

    pub(super) const fn is_on_checkout(self) -> bool {
        matches!(self, Self::OnCheckout | Self::Both)
    }
}

/// Configures a pool. Made by [`Pool::builder`].
#[must_use = "a builder does nothing until it builds"]
pub struct Builder<F, C = SystemClock> {
    factory: F,
    options: Options,
    name: Option<Name>,
    emitter: Emitter,
    clock: C,
}

impl<F: AsyncFactory> Builder<F> {
    pub(super) const fn new(factory: F) -> Self {
        let options = Options {
            size: DEFAULT_SIZE,
            max_overflow: DEFAULT_MAX_OVERFLOW,
            max_waiting: DEFAULT_MAX_WAITING,
            order: Order::Lifo,
            on_panic: OnPanic::Retire,
            check: Check::OnReturn,
        };
        Self { factory, options, name: None, emitter: Emitter::none(), clock: SystemClock }
    }
}

impl<F: Factory, C: Clock> Builder<F, C> {
    /// Makes the first workers, one after the other, and starts the pool.
    ///
    /// # Errors
    /// [`StartError::Options`] if an option is out of range, before any worker is made. [`StartError::Create`] with the
    /// error of the factory; the workers made until then have been retired.
    ///
    /// # Panics
    /// If the factory does; the workers made until then have been retired.
    pub fn build(self) -> Result<Pool<F, C>, StartError<<F as Factory>::Error>> {
        let mut starting = self.check_options().map(Starting::new)?;
        while starting.wants_more() {
            let made = Factory::create(starting.factory()).map_err(StartError::Create)?;
            starting.workers.push_back(made);
        }
        Ok(starting.finish())
    }
}

impl<F: AsyncFactory, C: Clock> Builder<F, C> {
    /// How many workers are made at the start and kept; 5 unless set, 0 to [`MAX_POOL_SIZE`].
    pub const fn size(mut self, size: usize) -> Self {
        self.options.size = size;
        self
    }

    /// How many more may be made while all of those are out; 10 unless set, at most [`MAX_POOL_SIZE`] with the size.
    pub const fn max_overflow(mut self, max_overflow: usize) -> Self {
        self.options.max_overflow = max_overflow;
        self
    }

    /// How many callers may wait at once; [`DEFAULT_MAX_WAITING`] unless set, 0 to [`MAX_WAITING_LIMIT`].
    pub const fn max_waiting(mut self, max_waiting: usize) -> Self {
        self.options.max_waiting = max_waiting;
        self
    }

    /// Which of the idle workers goes out first; [`Order::Lifo`] unless set.
    pub const fn order(mut self, order: Order) -> Self {
        self.options.order = order;
        self
    }

    /// What becomes of a worker whose borrower panics; [`OnPanic::Retire`] unless set.
    pub const fn on_panic(mut self, on_panic: OnPanic) -> Self {
        self.options.on_panic = on_panic;
        self
    }

    /// When the factory is asked whether a worker is usable; [`Check::OnReturn`] unless set.
    pub const fn check(mut self, check: Check) -> Self {
        self.options.check = check;
        self
    }

    /// What the pool is called in its events and on dashboards.
    pub fn name(mut self, name: Name) -> Self {
        self.name = Some(name);
        self
    }

    /// Who hears the [events](super::events) of the pool; nobody unless set.
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
    pub fn clock<D: Clock>(self, clock: D) -> Builder<F, D> {
        let Self { factory, options, name, emitter, clock: _ } = self;
        Builder { factory, options, name, emitter, clock }
    }

    /// As [`build`](Self::build), without blocking.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    ///
    /// # Cancel safety
    /// Dropping the future retires the workers made until then.
    pub async fn build_async(self) -> Result<Pool<F, C>, StartError<F::Error>> {
        let mut starting = self.check_options().map(Starting::new)?;
        while starting.wants_more() {
            let made = AsyncFactory::create(starting.factory()).await.map_err(StartError::Create)?;
            starting.workers.push_back(made);
        }
        Ok(starting.finish())
    }

    fn check_options(self) -> Result<Self, OptionsError> {
        let Options { size, max_overflow, max_waiting, .. } = self.options;
        if size > MAX_POOL_SIZE {
            return Err(OptionsError::Size { size });
        }
        if max_overflow > MAX_POOL_SIZE {
            return Err(OptionsError::Overflow { max_overflow });
        }
        if size.saturating_add(max_overflow) > MAX_POOL_SIZE {
            return Err(OptionsError::Total { size, max_overflow });
        }
        if max_waiting > MAX_WAITING_LIMIT {
            return Err(OptionsError::Waiting { max_waiting });
        }
        Ok(self)
    }
}

impl<F, C> fmt::Debug for Builder<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { options, name, emitter, .. } = self;
        f.debug_struct("Builder")
            .field("options", options)
            .field("name", name)
            .field("emitter", emitter)
            .finish_non_exhaustive()
    }
}

/// Workers on their way into a pool. Dropped before the pool is there, it retires them.
struct Starting<F: AsyncFactory, C> {
    builder: Option<Builder<F, C>>,
    workers: VecDeque<F::Item>,
}

const STARTING: &str = "the builder is there until the start is finished";

impl<F: AsyncFactory, C: Clock> Starting<F, C> {
    const fn new(builder: Builder<F, C>) -> Self {
        Self { builder: Some(builder), workers: VecDeque::new() }
    }

    fn wants_more(&self) -> bool {
        self.builder.as_ref().is_some_and(|builder| self.workers.len() < builder.options.size)
    }

    fn factory(&self) -> &F {
        &self.builder.as_ref().expect(STARTING).factory
    }

    fn finish(mut self) -> Pool<F, C> {
        let Builder { factory, options, name, emitter, clock } = self.builder.take().expect(STARTING);
        let workers = std::mem::take(&mut self.workers);
        let core = Arc::new(Core::new(factory, options, Events { emitter, name }, workers));
        core.events.started(&core.status());
        Pool::from_parts(core, clock)
    }
}

impl<F: AsyncFactory, C> Drop for Starting<F, C> {
    fn drop(&mut self) {
        let Some(builder) = &self.builder else { return };
        for worker in self.workers.drain(..) {
            // As everywhere: the panic hook reports it, and the others must go too.
            let _ = contain(|| builder.factory.retire(worker));
        }
    }
}
