//! Where the settings come from.

use std::fmt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use foundation_config::source::{MissingFile, Variables};
use foundation_config::watch::{FileWatcher, WatchError, WatchOptions};
use foundation_config::{
    BuildError, ConfigError, Document, EnvSource, FileSource, IntoPath, Layer, Origin, Path, Source, SourceError, Store,
};
use foundation_types::{Clock, Metadata, Observer, SystemClock, Text, Value};

use super::super::settings::{CHAOS_REVIEW_TIMEOUT, CHAOS_TASK_TIMEOUT};
use super::DemoSettings;
use super::overrides::Overrides;

/// The name of the file that is looked for in the directory that is surveyed.
pub const FILE_NAME: &str = "foundation.toml";

/// How environment variables begin that are settings.
pub const ENVIRONMENT_PREFIX: &str = "FOUNDATION__";

/// Where settings come from, beside the defaults; nowhere at first.
#[derive(Clone, Debug, Default)]
#[must_use = "it says where settings come from, and reads none"]
pub struct SettingsSources {
    file: Option<(PathBuf, MissingFile)>,
    environment: Option<Variables>,
    flags: Vec<Flag>,
}

/// A setting that was given in a call or on the command line.
#[derive(Clone, Debug)]
struct Flag {
    path: Path,
    value: Value,
    given_as: Text,
}

impl SettingsSources {
    /// The defaults alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// And this file, in the format of its extension: `toml`, `yaml`, `yml` or `json`.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some((path.into(), MissingFile::Refused));
        self
    }

    /// And [`FILE_NAME`] in this directory, if it is there, also if it is put there later.
    pub fn file_in(mut self, directory: impl AsRef<FilePath>) -> Self {
        self.file = Some((directory.as_ref().join(FILE_NAME), MissingFile::Empty));
        self
    }

    /// And these environment variables, as far as their names begin with [`ENVIRONMENT_PREFIX`].
    pub fn environment(mut self, variables: Variables) -> Self {
        self.environment = Some(variables);
        self
    }

    /// And this one setting, above file and environment; a later one of the same path counts. `given_as` is what explanations
    /// call it, such as `--agents`.
    ///
    /// # Errors
    /// [`ConfigError::InvalidPath`].
    pub fn flag(
        mut self,
        path: impl IntoPath,
        value: impl Into<Value>,
        given_as: impl Into<Text>,
    ) -> Result<Self, ConfigError> {
        self.flags.push(Flag { path: path.into_path()?, value: value.into(), given_as: given_as.into() });
        Ok(self)
    }

    /// As [`flag`](Self::flag) of a path that there is.
    pub(in super::super) fn known(self, path: &str, value: impl Into<Value>, given_as: &str) -> Self {
        self.flag(path, value, given_as).expect("it is a path")
    }

    /// And the time limits of a survey with chaos, below all flags.
    pub(in super::super) fn chaos(mut self) -> Self {
        let limits = [(["task", "timeout_ms"], CHAOS_TASK_TIMEOUT), (["review", "timeout_ms"], CHAOS_REVIEW_TIMEOUT)];
        for (path, limit) in limits {
            let path = Path::new(path).expect("short");
            self.flags.insert(0, Flag { path, value: Value::Int(to_millis(limit)), given_as: "--chaos".into() });
        }
        self
    }

    /// Reads them, on this thread.
    ///
    /// # Errors
    /// [`SettingsError`]; the message names file, line, path, what was expected and what was found.
    pub fn open(&self) -> Result<Opened, SettingsError> {
        self.open_with(Arc::new(SystemClock), None)
    }

    pub(in super::super) fn open_with(
        &self,
        clock: Arc<dyn Clock>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Opened, SettingsError> {
        let mut builder = Store::<DemoSettings>::builder().clock(clock);
        if let Some(observer) = observer {
            builder = builder.observer(observer);
        }
        let variables = self.environment.clone().unwrap_or_else(Variables::none);
        let file = self.file.as_ref().map(|(path, missing)| {
            // References to the environment in the file see what the rest of the program sees.
            Arc::new(FileSource::new(path).missing(*missing).variables(variables.clone()))
        });
        if let Some(file) = &file {
            builder = builder.source(Arc::clone(file));
        }
        if self.environment.is_some() {
            builder = builder.source(EnvSource::new(ENVIRONMENT_PREFIX).variables(variables));
        }
        let store = builder.source(Flags(self.flags.clone())).load()?;
        let overrides = Arc::new(Mutex::new(Overrides::default()));
        let opened = Opened { store, file, overrides };
        match opened.sync().into_iter().next() {
            Some(error) => Err(SettingsError(BuildError::Config(error))),
            None => Ok(opened),
        }
    }
}

