//! The search for an order in which the operations could have happened one at a time.
//!
//! The algorithm is that of Wing & Gong ([*Testing and verifying concurrent
//! objects*](https://doi.org/10.1006/jpdc.1993.1015), 1993) with the memory of Lowe ([*Testing for
//! linearizability*](https://doi.org/10.1002/cpe.3928), 2017): of the operations invoked before the first return that
//! is still to come, take one whose answer the model accepts, and go on from there; where none is left, undo the last
//! choice. Where the set of operations taken and the state have been met before, nothing new can follow.
//!
//! Lowe keeps the operations in one linked list and the set as one bit for each. Here they are kept in *chains*, in
//! each of which every operation begins after the one before it has returned. The set is then a position in each chain
//! and the next candidates are the heads of the chains: both are as small as the history is concurrent, however long it
//! is.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::mem;

use super::{Counterexample, Limits, Model, Operation};

pub(super) enum Outcome {
    Found { order: Vec<usize> },
    Stuck(Counterexample),
    GaveUp { explored: usize },
}

/// The head of a chain, and if it never returned, one of its outcomes.
#[derive(Clone, Copy)]
struct Choice {
    chain: usize,
    outcome: usize,
}

impl Choice {
    const FIRST: Self = Self { chain: 0, outcome: 0 };

    fn next_chain(self) -> Self {
        Self { chain: self.chain + 1, outcome: 0 }
    }

    fn next_outcome(self) -> Self {
        Self { outcome: self.outcome + 1, ..self }
    }
}

/// A choice made, and the state to go back to.
struct Frame<S> {
    choice: Choice,
    index: usize,
    before: S,
}

#[derive(PartialEq, Eq, Hash)]
struct Configuration<S> {
    positions: Box<[u32]>,
    state: S,
}

/// How far a dead end lies in the history: the return that could not be passed, then how many operations that returned
/// were taken. The fewer pending ones it took, the simpler the explanation.
type Reached = (u64, usize, Reverse<usize>);

/// The dead end that lies furthest in the history, for the explanation.
struct Furthest<S> {
    reached: Reached,
    order: Vec<usize>,
    /// How much of `order` the search has not undone since: noting a dead end copies only what changed.
    shared: usize,
    state: S,
}

pub(super) struct Search<'a, M: Model> {
    model: &'a M,
    operations: &'a [Operation<M::Op, M::Ret>],
    /// Operations that never returned are chains of their own, the last ones: they are tried when nothing else will do,
    /// because most histories can be explained without them.
    chains: Vec<Vec<usize>>,
    /// How many operations of each chain are taken.
    positions: Vec<u32>,
    /// How many operations that returned there are, and how many of them are not taken.
    completed: usize,
    left: usize,
}

impl<'a, M: Model> Search<'a, M> {
    /// A search among those operations whose indices are given; these are by invocation, as the operations are.
    pub(super) fn new(model: &'a M, operations: &'a [Operation<M::Op, M::Ret>], indices: &[usize]) -> Self {
        let mut chains: Vec<Vec<usize>> = Vec::new();
        let mut pending = Vec::new();
        // The chain whose last operation returned first. If that is too late for the next operation, so are all, and it
        // needs a new chain: as many as ever overlap.
        let mut ends: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
        for &index in indices {
            let Operation { invoked, returned: Some((returned, _)), .. } = &operations[index] else {
                pending.push(vec![index]);
                continue;
            };
            let chain = match ends.peek() {
                Some(&Reverse((end, chain))) if end < *invoked => {
                    ends.pop();
                    chain
                }
                _ => {
                    chains.push(Vec::new());
                    chains.len() - 1
                }
            };
            chains[chain].push(index);
            ends.push(Reverse((*returned, chain)));
        }
        let completed = indices.len() - pending.len();
        chains.append(&mut pending);
        Self { model, operations, positions: vec![0; chains.len()], chains, completed, left: completed }
    }

