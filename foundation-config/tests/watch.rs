//! Reloading when files change, on the real file system.

#![cfg(all(feature = "watch", feature = "toml", feature = "json", unix))]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use foundation_config::source::MissingFile;
use foundation_config::watch::{FileWatcher, WatchOptions};
use foundation_config::{FileSource, ReloadReport, Store};
use tempfile::TempDir;

/// How long a change may take to be noticed on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn options() -> WatchOptions {
    WatchOptions::new().quiet(Duration::from_millis(20))
}

/// A store of one file that may be missing, reloaded when it changes.
struct Watched {
    store: Store,
    reports: Receiver<ReloadReport>,
    watcher: FileWatcher,
}

impl Watched {
    fn new(file: impl Into<PathBuf>) -> Self {
        let source = Arc::new(FileSource::new(file).missing(MissingFile::Empty));
        let store = Store::builder().source(Arc::clone(&source)).load().expect("valid at first");
        let (send, reports) = mpsc::channel();
        let files = move || source.files().to_vec();
        let report = move |report: Result<ReloadReport, _>| {
            let _ = send.send(report.expect("no schema reloads"));
        };
        let watcher = store.reload_on_change(options(), files, report).expect("files can be watched");
        Self { store, reports, watcher }
    }

    fn settings(&self) -> String {
        self.store.value("").expect("there is a root").to_string()
    }

    /// Waits for a report after which `done`.
    fn wait_until(&self, what: &str, mut done: impl FnMut(&ReloadReport) -> bool) {
        loop {
            match self.reports.recv_timeout(PATIENCE) {
                Ok(report) if done(&report) => return,
                Ok(_) => {}
                Err(error) => panic!("{what}: {error}, settings are {}", self.settings()),
            }
        }
    }

    /// Waits until the settings are these.
    fn wait_for(&self, settings: &str) {
        self.wait_until(settings, |_| self.settings() == settings);
    }

