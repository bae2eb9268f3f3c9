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

/// What is in effect at the place `path` where `overlay` lies over `base`. O(depth + size of what is merged).
pub(crate) fn effective_at(base: &Node, overlay: Option<&Node>, path: &[Text]) -> Option<Node> {
    let Some(mut over) = overlay else { return base.at(path).cloned() };
    let mut under = base;
    for (depth, key) in path.iter().enumerate() {
        if !(under.is_map() && over.is_map()) {
            // The overlay hides what is below it.
            return over.at(&path[depth..]).cloned();
        }
        match (under.child(key), over.child(key)) {
            (below, None) => return below?.at(&path[depth + 1..]).cloned(),
            (None, Some(above)) => return above.at(&path[depth + 1..]).cloned(),
            (Some(below), Some(above)) => (under, over) = (below, above),
        }
    }
    Some(merge(under, over))
}

/// As [`effective_at`], with `defaults` below all: what lies above them hides them, map over map is merged.
pub(crate) fn effective_over(defaults: &Node, base: &Node, overlay: Option<&Node>, path: &[Text]) -> Option<Node> {
    let above = effective_at(base, overlay, path);
    let mut below = Some(defaults);
    for (depth, key) in path.iter().enumerate() {
        below = below.and_then(|node| node.child(key));
        let is_hidden = || effective_at(base, overlay, &path[..depth]).is_some_and(|node| node.lets_nothing_through());
        if below.is_none() || is_hidden() {
            return above;
        }
    }
    match (below, above) {
        (Some(below), Some(above)) => Some(merge(below, &above)),
        (below, above) => above.or_else(|| below.cloned()),
    }
}
