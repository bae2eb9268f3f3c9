//! What agent features change for who does not use them: nothing.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::testing::{RecordedEvent, RecordingObserver};
use foundation_types::{Feature, FeatureGate, ManualClock, Metadata};
use proptest::collection::vec;

use super::backend::AgentBackend;
use super::command::{AGENTS, AgentCommand, agent_commands};
use crate::change::{ChangeKind, Scope};
use crate::conformance::backend::{
    Backend, Differs, Heard, Pending, Record, Reloaded, Says, Snapshot, Subscription, Written,
};
use crate::conformance::command::{Base, Command, bases, commands};
use crate::conformance::model::Write;
use crate::conformance::setup::{Scripted, Setup};
use crate::conformance::trees::path;
use crate::conformance::{Factory, check};
use crate::error::ConfigError;
use crate::layer::Version;
use crate::path::Path;

/// One store of three, driven by the same calls.
struct Run<B: Backend> {
    store: B,
    sources: Vec<Arc<Scripted>>,
    observer: Arc<RecordingObserver>,
    heard: Vec<B::Subscription>,
    /// The versions that calls without agents have published, or begun on.
    versions: Vec<Version>,
}

/// All that a caller who knows of no agents gets to see of a call, but for the numbers of versions.
#[derive(Debug, PartialEq)]
struct Seen {
    result: Result<Option<(String, Vec<Written>)>, String>,
    tree: String,
    typed: String,
    explained: Vec<Says>,
    heard: Vec<Vec<(String, Vec<Written>)>>,
    events: Vec<RecordedEvent>,
    history: Vec<(String, Vec<Written>)>,
    diff: Option<Vec<Differs>>,
}

fn without_version(record: &Record) -> (String, Vec<Written>) {
    let kind = match record.kind {
        ChangeKind::Rollback { .. } => "rollback".to_owned(),
        kind => kind.as_str().to_owned(),
    };
    (kind, record.entries.clone())
}

fn is_of_base(record: &Record) -> bool {
    record.entries.iter().all(|entry| matches!(entry.scope, Scope::Layer(_)))
}

impl<B: AgentBackend> Run<B> {
    fn new(make: Factory<'_, B>, base: &Base, gate: FeatureGate) -> Self {
        let observer = Arc::new(RecordingObserver::new());
        let mut setup = Setup::new(&ManualClock::new());
        setup.observer = Some(observer.clone());
        setup.gate = gate;
        let mut sources = Vec::new();
        for (index, (layer, _)) in base.sources.iter().enumerate() {
            let source = Scripted::new(format!("source {index}"), *layer, Metadata::new());
            setup = setup.source(&source);
            sources.push(source);
        }
        setup.limits.versions = 1024;
        let store = make(setup);
        let heard =
            ["", "labels", "labels.a", "limits", "a"].map(|prefix| store.subscribe(path(prefix)).expect("room"));
        Self { versions: vec![store.snapshot().version()], heard: heard.into(), store, sources, observer }
    }

    fn call(&mut self, command: &Command) -> Seen {
        let before = self.versions.len();
        let older = |age: u64| {
            let index = self.versions.len().checked_sub(1 + usize::try_from(age).expect("small"));
            index.map_or(Version::new(0), |index| self.versions[index])
        };
        let result = match command {
            Command::Update(path, value) => self.store.update(path, value.clone()).map(Some),
            // Versions are what differs, so a condition on them does, too.
            Command::UpdateIf(_, path, value) => {
                self.store.update_if(self.store.snapshot().version(), path, value.clone()).map(Some)
            }
            Command::Transaction(writes) => self.store.transaction(&mut |draft| {
                writes.iter().try_for_each(|write| match write {
                    Write::Set(path, value) => draft.set(path, value.clone()),
                    Write::Unset(path) => draft.unset(path),
                })
            }),
            Command::Unset(path) => self.store.unset(path).map(Some),
            Command::Reset => self.store.reset().map(Some),
            Command::Rollback(age) => self.store.rollback_to(older(*age)).map(Some),
            Command::Script(index, script) => {
                if let Some(source) = self.sources.get(*index) {
                    source.set(script.clone());
                }
                Ok(None)
            }
            Command::Reload => self.store.reload().map(|Reloaded { change, .. }| change),
            Command::Get(path) => self.store.value(path).map(|_| None),
        };
        if let Ok(Some(record)) = &result {
            self.versions.push(record.version);
        }
        let snapshot = self.store.snapshot();
        let heard = |subscription: &mut B::Subscription| {
            std::iter::from_fn(|| subscription.try_recv())
                .map(|heard| match heard {
                    Heard::Change(record) => without_version(&record),
                    Heard::Lagged { .. } => panic!("enough is remembered"),
                })
                .collect()
        };
        let error = |error: ConfigError| match error {
            ConfigError::VersionEvicted(_) => "evicted".to_owned(),
            error => error.to_string(),
        };
        Seen {
            result: result.map(|record| record.as_ref().map(without_version)).map_err(error),
            tree: snapshot.value(Path::ROOT).expect("there is a root").to_string(),
            typed: snapshot.typed().to_string(),
            explained: self.store.explain("labels.a").expect("a path"),
            heard: self.heard.iter_mut().map(heard).collect(),
            events: self.events(),
            history: self.store.history(usize::MAX).iter().filter(|one| is_of_base(one)).map(without_version).collect(),
            diff: self.store.diff(self.versions[before - 1], *self.versions.last().expect("there is a first")).ok(),
        }
    }

