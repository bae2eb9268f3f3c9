//! The text forms.

use foundation_types::error::{Error, ErrorContext, ErrorKind, WrapOpts};
use foundation_types::testing::strategies::text;
use foundation_types::{Metadata, Value};
use proptest::prelude::*;
use proptest::sample::select;

use crate::strategies::error;

#[test]
fn e12_the_forms_are_the_documented_ones() {
    assert_eq!(Error::new(ErrorKind::Timeout).to_string(), "[4301:timeout] Operation timeout | Severity: medium");
    let context = Metadata::new().with("a", 1).with("b", "two").with("c", vec![1, 2]);
    let three = Error::new(ErrorKind::Timeout).with_context_map(context);
    assert_eq!(
        three.to_string(),
        r#"[4301:timeout] Operation timeout | Context: {"a":1,"b":"two","c":[1,2]} | Severity: medium"#
    );
    assert_eq!(
        three.with_context("d", true).to_string(),
        r#"[4301:timeout] Operation timeout | Context: {"a":1,"b":"two","c":[1,2], …} | Severity: medium"#
    );
}

/// Keys that name secrets, in spellings people use.
const SECRET_KEYS: &[&str] = &[
    "password",
    "DB_PASSWORD",
    "token",
    "accessToken",
    "secret",
    "client-secret",
    "api_key",
    "API-Key",
    "Authorization",
];
/// What no generated text contains.
const SECRET: &str = "hunter2-hunter2-hunter2";

/// A map with a secret under one of the keys, some levels of lists and maps down.
fn hiding(key: &str, depth: usize) -> Metadata {
    let innermost = Metadata::new().with(key, SECRET).with("plain", 1);
    (0..depth).fold(innermost, |inner, level| match level % 2 {
        0 => Metadata::new().with("inner", vec![Value::Map(inner)]),
        _ => Metadata::new().with("inner", inner),
    })
}

proptest! {
    #[test]
    fn e12_the_text_form_holds_for_any_error(error in error()) {
        let shown = error.to_string();
        let head = format!("[{}:{}] {}", error.code(), error.kind(), error.message());
        let tail = format!(" | Severity: {}", error.severity());
        prop_assert!(shown.starts_with(&head) && shown.ends_with(&tail));
        let middle = &shown[head.len()..shown.len() - tail.len()];
        prop_assert_eq!(middle.is_empty(), error.context().is_empty());
        let is_object = middle.strip_prefix(" | Context: ").is_some_and(|c| c.starts_with('{') && c.ends_with('}'));
        prop_assert_eq!(is_object, !error.context().is_empty());
        let debug = format!("{error:?}");
        prop_assert!(debug.contains("domain") && debug.contains("recovery_actions"));
    }

    #[test]
    fn e12_secrets_are_never_shown(key in select(SECRET_KEYS), depth in 0..5_usize, other in text(), error in error()) {
        let hidden = hiding(key, depth);
        let error = error
            .with_context_map(hidden.clone())
            .with_retry_context(hidden.clone())
            .with_distributed(hidden.clone().into())
            .wrapped(ErrorKind::NetworkError, WrapOpts::new().context_map(hidden.clone()).message(other.clone()));
        let mut json = error.to_json();
        json["agent_context"] = serde_json::json!({"agent_id": "scout-1", "extra": [{key: SECRET}]});
        let error = Error::from_json(&json).expect("a record with an agent context");
        let context = ErrorContext::new("app", "run")
            .with_metadata_map(hidden.clone())
            .breadcrumb("app", "step", hidden.clone());
        let outer = context.enhance(Error::new(ErrorKind::Timeout).caused_by(error.clone()));
        for shown in [error.to_string(), format!("{error:?}"), outer.to_string(), format!("{outer:#?}"), format!("{context:?}")] {
            prop_assert!(!shown.contains(SECRET), "{}", shown);
        }
        let crumbs = format!("{:?}", context.breadcrumbs().collect::<Vec<_>>());
        prop_assert!(!crumbs.contains(SECRET), "{}", crumbs);
        prop_assert_eq!(error.context().get_path([if depth == 0 { key } else { "inner" }]).is_some(), true);
        prop_assert!(error.to_json().to_string().contains(SECRET), "the stored value is unchanged");
    }
}
