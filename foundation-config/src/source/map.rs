//! Settings that the program gives itself.

use foundation_types::{Metadata, Text};
use parking_lot::Mutex;

use super::{Document, Source, SourceError};
use crate::layer::Layer;

/// Settings from the program's own hand: command-line flags, a fixed profile, a test. What [`set`](Self::set) changes counts
/// from the next reload.
pub struct MapSource {
    name: Text,
    layer: Layer,
    tree: Mutex<Metadata>,
}

impl MapSource {
    /// Settings of this name in this layer.
    pub fn new(name: impl Into<Text>, layer: Layer, tree: Metadata) -> Self {
        Self { name: name.into(), layer, tree: Mutex::new(tree) }
    }

    /// Replaces the settings and returns what they were.
    pub fn set(&self, tree: Metadata) -> Metadata {
        std::mem::replace(&mut self.tree.lock(), tree)
    }
}

impl Source for MapSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn layer(&self) -> Layer {
        self.layer
    }

    fn load(&self) -> Result<Document, SourceError> {
        Ok(Document::new(self.tree.lock().clone()))
    }
}
