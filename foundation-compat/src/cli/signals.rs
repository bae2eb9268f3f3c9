//! Ctrl-C, and its relatives.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::{Context, Result};
use foundation_types::liveness::ShutdownSignal;
use foundation_types::{ExitReason, Name, Owner};

/// Signals of the operating system that ask the program to stop: the first raises a signal that parts of the program hear, the
/// second ends the program at once.
pub(super) struct Signals {
    owner: Owner,
    /// The exit code of the first one; 0 if there was none.
    code: Arc<AtomicU8>,
}

/// Begins to listen.
pub(super) fn listen() -> Result<Signals> {
    let signals = Signals { owner: Owner::named(Name::from_static("demo")), code: Arc::default() };
    signals.spawn().context("cannot listen for signals")?;
    Ok(signals)
}

impl Signals {
    /// Raised by the first one.
    pub(super) fn asked(&self) -> ShutdownSignal {
        self.owner.on_shutdown()
    }

    /// The exit code that says which one it was.
    pub(super) fn exit_code(&self) -> Option<u8> {
        // Acquire: it was there before the signal was raised.
        Some(self.code.load(Ordering::Acquire)).filter(|&code| code > 0)
    }

    #[cfg(unix)]
    fn spawn(&self) -> std::io::Result<()> {
        use crate::TerminationSignals;

        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let mut signals = {
            let _context = runtime.enter();
            TerminationSignals::listen()?
        };
        let (pid, code) = (self.owner.pid(), Arc::clone(&self.code));
        let hear = async move {
            let first = signals.recv().await;
            code.store(u8::try_from(first.exit_code()).unwrap_or(u8::MAX), Ordering::Release);
            pid.request_shutdown(ExitReason::Shutdown);
            std::process::exit(signals.recv().await.exit_code());
        };
        let listen = move || runtime.block_on(hear);
        std::thread::Builder::new().name("signals".to_owned()).spawn(listen).map(drop)
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "on other systems it can fail")]
    fn spawn(&self) -> std::io::Result<()> {
        let _ = (&self.code, ExitReason::Shutdown);
        Ok(())
    }
}
