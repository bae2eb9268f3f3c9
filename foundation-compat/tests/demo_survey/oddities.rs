use std::fs;
use std::num::NonZeroU32;
use std::sync::Arc;

use foundation_compat::demo::settings::{MAX_ATTEMPTS, MAX_RESTARTS};
use foundation_compat::demo::{Event, SkipReason, Spectator, Survey, SurveyError, Surveyor};
use foundation_types::ManualClock;

use crate::tree::put;
use crate::watcher::Once;
use crate::{crew, settings, survey, tree};

fn skipped<'s>(survey: &'s Survey, path: &str) -> Option<&'s SkipReason> {
    survey.skipped.iter().find(|entry| entry.path == path).map(|entry| &entry.reason)
}

#[test]
fn an_empty_directory_has_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let found = survey(settings(folder.path()));
    assert_eq!((found.files, found.bytes, found.directories, found.complete), (0, 0, 1, true));
    assert!(found.languages.is_empty());
}

#[test]
fn empty_and_binary_files_count_as_files() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "empty.rs", "");
    put(folder.path(), "empty", "");
    put(folder.path(), "program.py", b"\x7FELF\x00\x01");
    let found = survey(settings(folder.path()));
    assert_eq!((found.files, found.bytes, found.complete), (3, 6, true));
    assert_eq!((found.other.files, found.other.bytes, found.other.binary), (2, 6, 1));
    assert_eq!((found.languages.len(), found.languages["Rust"].files), (1, 1));
    assert_eq!((found.reviews.done, found.reviews.left_out.binary), (2, 1), "an empty file is a text");
}

#[test]
fn a_file_or_nothing_is_no_input() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "file", "");
    for path in ["file", "nothing"] {
        let error = Surveyor::new(settings(&folder.path().join(path))).run().unwrap_err();
        assert!(matches!(error, SurveyError::Input { .. }), "{error}");
    }
}

#[test]
fn files_that_vanish_are_named_and_the_survey_is_not_complete() {
    let tree = tree::flat(256);
    let folder = tree.path().join("flat");
    // The coordinator is in the midst of handing them out: to one reader at most one batch of 64.
    let vanish = Once::when(
        |progress| progress.read.known == 256,
        move || fs::read_dir(&folder).unwrap().for_each(|entry| fs::remove_file(entry.unwrap().path()).unwrap()),
    );
    let surveyor = Surveyor::new(settings(tree.path()).with_crew(crew(4))).spectator(Arc::new(vanish));
    let found = surveyor.run().unwrap();
    assert!(!found.complete);
    assert!(found.skipped_count >= 256 - 64, "{}", found.skipped_count);
    assert!(found.skipped.iter().all(|entry| entry.reason == SkipReason::Vanished), "{:?}", found.skipped);
    assert_eq!(found.files + found.skipped_count, 256);
}

