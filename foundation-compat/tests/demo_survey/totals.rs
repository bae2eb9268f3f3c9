use crate::direct::{Totals, lines};
use crate::{crew, settings, survey, tree};

#[test]
fn totals_are_those_of_an_independent_count_for_any_crew() {
    let tree = tree::repository();
    let expected = Totals::count(tree.path(), 10);
    assert!(expected.files > 300 && expected.languages.len() >= 7 && expected.binary == 2, "{expected:?}");
    let mut digests = Vec::new();
    for total in [4, 5, 8, 33] {
        let found = survey(settings(tree.path()).with_crew(crew(total)));
        assert_eq!(Totals::of(&found), expected, "{total} agents");
        assert!(found.complete && found.skipped.is_empty());
        assert_eq!(found.agents.len(), total);
        assert!(found.agents.iter().all(|agent| agent.restarts == 0));
        digests.push(found.digest);
    }
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{digests:?}");
}

#[test]
fn every_line_of_a_file_counts_for_its_language() {
    let tree = tree::repository();
    let found = survey(settings(tree.path()));
    for (language, extension) in [("Rust", "rs"), ("Python", "py"), ("C", "c"), ("TOML", "toml")] {
        let expected = lines(tree.path(), extension);
        assert!(expected > 0);
        assert_eq!(found.languages[language].counts.lines, expected, "{language}");
    }
    let rust = found.languages["Rust"];
    assert!(rust.embedded.lines > 0 && rust.embedded.lines < rust.counts.lines);
}

#[test]
fn tasks_of_the_agents_are_the_directories_and_files() {
    let tree = tree::repository();
    let found = survey(settings(tree.path()));
    let tasks = |role: &str| -> u64 {
        found.agents.iter().filter(|agent| agent.id.starts_with(role)).map(|agent| agent.tasks).sum()
    };
    assert_eq!(tasks("scout"), found.directories);
    assert_eq!(tasks("reader"), found.files);
    assert_eq!(tasks("analyst"), found.languages.values().map(|totals| totals.files).sum::<u64>());
    assert_eq!(tasks("reviewer"), found.reviews.done);
}

#[test]
fn analysts_know_the_languages_there_are_and_every_agent_its_craft() {
    let tree = tree::repository();
    let found = survey(settings(tree.path()));
    let capabilities: Vec<_> = found.agents.iter().flat_map(|agent| &agent.capabilities).collect();
    for language in found.languages.keys() {
        assert!(capabilities.iter().any(|capability| **capability == format!("analyze:{language}")), "{language}");
    }
    for agent in &found.agents {
        let craft = match agent.id.split_once('-').unwrap().0 {
            "scout" => "scan",
            "reader" => "read",
            "reviewer" => "review",
            _ => "analyze",
        };
        assert!(agent.capabilities.iter().any(|capability| capability == craft), "{agent:?}");
    }
}

#[test]
fn five_thousand_files_in_one_directory_are_counted() {
    let tree = tree::flat(5000);
    let found = survey(settings(tree.path()));
    assert_eq!(Totals::of(&found), Totals::count(tree.path(), 10));
    assert_eq!((found.files, found.directories, found.complete), (5000, 2, true));
}

#[test]
fn more_files_than_may_wait_make_scouts_wait() {
    let files = foundation_compat::demo::settings::MAX_WAITING_FILES + 4000;
    let tree = tree::flat(files);
    let found = survey(settings(tree.path()).with_crew(crew(4)));
    assert_eq!(Totals::of(&found), Totals::count(tree.path(), 10));
    assert_eq!((found.files, found.complete), (files as u64, true));
}

#[test]
fn the_list_of_the_largest_files_is_as_long_as_asked() {
    let tree = tree::repository();
    for top in [0, 1, 25] {
        let found = survey(settings(tree.path()).with_top(top));
        assert_eq!(found.top_files.len(), top);
        assert_eq!(Totals::of(&found), Totals::count(tree.path(), top));
    }
}
