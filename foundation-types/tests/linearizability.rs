//! The linearizability checker against examples from the literature, a brute-force oracle, an independent checker, and
//! real threads.
#![cfg(feature = "conformance")]

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;

use foundation_types::conformance::linearizability::{
    Counterexample, History, InvertedInterval, Limits, Model, OpenLogs, Operation, Recorder, Sequential, Verdict,
    check, check_by_key,
};
use proptest::prelude::*;
use proptest::sample;
use proptest::test_runner::{Config, TestRunner};
use stateright::semantics::register::{RegisterOp, RegisterRet};
use stateright::semantics::vec::{VecOp, VecRet};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

// ===== models =====

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Cell64 {
    Read,
    Write(u64),
    Add(u64),
}
use Cell64::{Add, Read, Write};

/// A register; every operation answers what the register holds after it.
#[derive(Clone, Copy)]
struct Register;

impl Sequential for Register {
    type State = u64;
    type Op = Cell64;
    type Ret = u64;

    fn initial(&self) -> u64 {
        0
    }

    fn apply(&self, held: &u64, op: &Cell64) -> (u64, u64) {
        let now = match op {
            Read => *held,
            Write(value) => *value,
            Add(amount) => held + amount,
        };
        (now, now)
    }
}

#[derive(Debug, Clone, Copy)]
enum QueueOp {
    Push(u32),
    Pop,
}
use QueueOp::{Pop, Push};

/// A queue; `Pop` answers the oldest, `Push` nothing.
#[derive(Clone, Copy)]
struct Queue;

impl Sequential for Queue {
    type State = VecDeque<u32>;
    type Op = QueueOp;
    type Ret = Option<u32>;

    fn initial(&self) -> VecDeque<u32> {
        VecDeque::new()
    }

