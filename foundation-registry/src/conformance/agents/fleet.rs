//! Random agents, what happens to them, and what is asked about them.

use std::sync::Arc;
use std::time::Duration;

use foundation_types::agent::CoordinationLists;
use foundation_types::{
    AgentId, AgentInfo, AgentState, AgentType, Capability, Classify, FeatureGate, Health, ManualClock, Metadata,
    MetadataView, Name, Namespace, Owner, Pid, Ratio, ResourceKind, ResourceUsage, ResourceValue, Timestamp,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::agents::{AgentEntry, AgentError, AgentQuery};
use crate::conformance::Factory;
use crate::registry::Registry;

pub(super) const AGENTS: usize = 5;
pub(super) const OWNERS: usize = 3;
const CAPABILITIES: usize = 3;
const BALLOTS: usize = 2;

pub(super) fn id(number: usize) -> AgentId {
    AgentId::new(format!("agent-{number}")).expect("a valid name")
}

pub(super) fn capability(number: usize) -> Capability {
    Capability::new(format!("capability-{number}")).expect("a valid name")
}

fn ballot(number: usize) -> Name {
    Name::new(format!("ballot-{number}")).expect("a valid name")
}

/// What a record is made of, small enough that agents have much in common.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    agent_type: AgentType,
    health: Health,
    state: AgentState,
    capabilities: Vec<usize>,
    memory: Option<Ratio>,
    network: Option<u64>,
    ballots: Vec<usize>,
    holds_lock: bool,
    free: Option<i64>,
}

impl Draft {
    pub(super) fn info(&self, id: AgentId, now: Timestamp) -> AgentInfo {
        let mut usage = ResourceUsage::new();
        (usage.memory, usage.network) = (self.memory, self.network);
        let lists = CoordinationLists {
            active_consensus: self.ballots.iter().copied().map(ballot).collect(),
            held_locks: self.holds_lock.then(|| ballot(0)).into_iter().collect(),
            ..CoordinationLists::default()
        };
        AgentInfo::builder(id)
            .agent_type(self.agent_type.clone())
            .health(self.health)
            .state(self.state)
            .capabilities(self.capabilities.iter().copied().map(capability))
            .resource_usage(usage)
            .coordination(lists)
            .metadata(self.free.map_or_else(Metadata::new, |free| Metadata::new().with("free", free)))
            .build_at(now)
    }
}

pub(super) fn drafts() -> impl Strategy<Value = Draft> + Clone {
    let what = (agent_types(), healths(), select(AgentState::ALL.to_vec()));
    let capabilities = proptest::collection::vec(0..CAPABILITIES, 0..3);
    let usage = (proptest::option::of(ratios()), proptest::option::of(0..3_u64));
    let coordination = (proptest::collection::vec(0..BALLOTS, 0..2), any::<bool>());
    (what, capabilities, usage, coordination, proptest::option::of(0..3_i64)).prop_map(
        |((agent_type, health, state), capabilities, (memory, network), (ballots, holds_lock), free)| Draft {
            agent_type,
            health,
            state,
            capabilities,
            memory,
            network,
            ballots,
            holds_lock,
            free,
        },
    )
}

fn agent_types() -> impl Strategy<Value = AgentType> + Clone {
    let other = AgentType::new("ml_agent").expect("a valid name");
    select(vec![AgentType::Agent, AgentType::Service, other])
}

pub(super) fn healths() -> impl Strategy<Value = Health> + Clone {
    select(Health::ALL.to_vec())
}

/// Sums of these are exact, in whatever order.
fn ratios() -> impl Strategy<Value = Ratio> + Clone {
    select(vec![0.0, 0.5, 0.875]).prop_map(Ratio::saturating)
}

/// One condition of a query, with its meaning spelt out apart from the registry's.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    Capabilities(Vec<usize>),
    Health(Health),
    Type(AgentType),
    Usage(ResourceKind, ResourceValue),
    InCoordination,
    InConsensus(usize),
}

impl Condition {
    pub(super) fn query(&self) -> AgentQuery {
        let all = AgentQuery::new();
        match self {
            Self::Capabilities(capabilities) => all.capabilities(capabilities.iter().copied().map(capability)),
            Self::Health(health) => all.health(*health),
            Self::Type(agent_type) => all.agent_type(agent_type.clone()),
            Self::Usage(kind, threshold) => all.min_usage(kind.clone(), *threshold),
            Self::InCoordination => all.in_coordination(),
            Self::InConsensus(number) => all.in_consensus(ballot(*number)),
        }
    }

