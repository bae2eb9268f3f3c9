//! Typed cells.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::text_enum::text_enum;
use crate::{FiniteF64, Health, Name, Ratio, Text, Timestamp};

/// The longest text of a cell or title, in bytes; longer ones are cut and end with `…`.
pub const MAX_CELL_TEXT: usize = 256;

text_enum! {
    /// What the cells of a column hold, and how a reader should show them.
    #[derive(PartialOrd, Ord)]
    #[non_exhaustive]
    pub enum CellKind {
        /// A text.
        Text => "text",
        /// A number of things.
        Count => "count",
        /// A whole number.
        Integer => "integer",
        /// A number with a fraction.
        Number => "number",
        /// A share in `0.0..=1.0`.
        Ratio => "ratio",
        /// An amount of bytes.
        Bytes => "bytes",
        /// A duration, serialised in whole microseconds.
        Duration => "duration",
        /// A point in wall time, serialised as RFC 3339.
        Time => "time",
        /// A health.
        Health => "health",
        /// Yes or no.
        Flag => "flag",
    }

    /// The text is no [`CellKind`].
    pub struct UnknownCellKind("cell kind");
}

/// A value to show. Serialised it is bare (a number, a text, true or false, or null), as its kind stands beside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cell {
    /// Nothing to show; fits every kind.
    Absent,
    /// A text of at most [`MAX_CELL_TEXT`] bytes.
    Text(Text),
    /// A number of things.
    Count(u64),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Number(FiniteF64),
    /// A share.
    Ratio(Ratio),
    /// An amount of bytes.
    Bytes(u64),
    /// A duration.
    Duration(Duration),
    /// A point in wall time.
    Time(Timestamp),
    /// A health.
    Health(Health),
    /// Yes or no.
    Flag(bool),
}

impl Cell {
    /// The kind of the value; `None` if there is none.
    pub const fn kind(&self) -> Option<CellKind> {
        Some(match self {
            Self::Absent => return None,
            Self::Text(_) => CellKind::Text,
            Self::Count(_) => CellKind::Count,
            Self::Integer(_) => CellKind::Integer,
            Self::Number(_) => CellKind::Number,
            Self::Ratio(_) => CellKind::Ratio,
            Self::Bytes(_) => CellKind::Bytes,
            Self::Duration(_) => CellKind::Duration,
            Self::Time(_) => CellKind::Time,
            Self::Health(_) => CellKind::Health,
            Self::Flag(_) => CellKind::Flag,
        })
    }

    /// Reads the bare form of a cell of this kind.
    pub(super) fn decode(kind: CellKind, json: &serde_json::Value) -> serde_json::Result<Self> {
        use serde::Deserialize;

        if json.is_null() {
            return Ok(Self::Absent);
        }
        Ok(match kind {
            CellKind::Text => Self::Text(shortened(Text::deserialize(json)?)),
            CellKind::Count => Self::Count(u64::deserialize(json)?),
            CellKind::Integer => Self::Integer(i64::deserialize(json)?),
            CellKind::Number => Self::Number(FiniteF64::deserialize(json)?),
            CellKind::Ratio => Self::Ratio(Ratio::deserialize(json)?),
            CellKind::Bytes => Self::Bytes(u64::deserialize(json)?),
            CellKind::Duration => Self::Duration(Duration::from_micros(u64::deserialize(json)?)),
            CellKind::Time => Self::Time(Timestamp::deserialize(json)?),
            CellKind::Health => Self::Health(Health::deserialize(json)?),
            CellKind::Flag => Self::Flag(bool::deserialize(json)?),
        })
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Text(text) => text.serialize(serializer),
            Self::Count(number) | Self::Bytes(number) => serializer.serialize_u64(*number),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Number(number) => number.serialize(serializer),
            Self::Ratio(ratio) => ratio.serialize(serializer),
            Self::Duration(duration) => serializer.serialize_u64(micros(*duration)),
            Self::Time(time) => time.serialize(serializer),
            Self::Health(health) => health.serialize(serializer),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The text, cut to [`MAX_CELL_TEXT`] bytes at a character boundary.
pub(super) fn shortened(text: Text) -> Text {
    const ELLIPSIS: char = '…';
    if text.len() <= MAX_CELL_TEXT {
        return text;
    }
    let end = text.floor_char_boundary(MAX_CELL_TEXT - ELLIPSIS.len_utf8());
    Text::from(format!("{}{ELLIPSIS}", &text[..end]))
}

/// A number of bytes, for cells and gauges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub u64);

/// A Rust type whose values fill the cells of a column.
pub trait IntoCell {
    /// The kind of the column.
    const KIND: CellKind;

    /// The cell of this value: of that kind, or absent.
    fn into_cell(self) -> Cell;
}

macro_rules! into_cell {
    ($($from:ty: $kind:ident => |$value:ident| $cell:expr;)*) => {
        $(impl IntoCell for $from {
            const KIND: CellKind = CellKind::$kind;

            fn into_cell(self) -> Cell {
                let $value = self;
                $cell
            }
        })*
    };
}

into_cell! {
    &str: Text => |value| Cell::Text(shortened(value.into()));
    String: Text => |value| Cell::Text(shortened(value.into()));
    Text: Text => |value| Cell::Text(shortened(value));
    Name: Text => |value| Cell::Text(value.into());
    &Name: Text => |value| Cell::Text(value.clone().into());
    u32: Count => |value| Cell::Count(value.into());
    u64: Count => |value| Cell::Count(value);
    usize: Count => |value| Cell::Count(value as u64);
    i64: Integer => |value| Cell::Integer(value);
    f64: Number => |value| FiniteF64::new(value).map_or(Cell::Absent, Cell::Number);
    FiniteF64: Number => |value| Cell::Number(value);
    Ratio: Ratio => |value| Cell::Ratio(value);
    Bytes: Bytes => |value| Cell::Bytes(value.0);
    Duration: Duration => |value| Cell::Duration(Duration::from_micros(micros(value)));
    Timestamp: Time => |value| Cell::Time(value);
    Health: Health => |value| Cell::Health(value);
    bool: Flag => |value| Cell::Flag(value);
}

impl<T: IntoCell> IntoCell for Option<T> {
    const KIND: CellKind = T::KIND;

    fn into_cell(self) -> Cell {
        self.map_or(Cell::Absent, T::into_cell)
    }
}
