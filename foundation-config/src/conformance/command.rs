//! What is done to a store and to the model at once.

use std::sync::Arc;

use foundation_types::{ManualClock, Metadata, Value, bridge};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::Factory;
use super::backend::{Backend, Draft, Record, Snapshot};
use super::model::{Answer, Judged, Model, Write};
use super::schema::Ruled;
use super::setup::{Script, Scripted, Setup, Start};
use super::trees::{empty, paths_around};
use crate::error::ConfigError;
use crate::layer::{Layer, Version};
use crate::path::Path;

/// Something that is done to a store.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Update(Path, Value),
    /// With the version that is this much older than the current one.
    UpdateIf(u64, Path, Value),
    Transaction(Vec<Write>),
    Unset(Path),
    Reset,
    /// To the version that is this much older than the current one.
    Rollback(u64),
    Script(usize, Script),
    Reload,
    Get(Path),
}

/// What a store is made of, but for the schema.
#[derive(Clone, Debug)]
pub(super) struct Base {
    pub(super) sources: Vec<(Layer, Metadata)>,
    pub(super) namespace: Metadata,
    pub(super) start: Start,
    pub(super) versions: usize,
    pub(super) history: usize,
}

/// How many sources there are at most.
const MAX_SOURCES: usize = 4;

pub(super) fn bases<S: Ruled>() -> impl Strategy<Value = Base> {
    let layer = select(vec![Layer::File, Layer::File, Layer::Env, Layer::Remote, Layer::Namespace]);
    let start = select(vec![Start::Loaded, Start::Loaded, Start::Bare]);
    let namespace = prop_oneof![2 => Just(Metadata::new()), 1 => S::documents()];
    (vec((layer, S::documents()), 0..=MAX_SOURCES), namespace, start, 1..8_usize, 1..8_usize).prop_map(
        |(sources, namespace, start, versions, history)| Base { sources, namespace, start, versions, history },
    )
}

pub(super) fn commands<S: Ruled>() -> impl Strategy<Value = Vec<Command>> {
    vec(command::<S>(), 0..16)
}

fn command<S: Ruled>() -> impl Strategy<Value = Command> {
    let write = prop_oneof![
        4 => S::writes().prop_map(|(path, value)| Write::Set(path, value)),
        1 => S::paths().prop_map(Write::Unset),
    ];
    let script = prop_oneof![
        8 => S::documents().prop_map(Script::Holds),
        1 => Just(Script::Fails("no answer")),
    ];
    prop_oneof![
        8 => S::writes().prop_map(|(path, value)| Command::Update(path, value)),
        1 => (0..2_u64, S::writes()).prop_map(|(age, (path, value))| Command::UpdateIf(age, path, value)),
        2 => vec(write, 0..4).prop_map(Command::Transaction),
        4 => S::paths().prop_map(Command::Unset),
        1 => Just(Command::Reset),
        3 => (0..8_u64).prop_map(Command::Rollback),
        4 => (0..MAX_SOURCES, script).prop_map(|(source, script)| Command::Script(source, script)),
        4 => Just(Command::Reload),
        2 => S::paths().prop_map(Command::Get),
    ]
}

/// A store, and what it has to be like.
pub(super) struct Pair<B: Backend> {
    pub(super) store: B,
    pub(super) model: Model<B::Schema>,
    pub(super) sources: Vec<Arc<Scripted>>,
    pub(super) clock: ManualClock,
    pub(super) namespace: Metadata,
}

/// What a command did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Did {
    Commit(Record),
    Nothing,
    Refuse,
}

impl<B: Backend> Pair<B> {
    pub(super) fn new(make: Factory<'_, B>, base: &Base) -> Self {
        Self::with(make, base, |_| {})
    }

    /// With options that `adjust` changes.
    pub(super) fn with(make: Factory<'_, B>, base: &Base, adjust: impl FnOnce(&mut Setup)) -> Self {
        let clock = ManualClock::new();
        let mut setup = Setup::new(&clock);
        setup.namespace = base.namespace.clone();
        setup.start = base.start;
        setup.limits.versions = base.versions;
        setup.limits.history = base.history;
        let mut trees: Vec<_> = base.sources.iter().map(|(_, tree)| tree.clone()).collect();
        let mut sources = Vec::new();
        for (index, (layer, tree)) in base.sources.iter().enumerate() {
            let source = Scripted::new(format!("source {index}"), *layer, tree.clone());
            setup = setup.source(&source);
            sources.push(source);
        }
        adjust(&mut setup);
        let scripts = |trees: &[Metadata]| trees.iter().cloned().map(Script::Holds).collect();
        let mut model = Model::new(&setup, scripts(&trees));
        if !B::Schema::faults(&model.tree()).is_empty() {
            // No store can be made of these: they come with the commands.
            setup.namespace = Metadata::new();
            for (source, tree) in sources.iter().zip(&mut trees) {
                *tree = Metadata::new();
                source.set(Script::Holds(Metadata::new()));
            }
            model = Model::new(&setup, scripts(&trees));
        }
        let namespace = setup.namespace.clone();
        Self { store: make(setup), model, sources, clock, namespace }
    }

    pub(super) fn run_all(&mut self, commands: &[Command]) {
        for command in commands {
            self.run(command);
        }
    }

