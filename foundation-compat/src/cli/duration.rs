//! Durations as people write them.

use std::time::Duration;

/// The longest one taken: a day.
const MAX: Duration = Duration::from_hours(24);

/// A positive duration up to a day: a whole number with a unit, `ms`, `s`, `m` or `h`; without a unit, seconds.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| "not a duration, such as 500ms or 2s".to_owned())?;
    let milliseconds = match unit {
        "ms" => Some(number),
        "" | "s" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => return Err(format!("`{unit}` is no unit of time; there are ms, s, m and h")),
    };
    match milliseconds.map(Duration::from_millis) {
        Some(Duration::ZERO) => Err("must not be zero".to_owned()),
        Some(duration) if duration <= MAX => Ok(duration),
        _ => Err("longer than a day".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_understood() {
        for (text, milliseconds) in [("250ms", 250), ("2s", 2000), ("3", 3000), ("1m", 60_000), ("24h", 86_400_000)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in
            ["", "s", "-1s", "1.5s", "2 s", "5d", "0", "0ms", "25h", "99999999999999999999s", "18446744073709551615h"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
