//! `foundation init` and `foundation config` as others see them.

#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn foundation(arguments: &[&str], variables: &[(&str, &str)], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_foundation"));
    command.args(arguments).envs(variables.iter().copied()).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// What it prints, if it does what it should.
fn printed(arguments: &[&str], variables: &[(&str, &str)], folder: &Path) -> String {
    let output = foundation(arguments, variables, folder);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    text(&output.stdout).to_owned()
}

/// What it says against it, with exit code 2.
fn refused(arguments: &[&str], folder: &Path) -> String {
    let output = foundation(arguments, &[], folder);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
    text(&output.stderr).to_owned()
}

fn with_file(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("foundation.toml"), text).unwrap();
    folder
}

const FILE: &str = "\
[read]
concurrency = 3

[review]
token = \"hunter2\"

[agents.\"reader-1\".read]
files_per_second = 50
";

#[test]
fn explain_tells_what_each_layer_says_and_which_wins() {
    let folder = with_file(FILE);
    let explain = |arguments: &[&str]| {
        let variables = [("FOUNDATION__READ__CONCURRENCY", "4")];
        printed(&[&["config", "explain", "--config", "foundation.toml"], arguments].concat(), &variables, folder.path())
    };
    assert_eq!(
        explain(&["read.concurrency"]),
        "\
read.concurrency = 4
  wins  env: environment variable FOUNDATION__READ__CONCURRENCY  4
        file: foundation.toml:2:15                               3
        defaults                                                 256
"
    );
    assert_eq!(
        explain(&["read.concurrency", "--set", "read.concurrency=5"]),
        "\
read.concurrency = 5
  wins  flag: --set read.concurrency                             5
        env: environment variable FOUNDATION__READ__CONCURRENCY  4
        file: foundation.toml:2:15                               3
        defaults                                                 256
"
    );
    assert_eq!(
        explain(&["read.files_per_second", "--agent", "reader-1"]),
        "\
read.files_per_second = 50, for reader-1
  wins  agent: foundation.toml:8:20  50
        defaults                     0
"
    );
    assert_eq!(
        explain(&["read.files_per_second", "--agent", "reader-2"]),
        "read.files_per_second = 0, for reader-2\n  wins  defaults  0\n"
    );
    assert_eq!(
        explain(&["read"]),
        "\
read = {\"concurrency\":4,\"files_per_second\":0}
  wins  env: environment variables FOUNDATION__*  {\"concurrency\":4}
        file: foundation.toml:1:2                 {\"concurrency\":3}
  wins  defaults                                  {\"concurrency\":256,\"files_per_second\":0}
"
    );
    assert_eq!(
        explain(&["review.token"]),
        "\
review.token = \"[redacted]\"
  wins  file: foundation.toml:5:9  \"[redacted]\"
        defaults                   \"[redacted]\"
"
    );
    let json: Value = serde_json::from_str(&explain(&["read.concurrency", "--format", "json"])).unwrap();
    assert_eq!((&json["path"], &json["value"]), (&"read.concurrency".into(), &4.into()));
    assert_eq!(
        json["said"][1],
        serde_json::json!({"layer": "file", "origin": "foundation.toml:2:15", "value": 3, "wins": false})
    );
}

#[test]
fn get_and_show_print_what_is_in_force() {
    let folder = with_file(FILE);
    let run = |arguments: &[&str]| printed(&[&["config"], arguments].concat(), &[], folder.path());
    assert_eq!(run(&["get", "read.concurrency"]), "3\n");
    assert_eq!(run(&["get", "read.files_per_second"]), "0\n");
    assert_eq!(run(&["get", "read.files_per_second", "--agent", "reader-1"]), "50\n");
    assert_eq!(run(&["get", "read", "--format", "json"]), "{\n  \"concurrency\": 3,\n  \"files_per_second\": 0\n}\n");
    assert_eq!(run(&["get", "review.token"]), "[redacted]\n");
    let shown = run(&["show", "--config", "foundation.toml"]);
    assert_eq!(shown.lines().count(), 15);
    assert!(shown.contains("read.concurrency = 3         # file: foundation.toml:2:15\n"), "{shown}");
    assert!(shown.contains("report.top = 10              # defaults\n"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let json: Value = serde_json::from_str(&run(&["show", "--format", "json", "--agent", "reader-1"])).unwrap();
    assert_eq!(json["read.files_per_second"]["value"], 50);
    assert_eq!(json["read.files_per_second"]["layer"], "agent");
    assert_eq!(json["review.token"]["value"], "[redacted]");
}

#[test]
fn files_in_other_formats_are_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), "read:\n  concurrency: 7\n").unwrap();
    fs::write(folder.path().join("a.json"), "{\"include\": [\"a.yaml\"], \"review\": {\"attempts\": 5}}").unwrap();
    let get = |path: &str| printed(&["config", "get", path, "--config", "a.json"], &[], folder.path());
    assert_eq!((get("read.concurrency").as_str(), get("review.attempts").as_str()), ("7\n", "5\n"));
}

#[test]
fn what_is_wrong_is_told_with_file_line_path_expected_and_found() {
    let folder = with_file("[read]\nconcurrency = 0\nfoo = 1\n\n[review]\ntoken = [\"hunter2\"]\n");
    let show = ["config", "show", "--config", "foundation.toml"];
    assert_eq!(
        refused(&show, folder.path()),
        "\
error: settings refused
  foundation.toml:2:15: read.concurrency: expected an integer from 1 to 256, found 0
  foundation.toml:3:7: read.foo: unknown key; expected one of concurrency, files_per_second
  foundation.toml:6:9: review.token: expected a text of at most 1024 printable ASCII characters, found another value
"
    );
    let demo = ["demo", "--config", "foundation.toml", "--quiet"];
    assert_eq!(refused(&demo, folder.path()), refused(&show, folder.path()));
    for (file, expected) in [
        ("a = \"\u{0}\"", "foundation.toml:1:"),
        ("[read]\nconcurrency = 1\nconcurrency = 2\n", "foundation.toml:3:1: "),
        ("include = [\"foundation.toml\"]\n", "includes itself: "),
    ] {
        fs::write(folder.path().join("foundation.toml"), file).unwrap();
        let error = refused(&show, folder.path());
        assert!(error.contains(expected), "{file}: {error}");
    }
    fs::write(folder.path().join("foundation.toml"), b"[read]\nconcurrency = 1 # \xE9\n").unwrap();
    assert_eq!(refused(&show, folder.path()), "error: settings refused\n  foundation.toml:2:19: not UTF-8\n");
}

#[test]
fn a_wrong_variable_is_told_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let output = foundation(&["config", "show"], &[("FOUNDATION__READ__SPEED", "fast")], folder.path());
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(error.contains("environment variable FOUNDATION__READ__SPEED: read.speed: unknown key"), "{error}");
}

#[test]
fn a_path_at_which_nothing_is_set_is_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    for what in ["get", "explain"] {
        let output = foundation(&["config", what, "read.speed"], &[], folder.path());
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stderr), "error: read.speed: not set; `foundation config show` lists all settings\n");
    }
}

