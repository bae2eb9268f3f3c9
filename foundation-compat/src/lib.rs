#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "agent")]
pub mod agent;
#[cfg(feature = "agent")]
pub mod agent_registry;
pub mod application;
pub mod beam;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod config_server;
pub mod contracts;
#[cfg(feature = "cli")]
pub mod demo;
pub mod error;
pub mod error_context;
mod facade;
mod foundation;
pub mod global;
pub mod infrastructure;
pub mod isolated;
pub mod lifecycle;
pub mod logic;
pub mod process_registry;
pub mod service_registry;
pub mod services;
pub mod types;
pub mod utils;
pub mod validation;

/// The subsystem crates, for everything that has no old name.
pub use {foundation_breaker, foundation_config, foundation_registry, foundation_resources, foundation_types};

pub use facade::{
    InitOptions, available, health, initialize, initialize_0, shutdown, start_link, start_link_0, status, version,
};
pub use foundation::{
    APPLICATION_STARTED_EVENT, Breaker, BuildError, Foundation, FoundationBuilder, FoundationHealth, FoundationStatus,
    LegacyLogs, StartError, SubsystemStatus,
};
#[cfg(feature = "agent")]
pub use foundation::{AgentFeatures, FEATURE_CHANGED_EVENT};
#[cfg(all(feature = "tokio", unix))]
pub use foundation::{Termination, TerminationSignals};
#[cfg(feature = "agent")]
pub use foundation_types::{AgentId, AgentInfo, AgentState, AgentType, Capability, MetadataView, ProcessId};
pub use foundation_types::{
    Error, ErrorContext, ErrorKind, ExitReason, Health, Metadata, Namespace, NodeId, Owner, Pid, ServiceName, Value,
};
