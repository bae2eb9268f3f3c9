//! Queries against scans.

use foundation_types::Namespace;

use super::fleet::{AGENTS, Condition, Fleet, Plain, conditions, op, query_of};
use crate::agents::AgentQuery;
use crate::conformance::{Factory, check};

/// R23: after any history, a query finds what a scan with its conditions finds, and a conjunction what both queries find.
pub fn r23_agent_queries_equal_a_scan(factory: Factory<'_>) {
    let inputs =
        (proptest::collection::vec(op(), 1..40), proptest::collection::vec((conditions(), conditions()), 1..6));
    check(192, inputs, |(ops, pairs)| {
        let mut fleet = Fleet::new(factory);
        for op in &ops {
            let _ = fleet.step(op);
        }
        for (one, other) in &pairs {
            let both: Vec<Condition> = [&one[..], &other[..]].concat();
            let mut everywhere = Vec::new();
            for namespace in [Fleet::namespace(0), Fleet::namespace(AGENTS - 1)] {
                let all = fleet.list(&namespace);
                let found = find(&fleet, &namespace, &query_of(one));
                assert_eq!(found, scan(&all, one));
                let found_both = find(&fleet, &namespace, &query_of(one).and(query_of(other)));
                assert_eq!(found_both, scan(&all, &both));
                let others = find(&fleet, &namespace, &query_of(other));
                let in_both: Vec<Plain> = found.iter().filter(|agent| others.contains(agent)).cloned().collect();
                assert_eq!(found_both, in_both);
                everywhere.extend(found);
            }
            let found = fleet.registry.agents().query_everywhere(&query_of(one)).expect("on");
            assert_eq!(fleet.plain(found.into_iter().map(|(_, agent)| agent)), everywhere);
        }
    });
}

pub(super) fn find(fleet: &Fleet, namespace: &Namespace, query: &AgentQuery) -> Vec<Plain> {
    fleet.plain(fleet.registry.agents().query(namespace, query).expect("on"))
}

pub(super) fn scan(all: &[Plain], conditions: &[Condition]) -> Vec<Plain> {
    all.iter().filter(|(_, _, info)| conditions.iter().all(|condition| condition.holds(info))).cloned().collect()
}
