//! The stores of this crate, as the suite asks of them.

use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use foundation_types::inspect::Inspect;
use foundation_types::{Health, Value, bridge};
use futures_core::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::backend::{
    Backend, Differs, Draft, Heard, Pending, Record, Reloaded, Replayed, Says, Snapshot, Subscription,
};
use super::schema::Ruled;
use super::setup::{Setup, Start};
use crate::error::{ConfigError, ModifyError};
use crate::layer::Version;
use crate::path::{IntoPath, Path, TypedPath};
use crate::pending::PendingQueue;
use crate::schema::Schema;
use crate::store::{SourceState, Store, Transaction};
use crate::subscribe::{Delivery, Filter};

impl<S: Schema> From<Setup> for Store<S> {
    /// The store of a setup.
    ///
    /// # Panics
    /// If it is not valid.
    fn from(setup: Setup) -> Self {
        let builder = Store::builder().limits(setup.limits).clock(Arc::new(setup.clock)).namespace(setup.namespace);
        #[cfg(feature = "agent")]
        let builder = builder.gate(setup.gate).agent_defaults(setup.agent_defaults);
        let builder =
            setup.sources.into_iter().fold(builder, |builder, (source, policy)| builder.source_with(source, policy));
        let builder = match setup.observer {
            Some(observer) => builder.observer(observer),
            None => builder,
        };
        let store = match setup.start {
            Start::Loaded => builder.load(),
            Start::Bare => builder.build(),
        };
        store.expect("the setups of the suite are valid")
    }
}

fn serialised<S: Serialize>(typed: &S) -> Value {
    bridge::to_value(typed).expect("a configuration serialises")
}

impl<S: Ruled> Backend for Store<S> {
    type Schema = S;
    type Snapshot = Arc<crate::Snapshot<S>>;
    type Subscription = crate::Subscription<S>;
    type Pending = PendingQueue<S>;

    fn snapshot(&self) -> Self::Snapshot {
        self.snapshot()
    }

    fn reader(&self) -> impl FnMut() -> (Version, Value) + Send {
        let mut reader = self.reader();
        let store = self.clone();
        let mut is_kept = false;
        move || {
            is_kept = !is_kept;
            if is_kept {
                let snapshot: &crate::Snapshot<S> = reader.snapshot();
                return (snapshot.version(), serialised(snapshot.typed()));
            }
            let guard = store.load();
            (guard.version(), serialised(&*guard))
        }
    }

    fn value(&self, path: impl IntoPath) -> Result<Value, ConfigError> {
        self.value(path)
    }

    fn get_as<T: DeserializeOwned>(&self, path: impl IntoPath) -> Result<T, ConfigError> {
        self.get_as(path)
    }

    fn update(&self, path: impl IntoPath, value: Value) -> Result<Record, ConfigError> {
        self.update(path, value).map(|committed| Record::from(&*committed.change))
    }

    fn update_if(&self, expected: Version, path: impl IntoPath, value: Value) -> Result<Record, ConfigError> {
        self.update_if(expected, path, value).map(|committed| Record::from(&*committed.change))
    }

    fn modify<T: DeserializeOwned + Serialize>(
        &self,
        path: TypedPath<T>,
        mut change: impl FnMut(T) -> T,
    ) -> Result<Record, ConfigError> {
        let result = self.modify(path, |value| Ok::<_, std::convert::Infallible>(change(value)));
        match result {
            Ok(committed) => Ok(Record::from(&*committed.change)),
            Err(ModifyError::Config(error)) => Err(error),
            Err(ModifyError::Refused(never)) => match never {},
        }
    }

    fn transaction(
        &self,
        run: &mut dyn FnMut(&mut dyn Draft) -> Result<(), ConfigError>,
    ) -> Result<Option<Record>, ConfigError> {
        let ((), committed) = self.transaction(|transaction| run(transaction))?;
        Ok(committed.map(|committed| Record::from(&*committed.change)))
    }

    fn unset(&self, path: impl IntoPath) -> Result<Record, ConfigError> {
        self.unset(path).map(|committed| Record::from(&*committed.change))
    }

    fn reset(&self) -> Result<Record, ConfigError> {
        self.reset().map(|committed| Record::from(&*committed.change))
    }

    fn rollback_to(&self, version: Version) -> Result<Record, ConfigError> {
        self.rollback_to(version).map(|committed| Record::from(&*committed.change))
    }

    fn reload(&self) -> Result<Reloaded, ConfigError> {
        let report = self.reload()?;
        Ok(Reloaded {
            change: report.committed.map(|committed| Record::from(&*committed.change)),
            sources: report.sources.into_iter().map(|source| source.outcome).collect(),
        })
    }

    fn subscribe(&self, prefix: Path) -> Result<Self::Subscription, ConfigError> {
        self.subscribe(Filter::path(prefix))
    }

    fn history(&self, limit: usize) -> Vec<Record> {
        self.history(limit).iter().map(|change| Record::from(&**change)).collect()
    }

