//! Calls as a whole: the operation that runs or does not, and panics in it.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use foundation_types::ManualClock;

use super::Factory;
use super::command::ms;
use super::subject::{Breaker, Permit, Setup};
use crate::classify::Outcome;
use crate::error::{CallError, RejectReason};
use crate::options::{CancelPolicy, OpenFor, Options, Probe, Recovery, TripPolicy};
use crate::snapshot::State;

/// A future that is pending so often, and then does its last step.
pub(super) struct Pends<F> {
    left: u32,
    last: Option<F>,
}

impl<F> Pends<F> {
    pub(super) fn new(times: u32, last: F) -> Self {
        Self { left: times, last: Some(last) }
    }
}

impl<T, F: FnOnce() -> T + Unpin> Future for Pends<F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        if self.left > 0 {
            self.left -= 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready((self.last.take().expect("polled after it was ready"))())
    }
}

pub(super) fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Without the report of the panic hook, as it is no news.
pub(super) fn panic_quietly() -> Infallible {
    resume_unwind(Box::new("a panic of the operation"))
}

pub(super) fn is_ours(payload: &(dyn std::any::Any + Send)) -> bool {
    payload.downcast_ref::<&str>() == Some(&"a panic of the operation")
}

fn policy() -> Probe {
    Probe { open_for: OpenFor::Constant(ms(10)), ..Probe::default() }
}

fn options() -> Options {
    Options::new(TripPolicy::ConsecutiveFailures { threshold: 2 }, Recovery::Probe(policy())).expect("in range")
}

/// Closed, and half-open.
fn admitting<B: Breaker>(make: Factory<'_, B>) -> [B; 2] {
    [State::Closed, State::HalfOpen].map(|state| {
        let clock = ManualClock::new();
        let breaker = make(Setup::new(options(), &clock));
        if state == State::HalfOpen {
            breaker.melt();
            breaker.melt();
            clock.advance(ms(10));
        }
        assert_eq!(breaker.state(), state);
        breaker
    })
}

/// One failure more, nothing under way, and a circuit that still works.
fn counted_one_failure<B: Breaker>(breaker: &B, before: &super::View) {
    let after = breaker.view();
    assert_eq!(after.totals.failed, before.totals.failed + 1);
    assert_eq!((after.totals.succeeded, after.totals.ignored), (before.totals.succeeded, before.totals.ignored));
    assert_eq!((after.totals.outstanding(), after.probes.outstanding), (0, 0));
    match before.state {
        State::HalfOpen => assert_eq!(after.state, State::Open),
        _ => assert_eq!((after.state, after.consecutive_failures), (State::Closed, 1)),
    }
    breaker.reset();
    assert_eq!(breaker.call(|| Ok::<_, ()>(7)), Ok(7));
}

/// P17: a panic anywhere in an operation counts as exactly one failure, goes on to the caller, and breaks nothing.
pub fn p17_panic<B: Breaker>(make: Factory<'_, B>) {
    // In a plain call, and under a permit.
    for breaker in admitting(make) {
        let before = breaker.view();
        let caught = catch_unwind(AssertUnwindSafe(|| breaker.call(|| -> Result<(), ()> { match panic_quietly() {} })));
        assert!(is_ours(&*caught.expect_err("it goes on")));
        counted_one_failure(&breaker, &before);
    }
    for breaker in admitting(make) {
        let before = breaker.view();
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _permit = breaker.try_acquire().expect("let through");
            match panic_quietly() {}
        }));
        assert!(is_ours(&*caught.map(|never: Infallible| match never {}).expect_err("it goes on")));
        counted_one_failure(&breaker, &before);
    }
    // While the future is made, and at each poll of it; it is dropped later, when nothing unwinds.
    for breaker in admitting(make) {
        let before = breaker.view();
        let make_future = || -> std::future::Ready<Result<(), ()>> { match panic_quietly() {} };
        let mut call = Box::pin(breaker.call_async(make_future));
        let caught = catch_unwind(AssertUnwindSafe(|| poll(call.as_mut())));
        assert!(is_ours(&*caught.expect_err("it goes on")));
        drop(call);
        counted_one_failure(&breaker, &before);
    }
    for pends in 0..4 {
        for breaker in admitting(make) {
            let before = breaker.view();
            let last = || -> Result<(), ()> { match panic_quietly() {} };
            let mut call = Box::pin(breaker.call_async(|| Pends::new(pends, last)));
            for _ in 0..pends {
                assert!(poll(call.as_mut()).is_pending());
            }
            let caught = catch_unwind(AssertUnwindSafe(|| poll(call.as_mut())));
            assert!(is_ours(&*caught.expect_err("it goes on")));
            drop(call);
            counted_one_failure(&breaker, &before);
        }
    }
    panic_from_before(make);
    panic_after_one_from_before(make);
}

