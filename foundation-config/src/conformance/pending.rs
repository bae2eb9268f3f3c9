//! Writes that wait.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use foundation_types::{ManualClock, Metadata, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::backend::{Backend, Pending, Snapshot};
use super::command::{Command, Pair, plain};
use super::model::{Answer, Model, Refusal, State, Write, nodes};
use super::schema::Ruled;
use super::setup::Setup;
use super::trees::path;
use super::{Factory, check};
use crate::error::ConfigError;
use crate::layer::Version;
use crate::limits::Limit;
use crate::path::Path;

const TTL: Duration = Duration::from_mins(5);
const CAPACITY: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    Enqueue(Path, Value),
    Replay,
    Expire,
    Discard(Path),
    Wait(Duration),
    Do(Command),
}

fn steps<S: Ruled>() -> impl Strategy<Value = Step> {
    let nano = Duration::from_nanos(1);
    prop_oneof![
        8 => S::writes().prop_map(|(path, value)| Step::Enqueue(path, value)),
        3 => Just(Step::Replay),
        1 => Just(Step::Expire),
        1 => S::paths().prop_map(Step::Discard),
        2 => select(vec![nano, TTL / 3, TTL]).prop_map(Step::Wait),
        2 => S::writes().prop_map(|(path, value)| Step::Do(Command::Update(path, value))),
        1 => select(vec![Command::Reset, Command::Rollback(2)]).prop_map(Step::Do),
    ]
}

/// A write that waits in the model.
#[derive(Clone)]
struct Waiting {
    path: Path,
    value: Value,
    base: Version,
    queued: Duration,
}

/// What the queue has to be like.
#[derive(Default)]
struct Queue(Vec<Waiting>);

impl Queue {
    fn enqueue<S: Ruled>(&mut self, model: &Model<S>, path: &Path, value: &Value) -> Answer<()> {
        if !S::may_write(path) {
            return Err(Refusal::Forbidden(path.clone()));
        }
        let others: Vec<_> = self.0.iter().filter(|write| write.path != *path).cloned().collect();
        if others.len() >= CAPACITY {
            return Err(Refusal::Limit(Limit::Pending));
        }
        let mut state = model.state.clone();
        for write in &others {
            let mut next = state.clone();
            if model.draft(&mut next, &write.set()).is_ok() {
                state = next;
            }
        }
        model.draft(&mut state, &Write::Set(path.clone(), value.clone()))?;
        model.judge(&state)?;
        self.0 = others;
        let (base, queued) = (model.state.version, model.now);
        self.0.push(Waiting { path: path.clone(), value: value.clone(), base, queued });
        Ok(())
    }

    fn expired(&mut self, now: Duration) -> Vec<Path> {
        let (kept, expired) =
            std::mem::take(&mut self.0).into_iter().partition(|write| now.saturating_sub(write.queued) <= TTL);
        self.0 = kept;
        let expired: Vec<Waiting> = expired;
        expired.into_iter().map(|write| write.path).collect()
    }

    fn paths(&self) -> Vec<Path> {
        self.0.iter().map(|write| write.path.clone()).collect()
    }
}

impl Waiting {
    fn set(&self) -> Write {
        Write::Set(self.path.clone(), self.value.clone())
    }

    /// Whether somebody else has written at, above or below its path since it was accepted.
    fn is_superseded<S>(&self, model: &Model<S>, own: &BTreeSet<Version>) -> bool {
        let later = model.changes.iter().filter(|change| change.version > self.base && !own.contains(&change.version));
        later.flat_map(|change| &change.entries).any(|entry| entry.path.overlaps(&self.path))
    }
}

/// P21: replay makes the last write to each path, in the order of the last writes; what became superseded, is refused,
/// expired or has to wait on is told apart, each write being in exactly one list; and replaying twice makes nothing twice.
pub fn p21_pending<B: Backend>(make: Factory<'_, B>) {
    check(400, (vec(steps::<B::Schema>(), 0..24), 12..40_usize), |(steps, nodes)| {
        let mut pair = Pair::with(make, &plain(), |setup| setup.limits.tree_nodes = nodes);
        let capacity = NonZeroUsize::new(CAPACITY).expect("not zero");
        let (store, mut queue) = (pair.store.pending(TTL, capacity), Queue::default());
        for step in steps {
            match step {
                Step::Enqueue(path, value) => {
                    let before = (pair.store.snapshot().version(), store.paths());
                    match (queue.enqueue(&pair.model, &path, &value), store.enqueue(&path, value)) {
                        (Ok(()), Ok(())) => {}
                        (Err(refusal), Err(error)) if refusal.is(&error) => assert_eq!(store.paths(), before.1),
                        (wanted, found) => panic!("{wanted:?} and not {found:?}"),
                    }
                    assert_eq!(pair.store.snapshot().version(), before.0, "what waits cannot be read");
                }
                Step::Replay => {
                    replay(&mut pair, &store, &mut queue);
                    // What was kept may fit now, and nothing else is left.
                    replay(&mut pair, &store, &mut queue);
                }
                Step::Expire => assert_eq!(store.expire(), queue.expired(pair.model.now)),
                Step::Discard(path) => {
                    let known = queue.0.len();
                    queue.0.retain(|write| write.path != path);
                    assert_eq!(store.discard(&path), queue.0.len() < known);
                }
                Step::Wait(time) => {
                    pair.clock.advance(time);
                    pair.model.now += time;
                }
                Step::Do(command) => drop(pair.run(&command)),
            }
            assert_eq!(store.paths(), queue.paths());
        }
        pair.agree();
    });
    kept_in_order(make);
}

