//! Protection configurations: what the original's `configure_protection` stores, and where.

mod config;
mod configured;
mod protections;
mod rules;
mod store;

use foundation_resources::pool::PoolStatus;

pub(super) use self::config::Invalid;
pub use self::config::ProtectionConfig;
pub(crate) use self::configured::ConfiguredProtections;
pub(crate) use self::protections::{LastUsed, Protections};
pub use self::rules::{FALLBACK_QUOTA, RateRules};
pub use self::store::{MAX_PROTECTION_KEYS, MemoryStore, PROTECTION_PATH, ProtectionStore};
use super::circuit_breaker::FuseStatus;
use super::rate_limiter::RateStatus;

/// How the layers are that a protection key was last used with. `None` is the original's `unknown`: the layer was not used
/// with this key yet, or what was used is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProtectionStatus {
    /// The breaker.
    pub circuit_breaker: Option<FuseStatus>,
    /// The pair of identifier and rule.
    pub rate_limiter: Option<RateStatus>,
    /// The pool.
    pub connection_pool: Option<PoolStatus>,
}