    pub(super) fn run(mut self, limits: Limits) -> Outcome {
        let mut state = self.model.init();
        let mut stack: Vec<Frame<M::State>> = Vec::new();
        let mut visited = HashSet::new();
        let mut furthest = Furthest { reached: (0, 0, Reverse(0)), order: Vec::new(), shared: 0, state: state.clone() };
        let mut from = Choice::FIRST;
        while self.left > 0 {
            if let Some((choice, index, next)) = self.next_choice(from, &state) {
                self.take(choice, index);
                if !visited.insert(Configuration { positions: (*self.positions).into(), state: next.clone() }) {
                    self.give_back(choice, index);
                    from = choice.next_outcome();
                } else if visited.len() > limits.max_states {
                    return Outcome::GaveUp { explored: limits.max_states };
                } else {
                    stack.push(Frame { choice, index, before: mem::replace(&mut state, next) });
                    from = Choice::FIRST;
                }
            } else {
                self.note_dead_end(&mut furthest, &stack, &state);
                let Some(Frame { choice, index, before }) = stack.pop() else {
                    return Outcome::Stuck(self.explain(furthest));
                };
                furthest.shared = furthest.shared.min(stack.len());
                state = before;
                self.give_back(choice, index);
                from = choice.next_outcome();
            }
        }
        Outcome::Found { order: stack.iter().map(|frame| frame.index).collect() }
    }

    fn head(&self, chain: usize) -> Option<usize> {
        self.chains[chain].get(self.positions[chain] as usize).copied()
    }

    /// The first return of an operation not taken: what was invoked later cannot come next.
    fn barrier(&self) -> u64 {
        let heads = (0..self.chains.len()).filter_map(|chain| self.head(chain));
        let returns = heads.filter_map(|index| self.operations[index].returned.as_ref());
        returns.map(|(stamp, _)| *stamp).min().unwrap_or(u64::MAX)
    }

    /// The first choice from `choice` on after which the model goes on, with the operation and the state it leads to.
    fn next_choice(&self, mut choice: Choice, state: &M::State) -> Option<(Choice, usize, M::State)> {
        let barrier = self.barrier();
        while choice.chain < self.chains.len() {
            let candidate = self.head(choice.chain).filter(|&index| self.operations[index].invoked <= barrier);
            let Some(index) = candidate else {
                choice = choice.next_chain();
                continue;
            };
            let Operation { op, returned, .. } = &self.operations[index];
            let next = match returned {
                Some((_, ret)) if choice.outcome == 0 => self.model.step(state, op, ret),
                Some(_) => None,
                None => self.model.outcomes(state, op).into_iter().nth(choice.outcome),
            };
            choice = match next {
                None => choice.next_chain(),
                // Without effect it may as well not have happened, which needs no choice.
                Some(next) if returned.is_none() && next == *state => choice.next_outcome(),
                Some(next) => return Some((choice, index, next)),
            };
        }
        None
    }

    fn take(&mut self, choice: Choice, index: usize) {
        self.positions[choice.chain] += 1;
        self.left -= usize::from(self.operations[index].returned.is_some());
    }

    fn give_back(&mut self, choice: Choice, index: usize) {
        self.positions[choice.chain] -= 1;
        self.left += usize::from(self.operations[index].returned.is_some());
    }

    fn note_dead_end(&self, furthest: &mut Furthest<M::State>, stack: &[Frame<M::State>], state: &M::State) {
        let completed = self.completed - self.left;
        let reached = (self.barrier(), completed, Reverse(stack.len() - completed));
        if reached > furthest.reached {
            furthest.reached = reached;
            furthest.order.truncate(furthest.shared);
            furthest.order.extend(stack[furthest.shared..].iter().map(|frame| frame.index));
            furthest.shared = stack.len();
            furthest.state.clone_from(state);
        }
    }

    fn explain(&self, furthest: Furthest<M::State>) -> Counterexample {
        let (barrier, ..) = furthest.reached;
        let placed: HashSet<usize> = furthest.order.iter().copied().collect();
        let mut begun: Vec<usize> = self.chains.concat();
        begun.retain(|index| !placed.contains(index) && self.operations[*index].invoked <= barrier);
        begun.sort_unstable();
        let due = |index: &usize| self.operations[*index].returned.as_ref().is_some_and(|(end, _)| *end <= barrier);
        let (misplaced, open) = begun.into_iter().partition(due);
        Counterexample::new(self.operations, furthest.order, misplaced, open, &furthest.state)
    }
}
