//! The reference: what a breaker promises, written as a fold over timed commands without a thought of speed.
//!
//! Time passes only in [`Model::advance`], which goes from deadline to deadline, so every transition happens at its own. The
//! model keeps every outcome since the circuit closed and decides by going over all of them.

use std::time::Duration;

use foundation_types::{MonoTime, Ratio};

use super::subject::View;
use crate::error::RejectReason;
use crate::options::{CancelPolicy, OpenFor, Options, Probe, Rate, Recovery, SlowCalls, TripPolicy};
use crate::snapshot::{ProbeCounts, State, Totals, WindowCounts};

/// The reference breaker.
#[derive(Clone, Debug)]
pub struct Model {
    options: Options,
    now: MonoTime,
    mode: Mode,
    generation: u64,
    /// When the window began to be filled.
    since: MonoTime,
    /// All that the trip policy was told since then.
    told: Vec<Told>,
    opened_in_a_row: u32,
    last_failure_at: Option<MonoTime>,
    totals: Totals,
    draws: Vec<f64>,
    drawn: usize,
    numbered: u64,
    changes: Vec<StateChange>,
}

#[derive(Clone, Debug)]
enum Mode {
    Closed,
    Open { until: MonoTime },
    HalfOpen { outstanding: Vec<(u64, MonoTime)>, successes: u32, failures: u32 },
    ForcedOpen,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    at: MonoTime,
    failed: bool,
    slow: bool,
}

/// A call that the model let through.
#[derive(Clone, Copy, Debug)]
pub struct Admitted {
    number: u64,
    generation: u64,
    is_probe: bool,
    at: MonoTime,
    /// Whether somebody wanted to know how long it takes when it began; else it counts as having taken no time.
    is_timed: bool,
}

impl Admitted {
    /// Whether it is a probe.
    pub fn is_probe(&self) -> bool {
        self.is_probe
    }

    /// When it was let through.
    pub fn at(&self) -> MonoTime {
        self.at
    }
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Reported as a success.
    Success,
    /// Reported as a failure.
    Failure,
    /// Reported as neither.
    Ignored,
    /// Not reported.
    Dropped,
}

/// A state event that the observer has to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// The last segment of its name.
    pub event: &'static str,
    /// Where it came from, where the event says so.
    pub from: Option<State>,
    /// Why, where the event says so.
    pub reason: Option<&'static str>,
    /// For how long the circuit opened.
    pub open_for: Option<Duration>,
    /// The generation that began.
    pub generation: u64,
    /// When it took effect.
    pub at: MonoTime,
}

impl Model {
    /// A closed breaker; draws are taken in their order, and then again from the first.
    ///
    /// # Panics
    /// If there are no draws.
    pub fn new(options: Options, now: MonoTime, draws: Vec<f64>) -> Self {
        assert!(!draws.is_empty());
        Self {
            options,
            now,
            mode: Mode::Closed,
            generation: 0,
            since: now,
            told: Vec::new(),
            opened_in_a_row: 0,
            last_failure_at: None,
            totals: Totals::default(),
            draws,
            drawn: 0,
            numbered: 0,
            changes: Vec::new(),
        }
    }

    /// The time.
    pub fn now(&self) -> MonoTime {
        self.now
    }

    /// The options in force.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The state events so far.
    pub fn changes(&self) -> &[StateChange] {
        &self.changes
    }

    /// Lets time pass.
    pub fn advance(&mut self, by: Duration) {
        let target = self.now.saturating_add(by);
        while let Some(deadline) = self.deadline().filter(|deadline| *deadline <= target) {
            self.now = deadline;
            match (&self.mode, self.options.recovery()) {
                (Mode::Open { .. }, Recovery::AutoClose { .. }) => self.close("healed"),
                (Mode::Open { .. }, Recovery::Probe(_)) => {
                    let half_open = Mode::HalfOpen { outstanding: Vec::new(), successes: 0, failures: 0 };
                    self.enter(half_open, |_| ("half_opened", None, None, None));
                }
                _ => self.open("probe_timeout"),
            }
        }
        self.now = target;
    }

