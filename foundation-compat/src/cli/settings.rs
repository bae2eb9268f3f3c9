//! `foundation init` and `foundation config`.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use foundation_config::source::Variables;
use foundation_config::{ConfigError, Store};
use foundation_types::{AgentId, Value};

use super::args::{ConfigCommand, Form, InitArgs, Whose};
use super::{FAILURE, REFUSED, SUCCESS, demo};
use crate::demo::config::{DemoSettings, Explanation, FILE_NAME, SETTINGS, Said, SettingsSources, explain, template};

/// Writes the commented file.
pub(super) fn init(args: &InitArgs) -> Result<u8> {
    let path = args.directory.join(FILE_NAME);
    let text = template();
    let written = if args.force {
        fs::write(&path, text)
    } else {
        // Whoever makes the file in between keeps it.
        File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes()))
    };
    match written {
        Ok(()) => {
            print(&format!("wrote {}\n", path.display()))?;
            Ok(SUCCESS)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(anyhow!("{} is there already; --force overwrites it", path.display()))
        }
        Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
}

/// Where the settings of a survey of `input` come from.
pub(super) fn sources(input: &Path, config: Option<PathBuf>, set: Vec<(String, Value)>) -> Result<SettingsSources> {
    let sources = SettingsSources::new().environment(Variables::of_process());
    let sources = match config {
        Some(file) => sources.file(file),
        None => sources.file_in(input),
    };
    set.into_iter()
        .try_fold(sources, |sources, (path, value)| Ok(sources.flag(&path, value, format!("--set {path}"))?))
}

/// Shows settings.
pub(super) fn show(command: ConfigCommand) -> Result<u8> {
    let (path, whose, what) = match command {
        ConfigCommand::Show(whose) => (None, whose, What::Values),
        ConfigCommand::Get { path, whose } => (Some(path), whose, What::Value),
        ConfigCommand::Explain { path, whose } => (Some(path), whose, What::Reasons),
    };
    let Whose { input, config, set, agent, format } = whose;
    let opened = sources(&demo::input(input)?, config, set)?.open()?;
    let (store, agent) = (opened.store(), agent.as_ref());
    let text = match path {
        None => all(store, agent, format)?,
        Some(path) => match explain(store, &path, agent) {
            Ok(explanation) => one(&explanation, what, format)?,
            Err(error @ ConfigError::NotFound { .. }) => {
                eprintln!("error: {error}; `foundation config show` lists all settings");
                return Ok(FAILURE);
            }
            Err(error) => {
                eprintln!("error: {error}");
                return Ok(REFUSED);
            }
        },
    };
    print(&text)?;
    Ok(SUCCESS)
}

/// What to show of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Values,
    Value,
    Reasons,
}

fn all(store: &Store<DemoSettings>, agent: Option<&AgentId>, format: Form) -> Result<String> {
    let explanations: Vec<Explanation> =
        SETTINGS.iter().map(|setting| explain(store, &setting.path(), agent)).collect::<Result<_, _>>()?;
    if format == Form::Json {
        let values = explanations.iter().map(|one| {
            let winner = winner(one);
            let value = serde_json::json!({
                "value": one.value.plain(),
                "layer": winner.map(|said| said.layer),
                "origin": winner.and_then(|said| said.origin.as_deref()),
            });
            (one.path.clone(), value)
        });
        return json(&values.collect::<serde_json::Map<_, _>>());
    }
    let lines: Vec<(String, String)> = explanations
        .iter()
        .map(|one| (format!("{} = {}", one.path, shown(&one.value)), winner(one).map(place).unwrap_or_default()))
        .collect();
    let width = lines.iter().map(|(left, _)| left.chars().count()).max().unwrap_or(0);
    Ok(lines.iter().fold(String::new(), |mut text, (left, right)| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{left:<width$}  # {right}");
        text
    }))
}

fn one(explanation: &Explanation, what: What, format: Form) -> Result<String> {
    match (what, format) {
        (What::Reasons, Form::Json) => json(explanation),
        (What::Reasons, Form::Text) => Ok(reasons(explanation)),
        (_, Form::Json) => json(&explanation.value.plain()),
        (_, Form::Text) => Ok(match &explanation.value {
            Value::Text(text) => format!("{text}\n"),
            value => format!("{}\n", shown(value)),
        }),
    }
}

/// What each layer says, the one that wins marked.
fn reasons(explanation: &Explanation) -> String {
    let whose = explanation.agent.as_ref().map(|agent| format!(", for {agent}")).unwrap_or_default();
    let mut text = format!("{} = {}{whose}\n", explanation.path, shown(&explanation.value));
    let rows: Vec<(&str, String, String)> = explanation
        .said
        .iter()
        .map(|said| (if said.wins { "wins" } else { "" }, place(said), shown(&said.value)))
        .collect();
    let width = rows.iter().map(|(_, place, _)| place.chars().count()).max().unwrap_or(0);
    for (mark, place, value) in rows {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {mark:<4}  {place:<width$}  {value}");
    }
    text
}

fn winner(explanation: &Explanation) -> Option<&Said> {
    explanation.said.iter().find(|said| said.wins)
}

/// The layer, and where in it.
fn place(said: &Said) -> String {
    match &said.origin {
        Some(origin) => format!("{}: {origin}", said.layer),
        None => said.layer.to_owned(),
    }
}

fn shown(value: &Value) -> String {
    value.plain().to_string()
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    Ok(serde_json::to_string_pretty(value).context("cannot write it as JSON")? + "\n")
}

fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot print")
}
