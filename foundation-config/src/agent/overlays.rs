//! The overrides of all agents.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use foundation_types::{AgentId, Text};

use crate::tree::{Branch, Node, merge};

/// How many parts the overrides are in. A write copies one of them.
const BUCKETS: usize = 64;

type Bucket = BTreeMap<AgentId, Arc<Overlay>>;

/// The overrides of all agents, by agent. A copy shares all of them; a change copies one part of [`BUCKETS`].
#[derive(Clone)]
pub(crate) struct Overlays {
    buckets: Arc<[Arc<Bucket>]>,
    len: usize,
}

/// The overrides of one agent.
#[derive(Clone)]
pub(crate) struct Overlay {
    pub(crate) node: Node,
    pub(crate) standing: Standing,
}

/// Whether overrides are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Applied,
    /// What would be in effect with them is not valid, so they are kept and not applied.
    Suspended,
}

impl Overlay {
    /// What is in force; `None` while it is suspended.
    pub(crate) fn applied(&self) -> Option<&Node> {
        (self.standing == Standing::Applied).then_some(&self.node)
    }
}

impl Default for Overlays {
    fn default() -> Self {
        let empty = Arc::new(Bucket::new());
        Self { buckets: (0..BUCKETS).map(|_| Arc::clone(&empty)).collect(), len: 0 }
    }
}

impl Overlays {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn suspended(&self) -> usize {
        self.iter().filter(|(_, overlay)| overlay.standing == Standing::Suspended).count()
    }

    pub(crate) fn get(&self, id: &AgentId) -> Option<&Arc<Overlay>> {
        self.buckets[bucket_of(id)].get(id)
    }

    /// The overrides that are in force for an agent.
    pub(crate) fn applied(&self, id: &AgentId) -> Option<&Node> {
        self.get(id).and_then(|overlay| overlay.applied())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&AgentId, &Arc<Overlay>)> {
        self.buckets.iter().flat_map(|bucket| bucket.iter())
    }

    /// These with others for one agent; with none if there is nothing in them.
    pub(crate) fn with(&self, id: &AgentId, overlay: Overlay) -> Self {
        let mut changed = self.clone();
        let at = bucket_of(id);
        let buckets = Arc::make_mut(&mut changed.buckets);
        let bucket = Arc::make_mut(&mut buckets[at]);
        if overlay.node.as_branch().is_some_and(Branch::is_empty) {
            changed.len -= usize::from(bucket.remove(id).is_some());
        } else {
            changed.len += usize::from(bucket.insert(id.clone(), Arc::new(overlay)).is_none());
        }
        changed
    }
}

fn bucket_of(id: &AgentId) -> usize {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    usize::try_from(hasher.finish() % BUCKETS as u64).expect("less than the number of buckets")
}

/// What is in effect at the place `path` where `overlay` lies over `base`, and both over `defaults`. O(depth + size of what is
/// merged).
pub(crate) fn effective_over(defaults: &Node, base: &Node, overlay: Option<&Node>, path: &[Text]) -> Option<Node> {
    shown([Some(defaults), Some(base), overlay], path)
}

/// What these trees show together at a path, the lowest first.
fn shown(mut trees: [Option<&Node>; 3], path: &[Text]) -> Option<Node> {
    for key in path {
        forget_hidden(&mut trees);
        trees = trees.map(|tree| tree.and_then(|tree| tree.child(key)));
    }
    forget_hidden(&mut trees);
    trees.into_iter().flatten().fold(None, |below, tree| match below {
        Some(below) => Some(merge(&below, tree)),
        None => Some(tree.clone()),
    })
}

/// Leaves out the trees of which nothing shows below others.
fn forget_hidden(trees: &mut [Option<&Node>; 3]) {
    let mut is_hidden = false;
    for place in trees.iter_mut().rev() {
        let Some(tree) = *place else { continue };
        if is_hidden {
            *place = None;
        }
        is_hidden |= tree.lets_nothing_through();
    }
}
