//! Commands, drawn at random, and the breaker and its model under the same ones.

use std::time::Duration;

use foundation_types::{Clock, ManualClock, MonoTime, Ratio};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::Factory;
use super::model::{Admitted, Ending, Model};
use super::subject::{Breaker, Permit, Setup};
use crate::classify::Outcome;
use crate::options::{
    CancelPolicy, CountWindow, OpenFor, Options, Probe, Rate, Recovery, SlowCalls, TimeWindow, TripPolicy,
};
use crate::random::Random;

/// One thing that is done to a breaker.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Advance(Step),
    Acquire,
    /// Ends one of the calls under way, the index modulo their number.
    End(usize, Ending),
    Melt,
    Reset,
    ForceOpen,
    Lift,
    Reconfigure(Options),
    State,
    View,
}

/// How far time goes: some way, or to an instant at which something happens, or to a nanosecond before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    By(Duration),
    ToDeadline,
    BeforeDeadline,
    /// Until what the window holds changes.
    ToExpiry,
    BeforeExpiry,
    /// Until the newest call under way is exactly as old as a call that is not yet slow, or not yet too old to be ignored.
    ToLimit,
    PastLimit,
}

impl Step {
    /// How far that is now; `newest` is when the newest call under way was let through.
    pub(super) fn resolve(self, model: &Model, newest: Option<MonoTime>) -> Duration {
        let until = |instant: Option<MonoTime>| instant.map_or(ms(1), |instant| instant.saturating_since(model.now()));
        let limit = || {
            let options = model.options();
            let slow = options.trip().slow_calls().map(|slow| slow.longer_than);
            let limit = match options.cancel_policy() {
                CancelPolicy::FailureIfLongerThan(limit) => slow.or(Some(limit)),
                _ => slow,
            };
            newest.zip(limit).map(|(at, limit)| at.saturating_add(limit))
        };
        match self {
            Self::By(by) => by,
            Self::ToDeadline => until(model.deadline()),
            Self::BeforeDeadline => until(model.deadline()).saturating_sub(NANO),
            Self::ToExpiry => until(model.expiry()),
            Self::BeforeExpiry => until(model.expiry()).saturating_sub(NANO),
            Self::ToLimit => until(limit()),
            Self::PastLimit => until(limit()) + NANO,
        }
    }
}

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(super) const NANO: Duration = Duration::from_nanos(1);

fn short() -> impl Strategy<Value = Duration> + Clone {
    select(vec![NANO, ms(3), ms(10), ms(50)])
}

fn rate() -> impl Strategy<Value = Rate> {
    select(vec![1, 2_500, 3_333, 3_334, 5_000, 6_667, 10_000])
        .prop_map(|points| Rate::basis_points(points).expect("in range"))
}

fn slow() -> impl Strategy<Value = Option<SlowCalls>> {
    proptest::option::of(
        (select(vec![Duration::ZERO, ms(3), ms(10)]), rate())
            .prop_map(|(longer_than, rate)| SlowCalls { longer_than, rate }),
    )
}

pub(super) fn count_window() -> impl Strategy<Value = CountWindow> {
    (1_u32..8, 0_u32..8, rate(), slow()).prop_map(|(size, min_calls, failure_rate, slow)| CountWindow {
        size,
        min_calls: 1 + min_calls % size,
        failure_rate,
        slow,
    })
}

pub(super) fn time_window() -> impl Strategy<Value = TimeWindow> {
    let window = select(vec![Duration::from_nanos(7), ms(10), ms(50)]);
    (window, 1_u32..8, 1_u32..6, rate(), slow()).prop_map(|(window, buckets, min_calls, failure_rate, slow)| {
        TimeWindow { window, buckets, min_calls, failure_rate, slow }
    })
}

pub(super) fn trip() -> impl Strategy<Value = TripPolicy> {
    prop_oneof![
        3 => (0_u32..4, short()).prop_map(|(tolerance, window)| TripPolicy::FailureIntensity { tolerance, window }),
        3 => (1_u32..4).prop_map(|threshold| TripPolicy::ConsecutiveFailures { threshold }),
        2 => count_window().prop_map(TripPolicy::CountWindow),
        2 => time_window().prop_map(TripPolicy::TimeWindow),
        1 => Just(TripPolicy::Never),
    ]
}

