//! Noticing that files have changed.

mod debounce;
mod driver;
mod places;
mod signal;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::{Clock, SystemClock, Text};

use self::driver::Driver;
use crate::error::ConfigError;
use crate::schema::Schema;
use crate::store::{ReloadReport, Store};

/// How long files must have been left alone before they are read, unless it is said otherwise.
pub const DEFAULT_QUIET: Duration = Duration::from_millis(100);
/// How long files that are never left alone wait at most, in times of the quiet time.
pub const MAX_DELAY_FACTOR: u32 = 10;
/// How often files are looked at while a folder on the way to them cannot be watched.
pub const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// How files are watched.
#[derive(Clone)]
pub struct WatchOptions {
    quiet: Duration,
    clock: Arc<dyn Clock>,
}

impl WatchOptions {
    /// A quiet time of [`DEFAULT_QUIET`] on the clock of the system.
    pub fn new() -> Self {
        Self { quiet: DEFAULT_QUIET, clock: Arc::new(SystemClock) }
    }

    /// The same, but files must have been left alone for so long. Programs that write a file in several steps take that long
    /// between them.
    #[must_use]
    pub const fn quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// The same on another clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WatchOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchOptions").field("quiet", &self.quiet).finish_non_exhaustive()
    }
}

/// Files that are watched, until it is dropped.
///
/// It calls back once soon after it was started, for what changed just before, and then after each change. Changes that
/// follow each other within the quiet time are one, and one that never ends is told every [`MAX_DELAY_FACTOR`] quiet times.
/// It may call back though nothing has changed; it never misses the last change.
///
/// What is watched are the folders on the way to each file, from the root of the file system on, with every symbolic link
/// followed: so it makes no difference whether a file is written in place or replaced, whether it or a folder above it is
/// there yet, or whether a link on the way is turned to another place, as is usual for mounted configuration. Where a folder
/// cannot be watched ([`unwatched`](Self::unwatched)), the callback is called every [`POLL_INTERVAL`] besides.
///
/// The work is done on a thread of its own named `foundation-config-watch`, beside one of the library that watches. No lock
/// is held while it calls back; a panic there is contained. Dropping this waits for a callback that runs, unless it is done
/// there, and none follows.
#[must_use = "dropping it ends the watch"]
pub struct FileWatcher(Driver);

impl FileWatcher {
    /// Watches the files that `files` gives, which is asked again after each change, and calls `changed`.
    ///
    /// # Errors
    /// [`WatchError`] if the system lets nothing be watched.
    pub fn start(
        options: WatchOptions,
        files: impl Fn() -> Vec<PathBuf> + Send + 'static,
        changed: impl Fn() + Send + 'static,
    ) -> Result<Self, WatchError> {
        Driver::start(options, Box::new(files), Box::new(changed)).map(Self)
    }

    /// The folders on the way to the files that cannot be watched, because they may not be read or too many are.
    pub fn unwatched(&self) -> Vec<PathBuf> {
        self.0.unwatched()
    }
}

impl fmt::Debug for FileWatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileWatcher").field("unwatched", &self.unwatched()).finish_non_exhaustive()
    }
}

impl<S: Schema> Store<S> {
    /// Reloads whenever one of the files that `files` gives may have changed, until the watcher is dropped, and gives what
    /// came of it to `report`. A file that cannot be read, also because it is only half written, is in the report, and what
    /// was read before stays in force until a good one takes its place. The watcher keeps the store alive.
    ///
    /// `FileSource::files` (with the feature of a format) gives the files of a source, with those that it includes; see
    /// [`FileWatcher`] for what is watched.
    ///
    /// # Errors
    /// [`WatchError`] if the system lets nothing be watched.
    pub fn reload_on_change(
        &self,
        options: WatchOptions,
        files: impl Fn() -> Vec<PathBuf> + Send + 'static,
        report: impl Fn(Result<ReloadReport, ConfigError>) + Send + 'static,
    ) -> Result<FileWatcher, WatchError> {
        let store = self.clone();
        FileWatcher::start(options, files, move || report(store.reload()))
    }
}

/// Why files cannot be watched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot watch files: {reason}")]
pub struct WatchError {
    reason: Text,
}
