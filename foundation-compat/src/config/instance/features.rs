//! The switches of the agent features, as the settings say.

use std::sync::{Mutex, OnceLock, PoisonError};

use foundation_config::{Filter, Subscription};
use foundation_types::{Emitter, Feature, FeatureGate, Text, Value};

use super::SettingsStore;
use crate::config::TARGET;
use crate::foundation::{AgentFeatures, MASTER, announce};
use crate::types::config::FoundationConfig;

/// Where the switches are: below this key, by the name of the feature; the master switch is `agent_features`.
pub(super) const FEATURES: &str = "features";

/// Sets the switches of a gate when the settings of them change, on the thread that changes them.
///
/// Settings that are not there leave the switches as they are, so whoever sets none has them in hand. What is no truth value,
/// or of no feature, is left out with a warning.
pub(super) struct FeatureSettings {
    gate: FeatureGate,
    emitter: Emitter,
    following: OnceLock<Mutex<Following>>,
}

struct Following {
    changes: Subscription<FoundationConfig>,
    /// What was applied last.
    applied: Option<Value>,
}

impl FeatureSettings {
    pub(super) const fn new(gate: FeatureGate, emitter: Emitter) -> Self {
        Self { gate, emitter, following: OnceLock::new() }
    }

    /// Applies what the store says now, and begins to follow it.
    pub(super) fn follow(&self, store: &SettingsStore) -> Result<(), foundation_config::ConfigError> {
        let path = foundation_config::Path::new([FEATURES])?;
        let changes = store.subscribe(Filter::path(path))?;
        let settings = store.value(FEATURES).ok();
        let news = self.apply(None, settings.as_ref());
        // Nobody else calls this.
        let _ = self.following.set(Mutex::new(Following { changes, applied: settings }));
        self.tell(news);
        Ok(())
    }

    /// Applies what has changed since.
    pub(super) fn catch_up(&self) {
        let Some(following) = self.following.get() else { return };
        let news = {
            // Under the lock, so that of two changes the later one stays.
            let mut following = following.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(snapshot) = following.changes.latest() else { return };
            let new = snapshot.value(FEATURES).ok();
            let news = self.apply(following.applied.as_ref(), new.as_ref());
            following.applied = new;
            news
        };
        self.tell(news);
    }

    /// Sets the switches whose settings differ.
    fn apply(&self, old: Option<&Value>, new: Option<&Value>) -> Vec<News> {
        let Some(new) = new else { return Vec::new() };
        let Some(settings) = new.as_map() else { return vec![News::NoMap] };
        let old = old.and_then(Value::as_map);
        let changed = settings.iter().filter(|(name, value)| old.and_then(|old| old.get(name)) != Some(*value));
        changed.map(|(name, value)| self.set(name, value)).collect()
    }

    fn set(&self, name: &Text, value: &Value) -> News {
        let Some(is_on) = value.as_bool() else { return News::NoSwitch(name.clone()) };
        let (name, was_on) = if name == MASTER {
            let gate = &self.gate;
            (MASTER, if is_on { gate.enable_agent_features() } else { gate.disable_agent_features() })
        } else if let Ok(feature) = name.parse::<Feature>() {
            (feature.as_str(), if is_on { self.gate.enable(feature) } else { self.gate.disable(feature) })
        } else {
            return News::Unknown(name.clone());
        };
        News::Set { name, was_on, is_on }
    }

    fn tell(&self, news: Vec<News>) {
        for one in news {
            match one {
                News::Set { name, was_on, is_on } => {
                    announce(&self.emitter, name, AgentFeatures::of(was_on), AgentFeatures::of(is_on));
                }
                News::NoMap => tracing::warn!(target: TARGET, "`{FEATURES}` is no map of switches"),
                News::NoSwitch(name) => {
                    tracing::warn!(target: TARGET, feature = name.as_str(), "a switch is neither true nor false");
                }
                News::Unknown(name) => tracing::warn!(target: TARGET, feature = name.as_str(), "no such feature"),
            }
        }
    }
}

/// What became of a setting of a switch.
enum News {
    Set { name: &'static str, was_on: bool, is_on: bool },
    NoMap,
    NoSwitch(Text),
    Unknown(Text),
}
