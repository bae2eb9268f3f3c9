//! Settings in files.

mod builder;
mod format;
mod include;
#[cfg(feature = "json")]
mod json;
mod position;
mod resolve;
#[cfg(test)]
mod tests;
#[cfg(feature = "toml")]
mod toml;
#[cfg(feature = "yaml")]
mod yaml;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use foundation_types::Text;
use parking_lot::Mutex;

pub use self::format::Format;
use self::include::Loading;
use super::{Document, Source, SourceError, Variables};
use crate::layer::Layer;
use crate::path::MAX_PATH_COMPONENTS;

/// The longest file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// The deepest nesting of a file, its top at depth 0.
pub const MAX_FILE_DEPTH: usize = MAX_PATH_COMPONENTS;
/// The most values of a file with all that it includes, lists and maps themselves included.
pub const MAX_FILE_VALUES: usize = 100_000;
/// The most files that a file includes, directly or through others.
pub const MAX_INCLUDES: usize = 64;
/// The longest chain of includes.
pub const MAX_INCLUDE_DEPTH: usize = 8;

/// What it means that a file is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingFile {
    /// An error.
    #[default]
    Refused,
    /// That nothing is set.
    Empty,
}

/// Settings in a file of one of the formats of [`Format`], and in those that it includes.
///
/// The key `include` at the top of a file holds a list of paths, relative to the folder of the file, of files in any known
/// format. What the file itself says lies over what it includes, and a file that is included later over an earlier one. An
/// included file must be there.
///
/// Of every value the file, line and column are known. A path in an error leads as far as settings have paths, up to the
/// first list.
///
/// Each load reads the files anew and is bounded: by [`MAX_FILE_BYTES`], [`MAX_FILE_DEPTH`], [`MAX_FILE_VALUES`],
/// [`MAX_INCLUDES`] and [`MAX_INCLUDE_DEPTH`]. Only regular files are read, so none that would wait for a writer.
///
/// ```
/// # #[cfg(feature = "json")] {
/// use foundation_config::source::MissingFile;
/// use foundation_config::{FileSource, Source};
///
/// let source = FileSource::new("/etc/example/site.json").missing(MissingFile::Empty);
/// assert!(source.load()?.tree().is_empty());
/// # }
/// # Ok::<(), foundation_config::SourceError>(())
/// ```
pub struct FileSource {
    path: PathBuf,
    name: Text,
    format: Option<Format>,
    layer: Layer,
    missing: MissingFile,
    variables: Variables,
    /// The files that the last load looked for.
    files: Mutex<Arc<[PathBuf]>>,
}

impl FileSource {
    /// The file at this path, in the format of its extension, in the layer [`Layer::File`]. A relative path is one from the
    /// working directory that the process has at the time of each load.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            name: path.display().to_string().into(),
            format: None,
            layer: Layer::File,
            missing: MissingFile::Refused,
            variables: Variables::of_process(),
            files: Mutex::new(Arc::new([path.clone()])),
            path,
        }
    }

    /// The same in this format, whatever the extension; what it includes goes by its extensions.
    #[must_use]
    pub const fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// The same in another layer.
    #[must_use]
    pub const fn in_layer(mut self, layer: Layer) -> Self {
        self.layer = layer;
        self
    }

    /// The same, but this is what it means if the file is not there.
    #[must_use]
    pub const fn missing(mut self, missing: MissingFile) -> Self {
        self.missing = missing;
        self
    }

    /// The same, but references to the environment look into these variables.
    #[must_use]
    pub fn variables(mut self, variables: Variables) -> Self {
        self.variables = variables;
        self
    }

    /// The files that the last load looked for, found or not, this one first. For whoever watches them.
    pub fn files(&self) -> Arc<[PathBuf]> {
        Arc::clone(&self.files.lock())
    }
}

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn layer(&self) -> Layer {
        self.layer
    }

    /// # Errors
    /// All but [`SourceError::Unavailable`].
    fn load(&self) -> Result<Document, SourceError> {
        let mut loading = Loading::new(&self.variables);
        let document = loading.file(&self.path, self.format, self.missing);
        let files = loading.into_files();
        *self.files.lock() = files;
        document
    }
}

impl fmt::Debug for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSource")
            .field("path", &self.path)
            .field("format", &self.format)
            .field("layer", &self.layer)
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}
