//! The state machine of a breaker, without threads: every change takes the time, and none reads a clock but `now`.
//!
//! Whoever asks it something settles it first: transitions whose deadline has passed take effect at that deadline, not at
//! the moment somebody looks. So no answer depends on how often anybody looked.

mod change;
mod probes;
mod tally;

use std::time::Duration;

use foundation_types::{Clock, MonoTime, Ratio};

pub(crate) use self::change::{Change, ChangeKind, Changes};
use self::probes::Probes;
pub(crate) use self::tally::Ended;
use self::tally::Tally;
use crate::error::RejectReason;
use crate::options::{CancelPolicy, Options, Probe, Recovery, TripPolicy};
use crate::random::Random;
use crate::snapshot::{ProbeCounts, State, WindowCounts};
use crate::word::{Flags, Word};

/// Whether anybody hears of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    Nobody,
    Observer,
}

#[derive(Debug)]
pub(crate) struct Machine {
    options: Options,
    mode: Mode,
    generation: u64,
    tally: Tally,
    opened_in_a_row: u32,
    opened: u64,
    last_failure_at: Option<MonoTime>,
    /// The latest time seen, so that time never goes back between two changes.
    latest: MonoTime,
    random: Random,
    audience: Audience,
    pub(crate) changes: Changes,
    /// Whether someone who waits for admission has reason to look again.
    may_admit_more: bool,
}

#[derive(Debug)]
enum Mode {
    Closed,
    Open { until: MonoTime },
    HalfOpen(Probes),
    ForcedOpen,
}

/// How a call was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Ordinary,
    /// As a probe, with its number within the episode.
    Probe(u64),
}

/// Who reports: under which generation the call was let through, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reporter {
    pub(crate) generation: u64,
    pub(crate) admission: Admission,
}

/// What a permit reports to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    Ended(Ended),
    /// A failure that opens a closed circuit at once, whatever its policy says.
    #[cfg(feature = "agent")]
    Fatal(Ended),
    /// Gives a place back and counts for nothing.
    Released,
}

impl Report {
    /// How the call ended, if it did.
    const fn ended(self) -> Option<Ended> {
        match self {
            Self::Ended(call) => Some(call),
            #[cfg(feature = "agent")]
            Self::Fatal(call) => Some(call),
            Self::Released => None,
        }
    }
}

/// A refusal, as the machine sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: RejectReason,
    pub(crate) retry_after: Option<Duration>,
}

impl Machine {
    pub(crate) fn new(options: Options, now: MonoTime, random: Random, audience: Audience) -> Self {
        let tally = Tally::new(options.trip(), now);
        Self {
            options,
            mode: Mode::Closed,
            generation: 0,
            tally,
            opened_in_a_row: 0,
            opened: 0,
            last_failure_at: None,
            latest: now,
            random,
            audience,
            changes: Changes::default(),
            may_admit_more: false,
        }
    }

    /// Reads the clock and settles: applies the transitions that are due, each at its own deadline.
    pub(crate) fn settle(&mut self, clock: &impl Clock) -> MonoTime {
        let now = clock.mono().max(self.latest);
        self.latest = now;
        // A probe that timed out long ago opens the circuit, and that opening may have ended since: two steps at most, for
        // a new half-open episode has no probes yet.
        while let Some(due) = self.next_deadline().filter(|due| *due <= now) {
            match &self.mode {
                Mode::Open { .. } => match self.options.recovery() {
                    Recovery::AutoClose { .. } => self.close(due, "healed"),
                    Recovery::Probe(_) => self.half_open(due),
                },
                Mode::HalfOpen(_) => self.open(due, "probe_timeout"),
                Mode::Closed | Mode::ForcedOpen => break,
            }
        }
        now
    }

    /// When the state changes next if nothing else happens.
    pub(crate) fn next_deadline(&self) -> Option<MonoTime> {
        match &self.mode {
            Mode::Open { until } => Some(*until),
            Mode::HalfOpen(probes) => probes.time_out(self.probe()?.probe_timeout),
            Mode::Closed | Mode::ForcedOpen => None,
        }
    }

    /// Whether a call would be let through now, without letting one through.
    pub(crate) fn would_admit(&self, now: MonoTime) -> Result<(), Refusal> {
        match &self.mode {
            Mode::Closed => Ok(()),
            Mode::Open { until } => {
                Err(Refusal { reason: RejectReason::Open, retry_after: Some(until.saturating_since(now)) })
            }
            Mode::HalfOpen(probes) if probes.outstanding() < self.max_probes() => Ok(()),
            Mode::HalfOpen(_) => Err(Refusal { reason: RejectReason::HalfOpenBusy, retry_after: None }),
            Mode::ForcedOpen => Err(Refusal { reason: RejectReason::ForcedOpen, retry_after: None }),
        }
    }

