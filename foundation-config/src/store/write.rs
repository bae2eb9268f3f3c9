//! Changing the configuration.

use foundation_types::{Value, bridge};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Store;
use super::builder::unfit_error;
use super::commit::Candidate;
use super::transaction::Transaction;
use crate::change::{ChangeKind, Committed, Entry, Scope};
use crate::content::{Content, Layers};
use crate::error::{ConfigError, ModifyError};
use crate::layer::{Layer, Version};
use crate::limits::{ValueFault, check_value};
use crate::path::{IntoPath, Path, TypedPath};
use crate::schema::{Schema, Violation, ViolationKind};
use crate::snapshot::walk;
use crate::tree::{Diff, Node, each_layer_difference};

/// Writes. Each is checked in this order: the path, the value, whether the path may be changed, and the configuration as a
/// whole; the first fault is reported. O(size of the configuration), plus, with overrides of agents, O(agents x size).
impl<S: Schema> Store<S> {
    /// Sets the value at a path, in the layer of run time. Maps that are missing on the way are made. Afterwards the path
    /// has exactly this value: a map replaces what was there, key by key it does not merge.
    ///
    /// Writing a value that is there already is a change like any other.
    ///
    /// # Errors
    /// [`ConfigError::InvalidPath`], [`ConfigError::InvalidValue`], [`ConfigError::UpdateForbidden`],
    /// [`ConfigError::Invalid`], [`ConfigError::LimitExceeded`], [`ConfigError::SchemaPanicked`],
    /// [`ConfigError::Reentrant`].
    pub fn update<T: Serialize>(&self, path: impl IntoPath, value: T) -> Result<Committed, ConfigError> {
        let (path, node) = self.writable(path, &value)?;
        self.commit(|content| Self::updated(content, &path, &node))
    }

    /// As [`update`](Self::update), if the current version is `expected`.
    ///
    /// # Errors
    /// As [`update`](Self::update), and [`ConfigError::VersionConflict`].
    pub fn update_if<T: Serialize>(
        &self,
        expected: Version,
        path: impl IntoPath,
        value: T,
    ) -> Result<Committed, ConfigError> {
        let (path, node) = self.writable(path, &value)?;
        self.commit(|content| {
            if content.version != expected {
                return Err(ConfigError::VersionConflict { expected, actual: content.version });
            }
            Self::updated(content, &path, &node)
        })
    }

    /// Replaces the value at a path by what `change` makes of it; nobody writes it in between. Where somebody does, `change`
    /// is called again with what they wrote. It runs outside every lock, and may read and write the store.
    ///
    /// # Errors
    /// [`ModifyError::Refused`] with what `change` returned; else as [`get`](Self::get) and [`update`](Self::update).
    pub fn modify<T: DeserializeOwned + Serialize, E>(
        &self,
        path: TypedPath<T>,
        mut change: impl FnMut(T) -> Result<T, E>,
    ) -> Result<Committed, ModifyError<E>> {
        let mut refused = None;
        let result = self.transaction(|transaction| {
            let value = transaction.get(path)?;
            match change(value) {
                Ok(value) => transaction.set(path, value).map(Some),
                Err(error) => {
                    refused = Some(error);
                    Ok(None)
                }
            }
        });
        match (refused, result?) {
            (Some(error), _) => Err(ModifyError::Refused(error)),
            (None, (_, committed)) => Ok(committed.expect("a value was set, so something was committed")),
        }
    }

