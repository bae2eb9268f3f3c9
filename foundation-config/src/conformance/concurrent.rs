//! Many threads at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use foundation_types::{ManualClock, Metadata, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::backend::{Backend, Heard, Record, Snapshot, Subscription};
use super::delivery::recv;
use super::model::{Answer, Model, Write};
use super::schema::Ruled;
use super::setup::Setup;
use super::trees::{at, path};
use super::{Factory, check};
use crate::error::ConfigError;
use crate::layer::Version;
use crate::limits::Limit;
use crate::path;
use crate::path::{Path, TypedPath};

/// What a thread does.
#[derive(Clone, Debug)]
enum Step {
    Update(Path, Value),
    /// With the version that it has seen.
    UpdateIf(Path, Value),
    Unset(Path),
    /// Copies a value.
    Copy(Path, Path),
    Get(Path),
}

/// What came of it.
#[derive(Clone, Debug)]
enum Came {
    Wrote(Result<Record, ConfigError>),
    Read(Result<Value, ConfigError>),
}

/// A step, the versions that were current before and after it, and what came of it.
struct Done {
    step: Step,
    before: Version,
    after: Version,
    came: Came,
}

fn steps<S: Ruled>() -> impl Strategy<Value = Vec<Step>> {
    let places =
        || select(vec!["labels", "labels.a", "labels.a.b", "labels.c", "limits.low", "limits.high"]).prop_map(path);
    let values = || prop_oneof![3 => (0..20_i64).prop_map(Value::from), 1 => Just(Metadata::new().into())];
    let step = prop_oneof![
        4 => (places(), values()).prop_map(|(path, value)| Step::Update(path, value)),
        2 => (places(), values()).prop_map(|(path, value)| Step::UpdateIf(path, value)),
        2 => places().prop_map(Step::Unset),
        2 => (places(), places()).prop_map(|(from, to)| Step::Copy(from, to)),
        2 => places().prop_map(Step::Get),
        1 => S::writes().prop_map(|(path, value)| Step::Update(path, value)),
    ];
    vec(step, 1..10)
}

fn run<B: Backend>(store: &B, step: Step) -> Done {
    let before = store.snapshot().version();
    let came = match &step {
        Step::Update(path, value) => Came::Wrote(store.update(path, value.clone())),
        Step::UpdateIf(path, value) => Came::Wrote(store.update_if(before, path, value.clone())),
        Step::Unset(path) => Came::Wrote(store.unset(path)),
        Step::Copy(from, to) => {
            let copied = store.transaction(&mut |draft| {
                let value = draft.value(from)?;
                draft.set(to, value)
            });
            Came::Wrote(copied.map(|record| record.expect("there is a write")))
        }
        Step::Get(path) => Came::Read(store.value(path)),
    };
    Done { before, after: store.snapshot().version(), step, came }
}

/// The same on the model, which another thread has not touched in between.
fn replay<S: Ruled>(model: &mut Model<S>, done: &Done) -> Answer<Record> {
    match &done.step {
        Step::Update(path, value) => model.update(path, value),
        Step::UpdateIf(path, value) => model.update_if(done.before, path, value),
        Step::Unset(path) => model.unset(path),
        Step::Copy(from, to) => {
            let value = model.value(from)?;
            model.write(&[Write::Set(to.clone(), value)])
        }
        Step::Get(_) => unreachable!("writes nothing"),
    }
}

/// P11: what concurrent writes and reads return is what they would one after the other, in the order of the versions that
/// the writes return, which have no gaps; and each takes place between its start and its end.
pub fn p11_linearizability<B: Backend>(make: Factory<'_, B>) {
    check(200, vec(steps::<B::Schema>(), 2..4), |threads| {
        let mut setup = Setup::new(&ManualClock::new());
        setup.limits.versions = 1024;
        let (store, model) = (make(setup.clone()), Model::<B::Schema>::new(&setup, Vec::new()));
        let started = Barrier::new(threads.len());
        let done: Vec<Done> = thread::scope(|scope| {
            let running: Vec<_> = threads
                .into_iter()
                .map(|steps| {
                    let (store, started) = (store.clone(), &started);
                    scope.spawn(move || {
                        started.wait();
                        steps.into_iter().map(|step| run(&store, step)).collect::<Vec<_>>()
                    })
                })
                .collect();
            running.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
        });
        let mut commits: Vec<(&Done, &Record)> = done
            .iter()
            .filter_map(|done| if let Came::Wrote(Ok(record)) = &done.came { Some((done, record)) } else { None })
            .collect();
        commits.sort_by_key(|(_, record)| record.version);
        // The model at each version.
        let mut models = vec![model];
        for (done, record) in commits {
            let mut next = models.last().expect("there is a first").clone();
            assert_eq!(replay(&mut next, done).as_ref(), Ok(record));
            assert!(done.before < record.version && record.version <= done.after);
            models.push(next);
        }
        let last = models.last().expect("there is a first");
        assert_eq!(store.snapshot().version(), last.state.version);
        assert_eq!(store.value(Path::ROOT), Ok(last.tree()));
        assert_eq!(store.history(usize::MAX), last.history(usize::MAX));
        for done in &done {
            let index = |version: Version| usize::try_from(version.get() - 1).expect("small");
            let mut window = models[index(done.before)..=index(done.after)].iter();
            match &done.came {
                Came::Wrote(Ok(_)) => {}
                Came::Wrote(Err(error)) => {
                    let refuses = |model: &Model<B::Schema>| {
                        replay(&mut model.clone(), done).is_err_and(|refusal| refusal.is(error))
                    };
                    assert!(window.any(refuses), "{:?} gave {error:?}", done.step);
                }
                Came::Read(read) => {
                    let Step::Get(path) = &done.step else { unreachable!("only that reads") };
                    let reads = |model: &Model<B::Schema>| model.value(path).ok().as_ref() == read.as_ref().ok();
                    assert!(window.any(reads), "{path} was {read:?}");
                }
            }
        }
    });
}

