//! Contexts: descent, breadcrumbs, durations.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::error::ErrorContext;
use foundation_types::{ManualClock, Metadata, Value, error_context, format};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::strategies::small_metadata;

proptest! {
    #[test]
    fn e13_children_continue_their_parents(children in vec(("[a-z]{1,3}", "[a-z]{1,3}", small_metadata()), 0..130), own in small_metadata()) {
        let root = ErrorContext::new("root", "start").with_metadata_map(own.clone());
        let mut line = vec![root.clone()];
        for (module, function, metadata) in &children {
            let child = line.last().expect("the root").child_with(module.as_str(), function.as_str(), metadata.clone());
            line.push(child);
        }
        let last = line.last().expect("the root");

        prop_assert!(line.iter().all(|context| context.correlation_id() == root.correlation_id()));
        let ids: BTreeSet<_> = line.iter().map(ErrorContext::operation_id).collect();
        prop_assert_eq!(ids.len(), line.len());
        prop_assert!(line.windows(2).all(|pair| pair[1].parent() == Some(&pair[0])));

        let mut expected_metadata = own;
        for (_, _, metadata) in &children {
            expected_metadata.overlay(metadata);
        }
        prop_assert_eq!(last.metadata(), &expected_metadata);

        let mut path = vec![("root".to_owned(), "start".to_owned(), Metadata::new())];
        path.extend(children.iter().map(|(module, function, metadata)| (module.clone(), function.clone(), metadata.clone())));
        let dropped = path.len().saturating_sub(100);
        path.drain(1..=dropped);
        let seen: Vec<_> =
            last.breadcrumbs().map(|step| (step.module.to_string(), step.function.to_string(), step.metadata.clone())).collect();
        prop_assert_eq!(seen, path);
        prop_assert_eq!(last.dropped_breadcrumbs(), dropped as u64);
    }

    #[test]
    fn e18_elapsed_is_what_the_clock_advanced(nanos in 0..u64::MAX / 2) {
        let clock = ManualClock::new();
        let context = ErrorContext::timed_by(Arc::new(clock.clone()), "app", "run");
        clock.advance(Duration::from_nanos(nanos));
        prop_assert_eq!(context.elapsed(), Duration::from_nanos(nanos));
        prop_assert_eq!(context.operation_context().get("duration_ns").and_then(Value::as_i64), i64::try_from(nanos).ok());
        prop_assert_eq!(context.format_breadcrumbs(), format!("app.run ({} ago)", format::duration(Duration::from_nanos(nanos))));
    }

    #[test]
    fn e18_duration_texts_have_the_right_unit_and_one_decimal(nanos: u64) {
        let text = format::duration(Duration::from_nanos(nanos));
        let (unit, size) = match nanos {
            1_000_000_000.. => ("s", 1e9),
            1_000_000.. => ("ms", 1e6),
            1_000.. => ("μs", 1e3),
            _ => ("ns", 1.0),
        };
        let number = text.strip_suffix(unit).expect("the unit of the size");
        prop_assert_eq!(number.contains('.'), nanos >= 1_000);
        let read: f64 = number.parse().expect("a number before the unit");
        prop_assert!((read - nanos as f64 / size).abs() <= 0.05 + read * 1e-12, "{}", text);
    }
}

#[test]
fn e18_duration_texts_at_the_bounds() {
    let texts: Vec<String> = [0, 999, 1_000, 1_049, 1_050, 999_999, 1_000_000, 5_000_000, 999_999_999, 1_500_000_000]
        .map(|nanos| format::duration(Duration::from_nanos(nanos)))
        .to_vec();
    assert_eq!(texts, ["0ns", "999ns", "1.0μs", "1.0μs", "1.1μs", "1000.0μs", "1.0ms", "5.0ms", "1000.0ms", "1.5s"]);
}

#[test]
fn breadcrumbs_are_shown_from_the_first_to_the_last_with_their_age() {
    let clock = ManualClock::new();
    let root = ErrorContext::timed_by(Arc::new(clock.clone()), "app", "serve");
    clock.advance(Duration::from_millis(5));
    let child = root.child("app.db", "query").breadcrumb("app.db", "connect", Metadata::new().with("try", 2));
    clock.advance(Duration::from_nanos(1_500));
    assert_eq!(
        child.format_breadcrumbs(),
        "app.serve (5.0ms ago) -> app.db.query (1.5μs ago) -> app.db.connect (1.5μs ago)"
    );
    assert_eq!(root.breadcrumbs().count(), 1, "a child leaves its parent as it was");
}

#[test]
fn adding_no_metadata_leaves_a_context_equal() {
    let context = ErrorContext::new("app", "run").with_metadata("a", 1);
    assert_eq!(context.clone().with_metadata_map(Metadata::new()), context);
    assert_ne!(context.clone().with_metadata("a", 2), context);
}

#[test]
fn the_number_of_breadcrumbs_can_be_chosen() {
    let limit = NonZeroUsize::new(2).expect("not zero");
    let context = ErrorContext::new("app", "run").with_breadcrumb_limit(limit);
    let context =
        (0..5).fold(context, |context, step| context.breadcrumb("app", format!("step_{step}"), Metadata::new()));
    let functions: Vec<_> = context.breadcrumbs().map(|step| step.function.as_str()).collect();
    assert_eq!((functions, context.dropped_breadcrumbs()), (vec!["run", "step_4"], 4));
}

#[test]
fn a_long_line_of_descent_is_dropped_without_recursion() {
    let mut context = ErrorContext::new("app", "run");
    for _ in 0..50_000 {
        context = context.child("app", "again");
    }
    drop(context);
}

#[test]
fn the_macro_names_the_function_it_stands_in() {
    let here = error_context!();
    assert_eq!(here.function(), "the_macro_names_the_function_it_stands_in");
    assert!(here.module().ends_with("::context"), "{}", here.module());
    let in_closure = [()].map(|()| error_context!()).into_iter().next().expect("one element");
    assert_eq!(in_closure.function(), here.function());
}
