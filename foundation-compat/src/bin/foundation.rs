//! The `foundation` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    foundation_compat::cli::run(std::env::args_os())
}
