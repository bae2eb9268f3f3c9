//! `utils`: the tables of the original, the laws of its functions, and that none of them panics.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use foundation_compat::foundation_breaker::Random;
use foundation_compat::foundation_types::error::{Classify, ErrorKind};
use foundation_compat::foundation_types::testing::strategies;
use foundation_compat::foundation_types::{FiniteF64, MAX_VALUE_DEPTH, Ratio, Timestamp, contain};
use foundation_compat::utils::{self, PutNestedError, RetryOptions, Stopped};
use foundation_compat::{Metadata, Value};
use proptest::collection::vec;
use proptest::prelude::*;

fn map(key: &str, value: impl Into<Value>) -> Value {
    Value::from(Metadata::new().with(key, value))
}

fn path() -> impl Strategy<Value = Vec<String>> {
    vec(prop_oneof![4 => "[ab]", 1 => "\\PC{0,4}"], 0..6)
}

/// Values in which paths and trees meet.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![1 => Just(Value::Null), 1 => any::<bool>().prop_map(Value::from), 2 => strategies::scalar()];
    leaf.prop_recursive(5, 32, 3, |inner| {
        vec(("[ab]", inner), 0..3).prop_map(|entries| Value::Map(entries.into_iter().collect()))
    })
}

/// Operations that fail some number of times, and how often they may be tried.
fn outcomes() -> impl Strategy<Value = (Option<u32>, u32)> {
    (proptest::option::of(1..12_u32), 0..12_u32)
}

