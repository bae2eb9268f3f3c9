//! Paths that know the type of what they lead to.

use std::fmt;
use std::marker::PhantomData;

use super::{IntoPath, MAX_COMPONENT_LEN, MAX_PATH_COMPONENTS, Path, PathError};

/// A path with the type of its value; made by [`path!`](crate::path), also in constants, so that a crate can export where
/// its settings are.
///
/// ```
/// use foundation_config::{TypedPath, path};
///
/// const DEBUG: TypedPath<bool> = path!(dev.debug_mode: bool);
/// assert_eq!(DEBUG.to_string(), "dev.debug_mode");
/// ```
pub struct TypedPath<T: ?Sized> {
    components: &'static [&'static str],
    of: PhantomData<fn() -> T>,
}

impl<T: ?Sized> TypedPath<T> {
    /// The path of these components.
    ///
    /// # Panics
    /// If there are too many or one is too long; in a `const` that is a compile error.
    pub const fn new(components: &'static [&'static str]) -> Self {
        assert!(components.len() <= MAX_PATH_COMPONENTS, "path has too many components");
        let mut at = 0;
        while at < components.len() {
            assert!(components[at].len() <= MAX_COMPONENT_LEN, "component of the path is too long");
            at += 1;
        }
        Self { components, of: PhantomData }
    }

    /// The components from the root on.
    pub const fn components(self) -> &'static [&'static str] {
        self.components
    }
}

impl<T: ?Sized> Clone for TypedPath<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for TypedPath<T> {}

impl<T: ?Sized> IntoPath for TypedPath<T> {
    fn visit(&self, each: impl FnMut(&str) -> Result<(), PathError>) -> Result<(), PathError> {
        self.components.iter().copied().try_for_each(each)
    }

    fn into_path(self) -> Result<Path, PathError> {
        Path::new(self.components.iter().copied())
    }
}

impl<T: ?Sized> From<TypedPath<T>> for Path {
    fn from(path: TypedPath<T>) -> Self {
        path.into_path().expect("checked when it was made")
    }
}

impl<T: ?Sized> fmt::Display for TypedPath<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Path::from(*self), f)
    }
}

impl<T: ?Sized> fmt::Debug for TypedPath<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypedPath<{}>({self})", std::any::type_name::<T>())
    }
}

/// A [`TypedPath`] from components and the type of the value: `path!(dev.debug_mode: bool)`. A component that is no
/// identifier is written as a literal: `path!(hosts."db.local": Host)`.
#[macro_export]
macro_rules! path {
    ($($component:tt).+ : $of:ty) => {
        $crate::TypedPath::<$of>::new(const { &[$($crate::path!(@ $component)),+] })
    };
    (@ $component:ident) => {
        stringify!($component)
    };
    (@ $component:literal) => {
        $component
    };
}
