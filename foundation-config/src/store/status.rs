//! How a store is.

use std::time::Duration;

use foundation_types::{Clock, Health};

use super::{SourceState, Store};
use crate::layer::{Layer, Version};
use crate::schema::Schema;

/// How a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The current version.
    pub version: Version,
    /// For how long the store has existed.
    pub uptime: Duration,
    /// How it is, by its sources.
    pub health: Health,
    /// Its sources, in the order in which they were added.
    pub sources: Vec<SourceStatus>,
    /// How many subscriptions there are.
    pub subscriptions: usize,
    /// How many nodes the configuration has.
    pub nodes: usize,
    /// How many agents have overrides.
    #[cfg(feature = "agent")]
    pub agents: usize,
    /// How many of them have overrides that do not fit at the moment, and are not applied.
    #[cfg(feature = "agent")]
    pub suspended: usize,
}

/// How a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceStatus {
    /// Its name.
    pub name: String,
    /// Its layer.
    pub layer: Layer,
    /// How current what it holds is.
    pub state: SourceState,
    /// Why it failed when it was last asked, if it did.
    pub failure: Option<String>,
}

impl<S: Schema> Store<S> {
    /// How the store is. O(sources + agents).
    pub fn status(&self) -> Status {
        let inner = &*self.0;
        let current = inner.feed.current.load();
        let now = inner.clock().mono();
        let sources = inner.sources.iter().enumerate().map(|(index, slot)| SourceStatus {
            name: slot.source.name().to_owned(),
            layer: slot.source.layer(),
            state: inner.staleness.state(index, now),
            failure: slot.last.lock().failure.clone(),
        });
        let sources: Vec<_> = sources.collect();
        Status {
            version: current.version(),
            uptime: now.saturating_since(inner.started),
            health: health_of(sources.iter().map(|source| source.state)),
            sources,
            subscriptions: inner.feed.subscriptions(),
            nodes: current.content.base.nodes(),
            #[cfg(feature = "agent")]
            agents: current.content.agents.len(),
            #[cfg(feature = "agent")]
            suspended: current.content.agents.suspended(),
        }
    }

    /// Healthy while every source is fresh, degraded while one is stale, unhealthy while one has expired.
    pub fn health(&self) -> Health {
        let now = self.0.clock().mono();
        health_of((0..self.0.sources.len()).map(|index| self.0.staleness.state(index, now)))
    }
}

fn health_of(states: impl Iterator<Item = SourceState>) -> Health {
    states.fold(Health::Healthy, |worst, state| match (worst, state) {
        (Health::Unhealthy, _) | (_, SourceState::Expired { .. }) => Health::Unhealthy,
        (_, SourceState::Stale { .. }) => Health::Degraded,
        (worst, SourceState::Fresh) => worst,
    })
}
