//! The rules of the bulkhead, one by one.

mod support;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use foundation_resources::bulkhead::{
    AcquireError, Bulkhead, BulkheadState, MAX_CONCURRENT_LIMIT, MAX_WAITING_LIMIT, OptionsError, events,
};
use foundation_types::inspect::Inspect;
use foundation_types::testing::RecordingObserver;
use foundation_types::{Clock, Health, ManualClock, Name, Value};
use proptest::prelude::*;
use support::{now, poll};

const SECOND: Duration = Duration::from_secs(1);

fn bulkhead(max_concurrent: usize) -> Bulkhead {
    Bulkhead::builder(max_concurrent).build().expect("in range")
}

/// Permits out, callers in line.
fn figures<C: Clock>(bulkhead: &Bulkhead<C>) -> (usize, usize) {
    let status = bulkhead.status();
    (status.in_use, status.waiting)
}

#[test]
fn options_out_of_range_are_refused_by_name() {
    let refused = |builder: foundation_resources::bulkhead::Builder| builder.build().map(drop);
    assert_eq!(refused(Bulkhead::builder(0)), Err(OptionsError::ZeroConcurrent));
    assert_eq!(refused(Bulkhead::builder(usize::MAX)), Err(OptionsError::Concurrent { max_concurrent: usize::MAX }));
    let waiting = MAX_WAITING_LIMIT + 1;
    assert_eq!(refused(Bulkhead::builder(1).max_waiting(waiting)), Err(OptionsError::Waiting { max_waiting: waiting }));
    assert_eq!(refused(Bulkhead::builder(MAX_CONCURRENT_LIMIT).max_waiting(MAX_WAITING_LIMIT)), Ok(()));
}

#[test]
fn as_many_calls_as_configured_are_under_way_and_no_more() {
    let bulkhead = bulkhead(2);
    let (one, _two) = (bulkhead.try_acquire().expect("free"), bulkhead.try_acquire().expect("free"));
    assert_eq!(bulkhead.try_acquire().map(drop), Err(AcquireError::Full { max_concurrent: 2 }));
    assert_eq!((figures(&bulkhead), bulkhead.status().state), ((2, 0), BulkheadState::Full));
    drop(one);
    assert_eq!((figures(&bulkhead), bulkhead.status().state), ((1, 0), BulkheadState::Ready));
    assert!(bulkhead.try_acquire().is_ok());
}

