//! Names, namespaces, service names, event names and node names.
#![cfg(feature = "test-util")]

use std::collections::HashSet;

use foundation_types::testing::{fuzz, strategies};
use foundation_types::{
    AgentId, EventName, InvalidEventName, MAX_NAME_LEN, Name, NameError, Namespace, NodeId, Scope, ServiceName, TestRef,
};
use proptest::prelude::*;

/// The rule of names, said once more and in another way.
fn why_not_a_name(text: &str) -> Option<NameError> {
    if text.is_empty() {
        return Some(NameError::Empty);
    }
    if text.len() > MAX_NAME_LEN {
        return Some(NameError::TooLong { len: text.len() });
    }
    let mut at = 0;
    for c in text.chars() {
        if matches!(u32::from(c), 0..=0x1F | 0x7F..=0x9F) {
            return Some(NameError::Control { at });
        }
        at += c.len_utf8();
    }
    None
}

proptest! {
    #[test]
    fn t01_every_valid_text_is_a_name_and_reads_back(name in strategies::name()) {
        prop_assert_eq!(why_not_a_name(name.as_str()), None);
        prop_assert_eq!(&Name::new(name.as_str()), &Ok(name.clone()));
        prop_assert_eq!(&name.to_string().parse(), &Ok(name.clone()));
        let json = serde_json::to_string(&name).expect("writes");
        prop_assert_eq!(serde_json::from_str::<Name>(&json).expect("reads"), name);
    }

    #[test]
    fn t01_any_text_is_judged_by_the_rule(text in any_text()) {
        match why_not_a_name(&text) {
            None => prop_assert_eq!(Name::new(&text).map(|name| name.to_string()), Ok(text)),
            Some(error) => {
                prop_assert_eq!(Name::new(&text), Err(error.clone()));
                prop_assert_eq!(AgentId::new(&text), Err(error));
                prop_assert!(serde_json::from_value::<Name>(text.into()).is_err());
            }
        }
    }

    #[test]
    fn t01_names_order_by_their_bytes(a in strategies::name(), b in strategies::name()) {
        prop_assert_eq!(a.cmp(&b), a.as_str().as_bytes().cmp(b.as_str().as_bytes()));
        prop_assert_eq!(a == b, a.as_str() == b.as_str());
    }

    #[test]
    fn t02_namespace_text_reads_back(namespace in strategies::namespace()) {
        prop_assert_eq!(namespace.to_string().parse(), Ok(namespace));
    }

    #[test]
    fn t02_namespace_text_is_injective(a in strategies::namespace(), b in strategies::namespace()) {
        prop_assert_eq!(a == b, a.to_string() == b.to_string());
    }

    #[test]
    fn t02_any_text_parses_to_a_namespace_of_that_text_or_not_at_all(text in any_text()) {
        for text in [text.clone(), format!("test:{text}")] {
            if let Ok(namespace) = text.parse::<Namespace>() {
                prop_assert_eq!(namespace.to_string(), text);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_what_is_read_is_the_text_it_came_from(
        bytes in prop::collection::vec(any::<u8>(), 0..40), text in any_text(), stamp in strategies::timestamp(),
    ) {
        fuzz::texts(&bytes);
        fuzz::texts(text.as_bytes());
        fuzz::texts(format!("{stamp}{text}").as_bytes());
        fuzz::texts(stamp.to_string().replace('Z', "+23:59").as_bytes());
    }

    #[test]
    fn scoped_and_plain_names_are_different_keys(name in strategies::name(), scope in strategies::scope()) {
        let (plain, scoped) = (ServiceName::plain(name.clone()), ServiceName::scoped(scope.clone(), name.clone()));
        prop_assert_eq!(plain == scoped, scope == Scope::Plain);
        if scope != Scope::Plain {
            prop_assert_eq!(scoped.to_string(), format!("{}:{name}", scope.as_str()));
            // The text of the two can be the same; the serialised form never is.
            if let Ok(look_alike) = ServiceName::new(scoped.to_string()) {
                let json = |name: &ServiceName| serde_json::to_string(name).expect("writes");
                prop_assert_ne!(json(&look_alike), json(&scoped));
            }
        }
    }

    #[test]
    fn event_names_read_back(name in strategies::event_name()) {
        prop_assert_eq!(name.as_str().parse(), Ok(name.clone()));
        prop_assert_eq!(EventName::from_segments(name.segments()), Ok(name));
    }

    #[test]
    fn event_names_are_judged_by_the_rule(text in event_like_text()) {
        let segments: Vec<&str> = text.split('.').collect();
        let is_letter = |c: char| c.is_ascii_alphanumeric() || "_-?!".contains(c);
        let valid = (1..=16).contains(&segments.len())
            && segments.iter().all(|segment| (1..=64).contains(&segment.len()) && segment.chars().all(is_letter));
        prop_assert_eq!(EventName::new(&text).is_ok(), valid);
        prop_assert_eq!(serde_json::from_value::<EventName>(text.into()).is_ok(), valid);
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter),
        (0..600_usize).prop_map(|len| "x".repeat(len)),
        (0..200_usize).prop_map(|len| "é".repeat(len)),
        strategies::text().prop_map(|text| text.as_str().to_owned()),
    ]
}

fn event_like_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        8 => prop::sample::select(&["a", "B2", "x_y", "is-it?", "go!"][..]).prop_map(str::to_owned),
        1 => (62..=66_usize).prop_map(|len| "l".repeat(len)),
        1 => prop::sample::select(&["", " ", "é", "a b", "\n", "/"][..]).prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 0..19).prop_map(|parts| parts.join("."))
}

