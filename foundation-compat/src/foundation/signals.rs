//! The signals that ask a program to end.

use std::fmt;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Foundation;
use crate::lifecycle::ShutdownReport;

/// Hears the signals that ask the process to end. From when it exists on they no longer end it by themselves, for as long as
/// the process lives.
///
/// ```no_run
/// use std::time::Duration;
/// use foundation_compat::{Foundation, TerminationSignals};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let mut signals = TerminationSignals::listen()?;
/// let foundation = Foundation::builder().start()?;
/// let (termination, report) = foundation.shutdown_on(&mut signals, Duration::from_secs(30)).await;
/// println!("{termination}: {report:?}");
/// std::process::exit(termination.exit_code());
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the signals are ignored unless somebody receives them"]
pub struct TerminationSignals {
    interrupt: Signal,
    terminate: Signal,
}

/// How a process was asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Termination {
    /// `SIGINT`: somebody pressed Ctrl-C.
    Interrupt,
    /// `SIGTERM`: the system, or whoever runs the process, stops it.
    Terminate,
}

impl Termination {
    /// The exit code by which shells tell of the signal: 130 or 143.
    pub const fn exit_code(self) -> i32 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

impl fmt::Display for Termination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Interrupt => "interrupted",
            Self::Terminate => "terminated",
        })
    }
}

impl TerminationSignals {
    /// Begins to listen. Signals count from now on.
    ///
    /// # Errors
    /// What the operating system says.
    ///
    /// # Panics
    /// Outside a tokio runtime with its I/O enabled.
    pub fn listen() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// The next signal. Of several of one kind that arrive before it is called, one counts.
    ///
    /// # Cancel safety
    /// No signal is lost by dropping the future.
    pub async fn recv(&mut self) -> Termination {
        // Neither of the streams ever ends.
        tokio::select! {
            _ = self.interrupt.recv() => Termination::Interrupt,
            _ = self.terminate.recv() => Termination::Terminate,
        }
    }
}

impl Foundation {
    /// Waits for a signal and then shuts the instance down, as [`shutdown_within`](Self::shutdown_within) does, on a thread of
    /// the runtime that may block. The program is still there afterwards: it is up to the caller to end.
    ///
    /// # Cancel safety
    /// Dropping the future before a signal came changes nothing; after it the shutdown goes on.
    pub async fn shutdown_on(
        &self,
        signals: &mut TerminationSignals,
        max: std::time::Duration,
    ) -> (Termination, ShutdownReport) {
        let termination = signals.recv().await;
        let foundation = self.clone();
        let shutdown = tokio::task::spawn_blocking(move || foundation.shutdown_within(max));
        (termination, shutdown.await.expect("a shutdown does not panic, and is not aborted"))
    }
}