    /// Makes several writes one change, which takes place as a whole or not at all. Inside, reads see the writes before
    /// them.
    ///
    /// If somebody else changes what `run` has read before it is done, it runs again from the start, on what is current
    /// then. It runs outside every lock. Without any write nothing is committed, and the second part of the result is `None`.
    ///
    /// # Errors
    /// What `run` returns; else as [`update`](Self::update), for the writes together.
    pub fn transaction<R>(
        &self,
        mut run: impl FnMut(&mut Transaction<'_, S>) -> Result<R, ConfigError>,
    ) -> Result<(R, Option<Committed>), ConfigError> {
        loop {
            let mut transaction = Transaction::begin(self);
            let output = run(&mut transaction)?;
            if transaction.is_empty() {
                return Ok((output, None));
            }
            if let Some(committed) = self.try_commit(|content| transaction.candidate(content))? {
                return Ok((output, Some(committed)));
            }
        }
    }

    /// Takes back what was written at and below a path at run time, so that the layers below show again. Fails if there is
    /// nothing to take back.
    ///
    /// # Errors
    /// [`ConfigError::InvalidPath`], [`ConfigError::UpdateForbidden`], [`ConfigError::NotFound`]; [`ConfigError::Invalid`]
    /// if the configuration would be invalid without it.
    pub fn unset(&self, path: impl IntoPath) -> Result<Committed, ConfigError> {
        let path = self.updatable(path)?;
        self.commit(|content| {
            let (layers, entry) = taken_back::<S>(&content.layers, &path)?;
            Ok(Candidate::of_layers(ChangeKind::Unset, vec![entry], content, layers))
        })
    }

    /// Empties the layer of run time, and, while the agent features are on, the overrides of all agents. Files, environment
    /// and the other sources stay.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if the other layers are not valid by themselves.
    pub fn reset(&self) -> Result<Committed, ConfigError> {
        self.commit(|content| {
            let old = content.layers.get(Layer::Runtime).clone();
            let entry = Self::entry(Path::ROOT, Scope::Layer(Layer::Runtime), Some(old), Some(Node::empty()));
            let layers = content.layers.with_runtime(Node::empty());
            let candidate = Candidate::of_layers(ChangeKind::Reset, vec![entry], content, layers);
            #[cfg(feature = "agent")]
            let candidate = self.0.agents.reset(candidate);
            Ok(candidate)
        })
    }

    /// Restores the layers, and, while the agent features are on, the overrides of an earlier version, as a new version.
    /// What sources hold comes back as it was then, and stays until a source itself changes.
    ///
    /// # Errors
    /// [`ConfigError::VersionEvicted`] if it is not kept ([`Limits::versions`](crate::Limits::versions)); else as
    /// [`update`](Self::update).
    pub fn rollback_to(&self, version: Version) -> Result<Committed, ConfigError> {
        let mut turn = self.0.writer.turn()?;
        let kept = turn.state.versions.iter().find(|content| content.version == version).cloned();
        let target = kept.ok_or(ConfigError::VersionEvicted(version))?;
        let content = self.content();
        let mut entries = layer_entries::<S>(&content.layers, &target.layers);
        if entries.is_empty() {
            let runtime = Some(content.layers.get(Layer::Runtime).clone());
            entries.push(Self::entry(Path::ROOT, Scope::Layer(Layer::Runtime), runtime.clone(), runtime));
        }
        let kind = ChangeKind::Rollback { to: version };
        let candidate = Candidate::of_layers(kind, entries, &content, target.layers.clone());
        #[cfg(feature = "agent")]
        let candidate = self.0.agents.rollback(candidate, &target);
        let published = self.publish(&mut turn, candidate)?;
        drop(turn);
        Ok(published.announce(self))
    }

    /// What differs between two versions, overrides of agents left aside.
    ///
    /// # Errors
    /// [`ConfigError::VersionEvicted`] if one of them is not kept.
    pub fn diff(&self, old: Version, new: Version) -> Result<Diff, ConfigError> {
        let turn = self.0.writer.turn()?;
        let find = |version| {
            let found = turn.state.versions.iter().find(|content| content.version == version);
            found.cloned().ok_or(ConfigError::VersionEvicted(version))
        };
        let (old, new) = (find(old)?, find(new)?);
        drop(turn);
        Ok(Diff::between(&old.base, &new.base, S::secret))
    }

    /// The path and the value of a write, checked.
    pub(crate) fn writable<T: Serialize>(&self, path: impl IntoPath, value: &T) -> Result<(Path, Node), ConfigError> {
        walk(&path, self.0.allows_key, |_| ())?;
        let path = path.into_path()?;
        let value = self.fitting(&path, value)?;
        self.check_policy(&path)?;
        Ok((path, Node::from_value(value)))
    }

    fn fitting<T: Serialize>(&self, path: &Path, value: &T) -> Result<Value, ConfigError> {
        let too_deep = ConfigError::InvalidValue {
            path: path.clone(),
            fault: ValueFault::TooDeep { max: self.0.limits.value_depth },
        };
        let value = bridge::to_value(value).map_err(|error| match error.kind() {
            bridge::BridgeErrorKind::TooDeep => too_deep,
            _ => ConfigError::InvalidValue { path: path.clone(), fault: ValueFault::NotAValue },
        })?;
        let limits = &self.0.limits;
        check_value(&value, limits, self.0.allows_key).map_err(|unfit| unfit_error(path.clone(), unfit, limits))?;
        Ok(value)
    }

    /// The path of a write without a value, checked.
    pub(crate) fn updatable(&self, path: impl IntoPath) -> Result<Path, ConfigError> {
        walk(&path, self.0.allows_key, |_| ())?;
        let path = path.into_path()?;
        self.check_policy(&path)?;
        Ok(path)
    }

    fn check_policy(&self, path: &Path) -> Result<(), ConfigError> {
        if self.0.policy.allows(path) {
            return Ok(());
        }
        Err(ConfigError::UpdateForbidden { path: path.clone(), allowed: self.0.allowed.clone() })
    }

    fn updated(content: &Content, path: &Path, node: &Node) -> Result<Candidate, ConfigError> {
        let (layers, entry) = written::<S>(&content.layers, &content.base, path, node)?;
        Ok(Candidate::of_layers(ChangeKind::Update, vec![entry], content, layers))
    }
}

/// The layers with `node` at `path` in that of run time; `base` is what they show together.
pub(crate) fn written<S: Schema>(
    layers: &Layers,
    base: &Node,
    path: &Path,
    node: &Node,
) -> Result<(Layers, Entry), ConfigError> {
    check_way(base, path)?;
    let runtime = layers.get(Layer::Runtime);
    let old = runtime.at(path.texts()).cloned();
    let entry = Store::<S>::entry(path.clone(), Scope::Layer(Layer::Runtime), old, Some(node.clone()));
    if path.is_root() && !node.is_map() {
        return Err(not_a_map(Path::ROOT));
    }
    Ok((layers.with_runtime(runtime.with(path.texts(), node.clone().replacing())), entry))
}

/// The layers without what that of run time has at `path`.
pub(super) fn taken_back<S: Schema>(layers: &Layers, path: &Path) -> Result<(Layers, Entry), ConfigError> {
    let runtime = layers.get(Layer::Runtime);
    let old = runtime.at(path.texts()).filter(|_| !runtime.is_empty()).cloned();
    let without = old.as_ref().and_then(|_| runtime.without(path.texts()));
    let Some(without) = without else { return Err(ConfigError::NotFound { path: path.clone() }) };
    let entry = Store::<S>::entry(path.clone(), Scope::Layer(Layer::Runtime), old, None);
    Ok((layers.with_runtime(without), entry))
}

/// Refuses a write below something that is no map.
pub(crate) fn check_way(base: &Node, path: &Path) -> Result<(), ConfigError> {
    let mut at = base;
    for (depth, key) in path.texts().iter().enumerate() {
        if !at.is_map() {
            return Err(not_a_map(Path::from_checked(path.texts()[..depth].iter().cloned())));
        }
        match at.child(key) {
            Some(below) => at = below,
            None => return Ok(()),
        }
    }
    Ok(())
}

pub(crate) fn not_a_map(path: Path) -> ConfigError {
    ConfigError::Invalid(Violation::new(path, ViolationKind::Shape, "expected a map").into())
}

/// What differs between two states of the layers, place by place.
pub(super) fn layer_entries<S: Schema>(old: &Layers, new: &Layers) -> Vec<Entry> {
    let mut entries = Vec::new();
    for layer in Layer::ALL {
        each_layer_difference(old.get(layer), new.get(layer), &mut |path, old, new| {
            entries.push(Store::<S>::entry(path, Scope::Layer(layer), old.cloned(), new.cloned()));
        });
    }
    entries
}

impl Candidate {
    /// A candidate that writes to layers only.
    pub(crate) fn of_layers(kind: ChangeKind, entries: Vec<Entry>, content: &Content, layers: Layers) -> Self {
        #[cfg(not(feature = "agent"))]
        let _ = content;
        Self {
            kind,
            entries,
            layers,
            #[cfg(feature = "agent")]
            agents: crate::agent::Candidate::unchanged(content),
        }
    }
}
