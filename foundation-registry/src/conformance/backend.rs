//! Properties of a back-end alone, without a registry above it.

use std::ops::ControlFlow;
use std::sync::Arc;

use foundation_types::{Generation, Metadata, MonoTime, Namespace, Owner, Pid, Timestamp};

use super::{Factory, name, numbered, production};
use crate::backend::{Backend, ClaimError, Claimed, Replaced};
use crate::entry::{EntryKind, RegisteredAt, SameOwner, StoredEntry};
use crate::key::RegistryKey;

fn key(number: usize) -> RegistryKey {
    RegistryKey::new(production(), name(number))
}

fn entry(number: usize, pid: &Pid, metadata: Metadata, generation: u64) -> Arc<StoredEntry> {
    let at = RegisteredAt { mono: MonoTime::ORIGIN, wall: Timestamp::UNIX_EPOCH };
    Arc::new(StoredEntry::new(key(number), pid.clone(), metadata, Generation::new(generation), EntryKind::Service, at))
}

fn listed(backend: &dyn Backend, namespace: Option<&Namespace>) -> Vec<Arc<StoredEntry>> {
    let mut entries = Vec::new();
    let visited = backend.for_each(namespace, EntryKind::Service, &mut |entry| {
        entries.push(entry);
        ControlFlow::Continue(())
    });
    visited.expect("available");
    entries
}

/// R3 at the level of the back-end: a repeat keeps, replaces or is refused as the claim says; another owner is refused.
pub fn raw_claims_follow_the_policy(factory: Factory<'_>) {
    let backend = factory();
    let (owner, other) = (Owner::new(), Owner::new());
    let (pid, other) = (owner.pid(), other.pid());
    let key = key(0);
    let first = entry(0, &pid, numbered(1), 1);

    let claimed = backend.claim(Arc::clone(&first), SameOwner::Refuse);
    assert!(matches!(claimed, Ok(Claimed::New { displaced: None })), "{claimed:?}");
    let kept = backend.claim(entry(0, &pid, numbered(2), 2), SameOwner::Keep);
    assert!(matches!(&kept, Ok(Claimed::Kept(there)) if Arc::ptr_eq(there, &first)), "{kept:?}");
    assert_eq!(*first.metadata(), numbered(1));
    let refused = backend.claim(entry(0, &pid, numbered(2), 3), SameOwner::Refuse);
    assert!(matches!(&refused, Err(ClaimError::Held(holder)) if *holder == pid), "{refused:?}");
    let replaced = backend.claim(entry(0, &pid, numbered(3), 4), SameOwner::Replace);
    assert!(matches!(&replaced, Ok(Claimed::Replaced { old, .. }) if **old == numbered(1)), "{replaced:?}");
    let held = backend.get(key.borrowed()).expect("available").expect("registered");
    assert_eq!((held.generation(), (*held.metadata()).clone()), (Generation::new(1), numbered(3)));
    for policy in [SameOwner::Keep, SameOwner::Replace, SameOwner::Refuse] {
        let refused = backend.claim(entry(0, &other, numbered(4), 5), policy);
        assert!(matches!(&refused, Err(ClaimError::Held(holder)) if *holder == pid), "{refused:?}");
    }

    let superseded = backend.replace(key.borrowed(), Some(Generation::new(9)), Arc::new(numbered(5)));
    assert!(matches!(superseded, Ok(Replaced::Superseded)), "{superseded:?}");
    let done = backend.replace(key.borrowed(), Some(Generation::new(1)), Arc::new(numbered(5)));
    assert!(matches!(done, Ok(Replaced::Done { .. })), "{done:?}");
    let missing = backend.replace(self::key(1).borrowed(), None, Arc::new(numbered(5)));
    assert!(matches!(missing, Ok(Replaced::NotFound)), "{missing:?}");

    assert!(backend.release(key.borrowed(), Some(Generation::new(9))).expect("available").is_none());
    let released = backend.release(key.borrowed(), Some(Generation::new(1))).expect("available").expect("it was there");
    assert_eq!(*released.metadata(), numbered(5));
    assert!(backend.release(key.borrowed(), None).expect("available").is_none());
}

