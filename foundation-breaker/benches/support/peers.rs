//! The peers, closed and open.

use std::future::{Ready, poll_fn, ready};
use std::hint::black_box;
use std::time::{Duration, Instant};

use failsafe::backoff::Constant;
use failsafe::failure_policy::{self, ConsecutiveFailures};
use failsafe::{CircuitBreaker as _, StateMachine, backoff};
use parking_lot::Mutex;
use recloser::Recloser;
use tokio::runtime::{self, Runtime};
use tower::Service;
use tower::util::{ServiceFn, service_fn};
use tower_resilience_circuitbreaker::{CircuitBreaker, CircuitBreakerError, CircuitBreakerLayer, DefaultClassifier};

use crate::bench::measure::{Contender, Sample, Work};

/// At how many failures in a row those break that count them so.
pub(crate) const IN_A_ROW: u32 = 5;
/// How long whatever is open stays so: longer than all measurements.
pub(crate) const OPEN_FOR: Duration = Duration::from_hours(1);
/// The most failures that it may take to open any of the peers.
const ENOUGH_FAILURES: usize = 1_000;

/// The operation of every call, which always succeeds, though the compiler cannot know that.
#[inline]
pub(crate) fn operation() -> Result<u64, ()> {
    black_box(Ok(1))
}

pub(crate) fn recloser() -> Recloser {
    Recloser::custom().open_wait(OPEN_FOR).build()
}

pub(crate) fn open_recloser() -> Recloser {
    let recloser = recloser();
    let refuses = |_| matches!(recloser.call(|| Err::<(), ()>(())), Err(recloser::Error::Rejected));
    assert!((0..ENOUGH_FAILURES).any(refuses), "only failures open it");
    recloser
}

pub(crate) type Failsafe = StateMachine<ConsecutiveFailures<Constant>, ()>;

pub(crate) fn failsafe() -> Failsafe {
    let policy = failure_policy::consecutive_failures(IN_A_ROW, backoff::constant(OPEN_FOR));
    failsafe::Config::new().failure_policy(policy).build()
}

pub(crate) fn open_failsafe() -> Failsafe {
    let failsafe = failsafe();
    let refuses = |_| matches!(failsafe.call(|| Err::<(), ()>(())), Err(failsafe::Error::Rejected));
    assert!((0..ENOUGH_FAILURES).any(refuses), "only failures open it");
    failsafe
}

/// Calls of one go of a driver: few, as threads that meet in the peer wake each other through the system.
const CALLS: usize = 64;

/// How a peer is called that knows futures only.
const DRIVEN: &str = "awaited, one call after another, in a current-thread runtime of Tokio for each thread; \
                      entering the runtime is not counted";

type Answer = ServiceFn<fn(()) -> Ready<Result<u64, ()>>>;

/// The breaker of tower-resilience around a service that answers at once.
type Resilience = CircuitBreaker<Answer, DefaultClassifier>;

/// What drives the calls of one thread: a handle of the breaker, and a runtime, as the breaker sleeps when it meets another
/// thread.
struct Driver {
    runtime: Runtime,
    service: Resilience,
}

/// One breaker of tower-resilience, for several threads.
pub(crate) struct Drivers(Vec<Mutex<Driver>>);

impl Drivers {
    pub(crate) fn closed(threads: usize) -> Self {
        let layer = CircuitBreakerLayer::builder()
            .consecutive_failures(IN_A_ROW as usize)
            .wait_duration_in_open(OPEN_FOR)
            .build()
            .expect("the options are in range");
        let answer: fn(()) -> Ready<Result<u64, ()>> = |()| ready(operation());
        let service = layer.layer_fn(service_fn(answer));
        let driver = |_| {
            let runtime = runtime::Builder::new_current_thread().enable_time().build();
            let runtime = runtime.expect("the system gives a runtime what it asks for");
            Mutex::new(Driver { runtime, service: service.clone() })
        };
        Self((0..threads).map(driver).collect())
    }

    pub(crate) fn open(threads: usize) -> Self {
        let drivers = Self::closed(threads);
        {
            let Driver { runtime, service } = &*drivers.0[0].lock();
            runtime.block_on(service.force_open());
        }
        drivers
    }

    /// `looks_right` judges each result.
    pub(crate) fn contender<'a>(
        self,
        looks_right: impl Fn(&Result<u64, CircuitBreakerError<()>>) -> bool + Sync + 'a,
    ) -> Contender<'a> {
        let work: Work<'a> = Box::new(move |thread, _| {
            // Nobody else has the driver of this thread.
            let Driver { runtime, service } = &mut *self.0[thread].lock();
            runtime.block_on(async {
                let start = Instant::now();
                for _ in 0..CALLS {
                    let is_ready = poll_fn(|context| service.poll_ready(context)).await;
                    assert!(is_ready.is_ok());
                    let result = service.call(()).await;
                    assert!(looks_right(black_box(&result)));
                }
                Sample { operations: CALLS as u64, time: start.elapsed() }
            })
        });
        Contender::peer("tower-resilience", work).note(DRIVEN)
    }
}
