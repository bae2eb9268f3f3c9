//! Property 19: groups.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foundation_compat::lifecycle::{
    BoxError, Directory, Group, GroupBuilder, GroupError, Intensity, MAX_GROUP_SIZE, Service, ServiceContext,
    Strategy as Restarting, Usage,
};
use foundation_types::liveness::ShutdownSignal;
use foundation_types::testing::check;
use foundation_types::{ExitReason, ManualClock, Metadata, Name, Owner, OwnerId, Pid, ServiceName};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A member that works until told to stop.
struct Member;

impl Service for Member {
    fn start(&self, context: &ServiceContext) -> Result<(), BoxError> {
        context.spawn(Name::from_static("work"), ShutdownSignal::wait)?;
        Ok(())
    }

    fn usage(&self) -> Usage {
        Usage::default().memory(10)
    }
}

fn group(workers: usize) -> GroupBuilder {
    let builder = Group::builder(Name::from_static("mine")).clock(Arc::new(ManualClock::new())).driven_by_hand();
    builder.coordinator(|_| Ok(Member)).workers(workers, |_| Ok(Member))
}

/// Remembers who has entered a group.
#[derive(Default)]
struct Book(Mutex<Vec<(ServiceName, Pid, Metadata)>>);

impl Directory for Book {
    fn register(&self, _: &ServiceName, _: &Pid) -> Result<(), Pid> {
        panic!("members are entered nowhere")
    }

    fn register_group(&self, name: &ServiceName, pid: &Pid, metadata: &Metadata) -> Result<(), Pid> {
        let mut book = self.0.lock().expect("not poisoned");
        book.retain(|(_, holder, _)| holder.is_alive());
        if let Some((_, holder, _)) = book.iter().find(|(known, ..)| known == name) {
            return Err(holder.clone());
        }
        book.push((name.clone(), pid.clone(), metadata.clone()));
        Ok(())
    }
}

/// Something done to a group.
#[derive(Clone, Debug)]
enum Act {
    KillCoordinator,
    Kill(Index),
    Add,
    Remove(Index),
    RemoveStranger,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        1 => Just(Act::KillCoordinator),
        3 => any::<Index>().prop_map(Act::Kill),
        3 => Just(Act::Add),
        3 => any::<Index>().prop_map(Act::Remove),
        1 => Just(Act::RemoveStranger),
    ];
    vec(act, 0..24)
}

/// The members of a group, by identity.
fn members(group: &Group) -> BTreeSet<OwnerId> {
    group.coordinator().into_iter().chain(group.workers()).map(|pid| pid.id()).collect()
}

#[test]
fn p19_a_group_has_the_members_that_were_started_and_not_removed_and_tells_them_as_they_are() {
    let strategies = select(vec![Restarting::OneForOne, Restarting::OneForAll, Restarting::RestForOne]);
    check(64, (0..6_usize, strategies, acts()), |(initial, strategy, acts)| {
        let book = Arc::new(Book::default());
        let intensity = Intensity { max_restarts: 1_000, within: Duration::from_secs(5) };
        let builder = group(initial).strategy(strategy).intensity(intensity);
        let group = builder.directory(Arc::<Book>::clone(&book)).start().expect("it starts");
        let mut expected = 1 + initial;
        let mut gone: BTreeSet<OwnerId> = BTreeSet::new();
        for act in acts {
            let before = members(&group);
            let workers = group.workers();
            match act {
                Act::KillCoordinator => {
                    let pid = group.coordinator().expect("it runs");
                    pid.kill();
                    gone.insert(pid.id());
                    assert_eq!(group.info().total_processes, expected - 1, "a death is seen at once");
                }
                Act::Kill(pick) if !workers.is_empty() => {
                    let pid = pick.get(&workers);
                    pid.kill();
                    gone.insert(pid.id());
                    assert_eq!(group.info().total_processes, expected - 1, "a death is seen at once");
                }
                Act::Add => {
                    let pid = group.add_worker(|_| Ok(Member)).expect("the group runs");
                    assert!(group.workers().contains(&pid));
                    expected += 1;
                }
                Act::Remove(pick) if !workers.is_empty() => {
                    let pid = pick.get(&workers);
                    group.remove_worker(pid).expect("it is a worker");
                    gone.insert(pid.id());
                    assert!(!pid.is_alive());
                    assert!(matches!(group.remove_worker(pid), Err(GroupError::NotFound)));
                    expected -= 1;
                }
                Act::RemoveStranger => {
                    let stranger = Owner::new();
                    assert!(matches!(group.remove_worker(&stranger.pid()), Err(GroupError::NotFound)));
                    let coordinator = group.coordinator().expect("it runs");
                    assert!(matches!(group.remove_worker(&coordinator), Err(GroupError::NotFound)));
                }
                Act::Kill(_) | Act::Remove(_) => continue,
            }
            group.run_due();
            let now = members(&group);
            assert_eq!(now.len(), expected);
            assert!(now.is_disjoint(&gone));
            if strategy == Restarting::OneForOne {
                let kept = before.difference(&gone).copied().collect::<BTreeSet<_>>();
                assert!(kept.is_subset(&now), "others keep their identities");
            }
            let info = group.info();
            assert_eq!((info.total_processes, info.workers.len()), (expected, expected - 1));
            assert_eq!(info.total_memory, 10 * expected as u64);
            let told: Vec<Pid> = info.workers.iter().map(|worker| worker.pid.clone()).collect();
            assert_eq!(told, group.workers());
            assert_eq!(info.coordinator.map(|coordinator| coordinator.pid), group.coordinator().ok());
        }

        let all: Vec<Pid> = group.coordinator().into_iter().chain(group.workers()).collect();
        let (name, holder, metadata) = book.0.lock().expect("not poisoned")[0].clone();
        assert_eq!((name.to_string().as_str(), &holder), ("ecosystem_supervisor:mine", group.pid()));
        assert_eq!(metadata.get("ecosystem_id"), Some(&"mine".into()));
        assert!(holder.is_alive());
        let report = group.shutdown(Duration::from_secs(1));
        assert!(report.is_clean());
        assert_eq!(report.services.len(), expected);
        assert!(all.iter().all(|pid| !pid.is_alive()));
        assert!(!holder.is_alive(), "its entry is gone");
        assert_eq!(group.info().total_processes, 0);
        assert!(matches!(group.coordinator(), Err(GroupError::Ended)));
        assert!(matches!(group.add_worker(|_| Ok(Member)), Err(GroupError::Ended)));
        assert!(matches!(group.remove_worker(&all[0]), Err(GroupError::Ended)));
        assert_eq!(group.shutdown(Duration::ZERO), report);
    });
}

