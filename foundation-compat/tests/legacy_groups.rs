//! Groups by their old names, on the global instance.

use foundation_compat::beam::{ecosystem_supervisor as ecosystem, processes};
use foundation_compat::lifecycle::{BoxError, Group, GroupError, Service, ServiceContext};
use foundation_compat::{ServiceName, Value, global};
use foundation_types::liveness::ShutdownSignal;
use foundation_types::{Name, Pid, Scope};

struct Member(u32);

impl Service for Member {
    fn start(&self, context: &ServiceContext) -> Result<(), BoxError> {
        assert!(self.0 < 100, "told to panic");
        context.spawn(Name::from_static("work"), ShutdownSignal::wait)?;
        Ok(())
    }
}

fn config(id: &'static str, workers: usize) -> ecosystem::GroupBuilder {
    Group::builder(Name::from_static(id)).coordinator(|_| Ok(Member(0))).workers(workers, |_| Ok(Member(1)))
}

#[test]
fn a_group_is_in_the_registry_as_long_as_it_runs() {
    let instance = global::get();
    let name = ServiceName::scoped(Scope::EcosystemSupervisor, Name::from_static("entered"));
    let entry = || instance.registry().lookup(instance.namespace(), &name);
    let group = ecosystem::start_link(config("entered", 2)).expect("it starts");
    assert_eq!(entry().expect("it is entered"), *group.pid());
    let entered = instance.registry().entry(instance.namespace(), &name).expect("it is entered");
    let metadata = entered.metadata;
    assert_eq!(metadata.get("ecosystem_id"), Some(&Value::from("entered")));
    assert_eq!(metadata.get("type"), Some(&Value::from("ecosystem_supervisor")));
    assert!(metadata.contains_key("started_at"));

    let twin = ecosystem::start_link(config("entered", 0)).expect_err("the id is taken");
    assert!(matches!(twin, GroupError::AlreadyStarted(holder) if holder == *group.pid()));
    assert!(ecosystem::shutdown(&group).is_clean());
    assert!(entry().is_err());
}

#[test]
fn members_come_and_go_and_the_dead_are_replaced() {
    let group = processes::spawn_ecosystem(config("busy", 3)).expect("it starts");
    let added = ecosystem::add_worker(&group, |_, args: &u32| Ok(Member(*args)), 7).expect("the group runs");
    assert_eq!(ecosystem::list_workers(&group)[0], added);
    let refused = ecosystem::add_worker(&group, |_, args: &u32| Ok(Member(*args)), 100).expect_err("it panics");
    assert!(matches!(refused, GroupError::Member(_)));
    assert_eq!(processes::ecosystem_info(&group).total_processes, 5);

    let initial: Vec<Pid> = ecosystem::list_workers(&group).into_iter().skip(1).collect();
    ecosystem::remove_worker(&group, &initial[0]).expect("it is a worker");
    assert!(matches!(ecosystem::remove_worker(&group, &initial[0]), Err(GroupError::NotFound)));
    assert_eq!(ecosystem::list_workers(&group).len(), 3);

    // The thread of the group replaces it. Adding a worker comes after that: operations take place one after the other.
    let coordinator = ecosystem::get_coordinator(&group).expect("it runs");
    coordinator.kill();
    ecosystem::add_worker_2(&group, |_| Ok(Member(8))).expect("the group runs");
    let replaced = ecosystem::get_coordinator(&group).expect("it runs again");
    assert_ne!(replaced, coordinator);
    assert_eq!(ecosystem::get_ecosystem_info(&group).total_processes, 5);

    let report = processes::shutdown_ecosystem(&group);
    assert_eq!(report.services.len(), 5);
    assert_eq!(processes::ecosystem_info(&group).total_processes, 0);
    assert!(ecosystem::list_workers(&group).is_empty());
    assert!(matches!(ecosystem::get_coordinator(&group), Err(GroupError::Ended)));
}
