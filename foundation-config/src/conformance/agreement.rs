//! What holds of a store as a whole: it answers as the model does.

use foundation_types::testing::RecordingObserver;
use std::sync::Arc;

use super::backend::{Backend, Snapshot, Subscription};
use super::command::{Command, Did, Pair, bases, commands};
use super::schema::Ruled;
use super::trees::paths_around;
use super::{Factory, check};
use crate::error::ConfigError;
use crate::path::Path;

/// P1: store and model agree on every result, error, change, tree, explanation and history.
pub fn p01_model_equivalence<B: Backend>(make: Factory<'_, B>) {
    check(400, (bases::<B::Schema>(), commands::<B::Schema>()), |(base, commands)| {
        let mut pair = Pair::new(make, &base);
        pair.run_all(&commands);
        pair.agree();
    });
}

/// P2: after every operation the published configuration is valid, and the typed one is that of the tree.
pub fn p02_validity<B: Backend>(make: Factory<'_, B>) {
    check(150, (bases::<B::Schema>(), commands::<B::Schema>()), |(base, commands)| {
        let mut pair = Pair::new(make, &base);
        pair.agree_typed();
        for command in &commands {
            pair.run(command);
            pair.agree_typed();
        }
    });
}

/// P3: what is refused changes nothing: no tree, version, history, explanation, writes that wait or number of subscriptions,
/// and nobody hears of it.
pub fn p03_failure_atomicity<B: Backend>(make: Factory<'_, B>) {
    check(250, (bases::<B::Schema>(), commands::<B::Schema>()), |(base, commands)| {
        let observer = Arc::new(RecordingObserver::new());
        let heard_by = Arc::clone(&observer);
        let mut pair = Pair::with(make, &base, |setup| setup.observer = Some(heard_by));
        let mut subscription = pair.store.subscribe(Path::ROOT).expect("room");
        for command in &commands {
            let is_reload = matches!(command, Command::Reload);
            observer.take();
            while subscription.try_recv().is_some() {}
            let seen = seen(&pair);
            if pair.run(command) == Did::Refuse {
                assert_eq!(self::seen(&pair), seen);
                assert_eq!(subscription.try_recv(), None);
                // That a source is refused is news of its own.
                assert!(is_reload || observer.events().is_empty(), "{:?}", observer.events());
            }
        }
        if let Some(path) = B::Schema::panics_at() {
            observer.take();
            while subscription.try_recv().is_some() {}
            let seen = seen(&pair);
            assert_eq!(pair.store.update(&path, 1.into()), Err(ConfigError::SchemaPanicked));
            assert_eq!(self::seen(&pair), seen);
            assert_eq!((subscription.try_recv(), observer.events().len()), (None, 0));
        }
    });
}

fn seen<B: Backend>(pair: &Pair<B>) -> impl PartialEq + std::fmt::Debug + use<B> {
    let store = &pair.store;
    let snapshot = store.snapshot();
    let tree = snapshot.value(Path::ROOT).expect("there is a root");
    let explained: Vec<_> = paths_around([&tree]).iter().map(|path| store.explain(path)).collect();
    let kept = store.diff(snapshot.version(), pair.older(6));
    (snapshot.version(), snapshot.typed(), tree, explained, store.history(usize::MAX), kept, store.subscriptions())
}

/// P5: two reads of one pinned version are equal at all paths, errors included, whatever is done meanwhile.
pub fn p05_read_stability<B: Backend>(make: Factory<'_, B>) {
    check(150, (bases::<B::Schema>(), commands::<B::Schema>(), commands::<B::Schema>()), |(base, first, then)| {
        let mut pair = Pair::new(make, &base);
        pair.run_all(&first);
        let snapshot = pair.store.snapshot();
        let tree = pair.model.tree();
        pair.run_all(&then);
        let paths = paths_around([&tree, &pair.model.tree()]);
        for path in &paths {
            let read = snapshot.value(path);
            assert_eq!(read, snapshot.clone().value(path));
            assert_eq!(read.ok().as_ref(), super::trees::at(&tree, path));
        }
    });
}
