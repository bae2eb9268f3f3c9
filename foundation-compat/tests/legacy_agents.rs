//! Agents by their old names.

#![cfg(feature = "agent")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use foundation_compat::agent_registry::{AgentRegistry, reason};
use foundation_compat::foundation_registry::AgentError;
use foundation_compat::foundation_types::agent::strategies;
use foundation_compat::foundation_types::{
    AgentInfoError, Clock, ManualClock, Name, Ratio, ResourceKind, ResourceUsage, Scope,
};
use foundation_compat::process_registry::{ProcessRegistry, UpdateError};
use foundation_compat::types::agent_info;
use foundation_compat::{
    AgentFeatures, AgentId, AgentState, AgentType, Capability, Foundation, Health, Metadata, MetadataView, Namespace,
    NodeId, Owner, ProcessId, ServiceName, Value,
};
use proptest::prelude::*;

const SCOUT: AgentId = AgentId::from_static("scout");
const READER: AgentId = AgentId::from_static("reader");
const SCAN: Capability = Capability::from_static("scan");
const READ: Capability = Capability::from_static("read");

fn scans() -> Metadata {
    Metadata::new().with("capabilities", vec!["scan"])
}

fn ids(found: Result<Vec<foundation_compat::process_registry::agent::AgentTriple>, AgentError>) -> BTreeSet<AgentId> {
    let found = found.expect("on and open");
    let ids: BTreeSet<_> = found.iter().map(|(id, ..)| id.clone()).collect();
    assert_eq!(ids.len(), found.len(), "each once");
    ids
}

/// A registry with two agents: a healthy scanner, and a degraded one that reads as well and is short of memory.
fn two_agents() -> (Foundation, ProcessRegistry, Namespace, [Owner; 2]) {
    let foundation = Foundation::isolated();
    let (process, here) = (ProcessRegistry::from(&foundation), foundation.namespace().clone());
    let owners = [Owner::new(), Owner::new()];
    process.register_agent(&here, &SCOUT, &owners[0].pid(), &scans().with("type", "ml_agent")).expect("free");
    let ballots = Metadata::new().with("active_consensus", vec!["plan"]);
    let reader = Metadata::new()
        .with("capabilities", vec!["read", "scan"])
        .with("health_status", "degraded")
        .with("resources", Metadata::new().with("memory_usage", Ratio::saturating(0.9)))
        .with("coordination_state", ballots);
    process.register_agent(&here, &READER, &owners[1].pid(), &reader).expect("free");
    (foundation, process, here, owners)
}

#[test]
fn d12_queries_find_what_their_names_say() {
    let (_foundation, process, here, owners) = two_agents();
    let (both, none) = (BTreeSet::from([SCOUT, READER]), BTreeSet::new());
    assert_eq!(ids(process.list_agents(&here)), both);
    assert_eq!(ids(process.lookup_agents_by_capability(&here, &SCAN)), both);
    assert_eq!(ids(process.lookup_agents_by_capabilities(&here, &[SCAN, READ])), [READER].into());
    assert_eq!(ids(process.lookup_agents_by_capabilities(&here, &[])), both);
    assert_eq!(ids(process.lookup_healthy_agents_by_capability(&here, &SCAN)), [SCOUT].into());
    assert_eq!(ids(process.lookup_agents_by_health(&here, Health::Degraded)), [READER].into());
    let by_memory = |share| {
        ids(process.lookup_agents_by_resource_usage(&here, ResourceKind::Memory, Ratio::saturating(share).into()))
    };
    assert_eq!((by_memory(0.9), by_memory(0.91)), ([READER].into(), none.clone()));
    assert_eq!(ids(process.lookup_agents_in_coordination(&here)), [READER].into());
    assert_eq!(ids(process.lookup_agents_in_consensus(&here, &Name::from_static("plan"))), [READER].into());
    assert_eq!(ids(process.lookup_agents_in_consensus(&here, &Name::from_static("other"))), none);
    assert_eq!(ids(process.list_agents(&Namespace::Production)), none);

    let (pid, info) = process.lookup_agent(&here, &SCOUT).expect("registered");
    assert_eq!((pid, info.agent_type().to_string().as_str()), (owners[0].pid(), "ml_agent"));
    let overview = process.get_system_health_overview(&here).expect("on");
    assert_eq!((overview.total_agents, overview.healthy_count, overview.degraded_count), (2, 1, 1));
    let usage = process.get_resource_usage_stats(&here).expect("on");
    assert_eq!((usage.agents_count, usage.max_memory_usage), (2, Some(Ratio::saturating(0.9))));
    assert_eq!(process.get_agent_stats(&here).expect("on").capability_distribution[&SCAN], 2);
}

