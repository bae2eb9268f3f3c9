//! The `foundation` program as others see it: arguments, output, exit codes.

#![cfg(feature = "cli")]

#[cfg(target_os = "linux")]
#[path = "demo_survey/deep.rs"]
mod deep;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn foundation(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_foundation")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("main.rs"), "// Starts.\n\nfn main() {}\n").unwrap();
    fs::write(folder.path().join("notes.zzz"), "text\n").unwrap();
    folder
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_json_report_has_the_promised_fields() {
    let project = project();
    let output = foundation(&["demo", "--report", "json"], project.path());
    assert_eq!(output.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let path = project.path().canonicalize().unwrap();
    assert_eq!(report["input"], path.to_str().unwrap());
    assert_eq!((&report["files"], &report["bytes"]), (&Value::from(2), &Value::from(30)));
    assert_eq!(keys(&report["languages"]), ["Rust"]);
    let rust = &report["languages"]["Rust"];
    for (field, value) in [("files", 1), ("lines", 3), ("code", 1), ("comments", 1), ("blanks", 1)] {
        assert_eq!(rust[field], value, "{field}");
    }
    assert_eq!(report["top_files"], serde_json::json!([{"path": "main.rs", "language": "Rust", "code": 1}]));
    let agents = report["agents"].as_array().unwrap();
    assert_eq!(agents.len(), 8);
    for agent in agents {
        assert!(agent["id"].is_string() && agent["tasks"].is_u64() && agent["restarts"].is_u64(), "{agent}");
        assert!(!agent["capabilities"].as_array().unwrap().is_empty(), "{agent}");
    }
    assert!(report["elapsed_ms"].is_u64());
    for field in ["killed", "panicked", "hung", "reassigned"] {
        assert_eq!(report["chaos"][field], 0, "{field}");
    }
    for (field, value) in [("done", 2), ("refused", 0), ("retried", 0), ("returned", 0), ("failed", 0)] {
        assert_eq!(report["reviews"][field], value, "{field}");
    }
    assert_eq!(report["reviews"]["grades"]["excellent"], 2);
    let breaker = &report["breakers"][0];
    assert_eq!(
        (&breaker["name"], &breaker["state"], &breaker["opened"], &breaker["rejected"], &breaker["history"]),
        (&"reviews".into(), &"closed".into(), &0.into(), &0.into(), &serde_json::json!([]))
    );
    assert_eq!((&report["limiters"][0]["name"], &report["limiters"][0]["allowed"]), (&"reviews".into(), &2.into()));
    assert_eq!((&report["pools"][0]["name"], &report["pools"][0]["checkouts"]), (&"reviews".into(), &2.into()));
    assert_eq!(report["skipped"], serde_json::json!([]));
    assert_eq!(report["left"], Value::Null);
    let config = &report["config"];
    assert_eq!((&config["version"], &config["changes"]), (&1.into(), &serde_json::json!([])));
    assert_eq!(config["rejected"], serde_json::json!([]));
    let lifecycle = &report["lifecycle"];
    assert_eq!((&lifecycle["restarts"], &lifecycle["abandoned"]), (&0.into(), &serde_json::json!([])));
    assert_eq!(lifecycle["services"], lifecycle["stopped"].as_array().unwrap().len());
    assert_eq!(report["digest"].as_str().unwrap().len(), 64);
}

#[test]
fn the_text_report_goes_to_standard_output_and_nothing_else_does() {
    let project = project();
    let output = foundation(&["demo", "--quiet", "--agents", "4"], project.path());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
    let report = text(&output.stdout);
    for expected in [
        "2 files, 30 B, in 1 directory",
        "Rust",
        "Total",
        "main.rs",
        "scout-1",
        "reviewer-1",
        "Reviews: 2 done",
        "Circuit reviews: closed; opened 0 times",
        "Limiter reviews: 2 let through",
        "Pool reviews: 1 connection, lent 2 times",
        "Every file was counted once, and every text reviewed once",
    ] {
        assert!(report.contains(expected), "{expected} is not in\n{report}");
    }
    assert!(!report.contains('\u{1b}'), "no colours where there is no terminal");
}

#[test]
fn the_input_is_the_workspace_around_unless_it_is_named() {
    let project = project();
    fs::write(project.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    let inner = project.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::write(inner.join("lib.py"), "x = 1\n").unwrap();
    let files = |arguments: &[&str]| {
        let output = foundation(&[&["demo", "--report", "json"], arguments].concat(), &inner);
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["files"].clone()
    };
    assert_eq!(files(&[]), 4);
    assert_eq!(files(&["--input", "."]), 1);
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_cannot_be_counted_makes_exit_code_1() {
    let project = project();
    deep::bury(project.path());
    let output = foundation(&["demo", "--report", "json"], project.path());
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["complete"], &report["files"]), (&Value::from(false), &Value::from(2)));
    assert!(report["skipped"][0]["reason"].as_str().unwrap().starts_with("unreadable: "), "{report}");
    let output = foundation(&["demo"], project.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("NOT every file was counted"));
}

#[test]
fn a_reviewing_service_that_is_not_there_makes_exit_code_1() {
    let project = project();
    // Nobody listens there: ports below 1024 are not given out.
    let output = foundation(&["demo", "--quiet", "--reviewer", "127.0.0.1:1"], project.path());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).contains("no reviewing service at 127.0.0.1:1: "), "{}", text(&output.stderr));
}

