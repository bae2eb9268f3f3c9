//! The inspection seam: what a subsystem shows of itself to dashboards and command lines that know no subsystem.
//!
//! ```
//! use std::time::Duration;
//! use foundation_types::inspect::{Gauge, Inspect, Section, Table};
//! use foundation_types::{Health, Ratio};
//!
//! struct Pool { in_use: Vec<(&'static str, Duration)>, size: u64 }
//!
//! impl Inspect for Pool {
//!     fn inspect(&self) -> Section {
//!         let in_use = self.in_use.len() as u64;
//!         Section::new("pool", Health::Healthy)
//!             .gauge(Gauge::new("in use", in_use))
//!             .gauge(Gauge::new("utilisation", Ratio::saturating(in_use as f64 / self.size as f64)))
//!             .table(Table::new("connections", ["holder", "held for"], self.in_use.iter().copied()))
//!     }
//! }
//!
//! let section = Pool { in_use: vec![("reader", Duration::from_secs(2))], size: 8 }.inspect();
//! assert_eq!(section.tables()[0].rows().len(), 1);
//! ```

mod cell;
mod series;
mod table;

use serde::{Deserialize, Serialize};

pub use cell::{Bytes, Cell, CellKind, IntoCell, MAX_CELL_TEXT, UnknownCellKind};
pub use series::{Gauge, MAX_SERIES_POINTS, Series};
pub use table::{Column, MAX_TABLE_ROWS, MalformedTable, Row, Table};

use crate::{Health, Text};

/// The most gauges of a section.
pub const MAX_GAUGES: usize = 64;
/// The most tables of a section.
pub const MAX_TABLES: usize = 16;
/// The most series of a section.
pub const MAX_SERIES: usize = 32;

/// Shows what a subsystem does at the moment.
///
/// Implementations answer from memory, without waiting and without side effects, and leave out everything secret: passwords,
/// tokens, payloads. What they return is bounded, whatever the size of the subsystem.
pub trait Inspect: Send + Sync {
    /// The subsystem as it is now.
    fn inspect(&self) -> Section;
}

impl<I: Inspect + ?Sized> Inspect for std::sync::Arc<I> {
    fn inspect(&self) -> Section {
        (**self).inspect()
    }
}

/// What a subsystem shows of itself: its health, single numbers, tables, and numbers over time.
///
/// The size is bounded: what goes beyond [`MAX_GAUGES`], [`MAX_TABLES`] or [`MAX_SERIES`] is left out and counted in
/// [`omitted`](Section::omitted).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    title: Text,
    status: Health,
    #[serde(default)]
    gauges: Vec<Gauge>,
    #[serde(default)]
    tables: Vec<Table>,
    #[serde(default)]
    series: Vec<Series>,
    #[serde(default)]
    omitted: u64,
}

impl Section {
    /// A section that tells nothing but its health.
    pub fn new(title: impl Into<Text>, status: Health) -> Self {
        Self {
            title: cell::shortened(title.into()),
            status,
            gauges: Vec::new(),
            tables: Vec::new(),
            series: Vec::new(),
            omitted: 0,
        }
    }

    /// This section with one more gauge.
    #[must_use]
    pub fn gauge(mut self, gauge: Gauge) -> Self {
        self.omitted += push_bounded(&mut self.gauges, gauge, MAX_GAUGES);
        self
    }

    /// This section with one more table.
    #[must_use]
    pub fn table(mut self, table: Table) -> Self {
        self.omitted += push_bounded(&mut self.tables, table, MAX_TABLES);
        self
    }

    /// This section with one more series.
    #[must_use]
    pub fn plot(mut self, series: Series) -> Self {
        self.omitted += push_bounded(&mut self.series, series, MAX_SERIES);
        self
    }

    /// What it is about.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// How well the subsystem works.
    pub const fn status(&self) -> Health {
        self.status
    }

    /// Single numbers.
    pub fn gauges(&self) -> &[Gauge] {
        &self.gauges
    }

    /// Tables.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Numbers over time.
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// How many gauges, tables and series were left out for lack of room.
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }
}