#[test]
fn d12_registration_is_checked_and_a_repeat_is_refused() {
    let (_foundation, process, here, owners) = two_agents();
    let register = |id: &AgentId, metadata: &Metadata| process.register_agent(&here, id, &owners[0].pid(), metadata);
    assert_eq!(register(&SCOUT, &scans()), Err(AgentError::AlreadyRegistered { holder: owners[0].pid() }));
    let third = AgentId::from_static("third");
    let wrong = register(&third, &Metadata::new().with("capabilities", "scan")).expect_err("not a list");
    assert_eq!(reason(&wrong), "invalid_capabilities");
    assert_eq!(
        reason(&register(&third, &scans().with("health", "fine")).expect_err("no health")),
        "invalid_health_status"
    );
    assert_eq!(reason(&register(&third, &scans().with("type", 7)).expect_err("no type")), "invalid_type");
    let dead = Owner::new().pid();
    let dead = process.register_agent(&here, &third, &dead, &scans()).expect_err("dead");
    assert_eq!(reason(&dead), "dead_process");
    assert_eq!(process.lookup_agent(&here, &third), Err(AgentError::NotFound), "a refused one leaves nothing");
}

#[test]
fn agents_and_services_do_not_show_up_in_each_others_lists() {
    let (_foundation, process, here, owners) = two_agents();
    assert_eq!(process.count_services(&here), Ok(0));
    assert_eq!(process.stats().expect("open").total_services, 0);
    let name = ServiceName::agent(&SCOUT);
    assert_eq!(process.lookup(&here, &name), Ok(owners[0].pid()), "by its exact name");
    assert_eq!(process.update_metadata(&here, &name, Metadata::new()), Err(UpdateError::InvalidMetadata));

    let service = ServiceName::scoped(Scope::Agent, Name::from_static("service"));
    process.register_3(&here, &service, &owners[0].pid()).expect("free");
    assert_eq!(process.lookup_agent(&here, &AgentId::from_static("service")), Err(AgentError::NotFound));
    assert_eq!(process.list_services(&here), Ok(vec![service]));
    assert_eq!(process.unregister(&here, &name), Ok(()));
    assert_eq!(process.lookup_agent(&here, &SCOUT), Err(AgentError::NotFound));
}

#[test]
fn an_update_replaces_the_record_and_goes_on_counting() {
    let (_foundation, process, here, _owners) = two_agents();
    let before = process.lookup_agent(&here, &READER).expect("registered").1;
    let update = Metadata::new().with("capabilities", vec!["write"]).with("health", "unhealthy");
    process.update_agent_metadata(&here, &READER, &update).expect("registered");
    let after = process.lookup_agent(&here, &READER).expect("registered").1;
    assert_eq!(after.capabilities().iter().map(Capability::as_str).collect::<Vec<_>>(), ["write"]);
    assert!(after.resource_usage().is_empty() && !after.coordination().is_active(), "nothing is merged");
    assert_eq!((after.created_at(), after.version()), (before.created_at(), before.version() + 1));
    assert_eq!(ids(process.lookup_agents_by_capability(&here, &SCAN)), [SCOUT].into());

    assert_eq!(
        process.update_agent_metadata(&here, &AgentId::from_static("third"), &update),
        Err(AgentError::NotFound)
    );
    let wrong = process.update_agent_metadata(&here, &READER, &update.clone().with("state", "flying"));
    assert_eq!(reason(&wrong.expect_err("no state")), "invalid_metadata");
    assert_eq!(process.update_agent_health(&here, &READER, Health::Healthy), Ok(Health::Unhealthy));
    assert_eq!(process.transition_agent(&here, &READER, AgentState::Ready), Ok(()));
    let history: Vec<_> = process.get_agent_health_history(&here, &READER).expect("on").iter().map(|c| c.to).collect();
    assert_eq!(history, [Health::Degraded, Health::Unhealthy, Health::Healthy]);
    assert_eq!(process.unregister_agent(&here, &READER), Ok(()));
    assert_eq!(process.get_agent_health_history(&here, &READER), Ok(vec![]));
}