#[test]
fn arguments_that_make_no_sense_are_explained_with_exit_code_2() {
    let project = project();
    for (arguments, expected) in [
        (&["demo", "--agents", "2"][..], "a crew has 4 to 256 agents, not 2"),
        (&["demo", "--agents", "many"], "not a number"),
        (&["demo", "--input", "nowhere"], "--input"),
        (&["demo", "--input", "main.rs"], "not a directory"),
        (&["demo", "--report", "xml"], "json"),
        (&["demo", "--task-timeout", "5d"], "no unit of time"),
        (&["demo", "--chaos", "seven"], "--chaos"),
        (&["demo", "--top", "5000"], "at most 1000"),
        (&["demo", "--reviews-per-second", "0"], "--reviews-per-second"),
        (&["demo", "--reviewer", "192.0.2.1:80"], "loopback"),
        (&["demo", "--reviewer", "localhost"], "not an address with a port"),
        (&["demo", "--set", "read.concurrency"], "expected PATH=VALUE"),
        (
            &["demo", "--set", "read.concurrency=0"],
            "--set read.concurrency: read.concurrency: expected an integer from 1",
        ),
        (&["demo", "--config", "none.toml"], "none.toml"),
        (&["config", "get", "read..x"], "error"),
        (&["config", "show", "--config", "main.rs"], "its extension is none of"),
        (&["dance"], "dance"),
        (&[], "Usage"),
    ] {
        let output = foundation(arguments, project.path());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn help_names_every_option_and_the_exit_codes() {
    let project = project();
    let output = foundation(&["demo", "--help"], project.path());
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    for expected in [
        "--input <DIR>",
        "--agents <N>",
        "--report <REPORT>",
        "--chaos <SEED>",
        "--task-timeout <TIME>",
        "--top <N>",
        "--reviews-per-second <N>",
        "--reviewer <ADDR>",
        "reviewers have every text reviewed",
        "--quiet",
        "--config <FILE>",
        "--set <PATH=VALUE>",
        "FOUNDATION__READ__CONCURRENCY=2",
        "130  stopped early by SIGINT",
        "143  stopped early by SIGTERM",
        "Exit codes:",
        "default: 10s, with --chaos 1s",
    ] {
        assert!(help.contains(expected), "{expected} is not in\n{help}");
    }
    assert_eq!(foundation(&["--version"], project.path()).status.code(), Some(0));
}
