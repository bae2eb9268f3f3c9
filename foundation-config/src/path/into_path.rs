//! What can stand for a path.

use super::{Path, PathError, dotted};

/// What can stand for a [`Path`]: a path, its text form (`"a.b.c"`), a list of components, a
/// [`TypedPath`](super::TypedPath).
///
/// Reads walk the components as they come and make no path, so they allocate nothing.
pub trait IntoPath {
    /// Gives each component to `each`, in order, and stops at its first error.
    ///
    /// # Errors
    /// [`PathError::Syntax`] of a text form, or what `each` returns.
    fn visit(&self, each: impl FnMut(&str) -> Result<(), PathError>) -> Result<(), PathError>;

    /// The path.
    ///
    /// # Errors
    /// [`PathError`] if it is none.
    fn into_path(self) -> Result<Path, PathError>;
}

impl IntoPath for Path {
    fn visit(&self, each: impl FnMut(&str) -> Result<(), PathError>) -> Result<(), PathError> {
        self.components().try_for_each(each)
    }

    fn into_path(self) -> Result<Path, PathError> {
        Ok(self)
    }
}

impl IntoPath for &Path {
    fn visit(&self, each: impl FnMut(&str) -> Result<(), PathError>) -> Result<(), PathError> {
        self.components().try_for_each(each)
    }

    fn into_path(self) -> Result<Path, PathError> {
        Ok(self.clone())
    }
}

impl IntoPath for &str {
    fn visit(&self, each: impl FnMut(&str) -> Result<(), PathError>) -> Result<(), PathError> {
        dotted::visit(self, each)
    }

    fn into_path(self) -> Result<Path, PathError> {
        Path::parse_dotted(self)
    }
}

impl IntoPath for &String {
    fn visit(&self, each: impl FnMut(&str) -> Result<(), PathError>) -> Result<(), PathError> {
        dotted::visit(self, each)
    }

    fn into_path(self) -> Result<Path, PathError> {
        Path::parse_dotted(self)
    }
}

impl<C: AsRef<str>, const N: usize> IntoPath for [C; N] {
    fn visit(&self, each: impl FnMut(&str) -> Result<(), PathError>) -> Result<(), PathError> {
        self.iter().map(AsRef::as_ref).try_for_each(each)
    }

    fn into_path(self) -> Result<Path, PathError> {
        Path::new(self.iter().map(AsRef::as_ref))
    }
}

impl<C: AsRef<str>> IntoPath for &[C] {
    fn visit(&self, each: impl FnMut(&str) -> Result<(), PathError>) -> Result<(), PathError> {
        self.iter().map(AsRef::as_ref).try_for_each(each)
    }

    fn into_path(self) -> Result<Path, PathError> {
        Path::new(self.iter().map(AsRef::as_ref))
    }
}

impl<C: AsRef<str>> IntoPath for &Vec<C> {
    fn visit(&self, each: impl FnMut(&str) -> Result<(), PathError>) -> Result<(), PathError> {
        self.as_slice().visit(each)
    }

    fn into_path(self) -> Result<Path, PathError> {
        self.as_slice().into_path()
    }
}
