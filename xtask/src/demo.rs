//! `cargo xtask demo`: builds the `foundation` program and has it run its demo.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use xshell::Shell;

#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Handed to `foundation demo`; `--help` explains them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    args: Vec<OsString>,
}

/// In the caller's own directory, which relative paths in the arguments refer to.
pub(crate) fn run(sh: &Shell, args: &Args) -> Result<ExitCode> {
    let manifest = sh.current_dir().join("Cargo.toml");
    let mut command = Command::new("cargo");
    command
        .arg("run")
        .arg("--manifest-path")
        .arg(manifest)
        .args(["--release", "--package", "foundation-compat", "--features", "cli", "--bin", "foundation", "--", "demo"])
        .args(&args.args);
    become_command(command).context("cannot start cargo")
}

/// Becomes the command, so that signals, the terminal and the exit code are the demo's own.
#[cfg(unix)]
fn become_command(mut command: Command) -> std::io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(&mut command))
}

#[cfg(not(unix))]
fn become_command(mut command: Command) -> std::io::Result<ExitCode> {
    let code = command.status()?.code().unwrap_or(1);
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}
