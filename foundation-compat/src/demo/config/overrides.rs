//! What the file says of single agents, as their overrides.

use std::collections::{BTreeMap, BTreeSet};

use foundation_config::{ConfigError, Path, Store};
use foundation_types::{AgentId, Value};

use super::DemoSettings;

/// The values that overrides have by their paths.
type Values = BTreeMap<Path, Value>;

/// The overrides that come from the file. Others, which were set while running, are left alone.
#[derive(Default)]
pub(super) struct Overrides {
    applied: BTreeMap<AgentId, Values>,
}

impl Overrides {
    /// Brings the overrides in line with what the settings say of single agents. Returns what was refused.
    pub(super) fn sync(&mut self, store: &Store<DemoSettings>) -> Vec<ConfigError> {
        let wanted = wanted(&store.load().agents);
        let mut refused = Vec::new();
        let agents: BTreeSet<AgentId> = self.applied.keys().chain(wanted.keys()).cloned().collect();
        for agent in agents {
            let none = Values::new();
            let values = wanted.get(&agent).unwrap_or(&none);
            let applied = self.applied.entry(agent.clone()).or_default();
            let config = store.agent(agent.clone());
            let gone: Vec<Path> = applied.keys().filter(|path| !values.contains_key(*path)).cloned().collect();
            for path in gone {
                // Somebody may have taken it back already.
                match config.unset(&path) {
                    Ok(_) | Err(ConfigError::NotFound { .. }) => {}
                    Err(error) => refused.push(error),
                }
                applied.remove(&path);
            }
            for (path, value) in values {
                if applied.get(path) == Some(value) {
                    continue;
                }
                match config.set(path, value) {
                    Ok(_) => {
                        applied.insert(path.clone(), value.clone());
                    }
                    Err(error) => refused.push(error),
                }
            }
        }
        self.applied.retain(|_, values| !values.is_empty());
        refused
    }
}

fn wanted(agents: &BTreeMap<String, Value>) -> BTreeMap<AgentId, Values> {
    let mut wanted = BTreeMap::new();
    for (name, settings) in agents {
        let Ok(agent) = AgentId::new(name.as_str()) else { continue };
        let mut values = Values::new();
        collect(&Path::ROOT, settings, &mut values);
        wanted.insert(agent, values);
    }
    wanted
}

fn collect(at: &Path, value: &Value, values: &mut Values) {
    match value {
        Value::Map(map) => {
            for (key, below) in map {
                // What was read has no longer paths than there can be.
                if let Ok(path) = at.join(key.clone()) {
                    collect(&path, below, values);
                }
            }
        }
        leaf => {
            values.insert(at.clone(), leaf.clone());
        }
    }
}