#[test]
fn agents_that_keep_dying_end_the_survey() {
    /// Kills whoever is about to have a text reviewed.
    struct Deadly;

    impl Spectator for Deadly {
        fn see(&self, event: Event<'_>) {
            if let Event::Calling { .. } = event {
                // A panic, but for the message on standard error.
                std::panic::resume_unwind(Box::new("deadly"));
            }
        }
    }

    let tree = tree::flat(1000);
    let deaths = 1000 * u32::from(MAX_ATTEMPTS);
    assert!(deaths > MAX_RESTARTS);
    // On a clock that stands still all restarts are in the window, and so are all reviews in one second.
    let at_once = settings(tree.path()).with_reviews_per_second(NonZeroU32::new(1_000_000).unwrap());
    let surveyor = Surveyor::new(at_once).clock(Arc::new(ManualClock::new()));
    let error = surveyor.spectator(Arc::new(Deadly)).run().unwrap_err();
    assert!(matches!(error, SurveyError::KeepsDying { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("service reviewer-") && message.contains("panic: deadly"), "{message}");
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::process::Command;
    #[cfg(target_os = "linux")]
    use std::{fs::File, path::PathBuf, sync::Mutex, time::Duration};

    #[cfg(target_os = "linux")]
    use foundation_compat::demo::Phase;
    #[cfg(target_os = "linux")]
    use foundation_compat::demo::settings::{AGENT_GRACE, TASK_TIMEOUT};

    #[cfg(target_os = "linux")]
    use crate::watcher::TimePasses;

    use super::*;

    #[test]
    fn symbolic_links_are_not_followed_and_cannot_form_loops() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        put(root, "real/code.rs", "fn f() {}\n");
        symlink(root, root.join("real/loop")).unwrap();
        symlink(root.join("real/code.rs"), root.join("alias.rs")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        let found = survey(settings(root));
        assert_eq!((found.files, found.languages["Rust"].files, found.complete), (1, 1, true));
        assert_eq!(found.skipped_count, 3);
        for path in ["real/loop", "alias.rs", "dangling"] {
            assert_eq!(skipped(&found, path), Some(&SkipReason::SymbolicLink), "{path}");
        }
    }

    #[test]
    fn an_input_that_is_a_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "real/code.rs", "fn f() {}\n");
        symlink(folder.path().join("real"), folder.path().join("link")).unwrap();
        assert_eq!(survey(settings(&folder.path().join("link"))).files, 1);
    }

    #[test]
    fn what_is_no_regular_file_is_named_and_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "code.rs", "fn f() {}\n");
        let _socket = UnixListener::bind(folder.path().join("socket")).unwrap();
        // Whoever opens a pipe without a writer waits for ever.
        assert!(Command::new("mkfifo").arg(folder.path().join("pipe.rs")).status().unwrap().success());
        let found = survey(settings(folder.path()));
        assert_eq!((found.files, found.complete), (1, true));
        for path in ["socket", "pipe.rs"] {
            assert_eq!(skipped(&found, path), Some(&SkipReason::NotRegular), "{path}");
        }
    }

    #[test]
    fn names_that_are_no_text_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join(OsStr::from_bytes(b"caf\xE9"));
        // Some file systems refuse such names.
        if fs::create_dir(&odd).is_err() {
            return;
        }
        fs::write(odd.join(OsStr::from_bytes(b"\xFF\xFE.rs")), "fn f() {}\n").unwrap();
        let found = survey(settings(folder.path()));
        assert_eq!((found.files, found.languages["Rust"].counts.code, found.complete), (1, 1, true));
        assert_eq!(found.top_files[0].path, "caf\u{FFFD}/\u{FFFD}\u{FFFD}.rs");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_cannot_be_read_is_named_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "code.rs", "fn f() {}\n");
        crate::deep::bury(folder.path());
        let found = survey(settings(folder.path()));
        assert!(!found.complete);
        assert_eq!((found.files, found.skipped_count), (1, 1), "{:?}", found.skipped);
        let (path, reason) = (&found.skipped[0].path, &found.skipped[0].reason);
        assert!(path.starts_with("upper/ddd"), "{path}");
        assert!(matches!(reason, SkipReason::Unreadable(message) if !message.is_empty()), "{reason}");
    }

    /// While the survey runs, the file becomes a pipe: opening it takes until somebody writes.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_that_every_agent_hangs_in_is_given_up_and_named() {
        let tree = tree::flat(256);
        let last = fs::read_dir(tree.path().join("flat")).unwrap().last().unwrap().unwrap().path();
        let name = format!("flat/{}", last.file_name().unwrap().to_str().unwrap());
        let clock = ManualClock::new();
        let passes = TimePasses::on(clock.clone());
        let spectator = HangingFile { file: last, clock: clock.clone(), passes, writer: Mutex::default() };
        let surveyor = Surveyor::new(settings(tree.path()).with_crew(crew(4)));
        let found = surveyor.clock(Arc::new(clock)).spectator(Arc::new(spectator)).run().unwrap();
        assert_eq!((found.files, found.skipped_count, found.complete), (255, 1, false));
        assert_eq!(
            skipped(&found, &name),
            Some(&SkipReason::GivenUp { attempts: MAX_ATTEMPTS }),
            "{:?}",
            found.skipped
        );
        assert_eq!(found.chaos.hung, u64::from(MAX_ATTEMPTS));
        // Whoever noticed its death before it opened the file was not abandoned.
        let lifecycle = &found.lifecycle;
        assert!(lifecycle.abandoned.len() <= MAX_ATTEMPTS.into(), "{lifecycle:?}");
        assert!(lifecycle.abandoned.iter().all(|service| service == "reader-1"), "{lifecycle:?}");
        assert_eq!(lifecycle.restarts, u64::from(MAX_ATTEMPTS));
    }

    /// Makes the last file of the queue a pipe before its turn comes, lets time pass when nothing but that file is left, and when a
    /// supervisor waits for who hangs in it, and releases them at the end.
    #[cfg(target_os = "linux")]
    struct HangingFile {
        file: PathBuf,
        clock: ManualClock,
        passes: TimePasses,
        writer: Mutex<Option<File>>,
    }

    #[cfg(target_os = "linux")]
    impl Spectator for HangingFile {
        fn see(&self, event: Event<'_>) {
            self.passes.see(event);
            match event {
                Event::Progress(progress) if progress.read.known == 256 => {
                    if progress.read.done == 0 && self.file.is_file() {
                        fs::remove_file(&self.file).unwrap();
                        assert!(Command::new("mkfifo").arg(&self.file).status().unwrap().success());
                    }
                    let is_idle = |phase: Phase| phase.done == phase.known;
                    if progress.read.done == 255 && is_idle(progress.counted) && is_idle(progress.reviewed) {
                        self.clock.advance(TASK_TIMEOUT + Duration::from_millis(1));
                    }
                }
                // Its supervisor waits for the thread that hangs in the file, or is about to.
                Event::Stopping { .. } if !self.file.is_file() && self.writer.lock().unwrap().is_none() => {
                    self.clock.advance(AGENT_GRACE);
                }
                Event::Restarted { restarts, .. } if restarts == u64::from(MAX_ATTEMPTS) => {
                    // For reading, too: then it does not wait for a reader, who may be dead before opening it.
                    let writer = File::options().read(true).write(true).open(&self.file).unwrap();
                    *self.writer.lock().unwrap() = Some(writer);
                }
                _ => {}
            }
        }
    }
}