    fn apply(&self, held: &VecDeque<u32>, op: &QueueOp) -> (VecDeque<u32>, Option<u32>) {
        let mut next = held.clone();
        match op {
            Push(value) => {
                next.push_back(*value);
                (next, None)
            }
            Pop => {
                let popped = next.pop_front();
                (next, popped)
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MapOp {
    /// Stores the value if the key is free.
    Claim(u8, u32),
    Remove(u8),
    Get(u8),
}
use MapOp::{Claim, Get, Remove};

impl MapOp {
    fn key(self) -> u8 {
        match self {
            Claim(key, _) | Remove(key) | Get(key) => key,
        }
    }
}

/// A map; every operation answers what the key held before it.
#[derive(Clone, Copy)]
struct Map;

impl Sequential for Map {
    type State = BTreeMap<u8, u32>;
    type Op = MapOp;
    type Ret = Option<u32>;

    fn initial(&self) -> BTreeMap<u8, u32> {
        BTreeMap::new()
    }

    fn apply(&self, held: &BTreeMap<u8, u32>, op: &MapOp) -> (BTreeMap<u8, u32>, Option<u32>) {
        let mut next = held.clone();
        let before = held.get(&op.key()).copied();
        match *op {
            Claim(key, value) => _ = next.entry(key).or_insert(value),
            Remove(key) => _ = next.remove(&key),
            Get(_) => {}
        }
        (next, before)
    }
}

/// One key of a [`Map`].
#[derive(Clone, Copy)]
struct Slot;

impl Sequential for Slot {
    type State = Option<u32>;
    type Op = MapOp;
    type Ret = Option<u32>;

    fn initial(&self) -> Option<u32> {
        None
    }

    fn apply(&self, held: &Option<u32>, op: &MapOp) -> (Option<u32>, Option<u32>) {
        let next = match *op {
            Claim(_, value) => held.or(Some(value)),
            Remove(_) => None,
            Get(_) => *held,
        };
        (next, *held)
    }
}

/// A lock whose every grant carries a larger token; the operation says whether to take or to give back.
struct TokenLock;

impl Model for TokenLock {
    /// The last token, and whether it is held.
    type State = (u64, bool);
    type Op = bool;
    type Ret = Option<u64>;

    fn init(&self) -> (u64, bool) {
        (0, false)
    }

    fn step(&self, (last, held): &(u64, bool), take: &bool, token: &Option<u64>) -> Option<(u64, bool)> {
        match (take, token) {
            (true, Some(token)) => (!held && token > last).then_some((*token, true)),
            (true, None) => held.then_some((*last, true)),
            (false, _) => held.then_some((*last, false)),
        }
    }

    fn outcomes(&self, (last, held): &(u64, bool), take: &bool) -> Vec<(u64, bool)> {
        match (take, held) {
            (true, false) => vec![(last + 9, true), (last + 1, true)],
            (true, true) => vec![(*last, true)],
            (false, true) => vec![(*last, false)],
            (false, false) => Vec::new(),
        }
    }
}

// ===== tools =====

/// Thread, operation, stamp of the invocation, stamp and answer of the return.
type Call<Op, Ret> = (usize, Op, u64, Option<(u64, Ret)>);

fn history<Op: Clone, Ret: Clone>(calls: &[Call<Op, Ret>]) -> History<Op, Ret> {
    let operation = |(thread, op, invoked, returned): Call<Op, Ret>| Operation { thread, op, invoked, returned };
    History::new(calls.iter().cloned().map(operation).collect()).expect("the intervals are in order")
}

fn verdict<M: Model>(model: &M, history: &History<M::Op, M::Ret>) -> Verdict {
    check(model, history, Limits::default())
}

fn refuted<M: Model>(model: &M, history: &History<M::Op, M::Ret>) -> Counterexample {
    match verdict(model, history) {
        Verdict::NotLinearizable(counterexample) => counterexample,
        other => panic!("not linearizable, but the checker says: {other}"),
    }
}

/// The state these operations lead to in this order, or `None` if the model refuses an answer.
fn replay<M: Sequential>(model: &M, operations: &[Operation<M::Op, M::Ret>], order: &[usize]) -> Option<M::State> {
    let mut state = model.initial();
    for &index in order {
        let (next, answer) = model.apply(&state, &operations[index].op);
        if operations[index].returned.as_ref().is_some_and(|(_, ret)| *ret != answer) {
            return None;
        }
        state = next;
    }
    Some(state)
}

/// Whether no operation comes after one that was invoked only after its return, and none comes twice.
fn keeps_real_time<Op, Ret>(operations: &[Operation<Op, Ret>], order: &[usize]) -> bool {
    let precedes = |a: usize, b: usize| {
        operations[a].returned.as_ref().is_some_and(|(returned, _)| *returned < operations[b].invoked)
    };
    order.iter().enumerate().all(|(place, &later)| order[..place].iter().all(|&sooner| !precedes(later, sooner)))
        && order.iter().collect::<HashSet<_>>().len() == order.len()
}

fn has_all_completed<Op, Ret>(operations: &[Operation<Op, Ret>], order: &[usize]) -> bool {
    operations.iter().enumerate().all(|(index, operation)| operation.returned.is_none() || order.contains(&index))
}

/// By definition: some permutation of some subset that has every completed operation keeps real time and replays.
fn oracle<M: Sequential>(model: &M, operations: &[Operation<M::Op, M::Ret>]) -> bool {
    fn permute(order: &mut Vec<usize>, from: usize, accept: &mut impl FnMut(&[usize]) -> bool) -> bool {
        if from == order.len() {
            return accept(order);
        }
        (from..order.len()).any(|place| {
            order.swap(from, place);
            let accepted = permute(order, from + 1, accept);
            order.swap(from, place);
            accepted
        })
    }
    (0..1_u32 << operations.len()).any(|subset| {
        let mut order: Vec<usize> = (0..operations.len()).filter(|index| subset & 1 << index != 0).collect();
        has_all_completed(operations, &order)
            && permute(&mut order, 0, &mut |order| {
                keeps_real_time(operations, order) && replay(model, operations, order).is_some()
            })
    })
}

/// A verdict must be the oracle's and its witness must hold. Says whether the history is linearizable.
fn check_against_oracle<M: Sequential>(model: &M, history: &History<M::Op, M::Ret>) -> bool {
    let operations = history.operations();
    let expected = oracle(model, operations);
    match verdict(model, history) {
        Verdict::Linearizable { order } => {
            assert!(expected, "the oracle finds no order, the checker {order:?}");
            assert!(keeps_real_time(operations, &order) && has_all_completed(operations, &order), "{order:?}");
            assert!(replay(model, operations, &order).is_some(), "{order:?} does not replay");
        }
        Verdict::NotLinearizable(counterexample) => {
            assert!(!expected, "the oracle finds an order, the checker says {counterexample}");
            check_explanation(model, operations, &counterexample);
        }
        Verdict::Undecided { .. } => panic!("a small history is decided"),
    }
    expected
}

fn check_explanation<M: Sequential>(model: &M, operations: &[Operation<M::Op, M::Ret>], found: &Counterexample) {
    let order = found.order();
    assert!(keeps_real_time(operations, order));
    let state = replay(model, operations, order).map(|state| format!("{state:?}"));
    assert_eq!(state.as_deref(), Some(found.state()), "the order leads to the state that is reported");

    let returned = |index: usize| operations[index].returned.as_ref().map(|(stamp, _)| *stamp);
    let misplaced = *found.misplaced().first().expect("something is misplaced");
    let barrier = returned(misplaced).expect("only an answer can be out of place");
    for (index, operation) in operations.iter().enumerate() {
        let named = [order, found.misplaced(), found.open()].iter().filter(|list| list.contains(&index)).count();
        assert_eq!(named, usize::from(operation.invoked <= barrier), "every operation begun has one part: {found}");
        if returned(index).is_some_and(|end| end < barrier) {
            assert!(order.contains(&index), "all that returned before the misplaced operation has a place");
        }
    }
    assert!(found.misplaced().iter().all(|index| returned(*index) == Some(barrier)));
}

/// Operations with random intervals, whose answers are those of a real object at random instants within them; then some
/// answers are replaced, and some operations left open.
fn histories<M: Sequential<Op: Clone, Ret: Clone + 'static> + Copy + 'static>(
    model: M,
    ops: impl Strategy<Value = M::Op> + 'static,
    rets: impl Strategy<Value = M::Ret> + 'static,
    calls: usize,
) -> impl Strategy<Value = History<M::Op, M::Ret>>
where
    M::Op: 'static,
{
    let fate = prop_oneof![5 => Just(None), 1 => rets.prop_map(|ret| Some(Some(ret))), 1 => Just(Some(None))];
    let call = (ops, 0..12_u64, 0..6_u64, any::<sample::Index>(), fate);
    proptest::collection::vec(call, 1..=calls).prop_map(move |calls| {
        let mut instants: Vec<(u64, usize)> = Vec::new();
        for (number, (_, start, length, instant, _)) in calls.iter().enumerate() {
            instants.push((start + instant.index(usize::try_from(*length).unwrap() + 1) as u64, number));
        }
        instants.sort_unstable();
        let mut state = model.initial();
        let mut operations = Vec::new();
        for (_, number) in instants {
            let (op, start, length, _, fate) = &calls[number];
            let (next, answer) = model.apply(&state, op);
            state = next;
            let ret = fate.clone().unwrap_or(Some(answer));
            let returned = ret.map(|ret| (start + length, ret));
            operations.push(Operation { thread: number, op: op.clone(), invoked: *start, returned });
        }
        History::new(operations).expect("lengths are not negative")
    })
}

/// Runs the property, which says whether its history was linearizable, and makes sure that both kinds were met.
fn for_both_kinds<V: fmt::Debug>(histories: impl Strategy<Value = V>, property: impl Fn(&V) -> bool) {
    let (accepted, rejected) = (Cell::new(0), Cell::new(0));
    let config = Config { cases: 600, failure_persistence: None, ..Config::default() };
    let run = TestRunner::new(config).run(&histories, |history| {
        let kind = if property(&history) { &accepted } else { &rejected };
        kind.set(kind.get() + 1);
        Ok(())
    });
    run.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(accepted.get() >= 50 && rejected.get() >= 50, "{} accepted, {} rejected", accepted.get(), rejected.get());
}

// ===== examples =====

#[test]
fn an_empty_history_is_linearizable() {
    let history: History<Cell64, u64> = Recorder::new().finish().unwrap();
    assert!(history.is_empty());
    assert_eq!(verdict(&Register, &history), Verdict::Linearizable { order: Vec::new() });
}

#[test]
fn overlapping_operations_take_effect_in_the_order_their_answers_demand() {
    let history = history(&[(0, Write(1), 0, Some((5, 1))), (1, Read, 1, Some((2, 1))), (2, Read, 1, Some((4, 0)))]);
    assert_eq!(verdict(&Register, &history), Verdict::Linearizable { order: vec![2, 0, 1] });
}

#[test]
fn a_stale_read_is_rejected() {
    let history = history(&[(0, Write(1), 0, Some((1, 1))), (1, Read, 2, Some((3, 0)))]);
    let found = refuted(&Register, &history);
    assert_eq!((found.order(), found.misplaced(), found.open()), (&[0][..], &[1][..], &[][..]));
    assert_eq!(found.state(), "1");
}

#[test]
fn a_new_value_that_turns_old_again_is_rejected() {
    let write = (0, Write(1), 0, Some((9, 1)));
    let new_then_old = history(&[write, (1, Read, 1, Some((2, 1))), (2, Read, 3, Some((4, 0)))]);
    assert_eq!(refuted(&Register, &new_then_old).misplaced(), [2]);
    let old_then_new = history(&[write, (1, Read, 1, Some((2, 0))), (2, Read, 3, Some((4, 1)))]);
    verdict(&Register, &old_then_new).assert_linearizable();
}

#[test]
fn a_lost_update_is_rejected() {
    let history = history(&[(0, Add(1), 0, Some((3, 1))), (1, Add(1), 1, Some((2, 1)))]);
    assert_eq!(refuted(&Register, &history).order().len(), 1);
}

#[test]
fn a_queue_gives_back_in_the_order_of_pushes_that_did_not_overlap() {
    let pushes = |second| [(0, Push(1), 0, Some((3, None))), (1, Push(2), second, Some((5, None)))];
    let pops = [(2, Pop, 6, Some((7, Some(2)))), (2, Pop, 8, Some((9, Some(1))))];
    let overlapping = history(&[&pushes(2)[..], &pops].concat());
    verdict(&Queue, &overlapping).assert_linearizable();
    let one_after_the_other = history(&[&pushes(4)[..], &pops].concat());
    let found = refuted(&Queue, &one_after_the_other);
    assert_eq!((found.order(), found.misplaced()), (&[0, 1][..], &[2][..]));
}

#[test]
fn intervals_that_touch_overlap() {
    let history = history(&[(0, Write(1), 0, Some((3, 1))), (1, Read, 3, Some((4, 0)))]);
    verdict(&Register, &history).assert_linearizable();
}

#[test]
fn an_open_operation_may_take_effect_late_or_never_but_not_before_it_began() {
    let open = (0, Write(1), 2, None);
    let reads = |first, second| {
        history(&[open, (1, Read, 0, Some((1, 0))), (1, Read, 3, Some((4, first))), (1, Read, 5, Some((6, second)))])
    };
    assert_eq!(verdict(&Register, &reads(0, 0)), Verdict::Linearizable { order: vec![0, 2, 3] });
    assert_eq!(verdict(&Register, &reads(0, 1)), Verdict::Linearizable { order: vec![0, 2, 1, 3] });
    assert_eq!(verdict(&Register, &reads(1, 1)), Verdict::Linearizable { order: vec![0, 1, 2, 3] });
    assert_eq!(refuted(&Register, &reads(1, 0)).misplaced(), [3]);
    let too_early = history(&[open, (1, Read, 0, Some((1, 1)))]);
    let found = refuted(&Register, &too_early);
    assert_eq!((found.misplaced(), found.open()), (&[0][..], &[][..]));
}

#[test]
fn an_open_operation_may_have_any_of_its_outcomes() {
    let after_open =
        |token| history(&[(0, true, 0, None), (1, false, 2, Some((3, None))), (1, true, 4, Some((5, Some(token))))]);
    verdict(&TokenLock, &after_open(10)).assert_linearizable();
    verdict(&TokenLock, &after_open(2)).assert_linearizable();
    assert_eq!(refuted(&TokenLock, &after_open(1)).misplaced(), [2], "no outcome leaves a token smaller than 1");
}

#[test]
fn a_model_may_accept_many_answers() {
    let granted = |token| {
        history(&[
            (0, true, 0, Some((1, Some(5)))),
            (0, false, 2, Some((3, None))),
            (1, true, 4, Some((5, Some(token)))),
        ])
    };
    verdict(&TokenLock, &granted(6)).assert_linearizable();
    verdict(&TokenLock, &granted(60)).assert_linearizable();
    assert_eq!(refuted(&TokenLock, &granted(5)).misplaced(), [2]);
}

#[test]
fn a_counterexample_is_drawn_as_a_timeline() {
    let history = history(&[
        (0, Write(1), 0, Some((3, 1))),
        (1, Read, 1, Some((4, 1))),
        (2, Write(2), 2, None),
        (1, Read, 5, Some((6, 0))),
    ]);
    let expected = "\
not linearizable: an answer fits no order
after the 2 operations numbered below the state is 1
  T0   |-----|             1. Write(1) -> 1
  T1     |-----|           2. Read -> 1
  T1             |-|      !!  Read -> 0
  T2       |--------->     ?  Write(2)
";
    assert_eq!(refuted(&Register, &history).to_string(), expected);
}

#[test]
fn only_the_end_of_a_long_order_is_drawn() {
    let mut calls: Vec<_> = (0..100).map(|n| (0, Write(n), 2 * n, Some((2 * n + 1, n)))).collect();
    calls.push((1, Read, 300, Some((301, 7))));
    let drawn = refuted(&Register, &history(&calls)).to_string();
    assert!(drawn.contains("(the first 92 are left out)") && drawn.contains("93. Write(92) -> 92"), "{drawn}");
    assert_eq!(drawn.lines().count(), 3 + 8 + 1, "{drawn}");
}

#[test]
#[should_panic(expected = "not linearizable: an answer fits no order")]
fn asserting_a_violation_panics_with_the_counterexample() {
    verdict(&Register, &history(&[(0, Read, 0, Some((1, 1)))])).assert_linearizable();
}

#[test]
fn a_search_ends_at_its_limit_undecided() {
    let mut calls: Vec<_> = (0..20).map(|n| (0, Write(n), n, Some((100 + n, n)))).collect();
    calls.push((1, Read, 200, Some((201, 77))));
    let history = history(&calls);
    let verdict = check(&Register, &history, Limits { max_states: 1000 });
    assert_eq!(verdict, Verdict::Undecided { explored: 1000 });
    assert!(!verdict.is_linearizable());
}

#[test]
fn the_limit_holds_for_each_key_and_a_violation_outweighs_an_undecided_key() {
    let busy = (0..10).map(|n| (0, Claim(0, n), 0, Some((99, None))));
    let quiet = |ret| (0, Get(1), 200, Some((201, ret)));
    let run = |ret| {
        let history = history(&busy.clone().chain([quiet(ret)]).collect::<Vec<_>>());
        check_by_key(&Slot, &history, Limits { max_states: 3 }, |op| op.key())
    };
    assert!(matches!(run(Some(1)), Verdict::NotLinearizable(found) if found.key() == Some("1")));
    assert_eq!(run(None), Verdict::Undecided { explored: 3 });
}

// ===== recording =====

#[test]
fn a_thread_that_panics_leaves_its_last_call_open() {
    let recorder = Recorder::new();
    let mut log = recorder.thread();
    let crashed = thread::spawn(move || {
        log.record(Write(1), |_| 1);
        log.record(Write(2), |_| -> u64 { panic!("the thread crashes") });
    });
    assert!(crashed.join().is_err());
    let history = recorder.finish().unwrap();
    let returned: Vec<bool> = history.operations().iter().map(|operation| operation.returned.is_some()).collect();
    assert_eq!(returned, [true, false]);
}

#[test]
fn a_log_outlives_a_caught_panic() {
    let recorder = Recorder::new();
    let mut log = recorder.thread();
    let crash = panic::catch_unwind(AssertUnwindSafe(|| _ = log.record(Write(1), |_| panic!("the call crashes"))));
    assert!(crash.is_err());
    assert_eq!(*log.record(Read, |_| 1), 1);
    drop(log);
    let history = recorder.finish().unwrap();
    assert_eq!(verdict(&Register, &history), Verdict::Linearizable { order: vec![0, 1] });
}

#[test]
fn a_retracted_call_leaves_no_trace() {
    let recorder = Recorder::new();
    let mut log = recorder.thread();
    log.record(Write(1), |_| 1);
    log.invoke(Write(2)).retract();
    drop(log);
    let history = recorder.finish().unwrap();
    assert_eq!(history.operations().iter().map(|operation| operation.op).collect::<Vec<_>>(), [Write(1)]);
}

#[test]
fn a_recording_does_not_end_while_a_log_is_open() {
    let recorder: Recorder<Cell64, u64> = Recorder::default();
    let (first, second) = (recorder.thread(), recorder.thread());
    drop(first);
    assert_eq!(recorder.finish(), Err(OpenLogs { open: 1 }));
    drop(second);
}

#[test]
fn a_history_rejects_a_return_before_the_invocation() {
    let operation = Operation { thread: 0, op: Read, invoked: 2, returned: Some((1, 0)) };
    assert_eq!(History::new(vec![operation]), Err(InvertedInterval { invoked: 2, returned: 1 }));
}

#[test]
fn a_call_that_happens_after_another_has_the_larger_stamps() {
    let recorder = Recorder::new();
    let (mut first, mut second) = (recorder.thread(), recorder.thread());
    let barrier = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            first.record(Write(1), |_| 1);
            barrier.wait();
        });
        scope.spawn(|| {
            barrier.wait();
            second.record(Read, |_| 1);
        });
    });
    drop((first, second));
    let history = recorder.finish().unwrap();
    let [write, read] = history.operations() else { panic!("two operations: {history:?}") };
    assert!((write.thread, read.thread) == (0, 1) && write.returned.unwrap().0 < read.invoked);
}

