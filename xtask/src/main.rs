//! The tasks of the workspace: `cargo xtask <command>`.

#![forbid(unsafe_code)]

mod bench;
mod ci;
mod command;
mod demo;
mod fuzz;
mod house;
mod metadata;
mod rules;
mod source;
mod step;
mod totals;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use xshell::Shell;

/// Development tasks of the Foundation workspace
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    /// Everything a change has to pass; the last line counts the tests
    Ci(ci::Args),
    /// A fleet of agents surveys a source tree
    Demo(demo::Args),
    /// Benchmarks beside their peers, as one table of ratios
    Bench(bench::Args),
    /// Lists or runs the fuzz targets
    Fuzz(fuzz::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    perform(cli.task).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn perform(task: Task) -> Result<ExitCode> {
    let sh = Shell::new()?;
    sh.change_dir(workspace_root()?);
    match task {
        Task::Ci(args) => ci::run(&sh, &args),
        Task::Demo(args) => demo::run(&sh, &args),
        Task::Bench(args) => bench::run(&sh, &args),
        Task::Fuzz(args) => fuzz::run(&sh, &args),
    }
}

/// The folder above this crate: where cargo says the crate is, or where it was built when not run by cargo.
fn workspace_root() -> Result<PathBuf> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Ok(PathBuf::from(manifest).parent().context("the crate xtask lies in no folder")?.to_owned())
}
