//! The model: layers of plain values, laid over each other anew for each question.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::time::Duration;

use foundation_types::{AgentId, Value};

use super::backend::{Record, Says, Written as Entry};
use super::runtime::Written;
use super::schema::{Faults, Ruled, is_secret};
use super::setup::{Script, Setup, Start};
use super::trees::{at, differences, empty, hides, merge, prefixes};
use crate::change::{ChangeKind, Scope};
use crate::error::ConfigError;
use crate::layer::{Layer, Version};
use crate::limits::{Limit, Limits};
use crate::path::Path;
use crate::secret::REDACTED;
use crate::store::{SourceOutcome, SourceState, StalePolicy};

/// What a store of `S` has to be like.
pub struct Model<S> {
    pub(super) state: State,
    /// The versions that can be returned to, the current one last.
    pub(super) kept: Vec<State>,
    /// All changes ever.
    pub(super) changes: Vec<Record>,
    /// What came before each change, and whether the agent features were on.
    pub(super) before: Vec<(State, bool)>,
    pub(super) now: Duration,
    /// Whether the agent features are on.
    pub(super) is_on: bool,
    #[cfg(feature = "agent")]
    pub(super) agent_defaults: Value,
    namespace: Value,
    pub(super) limits: Limits,
    sources: Vec<Source>,
    /// What the last reload made of each source.
    pub(super) judged: Vec<Judged>,
    of: PhantomData<fn() -> S>,
}

/// One version.
#[derive(Clone, Debug)]
pub struct State {
    pub(super) version: Version,
    pub(super) documents: Vec<Option<Value>>,
    pub(super) runtime: Written,
    pub(super) overlays: BTreeMap<AgentId, Value>,
    /// The agents whose overrides do not fit.
    pub(super) suspended: BTreeSet<AgentId>,
}

#[derive(Clone)]
struct Source {
    name: String,
    layer: Layer,
    policy: StalePolicy,
    says: Script,
    accepted: Option<Value>,
    failing_since: Option<Duration>,
}

/// Why the model refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing is there.
    NotFound(Path),
    /// It may not be written.
    Forbidden(Path),
    /// It would not be valid.
    Invalid(Faults),
    /// Another version is current.
    Conflict(Version, Version),
    /// The version is not kept.
    Evicted(Version),
    /// The source has failed for too long.
    Unavailable(Path, Duration),
    /// It would be too much.
    Limit(Limit),
    /// The agent features are off.
    Disabled,
}

impl Refusal {
    /// Whether the error of a store says this.
    pub fn is(&self, error: &ConfigError) -> bool {
        match (self, error) {
            (Self::NotFound(path), ConfigError::NotFound { path: found })
            | (Self::Forbidden(path), ConfigError::UpdateForbidden { path: found, .. }) => path == found,
            (Self::Invalid(faults), ConfigError::Invalid(violations)) => faults.are(violations),
            (Self::Conflict(wanted, current), ConfigError::VersionConflict { expected, actual }) => {
                (wanted, current) == (expected, actual)
            }
            (Self::Evicted(version), ConfigError::VersionEvicted(found)) => version == found,
            (Self::Unavailable(path, since), ConfigError::Unavailable { path: found, age }) => {
                (path, since) == (found, age)
            }
            (Self::Limit(limit), ConfigError::LimitExceeded { what, .. }) => limit == what,
            #[cfg(feature = "agent")]
            (Self::Disabled, ConfigError::AgentFeaturesDisabled) => true,
            _ => false,
        }
    }
}

/// What the model answers.
pub type Answer<T> = Result<T, Refusal>;

/// A write of a transaction.
#[derive(Clone, Debug)]
pub enum Write {
    /// Sets a value.
    Set(Path, Value),
    /// Takes back what is at and below a path.
    Unset(Path),
}