const COUNT: TypedPath<i64> = path!(labels.count: i64);
const SWITCH: TypedPath<bool> = path!(labels.switch: bool);

/// P12: concurrent modifications are made one after the other: as many toggles leave their parity, as many additions their
/// sum.
pub fn p12_atomic_modify<B: Backend>(make: Factory<'_, B>) {
    check(30, vec((0..30_u32, 0..30_i64, 0..10_i64), 2..4), |threads| {
        let store = make(Setup::new(&ManualClock::new()));
        store.update(COUNT, 0.into()).expect("labels are free");
        store.update(SWITCH, false.into()).expect("labels are free");
        let started = Barrier::new(threads.len());
        thread::scope(|scope| {
            for (toggles, additions, transactions) in threads.iter().copied() {
                let (store, started) = (store.clone(), &started);
                scope.spawn(move || {
                    started.wait();
                    for _ in 0..toggles {
                        store.modify(SWITCH, |is_on: bool| !is_on).expect("valid");
                    }
                    for addend in 0..additions {
                        store.modify(COUNT, |count: i64| count + addend).expect("valid");
                    }
                    for _ in 0..transactions {
                        let add = store.transaction(&mut |draft| {
                            let count = draft.value(&COUNT.into())?.as_i64().expect("an integer");
                            draft.set(&COUNT.into(), (count + 1).into())
                        });
                        assert!(add.expect("valid").is_some());
                    }
                });
            }
        });
        let toggles: u32 = threads.iter().map(|(toggles, ..)| toggles).sum();
        let sum: i64 = threads.iter().map(|(_, additions, more)| (0..*additions).sum::<i64>() + more).sum();
        assert_eq!(store.get_as(SWITCH), Ok(toggles % 2 == 1));
        assert_eq!(store.get_as(COUNT), Ok(sum));
        let writes: u64 = threads.iter().map(|(a, b, c)| u64::from(*a) + b.unsigned_abs() + c.unsigned_abs()).sum();
        assert_eq!(store.snapshot().version().get(), 3 + writes, "each is one change");
    });
}

/// P13: what a transaction writes at several paths is seen as a whole by everybody, typed or not, and versions never go
/// back.
pub fn p13_snapshot_consistency<B: Backend>(make: Factory<'_, B>) {
    const ROUNDS: i64 = 150;
    let store = make(Setup::new(&ManualClock::new()));
    let [low, high, left, right] = ["limits.low", "limits.high", "labels.left", "labels.right"].map(path);
    let write = |store: &B, number: i64| {
        let written = store.transaction(&mut |draft| {
            draft.set(&high, number.into())?;
            draft.set(&low, number.into())?;
            draft.set(&left, number.into())?;
            draft.set(&right, (-number).into())
        });
        written.expect("valid").expect("there are writes")
    };
    let is_whole = |tree: &Value| {
        let number = |path: &Path| at(tree, path).and_then(Value::as_i64).expect("an integer");
        number(&low) == number(&high) && number(&left) == -number(&right) && number(&low) == number(&left)
    };
    write(&store, 0);
    let (started, is_over) = (Barrier::new(3), AtomicBool::new(false));
    let reads: u64 = thread::scope(|scope| {
        let readers = [0, 1].map(|_| {
            let (store, started, is_over, is_whole) = (store.clone(), &started, &is_over, &is_whole);
            scope.spawn(move || {
                let (mut reader, mut last, mut reads) = (store.reader(), Version::FIRST, 0_u64);
                started.wait();
                loop {
                    let ends = is_over.load(Ordering::SeqCst);
                    let snapshot = store.snapshot();
                    let tree = snapshot.value(Path::ROOT).expect("there is a root");
                    assert!(is_whole(&tree), "{tree:?}");
                    assert!(is_whole(&snapshot.typed()));
                    assert!(last <= snapshot.version());
                    let (version, typed) = reader();
                    assert!(is_whole(&typed), "{typed:?}");
                    assert!(snapshot.version() <= version);
                    assert!(is_whole(&store.value(Path::ROOT).expect("there is a root")));
                    last = version;
                    reads += 1;
                    if ends {
                        break reads;
                    }
                }
            })
        });
        started.wait();
        for number in 1..=ROUNDS {
            let record = write(&store, number);
            assert_eq!(store.snapshot().version(), record.version, "a write is read by whoever made it");
        }
        is_over.store(true, Ordering::SeqCst);
        readers.into_iter().map(|reader| reader.join().expect("no panic")).sum()
    });
    assert!(reads >= 2);
    assert_eq!(store.get_as(&low), Ok(ROUNDS));
}

