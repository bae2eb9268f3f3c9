//! JSON, as RFC 8259 has it: no comments, no trailing commas.
//!
//! `serde_json` says what JSON is, and `jsonc-parser`, which by itself would read more than that, where everything stands.

use foundation_types::Value as Setting;
use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions};
use serde::de::IgnoredAny;

use super::MAX_FILE_DEPTH;
use super::builder::Builder;
use super::position::Located;
use crate::source::SourceError;
use crate::source::scalar::{self, NumberKind};

/// Nothing that JSON does not have.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

pub(super) fn read(located: &Located<'_>, builder: &mut Builder<'_, '_>) -> Result<(), SourceError> {
    let text = located.text();
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| {
        let message = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        builder.syntax(offset(text, &error), message.strip_suffix(&position).unwrap_or(&message))
    })?;
    let parsed = jsonc_parser::parse_to_ast(text, &CollectOptions::default(), &STRICT);
    let parsed = parsed.map_err(|error| refused(located, builder, &error))?;
    // There is a value, or it would not be JSON.
    parsed.value.map_or(Ok(()), |root| value(&root, builder))
}

/// The byte that an error is about. Its column counts bytes, from 1; 0 is the end of the line before.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = (start + error.column()).saturating_sub(1).min(text.len());
    text.floor_char_boundary(at)
}

fn refused(located: &Located<'_>, builder: &Builder<'_, '_>, error: &ParseError) -> SourceError {
    let at = error.range().start;
    match error.kind() {
        ParseErrorKind::NestingDepthExceeded => {
            SourceError::TooDeep { origin: located.origin(at), max: MAX_FILE_DEPTH }
        }
        // Half of a pair of escapes; the text of the error quotes it.
        ParseErrorKind::String(_) => builder.syntax(at, "expected an escape of a character, found one of none"),
        kind => builder.syntax(at, kind.to_string()),
    }
}

fn value(found: &Value<'_>, builder: &mut Builder<'_, '_>) -> Result<(), SourceError> {
    let at = found.range().start;
    match found {
        Value::NullKeyword(_) => builder.scalar(at, Setting::Null),
        Value::BooleanLit(boolean) => builder.scalar(at, boolean.value.into()),
        Value::NumberLit(number) => builder.parsed(
            at,
            match scalar::number_kind(number.value) {
                Some(NumberKind::Integer) => scalar::integer(number.value, 10),
                _ => scalar::float(number.value),
            },
        ),
        Value::StringLit(text) => builder.scalar(at, (&*text.value).into()),
        Value::Array(array) => {
            builder.begin_list(at)?;
            for item in &array.elements {
                value(item, builder)?;
            }
            builder.end();
            Ok(())
        }
        Value::Object(object) => {
            builder.begin_map(at)?;
            for property in &object.properties {
                builder.key(property.name.range().start, property.name.as_str())?;
                value(&property.value, builder)?;
            }
            builder.end();
            Ok(())
        }
    }
}
