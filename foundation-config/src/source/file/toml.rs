//! TOML.
//!
//! A time with an offset is a time, cut to microseconds. One without is refused, as is a mere date or hour: it stands for
//! an instant only with a time zone that the file does not name.

use foundation_types::Timestamp;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::builder::Builder;
use super::position::Located;
use crate::source::{SourceError, scalar};

pub(super) fn read(located: &Located<'_>, builder: &mut Builder<'_, '_>) -> Result<(), SourceError> {
    let table = DeTable::parse(located.text()).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        builder.syntax(at, error.message())
    })?;
    self::table(0, table.get_ref(), builder)
}

fn table(at: usize, table: &DeTable<'_>, builder: &mut Builder<'_, '_>) -> Result<(), SourceError> {
    builder.begin_map(at)?;
    for (key, found) in table {
        let at = key.span().start;
        builder.key(at, &**key.get_ref())?;
        // The place of a table is that of its key: there may be a header, dots, or braces.
        let at = if found.get_ref().is_table() { at } else { found.span().start };
        value(at, found, builder)?;
    }
    builder.end();
    Ok(())
}

fn value(at: usize, found: &Spanned<DeValue<'_>>, builder: &mut Builder<'_, '_>) -> Result<(), SourceError> {
    match found.get_ref() {
        DeValue::String(text) => builder.scalar(at, (&**text).into()),
        DeValue::Integer(integer) => builder.parsed(at, scalar::integer(integer.as_str(), integer.radix())),
        DeValue::Float(float) => builder.parsed(at, scalar::float(float.as_str())),
        DeValue::Boolean(boolean) => builder.scalar(at, (*boolean).into()),
        DeValue::Datetime(time) if time.offset.is_none() => {
            Err(builder
                .invalid(at, "expected a time with an offset such as `Z`, or a text in quotes, found one without"))
        }
        DeValue::Datetime(time) => match time.to_string().parse::<Timestamp>() {
            Ok(time) => builder.scalar(at, time.into()),
            Err(error) => Err(builder.invalid(at, format!("expected a time, found none: {error}"))),
        },
        DeValue::Array(items) => {
            builder.begin_list(at)?;
            for item in items {
                value(item.span().start, item, builder)?;
            }
            builder.end();
            Ok(())
        }
        DeValue::Table(entries) => table(at, entries, builder),
    }
}
