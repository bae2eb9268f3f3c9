//! The breaker that callers hold.

mod builder;
mod future;
mod permit;
mod ready;
pub(crate) mod shared;
mod waiters;

use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::Arc;

use foundation_types::{Clock, MonoTime, Name, SystemClock};

pub use self::builder::Builder;
pub use self::future::Call;
pub use self::permit::{OwnedPermit, Permit};
pub use self::ready::Readiness;
use self::shared::Shared;
use crate::classify::{AnyErr, FailureClassifier};
use crate::error::{CallError, Rejected};
use crate::machine::Machine;
use crate::options::Options;
use crate::snapshot::{Snapshot, State};

/// Stops calls to what fails, and finds out when it works again. Cheap to clone; clones are the same breaker.
///
/// A call through a closed circuit whose policy is [`FailureIntensity`](crate::TripPolicy::FailureIntensity) or
/// [`Never`](crate::TripPolicy::Never) takes no lock, allocates nothing after the first call of a thread, and reads no
/// clock, unless an observer is installed. What fails, probes or is refused takes a short lock, under which no code of
/// others runs.
///
/// ```
/// use std::time::Duration;
/// use foundation_breaker::{CallError, CircuitBreaker, Recovery, TripPolicy};
/// use foundation_types::Name;
///
/// let breaker = CircuitBreaker::builder(Name::from_static("search"))
///     .trip(TripPolicy::ConsecutiveFailures { threshold: 1 })
///     .recovery(Recovery::AutoClose { after: Duration::from_secs(30) })
///     .build()?;
///
/// let answer = breaker.call(|| "no".parse::<u32>());
/// assert!(matches!(answer, Err(CallError::Operation(_))));
/// let answer = breaker.call(|| "1".parse::<u32>());
/// assert!(matches!(answer, Err(CallError::Rejected(_))), "the second call was never made");
/// # Ok::<(), foundation_breaker::OptionsError>(())
/// ```
pub struct CircuitBreaker<C = SystemClock> {
    pub(crate) shared: Arc<Shared<C>>,
}

impl CircuitBreaker {
    /// Begins a breaker with the default [`Options`] on the system clock.
    pub fn builder(name: Name) -> Builder {
        Builder::new(name)
    }
}

impl<C: Clock> CircuitBreaker<C> {
    /// Its name.
    pub fn name(&self) -> &Name {
        &self.shared.name
    }

    /// The clock it reads.
    pub fn clock(&self) -> &C {
        &self.shared.clock
    }

    /// The state of the circuit now.
    pub fn state(&self) -> State {
        self.shared.state()
    }

