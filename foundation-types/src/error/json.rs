//! The JSON form of an error record.

use std::error::Error as StdError;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

use super::agent_data::AgentData;
use super::cause::MAX_CHAIN;
use super::kind::ErrorKind;
use super::ranges::category_of;
use super::record::Error;
use super::retry::RetryStrategy;
use crate::{Text, Value};

/// Marks a cause of which only the text was kept.
pub(super) const FOREIGN: &str = "foreign";

impl Error {
    /// The JSON form: an object with every field that is set, causes nested under `caused_by`.
    ///
    /// [`Error::from_json`] reads it back to an equal error. Of foreign causes it keeps the text, of a captured stack
    /// the frames. Secrets are not replaced: this form is for storage and wires.
    pub fn to_json(&self) -> Json {
        encode(self, MAX_CHAIN)
    }

    /// The ten keys the agent layer gives out: `code`, `error_type`, `message`, `severity`, `context`, `agent_context`
    /// and `correlation_id` (null if absent), `retry_strategy` (`none` for no retry), `timestamp`, and `category`,
    /// which is the name of the code's range.
    pub fn to_agent_map(&self) -> Json {
        let retry = match self.retry_strategy() {
            RetryStrategy::NoRetry => "none",
            strategy => strategy.as_str(),
        };
        json!({
            "code": self.code(),
            "error_type": self.kind(),
            "message": self.message(),
            "severity": self.severity(),
            "context": self.context().to_json(),
            "agent_context": self.0.agent.as_ref().map(AgentData::to_json),
            "retry_strategy": retry,
            "timestamp": self.timestamp(),
            "correlation_id": self.correlation_id(),
            "category": category_of(self.code()),
        })
    }
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

/// Encodes at most `links` errors of the chain.
fn encode(error: &Error, links: usize) -> Json {
    let inner = &error.0;
    let mut object = Map::new();
    let mut put = |key: &str, value: Json| object.insert(key.to_owned(), value);
    put("domain", error.domain().as_str().into());
    put("code", error.code().into());
    put("error_type", error.kind().as_str().into());
    put("message", error.message().into());
    put("severity", error.severity().as_str().into());
    put("category", error.category().as_str().into());
    put("subcategory", error.subcategory().as_str().into());
    put("retry_strategy", error.retry_strategy().as_str().into());
    put("context", inner.context.to_json());
    put("timestamp", error.timestamp().to_string().into());
    put("recovery_actions", error.recovery_actions().iter().map(Text::as_str).collect());
    if let Some(id) = &inner.correlation_id {
        put("correlation_id", id.as_str().into());
    }
    if let Some(frames) = error.frames() {
        put("stacktrace", frames.iter().map(|frame| frame.to_value().plain()).collect());
    }
    if let Some(cause) = error.source().filter(|_| links > 1) {
        put("caused_by", encode_cause(cause, links - 1));
    }
    if inner.dropped_causes > 0 {
        put("dropped_causes", inner.dropped_causes.into());
    }
    if let Some(distributed) = &inner.distributed {
        put("distributed_context", distributed.as_metadata().to_json());
    }
    if let Some(count) = inner.retry_count {
        put("retry_count", count.into());
    }
    if let Some(max) = inner.max_retries {
        put("max_retries", max.get().into());
    }
    if let Some(context) = &inner.retry_context {
        put("retry_context", context.to_json());
    }
    if let Some(agent) = &inner.agent {
        put("agent_context", agent.to_json());
    }
    if !inner.wraps.is_empty() {
        let wraps = inner.wraps.iter().map(|wrap| {
            let message = Value::from(wrap.message.clone()).plain();
            json!({"by": wrap.by.as_str(), "message": message, "context": wrap.context.to_json()})
        });
        put("wraps", wraps.collect());
    }
    Json::Object(object)
}

fn encode_cause(cause: &(dyn StdError + 'static), links: usize) -> Json {
    if let Some(record) = cause.downcast_ref::<Error>() {
        return encode(record, links);
    }
    // A reader that does not know the mark still finds a complete record.
    let kind = ErrorKind::ExternalError;
    let mut object = json!({
        "code": kind.definition().code,
        "error_type": kind,
        "message": cause.to_string(),
        "severity": kind.definition().severity,
        FOREIGN: true,
    });
    if let Some(source) = cause.source().filter(|_| links > 1) {
        object["caused_by"] = encode_cause(source, links - 1);
    }
    object
}
