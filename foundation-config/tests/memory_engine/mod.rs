//! An engine in memory that keeps the axioms E1, E2 and E6 of engines, and whose failures are on purpose. It has no leases.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use foundation_types::engine::{
    BoxFuture, BoxStream, Change, EngineCaps, EngineError, Key, KeyValue, Lease, LeaseId, Op, OpReply, Projection,
    RangeQuery, RangeReply, Revision, Txn, TxnReply, WatchEvent,
};
use foundation_types::{Clock, Engine, ManualClock};
use futures_core::Stream;

type Keys = BTreeMap<Key, KeyValue>;

pub(crate) struct MemoryEngine {
    state: Arc<Mutex<State>>,
    clock: ManualClock,
    on_range: Mutex<Option<Arc<dyn Fn() + Send + Sync>>>,
}

struct State {
    /// The keys as of each revision that is not compacted away.
    history: BTreeMap<Revision, Keys>,
    /// What each revision changed.
    log: BTreeMap<Revision, Vec<Change>>,
    /// The oldest revision that is still there.
    oldest: Revision,
    down: bool,
    closed: bool,
}

impl State {
    fn revision(&self) -> Revision {
        self.history.last_key_value().map_or(Revision::ZERO, |(revision, _)| *revision)
    }

    fn available(&self) -> Result<(), EngineError> {
        match (self.closed, self.down) {
            (true, _) => Err(EngineError::Closed),
            (_, true) => Err(EngineError::Unavailable),
            _ => Ok(()),
        }
    }

    fn range(&self, query: &RangeQuery) -> Result<RangeReply, EngineError> {
        self.available()?;
        let at = query.revision.unwrap_or_else(|| self.revision());
        if at < self.oldest {
            return Err(EngineError::Compacted(self.oldest));
        }
        let empty = Keys::new();
        let keys = self.history.range(..=at).next_back().map_or(&empty, |(_, keys)| keys);
        let selected = || keys.values().filter(|kv| query.selector.contains(&kv.key));
        let count = selected().count();
        let limit = query.limit.map_or(usize::MAX, |limit| usize::try_from(limit.get()).unwrap_or(usize::MAX));
        let kvs = match query.projection {
            Projection::CountOnly => Vec::new(),
            _ => selected().take(limit).cloned().collect(),
        };
        Ok(RangeReply { revision: self.revision(), more: count > limit, count: count as u64, kvs })
    }

    fn transact(&mut self, ops: Vec<Op>) -> Revision {
        let revision = self.revision().next();
        let mut keys = self.history.last_key_value().map(|(_, keys)| keys.clone()).unwrap_or_default();
        let mut changes = Vec::new();
        for op in ops {
            match op {
                Op::Put(put) => {
                    let created = keys.get(&put.key).map_or(revision, |old| old.create_revision);
                    let kv = KeyValue {
                        key: put.key.clone(),
                        value: put.value,
                        create_revision: created,
                        mod_revision: revision,
                        lease: None,
                    };
                    keys.insert(put.key, kv.clone());
                    changes.push(Change::Put(kv));
                }
                Op::Delete(selector) => {
                    let gone: Vec<_> = keys.keys().filter(|key| selector.contains(key)).cloned().collect();
                    for key in gone {
                        keys.remove(&key);
                        changes.push(Change::Delete(key));
                    }
                }
                _ => {}
            }
        }
        if changes.is_empty() {
            return self.revision();
        }
        self.history.insert(revision, keys);
        self.log.insert(revision, changes);
        revision
    }
}

