//! Construction, context, frames, recovery actions.

use std::mem::size_of;

use foundation_types::error::{Error, ErrorKind, Frame, MAX_FRAMES, Severity};
use foundation_types::testing::strategies::{metadata, text, value};
use foundation_types::{Clock, ManualClock, Metadata, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::strategies::{error, frame, kind, lone_error, severity};

#[test]
fn an_error_is_one_pointer_and_crosses_threads() {
    fn is_send_and_sync<T: Send + Sync + 'static>() {}
    is_send_and_sync::<Error>();
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
}

#[test]
fn the_empty_message_is_kept() {
    assert_eq!(Error::new(ErrorKind::Timeout).with_message("").message(), "");
}

#[test]
fn a_record_is_stamped_by_the_clock_it_is_given() {
    let clock = ManualClock::new();
    assert_eq!(Error::new(ErrorKind::Timeout).with_clock(&clock).timestamp(), clock.wall());
}

proptest! {
    #[test]
    fn e01_construction_is_total(kind in kind(), code: u32, message in text(), context in metadata(), frames in vec(frame(), 0..20)) {
        let plain = Error::new(kind.clone());
        prop_assert_eq!(plain.kind(), &kind);
        prop_assert!((1..=9999).contains(&plain.code()));
        prop_assert!(!plain.message().is_empty());
        prop_assert!(!plain.category().as_str().is_empty() && !plain.subcategory().as_str().is_empty());
        prop_assert!(plain.context().is_empty());

        let full = plain.with_code(code).with_message(message.as_str()).with_context_map(context).with_frames(frames);
        prop_assert_eq!(full.kind(), &kind);
        prop_assert_eq!(full.code(), if (1..=9999).contains(&code) { code } else { 9999 });
        prop_assert_eq!(full.message(), message.as_str());
    }

    #[test]
    fn e03_the_context_comes_back_as_given(kind in kind(), context in metadata()) {
        let error = Error::new(kind).with_context_map(context.clone());
        prop_assert_eq!(error.context(), &context);
    }

    #[test]
    fn e08_escalation_is_severity_high_or_critical(error in lone_error(), severity in severity()) {
        prop_assert_eq!(error.should_escalate(), error.severity() >= Severity::High);
        let error = error.with_severity(severity);
        prop_assert_eq!(error.should_escalate(), severity.is_alertable());
        prop_assert_eq!(severity.is_alertable(), matches!(severity, Severity::High | Severity::Critical));
    }

    #[test]
    fn e09_at_most_ten_frames_are_kept_in_order(frames in vec(frame(), 0..20)) {
        let error = Error::new(ErrorKind::Timeout).with_frames(frames.clone());
        prop_assert_eq!(error.frames(), Some(&frames[..frames.len().min(MAX_FRAMES)]));
    }

    #[test]
    fn e09_frames_are_read_from_any_value(value in value(), frame in frame()) {
        prop_assert_eq!(Frame::from_value(&frame.to_value()), frame);
        let is_call = value.as_map().is_some_and(|map| {
            map.get("module").is_some_and(|module| module.as_str().is_some())
        });
        prop_assert!(is_call || matches!(Frame::from_value(&value), Frame::Text(_)));
    }

    #[test]
    fn e10_recovery_actions_are_never_empty(error in error(), operation in text()) {
        let texts = |error: &Error| error.recovery_actions().iter().map(ToString::to_string).collect::<Vec<_>>();
        prop_assert!(!texts(&error).is_empty());
        let error = error.with_recovery_actions::<&str>([]).with_context("operation", operation.as_str());
        let actions = texts(&error);
        prop_assert!(actions.len() > 1 && actions.iter().all(|action| !action.is_empty()));
        let expected = format!("Review {operation} implementation");
        prop_assert_eq!(actions.last(), Some(&expected));
    }
}

#[test]
fn e09_an_absent_stack_is_not_an_empty_one() {
    let error = Error::new(ErrorKind::Timeout);
    assert_eq!(error.frames(), None);
    assert_eq!(error.with_frames([]).frames(), Some(&[][..]));
}

#[test]
fn e09_good_frames_are_structured_and_bad_ones_are_text() {
    let good = Metadata::new().with("module", "app").with("function", "run").with("arity", 2).with("line", 7);
    let call = Frame::Call { module: "app".into(), function: "run".into(), arity: Some(2), file: None, line: Some(7) };
    assert_eq!(Frame::from_value(&good.clone().into()), call);
    let bad = Value::from(good.with("line", -1));
    assert_eq!(Frame::from_value(&bad), Frame::Text(r#"{"arity":2,"function":"run","line":-1,"module":"app"}"#.into()));
}

#[test]
fn a_forced_backtrace_has_frames_outside_the_error_system() {
    let error = Error::new(ErrorKind::Timeout).with_forced_backtrace();
    let frames = error.frames().expect("it was forced");
    assert!((1..=MAX_FRAMES).contains(&frames.len()), "{frames:?}");
    assert!(frames.iter().all(|frame| !frame.to_string().starts_with("std::backtrace")), "{frames:?}");
}

#[test]
fn e10_actions_are_those_of_the_kind() {
    let of = |kind: ErrorKind| {
        Error::new(kind).recovery_actions().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(of(ErrorKind::ConfigNotFound), "Check configuration file; Verify configuration path");
    assert_eq!(
        of(ErrorKind::InvalidConfigValue),
        "Check configuration format; Validate against schema; Review documentation"
    );
    assert_eq!(
        of(ErrorKind::ServiceUnavailable),
        "Check service health; Verify network connectivity; Review service logs"
    );
    assert_eq!(
        of(ErrorKind::ResourceExhausted),
        "Check memory usage; Review resource limits; Scale resources if needed"
    );
    assert_eq!(of(ErrorKind::NetworkError), "Check network connectivity; Retry with exponential backoff");
    assert_eq!(of(ErrorKind::Timeout), "Increase timeout value; Check network latency; Review service performance");
    assert_eq!(of(ErrorKind::DataCorruption), "Restore from backup; Contact system administrator");
    assert_eq!(
        of(ErrorKind::from("anything")),
        "Check logs for details; Review error context; Contact support if needed"
    );
}
