//! What a version consists of.

use std::sync::Arc;

use foundation_types::{Text, Timestamp};

use crate::layer::{Layer, Version};
use crate::path::Path;
use crate::source::{Document, Origin};
use crate::tree::{Node, merge};

/// All that makes a version, but its typed form.
pub(crate) struct Content {
    pub(crate) version: Version,
    pub(crate) at: Timestamp,
    pub(crate) layers: Layers,
    /// All layers, one over the other.
    pub(crate) base: Node,
    #[cfg(feature = "agent")]
    pub(crate) agents: crate::agent::Overlays,
}

/// The layers of a version.
#[derive(Clone)]
pub(crate) struct Layers {
    /// The content of each layer, in the order of [`Layer::ALL`].
    nodes: [Node; Layer::ALL.len()],
    /// All layers below that of run time, one over the other.
    below: Node,
    /// What each source holds, in the order in which they were added.
    pub(crate) documents: Arc<[Option<Arc<Loaded>>]>,
}

/// What a source holds.
pub(crate) struct Loaded {
    pub(crate) source: Text,
    pub(crate) layer: Layer,
    pub(crate) document: Document,
    pub(crate) node: Node,
}

impl Loaded {
    pub(crate) fn new(source: &str, layer: Layer, document: Document) -> Self {
        let node = Node::from_value(document.to_value());
        Self { source: source.into(), layer, document, node }
    }

    /// Where the value at `path` stands, as closely as is known.
    pub(crate) fn origin(&self, path: &Path) -> Origin {
        self.document.origin(path).cloned().unwrap_or_else(|| Origin::new(self.source.clone()))
    }
}

impl Layers {
    pub(crate) fn new(defaults: Node, namespace: &Node, documents: Arc<[Option<Arc<Loaded>>]>) -> Self {
        let mut nodes = Layer::ALL.map(|_| Node::empty());
        nodes[Layer::Defaults as usize] = defaults;
        let layers = Self { nodes, below: Node::empty(), documents: Arc::from([]) };
        layers.with_documents(documents, namespace)
    }

    /// These layers with other documents of the sources; `namespace` is what lies under those of that layer.
    pub(crate) fn with_documents(&self, documents: Arc<[Option<Arc<Loaded>>]>, namespace: &Node) -> Self {
        let mut nodes = self.nodes.clone();
        for layer in Layer::ALL {
            if matches!(layer, Layer::Defaults | Layer::Runtime) {
                continue;
            }
            let own = documents.iter().flatten().filter(|loaded| loaded.layer == layer);
            let start = if layer == Layer::Namespace { namespace.clone() } else { Node::empty() };
            nodes[layer as usize] = own.fold(start, |below, loaded| merge(&below, &loaded.node));
        }
        let below = nodes[..Layer::Runtime as usize].iter().fold(Node::empty(), |below, node| merge(&below, node));
        Self { nodes, below, documents }
    }

    pub(crate) fn with_runtime(&self, runtime: Node) -> Self {
        let mut layers = self.clone();
        layers.nodes[Layer::Runtime as usize] = runtime;
        layers
    }

    pub(crate) fn get(&self, layer: Layer) -> &Node {
        &self.nodes[layer as usize]
    }

    /// The contents of the layers above one.
    pub(crate) fn above(&self, layer: Layer) -> impl Iterator<Item = &Node> {
        self.nodes[layer as usize + 1..].iter()
    }

    /// The documents of a layer, the one that lies on top first.
    pub(crate) fn documents_of(&self, layer: Layer) -> impl Iterator<Item = (usize, &Arc<Loaded>)> {
        let loaded = self.documents.iter().enumerate().rev();
        loaded.filter_map(move |(index, loaded)| Some((index, loaded.as_ref()?))).filter(move |(_, l)| l.layer == layer)
    }

    /// The layer of the first source that holds something else here than in `other`.
    pub(crate) fn first_moved(&self, other: &Self) -> Option<Layer> {
        let nothing = Node::empty();
        let held = |loaded: &'_ Option<Arc<Loaded>>| loaded.as_ref().map_or(&nothing, |loaded| &loaded.node).clone();
        let mut pairs = self.documents.iter().zip(other.documents.iter());
        let (here, there) = pairs.find(|(here, there)| held(here) != held(there))?;
        here.as_ref().or(there.as_ref()).map(|loaded| loaded.layer)
    }

    /// Where the value at `path` comes from, if from a source.
    pub(crate) fn origin(&self, path: &Path) -> Option<Origin> {
        let deciding = Layer::ALL.into_iter().rev().find(|layer| self.get(*layer).at(path.texts()).is_some())?;
        let (_, loaded) = self.documents_of(deciding).find(|(_, loaded)| loaded.node.at(path.texts()).is_some())?;
        Some(loaded.origin(path))
    }

    pub(crate) fn merged(&self) -> Node {
        merge(&self.below, self.get(Layer::Runtime))
    }
}
