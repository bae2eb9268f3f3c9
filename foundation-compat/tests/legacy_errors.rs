//! Errors by their old names.

use foundation_compat::error::types::{self, Fields};
use foundation_compat::error::{self, Options, RetryDelay};
use foundation_compat::error_context::{self, ErrorContext};
use foundation_compat::foundation_types::error::{CorrelationId, Domain, Entry, Frame, RetryStrategy, Severity};
use foundation_compat::foundation_types::testing::strategies;
use foundation_compat::{Error, ErrorKind, Metadata, Value};
use proptest::collection::vec;
use proptest::prelude::*;

fn context() -> impl Strategy<Value = ErrorContext> {
    (strategies::metadata(), 0..3_usize).prop_map(|(metadata, children)| {
        let options = error_context::Options::new().metadata(metadata).correlation_id("of the context");
        let root = error_context::new("Root", "run", options);
        (0..children).fold(root, |parent, _| error_context::child_context_3(&parent, "Child", "run"))
    })
}

fn record() -> impl Strategy<Value = Error> {
    let kinds = prop_oneof![Just(ErrorKind::Timeout), Just(ErrorKind::DataNotFound), Just("strange".into())];
    (kinds, strategies::metadata(), any::<bool>()).prop_map(|(kind, metadata, has_id)| {
        let options = Options::new().context(metadata);
        error::new(kind, None, if has_id { options.correlation_id("its own") } else { options })
    })
}

/// The context of an operation, without the duration, which moves.
fn operation(error: &Error) -> Metadata {
    let mut operation = error.context().get("operation_context").and_then(Value::as_map).expect("there").clone();
    operation.remove("duration_ns").expect("there");
    operation
}

fn operation_of(context: &ErrorContext) -> Metadata {
    let mut operation = context.operation_context();
    operation.remove("duration_ns");
    operation
}

