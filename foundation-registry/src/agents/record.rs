//! What an entry knows of its agent.

use std::ptr;
use std::sync::Arc;

use foundation_types::{AgentId, AgentInfo, Namespace, Pid, Timestamp};

use super::history::{HealthChange, History};
use super::reads::AgentEntry;
use crate::entry::StoredEntry;
use crate::index::Indexed;
use crate::sync::Mutex;

/// What an entry knows of its agent, shared by the entry, its copies in other back-ends, and the rows of the index.
// In this order and so aligned, all that a query needs of it is in one cache line.
#[repr(C, align(64))]
pub(crate) struct AgentRecord {
    pid: Pid,
    id: AgentId,
    /// Held for single reads and writes of its fields only.
    current: Mutex<Current>,
    /// Changed under `current` only, so that it tells of the health of now.
    history: Mutex<History>,
    namespace: Namespace,
}

struct Current {
    /// Exchanged as a whole, so that whoever holds one holds a consistent one.
    info: Arc<AgentInfo>,
    /// Whether the rows of the index are being changed, so that they may differ from what `info` says.
    is_moving: bool,
}

impl AgentRecord {
    /// The record of an agent that is being registered.
    pub(super) fn new(namespace: Namespace, pid: Pid, info: Arc<AgentInfo>, at: Timestamp) -> Self {
        let history = Mutex::new(History::new(info.health().overall_health, at));
        let id = info.agent_id().clone();
        Self { pid, id, current: Mutex::new(Current { info, is_moving: false }), history, namespace }
    }

    pub(super) fn info(&self) -> Arc<AgentInfo> {
        Arc::clone(&self.current.lock().info)
    }

    pub(super) fn history(&self) -> Vec<HealthChange> {
        self.history.lock().to_vec()
    }

    /// The agent of now, if its owner is alive and its record is such as is wanted. `wanted` also learns whether every row
    /// of the index that this record is in is true of it; that holds while the caller has a row locked.
    pub(super) fn entry_if(&self, wanted: impl FnOnce(&AgentInfo, RowsAre) -> bool) -> Option<AgentEntry> {
        if !self.pid.is_alive() {
            return None;
        }
        let current = self.current.lock();
        let (info, rows) =
            (Arc::clone(&current.info), if current.is_moving { RowsAre::Moving } else { RowsAre::Exact });
        drop(current);
        wanted(&info, rows).then(|| AgentEntry { id: self.id.clone(), pid: self.pid.clone(), info })
    }

    /// Says that rows are about to be changed, or have been.
    pub(super) fn set_moving(&self, is_moving: bool) {
        self.current.lock().is_moving = is_moving;
    }

    /// Puts `info` in and notes its health; returns the one before, to be dropped outside the lock.
    pub(super) fn exchange(&self, info: Arc<AgentInfo>, at: Timestamp, history_capacity: usize) -> Arc<AgentInfo> {
        let mut current = self.current.lock();
        self.history.lock().note(info.health().overall_health, at, history_capacity);
        std::mem::replace(&mut current.info, info)
    }
}

/// What the rows of the index say of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RowsAre {
    Exact,
    Moving,
}

impl Indexed for AgentRecord {
    fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    fn number(&self) -> u64 {
        // The rows share it, so no other can be at its address.
        ptr::from_ref(self).addr() as u64
    }
}

impl StoredEntry {
    /// `None` for a service, and for an agent that was withdrawn.
    pub(super) fn agent(&self) -> Option<Arc<AgentRecord>> {
        self.body().agent.clone()
    }
}
