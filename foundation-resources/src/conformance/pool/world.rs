//! A pool beside its model, and the steps that both take.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_types::ManualClock;
use proptest::prelude::*;
use proptest::sample::select;

use super::faulty::{Faulty, Orders, Refusal};
use super::model::{Figures, Model, Outcome, Return, Shape, Worker};
use crate::pool::{Check, Checkout, CheckoutError, Factory, OnPanic, Order, Pool};

/// A step. Numbers pick among what there is, round and round.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    /// A checkout begins; the wait is in milliseconds, and zero does not wait.
    Begin {
        wait: Option<u64>,
    },
    Poll(usize),
    Cancel(usize),
    Break(usize),
    GiveBack(usize, Return),
    Advance(u64),
    Refuse(bool),
    Hang(bool),
    Close,
}

pub(super) fn shapes() -> impl Strategy<Value = Shape> {
    let policies = (
        select(vec![Order::Lifo, Order::Fifo]),
        select(vec![OnPanic::Retire, OnPanic::Reuse]),
        select(vec![Check::OnReturn, Check::OnCheckout, Check::Both]),
    );
    ((0..4_usize), (0..3_usize), (0..4_usize), policies).prop_map(
        |(size, max_overflow, max_waiting, (order, on_panic, check))| Shape {
            size,
            max_overflow,
            max_waiting,
            order,
            on_panic,
            check,
        },
    )
}

pub(super) fn ops() -> impl Strategy<Value = Vec<Op>> {
    let which = 0..8_usize;
    let how = select(vec![Return::Drop, Return::Drop, Return::Drop, Return::Discard, Return::Panic]);
    let wait = select(vec![None, None, Some(0), Some(5), Some(20)]);
    let op = prop_oneof![
        12 => wait.prop_map(|wait| Op::Begin { wait }),
        6 => which.clone().prop_map(Op::Poll),
        3 => which.clone().prop_map(Op::Cancel),
        1 => which.clone().prop_map(Op::Break),
        8 => (which, how).prop_map(|(which, how)| Op::GiveBack(which, how)),
        2 => (1..15_u64).prop_map(Op::Advance),
        1 => any::<bool>().prop_map(Op::Refuse),
        1 => any::<bool>().prop_map(Op::Hang),
    ];
    let close = prop_oneof![3 => Just(None), 1 => (0..60_usize).prop_map(Some)];
    (prop::collection::vec(op, 1..60), close).prop_map(|(mut ops, close)| {
        if let Some(at) = close {
            ops.insert(at.min(ops.len()), Op::Close);
        }
        ops
    })
}

type Clocked<F> = Pool<Faulty<F>, ManualClock>;
type Lent<F> = Checkout<Faulty<F>>;
pub(super) type Waits<F> = Pin<Box<dyn Future<Output = Result<Lent<F>, CheckoutError<Refusal>>>>>;

pub(super) struct World<F: Factory + 'static> {
    pub(super) pool: Clocked<F>,
    clock: ManualClock,
    orders: Arc<Orders>,
    model: Model,
    next: usize,
    pending: Vec<(usize, Waits<F>)>,
    lent: Vec<Lent<F>>,
}

