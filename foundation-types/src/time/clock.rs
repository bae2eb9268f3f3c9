//! The clock seam.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Poll, Waker};
use std::time::{Instant, SystemTime};

use super::timer::{self, Wakeup};
use super::{MonoTime, Timestamp};

/// Where time comes from. Nothing in the workspace reads a clock in another way.
///
/// Implementations must keep monotonic time from going back, and must call a waker given to [`Clock::wake_at`] at or after
/// its deadline, never before.
pub trait Clock: Send + Sync + 'static {
    /// Monotonic time, for durations, windows and deadlines.
    fn mono(&self) -> MonoTime;

    /// Wall time, for stamps.
    fn wall(&self) -> Timestamp;

    /// Wakes `waker` once, at `deadline` or as soon after it as can be. Dropping the [`Wakeup`] cancels it.
    ///
    /// A deadline in the past wakes at once. The waker is called outside every lock.
    fn wake_at(&self, deadline: MonoTime, waker: Waker) -> Wakeup;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn mono(&self) -> MonoTime {
        (**self).mono()
    }

    fn wall(&self) -> Timestamp {
        (**self).wall()
    }

    fn wake_at(&self, deadline: MonoTime, waker: Waker) -> Wakeup {
        (**self).wake_at(deadline, waker)
    }
}

/// The clocks of the operating system.
///
/// Monotonic time starts near zero at the first use in the process. Timers need no runtime: while any is pending, one
/// thread named `foundation-timer` serves all of them, and it ends when none has been pending for a while.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn mono(&self) -> MonoTime {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let elapsed = ORIGIN.get_or_init(Instant::now).elapsed();
        MonoTime::ORIGIN.saturating_add(elapsed)
    }

    fn wall(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn wake_at(&self, deadline: MonoTime, waker: Waker) -> Wakeup {
        timer::wake_at(deadline, waker)
    }
}

/// Completes at `deadline` on `clock`, or at once if that is past.
///
/// # Cancel safety
/// Dropping the future cancels its timer.
pub async fn sleep_until<C: Clock + ?Sized>(clock: &C, deadline: MonoTime) {
    let mut wakeup: Option<(Waker, Wakeup)> = None;
    poll_fn(|context| {
        if clock.mono() >= deadline {
            return Poll::Ready(());
        }
        if !wakeup.as_ref().is_some_and(|(waker, _)| waker.will_wake(context.waker())) {
            let waker = context.waker().clone();
            wakeup = Some((waker.clone(), clock.wake_at(deadline, waker)));
            // A manual clock may have passed the deadline between the test and the arming.
            if clock.mono() >= deadline {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    })
    .await;
}

/// The output of `future`, or `None` if `deadline` passes on `clock` while it is not ready.
///
/// The future is polled before the deadline is tested, so a result that is ready in time always wins.
///
/// # Cancel safety
/// As cancel-safe as `future`, which is dropped with this one.
pub async fn timeout_at<C: Clock + ?Sized, F: Future>(clock: &C, deadline: MonoTime, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut sleep = pin!(sleep_until(clock, deadline));
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        sleep.as_mut().poll(context).map(|()| None)
    })
    .await
}
