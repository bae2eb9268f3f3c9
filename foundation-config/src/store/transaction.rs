//! Several writes as one change.

use std::sync::Arc;

use foundation_types::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Store;
use super::commit::Candidate;
use super::write::{taken_back, written};
use crate::change::ChangeKind;
use crate::content::{Content, Layers};
use crate::error::ConfigError;
use crate::layer::Version;
use crate::path::{IntoPath, Path, TypedPath};
use crate::schema::Schema;
use crate::snapshot::{decode_node, walk};
use crate::tree::Node;

/// Reads and writes of [`Store::transaction`].
pub struct Transaction<'s, S: Schema> {
    store: &'s Store<S>,
    start: Arc<Content>,
    layers: Layers,
    base: Node,
    writes: Vec<Write>,
    /// What was read of the version at the start.
    reads: Vec<(Path, Option<Node>)>,
}

enum Write {
    Set(Path, Node),
    Unset(Path),
}

impl<'s, S: Schema> Transaction<'s, S> {
    pub(super) fn begin(store: &'s Store<S>) -> Self {
        let start = store.content();
        let (layers, base) = (start.layers.clone(), start.base.clone());
        Self { store, start, layers, base, writes: Vec::new(), reads: Vec::new() }
    }

    /// The version that it began on.
    pub fn version(&self) -> Version {
        self.start.version
    }

    /// The value at a path, with the writes so far.
    ///
    /// # Errors
    /// [`ConfigError::InvalidPath`], [`ConfigError::NotFound`].
    pub fn value(&mut self, path: impl IntoPath) -> Result<Value, ConfigError> {
        let path = self.read(path)?;
        self.at(&path).map(Node::to_value)
    }

    /// The value at a path, as the type that the path has, with the writes so far.
    ///
    /// # Errors
    /// As [`value`](Self::value), and [`ConfigError::TypeMismatch`].
    pub fn get<T: DeserializeOwned>(&mut self, path: TypedPath<T>) -> Result<T, ConfigError> {
        self.get_as(path)
    }

    /// The value at a path, as any type, with the writes so far.
    ///
    /// # Errors
    /// As [`value`](Self::value), and [`ConfigError::TypeMismatch`].
    pub fn get_as<T: DeserializeOwned>(&mut self, path: impl IntoPath) -> Result<T, ConfigError> {
        let path = self.read(path)?;
        decode_node(self.at(&path)?, || Ok(path.clone()), S::secret)
    }

    /// Sets the value at a path, as [`Store::update`] does.
    ///
    /// # Errors
    /// Those of [`Store::update`] that concern path and value alone; whether the configuration is valid is judged at the end.
    pub fn set<T: Serialize>(&mut self, path: impl IntoPath, value: T) -> Result<(), ConfigError> {
        let (path, node) = self.store.writable(path, &value)?;
        let (layers, _) = written::<S>(&self.layers, &self.base, &path, &node)?;
        self.show(layers);
        self.writes.push(Write::Set(path, node));
        Ok(())
    }

    /// Takes back what was written at and below a path at run time, as [`Store::unset`] does.
    ///
    /// # Errors
    /// As [`Store::unset`], but for what concerns the configuration as a whole.
    pub fn unset(&mut self, path: impl IntoPath) -> Result<(), ConfigError> {
        let path = self.store.updatable(path)?;
        let (layers, _) = taken_back::<S>(&self.layers, &path)?;
        self.show(layers);
        self.writes.push(Write::Unset(path));
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The writes on top of what is current; `None` if what was read has changed since.
    pub(super) fn candidate(&self, content: &Content) -> Result<Option<Candidate>, ConfigError> {
        let is_read_again = |(path, node): &(Path, Option<Node>)| content.base.at(path.texts()) == node.as_ref();
        if !self.reads.iter().all(is_read_again) {
            return Ok(None);
        }
        let (mut layers, mut base) = (content.layers.clone(), content.base.clone());
        let mut entries = Vec::with_capacity(self.writes.len());
        for write in &self.writes {
            let (next, entry) = match write {
                Write::Set(path, node) => written::<S>(&layers, &base, path, node)?,
                Write::Unset(path) => taken_back::<S>(&layers, path)?,
            };
            base = next.merged();
            layers = next;
            entries.push(entry);
        }
        let takes_back = self.writes.iter().all(|write| matches!(write, Write::Unset(_)));
        let kind = if takes_back { ChangeKind::Unset } else { ChangeKind::Update };
        Ok(Some(Candidate::of_layers(kind, entries, content, layers)))
    }

    fn show(&mut self, layers: Layers) {
        self.base = layers.merged();
        self.layers = layers;
    }

    /// The path of a read, whose result has to hold until the end.
    fn read(&mut self, path: impl IntoPath) -> Result<Path, ConfigError> {
        walk(&path, self.store.0.allows_key, |_| ())?;
        let path = path.into_path()?;
        self.reads.push((path.clone(), self.start.base.at(path.texts()).cloned()));
        Ok(path)
    }

    fn at(&self, path: &Path) -> Result<&Node, ConfigError> {
        self.base.at(path.texts()).ok_or_else(|| ConfigError::NotFound { path: path.clone() })
    }
}