    /// When the state changes next by itself.
    pub fn deadline(&self) -> Option<MonoTime> {
        match &self.mode {
            Mode::Open { until } => Some(*until),
            Mode::HalfOpen { outstanding, .. } => {
                let timeout = self.probe().probe_timeout;
                outstanding.iter().map(|(_, at)| at.saturating_add(timeout)).min()
            }
            Mode::Closed | Mode::ForcedOpen => None,
        }
    }

    /// When the window changes next by itself.
    pub fn expiry(&self) -> Option<MonoTime> {
        match self.options.trip() {
            TripPolicy::FailureIntensity { window, .. } => {
                let ends = self.told.iter().map(|told| told.at.saturating_add(*window));
                ends.filter(|end| *end > self.now).min()
            }
            TripPolicy::TimeWindow(window) => {
                let next = self.bucket(self.now) + 1;
                let nanos = (next * window.window.as_nanos()).div_ceil(u128::from(window.buckets));
                Some(self.since.saturating_add(Duration::from_nanos(u64::try_from(nanos).ok()?)))
            }
            _ => None,
        }
    }

    /// Asks for a call.
    ///
    /// # Errors
    /// Why it is refused, and when to come again.
    pub fn acquire(&mut self) -> Result<Admitted, (RejectReason, Option<Duration>)> {
        let max_concurrent = self.max_concurrent();
        let refusal = match &self.mode {
            Mode::Closed => match self.options.fault_rate() {
                Some(rate) if self.draw() < rate.get() => {
                    self.totals.injected += 1;
                    return Err((RejectReason::Injected, None));
                }
                _ => None,
            },
            Mode::Open { until } => Some((RejectReason::Open, Some(until.saturating_since(self.now)))),
            Mode::HalfOpen { outstanding, .. } => {
                let is_busy = outstanding.len() >= max_concurrent as usize;
                is_busy.then_some((RejectReason::HalfOpenBusy, None))
            }
            Mode::ForcedOpen => Some((RejectReason::ForcedOpen, None)),
        };
        if let Some(refusal) = refusal {
            self.totals.rejected += 1;
            return Err(refusal);
        }
        self.totals.admitted += 1;
        self.numbered += 1;
        let number = self.numbered;
        let is_probe = match &mut self.mode {
            Mode::HalfOpen { outstanding, .. } => {
                outstanding.push((number, self.now));
                true
            }
            _ => false,
        };
        let is_timed = is_probe
            || self.slow().is_some()
            || matches!(self.options.cancel_policy(), CancelPolicy::FailureIfLongerThan(_));
        Ok(Admitted { number, generation: self.generation, is_probe, at: self.now, is_timed })
    }

    /// Ends a call.
    pub fn end(&mut self, call: Admitted, ending: Ending) {
        let took = if call.is_timed { self.now.saturating_since(call.at) } else { Duration::ZERO };
        let failed = match ending {
            Ending::Success => Some(false),
            Ending::Failure => Some(true),
            Ending::Ignored => None,
            Ending::Dropped => match self.options.cancel_policy() {
                CancelPolicy::Ignore => None,
                CancelPolicy::Failure => Some(true),
                CancelPolicy::FailureIfLongerThan(limit) => (took > limit).then_some(true),
            },
        };
        let slow = failed.is_some() && self.slow().is_some_and(|slow| took > slow.longer_than);
        match failed {
            Some(true) => self.totals.failed += 1,
            Some(false) => self.totals.succeeded += 1,
            None => self.totals.ignored += 1,
        }
        self.totals.slow += u64::from(slow);

        let is_current = call.generation == self.generation;
        if let Mode::HalfOpen { outstanding, .. } = &mut self.mode {
            if is_current {
                outstanding.retain(|(number, _)| *number != call.number);
                if let Some(failed) = failed {
                    self.probed(failed || slow);
                }
            }
        } else if matches!(self.mode, Mode::Closed)
            && let Some(failed) = failed
        {
            let is_late_failure =
                failed && !call.is_probe && matches!(self.options.trip(), TripPolicy::FailureIntensity { .. });
            if is_current || is_late_failure {
                self.tell(failed, slow, "tripped");
            }
        }
    }