    pub(crate) fn admit(&mut self, now: MonoTime) -> Result<Admission, Refusal> {
        self.would_admit(now)?;
        if let Mode::HalfOpen(probes) = &mut self.mode {
            return Ok(Admission::Probe(probes.begin(now)));
        }
        if self.draws_a_fault() {
            return Err(Refusal { reason: RejectReason::Injected, retry_after: None });
        }
        Ok(Admission::Ordinary)
    }

    fn draws_a_fault(&self) -> bool {
        self.options.fault_rate().is_some_and(|rate| self.random.uniform() < rate.get())
    }

    /// Takes the report of a call that was let through.
    pub(crate) fn report(&mut self, from: Reporter, report: Report, now: MonoTime) {
        let is_current = from.generation == self.generation;
        match (&mut self.mode, from.admission) {
            (Mode::HalfOpen(probes), Admission::Probe(number)) if is_current => {
                probes.end(number);
                self.may_admit_more = true;
                if let Some(call) = report.ended() {
                    self.probe_ended(call, now);
                }
            }
            (Mode::Closed, Admission::Ordinary) => match report {
                Report::Ended(call) if is_current => self.record(call, now, "tripped"),
                // A failure within the window is one whenever its call began: the rule of the fuse.
                Report::Ended(call) if call.failed && self.counts_late_failures() => self.record(call, now, "tripped"),
                #[cfg(feature = "agent")]
                Report::Fatal(call) if is_current => {
                    self.record(call, now, "tripped");
                    if matches!(self.mode, Mode::Closed) {
                        self.open(now, "tripped");
                    }
                }
                _ => {}
            },
            // The report comes from an earlier generation, or the circuit is open: it counts in the totals alone.
            _ => {}
        }
    }

    const fn counts_late_failures(&self) -> bool {
        matches!(self.options.trip(), TripPolicy::FailureIntensity { .. })
    }

    fn probe_ended(&mut self, call: Ended, now: MonoTime) {
        let Mode::HalfOpen(probes) = &mut self.mode else { return };
        let Recovery::Probe(policy) = self.options.recovery() else { return };
        if call.failed || call.slow {
            probes.failures += 1;
            let fails = probes.failures > policy.max_failures;
            self.last_failure_at = Some(now);
            if fails {
                self.open(now, "probe_failed");
            }
        } else {
            probes.successes += 1;
            if probes.successes >= policy.required_successes {
                self.close(now, "recovered");
            }
        }
    }

    /// A failure without a call.
    pub(crate) fn melt(&mut self, now: MonoTime) {
        match self.mode {
            Mode::Closed => self.record(Ended { failed: true, slow: false }, now, "melt"),
            Mode::HalfOpen(_) => {
                self.last_failure_at = Some(now);
                self.open(now, "melt");
            }
            Mode::Open { .. } | Mode::ForcedOpen => {}
        }
    }

    fn record(&mut self, call: Ended, now: MonoTime, reason: &'static str) {
        if call.failed {
            self.last_failure_at = Some(now);
        }
        if self.tally.record(self.options.trip(), call, now) {
            self.open(now, reason);
        }
    }

    pub(crate) fn reset(&mut self, now: MonoTime) {
        match self.mode {
            Mode::Open { .. } | Mode::HalfOpen(_) => self.close(now, "reset"),
            Mode::Closed | Mode::ForcedOpen => self.renew(now),
        }
    }

    pub(crate) fn force_open(&mut self, now: MonoTime) {
        if matches!(self.mode, Mode::ForcedOpen) {
            return;
        }
        let from = self.state();
        self.begin_generation();
        self.mode = Mode::ForcedOpen;
        self.tell(now, ChangeKind::ForcedOpen { from });
    }

    pub(crate) fn lift(&mut self, now: MonoTime) {
        if matches!(self.mode, Mode::ForcedOpen) {
            self.close(now, "lifted");
        }
    }

    pub(crate) fn reconfigure(&mut self, options: Options, now: MonoTime) {
        self.options = options;
        match self.mode {
            Mode::Open { .. } | Mode::HalfOpen(_) => self.close(now, "reconfigured"),
            Mode::Closed | Mode::ForcedOpen => self.renew(now),
        }
    }

    /// The same state anew, with an empty window. How often the circuit opened in a row it forgets where it closes.
    fn renew(&mut self, now: MonoTime) {
        self.begin_generation();
        self.forget(now);
        self.tell(now, ChangeKind::Reset);
    }

    fn open(&mut self, at: MonoTime, reason: &'static str) {
        let from = self.state();
        self.opened_in_a_row = self.opened_in_a_row.saturating_add(1);
        self.opened = self.opened.saturating_add(1);
        let open_for = self.open_time();
        let failures = match &self.mode {
            Mode::HalfOpen(probes) => u64::from(probes.failures),
            _ => self.tally.counts(self.options.trip(), at).failures,
        };
        self.begin_generation();
        self.mode = Mode::Open { until: at.saturating_add(open_for) };
        self.tell(at, ChangeKind::Opened { from, reason, failures, open_for });
    }