impl<S: Ruled> Model<S> {
    /// The model of a store that was made of this.
    pub fn new(setup: &Setup, scripts: Vec<Script>) -> Self {
        let sources = setup.sources.iter().zip(scripts).map(|((source, policy), says)| Source {
            name: crate::Source::name(source).to_owned(),
            layer: crate::Source::layer(source),
            policy: *policy,
            says,
            accepted: None,
            failing_since: None,
        });
        let mut sources: Vec<_> = sources.collect();
        if setup.start == Start::Loaded {
            for source in &mut sources {
                source.accepted = source.says.holds();
            }
        }
        let state = State {
            version: Version::FIRST,
            documents: sources.iter().map(|source| source.accepted.clone()).collect(),
            runtime: Written::default(),
            overlays: BTreeMap::new(),
            suspended: BTreeSet::new(),
        };
        Self {
            kept: vec![state.clone()],
            state,
            changes: Vec::new(),
            before: Vec::new(),
            now: Duration::ZERO,
            is_on: true,
            #[cfg(feature = "agent")]
            agent_defaults: setup.agent_defaults.clone().into(),
            namespace: setup.namespace.clone().into(),
            limits: setup.limits,
            sources,
            judged: Vec::new(),
            of: PhantomData,
        }
    }

    /// What a source says from now on.
    pub fn script(&mut self, source: usize, script: Script) {
        self.sources[source].says = script;
    }

    /// The content of a layer in a state.
    fn layer(&self, state: &State, layer: Layer) -> Value {
        let start = match layer {
            Layer::Defaults => S::given(),
            Layer::Namespace => self.namespace.clone(),
            Layer::Runtime => state.runtime.tree().clone(),
            _ => empty(),
        };
        self.documents_of(state, layer).fold(start, |below, (_, document)| merge(&below, document))
    }