/// The entries without those of the operation.
fn beside_operation(error: &Error) -> Metadata {
    error.context().iter().filter(|(key, _)| *key != "operation_context").map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn without_operation(metadata: &Metadata) -> Metadata {
    let mut metadata = metadata.clone();
    if let Some(hidden) = metadata.remove("operation_context") {
        metadata.insert("operation_context_info", hidden);
    }
    metadata
}

fn laid_over(mut below: Metadata, above: &Metadata) -> Metadata {
    below.overlay(above);
    below
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn e16_enhancing_a_record_adds_the_operation_and_nothing_else(record in record(), context in context()) {
        let enhanced = error_context::enhance_error(Err::<(), _>(record.clone()), &context).expect_err("a failure");
        prop_assert_eq!(operation(&enhanced), operation_of(&context));
        let mut expected = record.context().clone();
        expected.remove("operation_context");
        prop_assert_eq!(beside_operation(&enhanced), expected);
        let id = record.correlation_id().unwrap_or(context.correlation_id());
        prop_assert_eq!(enhanced.correlation_id(), Some(id), "its own id wins");
        prop_assert_eq!((enhanced.kind(), enhanced.message()), (record.kind(), record.message()));
        prop_assert_eq!((enhanced.code(), enhanced.severity()), (record.code(), record.severity()));

        let twice = error_context::enhance_error(Err::<(), _>(enhanced.clone()), &context).expect_err("a failure");
        prop_assert_eq!(operation(&twice), operation(&enhanced));
        prop_assert_eq!(beside_operation(&twice), beside_operation(&enhanced));
    }

    #[test]
    fn e16_enhancing_a_foreign_failure_makes_a_record(reason in strategies::value(), context in context()) {
        let enhanced = error_context::enhance_error(Err::<(), _>(reason.clone()), &context).expect_err("a failure");
        prop_assert_eq!((enhanced.kind(), enhanced.code()), (&ErrorKind::ExternalError, 4900));
        prop_assert_eq!(beside_operation(&enhanced), Metadata::new().with("original_reason", reason));
        prop_assert_eq!(operation(&enhanced), operation_of(&context));
        prop_assert_eq!(enhanced.correlation_id(), Some(context.correlation_id()));
    }

    #[test]
    fn e17_a_map_and_info_are_laid_over_a_record(
        record in record(), map in strategies::metadata(), info in strategies::metadata(),
    ) {
        let added = error_context::add_context(Err::<(), _>(record.clone()), &map, &info).expect_err("a failure");
        prop_assert_eq!(added.context(), &laid_over(laid_over(record.context().clone(), &map), &info));
        prop_assert_eq!(added.correlation_id(), record.correlation_id());
        let without_info = error_context::add_context_2(Err::<(), _>(record.clone()), &map).expect_err("a failure");
        prop_assert_eq!(without_info.context(), &laid_over(record.context().clone(), &map));
    }

    #[test]
    fn e17_a_map_and_info_are_laid_over_a_foreign_failure_and_its_reason_over_both(
        reason in strategies::value(), map in strategies::metadata(), info in strategies::metadata(),
    ) {
        let added = error_context::add_context(Err::<(), _>(reason.clone()), &map, &info).expect_err("a failure");
        prop_assert_eq!(added.kind(), &ErrorKind::ExternalError);
        prop_assert_eq!(added.context(), &laid_over(map, &info).with("original_reason", reason));
    }

    #[test]
    fn e16_an_operation_and_info_are_laid_over_a_record(
        record in record(), context in context(), info in strategies::metadata(),
    ) {
        let info = info.with("operation_context", "hidden");
        let added = error_context::add_context(Err::<(), _>(record.clone()), &context, &info).expect_err("a failure");
        prop_assert_eq!(operation(&added), operation_of(&context), "info cannot hide it");
        let mut below = record.context().clone();
        below.remove("operation_context");
        prop_assert_eq!(beside_operation(&added), laid_over(below, &without_operation(&info)));
        let id = record.correlation_id().unwrap_or(context.correlation_id());
        prop_assert_eq!(added.correlation_id(), Some(id));
    }

    #[test]
    fn e16_an_operation_and_info_are_laid_over_a_foreign_failure(
        reason in strategies::value(), context in context(), info in strategies::metadata(),
    ) {
        let added = error_context::add_context(Err::<(), _>(reason.clone()), &context, &info).expect_err("a failure");
        prop_assert_eq!(added.kind(), &ErrorKind::ExternalError);
        prop_assert_eq!(beside_operation(&added), without_operation(&info).with("original_reason", reason));
        prop_assert_eq!(operation(&added), operation_of(&context));
        prop_assert_eq!(added.correlation_id(), Some(context.correlation_id()), "set here as well");
    }

    #[test]
    fn e16_a_success_passes_through_untouched(value in any::<u32>(), context in context(), map in strategies::metadata()) {
        let success = Ok::<_, Error>(value);
        prop_assert_eq!(error_context::enhance_error(success.clone(), &context), Ok(value));
        prop_assert_eq!(error_context::add_context(success.clone(), &context, &map), Ok(value));
        prop_assert_eq!(error_context::add_context_2(success.clone(), &map), Ok(value));
        prop_assert_eq!(error::wrap_error_2(success, ErrorKind::Timeout), Ok(value));
    }

    #[test]
    fn e04_wrapping_keeps_the_record_and_shows_the_outermost_wrap(
        record in record(), wraps in vec(("[a-z]{1,8}", strategies::metadata()), 1..4),
    ) {
        let mut wrapped = record.clone();
        for (message, entries) in &wraps {
            let options = Options::new().context(entries.clone()).correlation_id("of the wrapper");
            let result = Err::<(), _>(wrapped);
            wrapped = error::wrap_error(result, ErrorKind::InternalError, Some(message), options).expect_err("a failure");
        }
        prop_assert_eq!((wrapped.kind(), wrapped.message()), (record.kind(), record.message()));
        prop_assert_eq!((wrapped.code(), wrapped.severity()), (record.code(), record.severity()));
        prop_assert_eq!((wrapped.timestamp(), wrapped.correlation_id()), (record.timestamp(), record.correlation_id()));
        let (message, entries) = wraps.last().expect("at least one");
        let expected = record
            .context()
            .clone()
            .with("wrapped_by", "internal_error")
            .with("wrapper_message", message.as_str())
            .with("wrapper_context", entries.clone());
        prop_assert_eq!(wrapped.context(), &expected);
        let kept: Vec<_> = wrapped.wraps().iter().map(|wrap| wrap.message.as_deref().unwrap_or_default()).collect();
        prop_assert_eq!(kept, wraps.iter().map(|(message, _)| message.as_str()).collect::<Vec<_>>());
    }

    #[test]
    fn e05_wrapping_a_foreign_failure_makes_a_record_of_the_wrapper(
        reason in strategies::value(), entries in strategies::metadata(),
    ) {
        let options = Options::new().context(entries.clone()).correlation_id("of the wrapper").stacktrace([]);
        let wrapped = error::wrap_error(Err::<(), _>(reason.clone()), ErrorKind::Timeout, None, options);
        let wrapped = wrapped.expect_err("a failure");
        prop_assert_eq!((wrapped.kind(), wrapped.message()), (&ErrorKind::Timeout, "Operation timeout"));
        prop_assert_eq!(wrapped.context(), &entries.with("original_reason", reason));
        prop_assert_eq!(wrapped.correlation_id().map(CorrelationId::as_str), Some("of the wrapper"));
        prop_assert_eq!(wrapped.frames(), Some([].as_slice()), "an empty stack is a stack");
    }

    #[test]
    fn e06_delays_are_bounded_for_every_attempt(record in record(), attempt in any::<u32>()) {
        let delay = error::retry_delay(&record, attempt);
        prop_assert_eq!(error::retryable(&record), error::retry_delay(&record, 0) != RetryDelay::Never);
        prop_assert!(delay.duration().is_none_or(|delay| delay.as_millis() <= 30_000));
    }
}

#[test]
fn e02_new_follows_the_table() {
    let rows: Vec<_> = Entry::all().filter(|row| row.domain == Domain::Core).collect();
    assert!(rows.len() >= 25, "the whole table");
    for row in rows {
        let error = error::new_1(row.kind.clone());
        let definition = &row.definition;
        assert_eq!((error.code(), error.severity()), (definition.code, definition.severity), "{}", row.kind);
        assert_eq!((error.message(), error.retry_strategy()), (definition.message, definition.retry), "{}", row.kind);
    }
    let unknown = error::new_2("never_heard_of", Some(""));
    assert_eq!((unknown.code(), unknown.message(), unknown.severity()), (9999, "", Severity::Medium));
    assert!(error::error_result_1::<()>(ErrorKind::Timeout).is_err());
    assert_eq!(error::error_result_2::<()>(ErrorKind::Timeout, Some("m")).expect_err("a failure").message(), "m");
}

#[test]
fn e08_should_escalate_is_high_or_critical() {
    let severities =
        [ErrorKind::RangeError, ErrorKind::Timeout, ErrorKind::ServiceUnavailable, ErrorKind::InternalError];
    let escalated = severities.map(|kind| error::should_escalate(&error::new_1(kind)));
    assert_eq!(escalated, [false, false, true, true]);
}

#[test]
fn fields_make_a_record_and_what_is_required_is_required() {
    assert_eq!(types::new_0().expect_err("all are missing").field, "code");
    let fields = || Fields {
        code: Some(5001),
        error_type: Some(ErrorKind::ServiceNotFound),
        message: Some("gone".to_owned()),
        severity: Some(Severity::Low),
        ..Fields::default()
    };
    let missing = |fields: Fields| types::new(fields).expect_err("one is missing").field;
    assert_eq!(missing(Fields { error_type: None, ..fields() }), "error_type");
    assert_eq!(missing(Fields { message: None, ..fields() }), "message");
    assert_eq!(missing(Fields { severity: None, ..fields() }), "severity");

    let plain = types::new(fields()).expect("complete");
    assert_eq!((plain.code(), plain.severity(), plain.message()), (5001, Severity::Low, "gone"));
    assert!(!error::retryable(&plain), "without a strategy there is no retry");

    let full = types::new(Fields {
        retry_strategy: Some(RetryStrategy::FixedDelay),
        caused_by: Some(Error::new(ErrorKind::Timeout).into()),
        retry_count: Some(2),
        stacktrace: Some(vec![Frame::Text("frame".into())]),
        timestamp: Some("2026-01-01T00:00:00Z".parse().expect("a time")),
        ..fields()
    })
    .expect("complete");
    assert_eq!(Error::from_json(&full.to_json()), Ok(full.clone()));
    assert_eq!(
        (full.retry_count(), full.frames().map(<[Frame]>::len), full.domain()),
        (Some(2), Some(1), &Domain::Core)
    );
    assert!(full.cause().is_some());
}

#[test]
fn e14_e15_a_context_ends_with_its_function_and_panics_become_errors() {
    let (outer, inner) = (error_context::new_2("Outer", "run"), error_context::new_2("Inner", "run"));
    assert_eq!(error_context::get_current_context(), None);
    let result = error_context::with_context(&outer, || {
        let caught = error_context::with_context(&inner, || -> Result<(), Error> { panic!("out of luck") });
        let error = caught.expect_err("a panic");
        assert_eq!((error.code(), error.message()), (2401, "Exception in operation: out of luck"));
        assert_eq!(error.correlation_id(), Some(inner.correlation_id()));
        assert_eq!(error_context::get_current_context().as_ref(), Some(&outer), "the outer one is back");
        Err::<(), _>(error::new_1(ErrorKind::Timeout))
    });
    let error = result.expect_err("what the function gave");
    assert!(error.context().is_empty(), "results are not enhanced");
    assert_eq!(error_context::get_current_context(), None);
}

#[test]
fn e13_children_carry_the_path_and_the_metadata() {
    let root = error_context::new("A", "a", error_context::Options::new().metadata([("k", 1), ("l", 1)].into()));
    let child = error_context::child_context(&root, "B", "b", [("k", 2)].into());
    let child = error_context::add_breadcrumb(child, "C", "c", Metadata::new());
    let child = error_context::add_metadata(error_context::add_breadcrumb_3(child, "D", "d"), [("m", 3)].into());
    assert_eq!(child.metadata(), &[("k", 2), ("l", 1), ("m", 3)].into());
    assert_eq!(child.correlation_id(), root.correlation_id());
    assert_ne!(child.operation_id(), root.operation_id());
    let path = error_context::format_breadcrumbs(&child);
    let steps: Vec<_> = path.split(" -> ").map(|step| step.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(steps, ["A.a", "B.b", "C.c", "D.d"]);
    let adopted = error_context::new("E", "e", error_context::Options::new().parent_context(root.clone()));
    assert_eq!(adopted.parent(), Some(&root));
    assert!(adopted.metadata().is_empty(), "nothing is taken over");
    let before = error_context::get_operation_duration(&root);
    assert!(error_context::get_operation_duration(&root) >= before);
}

#[cfg(feature = "agent")]
mod agent {
    use std::panic::catch_unwind;

    use foundation_compat::agent::error::{self as agent_error, Exception, Fields};
    use foundation_compat::{AgentId, AgentInfo};

    use super::*;

    fn fields() -> Fields {
        Fields {
            code: Some(3004),
            error_type: Some(ErrorKind::AgentResourceExhausted),
            message: Some("out of memory".to_owned()),
            ..Fields::default()
        }
    }

    #[test]
    fn an_agent_error_has_an_id_and_uses_the_one_it_is_given() {
        let made = agent_error::new(fields()).expect("complete");
        assert_eq!((made.code(), made.severity(), agent_error::retryable(&made)), (3004, Severity::Medium, false));
        assert!(made.correlation_id().is_some_and(|id| id.as_str().len() == 36), "a UUID");
        let given = agent_error::new(Fields { correlation_id: Some("req-1".into()), ..fields() }).expect("complete");
        assert_eq!(given.correlation_id().map(CorrelationId::as_str), Some("req-1"));
        assert_eq!(agent_error::new(Fields { message: None, ..fields() }).expect_err("incomplete").field, "message");
    }

    #[test]
    fn e11_the_map_of_an_agent_error_reads_back() {
        let scout =
            AgentInfo::builder(AgentId::from_static("scout")).build_at("2026-01-01T00:00:00Z".parse().expect("a time"));
        let made = agent_error::new(Fields { correlation_id: Some("req-1".into()), ..fields() }).expect("complete");
        let made = agent_error::add_agent_context(made, scout.context());
        let made = agent_error::add_context(made, [("file", "a.rs")].into());
        let map = agent_error::to_map(&made);
        assert_eq!((&map["category"], &map["retry_strategy"]), (&"agent".into(), &"none".into()));
        assert_eq!(map.as_object().map(serde_json::Map::len), Some(10));
        let read = agent_error::from_map(&map).expect("its own map");
        assert_eq!(agent_error::to_map(&read), map);
        assert_eq!(read.agent_id(), made.agent_id());
        assert!(agent_error::from_map(&serde_json::json!({"code": 1})).is_err(), "fields are required");
    }

    #[test]
    fn e21_ranges_are_those_of_the_thousands() {
        let made = agent_error::new(fields()).expect("complete");
        assert_eq!(agent_error::get_category(&made), "agent");
        let ranges = ["validation", "agent", "system", "unknown"];
        assert_eq!(ranges.map(|range| agent_error::category(&made, range)), [false, true, false, false]);
    }

    #[test]
    fn exceptions_are_classified_and_fields_come_on_top() {
        let parse = "x".parse::<u8>().expect_err("no number");
        let plain = agent_error::from_exception_1(&parse);
        assert_eq!((plain.code(), plain.kind(), plain.severity()), (1002, &ErrorKind::InvalidArgument, Severity::High));
        assert!(agent_error::alertable(&plain));
        let with_context = Fields { context: [("file", "a.rs")].into(), ..Fields::default() };
        let with_context = agent_error::from_exception(&parse, with_context);
        assert!(["exception_type", "file"].iter().all(|key| with_context.context().contains_key(key)), "both are kept");
        let renamed = agent_error::from_exception(&parse, Fields { severity: Some(Severity::Low), ..fields() });
        assert_eq!((renamed.code(), renamed.severity(), renamed.message()), (3004, Severity::Low, "out of memory"));
        assert_eq!(renamed.kind(), &ErrorKind::AgentResourceExhausted);
        assert!(renamed.context().contains_key("exception_type"));

        let payload = catch_unwind(|| panic!("out of luck")).expect_err("a panic");
        let panicked = agent_error::from_exception_1(Exception::Panic(&*payload));
        assert_eq!((panicked.code(), panicked.message()), (9001, "out of luck"));
    }

    #[test]
    fn suggested_delays_count_attempts_from_one() {
        let with = |strategy| {
            let made = agent_error::new(Fields { retry_strategy: Some(strategy), ..fields() }).expect("complete");
            [1, 2, 3].map(|attempt| agent_error::suggested_retry_delay(&made, attempt).map(|delay| delay.as_millis()))
        };
        assert_eq!(with(RetryStrategy::NoRetry), [None; 3]);
        assert_eq!(with(RetryStrategy::Immediate), [Some(0); 3]);
        assert_eq!(with(RetryStrategy::FixedDelay), [Some(1000); 3]);
        assert_eq!(with(RetryStrategy::LinearBackoff), [Some(1000), Some(2000), Some(3000)]);
        assert_eq!(with(RetryStrategy::ExponentialBackoff), [Some(2000), Some(4000), Some(8000)]);
        assert_eq!(with(RetryStrategy::Custom), [Some(5000); 3]);
    }
}
