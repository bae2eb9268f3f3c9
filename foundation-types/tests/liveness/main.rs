//! Owners, pids, monitors, exit hooks and shutdown signals.
#![cfg(all(feature = "test-util", not(loom)))]

mod death;
mod hooks;
mod identity;
mod monitors;
mod shutdown;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use foundation_types::liveness::HookGuard;
use foundation_types::{ExitReason, Pid};

/// A waker that calls a function.
struct CallOnWake<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for CallOnWake<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

fn waker(call: impl Fn() + Send + Sync + 'static) -> Waker {
    Arc::new(CallOnWake(call)).into()
}

/// Counts events; clones count together.
#[derive(Clone, Debug, Default)]
struct Counter(Arc<AtomicUsize>);

impl Counter {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// A waker that counts how often it is called.
    fn waker(&self) -> Waker {
        let counter = self.clone();
        waker(move || counter.add())
    }
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Puts a hook in place on an owner that is alive.
fn on_exit(pid: &Pid, hook: impl FnOnce(&ExitReason) + Send + 'static) -> HookGuard {
    let Ok(guard) = pid.on_exit(Box::new(hook)) else { panic!("the owner is alive") };
    guard
}

/// Runs `work` on `threads` threads that all start at the same moment, and returns what they returned.
fn race<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let (start, work) = (&start, &work);
        let spawn = |number| {
            scope.spawn(move || {
                start.wait();
                work(number)
            })
        };
        let handles: Vec<_> = (0..threads).map(spawn).collect();
        handles.into_iter().map(|handle| handle.join().expect("the work of a race does not panic")).collect()
    })
}
