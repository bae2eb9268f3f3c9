#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "agent")]
pub mod agent;
#[cfg(feature = "conformance")]
pub mod conformance;
mod contain;
pub mod engine;
pub mod error;
mod event;
pub mod format;
mod gate;
mod health;
mod id;
pub mod inspect;
pub mod liveness;
mod local_id;
mod name;
mod namespace;
mod observer;
mod resource;
#[cfg(feature = "test-util")]
pub mod testing;
mod text_enum;
mod time;
mod value;

#[cfg(feature = "agent")]
pub use agent::{
    AgentChange, AgentChanges, AgentContext, AgentDirectory, AgentInfo, AgentInfoError, AgentState, AgentStatus,
    AgentStatusSource, AgentType, AgentView, MetadataView,
};
pub use contain::contain;
pub use engine::Engine;
pub use error::{Classify, Error, ErrorContext, ErrorKind, Severity};
pub use event::{EventName, InvalidEventName, MAX_EVENT_SEGMENTS, MAX_SEGMENT_LEN, Measurements};
pub use gate::{Feature, FeatureGate, UnknownFeature};
pub use health::{Health, HealthTrend, UnknownHealth, UnknownHealthTrend};
pub use id::{AgentId, Capability, Generation, NodeId, OtherScope, ProcessId, Scope, ServiceName};
pub use inspect::Inspect;
pub use liveness::{ExitReason, Monitor, Owner, OwnerId, Pid};
pub use local_id::LocalId;
pub use name::{MAX_NAME_LEN, Name, NameError};
pub use namespace::{CustomNamespace, Namespace, TestRef};
pub use observer::{Emitter, Observer};
pub use resource::{
    CustomResource, HealthSink, InvalidResourceValue, Ratio, RatioError, ResourceKind, ResourceLevel, ResourceReading,
    ResourceUsage, ResourceValue, ResourceView, Subject, UnknownResourceLevel,
};
#[cfg(feature = "test-util")]
pub use time::ManualClock;
pub use time::{
    COARSE_TICK, Clock, MonoTime, SystemClock, Timestamp, TimestampError, Wakeup, block_on, sleep_until, timeout_at,
};
pub use value::{FiniteF64, MAX_VALUE_DEPTH, Metadata, NotFinite, Text, Value, ValueDecodeError, bridge};
