//! YAML 1.2 with the scalars of its core schema, as far as it is a tree of maps with text keys, lists and scalars.
//!
//! Not read, but refused: tags, anchors and aliases (so that no text stands for more than it is long), merge keys, keys
//! other than texts, more than one document.

use foundation_types::Value;
use granit_parser::{Event, Options, Parser, ScalarStyle, Span, Tag};

use super::builder::{Builder, kind_of};
use super::position::Located;
use crate::source::{SourceError, scalar};

pub(super) fn read(located: &Located<'_>, builder: &mut Builder<'_, '_>) -> Result<(), SourceError> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    // Found here, because the error of the parser quotes them.
    options.emit_unresolved_aliases = true;
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(located.text(), options) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker().byte_offset().unwrap_or_default();
            builder.syntax(at, error.kind().to_string())
        })?;
        let at = offset(&span);
        match event {
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    return Err(builder.syntax(at, "expected one document, found a second"));
                }
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                return Err(
                    builder.invalid(at, "expected a value, found an alias, which is not read; repeat the value")
                );
            }
            Event::Scalar(text, style, anchor, tag) => {
                refuse_properties(at, anchor, tag.as_deref(), builder)?;
                scalar_or_key(at, &text, style, builder)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                refuse_properties(at, anchor, tag.as_deref(), builder)?;
                refuse_as_key(at, "a list", builder)?;
                builder.begin_list(at)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                refuse_properties(at, anchor, tag.as_deref(), builder)?;
                refuse_as_key(at, "a map", builder)?;
                builder.begin_map(at)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.end(),
            _ => {}
        }
    }
    Ok(())
}

fn offset(span: &Span) -> usize {
    span.start.byte_offset().unwrap_or_default()
}

fn refuse_properties(
    at: usize,
    anchor: usize,
    tag: Option<&Tag>,
    builder: &Builder<'_, '_>,
) -> Result<(), SourceError> {
    if tag.is_some() {
        return Err(builder.invalid(at, "expected a value, found a tag, which is not read; remove it"));
    }
    // Without an anchor it is 0.
    if anchor != 0 {
        return Err(builder.invalid(at, "expected a value, found an anchor, which is not read; remove it"));
    }
    Ok(())
}

fn refuse_as_key(at: usize, what: &str, builder: &Builder<'_, '_>) -> Result<(), SourceError> {
    if builder.expects_key() {
        return Err(builder.invalid(at, format!("expected a text as key, found {what}")));
    }
    Ok(())
}

fn scalar_or_key(at: usize, text: &str, style: ScalarStyle, builder: &mut Builder<'_, '_>) -> Result<(), SourceError> {
    let value = match style {
        ScalarStyle::Plain => plain(text),
        _ => Ok(text.into()),
    };
    if !builder.expects_key() {
        // A text of nothing but comments and white space is an empty map, as it is in TOML.
        return if builder.is_empty() && value == Ok(Value::Null) { Ok(()) } else { builder.parsed(at, value) };
    }
    match value {
        Ok(Value::Text(_)) if style == ScalarStyle::Plain && text == "<<" => {
            Err(builder.invalid(at, "expected a key, found a merge key, which is not read; repeat the values"))
        }
        Ok(Value::Text(key)) => builder.key(at, key),
        Ok(other) => {
            let found = kind_of(&other);
            Err(builder.invalid(at, format!("expected a text as key, found {found}; put it in quotes")))
        }
        Err(_) => Err(builder.invalid(at, "expected a text as key, found a number; put it in quotes")),
    }
}

/// The scalar of the core schema that a text without quotes is: <https://yaml.org/spec/1.2.2/#103-core-schema>.
fn plain(text: &str) -> Result<Value, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(true.into()),
        "false" | "False" | "FALSE" => return Ok(false.into()),
        ".nan" | ".NaN" | ".NAN" => return Err(scalar::NOT_FINITE),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Err(scalar::NOT_FINITE);
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(radix))
        {
            return scalar::integer(digits, radix);
        }
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return scalar::integer(text, 10);
    }
    if is_float(unsigned) { scalar::float(text) } else { Ok(text.into()) }
}

/// Whether this is `(\. [0-9]+ | [0-9]+ (\. [0-9]*)?) ([eE] [-+]? [0-9]+)?`.
fn is_float(unsigned: &str) -> bool {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    has_digits
        && is_digits(whole)
        && is_digits(fraction)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && is_digits(exponent))
}
