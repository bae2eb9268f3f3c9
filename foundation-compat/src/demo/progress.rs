//! Showing progress: bars on a terminal, plain lines elsewhere.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foundation_types::{AgentId, Clock, ExitReason, SystemClock};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::config::ConfigChange;
use super::report::circuit_state;
use super::report::figures::{bytes, count, numbered};
use super::review::summary::CircuitChange;
use super::roles::Role;
use super::spectator::{Event, Phase, Progress, Spectator};

/// Time between two looks of the bars.
const BARS_EVERY: Duration = Duration::from_millis(50);

/// Time between two plain lines.
const LINES_EVERY: Duration = Duration::from_secs(1);

/// Lets something happen once in a while.
struct Pace {
    clock: Arc<dyn Clock>,
    every: Duration,
    /// In nanoseconds of monotonic time.
    next: AtomicU64,
}

impl Pace {
    fn new(clock: Arc<dyn Clock>, every: Duration, first: Duration) -> Self {
        let next = clock.mono().saturating_add(first).as_nanos();
        Self { clock, every, next: AtomicU64::new(next) }
    }

    fn is_time(&self) -> bool {
        let now = self.clock.mono();
        let next = now.saturating_add(self.every).as_nanos();
        let is_due = |due: u64| (due <= now.as_nanos()).then_some(next);
        // Relaxed: it orders nothing.
        self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_due).is_ok()
    }
}

/// Progress bars on standard error, one for each phase and a line about the agents. They vanish when dropped.
pub struct Bars {
    all: MultiProgress,
    listed: ProgressBar,
    read: ProgressBar,
    counted: ProgressBar,
    reviewed: ProgressBar,
    agents: ProgressBar,
    pace: Pace,
}

impl Bars {
    /// Bars on the terminal. Nothing is shown if standard error is none.
    pub fn new() -> Self {
        let style = ProgressStyle::with_template("{prefix:>8} {bar:32.cyan/dim} {pos:>7}/{len:<7} {msg}")
            .expect("the template is well-formed")
            .progress_chars("━╸─");
        let line = ProgressStyle::with_template("{prefix:>8} {msg}").expect("the template is well-formed");
        let all = MultiProgress::new();
        let bar = |prefix: &'static str, style: &ProgressStyle| {
            all.add(ProgressBar::new(1).with_style(style.clone()).with_prefix(prefix))
        };
        let (listed, read) = (bar("list", &style), bar("read", &style));
        let (counted, reviewed) = (bar("count", &style), bar("review", &style));
        let agents = bar("agents", &line);
        let pace = Pace::new(Arc::new(SystemClock), BARS_EVERY, Duration::ZERO);
        Self { all, listed, read, counted, reviewed, agents, pace }
    }

    fn show(&self, progress: &Progress) {
        let bars = [&self.listed, &self.read, &self.counted, &self.reviewed];
        let phases = [progress.listed, progress.read, progress.counted, progress.reviewed];
        for (bar, phase) in bars.into_iter().zip(phases) {
            // A bar of nothing would be full.
            bar.set_length(phase.known.max(1));
            bar.set_position(phase.done);
        }
        self.listed.set_message("directories");
        self.read.set_message(format!("files, {}", bytes(progress.bytes)));
        self.counted.set_message("files");
        self.reviewed.set_message("texts");
        self.agents.set_message(agents(progress));
    }
}

impl Default for Bars {
    fn default() -> Self {
        Self::new()
    }
}

impl Spectator for Bars {
    fn see(&self, event: Event<'_>) {
        match event {
            Event::Progress(progress) if self.pace.is_time() => self.show(progress),
            event => {
                if let Some(line) = line(event) {
                    // A terminal that is gone is no reason to stop.
                    let _ = self.all.println(line);
                }
            }
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        // As above.
        let _ = self.all.clear();
    }
}

impl std::fmt::Debug for Bars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bars").finish_non_exhaustive()
    }
}

/// A plain line on standard error now and then, and one for each death and each change of a circuit.
pub struct Lines {
    pace: Pace,
}

