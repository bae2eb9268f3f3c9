//! What became of the settings during a survey.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foundation_config::{Change, Scope};
use foundation_types::{Metadata, MonoTime, Value};
use serde::{Serialize, Serializer};

use super::table::{Effect, Setting};

/// The most changes, and the most refused ones, that the report lists; further ones are only numbered.
pub const MAX_CHANGES_LISTED: usize = 256;

/// The settings in the report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConfigSummary {
    /// The version that was in force at the end; 1 and what the overrides of the file made of it is the first.
    pub version: u64,
    /// What was changed while the survey ran, in order; the first ones if there are too many.
    pub changes: Vec<ConfigChange>,
    /// How many changes there were; more than the list is long if that had to be cut.
    pub changes_count: u64,
    /// What was refused, in order; the first ones if there are too many.
    pub rejected: Vec<Rejection>,
    /// How many there were; more than the list is long if that had to be cut.
    pub rejected_count: u64,
}

/// A setting that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConfigChange {
    /// The version that the change made.
    pub version: u64,
    /// The path of the setting.
    pub path: String,
    /// Where it was changed: `file`, `env`, `runtime`, or `agent:` and the name of an agent.
    pub layer: String,
    /// What it says there now, with secrets withheld; null if nothing any more.
    #[serde(serialize_with = "plain")]
    pub value: Option<Value>,
    /// Whether it takes effect at once, and not only with the next survey.
    pub at_once: bool,
    /// When, in milliseconds since the survey began.
    pub at_ms: u64,
}

/// A change that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Rejection {
    /// Who wanted it: the file, or `runtime`.
    pub source: String,
    /// Why it was refused.
    pub reason: String,
    /// When, in milliseconds since the survey began.
    pub at_ms: u64,
}

/// Keeps what the report says.
pub(in super::super) struct Journal {
    began: MonoTime,
    /// Held for one entry.
    summary: Mutex<ConfigSummary>,
}

impl Journal {
    pub(in super::super) fn new(began: MonoTime) -> Self {
        Self { began, summary: Mutex::default() }
    }

    /// Enters a change, and returns what it changed.
    pub(in super::super) fn note(&self, change: &Change, now: MonoTime) -> Vec<ConfigChange> {
        let version = change.version().get();
        let mut changes = Vec::new();
        for entry in change.entries() {
            let layer = match entry.scope() {
                Scope::Layer(layer) => layer.to_string(),
                Scope::Agent(agent) => format!("agent:{agent}"),
                _ => "other".to_owned(),
            };
            let mut leaves = Vec::new();
            let at = entry.path().to_string();
            leaves_of(&at, entry.shown_after().as_ref(), &mut leaves);
            for (path, value) in leaves {
                let at_once = takes_effect_at_once(&path);
                changes.push(ConfigChange { version, path, layer: layer.clone(), value, at_once, at_ms: self.at(now) });
            }
        }
        let mut summary = self.summary();
        summary.version = version;
        summary.changes_count += changes.len() as u64;
        let room = MAX_CHANGES_LISTED.saturating_sub(summary.changes.len());
        summary.changes.extend(changes.iter().take(room).cloned());
        changes
    }

    /// Enters a change that was refused.
    pub(in super::super) fn refuse(&self, source: &str, reason: &str, now: MonoTime) -> Rejection {
        let rejection = Rejection { source: source.to_owned(), reason: reason.to_owned(), at_ms: self.at(now) };
        let mut summary = self.summary();
        summary.rejected_count += 1;
        if summary.rejected.len() < MAX_CHANGES_LISTED {
            summary.rejected.push(rejection.clone());
        }
        rejection
    }

    pub(in super::super) fn sum_up(&self) -> ConfigSummary {
        self.summary().clone()
    }

    /// Says which version is in force without a change.
    pub(in super::super) fn begin_at(&self, version: u64) {
        self.summary().version = version;
    }

    fn at(&self, now: MonoTime) -> u64 {
        milliseconds(now.saturating_since(self.began))
    }

    fn summary(&self) -> MutexGuard<'_, ConfigSummary> {
        // An entry is made or not, whatever panics.
        self.summary.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The single settings of what was written at a path.
fn leaves_of(path: &str, value: Option<&Value>, leaves: &mut Vec<(String, Option<Value>)>) {
    match value {
        Some(Value::Map(map)) if !Metadata::is_empty(map) => {
            for (key, below) in map {
                let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
                leaves_of(&path, Some(below), leaves);
            }
        }
        value => leaves.push((path.to_owned(), value.cloned())),
    }
}

/// Whether the setting takes effect while a survey runs. What the file says of single agents becomes their overrides, at once.
fn takes_effect_at_once(path: &str) -> bool {
    let mut components = path.rsplit('.');
    let (Some(key), Some(section)) = (components.next(), components.next()) else { return false };
    Setting::find(section, key).is_some_and(|setting| setting.effect == Effect::AtOnce)
}

#[expect(clippy::ref_option, reason = "serde gives it like this")]
fn plain<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(Value::plain).serialize(serializer)
}
