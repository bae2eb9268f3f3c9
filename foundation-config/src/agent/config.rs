//! The configuration of one agent.

use std::fmt;
use std::sync::Arc;

use foundation_types::{AgentId, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::overlays::{Standing, effective_over};
use super::reader::AgentReader;
use super::settle::{Candidate, Demand};
use super::typed::AgentSnapshot;
use crate::change::{Change, ChangeKind, Committed, Scope};
use crate::content::Content;
use crate::error::ConfigError;
use crate::path::{IntoPath, Path, TypedPath};
use crate::schema::Schema;
use crate::secret::redacted;
use crate::snapshot::{decode_node, walk};
use crate::store::commit::Candidate as StoreCandidate;
use crate::store::write::check_way;
use crate::store::{Explained, Store};
use crate::tree::Node;

/// The configuration as one agent sees it: that of all, with the agent's overrides over it.
///
/// A map in an override is merged with what is below it; everything else hides it. Overrides are configuration, not state of
/// the agent: they survive it, and go only by being taken back, by [`Store::reset`] or [`Store::rollback_to`]. They are
/// accepted only if what is in effect with them is valid. A change of the configuration is never refused because of them:
/// overrides that no longer fit are suspended, which means kept and not applied, until a change makes them fit again.
///
/// While the agent features are off, reads answer as if there were no overrides, and writes are refused.
pub struct AgentConfig<'s, S: Schema> {
    store: &'s Store<S>,
    id: AgentId,
}

