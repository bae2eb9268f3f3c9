//! Reading the JSON form of an error record.

use std::num::NonZeroU32;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

use super::agent_data::AgentData;
use super::cause::{Cause, MAX_CHAIN, Repr};
use super::correlation::CorrelationId;
use super::definition::{Definition, UNKNOWN_CODE};
use super::distributed::DistributedContext;
use super::frame::{Frame, MAX_FRAMES};
use super::json::FOREIGN;
use super::kind::ErrorKind;
use super::record::{Error, Stack};
use super::recovery;
use super::vocabulary::Domain;
use super::wrap::Wrap;
use crate::{Clock, Metadata, SystemClock, Text, Timestamp, Value, ValueDecodeError};

/// Why something is not the JSON form of an error record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// An error record, a cause or a wrap is not an object.
    #[error("not an object")]
    NotAnObject,
    /// A required field is absent or null: `code`, `error_type`, `message` or `severity`, or `by` of a wrap.
    #[error("field {field} is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field holds something it cannot.
    #[error("field {field} is not {expected}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What it may hold.
        expected: &'static str,
    },
    /// A field that holds free data holds none that can be represented.
    #[error("field {field}: {source}")]
    Data {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        source: ValueDecodeError,
    },
    /// Causes nest deeper than 64.
    #[error("causes nest deeper than {MAX_CHAIN}")]
    TooDeep,
}

impl Error {
    /// Reads the JSON form.
    ///
    /// Required are `code`, `error_type`, `message` and `severity`; null counts as absent. Unknown kinds, domains and
    /// classes are kept as such, unknown keys are ignored. A record without `timestamp` is stamped with the time of
    /// reading.
    ///
    /// # Errors
    /// [`DecodeError`], for any input that is not such an object.
    pub fn from_json(json: &Json) -> Result<Self, DecodeError> {
        Self::from_json_received(json, SystemClock.wall())
    }

    /// As [`Error::from_json`], with the timestamp for records that have none.
    ///
    /// # Errors
    /// As [`Error::from_json`].
    pub fn from_json_received(json: &Json, received: Timestamp) -> Result<Self, DecodeError> {
        let error = decode(json, received, MAX_CHAIN)?;
        match &error.0.cause {
            // A chain one too long was written by somebody else; linking it anew brings it to size.
            Some(cause) if error.chain_exceeds_limit() => {
                let (cause, dropped) = (cause.clone(), error.0.dropped_causes);
                let mut error = error.caused_by(cause);
                error.0.dropped_causes = dropped.saturating_add(1);
                Ok(error)
            }
            _ => Ok(error),
        }
    }

    /// Reads the ten keys of [`Error::to_agent_map`]. Its `category` repeats the code and is ignored.
    ///
    /// # Errors
    /// As [`Error::from_json`].
    pub fn from_agent_map(json: &Json) -> Result<Self, DecodeError> {
        let mut object = json.as_object().ok_or(DecodeError::NotAnObject)?.clone();
        object.remove("category");
        Self::from_json(&Json::Object(object))
    }
}

impl<'de> Deserialize<'de> for Error {
    /// Reads the JSON form from any self-describing format.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        Self::from_json(&json).map_err(serde::de::Error::custom)
    }
}

fn decode(json: &Json, received: Timestamp, causes_left: usize) -> Result<Error, DecodeError> {
    let fields = Fields::of(json)?;
    let kind = ErrorKind::from(fields.required("error_type", text)?);
    let domain = fields.optional("domain", text)?.map_or(Domain::Core, Domain::from);
    let definition = Definition::of(&domain, &kind);
    let timestamp = fields.optional("timestamp", parsed("an RFC 3339 time"))?.unwrap_or(received);

    let mut error = Error::at(kind, timestamp).with_domain(domain);
    let inner = &mut *error.0;
    inner.code = overriding(fields.required("code", code)?, &definition.code);
    inner.severity = overriding(fields.required("severity", parsed("a severity"))?, &definition.severity);
    let message = fields.required("message", text)?;
    inner.message = (message != definition.message).then(|| message.into());
    inner.category = fields.optional("category", text)?.and_then(|word| overriding(word.into(), &definition.category));
    inner.subcategory =
        fields.optional("subcategory", text)?.and_then(|word| overriding(word.into(), &definition.subcategory));
    inner.retry = fields
        .optional("retry_strategy", parsed("a retry strategy"))?
        .and_then(|strategy| overriding(strategy, &definition.retry));
    inner.context = fields.map("context")?.unwrap_or_default();
    inner.correlation_id = fields.optional("correlation_id", text)?.map(CorrelationId::from);
    inner.stack = fields.optional("stacktrace", list)?.map(|frames| Stack::Frames(decode_frames(frames)));
    if let Some(actions) = fields.optional("recovery_actions", list)? {
        let actions = actions.iter().map(|action| text(action).map(Text::from));
        let actions: Vec<Text> = actions.collect::<Result<_, _>>().map_err(invalid("recovery_actions"))?;
        let usual = recovery::actions(&inner.kind, &inner.context);
        inner.recovery_actions = (!actions.is_empty()).then(|| overriding(actions, &usual)).flatten();
    }
    inner.distributed = fields.map("distributed_context")?.map(DistributedContext::from);
    inner.retry_count = fields.optional("retry_count", number)?;
    inner.max_retries = fields.optional("max_retries", |json| {
        number(json).and_then(|number| NonZeroU32::new(number).ok_or("a whole number from 1"))
    })?;
    inner.retry_context = fields.map("retry_context")?;
    inner.agent = fields.get("agent_context").map(AgentData::from_json);
    inner.dropped_causes = fields.optional("dropped_causes", number)?.unwrap_or(0);
    if let Some(wraps) = fields.optional("wraps", list)? {
        inner.wraps = wraps.iter().map(decode_wrap).collect::<Result<_, _>>()?;
    }
    inner.cause = decode_cause(&fields, received, causes_left)?;
    Ok(error)
}