    fn probed(&mut self, has_failed: bool) {
        let Probe { required_successes, max_failures, .. } = *self.probe();
        let Mode::HalfOpen { successes, failures, .. } = &mut self.mode else { unreachable!("the caller looked") };
        if has_failed {
            *failures += 1;
            self.last_failure_at = Some(self.now);
            if *failures > max_failures {
                self.open("probe_failed");
            }
        } else {
            *successes += 1;
            if *successes == required_successes {
                self.close("recovered");
            }
        }
    }

    /// A failure without a call.
    pub fn melt(&mut self) {
        self.totals.failed += 1;
        self.totals.melted += 1;
        match self.mode {
            Mode::Closed => self.tell(true, false, "melt"),
            Mode::HalfOpen { .. } => {
                self.last_failure_at = Some(self.now);
                self.open("melt");
            }
            Mode::Open { .. } | Mode::ForcedOpen => {}
        }
    }

    /// An operator's reset.
    pub fn reset(&mut self) {
        match self.mode {
            Mode::Open { .. } | Mode::HalfOpen { .. } => self.close("reset"),
            Mode::Closed => {
                self.opened_in_a_row = 0;
                self.renew();
            }
            Mode::ForcedOpen => self.renew(),
        }
    }

    /// An operator's word that no call is to be made.
    pub fn force_open(&mut self) {
        if !matches!(self.mode, Mode::ForcedOpen) {
            self.enter(Mode::ForcedOpen, |from| ("forced_open", Some(from), None, None));
        }
    }

    /// The end of that.
    pub fn lift(&mut self) {
        if matches!(self.mode, Mode::ForcedOpen) {
            self.close("lifted");
        }
    }

    /// Other options.
    pub fn reconfigure(&mut self, options: Options) {
        self.options = options;
        match self.mode {
            Mode::Open { .. } | Mode::HalfOpen { .. } => self.close("reconfigured"),
            Mode::Closed | Mode::ForcedOpen => self.reset(),
        }
    }

    /// The state.
    pub fn state(&self) -> State {
        match self.mode {
            Mode::Closed => State::Closed,
            Mode::Open { .. } => State::Open,
            Mode::HalfOpen { .. } => State::HalfOpen,
            Mode::ForcedOpen => State::ForcedOpen,
        }
    }

    /// Everything.
    pub fn view(&self) -> View {
        let mut probes = ProbeCounts::default();
        if let Mode::HalfOpen { outstanding, successes, failures } = &self.mode {
            probes.outstanding = u32::try_from(outstanding.len()).expect("as few as were admitted");
            probes.max_concurrent = self.max_concurrent();
            probes.successes = *successes;
            probes.failures = *failures;
        }
        let counts_runs = matches!(self.options.trip(), TripPolicy::ConsecutiveFailures { .. });
        View {
            state: self.state(),
            generation: self.generation,
            window: self.window(),
            consecutive_failures: if counts_runs { self.run() } else { 0 },
            probes,
            retry_after: if let Mode::Open { until } = self.mode {
                Some(until.saturating_since(self.now))
            } else {
                None
            },
            opened_in_a_row: self.opened_in_a_row,
            last_failure_at: self.last_failure_at,
            totals: self.totals,
        }
    }

    /// What the trip policy looks at, counted anew.
    fn window(&self) -> WindowCounts {
        let current = self.bucket(self.now);
        let is_looked_at = |age: usize, told: &Told| match *self.options.trip() {
            TripPolicy::FailureIntensity { window, .. } => told.failed && self.now.saturating_since(told.at) < window,
            TripPolicy::ConsecutiveFailures { .. } => age < self.run() as usize,
            TripPolicy::CountWindow(window) => age < window.size as usize,
            TripPolicy::TimeWindow(window) => current - self.bucket(told.at) < u128::from(window.buckets),
            TripPolicy::Never => false,
        };
        let mut counts = WindowCounts::default();
        for (_, told) in self.told.iter().rev().enumerate().filter(|(age, told)| is_looked_at(*age, told)) {
            counts.recorded += 1;
            counts.failures += u64::from(told.failed);
            counts.slow += u64::from(told.slow);
        }
        counts
    }

    /// How many of the latest outcomes are failures without a success between.
    fn run(&self) -> u32 {
        let run = self.told.iter().rev().take_while(|told| told.failed).count();
        u32::try_from(run).expect("as few as were reported")
    }

