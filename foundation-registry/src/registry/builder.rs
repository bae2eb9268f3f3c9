//! Building a registry.

use std::fmt;
use std::sync::Arc;

use foundation_types::{Clock, Emitter, Metadata, Observer, SystemClock, Text};

use super::Registry;
use super::core::{Core, CoreParts, Store};
use crate::backend::{Backend, Sharded};
use crate::error::{LimitExceeded, OptionsError};
use crate::index::MetadataIndex;

/// The metadata fields that are indexed unless the builder says otherwise.
pub const DEFAULT_INDEX_FIELDS: [&str; 7] =
    ["type", "agent_type", "priority", "capabilities", "category", "tier", "region"];

/// The most fields that can be indexed.
pub const MAX_INDEX_FIELDS: usize = 64;

/// How much a registry holds. Nothing is limited by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most entries, of all namespaces together.
    pub max_entries: Option<usize>,
    /// The largest metadata of an entry, in bytes of its compact JSON text.
    pub max_metadata_bytes: Option<usize>,
    /// The most health changes kept of an agent; the default is 100.
    pub max_health_history: Option<usize>,
}

impl Limits {
    /// Health changes kept of an agent by default.
    pub const DEFAULT_HEALTH_HISTORY: usize = 100;

    pub(crate) fn check_metadata(&self, metadata: &Metadata) -> Result<(), LimitExceeded> {
        let Some(limit) = self.max_metadata_bytes else { return Ok(()) };
        let bytes = metadata.to_json_string().len();
        if bytes > limit { Err(LimitExceeded::MetadataBytes { bytes, limit }) } else { Ok(()) }
    }
}

/// Options of a [`Registry`].
#[must_use = "a builder does nothing until built"]
pub struct RegistryBuilder {
    backend: Option<Arc<dyn Backend>>,
    clock: Arc<dyn Clock>,
    observer: Emitter,
    index_fields: Vec<Text>,
    limits: Limits,
    #[cfg(feature = "agent")]
    gate: foundation_types::FeatureGate,
}

impl Default for RegistryBuilder {
    fn default() -> Self {
        Self {
            backend: None,
            clock: Arc::new(SystemClock),
            observer: Emitter::none(),
            index_fields: DEFAULT_INDEX_FIELDS.map(Text::from_static).to_vec(),
            limits: Limits::default(),
            #[cfg(feature = "agent")]
            gate: foundation_types::FeatureGate::all_on(),
        }
    }
}

impl RegistryBuilder {
    /// Where entries are kept. The default is [`Sharded`], which the registry then knows by type: lookups in it are plain
    /// calls, those in another back-end go through a virtual one.
    pub fn backend(mut self, backend: Arc<dyn Backend>) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Where time comes from.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Who hears what happens.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Emitter::new(observer);
        self
    }

    /// The metadata fields that are indexed, instead of [`DEFAULT_INDEX_FIELDS`]; at most [`MAX_INDEX_FIELDS`].
    pub fn index_fields(mut self, fields: impl IntoIterator<Item = impl Into<Text>>) -> Self {
        self.index_fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// How much the registry holds.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The switch of the agent features; the default is a gate of its own that is on.
    #[cfg(feature = "agent")]
    pub fn gate(mut self, gate: foundation_types::FeatureGate) -> Self {
        self.gate = gate;
        self
    }

    /// The registry.
    ///
    /// # Errors
    /// [`OptionsError`] if an option is out of range.
    pub fn build(self) -> Result<Registry, OptionsError> {
        if self.index_fields.len() > MAX_INDEX_FIELDS {
            return Err(OptionsError::TooLarge { option: "number of index fields", max: MAX_INDEX_FIELDS as u64 });
        }
        for (index, field) in self.index_fields.iter().enumerate() {
            if self.index_fields[..index].contains(field) {
                return Err(OptionsError::DuplicateField { field: field.clone() });
            }
        }
        for (option, limit) in [
            ("max_entries", self.limits.max_entries),
            ("max_metadata_bytes", self.limits.max_metadata_bytes),
            ("max_health_history", self.limits.max_health_history),
        ] {
            if limit == Some(0) {
                return Err(OptionsError::Zero { option });
            }
        }
        let store = match self.backend {
            Some(backend) => Store::Dyn(backend),
            None => Store::Sharded(Sharded::default()),
        };
        let core = Core::new(CoreParts {
            store,
            #[cfg(feature = "agent")]
            agents: crate::agents::AgentsState::new(self.gate, self.limits.max_health_history),
            limits: self.limits,
            clock: self.clock,
            emitter: self.observer,
            index: MetadataIndex::new(self.index_fields),
        });
        Ok(Registry { core })
    }
}

impl fmt::Debug for RegistryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryBuilder").field("limits", &self.limits).finish_non_exhaustive()
    }
}
