//! Fast reads of the configuration of one agent.

use std::fmt;

use foundation_types::AgentId;

use super::typed::AgentSnapshot;
use crate::schema::Schema;
use crate::store::{Reader, Store};

/// Reads what is in effect for one agent, at the price of two loads and two comparisons while nothing changes. It keeps what
/// it read last alive.
pub struct AgentReader<S: Schema> {
    reader: Reader<S>,
    store: Store<S>,
    id: AgentId,
    was_on: bool,
    last: AgentSnapshot<S>,
}

impl<S: Schema> AgentReader<S> {
    pub(super) fn new(store: Store<S>, id: AgentId) -> Self {
        let was_on = store.0.agents.is_on();
        let mut reader = store.reader();
        let last = AgentSnapshot::of(reader.snapshot(), &id, was_on);
        Self { reader, store, id, was_on, last }
    }

    /// The typed configuration that is in effect for the agent now.
    #[inline]
    pub fn load(&mut self) -> &S {
        let is_on = self.store.0.agents.is_on();
        let snapshot = self.reader.snapshot();
        if snapshot.content.version != self.last.version() || is_on != self.was_on {
            self.last = AgentSnapshot::of(snapshot, &self.id, is_on);
            self.was_on = is_on;
        }
        self.last.typed()
    }
}

impl<S: Schema> fmt::Debug for AgentReader<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentReader").field("agent", &self.id).finish_non_exhaustive()
    }
}
