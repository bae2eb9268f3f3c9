//! What an entry knows of its agent.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foundation_types::{AgentId, AgentInfo, Namespace, Pid, Timestamp};

use super::history::{HealthChange, History};
use super::reads::AgentEntry;
use crate::entry::StoredEntry;
use crate::index::Indexed;
use crate::sync::Mutex;
use crate::table::{Pin, Swap};

/// What an entry knows of its agent, shared by the entry, its copies in other back-ends, and the rows of the index.
// In this order and so aligned, all that a query needs of it is in one cache line.
#[repr(C, align(64))]
pub(crate) struct AgentRecord {
    pid: Pid,
    id: AgentId,
    /// Exchanged as a whole, so that whoever holds one holds a consistent one.
    info: Swap<AgentInfo>,
    /// How often rows of the index began to change, or were done with it: while odd, they may differ from the record.
    moves: AtomicU64,
    /// Locked while the record is exchanged, so that it tells of the health of now.
    history: Mutex<History>,
    namespace: Namespace,
}

impl AgentRecord {
    /// The record of an agent that is being registered.
    pub(super) fn new(namespace: Namespace, pid: Pid, info: Arc<AgentInfo>, at: Timestamp) -> Self {
        let history = Mutex::new(History::new(info.health().overall_health, at));
        let id = info.agent_id().clone();
        Self { pid, id, info: Swap::new(info), moves: AtomicU64::new(0), history, namespace }
    }

    pub(super) fn info(&self) -> Arc<AgentInfo> {
        self.info.get_shared()
    }

    pub(super) fn history(&self) -> Vec<HealthChange> {
        self.history.lock().to_vec()
    }

    /// The agent of now, if its owner is alive and its record is such as is wanted.
    #[inline]
    pub(super) fn entry_if(&self, pin: &Pin, wanted: impl FnOnce(&AgentInfo) -> bool) -> Option<AgentEntry> {
        if !self.pid.is_alive() {
            return None;
        }
        let info = self.info.get_if(pin, wanted)?;
        Some(AgentEntry { id: self.id.clone(), pid: self.pid.clone(), info })
    }

    /// As [`entry_if`](Self::entry_if) for a caller that has found the record in a row of the index, and holds the lock of
    /// that row: `wanted` also learns whether the row is true of the record it is shown.
    #[inline]
    pub(super) fn entry_in_row_if(
        &self,
        pin: &Pin,
        wanted: impl FnOnce(&AgentInfo, RowIs) -> bool,
    ) -> Option<AgentEntry> {
        // If no change of rows began or ended while the record was read, those that had begun before are complete; and one
        // that takes this row from the record cannot be, while the row is locked.
        let before = self.moves.load(Ordering::Acquire);
        self.entry_if(pin, |info| {
            // The record was read with acquire ordering, so this load comes after it.
            let is_exact = before.is_multiple_of(2) && self.moves.load(Ordering::Acquire) == before;
            wanted(info, if is_exact { RowIs::Exact } else { RowIs::Moving })
        })
    }

    /// Says that rows are about to be changed, or have been. The stripe is locked.
    pub(super) fn moved(&self) {
        self.moves.fetch_add(1, Ordering::AcqRel);
    }

    /// Puts `info` in and notes its health. The stripe is locked.
    pub(super) fn exchange(&self, info: Arc<AgentInfo>, at: Timestamp, history_capacity: usize) {
        let mut history = self.history.lock();
        history.note(info.health().overall_health, at, history_capacity);
        self.info.set(info);
    }
}

/// What a row of the index that has a record says of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RowIs {
    /// The truth.
    Exact,
    /// The truth of a moment ago, or of a moment from now.
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

    /// What `read`, which must be quick, finds in the record; `None` as for [`agent`](Self::agent).
    pub(super) fn with_agent<R>(&self, read: impl FnOnce(&AgentRecord) -> R) -> Option<R> {
        self.body().agent.as_deref().map(read)
    }
}
