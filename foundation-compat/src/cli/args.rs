//! What the program is told.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::duration;
use crate::demo::settings::{
    CHAOS_TASK_TIMEOUT, DEFAULT_AGENTS, DEFAULT_REVIEWS_PER_SECOND, DEFAULT_TOP, TASK_TIMEOUT,
};
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
    /// Survey a source tree with a fleet of agents, and report files, lines and bytes by language, and reviews
    #[command(long_about = DEMO_ABOUT, after_help = DEMO_NOTES)]
    Demo(DemoArgs),
}

const DEMO_ABOUT: &str = "\
Survey a source tree with a fleet of agents, and report files, lines and bytes by language, and reviews.

Scouts list directories, honouring ignore files; readers read and hash files; analysts count lines of code, comments and \
blanks; reviewers have every text reviewed by a service, over HTTP on the loopback interface, behind a rate limit, retries \
with a budget, a circuit breaker and a bounded pool of connections. A coordinator finds a capable, healthy and free agent for each task in the registry. When an agent dies or hangs, \
its tasks go to others, and it is started again under its name; each file counts, and is reviewed, exactly once. The totals are those of \
independent tools, such as tokei, on the same tree.";

const DEMO_NOTES: &str = "\
What counts:
  Hidden files and those excluded by ignore files are left out. Symbolic links are not followed. Files of no known
  language and binary files count as files and bytes. Lines are those that tokei counts, all for the language of the
  file; it drops a line at some fenced blocks inside doc comments, so `wc -l` may say more.

What reviews say:
  Lines of more than 120 characters, lines indented by 24 columns or more, lines marked FIXME, HACK, TODO or XXX, and lines
  with blanks at their end. The score of a text is 100 without any of them. Binary files, texts above 1 MiB, and texts in
  UTF-16 or UTF-32 are not reviewed; the report counts them.

Output:
  The report goes to standard output. Progress goes to standard error: bars on a terminal, plain lines elsewhere.

Exit codes:
  0  every file was counted, and every text reviewed
  1  the survey failed, or some file could not be counted, or some text not reviewed; the report says which
  2  the arguments make no sense";

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// The directory to survey [default: the root of the Cargo workspace around the current directory, or else that]
    #[arg(long, value_name = "DIR", value_parser = PathBufValueParser::new().try_map(directory))]
    pub(super) input: Option<PathBuf>,

    /// How many agents work: scouts, readers, analysts and reviewers together
    #[arg(long, value_name = "N", default_value_t = DEFAULT_AGENTS, value_parser = crew_size)]
    pub(super) agents: usize,

    /// In which form to report
    #[arg(long, value_enum, default_value_t = Form::Text)]
    pub(super) report: Form,

    /// Let agents panic, hang, be killed and slow down, and the reviewing service fail, stall and hang up, as this seed decides.
    /// The totals stay the same
    #[arg(long, value_name = "SEED")]
    pub(super) chaos: Option<u64>,

    #[arg(long, value_name = "TIME", value_parser = duration::parse, help = timeout_help())]
    pub(super) task_timeout: Option<Duration>,

    /// How many reviews may begin in a second, by all reviewers together
    #[arg(long, value_name = "N", default_value_t = DEFAULT_REVIEWS_PER_SECOND)]
    pub(super) reviews_per_second: NonZeroU32,

    /// Ask a reviewing service that runs already, at this loopback address, such as 127.0.0.1:8080 [default: start one]
    #[arg(long, value_name = "ADDR", value_parser = loopback)]
    pub(super) reviewer: Option<SocketAddr>,

    /// How many of the largest files to name, and of those with the lowest scores
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

fn loopback(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(_) => Err("not an address of this machine's loopback interface".to_owned()),
        Err(_) => Err("not an address with a port".to_owned()),
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
