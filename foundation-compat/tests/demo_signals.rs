//! Ctrl-C and its relatives, sent to the program as they come.

#![cfg(all(feature = "cli", unix))]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

/// So many files that at a file a second nobody comes to an end.
const FILES: usize = 500;

fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..FILES {
        fs::write(folder.path().join(format!("file_{number}.rs")), format!("// {number}\n")).unwrap();
    }
    folder
}

/// A survey under way.
struct Demo {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Demo {
    fn start(tree: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_foundation"));
        command.args(["demo", "--input"]).arg(tree).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child, said }
    }

    /// Waits until it says something like this.
    fn await_line(&mut self, part: &str) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert!(self.said.read_line(&mut line).unwrap() > 0, "{part} is not in\n{all}");
            if line.contains(part) {
                return line;
            }
            all.push_str(&line);
        }
    }

    fn send(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Its exit code, and what it reports.
    fn end(mut self) -> (Option<i32>, String) {
        let mut report = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut report).unwrap();
        (self.child.wait().unwrap().code(), report)
    }
}

#[test]
fn the_first_signal_stops_in_order_and_reports_what_was_counted_and_what_was_left() {
    let tree = tree();
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut demo = Demo::start(tree.path(), &["--set", "read.files_per_second=1", "--report", "json"]);
        demo.await_line("read ");
        demo.send(signal);
        demo.await_line("stopping: ");
        let (exit, report) = demo.end();
        assert_eq!(exit, Some(code), "{report}");
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["complete"], false);
        let count = |field: &serde_json::Value| field.as_u64().unwrap();
        let left = &report["left"];
        assert_eq!(count(&report["files"]) + count(&left["unread"]) + count(&left["uncounted"]), FILES as u64);
        assert!(count(&report["files"]) > 0 && count(&left["unread"]) > 0, "{left}");
        let stopped: Vec<_> =
            report["lifecycle"]["stopped"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let place = |name: &str| stopped.iter().position(|stopped| *stopped == name).unwrap();
        let order = ["scout-1", "reader-1", "analyst-1", "reviewer-1", "reviews", "settings"].map(place);
        assert!(order.is_sorted(), "{stopped:?}");
    }
}

#[test]
fn the_report_for_people_says_how_to_go_on() {
    let tree = tree();
    let mut demo = Demo::start(tree.path(), &["--set", "read.files_per_second=1"]);
    demo.await_line("read ");
    demo.send("-INT");
    let (exit, report) = demo.end();
    assert_eq!(exit, Some(130), "{report}");
    let last = report.lines().last().unwrap();
    assert!(last.starts_with("Stopped early: ") && last.contains("files not read"), "{last}");
    assert!(last.ends_with("Nothing is kept: the same command begins anew."), "{last}");
}

#[test]
fn the_second_signal_stops_at_once() {
    let tree = tree();
    // It takes texts, and never says anything: reviewers wait for it much longer than anybody will.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let arguments =
            ["--reviewer", &address, "--set", "review.timeout_ms=600000", "--set", "read.files_per_second=1"];
        let mut demo = Demo::start(tree.path(), &arguments);
        demo.await_line("read ");
        demo.send("-INT");
        demo.await_line("stopping: ");
        demo.send(signal);
        let (exit, report) = demo.end();
        assert_eq!((exit, report.as_str()), (Some(code), ""), "nothing is reported");
    }
}
