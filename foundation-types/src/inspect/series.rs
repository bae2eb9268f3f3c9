//! Single numbers, and numbers over time.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::cell::shortened;
use super::{Cell, CellKind, IntoCell};
use crate::{FiniteF64, Text, Timestamp};

/// The most points of a series.
pub const MAX_SERIES_POINTS: usize = 600;

/// A named value as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "LooseGauge")]
pub struct Gauge {
    name: Text,
    kind: CellKind,
    value: Cell,
}

impl Gauge {
    /// A gauge; the Rust type of the value gives it its kind.
    pub fn new<T: IntoCell>(name: impl Into<Text>, value: T) -> Self {
        Self { name: shortened(name.into()), kind: T::KIND, value: value.into_cell() }
    }

    /// What it shows.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind of its value.
    pub const fn kind(&self) -> CellKind {
        self.kind
    }

    /// Its value.
    pub const fn value(&self) -> &Cell {
        &self.value
    }
}

#[derive(Deserialize)]
struct LooseGauge {
    name: Text,
    kind: CellKind,
    value: serde_json::Value,
}

impl TryFrom<LooseGauge> for Gauge {
    type Error = serde_json::Error;

    fn try_from(loose: LooseGauge) -> Result<Self, serde_json::Error> {
        let value = Cell::decode(loose.kind, &loose.value)?;
        Ok(Self { name: shortened(loose.name), kind: loose.kind, value })
    }
}

/// A number over time: at most [`MAX_SERIES_POINTS`] points in order, the newest ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Series {
    name: Text,
    kind: CellKind,
    points: VecDeque<(Timestamp, FiniteF64)>,
}

impl Series {
    /// A series of these points, oldest first; `kind` says how to show the numbers (durations are in microseconds). Of more
    /// than [`MAX_SERIES_POINTS`] the newest are kept.
    pub fn new(
        name: impl Into<Text>,
        kind: CellKind,
        points: impl IntoIterator<Item = (Timestamp, FiniteF64)>,
    ) -> Self {
        let mut newest = VecDeque::new();
        for point in points {
            if newest.len() == MAX_SERIES_POINTS {
                newest.pop_front();
            }
            newest.push_back(point);
        }
        Self { name: shortened(name.into()), kind, points: newest }
    }

    /// What it shows.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How to show its numbers.
    pub const fn kind(&self) -> CellKind {
        self.kind
    }

    /// Its points, oldest first.
    pub fn points(&self) -> impl ExactSizeIterator<Item = (Timestamp, FiniteF64)> {
        self.points.iter().copied()
    }
}
