//! Properties under real threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use foundation_types::conformance::linearizability::{History, Limits, Operation, Recorder, Sequential, check_by_key};
use foundation_types::{Metadata, Namespace, Owner, OwnerId, Value};

use super::{Factory, name, numbered, production, registry_on};
use crate::entry::NewEntry;
use crate::error::RegisterError;
use crate::registry::Registry;

const THREADS: usize = 4;

/// R2: of several owners that race for a free name one wins, and every other learns the winner's name.
pub fn r02_one_winner(factory: Factory<'_>) {
    let registry = registry_on(factory);
    for round in 0..200 {
        let owners: Vec<_> = (0..THREADS).map(|_| Owner::new()).collect();
        let start = Barrier::new(THREADS);
        let results: Vec<_> = thread::scope(|scope| {
            let racers: Vec<_> = owners
                .iter()
                .map(|owner| {
                    let (registry, start) = (&registry, &start);
                    scope.spawn(move || {
                        start.wait();
                        registry.register(&production(), &name(round), &owner.pid(), Metadata::new()).map(drop)
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().expect("no panic")).collect()
        });
        let winners: Vec<_> = (0..THREADS).filter(|racer| results[*racer].is_ok()).collect();
        let [winner] = winners[..] else { panic!("{winners:?} won") };
        let lost = Err(RegisterError::AlreadyRegistered { holder: owners[winner].pid() });
        assert_eq!(results.iter().filter(|result| **result == lost).count(), THREADS - 1);
        assert_eq!(registry.lookup(&production(), &name(round)), Ok(owners[winner].pid()));
    }
}

/// R5: a former holder that dies, and its old token, do not touch whoever holds the name now.
pub fn r05_no_stranger_is_removed(factory: Factory<'_>) {
    let registry = registry_on(factory);
    for round in 0..300 {
        let (former, successor) = (Owner::new(), Owner::new());
        let token = registry.register(&production(), &name(0), &former.pid(), Metadata::new()).expect("free");
        let start = Barrier::new(3);
        let claimed = thread::scope(|scope| {
            let (start, registry) = (&start, &registry);
            let dying = scope.spawn(move || {
                start.wait();
                drop(former);
            });
            let releasing = scope.spawn(move || {
                start.wait();
                token.unregister()
            });
            start.wait();
            // Whoever frees the name, death or token, this claim comes before, between or after them.
            let claimed = (0..2 + round % 7)
                .find_map(|_| registry.register(&production(), &name(0), &successor.pid(), Metadata::new()).ok());
            dying.join().expect("no panic");
            releasing.join().expect("no panic");
            claimed
        });
        let holder = registry.lookup(&production(), &name(0)).ok();
        assert_eq!(holder, claimed.map(|_| successor.pid()));
        drop(successor);
        assert_eq!(registry.count(&production()), Ok(0));
    }
}

/// R9: a reader never sees metadata that was not written as a whole.
pub fn r09_whole_values(factory: Factory<'_>) {
    let registry = registry_on(factory);
    let owner = Owner::new();
    registry.register(&production(), &name(0), &owner.pid(), numbered(0)).expect("free");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..THREADS - 1)
            .map(|_| {
                scope.spawn(|| {
                    let mut last = 0;
                    while !done.load(Ordering::Relaxed) {
                        let entry = registry.entry(&production(), &name(0)).expect("never unregistered");
                        let (first, second) = (entry.metadata.get("first"), entry.metadata.get("second"));
                        assert_eq!(first, second);
                        let now = first.and_then(Value::as_i64).expect("always there");
                        assert!(now >= last, "went back from {last} to {now}");
                        last = now;
                    }
                    last
                })
            })
            .collect();
        for number in 1..=3_000 {
            registry.update_metadata(&production(), &name(0), numbered(number)).expect("registered");
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().expect("no panic") <= 3_000);
        }
    });
}

