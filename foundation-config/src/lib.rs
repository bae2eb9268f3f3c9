#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "agent")]
pub mod agent;
mod change;
mod classify;
#[cfg(feature = "conformance")]
pub mod conformance;
mod content;
mod error;
pub mod events;
mod layer;
mod limits;
mod path;
mod pending;
mod schema;
mod secret;
mod snapshot;
pub mod source;
mod store;
mod subscribe;
mod sync;
#[cfg(feature = "test-util")]
pub mod testing;
mod tree;
#[cfg(feature = "watch")]
pub mod watch;

pub use change::{Change, ChangeKind, Committed, Entry, Scope};
pub use error::{BuildError, ConfigError, ModifyError};
pub use layer::{Layer, Version};
pub use limits::{Limit, Limits, ValueFault};
pub use path::{IntoPath, MAX_COMPONENT_LEN, MAX_PATH_COMPONENTS, Path, PathError, TypedPath};
pub use pending::{DEFAULT_PENDING_CAPACITY, DEFAULT_PENDING_TTL, PendingQueue, PendingReport};
pub use schema::{Dynamic, MAX_VIOLATIONS, Schema, UnknownKeys, UpdatePolicy, Violation, ViolationKind, Violations};
pub use secret::{REDACTED, SECRET_KEYS, Secret, default_secret};
pub use snapshot::Snapshot;
#[cfg(any(feature = "toml", feature = "yaml", feature = "json"))]
pub use source::FileSource;
pub use source::{Document, EnvSource, MapSource, Origin, Source, SourceError};
pub use store::{
    Explained, Guard, Reader, ReloadReport, SourceOutcome, SourceReport, SourceState, SourceStatus, StalePolicy,
    Status, Store, StoreBuilder, Transaction,
};
pub use subscribe::{Delivery, Filter, Subscription};
pub use tree::{Diff, Difference, Tree};
