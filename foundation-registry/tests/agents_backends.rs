//! Agents on back-ends that fail, and on one that is left at the wrong moment.
#![cfg(all(feature = "agent", feature = "test-util"))]

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use foundation_registry::backend::{BackendHealth, BackendInfo, ClaimError, Claimed, Replaced};
use foundation_registry::{
    AgentError, AgentQuery, Backend, BackendError, BackendOperation, EntryKind, Fault, FaultyBackend, KeyRef,
    Partitioned, Registry, RegistryError, SameOwner, Sharded, StoredEntry,
};
use foundation_types::testing::RecordingObserver;
use foundation_types::{
    AgentId, AgentInfo, Capability, Generation, Health, Metadata, Namespace, Owner, OwnerId, ServiceName, Timestamp,
};

const SCOUT: AgentId = AgentId::from_static("scout");
const SCAN: Capability = Capability::from_static("scan");
const HERE: Namespace = Namespace::Production;

fn scout() -> AgentInfo {
    AgentInfo::builder(SCOUT).capability(SCAN).health(Health::Healthy).build_at(Timestamp::UNIX_EPOCH)
}

#[test]
fn what_a_back_end_fails_to_do_leaves_nothing_and_tells_nothing() {
    let (faulty, observer) = (Arc::new(FaultyBackend::new(Arc::new(Sharded::default()))), Arc::default());
    let observer: Arc<RecordingObserver> = observer;
    let registry = Registry::builder().backend(faulty.clone()).observer(observer.clone()).build().expect("in range");
    let (agents, owner) = (registry.agents(), Owner::new());
    let mut changes = foundation_types::AgentDirectory::changes(&registry.directory(&HERE));
    let baseline = (registry.held(), agents.held());
    let failure = BackendError::Unavailable;
    let fail = |operation| faulty.fail_next(operation, Fault::Error(BackendError::Unavailable));

    fail(BackendOperation::Claim);
    let refused = agents.register(&HERE, &SCOUT, &owner.pid(), scout()).map(drop);
    assert_eq!(refused, Err(AgentError::Backend(failure.clone())));
    assert_eq!((registry.held(), agents.held()), baseline);
    assert!(observer.take().is_empty() && changes.try_next().is_none());
    assert!(agents.query(&HERE, &AgentQuery::new().capability(SCAN)).expect("from memory").is_empty());

    agents.register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    assert_eq!(observer.take().len(), 1);
    assert!(changes.try_next().is_some());
    fail(BackendOperation::Get);
    assert_eq!(agents.update(&HERE, &SCOUT, scout()), Err(AgentError::Backend(failure.clone())));
    fail(BackendOperation::Get);
    assert_eq!(agents.lookup(&HERE, &SCOUT), Err(AgentError::Backend(failure.clone())));
    fail(BackendOperation::ForEach);
    assert_eq!(agents.list(&HERE), Err(AgentError::Backend(failure.clone())));
    fail(BackendOperation::Release);
    assert_eq!(agents.unregister(&HERE, &SCOUT), Err(RegistryError::Backend(failure)));
    assert!(observer.take().is_empty() && changes.try_next().is_none());
    assert_eq!(*agents.lookup(&HERE, &SCOUT).expect("still there").info, scout());
    assert_eq!(agents.query(&HERE, &AgentQuery::new().capability(SCAN)).expect("on").len(), 1);
}

/// A back-end that lets something happen between finding an entry and showing it.
struct Interrupted {
    inner: Sharded,
    interruption: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Backend for Interrupted {
    fn read(&self, key: KeyRef<'_>, read: &mut dyn FnMut(&StoredEntry)) -> Result<bool, BackendError> {
        let entry = self.inner.get(key)?;
        let interruption = self.interruption.lock().expect("no panic").take();
        if let Some(interruption) = interruption {
            interruption();
        }
        if let Some(entry) = &entry {
            read(entry);
        }
        Ok(entry.is_some())
    }

    fn claim(&self, entry: Arc<StoredEntry>, same_owner: SameOwner) -> Result<Claimed, ClaimError> {
        self.inner.claim(entry, same_owner)
    }

    fn get(&self, key: KeyRef<'_>) -> Result<Option<Arc<StoredEntry>>, BackendError> {
        self.inner.get(key)
    }

    fn replace(
        &self,
        key: KeyRef<'_>,
        expect: Option<Generation>,
        metadata: Arc<Metadata>,
    ) -> Result<Replaced, BackendError> {
        self.inner.replace(key, expect, metadata)
    }

    fn release(&self, key: KeyRef<'_>, expect: Option<Generation>) -> Result<Option<Arc<StoredEntry>>, BackendError> {
        self.inner.release(key, expect)
    }

    fn release_owner(&self, owner: OwnerId) -> Result<Vec<Arc<StoredEntry>>, BackendError> {
        self.inner.release_owner(owner)
    }

    fn sweep(&self) -> Result<Vec<Arc<StoredEntry>>, BackendError> {
        self.inner.sweep()
    }

    fn for_each(
        &self,
        namespace: Option<&Namespace>,
        kind: EntryKind,
        visit: &mut dyn FnMut(Arc<StoredEntry>) -> ControlFlow<()>,
    ) -> Result<(), BackendError> {
        self.inner.for_each(namespace, kind, visit)
    }

    fn health(&self) -> Result<BackendHealth, BackendError> {
        self.inner.health()
    }

    fn info(&self) -> BackendInfo {
        self.inner.info()
    }
}

fn interrupted() -> (Registry, Arc<Interrupted>) {
    let backend = Arc::new(Interrupted { inner: Sharded::default(), interruption: Mutex::default() });
    (Registry::builder().backend(backend.clone()).build().expect("in range"), backend)
}

#[test]
fn an_agent_that_moves_while_it_is_looked_up_is_found_where_it_went() {
    let key = ServiceName::agent(&SCOUT);
    let reads: [fn(&Registry, &ServiceName) -> bool; 4] = [
        |registry, _| registry.agents().lookup(&HERE, &SCOUT).is_ok(),
        |registry, _| registry.agents().health_history(&HERE, &SCOUT).is_ok_and(|history| history.len() == 1),
        |registry, _| registry.agents().set_health(&HERE, &SCOUT, Health::Healthy).is_ok(),
        |registry, key| registry.entry(&HERE, key).is_ok_and(|entry| entry.metadata.get("agent_context").is_some()),
    ];
    for read in reads {
        let ((registry, backend), owner) = (interrupted(), Owner::new());
        registry.agents().register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
        let moving = registry.clone();
        *backend.interruption.lock().expect("no panic") = Some(Box::new(move || {
            assert_eq!(moving.switch_backend(Arc::new(Partitioned::default())).expect("open").moved, 1);
        }));
        assert!(read(&registry, &key));
        assert!(backend.interruption.lock().expect("no panic").is_none(), "it was interrupted");
    }
}

#[test]
fn an_agent_that_is_unregistered_while_it_is_looked_up_is_not_found() {
    let ((registry, backend), owner) = (interrupted(), Owner::new());
    registry.agents().register(&HERE, &SCOUT, &owner.pid(), scout()).expect("free");
    let leaving = registry.clone();
    *backend.interruption.lock().expect("no panic") = Some(Box::new(move || {
        assert_eq!(leaving.agents().unregister(&HERE, &SCOUT), Ok(true));
    }));
    assert_eq!(registry.agents().lookup(&HERE, &SCOUT), Err(AgentError::NotFound));
}