/// What does not fit for now is kept in its order, also behind what of the queue was made before it.
fn kept_in_order<B: Backend>(make: Factory<'_, B>) {
    let list = |items: usize| Value::List(vec![Value::Null; items]);
    let mut setup = Setup::new(&ManualClock::new());
    setup.limits.tree_nodes = nodes(&B::Schema::given()) + 20;
    let store = make(setup);
    let queue = store.pending(TTL, NonZeroUsize::new(CAPACITY).expect("not zero"));
    let writes = [("labels.x", Metadata::new().into()), ("labels.x.b", list(5)), ("labels.x.a", list(5))];
    let [map, first, second] = writes.map(|(place, value)| {
        queue.enqueue(&path(place), value).expect("there is room yet");
        path(place)
    });
    store.update("labels.z", list(15)).expect("there is room yet");
    let applied = queue.replay().applied.into_iter().map(|(path, _)| path);
    assert_eq!(applied.collect::<Vec<_>>(), [map]);
    for _ in 0..2 {
        assert_eq!(queue.paths(), [first.clone(), second.clone()]);
        let kept = queue.replay().kept.into_iter().map(|(path, _)| path);
        assert_eq!(kept.collect::<Vec<_>>(), [first.clone(), second.clone()]);
    }
    store.unset("labels.z").expect("set");
    let applied = queue.replay().applied.into_iter().map(|(path, _)| path);
    assert_eq!(applied.collect::<Vec<_>>(), [first, second]);
}

fn replay<B: Backend>(pair: &mut Pair<B>, store: &B::Pending, queue: &mut Queue) {
    let waited = queue.paths();
    let expired = queue.expired(pair.model.now);
    let report = store.replay();
    let mut own = BTreeSet::new();
    let (mut applied, mut failed, mut superseded, mut kept) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for mut write in std::mem::take(&mut queue.0) {
        if write.is_superseded(&pair.model, &own) {
            superseded.push(write.path);
            continue;
        }
        match pair.model.write(&[write.set()]) {
            Ok(record) => {
                own.insert(record.version);
                applied.push((write.path, record));
            }
            Err(Refusal::Limit(_)) => {
                // What of this queue was made before it does not overtake it later.
                write.base = pair.model.state.version;
                kept.push(write);
            }
            Err(refusal) => failed.push((write.path, refusal)),
        }
    }
    assert_eq!(report.applied, applied);
    assert_eq!((&report.superseded, &report.expired), (&superseded, &expired));
    let are_alike = |failed: &[(Path, Refusal)], found: &[(Path, ConfigError)]| {
        let mut pairs = failed.iter().zip(found);
        failed.len() == found.len() && pairs.all(|((path, refusal), (at, error))| path == at && refusal.is(error))
    };
    assert!(are_alike(&failed, &report.failed), "{failed:?} and not {:?}", report.failed);
    let limit = |write: &Waiting| (write.path.clone(), Refusal::Limit(Limit::TreeNodes));
    let still: Vec<_> = kept.iter().map(limit).collect();
    assert!(are_alike(&still, &report.kept), "{still:?} and not {:?}", report.kept);
    let made = report.applied.into_iter().map(|(path, _)| path);
    let all: BTreeSet<_> = made
        .chain(report.failed.into_iter().map(|(path, _)| path))
        .chain(report.superseded)
        .chain(report.expired)
        .chain(report.kept.into_iter().map(|(path, _)| path))
        .collect();
    assert_eq!(all, waited.into_iter().collect());
    queue.0 = kept;
}

impl<S: Ruled> Model<S> {
    /// Whether a state could be published.
    fn judge(&self, state: &State) -> Answer<()> {
        self.fits(&self.base(state))
    }
}