    fn diff(&self, old: Version, new: Version) -> Result<Vec<Differs>, ConfigError> {
        let diff = self.diff(old, new)?;
        assert_eq!((diff.len(), diff.is_empty()), (diff.iter().count(), diff.iter().next().is_none()));
        let differs =
            |one: &crate::Difference| Differs { path: one.path.clone(), old: one.old.clone(), new: one.new.clone() };
        Ok(diff.iter().map(differs).collect())
    }

    fn patch(&self, old: Version, new: Version, tree: &Value) -> Result<Value, ConfigError> {
        Ok(self.diff(old, new)?.apply(tree))
    }

    fn explain(&self, path: impl IntoPath) -> Result<Vec<Says>, ConfigError> {
        let explained = self.explain(path)?;
        Ok(explained.into_iter().map(Says::from).collect())
    }

    fn health(&self) -> (Health, Vec<SourceState>) {
        let status = self.status();
        assert_eq!(status.health, self.health());
        (status.health, status.sources.into_iter().map(|source| source.state).collect())
    }

    fn subscriptions(&self) -> usize {
        self.status().subscriptions
    }

    fn texts(&self) -> Vec<String> {
        fn show(texts: &mut Vec<String>, shown: &dyn Debug) {
            texts.extend([format!("{shown:?}"), format!("{shown:#?}")]);
        }
        let (mut texts, snapshot) = (Vec::new(), self.snapshot());
        show(&mut texts, self);
        show(&mut texts, &snapshot);
        show(&mut texts, &snapshot.tree());
        show(&mut texts, &self.load());
        show(&mut texts, &self.reader());
        show(&mut texts, &self.status());
        show(&mut texts, &self.inspect());
        show(&mut texts, &self.reload());
        show(&mut texts, &self.subscribe(Filter::all()));
        for change in self.history(usize::MAX) {
            show(&mut texts, &change);
            let shown = |entry: &crate::Entry| [entry.shown_before(), entry.shown_after()];
            texts.extend(change.entries().iter().flat_map(shown).flatten().map(|value| value.to_string()));
        }
        if let Ok(mut heard) = self.subscribe(Filter::all()) {
            show(&mut texts, &heard.try_recv());
        }
        for version in (1..=snapshot.version().get()).map(Version::new) {
            if let Ok(diff) = self.diff(version, snapshot.version()) {
                show(&mut texts, &diff);
                texts.extend(diff.iter().map(ToString::to_string));
            }
        }
        for path in super::trees::paths(&snapshot.tree().to_value()) {
            show(&mut texts, &self.explain(&path));
        }
        texts
    }

    fn pending(&self, ttl: Duration, capacity: NonZeroUsize) -> Self::Pending {
        PendingQueue::new(self.clone()).with_ttl(ttl).with_capacity(capacity)
    }
}

impl<S: Ruled> Snapshot for Arc<crate::Snapshot<S>> {
    fn version(&self) -> Version {
        (**self).version()
    }

    fn typed(&self) -> Value {
        serialised((**self).typed())
    }

    fn value(&self, path: impl IntoPath) -> Result<Value, ConfigError> {
        (**self).value(path)
    }
}

impl<S: Schema> Subscription for crate::Subscription<S> {
    fn try_recv(&mut self) -> Option<Heard> {
        self.try_recv().map(Heard::from)
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Heard>> {
        Pin::new(self).poll_next(context).map(|delivery| delivery.map(Heard::from))
    }

    fn latest(&mut self) -> Option<Version> {
        self.latest().map(|snapshot| snapshot.version())
    }
}

impl From<Delivery> for Heard {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Change(change) => Self::Change(Record::from(&*change)),
            Delivery::Lagged { first, last, snapshot } => Self::Lagged { first, last, snapshot },
        }
    }
}

impl From<crate::Explained> for Says {
    fn from(explained: crate::Explained) -> Self {
        Self {
            scope: explained.scope,
            place: explained.origin.map(|origin| origin.place().to_owned()),
            value: explained.value,
            decides: explained.decides,
        }
    }
}

impl<S: Schema> Draft for Transaction<'_, S> {
    fn value(&mut self, path: &Path) -> Result<Value, ConfigError> {
        self.value(path)
    }

    fn set(&mut self, path: &Path, value: Value) -> Result<(), ConfigError> {
        self.set(path, value)
    }

    fn unset(&mut self, path: &Path) -> Result<(), ConfigError> {
        self.unset(path)
    }
}

impl<S: Schema> Pending for PendingQueue<S> {
    fn enqueue(&self, path: &Path, value: Value) -> Result<(), ConfigError> {
        self.enqueue(path, value)
    }

    fn replay(&self) -> Replayed {
        let report = self.replay();
        let record = |(path, committed): (Path, crate::Committed)| (path, Record::from(&*committed.change));
        Replayed {
            applied: report.applied.into_iter().map(record).collect(),
            failed: report.failed,
            superseded: report.superseded,
            expired: report.expired,
            kept: report.kept,
        }
    }

    fn expire(&self) -> Vec<Path> {
        self.expire()
    }

    fn discard(&self, path: &Path) -> bool {
        self.discard(path)
    }

    fn paths(&self) -> Vec<Path> {
        let paths = self.paths();
        assert_eq!((self.len(), self.is_empty()), (paths.len(), paths.is_empty()));
        paths
    }

    fn text(&self) -> String {
        format!("{self:?}")
    }
}
