//! The typed configuration of an agent.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use foundation_types::AgentId;
use parking_lot::RwLock;

use crate::layer::Version;
use crate::schema::{Dynamic, Schema};
use crate::snapshot::Snapshot;
use crate::store::commit::check_schema;
use crate::tree::{Node, Tree, merge};

/// What is in effect for one agent in one version, pinned. It derefs to the typed configuration.
pub struct AgentSnapshot<S = Dynamic>(Kind<S>);

enum Kind<S> {
    /// Nothing is overridden.
    Base(Arc<Snapshot<S>>),
    Own(Arc<Own<S>>),
}

/// The configuration of an agent with overrides.
struct Own<S> {
    version: Version,
    tree: Node,
    typed: S,
}

impl<S> Clone for AgentSnapshot<S> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Kind::Base(base) => Kind::Base(Arc::clone(base)),
            Kind::Own(own) => Kind::Own(Arc::clone(own)),
        })
    }
}

impl<S: Schema> AgentSnapshot<S> {
    /// Of the configuration with these overrides in force.
    pub(super) fn of(snapshot: &Arc<Snapshot<S>>, id: &AgentId, is_on: bool) -> Self {
        let overlay = is_on.then(|| snapshot.content.agents.applied(id)).flatten();
        let Some(overlay) = overlay else { return Self(Kind::Base(Arc::clone(snapshot))) };
        if let Some(own) = snapshot.agents.0.read().get(id) {
            return Self(Kind::Own(Arc::clone(own)));
        }
        let tree = merge(&snapshot.content.base, overlay);
        match check_schema::<S>(&tree) {
            Ok(typed) => {
                let own = Arc::new(Own { version: snapshot.version(), tree, typed });
                Self(Kind::Own(Arc::clone(snapshot.agents.0.write().entry(id.clone()).or_insert(own))))
            }
            // It was valid when it was published; a schema that says otherwise now is none to build on.
            Err(_) => Self(Kind::Base(Arc::clone(snapshot))),
        }
    }

    /// The version that it is of.
    pub fn version(&self) -> Version {
        match &self.0 {
            Kind::Base(base) => base.version(),
            Kind::Own(own) => own.version,
        }
    }

    /// The typed configuration.
    pub fn typed(&self) -> &S {
        match &self.0 {
            Kind::Base(base) => &base.typed,
            Kind::Own(own) => &own.typed,
        }
    }

    /// The tree that it was made of. O(1).
    pub fn tree(&self) -> Tree {
        match &self.0 {
            Kind::Base(base) => base.tree(),
            Kind::Own(own) => Tree(own.tree.clone()),
        }
    }
}

impl<S: Schema> Deref for AgentSnapshot<S> {
    type Target = S;

    fn deref(&self) -> &S {
        self.typed()
    }
}

impl<S: Schema> fmt::Debug for AgentSnapshot<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentSnapshot").field("version", &self.version()).finish_non_exhaustive()
    }
}

/// The typed configurations of agents that were asked for in a version, each made once.
pub(crate) struct TypedOverlays<S>(RwLock<HashMap<AgentId, Arc<Own<S>>>>);

impl<S> Default for TypedOverlays<S> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}
