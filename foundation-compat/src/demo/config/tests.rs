use foundation_config::source::Variables;
use foundation_config::{ConfigError, Schema, Store, path};
use foundation_types::AgentId;
use proptest::prelude::*;

use super::*;

fn store(sources: &SettingsSources) -> Store<DemoSettings> {
    sources.open().expect("valid").store().clone()
}

fn refusal(file: &str, text: impl AsRef<[u8]>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    std::fs::write(&path, text).unwrap();
    let error = SettingsSources::new().file(&path).open().expect_err("refused").to_string();
    error.replace(&folder.path().display().to_string(), "DIR")
}

#[test]
fn the_written_file_holds_every_setting_at_its_default() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE_NAME), template()).unwrap();
    let from_file = store(&SettingsSources::new().file_in(folder.path()));
    let defaults = store(&SettingsSources::new());
    assert_eq!(from_file.snapshot().tree(), defaults.snapshot().tree());
    assert_eq!(from_file.snapshot().tree().to_value(), DemoSettings::defaults());
    for setting in SETTINGS {
        let explained = explain(&from_file, &setting.path(), None).unwrap();
        assert_eq!(explained.said.iter().map(|said| said.layer).collect::<Vec<_>>(), ["file", "defaults"]);
    }
}

#[test]
fn the_table_and_the_types_are_the_same_settings() {
    // Every setting of the table is read by the types, or it would be refused as unknown, and the other way round.
    let tree = store(&SettingsSources::new()).snapshot().tree();
    assert_eq!(tree.leaves(), SETTINGS.len());
    for setting in SETTINGS {
        assert!(tree.get(&setting.path()).unwrap().is_some(), "{}", setting.path());
        if let Kind::Integer { default, min, max, .. } = setting.kind {
            assert!((min..=max).contains(&default), "{}", setting.path());
        }
        assert!(setting.about.ends_with('.'), "{}", setting.path());
    }
}

#[test]
fn only_what_takes_effect_at_once_may_be_changed_while_running() {
    let store = store(&SettingsSources::new());
    for setting in SETTINGS {
        let written = match setting.kind {
            Kind::Integer { max, .. } => store.update(&setting.path(), max),
            Kind::Text { .. } => store.update(&setting.path(), "x"),
        };
        match setting.effect {
            Effect::AtOnce => assert!(written.is_ok(), "{}: {written:?}", setting.path()),
            Effect::NextRun => assert!(matches!(written, Err(ConfigError::UpdateForbidden { .. })), "{written:?}"),
        }
    }
}

#[test]
fn settings_lie_over_each_other_and_explanations_tell_where_each_stands() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("some.toml");
    std::fs::write(&file, "[read]\n  concurrency = 3\n[review]\ntoken = \"hunter2\"\n").unwrap();
    let variables: Variables = [("FOUNDATION__READ__CONCURRENCY", "4"), ("OTHER", "5")].into_iter().collect();
    let sources = SettingsSources::new().file(&file).environment(variables);
    let sources = sources.flag(READ_CONCURRENCY, 5, "--readers").unwrap();
    let store = store(&sources);
    store.update(READ_CONCURRENCY, 6).unwrap();
    let explained = explain(&store, READ_CONCURRENCY, None).unwrap();
    let said: Vec<_> = explained
        .said
        .iter()
        .map(|said| (said.layer, said.origin.clone().unwrap_or_default(), said.value.to_string(), said.wins))
        .collect();
    let place = format!("{}:2:17", file.display());
    let expected = [
        ("runtime", String::new(), "6", true),
        ("flag", "--readers".to_owned(), "5", false),
        ("env", "environment variable FOUNDATION__READ__CONCURRENCY".to_owned(), "4", false),
        ("file", place, "3", false),
        ("defaults", String::new(), "256", false),
    ];
    assert_eq!(said, expected.map(|(layer, origin, value, wins)| (layer, origin, value.to_owned(), wins)));
    let whole = serde_json::to_string(&explain(&store, "review", None).unwrap()).unwrap();
    assert!(whole.contains("[redacted]") && !whole.contains("hunter2"), "{whole}");
    assert!(matches!(explain(&store, "reviews", None), Err(ConfigError::NotFound { .. })));
}

