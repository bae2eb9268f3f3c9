//! Finding agents.

use foundation_types::Namespace;

use super::attribute::Attribute;
use super::query::AgentQuery;
use super::reads::{AgentEntry, Agents};
use super::record::RowIs;
use super::{AgentError, AgentsState, events};
use crate::entry::{EntryKind, StoredEntry};
use crate::table::pin;

impl Agents<'_> {
    /// The agents of a namespace, each once, in no order. O(agents in it).
    ///
    /// It shows every agent that was there during the whole call, and none that was not there at any time of it.
    ///
    /// # Errors
    /// [`AgentError::Disabled`], [`AgentError::Closed`], [`AgentError::Backend`].
    pub fn list(&self, namespace: &Namespace) -> Result<Vec<AgentEntry>, AgentError> {
        self.query(namespace, &AgentQuery::new())
    }

    /// The agents of a namespace that meet a query, each once, in no order.
    ///
    /// Capabilities, type and health are looked up in indexes, so that a query with any of these costs O(agents that meet
    /// the rarest of them), however many there are. The other conditions alone cost O(agents in the namespace).
    ///
    /// # Errors
    /// [`AgentError::Disabled`], [`AgentError::Closed`], [`AgentError::Backend`].
    pub fn query(&self, namespace: &Namespace, query: &AgentQuery) -> Result<Vec<AgentEntry>, AgentError> {
        let view = self.begin()?;
        if query.is_blind_in(view) {
            return Ok(Vec::new());
        }
        let found = self.search(namespace, query)?;
        Ok(found.into_iter().map(|agent| agent.in_view(view)).collect())
    }

    /// The agents of all namespaces that meet a query, each once, in no order. Costs as [`query`](Self::query) does in each
    /// namespace that has agents.
    ///
    /// # Errors
    /// [`AgentError::Disabled`], [`AgentError::Closed`], [`AgentError::Backend`].
    pub fn query_everywhere(&self, query: &AgentQuery) -> Result<Vec<(Namespace, AgentEntry)>, AgentError> {
        let view = self.begin()?;
        let mut everywhere = Vec::new();
        if query.is_blind_in(view) {
            return Ok(everywhere);
        }
        for namespace in self.core().agents.namespaces() {
            let found = self.search(&namespace, query)?;
            everywhere.extend(found.into_iter().map(|agent| (namespace.clone(), agent.in_view(view))));
        }
        Ok(everywhere)
    }

    /// The agents that meet a query, as they are stored.
    pub(super) fn search(self, namespace: &Namespace, query: &AgentQuery) -> Result<Vec<AgentEntry>, AgentError> {
        let mut found = Vec::new();
        let agents = &self.core().agents;
        if let Some(rarest) = agents.rarest(namespace, &query.indexed) {
            let pin = pin();
            agents.index.visit(namespace, rarest, |row| {
                if query.indexed.len() == 1 {
                    found.reserve(row.len());
                }
                found.extend(row.filter_map(|record| {
                    let known = |row| (row == RowIs::Exact).then_some(rarest);
                    record.entry_in_row_if(&pin, |info, row| query.matches_beyond(known(row), info))
                }));
            });
            return Ok(found);
        }
        for entry in self.core().collect(Some(namespace), EntryKind::Agent)? {
            if let Some(agent) = self.present(&entry)?.filter(|agent| query.matches(&agent.info)) {
                found.push(agent);
            }
        }
        Ok(found)
    }

    /// The agent of an entry that a scan has found; that of its copy, if the back-end was switched since.
    fn present(self, entry: &StoredEntry) -> Result<Option<AgentEntry>, AgentError> {
        if let Some(record) = entry.agent() {
            return Ok(record.entry_if(&pin(), |_| true));
        }
        match self.find(&entry.key().namespace, &events::id_of(entry.key())) {
            Ok(agent) => Ok(Some(agent)),
            Err(AgentError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl AgentsState {
    /// The attribute that the fewest agents have.
    fn rarest<'q>(&self, namespace: &Namespace, attributes: &'q [Attribute]) -> Option<&'q Attribute> {
        match attributes {
            [] => None,
            [only] => Some(only),
            several => several.iter().min_by_key(|attribute| self.index.row_len(namespace, attribute)),
        }
    }
}
