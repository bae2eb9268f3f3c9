//! The turn of those who write.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};

use crate::content::Content;
use crate::error::ConfigError;

/// Lets one write at a time, and keeps what only they need.
pub(crate) struct Writer {
    state: Mutex<WriterState>,
    /// The thread whose turn it is; 0 if it is nobody's.
    holder: AtomicUsize,
}

/// What only writers need.
pub(crate) struct WriterState {
    /// The versions that can be returned to, the current one last.
    pub(crate) versions: VecDeque<Arc<Content>>,
}

/// The turn of one writer.
pub(crate) struct Turn<'w> {
    pub(crate) state: MutexGuard<'w, WriterState>,
    holder: &'w AtomicUsize,
}

impl Writer {
    pub(crate) fn new(first: Arc<Content>) -> Self {
        Self { state: Mutex::new(WriterState { versions: VecDeque::from([first]) }), holder: AtomicUsize::new(0) }
    }

    /// Waits for the turn.
    ///
    /// A schema is asked while it is somebody's turn. If it comes back to change the same store it would wait for itself
    /// for ever: that is an error instead.
    pub(crate) fn turn(&self) -> Result<Turn<'_>, ConfigError> {
        let me = thread_token();
        // Relaxed: only the thread itself ever stores its own token, so what it reads of it is exact.
        if self.holder.load(Ordering::Relaxed) == me {
            return Err(ConfigError::Reentrant);
        }
        let state = self.state.lock();
        self.holder.store(me, Ordering::Relaxed);
        Ok(Turn { state, holder: &self.holder })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.holder.store(0, Ordering::Relaxed);
    }
}

/// A number of the calling thread that no other living thread has; never 0.
fn thread_token() -> usize {
    thread_local!(static TOKEN: u8 = const { 0 });
    TOKEN.with(|token| std::ptr::from_ref(token).addr())
}
