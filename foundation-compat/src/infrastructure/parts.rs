//! What an instance holds of the infrastructure.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use foundation_breaker::{BreakerSet, DEFAULT_SET_LIMIT, WhenFull};
use foundation_resources::pool::PoolSet;
use foundation_resources::rate_limit::DEFAULT_MAX_KEYS;
use foundation_types::{Clock, Emitter};

use super::protection::{ConfiguredProtections, ProtectionStore, Protections, RateRules};
use super::rate_limiter::Limits;
use crate::config::Instance;

/// Options of the parts.
pub(crate) struct Settings {
    pub(crate) breaker_limit: NonZeroUsize,
    pub(crate) limiter_keys: NonZeroUsize,
    pub(crate) rules: RateRules,
    /// `None` for the settings of the instance.
    pub(crate) store: Option<Arc<dyn ProtectionStore>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { breaker_limit: DEFAULT_SET_LIMIT, limiter_keys: DEFAULT_MAX_KEYS, rules: RateRules::new(), store: None }
    }
}

pub(crate) struct Parts {
    pub(crate) breakers: BreakerSet<Arc<dyn Clock>>,
    pub(crate) limits: Limits,
    pub(crate) pools: PoolSet,
    pub(crate) protections: Protections,
    shut_down: AtomicBool,
}

impl Parts {
    pub(crate) fn new(
        settings: Settings,
        configuration: &Arc<Instance>,
        clock: &Arc<dyn Clock>,
        emitter: &Emitter,
    ) -> Self {
        let Settings { breaker_limit, limiter_keys, rules, store } = settings;
        let store = store.unwrap_or_else(|| Arc::new(ConfiguredProtections::new(Arc::clone(configuration))));
        let breakers = BreakerSet::with_clock(Arc::clone(clock));
        Self {
            breakers: breakers.limit(breaker_limit, WhenFull::Refuse).emitter(emitter.clone()),
            limits: Limits::new(clock, emitter, limiter_keys),
            pools: PoolSet::new(),
            protections: Protections::new(store, rules),
            shut_down: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_shut_down(&self) -> bool {
        self.shut_down.load(Ordering::SeqCst)
    }

    pub(crate) fn shut_down(&self) {
        // In this order: whoever starts a pool looks before and after.
        self.shut_down.store(true, Ordering::SeqCst);
        self.pools.remove_all();
    }
}
