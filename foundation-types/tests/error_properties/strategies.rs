//! Generators of error records.

use std::fmt;
use std::num::NonZeroU32;

use foundation_types::error::{
    Category, Cause, CorrelationId, DistributedContext, Domain, Error, ErrorKind, Frame, RetryStrategy, Severity,
    Subcategory, WrapOpts,
};
use foundation_types::testing::strategies::{metadata, scalar, text, timestamp};
use foundation_types::{Metadata, Text, Value};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// A known kind, or one of random text.
pub(crate) fn kind() -> impl Strategy<Value = ErrorKind> + Clone {
    prop_oneof![3 => select(ErrorKind::KNOWN), 1 => text().prop_map(|text| ErrorKind::from(text.as_str()))]
}

pub(crate) fn domain() -> impl Strategy<Value = Domain> + Clone {
    prop_oneof![6 => select(Domain::KNOWN), 1 => text().prop_map(|text| Domain::from(text.as_str()))]
}

pub(crate) fn severity() -> impl Strategy<Value = Severity> + Clone {
    select(&Severity::ALL[..])
}

pub(crate) fn strategy() -> impl Strategy<Value = RetryStrategy> + Clone {
    select(&RetryStrategy::ALL[..])
}

pub(crate) fn frame() -> impl Strategy<Value = Frame> + Clone {
    let call = (text(), text(), option::of(any::<u32>()), option::of(text()), option::of(any::<u32>()));
    prop_oneof![
        call.prop_map(|(module, function, arity, file, line)| Frame::Call { module, function, arity, file, line }),
        text().prop_map(Frame::Text),
    ]
}

/// A map of few keys, so that maps overlap, without nesting.
pub(crate) fn small_metadata() -> impl Strategy<Value = Metadata> + Clone {
    btree_map(select(vec!["a", "b", "operation", "token"]), scalar(), 0..3).prop_map(Metadata::from_iter)
}

pub(crate) fn wrap_opts() -> impl Strategy<Value = (Option<Text>, Metadata)> + Clone {
    (option::of(text()), small_metadata())
}

pub(crate) fn opts((message, context): (Option<Text>, Metadata)) -> WrapOpts {
    let opts = WrapOpts::new().context_map(context);
    match message {
        Some(message) => opts.message(message),
        None => opts,
    }
}

/// A foreign error with a chain of its own.
#[derive(Debug)]
pub(crate) struct Foreign {
    pub(crate) message: String,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Foreign {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl Foreign {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }
}

/// A record without a cause: each field left to the definition or set.
pub(crate) fn lone_error() -> impl Strategy<Value = Error> + Clone {
    let identity = (kind(), domain(), option::of(1..=9999_u32), option::of(text()), timestamp());
    let class = (option::of(severity()), option::of((select(Category::KNOWN), text())), option::of(strategy()));
    let around = (metadata(), option::of(text()), option::of(vec(frame(), 0..14)), option::of(vec(text(), 0..4)));
    let wraps = vec((kind(), wrap_opts()), 0..3);
    let retry =
        (option::of(any::<u32>()), option::of(1..u32::MAX), option::of(small_metadata()), option::of(small_metadata()));
    (identity, class, around, wraps, retry).prop_map(|(identity, class, around, wraps, retry)| {
        let (kind, domain, code, message, timestamp) = identity;
        let mut error = Error::new(kind).with_domain(domain).with_timestamp(timestamp).with_context_map(around.0);
        if let Some(code) = code {
            error = error.with_code(code);
        }
        if let Some(message) = message {
            error = error.with_message(message.as_str());
        }
        if let Some(severity) = class.0 {
            error = error.with_severity(severity);
        }
        if let Some((category, subcategory)) = class.1 {
            error = error.with_category(category, Subcategory::from(subcategory.as_str()));
        }
        if let Some(strategy) = class.2 {
            error = error.with_retry(strategy);
        }
        if let Some(id) = around.1 {
            error = error.with_correlation_id(CorrelationId::new(id));
        }
        if let Some(frames) = around.2 {
            error = error.with_frames(frames);
        }
        if let Some(actions) = around.3 {
            error = error.with_recovery_actions(actions);
        }
        for (by, wrap) in wraps {
            error = error.wrapped(by, opts(wrap));
        }
        if let Some(count) = retry.0 {
            error = error.with_retry_count(count);
        }
        if let Some(max) = retry.1.and_then(NonZeroU32::new) {
            error = error.with_max_retries(max);
        }
        if let Some(context) = retry.2 {
            error = error.with_retry_context(context);
        }
        if let Some(distributed) = retry.3 {
            error = error.with_distributed(DistributedContext::from(distributed));
        }
        error
    })
}

/// A link of a chain.
#[derive(Clone, Debug)]
pub(crate) enum Link {
    Record(Error),
    Foreign(String),
    Reason(Value),
}

pub(crate) fn link() -> impl Strategy<Value = Link> + Clone {
    prop_oneof![
        3 => lone_error().prop_map(Link::Record),
        2 => text().prop_map(|text| Link::Foreign(text.as_str().to_owned())),
        1 => foundation_types::testing::strategies::value().prop_map(Link::Reason),
    ]
}

/// A record with a chain of up to four causes, records and foreign errors mixed.
pub(crate) fn error() -> impl Strategy<Value = Error> + Clone {
    (lone_error(), vec(link(), 0..4)).prop_map(|(outermost, links)| {
        let chain = links.into_iter().fold(None::<Cause>, |source, link| {
            Some(match (link, source) {
                (Link::Record(record), Some(source)) => record.caused_by(source).into(),
                (Link::Record(record), None) => record.into(),
                (Link::Foreign(message), Some(source)) => {
                    Foreign { message, source: Some(Box::new(Holder(source))) }.into()
                }
                (Link::Foreign(message), None) => Foreign::new(message).into(),
                (Link::Reason(reason), _) => reason.into(),
            })
        });
        match chain {
            Some(cause) => outermost.caused_by(cause),
            None => outermost,
        }
    })
}

/// An error that shows the text of a cause and stands where only an error can.
#[derive(Debug)]
struct Holder(Cause);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0.as_error(), f)
    }
}

impl std::error::Error for Holder {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_error().source()
    }
}
