//! What a store under test is to be made of.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use foundation_types::{ManualClock, Metadata, Observer};
use parking_lot::Mutex;

use crate::layer::Layer;
use crate::limits::Limits;
use crate::source::{Document, Source, SourceError};
use crate::store::StalePolicy;

/// What a store is to be made of.
#[derive(Clone)]
#[non_exhaustive]
pub struct Setup {
    /// Its sources, in the order in which they have to be added, and for how long each is served while it fails.
    pub sources: Vec<(Arc<Scripted>, StalePolicy)>,
    /// What lies under the sources of the layer of the namespace.
    pub namespace: Metadata,
    /// Whether the sources are asked at once.
    pub start: Start,
    /// How much it holds.
    pub limits: Limits,
    /// The clock it has to read.
    pub clock: ManualClock,
    /// Who wants to hear of it, if anybody.
    pub observer: Option<Arc<dyn Observer>>,
    /// The switch of the agent features.
    #[cfg(feature = "agent")]
    pub gate: foundation_types::FeatureGate,
    /// What agents see below everything else.
    #[cfg(feature = "agent")]
    pub agent_defaults: Metadata,
}

/// When the sources are asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// When the store is made.
    Loaded,
    /// At the first reload.
    Bare,
}

impl Setup {
    /// A store without sources, on this clock.
    pub fn new(clock: &ManualClock) -> Self {
        Self {
            sources: Vec::new(),
            namespace: Metadata::new(),
            start: Start::Loaded,
            limits: Limits::default(),
            clock: clock.clone(),
            observer: None,
            #[cfg(feature = "agent")]
            gate: foundation_types::FeatureGate::all_on(),
            #[cfg(feature = "agent")]
            agent_defaults: Metadata::new(),
        }
    }

    pub(super) fn source(mut self, source: &Arc<Scripted>) -> Self {
        self.sources.push((Arc::clone(source), StalePolicy::ServeForever));
        self
    }
}

/// A source that says what it is told to say.
pub struct Scripted {
    name: String,
    layer: Layer,
    script: Mutex<Script>,
    held: Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

/// What a [`Scripted`] source says when it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Script {
    /// These settings.
    Holds(Metadata),
    /// That it cannot be reached, for this reason.
    Fails(&'static str),
    /// Nothing: it panics.
    Panics,
}

impl Scripted {
    /// A source of this name in this layer.
    pub fn new(name: impl Into<String>, layer: Layer, tree: Metadata) -> Arc<Self> {
        Arc::new(Self { name: name.into(), layer, script: Mutex::new(Script::Holds(tree)), held: Mutex::default() })
    }

    /// Holds the next load back once it has read its settings. The first end says when it has; the second lets it go.
    pub(super) fn hold_next(&self) -> (Receiver<()>, Sender<()>) {
        let ((has_read, reads), (let_go, release)) = (channel(), channel());
        *self.held.lock() = Some((has_read, release));
        (reads, let_go)
    }

    /// What it says from now on.
    pub fn set(&self, script: Script) {
        *self.script.lock() = script;
    }
}

impl Source for Scripted {
    fn name(&self) -> &str {
        &self.name
    }

    fn layer(&self) -> Layer {
        self.layer
    }

    fn load(&self) -> Result<Document, SourceError> {
        let script = self.script.lock().clone();
        let held = self.held.lock().take();
        if let Some((has_read, release)) = held {
            has_read.send(()).expect("somebody waits for it");
            release.recv().expect("somebody lets it go");
        }
        match script {
            Script::Holds(tree) => Ok(Document::new(tree)),
            Script::Fails(reason) => {
                Err(SourceError::Unavailable { place: self.name.as_str().into(), reason: reason.into() })
            }
            Script::Panics => panic!("told to panic"),
        }
    }
}
