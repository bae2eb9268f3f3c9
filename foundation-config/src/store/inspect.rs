//! What a store shows to dashboards.

use foundation_types::inspect::{Gauge, Inspect, Section, Table};

use super::{SourceState, Store};
use crate::schema::Schema;

impl<S: Schema> Inspect for Store<S> {
    /// Its version and its sources; no setting.
    fn inspect(&self) -> Section {
        let status = self.status();
        let section = Section::new("configuration", status.health)
            .gauge(Gauge::new("version", status.version.get()))
            .gauge(Gauge::new("nodes", status.nodes))
            .gauge(Gauge::new("subscriptions", status.subscriptions));
        #[cfg(feature = "agent")]
        let section = section
            .gauge(Gauge::new("agents with overrides", status.agents))
            .gauge(Gauge::new("suspended overrides", status.suspended));
        let rows = status.sources.into_iter().map(|source| {
            let state = match source.state {
                SourceState::Fresh => "fresh",
                SourceState::Stale { .. } => "stale",
                SourceState::Expired { .. } => "expired",
            };
            (source.name, source.layer.as_str(), state, source.failure.unwrap_or_default())
        });
        section.table(Table::new("sources", ["source", "layer", "state", "failure"], rows))
    }
}