#[test]
fn the_bound_holds_and_nobody_is_forgotten_under_threads() {
    let bulkhead = bulkhead(2);
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for thread in 0..6 {
            let (bulkhead, inside, most) = (&bulkhead, &inside, &most);
            scope.spawn(move || {
                for round in 0..500 {
                    let permit = match (thread + round) % 3 {
                        0 => bulkhead.try_acquire().ok(),
                        _ => Some(bulkhead.acquire_blocking().expect("open")),
                    };
                    if let Some(_permit) = permit {
                        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert!((1..=2).contains(&most.into_inner()));
    assert_eq!(figures(&bulkhead), (0, 0));
}

#[test]
fn waiters_are_served_in_order_and_a_newcomer_does_not_overtake() {
    let bulkhead = bulkhead(1);
    let held = bulkhead.try_acquire().expect("free");
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(bulkhead.acquire())).collect();
    assert!(waiting.iter_mut().all(|waiting| poll(waiting).is_pending()));
    drop(held);
    assert_eq!((figures(&bulkhead), bulkhead.try_acquire().is_err()), ((1, 2), true), "handed over");
    assert!(poll(&mut waiting[1]).is_pending());
    let Poll::Ready(Ok(first)) = poll(&mut waiting[0]) else { panic!("served") };
    drop(waiting.remove(1));
    drop(first);
    assert!(matches!(poll(&mut waiting[1]), Poll::Ready(Ok(_))), "the second left");
    assert_eq!(figures(&bulkhead), (0, 0));
}

#[test]
fn a_permit_handed_to_a_waiter_that_leaves_goes_to_the_next_or_back() {
    let bulkhead = bulkhead(1);
    for waiters in [1, 2] {
        let held = bulkhead.try_acquire().expect("free");
        let mut waiting: Vec<_> = (0..waiters).map(|_| Box::pin(bulkhead.acquire())).collect();
        assert!(waiting.iter_mut().all(|waiting| poll(waiting).is_pending()));
        drop(held);
        drop(waiting.remove(0));
        assert!(waiting.first_mut().is_none_or(|next| poll(next).is_ready()));
        drop(waiting);
        assert_eq!(figures(&bulkhead), (0, 0));
    }
}

#[test]
fn waits_end_at_their_own_bound_or_at_that_of_the_bulkhead() {
    let clock = ManualClock::new();
    let bulkhead = Bulkhead::builder(1).max_wait(2 * SECOND).clock(clock.clone()).build().expect("in range");
    let _held = bulkhead.try_acquire().expect("free");
    let timeout = |waited| Err(AcquireError::Timeout { waited });
    assert_eq!(bulkhead.acquire_timeout(Duration::ZERO).map(drop), timeout(Duration::ZERO));
    assert_eq!(now(bulkhead.acquire_within(Duration::ZERO)).map(drop), timeout(Duration::ZERO));

    let (mut short, mut long) = (Box::pin(bulkhead.acquire_within(SECOND)), Box::pin(bulkhead.acquire()));
    assert!(poll(&mut short).is_pending() && poll(&mut long).is_pending());
    clock.advance(SECOND);
    assert_eq!(poll(&mut short).map_ok(drop), Poll::Ready(timeout(SECOND)));
    assert!(poll(&mut long).is_pending());
    clock.advance(SECOND);
    assert_eq!(poll(&mut long).map_ok(drop), Poll::Ready(timeout(2 * SECOND)));

    let blocked = thread::spawn({
        let bulkhead = bulkhead.clone();
        move || bulkhead.acquire_blocking().map(drop)
    });
    while clock.pending() == 0 {
        thread::yield_now();
    }
    clock.advance(2 * SECOND);
    assert_eq!(blocked.join().expect("no panic"), timeout(2 * SECOND));
    assert_eq!(figures(&bulkhead), (1, 0));
}

#[test]
fn no_more_may_wait_than_the_limit_says() {
    let bulkhead = Bulkhead::builder(1).max_waiting(1).build().expect("in range");
    let _held = bulkhead.try_acquire().expect("free");
    let mut waiting = Box::pin(bulkhead.acquire());
    assert!(poll(&mut waiting).is_pending());
    assert_eq!(now(bulkhead.acquire()).map(drop), Err(AcquireError::TooManyWaiting { limit: 1 }));
    drop(waiting);
    assert!(poll(&mut Box::pin(bulkhead.acquire())).is_pending());
}

#[test]
fn closing_sends_waiters_away_and_leaves_permits_good() {
    let bulkhead = bulkhead(1);
    let held = bulkhead.try_acquire().expect("free");
    let mut waiting = Box::pin(bulkhead.acquire());
    assert!(poll(&mut waiting).is_pending());
    bulkhead.close();
    bulkhead.close();
    assert_eq!(poll(&mut waiting).map_ok(drop), Poll::Ready(Err(AcquireError::Closed)));
    assert_eq!(bulkhead.try_acquire().map(drop), Err(AcquireError::Closed));
    assert_eq!(bulkhead.acquire_blocking().map(drop), Err(AcquireError::Closed));
    assert_eq!(figures(&bulkhead), (1, 0));
    drop(held);
    assert_eq!((figures(&bulkhead), bulkhead.status().state), ((0, 0), BulkheadState::Closed));
}

#[test]
fn a_permit_comes_back_after_a_panic_and_from_another_thread() {
    let bulkhead = bulkhead(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _permit = bulkhead.try_acquire().expect("free");
        panic!("call");
    }));
    assert!(panicked.is_err());
    let permit = bulkhead.try_acquire().expect("free again").into_owned();
    assert_eq!(figures(&bulkhead), (1, 0));
    let other = bulkhead.clone();
    thread::spawn(move || drop(permit)).join().expect("no panic");
    assert_eq!(figures(&other), (0, 0));
}

#[test]
fn it_tells_whom_it_sends_away_and_why() {
    let observer = Arc::new(RecordingObserver::new());
    let clock = ManualClock::new();
    let bulkhead = Bulkhead::builder(1)
        .max_waiting(1)
        .name(Name::from_static("search"))
        .observer(observer.clone())
        .clock(clock.clone())
        .build()
        .expect("in range");
    let _held = bulkhead.try_acquire().expect("free");
    let mut waiting = Box::pin(bulkhead.acquire_within(SECOND));
    assert!(poll(&mut waiting).is_pending());
    assert_eq!(bulkhead.inspect().status(), Health::Degraded);
    assert_eq!(bulkhead.inspect().title(), "bulkhead search");
    assert!(bulkhead.try_acquire().is_err() && now(bulkhead.acquire()).is_err());
    clock.advance(SECOND);
    assert!(poll(&mut waiting).is_ready());
    bulkhead.close();
    assert!(bulkhead.try_acquire().is_err());
    let rejected = observer.events_named(events::REJECTED_EVENT.as_str());
    let reasons: Vec<_> = rejected.iter().filter_map(|event| event.metadata.get("reason")).collect();
    assert_eq!(reasons, ["full", "too_many_waiting", "timeout", "closed"].map(Value::from).iter().collect::<Vec<_>>());
    assert!(rejected.iter().all(|event| event.metadata.get("bulkhead_name") == Some(&Value::from("search"))));
    assert_eq!(observer.events_named(events::CLOSED_EVENT.as_str()).len(), 1);
}

/// A step. Numbers pick among what there is, round and round; waits are in milliseconds.
#[derive(Clone, Copy, Debug)]
enum Op {
    Try,
    Begin { wait: Option<u64> },
    Poll(usize),
    Cancel(usize),
    Release(usize),
    Advance(u64),
    Close,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let which = 0..8_usize;
    let op = prop_oneof![
        4 => Just(Op::Try),
        8 => prop::option::of(prop_oneof![Just(0), 1..20_u64]).prop_map(|wait| Op::Begin { wait }),
        6 => which.clone().prop_map(Op::Poll),
        3 => which.clone().prop_map(Op::Cancel),
        8 => which.prop_map(Op::Release),
        3 => (1..15_u64).prop_map(Op::Advance),
    ];
    let close = prop_oneof![3 => Just(None), 1 => (0..60_usize).prop_map(Some)];
    (prop::collection::vec(op, 1..60), close).prop_map(|(mut ops, close)| {
        if let Some(at) = close {
            ops.insert(at.min(ops.len()), Op::Close);
        }
        ops
    })
}

/// How a wait stands that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    InLine { deadline: Option<u64> },
    SentAway,
    Handed,
}

/// The bulkhead as the rules have it: a counter and a line.
struct Model {
    free: usize,
    max_waiting: usize,
    line: VecDeque<usize>,
    stages: BTreeMap<usize, Stage>,
    is_closed: bool,
    now: u64,
}

impl Model {
    fn take_free(&mut self, otherwise: AcquireError) -> Result<(), AcquireError> {
        if self.is_closed {
            return Err(AcquireError::Closed);
        }
        self.free = self.free.checked_sub(1).ok_or(otherwise)?;
        Ok(())
    }

    /// `None` means that it waits.
    fn begin(&mut self, id: usize, wait: Option<u64>) -> Option<Result<(), AcquireError>> {
        let waited = Duration::from_millis(wait.unwrap_or(0));
        let taken = self.take_free(AcquireError::Timeout { waited });
        if taken.is_ok() || self.is_closed || wait == Some(0) {
            return Some(taken);
        }
        if self.line.len() >= self.max_waiting {
            return Some(Err(AcquireError::TooManyWaiting { limit: self.max_waiting }));
        }
        self.line.push_back(id);
        self.stages.insert(id, Stage::InLine { deadline: wait.map(|wait| self.now + wait) });
        None
    }

    fn poll(&mut self, id: usize, wait: Option<u64>) -> Option<Result<(), AcquireError>> {
        match self.stages[&id] {
            Stage::InLine { deadline } if deadline.is_none_or(|deadline| self.now < deadline) => return None,
            Stage::InLine { .. } => self.line.retain(|other| *other != id),
            Stage::SentAway | Stage::Handed => {}
        }
        Some(match self.stages.remove(&id) {
            Some(Stage::Handed) => Ok(()),
            Some(Stage::SentAway) => Err(AcquireError::Closed),
            _ => Err(AcquireError::Timeout { waited: Duration::from_millis(wait.unwrap_or(0)) }),
        })
    }

    fn cancel(&mut self, id: usize) {
        self.line.retain(|other| *other != id);
        if self.stages.remove(&id) == Some(Stage::Handed) {
            self.release();
        }
    }

    fn release(&mut self) {
        match self.line.pop_front() {
            Some(first) => drop(self.stages.insert(first, Stage::Handed)),
            None => self.free += 1,
        }
    }

    fn close(&mut self) {
        self.is_closed = true;
        self.stages.extend(self.line.drain(..).map(|id| (id, Stage::SentAway)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_gives_the_results_and_figures_of_the_model(
        (max_concurrent, max_waiting) in (1..4_usize, 0..4_usize),
        ops in ops(),
    ) {
        let clock = ManualClock::new();
        let built = Bulkhead::builder(max_concurrent).max_waiting(max_waiting).clock(clock.clone()).build();
        let bulkhead = built.expect("in range");
        let mut model = Model {
            free: max_concurrent,
            max_waiting,
            line: VecDeque::new(),
            stages: BTreeMap::new(),
            is_closed: false,
            now: 0,
        };
        let (mut pending, mut permits) = (Vec::new(), Vec::new());
        for (id, op) in ops.into_iter().enumerate() {
            let (mut polled, mut expected) = (None, None);
            match op {
                Op::Try => {
                    let result = bulkhead.try_acquire().map(|permit| permits.push(permit));
                    prop_assert_eq!(result, model.take_free(AcquireError::Full { max_concurrent }));
                }
                Op::Begin { wait } => {
                    let bound = wait.map_or(Duration::MAX, Duration::from_millis);
                    polled = Some((id, wait, Box::pin(bulkhead.acquire_within(bound))));
                    expected = model.begin(id, wait);
                }
                Op::Poll(which) if !pending.is_empty() => {
                    let waits: (usize, Option<u64>, _) = pending.remove(which % pending.len());
                    expected = model.poll(waits.0, waits.1);
                    polled = Some(waits);
                }
                Op::Cancel(which) if !pending.is_empty() => {
                    let (id, ..) = pending.remove(which % pending.len());
                    model.cancel(id);
                }
                Op::Release(which) if !permits.is_empty() => {
                    drop(permits.remove(which % permits.len()));
                    model.release();
                }
                Op::Advance(by) => {
                    model.now += by;
                    clock.advance(Duration::from_millis(by));
                }
                Op::Close => {
                    bulkhead.close();
                    model.close();
                }
                Op::Poll(_) | Op::Cancel(_) | Op::Release(_) => {}
            }
            if let Some((id, wait, mut waits)) = polled {
                match poll(&mut waits) {
                    Poll::Pending => {
                        prop_assert_eq!(expected, None);
                        pending.push((id, wait, waits));
                    }
                    Poll::Ready(result) => {
                        prop_assert_eq!(Some(result.map(|permit| permits.push(permit))), expected);
                    }
                }
            }
            prop_assert_eq!(figures(&bulkhead), (max_concurrent - model.free, model.line.len()));
        }
        drop((pending, permits));
        prop_assert_eq!(figures(&bulkhead), (0, 0));
    }
}
