//! Settings that change while a survey runs, and surveys that are stopped early.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use foundation_compat::demo::config::SettingsSources;
use foundation_compat::demo::{Event, Role, Spectator, Survey, SurveyError, SurveySettings, Surveyor};
use foundation_types::{ExitReason, Name, Owner};

use crate::direct::{Reviews, Totals};
use crate::{crew, tree};

/// A file of settings outside of the tree.
struct SettingsFile(tempfile::TempDir);

impl SettingsFile {
    fn new(text: &str) -> Self {
        let file = Self(tempfile::tempdir().unwrap());
        fs::write(file.path(), text).unwrap();
        file
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("foundation.toml")
    }

    /// As editors do: another file takes its place.
    fn replace(path: &Path, text: &str) {
        let new = path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, path).unwrap();
    }
}

fn slow(tree: &Path, file: &SettingsFile) -> SurveySettings {
    SurveySettings::new(tree).with_sources(SettingsSources::new().file(file.path()))
}

/// Runs steps one after the other, each when its event is seen, and remembers how many readers were at work at once after
/// each.
struct Script {
    steps: Vec<Step>,
    at: AtomicUsize,
    most: Mutex<Vec<usize>>,
}

struct Step {
    when: fn(&Event<'_>) -> bool,
    then: Box<dyn Fn() + Send + Sync>,
}

impl Script {
    fn new(steps: Vec<Step>) -> Arc<Self> {
        let most = Mutex::new(vec![0; steps.len() + 1]);
        Arc::new(Self { steps, at: AtomicUsize::new(0), most })
    }