fn open_for() -> impl Strategy<Value = OpenFor> {
    prop_oneof![
        select(vec![ms(5), ms(50)]).prop_map(OpenFor::Constant),
        (select(vec![ms(5), ms(30)]), 1_u32..4, 1_u32..10).prop_map(|(base, factor, times)| OpenFor::Exponential {
            base,
            factor,
            max: base * times
        }),
    ]
}

pub(super) fn probe() -> impl Strategy<Value = Probe> {
    let jitter = select(vec![0.0, 0.0, 0.25, 0.5, 1.0]);
    let timeout = select(vec![NANO, ms(20), ms(60)]);
    (open_for(), jitter, 1_u32..4, 1_u32..4, 0_u32..3, timeout).prop_map(
        |(open_for, jitter, max_concurrent, required_successes, max_failures, probe_timeout)| Probe {
            open_for,
            jitter: Ratio::new(jitter).expect("in range"),
            max_concurrent,
            required_successes,
            max_failures,
            probe_timeout,
        },
    )
}

pub(super) fn recovery() -> impl Strategy<Value = Recovery> {
    prop_oneof![
        1 => select(vec![NANO, ms(10), ms(70)]).prop_map(|after| Recovery::AutoClose { after }),
        3 => probe().prop_map(Recovery::Probe),
    ]
}

/// Any options of a small size, without faults.
pub(super) fn options() -> impl Strategy<Value = Options> + Clone {
    let policy = prop_oneof![
        2 => Just(CancelPolicy::Ignore),
        1 => Just(CancelPolicy::Failure),
        1 => select(vec![Duration::ZERO, ms(3)]).prop_map(CancelPolicy::FailureIfLongerThan),
    ];
    (trip(), recovery(), policy)
        .prop_map(|(trip, recovery, policy)| Options::new(trip, recovery).expect("in range").on_cancel(policy))
        .boxed()
}

/// Any options, also such that inject faults where the feature is there.
pub(super) fn options_with_faults() -> impl Strategy<Value = Options> + Clone {
    #[cfg(feature = "fault-injection")]
    {
        let rates = proptest::option::weighted(0.3, select(vec![0.125, 0.5, 1.0]));
        (options(), rates)
            .prop_map(|(options, rate)| match rate {
                // A fuse that tolerates nothing takes no faults.
                Some(rate) => options.clone().inject_faults(rate).unwrap_or(options),
                None => options,
            })
            .boxed()
    }
    #[cfg(not(feature = "fault-injection"))]
    options()
}

pub(super) fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        3 => Just(Ending::Success),
        4 => Just(Ending::Failure),
        1 => Just(Ending::Ignored),
        2 => Just(Ending::Dropped),
    ]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => select(vec![Duration::ZERO, NANO, ms(1), ms(3), ms(10), ms(50), ms(200)]).prop_map(Step::By),
        3 => Just(Step::ToDeadline),
        1 => Just(Step::BeforeDeadline),
        1 => Just(Step::ToExpiry),
        1 => Just(Step::BeforeExpiry),
        1 => Just(Step::ToLimit),
        1 => Just(Step::PastLimit),
    ]
}

/// What callers do, and time.
pub(super) fn use_of_it() -> impl Strategy<Value = Command> {
    prop_oneof![
        5 => step().prop_map(Command::Advance),
        8 => Just(Command::Acquire),
        8 => (any::<usize>(), ending()).prop_map(|(which, ending)| Command::End(which, ending)),
        2 => Just(Command::Melt),
    ]
}

/// Anything at all, with new options from `options`.
pub(super) fn command(options: impl Strategy<Value = Options> + 'static) -> impl Strategy<Value = Command> {
    prop_oneof![
        40 => use_of_it(),
        1 => Just(Command::Reset),
        1 => Just(Command::ForceOpen),
        2 => Just(Command::Lift),
        1 => options.prop_map(Command::Reconfigure),
        2 => Just(Command::State),
        2 => Just(Command::View),
    ]
}

pub(super) fn commands() -> impl Strategy<Value = Vec<Command>> {
    vec(command(options_with_faults()), 1..80)
}