    /// Everything it knows of itself, at one instant; the totals are read just before.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.snapshot()
    }

    /// The options in force.
    pub fn options(&self) -> Options {
        self.shared.with_machine(|machine, _| machine.options().clone())
    }

    /// When the state changes next if nothing else happens: the end of an opening, or the time-out of the oldest probe.
    pub fn next_deadline(&self) -> Option<MonoTime> {
        self.shared.with_machine(|machine, _| machine.next_deadline())
    }

    /// Permission for one call, to be reported through the permit.
    ///
    /// # Errors
    /// [`Rejected`] if the circuit refuses.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_, C>, Rejected> {
        if let Some(ticket) = self.shared.admit_at_sight() {
            return Ok(Permit::new(self, ticket));
        }
        match self.shared.admit_or_refuse() {
            Ok(ticket) => Ok(Permit::new(self, ticket)),
            Err(refusal) => Err(self.shared.rejected(refusal)),
        }
    }

    /// As [`CircuitBreaker::try_acquire`], for a permit that outlives the borrow.
    ///
    /// # Errors
    /// [`Rejected`] if the circuit refuses.
    pub fn try_acquire_owned(&self) -> Result<OwnedPermit<C>, Rejected> {
        let ticket = match self.shared.admit_at_sight() {
            Some(ticket) => ticket,
            None => self.shared.admit_or_refuse().map_err(|refusal| self.shared.rejected(refusal))?,
        };
        Ok(OwnedPermit::new(self.clone(), ticket))
    }

    /// Runs `op` if the circuit lets it. `Ok` is a success and `Err` a failure.
    ///
    /// # Errors
    /// [`CallError::Rejected`] if the circuit refused and `op` was not run; [`CallError::Operation`] with the error of `op`.
    ///
    /// # Panics
    /// A panic of `op` counts as a failure and goes on to the caller.
    #[inline]
    pub fn call<T, E>(&self, op: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>> {
        self.call_with(AnyErr, op)
    }

    /// As [`CircuitBreaker::call`], with `classify` to say what the result means. The result itself passes through
    /// unchanged.
    ///
    /// # Errors
    /// [`CallError::Rejected`] if the circuit refused and `op` was not run; [`CallError::Operation`] with the error of `op`.
    ///
    /// # Panics
    /// A panic of `op` or of `classify` counts as a failure and goes on to the caller.
    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "as for the asynchronous form, which keeps the classifier")]
    pub fn call_with<T, E, K>(&self, classify: K, op: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>>
    where
        K: FailureClassifier<Result<T, E>>,
    {
        if let Some(entered) = self.shared.enter() {
            let result = op();
            entered.report(classify.outcome(&result));
            return result.map_err(CallError::Operation);
        }
        if let Some(refusal) = self.shared.refuse_at_sight() {
            return Err(CallError::Rejected(self.shared.rejected(refusal)));
        }
        match self.shared.admit_or_refuse() {
            Ok(ticket) => {
                let permit = Permit::new(self, ticket);
                let result = op();
                permit.report(classify.outcome(&result));
                result.map_err(CallError::Operation)
            }
            Err(refusal) => Err(CallError::Rejected(self.shared.rejected(refusal))),
        }
    }

    /// A future that runs the one `op` makes if the circuit lets it when it is first polled. `Ok` is a success and `Err` a
    /// failure.
    ///
    /// Until it is polled it holds nothing, and `op` is not called. A panic while it is polled counts as a failure.
    ///
    /// # Cancel safety
    /// Dropping it gives a half-open circuit its place back at once. What that counts as says the
    /// [`CancelPolicy`](crate::CancelPolicy); by default it counts as nothing, and so does a time limit around the call.
    /// Put the limit inside for a call that hangs to count:
    ///
    /// ```
    /// # use foundation_breaker::{CallError, CircuitBreaker};
    /// # use foundation_types::Name;
    /// # use std::{io, time::Duration};
    /// # async fn ask() -> io::Result<u32> { Ok(1) }
    /// # async fn f(breaker: CircuitBreaker) -> Result<u32, CallError<io::Error>> {
    /// let limit = Duration::from_secs(5);
    /// breaker.call_async(|| async move { tokio::time::timeout(limit, ask()).await? }).await
    /// # }
    /// ```
    pub fn call_async<Op, F, T, E>(&self, op: Op) -> Call<'_, Op, F, AnyErr, C>
    where
        Op: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
    {
        self.call_async_with(AnyErr, op)
    }

    /// As [`CircuitBreaker::call_async`], with `classify` to say what the result means.
    pub fn call_async_with<Op, F, K, T, E>(&self, classify: K, op: Op) -> Call<'_, Op, F, K, C>
    where
        Op: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
        K: FailureClassifier<Result<T, E>>,
    {
        Call::new(self, classify, op)
    }

    /// Waits until a call would be let through. It holds no place, so the call may still be refused: all who wait are woken,
    /// and the first to call get the places.
    ///
    /// # Cancel safety
    /// Dropping the future takes its waker and its timer back.
    pub async fn ready(&self) {
        let mut readiness = self.readiness();
        poll_fn(|context| readiness.poll_ready(context)).await;
    }

    /// What [`CircuitBreaker::ready`] waits with, for hand-written futures.
    pub fn readiness(&self) -> Readiness<C> {
        Readiness::new(self.clone())
    }

    /// Reports a failure without a call: one that was seen elsewhere. It opens a half-open circuit.
    pub fn melt(&self) {
        self.shared.melt();
    }

    /// Closes the circuit, forgets its failures and how often it opened in a row. A circuit that is held open stays so.
    pub fn reset(&self) {
        self.shared.with_machine(Machine::reset);
    }

    /// Holds the circuit open until [`CircuitBreaker::lift`], whatever else happens. Again, it changes nothing.
    pub fn force_open(&self) {
        self.shared.with_machine(Machine::force_open);
    }

    /// Closes a circuit that is held open, with nothing remembered; changes no other.
    pub fn lift(&self) {
        self.shared.with_machine(Machine::lift);
    }

    /// Puts other options in force. The circuit closes with nothing remembered, unless it is held open; the totals go on.
    pub fn reconfigure(&self, options: Options) {
        self.shared.with_machine(|machine, now| machine.reconfigure(options, now));
    }

    /// How many handles there are.
    pub(crate) fn handles(&self) -> usize {
        Arc::strong_count(&self.shared)
    }

    /// Whether two handles are of the same breaker.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<C> Clone for CircuitBreaker<C> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<C: Clock> fmt::Debug for CircuitBreaker<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", self.name())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
