//! Measurements of several contenders side by side.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result};
use serde::Deserialize;

/// One line of a benchmark's output.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measurement {
    /// The operation, for example `lookup`.
    group: String,
    /// Its circumstances, for example `100k, 2 threads`.
    case: String,
    /// Whose implementation was measured.
    contender: String,
    /// Nanoseconds an operation.
    ns: f64,
    ours: bool,
    /// The largest ratio to the fastest peer that is good enough.
    target: Option<f64>,
    note: Option<String>,
}

/// All measurements of a run, in the order they were made.
#[derive(Debug, Default)]
pub(crate) struct Table {
    measurements: Vec<Measurement>,
}

impl Table {
    /// Adds what a benchmark printed.
    pub(crate) fn extend(&mut self, output: &str) -> Result<()> {
        for line in output.lines().filter(|line| !line.trim().is_empty()) {
            let measurement: Measurement =
                serde_json::from_str(line).with_context(|| format!("not a measurement: `{line}`"))?;
            anyhow::ensure!(measurement.ns.is_finite() && measurement.ns > 0.0, "not a time: `{line}`");
            self.measurements.push(measurement);
        }
        Ok(())
    }

    /// Our measurements, each with those of its peers.
    fn rows(&self) -> Vec<Row<'_>> {
        let ours = self.measurements.iter().filter(|measurement| measurement.ours);
        ours.map(|ours| {
            let same = |m: &&Measurement| !m.ours && m.group == ours.group && m.case == ours.case;
            let peers = self.measurements.iter().filter(same);
            Row { ours, peers: peers.map(|peer| (peer.contender.as_str(), peer.ns)).collect() }
        })
        .collect()
    }
}

struct Row<'a> {
    ours: &'a Measurement,
    peers: BTreeMap<&'a str, f64>,
}

impl Row<'_> {
    /// Our time over that of the fastest peer.
    fn ratio(&self) -> Option<f64> {
        self.peers.values().copied().reduce(f64::min).map(|fastest| self.ours.ns / fastest)
    }

    fn meets_target(&self) -> Option<bool> {
        Some(self.ratio()? <= self.ours.target?)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        let mut peers: Vec<&str> = Vec::new();
        for measurement in self.measurements.iter().filter(|measurement| !measurement.ours) {
            if !peers.contains(&measurement.contender.as_str()) {
                peers.push(&measurement.contender);
            }
        }
        let heading = ["operation", "case", "contender", "ours"].into_iter().chain(peers.iter().copied());
        let mut lines: Vec<Vec<String>> = vec![heading.chain(["ratio", "target", "met"]).map(str::to_owned).collect()];
        for row in &rows {
            let Measurement { group, case, contender, ns, target, .. } = row.ours;
            let mut line = vec![group.clone(), case.clone(), contender.clone(), time(*ns)];
            line.extend(peers.iter().map(|peer| row.peers.get(peer).copied().map_or_else(dash, time)));
            line.push(row.ratio().map_or_else(dash, |ratio| format!("{ratio:.2}")));
            line.push(target.map_or_else(dash, |target| format!("{target:.2}")));
            line.push(row.meets_target().map_or_else(dash, |met| if met { "yes" } else { "NO" }.into()));
            lines.push(line);
        }
        write!(f, "{}", aligned(&lines, 3))?;
        for Measurement { group, case, contender, note, .. } in &self.measurements {
            if let Some(note) = note {
                writeln!(f, "note on {group}, {case}, {contender}: {note}")?;
            }
        }
        let judged: Vec<bool> = rows.iter().filter_map(Row::meets_target).collect();
        let met = judged.iter().filter(|met| **met).count();
        writeln!(
            f,
            "\n{met} of {} targets met. `ratio` is ours over the fastest peer of the same run, lower is better;",
            judged.len()
        )?;
        write!(f, "only ratios mean anything beyond this machine and this moment, times do not.")
    }
}

fn dash() -> String {
    "-".into()
}

fn time(ns: f64) -> String {
    match ns {
        ..1e3 => format!("{ns:.1} ns"),
        ..1e6 => format!("{:.2} us", ns / 1e3),
        ..1e9 => format!("{:.2} ms", ns / 1e6),
        _ => format!("{:.2} s", ns / 1e9),
    }
}

/// Columns padded to one width, the first `left` of them to the left and the others to the right.
pub(crate) fn aligned(lines: &[Vec<String>], left: usize) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column < left { format!("{cell:width$}") } else { format!("{cell:>width$}") }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = r#"
        {"group":"lookup","case":"1k","contender":"foundation","ns":12.0,"ours":true,"target":1.15}
        {"group":"lookup","case":"1k","contender":"foundation, cloning","ns":30.0,"ours":true,"target":1.15}
        {"group":"lookup","case":"1k","contender":"papaya","ns":12.5,"ours":false}
        {"group":"lookup","case":"1k","contender":"scc","ns":20.0,"ours":false,"note":"one shard"}
        {"group":"death","case":"100 names","contender":"foundation","ns":2100000.0,"ours":true}
    "#;

    fn table(output: &str) -> Table {
        let mut table = Table::default();
        table.extend(output).unwrap();
        table
    }

    #[test]
    fn the_ratio_is_to_the_fastest_peer_of_the_same_case() {
        let table = table(RUN);
        let rows = table.rows();
        let ratios: Vec<_> = rows.iter().map(|row| row.ratio().map(|ratio| format!("{ratio:.2}"))).collect();
        assert_eq!(ratios, [Some("0.96".into()), Some("2.40".into()), None]);
        let met: Vec<_> = rows.iter().map(Row::meets_target).collect();
        assert_eq!(met, [Some(true), Some(false), None]);
    }

    #[test]
    fn the_table_has_a_column_a_peer_and_a_row_for_each_of_ours() {
        let text = table(RUN).to_string();
        let lines: Vec<Vec<&str>> =
            text.lines().map(|line| line.split("  ").filter(|c| !c.is_empty()).map(str::trim).collect()).collect();
        assert_eq!(lines[0], ["operation", "case", "contender", "ours", "papaya", "scc", "ratio", "target", "met"]);
        assert_eq!(lines[1], ["lookup", "1k", "foundation", "12.0 ns", "12.5 ns", "20.0 ns", "0.96", "1.15", "yes"]);
        assert_eq!(lines[3], ["death", "100 names", "foundation", "2.10 ms", "-", "-", "-", "-", "-"]);
        assert!(text.contains("note on lookup, 1k, scc: one shard"), "{text}");
        assert!(text.contains("1 of 2 targets met."), "{text}");
    }

    #[test]
    fn what_is_no_measurement_is_refused() {
        for line in [
            "hello",
            r#"{"group":"a","case":"b","contender":"c","ns":0.0,"ours":true}"#,
            r#"{"group":"a","case":"b","contender":"c","ns":1.0,"ours":true,"taget":1.0}"#,
        ] {
            assert!(Table::default().extend(line).is_err(), "{line}");
        }
    }
}