    pub(super) fn holds(&self, info: &AgentInfo) -> bool {
        match self {
            Self::Capabilities(wanted) => {
                wanted.iter().all(|number| info.capabilities().iter().any(|has| *has == capability(*number)))
            }
            Self::Health(health) => info.health().overall_health == *health,
            Self::Type(agent_type) => info.agent_type() == agent_type,
            Self::Usage(ResourceKind::Memory, ResourceValue::Ratio(threshold)) => {
                info.resource_usage().memory.is_some_and(|used| used.get() >= threshold.get())
            }
            Self::Usage(ResourceKind::Network, ResourceValue::Count(threshold)) => {
                info.resource_usage().network.is_some_and(|used| used >= *threshold)
            }
            // A share of a resource that is counted, or the other way round.
            Self::Usage(..) => false,
            Self::InCoordination => info.coordination().lists.lists().iter().any(|list| !list.is_empty()),
            Self::InConsensus(number) => info.coordination().lists.active_consensus.contains(&ballot(*number)),
        }
    }
}

pub(super) fn conditions() -> impl Strategy<Value = Vec<Condition>> + Clone {
    let usage = select(vec![
        (ResourceKind::Memory, ResourceValue::Ratio(Ratio::saturating(0.5))),
        (ResourceKind::Memory, ResourceValue::Count(0)),
        (ResourceKind::Network, ResourceValue::Count(1)),
        (ResourceKind::Network, ResourceValue::Ratio(Ratio::ZERO)),
        (ResourceKind::Gpu, ResourceValue::Ratio(Ratio::ZERO)),
    ]);
    let condition = prop_oneof![
        3 => proptest::collection::vec(0..CAPABILITIES + 1, 0..3).prop_map(Condition::Capabilities),
        2 => healths().prop_map(Condition::Health),
        2 => agent_types().prop_map(Condition::Type),
        2 => usage.prop_map(|(kind, threshold)| Condition::Usage(kind, threshold)),
        1 => Just(Condition::InCoordination),
        1 => (0..BALLOTS).prop_map(Condition::InConsensus),
    ];
    proptest::collection::vec(condition, 0..4)
}

pub(super) fn query_of(conditions: &[Condition]) -> AgentQuery {
    conditions.iter().fold(AgentQuery::new(), |query, condition| query.and(condition.query()))
}

/// Something that happens to agents.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Register { agent: usize, owner: usize, draft: Draft },
    RegisterDead { agent: usize, draft: Draft },
    Update { agent: usize, draft: Draft },
    SetHealth { agent: usize, health: Health },
    AddCapability { agent: usize, capability: usize },
    Transition { agent: usize, to: AgentState },
    Unregister { agent: usize },
    Die { owner: usize },
    Tick,
}

impl Op {
    /// Whether it is done whatever the switches say.
    pub(super) const fn is_always_on(&self) -> bool {
        matches!(self, Self::Unregister { .. } | Self::Die { .. } | Self::Tick)
    }
}

pub(super) fn op() -> impl Strategy<Value = Op> + Clone {
    let agent = 0..AGENTS;
    prop_oneof![
        8 => (agent.clone(), 0..OWNERS, drafts())
            .prop_map(|(agent, owner, draft)| Op::Register { agent, owner, draft }),
        1 => (agent.clone(), drafts()).prop_map(|(agent, draft)| Op::RegisterDead { agent, draft }),
        3 => (agent.clone(), drafts()).prop_map(|(agent, draft)| Op::Update { agent, draft }),
        3 => (agent.clone(), healths()).prop_map(|(agent, health)| Op::SetHealth { agent, health }),
        2 => (agent.clone(), 0..CAPABILITIES)
            .prop_map(|(agent, capability)| Op::AddCapability { agent, capability }),
        1 => (agent.clone(), select(AgentState::ALL.to_vec())).prop_map(|(agent, to)| Op::Transition { agent, to }),
        2 => agent.prop_map(|agent| Op::Unregister { agent }),
        1 => (0..OWNERS).prop_map(|owner| Op::Die { owner }),
        1 => Just(Op::Tick),
    ]
}