    fn most(&self) -> Vec<usize> {
        self.most.lock().unwrap().clone()
    }
}

fn step(when: fn(&Event<'_>) -> bool, then: impl Fn() + Send + Sync + 'static) -> Step {
    Step { when, then: Box::new(then) }
}

impl Spectator for Script {
    fn see(&self, event: Event<'_>) {
        if let Event::Progress(progress) = event {
            let busy = progress.agents[Role::Reader as usize].busy;
            let most = &mut self.most.lock().unwrap()[self.at.load(Ordering::SeqCst)];
            *most = busy.max(*most);
        }
        let at = self.at.load(Ordering::SeqCst);
        if let Some(step) = self.steps.get(at)
            && (step.when)(&event)
            && self.at.compare_exchange(at, at + 1, Ordering::SeqCst, Ordering::SeqCst).is_ok()
        {
            (step.then)();
        }
    }
}

fn some_are_read(event: &Event<'_>) -> bool {
    matches!(event, Event::Progress(progress) if progress.read.done > 0)
}

fn changes(survey: &Survey) -> Vec<(String, String, String)> {
    let shown = |value: &Option<_>| value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    let changes = survey.config.changes.iter();
    changes.map(|change| (change.path.clone(), change.layer.clone(), shown(&change.value))).collect()
}

fn is_change(survey: &Survey, path: &str, layer: &str, value: &str) -> bool {
    changes(survey).contains(&(path.to_owned(), layer.to_owned(), value.to_owned()))
}

#[test]
fn an_edit_of_the_file_lets_readers_go_faster_and_totals_are_exact() {
    // At one file a second this would take minutes.
    let tree = tree::flat(600);
    let file = SettingsFile::new("[read]\nfiles_per_second = 1\n");
    let path = file.path();
    let fast = "[read]\nfiles_per_second = 0\n[review]\nper_second = 5000\n[agents.\"reader-2\".read]\nfiles_per_second = 9000\n";
    let script = Script::new(vec![step(some_are_read, move || SettingsFile::replace(&path, fast))]);
    let found = Surveyor::new(slow(tree.path(), &file)).spectator(script).run().unwrap();
    assert_eq!(Totals::of(&found), Totals::count(tree.path(), 10));
    assert_eq!(Reviews::of(&found), Reviews::count(tree.path(), 10));
    for (path, layer, value) in [
        ("read.files_per_second", "file", "0"),
        ("review.per_second", "file", "5000"),
        ("agents.reader-2.read.files_per_second", "file", "9000"),
        ("read.files_per_second", "agent:reader-2", "9000"),
    ] {
        assert!(is_change(&found, path, layer, value), "{path}: {:?}", found.config);
    }
    assert!(found.config.changes.iter().all(|change| change.at_once && change.version > 1), "{:?}", found.config);
    assert_eq!((found.config.version, found.config.rejected_count), (3, 0), "the file, and the override it asks for");
    assert_eq!((found.limiters[0].per_second, found.limiters[1].per_second), (5000, 0));
    let reads = &found.limiters[1];
    assert!(reads.denied > 0 && reads.allowed < 600, "most were read without any limit: {reads:?}");
}

#[test]
fn an_edit_of_the_file_changes_how_many_readers_are_at_work() {
    let tree = tree::flat(400);
    let file = SettingsFile::new("[read]\nconcurrency = 1\nfiles_per_second = 20\n");
    let path = file.path();
    let wide = "[read]\nconcurrency = 5\nfiles_per_second = 100\n";
    let script = Script::new(vec![step(some_are_read, move || SettingsFile::replace(&path, wide))]);
    let settings = slow(tree.path(), &file).with_crew(crew(24));
    let found = Surveyor::new(settings).spectator(Arc::clone(&script) as _).run().unwrap();
    assert_eq!(script.most(), [1, 5], "of 7 readers, which have enough to do");
    assert!(is_change(&found, "read.concurrency", "file", "5"), "{:?}", found.config);
    assert_eq!(Totals::of(&found), Totals::count(tree.path(), 10));
}

#[test]
fn an_edit_that_makes_no_sense_changes_nothing_and_is_told() {
    let tree = tree::flat(300);
    let file = SettingsFile::new("[read]\nfiles_per_second = 1\n");
    let (bad, good) = (file.path(), file.path());
    let script = Script::new(vec![
        step(some_are_read, move || {
            SettingsFile::replace(&bad, "[read]\nfiles_per_second = 0\nconcurrency = \"all\"\n");
        }),
        step(
            |event| matches!(event, Event::Refused { .. }),
            move || {
                SettingsFile::replace(&good, "[read]\nfiles_per_second = 0\n");
            },
        ),
    ]);
    let found = Surveyor::new(slow(tree.path(), &file)).spectator(script).run().unwrap();
    let place = format!("{}:3:15", file.path().display());
    let reason = format!("{place}: read.concurrency: expected an integer from 1 to 256, found the text \"all\"");
    let [rejected] = &found.config.rejected[..] else { panic!("{:?}", found.config) };
    assert_eq!((&rejected.reason, &rejected.source), (&reason, &file.path().display().to_string()));
    // What was right in it did not take effect either: the only change is that of the second edit.
    assert_eq!(found.config.version, 2);
    let [change] = &found.config.changes[..] else { panic!("{:?}", found.config) };
    assert_eq!((change.path.as_str(), change.version), ("read.files_per_second", 2));
    assert!(change.at_ms >= rejected.at_ms, "{:?}", found.config);
    assert_eq!(Totals::of(&found), Totals::count(tree.path(), 10));
}

#[test]
fn settings_for_the_next_run_are_taken_in_and_told_as_such() {
    let tree = tree::flat(200);
    let file = SettingsFile::new("[read]\nfiles_per_second = 1\n");
    let path = file.path();
    let script = Script::new(vec![step(some_are_read, move || {
        SettingsFile::replace(&path, "[read]\nfiles_per_second = 0\n[crew]\nagents = 30\n");
    })]);
    let found = Surveyor::new(slow(tree.path(), &file)).spectator(script).run().unwrap();
    assert_eq!(found.agents.len(), 8);
    let at_once: Vec<_> = found.config.changes.iter().map(|change| (change.path.as_str(), change.at_once)).collect();
    assert_eq!(at_once, [("crew.agents", false), ("read.files_per_second", true)]);
}

#[test]
fn a_file_that_appears_during_the_survey_is_read_and_flags_stay_above_it() {
    let tree = tree::flat(200);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foundation.toml");
    // Reviews keep it going until the file has been seen.
    let sources = SettingsSources::new()
        .file_in(folder.path())
        .environment([("FOUNDATION__REVIEW__PER_SECOND", "10")].into_iter().collect())
        .flag("read.concurrency", 2, "--readers")
        .unwrap();
    let settings = SurveySettings::new(tree.path()).with_sources(sources);
    let script = Script::new(vec![step(
        |event| matches!(event, Event::Progress(progress) if progress.reviewed.done > 0),
        move || {
            SettingsFile::replace(
                &path,
                "[read]\nconcurrency = 9\n[agents.\"reader-1\".read]\nfiles_per_second = 77\n",
            );
        },
    )]);
    let owner = Owner::named(Name::from_static("test"));
    let (signal, pid) = (owner.on_shutdown(), owner.pid());
    let stop = Arc::new(Both(script, move |event: &Event<'_>| {
        if matches!(event, Event::Setting { change } if change.layer == "agent:reader-1") {
            pid.request_shutdown(ExitReason::Shutdown);
        }
    }));
    let found = Surveyor::new(settings).spectator(stop).stop_on(signal).run().unwrap();
    assert!(is_change(&found, "read.concurrency", "file", "9"), "{:?}", found.config);
    assert!(is_change(&found, "read.files_per_second", "agent:reader-1", "77"), "{:?}", found.config);
    assert_eq!(found.limiters[0].per_second, 10);
    assert!(found.left.is_some_and(|left| left.unreviewed > 0), "{:?}", found.left);
}

/// A script, and somebody who looks on.
struct Both<F>(Arc<Script>, F);

impl<F: Fn(&Event<'_>) + Send + Sync> Spectator for Both<F> {
    fn see(&self, event: Event<'_>) {
        self.0.see(event);
        (self.1)(&event);
    }
}

#[test]
fn settings_that_are_refused_keep_a_survey_from_starting() {
    let tree = tree::flat(4);
    let file = SettingsFile::new("[crew]\nagents = 3\n");
    let error = Surveyor::new(slow(tree.path(), &file)).run().unwrap_err();
    assert!(matches!(error, SurveyError::Settings(_)), "{error}");
    let expected = format!("{}:2:10: crew.agents: expected an integer from 4 to 256, found 3", file.path().display());
    assert!(error.to_string().contains(&expected), "{error}");
}

#[test]
fn roles_can_be_given_their_numbers() {
    let tree = tree::flat(40);
    let file = SettingsFile::new("[crew]\nreaders = 5\nscouts = 2\n");
    let found = Surveyor::new(slow(tree.path(), &file)).run().unwrap();
    let of = |role: &str| found.agents.iter().filter(|agent| agent.id.starts_with(role)).count();
    assert_eq!((of("scout"), of("reader"), of("analyst"), of("reviewer")), (2, 5, 1, 2));
    assert_eq!(Totals::of(&found), Totals::count(tree.path(), 10));
}

#[test]
fn a_survey_that_is_stopped_early_says_what_was_left_and_stops_in_order() {
    let tree = tree::flat(300);
    let file = SettingsFile::new("[read]\nfiles_per_second = 1\n");
    let owner = Owner::named(Name::from_static("test"));
    let (signal, pid) = (owner.on_shutdown(), owner.pid());
    let script = Script::new(vec![step(
        |event| matches!(event, Event::Progress(progress) if progress.reviewed.done > 0),
        move || {
            pid.request_shutdown(ExitReason::Shutdown);
        },
    )]);
    let found = Surveyor::new(slow(tree.path(), &file)).spectator(script).stop_on(signal).run().unwrap();
    let left = found.left.expect("most of it");
    assert!(!found.complete && found.files > 0, "{found:?}");
    assert!(left.unread > 200 && left.directories == 0, "{left:?}");
    assert_eq!(found.files + left.unread + left.uncounted, 300, "{left:?}");
    assert_eq!(found.reviews.done + left.unreviewed, found.files);
    let roles: Vec<&str> = found.lifecycle.stopped.iter().map(|name| name.split('-').next().unwrap()).collect();
    let mut in_order = roles.clone();
    in_order.dedup();
    assert_eq!(in_order[..6], ["scout", "reader", "analyst", "reviewer", "reviews", "settings"]);
    assert_eq!((found.lifecycle.restarts, found.lifecycle.abandoned.len()), (0, 0), "{:?}", found.lifecycle);
}

#[test]
fn a_request_to_stop_when_all_is_done_leaves_nothing() {
    let tree = tree::flat(20);
    let owner = Owner::named(Name::from_static("test"));
    let (signal, pid) = (owner.on_shutdown(), owner.pid());
    // The last progress, after which there is nothing to wait for.
    let script = Script::new(vec![step(
        |event| matches!(event, Event::Progress(progress) if progress.reviewed.done == 20),
        move || {
            pid.request_shutdown(ExitReason::Shutdown);
        },
    )]);
    let found = Surveyor::new(SurveySettings::new(tree.path())).spectator(script).stop_on(signal).run().unwrap();
    assert_eq!((found.left, found.complete), (None, true));
}
