//! The section `capture`.

use foundation_types::Value;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::setting::{Setting, settings, words};

settings! {
    /// What is recorded of a running program, and how.
    #[derive(Debug, Eq)]
    pub struct CaptureConfig {
        /// Where records wait.
        pub ring_buffer: RingBufferConfig = RingBufferConfig::default(),
        /// How they are processed.
        pub processing: ProcessingConfig = ProcessingConfig::default(),
        /// What of the virtual machine is recorded.
        pub vm_tracing: VmTracingConfig = VmTracingConfig::default(),
    }
}

settings! {
    /// Where records wait to be processed.
    #[derive(Debug, Eq)]
    pub struct RingBufferConfig {
        /// The places of a buffer; at least 1.
        pub size: u64 = 1024,
        /// The most records that wait; at least 1.
        pub max_events: u64 = 1000,
        /// What happens with one too many.
        pub overflow_strategy: OverflowStrategy = OverflowStrategy::DropOldest,
        /// How many buffers there are.
        pub num_buffers: NumBuffers = NumBuffers::Schedulers,
    }
}

settings! {
    /// How records are processed.
    #[derive(Debug, Eq)]
    pub struct ProcessingConfig {
        /// How many at a time; at least 1.
        pub batch_size: u64 = 100,
        /// The longest time that they wait for company, in milliseconds; at least 1.
        pub flush_interval: u64 = 50,
        /// The most that wait; at least 1.
        pub max_queue_size: u64 = 1000,
    }
}

settings! {
    /// What of the virtual machine is recorded.
    #[derive(Debug, Eq)]
    pub struct VmTracingConfig {
        /// The starts of processes.
        pub enable_spawn_trace: bool = true,
        /// Their ends.
        pub enable_exit_trace: bool = true,
        /// What they send each other.
        pub enable_message_trace: bool = false,
        /// The same for processes that they start.
        pub trace_children: bool = true,
    }
}

words! {
    /// What happens with a record for which there is no place.
    pub enum OverflowStrategy {
        /// It takes the place of the oldest.
        DropOldest = "drop_oldest",
        /// It is dropped.
        DropNewest = "drop_newest",
        /// Whoever brings it waits.
        Block = "block",
    }
}

/// How many buffers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumBuffers {
    /// One for each thread that runs something.
    Schedulers,
    /// This many; at least 1.
    Count(u64),
}

impl NumBuffers {
    /// The word for [`Schedulers`](Self::Schedulers).
    pub(crate) const SCHEDULERS: &str = "schedulers";
}

impl Setting for NumBuffers {
    fn to_setting(&self) -> Value {
        match self {
            Self::Schedulers => Self::SCHEDULERS.into(),
            Self::Count(count) => count.to_setting(),
        }
    }
}

impl<'de> Deserialize<'de> for NumBuffers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.as_str() == Some(Self::SCHEDULERS) {
            return Ok(Self::Schedulers);
        }
        let count = value.as_i64().and_then(|count| u64::try_from(count).ok());
        count.map(Self::Count).ok_or_else(|| D::Error::custom("expected `schedulers` or an integer above 0"))
    }
}
