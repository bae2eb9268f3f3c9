//! What may be changed while running.

use foundation_types::Text;

use crate::path::Path;

/// Which paths may be written at run time.
///
/// ```
/// use foundation_config::{UpdatePolicy, path};
///
/// let policy = UpdatePolicy::deny_all().path(path!(dev.debug: bool)).subtree(path!(limits: ()));
/// assert!(policy.allows(&"dev.debug".parse()?) && policy.allows(&"limits.a.b".parse()?));
/// assert!(!policy.allows(&"dev".parse()?) && !policy.allows(&"dev.debug.x".parse()?));
/// # Ok::<(), foundation_config::PathError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatePolicy {
    paths: Vec<Path>,
    subtrees: Vec<Path>,
    /// First components of the paths for which the lists above hold; others are free. `None` if the lists hold for all.
    sections: Option<Vec<Text>>,
}

impl UpdatePolicy {
    /// Nothing may change.
    pub const fn deny_all() -> Self {
        Self { paths: Vec::new(), subtrees: Vec::new(), sections: None }
    }

    /// Everything may change.
    pub fn allow_all() -> Self {
        Self { subtrees: vec![Path::ROOT], ..Self::deny_all() }
    }

    /// Also this one path may change, and nothing below or above it by that.
    #[must_use]
    pub fn path(mut self, path: impl Into<Path>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// Also this path may change, and everything below it.
    #[must_use]
    pub fn subtree(mut self, path: impl Into<Path>) -> Self {
        self.subtrees.push(path.into());
        self
    }

    /// Paths may change freely, too, whose first component is none of these. The root is not one of them.
    #[must_use]
    pub fn free_outside(mut self, sections: impl IntoIterator<Item = impl Into<Text>>) -> Self {
        self.sections = Some(sections.into_iter().map(Into::into).collect());
        self
    }

    /// Whether the path may be written. O(number of rules).
    pub fn allows(&self, path: &Path) -> bool {
        let is_outside = || match (&self.sections, path.texts().first()) {
            (Some(sections), Some(first)) => !sections.contains(first),
            _ => false,
        };
        self.paths.contains(path) || self.subtrees.iter().any(|subtree| path.starts_with(subtree)) || is_outside()
    }

    /// The single paths and the subtrees that may change, in the order in which they were given.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.paths.iter().chain(&self.subtrees)
    }
}
