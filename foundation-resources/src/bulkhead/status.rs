//! What a bulkhead tells of itself.

use std::fmt;

use foundation_types::inspect::{Gauge, Inspect, Section};
use foundation_types::{Clock, Health, Ratio, Text};
use serde::Serialize;

use super::Bulkhead;

/// The figures of a bulkhead at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BulkheadStatus {
    /// How many calls may be under way at once, as configured.
    pub max_concurrent: usize,
    /// How many may wait, as configured.
    pub max_waiting: usize,
    /// Permits that are out, those handed to a waiter that has not looked yet included.
    pub in_use: usize,
    /// Callers in line.
    pub waiting: usize,
    /// Whether callers get in.
    pub state: BulkheadState,
}

/// Whether callers of a bulkhead get in, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BulkheadState {
    /// The next caller gets in.
    Ready,
    /// The next caller waits, or is sent away.
    Full,
    /// Nobody gets in any more.
    Closed,
}

impl BulkheadState {
    /// The word: `ready`, `full` or `closed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Full => "full",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for BulkheadState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<C: Clock> Inspect for Bulkhead<C> {
    /// Its figures; degraded while callers have to wait. O(1).
    fn inspect(&self) -> Section {
        let status = self.status();
        let health = match status.state {
            BulkheadState::Closed => Health::Unknown,
            _ if status.waiting > 0 => Health::Degraded,
            _ => Health::Healthy,
        };
        let title = self.name().map_or(Text::from_static("bulkhead"), |name| Text::from(format!("bulkhead {name}")));
        let utilisation = Ratio::saturating(status.in_use as f64 / status.max_concurrent as f64);
        Section::new(title, health)
            .gauge(Gauge::new("state", status.state.as_str()))
            .gauge(Gauge::new("utilisation", utilisation))
            .gauge(Gauge::new("in use", status.in_use))
            .gauge(Gauge::new("waiting", status.waiting))
            .gauge(Gauge::new("max concurrent", status.max_concurrent))
            .gauge(Gauge::new("max waiting", status.max_waiting))
    }
}