#[test]
fn what_is_off_says_so_before_anything_else() {
    let (foundation, process, here, _owners) = two_agents();
    let agents = AgentRegistry::from(&foundation);
    foundation.set_agent_features(AgentFeatures::Disabled);
    let nonsense = Metadata::new().with("capabilities", 7);
    let third = AgentId::from_static("third");
    assert_eq!(process.update_agent_metadata(&here, &third, &nonsense), Err(AgentError::Disabled));
    let pid = Owner::new().pid();
    assert_eq!(process.register_agent(&here, &third, &pid, &nonsense), Err(AgentError::Disabled));
    assert_eq!(agents.register_local(&third, &pid, &nonsense), Err(AgentError::Disabled));
    assert_eq!(agents.find_by_health(Health::Healthy).map(drop), Err(AgentError::Disabled));
    assert_eq!(agents.unregister_local_1(&SCOUT), Ok(()), "giving up is always possible");
    foundation.set_agent_features(AgentFeatures::Enabled);
    assert_eq!(ids(process.list_agents(&here)), [READER].into());
}

#[test]
fn the_metadata_mode_is_a_view() {
    let (_foundation, process, here, _owners) = two_agents();
    let name = ServiceName::agent(&READER);
    let enhanced = process.get_metadata(&here, &name);
    assert_eq!(process.configure_metadata_mode(MetadataView::Basic), MetadataView::Enhanced);
    let basic = Metadata::new().with("type", "agent").with("health", "degraded");
    assert_eq!(process.get_metadata(&here, &name), Ok(Arc::new(basic)));
    assert_eq!(ids(process.lookup_agents_by_capability(&here, &SCAN)), BTreeSet::new());
    assert_eq!(ids(process.lookup_agents_by_health(&here, Health::Degraded)), [READER].into());
    assert_eq!(process.configure_metadata_mode(MetadataView::Enhanced), MetadataView::Basic);
    assert_eq!(process.get_metadata(&here, &name), enhanced);
}

fn process(namespace: &Namespace, name: ServiceName) -> ProcessId {
    ProcessId { namespace: namespace.clone(), node: NodeId::local().clone(), name }
}

