//! Checking a whole history, or the history of each key.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;

use super::search::{Outcome, Search};
use super::{History, Model, Verdict};

/// How much work a check may do before it gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most configurations (a set of operations taken, and the state they lead to) that one search visits. All are
    /// kept in memory, at a state and some 100 bytes each. A search visits at least one per operation. Default: 2^20.
    pub max_states: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_states: 1 << 20 }
    }
}

/// Decides whether the history is linearizable with respect to the model.
///
/// The problem is NP-complete in general; the cost is about O(n) while answers tell the states apart and few operations
/// overlap, and grows exponentially with the number of overlapping operations whose order the answers leave open. Open
/// operations (see [`Operation::returned`](super::Operation::returned)) overlap all that follows.
pub fn check<M: Model>(model: &M, history: &History<M::Op, M::Ret>, limits: Limits) -> Verdict {
    let operations = history.operations();
    let everything: Vec<usize> = (0..operations.len()).collect();
    match Search::new(model, operations, &everything).run(limits) {
        Outcome::Found { order } => Verdict::Linearizable { order },
        Outcome::Stuck(counterexample) => Verdict::NotLinearizable(counterexample),
        Outcome::GaveUp { explored } => Verdict::Undecided { explored },
    }
}

/// Decides whether the history of each key is linearizable with respect to the model of one key, which for independent
/// keys is the same as the whole being linearizable, and exponentially cheaper (Horn & Kroening, [*Faster
/// linearizability checking via P-compositionality*](https://arxiv.org/abs/1504.00204), 2015).
///
/// Each operation must concern exactly one key: histories with operations that read or change several keys at once (a
/// listing, the death of an owner of many names) need [`check`]. The limits hold for each key apart. A violation at one
/// key is reported even if another stays undecided.
///
/// ```
/// use foundation_types::conformance::linearizability::{Limits, Recorder, Sequential, Verdict, check_by_key};
///
/// /// One cell of a map; the operation is a key and what to store there, the answer what was stored before.
/// struct Cell;
///
/// impl Sequential for Cell {
///     type State = u32;
///     type Op = (&'static str, u32);
///     type Ret = u32;
///
///     fn initial(&self) -> u32 {
///         0
///     }
///
///     fn apply(&self, held: &u32, (_, stored): &(&'static str, u32)) -> (u32, u32) {
///         (*stored, *held)
///     }
/// }
///
/// let recorder = Recorder::new();
/// let mut log = recorder.thread();
/// log.record(("a", 1), |_| 0);
/// log.record(("b", 1), |_| 0);
/// log.record(("b", 2), |_| 0);
/// drop(log);
/// let history = recorder.finish().expect("the log is closed");
///
/// let Verdict::NotLinearizable(lost) = check_by_key(&Cell, &history, Limits::default(), |(key, _)| *key) else {
///     panic!("the write of 1 to b was lost");
/// };
/// assert_eq!(lost.key(), Some(r#""b""#));
/// assert_eq!(lost.misplaced(), [2]);
/// ```
pub fn check_by_key<M, K>(
    model: &M,
    history: &History<M::Op, M::Ret>,
    limits: Limits,
    key_of: impl Fn(&M::Op) -> K,
) -> Verdict
where
    M: Model,
    K: Eq + Hash + Debug,
{
    let operations = history.operations();
    let mut slots: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        let slot = *slots.entry(key_of(&operation.op)).or_insert(groups.len());
        if slot == groups.len() {
            groups.push(Vec::new());
        }
        groups[slot].push(index);
    }

    let mut points: Vec<(u64, usize)> = Vec::with_capacity(operations.len());
    let mut undecided = None;
    for group in groups {
        let first = group[0];
        match Search::new(model, operations, &group).run(limits) {
            Outcome::Found { order } => {
                // Each operation takes effect as soon as it can after its predecessors. These instants lie within the
                // intervals, so that orders of different keys merge by them.
                let mut now = 0;
                points.extend(order.into_iter().map(|index| {
                    now = operations[index].invoked.max(now);
                    (now, index)
                }));
            }
            Outcome::Stuck(counterexample) => {
                let key = key_of(&operations[first].op);
                return Verdict::NotLinearizable(counterexample.at_key(&key));
            }
            Outcome::GaveUp { explored } => undecided = undecided.or(Some(explored)),
        }
    }
    if let Some(explored) = undecided {
        return Verdict::Undecided { explored };
    }
    points.sort_by_key(|(point, _)| *point);
    Verdict::Linearizable { order: points.into_iter().map(|(_, index)| index).collect() }
}
