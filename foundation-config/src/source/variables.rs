//! The environment that sources look into.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::Arc;

/// Environment variables: those of the process, read anew each time a source is loaded, or given ones. Copies are O(1).
///
/// ```
/// use foundation_config::source::Variables;
///
/// let fixed: Variables = [("HOME", "/root")].into_iter().collect();
/// assert_eq!(fixed.get("HOME").as_deref(), Some("/root".as_ref()));
/// ```
#[derive(Clone, Default)]
pub struct Variables(Option<Arc<BTreeMap<OsString, OsString>>>);

impl Variables {
    /// Those that the process has at the time of each load.
    pub const fn of_process() -> Self {
        Self(None)
    }

    /// None at all.
    pub fn none() -> Self {
        Self(Some(Arc::default()))
    }

    /// The value of one; `None` if it is not set.
    pub fn get(&self, name: impl AsRef<OsStr>) -> Option<OsString> {
        match &self.0 {
            None => env::var_os(name),
            Some(given) => given.get(name.as_ref()).cloned(),
        }
    }

    /// All of them, by name.
    pub(super) fn all(&self) -> BTreeMap<OsString, OsString> {
        self.0.as_ref().map_or_else(|| env::vars_os().collect(), |given| (**given).clone())
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Variables {
    /// Exactly these; of two of one name, the later.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(Some(Arc::new(variables.collect())))
    }
}

impl fmt::Debug for Variables {
    /// Shows which are given, but no value: any may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Variables(of the process)"),
            Some(given) => f.debug_tuple("Variables").field(&given.keys().collect::<Vec<_>>()).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_shows() {
        let given: Variables = [("TOKEN", "hunter2")].into_iter().collect();
        assert_eq!(format!("{given:?}"), r#"Variables(["TOKEN"])"#);
        assert_eq!(format!("{:?}", Variables::of_process()), "Variables(of the process)");
    }

    #[test]
    fn those_of_the_process_are_what_it_was_started_with() {
        let path = env::var_os("PATH");
        assert!(path.is_some());
        assert_eq!(Variables::of_process().get("PATH"), path);
        assert_eq!(Variables::of_process().all().get(OsStr::new("PATH")), path.as_ref());
    }
}