    fn documents_of<'m>(
        &'m self,
        state: &'m State,
        layer: Layer,
    ) -> impl DoubleEndedIterator<Item = (usize, &'m Value)> {
        let documents =
            state.documents.iter().enumerate().filter_map(|(index, document)| Some((index, document.as_ref()?)));
        documents.filter(move |(index, _)| self.sources[*index].layer == layer)
    }

    /// All layers below that of run time.
    pub fn below(&self, state: &State) -> Value {
        let below = Layer::ALL.into_iter().filter(|layer| *layer != Layer::Runtime);
        below.fold(empty(), |below, layer| merge(&below, &self.layer(state, layer)))
    }

    /// The whole tree.
    pub fn base(&self, state: &State) -> Value {
        state.runtime.over(&self.below(state))
    }

    /// The whole tree now.
    pub fn tree(&self) -> Value {
        self.base(&self.state)
    }

    /// The value at a path.
    pub fn value(&self, path: &Path) -> Answer<Value> {
        self.value_in(&self.tree(), path)
    }

    /// The value at a path of the tree that is to be seen.
    pub(super) fn value_in(&self, tree: &Value, path: &Path) -> Answer<Value> {
        self.check_fresh(path)?;
        at(tree, path).cloned().ok_or_else(|| Refusal::NotFound(path.clone()))
    }

    /// Sets a value.
    pub fn update(&mut self, path: &Path, value: &Value) -> Answer<Record> {
        self.write(&[Write::Set(path.clone(), value.clone())])
    }

    /// Sets a value if a version is current.
    pub fn update_if(&mut self, expected: Version, path: &Path, value: &Value) -> Answer<Record> {
        if !S::may_write(path) {
            return Err(Refusal::Forbidden(path.clone()));
        }
        if expected != self.state.version {
            return Err(Refusal::Conflict(expected, self.state.version));
        }
        self.update(path, value)
    }

    /// Takes back what was written.
    pub fn unset(&mut self, path: &Path) -> Answer<Record> {
        self.write(&[Write::Unset(path.clone())])
    }

    /// Makes several writes, at least one.
    pub fn write(&mut self, writes: &[Write]) -> Answer<Record> {
        let mut next = self.state.clone();
        let mut entries = Vec::new();
        for write in writes {
            entries.push(self.draft(&mut next, write)?);
        }
        let takes_back = writes.iter().all(|write| matches!(write, Write::Unset(_)));
        self.publish(if takes_back { ChangeKind::Unset } else { ChangeKind::Update }, entries, next)
    }

    /// Makes one write on a state that nobody has judged.
    pub(super) fn draft(&self, state: &mut State, write: &Write) -> Answer<Entry> {
        let (Write::Set(path, _) | Write::Unset(path)) = write;
        if !S::may_write(path) {
            return Err(Refusal::Forbidden(path.clone()));
        }
        let before = at(state.runtime.tree(), path).cloned();
        let after = match write {
            Write::Set(path, value) => {
                check_way(&self.base(state), path, value)?;
                state.runtime.set(path, value);
                Some(value.clone())
            }
            Write::Unset(path) => {
                if !state.runtime.unset(path) {
                    return Err(Refusal::NotFound(path.clone()));
                }
                None
            }
        };
        Ok(entry(path.clone(), Layer::Runtime, before, after))
    }

    /// Takes back all that was written.
    pub fn reset(&mut self) -> Answer<Record> {
        let mut next = self.state.clone();
        let old = std::mem::take(&mut next.runtime);
        if self.is_on {
            next.overlays.clear();
        }
        let entries = vec![entry(Path::ROOT, Layer::Runtime, Some(old.tree().clone()), Some(empty()))];
        self.publish(ChangeKind::Reset, entries, next)
    }

    /// Restores an earlier version.
    pub fn rollback_to(&mut self, version: Version) -> Answer<Record> {
        let target = self.kept.iter().find(|state| state.version == version).ok_or(Refusal::Evicted(version))?;
        let mut next = self.state.clone();
        next.documents.clone_from(&target.documents);
        next.runtime.clone_from(&target.runtime);
        if self.is_on {
            next.overlays.clone_from(&target.overlays);
        }
        let mut entries = self.entries(&self.state, &next);
        if entries.is_empty() {
            let same = Some(next.runtime.tree().clone());
            entries.push(entry(Path::ROOT, Layer::Runtime, same.clone(), same));
        }
        self.publish(ChangeKind::Rollback { to: version }, entries, next)
    }

    /// Asks the sources again.
    pub fn reload(&mut self) -> (Option<Record>, Vec<Judged>) {
        let mut judged: Vec<Judged> = self.sources.iter().map(Source::judge).collect();
        let fresh: Vec<usize> = (0..judged.len()).filter(|index| judged[*index] == Judged::Applied).collect();
        let with = |state: &State, indices: &[usize]| {
            let mut next = state.clone();
            for index in indices {
                next.documents[*index] = self.sources[*index].says.holds();
            }
            next
        };
        let mut next = with(&self.state, &fresh);
        if !S::faults(&self.base(&next)).is_empty() {
            next = self.state.clone();
            for index in fresh {
                let candidate = with(&next, &[index]);
                let faults = S::faults(&self.base(&candidate));
                if faults.is_empty() {
                    next = candidate;
                } else {
                    judged[index] = Judged::Rejected(faults);
                }
            }
        }
        for (source, judged) in self.sources.iter_mut().zip(&judged) {
            match judged {
                Judged::Unchanged | Judged::Applied => {
                    source.accepted = source.says.holds();
                    source.failing_since = None;
                }
                Judged::Failed | Judged::Rejected(_) => {
                    source.failing_since = source.failing_since.or(Some(self.now));
                }
            }
        }
        self.judged.clone_from(&judged);
        let mut entries = self.entries(&self.state, &next);
        let holds = |state: &State, index: usize| state.documents[index].clone().unwrap_or_else(empty);
        if entries.is_empty() {
            let moved = (0..self.sources.len()).find(|index| holds(&self.state, *index) != holds(&next, *index));
            let Some(moved) = moved else { return (None, judged) };
            let layer = self.sources[moved].layer;
            let same = Some(self.layer(&next, layer));
            entries.push(entry(Path::ROOT, layer, same.clone(), same));
        }
        let record = self.publish(ChangeKind::Reload, entries, next).expect("judged above");
        (Some(record), judged)
    }

    /// What differs in the layers of two states, place by place.
    fn entries(&self, old: &State, new: &State) -> Vec<Entry> {
        let mut entries = Vec::new();
        for layer in Layer::ALL {
            let (before, after) = (self.layer(old, layer), self.layer(new, layer));
            let places = if layer == Layer::Runtime {
                new.runtime.differences(&old.runtime)
            } else {
                differences(&before, &after).into_iter().map(|one| one.path).collect()
            };
            for path in places {
                let (before, after) = (at(&before, &path).cloned(), at(&after, &path).cloned());
                entries.push(entry(path, layer, before, after));
            }
        }
        entries
    }

    pub(super) fn publish(&mut self, kind: ChangeKind, entries: Vec<Entry>, mut next: State) -> Answer<Record> {
        let base = self.base(&next);
        self.fits(&base)?;
        let fits = |overlay: &Value| S::faults(&merge(&base, overlay)).is_empty();
        next.suspended = next.overlays.iter().filter(|(_, overlay)| !fits(overlay)).map(|(id, _)| id.clone()).collect();
        next.version = self.state.version.next();
        let record = Record { version: next.version, kind, entries };
        self.kept.push(next.clone());
        if self.kept.len() > self.limits.versions {
            self.kept.remove(0);
        }
        self.changes.push(record.clone());
        self.before.push((std::mem::replace(&mut self.state, next), self.is_on));
        Ok(record)
    }

    /// Whether a tree could be published.
    pub(super) fn fits(&self, base: &Value) -> Answer<()> {
        if nodes(base) > self.limits.tree_nodes {
            return Err(Refusal::Limit(Limit::TreeNodes));
        }
        let faults = S::faults(base);
        if faults.is_empty() { Ok(()) } else { Err(Refusal::Invalid(faults)) }
    }

    /// The changes that are remembered, the newest first.
    pub fn history(&self, limit: usize) -> Vec<Record> {
        self.changes.iter().rev().take(self.limits.history.min(limit)).cloned().collect()
    }

    /// What each layer and source says at a path, the highest first.
    pub fn explain(&self, path: &Path) -> Vec<Says> {
        self.explain_below(Vec::new(), path)
    }

    /// The same with trees over all layers.
    pub(super) fn explain_below(&self, mut above: Vec<Value>, path: &Path) -> Vec<Says> {
        let mut said = Vec::new();
        let mut is_walled = false;
        for layer in Layer::ALL.into_iter().rev() {
            let given = match layer {
                Layer::Defaults => Some(S::given()),
                Layer::Namespace => Some(self.namespace.clone()),
                Layer::Runtime => Some(self.state.runtime.tree().clone()),
                _ => None,
            };
            let mut here = above.clone();
            let documents = self.documents_of(&self.state, layer).rev();
            let documents = documents.map(|(index, tree)| (Some(self.sources[index].name.as_str()), tree.clone()));
            for (place, tree) in documents.chain(given.map(|tree| (None, tree))) {
                if let Some(value) = at(&tree, path) {
                    let decides = !is_walled && shows_below(&here, path, value);
                    said.push(Says::of(layer, place, shown(path, value), decides));
                }
                here.push(tree);
            }
            is_walled |= layer == Layer::Runtime && self.state.runtime.hides(path);
            above.push(self.layer(&self.state, layer));
        }
        said
    }

    /// Whether what shows at a path comes from this source, at least in part.
    fn decides(&self, source: usize, path: &Path) -> bool {
        let layer = self.sources[source].layer;
        let Some(value) = self.state.documents[source].as_ref().and_then(|tree| at(tree, path)) else { return false };
        let own = self.documents_of(&self.state, layer).filter(|(index, _)| *index > source);
        let above = Layer::ALL.into_iter().filter(|above| *above > layer).map(|above| self.layer(&self.state, above));
        let over: Vec<_> = own.map(|(_, tree)| tree.clone()).chain(above).collect();
        !self.state.runtime.hides(path) && shows_below(&over, path, value)
    }

    /// How each source is.
    pub fn source_states(&self) -> Vec<SourceState> {
        let state = |source: &Source| match (source.policy, self.age(source)) {
            (_, None) => SourceState::Fresh,
            (StalePolicy::ErrorAfter(limit), Some(age)) if age > limit => SourceState::Expired { age },
            (_, Some(age)) => SourceState::Stale { age },
        };
        self.sources.iter().map(state).collect()
    }

    /// For how long a source has been failing.
    fn age(&self, source: &Source) -> Option<Duration> {
        source.failing_since.map(|since| self.now.saturating_sub(since))
    }

    pub(super) fn check_fresh(&self, path: &Path) -> Answer<()> {
        for (index, source) in self.sources.iter().enumerate() {
            if let (StalePolicy::ErrorAfter(limit), Some(age)) = (source.policy, self.age(source))
                && age > limit
                && self.decides(index, path)
            {
                return Err(Refusal::Unavailable(path.clone(), age));
            }
        }
        Ok(())
    }
}

