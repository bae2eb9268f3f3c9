//! Making a store.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use foundation_types::{Clock, Emitter, Metadata, Observer, SystemClock, Value};

use super::commit::build_typed;
use super::reload::Slot;
use super::staleness::{StalePolicy, Staleness};
use super::writer::Writer;
use super::{Inner, Store};
use crate::content::{Content, Layers, Loaded};
use crate::error::{BuildError, ConfigError};
use crate::layer::{Layer, Version};
use crate::limits::{Limits, Unfit, check_value};
use crate::path::Path;
use crate::schema::{Schema, UpdatePolicy};
use crate::snapshot::Snapshot;
use crate::source::Source;
use crate::subscribe::Feed;
use crate::tree::Node;

/// Options of a [`Store`].
#[must_use = "a builder does nothing until built"]
pub struct StoreBuilder<S: Schema> {
    sources: Vec<(Box<dyn Source>, StalePolicy)>,
    namespace: Metadata,
    limits: Limits,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    policy: Option<UpdatePolicy>,
    allows_key: fn(&str) -> bool,
    #[cfg(feature = "agent")]
    agents: crate::agent::Settings,
    of: PhantomData<fn() -> S>,
}

impl<S: Schema> Default for StoreBuilder<S> {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            namespace: Metadata::new(),
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
            observer: None,
            policy: None,
            allows_key: |_| true,
            #[cfg(feature = "agent")]
            agents: crate::agent::Settings::default(),
            of: PhantomData,
        }
    }
}

impl<S: Schema> StoreBuilder<S> {
    /// Adds a source, on top of those of its layer that were added before. If it fails, what it held last is served for ever.
    pub fn source(self, source: impl Source) -> Self {
        self.source_with(source, StalePolicy::ServeForever)
    }

    /// Adds a source, and says for how long what it held last is served while it fails.
    pub fn source_with(mut self, source: impl Source, policy: StalePolicy) -> Self {
        self.sources.push((Box::new(source), policy));
        self
    }

    /// What holds for this instance among several of a program: it lies under the sources of [`Layer::Namespace`].
    pub fn namespace(mut self, overlay: Metadata) -> Self {
        self.namespace = overlay;
        self
    }

    /// How much the store holds.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where time comes from; the default is [`SystemClock`].
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Who hears what happens; nobody by default.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// What may be changed while running, in place of [`Schema::update_policy`].
    pub fn update_policy(mut self, policy: UpdatePolicy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Which keys there may be in paths and values that are read or written through the store; all by default. Sources are
    /// not asked.
    pub fn allow_keys(mut self, allows: fn(&str) -> bool) -> Self {
        self.allows_key = allows;
        self
    }

    /// The switch of the agent features. By default they are on.
    #[cfg(feature = "agent")]
    pub fn gate(mut self, gate: foundation_types::FeatureGate) -> Self {
        self.agents.gate = gate;
        self
    }

    /// What agents see where neither the configuration nor their overrides say anything. It lies below the defaults of the
    /// schema, and only agents see it.
    #[cfg(feature = "agent")]
    pub fn agent_defaults(mut self, defaults: Metadata) -> Self {
        self.agents.defaults = Node::from_value(defaults.into());
        self
    }

    /// The store, with the defaults of the schema and the overlay of the namespace: no source is asked before
    /// [`Store::reload`].
    ///
    /// # Errors
    /// [`BuildError`] if an option is out of range, or the defaults are not valid.
    pub fn build(self) -> Result<Store<S>, BuildError> {
        let documents = self.sources.iter().map(|_| None).collect();
        self.finish(documents)
    }

    /// The store, with what the sources hold. Reads files and the environment, on this thread.
    ///
    /// # Errors
    /// [`BuildError`] if an option is out of range, a source cannot be loaded, or what they hold together is not valid. The
    /// message names the file, the line and the path.
    pub fn load(self) -> Result<Store<S>, BuildError> {
        let mut documents = Vec::new();
        for (source, _) in &self.sources {
            let loaded = super::reload::load(&**source, &self.limits);
            let loaded = loaded.map_err(|error| BuildError::Source { source_name: source.name().to_owned(), error })?;
            documents.push(Some(Arc::new(loaded)));
        }
        self.finish(documents.into())
    }

    fn finish(self, documents: Arc<[Option<Arc<Loaded>>]>) -> Result<Store<S>, BuildError> {
        self.check()?;
        let defaults = S::defaults();
        if defaults.as_map().is_none() {
            return Err(BuildError::DefaultsNotAMap);
        }
        let given = [&defaults, &Value::from(self.namespace.clone())];
        given.into_iter().try_for_each(|value| check_whole(value, &self.limits))?;
        let namespace = Node::from_value(self.namespace.into());
        let layers = Layers::new(Node::from_value(defaults), &namespace, documents);
        let base = layers.merged();
        let typed = build_typed::<S>(&base, &layers, &self.limits)?;
        let staleness = Staleness::new(self.sources.iter().map(|(_, policy)| *policy));
        let loaded = layers.documents.iter().cloned();
        let sources =
            self.sources.into_iter().zip(loaded).map(|((source, _), loaded)| Slot::new(source, loaded)).collect();
        let content = Arc::new(Content {
            version: Version::FIRST,
            at: self.clock.wall(),
            layers,
            base,
            #[cfg(feature = "agent")]
            agents: crate::agent::Overlays::default(),
        });
        let first = Snapshot {
            content: Arc::clone(&content),
            typed,
            #[cfg(feature = "agent")]
            agents: crate::agent::TypedOverlays::default(),
        };
        let policy = self.policy.unwrap_or_else(S::update_policy);
        let started = self.clock.mono();
        let feed = Arc::new(Feed::new(first, &self.limits, self.clock, Emitter::from(self.observer)));
        Ok(Store(Arc::new(Inner {
            feed,
            staleness,
            writer: Writer::new(content),
            sources,
            limits: self.limits,
            allowed: policy.paths().cloned().collect(),
            policy,
            allows_key: self.allows_key,
            namespace,
            started,
            #[cfg(feature = "agent")]
            agents: self.agents,
        })))
    }

    fn check(&self) -> Result<(), BuildError> {
        let Limits { history, versions, tree_nodes, .. } = self.limits;
        for (name, limit) in [("history", history), ("versions", versions), ("tree_nodes", tree_nodes)] {
            if limit == 0 {
                return Err(BuildError::ZeroLimit(name));
            }
        }
        for (source, _) in &self.sources {
            if matches!(source.layer(), Layer::Defaults | Layer::Runtime) {
                return Err(BuildError::Layer { source_name: source.name().to_owned(), layer: source.layer() });
            }
        }
        Ok(())
    }
}

/// Checks a tree that the program itself gives.
fn check_whole(value: &Value, limits: &Limits) -> Result<(), ConfigError> {
    check_value(value, limits, |_| true).map_err(|unfit| unfit_error(Path::ROOT, unfit, limits))
}

pub(super) fn unfit_error(path: Path, unfit: Unfit, limits: &Limits) -> ConfigError {
    match unfit {
        Unfit::Fault(fault) => ConfigError::InvalidValue { path, fault },
        Unfit::Nodes => ConfigError::LimitExceeded { what: crate::Limit::ValueNodes, max: limits.value_nodes },
    }
}

impl<S: Schema> fmt::Debug for StoreBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources: Vec<_> = self.sources.iter().map(|(source, _)| source.name()).collect();
        f.debug_struct("StoreBuilder").field("sources", &sources).field("limits", &self.limits).finish_non_exhaustive()
    }
}
