//! Tables whose columns have types.

use serde::{Deserialize, Serialize};

use super::cell::shortened;
use super::{Cell, CellKind, IntoCell};
use crate::Text;

/// The most rows of a table.
pub const MAX_TABLE_ROWS: usize = 1000;

/// The head of a column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Column {
    /// Its name.
    pub name: Text,
    /// What its cells hold.
    pub kind: CellKind,
}

/// A tuple of up to twelve values that makes a row: one cell for each.
pub trait Row {
    /// The names of the columns: as many texts as there are cells.
    type Names: IntoIterator<Item = &'static str>;

    /// The kinds of the columns.
    const KINDS: &'static [CellKind];

    /// The cells.
    fn into_cells(self) -> Vec<Cell>;
}

macro_rules! row {
    ($count:literal: $($cell:ident)+) => {
        impl<$($cell: IntoCell),+> Row for ($($cell,)+) {
            type Names = [&'static str; $count];

            const KINDS: &'static [CellKind] = &[$($cell::KIND),+];

            #[expect(non_snake_case, reason = "the type parameters name the parts of the tuple")]
            fn into_cells(self) -> Vec<Cell> {
                let ($($cell,)+) = self;
                vec![$($cell.into_cell()),+]
            }
        }
    };
}

row!(1: A);
row!(2: A B);
row!(3: A B C);
row!(4: A B C D);
row!(5: A B C D E);
row!(6: A B C D E F);
row!(7: A B C D E F G);
row!(8: A B C D E F G H);
row!(9: A B C D E F G H I);
row!(10: A B C D E F G H I J);
row!(11: A B C D E F G H I J K);
row!(12: A B C D E F G H I J K L);

/// A table: every row has one cell per column, of the kind of the column or absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "LooseTable")]
pub struct Table {
    title: Text,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    omitted: u64,
}

impl Table {
    /// A table with these column names and rows. The Rust types of the rows give the columns their kinds, so that a cell of
    /// the wrong kind does not compile. Rows past [`MAX_TABLE_ROWS`] are counted in [`omitted`](Self::omitted), not kept: put
    /// those that matter most first.
    pub fn new<R: Row>(title: impl Into<Text>, columns: R::Names, rows: impl IntoIterator<Item = R>) -> Self {
        let heads = columns.into_iter().zip(R::KINDS);
        let columns = heads.map(|(name, kind)| Column { name: name.into(), kind: *kind }).collect();
        let mut rows = rows.into_iter();
        let kept = rows.by_ref().take(MAX_TABLE_ROWS).map(R::into_cells).collect();
        Self { title: shortened(title.into()), columns, rows: kept, omitted: rows.count() as u64 }
    }

    /// What it lists.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The heads of its columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Its rows.
    pub fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }

    /// How many rows were left out for lack of room.
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }
}

/// A table as it arrives: cells are bare, and only the columns tell their kinds.
#[derive(Deserialize)]
struct LooseTable {
    title: Text,
    columns: Vec<Column>,
    rows: Vec<Vec<serde_json::Value>>,
    #[serde(default)]
    omitted: u64,
}

impl TryFrom<LooseTable> for Table {
    type Error = MalformedTable;

    fn try_from(loose: LooseTable) -> Result<Self, MalformedTable> {
        let columns = loose.columns;
        let decode = |(row, cells): (usize, Vec<serde_json::Value>)| {
            if cells.len() != columns.len() {
                return Err(MalformedTable::Width { row, cells: cells.len(), columns: columns.len() });
            }
            let decode = |(column, json): (&Column, &serde_json::Value)| {
                Cell::decode(column.kind, json).map_err(|error| MalformedTable::Cell {
                    row,
                    column: column.name.clone(),
                    reason: error.to_string(),
                })
            };
            columns.iter().zip(&cells).map(decode).collect()
        };
        let rows = loose.rows.into_iter().enumerate().map(decode).collect::<Result<_, _>>()?;
        Ok(Self { title: shortened(loose.title), rows, omitted: loose.omitted, columns })
    }
}

/// Why something read is not a [`Table`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedTable {
    /// A row has not one cell per column.
    #[error("row {row} has {cells} cells for {columns} columns")]
    Width {
        /// The row, from 0.
        row: usize,
        /// How many cells it has.
        cells: usize,
        /// How many columns there are.
        columns: usize,
    },
    /// A cell does not hold what its column says.
    #[error("row {row}, column {column:?}: {reason}")]
    Cell {
        /// The row, from 0.
        row: usize,
        /// The name of the column.
        column: Text,
        /// What is wrong.
        reason: String,
    },
}