/// A permit that is taken and dropped while the thread unwinds from an older panic is given up, and no failure; one that
/// is older than the panic is a failure, whatever the policy for those that are given up.
fn panic_from_before<B: Breaker>(make: Factory<'_, B>) {
    struct Calls<'b, B: Breaker>(&'b B);

    impl<B: Breaker> Drop for Calls<'_, B> {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            drop(self.0.try_acquire());
            assert_eq!(self.0.call(|| Ok::<_, ()>(7)), Ok(7));
            let mut call = pin!(self.0.call_async(|| Pends::new(1, || Ok::<_, ()>(7))));
            assert!(poll(call.as_mut()).is_pending());
        }
    }

    for breaker in admitting(make) {
        breaker.reconfigure(options().on_cancel(CancelPolicy::Ignore));
        let before = breaker.view();
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _calls = Calls(&breaker);
            match panic_quietly() {}
        }));
        assert!(is_ours(&*caught.map(|never: Infallible| match never {}).expect_err("it goes on")));
        let totals = breaker.view().totals;
        assert_eq!(totals.failed, before.totals.failed);
        assert_eq!((totals.succeeded, totals.ignored), (before.totals.succeeded + 1, before.totals.ignored + 2));
        assert_eq!(totals.outstanding(), 0);
    }
}

/// A call that began while the thread unwound from an older panic, and panics itself when that is over, has failed.
fn panic_after_one_from_before<B: Breaker>(make: Factory<'_, B>) {
    struct Polls<F: Future>(Option<Pin<Box<F>>>, Rc<RefCell<Option<Pin<Box<F>>>>>);

    impl<F: Future> Drop for Polls<F> {
        fn drop(&mut self) {
            let mut call = self.0.take().expect("dropped once");
            assert!(poll(call.as_mut()).is_pending());
            *self.1.borrow_mut() = Some(call);
        }
    }

    for breaker in admitting(make) {
        let before = breaker.view();
        let last = || -> Result<(), ()> { match panic_quietly() {} };
        let begun = Rc::new(RefCell::new(None));
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _polls = Polls(Some(Box::pin(breaker.call_async(|| Pends::new(1, last)))), Rc::clone(&begun));
            match panic_quietly() {}
        }));
        assert!(is_ours(&*caught.map(|never: Infallible| match never {}).expect_err("it goes on")));
        let mut call = begun.take().expect("it was polled");
        let caught = catch_unwind(AssertUnwindSafe(|| poll(call.as_mut())));
        assert!(is_ours(&*caught.expect_err("it goes on")));
        drop(call);
        counted_one_failure(&breaker, &before);
    }
}

/// P18: a call that is refused never runs its operation, nor makes its future.
pub fn p18_never_run<B: Breaker>(make: Factory<'_, B>) {
    for &reason in REASONS {
        let clock = ManualClock::new();
        let breaker = make(Setup::new(refusing(reason), &clock));
        let mut busy = None;
        match reason {
            RejectReason::Open | RejectReason::HalfOpenBusy => {
                breaker.melt();
                breaker.melt();
                if reason == RejectReason::HalfOpenBusy {
                    clock.advance(ms(10));
                    busy = breaker.try_acquire().ok();
                }
            }
            RejectReason::ForcedOpen => breaker.force_open(),
            RejectReason::Injected => {}
        }
        let runs = Cell::new(0);
        let run = || {
            runs.set(runs.get() + 1);
            Ok::<_, ()>(())
        };
        let refused = |result: Result<(), CallError<()>>| match result {
            Err(CallError::Rejected(rejected)) => assert_eq!(rejected.reason, reason),
            result => panic!("{result:?}"),
        };
        refused(breaker.call(run));
        let mut call = pin!(breaker.call_async(|| std::future::ready(run())));
        assert_eq!(runs.get(), 0, "nothing runs before the first poll");
        match poll(call.as_mut()) {
            Poll::Ready(result) => refused(result),
            Poll::Pending => panic!("a refusal waits for nothing"),
        }
        assert_eq!(runs.get(), 0);
        if let Some(permit) = busy {
            permit.report(Outcome::Success);
            refuses_no_more(&breaker, &runs);
        }
    }
}

/// The counter above counts, where a call is let through.
fn refuses_no_more<B: Breaker>(breaker: &B, runs: &Cell<u32>) {
    let run = || {
        runs.set(runs.get() + 1);
        Ok::<_, ()>(())
    };
    assert_eq!(breaker.call(run), Ok(()));
    assert!(poll(pin!(breaker.call_async(|| std::future::ready(run())))).is_ready());
    assert_eq!(runs.get(), 2);
}

/// Options under which a call can be refused for this reason.
#[cfg(feature = "fault-injection")]
fn refusing(reason: RejectReason) -> Options {
    match reason {
        RejectReason::Injected => options().inject_faults(1.0).expect("in range"),
        _ => options(),
    }
}

#[cfg(not(feature = "fault-injection"))]
fn refusing(_reason: RejectReason) -> Options {
    options()
}

/// Why a breaker of this build can refuse a call.
const REASONS: &[RejectReason] = &[
    RejectReason::Open,
    RejectReason::HalfOpenBusy,
    RejectReason::ForcedOpen,
    #[cfg(feature = "fault-injection")]
    RejectReason::Injected,
];
