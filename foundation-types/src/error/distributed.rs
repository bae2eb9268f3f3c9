//! Where an error has been.

use std::fmt;

use super::redact::Redacted;
use crate::{Metadata, NodeId, Text, Value};

const ORIGIN: &str = "originating_node";
const PATH: &str = "propagation_path";
const VIEW: &str = "cluster_view";

/// The way of an error between nodes. Keys beyond the three named ones are kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DistributedContext(Metadata);

impl DistributedContext {
    /// The context of an error that arose on `node`.
    pub fn new(node: &NodeId) -> Self {
        Self(Metadata::new().with(ORIGIN, node.as_str()))
    }

    /// This context with one more node at the end of the path.
    #[must_use]
    pub fn via(mut self, node: &NodeId) -> Self {
        let mut path = self.0.get(PATH).and_then(Value::as_list).map(<[Value]>::to_vec).unwrap_or_default();
        path.push(node.as_str().into());
        self.0.insert(PATH, Value::List(path));
        self
    }

    /// This context with what was known about the cluster.
    #[must_use]
    pub fn with_cluster_view(mut self, view: Metadata) -> Self {
        self.0.insert(VIEW, view);
        self
    }

    /// This context with one entry set.
    #[must_use]
    pub fn with(mut self, key: impl Into<Text>, value: impl Into<Value>) -> Self {
        self.0.insert(key, value);
        self
    }

    /// Where the error arose.
    pub fn originating_node(&self) -> Option<&str> {
        self.0.get(ORIGIN)?.as_str()
    }

    /// The nodes it came over, in order.
    pub fn propagation_path(&self) -> impl Iterator<Item = &str> {
        self.0.get(PATH).and_then(Value::as_list).unwrap_or_default().iter().filter_map(Value::as_str)
    }

    /// What was known about the cluster.
    pub fn cluster_view(&self) -> Option<&Metadata> {
        self.0.get(VIEW)?.as_map()
    }

    /// Every entry.
    pub const fn as_metadata(&self) -> &Metadata {
        &self.0
    }
}

impl From<Metadata> for DistributedContext {
    fn from(entries: Metadata) -> Self {
        Self(entries)
    }
}

impl fmt::Debug for DistributedContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Redacted::whole(&self.0), f)
    }
}
