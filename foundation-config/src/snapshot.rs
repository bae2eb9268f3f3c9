//! One version, pinned.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use foundation_types::bridge;
use foundation_types::{Timestamp, Value};
use serde::de::DeserializeOwned;

use crate::content::Content;
use crate::error::ConfigError;
use crate::layer::Version;
use crate::path::{IntoPath, Path, PathError, TypedPath, check_component};
use crate::schema::{Dynamic, Schema, decode};
use crate::secret::quotes_secret;
use crate::tree::{Node, Tree};

/// A version of the configuration, which never changes: reads of one snapshot always agree with each other. It derefs to the
/// typed configuration.
pub struct Snapshot<S = Dynamic> {
    pub(crate) content: Arc<Content>,
    pub(crate) typed: S,
    #[cfg(feature = "agent")]
    pub(crate) agents: crate::agent::TypedOverlays<S>,
}

impl<S: Schema> Snapshot<S> {
    /// Its number.
    pub fn version(&self) -> Version {
        self.content.version
    }

    /// When it was published.
    pub fn at(&self) -> Timestamp {
        self.content.at
    }

    /// The typed configuration.
    pub const fn typed(&self) -> &S {
        &self.typed
    }

    /// The tree that it was made of. O(1).
    pub fn tree(&self) -> Tree {
        Tree(self.content.base.clone())
    }

    /// The value at a path. O(depth and size of the value).
    ///
    /// # Errors
    /// [`ConfigError::InvalidPath`], [`ConfigError::NotFound`].
    pub fn value(&self, path: impl IntoPath) -> Result<Value, ConfigError> {
        Ok(find(&self.content.base, path, |_| true)?.to_value())
    }

    /// The value at a path, as the type that the path has.
    ///
    /// # Errors
    /// As [`value`](Self::value), and [`ConfigError::TypeMismatch`].
    pub fn get<T: DeserializeOwned>(&self, path: TypedPath<T>) -> Result<T, ConfigError> {
        self.get_as(path)
    }

    /// The value at a path, as any type.
    ///
    /// # Errors
    /// As [`value`](Self::value), and [`ConfigError::TypeMismatch`].
    pub fn get_as<T: DeserializeOwned>(&self, path: impl IntoPath) -> Result<T, ConfigError> {
        get_from(&self.content.base, path, |_| true, S::secret)
    }
}

impl<S> Deref for Snapshot<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.typed
    }
}

impl<S> fmt::Debug for Snapshot<S> {
    /// Shows its version; of what is in it nothing, as it may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("version", &self.content.version).finish_non_exhaustive()
    }
}

/// The place at the end of a path.
pub(crate) fn find(root: &Node, path: impl IntoPath, allows: fn(&str) -> bool) -> Result<&Node, ConfigError> {
    let mut at = Some(root);
    walk(&path, allows, |component| at = at.and_then(|node| node.child(component)))?;
    match at {
        Some(node) => Ok(node),
        None => Err(ConfigError::NotFound { path: path.into_path()? }),
    }
}

/// Gives each component of a path to `step`, checked.
pub(crate) fn walk(
    path: &impl IntoPath,
    allows: fn(&str) -> bool,
    mut step: impl FnMut(&str),
) -> Result<(), PathError> {
    let mut index = 0;
    path.visit(|component| {
        check_component(index, component)?;
        if !allows(component) {
            return Err(PathError::Forbidden { index });
        }
        index += 1;
        step(component);
        Ok(())
    })
}

/// The value at a path, decoded.
pub(crate) fn get_from<T: DeserializeOwned>(
    root: &Node,
    path: impl IntoPath,
    allows: fn(&str) -> bool,
    secret: fn(&Path) -> bool,
) -> Result<T, ConfigError> {
    let mut at = Some(root);
    walk(&path, allows, |component| at = at.and_then(|node| node.child(component)))?;
    let Some(node) = at else { return Err(ConfigError::NotFound { path: path.into_path()? }) };
    decode_node(node, || path.into_path(), secret)
}

/// The `T` that a place holds.
pub(crate) fn decode_node<T: DeserializeOwned>(
    node: &Node,
    path: impl FnOnce() -> Result<Path, PathError>,
    secret: fn(&Path) -> bool,
) -> Result<T, ConfigError> {
    let owned;
    let value = match node {
        Node::Leaf(value) => value,
        Node::List(list) => &**list,
        Node::Map(_) => {
            owned = node.to_value();
            &owned
        }
    };
    bridge::from_value(value).or_else(|error| {
        let path = path()?;
        let mut violation = decode::of_bridge_error(&path, &error, secret);
        // A type that read more than one leaf at once may quote any of them.
        if quotes_secret(&violation.message, &path, node, secret) {
            violation.message = "not a valid value".into();
        }
        Err(ConfigError::TypeMismatch { path: violation.path, message: violation.message.into_owned() })
    })
}