#[test]
fn processes_are_agents_of_all_namespaces() {
    let foundation = Foundation::isolated();
    let agents = AgentRegistry::from(&foundation);
    let (one, two) = (Owner::new(), Owner::new());
    let here = process(foundation.namespace(), ServiceName::from_static("scout"));
    let there = process(&Namespace::Production, ServiceName::agent(&SCOUT));
    agents.register(&here, &one.pid(), &scans()).expect("free");
    agents.register_2(&there, &two.pid()).expect("free");

    let (pid, info) = agents.lookup(&here).expect("registered");
    assert_eq!((pid, info.agent_type()), (one.pid(), &AgentType::Service), "no type means service");
    assert_eq!(agents.lookup_local_1(&SCOUT).expect("the same one").0, one.pid());
    assert_eq!(agents.cluster_lookup(&there).expect("registered").0, two.pid());
    let pids = |found: Result<Vec<_>, _>| -> BTreeSet<_> {
        found.expect("on").into_iter().map(|(pid, _): (foundation_compat::Pid, _)| pid).collect()
    };
    assert_eq!(pids(agents.find_by_capability(&SCAN)), [one.pid()].into());
    assert_eq!(pids(agents.find_by_type(&AgentType::Service)), [one.pid(), two.pid()].into());
    assert_eq!(pids(agents.find_by_health(Health::Healthy)), [one.pid(), two.pid()].into(), "none given means healthy");
    assert_eq!(pids(agents.list_all_0()), [two.pid()].into());
    assert_eq!(pids(agents.list_all(foundation.namespace())), [one.pid()].into());

    let again = agents.register_local_2(&SCOUT, &one.pid());
    assert_eq!(again, Err(AgentError::AlreadyRegistered { holder: one.pid() }), "the same owner, too");
    assert_eq!(agents.unregister(&here), Ok(()));
    assert_eq!(agents.lookup(&here), Err(AgentError::NotFound));
    assert_eq!(agents.register_local_2(&SCOUT, &two.pid()), Ok(()));
    drop(one);
    assert_eq!(agents.lookup_local(&SCOUT, foundation.namespace()).expect("its successor").0, two.pid());
}

#[test]
fn processes_of_other_nodes_and_odd_names() {
    let foundation = Foundation::isolated();
    let agents = AgentRegistry::from(&foundation);
    let owner = Owner::new();
    let remote = ProcessId { node: NodeId::from_static("far@away"), ..process(foundation.namespace(), "scout".into()) };
    let refused = agents.register_2(&remote, &owner.pid()).expect_err("remote");
    assert_eq!((&refused, reason(&refused)), (&AgentError::RemoteNode(remote.node.clone()), "invalid_process_id"));
    assert_eq!(agents.lookup(&remote), Err(AgentError::NotFound));
    assert_eq!(agents.unregister(&remote), Ok(()));
    assert_eq!(agents.migrate_agent(&SCOUT, &remote.node), Err(AgentError::NotImplemented));

    let market = process(foundation.namespace(), ServiceName::scoped(Scope::Mabeam, Name::from_static("market")));
    agents.register_2(&market, &owner.pid()).expect("free");
    assert_eq!(agents.lookup_local_1(&AgentId::from_static("mabeam:market")).expect("registered").0, owner.pid());
    let long = ServiceName::scoped(Scope::Mabeam, Name::new("n".repeat(255)).expect("just short enough"));
    let refused = agents.register_2(&process(foundation.namespace(), long), &owner.pid()).expect_err("too long");
    assert_eq!(reason(&refused), "invalid_process_id");
}

#[test]
fn register_agent_3_stamps_and_forces_the_type() {
    let clock = ManualClock::new();
    let foundation = Foundation::builder().clock(Arc::new(clock.clone())).build().expect("in range");
    let agents = AgentRegistry::from(&foundation);
    let owner = Owner::new();
    clock.advance(Duration::from_mins(1));
    let config = scans().with("type", "service").with("last_health_check", "2020-01-01T00:00:00Z");
    agents.register_agent_3(&SCOUT, &owner.pid(), &config).expect("free");
    let info = agents.get_agent_metadata(&SCOUT).expect("registered");
    assert_eq!((info.agent_type(), info.health().overall_health), (&AgentType::Agent, Health::Healthy));
    let now = clock.wall();
    assert_eq!((info.created_at(), info.health().last_health_check), (now, now));
    assert_eq!(info.node_affinity(), [NodeId::local().clone()]);
    assert_eq!(agents.update_agent_health(&SCOUT, Health::Critical), Ok(()));
    assert_eq!(agents.get_agent_metadata(&SCOUT).expect("registered").health().overall_health, Health::Critical);
    assert_eq!(agents.update_agent_health(&READER, Health::Critical), Err(AgentError::NotFound));
}

