//! What was measured, for people or as JSON lines.

use serde::Serialize;

use super::measure::{Contender, Measured, Standing};

/// From which share of disturbed turns on a measurement is marked as doubtful.
const DOUBTFUL: f64 = 0.5;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
}

#[derive(Serialize)]
struct Measurement<'a> {
    group: &'a str,
    case: &'a str,
    contender: &'a str,
    ns: f64,
    ours: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Prints what the contenders of a case took.
pub(crate) fn print(format: Format, group: &str, case: &str, contenders: &[Contender<'_>], measured: &[Measured]) {
    let rows = contenders.iter().zip(measured);
    match format {
        Format::Json => {
            for (contender, measured) in rows {
                let (ours, target) = match contender.standing {
                    Standing::Ours { target } => (true, target),
                    Standing::Peer => (false, None),
                };
                let (contender, note) = (contender.name, note(contender, measured));
                let line = Measurement { group, case, contender, ns: measured.ns, ours, target, note };
                println!("{}", serde_json::to_string(&line).expect("numbers and text are JSON"));
            }
        }
        Format::Table => {
            println!("{group}: {case}");
            let peers = rows.clone().filter(|(contender, _)| matches!(contender.standing, Standing::Peer));
            let fastest_peer = peers.map(|(_, measured)| measured.ns).reduce(f64::min);
            for (contender, measured) in rows {
                let verdict = match (contender.standing, fastest_peer) {
                    (Standing::Ours { target }, Some(fastest)) => verdict(measured.ns / fastest, target),
                    _ => String::new(),
                };
                println!("  {:<28} {:>10.1} ns{verdict}", contender.name, measured.ns);
                if let Some(note) = note(contender, measured) {
                    println!("    {note}");
                }
            }
        }
    }
}

fn note(contender: &Contender<'_>, measured: &Measured) -> Option<String> {
    let doubt = "doubtful, the machine was busy with other things";
    match &contender.note {
        Some(note) if measured.disturbed > DOUBTFUL => Some(format!("{note}; {doubt}")),
        None if measured.disturbed > DOUBTFUL => Some(doubt.to_owned()),
        note => note.clone(),
    }
}

fn verdict(ratio: f64, target: Option<f64>) -> String {
    let verdict = match target {
        Some(target) if ratio <= target => format!(", at most {target} wanted"),
        Some(target) => format!(", MISSES {target}"),
        None => String::new(),
    };
    format!("   {ratio:.2} of the fastest peer{verdict}")
}
