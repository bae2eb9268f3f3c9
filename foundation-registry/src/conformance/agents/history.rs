//! The history of health, and the events at the end.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};
use std::thread;

use foundation_types::testing::RecordingObserver;
use foundation_types::{Health, Owner, Value};
use proptest::prelude::*;

use super::fleet::{Op, drafts, healths, id};
use crate::agents::{AgentError, CLEANUP_EVENT, HEALTH_CHANGED_EVENT, REGISTERED_EVENT};
use crate::conformance::{Factory, check, production};
use crate::registry::{Limits, Registry};

/// R25: the history of an agent's health is no longer than allowed, its changes chain, and it ends with the health of now.
pub fn r25_health_history_chains(factory: Factory<'_>) {
    let write = prop_oneof![
        3 => healths().prop_map(|health| Op::SetHealth { agent: 0, health }),
        1 => drafts().prop_map(|draft| Op::Update { agent: 0, draft }),
    ];
    let inputs = (drafts(), proptest::collection::vec(write, 0..30), 1..12_usize);
    check(96, inputs, |(draft, writes, capacity)| {
        let observer = Arc::new(RecordingObserver::new());
        let limits = Limits { max_health_history: Some(capacity), ..Limits::default() };
        let registry = Registry::builder().backend(factory()).limits(limits).observer(observer.clone());
        let registry = registry.build().expect("in range");
        let (agents, owner, now) = (registry.agents(), Owner::new(), registry.core.clock.wall());
        agents.register(&production(), &id(0), &owner.pid(), draft.info(id(0), now)).expect("free");

        let mut health = agents.lookup(&production(), &id(0)).expect("there").info.health().overall_health;
        assert_ne!(health, Health::Unknown, "unknown health becomes healthy at registration");
        let mut expected = vec![(None, health)];
        for write in &writes {
            match write {
                Op::SetHealth { health, .. } => drop(agents.set_health(&production(), &id(0), *health)),
                Op::Update { draft, .. } => {
                    agents.update(&production(), &id(0), draft.info(id(0), now)).expect("there");
                }
                other => unreachable!("{other:?} is not among the writes"),
            }
            let now = agents.lookup(&production(), &id(0)).expect("there").info.health().overall_health;
            if now != health {
                expected.push((Some(health), now));
                health = now;
            }
            let history = agents.health_history(&production(), &id(0)).expect("on");
            let changes: Vec<_> = history.iter().map(|change| (change.from, change.to)).collect();
            assert_eq!(changes, expected[expected.len().saturating_sub(capacity)..]);
            assert!(history.is_sorted_by_key(|change| change.at));
        }
        let told: Vec<_> = observer.events_named(HEALTH_CHANGED_EVENT);
        let told = told.iter().map(|event| (event.metadata.get("from").cloned(), event.metadata.get("to").cloned()));
        let happened = expected.iter().filter_map(|(from, to)| Some((Some(text((*from)?)), Some(text(*to)))));
        assert!(told.eq(happened), "one event for each change");
        drop(owner);
        assert_eq!(agents.health_history(&production(), &id(0)), Ok(Vec::new()));
    });
}

fn text(health: Health) -> Value {
    Value::from(health.as_str())
}

/// R25: whoever takes an agent out, its owner's death, two callers, or a successor, its end is told exactly once.
pub fn r25_cleanup_is_told_once(factory: Factory<'_>) {
    let observer = Arc::new(RecordingObserver::new());
    let registry = Registry::builder().backend(factory()).observer(observer.clone()).build().expect("in range");
    let (agents, here) = (registry.agents(), production());
    let draft = |number| foundation_types::AgentInfo::builder(id(number)).build(&*registry.core.clock);
    let mut registered = BTreeMap::<String, usize>::new();
    for round in 0..200 {
        let agent = round % 3;
        let (owner, successor) = (Owner::new(), Owner::new());
        agents.register(&here, &id(agent), &owner.pid(), draft(agent)).expect("free");
        let start = Barrier::new(4);
        let succeeded = thread::scope(|scope| {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                drop(owner);
            });
            for _ in 0..2 {
                scope.spawn(|| {
                    start.wait();
                    agents.unregister(&here, &id(agent)).expect("open");
                });
            }
            let info = draft(agent);
            start.wait();
            match agents.register(&here, &id(agent), &successor.pid(), info) {
                Ok(_) => true,
                Err(AgentError::AlreadyRegistered { .. }) => false,
                Err(error) => panic!("{error}"),
            }
        });
        *registered.entry(id(agent).to_string()).or_default() += 1 + usize::from(succeeded);
        drop(successor);
        assert!(agents.list(&here).expect("on").is_empty());
    }
    for (name, reasons) in [(REGISTERED_EVENT, None), (CLEANUP_EVENT, Some(["owner_exit", "unregister", "replaced"]))] {
        let mut told = BTreeMap::<String, usize>::new();
        for event in observer.events_named(&name) {
            let process = event.metadata.get("process_id").and_then(Value::as_map).expect("a map");
            let id = process.get("id").and_then(Value::as_str).expect("a text");
            *told.entry(id.to_owned()).or_default() += 1;
            if let Some(reasons) = reasons {
                let reason = event.metadata.get("reason").and_then(Value::as_str).expect("a text");
                assert!(reasons.contains(&reason), "{reason}");
            }
        }
        assert_eq!(told, registered, "{name}");
    }
}