impl<F: Factory + 'static> World<F> {
    pub(super) fn new(factory: F, shape: Shape) -> Self {
        let (clock, orders) = (ManualClock::new(), Arc::new(Orders::default()));
        let starting = Pool::builder(Faulty { inner: factory, orders: Arc::clone(&orders) })
            .size(shape.size)
            .max_overflow(shape.max_overflow)
            .max_waiting(shape.max_waiting)
            .order(shape.order)
            .on_panic(shape.on_panic)
            .check(shape.check)
            .clock(clock.clone())
            .build_async();
        let Poll::Ready(Ok(pool)) = poll(&mut Box::pin(starting)) else { panic!("the factory makes workers") };
        let model = Model::new(shape);
        Self { pool, clock, orders, model, next: 0, pending: Vec::new(), lent: Vec::new() }
    }

    /// A checkout of the pool, which is not the model's business.
    pub(super) fn checkout(&self, wait: Option<Duration>) -> Waits<F> {
        let pool = self.pool.clone();
        Box::pin(async move {
            match wait {
                Some(wait) => pool.checkout_within(wait).await,
                None => pool.checkout().await,
            }
        })
    }

    pub(super) fn figures(&self) -> Figures {
        let status = self.pool.status();
        Figures {
            overflow: status.overflow,
            idle: status.idle,
            checked_out: status.checked_out,
            in_transition: status.in_transition,
            waiting: status.waiting,
            state: status.state,
            made: self.orders.made.load(Ordering::SeqCst),
            retired: self.orders.retired.load(Ordering::SeqCst),
        }
    }

    /// Pool and model take the step and come to the same result and figures.
    pub(super) fn step(&mut self, op: Op) {
        self.take(op);
        assert_eq!(self.figures(), self.model.figures(), "after {op:?}");
    }

    /// As [`step`](Self::step) while the pool does things that the model does not know of.
    pub(super) fn take(&mut self, op: Op) {
        match op {
            Op::Begin { wait } => {
                let (id, wait) = (self.next, wait.map(Duration::from_millis));
                self.next += 1;
                let mut waits = self.checkout(wait);
                let (real, expected) = (poll(&mut waits), self.model.begin(id, wait));
                self.compare(id, waits, real, expected);
            }
            Op::Poll(which) if !self.pending.is_empty() => {
                let (id, mut waits) = self.pending.remove(which % self.pending.len());
                let (real, expected) = (poll(&mut waits), self.model.poll(id));
                self.compare(id, waits, real, expected);
            }
            Op::Cancel(which) if !self.pending.is_empty() => {
                let (id, waits) = self.pending.remove(which % self.pending.len());
                drop(waits);
                self.model.cancel(id);
            }
            Op::Break(which) if !self.lent.is_empty() => {
                let which = which % self.lent.len();
                self.lent[which].is_broken = true;
            }
            Op::GiveBack(which, how) if !self.lent.is_empty() => {
                let lent = self.lent.remove(which % self.lent.len());
                self.model.give_back(Worker { number: lent.number, is_broken: lent.is_broken }, how);
                match how {
                    Return::Drop => drop(lent),
                    Return::Discard => lent.discard(),
                    Return::Panic => drop_unwinding(lent),
                }
            }
            Op::Advance(by) => {
                self.model.now += Duration::from_millis(by);
                self.clock.advance(Duration::from_millis(by));
            }
            Op::Refuse(refuses) => {
                self.model.refuses = refuses;
                self.orders.refuses.store(refuses, Ordering::SeqCst);
            }
            Op::Hang(hangs) => {
                self.model.hangs = hangs;
                self.orders.hangs.store(hangs, Ordering::SeqCst);
            }
            Op::Close => {
                self.model.close();
                self.pool.close();
            }
            // There is nothing to pick.
            Op::Poll(_) | Op::Cancel(_) | Op::Break(_) | Op::GiveBack(..) => {}
        }
    }

    fn compare(
        &mut self,
        id: usize,
        waits: Waits<F>,
        real: Poll<Result<Lent<F>, CheckoutError<Refusal>>>,
        expected: Option<Outcome>,
    ) {
        let (real, lent) = match real {
            Poll::Pending => {
                self.pending.push((id, waits));
                (None, None)
            }
            Poll::Ready(Ok(lent)) => (Some(Outcome::Worker(lent.number)), Some(lent)),
            Poll::Ready(Err(error)) => {
                let outcome = match error {
                    CheckoutError::TooManyWaiting { .. } => Outcome::TooManyWaiting,
                    CheckoutError::Timeout { .. } => Outcome::Timeout,
                    CheckoutError::Closed => Outcome::Closed,
                    CheckoutError::Create(Refusal::Told) => Outcome::Refused,
                    CheckoutError::Create(Refusal::Failed) => panic!("the factory under test failed"),
                    CheckoutError::Full { .. } => panic!("whoever waits is not told that the pool is full"),
                };
                (Some(outcome), None)
            }
        };
        assert_eq!(real, expected);
        self.lent.extend(lent);
    }

    /// Ends every checkout, pending or not, one by one.
    pub(super) fn wind_up(&mut self) {
        while !self.pending.is_empty() {
            self.step(Op::Cancel(0));
        }
        while !self.lent.is_empty() {
            self.step(Op::GiveBack(0, Return::Drop));
        }
    }
}

/// Polls once, for a task that nobody wakes.
pub(super) fn poll<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// Drops a value while the thread unwinds, without the noise of a panic hook.
fn drop_unwinding<T>(value: T) {
    let unwound = catch_unwind(AssertUnwindSafe(move || {
        let _value = value;
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(unwound.is_err());
}
