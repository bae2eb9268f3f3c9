//! The `foundation` program: its arguments, and what it does with them.

mod args;
mod demo;
mod duration;
mod settings;
mod signals;

use std::ffi::OsString;
use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::demo::SurveyError;
use crate::demo::config::SettingsError;

/// Everything was done.
const SUCCESS: u8 = 0;
/// It could not be done, or not all of it.
const FAILURE: u8 = 1;
/// The arguments, or the settings, make no sense.
const REFUSED: u8 = 2;

/// Runs the program with these arguments, the first of which is its name. The exit code is 0 if everything was done, 1 if
/// not, 2 if the arguments or the settings make no sense, and 130 or 143 if a signal stopped it early.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help, too, comes this way, with code 0. If it cannot be printed, there is nobody to tell.
            let _ = error.print();
            return u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    log();
    let done = match cli.command {
        Command::Demo(args) => demo::run(args),
        Command::Init(args) => settings::init(&args),
        Command::Config(command) => settings::show(command),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if is_of_settings(&error) { REFUSED } else { FAILURE })
        }
    }
}

fn is_of_settings(error: &anyhow::Error) -> bool {
    error.is::<SettingsError>() || matches!(error.downcast_ref(), Some(SurveyError::Settings(_)))
}

/// Log messages go to standard error, as the environment says.
fn log() {
    let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::from_default_env()).with_writer(std::io::stderr);
    // Whoever calls this as a library may have set one up already.
    let _ = log.try_init();
}