/// R10: an update that races with the release of its name never brings the entry back.
pub fn r10_no_resurrection(factory: Factory<'_>) {
    let registry = registry_on(factory);
    let owner = Owner::new();
    for round in 0..300 {
        let new = NewEntry::new(&production(), &name(0), &owner.pid()).metadata(numbered(0)).indexed();
        registry.register_with(new).expect("free");
        let start = Barrier::new(2);
        thread::scope(|scope| {
            let updating = scope.spawn(|| {
                start.wait();
                let metadata = numbered(round).with("type", "updated");
                let _ = registry.update_metadata(&production(), &name(0), metadata);
            });
            start.wait();
            assert_eq!(registry.unregister(&production(), &name(0)), Ok(true));
            updating.join().expect("no panic");
        });
        assert!(registry.lookup(&production(), &name(0)).is_err());
        assert_eq!(registry.index_rows(), 0);
    }
    assert_eq!(owner.pid().held().0, 0);
}

/// R12: an index query returns each entry that matches during the whole query once, and none that never matches.
pub fn r12_index_under_concurrency(factory: Factory<'_>) {
    let registry = registry_on(factory);
    let owner = Owner::new();
    let worker = |namespace: &Namespace, number: usize, kind: &str| {
        let metadata = Metadata::new().with("type", kind);
        NewEntry::new(namespace, &name(number), &owner.pid()).metadata(metadata).indexed()
    };
    let here = Namespace::test();
    for number in 0..20 {
        registry.register_with(worker(&here, number, "stays")).expect("free");
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for churner in 1..THREADS {
            let (registry, done, here, worker) = (&registry, &done, &here, &worker);
            scope.spawn(move || {
                let number = 100 * churner;
                while !done.load(Ordering::Relaxed) {
                    registry.register_with(worker(here, number, "stays")).expect("ours");
                    let away = Metadata::new().with("type", "goes");
                    registry.update_metadata(here, &name(number), away).expect("registered");
                    registry.unregister(here, &name(number)).expect("open");
                    registry.register_with(worker(here, number + 1, "never")).expect("ours");
                }
            });
        }
        for _ in 0..500 {
            let found = registry.find_indexed(&here, "type", &Value::from("stays")).expect("open");
            let mut names: Vec<_> = found.iter().map(|entry| entry.name().clone()).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), found.len(), "an entry was returned twice");
            assert!((0..20).all(|number| names.contains(&name(number))), "an entry was missed");
            assert!((1..THREADS).all(|churner| !names.contains(&name(100 * churner + 1))), "an entry was invented");
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// What threads do to a few names in a recorded history.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Op {
    Register {
        key: usize,
        owner: OwnerId,
        value: i64,
    },
    Update {
        key: usize,
        value: i64,
    },
    Unregister {
        key: usize,
    },
    Read {
        key: usize,
    },
    /// The death of an owner, seen from one name.
    Death {
        key: usize,
        owner: OwnerId,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Ret {
    Claimed,
    HeldBy(OwnerId),
    Found(Option<(OwnerId, i64)>),
    Was(bool),
    Done,
}

/// One name: who holds it, with which value.
struct OneName;

impl Sequential for OneName {
    type State = Option<(OwnerId, i64)>;
    type Op = Op;
    type Ret = Ret;

    fn initial(&self) -> Self::State {
        None
    }

    fn apply(&self, held: &Self::State, op: &Op) -> (Self::State, Ret) {
        match (op, *held) {
            (Op::Register { owner, value, .. }, None) => (Some((*owner, *value)), Ret::Claimed),
            (Op::Register { owner, .. }, Some((holder, _))) if *owner == holder => (*held, Ret::Claimed),
            (Op::Register { .. }, Some((holder, _))) => (*held, Ret::HeldBy(holder)),
            (Op::Update { value, .. }, Some((holder, _))) => (Some((holder, *value)), Ret::Was(true)),
            (Op::Update { .. }, None) => (None, Ret::Was(false)),
            (Op::Unregister { .. }, held) => (None, Ret::Was(held.is_some())),
            (Op::Read { .. }, held) => (held, Ret::Found(held)),
            (Op::Death { owner, .. }, held) => (held.filter(|(holder, _)| holder != owner), Ret::Done),
        }
    }
}

/// Histories of claims, updates, releases, reads and deaths from four threads are linearizable, name by name.
pub fn concurrent_histories_are_linearizable(factory: Factory<'_>) {
    const KEYS: usize = 3;
    for seed in 0..12 {
        let registry = registry_on(factory);
        let recorder = Recorder::new();
        let start = Arc::new(Barrier::new(THREADS));
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let mut log = recorder.thread();
                let (registry, start) = (&registry, Arc::clone(&start));
                scope.spawn(move || {
                    let mut random = Random(seed * 1_000 + thread as u64 + 1);
                    let mut owner = Owner::new();
                    start.wait();
                    for value in 0..400 {
                        let key = random.below(KEYS);
                        let op = match random.below(10) {
                            0..3 => Op::Register { key, owner: owner.pid().id(), value },
                            3 => Op::Update { key, value },
                            4 => Op::Unregister { key },
                            5 if random.below(4) == 0 => Op::Death { key, owner: owner.pid().id() },
                            _ => Op::Read { key },
                        };
                        log.record(op, |op| run(registry, &mut owner, op));
                    }
                    let id = owner.pid().id();
                    log.record(Op::Death { key: 0, owner: id }, |_| {
                        drop(owner);
                        Ret::Done
                    });
                });
            }
        });
        let history = recorder.finish().expect("all threads have ended");
        assert_eq!(history.len(), THREADS * 401);
        check_by_key(&OneName, &on_every_name(&history, KEYS), Limits::default(), key_of).assert_linearizable();
    }
}

