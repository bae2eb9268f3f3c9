//! Random sequences of operations against a model: a map from key to claim, and the set of live owners.

use std::collections::BTreeMap;

use foundation_types::{Generation, Metadata, Namespace, Owner, Pid, ServiceName, Value};
use proptest::prelude::*;
use proptest::sample::select;

use super::{Factory, check, name, registry_on};
use crate::entry::{EntrySnapshot, NewEntry};
use crate::error::{LookupError, RegisterError, UpdateError};
use crate::registry::{DEFAULT_INDEX_FIELDS, Registered, Registry};

const OWNERS: usize = 3;
const NAMES: usize = 3;

#[derive(Clone, Debug)]
pub(super) enum Op {
    Register { key: usize, owner: usize, metadata: Metadata, indexed: bool },
    RegisterDead { key: usize },
    RegisterMany { items: Vec<(usize, usize, Metadata)> },
    Read { key: usize },
    Update { key: usize, metadata: Metadata },
    Unregister { key: usize },
    TokenUpdate { token: usize, metadata: Metadata },
    TokenUnregister { token: usize },
    List { namespace: usize },
    FindIndexed { namespace: usize, field: &'static str, value: Value },
    Die { owner: usize, how: Death },
    SetIndexing(bool),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Death {
    Drop,
    Kill,
    Exit,
}

fn values() -> impl Strategy<Value = Value> {
    select(vec![
        Value::Null,
        Value::from("worker"),
        Value::from("boss"),
        Value::Int(1),
        Value::from(vec!["a", "b"]),
        Value::from(vec!["b", "b", "c"]),
        Value::List(Vec::new()),
    ])
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let field = select(vec!["type", "priority", "capabilities", "not_indexed"]);
    prop::collection::btree_map(field, values(), 0..3).prop_map(Metadata::from_iter)
}

pub(super) fn ops() -> impl Strategy<Value = Vec<Op>> {
    let key = 0..2 * NAMES;
    let op = prop_oneof![
        6 => (key.clone(), 0..OWNERS, metadata(), any::<bool>()).prop_map(|(key, owner, metadata, indexed)| {
            Op::Register { key, owner, metadata, indexed }
        }),
        1 => key.clone().prop_map(|key| Op::RegisterDead { key }),
        1 => prop::collection::vec((key.clone(), 0..OWNERS, metadata()), 0..4).prop_map(|items| Op::RegisterMany { items }),
        4 => key.clone().prop_map(|key| Op::Read { key }),
        2 => (key.clone(), metadata()).prop_map(|(key, metadata)| Op::Update { key, metadata }),
        2 => key.prop_map(|key| Op::Unregister { key }),
        1 => (0..8usize, metadata()).prop_map(|(token, metadata)| Op::TokenUpdate { token, metadata }),
        1 => (0..8usize).prop_map(|token| Op::TokenUnregister { token }),
        2 => (0..2usize).prop_map(|namespace| Op::List { namespace }),
        3 => (0..2usize, select(vec!["type", "priority", "capabilities", "not_indexed"]), values()).prop_map(
            |(namespace, field, value)| Op::FindIndexed { namespace, field, value }
        ),
        2 => (0..OWNERS, select(vec![Death::Drop, Death::Kill, Death::Exit]))
            .prop_map(|(owner, how)| Op::Die { owner, how }),
        1 => any::<bool>().prop_map(Op::SetIndexing),
    ];
    prop::collection::vec(op, 1..80)
}

/// R1, R3, R4, R6, R7, R8, R10, R11, R13: any sequence of operations gives the results of the model.
pub fn r01_model(factory: Factory<'_>) {
    check(192, ops(), |ops| {
        let mut world = World::new(registry_on(factory));
        for op in ops {
            world.step(op);
            world.agree();
        }
    });
}

/// R14: the same sequence gives the same results as on the default back-end.
pub fn r14_differential(factory: Factory<'_>) {
    check(64, ops(), |ops| {
        let (mut one, mut other) = (World::new(registry_on(factory)), World::new(Registry::new()));
        for op in ops {
            let results = (one.step(op.clone()), other.step(op));
            assert_eq!(results.0, results.1);
        }
    });
}

/// A claim as the model knows it.
#[derive(Clone, Debug)]
struct Held {
    owner: Pid,
    metadata: Metadata,
    indexed: bool,
    generation: Generation,
}

pub(super) struct World {
    registry: Registry,
    namespaces: [Namespace; 2],
    owners: Vec<Owner>,
    claims: BTreeMap<usize, Held>,
    tokens: Vec<(usize, Registered)>,
    last_generation: BTreeMap<usize, Generation>,
    indexing: bool,
}

impl World {
    pub(super) fn new(registry: Registry) -> Self {
        Self {
            registry,
            namespaces: [Namespace::Production, Namespace::custom("other").expect("a valid namespace")],
            owners: (0..OWNERS).map(|_| Owner::new()).collect(),
            claims: BTreeMap::new(),
            tokens: Vec::new(),
            last_generation: BTreeMap::new(),
            indexing: true,
        }
    }

    fn key(&self, key: usize) -> (&Namespace, ServiceName) {
        (&self.namespaces[key / NAMES], name(key % NAMES))
    }

    /// Performs one operation, checks its result against the model, and describes it without identities.
    pub(super) fn step(&mut self, op: Op) -> String {
        match op {
            Op::Register { key, owner, metadata, indexed } => self.register(key, owner, metadata, indexed),
            Op::RegisterDead { key } => {
                let (namespace, name) = self.key(key);
                let dead = Owner::new().pid();
                let result = self.registry.register(namespace, &name, &dead, Metadata::new()).map(drop);
                let expected = match self.claims.get(&key) {
                    Some(held) => RegisterError::AlreadyRegistered { holder: held.owner.clone() },
                    None => RegisterError::DeadProcess { pid: dead.id() },
                };
                assert_eq!(result, Err(expected));
                "dead".to_owned()
            }
            Op::RegisterMany { items } => {
                let mut one_by_one = Vec::new();
                let new: Vec<_> = items
                    .iter()
                    .map(|(key, owner, metadata)| {
                        let (namespace, name) = self.key(*key);
                        NewEntry::new(namespace, &name, &self.owners[*owner].pid()).metadata(metadata.clone()).indexed()
                    })
                    .collect();
                let results = self.registry.register_many(new);
                assert_eq!(results.len(), items.len());
                for ((key, owner, metadata), result) in items.into_iter().zip(results) {
                    one_by_one.push(self.registered(key, owner, metadata, true, result));
                }
                one_by_one.join(" ")
            }
            Op::Read { key } => self.read(key),
            Op::Update { key, metadata } => {
                let (namespace, name) = self.key(key);
                let result = self.registry.update_metadata(namespace, &name, metadata.clone());
                match self.claims.get_mut(&key) {
                    Some(held) => held.metadata = metadata,
                    None => assert_eq!(result, Err(UpdateError::NotFound)),
                }
                format!("{result:?}")
            }
            Op::Unregister { key } => {
                let (namespace, name) = self.key(key);
                let was_there = self.registry.unregister(namespace, &name).expect("open");
                assert_eq!(was_there, self.claims.remove(&key).is_some());
                was_there.to_string()
            }
            Op::TokenUpdate { token, metadata } => {
                let Some((key, token)) = self.tokens.get(token) else { return String::new() };
                let result = token.update(metadata.clone());
                match self.claims.get_mut(key).filter(|held| held.generation == token.generation()) {
                    Some(held) => held.metadata = metadata,
                    None => assert_eq!(result, Err(UpdateError::Superseded)),
                }
                format!("{result:?}")
            }
            Op::TokenUnregister { token } => {
                let Some((key, token)) = self.tokens.get(token).cloned() else { return String::new() };
                let holds = self.claims.get(&key).is_some_and(|held| held.generation == token.generation());
                assert_eq!(token.unregister(), holds);
                if holds {
                    self.claims.remove(&key);
                }
                holds.to_string()
            }
            Op::List { namespace } => self.list(namespace),
            Op::FindIndexed { namespace, field, value } => self.find_indexed(namespace, field, &value),
            Op::Die { owner, how } => {
                let owner = std::mem::replace(&mut self.owners[owner], Owner::new());
                let pid = owner.pid();
                match how {
                    Death::Drop => drop(owner),
                    Death::Kill => assert!(pid.kill()),
                    Death::Exit => owner.exit(foundation_types::ExitReason::Shutdown),
                }
                self.claims.retain(|_, held| held.owner != pid);
                assert_eq!(pid.held(), (0, 0, 0));
                "died".to_owned()
            }
            Op::SetIndexing(on) => {
                self.registry.set_indexing(on).expect("open");
                self.indexing = on;
                String::new()
            }
        }
    }

    fn register(&mut self, key: usize, owner: usize, metadata: Metadata, indexed: bool) -> String {
        let (namespace, name) = self.key(key);
        let pid = self.owners[owner].pid();
        let result = if indexed {
            self.registry.register_with(NewEntry::new(namespace, &name, &pid).metadata(metadata.clone()).indexed())
        } else {
            self.registry.register(namespace, &name, &pid, metadata.clone())
        };
        self.registered(key, owner, metadata, indexed, result)
    }

    fn registered(
        &mut self,
        key: usize,
        owner: usize,
        metadata: Metadata,
        indexed: bool,
        result: Result<Registered, RegisterError>,
    ) -> String {
        let pid = self.owners[owner].pid();
        match self.claims.get_mut(&key) {
            Some(held) if held.owner == pid => {
                let token = result.expect("a repeat by the same owner succeeds");
                assert_eq!(token.generation(), held.generation, "a repeat keeps the generation");
                if indexed {
                    held.metadata = metadata;
                    held.indexed = true;
                }
                "repeat".to_owned()
            }
            Some(held) => {
                let conflict = RegisterError::AlreadyRegistered { holder: held.owner.clone() };
                assert_eq!(result.map(drop), Err(conflict));
                "conflict".to_owned()
            }
            None => {
                let token = result.expect("the name is free");
                let generation = token.generation();
                let last = self.last_generation.insert(key, generation);
                assert!(last.is_none_or(|last| generation > last), "generations of a key increase");
                self.claims.insert(key, Held { owner: pid, metadata, indexed, generation });
                self.tokens.push((key, token));
                "claimed".to_owned()
            }
        }
    }

    fn read(&self, key: usize) -> String {
        let (namespace, name) = self.key(key);
        let expected = self.claims.get(&key);
        let found = self.registry.lookup(namespace, &name);
        assert_eq!(found, expected.map(|held| held.owner.clone()).ok_or(LookupError::NotFound));
        assert_eq!(self.registry.is_registered(namespace, &name), Ok(expected.is_some()));
        match (self.registry.entry(namespace, &name), expected) {
            (Ok(entry), Some(held)) => {
                assert_eq!(entry.key.name, name);
                assert_eq!(entry.key.namespace, *namespace);
                assert_is(&entry, held);
                format!("{:?} {}", entry.metadata, entry.indexed)
            }
            (Err(LookupError::NotFound), None) => "none".to_owned(),
            (entry, held) => panic!("{entry:?} instead of {held:?}"),
        }
    }

    fn list(&self, namespace: usize) -> String {
        let entries = self.registry.services(&self.namespaces[namespace]).expect("open");
        assert_eq!(self.registry.count(&self.namespaces[namespace]), Ok(entries.len()));
        let all = self.registry.find(&self.namespaces[namespace], |_| true).expect("open");
        assert_eq!(all.len(), entries.len());
        self.assert_same(namespace, &entries, |_| true)
    }

    fn find_indexed(&self, namespace: usize, field: &'static str, value: &Value) -> String {
        let found = self.registry.find_indexed(&self.namespaces[namespace], field, value).expect("open");
        self.assert_same(namespace, &found, |held| {
            let matches = match held.metadata.get(field) {
                None | Some(Value::Null) => false,
                Some(Value::List(items)) => items.contains(value),
                Some(there) => there == value,
            };
            self.indexing && held.indexed && matches && DEFAULT_INDEX_FIELDS.contains(&field)
        })
    }

    /// The entries found are those of the model that satisfy `which`, each once.
    fn assert_same(&self, namespace: usize, found: &[EntrySnapshot], which: impl Fn(&Held) -> bool) -> String {
        let mut names: Vec<_> = found.iter().map(|entry| entry.name().to_string()).collect();
        names.sort_unstable();
        let expected: Vec<_> = self
            .claims
            .iter()
            .filter(|(key, held)| **key / NAMES == namespace && which(held))
            .map(|(key, _)| name(key % NAMES).to_string())
            .collect();
        assert_eq!(names, expected);
        for entry in found {
            let key = (0..NAMES).find(|number| name(*number) == *entry.name()).expect("one of the names");
            assert_is(entry, &self.claims[&(namespace * NAMES + key)]);
        }
        names.join(" ")
    }

    /// Everything read now agrees with the model.
    fn agree(&self) {
        for key in 0..2 * NAMES {
            self.read(key);
        }
        for namespace in 0..2 {
            self.list(namespace);
        }
    }
}

fn assert_is(entry: &EntrySnapshot, held: &Held) {
    assert_eq!(entry.pid, held.owner);
    assert_eq!(*entry.metadata, held.metadata);
    assert_eq!(entry.indexed, held.indexed);
    assert_eq!(entry.generation, held.generation);
}
