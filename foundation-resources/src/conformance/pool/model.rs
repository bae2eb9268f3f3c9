//! The pool as the rules have it: counters, a list of idle workers and a line, without locks, wakers or guards.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::pool::{Check, OnPanic, Order, PoolState};

/// How a pool is configured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) size: usize,
    pub(super) max_overflow: usize,
    pub(super) max_waiting: usize,
    pub(super) order: Order,
    pub(super) on_panic: OnPanic,
    pub(super) check: Check,
}

/// How a checkout stands that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    InLine {
        deadline: Option<Duration>,
    },
    /// The pool was closed while it was in line.
    SentAway,
    /// Handed over, and not seen yet.
    Handed(Worker),
    /// It may make a worker, and has not begun.
    Place,
    Making,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Worker {
    pub(super) number: usize,
    pub(super) is_broken: bool,
}

/// How a checkout ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Worker(usize),
    TooManyWaiting,
    Timeout,
    Closed,
    Refused,
}

/// The figures that must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) overflow: usize,
    pub(super) idle: usize,
    pub(super) checked_out: usize,
    pub(super) in_transition: usize,
    pub(super) waiting: usize,
    pub(super) state: PoolState,
    pub(super) made: usize,
    pub(super) retired: usize,
}

/// How a worker comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Return {
    Drop,
    Discard,
    Panic,
}

pub(super) struct Model {
    shape: Shape,
    idle: VecDeque<Worker>,
    alive: usize,
    checked_out: usize,
    line: VecDeque<usize>,
    stages: BTreeMap<usize, Stage>,
    is_closed: bool,
    made: usize,
    retired: usize,
    pub(super) now: Duration,
    pub(super) refuses: bool,
    pub(super) hangs: bool,
}

impl Model {
    pub(super) fn new(shape: Shape) -> Self {
        let idle: VecDeque<_> = (1..=shape.size).map(|number| Worker { number, is_broken: false }).collect();
        Self {
            shape,
            alive: idle.len(),
            made: idle.len(),
            idle,
            checked_out: 0,
            line: VecDeque::new(),
            stages: BTreeMap::new(),
            is_closed: false,
            retired: 0,
            now: Duration::ZERO,
            refuses: false,
            hangs: false,
        }
    }

    fn capacity(&self) -> usize {
        self.shape.size + self.shape.max_overflow
    }

    pub(super) fn figures(&self) -> Figures {
        let Shape { size, .. } = self.shape;
        let handed = self.stages.values().filter(|stage| matches!(stage, Stage::Handed(_))).count();
        let checked_out = self.checked_out + handed;
        let idle = self.idle.len();
        Figures {
            overflow: self.alive.saturating_sub(size),
            idle,
            checked_out,
            in_transition: self.alive - idle - checked_out,
            waiting: self.line.len(),
            state: if self.is_closed {
                PoolState::Closed
            } else if idle > 0 || self.alive < size {
                PoolState::Ready
            } else if self.alive < self.capacity() {
                PoolState::Overflow
            } else {
                PoolState::Full
            },
            made: self.made,
            retired: self.retired,
        }
    }

    /// A checkout is polled for the first time. `None` means that it is pending.
    pub(super) fn begin(&mut self, id: usize, wait: Option<Duration>) -> Option<Outcome> {
        if self.is_closed {
            return Some(Outcome::Closed);
        }
        let idle = match self.shape.order {
            Order::Lifo => self.idle.pop_back(),
            Order::Fifo => self.idle.pop_front(),
        };
        let stage = if let Some(worker) = idle {
            Stage::Handed(worker)
        } else if self.alive < self.capacity() {
            self.alive += 1;
            Stage::Place
        } else if wait == Some(Duration::ZERO) {
            return Some(Outcome::Timeout);
        } else if self.line.len() >= self.shape.max_waiting {
            return Some(Outcome::TooManyWaiting);
        } else {
            self.line.push_back(id);
            Stage::InLine { deadline: wait.map(|wait| self.now + wait) }
        };
        self.stages.insert(id, stage);
        self.poll(id)
    }

    /// A pending checkout is polled. `None` means that it still is.
    pub(super) fn poll(&mut self, id: usize) -> Option<Outcome> {
        match self.stages.remove(&id).expect("pending") {
            Stage::InLine { deadline } if deadline.is_some_and(|deadline| deadline <= self.now) => {
                self.line.retain(|other| *other != id);
                Some(Outcome::Timeout)
            }
            stage @ Stage::InLine { .. } => {
                self.stages.insert(id, stage);
                None
            }
            Stage::SentAway => Some(Outcome::Closed),
            Stage::Handed(worker) if worker.is_broken && self.shape.check != Check::OnReturn => {
                self.retired += 1;
                self.place(id)
            }
            Stage::Handed(worker) => {
                self.checked_out += 1;
                Some(Outcome::Worker(worker.number))
            }
            Stage::Place => self.place(id),
            Stage::Making => self.make(id),
        }
    }

    fn place(&mut self, id: usize) -> Option<Outcome> {
        if self.is_closed {
            self.free_place();
            return Some(Outcome::Closed);
        }
        self.make(id)
    }

    fn make(&mut self, id: usize) -> Option<Outcome> {
        if self.hangs {
            self.stages.insert(id, Stage::Making);
            return None;
        }
        if self.refuses {
            self.free_place();
            return Some(Outcome::Refused);
        }
        self.made += 1;
        if self.is_closed {
            self.retired += 1;
            self.free_place();
            return Some(Outcome::Closed);
        }
        self.checked_out += 1;
        Some(Outcome::Worker(self.made))
    }

    /// A pending checkout is dropped.
    pub(super) fn cancel(&mut self, id: usize) {
        match self.stages.remove(&id).expect("pending") {
            Stage::InLine { .. } => self.line.retain(|other| *other != id),
            Stage::SentAway => {}
            Stage::Handed(worker) => self.put_back(worker),
            Stage::Place | Stage::Making => self.free_place(),
        }
    }

    /// A worker that is out comes back.
    pub(super) fn give_back(&mut self, worker: Worker, how: Return) {
        self.checked_out -= 1;
        let is_lost = match how {
            Return::Discard => true,
            Return::Panic if self.shape.on_panic == OnPanic::Retire => true,
            Return::Drop | Return::Panic => worker.is_broken && self.shape.check != Check::OnCheckout,
        };
        if is_lost {
            self.retired += 1;
            self.free_place();
        } else {
            self.put_back(worker);
        }
    }

    fn put_back(&mut self, worker: Worker) {
        if self.is_closed {
            self.retired += 1;
            self.alive -= 1;
        } else if let Some(first) = self.line.pop_front() {
            self.stages.insert(first, Stage::Handed(worker));
        } else if self.alive > self.shape.size {
            self.retired += 1;
            self.alive -= 1;
        } else {
            self.idle.push_back(worker);
        }
    }

    fn free_place(&mut self) {
        match self.line.pop_front() {
            Some(first) => {
                self.stages.insert(first, Stage::Place);
            }
            None => self.alive -= 1,
        }
    }

    pub(super) fn close(&mut self) {
        self.is_closed = true;
        for id in self.line.drain(..) {
            self.stages.insert(id, Stage::SentAway);
        }
        self.retired += self.idle.len();
        self.alive -= self.idle.len();
        self.idle.clear();
    }
}