impl Lines {
    /// Lines on standard error; the first after a second.
    pub fn new() -> Self {
        Self { pace: Pace::new(Arc::new(SystemClock), LINES_EVERY, LINES_EVERY) }
    }
}

impl Default for Lines {
    fn default() -> Self {
        Self::new()
    }
}

impl Spectator for Lines {
    fn see(&self, event: Event<'_>) {
        match event {
            Event::Progress(progress) if self.pace.is_time() => {
                let of = |Phase { done, known }| format!("{}/{}", count(done), count(known));
                say(&format!(
                    "listed {} directories, read {} files ({}), counted {}, reviewed {}; {}",
                    of(progress.listed),
                    of(progress.read),
                    bytes(progress.bytes),
                    of(progress.counted),
                    of(progress.reviewed),
                    agents(progress)
                ));
            }
            event => {
                if let Some(line) = line(event) {
                    say(&line);
                }
            }
        }
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

fn say(line: &str) {
    // Nobody reads it: no reason to stop.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// What is told of an event by itself, if anything.
fn line(event: Event<'_>) -> Option<String> {
    match event {
        Event::Died { agent, reason, was_hung, reassigned } => Some(death(agent, reason, was_hung, reassigned)),
        Event::Circuit { name, change } => Some(circuit(name, change)),
        Event::Abandoned { service } => Some(format!("{service} did not stop in time, and is left behind")),
        Event::Setting { change } => Some(setting(change)),
        Event::Refused { rejection } => Some(format!("settings refused: {}", rejection.reason)),
        Event::Interrupted { busy } => {
            let agents = numbered(busy as u64, "agent ends what it is at", "agents end what they are at");
            Some(format!("stopping: {agents}; a second signal stops at once"))
        }
        _ => None,
    }
}

fn setting(ConfigChange { version, path, layer, value, at_once, .. }: &ConfigChange) -> String {
    let what = match value {
        Some(value) => format!("{path} = {}", value.plain()),
        None => format!("{path} taken back"),
    };
    let when = if *at_once { "" } else { ", from the next survey on" };
    format!("setting {what} ({layer}, version {version}{when})")
}

fn death(agent: &AgentId, reason: &ExitReason, was_hung: bool, reassigned: usize) -> String {
    let tasks = numbered(reassigned as u64, "task", "tasks");
    let how = if was_hung { "hung, and was ended".to_owned() } else { format!("died ({reason})") };
    format!("{agent} {how}; {tasks} reassigned")
}

fn circuit(name: &str, CircuitChange { state, reason, .. }: &CircuitChange) -> String {
    let state = circuit_state(*state);
    match reason {
        Some(reason) => format!("circuit {name} {state} ({})", reason.replace('_', " ")),
        None => format!("circuit {name} {state}"),
    }
}

fn agents(progress: &Progress) -> String {
    let mut text = String::new();
    for (role, attendance) in Role::ALL.into_iter().zip(progress.agents) {
        let separator = if text.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(text, "{separator}{}s {}/{} busy", role.as_str(), attendance.busy, attendance.all);
    }
    if progress.restarts > 0 {
        let _ = write!(text, ", {}", numbered(progress.restarts, "restart", "restarts"));
    }
    text
}

#[cfg(test)]
mod tests {
    use foundation_types::ManualClock;

    use super::*;

    #[test]
    fn a_pace_is_kept() {
        let clock = ManualClock::new();
        let pace = Pace::new(Arc::new(clock.clone()), Duration::from_secs(1), Duration::from_secs(1));
        assert!(!pace.is_time());
        clock.advance(Duration::from_secs(1));
        assert!(pace.is_time());
        assert!(!pace.is_time());
        clock.advance(Duration::from_secs(5));
        assert!(pace.is_time());
        assert!(!pace.is_time());
    }

    #[test]
    fn a_death_is_told_in_one_line() {
        let agent = AgentId::from_static("reader-2");
        assert_eq!(
            death(&agent, &ExitReason::Panic("chaos".into()), false, 1),
            "reader-2 died (panic: chaos); 1 task reassigned"
        );
        assert_eq!(death(&agent, &ExitReason::Killed, true, 3), "reader-2 hung, and was ended; 3 tasks reassigned");
    }
}
