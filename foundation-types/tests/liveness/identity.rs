//! What an identity is: unique, ordered, readable; local or remote.

use std::collections::HashSet;
use std::panic::UnwindSafe;

use foundation_types::liveness::{HookGuard, Locality, OwnerIdError, ShutdownSignal};
use foundation_types::{ExitReason, Monitor, MonoTime, Name, Namespace, NodeId, Owner, OwnerId, Pid};
use proptest::prelude::*;

use crate::race;

#[test]
fn t03_owner_ids_and_test_namespaces_are_distinct_over_threads() {
    const THREADS: usize = 8;
    const EACH: usize = 2_000;
    let made = race(THREADS, |_| {
        (0..EACH).map(|_| (Owner::new().pid().id(), Namespace::test())).collect::<Vec<(OwnerId, Namespace)>>()
    });
    let ids: HashSet<_> = made.iter().flatten().map(|(id, _)| *id).collect();
    let namespaces: HashSet<_> = made.iter().flatten().map(|(_, namespace)| namespace).collect();
    assert_eq!((ids.len(), namespaces.len()), (THREADS * EACH, THREADS * EACH));
    let epochs: HashSet<_> = ids.iter().map(|id| id.epoch()).collect();
    assert_eq!(epochs.len(), 1, "one process start has one epoch");
}

#[test]
fn everything_can_be_shared_between_threads_and_kept_across_a_panic() {
    fn check<T: Send + Sync + UnwindSafe + Unpin>() {}
    check::<Owner>();
    check::<Pid>();
    check::<Monitor>();
    check::<ShutdownSignal>();
    check::<HookGuard>();
}

#[test]
fn pids_are_compared_by_identity() {
    let owners = [Owner::new(), Owner::named(Name::from_static("label")), Owner::new()];
    let pids: Vec<Pid> = owners.iter().map(Owner::pid).collect();
    for (at, pid) in pids.iter().enumerate() {
        assert_eq!(*pid, owners[at].pid());
        for other in &pids[at + 1..] {
            assert_ne!(pid, other);
            assert_eq!(pid.cmp(other), pid.id().cmp(&other.id()));
        }
    }
    assert_eq!(pids.iter().chain(&pids).collect::<HashSet<_>>().len(), 3, "equal pids hash equal");
    assert_eq!(pids[1].label().map(Name::as_str), Some("label"));
    assert_eq!(pids[0].label(), None);
}

proptest! {
    #[test]
    fn the_text_form_of_an_owner_id_reads_back(epoch: u64, sequence: u64) {
        let id = OwnerId::from_parts(epoch, sequence);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(id, OwnerId::from_parts(id.epoch(), id.sequence()));
        let json = serde_json::to_string(&id).expect("a text");
        prop_assert_eq!(serde_json::from_str::<OwnerId>(&json).expect("its own output"), id);
    }
}

#[test]
fn an_owner_id_has_one_text_form_only() {
    for text in
        ["", ".", "1", "1.", ".1", "01.1", "1.01", "+1.1", "1.+1", "A.1", "1.1.1", " 1.1", "10000000000000000.1"]
    {
        assert_eq!(text.parse::<OwnerId>(), Err(OwnerIdError), "{text:?}");
    }
    assert_eq!("a.1".parse(), Ok(OwnerId::from_parts(10, 1)));
}

fn remote(as_of: u64) -> Owner {
    let node = NodeId::new("other@host").expect("a name");
    Owner::remote(OwnerId::from_parts(7, 9), node, MonoTime::from_nanos(as_of))
}

#[test]
fn a_remote_pid_says_so_and_how_old_the_knowledge_is() {
    let owner = remote(100);
    let pid = owner.pid();
    let as_of = || match pid.locality() {
        Locality::Remote { node, as_of } => (node.to_string(), as_of.as_nanos()),
        Locality::Local => panic!("it is remote"),
    };
    assert_eq!(as_of(), ("other@host".to_owned(), 100));
    owner.refresh(MonoTime::from_nanos(250));
    assert_eq!(as_of().1, 250);
    owner.refresh(MonoTime::from_nanos(200));
    assert_eq!(as_of().1, 250, "older news arriving late do not make the knowledge older");
    assert_eq!(pid, remote(0).pid(), "two mirrors of one owner");
}

#[test]
fn a_local_pid_has_no_age() {
    let owner = Owner::new();
    owner.refresh(MonoTime::from_nanos(1));
    assert_eq!(owner.pid().locality(), Locality::Local);
}

#[test]
fn killing_a_remote_pid_asks_for_it_and_its_mirror_decides() {
    let owner = remote(0);
    let pid = owner.pid();
    let monitor = pid.monitor();
    assert!(!pid.kill());
    assert!(pid.is_alive());
    assert_eq!(owner.shutdown_requested(), Some(ExitReason::Killed));
    owner.exit(ExitReason::LeaseExpired);
    assert_eq!(monitor.wait(), ExitReason::LeaseExpired);
    assert_eq!(pid.exit_reason(), Some(ExitReason::LeaseExpired));
    assert!(!pid.kill());
}

#[test]
fn exit_reasons_have_a_stable_text_and_wire_form() {
    let cases = [
        (ExitReason::Normal, "normal", r#""normal""#, true),
        (ExitReason::Shutdown, "shutdown", r#""shutdown""#, true),
        (ExitReason::Killed, "killed", r#""killed""#, false),
        (ExitReason::Panic("boom".into()), "panic: boom", r#"{"panic":"boom"}"#, false),
        (ExitReason::error("disk full"), "error: disk full", r#"{"error":"disk full"}"#, false),
        (ExitReason::LeaseExpired, "lease_expired", r#""lease_expired""#, false),
        (ExitReason::NodeDown, "node_down", r#""node_down""#, false),
    ];
    for (reason, text, json, orderly) in cases {
        assert_eq!(reason.to_string(), text);
        assert_eq!(serde_json::to_string(&reason).expect("plain data"), json);
        assert_eq!(serde_json::from_str::<ExitReason>(json).expect("its own output"), reason);
        assert_eq!(reason.is_orderly(), orderly, "{reason}");
    }
}

#[test]
fn a_panic_reason_carries_the_message_where_it_is_text() {
    assert_eq!(ExitReason::from_panic(&"literal"), ExitReason::Panic("literal".into()));
    assert_eq!(ExitReason::from_panic(&"formatted".to_owned()), ExitReason::Panic("formatted".into()));
    assert_eq!(ExitReason::from_panic(&17_u8), ExitReason::Panic("payload is not text".into()));
}
