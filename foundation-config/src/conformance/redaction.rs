//! Secrets.

use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::testing::RecordingObserver;
use foundation_types::{ManualClock, Metadata, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde::de::{Deserialize, Deserializer, Error};

use super::backend::{Backend, Pending};
use super::setup::{Script, Scripted, Setup};
use super::trees::{at, path, paths, put};
use super::{Factory, check};
use crate::layer::{Layer, Version};
use crate::path::Path;
use crate::secret::REDACTED;

/// What all secrets of the suite have in them.
pub(super) const MARK: &str = "hunter2";

/// A type that nothing is, and whose error quotes all that it has seen.
#[derive(Debug)]
pub(super) struct Quoting;

impl<'de> Deserialize<'de> for Quoting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Err(D::Error::custom(format!("{value} is no value for this")))
    }
}

/// Everything that was shown.
#[derive(Default)]
pub(super) struct Shown(Vec<String>);

impl Shown {
    pub(super) fn error<T: Debug, E: Debug + ToString>(&mut self, result: Result<T, E>) {
        let error = result.expect_err("refused");
        self.0.extend([format!("{error:?}"), format!("{error:#?}"), error.to_string()]);
    }

    pub(super) fn debug(&mut self, shown: &impl Debug) {
        self.0.push(format!("{shown:?}"));
    }

    pub(super) fn texts(&mut self, texts: impl IntoIterator<Item = String>) {
        self.0.extend(texts);
    }

    /// Asserts that no secret is among it, but what stands for one is.
    pub(super) fn is_clean(&self) {
        for text in &self.0 {
            assert!(!text.contains(MARK) && !text.contains("918273"), "{text}");
        }
        assert!(self.0.iter().any(|text| text.contains(REDACTED)));
    }
}

fn secrets() -> impl Strategy<Value = Value> + Clone {
    let leaf = prop_oneof![
        3 => "[a-c]{0,3}".prop_map(|more| Value::from(format!("{MARK}{more}"))),
        1 => (0..100_i64).prop_map(|more| Value::from(918_273_000 + more)),
        1 => Just(Value::Null),
    ];
    prop_oneof![
        3 => leaf.clone(),
        1 => vec(leaf.clone(), 0..3).prop_map(Value::List),
        1 => leaf.clone().prop_map(|leaf| Metadata::new().with("inner", leaf).into()),
        1 => leaf.prop_map(|leaf| Value::List(vec![Metadata::new().with("inner", leaf).into()])),
    ]
}

/// A tree with secrets in it: in maps, in lists, and under keys of any case.
fn planted() -> impl Strategy<Value = Value> + Clone {
    let key = select(vec!["token", "password", "secret", "api_key", "encryption_key", "Token", "PASSWORD"]);
    let one =
        (key, secrets()).prop_map(|(key, secret)| Value::from(Metadata::new().with(key, secret).with("plain", 1)));
    one.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..3).prop_map(Value::List),
            (select(vec!["a", "b"]), inner).prop_map(|(key, inner)| Metadata::new().with(key, inner).into()),
        ]
    })
}

/// P23: no secret shows in any text: not of the store, its handles, changes, differences, explanations, reports, events and
/// errors, whatever is wrong with it.
pub fn p23_redaction<B: Backend>(make: Factory<'_, B>) {
    check(60, (planted(), planted(), secrets()), |(tree, other, secret)| {
        let observer = Arc::new(RecordingObserver::new());
        let document = |value: &Value| {
            let mut tree = Value::from(Metadata::new());
            put(&mut tree, &path("labels.file"), value.clone());
            put(&mut tree, &path("auth.token"), MARK.into());
            if let Value::Map(tree) = tree { tree } else { unreachable!("a map") }
        };
        let source = Scripted::new("file", Layer::File, document(&other));
        let mut setup = Setup::new(&ManualClock::new()).source(&source);
        setup.observer = Some(observer.clone());
        let store = make(setup);
        let mut shown = Shown::default();
        store.update("labels.tree", tree.clone()).expect("labels are free");
        store.update("labels.token", secret.clone()).expect("labels are free");
        store.update("labels.tree", other.clone()).expect("labels are free");
        store.update("auth.token", format!("{MARK}x").into()).expect("a text");
        let whole = store.value(Path::ROOT).expect("there is a root").to_string();
        assert!(whole.contains(MARK), "a secret is there to be shown");
        shown.texts(store.texts());
        read_wrongly(&store, &mut shown);
        write_wrongly(&store, &secret, &mut shown);
        reload_wrongly(&store, &source, &document(&tree), &mut shown);
        shown.texts(store.texts());
        store.rollback_to(Version::FIRST.next()).expect("kept");
        store.unset("labels.tree").expect("set");
        store.reset().expect("valid");
        shown.texts(store.texts());
        shown.debug(&observer.events());
        shown.is_clean();
    });
}