impl<S: Schema> Store<S> {
    /// The configuration of one agent. There need be no agent of this name.
    pub fn agent(&self, id: impl Into<AgentId>) -> AgentConfig<'_, S> {
        AgentConfig { store: self, id: id.into() }
    }

    /// The agents that have overrides, in order. O(agents x log agents).
    pub fn agents(&self) -> Vec<AgentId> {
        let mut ids: Vec<_> = self.content().agents.iter().map(|(id, _)| id.clone()).collect();
        ids.sort_unstable();
        ids
    }

    /// Takes back all overrides of an agent; `None` if there are none.
    ///
    /// # Errors
    /// [`ConfigError::AgentFeaturesDisabled`], [`ConfigError::Reentrant`].
    pub fn clear_agent(&self, id: &AgentId) -> Result<Option<Committed>, ConfigError> {
        match self.agent(id.clone()).take_back(&Path::ROOT) {
            Ok(committed) => Ok(Some(committed)),
            Err(ConfigError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The value at a path as agents without overrides see it: that of the configuration, or what
    /// [`StoreBuilder::agent_defaults`](crate::StoreBuilder::agent_defaults) has below it.
    ///
    /// # Errors
    /// [`ConfigError::InvalidPath`], [`ConfigError::NotFound`], [`ConfigError::Unavailable`].
    pub fn value_for_agents(&self, path: impl IntoPath) -> Result<Value, ConfigError> {
        read(self, None, path).map(|(node, _)| node.to_value())
    }
}

impl<S: Schema> AgentConfig<'_, S> {
    /// The agent.
    pub const fn id(&self) -> &AgentId {
        &self.id
    }

    /// The value that is in effect at a path. O(depth and size of the value).
    ///
    /// # Errors
    /// [`ConfigError::InvalidPath`], [`ConfigError::NotFound`], [`ConfigError::Unavailable`].
    pub fn value(&self, path: impl IntoPath) -> Result<Value, ConfigError> {
        read(self.store, Some(&self.id), path).map(|(node, _)| node.to_value())
    }

    /// The value that is in effect at a path, as the type that the path has.
    ///
    /// # Errors
    /// As [`value`](Self::value), and [`ConfigError::TypeMismatch`].
    pub fn get<T: DeserializeOwned>(&self, path: TypedPath<T>) -> Result<T, ConfigError> {
        self.get_as(path)
    }

    /// The value that is in effect at a path, as any type.
    ///
    /// # Errors
    /// As [`value`](Self::value), and [`ConfigError::TypeMismatch`].
    pub fn get_as<T: DeserializeOwned>(&self, path: impl IntoPath) -> Result<T, ConfigError> {
        let (node, path) = read(self.store, Some(&self.id), path)?;
        decode_node(&node, || Ok(path), S::secret)
    }

    /// What is in effect, typed and pinned. It is made once per version.
    pub fn snapshot(&self) -> AgentSnapshot<S> {
        AgentSnapshot::of(&self.store.snapshot(), &self.id, self.store.0.agents.is_on())
    }

    /// Fast typed reads of what is in effect; one for each thread or task.
    pub fn reader(&self) -> AgentReader<S> {
        AgentReader::new(self.store.clone(), self.id.clone())
    }

    /// Overrides the value at a path. A map is merged with the configuration below it.
    ///
    /// # Errors
    /// As [`Store::update`], judged on what would be in effect for the agent; and [`ConfigError::AgentFeaturesDisabled`].
    pub fn set<T: Serialize>(&self, path: impl IntoPath, value: T) -> Result<Committed, ConfigError> {
        self.check_on()?;
        let (path, node) = self.store.writable(path, &value)?;
        self.store.commit(|content| {
            let overlay = self.overlay(content);
            let effective = crate::tree::merge(&content.base, &overlay);
            check_way(&effective, &path)?;
            if path.is_root() && !node.is_map() {
                return Err(crate::store::write::not_a_map(Path::ROOT));
            }
            let written = overlay.with(path.texts(), node.clone());
            Ok(self.candidate(content, ChangeKind::Update, &path, &overlay, written, Demand::Fit))
        })
    }

    /// Takes back what is overridden at and below a path.
    ///
    /// # Errors
    /// [`ConfigError::InvalidPath`], [`ConfigError::UpdateForbidden`], [`ConfigError::NotFound`] if nothing is overridden
    /// there, [`ConfigError::Invalid`] if what would be in effect then is not valid, [`ConfigError::AgentFeaturesDisabled`].
    pub fn unset(&self, path: impl IntoPath) -> Result<Committed, ConfigError> {
        self.check_on()?;
        let path = self.store.updatable(path)?;
        self.take_back(&path)
    }

    fn take_back(&self, path: &Path) -> Result<Committed, ConfigError> {
        self.check_on()?;
        self.store.commit(|content| {
            let overlay = self.overlay(content);
            let is_there = content.agents.get(&self.id).is_some() && overlay.at(path.texts()).is_some();
            let without = is_there.then(|| overlay.without(path.texts())).flatten();
            let Some(without) = without else { return Err(ConfigError::NotFound { path: path.clone() }) };
            let demand = Demand::FitUnlessSuspended;
            Ok(self.candidate(content, ChangeKind::Unset, path, &overlay, without, demand))
        })
    }

    /// Everything that is overridden, as a map. Empty while the agent features are off.
    pub fn overrides(&self) -> Value {
        let overlay = if self.store.0.agents.is_on() { self.overlay(&self.store.content()) } else { Node::empty() };
        overlay.to_value()
    }

    /// Whether there are overrides that do not fit the configuration at the moment, and are not applied.
    pub fn is_suspended(&self) -> bool {
        let content = self.store.content();
        content.agents.get(&self.id).is_some_and(|overlay| overlay.standing == Standing::Suspended)
    }

    /// The changes that are remembered of what is in effect for the agent, the newest first, at most `limit`.
    pub fn history(&self, limit: usize) -> Vec<Arc<Change>> {
        self.store.0.feed.history(limit, |change| change.concerns_agent(&self.id, &Path::ROOT))
    }

    /// What the overrides, each layer and each source say at a path, the highest first.
    ///
    /// # Errors
    /// [`ConfigError::InvalidPath`].
    pub fn explain(&self, path: impl IntoPath) -> Result<Vec<Explained>, ConfigError> {
        walk(&path, self.store.0.allows_key, |_| ())?;
        let path = path.into_path()?;
        let content = self.store.content();
        let overlay = content.agents.get(&self.id).filter(|_| self.store.0.agents.is_on());
        let own = overlay.and_then(|overlay| Some((overlay, overlay.node.at(path.texts())?)));
        let own = own.map(|(overlay, node)| Explained {
            scope: Scope::Agent(self.id.clone()),
            origin: None,
            value: redacted(&path, &node.to_value(), S::secret),
            decides: overlay.standing == Standing::Applied,
        });
        let below = self.store.explain_in(&content, overlay.and_then(|overlay| overlay.applied()), &path);
        Ok(own.into_iter().chain(below).collect())
    }

    fn check_on(&self) -> Result<(), ConfigError> {
        if self.store.0.agents.is_on() { Ok(()) } else { Err(ConfigError::AgentFeaturesDisabled) }
    }

    fn overlay(&self, content: &Content) -> Node {
        content.agents.get(&self.id).map_or_else(Node::empty, |overlay| overlay.node.clone())
    }

    fn candidate(
        &self,
        content: &Content,
        kind: ChangeKind,
        path: &Path,
        old: &Node,
        new: Node,
        demand: Demand,
    ) -> StoreCandidate {
        let at = |node: &Node| node.at(path.texts()).cloned();
        let entry = Store::<S>::entry(path.clone(), Scope::Agent(self.id.clone()), at(old), at(&new));
        StoreCandidate {
            kind,
            entries: vec![entry],
            layers: content.layers.clone(),
            agents: Candidate::writing(content, self.id.clone(), new, demand),
        }
    }
}

impl<S: Schema> fmt::Debug for AgentConfig<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentConfig").field("agent", &self.id).finish_non_exhaustive()
    }
}

/// What is in effect at a path, for an agent or for agents without overrides; and the path.
fn read<S: Schema>(store: &Store<S>, id: Option<&AgentId>, path: impl IntoPath) -> Result<(Node, Path), ConfigError> {
    walk(&path, store.0.allows_key, |_| ())?;
    let path = path.into_path()?;
    let snapshot = store.snapshot();
    store.0.check_fresh(&snapshot.content, &&path)?;
    let overlay = id.filter(|_| store.0.agents.is_on()).and_then(|id| snapshot.content.agents.applied(id));
    let node = effective_over(&store.0.agents.defaults, &snapshot.content.base, overlay, path.texts());
    match node {
        Some(node) => Ok((node, path)),
        None => Err(ConfigError::NotFound { path }),
    }
}