/// A registry with owners and a clock of its own, so that two of them can be driven alike.
pub(super) struct Fleet {
    pub(super) registry: Registry,
    pub(super) gate: FeatureGate,
    clock: Arc<ManualClock>,
    owners: Vec<Owner>,
}

/// An agent without identities: its id, the number of its owner, its record.
pub(super) type Plain = (AgentId, usize, AgentInfo);

impl Fleet {
    pub(super) fn new(factory: Factory<'_>) -> Self {
        let (gate, clock) = (FeatureGate::all_on(), Arc::new(ManualClock::new()));
        let builder = Registry::builder().backend(factory()).gate(gate.clone()).clock(clock.clone());
        let registry = builder.build().expect("the defaults are in range");
        Self { registry, gate, clock, owners: (0..OWNERS).map(|_| Owner::new()).collect() }
    }

    /// The last agent lives in a namespace of its own.
    pub(super) fn namespace(agent: usize) -> Namespace {
        if agent + 1 == AGENTS { Namespace::custom("elsewhere").expect("a valid name") } else { Namespace::Production }
    }

    pub(super) fn pid(&self, owner: usize) -> Pid {
        self.owners[owner].pid()
    }

    /// Does it, and says what came of it, without identities.
    pub(super) fn step(&mut self, op: &Op) -> Result<String, AgentError> {
        let agents = self.registry.agents();
        let now = foundation_types::Clock::wall(&*self.clock);
        match op {
            Op::Register { agent, owner, draft } => {
                let (namespace, id) = (Self::namespace(*agent), id(*agent));
                agents.register(&namespace, &id, &self.pid(*owner), draft.info(id.clone(), now))?;
            }
            Op::RegisterDead { agent, draft } => {
                let (namespace, id) = (Self::namespace(*agent), id(*agent));
                let dead = Owner::new().pid();
                agents.register(&namespace, &id, &dead, draft.info(id.clone(), now))?;
            }
            Op::Update { agent, draft } => {
                agents.update(&Self::namespace(*agent), &id(*agent), draft.info(id(*agent), now))?;
            }
            Op::SetHealth { agent, health } => {
                return Ok(agents.set_health(&Self::namespace(*agent), &id(*agent), *health)?.to_string());
            }
            Op::AddCapability { agent, capability: number } => {
                agents.modify(&Self::namespace(*agent), &id(*agent), |info| {
                    info.add_capability(capability(*number), now);
                })?;
            }
            Op::Transition { agent, to } => agents.transition(&Self::namespace(*agent), &id(*agent), *to)?,
            Op::Unregister { agent } => {
                return Ok(agents.unregister(&Self::namespace(*agent), &id(*agent))?.to_string());
            }
            Op::Die { owner } => drop(std::mem::replace(&mut self.owners[*owner], Owner::new())),
            Op::Tick => self.clock.advance(Duration::from_millis(1)),
        }
        Ok("done".to_owned())
    }

    /// The kind of what went wrong, or what came of it: comparable between fleets.
    pub(super) fn outcome(result: &Result<String, AgentError>) -> String {
        match result {
            Ok(text) => text.clone(),
            Err(error) => error.kind().to_string(),
        }
    }

    /// In order of ids, and without identities.
    pub(super) fn plain(&self, found: impl IntoIterator<Item = AgentEntry>) -> Vec<Plain> {
        let owner = |pid: &Pid| {
            self.owners.iter().position(|owner| owner.pid() == *pid).expect("only agents of living owners are found")
        };
        let mut plain: Vec<Plain> = found
            .into_iter()
            .map(|agent| {
                assert_eq!(agent.id, *agent.info.agent_id());
                (agent.id, owner(&agent.pid), AgentInfo::clone(&agent.info))
            })
            .collect();
        plain.sort_by(|one, other| one.0.cmp(&other.0));
        assert!(plain.windows(2).all(|pair| pair[0].0 != pair[1].0), "each agent once: {plain:?}");
        plain
    }

    pub(super) fn list(&self, namespace: &Namespace) -> Vec<Plain> {
        self.plain(self.registry.agents().list(namespace).expect("on"))
    }
}

pub(super) fn projected(agents: &[Plain], view: MetadataView) -> Vec<Plain> {
    match view {
        MetadataView::Enhanced => agents.to_vec(),
        MetadataView::Basic => {
            agents.iter().map(|(id, owner, info)| (id.clone(), *owner, info.basic_projection())).collect()
        }
    }
}
