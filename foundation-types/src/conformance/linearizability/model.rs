//! What the object would answer if its operations came one at a time.

use std::fmt::Debug;
use std::hash::Hash;

/// A sequential specification as a relation: which answers are right in a state, and which state they lead to.
///
/// Most objects have one right answer in every state; implement [`Sequential`] for those, which gives this trait for
/// free. Implement this one where several answers are right, such as a lock that hands out any token larger than the
/// last. Should an operation and its answer still leave the next state open, let `State` be the set of the possible
/// states.
///
/// The checker calls both functions many times with the same arguments: they must depend on nothing else.
///
/// ```
/// use foundation_types::conformance::linearizability::{Limits, Model, Recorder, check};
///
/// /// Hands out ids, each larger than the one before; gaps are allowed.
/// struct Ids;
///
/// impl Model for Ids {
///     type State = u64;
///     type Op = ();
///     type Ret = u64;
///
///     fn init(&self) -> u64 {
///         0
///     }
///
///     fn step(&self, last: &u64, (): &(), id: &u64) -> Option<u64> {
///         (id > last).then_some(*id)
///     }
///
///     fn outcomes(&self, last: &u64, (): &()) -> Vec<u64> {
///         vec![last + 1]
///     }
/// }
///
/// let recorder = Recorder::new();
/// let mut log = recorder.thread();
/// log.record((), |()| 4);
/// log.record((), |()| 4);
/// drop(log);
/// let history = recorder.finish().expect("the log is closed");
/// assert!(!check(&Ids, &history, Limits::default()).is_linearizable());
/// ```
pub trait Model {
    /// What the object holds. Each state reached is kept once per configuration: small states make long histories
    /// cheap.
    type State: Clone + Eq + Hash + Debug;
    /// What is asked of the object, arguments included.
    type Op: Debug;
    /// What it answers.
    type Ret: Debug;

    /// The state before the first operation.
    fn init(&self) -> Self::State;

    /// The state after `op` was answered with `ret` in `state`, or `None` if that answer is wrong there.
    fn step(&self, state: &Self::State, op: &Self::Op, ret: &Self::Ret) -> Option<Self::State>;

    /// The states that `op` may leave behind when nobody learnt its answer: one for each effect it can have, none if it
    /// cannot happen in `state`. That it did not happen at all goes without saying.
    ///
    /// An operation whose answer is freely chosen has more outcomes than can be listed; list those that later answers
    /// can tell apart. Leaving out an outcome that the object can have makes the checker reject histories that are
    /// right.
    fn outcomes(&self, state: &Self::State, op: &Self::Op) -> Vec<Self::State>;
}

/// A sequential specification as a function: one answer and one next state for each operation in each state.
///
/// ```
/// use foundation_types::conformance::linearizability::{Model, Sequential};
///
/// /// A register that holds a number; `Some` writes, `None` reads, the answer is what it held before.
/// struct Register;
///
/// impl Sequential for Register {
///     type State = u32;
///     type Op = Option<u32>;
///     type Ret = u32;
///
///     fn initial(&self) -> u32 {
///         0
///     }
///
///     fn apply(&self, held: &u32, op: &Option<u32>) -> (u32, u32) {
///         (op.unwrap_or(*held), *held)
///     }
/// }
///
/// assert_eq!(Register.step(&7, &Some(9), &7), Some(9));
/// assert_eq!(Register.step(&7, &Some(9), &8), None);
/// ```
pub trait Sequential {
    /// See [`Model::State`].
    type State: Clone + Eq + Hash + Debug;
    /// See [`Model::Op`].
    type Op: Debug;
    /// See [`Model::Ret`].
    type Ret: PartialEq + Debug;

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// The state that `op` leaves behind, and its answer.
    fn apply(&self, state: &Self::State, op: &Self::Op) -> (Self::State, Self::Ret);
}

impl<S: Sequential> Model for S {
    type State = S::State;
    type Op = S::Op;
    type Ret = S::Ret;

    fn init(&self) -> Self::State {
        self.initial()
    }

    fn step(&self, state: &Self::State, op: &Self::Op, ret: &Self::Ret) -> Option<Self::State> {
        let (next, answer) = self.apply(state, op);
        (answer == *ret).then_some(next)
    }

    fn outcomes(&self, state: &Self::State, op: &Self::Op) -> Vec<Self::State> {
        vec![self.apply(state, op).0]
    }
}