fn decode_cause(fields: &Fields<'_>, received: Timestamp, left: usize) -> Result<Option<Cause>, DecodeError> {
    let Some(json) = fields.get("caused_by") else { return Ok(None) };
    let left = left.checked_sub(1).ok_or(DecodeError::TooDeep)?;
    let cause = Fields::of(json)?;
    if cause.get(FOREIGN) == Some(&Json::Bool(true)) {
        let message = cause.required("message", text)?;
        return Ok(Some(Cause::text(message, decode_cause(&cause, received, left)?)));
    }
    decode(json, received, left).map(|record| Some(Cause(Repr::Record(Arc::new(record)))))
}

fn decode_wrap(json: &Json) -> Result<Wrap, DecodeError> {
    let fields = Fields::of(json)?;
    let by = ErrorKind::from(fields.required("by", text)?);
    let message = fields.optional("message", text)?.map(Text::from);
    Ok(Wrap::new(by, message, fields.map("context")?.unwrap_or_default()))
}

fn decode_frames(frames: &[Json]) -> Vec<Frame> {
    let frame = |json: &Json| match Value::from_json(json) {
        Ok(value) => Frame::from_value(&value),
        Err(_) => Frame::Text(json.to_string().into()),
    };
    frames.iter().take(MAX_FRAMES).map(frame).collect()
}

/// What to store for a field whose definition says `usual`.
fn overriding<T: PartialEq>(value: T, usual: &T) -> Option<T> {
    (value != *usual).then_some(value)
}

/// An object whose nulls count as absent.
struct Fields<'j>(&'j Map<String, Json>);

/// The value of a field, or what was expected.
type Read<T> = Result<T, &'static str>;

impl<'j> Fields<'j> {
    fn of(json: &'j Json) -> Result<Self, DecodeError> {
        json.as_object().map(Self).ok_or(DecodeError::NotAnObject)
    }

    fn get(&self, field: &str) -> Option<&'j Json> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    fn optional<T>(
        &self,
        field: &'static str,
        read: impl FnOnce(&'j Json) -> Read<T>,
    ) -> Result<Option<T>, DecodeError> {
        self.get(field).map(read).transpose().map_err(invalid(field))
    }

    fn required<T>(&self, field: &'static str, read: impl FnOnce(&'j Json) -> Read<T>) -> Result<T, DecodeError> {
        self.optional(field, read)?.ok_or(DecodeError::Missing { field })
    }

    fn map(&self, field: &'static str) -> Result<Option<Metadata>, DecodeError> {
        let decode = |json| Metadata::from_json(json).map_err(|source| DecodeError::Data { field, source });
        self.get(field).map(decode).transpose()
    }
}

fn invalid(field: &'static str) -> impl Fn(&'static str) -> DecodeError {
    move |expected| DecodeError::Invalid { field, expected }
}

fn text(json: &Json) -> Read<&str> {
    json.as_str().ok_or("a text")
}

fn list(json: &Json) -> Read<&[Json]> {
    json.as_array().map(Vec::as_slice).ok_or("a list")
}

fn number(json: &Json) -> Read<u32> {
    json.as_u64().and_then(|number| u32::try_from(number).ok()).ok_or("a whole number of 32 bits")
}

fn code(json: &Json) -> Read<u32> {
    number(json).ok().filter(|code| matches!(code, 1..=UNKNOWN_CODE)).ok_or("a whole number from 1 to 9999")
}

fn parsed<T: std::str::FromStr>(expected: &'static str) -> impl Fn(&Json) -> Read<T> {
    move |json| json.as_str().and_then(|text| text.parse().ok()).ok_or(expected)
}