pub(in super::super) fn to_millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).clamp(1, super::table::MAX_MILLIS)
}

/// The flags as a source; each knows how it was given.
struct Flags(Vec<Flag>);

impl Source for Flags {
    fn name(&self) -> &'static str {
        "command line"
    }

    /// On top of the variables of the environment.
    fn layer(&self) -> Layer {
        Layer::Env
    }

    fn load(&self) -> Result<Document, SourceError> {
        let mut document = Document::default();
        for Flag { path, value, given_as } in &self.0 {
            let tree =
                path.components().rev().fold(value.clone(), |below, key| Metadata::new().with(key, below).into());
            let Value::Map(tree) = tree else { continue };
            let mut one = Document::new(tree);
            one.set_origin(path.clone(), Origin::new(given_as.clone()));
            document.overlay(one);
        }
        Ok(document)
    }
}

/// Settings that have been read.
pub struct Opened {
    store: Store<DemoSettings>,
    file: Option<Arc<FileSource>>,
    overrides: Arc<Mutex<Overrides>>,
}

impl Opened {
    /// The settings, to read, change, and subscribe to.
    pub const fn store(&self) -> &Store<DemoSettings> {
        &self.store
    }

    /// Makes what the file says of single agents their overrides. Returns what could not be.
    pub(super) fn sync(&self) -> Vec<ConfigError> {
        self.overrides.lock().unwrap_or_else(PoisonError::into_inner).sync(&self.store)
    }

    /// Watches the file, and those that it includes; `None` if there is none to watch. `refused` hears what keeps overrides
    /// from being set; what is wrong with a file the observer of the store hears.
    ///
    /// # Errors
    /// If the system lets nothing be watched.
    pub(in super::super) fn watch(
        &self,
        refused: impl Fn(String) + Send + 'static,
    ) -> Result<Option<FileWatcher>, WatchError> {
        let Some(file) = self.file.clone() else { return Ok(None) };
        let (store, overrides) = (self.store.clone(), Arc::clone(&self.overrides));
        let report = move |_| {
            let errors = overrides.lock().unwrap_or_else(PoisonError::into_inner).sync(&store);
            for error in errors {
                refused(error.to_string());
            }
        };
        // Files change in the time of the world, whatever clock a survey has.
        let watcher = self.store.reload_on_change(WatchOptions::new(), move || file.files().to_vec(), report)?;
        Ok(Some(watcher))
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Settings that are refused, with everything that is wrong with them, a line each.
#[derive(Clone, Debug)]
pub struct SettingsError(BuildError);

impl From<BuildError> for SettingsError {
    fn from(error: BuildError) -> Self {
        Self(error)
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings refused")?;
        match &self.0 {
            BuildError::Config(ConfigError::Invalid(violations)) => {
                violations.iter().try_for_each(|violation| write!(f, "\n  {violation}"))?;
                let more = violations.omitted();
                if more > 0 { write!(f, "\n  and {more} more") } else { Ok(()) }
            }
            // It names the place itself.
            BuildError::Source { error, .. } => write!(f, "\n  {error}"),
            error => write!(f, "\n  {error}"),
        }
    }
}

impl std::error::Error for SettingsError {}