/// P16: however subscriptions come and go while others write, those are counted that there are, and there are never more
/// than may be; a new one works; and dropping one at any moment, also while others wait, harms nobody.
pub fn p16_subscription_storm<B: Backend>(make: Factory<'_, B>) {
    const MOST: usize = 12;
    let step = prop_oneof![3 => Just(None), 2 => (0..4_usize).prop_map(Some)];
    check(40, vec(vec(step, 0..20), 2..4), |threads| {
        let mut setup = Setup::new(&ManualClock::new());
        setup.limits.subscriptions = MOST;
        setup.limits.history = 4;
        let store = make(setup);
        let waiter = store.subscribe(path("labels.end")).expect("room");
        let (started, prefixes) = (Barrier::new(threads.len() + 2), ["", "labels", "labels.a", "labels.end"]);
        let kept: usize = thread::scope(|scope| {
            let waiting = scope.spawn({
                let (mut waiter, started) = (waiter, &started);
                move || {
                    started.wait();
                    loop {
                        match recv(&mut waiter).expect("the store is there") {
                            Heard::Change(record) if record.entries[0].path == path("labels.end") => break waiter,
                            // Something between may have been missed, but not the end: it is the last.
                            _ => {}
                        }
                    }
                }
            });
            let running: Vec<_> = threads
                .into_iter()
                .map(|steps| {
                    let (store, started) = (store.clone(), &started);
                    scope.spawn(move || {
                        let mut held = Vec::new();
                        started.wait();
                        for (turn, step) in steps.into_iter().enumerate() {
                            match step {
                                None => match store.subscribe(path(prefixes[turn % prefixes.len()])) {
                                    Ok(subscription) => held.push(subscription),
                                    Err(error) => {
                                        let limit =
                                            ConfigError::LimitExceeded { what: Limit::Subscriptions, max: MOST };
                                        assert_eq!(error, limit);
                                    }
                                },
                                Some(index) if index < held.len() => {
                                    held[index].try_recv();
                                    drop(held.swap_remove(index));
                                }
                                Some(_) => {}
                            }
                            assert!(store.subscriptions() <= MOST);
                        }
                        held
                    })
                })
                .collect();
            started.wait();
            for number in 0..20 {
                store.update("labels.a", number.into()).expect("valid");
            }
            let held: Vec<_> = running.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
            assert_eq!(store.subscriptions(), held.len() + 1);
            store.update("labels.end", 1.into()).expect("valid");
            let waiter = waiting.join().expect("no panic");
            drop(waiter);
            assert_eq!(store.subscriptions(), held.len());
            held.len()
        });
        assert!(kept < MOST);
        assert_eq!(store.subscriptions(), 0);
        let mut fresh = store.subscribe(path("labels")).expect("room");
        assert_eq!(fresh.try_recv(), None);
        let record = store.update("labels.fresh", 1.into()).expect("valid");
        assert_eq!(fresh.try_recv(), Some(Heard::Change(record)));
        let full: Vec<_> = (1..MOST).map(|_| store.subscribe(Path::ROOT).expect("room")).collect();
        assert!(store.subscribe(Path::ROOT).is_err());
        drop(full);
        assert_eq!(store.subscriptions(), 1);
        ended_by_the_store(make);
    });
}

/// Whoever waits when the last handle of a store goes gets what is left, and then the end.
fn ended_by_the_store<B: Backend>(make: Factory<'_, B>) {
    let store = make(Setup::new(&ManualClock::new()));
    let mut subscription = store.subscribe(Path::ROOT).expect("room");
    let started = Barrier::new(2);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            started.wait();
            [(); 3].map(|()| recv(&mut subscription))
        });
        started.wait();
        let record = store.update("labels.last", 1.into()).expect("valid");
        drop(store);
        assert_eq!(waiting.join().expect("no panic"), [Some(Heard::Change(record)), None, None]);
    });
}
