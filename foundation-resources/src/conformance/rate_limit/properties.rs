//! The properties.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use foundation_types::{Clock, Timestamp};
use proptest::prelude::*;

use super::model::Rules;
use super::trace::{Answer, Bench, KEYS, Op, model, open_quotas, pauses, quotas, run_model, traces};
use super::{Factory, check};
use crate::rate_limit::{Decision, Quota};

const CASES: u32 = 300;

/// Q1: every answer is that of a model that remembers every admission and counts by definition.
pub fn q01_model_equality(rules: Rules, factory: Factory<'_>) {
    check(CASES, traces(), |trace| {
        let (bench, mut model) = (Bench::new(factory), model(rules));
        for (step, op) in trace.iter().enumerate() {
            assert_eq!(bench.run(op), run_model(&mut model, op), "step {step}: {op:?}");
        }
    });
}

/// Q2: no window, no stretch of the length of a window, no stretch of any length has more admissions than the rules allow.
pub fn q02_bound(rules: Rules, factory: Factory<'_>) {
    let steps = prop::collection::vec((pauses(), 1..4_u32), 1..100);
    check(CASES, (open_quotas(), steps), |(quota, steps)| {
        let bench = Bench::new(factory);
        let (mut now, mut admitted) = (0_u128, Vec::new());
        for (pause, cost) in steps {
            bench.clock.advance(pause);
            now += pause.as_nanos();
            if bench.check(0, quota, cost).is_allowed() {
                admitted.push((now, u128::from(cost)));
            }
        }
        let (limit, window) = (u128::from(quota.limit()), quota.window().as_nanos());
        if rules == Rules::FixedWindow {
            // When a manual clock starts.
            let offset = 1_000_000_000_000_000_000;
            let mut windows: BTreeMap<u128, u128> = BTreeMap::new();
            for (at, cost) in &admitted {
                *windows.entry((at + offset) / window).or_default() += cost;
            }
            assert!(windows.values().all(|&sum| sum <= limit), "{windows:?}");
            return;
        }
        for first in 0..admitted.len() {
            let mut sum = 0;
            for (at, cost) in &admitted[first..] {
                let span = at - admitted[first].0;
                sum += cost;
                match rules {
                    Rules::SlidingWindow if span < window => assert!(sum <= limit, "{sum} in {span} ns"),
                    Rules::TokenBucket => {
                        let capacity = u128::from(quota.capacity());
                        assert!(sum * window <= capacity * window + limit * span, "{sum} in {span} ns");
                    }
                    _ => {}
                }
            }
        }
    });
}

/// Q3: a request that fits is never denied, and one that does not fit is never admitted.
pub fn q03_completeness(_: Rules, factory: Factory<'_>) {
    check(CASES, traces(), |trace| {
        let bench = Bench::new(factory);
        for op in &trace {
            let Op::Check { key, quota, cost } = *op else {
                bench.run(op);
                continue;
            };
            let fits = bench.usage(key, quota).remaining >= cost;
            assert_eq!(bench.check(key, quota, cost).is_allowed(), fits);
        }
    });
}

