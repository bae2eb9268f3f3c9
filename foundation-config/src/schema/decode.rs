//! From a tree to the type of a configuration.

use foundation_types::bridge::{self, BridgeError, BridgeErrorKind};
use foundation_types::{Text, Value};

use super::{Schema, UnknownKeys, Violation, ViolationKind, Violations};
use crate::path::Path;
use crate::secret::is_secret;

/// The configuration of a tree, or all that is wrong with it.
pub(super) fn build<S: Schema>(tree: &Value) -> Result<S, Violations> {
    let mut violations = Violations::new();
    S::check(tree, &mut violations);
    if !violations.is_empty() {
        return Err(violations);
    }
    let mut unknown = Vec::new();
    let decoded: Result<S, _> =
        serde_ignored::deserialize(bridge::deserializer(tree), |path| unknown.push(keys_of(&path)));
    let decoded = decoded.map_err(|error| of_bridge_error(&Path::ROOT, &error, S::secret))?;
    if S::unknown_keys() == UnknownKeys::Deny {
        for path in unknown {
            violations.push(Violation::new(path, ViolationKind::Shape, "unknown key"));
        }
    }
    if violations.is_empty() {
        decoded.validate(&mut violations);
    }
    if violations.is_empty() { Ok(decoded) } else { Err(violations) }
}

/// The path of a value that nobody reads, up to the first list on the way.
fn keys_of(path: &serde_ignored::Path<'_>) -> Path {
    fn collect(path: &serde_ignored::Path<'_>, keys: &mut Vec<Text>) -> bool {
        use serde_ignored::Path as Step;
        match path {
            Step::Root => true,
            Step::Seq { parent, .. } => {
                collect(parent, keys);
                false
            }
            Step::Map { parent, key } => {
                let goes_on = collect(parent, keys);
                if goes_on {
                    keys.push(key.as_str().into());
                }
                goes_on
            }
            Step::Some { parent } | Step::NewtypeStruct { parent } | Step::NewtypeVariant { parent } => {
                collect(parent, keys)
            }
        }
    }
    let mut keys = Vec::new();
    collect(path, &mut keys);
    Path::new(keys).unwrap_or_default()
}

/// What an error of decoding the value at `above` is as a violation; what it quotes of a secret is withheld.
pub(crate) fn of_bridge_error(above: &Path, error: &BridgeError, secret: fn(&Path) -> bool) -> Violation {
    use BridgeErrorKind as Kind;

    let below = Path::of_segments(error.path());
    let path = Path::from_checked(above.texts().iter().chain(below.texts()).take(crate::MAX_PATH_COMPONENTS).cloned());
    let kind = match error.kind() {
        Kind::UnknownVariant { .. } => ViolationKind::NotInEnum,
        Kind::OutOfRange { .. } => ViolationKind::Range,
        _ => ViolationKind::Shape,
    };
    // Where decoding stopped says nothing of what the message quotes if the type read more than one leaf at once.
    let quotes_secret = is_secret(&path, secret);
    let message = match error.kind() {
        Kind::TypeMismatch { expected, .. }
        | Kind::OutOfRange { expected, .. }
        | Kind::InvalidValue { expected, .. }
            if quotes_secret =>
        {
            format!("expected {expected}")
        }
        _ if quotes_secret => "not a valid value".to_owned(),
        kind => kind.to_string(),
    };
    Violation::new(path, kind, message)
}
