//! The configuration of one namespace: a store, and the service of the original before it.

#[cfg(feature = "agent")]
mod features;
mod read;
mod run;
mod status;
mod write;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use foundation_config::events::CHANGED_EVENT;
use foundation_config::{Layer, MapSource, PendingQueue, Source, Store, Version};
use foundation_types::error::Error;
use foundation_types::{Clock, Emitter, EventName, Measurements, Metadata, MonoTime, Observer, Pid};

pub use self::run::FALLBACK_TTL;
use self::run::Run;
pub(crate) use self::run::StoppedBy;
use super::subscribers::Subscribers;
use super::subscription::Handles;
use super::{ConfigOptions, Replay, TestMode};
use crate::logic::config_logic::{allows_component, known_options, split};
use crate::types::config::FoundationConfig;
#[cfg(feature = "agent")]
use crate::types::config::agent::agent_defaults;

/// The store of an instance.
pub type SettingsStore = Store<FoundationConfig>;

/// What the parts of an instance share with its configuration.
pub(crate) struct Surroundings {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    #[cfg(feature = "agent")]
    pub(crate) gate: foundation_types::FeatureGate,
}

/// A configuration: its store, and whether its service runs.
pub(crate) struct Instance {
    store: SettingsStore,
    pending: PendingQueue<FoundationConfig>,
    environment: Arc<MapSource>,
    options: Arc<MapSource>,
    test_mode: TestMode,
    replay: Replay,
    clock: Arc<dyn Clock>,
    emitter: Emitter,
    handles: Arc<Handles>,
    subscribers: Arc<Subscribers>,
    /// Follows the store for as long as this lives.
    #[cfg(feature = "agent")]
    _features: Arc<features::FeatureSettings>,
    #[cfg(feature = "agent")]
    listeners: Arc<crate::agent::config_server::Listeners>,
    state: Mutex<State>,
    /// What [`typed`](Self::typed) gave last.
    typed: Mutex<Option<(Version, Arc<FoundationConfig>)>>,
}

struct State {
    run: Run,
    /// The run of the supervised service, if there is one.
    supervised: Option<Pid>,
    started: MonoTime,
    updates: u64,
    last_update: Option<MonoTime>,
}

impl Instance {
    /// A configuration of these options over these sources, which it reads, and whose service runs.
    ///
    /// # Errors
    /// Why there cannot be one, as the original says it.
    pub(crate) fn new(
        options: &ConfigOptions,
        sources: &[Arc<dyn Source>],
        around: &Surroundings,
    ) -> Result<Self, Error> {
        let given = known_options(options)?;
        let environment = Arc::new(MapSource::new("environment", Layer::Env, split(&options.environment).0));
        let own = Arc::new(MapSource::new("options", Layer::Env, given));
        let subscribers = Arc::<Subscribers>::default();
        #[cfg(feature = "agent")]
        let features =
            Arc::new(features::FeatureSettings::new(around.gate.clone(), Emitter::from(around.observer.clone())));
        let tap = Tap {
            subscribers: Arc::downgrade(&subscribers),
            #[cfg(feature = "agent")]
            features: Arc::downgrade(&features),
            next: around.observer.clone(),
        };
        let builder = SettingsStore::builder()
            .clock(Arc::clone(&around.clock))
            .observer(Arc::new(tap))
            .allow_keys(allows_component)
            .source(Arc::clone(&environment));
        #[cfg(feature = "agent")]
        let builder = builder.gate(around.gate.clone()).agent_defaults(agent_defaults());
        let builder = sources.iter().fold(builder, |builder, source| builder.source(Arc::clone(source)));
        // On top of all of its layer.
        let store = builder.source(Arc::clone(&own)).load().map_err(|error| {
            tracing::error!(target: super::TARGET, %error, "the configuration is not valid");
            super::build_refused(error)
        })?;
        #[cfg(feature = "agent")]
        features.follow(&store).map_err(crate::validation::record::refused)?;
        Ok(Self {
            pending: PendingQueue::new(store.clone()),
            store,
            environment,
            options: own,
            test_mode: options.test_mode,
            replay: options.replay,
            emitter: Emitter::from(around.observer.clone()),
            handles: Arc::default(),
            subscribers,
            #[cfg(feature = "agent")]
            _features: features,
            #[cfg(feature = "agent")]
            listeners: Arc::default(),
            state: Mutex::new(State {
                run: Run::Running,
                supervised: None,
                started: around.clock.mono(),
                updates: 0,
                last_update: None,
            }),
            typed: Mutex::default(),
            clock: Arc::clone(&around.clock),
        })
    }

    /// The store.
    pub(crate) const fn store(&self) -> &SettingsStore {
        &self.store
    }

    /// Who listens through the functions for agents.
    #[cfg(feature = "agent")]
    pub(crate) const fn listeners(&self) -> &Arc<crate::agent::config_server::Listeners> {
        &self.listeners
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic happens under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The error with the time of the instance's clock.
    pub(super) fn at_now(&self, error: Error) -> Error {
        error.with_clock(&*self.clock)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("store", &self.store).field("run", &self.state().run).finish_non_exhaustive()
    }
}

/// Tells the subscribers on the thread that commits, and passes on what it hears.
struct Tap {
    /// Weak, as subscribers hold a part of the store, which holds this.
    subscribers: Weak<Subscribers>,
    #[cfg(feature = "agent")]
    features: Weak<features::FeatureSettings>,
    next: Option<Arc<dyn Observer>>,
}

impl Observer for Tap {
    fn enabled(&self, name: &EventName) -> bool {
        *name == CHANGED_EVENT || self.next.as_ref().is_some_and(|next| next.enabled(name))
    }

    fn emit(&self, name: &EventName, measurements: &Measurements, metadata: &Metadata) {
        if *name == CHANGED_EVENT {
            // Before anybody else hears of the change, so that they find the switches set.
            #[cfg(feature = "agent")]
            if let Some(features) = self.features.upgrade() {
                features.catch_up();
            }
            if let Some(subscribers) = self.subscribers.upgrade() {
                subscribers.tell();
            }
        }
        if let Some(next) = self.next.as_ref().filter(|next| next.enabled(name)) {
            next.emit(name, measurements, metadata);
        }
    }
}
