//! Checking at intervals.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread::{self, JoinHandle};
use std::{fmt, io};

use foundation_types::{Name, Owner, sleep_until};

use super::{BackendMonitor, TARGET};

impl BackendMonitor {
    /// Checks at every [interval](super::MonitorOptions::check_interval), first after one, until the registry is shut
    /// down. Intervals missed while a check took long are skipped.
    ///
    /// Needs no runtime. What the checks found goes to the log and to the observer.
    ///
    /// # Cancel safety
    /// Dropping the future stops it between two checks.
    pub async fn run(&self) {
        let clock = &self.registry.core.clock;
        tracing::info!(target: TARGET, interval = ?self.options.check_interval, "back-end monitor starts");
        let mut next = clock.mono();
        loop {
            next = next.saturating_add(self.options.check_interval);
            let now = clock.mono();
            if next <= now {
                next = now.saturating_add(self.options.check_interval);
            }
            sleep_until(clock, next).await;
            if self.check_now().is_err() {
                return;
            }
        }
    }

    /// [Runs](Self::run) on a thread named `foundation-registry-monitor` until the handle is dropped.
    ///
    /// # Errors
    /// If the operating system gives no thread.
    pub fn spawn_thread(self: &Arc<Self>) -> io::Result<MonitorThread> {
        const NAME: Name = Name::from_static("foundation-registry-monitor");

        let running = Owner::named(NAME);
        let stop = running.on_shutdown();
        let monitor = Arc::clone(self);
        let thread = thread::Builder::new().name(NAME.to_string()).spawn(move || {
            let (mut run, mut stop) = (pin!(monitor.run()), pin!(stop));
            pollster::block_on(poll_fn(|context| {
                if stop.as_mut().poll(context).is_ready() {
                    return Poll::Ready(());
                }
                run.as_mut().poll(context)
            }));
        })?;
        Ok(MonitorThread { running: Some(running), thread: Some(thread) })
    }
}

/// The thread of [`BackendMonitor::spawn_thread`]. Dropping it stops the thread, after the check that may be under way.
#[must_use = "dropping the handle stops the monitor"]
pub struct MonitorThread {
    /// The thread runs while this lives.
    running: Option<Owner>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for MonitorThread {
    fn drop(&mut self) {
        drop(self.running.take());
        if let Some(thread) = self.thread.take()
            // An observer may drop the handle on the very thread.
            && thread.thread().id() != thread::current().id()
        {
            // A panic on it has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for MonitorThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonitorThread").finish_non_exhaustive()
    }
}