/// Reads everything as types that it is not.
fn read_wrongly<B: Backend>(store: &B, shown: &mut Shown) {
    let tree = store.value(Path::ROOT).expect("there is a root");
    for place in paths(&tree) {
        shown.error(store.get_as::<Quoting>(&place));
        if at(&tree, &place).is_some_and(|value| value.as_i64().is_none()) {
            shown.error(store.get_as::<i64>(&place));
        }
        if at(&tree, &place).is_some_and(|value| value.as_map().is_none()) {
            shown.error(store.get_as::<Metadata>(&place));
        }
        let explained = store.explain(&place).expect("a path");
        shown.texts(explained.iter().map(|says| says.value.to_string()));
        shown.debug(&explained);
    }
}

/// Writes secrets where they do not fit.
fn write_wrongly<B: Backend>(store: &B, secret: &Value, shown: &mut Shown) {
    let wrapped = Metadata::new().with("token", secret.clone()).with(MARK, 1);
    let queue = store.pending(Duration::from_secs(1), NonZeroUsize::MIN);
    let values = [
        ("auth.token", Value::from(918_273)),
        ("auth.token", Value::List(vec![MARK.into()])),
        ("auth.token", Metadata::new().with("a", MARK).into()),
        ("auth", MARK.into()),
        ("auth", Value::from(Metadata::new().with("token", MARK).with("user", MARK))),
        ("auth", Value::from(Metadata::new().with("token", wrapped))),
        ("limits.low", MARK.into()),
        ("labels.tree.token.nowhere.token", secret.clone()),
    ];
    let has_rules = has_rules(store);
    for (place, value) in values {
        let path = path(place);
        // What is no secret where it is written may be quoted.
        let may_show = ["auth", "limits.low"].contains(&place) && value.as_str().is_some();
        if has_rules && !may_show {
            let refused = store.update(&path, value.clone()).err();
            shown.debug(&refused);
            shown.texts(refused.map(|error| error.to_string()));
            shown.debug(&store.transaction(&mut |draft| draft.set(&path, value.clone())).err());
        }
        shown.debug(&queue.enqueue(&path, value).err().filter(|_| has_rules && !may_show));
        shown.texts([queue.text()]);
    }
    let mut deep = secret.clone();
    for _ in 0..30 {
        deep = Metadata::new().with("token", deep).into();
    }
    shown.error(store.update("labels.deep", deep).map(drop));
    let applied = queue.replay().failed;
    shown.debug(&applied);
}

fn has_rules<B: Backend>(store: &B) -> bool {
    store.update("limits.low", "x".into()).is_err()
}

/// Lets the source hold secrets where they do not fit, and fail.
fn reload_wrongly<B: Backend>(store: &B, source: &Scripted, document: &Metadata, shown: &mut Shown) {
    let with = |place: &str, value: Value| {
        let mut tree = Value::from(document.clone());
        put(&mut tree, &path(place), value);
        if let Value::Map(tree) = tree { Script::Holds(tree) } else { unreachable!("a map") }
    };
    let mut scripts = vec![
        with("auth.token", 918_273.into()),
        with("auth.token", Value::List(vec![MARK.into()])),
        with("auth.token", Metadata::new().with("token", MARK).into()),
        Script::Fails("no answer"),
        Script::Holds(document.clone()),
    ];
    if has_rules(store) {
        // Refused in words that quote it; without rules it is no secret there.
        scripts.insert(0, with("auth.user", format!("{MARK}x").into()));
    }
    for script in scripts {
        source.set(script);
        let reloaded = store.reload().expect("not asked by a schema");
        shown.debug(&reloaded.sources);
        shown.debug(&store.health());
        shown.texts(store.texts());
    }
}
