//! How the health of an agent went.

use std::collections::VecDeque;

use foundation_types::{Health, Timestamp};

/// One change of the overall health of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[non_exhaustive]
pub struct HealthChange {
    /// The health before; `None` in the record that registration makes.
    pub from: Option<Health>,
    /// The health from then on.
    pub to: Health,
    /// When, on the wall clock of the registry. Never before the change before it.
    pub at: Timestamp,
}

/// The latest changes of health, oldest first: at least one, as registration is the first.
#[derive(Clone)]
pub(super) struct History(VecDeque<HealthChange>);

impl History {
    /// The history of an agent that was registered with this health.
    pub(super) fn new(to: Health, at: Timestamp) -> Self {
        Self(VecDeque::from([HealthChange { from: None, to, at }]))
    }

    /// Notes the health of now, if it has changed; keeps the latest `capacity` changes.
    pub(super) fn note(&mut self, to: Health, at: Timestamp, capacity: usize) {
        let last = self.0.back().copied();
        if last.is_some_and(|last| last.to == to) {
            return;
        }
        while self.0.len() >= capacity.max(1) {
            self.0.pop_front();
        }
        let at = last.map_or(at, |last| last.at.max(at));
        self.0.push_back(HealthChange { from: last.map(|last| last.to), to, at });
    }

    pub(super) fn to_vec(&self) -> Vec<HealthChange> {
        self.0.iter().copied().collect()
    }
}