/// R4, R6: the entry of a dead owner is never shown, never claimed for, does not refuse a claim, and goes with a sweep.
pub fn raw_dead_entries_are_unseen_until_removed(factory: Factory<'_>) {
    let backend = factory();
    let owner = Owner::new();
    let pid = owner.pid();
    for number in 0..3 {
        backend.claim(entry(number, &pid, Metadata::new(), number as u64), SameOwner::Keep).expect("free");
    }
    drop(owner);

    let mut shown = 0;
    for number in 0..3 {
        assert!(backend.get(key(number).borrowed()).expect("available").is_none());
        assert!(!backend.read(key(number).borrowed(), &mut |_| shown += 1).expect("available"));
    }
    assert_eq!(shown, 0);
    assert_eq!(backend.count(&production(), EntryKind::Service), Ok(0));
    assert!(listed(&*backend, None).is_empty());
    let health = backend.health().expect("available");
    assert_eq!((health.registrations, health.live, health.dead), (3, 0, 3));

    let refused = backend.claim(entry(0, &pid, Metadata::new(), 9), SameOwner::Keep);
    assert!(matches!(refused, Err(ClaimError::DeadOwner)), "{refused:?}");
    let successor = Owner::new();
    let claimed = backend.claim(entry(0, &successor.pid(), Metadata::new(), 10), SameOwner::Keep);
    let Ok(Claimed::New { displaced: Some(displaced) }) = claimed else { panic!("{claimed:?}") };
    assert_eq!(displaced.generation(), Generation::new(0));

    let mut swept: Vec<_> = backend.sweep().expect("available").iter().map(|entry| entry.generation().get()).collect();
    swept.sort_unstable();
    assert_eq!(swept, [1, 2]);
    assert!(backend.sweep().expect("available").is_empty());
    assert_eq!(listed(&*backend, Some(&production())).len(), 1);
}

/// Listing is by namespace and stops when told; releasing an owner removes what it holds and nothing else.
pub fn raw_listing_and_release_by_owner(factory: Factory<'_>) {
    let backend = factory();
    let owners: Vec<_> = (0..3).map(|_| Owner::new()).collect();
    for number in 0..300 {
        let pid = owners[number % 3].pid();
        backend.claim(entry(number, &pid, Metadata::new(), number as u64), SameOwner::Keep).expect("free");
    }
    let here = production();
    let elsewhere = Namespace::test();
    assert_eq!(listed(&*backend, Some(&here)).len(), 300);
    assert_eq!(listed(&*backend, None).len(), 300);
    assert!(listed(&*backend, Some(&elsewhere)).is_empty());
    assert_eq!(backend.count(&here, EntryKind::Service), Ok(300));
    assert_eq!(backend.count(&here, EntryKind::Agent), Ok(0));

    let mut visited = 0;
    let stopped = backend.for_each(Some(&here), EntryKind::Service, &mut |_| {
        visited += 1;
        if visited == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((stopped, visited), (Ok(()), 7));

    let released = backend.release_owner(owners[1].pid().id()).expect("available");
    assert_eq!(released.len(), 100);
    assert!(released.iter().all(|entry| *entry.pid() == owners[1].pid()));
    assert!(backend.release_owner(owners[1].pid().id()).expect("available").is_empty());
    assert_eq!(listed(&*backend, Some(&here)).len(), 200);
    for number in 0..300 {
        let found = backend.get(key(number).borrowed()).expect("available");
        assert_eq!(found.is_some(), number % 3 != 1);
    }
    let info = backend.info();
    assert_eq!(info.entries_per_partition.iter().sum::<usize>(), 200);
}