    /// The events that whoever knows of no agents hears.
    fn events(&self) -> Vec<RecordedEvent> {
        let is_known =
            |event: &RecordedEvent| event.metadata.get("agent").is_none() && !event.name.as_str().contains("override");
        let without_versions = |mut event: RecordedEvent| {
            for key in ["version", "from", "to"] {
                event.metadata.remove(key);
            }
            event
        };
        self.observer.take().into_iter().filter(is_known).map(without_versions).collect()
    }
}

/// P25: for calls that know of no agents, results, deliveries, events, history, explanations and differences are the same
/// with the agent features off, and with them on and any calls for agents in between; only the numbers of versions may
/// differ. (The other properties hold the store to the same model without the feature.)
pub fn p25_agent_off_is_legacy<B: AgentBackend>(make: Factory<'_, B>) {
    let calls = vec((commands::<B::Schema>(), agent_commands::<B::Schema>()), 1..4);
    check(150, (bases::<B::Schema>(), calls), |(base, calls)| {
        let gates = [FeatureGate::all_on(), FeatureGate::all_off(), FeatureGate::all_on()];
        let [mut plain, mut off, mut busy] = gates.clone().map(|gate| Run::new(make, &base, gate));
        for (commands, between) in calls {
            let mut between = between.iter().filter(|command| !matches!(command, AgentCommand::Base(_)));
            for command in &commands {
                for command in between.by_ref().take(2) {
                    act(&busy.store, &gates[2], command);
                    // With the features off, these are refused and change nothing.
                    let version = off.store.snapshot().version();
                    act(&off.store, &FeatureGate::all_off(), command);
                    assert_eq!(off.store.snapshot().version(), version);
                }
                let seen = plain.call(command);
                assert_eq!(off.call(command), seen, "with the features off");
                assert_eq!(busy.call(command), seen, "with agents in between");
            }
        }
    });
    not_superseded(make);
}

/// An override does not overtake a write to the configuration that waits.
fn not_superseded<B: AgentBackend>(make: Factory<'_, B>) {
    let store = make(Setup::new(&ManualClock::new()));
    let queue = store.pending(Duration::from_secs(1), NonZeroUsize::MIN);
    queue.enqueue(&path("labels.a"), 1.into()).expect("labels are free");
    store.set_override(&AGENTS[0], "labels.a", 2.into()).expect("labels are free");
    assert_eq!(queue.replay().applied.len(), 1);
    assert_eq!(store.value("labels.a"), Ok(1.into()));
}

/// Does something for an agent, whatever comes of it.
fn act<B: AgentBackend>(store: &B, gate: &FeatureGate, command: &AgentCommand) {
    match command {
        AgentCommand::Base(_) => {}
        AgentCommand::Set(id, path, value) => drop(store.set_override(id, path, value.clone())),
        AgentCommand::Unset(id, path) => drop(store.unset_override(id, path)),
        AgentCommand::Clear(id) => drop(store.clear_agent(id)),
        AgentCommand::Switch(true) => drop(gate.enable(Feature::Config)),
        AgentCommand::Switch(false) => drop(gate.disable(Feature::Config)),
    }
}
