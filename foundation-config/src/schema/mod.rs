//! What a configuration has to be.

pub(crate) mod decode;
mod dynamic;
mod policy;
mod violation;

use foundation_types::Value;
use serde::de::DeserializeOwned;

pub use self::dynamic::Dynamic;
pub use self::policy::UpdatePolicy;
pub use self::violation::{MAX_VIOLATIONS, Violation, ViolationKind, Violations};
use crate::path::Path;
use crate::secret::default_secret;
use crate::tree::Tree;

/// A typed configuration: what it is by default, what is valid, what may change while running, what is secret.
///
/// All methods are pure functions of their arguments. They run while a change is being decided, with other writers waiting;
/// a panic in one refuses the change.
///
/// ```
/// use foundation_config::{Schema, Store, Violation, ViolationKind, Violations, UpdatePolicy, path};
/// use foundation_types::{Metadata, Value};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Pool {
///     size: u32,
///     spare: u32,
/// }
///
/// impl Schema for Pool {
///     fn defaults() -> Value {
///         Metadata::new().with("size", 8).with("spare", 2).into()
///     }
///
///     fn validate(&self, out: &mut Violations) {
///         if self.spare > self.size {
///             out.push(Violation::new(path!(spare: u32), ViolationKind::Range, "must not exceed size"));
///         }
///     }
///
///     fn update_policy() -> UpdatePolicy {
///         UpdatePolicy::deny_all().path(path!(spare: u32))
///     }
/// }
///
/// let store = Store::<Pool>::builder().build()?;
/// store.update(path!(spare: u32), 8)?;
/// assert_eq!(store.load().spare, 8);
/// assert_eq!(store.update(path!(spare: u32), 9).unwrap_err().to_string(), "spare: must not exceed size");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Schema: DeserializeOwned + Send + Sync + 'static {
    /// The settings that hold where nothing else is said; a map. They must be valid.
    fn defaults() -> Value;

    /// Reports what is wrong with the shape and the leaves of a tree, in the order in which they should be reported. What it
    /// finds takes the place of the errors of decoding, which the default leaves them to.
    fn check(tree: &Value, out: &mut Violations) {
        let _ = (tree, out);
    }

    /// Reports what is wrong across fields. Runs only on a tree in which [`check`](Self::check) and decoding found nothing.
    fn validate(&self, out: &mut Violations) {
        let _ = out;
    }

    /// What may be changed while running; nothing by default. Files and other sources may change everything.
    fn update_policy() -> UpdatePolicy {
        UpdatePolicy::deny_all()
    }

    /// Whether the value at this path is a secret, which shows nowhere a person could read it.
    fn secret(path: &Path) -> bool {
        default_secret(path)
    }

    /// What happens with keys that the type does not read; they are refused by default.
    fn unknown_keys() -> UnknownKeys {
        UnknownKeys::Deny
    }

    /// The typed configuration of a tree. Not to be overridden: it is how the store calls the methods above.
    #[doc(hidden)]
    fn build(tree: &Tree) -> Result<Self, Violations> {
        decode::build(&tree.to_value())
    }
}

/// What happens with keys that the type of a configuration does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnknownKeys {
    /// They are refused, as a misspelt setting would otherwise do nothing in silence.
    Deny,
    /// They stay in the tree, where paths reach them.
    Keep,
}
