//! Where agents are kept: a table in shards, each under a lock of its own.

use std::num::NonZeroUsize;

use crossbeam_utils::CachePadded;
use foundation_types::AgentId;
use hashbrown::HashTable;
use parking_lot::{Mutex, MutexGuard};

use super::super::SteadyTime;
use super::Operation;
use super::record::{AgentRecord, Map, add_requests};

/// The most shards.
const MAX_SHARDS: usize = 64;
/// The least share of a shard, unless there is only one.
const MIN_SHARE: usize = 256;
/// How many buckets each insertion looks at in search of agents that may be gone.
const INSPECTED: usize = 8;
/// How many agents are compared when one has to give way.
const EVICTION_SAMPLE: usize = 32;

struct Entry {
    hash: u64,
    id: AgentId,
    record: Box<AgentRecord>,
}

#[derive(Default)]
pub(super) struct AgentShard {
    entries: HashTable<Entry>,
    hand: usize,
    /// Requests of agents that have been forgotten.
    departed: Map<Operation, u64>,
}

/// All agents that are kept.
pub(super) struct Agents {
    all: Box<[CachePadded<Mutex<AgentShard>>]>,
    share: usize,
    hasher: foldhash::quality::RandomState,
}

/// There is no room for another agent.
pub(super) struct NoPlace;

impl Agents {
    pub(super) fn new(max_agents: NonZeroUsize) -> Self {
        let fitting = (max_agents.get() / MIN_SHARE).clamp(1, MAX_SHARDS);
        let count = 1 << fitting.ilog2();
        let all = (0..count).map(|_| CachePadded::default()).collect();
        Self { all, share: max_agents.get() / count, hasher: foldhash::quality::RandomState::default() }
    }

    fn hash(&self, agent: &AgentId) -> u64 {
        use std::hash::BuildHasher;

        self.hasher.hash_one(agent)
    }

    fn lock(&self, hash: u64) -> MutexGuard<'_, AgentShard> {
        let index = (hash >> 40) as usize & (self.all.len() - 1);
        self.all[index].lock()
    }

    /// Runs `look` on the record of an agent, if there is one.
    pub(super) fn get<T>(&self, agent: &AgentId, look: impl FnOnce(&mut AgentRecord) -> T) -> Option<T> {
        let hash = self.hash(agent);
        self.lock(hash).find(hash, agent).map(look)
    }

    /// Runs `change` on the record of an agent, which is made if there is none. Then some agents that may be gone are put into
    /// `idle`.
    pub(super) fn change<T>(
        &self,
        agent: &AgentId,
        now: SteadyTime,
        idle: &mut Vec<AgentId>,
        change: impl FnOnce(&mut AgentRecord) -> T,
    ) -> Result<T, NoPlace> {
        let hash = self.hash(agent);
        let mut shard = self.lock(hash);
        if let Some(record) = shard.find(hash, agent) {
            return Ok(change(record));
        }
        shard.look_for_idle(now, idle);
        if shard.entries.len() >= self.share && !shard.evict() {
            return Err(NoPlace);
        }
        let mut record = Box::<AgentRecord>::default();
        let result = change(&mut record);
        shard.entries.insert_unique(hash, Entry { hash, id: agent.clone(), record }, |entry| entry.hash);
        Ok(result)
    }

    /// Forgets an agent if `gone` says so of its record.
    pub(super) fn forget_if(&self, agent: &AgentId, gone: impl FnOnce(&mut AgentRecord) -> bool) {
        let hash = self.hash(agent);
        let mut shard = self.lock(hash);
        if shard.find(hash, agent).is_some_and(gone) {
            shard.forget(hash, agent);
        }
    }

    /// Runs `look` on the record of every agent, a shard at a time.
    pub(super) fn for_each(&self, mut look: impl FnMut(&AgentId, &mut AgentRecord)) {
        for shard in &self.all {
            for entry in &mut shard.lock().entries {
                look(&entry.id, &mut entry.record);
            }
        }
    }

    /// Runs `look` on the requests of forgotten agents.
    pub(super) fn for_each_departed(&self, mut look: impl FnMut(&Operation, u64)) {
        for shard in &self.all {
            shard.lock().departed.iter().for_each(|(operation, count)| look(operation, *count));
        }
    }

    /// How many agents fit.
    pub(super) fn capacity(&self) -> usize {
        self.share * self.all.len()
    }

    pub(super) fn len(&self) -> usize {
        self.all.iter().map(|shard| shard.lock().entries.len()).sum()
    }
}

impl AgentShard {
    fn find(&mut self, hash: u64, agent: &AgentId) -> Option<&mut AgentRecord> {
        self.entries.find_mut(hash, |entry| entry.id == *agent).map(|entry| &mut *entry.record)
    }

    fn forget(&mut self, hash: u64, agent: &AgentId) {
        if let Ok(entry) = self.entries.find_entry(hash, |entry| entry.id == *agent) {
            let (entry, _) = entry.remove();
            self.keep_requests(&entry);
        }
    }

    fn keep_requests(&mut self, entry: &Entry) {
        for (operation, count) in &entry.record.requests {
            add_requests(&mut self.departed, operation, *count);
        }
    }

    fn next_bucket(&mut self) -> usize {
        let bucket = if self.hand < self.entries.num_buckets() { self.hand } else { 0 };
        self.hand = bucket + 1;
        bucket
    }

    fn look_for_idle(&mut self, now: SteadyTime, idle: &mut Vec<AgentId>) {
        for _ in 0..INSPECTED.min(self.entries.num_buckets()) {
            let bucket = self.next_bucket();
            let entry = self.entries.get_bucket(bucket).filter(|entry| entry.record.is_idle(now));
            idle.extend(entry.map(|entry| entry.id.clone()));
        }
    }

    /// Forgets, of some agents without settings of their own, the one whose counts expire first. Returns whether there was one.
    fn evict(&mut self) -> bool {
        let mut first: Option<(SteadyTime, usize)> = None;
        let mut seen = 0;
        for _ in 0..self.entries.num_buckets() {
            let bucket = self.next_bucket();
            let entry = self.entries.get_bucket(bucket).filter(|entry| !entry.record.is_configured());
            let Some(entry) = entry else { continue };
            let busy_until = entry.record.busy_until();
            if first.is_none_or(|(earliest, _)| busy_until < earliest) {
                first = Some((busy_until, bucket));
            }
            seen += 1;
            if seen == EVICTION_SAMPLE {
                break;
            }
        }
        let Some(Ok(entry)) = first.map(|(_, bucket)| self.entries.get_bucket_entry(bucket)) else { return false };
        let (entry, _) = entry.remove();
        self.keep_requests(&entry);
        true
    }
}
