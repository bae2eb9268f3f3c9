//! `cargo xtask fuzz`: lists and runs the fuzz targets of the crate in `fuzz/`.
//!
//! That crate is no member of the workspace: libFuzzer needs a nightly compiler, nothing else does.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use crate::command;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The target to run; with `--seconds` but no target all of them run, with neither they are listed
    target: Option<String>,
    /// How long to run each target [default: 60 for a target that is named]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seconds: Option<u32>,
}

pub(crate) fn run(sh: &Shell, args: &Args) -> Result<ExitCode> {
    let manifest = sh.read_file("fuzz/Cargo.toml").context("cannot read the manifest of the fuzz targets")?;
    let targets = targets(&manifest)?;
    let chosen = match (&args.target, args.seconds) {
        (None, None) => {
            println!("{}", targets.join("\n"));
            return Ok(ExitCode::SUCCESS);
        }
        (None, Some(_)) => targets,
        (Some(name), _) => {
            ensure!(targets.contains(name), "there is no fuzz target `{name}`; there are: {}", targets.join(", "));
            vec![name.clone()]
        }
    };
    ensure_installed(sh)?;
    let limit = format!("-max_total_time={}", args.seconds.unwrap_or(60));
    for target in chosen {
        // What libFuzzer finds goes into the first folder; it only reads the second.
        let (corpus, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
        sh.create_dir(&corpus).context("cannot make a folder for the corpus")?;
        let inputs = if sh.path_exists(&seeds) { vec![corpus, seeds] } else { vec![corpus] };
        let mut fuzzing = Command::from(cmd!(sh, "rustup run nightly cargo fuzz run {target} {inputs...} -- {limit}"));
        println!("$ {}", command::line(&fuzzing));
        let status = fuzzing.stdin(Stdio::null()).status().context("cannot start rustup")?;
        if !status.success() {
            eprintln!("fuzz target {target} failed; the input that did it is in fuzz/artifacts/{target}");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The programs that the manifest declares.
fn targets(manifest: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest.parse().context("the manifest of the fuzz targets is not TOML")?;
    let bins = manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten();
    let names: Vec<_> = bins.filter_map(|bin| Some(bin.get("name")?.as_str()?.to_owned())).collect();
    ensure!(!names.is_empty(), "the manifest of the fuzz targets declares none");
    Ok(names)
}

fn ensure_installed(sh: &Shell) -> Result<()> {
    let answers = |cmd: xshell::Cmd<'_>| cmd.quiet().ignore_stderr().read().is_ok();
    ensure!(
        answers(cmd!(sh, "rustup run nightly rustc --version")),
        "fuzzing needs a nightly compiler: rustup toolchain install nightly --profile minimal"
    );
    ensure!(answers(cmd!(sh, "cargo fuzz --version")), "fuzzing needs cargo-fuzz: cargo install cargo-fuzz --locked");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_of_the_manifest_are_the_targets() {
        let manifest = "[package]\nname = \"fuzz\"\n[[bin]]\nname = \"a\"\npath = \"a.rs\"\n[[bin]]\nname = \"b\"\n";
        assert_eq!(targets(manifest).unwrap(), ["a", "b"]);
    }

    #[test]
    fn a_manifest_without_targets_is_refused() {
        assert!(targets("[package]\nname = \"fuzz\"\n").is_err());
        assert!(targets("[[bin").is_err());
    }
}
