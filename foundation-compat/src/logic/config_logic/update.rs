//! Reading and writing single settings.

use std::sync::LazyLock;

use foundation_config::{IntoPath, Path, Schema, Violation, ViolationKind, Violations};
use foundation_types::{Error, Metadata, Value};
use serde::Serialize;

use super::security::{check_value, secure_path};
use crate::types::config::{FoundationConfig, SECTIONS};
use crate::validation::config_validator::rule::type_name;
use crate::validation::{config_validator, record};

static UPDATABLE: LazyLock<Vec<Path>> = LazyLock::new(|| FoundationConfig::update_policy().paths().cloned().collect());

/// The 14 paths that may be written while running, in the order of the original. Below the last one,
/// `infrastructure.protection`, everything may.
pub fn updatable_paths() -> Vec<Path> {
    UPDATABLE.clone()
}

/// Whether a path may be written while running: whether it is one of [`updatable_paths`] or below
/// `infrastructure.protection`. What is no path may not.
pub fn updatable_path(path: impl IntoPath) -> bool {
    path.into_path().is_ok_and(|path| is_updatable(&path))
}

pub(crate) fn is_updatable(path: &Path) -> bool {
    let in_section = path.components().next().is_some_and(|first| SECTIONS.contains(&first));
    in_section && FoundationConfig::update_policy().allows(path)
}

/// The value at a path; the root leads to the whole configuration.
///
/// # Errors
/// In this order: `invalid_path` (1304) for a text that is no path, `security_violation` (1000) for a path that is too long
/// or has a component that is refused, `config_path_not_found` (1302) if nothing is there. Null is something.
pub fn get_config_value(config: &Value, path: impl IntoPath) -> Result<Value, Error> {
    let path = secure_path(path)?;
    let mut steps = path.components();
    let value = steps.try_fold(config, |value, key| value.as_map()?.get(key));
    value.cloned().ok_or_else(|| record::not_found(&path))
}

/// The configuration with a value at a path. Maps that are missing on the way are made.
///
/// # Errors
/// The first of these: `invalid_path` (1304) and `security_violation` (1000) as in [`get_config_value`];
/// `security_violation` (1005) or `limit_exceeded` (1404) for a value that no tree can hold, that is too deep, too long or too
/// large, or has a key that is refused; `config_update_forbidden` (1401) if the path is not an [`updatable_path`]; `validation_failed` (1001) if
/// the way leads through something that is no map; what
/// [`validate_tree`](config_validator::validate_tree) says of the whole result.
pub fn update_config(config: &Value, path: impl IntoPath, value: impl Serialize) -> Result<Value, Error> {
    let (path, value) = settable(path, value)?;
    let mut updated = config.clone();
    put(&mut updated, &path, value).map_err(|violation| record::invalid(&Violations::from(violation), config))?;
    config_validator::validate_tree(&updated)?;
    Ok(updated)
}

/// Path and value of a write, after all checks that need no configuration.
pub(crate) fn settable(path: impl IntoPath, value: impl Serialize) -> Result<(Path, Value), Error> {
    let path = secure_path(path)?;
    let value = check_value(&path, value)?;
    if !is_updatable(&path) {
        return Err(record::forbidden(&path, updatable_paths()));
    }
    Ok((path, value))
}

/// Puts a value at a path. Nothing that is there, and no map, gives way to a map on the way.
fn put(tree: &mut Value, path: &Path, value: Value) -> Result<(), Violation> {
    let mut place = tree;
    let mut at = Path::ROOT;
    for key in path.components() {
        let found = type_name(place);
        let Value::Map(map) = place else {
            return Err(Violation::new(at, ViolationKind::Shape, format!("expected a map, found {found}")));
        };
        if !map.contains_key(key) {
            map.insert(key, Metadata::new());
        }
        place = map.get_mut(key).expect("the key is there");
        at = at.join(key).expect("a part of a path");
    }
    *place = value;
    Ok(())
}
