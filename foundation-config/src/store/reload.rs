//! Asking the sources again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foundation_types::{Measurements, Metadata, contain};
use parking_lot::Mutex;

use super::Store;
use super::commit::{Candidate, Published, build_typed};
use super::write::layer_entries;
use super::writer::Turn;
use crate::change::{ChangeKind, Committed, Scope};
use crate::content::{Content, Layers, Loaded};
use crate::error::ConfigError;
use crate::events::{SOURCE_FAILED_EVENT, SOURCE_RECOVERED_EVENT};
use crate::layer::Layer;
use crate::limits::{Limits, check_value};
use crate::path::Path;
use crate::schema::Schema;
use crate::source::{Origin, Source, SourceError};

/// A source, and what it said last.
pub(crate) struct Slot {
    pub(crate) source: Box<dyn Source>,
    begun: AtomicU64,
    pub(crate) last: Mutex<Last>,
}

/// What a source said last.
#[derive(Default)]
pub(crate) struct Last {
    /// The number of the load that began last of those that are over.
    load: u64,
    /// What it held when it was last accepted.
    pub(crate) accepted: Option<Arc<Loaded>>,
    /// Why it was not accepted, if it was not.
    pub(crate) failure: Option<String>,
}

impl Slot {
    /// A source, and what it held when it was loaded first, if it was.
    pub(crate) fn new(source: Box<dyn Source>, accepted: Option<Arc<Loaded>>) -> Self {
        Self { source, begun: AtomicU64::new(0), last: Mutex::new(Last { accepted, ..Last::default() }) }
    }
}

/// What [`Store::reload`] did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReloadReport {
    /// The change, if there was one.
    pub committed: Option<Committed>,
    /// Source by source, in the order in which they were added.
    pub sources: Vec<SourceReport>,
}

impl ReloadReport {
    /// Whether every source was loaded and accepted.
    pub fn is_clean(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The sources that failed or were rejected.
    pub fn failures(&self) -> impl Iterator<Item = &SourceReport> {
        let failed = |outcome: &SourceOutcome| matches!(outcome, SourceOutcome::Failed(_) | SourceOutcome::Rejected(_));
        self.sources.iter().filter(move |report| failed(&report.outcome))
    }
}

/// What became of one source.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SourceReport {
    /// Its name.
    pub name: String,
    /// Its layer.
    pub layer: Layer,
    /// What became of it.
    pub outcome: SourceOutcome,
}

/// What became of a source that was asked again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SourceOutcome {
    /// It holds what it held before.
    Unchanged,
    /// What it holds now is in force.
    Applied,
    /// It could not be loaded; what it held before stays in force.
    Failed(SourceError),
    /// What it holds now would make the configuration invalid; what it held before stays in force.
    Rejected(ConfigError),
    /// A reload that began later was over earlier, and has decided.
    Superseded,
}

/// What a source holds, within the limits.
pub(super) fn load(source: &dyn Source, limits: &Limits) -> Result<Loaded, SourceError> {
    let document = contain(|| source.load()).map_err(SourceError::Panicked)??;
    // Sources may nest deeper than single values that are written, as they hold the whole tree.
    let limits = Limits { value_depth: foundation_types::MAX_VALUE_DEPTH, ..*limits };
    let fault = |message: String| SourceError::Syntax { origin: Origin::new(source.name()), message: message.into() };
    check_value(&document.to_value(), &limits, |_| true).map_err(|unfit| match unfit {
        crate::limits::Unfit::Fault(reason) => fault(reason.to_string()),
        crate::limits::Unfit::Nodes => fault(format!("more than {} nodes", limits.value_nodes)),
    })?;
    Ok(Loaded::new(source.name(), source.layer(), document))
}

impl<S: Schema> Store<S> {
    /// Asks every source again and makes what changed one new version. A source that fails, or whose new content is not
    /// valid, keeps what it held, and does not keep the others from theirs. If the new contents are valid together, all are
    /// taken; else each is that is valid on top of those before it.
    ///
    /// Reads files and the environment, on this thread and outside every lock; several reloads may run at once.
    ///
    /// # Errors
    /// [`ConfigError::Reentrant`]. What goes wrong with single sources is in the report.
    pub fn reload(&self) -> Result<ReloadReport, ConfigError> {
        let inner = &*self.0;
        let loads: Vec<_> = inner.sources.iter().map(|slot| self.load_slot(slot)).collect();
        let mut turn = inner.writer.turn()?;
        let content = self.content();
        let mut outcomes: Vec<_> = inner.sources.iter().zip(loads).map(|(slot, load)| slot.judge(load)).collect();
        let layers = self.accept(&content, &mut outcomes);
        let published = match layers {
            Some(layers) => self.publish_reload(&mut turn, &content, layers)?,
            None => None,
        };
        let news = self.note(&outcomes);
        drop(turn);
        let committed = published.map(|published| published.announce(self));
        self.announce_sources(news);
        let sources = inner.sources.iter().zip(outcomes).map(|(slot, outcome)| SourceReport {
            name: slot.source.name().to_owned(),
            layer: slot.source.layer(),
            outcome: outcome.into(),
        });
        Ok(ReloadReport { committed, sources: sources.collect() })
    }