#[test]
fn what_no_setting_can_be_is_refused_with_its_place_and_what_was_expected() {
    let refused = |text: &str| refusal("a.toml", text);
    for (text, expected) in [
        (
            "[read]\nconcurency = 1\n",
            "DIR/a.toml:2:14: read.concurency: unknown key; expected one of concurrency, files_per_second",
        ),
        (
            "[reading]\n",
            "DIR/a.toml:1:2: reading: unknown table; expected one of crew, task, read, review, report, agents",
        ),
        (
            "[read]\nconcurrency = \"all\"\n",
            "DIR/a.toml:2:15: read.concurrency: expected an integer from 1 to 256, found the text \"all\"",
        ),
        (
            "[read]\nconcurrency = 2.0\n",
            "DIR/a.toml:2:15: read.concurrency: expected an integer from 1 to 256, found the float 2",
        ),
        ("read = 5\n", "DIR/a.toml:1:8: read: expected a table, found 5"),
        (
            "[review]\nper_second = 0\n",
            "DIR/a.toml:2:14: review.per_second: expected an integer from 1 to 1000000, found 0",
        ),
        (
            "[review]\ntoken = 5\n",
            "DIR/a.toml:2:9: review.token: expected a text of at most 1024 printable ASCII characters, found another value",
        ),
        ("[crew]\nreaders = 200\nanalysts = 200\n", "expected at most 256 agents in all, found"),
        (
            "[agents.somebody.read]\nfiles_per_second = 1\n",
            "agents.somebody: expected the name of an agent, such as reader-1, found another",
        ),
        (
            "[agents.\"reader-1\".read]\nconcurrency = 1\n",
            "read.concurrency: unknown key; expected one of files_per_second",
        ),
        ("[agents.\"reader-1\".crew]\nagents = 5\n", "unknown table of an agent; expected one of read"),
        ("include = [\"a.toml\"]\n", "includes itself"),
        ("[read\n", "DIR/a.toml:1:"),
    ] {
        let error = refused(text);
        assert!(error.starts_with("settings refused\n  ") && error.contains(expected), "{text}: {error}");
    }
    let two = refused("[read]\nconcurrency = 0\nfiles_per_second = -1\n");
    assert_eq!(two.lines().count(), 3, "everything that is wrong is told at once: {two}");
}

#[test]
fn hostile_files_are_refused_with_their_place() {
    let deep = format!("read = {}1{}\n", "[".repeat(200), "]".repeat(200));
    assert!(refusal("a.toml", deep).contains("DIR/a.toml:1:"));
    assert!(refusal("a.toml", "x".repeat(foundation_config::source::MAX_FILE_BYTES + 1)).contains("longer than"));
    assert!(refusal("a.toml", b"[read]\nconcurrency = \xff\n").contains("DIR/a.toml:2:15: not UTF-8"));
    assert!(refusal("a.ini", "").contains("extension"));
    let missing = SettingsSources::new().file("no/such/file.toml").open().unwrap_err().to_string();
    assert!(missing.contains("no/such/file.toml"), "{missing}");
}

#[test]
fn tables_of_single_agents_become_their_overrides_and_go_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write("[agents.\"reader-1\".read]\nfiles_per_second = 50\n");
    let opened = SettingsSources::new().file(&file).open().unwrap();
    let store = opened.store();
    let reader = |name: &'static str| AgentId::from_static(name);
    let rate = |name| store.agent(reader(name)).get(READ_RATE).unwrap();
    assert_eq!((rate("reader-1"), rate("reader-2")), (50, 0));
    let explained = explain(store, READ_RATE, Some(&reader("reader-1"))).unwrap();
    assert_eq!(explained.said[0].layer, "agent");
    assert_eq!(explained.said[0].origin, Some(format!("{}:2:20", file.display())));

    // Set in another way, it is none of the file's business.
    store.agent(reader("reader-3")).set(READ_RATE, 7).unwrap();
    write("[agents.\"reader-2\".read]\nfiles_per_second = 60\n");
    store.reload().unwrap();
    assert!(opened.sync().is_empty());
    assert_eq!((rate("reader-1"), rate("reader-2"), rate("reader-3")), (0, 60, 7));
    assert!(opened.sync().is_empty());
    let version = store.status().version;
    assert!(opened.sync().is_empty());
    assert_eq!(store.status().version, version, "nothing is written that is there");
}

#[test]
fn only_roles_with_numbers_are_agents() {
    for name in ["scout-1", "reader-256", "analyst-10", "reviewer-2"] {
        assert!(is_agent(name), "{name}");
    }
    for name in
        ["", "reader", "reader-", "reader-0", "reader-01", "reader-257", "reader-+1", "writer-1", "-1", "Reader-1"]
    {
        assert!(!is_agent(name), "{name}");
    }
}

proptest! {
    #[test]
    fn a_number_is_taken_exactly_if_it_is_in_its_range(index in 0..SETTINGS.len(), number: i64, near in -2_i64..=2) {
        let setting = &SETTINGS[index];
        let Kind::Integer { min, max, .. } = setting.kind else { return Ok(()) };
        for number in [number, min.saturating_add(near), max.saturating_add(near)] {
            let sources = SettingsSources::new().flag(&setting.path(), number, "--set").unwrap();
            let is_in_range = (min..=max).contains(&number);
            match sources.open() {
                Ok(_) => prop_assert!(is_in_range, "{} = {number}", setting.path()),
                // Single numbers of a crew may be too many together.
                Err(error) => prop_assert!(
                    error.to_string().contains(if is_in_range { "agents in all" } else { "found" }),
                    "{} = {number}: {error}", setting.path()
                ),
            }
        }
    }

    #[test]
    fn no_file_makes_it_panic(text in "([a-z\\[\\]\"=. 0-9]{0,12}\n){0,6}") {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let _ = SettingsSources::new().file_in(folder.path()).open();
    }
}

#[test]
fn a_path_of_the_table_is_that_of_the_constant() {
    let known = [path!(read.concurrency: u32), READ_RATE, REVIEW_RATE].map(|path| path.to_string());
    for path in known {
        assert!(SETTINGS.iter().any(|setting| setting.path() == path), "{path}");
    }
}
