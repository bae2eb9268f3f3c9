//! Waiting for a name to be claimed.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_types::{MonoTime, Namespace, Pid, ServiceName, Wakeup};

use crate::error::{LookupError, WaitError};
use crate::key::RegistryKey;
use crate::registry::{Core, Registry};

impl Registry {
    /// Waits until a live owner holds the name, at most for `timeout` on the registry's clock.
    ///
    /// A registration before the deadline always wins over the timeout; a timeout of zero is one look. Nothing is polled:
    /// the registration wakes the waiter. The future may be moved to another thread or task.
    ///
    /// # Errors
    /// [`WaitError::Timeout`] at the deadline or as soon after it as can be, never before; [`WaitError::Closed`];
    /// [`WaitError::Backend`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing and leaves nothing behind.
    pub fn wait_for(&self, namespace: &Namespace, name: &ServiceName, timeout: Duration) -> WaitFor {
        WaitFor {
            registry: self.clone(),
            key: RegistryKey::new(namespace.clone(), name.clone()),
            deadline: self.core.clock.mono().saturating_add(timeout),
            waiting: None,
            timer: None,
        }
    }

    /// As [`wait_for`](Self::wait_for), blocking the thread.
    ///
    /// # Errors
    /// As [`wait_for`](Self::wait_for).
    pub fn wait_for_blocking(
        &self,
        namespace: &Namespace,
        name: &ServiceName,
        timeout: Duration,
    ) -> Result<Pid, WaitError> {
        pollster::block_on(self.wait_for(namespace, name, timeout))
    }
}

/// The future of [`Registry::wait_for`].
#[must_use = "futures do nothing unless awaited"]
pub struct WaitFor {
    registry: Registry,
    key: RegistryKey,
    deadline: MonoTime,
    /// The number under which the stripe keeps our waker.
    waiting: Option<u64>,
    timer: Option<(Waker, Wakeup)>,
}

impl Future for WaitFor {
    type Output = Result<Pid, WaitError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let result = match this.look_and_wait(context.waker()) {
            Ok(Some(pid)) => Ok(pid),
            Err(error) => Err(error),
            Ok(None) => {
                let clock = &this.registry.core.clock;
                if clock.mono() < this.deadline {
                    if !this.timer.as_ref().is_some_and(|(waker, _)| waker.will_wake(context.waker())) {
                        let waker = context.waker().clone();
                        this.timer = Some((waker.clone(), clock.wake_at(this.deadline, waker)));
                    }
                    // A manual clock may have passed the deadline between the test and the arming.
                    if clock.mono() < this.deadline {
                        return Poll::Pending;
                    }
                }
                // A registration may have come between our look and the deadline.
                match this.look_and_wait(context.waker()) {
                    Ok(Some(pid)) => Ok(pid),
                    Ok(None) => Err(WaitError::Timeout),
                    Err(error) => Err(error),
                }
            }
        };
        this.timer = None;
        this.stop_waiting();
        Poll::Ready(result)
    }
}

impl WaitFor {
    /// Looks, and leaves the waker with the stripe if nothing is there: both under its lock, so that no registration falls
    /// between.
    fn look_and_wait(&mut self, waker: &Waker) -> Result<Option<Pid>, WaitError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);

        let RegistryKey { namespace, name } = &self.key;
        let core: &Core = &self.registry.core;
        let mut replaced = None;
        let mut state = core.stripe(Core::stripe_of(self.key.borrowed().hash())).lock();
        core.check_open()?;
        match core.with(namespace, name, |entry| entry.pid().clone()) {
            Ok(pid) => return Ok(Some(pid)),
            Err(LookupError::NotFound) => {}
            Err(LookupError::Closed) => return Err(WaitError::Closed),
            Err(LookupError::Backend(error)) => return Err(error.into()),
        }
        let number = *self.waiting.get_or_insert_with(|| NEXT.fetch_add(1, Ordering::Relaxed));
        let waiters = state.waiters.entry_ref(&self.key).or_default();
        match waiters.iter_mut().find(|(waiter, _)| *waiter == number) {
            Some((_, old)) if old.will_wake(waker) => {}
            Some((_, old)) => replaced = Some(std::mem::replace(old, waker.clone())),
            None => waiters.push((number, waker.clone())),
        }
        drop(state);
        drop(replaced);
        Ok(None)
    }

    fn stop_waiting(&mut self) {
        let Some(number) = self.waiting.take() else { return };
        let stripe = Core::stripe_of(self.key.borrowed().hash());
        let mut removed = Vec::new();
        let mut state = self.registry.core.stripe(stripe).lock();
        if let Some(waiters) = state.waiters.get_mut(&self.key) {
            removed.extend(waiters.extract_if(.., |(waiter, _)| *waiter == number));
            if waiters.is_empty() {
                state.waiters.remove(&self.key);
                if state.waiters.is_empty() {
                    state.waiters.shrink_to_fit();
                }
            }
        }
        drop(state);
        drop(removed);
    }
}

impl Drop for WaitFor {
    fn drop(&mut self) {
        self.stop_waiting();
    }
}

impl fmt::Debug for WaitFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitFor").field("key", &self.key).field("deadline", &self.deadline).finish_non_exhaustive()
    }
}
