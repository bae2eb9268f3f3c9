//! What a registry keeps about agents beside their entries.

use std::sync::atomic::AtomicBool;
use std::task::Waker;

use foldhash::fast::RandomState;
use foundation_types::agent::{AgentChange, Removal};
use foundation_types::{ExitReason, Feature, FeatureGate, Health, Namespace};
use hashbrown::HashMap;

use super::attribute::Attribute;
use super::feeds::Feeds;
use super::{AgentRecord, events};
use crate::entry::{Remains, StoredEntry};
use crate::index::Index;
use crate::registry::{Core, Limits};
use crate::sync::Mutex;
use crate::watch::{RemovalReason, Turn};

/// What a registry keeps about agents beside their entries. The core calls it at each turn of an agent entry.
pub(crate) struct AgentsState {
    gate: FeatureGate,
    /// Whether readers see the basic view instead of the enhanced one.
    pub(super) basic: AtomicBool,
    pub(super) history_capacity: usize,
    /// Rows of agents by what they have in common, kept as those of the metadata index are.
    pub(super) index: Index<Attribute, AgentRecord>,
    /// How many agents each namespace has; those without are not here.
    population: Mutex<HashMap<Namespace, usize, RandomState>>,
    pub(super) feeds: Feeds,
}

impl AgentsState {
    pub(crate) fn new(gate: FeatureGate, max_health_history: Option<usize>) -> Self {
        Self {
            gate,
            basic: AtomicBool::new(false),
            history_capacity: max_health_history.unwrap_or(Limits::DEFAULT_HEALTH_HISTORY),
            index: Index::new(),
            population: Mutex::new(HashMap::default()),
            feeds: Feeds::new(),
        }
    }

    /// Whether the agent features are on.
    pub(super) fn is_on(&self) -> bool {
        self.gate.is_on(Feature::Registry)
    }

    /// Notes an agent that is about to become visible. Its stripe is locked.
    pub(crate) fn remember(&self, entry: &StoredEntry) {
        *self.population.lock().entry_ref(&entry.key().namespace).or_insert(0) += 1;
        if let Some(record) = entry.agent() {
            for attribute in Attribute::all(&record.info()) {
                self.index.insert(attribute, &record);
            }
        }
    }

    /// Drops what was noted of an agent that is not visible any more. Its stripe is locked.
    pub(crate) fn forget(&self, entry: &StoredEntry) {
        if let Some(record) = entry.agent() {
            for attribute in Attribute::all(&record.info()) {
                self.index.remove(&attribute, &record);
            }
        }
        let namespace = &entry.key().namespace;
        let mut population = self.population.lock();
        if let Some(count) = population.get_mut(namespace) {
            *count -= 1;
            if *count == 0 {
                population.remove(namespace);
                population.shrink_to_fit();
            }
        }
    }

    /// The namespaces that have agents.
    pub(super) fn namespaces(&self) -> Vec<Namespace> {
        self.population.lock().keys().cloned().collect()
    }

    /// Tells who follows the agents of the namespace. The stripe of the entry is locked, so that the changes of one agent
    /// are told in order; the wakers are to be called after it.
    #[must_use]
    pub(crate) fn announce(&self, entry: &StoredEntry, turn: Turn<'_>) -> Vec<Waker> {
        self.feeds.publish(&entry.key().namespace, self.is_on(), || {
            let health = entry.agent().map_or(Health::Unknown, |record| record.info().health().overall_health);
            let agent = events::id_of(entry.key());
            match turn {
                Turn::Added => AgentChange::Registered { agent, health },
                Turn::Updated => AgentChange::Updated { agent, from: health, to: health },
                Turn::Removed(reason) => AgentChange::Removed { agent, reason: removal(entry, reason) },
            }
        })
    }

    /// Tells observers that an agent is gone. No lock is held.
    pub(crate) fn removed(&self, core: &Core, entry: &StoredEntry, remains: &Remains, reason: &RemovalReason) {
        if let Some(record) = remains.agent.as_ref().filter(|_| self.is_on()) {
            events::cleanup(core, entry.key(), &record.info(), reason);
        }
    }

    /// Ends the streams of changes.
    pub(crate) fn close(&self) {
        self.feeds.close();
    }
}

fn removal(entry: &StoredEntry, reason: &RemovalReason) -> Removal {
    match reason {
        RemovalReason::Unregistered | RemovalReason::NamespaceCleanup => Removal::Unregistered,
        RemovalReason::OwnerExit(reason) => Removal::Died(reason.clone()),
        RemovalReason::Replaced => Removal::Died(entry.pid().exit_reason().unwrap_or(ExitReason::Normal)),
    }
}

#[cfg(feature = "test-util")]
impl super::Agents<'_> {
    /// What the registry holds about agents beside their entries, for leak tests.
    pub fn held(&self) -> AgentsHeld {
        let agents = &self.core().agents;
        AgentsHeld {
            index_rows: agents.index.len(),
            namespaces: agents.population.lock().len(),
            subscribers: agents.feeds.subscribers(),
        }
    }
}

/// What a registry holds about agents; see [`Agents::held`](super::Agents::held).
#[cfg(feature = "test-util")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentsHeld {
    /// Rows of the indexes of capabilities, types and healths.
    pub index_rows: usize,
    /// Namespaces that have agents.
    pub namespaces: usize,
    /// Streams of changes.
    pub subscribers: usize,
}
