//! The schemas that the suite runs with, and what it knows of them by itself.

use std::collections::BTreeMap;
use std::fmt::Debug;

use foundation_types::{Metadata, Value};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize, Serializer};

use super::trees::{at, path};
use crate::path;
use crate::path::Path;
use crate::schema::{Dynamic, Schema, UpdatePolicy, Violation, ViolationKind, Violations};
use crate::secret::Secret;

/// A schema that the suite runs with: its rules once more, written down in another way, and what to try on it.
///
/// Of every such schema the values at and below `labels` are free: any tree may be there, and everything may be changed.
pub trait Ruled: Schema + Serialize + Debug {
    /// The defaults.
    fn given() -> Value;

    /// What is wrong with a tree.
    fn faults(tree: &Value) -> Faults;

    /// Whether the path may be written.
    fn may_write(path: &Path) -> bool;

    /// Where any value makes the schema panic, if anywhere.
    fn panics_at() -> Option<Path> {
        None
    }

    /// Where to write what: mostly what is valid, with everything else among it.
    fn writes() -> BoxedStrategy<(Path, Value)>;

    /// Paths to read and to take back.
    fn paths() -> BoxedStrategy<Path>;

    /// What sources hold: mostly what is valid.
    fn documents() -> BoxedStrategy<Metadata>;
}

/// What has to be reported of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Faults {
    /// These, in this order; none if it is valid.
    InOrder(Vec<(Path, ViolationKind)>),
    /// One of these, as decoding stops at the first.
    AnyOf(Vec<(Path, ViolationKind)>),
}

impl Faults {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::InOrder(faults) if faults.is_empty())
    }

    /// Whether these violations tell of them.
    pub fn are(&self, violations: &Violations) -> bool {
        let found: Vec<_> = violations.iter().map(|violation| (violation.path.clone(), violation.kind)).collect();
        match self {
            Self::InOrder(faults) => *faults == found,
            Self::AnyOf(faults) => matches!(found.as_slice(), [one] if faults.contains(one)),
        }
    }

    pub(super) fn shape(at: Path) -> Self {
        Self::InOrder(vec![(at, ViolationKind::Shape)])
    }
}

/// Whether the value at a path is a secret, or a part of one.
pub(super) fn is_secret(path: &Path) -> bool {
    path.components().any(|key| ["api_key", "encryption_key", "password", "secret", "token"].contains(&key))
}

fn leaf() -> impl Strategy<Value = Value> + Clone {
    prop_oneof![
        4 => (0..4_i64).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => select(vec!["", "x"]).prop_map(Value::from),
        1 => vec((0..2_i64).prop_map(Value::from), 0..2).prop_map(Value::List),
    ]
}

fn key() -> impl Strategy<Value = &'static str> + Clone {
    select(vec!["a", "b", "c", "token"])
}

/// Any small tree.
pub(super) fn tree() -> BoxedStrategy<Value> {
    let map = |inner| btree_map(key(), inner, 0..4).prop_map(|map| Value::from(map.into_iter().collect::<Metadata>()));
    leaf().prop_recursive(3, 12, 3, map).boxed()
}

/// Any small map.
pub(super) fn map() -> BoxedStrategy<Metadata> {
    btree_map(key(), tree(), 0..4).prop_map(|map| map.into_iter().collect()).boxed()
}

/// A path below `above`, of up to `depth` steps.
fn below(above: &'static str, depth: usize) -> BoxedStrategy<Path> {
    let join =
        move |keys: Vec<&'static str>| keys.into_iter().fold(path(above), |path, key| path.join(key).expect("short"));
    vec(key(), 0..=depth).prop_map(join).boxed()
}

impl Ruled for Dynamic {
    fn given() -> Value {
        Metadata::new().into()
    }

    fn faults(_: &Value) -> Faults {
        Faults::InOrder(Vec::new())
    }

    fn may_write(_: &Path) -> bool {
        true
    }

    fn writes() -> BoxedStrategy<(Path, Value)> {
        (Self::paths(), tree()).boxed()
    }

    fn paths() -> BoxedStrategy<Path> {
        prop_oneof![6 => below("", 3), 1 => below("labels", 2)].boxed()
    }

    fn documents() -> BoxedStrategy<Metadata> {
        (map(), map())
            .prop_map(|(root, labels)| if labels.is_empty() { root } else { root.with("labels", labels) })
            .boxed()
    }
}

/// Settings with rules of every kind: on shapes, on leaves, across fields, on what may change, and with a secret.
#[derive(Debug, Serialize, Deserialize)]
pub struct Fleet {
    mode: Mode,
    limits: Bounds,
    dev: Dev,
    auth: Auth,
    labels: BTreeMap<String, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Fast,
    Slow,
}

