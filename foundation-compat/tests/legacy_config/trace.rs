//! Sequences of calls, against a model.

use std::collections::VecDeque;
use std::time::Duration;

use foundation_compat::config::{ConfigNotification, ConfigOptions};
use foundation_compat::foundation_config::Path;
use foundation_compat::logic::config_logic::{get_config_value, reset_config, update_config};
use foundation_compat::{Error, Value};
use proptest::prelude::*;
use proptest::sample::select;

use crate::session::{Session, map};

#[derive(Clone, Debug)]
pub(crate) enum Call {
    Get(String),
    Update(String, Value),
    Reset,
    Stop,
    Start,
    Retry,
    Cleanup,
    Advance(u64),
}

fn paths() -> impl Strategy<Value = String> {
    select(vec![
        "",
        "dev.debug_mode",
        "interface.max_results",
        "interface",
        "infrastructure.protection",
        "infrastructure.protection.a",
        "infrastructure.protection.a.b",
        "infrastructure.protection.a.rate_limiter",
        "infrastructure.protection.a.rate_limiter.scale",
        "ai.provider",
        "mine.x",
        "a..b",
        "__info__",
    ])
    .prop_map(str::to_owned)
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-1..3_i64).prop_map(Value::from),
        Just(Value::from(map("{}"))),
        Just(Value::from(map(r#"{"scale":5,"limit":5}"#))),
        Just(Value::from(map(r#"{"rate_limiter":{"scale":0,"limit":1}}"#))),
        Just(Value::from(map(r#"{"../":1}"#))),
    ]
}

pub(crate) fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        4 => paths().prop_map(Call::Get),
        8 => (paths(), values()).prop_map(|(path, value)| Call::Update(path, value)),
        1 => Just(Call::Reset),
        2 => Just(Call::Stop),
        2 => Just(Call::Start),
        1 => Just(Call::Retry),
        1 => Just(Call::Cleanup),
        1 => select(vec![1_u64, 150, 300, 301]).prop_map(Call::Advance),
    ];
    prop::collection::vec(call, 0..30)
}

/// What a service is, in the plainest words.
struct Model {
    tree: Value,
    start: Value,
    now: u64,
    /// When it was stopped, and what it had then, unless that was dropped.
    stopped: Option<(u64, Option<Value>)>,
    pending: VecDeque<Waiting>,
    updates: u64,
    /// The paths that were written, and how many writes there were before each.
    written: Vec<(Path, bool)>,
    told: Vec<ConfigNotification>,
}

struct Waiting {
    path: String,
    value: Value,
    since: u64,
    /// How many writes there were when it came.
    after: usize,
}

fn code<T>(result: Result<T, Error>) -> Result<T, u32> {
    result.map_err(|error| error.code())
}

impl Model {
    fn new(start: Value) -> Self {
        Self {
            tree: start.clone(),
            start,
            now: 0,
            stopped: None,
            pending: VecDeque::new(),
            updates: 0,
            written: Vec::new(),
            told: Vec::new(),
        }
    }

    fn write(&mut self, path: &str, value: &Value) -> Result<(), u32> {
        self.tree = code(update_config(&self.tree, path, value))?;
        let path: Path = path.parse().expect("it was written");
        self.written.push((path.clone(), false));
        self.told.push(ConfigNotification::Updated { path, value: value.clone() });
        self.updates += 1;
        Ok(())
    }

    /// What a call answers, as text.
    fn call(&mut self, call: &Call) -> String {
        match call {
            Call::Get(path) => format!("{:?}", self.get(path)),
            Call::Update(path, value) => format!("{:?}", self.update(path, value)),
            Call::Reset => {
                if self.stopped.is_some() {
                    return "Err(5000)".to_owned();
                }
                self.tree = self.start.clone();
                self.written.push((Path::ROOT, true));
                let config = (&self.tree).try_into().expect("it is valid");
                self.told.push(ConfigNotification::Reset(std::sync::Arc::new(config)));
                "Ok(())".to_owned()
            }
            Call::Stop => {
                if self.stopped.is_none() {
                    self.stopped = Some((self.now, Some(self.tree.clone())));
                }
                String::new()
            }
            Call::Start => {
                self.stopped = None;
                "Ok(())".to_owned()
            }
            Call::Retry => self.retry(),
            Call::Cleanup => {
                if let Some((since, kept)) = &mut self.stopped
                    && self.now - *since > 300
                {
                    *kept = None;
                }
                let now = self.now;
                let expired: Vec<_> =
                    self.pending.iter().filter(|one| now - one.since > 300).map(|one| one.path.clone()).collect();
                self.pending.retain(|one| now - one.since <= 300);
                format!("{expired:?}")
            }
            Call::Advance(seconds) => {
                self.now += seconds;
                String::new()
            }
        }
    }

    fn get(&self, path: &str) -> Result<Value, u32> {
        let Some((since, kept)) = &self.stopped else { return code(get_config_value(&self.tree, path)) };
        let unavailable = |code| if code == 1302 { 1303 } else { code };
        let read = code(get_config_value(kept.as_ref().unwrap_or(&Value::Null), path)).map_err(unavailable);
        match read {
            Ok(_) if self.now - since > 300 || kept.is_none() => Err(1303),
            read => read,
        }
    }

    fn update(&mut self, path: &str, value: &Value) -> Result<(), u32> {
        if self.stopped.is_none() {
            self.write(path, value)?;
            self.pending.retain(|one| one.path != path);
            return Ok(());
        }
        // Only what could be made after what waits may wait.
        let waiting = self.pending.iter().filter(|one| one.path != path);
        let before = waiting.fold(self.tree.clone(), |tree, one| {
            // One that is refused by now does not keep later ones from being accepted.
            put(&tree, &one.path, &one.value).unwrap_or(tree)
        });
        code(update_config(&before, path, value))?;
        self.pending.retain(|one| one.path != path);
        let after = self.written.len();
        self.pending.push_back(Waiting { path: path.to_owned(), value: value.clone(), since: self.now, after });
        Err(5000)
    }

    fn retry(&mut self) -> String {
        let mut lists: [Vec<String>; 5] = Default::default();
        if self.stopped.is_some() {
            lists[4] = self.pending.iter().map(|one| one.path.clone()).collect();
            return format!("{lists:?}");
        }
        let mut own = Vec::new();
        for one in std::mem::take(&mut self.pending) {
            let path: Path = one.path.parse().expect("it was accepted");
            let others = self.written.iter().enumerate().skip(one.after).filter(|(at, _)| !own.contains(at));
            let list = if self.now - one.since > 300 {
                3
            } else if others.map(|(_, (written, _))| written).any(|written| written.overlaps(&path)) {
                2
            } else if self.write(&one.path, &one.value).is_ok() {
                own.push(self.written.len() - 1);
                0
            } else {
                1
            };
            lists[list].push(one.path);
        }
        format!("{lists:?}")
    }
}

/// The tree with the value put in, unless something on the way is no map.
fn put(tree: &Value, path: &str, value: &Value) -> Option<Value> {
    fn below(tree: &Value, path: &[&str], value: &Value) -> Option<Value> {
        let Some((first, rest)) = path.split_first() else { return Some(value.clone()) };
        let mut map = tree.as_map()?.clone();
        let inner = map.get(first).cloned().unwrap_or_else(|| foundation_compat::Metadata::new().into());
        map.insert(*first, below(&inner, rest, value)?);
        Some(map.into())
    }
    below(tree, &path.split('.').collect::<Vec<_>>(), value)
}

impl Session {
    /// What a call answers, as text.
    pub(crate) fn call(&self, call: &Call) -> String {
        match call {
            Call::Get(path) => format!("{:?}", code(self.config.get(path))),
            Call::Update(path, value) => format!("{:?}", code(self.config.update(path, value))),
            Call::Reset => format!("{:?}", code(self.config.reset())),
            Call::Stop => {
                self.server.stop();
                String::new()
            }
            Call::Start => format!("{:?}", code(self.config.initialize_0())),
            Call::Retry => {
                let report = self.server.retry_pending_updates();
                let alone = |paths: &[Path]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
                let first = |paths: Vec<&Path>| paths.into_iter().map(ToString::to_string).collect::<Vec<_>>();
                let lists = [
                    first(report.applied.iter().map(|(path, _)| path).collect()),
                    first(report.failed.iter().map(|(path, _)| path).collect()),
                    alone(&report.superseded),
                    alone(&report.expired),
                    first(report.kept.iter().map(|(path, _)| path).collect()),
                ];
                format!("{lists:?}")
            }
            Call::Cleanup => {
                let expired: Vec<_> = self.server.cleanup_expired_cache().iter().map(ToString::to_string).collect();
                format!("{expired:?}")
            }
            Call::Advance(seconds) => {
                self.clock.advance(Duration::from_secs(*seconds));
                String::new()
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn p01_a_service_does_what_the_model_does(calls in calls()) {
        let environment = map(r#"{"interface":{"max_results":7}}"#);
        let start = reset_config().deep_merge(environment.clone().into());
        let session = Session::with(ConfigOptions::new().environment(environment));
        let mut changes = session.config.subscribe().expect("it runs");
        let mut model = Model::new(start);
        for call in &calls {
            prop_assert_eq!(session.call(call), model.call(call), "{:?}", call);
            prop_assert_eq!(session.foundation.settings().value("").ok(), Some(model.tree.clone()));
            prop_assert_eq!(session.config.available(), model.stopped.is_none());
            prop_assert_eq!(session.server.get_cache_stats().pending_update_entries, model.pending.len());
            // The published configuration is always valid, and what is typed is what is in the tree.
            let typed = session.foundation.settings().load();
            prop_assert_eq!(Value::from(&*typed), model.tree.clone());
        }
        let told: Vec<_> = std::iter::from_fn(|| changes.try_recv()).collect();
        prop_assert_eq!(told, model.told);
        prop_assert_eq!(session.events("foundation.config_updates").len() as u64, model.updates);
    }
}
