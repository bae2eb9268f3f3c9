//! Making a version current.

use std::sync::Arc;

use foundation_types::{Measurements, Metadata, Value, contain};

use super::Store;
use super::writer::Turn;
use crate::change::{Change, ChangeKind, Committed, Entry, Scope};
use crate::content::{Content, Layers};
use crate::error::ConfigError;
use crate::events::{CHANGED_EVENT, MAX_EVENT_PATHS, ROLLBACK_EVENT};
use crate::limits::{Limit, Limits};
use crate::path::Path;
use crate::schema::{Schema, Violations};
use crate::secret;
use crate::snapshot::Snapshot;
use crate::tree::{Node, Tree};

/// What is to become the next version.
pub(crate) struct Candidate {
    pub(crate) kind: ChangeKind,
    pub(crate) entries: Vec<Entry>,
    pub(crate) layers: Layers,
    #[cfg(feature = "agent")]
    pub(crate) agents: crate::agent::Candidate,
}

impl<S: Schema> Store<S> {
    /// Publishes what `make` makes of the current version, or nothing if it fails or what it makes is refused.
    ///
    /// `make` and the schema run in the writer's turn; everything foreign but the schema runs after it.
    pub(crate) fn commit(
        &self,
        make: impl FnOnce(&Content) -> Result<Candidate, ConfigError>,
    ) -> Result<Committed, ConfigError> {
        let committed = self.try_commit(|content| make(content).map(Some))?;
        Ok(committed.expect("a candidate was made, and published"))
    }

    /// As [`commit`](Self::commit), unless `make` decides that there is nothing to publish.
    pub(crate) fn try_commit(
        &self,
        make: impl FnOnce(&Content) -> Result<Option<Candidate>, ConfigError>,
    ) -> Result<Option<Committed>, ConfigError> {
        let mut turn = self.0.writer.turn()?;
        let Some(candidate) = make(&self.content())? else { return Ok(None) };
        let published = self.publish(&mut turn, candidate)?;
        drop(turn);
        Ok(Some(published.announce(self)))
    }

    /// Checks a candidate and makes it current. What is left to do waits until the turn is over.
    pub(super) fn publish(&self, turn: &mut Turn<'_>, candidate: Candidate) -> Result<Published<S>, ConfigError> {
        let inner = &*self.0;
        let before = self.content();
        let base = candidate.layers.merged();
        let typed = build_typed::<S>(&base, &candidate.layers, &inner.limits)?;
        #[cfg(feature = "agent")]
        let (agents, effect) = inner.agents.settle::<S>(&before, &base, candidate.agents, &inner.limits)?;
        let content = Arc::new(Content {
            version: before.version.next(),
            at: inner.clock().wall(),
            layers: candidate.layers,
            base,
            #[cfg(feature = "agent")]
            agents,
        });
        let now = inner.clock().mono();
        let change = Arc::new(Change {
            kind: candidate.kind,
            entries: candidate.entries.into(),
            before,
            after: Arc::clone(&content),
            committed: now,
            #[cfg(feature = "agent")]
            agents: effect,
        });
        let snapshot = Snapshot {
            content: Arc::clone(&content),
            typed,
            #[cfg(feature = "agent")]
            agents: crate::agent::TypedOverlays::default(),
        };
        let outgoing = inner.feed.publish(snapshot, Arc::clone(&change), now);
        let versions = &mut turn.state.versions;
        versions.push_back(content);
        let evicted = (versions.len() > inner.limits.versions).then(|| versions.pop_front()).flatten();
        Ok(Published { change, _outgoing: outgoing, _evicted: evicted })
    }

    pub(crate) fn content(&self) -> Arc<Content> {
        Arc::clone(&self.0.feed.current.load().content)
    }

    /// One place of a layer that changes.
    pub(crate) fn entry(path: Path, scope: Scope, old: Option<Node>, new: Option<Node>) -> Entry {
        Entry { path, scope, old, new, secret: S::secret }
    }
}

/// A version that is current, of which nobody has been told.
#[must_use = "subscribers and the observer have to be told"]
pub(super) struct Published<S> {
    change: Arc<Change>,
    _outgoing: crate::subscribe::Outgoing<S>,
    _evicted: Option<Arc<Content>>,
}

impl<S: Schema> Published<S> {
    /// Wakes subscribers and tells the observer. Runs when no lock is held.
    pub(super) fn announce(self, store: &Store<S>) -> Committed {
        let change = self.change;
        store.0.feed.wake(&change);
        let emitter = &store.0.feed.emitter;
        emitter.emit(&CHANGED_EVENT, || (Measurements::one(), metadata_of(&change)));
        if let ChangeKind::Rollback { to } = change.kind {
            emitter.emit(&ROLLBACK_EVENT, || {
                let metadata =
                    Metadata::new().with("from", number(change.before.version.get())).with("to", number(to.get()));
                (Measurements::one(), metadata)
            });
        }
        #[cfg(feature = "agent")]
        change.agents.announce(emitter);
        Committed { change }
    }
}

fn metadata_of(change: &Change) -> Metadata {
    let paths = change.entries.iter().take(MAX_EVENT_PATHS).map(|entry| Value::from(entry.path.to_string()));
    let metadata = Metadata::new()
        .with("version", number(change.version().get()))
        .with("kind", change.kind.as_str())
        .with("paths", Value::List(paths.collect()));
    #[cfg(feature = "agent")]
    if let Some(Scope::Agent(id)) = change.entries.first().map(|entry| &entry.scope) {
        return metadata.with("agent", id.as_str());
    }
    metadata
}

pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The typed configuration of a tree; what is wrong with it says where it comes from.
pub(crate) fn build_typed<S: Schema>(base: &Node, layers: &Layers, limits: &Limits) -> Result<S, ConfigError> {
    if base.nodes() > limits.tree_nodes {
        return Err(ConfigError::LimitExceeded { what: Limit::TreeNodes, max: limits.tree_nodes });
    }
    check_schema(base).map_err(|refusal| refusal.into_error::<S>(base, layers))
}

/// Why a schema refuses a tree.
#[derive(Clone)]
pub(crate) enum Refusal {
    Violations(Violations),
    Panicked,
}

/// What the schema makes of a tree.
pub(crate) fn check_schema<S: Schema>(base: &Node) -> Result<S, Refusal> {
    match contain(|| S::build(&Tree(base.clone()))) {
        Ok(Ok(typed)) => Ok(typed),
        Ok(Err(violations)) => Err(Refusal::Violations(violations)),
        Err(_) => Err(Refusal::Panicked),
    }
}

impl Refusal {
    /// The error, which quotes no secret, and says of each value where it comes from.
    pub(crate) fn into_error<S: Schema>(self, base: &Node, layers: &Layers) -> ConfigError {
        let Self::Violations(mut violations) = self else { return ConfigError::SchemaPanicked };
        for violation in violations.iter_mut() {
            if secret::quotes_secret(&violation.message, &Path::ROOT, base, S::secret) {
                violation.message = "not a valid value".into();
            }
            if violation.origin.is_none() {
                violation.origin = layers.origin(&violation.path);
            }
        }
        ConfigError::Invalid(violations)
    }
}
