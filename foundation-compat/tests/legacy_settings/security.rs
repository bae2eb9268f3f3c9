//! The limits of paths and values, each at its boundary.

use foundation_compat::logic::config_logic::{allows_component, get_config_value, reset_config, update_config};
use foundation_compat::{Error, Metadata, Value};
use proptest::prelude::*;
use serde::Serialize;

const SENSITIVE: &str =
    "Elixir.System Elixir.File Elixir.Code Elixir.Process Elixir.Node Elixir.Kernel __struct__ __info__";
const INSENSITIVE: [&str; 5] = ["../", "etc/passwd", "DROP TABLE", "<script>", "eval_string"];

fn write(value: impl Serialize) -> Result<Value, Error> {
    update_config(&reset_config(), ["infrastructure", "protection", "a", "b"], value)
}

fn code<T>(result: Result<T, Error>) -> Option<u32> {
    result.err().map(|error| error.code())
}

#[test]
fn a_path_has_at_most_50_components_of_255_bytes() {
    let read = |path: Vec<String>| code(get_config_value(&reset_config(), &path));
    assert_eq!(read(vec!["a".to_owned(); 50]), Some(1302));
    assert_eq!(read(vec!["a".to_owned(); 51]), Some(1000));
    assert_eq!(read(vec!["a".repeat(255)]), Some(1302));
    assert_eq!(read(vec!["a".repeat(256)]), Some(1000));
    assert_eq!(read(vec!["ä".repeat(128)]), Some(1000));
}

#[test]
fn a_refused_path_says_so_with_no_more_of_it_than_fits_a_path() {
    let error = get_config_value(&reset_config(), &vec!["ä".repeat(1000); 1000]).expect_err("it is too long");
    assert_eq!((error.kind().as_str(), error.severity().as_str()), ("security_violation", "high"));
    assert_eq!(format!("{}/{}", error.category(), error.subcategory()), "config/security");
    assert_eq!(error.context().get("reason"), Some(&"malicious_path".into()));
    let path = error.context().get("path").and_then(Value::as_list).expect("as much as there may be");
    assert_eq!(path.len(), 50);
    assert!(path.iter().all(|component| component.as_str().is_some_and(|text| text.len() == 254)));
}

#[test]
fn denied_texts_are_refused_in_components_and_keys_wherever_they_stand() {
    for denied in SENSITIVE.split(' ').chain(INSENSITIVE) {
        for component in [denied.to_owned(), format!("a{denied}"), format!("{denied}b"), format!("é{denied}é")] {
            assert!(!allows_component(&component), "{component}");
            assert_eq!(code(get_config_value(&reset_config(), ["dev", &component])), Some(1000), "{component}");
            assert_eq!(code(write(Metadata::new().with(component.as_str(), 1))), Some(1005), "{component}");
            assert_eq!(code(write(vec![Metadata::new().with(component.as_str(), 1)])), Some(1005), "{component}");
            // As a value it is a text as any other.
            assert_eq!(code(write(component)), None);
        }
        assert!(allows_component(&denied[1..]) && allows_component(&denied[..denied.len() - 1]), "{denied}");
    }
}

#[test]
fn the_first_list_minds_the_case_and_the_second_does_not() {
    for denied in SENSITIVE.split(' ') {
        assert!(allows_component(&denied.to_uppercase()) && allows_component(&swapped(denied)), "{denied}");
    }
    for denied in INSENSITIVE {
        let spellings = [denied.to_uppercase(), denied.to_lowercase(), swapped(denied)];
        assert!(spellings.iter().all(|spelling| !allows_component(spelling)), "{denied}");
    }
}

/// The text with the case of every letter changed.
fn swapped(text: &str) -> String {
    text.chars().map(|c| if c.is_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() }).collect()
}

proptest! {
    #[test]
    fn denied_is_what_has_a_denied_text_in_it(
        parts in prop::collection::vec(prop_oneof!["[a-z_./<> ]{0,4}", "\\PC{0,2}", prop::sample::select(
            SENSITIVE.split(' ').chain(INSENSITIVE).flat_map(|text| [text.to_owned(), text[1..].to_owned(), text.to_lowercase()])
                .collect::<Vec<_>>())], 0..4)
    ) {
        let text = parts.concat();
        let denied = SENSITIVE.split(' ').any(|denied| text.contains(denied))
            || INSENSITIVE.iter().any(|denied| text.to_lowercase().contains(&denied.to_lowercase()));
        prop_assert_eq!(allows_component(&text), !denied);
    }
}

#[test]
fn texts_and_keys_have_at_most_a_million_bytes() {
    assert_eq!(code(write("x".repeat(1_000_000))), None);
    assert_eq!(code(write("x".repeat(1_000_001))), Some(1005));
    assert_eq!(code(write("ä".repeat(500_000))), None);
    assert_eq!(code(write("ä".repeat(500_001))), Some(1005));
    assert_eq!(code(write(Metadata::new().with("x".repeat(1_000_000), 1))), None);
    assert_eq!(code(write(Metadata::new().with("x".repeat(1_000_001), 1))), Some(1005));
}

#[test]
fn twenty_wrappers_pass_and_one_more_does_not() {
    let lists = |depth| (0..depth).fold(Value::from(1), |inner, _| Value::List(vec![inner]));
    let maps = |depth| (0..depth).fold(Value::from(1), |inner, _| Metadata::new().with("k", inner).into());
    let mixed = |depth| {
        (0..depth).fold(Value::from(1), |inner, level: usize| {
            if level.is_multiple_of(2) { Value::List(vec![inner]) } else { Metadata::new().with("k", inner).into() }
        })
    };
    for depth in [0, 1, 19, 20] {
        let results = [write(lists(depth)), write(maps(depth)), write(mixed(depth))].map(code);
        assert_eq!(results, [None; 3], "{depth}");
    }
    for depth in [21, 22, 100] {
        let results = [write(lists(depth)), write(maps(depth)), write(mixed(depth))].map(code);
        assert_eq!(results, [Some(1005); 3], "{depth}");
    }
    // An empty list is a node itself.
    assert_eq!(code(write((0..21).fold(Value::List(Vec::new()), |inner, _| Value::List(vec![inner])))), Some(1005));
}

#[test]
fn values_that_no_tree_can_hold_are_refused() {
    let deep = (0..2_000).fold(Value::from(1), |inner, _| Value::List(vec![inner]));
    assert_eq!(code(write(deep)), Some(1005));
    assert_eq!(code(write(f64::NAN)), Some(1005));
    assert_eq!(code(write(u64::MAX)), Some(1005));
    assert_eq!(code(write(u64::MAX / 2)), None);
}

#[test]
fn a_value_has_at_most_100_000_nodes() {
    assert_eq!(code(write(vec![1; 99_999])), None);
    assert_eq!(code(write(vec![1; 100_000])), Some(1404));
}

#[test]
fn a_refused_value_is_not_quoted() {
    let error = write(Metadata::new().with("__struct__", "hunter2")).expect_err("the key is denied");
    assert_eq!(error.context().get("reason"), Some(&"dangerous_value".into()));
    assert_eq!(error.context().get("value_type"), Some(&"map".into()));
    assert!(error.context().get("path").is_some());
    assert!(!format!("{error:?}").contains("hunter2"));
}
