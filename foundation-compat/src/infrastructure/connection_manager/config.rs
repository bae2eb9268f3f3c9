//! Options in the shape of the original.

use std::sync::Arc;

use foundation_resources::pool::{
    Builder, DEFAULT_MAX_OVERFLOW, DEFAULT_SIZE, Factory, MAX_POOL_SIZE, OptionsError, Order, Pool,
};
use foundation_types::error::Cause;
use foundation_types::{Clock, Metadata};

use super::error::StartPoolError;
use super::events::Translator;
use super::worker::Workers;
use crate::foundation::Foundation;

/// A pool of the instance: of workers of any type.
pub type LegacyPool = Pool<Workers, Arc<dyn Clock>>;

/// How a pool is to be. The factory stands for `worker_module` and `worker_args`.
#[derive(Clone, Debug)]
#[must_use]
pub struct PoolConfig {
    workers: Workers,
    size: usize,
    max_overflow: usize,
    strategy: Order,
}

impl PoolConfig {
    /// A pool of what `factory` makes: five workers, ten more at most while those are out, the last to come back the first to
    /// go out.
    pub fn new<F>(factory: F) -> Self
    where
        F: Factory<Item: 'static, Error: Into<Cause>> + 'static,
    {
        Self {
            workers: Workers::new(factory),
            size: DEFAULT_SIZE,
            max_overflow: DEFAULT_MAX_OVERFLOW,
            strategy: Order::Lifo,
        }
    }

    /// How many workers are made at the start and kept, 0 to [`MAX_POOL_SIZE`].
    pub fn size(mut self, size: usize) -> Self {
        self.size = size;
        self
    }

    /// How many more may be made while all of those are out; with the size at most [`MAX_POOL_SIZE`].
    pub fn max_overflow(mut self, max_overflow: usize) -> Self {
        self.max_overflow = max_overflow;
        self
    }

    /// Which of the idle workers goes out first.
    pub fn strategy(mut self, strategy: Order) -> Self {
        self.strategy = strategy;
        self
    }

    pub(super) fn builder(&self, foundation: &Foundation) -> Builder<Workers, Arc<dyn Clock>> {
        let builder = Pool::builder(self.workers.clone())
            .size(self.size)
            .max_overflow(self.max_overflow)
            .order(self.strategy)
            .clock(Arc::clone(foundation.clock()));
        let emitter = foundation.emitter();
        if emitter.is_installed() {
            builder.observer(Arc::new(Translator { emitter: emitter.clone() }))
        } else {
            builder
        }
    }

    pub(super) fn to_metadata(&self) -> Metadata {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Metadata::new()
            .with("size", number(self.size))
            .with("max_overflow", number(self.max_overflow))
            .with("worker_module", self.workers.worker_type())
            .with(
                "strategy",
                match self.strategy {
                    Order::Lifo => "lifo",
                    Order::Fifo => "fifo",
                },
            )
    }
}

/// The error of the original for a number out of range.
pub(super) fn invalid(error: OptionsError) -> StartPoolError {
    let field = match error {
        OptionsError::Size { .. } => "size",
        _ => "max_overflow",
    };
    let limit = format!("{error}; at most {MAX_POOL_SIZE}");
    StartPoolError::InvalidConfig { field, text: limit }
}