impl MemoryEngine {
    pub(crate) fn new() -> Arc<Self> {
        let state = State {
            history: BTreeMap::new(),
            log: BTreeMap::new(),
            oldest: Revision::ZERO,
            down: false,
            closed: false,
        };
        Arc::new(Self { state: Arc::new(Mutex::new(state)), clock: ManualClock::new(), on_range: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("not poisoned")
    }

    pub(crate) fn clock(&self) -> ManualClock {
        self.clock.clone()
    }

    pub(crate) fn put(&self, key: &str, value: &str) -> Revision {
        self.transact(vec![Op::put(Key::new(key).expect("short"), value.as_bytes())])
    }

    pub(crate) fn delete(&self, key: &str) -> Revision {
        self.transact(vec![Op::delete(Key::new(key).expect("short"))])
    }

    /// Writes all at one revision, also while it is down for others.
    pub(crate) fn transact(&self, ops: Vec<Op>) -> Revision {
        self.state().transact(ops)
    }

    /// Forgets everything before the current revision.
    pub(crate) fn compact(&self) {
        let mut state = self.state();
        state.oldest = state.revision();
        let oldest = state.oldest;
        state.history.retain(|revision, _| *revision >= oldest);
        state.log.retain(|revision, _| *revision >= oldest);
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.state().down = down;
    }

    pub(crate) fn close(&self) {
        self.state().closed = true;
    }

    /// Runs this after each range.
    pub(crate) fn on_range(&self, then: impl Fn() + Send + Sync + 'static) {
        *self.on_range.lock().expect("not poisoned") = Some(Arc::new(then));
    }
}

impl Engine for MemoryEngine {
    fn capabilities(&self) -> EngineCaps {
        EngineCaps::in_process()
    }

    fn clock(&self) -> &dyn Clock {
        &self.clock
    }

    fn grant(&self, _: Option<Duration>) -> BoxFuture<'_, Result<Lease, EngineError>> {
        Box::pin(async { Err(EngineError::Backend("there are no leases".into())) })
    }

    fn keep_alive(&self, _: LeaseId) -> BoxFuture<'_, Result<Duration, EngineError>> {
        Box::pin(async { Err(EngineError::LeaseNotFound) })
    }

    fn revoke(&self, _: LeaseId) -> BoxFuture<'_, Result<(), EngineError>> {
        Box::pin(async { Err(EngineError::LeaseNotFound) })
    }

    fn revoke_detached(&self, _: LeaseId) {}

    fn txn(&self, txn: Txn) -> BoxFuture<'_, Result<TxnReply, EngineError>> {
        Box::pin(async move {
            let mut state = self.state();
            state.available()?;
            let (compares, success, failure) = txn.into_parts();
            let succeeded = {
                let keys = state.history.last_key_value().map(|(_, keys)| keys);
                compares.iter().all(|compare| compare.holds(keys.and_then(|keys| keys.get(compare.key()))))
            };
            let ops = if succeeded { success } else { failure };
            let responses = ops.iter().map(|_| OpReply::Put).collect();
            Ok(TxnReply { revision: state.transact(ops), succeeded, responses })
        })
    }

    fn range(&self, query: RangeQuery) -> BoxFuture<'_, Result<RangeReply, EngineError>> {
        Box::pin(async move {
            let reply = self.state().range(&query);
            let then = self.on_range.lock().expect("not poisoned").clone();
            if let Some(then) = then {
                then();
            }
            reply
        })
    }

    fn watch(&self, prefix: Key, from: Revision) -> BoxStream<'_, Result<WatchEvent, EngineError>> {
        Box::pin(Watch { state: Arc::clone(&self.state), prefix, next: from, ended: false })
    }
}

/// A watch that wakes nobody: whoever tests polls it.
struct Watch {
    state: Arc<Mutex<State>>,
    prefix: Key,
    next: Revision,
    ended: bool,
}

impl Watch {
    fn next_event(&mut self) -> Result<Option<WatchEvent>, EngineError> {
        let state = self.state.lock().expect("not poisoned");
        state.available()?;
        if self.next < state.oldest {
            return Err(EngineError::Compacted(state.oldest));
        }
        for (revision, changes) in state.log.range(self.next..) {
            self.next = revision.next();
            let changes: Vec<_> =
                changes.iter().filter(|change| change.key().starts_with(&self.prefix)).cloned().collect();
            // Now and then a sign of progress.
            if !changes.is_empty() || revision.get() % 2 == 0 {
                return Ok(Some(WatchEvent { revision: *revision, changes }));
            }
        }
        Ok(None)
    }
}

impl Stream for Watch {
    type Item = Result<WatchEvent, EngineError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match self.next_event() {
            Ok(Some(event)) => Poll::Ready(Some(Ok(event))),
            Ok(None) => Poll::Pending,
            Err(error) => {
                self.ended = true;
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}
