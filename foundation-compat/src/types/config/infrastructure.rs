//! The section `infrastructure`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use foundation_resources::rate_limit::Quota;
use foundation_types::{Metadata, Text, Value};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::setting::{Setting, settings, words};

settings! {
    /// What protects the program from others, and others from it.
    pub struct InfrastructureConfig {
        /// Rate limits.
        pub rate_limiting: RateLimitingConfig = RateLimitingConfig::default(),
        /// Circuit breakers.
        pub circuit_breaker: CircuitBreakerConfig = CircuitBreakerConfig::default(),
        /// Connection pools.
        pub connection_pool: ConnectionPoolConfig = ConnectionPoolConfig::default(),
        /// What is configured for single keys of protected calls, by key: in each any of `circuit_breaker` with
        /// `failure_threshold` and `recovery_time` in milliseconds, `rate_limiter` with `scale` in milliseconds and
        /// `limit`, `connection_pool` with `size` and `max_overflow`, and whatever else.
        pub protection: Metadata = Metadata::new(),
    }
}

impl fmt::Debug for InfrastructureConfig {
    /// Shows of the protection the keys alone, as nobody knows what else is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protection: Vec<_> = self.protection.iter().map(|(key, _)| key).collect();
        f.debug_struct("InfrastructureConfig")
            .field("rate_limiting", &self.rate_limiting)
            .field("circuit_breaker", &self.circuit_breaker)
            .field("connection_pool", &self.connection_pool)
            .field("protection", &protection)
            .finish()
    }
}

settings! {
    /// Rate limits.
    #[derive(Debug, Eq)]
    pub struct RateLimitingConfig {
        /// The limits of operations, by name.
        pub default_rules: BTreeMap<Text, RateRule> = default_rules(),
        /// Whether there are any.
        pub enabled: bool = true,
        /// How often what nobody asks for is forgotten, in milliseconds; at least 1.
        pub cleanup_interval: u64 = 300_000,
    }
}

fn default_rules() -> BTreeMap<Text, RateRule> {
    let rules = [("api_calls", 60_000, 100), ("db_queries", 60_000, 500), ("file_operations", 1_000, 10)];
    rules.into_iter().map(|(name, scale, limit)| (name.into(), RateRule::new(scale, limit))).collect()
}

/// How much is let through in how long.
#[derive(Clone, PartialEq, Eq)]
pub struct RateRule {
    /// The length of a window, in milliseconds; at least 1.
    pub scale: u64,
    /// How much is let through in a window; at least 1.
    pub limit: u64,
    /// What else is said of it, which nothing here reads.
    pub other: Metadata,
}

impl RateRule {
    /// A rule that lets `limit` through in `scale` milliseconds.
    pub const fn new(scale: u64, limit: u64) -> Self {
        Self { scale, limit, other: Metadata::new() }
    }

    /// The same as a quota; a limit that no counter holds is as high as one can be. `None` if the window is none that can be.
    pub fn quota(&self) -> Option<Quota> {
        Quota::new(u32::try_from(self.limit).unwrap_or(u32::MAX), Duration::from_millis(self.scale)).ok()
    }
}

impl fmt::Debug for RateRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateRule").field("scale", &self.scale).field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Setting for RateRule {
    fn to_setting(&self) -> Value {
        self.other.clone().with("scale", self.scale.to_setting()).with("limit", self.limit.to_setting()).into()
    }
}

impl Serialize for RateRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_setting().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RateRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut other = Metadata::deserialize(deserializer)?;
        let mut number = |key: &'static str| {
            let value = other.remove(key).ok_or_else(|| D::Error::missing_field(key))?;
            let number = value.as_i64().and_then(|number| u64::try_from(number).ok());
            number.ok_or_else(|| D::Error::custom(format_args!("{key}: expected an integer above 0")))
        };
        Ok(Self { scale: number("scale")?, limit: number("limit")?, other })
    }
}

settings! {
    /// Circuit breakers.
    #[derive(Debug, Eq)]
    pub struct CircuitBreakerConfig {
        /// What holds for breakers of which nothing else is said.
        pub default_config: BreakerDefaults = BreakerDefaults::default(),
        /// Whether there are any.
        pub enabled: bool = true,
    }
}

settings! {
    /// What holds for breakers of which nothing else is said.
    #[derive(Debug, Eq)]
    pub struct BreakerDefaults {
        /// How many failures open it; at least 1.
        pub failure_threshold: u64 = 5,
        /// For how long it stays open, in milliseconds; at least 1.
        pub recovery_time: u64 = 30_000,
        /// The longest time of a call, in milliseconds; at least 1.
        pub call_timeout: u64 = 5_000,
    }
}

settings! {
    /// Connection pools.
    #[derive(Debug, Eq)]
    pub struct ConnectionPoolConfig {
        /// What holds for pools of which nothing else is said.
        pub default_config: PoolDefaults = PoolDefaults::default(),
        /// Whether there are any.
        pub enabled: bool = true,
    }
}

settings! {
    /// What holds for pools of which nothing else is said.
    #[derive(Debug, Eq)]
    pub struct PoolDefaults {
        /// How many connections are kept; at least 1.
        pub size: u64 = 10,
        /// How many more there may be.
        pub max_overflow: u64 = 5,
        /// Which idle one is lent next.
        pub strategy: PoolStrategy = PoolStrategy::Lifo,
    }
}

words! {
    /// Which idle connection is lent next.
    pub enum PoolStrategy {
        /// The one that came back last.
        Lifo = "lifo",
        /// The one that came back first.
        Fifo = "fifo",
    }
}
