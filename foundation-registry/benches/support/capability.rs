//! Finding the few among many agents that can do something.

use std::hint::black_box;

use foundation_registry::{AgentEntry, AgentQuery, Registry};
use foundation_types::{AgentId, AgentInfo, Capability, Namespace, Owner, SystemClock};

use crate::bench::measure::{Contender, timed};
use crate::bench::order::shuffle;

/// At most so many times what copying the result costs.
const TARGET: f64 = 3.0;
const RUN: usize = 32;
/// How many agents share a rare capability.
pub(crate) const SHARING: usize = 10;

/// Agents of which every ten can do something that the others cannot, and all can report.
pub(crate) struct Agents {
    registry: Registry,
    /// A query for each rare capability, in random order, and what it finds.
    queries: Vec<(AgentQuery, Vec<AgentEntry>)>,
    _owners: Vec<Owner>,
}

impl Agents {
    pub(crate) fn new(size: usize) -> Self {
        let registry = Registry::new();
        let owners: Vec<Owner> = (0..size).map(|_| Owner::new()).collect();
        for (number, owner) in owners.iter().enumerate() {
            let id = AgentId::new(format!("agent-{number:07}")).expect("letters, a hyphen and digits are a name");
            let info =
                AgentInfo::builder(id.clone()).capabilities([common(), rare(number / SHARING)]).build(&SystemClock);
            registry
                .agents()
                .register(&Namespace::Production, &id, &owner.pid(), info)
                .expect("the id is free, the owner alive and the registry open");
        }
        let mut rare: Vec<Capability> = (0..size / SHARING).map(rare).collect();
        shuffle(&mut rare);
        let queries = rare.into_iter().map(|rare| {
            let query = AgentQuery::new().capability(rare);
            let found = find(&registry, &query);
            assert_eq!(found.len(), SHARING);
            (query, found)
        });
        let queries = queries.collect();
        Self { registry, queries, _owners: owners }
    }

    /// Asks one of the queries. Returns how many agents it finds.
    pub(crate) fn ask(&self, which: Which, number: usize) -> usize {
        let (query, _) = self.query(which, number);
        black_box(find(&self.registry, query)).len()
    }

    fn query(&self, which: Which, number: usize) -> &(AgentQuery, Vec<AgentEntry>) {
        match which {
            Which::Same => &self.queries[0],
            Which::InTurn => &self.queries[number % self.queries.len()],
        }
    }
}

/// Which queries are asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    /// One over and over: all of it is in the caches.
    Same,
    /// All of them in turn.
    InTurn,
}

impl Which {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Same => "the same again",
            Self::InTurn => "another each time",
        }
    }
}

/// Asking, asking for the common capability as well, and copying what was found before.
pub(crate) fn contenders(agents: &Agents, which: Which) -> Vec<Contender<'_>> {
    let ask = timed(RUN, move |_, number| {
        assert_eq!(agents.ask(which, number), SHARING);
    });
    let ask_both = timed(RUN, move |_, number| {
        let query = agents.query(which, number).0.clone().capability(common());
        assert_eq!(black_box(find(&agents.registry, &query)).len(), SHARING);
    });
    let copy = timed(RUN, move |_, number| {
        let (_, expected) = agents.query(which, number);
        assert_eq!(black_box(expected.clone()).len(), SHARING);
    });
    vec![
        Contender::ours("foundation", TARGET, ask),
        Contender::ours("foundation, and a common one", None, ask_both),
        Contender::peer("copy of the result", copy),
    ]
}

fn find(registry: &Registry, query: &AgentQuery) -> Vec<AgentEntry> {
    registry.agents().query(&Namespace::Production, query).expect("the registry is open and the gate on")
}

fn common() -> Capability {
    Capability::from_static("report")
}

fn rare(number: usize) -> Capability {
    Capability::new(format!("skill-{number:07}")).expect("letters, a hyphen and digits are a name")
}