proptest! {
    #[test]
    fn p22_retry_makes_as_many_attempts_as_it_takes_or_may(
        (first_success, max_attempts) in outcomes(),
        base in 0..2_000_u64,
        max in 0..10_000_u64,
    ) {
        let (mut attempts, mut slept) = (0, Vec::new());
        let options = RetryOptions::new()
            .max_attempts(max_attempts)
            .base_delay(Duration::from_millis(base))
            .max_delay(Duration::from_millis(max))
            .sleeper(|delay| slept.push(delay));
        let result = utils::retry(
            || {
                attempts += 1;
                if Some(attempts) == first_success { Ok(attempts) } else { Err(attempts) }
            },
            options,
        );
        let may = max_attempts.max(1);
        let expected = first_success.unwrap_or(u32::MAX).min(may);
        prop_assert_eq!(attempts, expected);
        match result {
            Ok(attempt) => prop_assert_eq!(Some(attempt), first_success),
            Err(failed) => {
                prop_assert!(first_success.is_none_or(|success| success > may));
                prop_assert_eq!((failed.attempts, failed.error, failed.stopped), (may, may, Stopped::Attempts));
            }
        }
        let delays: Vec<_> = (1..expected).map(|attempt| Duration::from_millis((base << (attempt - 1)).min(max))).collect();
        prop_assert_eq!(slept, delays);
    }

    #[test]
    fn p22_jitter_shortens_delays_and_never_by_more_than_its_share(seed: u64, share in 0.0..=1.0_f64) {
        let ratio = Ratio::new(share).expect("a share");
        let mut slept = Vec::new();
        let options = RetryOptions::new()
            .max_attempts(9)
            .jitter(ratio)
            .random(Random::seeded(seed))
            .sleeper(|delay| slept.push(delay));
        let failed = utils::retry(|| Err::<(), _>(()), options).expect_err("it always fails");
        prop_assert_eq!((failed.attempts, slept.len()), (9, 8));
        for (delay, full) in slept.iter().zip([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
            let full = Duration::from_millis(full);
            prop_assert!(*delay <= full && *delay + Duration::from_micros(1) >= full.mul_f64(1.0 - share), "{:?}", delay);
        }
    }

    #[test]
    fn p22_what_is_put_is_got_unless_it_is_null(tree in tree(), path in path(), new in tree()) {
        let mut changed = tree.clone();
        match utils::put_nested(&mut changed, &path, new.clone()) {
            Ok(()) => {
                let default = Value::from("default");
                // Null is as good as nothing, but for the root, which is given as it is.
                let expected = if new.is_null() && !path.is_empty() { &default } else { &new };
                prop_assert_eq!(utils::get_nested(&changed, &path, &default), expected);
                // Laying the path alone over the tree is the same, as long as no map meets a map at its end.
                if !path.is_empty() && !matches!(new, Value::Map(_)) && matches!(tree, Value::Map(_)) {
                    let alone = path.iter().rev().fold(new, |inner, key| map(key, inner));
                    prop_assert_eq!(utils::deep_merge(tree, alone), changed);
                }
            }
            Err(PutNestedError::NotAMap { path: at, .. }) => {
                prop_assert_eq!(&changed, &tree, "a refusal changes nothing");
                prop_assert!(at.len() < path.len() && at.iter().zip(&path).all(|(at, step)| at.as_str() == step));
                let place = at.iter().try_fold(&tree, |value, key| value.as_map()?.get(key));
                prop_assert!(place.is_some_and(|place| place.as_map().is_none()));
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn p22_get_nested_follows_its_rule(tree in tree(), path in path()) {
        let default = Value::from("default");
        let mut place = Some(&tree);
        for key in &path {
            place = place.and_then(Value::as_map).and_then(|map| map.get(key)).filter(|value| !value.is_null());
        }
        prop_assert_eq!(utils::get_nested(&tree, &path, &default), place.unwrap_or(&default));
        prop_assert_eq!(utils::get_nested_2(&tree, &path), place.unwrap_or(&Value::Null));
    }

    #[test]
    fn p22_deep_merge_has_neutral_elements_and_is_idempotent(tree in tree()) {
        let root = map("root", tree);
        let empty = || Value::from(Metadata::new());
        prop_assert_eq!(utils::deep_merge(root.clone(), empty()), root.clone());
        prop_assert_eq!(utils::deep_merge(empty(), root.clone()), root.clone());
        prop_assert_eq!(utils::deep_merge(root.clone(), root.clone()), root);
    }

    #[test]
    fn p22_formats_are_total_and_say_the_number_that_was_meant(number: u64) {
        let bytes = utils::format_bytes(number);
        let (amount, unit) = bytes.split_once(' ').expect("a space before the unit");
        let amount: f64 = amount.parse().expect("a number");
        let unit = ["B", "KB", "MB", "GB"].iter().position(|name| *name == unit).expect("a unit");
        let unit = 1024_f64.powi(i32::try_from(unit).expect("a few"));
        prop_assert!((amount - number as f64 / unit).abs() <= 0.051, "{}", bytes);

        let duration = utils::format_duration(Duration::from_nanos(number));
        let digits = duration.trim_end_matches(|c: char| c.is_alphabetic());
        let amount: f64 = digits.parse().expect("a number");
        let unit = match &duration[digits.len()..] {
            "ns" => 1.0,
            "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            other => panic!("{other}"),
        };
        prop_assert!((amount - number as f64 / unit).abs() <= 0.051, "{}", duration);
    }

    #[test]
    fn inspection_shows_small_values_whole_and_is_bounded(value in strategies::value(), many in vec(strategies::value(), 0..40)) {
        let shown = utils::safe_inspect(&value);
        if !shown.contains("...") {
            prop_assert_eq!(&shown, &value.to_string());
        }
        // An element has a key and a text at most, and each of their characters six bytes or twice three as an escape.
        let bound = (utils::INSPECT_ELEMENTS + 1) * (2 * 6 * utils::INSPECT_CHARACTERS + 40);
        prop_assert!(shown.len() <= bound && utils::safe_inspect(&Value::List(many)).len() <= bound);
    }

    #[test]
    fn truncation_keeps_what_fits_and_sums_up_what_does_not(value in strategies::value(), limit in 0..200_usize) {
        let size = utils::deep_size(&value);
        prop_assert_eq!(size, value.to_json_string().len());
        let truncated = utils::truncate_if_large(value.clone(), limit);
        if size <= limit {
            prop_assert_eq!(truncated, value);
        } else {
            let map = truncated.as_map().expect("a map");
            let keys: Vec<_> = map.iter().map(|(key, _)| key.as_str()).collect();
            prop_assert_eq!(keys, ["original_size", "preview", "timestamp", "truncated"]);
            prop_assert_eq!(map.get("truncated"), Some(&Value::Bool(true)));
            prop_assert_eq!(map.get("original_size").and_then(Value::as_i64), i64::try_from(size).ok());
            prop_assert!(map.get("preview").and_then(Value::as_str).is_some());
            prop_assert!(map.get("timestamp").and_then(Value::as_time).is_some());
        }
    }

    #[test]
    fn sanitized_text_is_one_line_of_the_same_words(text in "[ \t\r\n\u{b}\u{c}\u{a0}\u{3000}aé\u{1f600}]{0,20}") {
        let line = utils::sanitize_string(&text);
        prop_assert!(!line.contains(|c: char| c.is_ascii_control()) && !line.contains("  "), "{:?}", line);
        prop_assert_eq!(line.trim(), &line);
        prop_assert_eq!(utils::sanitize_string(&line), line.clone());
        let rest = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert_eq!(rest(&line), rest(&text));
    }

    #[test]
    fn no_function_panics_for_any_value(
        value in strategies::value(),
        other in strategies::value(),
        path in vec(strategies::text(), 0..8),
        limit: usize,
    ) {
        prop_assert_ne!(utils::blank(&value), utils::present(&value));
        let positive = matches!(value, Value::Int(number) if number > 0);
        prop_assert_eq!(utils::valid_positive_integer(&value), positive);
        prop_assert_eq!(utils::stringify_keys(value.clone()), value.clone());
        prop_assert_eq!(utils::atomize_keys(value.clone()), value.clone());
        let _ = utils::get_nested(&value, &path, &other);
        let mut changed = value.clone();
        let put = utils::put_nested(&mut changed, &path, other.clone());
        prop_assert!(put.is_ok() || changed == value);
        let _ = utils::deep_merge(changed, other);
        let _ = utils::truncate_if_large(value.clone(), limit);
        let _ = utils::truncate_if_large_1(value.clone());
        let text = utils::safe_inspect(&value);
        let _ = utils::sanitize_string(&text);
    }
}

#[test]
fn p22_ids_are_unique_and_increase_across_threads() {
    let ids: Vec<Vec<i64>> = thread::scope(|scope| {
        let work: Vec<_> =
            (0..4).map(|_| scope.spawn(|| (0..2_000).map(|_| utils::generate_id()).collect::<Vec<_>>())).collect();
        work.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(ids.iter().flatten().all(|&id| id > 0));
    assert!(ids.iter().all(|of_thread| of_thread.is_sorted_by(|one, next| one < next)));
    assert_eq!(ids.iter().flatten().collect::<BTreeSet<_>>().len(), 8_000);
    // What comes after all of them is greater than all of them.
    let last = utils::generate_id();
    assert!(ids.iter().flatten().all(|&id| id < last));
}

#[test]
fn correlation_ids_are_uuids_of_version_4_in_lower_case() {
    let id = utils::generate_correlation_id();
    let text = id.as_str();
    let parts: Vec<_> = text.split('-').map(str::len).collect();
    assert_eq!((text.len(), parts), (36, vec![8, 4, 4, 4, 12]));
    assert!(text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f' | '-')), "{text}");
    assert_eq!(&text[14..15], "4");
    assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"), "{text}");
    assert_ne!(id, utils::generate_correlation_id());
}

#[test]
fn p22_sizes_read_as_in_the_table() {
    for (bytes, text) in [
        (0, "0 B"),
        (1_023, "1023 B"),
        (1_024, "1.0 KB"),
        (1_100, "1.1 KB"),
        (1_536, "1.5 KB"),
        (1_048_575, "1024.0 KB"),
        (1_048_576, "1.0 MB"),
        (1 << 30, "1.0 GB"),
        (1 << 40, "1024.0 GB"),
    ] {
        assert_eq!(utils::format_bytes(bytes), text);
    }
}

#[test]
fn p22_durations_read_as_in_the_table() {
    for (nanos, text) in [
        (0, "0ns"),
        (999, "999ns"),
        (1_500, "1.5\u{3bc}s"),
        (999_999, "1000.0\u{3bc}s"),
        (2_500_000, "2.5ms"),
        (61_000_000_000, "61.0s"),
    ] {
        assert_eq!(utils::format_duration(Duration::from_nanos(nanos)), text);
    }
}

#[test]
fn blank_is_what_holds_nothing() {
    let empty_texts = ["", " ", "\t\r\n", "\u{a0}\u{3000}"].map(Value::from);
    let blank = [Value::Null, Value::List(Vec::new()), Value::from(Metadata::new())].into_iter().chain(empty_texts);
    for value in blank {
        assert!(utils::blank(&value) && !utils::present(&value), "{value}");
    }
    let present = [
        Value::from(0),
        Value::from(false),
        Value::List(vec![Value::Null]),
        map("k", Value::Null),
        Value::from(" a "),
        Value::from(FiniteF64::default()),
        Value::from(Timestamp::UNIX_EPOCH),
    ];
    for value in present {
        assert!(utils::present(&value) && !utils::blank(&value), "{value}");
    }
}

#[test]
fn positive_integers_are_whole_numbers_above_zero() {
    let one = FiniteF64::new(1.0).expect("finite");
    let values = [1.into(), i64::MAX.into(), 0.into(), (-1).into(), one.into(), true.into(), "1".into(), Value::Null];
    let valid = values.map(|value: Value| utils::valid_positive_integer(&value));
    assert_eq!(valid, [true, true, false, false, false, false, false, false]);
}

#[test]
fn get_nested_gives_the_root_whatever_it_is_and_takes_null_for_nothing() {
    const ROOT: &[&str] = &[];
    let tree = map("a", Metadata::new().with("off", false).with("none", Value::Null).with("n", 1));
    let default = Value::from("d");
    let get = |path: &[&str]| utils::get_nested(&tree, path, &default).clone();
    assert_eq!(get(ROOT), tree);
    assert_eq!(get(&["a", "off"]), Value::from(false));
    for path in [&["a", "none"][..], &["a", "none", "x"], &["a", "x"], &["x"], &["a", "n", "x"]] {
        assert_eq!(get(path), default, "{path:?}");
    }
    assert_eq!(utils::get_nested(&Value::Null, ROOT, &default), &Value::Null);
    assert_eq!(utils::get_nested_2(&tree, &["x"]), &Value::Null);
}

#[test]
fn put_nested_makes_what_is_missing_and_refuses_what_is_no_map() {
    let mut tree = Value::from(Metadata::new());
    utils::put_nested(&mut tree, &["a", "b", "c"], 1).expect("all of it is missing");
    utils::put_nested(&mut tree, &["a", "d"], Value::Null).expect("a is a map");
    assert_eq!(tree.to_string(), r#"{"a":{"b":{"c":1},"d":null}}"#);

    let before = tree.clone();
    for (path, at, found) in [(&["a", "d", "x"][..], "a/d", "null"), (&["a", "b", "c", "x"], "a/b/c", "integer")] {
        let error = utils::put_nested(&mut tree, path, 2).expect_err("no map");
        assert_eq!(error.to_string(), format!("{found} at /{at}, where the path needs a map"));
        assert_eq!(error.kind(), ErrorKind::TypeMismatch);
    }
    let mut number = Value::from(1);
    let error = utils::put_nested(&mut number, &["x"], 2).expect_err("no map");
    assert_eq!(error.to_string(), "integer at /, where the path needs a map");
    assert_eq!((&tree, number), (&before, Value::from(1)), "a refusal changes nothing");

    let root: &[&str] = &[];
    utils::put_nested(&mut tree, root, "new").expect("the root can be anything");
    assert_eq!(tree, Value::from("new"));
}

#[test]
fn put_nested_makes_nothing_deeper_than_can_be_read_back() {
    let mut tree = Value::from(Metadata::new());
    utils::put_nested(&mut tree, &["k"; MAX_VALUE_DEPTH], 1).expect("as deep as values can be");
    assert_eq!(Value::from_json_str(&tree.to_json_string()), Ok(tree.clone()));
    let before = tree.clone();
    let refused = utils::put_nested(&mut tree, &["k"; MAX_VALUE_DEPTH + 1], 1);
    assert_eq!(refused, Err(PutNestedError::TooDeep { steps: MAX_VALUE_DEPTH + 1 }));
    assert_eq!(tree, before);
}

#[test]
fn merging_replaces_lists_and_takes_null_for_a_value() {
    let left = Metadata::new().with("list", vec![1, 2]).with("kept", 1).with("map", Metadata::new().with("x", 1));
    let right = Metadata::new().with("list", vec![3]).with("map", Metadata::new().with("y", Value::Null));
    let merged = utils::deep_merge(left.into(), right.into());
    assert_eq!(merged.to_string(), r#"{"kept":1,"list":[3],"map":{"x":1,"y":null}}"#);
    assert_eq!(utils::deep_merge(merged.clone(), Value::Null), Value::Null);
    assert_eq!(utils::deep_merge(Value::from(1), merged.clone()), merged);
}

#[test]
fn text_becomes_one_line() {
    for (text, line) in [
        ("a\r\n\tb", "a b"),
        ("  a   b  ", "a b"),
        ("\u{3000}a\u{b}\u{c}b\u{a0}", "a b"),
        ("a\u{a0}\u{a0}b", "a\u{a0}\u{a0}b"),
        (" \n ", ""),
        ("", ""),
    ] {
        assert_eq!(utils::sanitize_string(text), line);
    }
}

#[test]
fn a_text_is_about_as_large_as_it_is_long() {
    let text = Value::from("x".repeat(20_000));
    assert!(utils::deep_size(&text).abs_diff(20_000) <= 16);
    let truncated = utils::truncate_if_large_1(text);
    let map = truncated.as_map().expect("too large");
    assert_eq!(map.get("preview"), Some(&Value::from("x".repeat(100) + "...")));
    assert_eq!(map.get("original_size"), Some(&Value::from(20_002)));

    let fits = Value::from("x".repeat(utils::DEFAULT_SIZE_LIMIT - 2));
    assert_eq!(utils::truncate_if_large_1(fits.clone()), fits);
}

#[test]
fn previews_show_the_beginning() {
    let preview = |value: Value| {
        let truncated = utils::truncate_if_large(value, 0);
        truncated.as_map().and_then(|map| map.get("preview")).and_then(Value::as_str).map(str::to_owned)
    };
    let entries: Metadata = (0..7_u8).map(|number| (format!("k{number}"), number)).collect();
    assert_eq!(preview((0..12_u8).collect::<Vec<_>>().into()).as_deref(), Some("[0,1,2,3,4,5,6,7,8,9,...]"));
    assert_eq!(preview(entries.into()).as_deref(), Some(r#"{"k0":0,"k1":1,"k2":2,"k3":3,"k4":4,...}"#));
    assert_eq!(preview((0..10_u8).collect::<Vec<_>>().into()).as_deref(), Some("[0,1,2,3,4,5,6,7,8,9]"));
    assert_eq!(preview("é".into()).as_deref(), Some("é..."));
    assert_eq!(preview(true.into()).as_deref(), Some("true"));
}

#[test]
fn inspection_cuts_texts_and_counts_elements_over_all_levels() {
    let long = "é".repeat(101);
    assert_eq!(utils::safe_inspect(&long.as_str().into()), format!("\"{}\"...", "é".repeat(100)));
    assert_eq!(utils::safe_inspect(&map(&long, 1)), format!("{{\"{}\"...:1}}", "é".repeat(100)));

    // Ten lists of ten: a hundred elements are the first nine with theirs, and one more.
    let square = Value::List(vec![Value::from(vec![7; 10]); 10]);
    let row = "[7,7,7,7,7,7,7,7,7,7]";
    assert_eq!(utils::safe_inspect(&square), format!("[{},[...]]", [row; 9].join(",")));
    assert_eq!(utils::safe_inspect(&Value::from(vec![1; 100])), Value::from(vec![1; 100]).to_string());
    assert!(utils::safe_inspect(&Value::from(vec![1; 101])).ends_with("1,...]"));
}

#[test]
fn depth_costs_no_stack() {
    const DEEP: usize = 50_000;
    let deep = || {
        (0..DEEP)
            .fold(Value::Null, |inner, level| if level % 2 == 0 { Value::List(vec![inner]) } else { map("k", inner) })
    };
    let value = deep();
    assert_eq!(utils::deep_size(&value), DEEP * 4 + 4);
    assert!(utils::safe_inspect(&value).contains("..."));
    assert!(!utils::blank(&value) && !utils::valid_positive_integer(&value));
    assert_eq!(utils::get_nested_2(&value, &["k", "k"]), &Value::Null);
    let value = utils::stringify_keys(utils::atomize_keys(value));
    let truncated = utils::truncate_if_large_1(value);
    assert!(truncated.as_map().is_some_and(|map| map.contains_key("preview")));
    assert_eq!(utils::deep_merge(deep(), Value::Null), Value::Null);
    let mut tree = map("k", deep());
    utils::put_nested(&mut tree, &["k"], 1).expect("a map");
    assert_eq!(tree, map("k", 1));
}

#[test]
fn retry_keeps_the_last_error_and_lets_panics_through() {
    let slept = RefCell::new(Vec::new());
    let options = || RetryOptions::new().sleeper(|delay: Duration| slept.borrow_mut().push(delay.as_millis()));
    let mut errors = ["first", "second", "third"].into_iter();
    let failed =
        utils::retry(|| Err::<(), _>(errors.next().expect("three attempts")), options()).expect_err("it fails");
    assert_eq!((failed.error, failed.attempts), ("third", 3));
    assert_eq!(*slept.borrow(), [100, 200]);

    let mut calls = 0;
    let panicked = contain(|| {
        utils::retry(
            || -> Result<(), ()> {
                calls += 1;
                panic!("at once")
            },
            options(),
        )
    });
    assert_eq!((panicked.expect_err("the panic goes through").as_str(), calls), ("at once", 1));
    assert_eq!(utils::retry_1(|| Ok::<_, ()>(5)), Ok(5));
}

#[cfg(target_os = "linux")]
#[test]
fn figures_of_the_process_are_real() {
    let stats = utils::process_stats();
    assert_eq!(stats.status.as_deref(), Some("running"), "the thread that asks runs");
    assert!(stats.memory.is_some_and(|bytes| bytes > 100 << 10), "{stats:?}");

    let gate = std::sync::Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| gate.wait());
        assert!(utils::process_stats().thread_count >= Some(2));
        gate.wait();
    });

    let system = utils::system_stats();
    assert!(system.process_count >= Some(1) && system.memory.is_some());
    assert!(system.scheduler_online >= Some(1) && system.scheduler_count >= system.scheduler_online, "{system:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn memory_grows_by_what_is_kept() {
    const SIZE: usize = 64 << 20;
    // Written to, so that it is resident.
    let (kept, change) = utils::measure_memory(|| vec![1_u8; SIZE]);
    let change = change.expect("Linux tells");
    assert_eq!(kept.len(), SIZE);
    assert!(change.diff() > i64::try_from(SIZE / 2).expect("it fits"), "{change:?}");
}