#[test]
fn init_writes_every_setting_and_overwrites_nothing_unless_it_is_forced() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(printed(&["init"], &[], folder.path()), "wrote ./foundation.toml\n");
    let path = folder.path().join("foundation.toml");
    let written = fs::read_to_string(&path).unwrap();
    let shown = |format: &str| {
        let json = printed(&["config", "show", "--format", "json", "--config", format], &[], folder.path());
        let json: serde_json::Map<String, Value> = serde_json::from_str(&json).unwrap();
        json.into_iter().map(|(path, of)| (path, of["value"].clone())).collect::<Vec<_>>()
    };
    fs::write(folder.path().join("empty.toml"), "").unwrap();
    assert_eq!(shown("foundation.toml"), shown("empty.toml"));

    fs::write(&path, "# mine\n").unwrap();
    let output = foundation(&["init", "."], &[], folder.path());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "error: ./foundation.toml is there already; --force overwrites it\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), "# mine\n");
    printed(&["init", "--force"], &[], folder.path());
    assert_eq!(fs::read_to_string(&path).unwrap(), written);
}

#[test]
fn help_names_the_exit_codes_and_the_layers() {
    let folder = tempfile::tempdir().unwrap();
    let help = printed(&["config", "--help"], &[], folder.path());
    for expected in ["show", "get", "explain", "Exit codes:", "FOUNDATION__READ__CONCURRENCY=2", "Layers"] {
        assert!(help.contains(expected), "{expected} is not in\n{help}");
    }
    assert!(printed(&["init", "--help"], &[], folder.path()).contains("--force"));
}