    fn open_time(&self) -> Duration {
        match self.options.recovery() {
            Recovery::AutoClose { after } => *after,
            Recovery::Probe(Probe { open_for, jitter, .. }) => {
                let time = open_for.nth(self.opened_in_a_row);
                if *jitter == Ratio::ZERO {
                    return time;
                }
                let share = 1.0 - jitter.get() * self.random.uniform();
                // Rounded to a float the longest time is longer than itself, and too long. Never nothing, either.
                let shorter = Duration::try_from_secs_f64(time.as_secs_f64() * share).unwrap_or(time);
                shorter.clamp(Duration::from_nanos(1), time)
            }
        }
    }

    fn half_open(&mut self, at: MonoTime) {
        self.begin_generation();
        self.mode = Mode::HalfOpen(Probes::default());
        self.tell(at, ChangeKind::HalfOpened);
    }

    fn close(&mut self, at: MonoTime, reason: &'static str) {
        let from = self.state();
        self.begin_generation();
        self.mode = Mode::Closed;
        self.opened_in_a_row = 0;
        self.forget(at);
        self.tell(at, ChangeKind::Closed { from, reason });
    }

    fn begin_generation(&mut self) {
        self.generation += 1;
        self.may_admit_more = true;
    }

    fn forget(&mut self, now: MonoTime) {
        self.tally = Tally::new(self.options.trip(), now);
        self.last_failure_at = None;
    }

    fn tell(&mut self, at: MonoTime, kind: ChangeKind) {
        if self.audience == Audience::Observer {
            self.changes.push(self.generation, at, kind);
        }
    }

    /// Whether someone who waits for admission has reason to look again; asking takes the reason away.
    pub(crate) fn take_may_admit_more(&mut self) -> bool {
        std::mem::take(&mut self.may_admit_more)
    }

    pub(crate) const fn state(&self) -> State {
        match self.mode {
            Mode::Closed => State::Closed,
            Mode::Open { .. } => State::Open,
            Mode::HalfOpen(_) => State::HalfOpen,
            Mode::ForcedOpen => State::ForcedOpen,
        }
    }

    /// What callers can read of the machine without its lock.
    pub(crate) fn word(&self) -> Word {
        let mut flags = Flags::NONE;
        let trip = self.options.trip();
        let reads_durations =
            trip.slow_calls().is_some() || matches!(self.options.cancel_policy(), CancelPolicy::FailureIfLongerThan(_));
        flags.set_if(Flags::TIMED, reads_durations);
        flags.set_if(Flags::FAULTS, self.options.fault_rate().is_some());
        flags.set_if(Flags::OBSERVED, self.audience == Audience::Observer);
        let records_successes = matches!(trip, TripPolicy::CountWindow(_) | TripPolicy::TimeWindow(_));
        flags.set_if(Flags::SUCCESS_COUNTS, records_successes || self.tally.run() > 0);
        flags.set_if(
            Flags::SUCCESS_MAY_COUNT,
            records_successes || matches!(trip, TripPolicy::ConsecutiveFailures { .. }),
        );
        Word::new(self.state(), flags, self.generation)
    }

    /// When an open circuit lets calls through again.
    pub(crate) const fn open_until(&self) -> Option<MonoTime> {
        if let Mode::Open { until } = self.mode { Some(until) } else { None }
    }

    pub(crate) const fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn window(&self, now: MonoTime) -> WindowCounts {
        self.tally.counts(self.options.trip(), now)
    }

    pub(crate) const fn consecutive_failures(&self) -> u32 {
        self.tally.run()
    }

    pub(crate) fn probes(&self) -> ProbeCounts {
        match &self.mode {
            Mode::HalfOpen(probes) => ProbeCounts {
                outstanding: probes.outstanding(),
                max_concurrent: self.max_probes(),
                successes: probes.successes,
                failures: probes.failures,
            },
            _ => ProbeCounts::default(),
        }
    }

    pub(crate) const fn opened_in_a_row(&self) -> u32 {
        self.opened_in_a_row
    }

    pub(crate) const fn opened(&self) -> u64 {
        self.opened
    }

    pub(crate) const fn last_failure_at(&self) -> Option<MonoTime> {
        self.last_failure_at
    }

    const fn probe(&self) -> Option<&Probe> {
        match self.options.recovery() {
            Recovery::Probe(probe) => Some(probe),
            Recovery::AutoClose { .. } => None,
        }
    }

    fn max_probes(&self) -> u32 {
        self.probe().map_or(0, |probe| probe.max_concurrent)
    }
}
