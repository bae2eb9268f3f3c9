//! What agents may do, and how it is written.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use foundation_types::Text;
use serde::{Deserialize, Serialize};

use super::super::Quota;

macro_rules! text_newtype {
    ($(#[$meta:meta])* $type:ident) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(Text);

        impl $type {
            /// The value of a literal; allocates nothing.
            pub const fn from_static(text: &'static str) -> Self {
                Self(Text::from_static(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl<T: Into<Text>> From<T> for $type {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

text_newtype! {
    /// What an agent does that is limited, such as `inference`: any text.
    Operation
}

text_newtype! {
    /// What several agents do together, and reserve capacity for: any text.
    CoordinationId
}

impl Operation {
    /// Asking a model.
    pub const INFERENCE: Self = Self::from_static("inference");
    /// Training a model.
    pub const TRAINING: Self = Self::from_static("training");
    /// Working with other agents.
    pub const COORDINATION: Self = Self::from_static("coordination");
    /// Watching others.
    pub const MONITORING: Self = Self::from_static("monitoring");
    /// All else; also the capability of an agent that has none.
    pub const GENERAL: Self = Self::from_static("general");
    /// Stands for the operations beyond [`MAX_OPERATIONS`](super::MAX_OPERATIONS) in statistics.
    pub const OTHER: Self = Self::from_static("other");
}

/// The quota of operations that nothing else is configured for: 100 a minute.
pub const FALLBACK_QUOTA: Quota = Quota::per_minute(100);

/// The limits that an [`AgentRateLimiter`](super::AgentRateLimiter) has unless it is told others: inference 100, training 10,
/// coordination 1000, monitoring 500, general 200, each a minute.
pub fn default_limits() -> impl Iterator<Item = (Operation, OperationLimit)> {
    let limits = [
        (Operation::INFERENCE, 100),
        (Operation::TRAINING, 10),
        (Operation::COORDINATION, 1000),
        (Operation::MONITORING, 500),
        (Operation::GENERAL, 200),
    ];
    limits.into_iter().map(|(operation, limit)| (operation, Quota::per_minute(limit).into()))
}

pub(super) type Limits = HashMap<Operation, OperationLimit>;

/// How many requests of an operation are allowed in a window, and how many beyond that soon after its first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationLimit {
    /// The main limit and the window.
    #[serde(flatten)]
    pub quota: Quota,
    /// What is allowed beyond it.
    #[serde(flatten)]
    pub burst: Burst,
}

impl OperationLimit {
    /// This limit with a burst.
    #[must_use]
    pub const fn with_burst(mut self, burst: Burst) -> Self {
        self.burst = burst;
        self
    }
}

impl From<Quota> for OperationLimit {
    /// Without a burst.
    fn from(quota: Quota) -> Self {
        Self { quota, burst: Burst::NONE }
    }
}

/// Requests beyond a limit: when that is used up, so many more of the window are allowed, but only for so long after the first
/// request of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Burst {
    /// How many.
    #[serde(rename = "burst_allowance")]
    pub allowance: u32,
    /// For how long; to the end of the window if absent. Serialised in whole milliseconds.
    #[serde(
        rename = "burst_window_ms",
        alias = "burst_window",
        with = "millis",
        skip_serializing_if = "Option::is_none"
    )]
    pub window: Option<Duration>,
}

impl Burst {
    /// No burst.
    pub const NONE: Self = Self { allowance: 0, window: None };

    /// So many to the end of the window.
    pub const fn of(allowance: u32) -> Self {
        Self { allowance, window: None }
    }

    /// So many within `window` of the first request.
    pub const fn within(allowance: u32, window: Duration) -> Self {
        Self { allowance, window: Some(window) }
    }
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        duration.map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_millis))
    }
}

#[cfg(test)]
mod tests {
    use foundation_types::{Value, bridge};

    use super::*;

    #[test]
    fn a_limit_reads_back_and_the_spelling_of_the_original_is_read_too() {
        let plain = OperationLimit::from(Quota::per_minute(10));
        let bursts = [Burst::NONE, Burst::of(3), Burst::within(2, Duration::from_secs(5))];
        for limit in bursts.map(|burst| plain.with_burst(burst)) {
            let written = bridge::to_value(&limit).expect("serialises");
            assert_eq!(bridge::from_value::<OperationLimit>(&written), Ok(limit));
        }
        let entries = [("requests", 10), ("window", 60_000), ("burst_allowance", 2), ("burst_window", 5_000)];
        let map = entries.into_iter().map(|(key, value)| (key, Value::Int(value))).collect();
        let read = bridge::from_value(&Value::Map(map));
        assert_eq!(read, Ok(plain.with_burst(Burst::within(2, Duration::from_secs(5)))));
    }

    #[test]
    fn operations_are_texts_that_are_looked_up_as_such() {
        let limits: Limits = default_limits().collect();
        assert_eq!(limits.get("training"), limits.get(&Operation::TRAINING));
        assert!(limits.contains_key("training"));
        assert_eq!(Operation::from("training"), Operation::TRAINING);
    }
}