#[test]
fn a_group_whose_members_end_too_often_ends_and_tells_its_handle() {
    let group = group(2).start().expect("it starts");
    for _ in 0..3 {
        group.workers()[0].kill();
        group.run_due();
        assert_eq!(group.workers().len(), 2);
    }
    group.workers()[0].kill();
    group.run_due();
    assert!(matches!(group.wait(), ExitReason::Error(_)));
    assert_eq!(group.workers(), []);
    assert!(!group.is_running());
}

#[test]
fn workers_that_were_added_are_listed_before_those_from_the_start() {
    let group = group(12).start().expect("it starts");
    let initial = group.workers();
    let added = group.add_worker(|_| Ok(Member)).expect("the group runs");
    let all: Vec<Pid> = std::iter::once(added).chain(initial.iter().cloned()).collect();
    assert_eq!(group.workers(), all);
    initial[3].kill();
    group.run_due();
    let now = group.workers();
    assert_ne!(now[4], all[4]);
    assert_eq!((&now[..4], &now[5..]), (&all[..4], &all[5..]), "the new one has the place of the old one");
}

#[test]
fn two_groups_of_one_id_do_not_run_at_the_same_time() {
    let book = Arc::new(Book::default());
    let start = || group(0).directory(Arc::<Book>::clone(&book)).start();
    let first = start().expect("it starts");
    let taken = start().expect_err("the id is taken");
    assert!(matches!(taken, GroupError::AlreadyStarted(holder) if holder == *first.pid()));
    drop(first);
    let second = start().expect("the first has ended");
    assert!(second.is_running());
}

#[test]
fn a_group_needs_a_coordinator_and_has_a_limit() {
    let nobody = Group::builder(Name::from_static("mine")).start();
    assert!(matches!(nobody, Err(GroupError::NoCoordinator)));
    let error = foundation_types::Error::from(GroupError::NoCoordinator);
    assert_eq!(error.code(), 3001);
    assert!(matches!(group(MAX_GROUP_SIZE).start(), Err(GroupError::TooMany)));
}

#[test]
fn a_group_that_is_killed_from_outside_shuts_down() {
    let builder = Group::builder(Name::from_static("mine")).coordinator(|_| Ok(Member)).workers(3, |_| Ok(Member));
    let group = builder.start().expect("it starts");
    let members: Vec<Pid> = group.coordinator().into_iter().chain(group.workers()).collect();
    assert_eq!(members.len(), 4);
    group.pid().kill();
    // The thread of the group finds it out.
    for member in members {
        assert_eq!(member.monitor().wait(), ExitReason::Killed);
    }
}
