//! Rules of the house about source text that no lint of the compiler or of clippy knows.

use std::path::Path;

use crate::source::code_only;

/// Something that sources may not contain.
struct Ban {
    /// What is searched for in code.
    patterns: &'static [&'static str],
    applies: fn(&Path) -> bool,
    /// Whether it is only banned in tests: in test folders and below the first `#[cfg(test)]` of a file.
    in_tests_only: bool,
    instead: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        patterns: &["Instant::now", "SystemTime::now", "Timestamp::now", "Zoned::now", "Utc::now", "Local::now"],
        applies: |path| !measures_real_time(path),
        in_tests_only: false,
        instead: "take the time from a `Clock`",
    },
    Ban {
        patterns: &["thread::sleep"],
        applies: |_| true,
        in_tests_only: true,
        instead: "move a `ManualClock`, or wait for the event itself",
    },
    Ban {
        patterns: &["#[ignore"],
        applies: |_| true,
        in_tests_only: false,
        instead: "make the test pass everywhere, or delete it",
    },
    Ban {
        patterns: &["todo!(", "unimplemented!(", "dbg!("],
        applies: |_| true,
        in_tests_only: false,
        instead: "finish it before it is merged",
    },
];

/// The places that may read a clock: the clock itself, measurements, and the tasks of the workspace.
fn measures_real_time(path: &Path) -> bool {
    path == Path::new("foundation-types/src/time/clock.rs")
        || path.starts_with("xtask")
        || path.components().any(|part| part.as_os_str() == "benches")
}

fn is_test_code(path: &Path) -> bool {
    path.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "conformance")))
        || matches!(path.file_name().and_then(|name| name.to_str()), Some("tests.rs" | "conformance.rs"))
}

/// Every breach of the rules in the source file at `path`, relative to the workspace.
pub(crate) fn breaches(path: &Path, source: &str) -> Vec<String> {
    let code = code_only(source);
    let mut in_tests = is_test_code(path);
    let mut found = Vec::new();
    for (index, (code, text)) in code.lines().zip(source.lines()).enumerate() {
        in_tests |= code.trim_start().starts_with("#[cfg(test)]");
        let mut report = |what: &str, instead: &str| {
            found.push(format!("{}:{}: `{what}`: {instead}", path.display(), index + 1));
        };
        for ban in BANS.iter().filter(|ban| (ban.applies)(path) && (in_tests || !ban.in_tests_only)) {
            for pattern in ban.patterns.iter().filter(|pattern| contains_word(code, pattern)) {
                report(pattern, ban.instead);
            }
        }
        if let Some(fence) = doc_fence(text)
            && fence.split([',', ' ']).any(|word| word == "ignore")
        {
            report("```ignore", "let the example run, or mark it `no_run` or `text`");
        }
    }
    found
}

/// Whether `pattern` occurs in `code` other than as the tail of a longer name.
fn contains_word(code: &str, pattern: &str) -> bool {
    code.match_indices(pattern).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

/// The attributes of the code fence that a line of documentation opens.
fn doc_fence(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))?;
    text.trim().strip_prefix("```")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(path: &str, source: &str) -> Vec<usize> {
        let breaches = breaches(Path::new(path), source);
        breaches.iter().map(|b| b.split(':').nth(1).unwrap().parse().unwrap()).collect()
    }

    #[test]
    fn only_the_clock_the_benches_and_the_tasks_read_a_clock() {
        let source = "fn f() {\n    let t = std::time::Instant::now();\n}\n";
        assert_eq!(lines_of("foundation-registry/src/table.rs", source), [2]);
        assert_eq!(lines_of("foundation-registry/tests/table.rs", source), [2]);
        assert_eq!(lines_of("foundation-types/src/value.rs", source), [2]);
        for allowed in
            ["foundation-types/src/time/clock.rs", "foundation-registry/benches/registry.rs", "xtask/src/step.rs"]
        {
            assert!(lines_of(allowed, source).is_empty(), "{allowed}");
        }
    }

    #[test]
    fn another_clock_of_ours_may_be_called_anything() {
        assert!(lines_of("foundation-types/src/value.rs", "let t = ManualInstant::now();").is_empty());
    }

    #[test]
    fn no_test_sleeps_but_a_worker_may() {
        let worker = "fn f() {\n    thread::sleep(d);\n}\n";
        assert!(lines_of("foundation-compat/src/fleet.rs", worker).is_empty());
        assert_eq!(lines_of("foundation-compat/tests/fleet.rs", worker), [2]);
        assert_eq!(lines_of("foundation-registry/src/conformance/names.rs", worker), [2]);
        let with_tests = format!("{worker}#[cfg(test)]\nmod tests {{\n    fn g() {{ std::thread::sleep(d) }}\n}}\n");
        assert_eq!(lines_of("foundation-compat/src/fleet.rs", &with_tests), [6]);
    }

    #[test]
    fn no_test_is_ignored_in_code_or_documentation() {
        let source = "/// ```ignore\n/// x\n/// ```\n#[test]\n#[ignore = \"slow\"]\nfn t() {}\n//! ```rust,ignore\n";
        assert_eq!(lines_of("foundation-types/src/value.rs", source), [1, 5, 7]);
        assert!(lines_of("foundation-types/src/value.rs", "/// ```no_run\n/// we ignore this\n/// ```\n").is_empty());
    }

    #[test]
    fn unfinished_code_is_found_and_talk_about_it_is_not() {
        let source = "// todo!() is banned\nfn f() { todo!() }\nlet s = \"dbg!(x)\";\n";
        assert_eq!(lines_of("foundation-types/src/value.rs", source), [2]);
    }
}
