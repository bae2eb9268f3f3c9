//! A service that does as its requests say and counts what is done with it, and tasks that count how often they are woken.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use foundation_breaker::tower::{BreakerLayer, BreakerService};
use foundation_breaker::{AnyErr, Builder, CancelPolicy, CircuitBreaker, OpenFor, Probe, Recovery, State, TripPolicy};
use foundation_types::{ManualClock, Name};
use tower::{Layer, Service};

pub(crate) const TICK: Duration = Duration::from_nanos(1);
/// How long the circuits of these tests stay open.
pub(crate) const OPEN_FOR: Duration = Duration::from_secs(30);
/// When probes of these tests are given up.
pub(crate) const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// What the service is to do with a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// How often its future is not ready.
    pub(crate) pending: usize,
    pub(crate) then: Then,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    Answer(u16),
    Fail,
    Panic,
    PanicInCall,
    /// After it answered.
    PanicInDrop,
}

impl Then {
    /// A call that is ready at once.
    pub(crate) const fn now(self) -> Ask {
        Ask { pending: 0, then: self }
    }

    pub(crate) const fn after(self, pending: usize) -> Ask {
        Ask { pending, then: self }
    }
}

/// Clones are the same service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backend(Arc<Inside>);

#[derive(Debug, Default)]
struct Inside {
    readied: AtomicUsize,
    called: AtomicUsize,
    readiness: Mutex<Readiness>,
}

/// What the service says when it is asked whether it is ready.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Readiness {
    #[default]
    Ready,
    Busy,
    Broken,
}

impl Backend {
    /// How often it was asked whether it is ready.
    pub(crate) fn readied(&self) -> usize {
        self.0.readied.load(Ordering::SeqCst)
    }

    pub(crate) fn called(&self) -> usize {
        self.0.called.load(Ordering::SeqCst)
    }

    pub(crate) fn be(&self, readiness: Readiness) {
        *self.0.readiness.lock().expect("nothing panics under it") = readiness;
    }
}

impl Service<Ask> for Backend {
    type Response = u16;
    type Error = &'static str;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.readied.fetch_add(1, Ordering::SeqCst);
        match *self.0.readiness.lock().expect("nothing panics under it") {
            Readiness::Ready => Poll::Ready(Ok(())),
            Readiness::Busy => Poll::Pending,
            Readiness::Broken => Poll::Ready(Err("broken")),
        }
    }

    fn call(&mut self, ask: Ask) -> Answer {
        self.0.called.fetch_add(1, Ordering::SeqCst);
        assert!(!matches!(ask.then, Then::PanicInCall), "as asked");
        Answer { ask, is_over: false }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    ask: Ask,
    is_over: bool,
}

impl Future for Answer {
    type Output = Result<u16, &'static str>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.ask.pending > 0 {
            self.ask.pending -= 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.is_over = true;
        Poll::Ready(match self.ask.then {
            Then::Answer(status) => Ok(status),
            Then::PanicInDrop => Ok(200),
            Then::Fail => Err("failed"),
            Then::Panic | Then::PanicInCall => panic!("as asked"),
        })
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        assert!(!(self.is_over && matches!(self.ask.then, Then::PanicInDrop)), "as asked");
    }
}

/// A task that does nothing but count how often it is woken.
#[derive(Debug, Default)]
pub(crate) struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Task {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn poll_ready<S: Service<Ask>>(self: &Arc<Self>, service: &mut S) -> Poll<Result<(), S::Error>> {
        service.poll_ready(&mut Context::from_waker(&Waker::from(Arc::clone(self))))
    }
}

/// Polls a service's readiness for a task that nobody looks at.
pub(crate) fn poll_ready<S: Service<Ask>>(service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut Context::from_waker(Waker::noop()))
}

pub(crate) fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// The output of a future that is ready within a few polls.
pub(crate) fn now<F: Future + Unpin>(mut future: F) -> F::Output {
    for _ in 0..10 {
        if let Poll::Ready(output) = poll(&mut future) {
            return output;
        }
    }
    panic!("not ready");
}

/// A breaker that opens at the first failure, for [`OPEN_FOR`], and lets one probe through at a time.
pub(crate) fn builder(clock: &ManualClock) -> Builder<ManualClock> {
    let probe = Probe { open_for: OpenFor::Constant(OPEN_FOR), probe_timeout: PROBE_TIMEOUT, ..Probe::default() };
    CircuitBreaker::builder(Name::from_static("backend"))
        .trip(TripPolicy::ConsecutiveFailures { threshold: 1 })
        .recovery(Recovery::Probe(probe))
        .clock(clock.clone())
}

pub(crate) type Guarded = BreakerService<Backend, AnyErr, ManualClock>;

/// One breaker around one service, on a clock that stands still.
pub(crate) struct Bench {
    pub(crate) clock: ManualClock,
    pub(crate) breaker: CircuitBreaker<ManualClock>,
    pub(crate) backend: Backend,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(CancelPolicy::Ignore)
    }

    pub(crate) fn with(policy: CancelPolicy) -> Self {
        let clock = ManualClock::new();
        let breaker = builder(&clock).on_cancel(policy).build().expect("in range");
        Self { clock, breaker, backend: Backend::default() }
    }

    pub(crate) fn refusing(&self) -> Guarded {
        BreakerLayer::new(self.breaker.clone()).layer(self.backend.clone())
    }

    pub(crate) fn waiting(&self) -> Guarded {
        BreakerLayer::new(self.breaker.clone()).back_pressure().layer(self.backend.clone())
    }

    pub(crate) fn open(&self) {
        self.breaker.melt();
        assert_eq!(self.breaker.state(), State::Open);
    }

    pub(crate) fn half_open(&self) {
        self.open();
        self.clock.advance(OPEN_FOR);
        assert_eq!(self.breaker.state(), State::HalfOpen);
    }

    pub(crate) fn outstanding(&self) -> u32 {
        self.breaker.snapshot().probes.outstanding
    }
}
