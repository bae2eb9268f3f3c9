//! Laying contexts over errors.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::error::{Error, ErrorContext, ErrorKind, ResultExt, add_context};
use foundation_types::testing::strategies::metadata;
use foundation_types::{ManualClock, Metadata, Value};
use proptest::prelude::*;

use crate::strategies::{Foreign, error};

const FIVE: [&str; 5] = ["breadcrumbs", "correlation_id", "duration_ns", "metadata", "operation_id"];

fn operation_keys(error: &Error) -> Vec<&str> {
    let operation = error.context().get("operation_context").and_then(Value::as_map).expect("it was added");
    operation.iter().map(|(key, _)| key.as_str()).collect()
}

/// The error without what enhancing adds.
fn stripped(error: &Error) -> serde_json::Value {
    let mut json = error.to_json();
    let object = json.as_object_mut().expect("errors are objects");
    object.remove("correlation_id");
    object["context"].as_object_mut().expect("contexts are objects").remove("operation_context");
    json
}

proptest! {
    #[test]
    fn e16_enhancing_adds_the_operation_and_nothing_else(error in error(), metadata in metadata(), nanos in 0..1_000_000_000_u64) {
        let clock = ManualClock::new();
        let context = ErrorContext::timed_by(Arc::new(clock.clone()), "app", "run").with_metadata_map(metadata);
        let enhanced = context.enhance(error.clone());

        prop_assert_eq!(stripped(&enhanced), stripped(&error));
        prop_assert_eq!(operation_keys(&enhanced), FIVE);
        prop_assert_eq!(enhanced.correlation_id(), Some(error.correlation_id().unwrap_or(context.correlation_id())));

        prop_assert_eq!(&context.enhance(enhanced.clone()), &enhanced, "at the same time it is idempotent");
        clock.advance(Duration::from_nanos(nanos));
        let later = context.enhance(enhanced.clone());
        let operation = later.context().get("operation_context").and_then(Value::as_map).expect("it was added");
        prop_assert_eq!(operation.get("duration_ns"), Some(&Value::Int(i64::try_from(nanos).expect("below a second"))));
        prop_assert_eq!(stripped(&later), stripped(&enhanced));
    }

    #[test]
    fn e16_a_success_is_not_changed(value: u64) {
        let context = ErrorContext::new("app", "run");
        prop_assert_eq!(Ok::<_, Error>(value).with_error_context(&context), Ok(value));
    }

    #[test]
    fn e16_a_foreign_failure_becomes_an_external_error(message in ".{0,20}") {
        let context = ErrorContext::new("app", "run");
        let result = Err::<(), _>(Foreign::new(message.clone())).with_error_context(&context);
        let error = result.expect_err("it was a failure");
        prop_assert_eq!((error.kind(), error.code()), (&ErrorKind::ExternalError, 4900));
        prop_assert_eq!(error.context().get("original_reason"), Some(&Value::from(message)));
        prop_assert_eq!((error.context().len(), operation_keys(&error)), (2, FIVE.to_vec()));
        prop_assert_eq!(error.correlation_id(), Some(context.correlation_id()));
        prop_assert!(error.source().is_some_and(<dyn std::error::Error>::is::<Foreign>));
    }

    #[test]
    fn e17_maps_overlay_from_left_to_right(error in error(), one in metadata(), two in metadata()) {
        let added = add_context(error.clone(), &one, &two);
        let mut expected = error.context().clone();
        expected.overlay(&one);
        expected.overlay(&two);
        prop_assert_eq!(added.context(), &expected);
        prop_assert_eq!((added.kind(), added.correlation_id()), (error.kind(), error.correlation_id()));
    }

    #[test]
    fn e17_the_reason_of_a_foreign_failure_wins(one in metadata(), two in metadata()) {
        let two = two.with("original_reason", "forged");
        let added = add_context(Foreign::new("it broke"), &one, &two);
        let mut expected = one;
        expected.overlay(&two);
        expected.insert("original_reason", "it broke");
        prop_assert_eq!((added.context(), added.kind()), (&expected, &ErrorKind::ExternalError));
        prop_assert_eq!(added.correlation_id(), None);
    }

    #[test]
    fn information_is_added_but_never_hides_the_operation(error in error(), info in metadata()) {
        let context = ErrorContext::new("app", "run");
        let info = info.with("operation_context", "mine");
        for enhanced in [context.enhance_with(error.clone(), &info), context.enhance_with(Foreign::new("x"), &info)] {
            prop_assert_eq!(operation_keys(&enhanced), FIVE);
            prop_assert_eq!(enhanced.context().get("operation_context_info"), Some(&Value::from("mine")));
            for (key, value) in info.iter().filter(|(key, _)| !["operation_context", "operation_context_info"].contains(&key.as_str())) {
                prop_assert_eq!(enhanced.context().get(key), Some(value));
            }
        }
    }
}

#[test]
fn a_reason_that_is_data_is_kept_as_data() {
    let reason = Value::from(Metadata::new().with("exit", 137));
    let error = ErrorContext::new("app", "run").enhance(reason.clone());
    assert_eq!(error.context().get("original_reason"), Some(&reason));
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some(r#"{"exit":137}"#));
}
