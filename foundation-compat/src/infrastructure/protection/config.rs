//! What is stored for a protection key, and what may be.

use std::time::Duration;

use foundation_breaker::MAX_TOLERANCE;
use foundation_resources::pool::MAX_POOL_SIZE;
use foundation_resources::rate_limit::{MAX_WINDOW, Quota};
use foundation_types::error::ErrorKind;
use foundation_types::{Metadata, Value};

use crate::infrastructure::BreakerConfig;

/// The three sections, in the order in which they are checked.
const SECTIONS: [Section; 3] = [
    Section {
        name: "circuit_breaker",
        kind: ErrorKind::InvalidCircuitBreakerConfig,
        fields: [
            Field { name: "failure_threshold", min: 1, max: MAX_TOLERANCE as i64 },
            Field { name: "recovery_time", min: 1, max: MAX_MILLIS },
        ],
    },
    Section {
        name: "rate_limiter",
        kind: ErrorKind::InvalidRateLimiterConfig,
        fields: [
            Field { name: "scale", min: 1, max: MAX_MILLIS },
            Field { name: "limit", min: 1, max: u32::MAX as i64 },
        ],
    },
    Section {
        name: "connection_pool",
        kind: ErrorKind::InvalidConnectionPoolConfig,
        fields: [
            Field { name: "size", min: 1, max: MAX_WORKERS },
            Field { name: "max_overflow", min: 0, max: MAX_WORKERS },
        ],
    },
];

/// The longest time that a section may name: that of the longest window.
#[expect(clippy::cast_possible_truncation, reason = "292 years in milliseconds")]
const MAX_MILLIS: i64 = MAX_WINDOW.as_millis() as i64;

#[expect(clippy::cast_possible_wrap, reason = "a million")]
const MAX_WORKERS: i64 = MAX_POOL_SIZE as i64;

struct Section {
    name: &'static str,
    kind: ErrorKind,
    fields: [Field; 2],
}

struct Field {
    name: &'static str,
    min: i64,
    max: i64,
}

/// What is wrong with a configuration: the kind of the original, and where.
#[derive(Debug)]
pub(crate) struct Invalid {
    pub(crate) kind: ErrorKind,
    pub(crate) context: Metadata,
}

/// A protection configuration that has all three sections, with whole numbers in range. Other keys are kept as they are.
///
/// | section | keys |
/// |---|---|
/// | `circuit_breaker` | `failure_threshold`, from 1; `recovery_time`, milliseconds from 1 |
/// | `rate_limiter` | `scale`, milliseconds from 1; `limit`, from 1 |
/// | `connection_pool` | `size`, from 1; `max_overflow`, from 0 |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectionConfig(Metadata);

impl ProtectionConfig {
    pub(crate) fn check(config: Value) -> Result<Self, Invalid> {
        let invalid = |kind, context| Err(Invalid { kind, context });
        let Value::Map(config) = config else { return invalid(ErrorKind::InvalidConfigFormat, Metadata::new()) };
        let missing: Vec<_> =
            SECTIONS.iter().map(|section| section.name).filter(|name| !config.contains_key(name)).collect();
        if !missing.is_empty() {
            return invalid(ErrorKind::MissingRequiredKeys, Metadata::new().with("missing", missing));
        }
        for Section { name, kind, fields } in &SECTIONS {
            let section = config.get(name).and_then(Value::as_map);
            for Field { name: field, min, max } in fields {
                let value = section.and_then(|section| section.get(field));
                if !value.and_then(Value::as_i64).is_some_and(|number| (*min..=*max).contains(&number)) {
                    let context = Metadata::new().with("section", *name).with("field", *field);
                    return invalid(kind.clone(), context.with("value", value.cloned()));
                }
            }
        }
        Ok(Self(config))
    }

    /// A configuration that a store gives back, which somebody else may have changed.
    pub(super) fn stored(config: Metadata) -> Option<Self> {
        Self::check(Value::Map(config)).ok()
    }

    /// The configuration as it was given.
    pub const fn as_metadata(&self) -> &Metadata {
        &self.0
    }

    /// The configuration as it was given.
    pub fn into_metadata(self) -> Metadata {
        self.0
    }

    /// The breaker, as [`initialize_circuit_breaker`](crate::infrastructure::initialize_circuit_breaker) takes it.
    pub fn breaker(&self) -> BreakerConfig {
        BreakerConfig {
            failure_threshold: u32::try_from(self.number("circuit_breaker", "failure_threshold")).unwrap_or(u32::MAX),
            recovery_time: Duration::from_millis(self.number("circuit_breaker", "recovery_time")),
        }
    }

    /// How much is let through in how long.
    pub fn quota(&self) -> Quota {
        let limit = u32::try_from(self.number("rate_limiter", "limit")).unwrap_or(u32::MAX);
        let scale = Duration::from_millis(self.number("rate_limiter", "scale"));
        Quota::new(limit, scale).expect("the scale was checked")
    }

    /// How many workers are kept.
    pub fn pool_size(&self) -> usize {
        usize::try_from(self.number("connection_pool", "size")).unwrap_or(usize::MAX)
    }

    /// How many more there may be.
    pub fn max_overflow(&self) -> usize {
        usize::try_from(self.number("connection_pool", "max_overflow")).unwrap_or(usize::MAX)
    }

    fn number(&self, section: &str, field: &str) -> u64 {
        let number = self.0.get_path([section, field]).and_then(Value::as_i64);
        number.and_then(|number| u64::try_from(number).ok()).expect("the field was checked")
    }
}