// ===== random histories =====

#[test]
fn verdicts_on_registers_are_those_of_a_brute_force_oracle() {
    let op = prop_oneof![2 => Just(Read), 1 => (1..3_u64).prop_map(Write), 1 => Just(Add(1))];
    for_both_kinds(histories(Register, op, 0..3_u64, 6), |history| check_against_oracle(&Register, history));
}

#[test]
fn verdicts_on_queues_are_those_of_a_brute_force_oracle() {
    let op = prop_oneof![Just(Pop), (1..4_u32).prop_map(Push)];
    let ret = proptest::option::of(1..4_u32);
    for_both_kinds(histories(Queue, op, ret, 6), |history| check_against_oracle(&Queue, history));
}

fn map_ops(keys: u8) -> impl Strategy<Value = MapOp> {
    prop_oneof![
        (0..keys, 1..4_u32).prop_map(|(key, value)| Claim(key, value)),
        (0..keys).prop_map(Remove),
        (0..keys).prop_map(Get)
    ]
}

#[test]
fn checking_each_key_apart_finds_what_checking_the_whole_finds() {
    for_both_kinds(histories(Map, map_ops(3), proptest::option::of(1..4_u32), 12), |history| {
        let operations = history.operations();
        let whole = verdict(&Map, history);
        match check_by_key(&Slot, history, Limits::default(), |op| op.key()) {
            Verdict::Linearizable { order } => {
                assert!(keeps_real_time(operations, &order) && has_all_completed(operations, &order), "{order:?}");
                assert!(
                    replay(&Map, operations, &order).is_some(),
                    "the orders of the keys merge into one of the whole"
                );
                assert!(whole.is_linearizable(), "{whole}");
                true
            }
            Verdict::NotLinearizable(found) => {
                assert!(!whole.is_linearizable());
                let key = operations[found.misplaced()[0]].op.key();
                assert_eq!(found.key(), Some(&*key.to_string()));
                assert!(found.order().iter().chain(found.open()).all(|&index| operations[index].op.key() == key));
                false
            }
            Verdict::Undecided { .. } => panic!("a small history is decided"),
        }
    });
}