/// Whether a value at a path shows through what lies above it.
fn shows_below(above: &[Value], path: &Path, value: &Value) -> bool {
    let is_map = value.as_map().is_some();
    !above.iter().any(|tree| hides(tree, path) || (!is_map && at(tree, path).is_some()))
}

/// A value as people may see it.
pub(super) fn shown(path: &Path, value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        _ if is_secret(path) => Value::from(REDACTED),
        Value::Map(map) => {
            let below = |key: &foundation_types::Text| path.join(key.clone()).expect("short");
            let shown = map.iter().map(|(key, value)| (key.clone(), shown(&below(key), value)));
            Value::Map(shown.collect())
        }
        other => other.clone(),
    }
}

pub(super) fn nodes(value: &Value) -> usize {
    match value {
        Value::Map(map) => 1 + map.iter().map(|(_, value)| nodes(value)).sum::<usize>(),
        Value::List(items) => 1 + items.iter().map(nodes).sum::<usize>(),
        _ => 1,
    }
}

/// Refuses a write below something that is no map, and one of something else as the whole.
pub(super) fn check_way(tree: &Value, path: &Path, value: &Value) -> Answer<()> {
    let above = prefixes(path).take(path.len());
    for prefix in above {
        match at(tree, &prefix) {
            Some(Value::Map(_)) => {}
            Some(_) => return Err(Refusal::Invalid(Faults::shape(prefix))),
            None => break,
        }
    }
    if path.is_root() && value.as_map().is_none() {
        return Err(Refusal::Invalid(Faults::shape(Path::ROOT)));
    }
    Ok(())
}

