//! Values: order and hashing, the JSON form, the rendering for people, and the bridge to serde types.
#![cfg(feature = "test-util")]

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};

use foundation_types::bridge::{self, BridgeError, BridgeErrorKind, PathSegment};
use foundation_types::testing::{fuzz, strategies};
use foundation_types::{
    FiniteF64, MAX_VALUE_DEPTH, Measurements, Metadata, Namespace, ServiceName, Text, Timestamp, TimestampError, Value,
    ValueDecodeError,
};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn float(value: f64) -> Value {
    Value::Float(FiniteF64::new(value).expect("finite"))
}

fn stamp(text: &str) -> Timestamp {
    text.parse().expect("a valid time")
}

/// `depth` lists inside each other, around `core`.
fn nested(depth: usize, core: Value) -> Value {
    (0..depth).fold(core, |inner, _| Value::List(vec![inner]))
}

// ===== T14: the JSON form reads back =====

proptest! {
    #[test]
    fn t14_value_reads_back_from_json(value in strategies::value()) {
        prop_assert_eq!(Value::from_json(&value.to_json()), Ok(value.clone()));
        prop_assert_eq!(Value::from_json_str(&value.to_json_string()), Ok(value.clone()));
        let text = serde_json::to_string(&value).expect("writes");
        prop_assert_eq!(&text, &value.to_json_string());
        prop_assert_eq!(serde_json::from_str::<Value>(&text).expect("reads"), value);
    }

    #[test]
    fn t14_metadata_reads_back_from_json(metadata in strategies::metadata()) {
        prop_assert_eq!(Metadata::from_json(&metadata.to_json()), Ok(metadata.clone()));
        prop_assert_eq!(Metadata::from_json_str(&metadata.to_json_string()), Ok(metadata.clone()));
        prop_assert_eq!(metadata.to_json(), Value::Map(metadata.clone()).to_json());
        let measurements = Measurements::from(metadata);
        let text = serde_json::to_string(&measurements).expect("writes");
        prop_assert_eq!(serde_json::from_str::<Measurements>(&text).expect("reads"), measurements);
    }

    #[test]
    fn t14_names_read_back_from_json(service in strategies::service_name(), namespace in strategies::namespace()) {
        let text = serde_json::to_string(&(&service, &namespace)).expect("writes");
        let read: (ServiceName, Namespace) = serde_json::from_str(&text).expect("reads");
        prop_assert_eq!(read, (service, namespace));
    }

    #[test]
    fn t14_different_values_have_different_json(a in strategies::value(), b in strategies::value()) {
        prop_assert_eq!(a == b, a.to_json_string() == b.to_json_string());
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_what_is_read_reads_back(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz::json(&bytes);
    }

    #[test]
    fn json_like_text_never_panics_and_what_is_read_reads_back(
        parts in prop::collection::vec(prop::sample::select(JSON_PARTS), 0..40),
    ) {
        fuzz::json(parts.concat().as_bytes());
    }

    #[test]
    fn cut_and_changed_json_never_panics_and_what_is_read_reads_back(
        value in strategies::value(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut bytes = value.to_json_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        fuzz::json(&bytes);
    }

    #[test]
    fn arbitrary_json_never_panics_and_what_is_read_reads_back(json in any_json()) {
        if let Ok(value) = Value::from_json(&json) {
            prop_assert_eq!(Value::from_json(&value.to_json()), Ok(value.clone()));
            prop_assert_eq!(Value::from_json_str(&json.to_string()), Ok(value));
        }
        let _ = Metadata::from_json(&json);
    }
}

const JSON_PARTS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\"a\"",
    "\"$time\"",
    "\"$$\"",
    "\"$x\"",
    "\"\\u0000\"",
    "null",
    "true",
    "-",
    "0",
    "1",
    "9223372036854775808",
    "1e5",
    "-0",
    "1e999",
    "0.1",
    " ",
    "\"1970-01-01T00:00:00Z\"",
    "{\"a\":",
    "[[[[[[[[[[[[[[[[",
];

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let key = strategies::text().prop_map(|text| text.as_str().to_owned());
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        key.clone().prop_map(Into::into),
        strategies::timestamp().prop_map(|time| json!({"$time": time.to_string()})),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..6);
        let object = prop::collection::btree_map(key.clone(), inner, 0..6);
        prop_oneof![
            list.prop_map(Into::into),
            object.prop_map(|map| serde_json::Value::Object(map.into_iter().collect()))
        ]
    })
}

