//! What threads asked of an object, what they were told, and when.

use std::error::Error;
use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One call of the object, with the stamps between which it took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation<Op, Ret> {
    /// Who called; for people to read, without influence on the verdict.
    pub thread: usize,
    /// What was asked.
    pub op: Op,
    /// Drawn before the call.
    pub invoked: u64,
    /// Drawn after the call, with its answer. `None`: the call never returned, or returned without saying whether it
    /// took effect; it may have done so at any time since `invoked`, or never.
    pub returned: Option<(u64, Ret)>,
}

/// The operations on one object, by the time of their invocation.
///
/// An operation that returned before another was invoked must take effect before it. Two whose intervals touch or
/// overlap may take effect in either order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History<Op, Ret> {
    operations: Vec<Operation<Op, Ret>>,
}

impl<Op, Ret> History<Op, Ret> {
    /// The history of these operations, in any order, for stamps that come from elsewhere: a trace of several
    /// processes, a simulated network. Threads of one process use a [`Recorder`]. O(n log n).
    ///
    /// # Errors
    /// [`InvertedInterval`] if an operation returned before it was invoked.
    pub fn new(mut operations: Vec<Operation<Op, Ret>>) -> Result<Self, InvertedInterval> {
        for operation in &operations {
            if let Some((returned, _)) = operation.returned
                && returned < operation.invoked
            {
                return Err(InvertedInterval { invoked: operation.invoked, returned });
            }
        }
        operations.sort_by_key(|operation| operation.invoked);
        Ok(Self { operations })
    }

    /// The operations by invocation; a [`Verdict`](super::Verdict) names them by their place in this slice.
    pub fn operations(&self) -> &[Operation<Op, Ret>] {
        &self.operations
    }

    /// How many operations were invoked.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether nothing was invoked.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }
}

/// An operation cannot return before it is invoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvertedInterval {
    /// The stamp of the invocation.
    pub invoked: u64,
    /// The stamp of the return, which is smaller.
    pub returned: u64,
}

impl fmt::Display for InvertedInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an operation invoked at {} cannot return at {}", self.invoked, self.returned)
    }
}

impl Error for InvertedInterval {}

#[derive(Debug)]
struct Shared<Op, Ret> {
    clock: AtomicU64,
    threads: AtomicUsize,
    closed: Mutex<Vec<Operation<Op, Ret>>>,
}

impl<Op, Ret> Shared<Op, Ret> {
    fn stamp(&self) -> u64 {
        // All stamps come from read-modify-writes of one atomic, so they are totally ordered, and one that sees a
        // smaller stamp synchronizes with the thread that drew it. Hence a return stamped before an invocation happens
        // before it: the order the checker imposes is an order that was real. Conversely an operation that starts after
        // it learnt of another's end draws the larger stamp. `AcqRel` would do for both; `SeqCst` costs the same where
        // it matters and also places the stamps among the object's own sequentially consistent accesses.
        self.clock.fetch_add(1, Ordering::SeqCst)
    }
}

/// Records what many threads, or tasks, do to one object.
///
/// The threads share one counter, from which they draw a stamp before and after each call; all else they write to a log
/// of their own, so that recording costs a call two atomic additions and a push, and no lock. Logs are handed over when
/// they are dropped, also by a thread that panics or a task that is cancelled: its last call then stays open in the
/// history.
///
/// One thread may hold several logs and interleave their calls, which writes a history by hand:
///
/// ```
/// use foundation_types::conformance::linearizability::Recorder;
///
/// let recorder = Recorder::new();
/// let (mut a, mut b) = (recorder.thread(), recorder.thread());
/// let write = a.invoke("write 1");
/// let read = b.invoke("read");
/// write.returned(0);
/// read.returned(1);
/// let _crashed = a.invoke("write 2");
/// drop((a, b));
///
/// let history = recorder.finish().expect("both logs are closed");
/// assert_eq!(history.len(), 3);
/// assert_eq!(history.operations()[2].returned, None);
/// ```
#[derive(Debug)]
pub struct Recorder<Op, Ret> {
    shared: Arc<Shared<Op, Ret>>,
}

impl<Op, Ret> Recorder<Op, Ret> {
    /// A recorder that has seen nothing.
    pub fn new() -> Self {
        let shared = Shared { clock: AtomicU64::new(0), threads: AtomicUsize::new(0), closed: Mutex::new(Vec::new()) };
        Self { shared: Arc::new(shared) }
    }

    /// A log for one thread or task; they are numbered from 0 in the order of this call.
    pub fn thread(&self) -> ThreadLog<Op, Ret> {
        let thread = self.shared.threads.fetch_add(1, Ordering::Relaxed);
        ThreadLog { shared: Arc::clone(&self.shared), thread, operations: Vec::new() }
    }