fn entry(path: Path, layer: Layer, before: Option<Value>, after: Option<Value>) -> Entry {
    Entry { path, scope: Scope::Layer(layer), before, after }
}

/// What a reload makes of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It holds what it held.
    Unchanged,
    /// What it holds now is in force.
    Applied,
    /// It could not be asked.
    Failed,
    /// What it holds now is refused.
    Rejected(Faults),
}

impl Judged {
    /// Whether the report of a store says this.
    pub fn is(&self, outcome: &SourceOutcome) -> bool {
        match (self, outcome) {
            (Self::Unchanged, SourceOutcome::Unchanged)
            | (Self::Applied, SourceOutcome::Applied)
            | (Self::Failed, SourceOutcome::Failed(_)) => true,
            (Self::Rejected(faults), SourceOutcome::Rejected(ConfigError::Invalid(violations))) => {
                faults.are(violations)
            }
            _ => false,
        }
    }
}

impl<S> Clone for Model<S> {
    fn clone(&self) -> Self {
        Self {
            state: self.state.clone(),
            kept: self.kept.clone(),
            changes: self.changes.clone(),
            before: self.before.clone(),
            now: self.now,
            is_on: self.is_on,
            #[cfg(feature = "agent")]
            agent_defaults: self.agent_defaults.clone(),
            namespace: self.namespace.clone(),
            limits: self.limits,
            sources: self.sources.clone(),
            judged: self.judged.clone(),
            of: PhantomData,
        }
    }
}

impl Source {
    fn judge(&self) -> Judged {
        match self.says.holds() {
            None => Judged::Failed,
            held if held == self.accepted => Judged::Unchanged,
            Some(_) => Judged::Applied,
        }
    }
}

impl Script {
    pub(super) fn holds(&self) -> Option<Value> {
        if let Self::Holds(tree) = self { Some(tree.clone().into()) } else { None }
    }
}