    /// Waits for the report that follows the start.
    fn settled(self) -> Self {
        self.wait_until("the first report", |_| true);
        self
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn write(path: impl AsRef<Path>, text: &str) {
    fs::write(path, text).expect("a file");
}

/// Replaces a file as editors do: writes another and gives it the name.
fn replace(path: &Path, text: &str) {
    let other = path.with_extension("tmp");
    write(&other, text);
    fs::rename(other, path).expect("both in one folder");
}

#[test]
fn a_file_that_is_written_in_place_or_replaced_is_reloaded_each_time() {
    let folder = folder();
    let file = folder.path().join("app.json");
    write(&file, r#"{"a":1}"#);
    let watched = Watched::new(&file).settled();
    write(&file, r#"{"a":2}"#);
    watched.wait_for(r#"{"a":2}"#);
    for number in 3..6 {
        replace(&file, &format!(r#"{{"a":{number}}}"#));
        watched.wait_for(&format!(r#"{{"a":{number}}}"#));
    }
    write(&file, r#"{"a":7}"#);
    watched.wait_for(r#"{"a":7}"#);
    assert_eq!(watched.watcher.unwatched(), Vec::<PathBuf>::new());
}

#[test]
fn what_changed_before_the_watch_began_is_reloaded() {
    let folder = folder();
    let file = folder.path().join("app.json");
    write(&file, r#"{"a":1}"#);
    let source = Arc::new(FileSource::new(&file));
    let store: Store = Store::builder().source(Arc::clone(&source)).load().expect("valid");
    write(&file, r#"{"a":2}"#);
    let (send, reports) = mpsc::channel();
    let report = move |report: Result<ReloadReport, _>| drop(send.send(report.expect("no schema reloads")));
    let _watcher =
        store.reload_on_change(options(), move || source.files().to_vec(), report).expect("files can be watched");
    assert!(reports.recv_timeout(PATIENCE).expect("one report").committed.is_some());
    assert_eq!(store.value("a").expect("set").to_string(), "2");
}

#[test]
fn a_bad_file_is_reported_and_the_last_good_one_holds_until_the_next() {
    let folder = folder();
    let file = folder.path().join("app.json");
    write(&file, r#"{"a":1}"#);
    let watched = Watched::new(&file).settled();
    write(&file, r#"{"a":2"#);
    watched.wait_until("a failure", |report| {
        report.failures().any(|report| format!("{:?}", report.outcome).contains("EOF while parsing an object"))
    });
    assert_eq!(watched.settings(), r#"{"a":1}"#);
    write(&file, r#"{"a":2}"#);
    watched.wait_for(r#"{"a":2}"#);
}

#[test]
fn a_file_that_is_made_later_in_a_folder_that_is_made_later_is_loaded() {
    let folder = folder();
    let file = folder.path().join("etc/example/app.toml");
    let watched = Watched::new(&file).settled();
    assert_eq!(watched.settings(), "{}");
    fs::create_dir(folder.path().join("etc")).expect("a folder");
    watched.wait_until("a look at the new folder", |_| true);
    fs::create_dir(folder.path().join("etc/example")).expect("a folder");
    write(&file, "a = 1");
    watched.wait_for(r#"{"a":1}"#);
    fs::remove_file(&file).expect("it is there");
    watched.wait_for("{}");
    write(&file, "a = 2");
    watched.wait_for(r#"{"a":2}"#);
}

#[test]
fn a_folder_that_is_replaced_is_watched_in_its_new_form() {
    let folder = folder();
    let [current, next] = ["current", "next"].map(|name| folder.path().join(name));
    for (path, text) in [(&current, "a = 1"), (&next, "a = 2")] {
        fs::create_dir_all(path.join("deep")).expect("folders");
        write(path.join("deep/app.toml"), text);
    }
    let file = current.join("deep/app.toml");
    let watched = Watched::new(&file).settled();
    fs::rename(&current, folder.path().join("old")).expect("renamed");
    fs::rename(&next, &current).expect("renamed");
    watched.wait_for(r#"{"a":2}"#);
    replace(&file, "a = 3");
    watched.wait_for(r#"{"a":3}"#);
    fs::remove_dir_all(&current).expect("removed");
    watched.wait_for("{}");
    fs::create_dir_all(current.join("deep")).expect("folders");
    write(&file, "a = 4");
    watched.wait_for(r#"{"a":4}"#);
}

#[test]
fn a_link_that_is_turned_elsewhere_is_followed() {
    // What Kubernetes does to mounted configuration.
    let folder = folder();
    let volume = folder.path().join("volume");
    let version = |number: u32| {
        let version = volume.join(format!("..{number}"));
        fs::create_dir_all(&version).expect("a folder");
        write(version.join("app.toml"), &format!("a = {number}"));
        symlink(format!("..{number}"), volume.join("..data_tmp")).expect("a link");
        fs::rename(volume.join("..data_tmp"), volume.join("..data")).expect("replaced");
    };
    version(1);
    symlink("..data/app.toml", volume.join("app.toml")).expect("a link");
    symlink(&volume, folder.path().join("conf")).expect("a link");
    let watched = Watched::new(folder.path().join("conf/app.toml")).settled();
    assert_eq!(watched.settings(), r#"{"a":1}"#);
    for number in 2..4 {
        version(number);
        watched.wait_for(&format!(r#"{{"a":{number}}}"#));
        fs::remove_dir_all(volume.join(format!("..{}", number - 1))).expect("removed");
    }
    write(volume.join("..3/app.toml"), "a = 30");
    watched.wait_for(r#"{"a":30}"#);
}

#[test]
fn included_files_are_watched_as_soon_as_they_are_included() {
    let folder = folder();
    let [main, first, second] =
        ["main.toml", "conf.d/first.json", "other/second.toml"].map(|name| folder.path().join(name));
    for file in [&first, &second] {
        fs::create_dir(file.parent().expect("in a folder")).expect("a folder");
    }
    write(&main, "include = ['conf.d/first.json']");
    write(&first, r#"{"a":1}"#);
    let watched = Watched::new(&main).settled();
    replace(&first, r#"{"a":2}"#);
    watched.wait_for(r#"{"a":2}"#);
    write(&second, "b = 1");
    replace(&main, "include = ['conf.d/first.json', 'other/second.toml']");
    watched.wait_for(r#"{"a":2,"b":1}"#);
    replace(&second, "b = 2");
    watched.wait_for(r#"{"a":2,"b":2}"#);
    fs::remove_file(&second).expect("it is there");
    watched.wait_until("a failure", |report| !report.is_clean());
    assert_eq!(watched.settings(), r#"{"a":2,"b":2}"#);
    write(&second, "b = 3");
    watched.wait_for(r#"{"a":2,"b":3}"#);
}

#[test]
fn dropping_the_watcher_ends_it() {
    let folder = folder();
    let watched = Watched::new(folder.path().join("app.json")).settled();
    drop(watched.watcher);
    // The thread that could call back is gone, and so is its end of the channel.
    while watched.reports.try_recv().is_ok() {}
    assert_eq!(watched.reports.recv_timeout(PATIENCE).expect_err("nobody sends"), RecvTimeoutError::Disconnected);
}

#[test]
fn a_watcher_can_be_dropped_by_what_it_calls() {
    let (send, receive) = mpsc::channel::<FileWatcher>();
    let (done, is_done) = mpsc::channel();
    let receive = std::sync::Mutex::new(receive);
    let changed = move || {
        drop(receive.lock().expect("not poisoned").recv());
        done.send(()).expect("somebody waits");
    };
    let watcher = FileWatcher::start(options(), Vec::new, changed).expect("files can be watched");
    send.send(watcher).expect("it is called once after it was started");
    is_done.recv_timeout(PATIENCE).expect("dropped");
    assert_eq!(is_done.recv_timeout(PATIENCE).expect_err("nobody sends"), RecvTimeoutError::Disconnected);
}

#[test]
fn a_panic_of_what_it_calls_does_not_end_the_watch() {
    let folder = folder();
    let file = folder.path().join("app.json");
    let bombs = [Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true))];
    let explode = |bomb: &AtomicBool| assert!(!bomb.swap(false, Ordering::Relaxed), "for a test");
    let [in_files, in_changed] = bombs.clone();
    let (send, calls) = mpsc::channel();
    let shown = file.clone();
    let files = move || {
        explode(&in_files);
        vec![shown.clone()]
    };
    let changed = move || {
        send.send(()).expect("somebody listens");
        explode(&in_changed);
    };
    let watcher = FileWatcher::start(options(), files, changed).expect("files can be watched");
    calls.recv_timeout(PATIENCE).expect("called once after it was started");
    for text in ["1", "2"] {
        bombs[0].store(true, Ordering::Relaxed);
        write(&file, text);
        calls.recv_timeout(PATIENCE).expect("called after a change");
    }
    drop(watcher);
    assert!(bombs.iter().all(|bomb| !bomb.load(Ordering::Relaxed)), "all went off");
}