    /// The history of all that was logged. Join the threads first: a history that misses what a thread did proves
    /// nothing.
    ///
    /// # Errors
    /// [`OpenLogs`] if a [`ThreadLog`] is still alive.
    pub fn finish(self) -> Result<History<Op, Ret>, OpenLogs> {
        let shared =
            Arc::try_unwrap(self.shared).map_err(|shared| OpenLogs { open: Arc::strong_count(&shared) - 1 })?;
        let mut operations = shared.closed.into_inner().unwrap_or_else(PoisonError::into_inner);
        operations.sort_unstable_by_key(|operation| operation.invoked);
        Ok(History { operations })
    }
}

impl<Op, Ret> Default for Recorder<Op, Ret> {
    fn default() -> Self {
        Self::new()
    }
}

/// The recording cannot end while threads may still add to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenLogs {
    /// How many logs are still alive.
    pub open: usize,
}

impl fmt::Display for OpenLogs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} thread logs are still open; join their threads or drop them first", self.open)
    }
}

impl Error for OpenLogs {}

/// The calls of one thread, in order. Dropping it hands them to the [`Recorder`].
#[derive(Debug)]
#[must_use = "a log that is dropped records nothing more"]
pub struct ThreadLog<Op, Ret> {
    shared: Arc<Shared<Op, Ret>>,
    thread: usize,
    operations: Vec<Operation<Op, Ret>>,
}

impl<Op, Ret> ThreadLog<Op, Ret> {
    /// Runs one operation and records it; gives back its answer as recorded. If `run` panics, the operation stays open.
    pub fn record(&mut self, op: Op, run: impl FnOnce(&Op) -> Ret) -> &Ret {
        let call = self.invoke(op);
        let ret = run(call.op());
        call.returned(ret)
    }

    /// Notes that an operation begins now, for calls that are awaited or whose outcome may stay unknown.
    ///
    /// ```
    /// # use foundation_types::conformance::linearizability::Recorder;
    /// # async fn fetch(key: &str) -> Result<u32, std::io::Error> { Ok(key.len() as u32) }
    /// # pollster::block_on(async {
    /// # let recorder = Recorder::new();
    /// # let mut log = recorder.thread();
    /// let call = log.invoke("answer");
    /// if let Ok(answer) = fetch(call.op()).await {
    ///     call.returned(answer);
    /// } // else nobody knows what became of it: the operation stays open
    /// # drop(log);
    /// # assert_eq!(recorder.finish().unwrap().operations()[0].returned.map(|(_, ret)| ret), Some(6));
    /// # });
    /// ```
    pub fn invoke(&mut self, op: Op) -> Call<'_, Op, Ret> {
        // Room is made before the stamp is drawn: what runs between stamp and call only widens the interval.
        self.operations.reserve(1);
        let invoked = self.shared.stamp();
        self.operations.push(Operation { thread: self.thread, op, invoked, returned: None });
        Call { log: self }
    }

    fn last(&self) -> &Operation<Op, Ret> {
        self.operations.last().expect("a call borrows its log, whose last operation is its own")
    }
}

impl<Op, Ret> Drop for ThreadLog<Op, Ret> {
    fn drop(&mut self) {
        let mut operations = mem::take(&mut self.operations);
        self.shared.closed.lock().unwrap_or_else(PoisonError::into_inner).append(&mut operations);
    }
}

/// An operation under way. Dropped without an answer, also by cancellation, it stays open: it may have taken effect,
/// may still do so later, or never.
///
/// A thread has one call at a time, which the borrow of its log ensures.
#[derive(Debug)]
#[must_use = "a call without an answer counts as one that never returned"]
pub struct Call<'log, Op, Ret> {
    log: &'log mut ThreadLog<Op, Ret>,
}

impl<'log, Op, Ret> Call<'log, Op, Ret> {
    /// What is asked.
    pub fn op(&self) -> &Op {
        &self.log.last().op
    }

    /// Notes that the operation ended just now with this answer.
    pub fn returned(self, ret: Ret) -> &'log Ret {
        let stamp = self.log.shared.stamp();
        let operation = self.log.operations.last_mut().expect("`invoke` pushed the operation of this call");
        &operation.returned.insert((stamp, ret)).1
    }

    /// Strikes the operation from the record: it is certain that it had no effect and never will have, and its refusal
    /// says nothing about the object, such as an argument turned down on the client's side.
    pub fn retract(self) {
        self.log.operations.pop();
    }
}