fn run(registry: &Registry, owner: &mut Owner, op: &Op) -> Ret {
    let here = production();
    match op {
        Op::Register { key, value, .. } => {
            match registry.register(&here, &name(*key), &owner.pid(), Metadata::new().with("value", *value)) {
                Ok(_) => Ret::Claimed,
                Err(RegisterError::AlreadyRegistered { holder }) => Ret::HeldBy(holder.id()),
                Err(error) => panic!("{error}"),
            }
        }
        Op::Update { key, value } => {
            let updated = registry.update_metadata(&here, &name(*key), Metadata::new().with("value", *value));
            Ret::Was(updated.is_ok())
        }
        Op::Unregister { key } => Ret::Was(registry.unregister(&here, &name(*key)).expect("open")),
        Op::Read { key } => Ret::Found(registry.entry(&here, &name(*key)).ok().map(|entry| {
            let value = entry.metadata.get("value").and_then(Value::as_i64);
            (entry.pid.id(), value.expect("every entry has a value"))
        })),
        Op::Death { .. } => {
            *owner = Owner::new();
            Ret::Done
        }
    }
}

fn key_of(op: &Op) -> usize {
    match op {
        Op::Register { key, .. }
        | Op::Update { key, .. }
        | Op::Unregister { key }
        | Op::Read { key }
        | Op::Death { key, .. } => *key,
    }
}

/// A death concerns every name that its owner held.
fn on_every_name(history: &History<Op, Ret>, keys: usize) -> History<Op, Ret> {
    let mut operations = Vec::new();
    for operation in history.operations() {
        match &operation.op {
            Op::Death { owner, .. } => operations
                .extend((0..keys).map(|key| Operation { op: Op::Death { key, owner: *owner }, ..operation.clone() })),
            _ => operations.push(operation.clone()),
        }
    }
    History::new(operations).expect("the intervals are as recorded")
}

/// A small generator of its own, so that a failing seed can be named: Marsaglia's xorshift64 (2003).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("below a usize")
    }
}
