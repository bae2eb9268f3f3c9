//! The report for people; the one for machines is the serialised form of [`Survey`].

pub(super) mod figures;
mod reviews;
mod running;
mod table;

use std::fmt::Write as _;

use figures::{bytes, count, numbered, seconds};
pub(super) use reviews::circuit_state;
use table::{Align, Table};

use super::roles::Role;
use super::survey::{AgentSummary, Counts, Survey};

/// Skipped entries that the text lists; the JSON form has them all.
const SKIPPED_SHOWN: usize = 10;

/// Languages of an analyst that the text lists.
const LANGUAGES_SHOWN: usize = 5;

/// Width of the column of paths.
const PATH_WIDTH: usize = 60;

/// A survey as tables of text, with a line feed at the end.
pub fn text(survey: &Survey) -> String {
    let mut text = headline(survey);
    for table in [languages(survey), top_files(survey), reviews::worst_files(survey), agents(survey)] {
        if !table.is_empty() {
            text.push('\n');
            text.push_str(&table.render());
        }
    }
    text.push('\n');
    text.push_str(&reviews::summary(survey));
    text.push_str(&troubles(survey));
    text.push_str(&running::services(&survey.lifecycle));
    text.push_str(&running::settings(&survey.config));
    text.push_str(&skipped(survey));
    text.push_str(&verdict(survey));
    text
}

fn headline(survey: &Survey) -> String {
    format!(
        "Survey of {}\n{}, {}, in {}; surveyed in {}\n",
        survey.input,
        numbered(survey.files, "file", "files"),
        bytes(survey.bytes),
        numbered(survey.directories, "directory", "directories"),
        seconds(survey.elapsed_ms)
    )
}

fn languages(survey: &Survey) -> Table {
    use Align::{Left, Right};
    let mut table = Table::new([
        ("Language", Left),
        ("Files", Right),
        ("Lines", Right),
        ("Code", Right),
        ("Comments", Right),
        ("Blanks", Right),
    ]);
    let mut ranked: Vec<_> = survey.languages.iter().collect();
    ranked.sort_by(|(a, of_a), (b, of_b)| of_b.counts.code.cmp(&of_a.counts.code).then_with(|| a.cmp(b)));
    let mut files = 0;
    let mut sum = Counts::default();
    let row = |name: &str, files: u64, counts: Counts| {
        let [lines, code, comments, blanks] = [counts.lines, counts.code, counts.comments, counts.blanks].map(count);
        [name.to_owned(), count(files), lines, code, comments, blanks]
    };
    for (name, totals) in ranked {
        files += totals.files;
        sum += totals.counts;
        table.row(row(name, totals.files, totals.counts));
    }
    let other = survey.other;
    if other.files > 0 {
        let name =
            if other.binary > 0 { format!("Other ({} binary)", count(other.binary)) } else { "Other".to_owned() };
        let none = || "-".to_owned();
        table.row([name, count(other.files), none(), none(), none(), none()]);
    }
    table.foot(row("Total", files + other.files, sum));
    table
}

fn top_files(survey: &Survey) -> Table {
    let mut table = Table::new([("Largest files", Align::Left), ("Language", Align::Left), ("Code", Align::Right)]);
    for file in &survey.top_files {
        table.row([figures::shorten(&file.path, PATH_WIDTH), file.language.to_owned(), count(file.code)]);
    }
    table
}

fn agents(survey: &Survey) -> Table {
    let mut table = Table::new([
        ("Agent", Align::Left),
        ("Tasks", Align::Right),
        ("Restarts", Align::Right),
        ("Capabilities", Align::Left),
    ]);
    for agent in &survey.agents {
        table.row([agent.id.clone(), count(agent.tasks), count(agent.restarts), capabilities(agent)]);
    }
    table
}

/// Those of an analyst share a prefix, and can be many.
fn capabilities(agent: &AgentSummary) -> String {
    let base = Role::Analyst.capability();
    let special: Vec<_> = agent
        .capabilities
        .iter()
        .filter_map(|capability| capability.strip_prefix(base.as_str())?.strip_prefix(':'))
        .collect();
    if special.is_empty() {
        return agent.capabilities.join(", ");
    }
    let mut text = format!("{base}: {}", special[..special.len().min(LANGUAGES_SHOWN)].join(", "));
    if special.len() > LANGUAGES_SHOWN {
        // Writing to a string does not fail.
        let _ = write!(text, " and {} more", special.len() - LANGUAGES_SHOWN);
    }
    text
}

fn troubles(survey: &Survey) -> String {
    let chaos = &survey.chaos;
    let cause = match chaos.seed {
        Some(seed) => format!("Chaos {seed}: agents"),
        None if survey.agents.iter().all(|agent| agent.restarts == 0) => return String::new(),
        None => "Agents".to_owned(),
    };
    format!(
        "{cause} killed {}, panicked {}, hung {}, slowed {}; tasks reassigned {}, late results discarded {}\n",
        count(chaos.killed),
        count(chaos.panicked),
        count(chaos.hung),
        count(chaos.slowed),
        count(chaos.reassigned),
        count(chaos.discarded)
    )
}

fn skipped(survey: &Survey) -> String {
    let mut text = String::new();
    if survey.skipped_count == 0 {
        return text;
    }
    // Writing to a string does not fail.
    let _ = writeln!(text, "Skipped {}:", count(survey.skipped_count));
    let mut shown: Vec<_> = survey.skipped.iter().collect();
    // What is missing comes before what never counts.
    shown.sort_by_key(|entry| !entry.reason.is_loss());
    shown.truncate(SKIPPED_SHOWN);
    for entry in &shown {
        let _ = writeln!(text, "  {}: {}", entry.path, entry.reason);
    }
    let more = survey.skipped_count - shown.len() as u64;
    if more > 0 {
        let _ = writeln!(text, "  and {} more; `--report json` lists them", count(more));
    }
    text
}

fn verdict(survey: &Survey) -> String {
    if let Some(left) = &survey.left {
        return running::left(left);
    }
    let is_counted = survey.reviews.failed > 0 && !survey.skipped.iter().any(|entry| entry.reason.is_loss());
    let verdict = match (survey.complete, is_counted) {
        (true, _) => "Every file was counted once, and every text reviewed once",
        (false, true) => "Every file was counted once, but NOT every text reviewed",
        (false, false) => "NOT every file was counted",
    };
    format!("{verdict}. Digest {}\n", survey.digest)
}
