//! `cargo xtask bench`: the benchmarks of the subsystems beside their peers.
//!
//! A subsystem's benchmarks are a `[[bench]]` without harness that knows three arguments:
//!
//! - `--json` prints one JSON object a line and measurement, as [`table::Measurement`] reads it;
//! - `--list-instructions` prints `name <tab> function pattern <tab> iterations` for each workload whose instructions
//!   can be counted;
//! - `--instructions NAME` runs that workload, so often that functions matching the pattern see so many iterations.

mod callgrind;
mod table;

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

use self::table::Table;
use crate::command;
use crate::metadata::{Metadata, Package, Target};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The subsystem to measure, for example `registry`; all that have benchmarks when left out
    subsystem: Option<String>,
    /// Count instructions under callgrind instead of measuring time
    #[arg(long)]
    instructions: bool,
    /// Handed to the benchmarks
    #[arg(last = true, value_name = "ARGS")]
    passed_on: Vec<String>,
}

pub(crate) fn run(sh: &Shell, args: &Args) -> Result<ExitCode> {
    let metadata = Metadata::read(sh)?;
    let benches = selected(&metadata, args.subsystem.as_deref())?;
    if args.instructions {
        callgrind::ensure_installed(sh)?;
        let mut counts = Vec::new();
        for (package, bench) in &benches {
            let executable = callgrind::build(sh, &selection(package, bench))?;
            counts.extend(callgrind::count(sh, &executable)?);
        }
        println!("{}", callgrind::table(&counts));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::default();
    for (package, bench) in &benches {
        let selection = selection(package, bench);
        let extra = &args.passed_on;
        let measured = Command::from(cmd!(sh, "cargo bench --locked {selection...} -- --json {extra...}"));
        let shown = command::line(&measured);
        eprintln!("$ {shown}");
        table
            .extend(&output_of(measured).with_context(|| format!("the benchmark failed; to see it again: {shown}"))?)?;
    }
    println!("{table}");
    Ok(ExitCode::SUCCESS)
}

/// The benchmarks of one subsystem, or of all.
fn selected<'a>(metadata: &'a Metadata, subsystem: Option<&str>) -> Result<Vec<(&'a Package, &'a Target)>> {
    let benches_of = |package: &'a Package| package.targets_of_kind("bench").map(move |bench| (package, bench));
    let having: Vec<_> = metadata.members().flat_map(benches_of).collect();
    let Some(subsystem) = subsystem else {
        ensure!(!having.is_empty(), "no crate has benchmarks");
        return Ok(having);
    };
    let name = format!("foundation-{subsystem}");
    let benches: Vec<_> = metadata.member(&name).into_iter().flat_map(benches_of).collect();
    if benches.is_empty() {
        let mut known: Vec<_> =
            having.iter().map(|(package, _)| package.name.trim_start_matches("foundation-")).collect();
        known.dedup();
        bail!("{name} has no benchmarks; those with some: {}", known.join(", "));
    }
    Ok(benches)
}

/// The arguments that select a benchmark and the features it requires.
fn selection(package: &Package, bench: &Target) -> Vec<String> {
    let mut selection = vec![format!("--package={}", package.name), format!("--bench={}", bench.name)];
    selection.extend(bench.required_features.iter().map(|feature| format!("--features={feature}")));
    selection
}

/// What a command printed, with its standard error passed on as it comes.
fn output_of(mut command: Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).context("its output is not UTF-8")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata() -> Metadata {
        let package = |name: &str, benches: &[&str]| {
            json!({
                "id": name, "name": name, "version": "0.1.0", "manifest_path": format!("/w/{name}/Cargo.toml"), "publish": null,
                "targets": benches.iter()
                    .map(|bench| json!({ "name": bench, "kind": ["bench"], "required-features": ["agent"] }))
                    .collect::<Vec<_>>(),
            })
        };
        serde_json::from_value(json!({
            "packages": [package("foundation-types", &[]), package("foundation-registry", &["registry", "memory"])],
            "workspace_members": ["foundation-types", "foundation-registry"],
            "workspace_root": "/w", "target_directory": "/w/target", "resolve": { "nodes": [] },
        }))
        .unwrap()
    }

    #[test]
    fn a_subsystem_is_named_without_its_prefix_and_all_its_benchmarks_run() {
        let metadata = metadata();
        for subsystem in [Some("registry"), None] {
            let benches = selected(&metadata, subsystem).unwrap();
            let names: Vec<_> = benches.iter().map(|(_, bench)| bench.name.as_str()).collect();
            assert_eq!(names, ["registry", "memory"]);
        }
        let (package, bench) = selected(&metadata, None).unwrap()[0];
        let expected = ["--package=foundation-registry", "--bench=registry", "--features=agent"];
        assert_eq!(selection(package, bench), expected);
    }

    #[test]
    fn a_subsystem_without_benchmarks_is_refused_with_those_that_have_some() {
        for subsystem in ["types", "no-such-subsystem"] {
            let error = selected(&metadata(), Some(subsystem)).unwrap_err().to_string();
            assert!(error.ends_with("those with some: registry"), "{error}");
        }
    }
}
