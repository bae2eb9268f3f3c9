//! The breaker of an agent that is well, or not looked at, and the model of its circuit under the same commands.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use foundation_types::Clock;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::subject::{AgentBreaker, AgentSetup};
use crate::agent::{AgentCallError, AgentRejected};
use crate::conformance::calls::{is_ours, panic_quietly, poll};
use crate::conformance::command::{Step, step};
use crate::conformance::{Admitted, Ending, Model};
use crate::error::RejectReason;
use crate::options::{OpenFor, Options, Probe, Recovery, TripPolicy};

/// One thing that the agent does, or time.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Advance(Step),
    /// A call that ends at once.
    Call(End),
    /// A call that goes on.
    Begin,
    /// Ends one of the calls under way, the index modulo their number; without an end, its future is dropped.
    End(usize, Option<End>),
    Reset,
}

/// How an operation ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Success,
    Failure,
    Panic,
}

impl End {
    fn reach(self) -> Result<&'static str, &'static str> {
        let panics = || -> Result<_, _> { match panic_quietly() {} };
        match self {
            Self::Success => Ok("done"),
            Self::Failure => Err("broken"),
            Self::Panic => panics(),
        }
    }

    /// What the circuit has to see of it.
    fn ending(self) -> Ending {
        match self {
            Self::Success => Ending::Success,
            Self::Failure | Self::Panic => Ending::Failure,
        }
    }

    /// The caller sees what the operation did.
    fn assert_seen(self, seen: &thread::Result<Answer>) {
        match (self, seen) {
            (Self::Success, Ok(Ok("done"))) | (Self::Failure, Ok(Err(AgentCallError::Operation("broken")))) => {}
            (Self::Panic, Err(payload)) if is_ours(&**payload) => {}
            _ => panic!("{seen:?} of {self:?}"),
        }
    }
}

pub(super) type Answer = Result<&'static str, AgentCallError<&'static str>>;

/// A call that has begun.
struct UnderWay<'b> {
    future: Pin<Box<dyn Future<Output = Answer> + 'b>>,
    /// How the operation ends when it is polled next.
    end: Rc<Cell<Option<End>>>,
    expected: Admitted,
}

pub(super) fn end() -> impl Strategy<Value = End> + Clone {
    select(vec![End::Success, End::Success, End::Failure, End::Failure, End::Failure, End::Panic])
}

pub(super) fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        5 => step().prop_map(Command::Advance),
        6 => end().prop_map(Command::Call),
        4 => Just(Command::Begin),
        4 => (any::<usize>(), option::weighted(0.8, end())).prop_map(|(which, end)| Command::End(which, end)),
        1 => Just(Command::Reset),
    ]
}

/// The breaker of an agent and the model of its circuit, which must give the same answers.
pub(super) struct Pair<'b, B> {
    breaker: &'b B,
    setup: &'b AgentSetup,
    model: Model,
    under_way: Vec<UnderWay<'b>>,
}

impl<'b, B: AgentBreaker> Pair<'b, B> {
    /// For a breaker that was just made.
    pub(super) fn new(breaker: &'b B, setup: &'b AgentSetup) -> Self {
        let trip = TripPolicy::ConsecutiveFailures { threshold: setup.failure_threshold };
        let recovery = Recovery::Probe(Probe {
            open_for: OpenFor::Constant(setup.recovery_timeout),
            max_concurrent: setup.half_open_max_calls,
            required_successes: 1,
            max_failures: 0,
            ..Probe::default()
        });
        let options = Options::new(trip, recovery).expect("in range");
        let model = Model::new(options, setup.clock.mono(), vec![0.0]);
        Self { breaker, setup, model, under_way: Vec::new() }
    }

    /// Does it to both, and compares what they answer and what they say of themselves.
    pub(super) fn run(&mut self, command: &Command) {
        match command {
            Command::Advance(step) => {
                let by = step.resolve(&self.model, self.under_way.last().map(|call| call.expected.at()));
                self.setup.clock.advance(by);
                self.model.advance(by);
            }
            Command::Call(end) => self.call(*end),
            Command::Begin => self.begin(),
            Command::End(which, end) => {
                if !self.under_way.is_empty() {
                    let call = self.under_way.remove(which % self.under_way.len());
                    self.end(call, *end);
                }
            }
            Command::Reset => {
                self.breaker.reset();
                self.model.reset();
            }
        }
        assert_eq!(self.breaker.circuit().comparable(), self.model.view().comparable());
    }

    fn call(&mut self, end: End) {
        let has_run = Cell::new(false);
        let operation = || {
            has_run.set(true);
            end.reach()
        };
        let seen = catch_unwind(AssertUnwindSafe(|| self.breaker.call(operation)));
        match self.model.acquire() {
            Ok(call) => {
                end.assert_seen(&seen);
                self.model.end(call, end.ending());
            }
            Err(expected) => {
                assert_refused(seen.expect("the operation may not run"), expected);
                assert!(!has_run.get(), "the operation of a call that is refused");
            }
        }
    }

    fn begin(&mut self) {
        let end = Rc::new(Cell::new(None::<End>));
        let told = Rc::clone(&end);
        let operation = || poll_fn(move |_| told.take().map_or(Poll::Pending, |end| Poll::Ready(end.reach())));
        let mut future: Pin<Box<dyn Future<Output = Answer> + 'b>> = Box::pin(self.breaker.call_async(operation));
        match (poll(future.as_mut()), self.model.acquire()) {
            (Poll::Pending, Ok(expected)) => self.under_way.push(UnderWay { future, end, expected }),
            (Poll::Ready(answer), Err(expected)) => assert_refused(answer, expected),
            (polled, expected) => panic!("{polled:?} instead of {expected:?}"),
        }
    }

    fn end(&mut self, mut call: UnderWay<'b>, end: Option<End>) {
        let Some(end) = end else {
            drop(call.future);
            return self.model.end(call.expected, Ending::Dropped);
        };
        call.end.set(Some(end));
        let seen = catch_unwind(AssertUnwindSafe(|| match poll(call.future.as_mut()) {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("the operation has ended"),
        }));
        end.assert_seen(&seen);
        self.model.end(call.expected, end.ending());
    }
}

/// Refused by the circuit, as the model says.
fn assert_refused(answer: Answer, expected: (RejectReason, Option<Duration>)) {
    match answer {
        Err(AgentCallError::Rejected(AgentRejected::Circuit(rejected))) => {
            assert_eq!((rejected.reason, rejected.retry_after), expected);
        }
        answer => panic!("{answer:?} instead of {expected:?}"),
    }
}
