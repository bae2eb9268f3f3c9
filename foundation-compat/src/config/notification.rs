//! What subscribers hear.

use std::fmt;
use std::sync::Arc;

use foundation_config::{Change, ChangeKind, Delivery, Path, Scope};
use foundation_types::{Value, bridge};

use crate::logic::config_logic::redacted;
use crate::types::config::{FoundationConfig, SECTIONS};

/// What a subscriber is told, in the order of the changes. Its `Debug` shows no secrets.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum ConfigNotification {
    /// A setting was written; it may have had the same value before. A change that wrote to several places is told as several
    /// of these, one after the other.
    Updated {
        /// Where.
        path: Path,
        /// What is there now; null if nothing is.
        value: Value,
    },
    /// What was written while running is gone; this is what is left.
    Reset(Arc<FoundationConfig>),
    /// Changes were forgotten before the subscriber asked for them. Whoever needs them reads the configuration anew.
    Lagged {
        /// How many.
        missed: u64,
    },
}

/// What a delivery is to a subscriber of the sections.
pub(super) fn of_delivery(delivery: &Delivery) -> Vec<ConfigNotification> {
    match delivery {
        Delivery::Change(change) => of_change(change),
        Delivery::Lagged { first, last, .. } => {
            vec![ConfigNotification::Lagged { missed: last.get() - first.get() + 1 }]
        }
    }
}

fn of_change(change: &Change) -> Vec<ConfigNotification> {
    if change.kind() == ChangeKind::Reset {
        return reset_to(change).into_iter().collect();
    }
    let mut paths: Vec<&Path> = Vec::new();
    for entry in change.entries() {
        let is_of_sections = matches!(entry.scope(), Scope::Layer(_)) && is_in_sections(entry.path());
        // Several layers may have changed at one path, which is one change for whoever looks from above.
        if is_of_sections && !paths.contains(&entry.path()) {
            paths.push(entry.path());
        }
    }
    let updated = |path: &Path| {
        let value = change.value_at(path).1.unwrap_or_default();
        let value = if path.is_root() { sections_of(value) } else { value };
        ConfigNotification::Updated { path: path.clone(), value }
    };
    paths.into_iter().map(updated).collect()
}

/// Whether the path is that of a section or below one, or the root.
fn is_in_sections(path: &Path) -> bool {
    path.components().next().is_none_or(|first| SECTIONS.contains(&first))
}

/// The tree without what lies beside the sections.
pub(super) fn sections_of(tree: Value) -> Value {
    match tree {
        Value::Map(map) => Value::Map(map.into_iter().filter(|(key, _)| SECTIONS.contains(&key.as_str())).collect()),
        other => other,
    }
}

fn reset_to(change: &Change) -> Option<ConfigNotification> {
    let tree = change.value_at(&Path::ROOT).1?;
    // What was published is valid.
    bridge::from_value(&tree).ok().map(|config| ConfigNotification::Reset(Arc::new(config)))
}

impl fmt::Debug for ConfigNotification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Updated { path, value } => {
                let value = redacted(path, value).to_string();
                f.debug_struct("Updated").field("path", path).field("value", &format_args!("{value}")).finish()
            }
            Self::Reset(config) => f.debug_tuple("Reset").field(config).finish(),
            Self::Lagged { missed } => f.debug_struct("Lagged").field("missed", missed).finish(),
        }
    }
}