/// Adds `item` if there is room, and gives how many were left out.
fn push_bounded<T>(items: &mut Vec<T>, item: T, limit: usize) -> u64 {
    if items.len() < limit {
        items.push(item);
        return 0;
    }
    1
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{FiniteF64, Name, Ratio, Timestamp};

    type AllKinds =
        (&'static str, u64, i64, f64, Ratio, Bytes, Duration, Timestamp, Health, bool, Option<u64>, Option<Name>);

    fn everything() -> Section {
        let row = |text, absent: Option<u64>| -> AllKinds {
            let time = Timestamp::UNIX_EPOCH;
            (
                text,
                u64::MAX,
                -1,
                1.0,
                Ratio::ONE,
                Bytes(7),
                Duration::from_micros(9),
                time,
                Health::Critical,
                true,
                absent,
                None,
            )
        };
        let names = ["t", "c", "i", "n", "r", "b", "d", "w", "h", "f", "oc", "on"];
        Section::new("all", Health::Degraded)
            .gauge(Gauge::new("count", 1_u64))
            .gauge(Gauge::new("number", 1.0))
            .gauge(Gauge::new("not finite", f64::NAN))
            .table(Table::new("kinds", names, [row("x", Some(1)), row("y", None)]))
            .plot(Series::new("s", CellKind::Ratio, [(Timestamp::UNIX_EPOCH, FiniteF64::default())]))
    }

    #[test]
    fn a_section_reads_back_as_it_was_written() {
        let section = everything();
        let text = serde_json::to_string(&section).expect("serialises");
        assert_eq!(serde_json::from_str::<Section>(&text).expect("reads back"), section);
    }

    #[test]
    fn the_types_of_a_row_give_the_columns_their_kinds() {
        let section = everything();
        let kinds: Vec<_> = section.tables()[0].columns().iter().map(|column| column.kind).collect();
        let expected = [CellKind::ALL.as_slice(), &[CellKind::Count, CellKind::Text]].concat();
        assert_eq!(kinds, expected);
        assert_eq!(section.gauges()[2].value(), &Cell::Absent, "a number that is none");
    }

    #[test]
    fn everything_is_bounded_and_what_is_left_out_is_counted() {
        let rows = (0..=MAX_TABLE_ROWS as u64).map(|number| (number,));
        let table = Table::new("numbers", ["number"], rows);
        assert_eq!((table.rows().len(), table.omitted()), (MAX_TABLE_ROWS, 1));

        let section = (0..MAX_GAUGES + 2)
            .fold(Section::new("s", Health::Healthy), |section, number| section.gauge(Gauge::new("g", number)));
        assert_eq!((section.gauges().len(), section.omitted()), (MAX_GAUGES, 2));

        let at = |micros| Timestamp::UNIX_EPOCH.saturating_add(Duration::from_micros(micros));
        let points = (0..=MAX_SERIES_POINTS as u64).map(|micros| (at(micros), FiniteF64::default()));
        let series = Series::new("s", CellKind::Number, points);
        assert_eq!(series.points().len(), MAX_SERIES_POINTS);
        assert_eq!(series.points().next().map(|(at, _)| at.as_micros()), Some(1), "the newest stay");

        let long = Gauge::new("g", "é".repeat(MAX_CELL_TEXT));
        let Cell::Text(text) = long.value() else { panic!("a text") };
        assert!(text.len() <= MAX_CELL_TEXT && text.ends_with('…'));
    }

    #[test]
    fn malformed_tables_are_refused() {
        let read = |rows: &str| {
            let json = format!(r#"{{"title":"t","columns":[{{"name":"n","kind":"count"}}],"rows":{rows}}}"#);
            serde_json::from_str::<Table>(&json).map_err(|error| error.to_string())
        };
        assert!(read("[[1],[null]]").is_ok());
        assert!(read("[[1],[]]").expect_err("too narrow").contains("row 1 has 0 cells for 1 columns"));
        assert!(read("[[1],[-2]]").expect_err("negative").contains("row 1, column \"n\""));
    }
}
