//! Ending everything in a namespace.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::{ExitReason, Namespace, OwnerId, Pid, timeout_at};

use crate::entry::{EntryKind, StoredEntry};
use crate::error::RegistryError;
use crate::registry::{Core, Registry};
use crate::watch::RemovalReason;

/// How long [`Registry::cleanup_namespace`] lets owners stop by themselves, unless told otherwise.
pub const CLEANUP_GRACE: Duration = Duration::from_millis(100);
/// How much longer it waits before it kills those that have not stopped, unless told otherwise.
pub const CLEANUP_LAST_CALL: Duration = Duration::from_millis(50);

/// The most times that a cleanup looks for entries that came while it was under way.
const MAX_PASSES: usize = 16;

/// How [`Registry::cleanup_namespace`] goes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanupOptions {
    /// Owners that lose their entries in the namespace and stay alive; the caller's own, say.
    pub exclude: HashSet<OwnerId>,
    /// How long owners may take to stop after they were asked to; the default is [`CLEANUP_GRACE`].
    pub grace: Duration,
    /// How much later they are killed; the default is [`CLEANUP_LAST_CALL`].
    pub last_call: Duration,
}

impl CleanupOptions {
    /// The default waits, and nobody excluded.
    pub fn new() -> Self {
        Self { exclude: HashSet::new(), grace: CLEANUP_GRACE, last_call: CLEANUP_LAST_CALL }
    }

    /// Lets an owner live.
    #[must_use]
    pub fn exclude(mut self, owner: &Pid) -> Self {
        self.exclude.insert(owner.id());
        self
    }
}

impl Default for CleanupOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// What [`Registry::cleanup_namespace`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CleanupReport {
    /// Entries that were in the namespace and are gone.
    pub entries: usize,
    /// Owners that stopped when asked.
    pub stopped: usize,
    /// Owners that were killed.
    pub killed: usize,
    /// Owners that were excluded and live on.
    pub spared: usize,
}

impl Registry {
    /// Ends every owner that holds a name in a namespace, and empties the namespace of services and agents.
    ///
    /// All owners are asked at once to stop ([`Pid::request_shutdown`]) and keep their names while they do. Whoever still
    /// lives after [`grace`](CleanupOptions::grace) and [`last_call`](CleanupOptions::last_call) is killed. On return no
    /// entry is left in the namespace and its owners are dead, so they hold no names elsewhere either; only those excluded
    /// live on, and owners on other nodes, which can only be asked. Names that are claimed in the namespace while the call
    /// is under way go the same way, their owners without the wait.
    ///
    /// Blocks the thread, for the sum of both waits at the most; an empty namespace takes no time. Call it from an async
    /// task in its other form, [`cleanup_namespace_async`](Self::cleanup_namespace_async).
    ///
    /// # Errors
    /// [`RegistryError`]; owners may have been asked to stop then.
    pub fn cleanup_namespace(
        &self,
        namespace: &Namespace,
        options: CleanupOptions,
    ) -> Result<CleanupReport, RegistryError> {
        pollster::block_on(self.cleanup_namespace_async(namespace, options))
    }

    /// As [`cleanup_namespace`](Self::cleanup_namespace), as a future for any executor.
    ///
    /// # Errors
    /// As [`cleanup_namespace`](Self::cleanup_namespace).
    ///
    /// # Cancel safety
    /// Dropping the future stops the cleanup where it is: owners that were asked to stop may still do so, nobody is killed
    /// any more. Another call takes it up again.
    pub fn cleanup_namespace_async(
        &self,
        namespace: &Namespace,
        options: CleanupOptions,
    ) -> impl Future<Output = Result<CleanupReport, RegistryError>> + Send + use<> {
        let (core, namespace) = (Arc::clone(&self.core), namespace.clone());
        async move { Cleanup { core, namespace, options, report: CleanupReport::default() }.run().await }
    }

    /// Removes entries of dead owners that their exit hooks could not remove because the back-end failed at that moment.
    /// Returns how many; 0 is usual. Locks the whole registry. O(entries).
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn sweep(&self) -> Result<usize, RegistryError> {
        self.core.sweep()
    }
}

struct Cleanup {
    core: Arc<Core>,
    namespace: Namespace,
    options: CleanupOptions,
    report: CleanupReport,
}

impl Cleanup {
    async fn run(mut self) -> Result<CleanupReport, RegistryError> {
        let start = self.core.clock.mono();
        let entries = self.entries()?;
        let owners: HashMap<OwnerId, Pid> =
            entries.iter().map(|entry| (entry.pid().id(), entry.pid().clone())).collect();
        let generations: HashSet<_> = entries.iter().map(|entry| entry.generation()).collect();
        self.report.entries = generations.len();
        drop(entries);

        let (spared, mut owners): (Vec<Pid>, Vec<Pid>) =
            owners.into_values().partition(|owner| self.options.exclude.contains(&owner.id()));
        for owner in &owners {
            owner.request_shutdown(ExitReason::Shutdown);
        }
        let grace = start.saturating_add(self.options.grace);
        for deadline in [grace, grace.saturating_add(self.options.last_call)] {
            let asked = owners.len();
            timeout_at(&self.core.clock, deadline, deaths(&owners)).await;
            owners.retain(Pid::is_alive);
            self.report.stopped += asked - owners.len();
        }
        let mut spared: HashSet<OwnerId> = spared.iter().map(Pid::id).collect();
        for _ in 0..MAX_PASSES {
            let left = self.entries()?;
            if left.is_empty() {
                break;
            }
            for entry in left {
                // Before its owner dies, so that the removal has this reason.
                let key = entry.key();
                let (generation, reason) = (Some(entry.generation()), RemovalReason::NamespaceCleanup);
                self.core.remove(key.borrowed(), generation, reason)?;
                self.report.entries += usize::from(!generations.contains(&entry.generation()));
                if self.options.exclude.contains(&entry.pid().id()) {
                    spared.insert(entry.pid().id());
                } else {
                    self.report.killed += usize::from(entry.pid().kill());
                }
            }
        }
        // Those that gave their names up and did not stop.
        self.report.killed += owners.iter().filter(|owner| owner.kill()).count();
        self.report.spared = spared.len();
        Ok(self.report)
    }

    /// What the namespace holds.
    fn entries(&self) -> Result<Vec<Arc<StoredEntry>>, RegistryError> {
        let mut entries = self.core.collect(Some(&self.namespace), EntryKind::Service)?;
        entries.extend(self.core.collect(Some(&self.namespace), EntryKind::Agent)?);
        Ok(entries)
    }
}

/// Waits until all are dead, one after the other: the order in which one waits for all does not matter.
async fn deaths(owners: &[Pid]) {
    for owner in owners {
        owner.monitor().await;
    }
}
