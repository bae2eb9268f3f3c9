//! Where a setting is in the tree.

mod dotted;
mod into_path;
mod typed;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use foundation_types::Text;
use foundation_types::bridge::PathSegment;

pub use self::into_path::IntoPath;
pub use self::typed::TypedPath;

/// The most components of a [`Path`].
pub const MAX_PATH_COMPONENTS: usize = 50;
/// The longest component of a [`Path`], in bytes of UTF-8.
pub const MAX_COMPONENT_LEN: usize = 255;

/// Where a setting is: the keys from the root of the tree to it, at most [`MAX_PATH_COMPONENTS`] of at most
/// [`MAX_COMPONENT_LEN`] bytes. Cloning is O(1).
///
/// Its text form joins the components with dots. A component that is empty or holds a dot, a quote, a backslash, white
/// space or a control character stands in double quotes, in which `\"` and `\\` stand for the characters and `\u{..}` for
/// any. The empty text is the root.
///
/// ```
/// use foundation_config::Path;
///
/// let path: Path = r#"hosts."db.local".port"#.parse()?;
/// assert_eq!(path.components().collect::<Vec<_>>(), ["hosts", "db.local", "port"]);
/// assert_eq!(path.to_string(), r#"hosts."db.local".port"#);
/// assert!(path.starts_with(&"hosts".parse()?));
/// # Ok::<(), foundation_config::PathError>(())
/// ```
// `None` is the root, so that it can be a constant; never an empty slice.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Option<Arc<[Text]>>);

impl Path {
    /// The root of the tree.
    pub const ROOT: Self = Self(None);

    /// The path of these components, each taken as it is.
    ///
    /// # Errors
    /// [`PathError::TooManyComponents`] or [`PathError::ComponentTooLong`].
    pub fn new<C: Into<Text>>(components: impl IntoIterator<Item = C>) -> Result<Self, PathError> {
        let mut checked = Vec::new();
        for component in components {
            let component = component.into();
            check_component(checked.len(), &component)?;
            checked.push(component);
        }
        Ok(Self::from_checked(checked))
    }

    /// The path of a text form; see [`Path`].
    ///
    /// # Errors
    /// [`PathError::Syntax`], [`PathError::TooManyComponents`] or [`PathError::ComponentTooLong`].
    pub fn parse_dotted(text: &str) -> Result<Self, PathError> {
        dotted::parse(text)
    }

    /// The path one step below this one.
    ///
    /// # Errors
    /// [`PathError::TooManyComponents`] or [`PathError::ComponentTooLong`].
    pub fn join(&self, component: impl Into<Text>) -> Result<Self, PathError> {
        let component = component.into();
        check_component(self.len(), &component)?;
        Ok(Self::from_checked(self.texts().iter().cloned().chain([component])))
    }

    /// Whether `prefix` is this path or above it.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.texts().starts_with(prefix.texts())
    }

    /// Whether one of the two paths is at or above the other.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.starts_with(other) || other.starts_with(self)
    }

    /// The path one step above, unless this is the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.texts().split_last()?;
        Some(Self::from_checked(above.iter().cloned()))
    }

    /// The components from the root on.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.texts().iter().map(Text::as_str)
    }

    /// The last component, unless this is the root.
    pub fn last(&self) -> Option<&str> {
        self.texts().last().map(Text::as_str)
    }

    /// The number of components.
    pub fn len(&self) -> usize {
        self.texts().len()
    }

    /// Whether this is the root.
    pub const fn is_root(&self) -> bool {
        self.0.is_none()
    }

    /// Whether this is the root, which has no components.
    pub const fn is_empty(&self) -> bool {
        self.is_root()
    }

    pub(crate) fn texts(&self) -> &[Text] {
        self.0.as_deref().unwrap_or_default()
    }

    /// The path of components that have been checked.
    pub(crate) fn from_checked(components: impl IntoIterator<Item = Text>) -> Self {
        let components: Arc<[Text]> = components.into_iter().collect();
        Self(if components.is_empty() { None } else { Some(components) })
    }

    /// The longest path that leads where these steps do: up to the first step into a list, and within the limits.
    pub(crate) fn of_segments<'s>(segments: impl IntoIterator<Item = &'s PathSegment>) -> Self {
        let keys = segments.into_iter().map_while(|segment| match segment {
            PathSegment::Key(key) if key.len() <= MAX_COMPONENT_LEN => Some(key.clone()),
            _ => None,
        });
        Self::from_checked(keys.take(MAX_PATH_COMPONENTS))
    }
}

/// Checks the component at `index`.
pub(crate) fn check_component(index: usize, component: &str) -> Result<(), PathError> {
    if index >= MAX_PATH_COMPONENTS {
        return Err(PathError::TooManyComponents);
    }
    if component.len() > MAX_COMPONENT_LEN {
        return Err(PathError::ComponentTooLong { index, len: component.len() });
    }
    Ok(())
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, component) in self.components().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            dotted::write_component(f, component)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({self})")
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse_dotted(text)
    }
}

/// Why something is not a [`Path`], or not one that this store has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// There are more than [`MAX_PATH_COMPONENTS`] components.
    #[error("path has more than {MAX_PATH_COMPONENTS} components")]
    TooManyComponents,
    /// A component is longer than [`MAX_COMPONENT_LEN`].
    #[error("component {index} of the path is {len} bytes, limit {MAX_COMPONENT_LEN}")]
    ComponentTooLong {
        /// Its place, from 0.
        index: usize,
        /// Its length in bytes.
        len: usize,
    },
    /// A component is one that the store's policy refuses.
    #[error("component {index} of the path is not allowed")]
    Forbidden {
        /// Its place, from 0.
        index: usize,
    },
    /// The text form is malformed.
    #[error("malformed path at byte {at}: {expected}")]
    Syntax {
        /// Where.
        at: usize,
        /// What must stand there.
        expected: &'static str,
    },
}
