//! The original's `Foundation.Utils`: small functions over values, time and the running process.
//!
//! The bare name is the function with the most arguments; a shorter one carries its arity. Time comes from the clock of the
//! [global instance](crate::global), or from that of the operating system as long as there is none. Nothing here needs a
//! running service, and nothing that takes a [`Value`] recurses deeper for a deeper one.
//!
//! ```
//! use foundation_compat::{Metadata, Value, utils};
//!
//! let mut settings = Value::from(Metadata::new());
//! utils::put_nested(&mut settings, &["log", "level"], "debug")?;
//! assert_eq!(utils::get_nested_2(&settings, &["log", "level"]), &Value::from("debug"));
//! assert_eq!(utils::format_bytes(1_100), "1.1 KB");
//! # Ok::<(), utils::PutNestedError>(())
//! ```

mod keys;
mod retry;
mod size;
mod stats;
mod text;
mod time;
mod tree;

pub use foundation_breaker::retry::{RetryError, Stopped};
pub use foundation_types::Value;

pub use self::keys::{generate_correlation_id, generate_id};
pub use self::retry::{DEFAULT_BASE_DELAY, DEFAULT_MAX_ATTEMPTS, DEFAULT_MAX_DELAY, RetryOptions, retry, retry_1};
pub use self::size::{
    DEFAULT_SIZE_LIMIT, INSPECT_CHARACTERS, INSPECT_ELEMENTS, PREVIEW_ENTRIES, PREVIEW_ITEMS, deep_size, safe_inspect,
    truncate_if_large, truncate_if_large_1,
};
pub use self::stats::{MemoryChange, ProcessStats, SystemStats, measure_memory, process_stats, system_stats};
pub use self::text::{format_bytes, format_duration, sanitize_string};
pub use self::time::{measure, monotonic_timestamp, wall_timestamp};
pub use self::tree::{
    PutNestedError, atomize_keys, blank, deep_merge, get_nested, get_nested_2, present, put_nested, stringify_keys,
    valid_positive_integer,
};
