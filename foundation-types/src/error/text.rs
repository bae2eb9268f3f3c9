//! The text forms of an error record.

use std::fmt;

use super::record::Error;
use super::redact::Redacted;

/// How many entries of the context the one-line form shows.
const SHOWN: usize = 3;

impl fmt::Display for Error {
    /// `[<code>:<kind>] <message> | Context: {…} | Severity: <severity>`; the middle part, compact JSON of the first
    /// three entries in key order, is left out if the context is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}:{}] {}", self.code(), self.kind(), self.message())?;
        if !self.context().is_empty() {
            write!(f, " | Context: {}", Redacted::first(self.context(), SHOWN))?;
        }
        write!(f, " | Severity: {}", self.severity())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        f.debug_struct("Error")
            .field("domain", self.domain())
            .field("kind", self.kind())
            .field("code", &self.code())
            .field("message", &self.message())
            .field("severity", &self.severity())
            .field("category", self.category())
            .field("subcategory", self.subcategory())
            .field("retry_strategy", &self.retry_strategy())
            .field("context", &Redacted::whole(self.context()))
            .field("correlation_id", &inner.correlation_id)
            .field("timestamp", &inner.timestamp)
            .field("frames", &self.frames())
            .field("recovery_actions", &self.recovery_actions())
            .field("wraps", &inner.wraps)
            .field("caused_by", &inner.cause)
            .field("dropped_causes", &inner.dropped_causes)
            .field("distributed", &inner.distributed)
            .field("retry_count", &inner.retry_count)
            .field("max_retries", &inner.max_retries)
            .field("retry_context", &inner.retry_context.as_ref().map(Redacted::whole))
            .field("agent_context", &inner.agent)
            .finish()
    }
}
