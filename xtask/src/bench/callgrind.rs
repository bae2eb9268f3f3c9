//! Instruction counts: the same on every run and every machine of one kind, so that a change can be judged by them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use xshell::{Shell, cmd};

use super::output_of;
use super::table::aligned;

/// A workload and how many instructions it took.
#[derive(Debug)]
pub(crate) struct Count {
    workload: Workload,
    instructions: u64,
}

/// A line of `--list-instructions`.
#[derive(Debug, PartialEq, Eq)]
struct Workload {
    name: String,
    /// The functions inside which instructions count, as valgrind's `--toggle-collect` takes them.
    pattern: String,
    iterations: u64,
}

pub(crate) fn ensure_installed(sh: &Shell) -> Result<()> {
    let version = cmd!(sh, "valgrind --version").quiet().ignore_stderr().read();
    version.map(drop).context("valgrind is not installed; on Debian: apt-get install valgrind")
}

/// Builds a benchmark and tells where it is.
pub(crate) fn build(sh: &Shell, selection: &[String]) -> Result<PathBuf> {
    let built = cmd!(sh, "cargo bench --locked --no-run --message-format=json-render-diagnostics {selection...}");
    let messages = output_of(built.into()).context("the benchmark does not build")?;
    messages.lines().find_map(executable).context("cargo built no benchmark")
}

/// The program that a message of cargo announces, if it is a benchmark.
fn executable(message: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Artifact {
        executable: Option<PathBuf>,
        target: Kind,
    }
    #[derive(Deserialize)]
    struct Kind {
        kind: Vec<String>,
    }
    let artifact: Artifact = serde_json::from_str(message).ok()?;
    artifact.executable.filter(|_| artifact.target.kind.iter().any(|kind| kind == "bench"))
}

/// Runs every workload of a benchmark under callgrind.
pub(crate) fn count(sh: &Shell, executable: &Path) -> Result<Vec<Count>> {
    let listed = cmd!(sh, "{executable} --list-instructions").quiet().read()?;
    let workloads = workloads(&listed)?;
    ensure!(!workloads.is_empty(), "{} lists no workload to count", executable.display());
    workloads
        .into_iter()
        .map(|workload| {
            let Workload { name, pattern, .. } = &workload;
            eprintln!("counting {name}");
            let valgrind =
                cmd!(sh, "valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect={pattern}");
            let output = valgrind.args([executable.as_os_str(), "--instructions".as_ref(), name.as_ref()]).quiet();
            let output = output.ignore_status().output().context("cannot start valgrind")?;
            let log = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.success(), "workload {name} failed under valgrind:\n{log}");
            match collected(&log) {
                Some(instructions) if instructions > 0 => Ok(Count { workload, instructions }),
                Some(_) => bail!("no function that workload {name} calls matches `{pattern}`; was it inlined?"),
                None => bail!("valgrind reported no count for workload {name}:\n{log}"),
            }
        })
        .collect()
}

fn workloads(listed: &str) -> Result<Vec<Workload>> {
    let lines = listed.lines().filter(|line| !line.trim().is_empty());
    let parsed = lines.map(|line| {
        let mut fields = line.split('\t');
        let (Some(name), Some(pattern), Some(iterations), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            bail!("not `name <tab> pattern <tab> iterations`: `{line}`");
        };
        let iterations = iterations.trim().parse().with_context(|| format!("not a number of iterations: `{line}`"))?;
        ensure!(iterations > 0, "no iterations: `{line}`");
        Ok(Workload { name: name.into(), pattern: pattern.into(), iterations })
    });
    parsed.collect()
}

/// The count in a line such as `==42== Collected : 12345`.
fn collected(log: &str) -> Option<u64> {
    log.lines().find_map(|line| {
        let (_, count) = line.split_once("Collected :")?;
        count.split_whitespace().next()?.parse().ok()
    })
}

pub(crate) fn table(counts: &[Count]) -> String {
    let heading = ["workload", "instructions", "iterations", "instructions each"].map(str::to_owned).to_vec();
    let rows = counts.iter().map(|Count { workload, instructions }| {
        let each = *instructions as f64 / workload.iterations as f64;
        vec![workload.name.clone(), instructions.to_string(), workload.iterations.to_string(), format!("{each:.1}")]
    });
    aligned(&std::iter::once(heading).chain(rows).collect::<Vec<_>>(), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workloads_are_read_line_by_line() {
        let parsed = workloads("lookup\t*::lookup*\t1000\nregister\t*::register*\t10\n").unwrap();
        assert_eq!(parsed.len(), 2);
        assert_eq!(parsed[0], Workload { name: "lookup".into(), pattern: "*::lookup*".into(), iterations: 1000 });
    }

    #[test]
    fn a_malformed_workload_is_refused() {
        for line in ["lookup", "lookup\tpattern", "lookup\tpattern\tmany", "lookup\tpattern\t0", "a\tb\t1\tc"] {
            assert!(workloads(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_count_is_found_in_what_callgrind_says() {
        let log = "==42== Events    : Ir\n==42== Collected : 123456\n==42==\n";
        assert_eq!(collected(log), Some(123_456));
        assert_eq!(collected("==42== Events    : Ir\n"), None);
    }

    #[test]
    fn only_a_benchmark_that_was_built_is_taken_from_the_messages_of_cargo() {
        let artifact = |kind: &str, path: &str| {
            executable(&format!(
                r#"{{"reason":"compiler-artifact","target":{{"kind":["{kind}"]}},"executable":{path}}}"#
            ))
        };
        assert_eq!(artifact("bench", r#""/t/registry-1""#), Some(PathBuf::from("/t/registry-1")));
        assert_eq!(artifact("bin", r#""/t/foundation""#), None);
        assert_eq!(artifact("lib", "null"), None);
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#), None);
    }

    #[test]
    fn instructions_are_shown_per_iteration() {
        let workload = Workload { name: "lookup".into(), pattern: "*".into(), iterations: 10 };
        let text = table(&[Count { workload, instructions: 1234 }]);
        assert!(text.lines().last().is_some_and(|line| line.ends_with("123.4")), "{text}");
    }
}