    /// Publishes the layers, unless the sources hold nothing else in them than now.
    fn publish_reload(
        &self,
        turn: &mut Turn<'_>,
        content: &Content,
        layers: Layers,
    ) -> Result<Option<Published<S>>, ConfigError> {
        let Some(moved) = layers.first_moved(&content.layers) else { return Ok(None) };
        let mut entries = layer_entries::<S>(&content.layers, &layers);
        if entries.is_empty() {
            // Another source of its layer hides what changed. It counts all the same: that source may change, too.
            let same = Some(layers.get(moved).clone());
            entries.push(Self::entry(Path::ROOT, Scope::Layer(moved), same.clone(), same));
        }
        let candidate = Candidate::of_layers(ChangeKind::Reload, entries, content, layers);
        self.publish(turn, candidate).map(Some)
    }

    fn load_slot(&self, slot: &Slot) -> (u64, Result<Loaded, SourceError>) {
        let number = slot.begun.fetch_add(1, Ordering::Relaxed) + 1;
        (number, load(&*slot.source, &self.0.limits))
    }

    /// The layers with the new documents that are valid; the others become rejected. `None` if there is none.
    fn accept(&self, content: &Content, outcomes: &mut [Judged]) -> Option<Layers> {
        let inner = &*self.0;
        let check = |layers: &Layers| build_typed::<S>(&layers.merged(), layers, &inner.limits).map(drop);
        let with = |base: &Layers, fresh: &[(usize, Arc<Loaded>)]| {
            let mut documents = base.documents.to_vec();
            for (index, loaded) in fresh {
                documents[*index] = Some(Arc::clone(loaded));
            }
            base.with_documents(documents.into(), &inner.namespace)
        };
        let fresh: Vec<_> = outcomes
            .iter()
            .enumerate()
            .filter_map(
                |(index, outcome)| {
                    if let Judged::Fresh(loaded) = outcome { Some((index, Arc::clone(loaded))) } else { None }
                },
            )
            .collect();
        if fresh.is_empty() {
            return None;
        }
        let together = with(&content.layers, &fresh);
        if check(&together).is_ok() {
            return Some(together);
        }
        let mut accepted = content.layers.clone();
        for one in fresh {
            let index = one.0;
            let next = with(&accepted, &[one]);
            match check(&next) {
                Ok(()) => accepted = next,
                Err(error) => outcomes[index] = Judged::Rejected(error),
            }
        }
        Some(accepted)
    }

    /// Remembers what became of the sources, and returns what is news.
    fn note(&self, outcomes: &[Judged]) -> Vec<News> {
        let now = self.0.clock().mono();
        let mut news = Vec::new();
        for (index, (slot, outcome)) in self.0.sources.iter().zip(outcomes).enumerate() {
            let mut last = slot.last.lock();
            let failure = match outcome {
                Judged::Superseded => continue,
                Judged::Unchanged(loaded) | Judged::Fresh(loaded) => {
                    last.accepted = Some(Arc::clone(loaded));
                    None
                }
                Judged::Failed(error) => Some(error.to_string()),
                Judged::Rejected(error) => Some(error.to_string()),
            };
            if failure != last.failure {
                news.push(News { source: slot.source.name().to_owned(), failure: failure.clone() });
            }
            self.0.staleness.note(index, failure.is_some(), now);
            last.failure = failure;
        }
        news
    }

    fn announce_sources(&self, news: Vec<News>) {
        for News { source, failure } in news {
            let metadata = Metadata::new().with("source", source);
            let (name, metadata) = match failure {
                Some(reason) => (&SOURCE_FAILED_EVENT, metadata.with("reason", reason)),
                None => (&SOURCE_RECOVERED_EVENT, metadata),
            };
            self.0.feed.emitter.emit(name, || (Measurements::one(), metadata));
        }
    }
}

/// Something that became of a source, and was not so before.
struct News {
    source: String,
    failure: Option<String>,
}

/// What a load means.
enum Judged {
    Unchanged(Arc<Loaded>),
    Fresh(Arc<Loaded>),
    Failed(SourceError),
    Rejected(ConfigError),
    Superseded,
}

impl Slot {
    fn judge(&self, (number, load): (u64, Result<Loaded, SourceError>)) -> Judged {
        let mut last = self.last.lock();
        if number < last.load {
            return Judged::Superseded;
        }
        last.load = number;
        match load {
            // The places of the values may have moved all the same.
            Ok(loaded) if last.accepted.as_ref().is_some_and(|accepted| accepted.node == loaded.node) => {
                Judged::Unchanged(Arc::new(loaded))
            }
            Ok(loaded) => Judged::Fresh(Arc::new(loaded)),
            Err(error) => Judged::Failed(error),
        }
    }
}

impl From<Judged> for SourceOutcome {
    fn from(judged: Judged) -> Self {
        match judged {
            Judged::Unchanged(_) => Self::Unchanged,
            Judged::Fresh(_) => Self::Applied,
            Judged::Failed(error) => Self::Failed(error),
            Judged::Rejected(error) => Self::Rejected(error),
            Judged::Superseded => Self::Superseded,
        }
    }
}