/// Draws that make jittered times whole numbers of nanoseconds.
pub(super) fn draws() -> impl Strategy<Value = Vec<f64>> {
    vec((0_u8..8).prop_map(|eighths| f64::from(eighths) / 8.0), 1..5)
}

/// A breaker and its model, which must give the same answers.
pub(super) struct Pair<B: Breaker> {
    pub(super) breaker: B,
    pub(super) clock: ManualClock,
    pub(super) model: Model,
    /// The calls under way.
    pub(super) held: Vec<(B::Permit, Admitted)>,
}

impl<B: Breaker> Pair<B> {
    pub(super) fn new(make: Factory<'_, B>, options: Options, draws: &[f64]) -> Self {
        Self::of(make, options, draws, |setup| setup)
    }

    pub(super) fn of(
        make: Factory<'_, B>,
        options: Options,
        draws: &[f64],
        set_up: impl FnOnce(Setup) -> Setup,
    ) -> Self {
        let clock = ManualClock::new();
        // Not at the origin, where a time that was never set would pass for one.
        clock.advance(ms(1_000));
        let setup = Setup { random: Random::scripted(draws.iter().copied()), ..Setup::new(options.clone(), &clock) };
        Self::around(make(set_up(setup)), options, &clock, draws)
    }

    /// For a breaker that was just made.
    pub(super) fn around(breaker: B, options: Options, clock: &ManualClock, draws: &[f64]) -> Self {
        let model = Model::new(options, clock.mono(), draws.to_vec());
        Self { breaker, clock: clock.clone(), model, held: Vec::new() }
    }

    /// How far `step` is now.
    pub(super) fn resolve(&self, step: Step) -> Duration {
        step.resolve(&self.model, self.held.last().map(|(_, call)| call.at()))
    }

    /// Does them to both, in their order.
    pub(super) fn run_all(&mut self, commands: &[Command]) {
        for command in commands {
            self.run(command);
        }
    }

    /// Does it to both, and compares what they answer.
    pub(super) fn run(&mut self, command: &Command) {
        match command {
            Command::Advance(step) => self.advance(self.resolve(*step)),
            Command::Acquire => {
                self.acquire();
            }
            Command::End(which, ending) => {
                if !self.held.is_empty() {
                    self.end(which % self.held.len(), *ending);
                }
            }
            Command::Melt => {
                self.breaker.melt();
                self.model.melt();
            }
            Command::Reset => {
                self.breaker.reset();
                self.model.reset();
            }
            Command::ForceOpen => {
                self.breaker.force_open();
                self.model.force_open();
            }
            Command::Lift => {
                self.breaker.lift();
                self.model.lift();
            }
            Command::Reconfigure(options) => {
                self.breaker.reconfigure(options.clone());
                self.model.reconfigure(options.clone());
            }
            Command::State => assert_eq!(self.breaker.state(), self.model.state()),
            Command::View => self.agree(),
        }
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
        self.model.advance(by);
    }

    /// Asks both; returns whether the call was let through.
    pub(super) fn acquire(&mut self) -> bool {
        let expected = self.model.acquire();
        match (self.breaker.try_acquire(), expected) {
            (Ok(permit), Ok(call)) => {
                assert_eq!(permit.is_probe(), call.is_probe());
                self.held.push((permit, call));
                true
            }
            (Err(rejected), Err(expected)) => {
                assert_eq!((rejected.reason, rejected.retry_after), expected);
                false
            }
            (answer, expected) => {
                panic!("{:?} instead of {expected:?}", answer.map(|_| "let through"));
            }
        }
    }

    pub(super) fn end(&mut self, which: usize, ending: Ending) {
        let (permit, call) = self.held.remove(which);
        match ending {
            Ending::Success => permit.report(Outcome::Success),
            Ending::Failure => permit.report(Outcome::Failure),
            Ending::Ignored => permit.report(Outcome::Ignored),
            Ending::Dropped => drop(permit),
        }
        self.model.end(call, ending);
    }

    /// Both say the same of themselves.
    pub(super) fn agree(&self) {
        assert_eq!(self.breaker.view().comparable(), self.model.view().comparable());
    }
}
