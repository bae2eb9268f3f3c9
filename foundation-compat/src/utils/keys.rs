//! Ids.

use foundation_types::LocalId;
use foundation_types::error::CorrelationId;

/// A positive number that no other call in this process gets, greater than that of every call that returned before.
pub fn generate_id() -> i64 {
    LocalId::fresh().get()
}

/// A random UUID of version 4, as 36 lower-case characters.
pub fn generate_correlation_id() -> CorrelationId {
    CorrelationId::fresh()
}
