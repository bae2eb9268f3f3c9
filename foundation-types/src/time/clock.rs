//! The clock seam.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, SystemTime};

use super::timer::{self, Wakeup};
use super::{MonoTime, Timestamp};

/// How far [`Clock::mono_coarse`] may be behind [`Clock::mono`]: two ticks of the slowest timer that Linux is built with
/// (100 Hz).
pub const COARSE_TICK: Duration = Duration::from_millis(20);

/// Where time comes from. Nothing in the workspace reads a clock in another way.
///
/// Implementations must keep monotonic time from going back, and must call a waker given to [`Clock::wake_at`] at or after
/// its deadline, never before.
pub trait Clock: Send + Sync + 'static {
    /// Monotonic time, for durations, windows and deadlines.
    fn mono(&self) -> MonoTime;

    /// Monotonic time that may be behind by up to [`COARSE_TICK`], where that is cheaper to read; else the exact one.
    ///
    /// For decisions that are far from their deadline. While a virtual machine is being resumed it may lag further, until
    /// the next tick.
    fn mono_coarse(&self) -> MonoTime {
        self.mono()
    }

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

    fn mono_coarse(&self) -> MonoTime {
        (**self).mono_coarse()
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
        os::mono()
    }

    fn mono_coarse(&self) -> MonoTime {
        os::mono_coarse()
    }

    fn wall(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn wake_at(&self, deadline: MonoTime, waker: Waker) -> Wakeup {
        timer::wake_at(deadline, waker)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod os {
    //! The clock that `Instant` reads, and the coarse one beside it, which counts from the same origin.

    use std::sync::OnceLock;

    use rustix::time::{ClockId, clock_gettime};

    use super::MonoTime;

    pub(super) fn mono() -> MonoTime {
        since_origin(ClockId::Monotonic)
    }

    pub(super) fn mono_coarse() -> MonoTime {
        since_origin(ClockId::MonotonicCoarse)
    }

    fn since_origin(clock: ClockId) -> MonoTime {
        static ORIGIN: OnceLock<u64> = OnceLock::new();
        let origin = ORIGIN.get_or_init(|| nanos(ClockId::Monotonic));
        // The coarse clock may be behind the origin.
        MonoTime::from_nanos(nanos(clock).saturating_sub(*origin))
    }

    /// Nanoseconds since the machine started, which are never negative and last for 584 years.
    fn nanos(clock: ClockId) -> u64 {
        let time = clock_gettime(clock);
        time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod os {
    //! The clock of the standard library.

    use std::sync::OnceLock;
    use std::time::Instant;

    use super::MonoTime;

    pub(super) fn mono() -> MonoTime {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        MonoTime::ORIGIN.saturating_add(ORIGIN.get_or_init(Instant::now).elapsed())
    }

    pub(super) fn mono_coarse() -> MonoTime {
        mono()
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
