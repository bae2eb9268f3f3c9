//! Agents under real threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use foundation_types::{AgentInfo, AgentType, Health, Metadata, Owner, Timestamp, Value};

use super::fleet::{capability, id};
use crate::agents::{AgentError, AgentQuery};
use crate::conformance::{Factory, production, registry_on};
use crate::registry::Registry;

const THREADS: u32 = 4;

fn info(agent: usize, capabilities: impl IntoIterator<Item = usize>) -> AgentInfo {
    let capabilities = capabilities.into_iter().map(capability);
    AgentInfo::builder(id(agent)).capabilities(capabilities).build_at(Timestamp::UNIX_EPOCH)
}

fn register(registry: &Registry, owner: &Owner, agent: usize, capabilities: impl IntoIterator<Item = usize>) {
    let registered = registry.agents().register(&production(), &id(agent), &owner.pid(), info(agent, capabilities));
    registered.expect("the name is free");
}

/// R4: when the drop of an owner returns, no read shows any agent of it, on any thread; nor does one in a hook that runs
/// before the registry's.
pub fn r04_agents_die_with_their_owners(factory: Factory<'_>) {
    let registry = registry_on(factory);
    let agents = registry.agents();
    let survivor = Owner::new();
    register(&registry, &survivor, 0, [0]);
    for round in 0..100 {
        let owner = Owner::new();
        let (mourner, seen) = (registry.clone(), Arc::new(AtomicUsize::new(usize::MAX)));
        let witness = Arc::clone(&seen);
        let hook = owner.pid().on_exit(Box::new(move |_| {
            let (agents, query) = (mourner.agents(), AgentQuery::new().capability(capability(0)));
            let found = agents.query(&production(), &query).expect("on").len();
            let listed = agents.list(&production()).expect("on").len();
            let known = usize::from(agents.lookup(&production(), &id(1)).is_ok());
            witness.store(found.max(listed) + known, Ordering::Relaxed);
        }));
        hook.ok().expect("the owner is alive").keep();
        for agent in 1..5 {
            register(&registry, &owner, agent, [0, agent]);
        }
        assert_eq!(agents.list(&production()).expect("on").len(), 5);
        if round % 2 == 0 {
            drop(owner);
        } else {
            assert!(owner.pid().kill());
        }
        assert_eq!(seen.load(Ordering::Relaxed), 1, "only the survivor was seen in the hook");
        let left = thread::scope(|scope| {
            let elsewhere = scope.spawn(|| agents.query(&production(), &AgentQuery::new().capability(capability(0))));
            elsewhere.join().expect("no panic").expect("on")
        });
        assert_eq!(left.iter().map(|agent| &agent.id).collect::<Vec<_>>(), [&id(0)]);
        for agent in 1..5 {
            assert_eq!(agents.lookup(&production(), &id(agent)), Err(AgentError::NotFound));
            assert_eq!(agents.health_history(&production(), &id(agent)), Ok(Vec::new()));
        }
        assert_eq!(agents.overview(&production()).expect("on").total_agents, 1);
    }
}

/// R12: a query returns each agent that meets it during the whole query once, and none that never does.
pub fn r12_agent_queries_under_concurrency(factory: Factory<'_>) {
    const STABLE: usize = 20;
    let registry = registry_on(factory);
    let agents = registry.agents();
    let owner = Owner::new();
    // Capability 0 stays, 1 and the health come and go, 2 is nobody's.
    for agent in 0..STABLE {
        register(&registry, &owner, agent, [0]);
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (agents, done) = (&agents, &done);
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                scope.spawn(move || {
                    for round in 0..400 {
                        let agent = id((writer + 2 * round) % STABLE);
                        let health = if round % 3 == 0 { Health::Degraded } else { Health::Healthy };
                        agents.set_health(&production(), &agent, health).expect("there");
                        agents.modify(&production(), &agent, toggle).expect("there");
                        let guest = Owner::new();
                        let guest_id = STABLE + writer;
                        let registered =
                            agents.register(&production(), &id(guest_id), &guest.pid(), info(guest_id, [0, 1]));
                        registered.expect("free");
                    }
                })
            })
            .collect();
        let reader = scope.spawn(move || {
            let mut rounds = 0;
            while !done.load(Ordering::Relaxed) || rounds < 10 {
                let found = agents.query(&production(), &AgentQuery::new().capability(capability(0))).expect("on");
                let mut ids: Vec<_> = found.iter().map(|agent| agent.id.clone()).collect();
                ids.sort_unstable();
                assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "twice in {ids:?}");
                assert!((0..STABLE).all(|agent| ids.contains(&id(agent))), "one is missing in {ids:?}");
                let both = AgentQuery::new().capability(capability(1)).health(Health::Degraded);
                for agent in agents.query(&production(), &both).expect("on") {
                    assert!(agent.info.has_capability(&capability(1)));
                    assert_eq!(agent.info.health().overall_health, Health::Degraded);
                }
                assert!(
                    agents.query(&production(), &AgentQuery::new().capability(capability(2))).expect("on").is_empty()
                );
                assert!(agents.list(&production()).expect("on").len() >= STABLE);
                rounds += 1;
            }
        });
        for writer in writers {
            writer.join().expect("no panic");
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("no panic");
    });
}