#[derive(Debug, Serialize, Deserialize)]
struct Bounds {
    low: i64,
    high: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Dev {
    debug: bool,
    count: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Auth {
    user: String,
    token: Option<Token>,
}

/// A secret that serialises, as the suite has to compare it.
#[derive(Debug, Deserialize)]
struct Token(Secret<String>);

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.expose().serialize(serializer)
    }
}

const HIGHEST: i64 = 1_000;

impl Schema for Fleet {
    fn defaults() -> Value {
        Self::given()
    }

    fn check(tree: &Value, out: &mut Violations) {
        assert!(Self::panics_at().is_none_or(|path| at(tree, &path).is_none()), "asked for");
        let number = |at: &str| tree.as_map()?.get_path(at.split('.'))?.as_i64();
        if number("limits.low").is_some_and(|low| low < 0) {
            out.push(Violation::new(path!(limits.low: i64), ViolationKind::Range, "must not be negative"));
        }
        if number("limits.high").is_some_and(|high| high > HIGHEST) {
            out.push(Violation::new(path!(limits.high: i64), ViolationKind::Range, "must not exceed 1000"));
        }
    }

    fn validate(&self, out: &mut Violations) {
        if self.limits.low > self.limits.high {
            out.push(Violation::new(path!(limits.low: i64), ViolationKind::Range, "must not exceed high"));
        }
        if self.auth.token.as_ref().is_some_and(|token| *token.0.expose() == self.auth.user) {
            // Quotes the secret, which the store has to withhold.
            let message = format!("{} is the token", self.auth.user);
            out.push(Violation::new(path!(auth.user: String), ViolationKind::Constraint, message));
        }
    }

    fn update_policy() -> UpdatePolicy {
        UpdatePolicy::deny_all()
            .path(path!(limits: Bounds))
            .path(path!(limits.low: i64))
            .path(path!(limits.high: i64))
            .path(path!(dev.debug: bool))
            .path(path!(dev.count: i64))
            .subtree(path!(auth: Auth))
            .subtree(path!(labels: ()))
    }
}

impl Ruled for Fleet {
    fn given() -> Value {
        Metadata::new()
            .with("mode", "fast")
            .with("limits", Metadata::new().with("low", 1).with("high", 10))
            .with("dev", Metadata::new().with("debug", false).with("count", 0))
            .with("auth", Metadata::new().with("user", "u").with("token", Value::Null))
            .with("labels", Metadata::new())
            .into()
    }

    fn faults(tree: &Value) -> Faults {
        let get = |text: &str| at(tree, &path(text));
        let mut ranges = Vec::new();
        if let Some(Value::Int(..=-1)) = get("limits.low") {
            ranges.push((path("limits.low"), ViolationKind::Range));
        }
        if let Some(Value::Int(1_001..)) = get("limits.high") {
            ranges.push((path("limits.high"), ViolationKind::Range));
        }
        if !ranges.is_empty() {
            return Faults::InOrder(ranges);
        }
        let shapes = misshapen(tree);
        if !shapes.is_empty() {
            return Faults::AnyOf(shapes);
        }
        let known = [
            ("", ["mode", "limits", "dev", "auth", "labels"].as_slice()),
            ("limits", &["low", "high"]),
            ("dev", &["debug", "count"]),
            ("auth", &["user", "token"]),
        ];
        let keys_of = |above: &Path| at(tree, above).and_then(Value::as_map).into_iter().flatten();
        let mut unknown: Vec<_> = known
            .into_iter()
            .flat_map(|(above, known)| {
                let above = path(above);
                let strange = keys_of(&above).filter(|(key, _)| !known.contains(&key.as_str()));
                strange.map(|(key, _)| above.join(key.clone()).expect("short")).collect::<Vec<_>>()
            })
            .map(|path| (path, ViolationKind::Shape))
            .collect();
        if !unknown.is_empty() {
            unknown.sort();
            return Faults::InOrder(unknown);
        }
        let mut across = Vec::new();
        if get("limits.low") > get("limits.high") {
            across.push((path("limits.low"), ViolationKind::Range));
        }
        if get("auth.user") == get("auth.token") {
            across.push((path("auth.user"), ViolationKind::Constraint));
        }
        Faults::InOrder(across)
    }

    fn panics_at() -> Option<Path> {
        Some(path("labels.panic"))
    }

    fn may_write(at: &Path) -> bool {
        let single = ["limits", "limits.low", "limits.high", "dev.debug", "dev.count"];
        single.contains(&at.to_string().as_str()) || matches!(at.components().next(), Some("auth" | "labels"))
    }

