//! What the program is told.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::duration;
use crate::demo::settings::{CHAOS_TASK_TIMEOUT, DEFAULT_AGENTS, DEFAULT_TOP, TASK_TIMEOUT};
use crate::demo::{Crew, CrewSizeError};

/// Infrastructure for programs made of many agents
#[derive(Debug, Parser)]
#[command(name = "foundation", version, after_help = EXIT_CODES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  everything was done
  1  something failed, or was left undone
  2  the arguments make no sense

Environment:
  RUST_LOG  which log messages to print on standard error: such as warn, or foundation_registry=debug; errors by default";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Survey a source tree with a fleet of agents, and report files, lines and bytes by language
    #[command(long_about = DEMO_ABOUT, after_help = DEMO_NOTES)]
    Demo(DemoArgs),
}

const DEMO_ABOUT: &str = "\
Survey a source tree with a fleet of agents, and report files, lines and bytes by language.

Scouts list directories, honouring ignore files; readers read and hash files; analysts count lines of code, comments and \
blanks. A coordinator finds a capable, healthy and free agent for each task in the registry. When an agent dies or hangs, \
its tasks go to others, and it is started again under its name; each file counts exactly once. The totals are those of \
independent tools, such as tokei, on the same tree.";

const DEMO_NOTES: &str = "\
What counts:
  Hidden files and those excluded by ignore files are left out. Symbolic links are not followed. Files of no known
  language and binary files count as files and bytes. Lines are those that tokei counts, all for the language of the
  file; it drops a line at some fenced blocks inside doc comments, so `wc -l` may say more.

Output:
  The report goes to standard output. Progress goes to standard error: bars on a terminal, plain lines elsewhere.

Exit codes:
  0  every file was counted
  1  the survey failed, or some file could not be counted; the report says which
  2  the arguments make no sense";

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// The directory to survey [default: the root of the Cargo workspace around the current directory, or else that]
    #[arg(long, value_name = "DIR", value_parser = PathBufValueParser::new().try_map(directory))]
    pub(super) input: Option<PathBuf>,

    /// How many agents work: scouts, readers and analysts together
    #[arg(long, value_name = "N", default_value_t = DEFAULT_AGENTS, value_parser = crew_size)]
    pub(super) agents: usize,

    /// In which form to report
    #[arg(long, value_enum, default_value_t = Form::Text)]
    pub(super) report: Form,

    /// Let agents panic, hang, be killed and slow down, as this seed decides. The totals stay the same
    #[arg(long, value_name = "SEED")]
    pub(super) chaos: Option<u64>,

    #[arg(long, value_name = "TIME", value_parser = duration::parse, help = timeout_help())]
    pub(super) task_timeout: Option<Duration>,

    /// How many of the largest files to name
    #[arg(long, value_name = "N", default_value_t = DEFAULT_TOP, value_parser = top)]
    pub(super) top: usize,

    /// Show no progress
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// Tables for people
    Text,
    /// One object for machines
    Json,
}

/// The most files that can be named as the largest.
const MAX_TOP: usize = 1000;

fn timeout_help() -> String {
    format!(
        "How long an agent may show no progress before its task goes to another: such as 500ms, 2s, 1m [default: {}s, \
         with --chaos {}s]",
        TASK_TIMEOUT.as_secs(),
        CHAOS_TASK_TIMEOUT.as_secs()
    )
}

fn directory(path: PathBuf) -> Result<PathBuf, String> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(path),
        Ok(_) => Err("not a directory".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn crew_size(text: &str) -> Result<usize, String> {
    let size = text.parse().map_err(|_| "not a number".to_owned())?;
    Crew::of(size).map(Crew::total).map_err(|error: CrewSizeError| error.to_string())
}

fn top(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(top) if top <= MAX_TOP => Ok(top),
        Ok(_) => Err(format!("at most {MAX_TOP} can be named")),
        Err(_) => Err("not a number".to_owned()),
    }
}