/// Q4: of the checks of many threads at one moment exactly as many succeed as the quota allows.
pub fn q04_exact_under_threads(rules: Rules, factory: Factory<'_>) {
    const THREADS: usize = 4;
    const CHECKS: u32 = 50;
    for limit in [1, 7, 100, 199, 200] {
        let quota = Quota::per_minute(limit);
        let bench = Bench::new(factory);
        let (admitted, start) = (AtomicU32::new(0), Barrier::new(THREADS));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    start.wait();
                    let mut own = 0;
                    for _ in 0..CHECKS {
                        own += u32::from(bench.check(0, quota, 1).is_allowed());
                    }
                    admitted.fetch_add(own, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(admitted.into_inner(), rules.bound(&quota));
    }
}

/// Q5: denied checks change nothing that comes after them.
pub fn q05_denials_are_free(rules: Rules, factory: Factory<'_>) {
    check(CASES, (traces(), quotas()), |(trace, other)| {
        let (plain, denied) = (Bench::new(factory), Bench::new(factory));
        for (step, op) in trace.iter().enumerate() {
            for key in 0..KEYS.len() {
                for quota in [other, quota_of(op).unwrap_or(other)] {
                    let remaining = denied.usage(key, quota).remaining;
                    assert!(!denied.check(key, quota, remaining + 1).is_allowed());
                    assert!(!denied.check(key, quota, rules.bound(&quota) + 1).is_allowed());
                }
            }
            assert_eq!(plain.run(op), denied.run(op), "step {step}: {op:?}");
        }
        plain.subject.sweep();
        denied.subject.sweep();
        assert_eq!(plain.subject.len(), denied.subject.len());
    });
}

fn quota_of(op: &Op) -> Option<Quota> {
    match *op {
        Op::Check { quota, .. } | Op::Usage { quota, .. } => Some(quota),
        _ => None,
    }
}

/// Q6: a retry after what a denial says succeeds, and one a nanosecond earlier does not.
pub fn q06_retry_after_is_tight(_: Rules, factory: Factory<'_>) {
    let inputs = (open_quotas(), prop::collection::vec((pauses(), 1..4_u32), 1..20), 1..8_u32);
    check(CASES, inputs, |(quota, before, cost)| {
        let bench = Bench::new(factory);
        for (pause, cost) in before {
            bench.clock.advance(pause);
            let _ = bench.check(0, quota, cost);
        }
        let Decision::Denied(denial) = bench.check(0, quota, cost) else { return };
        let Some(retry_after) = denial.retry_after else {
            assert!(cost > denial.limit, "only what never fits has no hint");
            return;
        };
        bench.clock.advance(retry_after.saturating_sub(Duration::from_nanos(1)));
        assert!(!bench.check(0, quota, cost).is_allowed(), "a nanosecond early");
        bench.clock.advance(Duration::from_nanos(1));
        assert!(bench.check(0, quota, cost).is_allowed(), "on time");
    });
}

/// Q7: a key knows nothing of other keys, nor of windows of another length.
pub fn q07_isolation(_: Rules, factory: Factory<'_>) {
    check(CASES, traces(), |trace| {
        let together = Bench::new(factory);
        let mut apart: BTreeMap<(usize, Duration), Bench> = BTreeMap::new();
        let mut elapsed = Duration::ZERO;
        for op in &trace {
            let answer = together.run(op);
            match *op {
                Op::Advance(pause) => {
                    elapsed += pause;
                    for bench in apart.values() {
                        bench.clock.advance(pause);
                    }
                }
                Op::Check { key, quota, .. } | Op::Usage { key, quota } => {
                    let bench = apart.entry((key, quota.window())).or_insert_with(|| {
                        let bench = Bench::new(factory);
                        bench.clock.advance(elapsed);
                        bench
                    });
                    assert_eq!(bench.run(op), answer, "{op:?}");
                }
                Op::Reset { key } => {
                    for (_, bench) in apart.iter().filter(|((of, _), _)| *of == key) {
                        bench.run(op);
                    }
                }
                Op::Sweep => {}
            }
        }
    });
}

/// Q8: the last moment of a fixed window and the first of the next are counted apart, and windows begin at multiples of their
/// length since the Unix epoch. Says nothing of other rules.
pub fn q08_boundary(rules: Rules, factory: Factory<'_>) {
    if rules != Rules::FixedWindow {
        return;
    }
    check(CASES, (1..7_u32, 1..5_000_u64, 1..100_u64), |(limit, millis, windows)| {
        let window = Duration::from_millis(millis);
        let quota = Quota::new(limit, window).expect("valid");
        let bench = Bench::new(factory);
        let start = bench.clock.wall().as_micros().cast_unsigned() / 1_000;
        let boundary = (start / millis + windows) * millis;
        bench.clock.advance(Duration::from_millis(boundary - 1 - start));
        for _ in 0..limit {
            assert!(bench.check(0, quota, 1).is_allowed());
        }
        let decision = bench.check(0, quota, 1);
        assert_eq!(decision.denial().and_then(|denial| denial.retry_after), Some(Duration::from_millis(1)));
        bench.clock.advance(Duration::from_millis(1));
        for _ in 0..limit {
            assert!(bench.check(0, quota, 1).is_allowed());
        }
        let decision = bench.check(0, quota, 1);
        assert_eq!(decision.denial().and_then(|denial| denial.retry_after), Some(window));
    });
}

/// Q9: after a sweep there is a record for each key and window of which something counts, and no other; a key that is used
/// for long has one record; and no answer depends on sweeps.
pub fn q09_memory(rules: Rules, factory: Factory<'_>) {
    check(CASES, traces(), |trace| {
        let (swept, unswept, mut model) = (Bench::new(factory), Bench::new(factory), model(rules));
        for op in &trace {
            run_model(&mut model, op);
            let answer = swept.run(op);
            swept.subject.sweep();
            assert_eq!(swept.subject.len(), model.live().count(), "after {op:?}");
            if !matches!(op, Op::Sweep) {
                assert_eq!(unswept.run(op), answer, "{op:?}");
            }
        }
    });
    let bench = Bench::new(factory);
    for _ in 0..1_000 {
        assert!(bench.check(0, Quota::per_second(2), 1).is_allowed());
        assert_eq!(bench.subject.len(), 1);
        bench.clock.advance(Duration::from_millis(700));
    }
}

/// Q10: stepping the wall clock in either direction changes no answer.
pub fn q10_monotone_time(_: Rules, factory: Factory<'_>) {
    let steps = prop::collection::vec(any::<i64>(), 80);
    check(CASES, (traces(), steps), |(trace, steps)| {
        let (steady, stepped) = (Bench::new(factory), Bench::new(factory));
        for (op, step) in trace.iter().zip(steps) {
            let bounds = Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros();
            let wall = Timestamp::from_micros(step.clamp(*bounds.start(), *bounds.end())).expect("in range");
            stepped.clock.set_wall(wall);
            assert_eq!(steady.run(op), stepped.run(op), "{op:?}");
        }
    });
}

/// Q11: asking for usage changes nothing, and what counts and what remains make the limit as long as no more counts.
pub fn q11_usage_changes_nothing(rules: Rules, factory: Factory<'_>) {
    check(CASES, (traces(), quotas()), |(trace, other)| {
        let (plain, asked) = (Bench::new(factory), Bench::new(factory));
        for op in &trace {
            for key in 0..KEYS.len() {
                for quota in [other, quota_of(op).unwrap_or(other)] {
                    let (usage, bound) = (asked.usage(key, quota), rules.bound(&quota));
                    assert_eq!(usage.limit, bound);
                    if usage.count <= bound {
                        assert_eq!(usage.count + usage.remaining, bound);
                    } else {
                        assert_eq!(usage.remaining, 0);
                    }
                    assert_eq!(usage.count == 0, usage.reset_after.is_zero());
                }
            }
            let answer = asked.run(op);
            assert_eq!(plain.run(op), answer, "{op:?}");
            if let Answer::Decision(Decision::Allowed(admission)) = answer {
                let bound = rules.bound(&quota_of(op).expect("a check has a quota"));
                assert_eq!(admission.count + admission.remaining, bound);
            }
        }
        plain.subject.sweep();
        asked.subject.sweep();
        assert_eq!(plain.subject.len(), asked.subject.len());
    });
}