#[test]
fn t14_floats_keep_a_fraction_or_an_exponent() {
    for (value, text) in [(1.0, "1.0"), (-0.0, "0.0"), (0.1, "0.1"), (-2.5, "-2.5")] {
        assert_eq!(float(value).to_json_string(), text);
    }
    for value in [1e15, 1e16, 1e17, 1e22, 1e300, f64::MAX, f64::MIN_POSITIVE, f64::from_bits(1)] {
        let text = float(value).to_json_string();
        assert!(text.contains(['.', 'e']), "{text}");
        assert_eq!(Value::from_json_str(&text), Ok(float(value)));
    }
    assert_eq!(Value::from_json_str("1"), Ok(Value::Int(1)));
    assert_ne!(Value::from_json_str("1"), Value::from_json_str("1.0"));
}

#[test]
fn t14_keys_with_a_dollar_get_one_more() {
    let value = Value::from(Metadata::new().with("$time", "noon").with("$$", 1).with("a$", 2));
    assert_eq!(value.to_json(), json!({"$$time": "noon", "$$$": 1, "a$": 2}));
    assert_eq!(Value::from_json(&value.to_json()), Ok(value));
}

#[test]
fn t14_timestamp_is_an_object_with_one_key() {
    let value = Value::from(stamp("2024-05-01T12:00:00.25Z"));
    assert_eq!(value.to_json(), json!({"$time": "2024-05-01T12:00:00.25Z"}));
    assert_eq!(Value::from_json_str(r#"{"$time":"2024-05-01T14:00:00.25+02:00"}"#), Ok(value));
}

// ===== T15: what is not the JSON form is refused =====

#[test]
fn t15_integers_beyond_64_bits_are_refused() {
    for text in [
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "123456789012345678901234567890",
        r#"{"a":[1, -99999999999999999999]}"#,
        r#"["\"", "\\", 99999999999999999999]"#,
    ] {
        assert_eq!(Value::from_json_str(text), Err(ValueDecodeError::IntegerOutOfRange), "{text}");
    }
    assert_eq!(Value::from_json_str("9223372036854775807"), Ok(Value::Int(i64::MAX)));
    assert_eq!(Value::from_json_str("-9223372036854775808"), Ok(Value::Int(i64::MIN)));
    assert_eq!(Value::from_json(&json!(u64::MAX)), Err(ValueDecodeError::IntegerOutOfRange));
    assert!(serde_json::from_str::<Value>("9223372036854775808").is_err());
}

#[test]
fn t15_large_floats_beside_digits_in_text_are_no_integers() {
    let value = Value::from_json_str(r#"{"99999999999999999999": [1e300, "99999999999999999999\\", "\"9"]}"#);
    let items = vec![float(1e300), "99999999999999999999\\".into(), "\"9".into()];
    assert_eq!(value, Ok(Metadata::new().with("99999999999999999999", items).into()));
    assert_eq!(Value::from_json_str("18446744073709551616.0"), Ok(float(18_446_744_073_709_551_616.0)));
    assert_eq!(Value::from_json_str("12E+30"), Ok(float(12e30)));
}

#[test]
fn t15_depth_is_bounded_exactly() {
    let stamped = Value::from(Timestamp::UNIX_EPOCH);
    for core in [Value::Null, stamped, Value::List(Vec::new()), Metadata::new().into()] {
        let own = usize::from(matches!(core, Value::List(_) | Value::Map(_)));
        let deepest = nested(MAX_VALUE_DEPTH - own, core.clone());
        assert_eq!(Value::from_json_str(&deepest.to_json_string()), Ok(deepest.clone()));
        assert_eq!(Value::from_json(&deepest.to_json()), Ok(deepest));

        let deeper = nested(MAX_VALUE_DEPTH - own + 1, core);
        assert_eq!(Value::from_json_str(&deeper.to_json_string()), Err(ValueDecodeError::TooDeep));
        assert_eq!(Value::from_json(&deeper.to_json()), Err(ValueDecodeError::TooDeep));
    }
}

#[test]
fn t15_maps_count_as_lists_do_in_depth() {
    let text = |depth: usize| r#"{"a":"#.repeat(depth) + "1" + &"}".repeat(depth);
    assert!(Value::from_json_str(&text(MAX_VALUE_DEPTH)).is_ok());
    assert_eq!(Value::from_json_str(&text(MAX_VALUE_DEPTH + 1)), Err(ValueDecodeError::TooDeep));
    assert!(Metadata::from_json_str(&text(MAX_VALUE_DEPTH)).is_ok());
    assert_eq!(Metadata::from_json_str(&text(MAX_VALUE_DEPTH + 1)), Err(ValueDecodeError::TooDeep));
}

#[test]
fn t15_hostile_depth_does_not_overflow_the_stack() {
    for part in ["[", r#"{"a":"#, r#"{"$time":"#, r#"{"$$":["#, r#"[{"$time":["#] {
        assert!(Value::from_json_str(&part.repeat(1_000_000)).is_err(), "{part}");
        assert!(Metadata::from_json_str(&part.repeat(1_000_000)).is_err(), "{part}");
    }
}

#[test]
fn t15_dollar_keys_other_than_time_are_reserved() {
    for (text, key) in [
        (r#"{"$x": 1}"#, "$x"),
        (r#"{"$": 1}"#, "$"),
        (r#"{"a": 1, "$time": "1970-01-01T00:00:00Z"}"#, "$time"),
        (r#"{"$time": "1970-01-01T00:00:00Z", "a": 1}"#, "$time"),
    ] {
        let error = ValueDecodeError::ReservedKey { key: key.to_owned() };
        assert_eq!(Value::from_json_str(text), Err(error), "{text}");
    }
    let time = json!({"$time": "1970-01-01T00:00:00Z"});
    assert!(matches!(Metadata::from_json(&time), Err(ValueDecodeError::ReservedKey { .. })));
}

#[test]
fn t15_bad_time_is_refused_and_names_the_field() {
    let error = Value::from_json_str(r#"[{"$time": "yesterday"}]"#).expect_err("no time");
    assert_eq!(error, ValueDecodeError::MalformedTime(TimestampError::Malformed));
    assert!(error.to_string().contains("$time"));
    for text in [r#"{"$time": 3}"#, r#"{"$time": null}"#, r#"{"$time": {"$time": "1970-01-01T00:00:00Z"}}"#] {
        let error = Value::from_json_str(text).expect_err("no text");
        assert!(matches!(&error, ValueDecodeError::Malformed { message } if message.contains("$time")), "{error}");
    }
}

#[test]
fn t15_a_key_given_twice_is_refused() {
    let error = ValueDecodeError::DuplicateKey { key: "$a".to_owned() };
    assert_eq!(Value::from_json_str(r#"{"$$a": 1, "b": 2, "$$a": 1}"#), Err(error));
}

#[test]
fn t15_broken_text_is_refused_with_its_place() {
    for text in ["", "{", "[1,]", "nul", "1 2", "\"\\x\"", "{1: 2}", "01", "+1", ".5", "NaN"] {
        let error = Value::from_json_str(text).expect_err(text);
        assert!(matches!(&error, ValueDecodeError::Malformed { message } if message.contains("line 1")), "{error}");
    }
    for json in [json!(null), json!([]), json!("a"), json!(1)] {
        assert!(matches!(Metadata::from_json(&json), Err(ValueDecodeError::Malformed { .. })), "{json}");
    }
}

#[test]
fn t15_service_name_decoding_names_what_is_missing_and_ignores_what_is_unknown() {
    let missing = serde_json::from_str::<ServiceName>(r#"{"scope": "agent"}"#).expect_err("no name");
    assert!(missing.to_string().contains("`name`"), "{missing}");
    let missing = serde_json::from_str::<ServiceName>(r#"{"name": "agent"}"#).expect_err("no scope");
    assert!(missing.to_string().contains("`scope`"), "{missing}");
    assert!(serde_json::from_str::<ServiceName>("3").is_err());
    assert!(serde_json::from_str::<ServiceName>(r#""""#).is_err());

    let read: ServiceName = serde_json::from_str(r#"{"scope":"mabeam","name":"x","new":[1]}"#).expect("reads");
    assert_eq!(read.to_string(), "mabeam:x");
}

#[test]
fn numbers_that_a_format_hands_over_as_text_are_read() {
    // What `serde_json` does when some crate of the build switches on its feature `arbitrary_precision`.
    let read = |digits: &str| {
        let entry = std::iter::once(("$serde_json::private::Number", digits.to_owned()));
        Value::deserialize(serde::de::value::MapDeserializer::<_, serde::de::value::Error>::new(entry))
    };
    assert_eq!(read("12"), Ok(Value::Int(12)));
    assert_eq!(read("1.0"), Ok(float(1.0)));
    assert!(read("9223372036854775808").is_err());
    assert!(read("1e999").is_err());
}

// ===== T20: Eq, Ord and Hash agree =====

proptest! {
    #[test]
    fn t20_eq_ord_and_hash_agree(a in strategies::value(), b in strategies::value(), c in strategies::value()) {
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a.partial_cmp(&b), Some(a.cmp(&b)));
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
        prop_assert_eq!(&a, &a.clone());
        prop_assert_eq!(hash_of(&a), hash_of(&a.clone()));
        if a == b {
            prop_assert_eq!(hash_of(&a), hash_of(&b));
        }
    }

    #[test]
    fn t20_floats_order_as_numbers_and_hash_by_what_is_equal(a in strategies::finite(), b in strategies::finite()) {
        prop_assert_eq!(Some(a.cmp(&b)), a.get().partial_cmp(&b.get()));
        if a == b {
            prop_assert_eq!(hash_of(&a), hash_of(&b));
        }
    }

    #[test]
    fn t20_no_constructor_or_decoder_lets_a_float_through_that_is_not_finite(bits in any::<u64>()) {
        let raw = f64::from_bits(bits);
        prop_assert_eq!(FiniteF64::new(raw).is_ok(), raw.is_finite());
        prop_assert_eq!(bridge::to_value(&raw).is_ok(), raw.is_finite());
        let from_format: Result<Value, serde::de::value::Error> =
            Value::deserialize(serde::de::value::F64Deserializer::new(raw));
        prop_assert_eq!(from_format.is_ok(), raw.is_finite());
    }
}

#[test]
fn t20_nan_infinities_and_negative_zero() {
    for raw in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(FiniteF64::new(raw).is_err());
        assert!(FiniteF64::try_from(raw).is_err());
        assert_eq!(bridge::to_value(&raw).expect_err("not finite").kind(), &BridgeErrorKind::NotFinite);
    }
    for text in ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"] {
        assert!(Value::from_json_str(text).is_err(), "{text}");
    }
    let (minus, plus) = (FiniteF64::new(-0.0).expect("finite"), FiniteF64::new(0.0).expect("finite"));
    assert_eq!((minus, hash_of(&minus), minus.get().to_bits()), (plus, hash_of(&plus), 0));
    assert_eq!(Value::from_json_str("-0.0"), Ok(Value::Float(plus)));
}

#[test]
fn integers_and_floats_are_different_values_that_both_read_as_floats() {
    assert_ne!(Value::Int(1), float(1.0));
    assert_eq!(Value::Int(1).as_f64(), Some(1.0));
    assert_eq!(Value::Int(i64::MAX).as_f64(), None);
    assert_eq!(Value::Int((1 << 53) + 1).as_f64(), None);
    assert_eq!(Value::Int(i64::MIN).as_f64(), Some(-9_223_372_036_854_775_808.0));
    assert_eq!(bridge::from_value::<f64>(&Value::Int(3)), Ok(3.0));
}

// ===== The rendering for people =====

#[test]
fn plain_rendering_shows_times_as_text_and_keys_as_they_are() {
    let metadata = Metadata::new()
        .with("$cost", float(2.0))
        .with("at", stamp("2024-05-01T12:00:00Z"))
        .with("items", vec![Value::Null, Timestamp::UNIX_EPOCH.into()]);
    let text = r#"{"$cost":2.0,"at":"2024-05-01T12:00:00Z","items":[null,"1970-01-01T00:00:00Z"]}"#;
    assert_eq!(metadata.to_string(), text);
    assert_eq!(Value::Map(metadata.clone()).to_string(), text);
    assert_eq!(metadata.plain().to_string(), text);
    assert_eq!(Value::Map(metadata).plain().to_string(), text);
    assert_eq!(Value::from("a\"b").to_string(), r#""a\"b""#);
}

// ===== The bridge =====

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Backend {
    Memory,
    File(String),
    Remote { host: String, port: u16 },
    Range(i8, i8),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    name: String,
    ratio: f32,
    small: u8,
    large: i64,
    initial: char,
    started: Timestamp,
    ended: Option<Timestamp>,
    backends: Vec<Backend>,
    by_number: BTreeMap<u32, bool>,
    by_flag: BTreeMap<bool, Option<u8>>,
    by_time: BTreeMap<Timestamp, u8>,
    loose: Value,
    meta: Metadata,
    pair: (i32, Unit),
    #[serde(flatten)]
    extra: BTreeMap<String, i32>,
}

fn settings() -> Settings {
    Settings {
        name: "main".to_owned(),
        ratio: 0.1,
        small: 255,
        large: i64::MIN,
        initial: 'é',
        started: stamp("2024-05-01T12:00:00.000001Z"),
        ended: None,
        backends: vec![
            Backend::Memory,
            Backend::File("/data".to_owned()),
            Backend::Remote { host: "h".to_owned(), port: 80 },
            Backend::Range(-1, 1),
        ],
        by_number: [(7, true)].into(),
        by_flag: [(false, None)].into(),
        by_time: [(Timestamp::UNIX_EPOCH, 1)].into(),
        loose: vec![Value::from(Timestamp::UNIX_EPOCH), Metadata::new().with("$time", 1).into()].into(),
        meta: Metadata::new().with("$x", Timestamp::UNIX_EPOCH),
        pair: (5, Unit),
        extra: [("more".to_owned(), 3)].into(),
    }
}

#[test]
fn bridge_gives_types_their_natural_shape() {
    let value = bridge::to_value(&settings()).expect("fits");
    let get = |path: &[&str]| value.as_map().expect("a map").get_path(path.iter().copied()).cloned();
    assert_eq!(get(&["started"]), Some(Value::Time(stamp("2024-05-01T12:00:00.000001Z"))));
    assert_eq!(get(&["ended"]), Some(Value::Null));
    assert_eq!(get(&["initial"]), Some("é".into()));
    assert_eq!(get(&["by_number", "7"]), Some(true.into()));
    assert_eq!(get(&["by_flag", "false"]), Some(Value::Null));
    assert_eq!(get(&["by_time", "1970-01-01T00:00:00Z"]), Some(1.into()));
    assert_eq!(get(&["loose"]), Some(settings().loose));
    assert_eq!(get(&["meta"]), Some(settings().meta.into()));
    assert_eq!(get(&["more"]), Some(3.into()));
    let backends = json!(["Memory", {"File": "/data"}, {"Remote": {"host": "h", "port": 80}}, {"Range": [-1, 1]}]);
    assert_eq!(get(&["backends"]).map(|value| value.to_json()), Some(backends));
    assert_eq!(bridge::from_value::<Settings>(&value), Ok(settings()));
}

#[test]
fn timestamps_stay_text_in_other_formats() {
    let json = serde_json::to_value(settings()).expect("writes");
    assert_eq!(json["started"], "2024-05-01T12:00:00.000001Z");
    assert_eq!(json["by_time"]["1970-01-01T00:00:00Z"], 1);
    assert_eq!(serde_json::from_value::<Settings>(json).expect("reads"), settings());
}

#[test]
fn generic_types_see_a_timestamp_as_text() {
    let value = Value::from(vec![Timestamp::UNIX_EPOCH]);
    assert_eq!(bridge::from_value(&value), Ok(vec!["1970-01-01T00:00:00Z".to_owned()]));
    assert_eq!(bridge::from_value(&value), Ok(json!(["1970-01-01T00:00:00Z"])));
    assert_eq!(bridge::from_value(&Value::from("1970-01-01T00:00:00Z")), Ok(Timestamp::UNIX_EPOCH));
}

#[test]
fn texts_can_be_borrowed_from_the_value() {
    let value = Value::from(vec!["a", "b"]);
    assert_eq!(bridge::from_value::<Vec<&str>>(&value), Ok(vec!["a", "b"]));
}

proptest! {
    #[test]
    fn bridge_is_the_identity_on_values(value in strategies::value(), metadata in strategies::metadata()) {
        prop_assert_eq!(bridge::to_value(&value), Ok(value.clone()));
        prop_assert_eq!(bridge::from_value::<Value>(&value), Ok(value));
        prop_assert_eq!(bridge::to_value(&metadata), Ok(Value::Map(metadata.clone())));
        prop_assert_eq!(bridge::from_value::<Metadata>(&Value::Map(metadata.clone())), Ok(metadata));
    }

    #[test]
    fn bridge_carries_names(service in strategies::service_name(), namespace in strategies::namespace()) {
        let value = bridge::to_value(&(&service, &namespace)).expect("fits");
        prop_assert_eq!(bridge::from_value::<(ServiceName, Namespace)>(&value), Ok((service, namespace)));
    }

    #[test]
    fn bridge_to_json_is_the_plain_rendering(value in strategies::value()) {
        prop_assert_eq!(bridge::from_value::<serde_json::Value>(&value), Ok(value.plain()));
    }

    #[test]
    fn bridge_reads_arbitrary_values_without_panic(value in strategies::value()) {
        let _ = bridge::from_value::<Settings>(&value);
        let _ = bridge::from_value::<Vec<Backend>>(&value);
        let _ = bridge::from_value::<HashMap<u8, Option<(bool, f32)>>>(&value);
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flattened {
    id: u8,
    #[serde(flatten)]
    rest: Metadata,
}

#[test]
fn metadata_can_be_flattened_into_a_struct() {
    let flattened = Flattened { id: 1, rest: Metadata::new().with("a", 2).with("b", vec!["c"]) };
    let value = bridge::to_value(&flattened).expect("fits");
    assert_eq!(value.to_json(), json!({"id": 1, "a": 2, "b": ["c"]}));
    assert_eq!(bridge::from_value(&value), Ok(flattened));
}

fn failure<T: DeserializeOwned + std::fmt::Debug>(value: impl Into<Value>) -> (String, BridgeErrorKind) {
    let error: BridgeError = bridge::from_value::<T>(&value.into()).expect_err("does not fit");
    (error.to_string(), error.kind().clone())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pool {
    #[expect(dead_code, reason = "read by serde alone")]
    size: u8,
}

#[derive(Debug, Deserialize)]
struct Database {
    #[expect(dead_code, reason = "read by serde alone")]
    pools: BTreeMap<String, Vec<Pool>>,
}

fn database(pool: Metadata) -> Metadata {
    Metadata::new().with("pools", Metadata::new().with("main db", vec![Metadata::new().with("size", 1), pool]))
}

#[test]
fn bridge_errors_tell_the_path_and_the_kind() {
    let (text, kind) = failure::<Database>(database(Metadata::new().with("size", "big")));
    assert_eq!(text, r#"pools["main db"][1].size: expected u8, found string "big""#);
    assert!(matches!(kind, BridgeErrorKind::TypeMismatch { .. }));

    let (text, kind) = failure::<Database>(database(Metadata::new().with("size", 256)));
    assert_eq!(text, r#"pools["main db"][1].size: expected u8, found integer `256`"#);
    assert!(matches!(kind, BridgeErrorKind::OutOfRange { .. }));

    let (text, kind) = failure::<Database>(database(Metadata::new()));
    assert_eq!(text, r#"pools["main db"][1].size: missing field"#);
    assert_eq!(kind, BridgeErrorKind::MissingField { field: "size" });

    let (text, kind) = failure::<Database>(database(Metadata::new().with("size", 1).with("sise", 1)));
    assert_eq!(text, r#"pools["main db"][1].sise: unknown field, expected `size`"#);
    assert!(matches!(kind, BridgeErrorKind::UnknownField { .. }));

    let (text, kind) = failure::<Vec<Backend>>(vec!["Memory", "Disk"]);
    assert_eq!(text, "[1]: unknown variant `Disk`, expected `Memory` or `File` or `Remote` or `Range`");
    assert!(matches!(kind, BridgeErrorKind::UnknownVariant { .. }));

    let remote = Metadata::new().with("Remote", Metadata::new().with("host", "h").with("port", -1));
    let (text, kind) = failure::<Backend>(remote);
    assert_eq!(text, "Remote.port: expected u16, found integer `-1`");
    assert!(matches!(kind, BridgeErrorKind::OutOfRange { .. }));

    let (text, kind) = failure::<char>("ab");
    assert_eq!(text, r#"expected a character, found string "ab""#);
    assert!(matches!(kind, BridgeErrorKind::TypeMismatch { .. } | BridgeErrorKind::InvalidValue { .. }));

    let (text, kind) = failure::<(u8, u8)>(vec![1, 2, 3]);
    assert_eq!(text, "expected fewer entries, found 3 entries");
    assert!(matches!(kind, BridgeErrorKind::InvalidLength { len: 3, .. }));

    let (text, kind) = failure::<Vec<Namespace>>(vec!["production", "test:1"]);
    assert_eq!(text, "[1]: malformed test namespace");
    assert!(matches!(kind, BridgeErrorKind::Custom { .. }));

    let (text, kind) = failure::<BTreeMap<u8, u8>>(Metadata::new().with("x", 1));
    assert_eq!(text, r#"x: expected u8, found string "x""#);
    assert!(matches!(kind, BridgeErrorKind::TypeMismatch { .. }));

    let (_, kind) = failure::<Backend>(Metadata::new().with("Memory", 1).with("File", "x"));
    assert!(matches!(kind, BridgeErrorKind::TypeMismatch { .. }));
}

#[test]
fn bridge_error_path_goes_from_root_to_leaf() {
    let value = Value::from(database(Metadata::new().with("size", Value::Null)));
    let error = bridge::from_value::<Database>(&value).expect_err("null is no size");
    let path: Vec<_> = error.path().cloned().collect();
    let key = |key: &'static str| PathSegment::Key(Text::from_static(key));
    assert_eq!(path, [key("pools"), key("main db"), PathSegment::Index(1), key("size")]);
}

#[derive(Serialize)]
struct Report<T> {
    parts: Vec<T>,
}

#[test]
fn bridge_refuses_what_no_value_can_hold() {
    let refused = |error: Result<Value, BridgeError>| {
        let error = error.expect_err("no value holds it");
        (error.to_string(), error.kind().clone())
    };
    let (text, kind) = refused(bridge::to_value(&Report { parts: vec![0, u64::MAX] }));
    assert_eq!(text, "parts[1]: expected an integer of 64 bits with sign, found integer `18446744073709551615`");
    assert!(matches!(kind, BridgeErrorKind::OutOfRange { .. }));
    let (text, kind) = refused(bridge::to_value(&Report { parts: vec![f32::NAN] }));
    assert_eq!((text.as_str(), kind), ("parts[0]: float is not finite", BridgeErrorKind::NotFinite));
    let (_, kind) = refused(bridge::to_value(&i128::MIN));
    assert!(matches!(kind, BridgeErrorKind::OutOfRange { .. }));
    let (_, kind) = refused(bridge::to_value(&BTreeMap::from([((1, 2), 3)])));
    assert_eq!(kind, BridgeErrorKind::KeyNotText { found: "a list" });
    let (_, kind) = refused(bridge::to_value(&nested(MAX_VALUE_DEPTH + 1, Value::Null)));
    assert_eq!(kind, BridgeErrorKind::TooDeep);

    assert_eq!(bridge::to_value(&u64::MAX.wrapping_shr(1)), Ok(Value::Int(i64::MAX)));
    let deepest = nested(MAX_VALUE_DEPTH, Value::Null);
    assert_eq!(bridge::to_value(&deepest).as_ref(), Ok(&deepest));
    assert_eq!(bridge::from_value::<Value>(&deepest).as_ref(), Ok(&deepest));
    let deeper = nested(MAX_VALUE_DEPTH + 1, Value::Null);
    let error = bridge::from_value::<serde_json::Value>(&deeper).expect_err("too deep");
    assert_eq!((error.kind(), error.path().len()), (&BridgeErrorKind::TooDeep, MAX_VALUE_DEPTH));
}