/// R12: what a lookup has shown of an agent, a query finds, unless the agent has changed again.
pub fn r12_queries_are_not_behind_lookups(factory: Factory<'_>) {
    let registry = registry_on(factory);
    let agents = registry.agents();
    let owner = Owner::new();
    let typed = |number: usize| {
        let agent_type = AgentType::new(format!("type-{number}")).expect("a valid name");
        AgentInfo::builder(id(0)).agent_type(agent_type).build_at(Timestamp::UNIX_EPOCH)
    };
    agents.register(&production(), &id(0), &owner.pid(), typed(0)).expect("free");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            // Never the same type twice.
            for number in 1..20_000 {
                agents.update(&production(), &id(0), typed(number)).expect("there");
            }
            done.store(true, Ordering::Relaxed);
        });
        let shown = || agents.lookup(&production(), &id(0)).expect("there").info.agent_type().clone();
        while !done.load(Ordering::Relaxed) {
            let seen = shown();
            let found = agents.query(&production(), &AgentQuery::new().agent_type(seen.clone())).expect("on");
            assert!(found.len() == 1 || shown() != seen, "a query does not find {seen:?}");
        }
        writer.join().expect("no panic");
    });
}

fn toggle(info: &mut AgentInfo) {
    if info.has_capability(&capability(1)) {
        info.remove_capability(&capability(1), Timestamp::UNIX_EPOCH);
    } else {
        info.add_capability(capability(1), Timestamp::UNIX_EPOCH);
    }
}

/// R17: after any number of cycles, everything kept about agents is back where it was.
pub fn r17_agents_leave_nothing_behind(factory: Factory<'_>) {
    let registry = registry_on(factory);
    let agents = registry.agents();
    let keeper = Owner::new();
    register(&registry, &keeper, 0, [0]);
    let dead = Owner::new().pid();
    let baseline = (registry.held(), agents.held());
    for round in 0..500 {
        let owner = Owner::new();
        let elsewhere = foundation_types::Namespace::test();
        agents.register(&elsewhere, &id(1), &owner.pid(), info(1, [0, 1])).expect("free");
        agents
            .modify(&elsewhere, &id(1), |info| info.add_capability(capability(2), Timestamp::UNIX_EPOCH))
            .expect("there");
        agents.set_health(&elsewhere, &id(1), Health::Critical).expect("there");
        let _ = agents.register(&elsewhere, &id(1), &owner.pid(), info(1, [3])).expect_err("held");
        let _ = agents.register(&elsewhere, &id(2), &dead, info(2, [3])).expect_err("dead");
        let _ = agents.register(&elsewhere, &id(2), &owner.pid(), info(3, [3])).expect_err("another id");
        let changes = foundation_types::AgentDirectory::changes(&registry.directory(&elsewhere));
        if round % 2 == 0 {
            agents.unregister(&elsewhere, &id(1)).expect("open");
            assert_eq!(owner.pid().held().0, 0);
        }
        drop(changes);
        drop(owner);
    }
    assert_eq!((registry.held(), agents.held()), baseline);
    assert_eq!(keeper.pid().held().0, 1);
}