    fn writes() -> BoxedStrategy<(Path, Value)> {
        let pair = (-1..12_i64, -1..12_i64)
            .prop_map(|(low, high)| Value::from(Metadata::new().with("low", low).with("high", high)));
        let to = |text: &'static str, values: BoxedStrategy<Value>| (Just(path(text)), values);
        let numbers = || prop_oneof![9 => -1..12_i64, 1 => Just(HIGHEST), 1 => Just(HIGHEST + 1)].prop_map(Value::from);
        let texts = || select(vec!["u", "v", "w"]).prop_map(Value::from);
        let token = || prop_oneof![3 => texts(), 1 => Just(Value::Null)];
        let auth = (texts(), token())
            .prop_map(|(user, token)| Value::from(Metadata::new().with("user", user).with("token", token)));
        prop_oneof![
            3 => to("limits.low", numbers().boxed()),
            3 => to("limits.high", numbers().boxed()),
            2 => to("limits", pair.boxed()),
            1 => to("dev.debug", any::<bool>().prop_map(Value::from).boxed()),
            1 => to("dev.count", numbers().boxed()),
            1 => to("auth.user", texts().boxed()),
            1 => to("auth.token", token().boxed()),
            1 => to("auth", auth.boxed()),
            3 => (below("labels", 3), tree()),
            2 => (Self::paths(), unlisted()),
        ]
        .boxed()
    }

    fn paths() -> BoxedStrategy<Path> {
        let known = ["", "mode", "limits", "limits.low", "limits.high", "dev", "dev.debug", "auth", "auth.user"];
        let other = ["auth.token", "auth.token.x", "limits.low.x", "limits.x", "dev.count", "none", "none.x"];
        let listed = select(known.into_iter().chain(other).map(path).collect::<Vec<_>>());
        prop_oneof![3 => listed, 1 => below("labels", 3)].boxed()
    }

    fn documents() -> BoxedStrategy<Metadata> {
        let mode =
            select(vec![Value::from("fast"), "slow".into(), "fast".into(), "slow".into(), "odd".into(), 1.into()]);
        let section = |keys: [&'static str; 2], values: BoxedStrategy<Value>| {
            btree_map(select(keys.to_vec()), values, 0..3)
                .prop_map(|map| Value::from(map.into_iter().collect::<Metadata>()))
        };
        let numbers = (1..12_i64).prop_map(Value::from);
        let sections = prop_oneof![
            2 => (Just("mode"), mode.boxed()).boxed(),
            4 => section(["low", "high"], numbers.boxed()).prop_map(|value| ("limits", value)).boxed(),
            2 => section(["debug", "debug"], any::<bool>().prop_map(Value::from).boxed())
                .prop_map(|value| ("dev", value)).boxed(),
            1 => unlisted().prop_map(|value| ("limits", value)).boxed(),
            4 => map().prop_map(|map| ("labels", Value::from(map))).boxed(),
            1 => Just(("strange", Value::from(1))).boxed(),
        ];
        vec(sections, 0..3).prop_map(|sections: Vec<(&'static str, Value)>| sections.into_iter().collect()).boxed()
    }
}

/// Values that stand for no map of settings, as a list would.
fn unlisted() -> BoxedStrategy<Value> {
    tree().prop_filter("a list can stand for its fields in order", |value| value.as_list().is_none()).boxed()
}

/// Whether a field can have a value.
type Fits = fn(&Value) -> bool;

/// What has the wrong shape, or is none of what it can be.
fn misshapen(tree: &Value) -> Vec<(Path, ViolationKind)> {
    let fields: [(&str, [(&str, Fits); 2]); 3] = [
        ("limits", [("low", is_int), ("high", is_int)]),
        ("dev", [("debug", is_bool), ("count", is_int)]),
        ("auth", [("user", is_text), ("token", is_text_or_null)]),
    ];
    let mut shapes = Vec::new();
    match at(tree, &path("mode")) {
        Some(Value::Text(mode)) if ["fast", "slow"].contains(&mode.as_str()) => {}
        Some(Value::Text(_)) => shapes.push((path("mode"), ViolationKind::NotInEnum)),
        _ => shapes.push((path("mode"), ViolationKind::Shape)),
    }
    for (name, fields) in fields {
        let section = path(name);
        let Some(map) = at(tree, &section).and_then(Value::as_map) else {
            shapes.push((section, ViolationKind::Shape));
            continue;
        };
        for (field, fits) in fields {
            match map.get(field) {
                Some(value) if fits(value) => {}
                // What is optional may be missing.
                None if field == "token" => {}
                _ => shapes.push((section.join(field).expect("short"), ViolationKind::Shape)),
            }
        }
    }
    if at(tree, &path("labels")).and_then(Value::as_map).is_none() {
        shapes.push((path("labels"), ViolationKind::Shape));
    }
    shapes
}

fn is_int(value: &Value) -> bool {
    value.as_i64().is_some()
}

fn is_bool(value: &Value) -> bool {
    value.as_bool().is_some()
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some()
}

fn is_text_or_null(value: &Value) -> bool {
    value.is_null() || is_text(value)
}