    /// The number of the bucket of a time window, from the beginning of the generation.
    fn bucket(&self, at: MonoTime) -> u128 {
        let TripPolicy::TimeWindow(window) = self.options.trip() else { return 0 };
        at.saturating_since(self.since).as_nanos() * u128::from(window.buckets) / window.window.as_nanos()
    }

    fn tell(&mut self, failed: bool, slow: bool, reason: &'static str) {
        self.told.push(Told { at: self.now, failed, slow });
        if failed {
            self.last_failure_at = Some(self.now);
        }
        let counts = self.window();
        let reaches = |rate: Rate, part: u64| part * 10_000 >= u64::from(rate.as_basis_points()) * counts.recorded;
        let rate_is_reached = |min_calls: u32, failure_rate: Rate, slow: Option<SlowCalls>| {
            counts.recorded >= u64::from(min_calls)
                && (reaches(failure_rate, counts.failures) || slow.is_some_and(|slow| reaches(slow.rate, counts.slow)))
        };
        let trips = match *self.options.trip() {
            TripPolicy::FailureIntensity { tolerance, .. } => counts.failures > u64::from(tolerance),
            TripPolicy::ConsecutiveFailures { threshold } => self.run() >= threshold,
            TripPolicy::CountWindow(window) => rate_is_reached(window.min_calls, window.failure_rate, window.slow),
            TripPolicy::TimeWindow(window) => rate_is_reached(window.min_calls, window.failure_rate, window.slow),
            TripPolicy::Never => false,
        };
        if trips {
            self.open(reason);
        }
    }

    fn open(&mut self, reason: &'static str) {
        self.opened_in_a_row += 1;
        self.totals.opened += 1;
        let open_for = match *self.options.recovery() {
            Recovery::AutoClose { after } => after,
            Recovery::Probe(Probe { open_for, jitter, .. }) => {
                let time = match open_for {
                    OpenFor::Constant(time) => time,
                    OpenFor::Exponential { base, factor, max } => {
                        (1..self.opened_in_a_row).fold(base, |time, _| time.saturating_mul(factor).min(max)).min(max)
                    }
                };
                if jitter == Ratio::ZERO {
                    time
                } else {
                    let share = 1.0 - jitter.get() * self.draw();
                    // The suite draws and waits such that this is exact.
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "less than `time`")]
                    Duration::from_nanos((time.as_nanos() as f64 * share).round() as u64)
                }
            }
        };
        let until = self.now.saturating_add(open_for);
        self.enter(Mode::Open { until }, |from| ("opened", Some(from), Some(reason), Some(open_for)));
    }

    fn close(&mut self, reason: &'static str) {
        self.enter(Mode::Closed, |from| ("closed", Some(from), Some(reason), None));
        self.opened_in_a_row = 0;
        self.forget();
    }

    /// A new generation of the same state, with nothing remembered.
    fn renew(&mut self) {
        let mode = self.mode.clone();
        self.enter(mode, |_| ("reset", None, None, None));
        self.forget();
    }

    fn forget(&mut self) {
        self.told.clear();
        self.since = self.now;
        self.last_failure_at = None;
    }

    fn enter(
        &mut self,
        mode: Mode,
        event: impl FnOnce(State) -> (&'static str, Option<State>, Option<&'static str>, Option<Duration>),
    ) {
        let (event, from, reason, open_for) = event(self.state());
        self.mode = mode;
        self.generation += 1;
        self.changes.push(StateChange { event, from, reason, open_for, generation: self.generation, at: self.now });
    }

    fn draw(&mut self) -> f64 {
        self.drawn += 1;
        self.draws[(self.drawn - 1) % self.draws.len()]
    }

    fn slow(&self) -> Option<SlowCalls> {
        self.options.trip().slow_calls()
    }

    fn probe(&self) -> &Probe {
        let Recovery::Probe(probe) = self.options.recovery() else { unreachable!("only these become half-open") };
        probe
    }

    fn max_concurrent(&self) -> u32 {
        if let Recovery::Probe(probe) = self.options.recovery() { probe.max_concurrent } else { 0 }
    }
}