#[test]
fn t01_bounds_of_names() {
    assert_eq!(Name::new(""), Err(NameError::Empty));
    assert_eq!(Name::new("é".repeat(128)), Err(NameError::TooLong { len: 256 }));
    assert_eq!(Name::new("x".repeat(255)).map(|name| name.as_str().len()), Ok(255));
    for (text, at) in [("\0", 0), ("a\n", 1), ("é\u{7f}", 2), ("ab\u{80}", 2), ("\u{9f}", 0)] {
        assert_eq!(Name::new(text), Err(NameError::Control { at }), "{text:?}");
    }
    for text in [" ", "\u{a0}", "\u{ad}", "\u{2028}", "日本", "a:b/c"] {
        assert_eq!(Name::new(text).as_ref().map(Name::as_str), Ok(text));
    }
    assert_ne!(Name::new("Config"), Name::new("config"));
}

#[test]
fn t01_static_names_follow_the_same_rule() {
    const NAME: Name = Name::from_static("käse");
    assert_eq!(Ok(NAME), Name::new("käse"));
    for text in ["", "a\u{80}", "\u{9f}", "\u{7f}", "\n"] {
        let caught = std::panic::catch_unwind(|| Name::from_static(text));
        assert!(caught.is_err(), "{text:?}");
    }
}

#[test]
fn t02_reserved_and_malformed_namespaces_are_refused() {
    assert_eq!(Namespace::custom("production"), Ok(Namespace::Production));
    assert_eq!(Namespace::custom("test:x"), Err(NameError::Reserved));
    let digits = "0123456789abcdef0123456789abcdef";
    assert_eq!(Namespace::custom(format!("test:{digits}")), Err(NameError::Reserved));
    assert!(matches!(format!("test:{digits}").parse(), Ok(Namespace::Test(_))));
    let upper = digits.to_uppercase();
    for malformed in ["test:", "test:0", "test:+123456789abcdef0123456789abcdef", &format!("test:{upper}")] {
        assert_eq!(malformed.parse::<Namespace>(), Err(NameError::MalformedTestRef), "{malformed}");
    }
    assert_eq!("test:0".repeat(60).parse::<Namespace>(), Err(NameError::MalformedTestRef));
    assert_eq!("".parse::<Namespace>(), Err(NameError::Empty));
    assert_eq!("test".parse::<Namespace>(), Namespace::custom("test"));
}

#[test]
fn t03_test_namespaces_of_many_threads_are_all_distinct() {
    let (threads, each) = (8, 500);
    let made: Vec<Namespace> = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| (0..each).map(|_| Namespace::test()).collect::<Vec<_>>())).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("the worker ends")).collect()
    });
    assert_eq!(made.iter().collect::<HashSet<_>>().len(), threads * each);
    assert_eq!(made.iter().map(ToString::to_string).collect::<HashSet<_>>().len(), threads * each);
    let test = TestRef::new();
    assert_eq!(test.to_string().parse(), Ok(test));
}

#[test]
fn named_scopes_cannot_be_made_as_scopes_of_the_user() {
    for (text, scope) in [
        ("plain", Scope::Plain),
        ("agent", Scope::Agent),
        ("mabeam", Scope::Mabeam),
        ("ecosystem_supervisor", Scope::EcosystemSupervisor),
    ] {
        assert_eq!(Scope::other(text), Ok(scope));
    }
    assert_eq!(Scope::other("team").map(|scope| scope.as_str().to_owned()), Ok("team".to_owned()));
    assert_eq!(Scope::other(""), Err(NameError::Empty));
}

#[test]
fn service_names_have_two_serialised_forms() {
    let json = |name: &ServiceName| serde_json::to_value(name).expect("writes");
    assert_eq!(json(&ServiceName::from("a:b")), serde_json::json!("a:b"));
    let agent = ServiceName::agent(&AgentId::from_static("b"));
    assert_eq!(json(&agent), serde_json::json!({"scope": "agent", "name": "b"}));
    assert_eq!(agent.to_string(), "agent:b");
}

#[test]
fn event_names_have_1_to_16_segments_of_1_to_64_bytes() {
    let segments = |count: usize| vec!["s"; count];
    assert_eq!(EventName::from_segments(segments(0)), Err(InvalidEventName));
    assert_eq!(EventName::from_segments(segments(16)).map(|name| name.segments().count()), Ok(16));
    assert_eq!(EventName::from_segments(segments(17)), Err(InvalidEventName));
    assert!(EventName::new("l".repeat(64)).is_ok());
    assert_eq!(EventName::new("l".repeat(65)), Err(InvalidEventName));
    assert_eq!(EventName::from_segments(["a.b"]), Err(InvalidEventName));
    assert_eq!(EventName::from_segments(["a", ""]), Err(InvalidEventName));
    for text in ["", ".", "a.", ".a", "a..b", "a b", "ä"] {
        assert_eq!(EventName::new(text), Err(InvalidEventName), "{text:?}");
    }
    let name = EventName::new("foundation.process_registry.lookup?").expect("valid");
    assert_eq!(name.segments().collect::<Vec<_>>(), ["foundation", "process_registry", "lookup?"]);
}

#[test]
fn the_local_node_is_named_once() {
    let (here, there) = (NodeId::from_static("scout@here"), NodeId::from_static("scout@there"));
    assert_eq!(NodeId::set_local(here.clone()), Ok(()));
    assert_eq!(NodeId::local(), &here);
    assert_eq!(NodeId::set_local(here.clone()), Ok(()), "naming it the same again changes nothing");
    assert_eq!(NodeId::set_local(there), Err(&here));
    assert_eq!(NodeId::local(), &here);
}
