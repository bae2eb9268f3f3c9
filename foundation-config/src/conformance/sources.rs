//! Sources that fail.

use std::thread;
use std::time::Duration;

use foundation_types::{Health, ManualClock, Metadata, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::backend::{Backend, Snapshot};
use super::command::{Base, Command, Pair, bases, plain};
use super::model::Judged;
use super::schema::Ruled;
use super::setup::{Script, Scripted, Setup};
use super::trees::paths_around;
use super::{Factory, check};
use crate::layer::Layer;
use crate::path::Path;
use crate::store::{SourceOutcome, SourceState, StalePolicy};

fn scripts<S: Ruled>() -> impl Strategy<Value = Script> {
    prop_oneof![
        4 => S::documents().prop_map(Script::Holds),
        2 => Just(Script::Fails("no answer")),
        1 => Just(Script::Panics),
    ]
}

/// P19: whichever sources fail, in whatever way, what they held last stays in force, and the others are taken; of those that
/// would make the configuration invalid nothing is published, and that is reported.
pub fn p19_reload_isolation<B: Backend>(make: Factory<'_, B>) {
    let rounds = vec((vec(scripts::<B::Schema>(), 4), proptest::option::of(B::Schema::writes())), 1..6);
    check(200, (bases::<B::Schema>(), rounds), |(base, rounds)| {
        let mut pair = Pair::new(make, &base);
        for (scripts, write) in rounds {
            for (index, script) in scripts.into_iter().enumerate().take(base.sources.len()) {
                pair.run(&Command::Script(index, script));
            }
            if let Some((path, value)) = write {
                pair.run(&Command::Update(path, value));
            }
            let before = pair.model.state.documents.clone();
            let version = pair.store.snapshot().version();
            pair.run(&Command::Reload);
            let judged = &pair.model.judged;
            for (index, judged) in judged.iter().enumerate() {
                if !matches!(judged, Judged::Applied) {
                    assert_eq!(pair.model.state.documents[index], before[index]);
                }
            }
            if !judged.contains(&Judged::Applied) {
                assert_eq!(pair.store.snapshot().version(), version);
            }
            let (health, states) = pair.store.health();
            let fails = |judged: &Judged| matches!(judged, Judged::Failed | Judged::Rejected(_));
            let is_stale = |state: &SourceState| *state != SourceState::Fresh;
            let wanted: Vec<_> = judged.iter().map(fails).collect();
            assert_eq!(states.iter().map(is_stale).collect::<Vec<_>>(), wanted);
            assert_eq!(health, if wanted.contains(&true) { Health::Degraded } else { Health::Healthy });
            pair.agree();
        }
    });
    overtaken(make);
}

/// A load that is overtaken by one that began later does not bring back what that one has replaced.
fn overtaken<B: Backend>(make: Factory<'_, B>) {
    let labels = |number: i64| Metadata::new().with("labels", Metadata::new().with("a", number));
    let source = Scripted::new("slow", Layer::File, labels(1));
    let store = make(Setup::new(&ManualClock::new()).source(&source));
    thread::scope(|scope| {
        source.set(Script::Holds(labels(2)));
        let (has_read, let_go) = source.hold_next();
        let slow = scope.spawn(|| store.reload().expect("not asked by a schema"));
        has_read.recv().expect("it reads");
        assert!(store.update("labels.b", 1.into()).is_ok(), "a source that is slow keeps nobody from writing");
        source.set(Script::Holds(labels(3)));
        assert!(matches!(store.reload().expect("not asked by a schema").sources[..], [SourceOutcome::Applied]));
        let_go.send(()).expect("it waits");
        let report = slow.join().expect("no panic");
        assert!(matches!(report.sources[..], [SourceOutcome::Superseded]) && report.change.is_none());
    });
    assert_eq!(store.value("labels.a"), Ok(3.into()));
    assert!(matches!(store.reload().expect("not asked by a schema").sources[..], [SourceOutcome::Unchanged]));
}

const LIMIT: Duration = Duration::from_mins(5);

/// P20: reads of what a failing source decides succeed up to and including the moment at which its time is over, and fail
/// after it, whatever the wall clock does; what others decide, and pinned versions, are read on.
pub fn p20_fallback_age<B: Backend>(make: Factory<'_, B>) {
    let nano = Duration::from_nanos(1);
    let steps =
        select(vec![Duration::ZERO, nano, LIMIT.saturating_sub(nano), LIMIT, LIMIT + nano, LIMIT / 2, 3 * LIMIT]);
    let wall = any::<i32>().prop_map(|seconds| {
        let jump = Duration::from_secs(u64::from(seconds.unsigned_abs()));
        if seconds < 0 {
            Timestamp::UNIX_EPOCH.saturating_sub(jump)
        } else {
            Timestamp::UNIX_EPOCH.saturating_add(jump)
        }
    });
    let layer = select(vec![Layer::File, Layer::Env, Layer::Namespace]);
    let policy =
        select(vec![StalePolicy::ServeForever, StalePolicy::ErrorAfter(LIMIT), StalePolicy::ErrorAfter(LIMIT)]);
    let sources = vec((layer, B::Schema::documents(), policy), 1..4);
    let round = (vec(scripts::<B::Schema>(), 3), any::<bool>(), steps, wall, B::Schema::writes());
    check(200, (sources, vec(round, 1..6)), |(sources, rounds)| {
        let documents = sources.iter().map(|(layer, tree, _)| (*layer, tree.clone())).collect();
        let mut pair = Pair::with(make, &Base { sources: documents, ..plain() }, |setup| {
            for (source, (_, _, policy)) in setup.sources.iter_mut().zip(&sources) {
                source.1 = *policy;
            }
        });
        for (scripts, asks, step, wall, (path, value)) in rounds {
            if asks {
                for (index, script) in scripts.into_iter().enumerate().take(sources.len()) {
                    pair.run(&Command::Script(index, script));
                }
                pair.run(&Command::Reload);
            } else {
                pair.run(&Command::Update(path, value));
            }
            pair.clock.set_wall(wall);
            pair.clock.advance(step);
            pair.model.now += step;
            let tree = pair.model.tree();
            let known = paths_around([&tree, &pair.model.below(&pair.model.state)]);
            for path in &known {
                pair.agree_in(&tree, path);
            }
            assert_eq!(pair.store.snapshot().value(Path::ROOT), Ok(tree));
            let states = pair.model.source_states();
            let expired = states.iter().any(|state| matches!(state, SourceState::Expired { .. }));
            let health = match (expired, states.iter().all(|state| *state == SourceState::Fresh)) {
                (true, _) => Health::Unhealthy,
                (false, true) => Health::Healthy,
                (false, false) => Health::Degraded,
            };
            assert_eq!(pair.store.health(), (health, states));
        }
    });
}