/// The specification of the other checker as a model of ours.
struct Theirs<S>(S);

impl<S> Sequential for Theirs<S>
where
    S: SequentialSpec<Op: fmt::Debug, Ret: fmt::Debug + PartialEq> + Clone + Eq + Hash + fmt::Debug,
{
    type State = S;
    type Op = S::Op;
    type Ret = S::Ret;

    fn initial(&self) -> S {
        self.0.clone()
    }

    fn apply(&self, state: &S, op: &S::Op) -> (S, S::Ret) {
        let mut next = state.clone();
        let ret = next.invoke(op);
        (next, ret)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct TheirRegister(u8);

impl SequentialSpec for TheirRegister {
    type Op = RegisterOp<u8>;
    type Ret = RegisterRet<u8>;

    fn invoke(&mut self, op: &RegisterOp<u8>) -> RegisterRet<u8> {
        match op {
            RegisterOp::Read => RegisterRet::ReadOk(self.0),
            RegisterOp::Write(value) => {
                self.0 = *value;
                RegisterRet::WriteOk
            }
        }
    }
}

/// Three threads take steps in any order: one that is idle invokes an operation, one that is busy gets its answer.
fn agree_with_stateright<S>(spec: &S, calls: impl Strategy<Value = (S::Op, S::Ret)>)
where
    S: SequentialSpec<Op: Clone + fmt::Debug, Ret: Clone + fmt::Debug + PartialEq> + Clone + Eq + Hash + fmt::Debug,
{
    let schedule = proptest::collection::vec((0..3_usize, calls), 1..14);
    for_both_kinds(schedule, |schedule| {
        let mut theirs = LinearizabilityTester::new(spec.clone());
        let mut operations: Vec<Operation<S::Op, S::Ret>> = Vec::new();
        let mut busy = [None, None, None];
        for (stamp, (thread, (op, ret))) in (0..).zip(schedule) {
            match busy[*thread].take() {
                None => {
                    theirs.on_invoke(*thread, op.clone()).expect("the thread is idle");
                    busy[*thread] = Some((operations.len(), ret));
                    operations.push(Operation { thread: *thread, op: op.clone(), invoked: stamp, returned: None });
                }
                Some((index, ret)) => {
                    theirs.on_return(*thread, ret.clone()).expect("the thread is busy");
                    operations[index].returned = Some((stamp, ret.clone()));
                }
            }
        }
        let ours = verdict(&Theirs(spec.clone()), &History::new(operations).unwrap());
        assert_eq!(ours.is_linearizable(), theirs.is_consistent(), "{ours}");
        ours.is_linearizable()
    });
}

#[test]
fn verdicts_on_registers_are_those_of_stateright() {
    let call = prop_oneof![
        (0..3_u8).prop_map(|value| (RegisterOp::Write(value), RegisterRet::WriteOk)),
        (0..3_u8).prop_map(|value| (RegisterOp::Read, RegisterRet::ReadOk(value))),
    ];
    agree_with_stateright(&TheirRegister(0), call);
}

#[test]
fn verdicts_on_stacks_are_those_of_stateright() {
    let call = prop_oneof![
        3 => (0..2_u8).prop_map(|value| (VecOp::Push(value), VecRet::PushOk)),
        3 => proptest::option::of(0..2_u8).prop_map(|value| (VecOp::Pop, VecRet::PopOk(value))),
        1 => (0..3_usize).prop_map(|len| (VecOp::Len, VecRet::LenOk(len))),
    ];
    agree_with_stateright(&Vec::new(), call);
}

// ===== long histories and real threads =====

const THREADS: u64 = 4;
const CALLS: u64 = 20_000;

/// A small generator of its own for each thread, so that threads do not meet in one.
fn xorshift(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// What four threads do to this map of 64 keys, 20,000 calls each.
fn record_map(apply: impl Fn(&MapOp) -> Option<u32> + Sync) -> History<MapOp, Option<u32>> {
    let recorder = Recorder::new();
    let start = Barrier::new(usize::try_from(THREADS).unwrap());
    thread::scope(|scope| {
        for seed in 1..=THREADS {
            let mut log = recorder.thread();
            let (start, apply) = (&start, &apply);
            scope.spawn(move || {
                let mut random = xorshift(seed);
                start.wait();
                for _ in 0..CALLS {
                    let draw = random();
                    let key = u8::try_from(draw % 64).unwrap();
                    let op = match draw >> 8 & 3 {
                        0 => Remove(key),
                        1 => Get(key),
                        _ => Claim(key, u32::try_from(draw >> 32).unwrap()),
                    };
                    log.record(op, apply);
                }
            });
        }
    });
    recorder.finish().expect("all threads have ended")
}

#[test]
fn a_locked_map_under_four_threads_is_linearizable() {
    let map = Mutex::new(HashMap::new());
    let history = record_map(|op| {
        let mut map = map.lock().unwrap();
        match *op {
            Get(key) => map.get(&key).copied(),
            Remove(key) => map.remove(&key),
            Claim(key, value) => {
                let before = map.get(&key).copied();
                map.entry(key).or_insert(value);
                before
            }
        }
    });
    assert_eq!(history.len() as u64, THREADS * CALLS);
    match check_by_key(&Slot, &history, Limits::default(), |op| op.key()) {
        Verdict::Linearizable { order } => {
            assert_eq!(order.len(), history.len());
            assert!(replay(&Map, history.operations(), &order).is_some());
        }
        other => panic!("{other}"),
    }
}

#[test]
fn one_lost_remove_in_a_long_history_is_caught() {
    const LOST: usize = 10_000;
    let map = Mutex::new((HashMap::new(), 0, None));
    let history = record_map(|op| {
        let (map, removed, lost) = &mut *map.lock().unwrap();
        let before = map.get(&op.key()).copied();
        match *op {
            Get(_) => {}
            Claim(key, value) => _ = map.entry(key).or_insert(value),
            Remove(key) => {
                *removed += usize::from(before.is_some());
                if *removed == LOST && lost.is_none() {
                    *lost = Some(key);
                } else {
                    map.remove(&key);
                }
            }
        }
        before
    });
    let (_, _, lost) = map.into_inner().unwrap();
    let lost = lost.expect("more removes than that find something").to_string();
    match check_by_key(&Slot, &history, Limits::default(), |op| op.key()) {
        Verdict::NotLinearizable(found) => assert_eq!(found.key(), Some(&*lost)),
        other => panic!("a remove was lost, but the checker says: {other}"),
    }
}

/// Lets two threads claim one key of this map at the same time, and says what the checker makes of their answers.
fn race(claim: impl Fn(u32) -> Option<u32> + Sync) -> Verdict {
    let recorder = Recorder::new();
    thread::scope(|scope| {
        for value in 1..=2 {
            let mut log = recorder.thread();
            let claim = &claim;
            scope.spawn(move || _ = log.record(Claim(7, value), |_| claim(value)));
        }
    });
    let history = recorder.finish().unwrap();
    assert_eq!(history.len(), 2);
    check_by_key(&Slot, &history, Limits::default(), |op| op.key())
}

#[test]
fn a_check_then_insert_in_two_steps_is_caught() {
    let (names, both) = (Mutex::new(HashMap::new()), Barrier::new(2));
    let verdict = race(|value| {
        let before = names.lock().unwrap().get(&7).copied();
        both.wait();
        if before.is_none() {
            names.lock().unwrap().insert(7, value);
        }
        before
    });
    let Verdict::NotLinearizable(found) = verdict else { panic!("both claims succeeded, but: {verdict}") };
    assert_eq!((found.key(), found.order().len(), found.misplaced().len()), (Some("7"), 1, 1));
    assert!(found.to_string().contains("-> None"), "{found}");
}

#[test]
fn a_check_then_insert_in_one_step_passes() {
    let (names, both) = (Mutex::new(HashMap::new()), Barrier::new(2));
    let verdict = race(|value| {
        both.wait();
        let mut names = names.lock().unwrap();
        let before = names.get(&7).copied();
        names.entry(7).or_insert(value);
        before
    });
    verdict.assert_linearizable();
}

#[test]
fn a_long_history_of_one_object_is_checked_whole() {
    let counter = AtomicU64::new(0);
    let recorder = Recorder::new();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let mut log = recorder.thread();
            let counter = &counter;
            scope.spawn(move || {
                for _ in 0..CALLS {
                    log.record(Add(1), |_| counter.fetch_add(1, Ordering::Relaxed) + 1);
                }
            });
        }
    });
    let history = recorder.finish().unwrap();
    let Verdict::Linearizable { order } = verdict(&Register, &history) else { panic!("a counter is linearizable") };
    assert_eq!(replay(&Register, history.operations(), &order), Some(THREADS * CALLS));
}

#[test]
fn a_call_that_outlasts_all_others_does_not_make_them_costly() {
    const OTHERS: u64 = 60_000;
    for first in [true, false] {
        let answer = |n| if first { n + 2 } else { n + 1 };
        let mut calls = vec![(0, Add(1), 0, Some((u64::MAX, if first { 1 } else { OTHERS + 1 })))];
        calls.extend((0..OTHERS).map(|n| (1, Add(1), 2 * n + 1, Some((2 * n + 2, answer(n))))));
        let verdict = check(&Register, &history(&calls), Limits { max_states: calls.len() });
        assert!(verdict.is_linearizable(), "one configuration per operation is enough: {verdict}");
    }
}
