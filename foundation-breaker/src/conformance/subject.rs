//! What the suite asks of a breaker and of a set of breakers.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::{Clock, ManualClock, MonoTime, Name, Observer};

use crate::breaker::{CircuitBreaker, OwnedPermit};
use crate::classify::Outcome;
use crate::error::{CallError, InstallError, Rejected, SetFull};
use crate::options::Options;
use crate::random::Random;
use crate::set::BreakerSet;
use crate::snapshot::{ProbeCounts, Snapshot, State, Totals, WindowCounts};

/// A breaker under test.
pub trait Breaker: Send + Sync {
    /// Permission for one call; dropped without a report, the call is given up.
    type Permit: Permit;

    /// Permission for one call.
    ///
    /// # Errors
    /// [`Rejected`] if the circuit refuses.
    fn try_acquire(&self) -> Result<Self::Permit, Rejected>;

    /// Runs `op` if the circuit lets it.
    ///
    /// # Errors
    /// [`CallError::Rejected`] if it does not, and else [`CallError::Operation`] with the error of `op`.
    fn call<T, E>(&self, op: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>>;

    /// The same for an operation that takes time. Admission happens at the first poll.
    fn call_async<Op, F, T, E>(&self, op: Op) -> impl Future<Output = Result<T, CallError<E>>>
    where
        Op: FnOnce() -> F,
        F: Future<Output = Result<T, E>>;

    /// Reports a failure without a call.
    fn melt(&self);

    /// Closes the circuit and forgets its failures, unless it is held open.
    fn reset(&self);

    /// Holds the circuit open.
    fn force_open(&self);

    /// Closes a circuit that is held open.
    fn lift(&self);

    /// Puts other options in force.
    fn reconfigure(&self, options: Options);

    /// The state now.
    fn state(&self) -> State;

    /// Everything the breaker tells of itself now.
    fn view(&self) -> View;
}

/// Permission for one call.
pub trait Permit: Send {
    /// Whether the call is a probe.
    fn is_probe(&self) -> bool;

    /// Reports how the call ended.
    fn report(self, outcome: Outcome);
}

/// Breakers by name, under test.
pub trait Set: Send + Sync {
    /// Its breakers.
    type Breaker: Breaker;

    /// The breaker of this name with these options, whether it is new or not.
    ///
    /// # Errors
    /// [`SetFull`] if there is no room.
    fn install(&self, name: &Name, options: Options) -> Result<Self::Breaker, SetFull>;

    /// A new breaker of this name.
    ///
    /// # Errors
    /// [`InstallError`] if there is one already, or no room.
    fn try_install(&self, name: &Name, options: Options) -> Result<Self::Breaker, InstallError>;

    /// The breaker of this name.
    fn get(&self, name: &str) -> Option<Self::Breaker>;

    /// Takes a breaker out of the set.
    fn remove(&self, name: &str) -> Option<Self::Breaker>;

    /// All names, in any order.
    fn names(&self) -> Vec<Name>;
}

/// What a breaker is to be made of.
#[derive(Clone)]
#[non_exhaustive]
pub struct Setup {
    /// Its options.
    pub options: Options,
    /// The clock it has to read.
    pub clock: ManualClock,
    /// Where jitter and faults have to be drawn from: one draw for each opening whose jitter is not zero, and one for each
    /// call that a closed circuit with fault injection is asked for.
    pub random: Random,
    /// Who wants to hear of it, if anybody.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Setup {
    /// A breaker without an observer, whose random source gives zeros.
    pub fn new(options: Options, clock: &ManualClock) -> Self {
        Self { options, clock: clock.clone(), random: Random::scripted([0.0]), observer: None }
    }
}

/// What a breaker tells of itself: a [`Snapshot`] that anybody can make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The state.
    pub state: State,
    /// How often the state was entered or renewed.
    pub generation: u64,
    /// What the trip policy looks at. Compared while the circuit is closed.
    pub window: WindowCounts,
    /// Failures in a row, where the policy counts these. Compared while the circuit is closed.
    pub consecutive_failures: u32,
    /// The probes, while half-open.
    pub probes: ProbeCounts,
    /// How long until an open circuit lets calls through again.
    pub retry_after: Option<Duration>,
    /// How often the circuit opened since it was last closed.
    pub opened_in_a_row: u32,
    /// When the latest failure was reported that counted.
    pub last_failure_at: Option<MonoTime>,
    /// Everything since the breaker was made.
    pub totals: Totals,
}

impl View {
    /// Without what is only told of a closed circuit, unless it is one.
    pub(super) fn comparable(mut self) -> Self {
        if self.state != State::Closed {
            self.window = WindowCounts::default();
            self.consecutive_failures = 0;
        }
        self
    }
}

impl From<Snapshot> for View {
    fn from(snapshot: Snapshot) -> Self {
        Self {
            state: snapshot.state,
            generation: snapshot.generation,
            window: snapshot.window,
            consecutive_failures: snapshot.consecutive_failures,
            probes: snapshot.probes,
            retry_after: snapshot.retry_after,
            opened_in_a_row: snapshot.opened_in_a_row,
            last_failure_at: snapshot.last_failure_at,
            totals: snapshot.totals,
        }
    }
}

impl From<Setup> for CircuitBreaker<ManualClock> {
    fn from(setup: Setup) -> Self {
        CircuitBreaker::builder(Name::from_static("subject"))
            .options(setup.options)
            .emitter(setup.observer.into())
            .random(setup.random)
            .clock(setup.clock)
            .assemble()
    }
}

impl<C: Clock> Breaker for CircuitBreaker<C> {
    type Permit = OwnedPermit<C>;

    fn try_acquire(&self) -> Result<Self::Permit, Rejected> {
        self.try_acquire_owned()
    }

    fn call<T, E>(&self, op: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>> {
        self.call(op)
    }

    fn call_async<Op, F, T, E>(&self, op: Op) -> impl Future<Output = Result<T, CallError<E>>>
    where
        Op: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
    {
        self.call_async(op)
    }

    fn melt(&self) {
        self.melt();
    }

    fn reset(&self) {
        self.reset();
    }

    fn force_open(&self) {
        self.force_open();
    }

    fn lift(&self) {
        self.lift();
    }

    fn reconfigure(&self, options: Options) {
        self.reconfigure(options);
    }

    fn state(&self) -> State {
        self.state()
    }

    fn view(&self) -> View {
        self.snapshot().into()
    }
}

impl<C: Clock> Permit for OwnedPermit<C> {
    fn is_probe(&self) -> bool {
        self.is_probe()
    }

    fn report(self, outcome: Outcome) {
        self.report(outcome);
    }
}

impl<C: Clock + Clone> Set for BreakerSet<C> {
    type Breaker = CircuitBreaker<C>;

    fn install(&self, name: &Name, options: Options) -> Result<Self::Breaker, SetFull> {
        self.install(name, options)
    }

    fn try_install(&self, name: &Name, options: Options) -> Result<Self::Breaker, InstallError> {
        self.try_install(name, options)
    }

    fn get(&self, name: &str) -> Option<Self::Breaker> {
        self.get(name)
    }

    fn remove(&self, name: &str) -> Option<Self::Breaker> {
        self.remove(name)
    }

    fn names(&self) -> Vec<Name> {
        self.names()
    }
}
