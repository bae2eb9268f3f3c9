//! What the program is told.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use foundation_config::Path;
use foundation_types::{AgentId, Value};

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
    2  the arguments, or the settings, make no sense
  130  interrupted by Ctrl-C (SIGINT)
  143  terminated (SIGTERM)

Environment:
  RUST_LOG  which log messages to print on standard error: such as warn, or foundation_registry=debug; errors by default";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Survey a source tree with a fleet of agents, and report files, lines and bytes by language, and reviews
    #[command(long_about = DEMO_ABOUT, after_help = DEMO_NOTES)]
    Demo(DemoArgs),
    /// Write a commented foundation.toml with every setting of the demo at its default
    #[command(after_help = INIT_NOTES)]
    Init(InitArgs),
    /// Show the settings of the demo as they are in force, and why
    #[command(subcommand, after_help = CONFIG_NOTES)]
    Config(ConfigCommand),
}

const INIT_NOTES: &str = "\
Exit codes:
  0  the file was written
  1  it was not: there is one already, or it cannot be written
  2  the arguments make no sense";

const CONFIG_NOTES: &str = "\
Layers, from the lowest to the highest:
  defaults; the file; environment variables such as FOUNDATION__READ__CONCURRENCY=2; flags of the command line; what is
  changed while a survey runs; and for one agent, its overrides, which the file has in tables such as
  [agents.\"reader-1\".read].

Exit codes:
  0  the settings are valid, and were shown
  1  nothing is set at the path, or the output cannot be written
  2  the arguments make no sense, or the settings are refused; the message names file, line, path, what was expected and
     what was found";

const DEMO_ABOUT: &str = "\
Survey a source tree with a fleet of agents, and report files, lines and bytes by language, and reviews.

Scouts list directories, honouring ignore files; readers read and hash files; analysts count lines of code, comments and \
blanks; reviewers have every text reviewed by a service, over HTTP on the loopback interface, behind a rate limit, retries \
with a budget, a circuit breaker and a bounded pool of connections. A coordinator finds a capable, healthy and free agent \
for each task in the registry. When an agent dies or hangs, its tasks go to others, and a supervisor starts it again under \
its name; each file counts, and is reviewed, exactly once. The totals are those of independent tools, such as tokei, on the \
same tree.";

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

Settings:
  They come from defaults, a file, environment variables such as FOUNDATION__READ__CONCURRENCY=2, and flags, the later above
  the earlier ones; `foundation config explain PATH` tells which decides, and `foundation init` writes a file with all of
  them. The file is watched: editing it changes reader concurrency, rate limits and the overrides of single agents while
  the survey runs. A file that is not valid is refused, and what was in force stays so; the report lists both.

Stopping:
  The first Ctrl-C (SIGINT), or SIGTERM, lets agents end the task that they are at, stops all services in order, and reports
  what was counted and what was left. Nothing is kept between runs: the next one begins anew. A second one stops at once.

Exit codes:
    0  every file was counted, and every text reviewed
    1  the survey failed, or some file could not be counted, or some text not reviewed; the report says which
    2  the arguments make no sense, or the settings are refused: the message names file, line, path, what was expected and
       what was found
  130  stopped early by SIGINT, with something left to do
  143  stopped early by SIGTERM, with something left to do";

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// The directory to survey [default: the root of the Cargo workspace around the current directory, or else that]
    #[arg(long, value_name = "DIR", value_parser = PathBufValueParser::new().try_map(directory))]
    pub(super) input: Option<PathBuf>,

    #[arg(long, value_name = "N", value_parser = crew_size, help = agents_help())]
    pub(super) agents: Option<usize>,

    /// The file with the settings [default: foundation.toml in the directory, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Set one setting, such as read.concurrency=2; may be given several times
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub(super) set: Vec<(String, Value)>,

    /// In which form to report
    #[arg(long, value_enum, default_value_t = Form::Text)]
    pub(super) report: Form,

    /// Let agents panic, hang, be killed and slow down, the reviewing service fail, stall and hang up, and settings change, as
    /// this seed decides. The totals stay the same
    #[arg(long, value_name = "SEED")]
    pub(super) chaos: Option<u64>,

    #[arg(long, value_name = "TIME", value_parser = duration::parse, help = timeout_help())]
    pub(super) task_timeout: Option<Duration>,

    #[arg(long, value_name = "N", help = rate_help())]
    pub(super) reviews_per_second: Option<NonZeroU32>,

    /// Ask a reviewing service that runs already, at this loopback address, such as 127.0.0.1:8080 [default: start one]
    #[arg(long, value_name = "ADDR", value_parser = loopback)]
    pub(super) reviewer: Option<SocketAddr>,

    #[arg(long, value_name = "N", value_parser = top, help = top_help())]
    pub(super) top: Option<usize>,

    /// Show no progress
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The directory to write the file in
    #[arg(value_name = "DIR", default_value = ".", value_parser = PathBufValueParser::new().try_map(directory))]
    pub(super) directory: PathBuf,

    /// Overwrite a file that is there
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show all settings, with what each comes from
    Show(Whose),
    /// Print one value
    Get {
        /// The path of a setting or of a table of them, such as read.concurrency
        path: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Tell what each layer says at a path, where, and which of them wins
    Explain {
        /// The path of a setting or of a table of them, such as read.concurrency
        path: String,
        #[command(flatten)]
        whose: Whose,
    },
}

/// Whose settings to show, and how.
#[derive(Debug, Args)]
pub(super) struct Whose {
    /// The directory that is surveyed [default: as for the demo]
    #[arg(long, value_name = "DIR", value_parser = PathBufValueParser::new().try_map(directory))]
    pub(super) input: Option<PathBuf>,

    /// The file with the settings [default: foundation.toml in the directory, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Set one setting, as the demo does; may be given several times
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub(super) set: Vec<(String, Value)>,

    /// Show what is in force for this agent, such as reader-1
    #[arg(long, value_name = "ID", value_parser = agent)]
    pub(super) agent: Option<AgentId>,

    /// In which form to show it
    #[arg(long, value_enum, default_value_t = Form::Text)]
    pub(super) format: Form,
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

fn agents_help() -> String {
    format!("How many agents work: scouts, readers, analysts and reviewers together [default: {DEFAULT_AGENTS}]")
}

fn rate_help() -> String {
    format!("How many reviews may begin in a second, by all reviewers together [default: {DEFAULT_REVIEWS_PER_SECOND}]")
}

fn top_help() -> String {
    format!("How many of the largest files to name, and of those with the lowest scores [default: {DEFAULT_TOP}]")
}

fn agent(text: &str) -> Result<AgentId, String> {
    AgentId::new(text).map_err(|error| error.to_string())
}

/// A path and what is set there: a scalar of JSON, or else the text as it stands.
fn assignment(text: &str) -> Result<(String, Value), String> {
    let (path, value) = text.split_once('=').ok_or("expected PATH=VALUE, such as read.concurrency=2")?;
    Path::parse_dotted(path).map_err(|error| error.to_string())?;
    let value = match Value::from_json_str(value) {
        Ok(scalar @ (Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_))) => scalar,
        _ => Value::from(value),
    };
    Ok((path.to_owned(), value))
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