/// R24: every update takes effect and counts in the version, the last record is one that was written, and no modification is
/// lost.
pub fn r24_no_agent_update_is_lost(factory: Factory<'_>) {
    const WRITES: u32 = 300;
    let registry = registry_on(factory);
    let agents = registry.agents();
    let owner = Owner::new();
    register(&registry, &owner, 0, [0]);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for write in 0..WRITES {
                    let mark = Metadata::new().with("thread", i64::from(thread)).with("write", i64::from(write));
                    let mut written = info(0, [thread as usize % 3]);
                    written.set_metadata(mark, Timestamp::UNIX_EPOCH);
                    agents.update(&production(), &id(0), written).expect("there");
                }
            });
        }
    });
    let last = agents.lookup(&production(), &id(0)).expect("there").info;
    assert_eq!(last.version(), u64::from(1 + THREADS * WRITES));
    assert_eq!(last.metadata().get("write").and_then(Value::as_i64), Some(i64::from(WRITES) - 1));
    let thread = last.metadata().get("thread").and_then(Value::as_i64).expect("one of those written");
    assert!(last.has_capability(&capability(usize::try_from(thread).expect("not negative") % 3)));

    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..WRITES {
                    agents.modify(&production(), &id(0), count_up).expect("there");
                    agents.set_health(&production(), &id(0), Health::Degraded).expect("there");
                }
            });
        }
    });
    let info = agents.lookup(&production(), &id(0)).expect("there").info;
    assert_eq!(counted(&info), i64::from(THREADS * WRITES));
    assert_eq!(info.version(), u64::from(1 + 3 * THREADS * WRITES));
}

fn counted(info: &AgentInfo) -> i64 {
    info.metadata().get("count").and_then(Value::as_i64).unwrap_or(0)
}

fn count_up(info: &mut AgentInfo) {
    let count = counted(info) + 1;
    info.set_metadata(Metadata::new().with("count", count), Timestamp::UNIX_EPOCH);
}

/// R26: agents, their records and their histories survive a switch of the back-end, and no write or query notices it.
pub fn r26_agents_survive_a_switch(factory: Factory<'_>) {
    const STABLE: usize = 200;
    let registry = registry_on(factory);
    let agents = registry.agents();
    let owner = Owner::new();
    for agent in 0..STABLE {
        register(&registry, &owner, agent, [0, 1 + agent % 3]);
    }
    agents.set_health(&production(), &id(0), Health::Critical).expect("there");
    let history = agents.health_history(&production(), &id(0));
    let done = AtomicBool::new(false);
    let written = thread::scope(|scope| {
        let (registry, done) = (&registry, &done);
        let writer = scope.spawn(move || {
            let mut written = 0;
            while !done.load(Ordering::Relaxed) || written < 50 {
                agents.modify(&production(), &id(1), count_up).expect("there");
                written += 1;
            }
            written
        });
        let reader = scope.spawn(move || {
            let mut rounds = 0;
            while !done.load(Ordering::Relaxed) || rounds < 10 {
                assert_eq!(agents.list(&production()).expect("on").len(), STABLE);
                let query = AgentQuery::new().capability(capability(0));
                assert_eq!(agents.query(&production(), &query).expect("on").len(), STABLE);
                agents.lookup(&production(), &id(2)).expect("there");
                let entry = registry.entry(&production(), &foundation_types::ServiceName::agent(&id(2)));
                assert!(!entry.expect("there").metadata.is_empty());
                rounds += 1;
            }
        });
        for _ in 0..20 {
            assert_eq!(registry.switch_backend(factory()).expect("open").moved, STABLE);
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("no panic");
        writer.join().expect("no panic")
    });
    let modified = agents.lookup(&production(), &id(1)).expect("there").info;
    assert_eq!((counted(&modified), modified.version()), (written, 1 + u64::try_from(written).expect("positive")));
    assert_eq!(agents.health_history(&production(), &id(0)), history);
    let both = AgentQuery::new().capability(capability(0)).health(Health::Critical);
    assert_eq!(agents.query(&production(), &both).expect("on").len(), 1);
    drop(owner);
    assert!(agents.list(&production()).expect("on").is_empty());
    assert_eq!(agents.held(), Registry::new().agents().held());
}
