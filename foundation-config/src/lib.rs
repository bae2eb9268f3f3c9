#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod layer;
mod limits;
mod path;
mod schema;
mod secret;
pub mod source;
mod tree;

pub use layer::{Layer, Version};
pub use limits::{Limit, Limits, ValueFault};
pub use path::{IntoPath, MAX_COMPONENT_LEN, MAX_PATH_COMPONENTS, Path, PathError, TypedPath};
pub use schema::{Dynamic, MAX_VIOLATIONS, Schema, UnknownKeys, UpdatePolicy, Violation, ViolationKind, Violations};
pub use secret::{REDACTED, SECRET_KEYS, Secret, default_secret};
pub use source::{Document, MapSource, Origin, Source, SourceError};
pub use tree::{Diff, Difference, Tree};
