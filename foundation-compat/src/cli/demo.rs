//! `foundation demo`.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use anyhow::{Context, Result};

use super::args::{DemoArgs, Form};
use super::{FAILURE, SUCCESS, signals};
use crate::demo::{Bars, Crew, Lines, Spectator, Survey, SurveySettings, Surveyor, text};

pub(super) fn run(args: DemoArgs) -> Result<u8> {
    let form = args.report;
    let spectator = spectator(args.quiet);
    let signals = signals::listen()?;
    let surveyor = Surveyor::new(settings(args)?).spectator(Arc::clone(&spectator)).stop_on(signals.asked());
    let survey = surveyor.run()?;
    // The bars are to be gone before the report comes.
    drop(spectator);
    print(&survey, form)?;
    Ok(match signals.exit_code().filter(|_| survey.left.is_some()) {
        Some(code) => code,
        None if survey.complete => SUCCESS,
        None => FAILURE,
    })
}

fn settings(args: DemoArgs) -> Result<SurveySettings> {
    let input = input(args.input)?;
    let sources = super::settings::sources(&input, args.config, args.set)?;
    let mut settings = SurveySettings::new(input).with_sources(sources);
    if let Some(agents) = args.agents {
        settings = settings.with_crew(Crew::of(agents)?);
    }
    if let Some(top) = args.top {
        settings = settings.with_top(top);
    }
    if let Some(rate) = args.reviews_per_second {
        settings = settings.with_reviews_per_second(rate);
    }
    if let Some(address) = args.reviewer {
        settings = settings.with_reviewer(address);
    }
    if let Some(seed) = args.chaos {
        settings = settings.with_chaos(seed);
    }
    if let Some(timeout) = args.task_timeout {
        settings = settings.with_task_timeout(timeout);
    }
    Ok(settings)
}

/// The directory to survey, unless one is named.
pub(super) fn input(named: Option<PathBuf>) -> Result<PathBuf> {
    match named {
        Some(input) => Ok(input),
        None => {
            Ok(default_input(&env::current_dir().context("cannot tell the current directory; name one with --input")?))
        }
    }
}

/// The root of the workspace around `current`, or `current` itself outside any.
fn default_input(current: &Path) -> PathBuf {
    let is_root = |folder: &&Path| {
        let manifest = fs::read_to_string(folder.join("Cargo.toml"));
        manifest.is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "[workspace]"))
    };
    current.ancestors().find(is_root).unwrap_or(current).to_owned()
}

fn spectator(quiet: bool) -> Arc<dyn Spectator> {
    if quiet {
        Arc::new(())
    } else if io::stderr().is_terminal() {
        Arc::new(Bars::new())
    } else {
        Arc::new(Lines::new())
    }
}

fn print(survey: &Survey, form: Form) -> Result<()> {
    let report = match form {
        Form::Text => text(survey),
        Form::Json => serde_json::to_string_pretty(survey).context("cannot write the report as JSON")? + "\n",
    };
    let mut out = io::stdout().lock();
    out.write_all(report.as_bytes()).and_then(|()| out.flush()).context("cannot print the report")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_input_is_the_workspace_around() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("member/src");
        fs::create_dir_all(&inner).unwrap();
        assert_eq!(default_input(&inner), inner);
        fs::write(folder.path().join("member/Cargo.toml"), "[package]\nname = \"member\"\n").unwrap();
        assert_eq!(default_input(&inner), inner);
        fs::write(folder.path().join("Cargo.toml"), "[workspace]\nmembers = []\n").unwrap();
        assert_eq!(default_input(&inner), folder.path());
    }
}
