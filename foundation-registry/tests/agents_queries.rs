//! Finding agents, and summing them up.
#![cfg(feature = "agent")]

use foundation_registry::{AgentEntry, AgentError, AgentQuery, Registry};
use foundation_types::agent::CoordinationLists;
use foundation_types::{
    AgentId, AgentInfo, AgentType, Capability, Health, Name, Namespace, Owner, Ratio, ResourceKind, ResourceUsage,
    Timestamp,
};

const SCAN: Capability = Capability::from_static("scan");
const HERE: Namespace = Namespace::Production;

fn ids(found: Result<Vec<AgentEntry>, AgentError>) -> Vec<String> {
    let mut ids: Vec<_> = found.expect("on").iter().map(|agent| agent.id.to_string()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn queries_of_every_kind_find_their_agents_and_no_others() {
    let (registry, owner) = (Registry::new(), Owner::new());
    let agents = registry.agents();
    let ballot = Name::from_static("ballot");
    let voting = CoordinationLists { active_consensus: vec![ballot.clone()], ..CoordinationLists::default() };
    let locking = CoordinationLists { held_locks: vec![ballot.clone()], ..CoordinationLists::default() };
    let fleet = [
        AgentInfo::builder(AgentId::from_static("a")).capability(SCAN).coordination(voting),
        AgentInfo::builder(AgentId::from_static("b")).capability(SCAN).health(Health::Degraded).coordination(locking),
        AgentInfo::builder(AgentId::from_static("c"))
            .agent_type(AgentType::Service)
            .resource_usage(ResourceUsage::new().with_cpu(Ratio::saturating(0.5)).with_network(7)),
    ];
    for info in fleet {
        let info = info.build_at(Timestamp::UNIX_EPOCH);
        agents.register(&HERE, &info.agent_id().clone(), &owner.pid(), info).expect("free");
    }
    let find = |query: AgentQuery| ids(agents.query(&HERE, &query));
    let query = AgentQuery::new;
    assert_eq!(find(query()), ["a", "b", "c"]);
    assert_eq!(find(query().capabilities([])), ["a", "b", "c"], "no capability asked for");
    assert_eq!(find(query().capability(SCAN)), ["a", "b"]);
    assert_eq!(find(query().capability(SCAN).health(Health::Healthy)), ["a"]);
    assert_eq!(find(query().health(Health::Healthy)), ["a", "c"]);
    assert_eq!(find(query().health(Health::Healthy).health(Health::Degraded)), [""; 0], "nobody is both");
    assert_eq!(find(query().agent_type(AgentType::Service)), ["c"]);
    assert_eq!(
        find(query().min_usage(ResourceKind::Cpu, Ratio::saturating(0.5))),
        ["c"],
        "the threshold itself counts"
    );
    assert_eq!(find(query().min_usage(ResourceKind::Cpu, Ratio::saturating(0.6))), [""; 0]);
    assert_eq!(find(query().min_usage(ResourceKind::Network, 7)), ["c"]);
    assert_eq!(find(query().min_usage(ResourceKind::Cpu, 0)), [""; 0], "a share is no number");
    assert_eq!(find(query().in_coordination()), ["a", "b"]);
    assert_eq!(find(query().in_consensus(ballot.clone())), ["a"]);
    assert_eq!(find(query().in_coordination().and(query().health(Health::Degraded))), ["b"]);

    let elsewhere = Namespace::test();
    let scout = AgentInfo::builder(AgentId::from_static("scout")).capability(SCAN).build_at(Timestamp::UNIX_EPOCH);
    agents.register(&elsewhere, &scout.agent_id().clone(), &owner.pid(), scout).expect("free");
    let everywhere = agents.query_everywhere(&query().capability(SCAN)).expect("on");
    let mut everywhere: Vec<_> = everywhere.iter().map(|(here, agent)| (here == &HERE, agent.id.as_str())).collect();
    everywhere.sort_unstable();
    assert_eq!(everywhere, [(false, "scout"), (true, "a"), (true, "b")]);
    drop(owner);
    assert!(agents.query_everywhere(&query()).expect("on").is_empty());
}

#[test]
fn summaries_count_and_average_what_agents_report() {
    let (registry, owner) = (Registry::new(), Owner::new());
    let agents = registry.agents();
    let empty = agents.overview(&HERE).expect("on");
    assert_eq!((empty.total_agents, empty.health_percentage), (0, Ratio::ONE));
    let nothing = agents.resource_stats(&HERE).expect("on");
    assert_eq!((nothing.agents_count, nothing.average_memory_usage, nothing.max_cpu_usage), (0, None, None));

    let usage = |memory: Option<f64>, network| {
        let mut usage = ResourceUsage::new();
        (usage.memory, usage.network) = (memory.map(Ratio::saturating), network);
        usage
    };
    let fleet = [
        ("a", Health::Healthy, usage(Some(0.25), Some(2)), vec![SCAN]),
        ("b", Health::Degraded, usage(Some(0.75), None), vec![SCAN, Capability::from_static("fly")]),
        ("c", Health::Healthy, usage(None, Some(4)), Vec::new()),
        ("d", Health::Critical, usage(None, None), Vec::new()),
    ];
    for (name, health, usage, capabilities) in fleet {
        let id = AgentId::from_static(name);
        let info = AgentInfo::builder(id.clone()).health(health).resource_usage(usage).capabilities(capabilities);
        agents.register(&HERE, &id, &owner.pid(), info.build_at(Timestamp::UNIX_EPOCH)).expect("free");
    }

    let overview = agents.overview(&HERE).expect("on");
    assert_eq!((overview.total_agents, overview.healthy_count, overview.degraded_count), (4, 2, 1));
    assert_eq!((overview.critical_count, overview.unhealthy_count, overview.unknown_count), (1, 0, 0));
    assert_eq!(overview.health_percentage, Ratio::saturating(0.5));

    let resources = agents.resource_stats(&HERE).expect("on");
    assert_eq!((resources.agents_count, resources.average_cpu_usage, resources.max_cpu_usage), (4, None, None));
    assert_eq!(resources.average_memory_usage, Some(Ratio::saturating(0.5)));
    assert_eq!(resources.max_memory_usage, Some(Ratio::saturating(0.75)));

    let stats = agents.stats(&HERE).expect("on");
    assert_eq!((stats.total_agents, stats.health_distribution.len()), (4, 3));
    assert_eq!(stats.health_distribution.get(&Health::Healthy), Some(&2));
    assert_eq!(stats.health_distribution.get(&Health::Unknown), None, "no zero entries");
    assert_eq!(stats.capability_distribution.get(&SCAN), Some(&2));
    let average = stats.average_resource_usage;
    assert_eq!((average.get(&ResourceKind::Memory), average.get(&ResourceKind::Network)), (Some(&0.5), Some(&3.0)));
    assert_eq!(average.len(), 2);
}
