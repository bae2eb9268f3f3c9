//! An instance under test, with its clock and what it told.

use std::sync::Arc;
use std::time::Duration;

use foundation_compat::config::{Config, ConfigOptions, ConfigStatus, RunningStatus};
use foundation_compat::config_server::ConfigServer;
use foundation_compat::foundation_types::ManualClock;
use foundation_compat::foundation_types::testing::RecordingObserver;
use foundation_compat::{Error, Foundation, FoundationBuilder, Metadata, Namespace, Value};

pub(crate) struct Session {
    pub(crate) foundation: Foundation,
    pub(crate) config: Config,
    pub(crate) server: ConfigServer,
    pub(crate) clock: ManualClock,
    pub(crate) observer: Arc<RecordingObserver>,
}

impl Session {
    pub(crate) fn new() -> Self {
        Self::with(ConfigOptions::new())
    }

    pub(crate) fn with(options: ConfigOptions) -> Self {
        Self::built(|builder| builder.config(options))
    }

    pub(crate) fn built(configure: impl FnOnce(FoundationBuilder) -> FoundationBuilder) -> Self {
        let (clock, observer) = (ManualClock::new(), Arc::new(RecordingObserver::new()));
        let builder = Foundation::builder().namespace(Namespace::test()).clock(Arc::new(clock.clone()));
        let foundation = configure(builder.observer(observer.clone())).build().expect("the options are in range");
        let (config, server) = (Config::from(&foundation), ConfigServer::from(&foundation));
        Self { foundation, config, server, clock, observer }
    }

    pub(crate) fn advance_secs(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn running(&self) -> RunningStatus {
        match self.config.status() {
            Ok(ConfigStatus::Running(status)) => status,
            other => panic!("{other:?}"),
        }
    }

    /// The values of an event's metadata, by the name of the event.
    pub(crate) fn events(&self, name: &str) -> Vec<Metadata> {
        self.observer.events_named(name).into_iter().map(|event| event.metadata).collect()
    }
}

pub(crate) fn code<T>(result: Result<T, Error>) -> Option<u32> {
    result.err().map(|error| error.code())
}

/// The map of a JSON text.
pub(crate) fn map(json: &str) -> Metadata {
    match serde_json::from_str(json).expect("the test's own JSON") {
        Value::Map(map) => map,
        other => panic!("{other:?} is no map"),
    }
}