proptest! {
    #[test]
    fn t14_a_record_reads_back_from_its_map(info in strategies::agent_info()) {
        let map = agent_info::to_map(&info);
        prop_assert_eq!(agent_info::from_map(&map), Ok(info.clone()));
        let text = serde_json::to_string(&map).expect("plain data");
        prop_assert_eq!(agent_info::from_map(&serde_json::from_str(&text).expect("JSON")), Ok(info));
    }

    #[test]
    fn t06_each_change_is_a_new_version_and_leaves_the_record_as_it_is(
        info in strategies::agent_info(), health in strategies::health(), usage in strategies::resource_usage(),
        performance in strategies::performance_patch(), coordination in strategies::coordination_patch(),
        state in strategies::agent_state(),
    ) {
        let before = info.clone();
        let changed = [
            agent_info::update_health(&info, health, &usage),
            agent_info::update_health_2(&info, health),
            agent_info::update_performance(&info, &performance),
            agent_info::update_coordination(&info, coordination),
            agent_info::add_capability(&info, SCAN),
            agent_info::remove_capability(&info, &SCAN),
        ];
        for changed in &changed {
            prop_assert_eq!(changed.version(), info.version().saturating_add(1));
            prop_assert_eq!(changed.created_at(), info.created_at());
            prop_assert!(changed.last_updated() >= info.last_updated());
        }
        prop_assert!(agent_info::has_capability(&changed[4], &SCAN));
        prop_assert!(!agent_info::has_capability(&changed[5], &SCAN));
        match agent_info::update_state(&info, state) {
            Ok(moved) => prop_assert_eq!((moved.state(), moved.version()), (state, info.version().saturating_add(1))),
            Err(error) => {
                let refused = AgentInfoError::InvalidStateTransition { from: info.state(), to: state };
                prop_assert_eq!(error, refused);
            }
        }
        prop_assert_eq!(info, before);
    }
}

#[test]
fn a_record_is_made_of_parameters() {
    let parameters = || Metadata::new().with("agent_id", "scout").with("initial_state", "ready");
    let scout = agent_info::new(&parameters().with("capability", "scan")).expect("complete");
    assert_eq!((scout.agent_id(), scout.state(), scout.version()), (&SCOUT, AgentState::Ready, 1));
    assert_eq!(scout.capabilities().iter().collect::<Vec<_>>(), [&SCAN]);
    let plural = agent_info::new(&parameters().with("capability", "scan").with("capabilities", vec!["read"]));
    assert_eq!(plural.expect("complete").capabilities().iter().collect::<Vec<_>>(), [&READ], "the plural wins");
    assert_eq!(agent_info::new(&Metadata::new()), Err(AgentInfoError::MissingAgentId));
    assert_eq!(agent_info::new(&Metadata::new().with("agent_id", Value::Null)), Err(AgentInfoError::MissingAgentId));
    let field = |parameters| match agent_info::new(&parameters) {
        Err(AgentInfoError::InvalidField { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(field(Metadata::new().with("agent_id", 7)), "agent_id");
    assert_eq!(field(Metadata::new().with("agent_id", "")), "agent_id");
    assert_eq!(field(parameters().with("initial_state", "flying")), "state");
}

#[test]
#[should_panic(expected = "Invalid agent info: missing agent id")]
fn new_or_panic_panics_with_the_reason() {
    agent_info::new_or_panic(&Metadata::new());
}

#[test]
fn summaries_tell_health_and_availability() {
    let scout = agent_info::new_or_panic(&Metadata::new().with("agent_id", "scout").with("initial_state", "ready"));
    assert!(!agent_info::healthy(&scout) && !agent_info::available(&scout), "nobody has reported on it");
    let usage = ResourceUsage::new().with_memory(Ratio::saturating(0.95));
    let scout = agent_info::update_health(&scout, Health::Degraded, &usage);
    assert!(!agent_info::healthy(&scout) && agent_info::available(&scout));
    let summary = agent_info::status_summary(&scout);
    assert_eq!((summary.agent_id, summary.health, summary.version), (SCOUT, Health::Degraded, 2));
}
