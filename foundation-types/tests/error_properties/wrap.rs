//! Wrapping and chains of causes.

use std::error::Error as _;

use foundation_types::error::{Cause, Error, ErrorKind, MAX_CHAIN, ResultExt, WrapOpts};
use foundation_types::testing::strategies::{metadata, value};
use foundation_types::{Metadata, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::strategies::{Foreign, error, kind, opts, wrap_opts};

const WRAP_KEYS: [&str; 3] = ["wrapped_by", "wrapper_message", "wrapper_context"];

proptest! {
    #[test]
    fn e04_a_wrapped_record_keeps_its_identity(inner in error(), wraps in vec((kind(), wrap_opts()), 1..5)) {
        let mut result = Err::<(), _>(inner.clone());
        for (by, wrap) in &wraps {
            result = result.wrap(by.clone(), opts(wrap.clone()));
        }
        let outer = result.expect_err("it was a failure");

        prop_assert_eq!((outer.kind(), outer.domain(), outer.message()), (inner.kind(), inner.domain(), inner.message()));
        prop_assert_eq!((outer.code(), outer.severity(), outer.timestamp()), (inner.code(), inner.severity(), inner.timestamp()));
        prop_assert_eq!((outer.frames(), outer.cause()), (inner.frames(), inner.cause()));
        let without = |error: &Error| {
            let mut context = error.context().clone();
            for key in WRAP_KEYS {
                context.remove(key);
            }
            context
        };
        prop_assert_eq!(without(&outer), without(&inner));

        let new = &outer.wraps()[inner.wraps().len()..];
        let seen: Vec<_> = new.iter().map(|wrap| (wrap.by.clone(), (wrap.message.clone(), wrap.context.clone()))).collect();
        prop_assert_eq!(&seen, &wraps);
        let (by, (message, context)) = wraps.last().expect("at least one wrap");
        prop_assert_eq!(outer.context().get("wrapped_by"), Some(&Value::from(by.as_str())));
        prop_assert_eq!(outer.context().get("wrapper_message"), Some(&message.clone().into()));
        prop_assert_eq!(outer.context().get("wrapper_context"), Some(&context.clone().into()));
    }

    #[test]
    fn e05_a_foreign_failure_becomes_a_record_of_the_wrapper(by in kind(), wrap in wrap_opts(), success: u8) {
        let failure = Err::<u8, _>(Foreign::new("it broke"));
        let error = failure.wrap(by.clone(), opts(wrap.clone())).expect_err("it was a failure");
        prop_assert_eq!(error.kind(), &by);
        let default = by.definition().message;
        prop_assert_eq!(error.message(), wrap.0.as_ref().map_or(default, |message| message.as_str()));
        let mut expected = wrap.1.clone();
        expected.insert("original_reason", "it broke");
        prop_assert_eq!(error.context(), &expected);
        prop_assert!(error.source().is_some_and(<dyn std::error::Error>::is::<Foreign>));
        prop_assert!(error.wraps().is_empty());

        prop_assert_eq!(Ok::<_, Foreign>(success).wrap(by, opts(wrap)), Ok(success));
    }

    #[test]
    fn e05_a_failure_described_by_data_keeps_the_data(by in kind(), reason in value()) {
        let error = Error::wrapping(by, WrapOpts::new(), reason.clone());
        prop_assert_eq!(error.context().get("original_reason"), Some(&reason));
        prop_assert!(error.source().is_some());
    }

    #[test]
    fn long_chains_lose_their_middle(records in vec(any::<bool>(), 1..150)) {
        let root = Error::new("link_0");
        let chain = records.iter().enumerate().fold(root, |inner, (index, is_record)| {
            let link = Error::new(format!("link_{}", index + 1));
            if *is_record { link.caused_by(inner) } else { link.caused_by(Foreign { message: "foreign".into(), source: Some(Box::new(inner)) }) }
        });
        let built = 1 + records.len() + records.iter().filter(|is_record| !**is_record).count();
        prop_assert_eq!(chain.chain().count(), built.min(MAX_CHAIN));
        prop_assert_eq!(chain.dropped_causes() as usize, built.saturating_sub(MAX_CHAIN));
        let ends: Vec<String> = chain.chain().filter_map(|link| link.downcast_ref::<Error>()).map(|link| link.kind().to_string()).collect();
        prop_assert_eq!(ends.first(), Some(&format!("link_{}", records.len())));
        prop_assert_eq!(ends.last().map(String::as_str), Some("link_0"));
    }
}

#[test]
fn recovery_actions_of_a_wrapped_foreign_failure_follow_the_merged_context() {
    let opts = WrapOpts::new().context("operation", "fetch");
    let error = Error::wrapping(ErrorKind::Timeout, opts, Foreign::new("late"));
    let last = error.recovery_actions().pop();
    assert_eq!(last.as_deref(), Some("Review fetch implementation"));
}

#[test]
fn a_record_in_a_box_is_still_a_record() {
    let record = Error::new(ErrorKind::Timeout).with_context_map(Metadata::new().with("a", 1));
    let cause = Cause::from_box(Box::new(record.clone()));
    assert_eq!(cause.as_record(), Some(&record));
    assert_eq!(Cause::from_box(Box::new(Foreign::new("x"))).as_record(), None);
}

#[test]
fn a_long_foreign_chain_is_cut_too() {
    let foreign = (0..200).fold(Foreign::new("root"), |inner, index| Foreign {
        message: format!("step {index}"),
        source: Some(Box::new(inner)),
    });
    let error = Error::new(ErrorKind::Timeout).caused_by(foreign);
    let texts: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    assert_eq!(texts.len(), MAX_CHAIN - 1);
    assert_eq!((texts[0].as_str(), texts[MAX_CHAIN - 2].as_str()), ("step 199", "root"));
    assert_eq!(error.dropped_causes(), 201 - 63);
}

proptest! {
    #[test]
    fn wrapping_passes_success_untouched(context in metadata()) {
        prop_assert_eq!(Ok::<_, Error>(context.clone()).wrap(ErrorKind::Timeout, WrapOpts::new()), Ok(context));
    }
}
