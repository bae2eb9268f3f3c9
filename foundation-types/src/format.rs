//! Sizes and durations as people read them.

use std::time::Duration;

/// A number of bytes in the largest unit up to GB that it has one of, with one decimal: `512 B`, `1.1 KB`, `1024.0 GB`.
///
/// Units are powers of 1024, and halves of a decimal are rounded up.
///
/// ```
/// use foundation_types::format;
///
/// assert_eq!([0, 1_023, 1_024, 5 << 20].map(format::bytes), ["0 B", "1023 B", "1.0 KB", "5.0 MB"]);
/// ```
pub fn bytes(count: u64) -> String {
    let (unit, name) = match count {
        0x4000_0000.. => (1 << 30, "GB"),
        0x10_0000.. => (1 << 20, "MB"),
        0x400.. => (1 << 10, "KB"),
        _ => return format!("{count} B"),
    };
    with_one_decimal(count.into(), unit, " ", name)
}

/// A duration in the largest unit up to seconds that it has one of, with one decimal: `999ns`, `3.1μs`, `2.0ms`, `61.0s`.
///
/// Halves of a decimal are rounded up.
///
/// ```
/// use std::time::Duration;
/// use foundation_types::format;
///
/// let nanos = [7, 1_500, 999_999, 61_000_000_000].map(Duration::from_nanos);
/// assert_eq!(nanos.map(format::duration), ["7ns", "1.5μs", "1000.0μs", "61.0s"]);
/// ```
pub fn duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (unit, name) = match nanos {
        1_000_000_000.. => (1_000_000_000, "s"),
        1_000_000.. => (1_000_000, "ms"),
        1_000.. => (1_000, "μs"),
        _ => return format!("{nanos}ns"),
    };
    with_one_decimal(nanos, unit, "", name)
}

/// `amount` in units of `unit`. Whatever has 64 bits of seconds or bytes leaves room for the factors.
fn with_one_decimal(amount: u128, unit: u128, space: &str, name: &str) -> String {
    let tenths = (amount * 10 + unit / 2) / unit;
    format!("{}.{}{space}{name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_begins_where_the_one_below_has_its_number_of_them() {
        let sizes = [1_023, 1_024, (1 << 20) - 1, 1 << 20, (1 << 30) - 1, 1 << 30, 1 << 40, u64::MAX].map(bytes);
        let shown = ["1023 B", "1.0 KB", "1024.0 KB", "1.0 MB", "1024.0 MB", "1.0 GB", "1024.0 GB", "17179869184.0 GB"];
        assert_eq!(sizes, shown);

        let nanos = [0, 999, 1_000, 999_999, 1_000_000, 999_999_999, 1_000_000_000, u64::MAX].map(Duration::from_nanos);
        let shown = ["0ns", "999ns", "1.0μs", "1000.0μs", "1.0ms", "1000.0ms", "1.0s", "18446744073.7s"];
        assert_eq!(nanos.map(duration), shown);
        assert_eq!(duration(Duration::MAX), "18446744073709551616.0s");
    }

    #[test]
    fn halves_of_a_decimal_are_rounded_up() {
        assert_eq!([1_075, 1_126, 1_127].map(bytes), ["1.0 KB", "1.1 KB", "1.1 KB"]);
        assert_eq!(bytes(1_280), "1.3 KB");
        assert_eq!(
            [1_149, 1_150, 1_249, 1_250].map(|nanos| duration(Duration::from_nanos(nanos))),
            ["1.1μs", "1.2μs", "1.2μs", "1.3μs"]
        );
    }
}