    /// Does it to both, which have to answer alike.
    pub(super) fn run(&mut self, command: &Command) -> Did {
        let did = match command {
            Command::Update(path, value) => {
                let answer = self.model.update(path, value);
                alike(answer, self.store.update(path, value.clone()))
            }
            Command::UpdateIf(age, path, value) => {
                let version = self.older(*age);
                let answer = self.model.update_if(version, path, value);
                alike(answer, self.store.update_if(version, path, value.clone()))
            }
            Command::Transaction(writes) if writes.is_empty() => {
                assert_eq!(self.store.transaction(&mut |_| Ok(())), Ok(None));
                Did::Nothing
            }
            Command::Transaction(writes) => {
                let committed = self.store.transaction(&mut |draft| self.model.replay(draft, writes));
                let committed = committed.map(|record| record.expect("there are writes"));
                alike(self.model.write(writes), committed)
            }
            Command::Unset(path) => {
                let answer = self.model.unset(path);
                alike(answer, self.store.unset(path))
            }
            Command::Reset => {
                let answer = self.model.reset();
                alike(answer, self.store.reset())
            }
            Command::Rollback(age) => {
                let version = self.older(*age);
                let answer = self.model.rollback_to(version);
                alike(answer, self.store.rollback_to(version))
            }
            Command::Script(source, script) => {
                if let Some(scripted) = self.sources.get(*source) {
                    scripted.set(script.clone());
                    self.model.script(*source, script.clone());
                }
                Did::Nothing
            }
            Command::Reload => self.reload(),
            Command::Get(path) => {
                self.agree_at(path);
                Did::Nothing
            }
        };
        self.agree_in_short();
        did
    }

    fn reload(&mut self) -> Did {
        let (record, judged) = self.model.reload();
        let report = self.store.reload().expect("not asked by a schema");
        assert_eq!(report.change, record);
        let are_alike = judged.iter().zip(&report.sources).all(|(judged, outcome)| judged.is(outcome));
        assert!(are_alike && judged.len() == report.sources.len(), "{judged:?} and not {:?}", report.sources);
        record.map_or_else(
            || if judged.iter().any(|one| matches!(one, Judged::Rejected(_))) { Did::Refuse } else { Did::Nothing },
            Did::Commit,
        )
    }

    pub(super) fn older(&self, by: u64) -> Version {
        Version::new(self.model.state.version.get().saturating_sub(by))
    }

    fn agree_in_short(&self) {
        let snapshot = self.store.snapshot();
        assert_eq!(snapshot.version(), self.model.state.version);
        assert_eq!(snapshot.value(Path::ROOT), Ok(self.model.tree()));
    }

    pub(super) fn agree_at(&self, path: &Path) {
        self.agree_in(&self.model.tree(), path);
    }

    /// Asserts that both say the same at a path of the tree of the model.
    pub(super) fn agree_in(&self, tree: &Value, path: &Path) {
        match (self.model.value_in(tree, path), self.store.value(path)) {
            (Ok(value), found) => assert_eq!(found, Ok(value)),
            (Err(refusal), Err(error)) if refusal.is(&error) => {}
            (wanted, found) => panic!("{wanted:?} and not {found:?}"),
        }
    }

    /// Asserts that both are the same in all that can be seen of them.
    pub(super) fn agree(&self) {
        self.agree_in_short();
        let tree = self.model.tree();
        for path in paths_around([&tree, &self.model.below(&self.model.state), self.model.state.runtime.tree()]) {
            self.agree_in(&tree, &path);
            assert_eq!(self.store.explain(&path), Ok(self.model.explain(&path)), "at {path}");
        }
        for limit in [0, 1, 3, usize::MAX] {
            assert_eq!(self.store.history(limit), self.model.history(limit));
        }
        self.agree_typed();
    }

    /// Asserts that the typed configuration is valid, and that of the tree.
    pub(super) fn agree_typed(&self) {
        let snapshot = self.store.snapshot();
        let tree = snapshot.value(Path::ROOT).expect("there is a root");
        assert!(B::Schema::faults(&tree).is_empty(), "{tree:?} is published");
        let decoded: B::Schema = bridge::from_value(&tree).expect("what is valid can be decoded");
        let typed = bridge::to_value(&decoded).expect("a configuration serialises");
        assert_eq!(snapshot.typed(), typed);
        let mut reader = self.store.reader();
        for _ in 0..2 {
            assert_eq!(reader(), (snapshot.version(), typed.clone()));
        }
    }
}

/// Asserts that the store answers as the model does.
pub(super) fn alike(answer: Answer<Record>, found: Result<Record, ConfigError>) -> Did {
    match (answer, found) {
        (Ok(record), Ok(found)) => {
            assert_eq!(found, record);
            Did::Commit(record)
        }
        (Err(refusal), Err(error)) => {
            assert!(refusal.is(&error), "{refusal:?} and not {error:?}");
            Did::Refuse
        }
        (wanted, found) => panic!("{wanted:?} and not {found:?}"),
    }
}

impl<S: Ruled> Model<S> {
    /// Makes the writes in a transaction, whose reads have to see what the model sees.
    fn replay(&self, draft: &mut dyn Draft, writes: &[Write]) -> Result<(), ConfigError> {
        let mut state = self.state.clone();
        for write in writes {
            let answer = self.draft(&mut state, write);
            let made = match write {
                Write::Set(path, value) => draft.set(path, value.clone()),
                Write::Unset(path) => draft.unset(path),
            };
            match (&answer, &made) {
                (Ok(_), Ok(())) => {}
                (Err(refusal), Err(error)) if refusal.is(error) => {}
                _ => panic!("{answer:?} and not {made:?}"),
            }
            made?;
            assert_eq!(draft.value(&Path::ROOT), Ok(self.base(&state)));
        }
        Ok(())
    }
}

/// A store without sources, and its model.
pub(super) fn plain() -> Base {
    Base { sources: Vec::new(), namespace: Metadata::new(), start: Start::Loaded, versions: 64, history: 1024 }
}

/// A tree with one value in it.
pub(super) fn nested(path: &Path, value: Value) -> Value {
    let mut tree = empty();
    super::trees::put(&mut tree, path, value);
    tree
}
