//! Properties of histories, one step after the other.

use std::task::Poll;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use super::check;
use super::model::{Return, Shape};
use super::world::{Op, World, ops, poll, shapes};
use crate::pool::{Check, Factory, OnPanic, Order, Pool, PoolState};

/// Q12: any history of checkouts, waits, cancellations, time-outs, returns, losses, panics, failures to make workers and
/// closing gives the results of the model, and the figures of the model after each step.
pub fn q12_model_equality<F: Factory + 'static>(factory: &dyn Fn() -> F) {
    check(384, (shapes(), ops()), |(shape, ops)| {
        let mut world = World::new(factory(), shape);
        for op in ops {
            world.step(op);
        }
    });
}

/// Q13: idle + checked out + being made = alive ≤ size + overflow after each step; when all checkouts have ended nobody
/// waits, and what is alive is idle and no more than the size. When the pool is gone, every worker has been retired once.
pub fn q13_conservation<F: Factory + 'static>(factory: &dyn Fn() -> F) {
    check(192, (shapes(), ops()), |(shape, ops)| {
        let mut world = World::new(factory(), shape);
        for op in ops {
            world.step(op);
            let status = world.pool.status();
            assert!(status.alive() <= shape.size + shape.max_overflow, "{status:?}");
            assert_eq!(status.overflow, status.alive().saturating_sub(shape.size));
        }
        world.wind_up();
        let status = world.pool.status();
        assert_eq!((status.checked_out, status.waiting, status.in_transition, status.overflow), (0, 0, 0, 0));
        assert!(status.idle == status.alive() && status.idle <= shape.size, "{status:?}");
        world.pool.close();
        let figures = world.figures();
        assert_eq!((figures.idle, figures.retired), (0, figures.made));
    });
}

/// Q15: waiters are served in the order of their arrival, those that left skipped; idle workers go out last in, first out,
/// or first in, first out.
pub fn q15_order_of_service<F: Factory + 'static>(factory: &dyn Fn() -> F) {
    let leavers = prop::collection::vec(any::<bool>(), 1..12);
    check(64, (leavers, select(vec![Order::Lifo, Order::Fifo])), |(leaves, order)| {
        let shape = Shape { order, max_waiting: leaves.len(), ..shape(3, 0) };
        let world = World::new(factory(), shape);
        let checkout = || match poll(&mut world.checkout(None)) {
            Poll::Ready(Ok(lent)) => lent,
            _ => panic!("a worker is idle"),
        };
        let mut lent: Vec<_> = (0..3).map(|_| checkout()).collect();
        let mut line: Vec<_> = leaves.iter().map(|_| Some(world.checkout(None))).collect();
        assert!(line.iter_mut().flatten().all(|waits| poll(waits).is_pending()));
        for (place, leaves) in line.iter_mut().zip(&leaves) {
            if *leaves {
                *place = None;
            }
        }
        while !line.iter().all(Option::is_none) {
            drop(lent.remove(0));
            let is_served: Vec<_> = line
                .iter_mut()
                .map(|place| match place.as_mut().map(poll) {
                    Some(Poll::Ready(Ok(worker))) => {
                        lent.push(worker);
                        *place = None;
                        Some(true)
                    }
                    Some(Poll::Ready(Err(error))) => panic!("{error:?}"),
                    Some(Poll::Pending) => Some(false),
                    None => None,
                })
                .collect();
            let mut in_line = is_served.into_iter().flatten();
            assert!(in_line.next() == Some(true) && in_line.all(|is_served| !is_served), "the first and nobody else");
        }
        let returned: Vec<_> = lent.iter().map(|worker| worker.number).collect();
        lent.drain(..).for_each(drop);
        let again: Vec<_> = (0..3).map(|_| checkout()).collect();
        let mut out: Vec<_> = again.iter().map(|worker| worker.number).collect();
        if order == Order::Lifo {
            out.reverse();
        }
        assert_eq!(out, returned);
    });
}

/// Q17: a checkout that is dropped, before its first poll, in line, with a worker or a place handed over that it has not
/// seen, or while its worker is being made, leaves the pool as if it had never been. (An idle worker that it found to be
/// bad stays retired; the histories here have none.)
pub fn q17_cancel_safety<F: Factory + 'static>(factory: &dyn Fn() -> F) {
    // What happens between its poll and its end.
    let between = prop_oneof![
        Just(None),
        (0..8_usize, select(vec![Return::Drop, Return::Discard]))
            .prop_map(|(which, how)| Some(Op::GiveBack(which, how))),
    ];
    check(192, (shapes(), ops(), between, 0..3_usize), |(shape, ops, between, polls)| {
        let [mut with, mut without] = [World::new(factory(), shape), World::new(factory(), shape)];
        for op in ops.into_iter().filter(|op| !matches!(op, Op::Break(_))) {
            with.step(op);
            without.step(op);
        }
        let hang = Op::Hang(true);
        with.step(hang);
        without.step(hang);
        let mut extra = Some(with.checkout(Some(Duration::from_mins(1))));
        for _ in 0..polls {
            // One that ends is none that is dropped; whoever gets a worker gives it back.
            if extra.as_mut().is_some_and(|extra| poll(extra).is_ready()) {
                return;
            }
        }
        // While its worker is being made it counts as alive, and what comes back beyond the size is retired.
        let is_making = with.pool.status().in_transition > without.pool.status().in_transition;
        if let Some(op) = between.filter(|_| !is_making) {
            with.take(op);
            without.take(op);
        }
        drop(extra.take());
        assert_eq!(with.figures(), without.figures());
    });
}

/// Q18: panics, failures and closing of one pool change nothing about another.
pub fn q18_isolation_of_failure<F: Factory + 'static>(factory: &dyn Fn() -> F) {
    check(64, (shapes(), ops()), |(shape, ops)| {
        let other = Pool::builder(factory()).size(1).max_overflow(1).build();
        let Ok(other) = other else { panic!("the factory makes workers") };
        let before = other.status();
        let mut world = World::new(factory(), shape);
        for op in ops {
            world.step(op);
            let lent = other.try_checkout();
            assert!(lent.is_ok() && other.status().checked_out == 1);
            drop(lent);
            assert_eq!(other.status(), before);
        }
        world.pool.close();
        drop(world);
        assert_eq!((other.status(), other.status().state), (before, PoolState::Ready));
    });
}

fn shape(size: usize, max_overflow: usize) -> Shape {
    Shape { size, max_overflow, max_waiting: 16, order: Order::Lifo, on_panic: OnPanic::Retire, check: Check::OnReturn }
}
