//! A back-end that fails when told to, for tests of what stands above it.

use std::collections::VecDeque;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use foundation_types::{Generation, Metadata, Namespace, OwnerId};
use parking_lot::Mutex;

use crate::backend::{Backend, BackendHealth, BackendInfo, ClaimError, Claimed, Replaced};
use crate::entry::{EntryKind, SameOwner, StoredEntry};
use crate::error::BackendError;
use crate::key::KeyRef;

/// An operation of a [`Backend`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BackendOperation {
    /// [`Backend::claim`]
    Claim,
    /// [`Backend::get`] and [`Backend::read`]
    Get,
    /// [`Backend::replace`]
    Replace,
    /// [`Backend::release`]
    Release,
    /// [`Backend::release_owner`]
    ReleaseOwner,
    /// [`Backend::sweep`]
    Sweep,
    /// [`Backend::for_each`] and [`Backend::count`]
    ForEach,
    /// [`Backend::health`]
    Health,
}

impl BackendOperation {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Claim,
        Self::Get,
        Self::Replace,
        Self::Release,
        Self::ReleaseOwner,
        Self::Sweep,
        Self::ForEach,
        Self::Health,
    ];
}

/// How an operation of a [`FaultyBackend`] goes wrong. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It returns this error.
    Error(BackendError),
    /// It panics.
    Panic,
}

/// A back-end that does what another one does, except where it was told to fail.
///
/// ```
/// use std::sync::Arc;
/// use foundation_registry::{BackendError, BackendOperation, Fault, FaultyBackend, LookupError, Registry, Sharded};
/// use foundation_types::{Namespace, ServiceName};
///
/// let faulty = Arc::new(FaultyBackend::new(Arc::new(Sharded::default())));
/// let registry = Registry::builder().backend(faulty.clone()).build()?;
///
/// faulty.fail_next(BackendOperation::Get, Fault::Error(BackendError::Timeout));
/// let name = ServiceName::from_static("config");
/// assert_eq!(registry.lookup(&Namespace::Production, &name), Err(LookupError::Backend(BackendError::Timeout)));
/// assert_eq!(registry.lookup(&Namespace::Production, &name), Err(LookupError::NotFound));
/// # Ok::<(), foundation_registry::OptionsError>(())
/// ```
pub struct FaultyBackend {
    inner: Arc<dyn Backend>,
    /// By [`BackendOperation`].
    scripts: Mutex<[Script; BackendOperation::ALL.len()]>,
}

#[derive(Default)]
struct Script {
    /// What the next calls do; `None` is a call that goes well.
    next: VecDeque<Option<Fault>>,
    /// What the calls after those do.
    always: Option<Fault>,
    calls: usize,
}

impl FaultyBackend {
    /// A back-end that does not fail yet.
    pub fn new(inner: Arc<dyn Backend>) -> Self {
        Self { inner, scripts: Mutex::default() }
    }

    /// Lets the next call of an operation fail that no fault is planned for yet.
    pub fn fail_next(&self, operation: BackendOperation, fault: Fault) {
        self.script(operation, |script| script.next.push_back(Some(fault)));
    }

    /// Lets the next call of an operation go well that no fault is planned for yet.
    pub fn pass_next(&self, operation: BackendOperation) {
        self.script(operation, |script| script.next.push_back(None));
    }

    /// Lets every call of an operation fail, after those that are planned.
    pub fn fail_always(&self, operation: BackendOperation, fault: Fault) {
        self.script(operation, |script| script.always = Some(fault));
    }

    /// Lets every call of every operation fail.
    pub fn break_down(&self, error: &BackendError) {
        for operation in BackendOperation::ALL {
            self.fail_always(operation, Fault::Error(error.clone()));
        }
    }

    /// Lets everything go well again.
    pub fn heal(&self) {
        for script in &mut *self.scripts.lock() {
            script.next.clear();
            script.always = None;
        }
    }

    /// How often an operation was called, failed calls included.
    pub fn calls(&self, operation: BackendOperation) -> usize {
        self.script(operation, |script| script.calls)
    }

    fn script<R>(&self, operation: BackendOperation, with: impl FnOnce(&mut Script) -> R) -> R {
        with(&mut self.scripts.lock()[operation as usize])
    }

    fn pass(&self, operation: BackendOperation) -> Result<(), BackendError> {
        let fault = self.script(operation, |script| {
            script.calls += 1;
            script.next.pop_front().unwrap_or_else(|| script.always.clone())
        });
        match fault {
            None => Ok(()),
            Some(Fault::Error(error)) => Err(error),
            Some(Fault::Panic) => panic!("the back-end was told to panic in {operation:?}"),
        }
    }
}

impl Backend for FaultyBackend {
    fn claim(&self, entry: Arc<StoredEntry>, same_owner: SameOwner) -> Result<Claimed, ClaimError> {
        self.pass(BackendOperation::Claim)?;
        self.inner.claim(entry, same_owner)
    }

    fn get(&self, key: KeyRef<'_>) -> Result<Option<Arc<StoredEntry>>, BackendError> {
        self.pass(BackendOperation::Get)?;
        self.inner.get(key)
    }

    fn read(&self, key: KeyRef<'_>, read: &mut dyn FnMut(&StoredEntry)) -> Result<bool, BackendError> {
        self.pass(BackendOperation::Get)?;
        self.inner.read(key, read)
    }

    fn replace(
        &self,
        key: KeyRef<'_>,
        expect: Option<Generation>,
        metadata: Arc<Metadata>,
    ) -> Result<Replaced, BackendError> {
        self.pass(BackendOperation::Replace)?;
        self.inner.replace(key, expect, metadata)
    }

    fn release(&self, key: KeyRef<'_>, expect: Option<Generation>) -> Result<Option<Arc<StoredEntry>>, BackendError> {
        self.pass(BackendOperation::Release)?;
        self.inner.release(key, expect)
    }

    fn release_owner(&self, owner: OwnerId) -> Result<Vec<Arc<StoredEntry>>, BackendError> {
        self.pass(BackendOperation::ReleaseOwner)?;
        self.inner.release_owner(owner)
    }

    fn sweep(&self) -> Result<Vec<Arc<StoredEntry>>, BackendError> {
        self.pass(BackendOperation::Sweep)?;
        self.inner.sweep()
    }

    fn for_each(
        &self,
        namespace: Option<&Namespace>,
        kind: EntryKind,
        visit: &mut dyn FnMut(Arc<StoredEntry>) -> ControlFlow<()>,
    ) -> Result<(), BackendError> {
        self.pass(BackendOperation::ForEach)?;
        self.inner.for_each(namespace, kind, visit)
    }

    fn count(&self, namespace: &Namespace, kind: EntryKind) -> Result<usize, BackendError> {
        self.pass(BackendOperation::ForEach)?;
        self.inner.count(namespace, kind)
    }

    fn health(&self) -> Result<BackendHealth, BackendError> {
        self.pass(BackendOperation::Health)?;
        self.inner.health()
    }

    fn info(&self) -> BackendInfo {
        BackendInfo { kind: "faulty", ..self.inner.info() }
    }
}

impl fmt::Debug for FaultyBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyBackend").field("inner", &self.inner.info().kind).finish_non_exhaustive()
    }
}
