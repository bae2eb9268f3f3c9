//! Scalars that stand in plain text.

use foundation_types::{FiniteF64, Value};

pub(super) const BEYOND_64_BITS: &str = "expected an integer from -2^63 to 2^63 - 1, found one beyond";
pub(super) const NOT_FINITE: &str = "expected a finite number, found one that is not";

/// The scalar that the text of an environment variable stands for: a JSON scalar (a number, `true`, `false`, `null`, a
/// text in double quotes) is what it is in JSON, everything else is text as it stands.
pub(super) fn from_plain(text: &str) -> Result<Value, &'static str> {
    match text {
        "true" => return Ok(true.into()),
        "false" => return Ok(false.into()),
        "null" => return Ok(Value::Null),
        _ => {}
    }
    if text.len() >= 2 && text.starts_with('"') && text.ends_with('"') {
        return match Value::from_json_str(text) {
            Ok(text @ Value::Text(_)) => Ok(text),
            _ => Err("expected a JSON string, as it begins and ends with a quote, found none"),
        };
    }
    match number_kind(text) {
        Some(NumberKind::Integer) => integer(text, 10),
        Some(NumberKind::Float) => float(text),
        None => Ok(text.into()),
    }
}

/// The integer of these digits.
pub(super) fn integer(digits: &str, radix: u32) -> Result<Value, &'static str> {
    i64::from_str_radix(digits, radix).map(Value::Int).map_err(|_| BEYOND_64_BITS)
}

/// The float of this text, which is one of the forms that Rust knows.
pub(super) fn float(text: &str) -> Result<Value, &'static str> {
    let float = text.parse().ok().and_then(|float| FiniteF64::new(float).ok());
    float.map(Value::Float).ok_or(NOT_FINITE)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberKind {
    Integer,
    Float,
}

/// What kind of number of JSON this is: an integer has neither fraction nor exponent; `None` if it is no number.
pub(super) fn number_kind(text: &str) -> Option<NumberKind> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = digits(unsigned);
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    if rest.is_empty() {
        return Some(NumberKind::Integer);
    }
    let exponent = match rest.strip_prefix('.').map(digits) {
        Some(("", _)) => return None,
        Some((_, rest)) => rest,
        None => rest,
    };
    if exponent.is_empty() {
        return Some(NumberKind::Float);
    }
    let exponent = exponent.strip_prefix(['e', 'E'])?;
    let (digits, rest) = digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    (!digits.is_empty() && rest.is_empty()).then_some(NumberKind::Float)
}

/// The decimal digits at the beginning, and what follows.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use foundation_types::testing::strategies;
    use proptest::prelude::*;

    use super::*;

    fn finite(float: f64) -> Value {
        FiniteF64::new(float).expect("finite").into()
    }

    #[test]
    fn json_scalars_are_what_they_are_in_json_and_the_rest_is_text() {
        let as_it_stands = [
            "", " ", "x", " 5", "5 ", "+5", "007", "-", "-x", "1.", ".5", "1e", "1e+", "1_000", "0x1f", "True", "TRUE",
            "yes", "no", "off", "Null", "nil", "~", "NaN", "inf", "-inf", ".inf", "1.2.3", "1-2", "٣", "[1]", "{}",
            "\"", "'a'", "a\"",
        ];
        for text in as_it_stands {
            assert_eq!(from_plain(text), Ok(text.into()), "{text:?}");
        }
        let scalars = [
            ("true", true.into()),
            ("false", false.into()),
            ("null", Value::Null),
            ("0", 0.into()),
            ("-0", 0.into()),
            ("-17", (-17).into()),
            ("9223372036854775807", i64::MAX.into()),
            ("-9223372036854775808", i64::MIN.into()),
            ("1.0", finite(1.0)),
            ("-0.0", finite(0.0)),
            ("1e3", finite(1000.0)),
            ("2.5E-1", finite(0.25)),
            ("1e-999", finite(0.0)),
            (r#""5""#, "5".into()),
            (r#""null""#, "null".into()),
            (r#""""#, "".into()),
            (r#""\"\u00e9\n\"""#, "\"é\n\"".into()),
        ];
        for (text, value) in scalars {
            assert_eq!(from_plain(text), Ok(value), "{text:?}");
        }
    }

    #[test]
    fn what_looks_like_a_scalar_but_cannot_be_one_is_refused() {
        for text in ["9223372036854775808", "-9223372036854775809", "123456789012345678901234567890"] {
            assert_eq!(from_plain(text), Err(BEYOND_64_BITS));
        }
        assert_eq!(from_plain("1e999"), Err(NOT_FINITE));
        for text in [r#""a" and "b""#, r#""\x""#, "\"a\nb\"", r#"""""#] {
            assert_eq!(
                from_plain(text),
                Err("expected a JSON string, as it begins and ends with a quote, found none"),
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_text_can_be_forced(text in any::<String>()) {
            prop_assert_eq!(from_plain(&Value::from(&*text).to_json_string()), Ok(Value::from(&*text)));
        }

        #[test]
        fn every_scalar_can_be_written(value in strategies::value()) {
            if !matches!(value, Value::Time(_) | Value::List(_) | Value::Map(_)) {
                prop_assert_eq!(from_plain(&value.to_json_string()), Ok(value));
            }
        }

        #[test]
        fn any_text_gives_a_value_or_a_reason(text in "[-+0-9.eE\"a ]{0,12}") {
            match from_plain(&text) {
                Ok(Value::Text(_)) | Err(_) => {}
                Ok(value) => prop_assert_eq!(Value::from_json_str(&text), Ok(value)),
            }
        }
    }
}
