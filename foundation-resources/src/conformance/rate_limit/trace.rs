//! Random sequences of operations.

use std::time::Duration;

use foundation_types::ManualClock;
use proptest::prelude::*;
use proptest::sample::select;

use super::model::{Model, Rules};
use super::{Factory, Subject, cost};
use crate::rate_limit::{Decision, Quota, Usage};

/// The keys: pairs that are one text if they are joined carelessly, empty ones, and long ones.
pub(super) const KEYS: [(&str, &str); 5] =
    [("a:b", "c"), ("a", "b:c"), ("", ""), ("", "a:b:c"), ("a key of more than twenty-three bytes", "c")];

#[derive(Clone, Debug)]
pub(super) enum Op {
    Advance(Duration),
    Check { key: usize, quota: Quota, cost: u32 },
    Usage { key: usize, quota: Quota },
    Reset { key: usize },
    Sweep,
}

/// What an operation answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Nothing,
    Decision(Decision),
    Usage(Usage),
}

fn windows() -> impl Strategy<Value = Duration> {
    select(vec![Duration::from_nanos(7), Duration::from_millis(10), Duration::from_millis(25), Duration::from_secs(1)])
}

pub(super) fn quotas() -> impl Strategy<Value = Quota> {
    let burst = prop_oneof![2 => Just(None), 1 => (0..8_u32).prop_map(Some)];
    (0..7_u32, windows(), burst).prop_map(|(limit, window, burst)| {
        let quota = Quota::new(limit, window).expect("valid");
        burst.map_or(quota, |burst| quota.with_burst(burst))
    })
}

/// A quota that admits something.
pub(super) fn open_quotas() -> impl Strategy<Value = Quota> {
    quotas().prop_map(|quota| {
        let quota = quota.with_limit(quota.limit().max(1));
        quota.with_burst(quota.burst().unwrap_or(quota.limit()).max(1))
    })
}

pub(super) fn pauses() -> impl Strategy<Value = Duration> {
    prop_oneof![
        3 => (0..10_u64).prop_map(Duration::from_nanos),
        3 => (0..30_000_u64).prop_map(Duration::from_micros),
        1 => (0..3_000_000_000_u64).prop_map(Duration::from_nanos),
    ]
}

pub(super) fn traces() -> impl Strategy<Value = Vec<Op>> {
    let key = 0..KEYS.len();
    let op = prop_oneof![
        3 => pauses().prop_map(Op::Advance),
        8 => (key.clone(), quotas(), 1..4_u32).prop_map(|(key, quota, cost)| Op::Check { key, quota, cost }),
        1 => (key.clone(), quotas()).prop_map(|(key, quota)| Op::Usage { key, quota }),
        1 => key.prop_map(|key| Op::Reset { key }),
        1 => Just(Op::Sweep),
    ];
    prop::collection::vec(op, 1..80)
}

/// A limiter and its clock.
pub(super) struct Bench {
    pub(super) clock: ManualClock,
    pub(super) subject: Box<dyn Subject>,
}

impl Bench {
    pub(super) fn new(factory: Factory<'_>) -> Self {
        let clock = ManualClock::new();
        let subject = factory(clock.clone());
        Self { clock, subject }
    }

    pub(super) fn check(&self, key: usize, quota: Quota, units: u32) -> Decision {
        self.subject.check(KEYS[key], quota, cost(units))
    }

    pub(super) fn usage(&self, key: usize, quota: Quota) -> Usage {
        self.subject.usage(KEYS[key], quota)
    }

    pub(super) fn run(&self, op: &Op) -> Answer {
        match *op {
            Op::Advance(pause) => self.clock.advance(pause),
            Op::Check { key, quota, cost } => return Answer::Decision(self.check(key, quota, cost)),
            Op::Usage { key, quota } => return Answer::Usage(self.usage(key, quota)),
            Op::Reset { key } => {
                // Whether a dead record was still there says nothing.
                self.subject.reset(KEYS[key]);
            }
            Op::Sweep => self.subject.sweep(),
        }
        Answer::Nothing
    }
}

/// A model at the time at which a manual clock starts.
pub(super) fn model(rules: Rules) -> Model {
    Model::new(rules, 1_000_000_000_000_000_000)
}

pub(super) fn run_model(model: &mut Model, op: &Op) -> Answer {
    match *op {
        Op::Advance(pause) => model.now += pause.as_nanos(),
        Op::Check { key, quota, cost } => return Answer::Decision(model.check(key, &quota, cost)),
        Op::Usage { key, quota } => return Answer::Usage(model.usage(key, &quota)),
        Op::Reset { key } => {
            model.reset(key);
        }
        Op::Sweep => {}
    }
    Answer::Nothing
}
