//! Settings behind an engine, against one in memory.

#![cfg(feature = "remote")]

mod memory_engine;

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_config::source::{LostEngine, MAX_REMOTE_BYTES, RemoteSource};
use foundation_config::{Document, Layer, Source, SourceError, Store};
use foundation_types::Value;
use foundation_types::engine::{Key, Op, Revision};
use proptest::prelude::*;

use self::memory_engine::MemoryEngine;

/// Longer than any delay before the next attempt.
const LONG: Duration = Duration::from_secs(11);

fn key(name: &str) -> Key {
    Key::new(name).expect("short")
}

fn source(engine: &Arc<MemoryEngine>) -> RemoteSource<MemoryEngine> {
    RemoteSource::new(Arc::clone(engine), "c/").expect("a key")
}

fn refresh(source: &RemoteSource<MemoryEngine>) -> Result<Revision, SourceError> {
    pollster::block_on(source.refresh())
}

fn loaded(source: &impl Source) -> Result<String, String> {
    source.load().map(|document| document.to_value().to_string()).map_err(|error| error.to_string())
}

fn count(calls: &AtomicUsize) {
    calls.fetch_add(1, Ordering::Relaxed);
}

/// Polls until it waits for others; the engine never does by itself.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn before_the_first_read_it_is_unavailable() {
    let engine = MemoryEngine::new();
    let source = source(&engine);
    assert_eq!((source.name(), source.layer(), source.revision()), ("keys c/*", Layer::Remote, None));
    assert_eq!(loaded(&source), Err("keys c/*: nothing has been read yet".to_owned()));
    engine.set_down(true);
    assert_eq!(refresh(&source).expect_err("down").to_string(), "keys c/*: the engine is unavailable");
    assert_eq!(loaded(&source), Err("keys c/*: the engine is unavailable".to_owned()));
    assert!(RemoteSource::new(engine, "").is_err());
}

#[test]
fn a_refresh_reads_what_stands_at_each_key() {
    let engine = MemoryEngine::new();
    let source = source(&engine);
    assert_eq!(refresh(&source).expect("empty"), Revision::ZERO);
    assert_eq!(loaded(&source), Ok("{}".to_owned()));
    engine.put("c/dev/debug", "true");
    engine.put("c/a%2Fb/%25", r#"{"x":[1.0,{"$time":"1970-01-01T00:00:00Z"}]}"#);
    engine.put("c/none", "null");
    engine.put("d/other", "1");
    assert_eq!(loaded(&source), Ok("{}".to_owned()), "nothing is read by itself");
    assert_eq!(refresh(&source).expect("valid"), Revision::new(4));
    let json = r#"{"a/b":{"%":{"x":[1.0,"1970-01-01T00:00:00Z"]}},"dev":{"debug":true},"none":null}"#;
    assert_eq!(loaded(&source), Ok(json.to_owned()));
    let document = source.load().expect("valid");
    let origin = document.origin(&"\"a/b\".%.x".parse().expect("a path")).expect("known");
    assert_eq!(origin.to_string(), "key c/a%2Fb/%25 at revision 2");
    engine.delete("c/dev/debug");
    refresh(&source).expect("valid");
    assert_eq!(document.origin(&"none".parse().expect("a path")).expect("known").place(), "key c/none at revision 3");
    assert!(source.load().expect("valid").tree().get("dev").is_none());
    assert_eq!(source.revision(), Some(Revision::new(5)));
}

#[test]
fn many_keys_are_read_as_of_one_revision_though_others_write_meanwhile() {
    let engine = MemoryEngine::new();
    let names: Vec<_> = (0..2_500).map(|number| format!("c/{number:04}")).collect();
    engine.transact(names.iter().map(|name| Op::put(key(name), *b"1")).collect());
    let meddler = Arc::downgrade(&engine);
    engine.on_range(move || {
        let engine = meddler.upgrade().expect("it is being asked");
        engine.transact(vec![Op::put(key("c/0000"), *b"2"), Op::put(key("c/2499"), *b"2"), Op::delete(key("c/1500"))]);
    });
    let source = source(&engine);
    let revision = refresh(&source).expect("valid");
    let document = source.load().expect("valid");
    assert_eq!(document.tree().len(), 2_500);
    assert!(document.tree().iter().all(|(_, value)| *value == Value::from(1)));
    assert_eq!(revision, Revision::new(1));
}

#[test]
fn reading_begins_anew_if_its_revision_is_compacted_away_and_gives_up_in_the_end() {
    let engine = MemoryEngine::new();
    let names: Vec<_> = (0..1_500).map(|number| format!("c/{number:04}")).collect();
    engine.transact(names.iter().map(|name| Op::put(key(name), *b"1")).collect());
    let left = Arc::new(AtomicUsize::new(3));
    let (meddler, times) = (Arc::downgrade(&engine), Arc::clone(&left));
    engine.on_range(move || {
        if times.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            let engine = meddler.upgrade().expect("it is being asked");
            engine.put("c/0000", "2");
            engine.compact();
        }
    });
    let source = source(&engine);
    refresh(&source).expect("it is left alone in the end");
    let before = loaded(&source);
    assert!(before.as_ref().is_ok_and(|json| json.starts_with(r#"{"0000":2,"0001":1"#)));
    left.store(usize::MAX, Ordering::Relaxed);
    let error = refresh(&source).expect_err("it is never left alone").to_string();
    assert!(error.starts_with("keys c/*: revisions before ") && error.ends_with(" are gone"), "{error}");
    assert_eq!(loaded(&source), before);
}

#[test]
fn what_is_wrong_is_said_with_its_key_until_it_is_mended() {
    let engine = MemoryEngine::new();
    engine.put("c/good", "1");
    let source = source(&engine);
    refresh(&source).expect("valid");
    let cases: [(&str, &[u8], &str); 7] = [
        (
            "c/a/b",
            b"hunter2",
            "key c/a/b at revision {}: a.b: expected the JSON form of a value, found none: expected value at line 1 column 1",
        ),
        (
            "c/a",
            b"99999999999999999999",
            "key c/a at revision {}: a: expected the JSON form of a value, found none: integer does not fit in 64 bits",
        ),
        ("c/a", b"\xff", "key c/a at revision {}: a: expected UTF-8, found other bytes"),
        (
            "c/a",
            br#"{"$env":"X"}"#,
            "key c/a at revision {}: a: expected the JSON form of a value, found none: key \"$env\" is reserved; a key that starts with '$' is written with one more '$'",
        ),
        ("c/a%", b"1", "key c/a% at revision {}: expected `%25` or `%2F` wherever there is a `%`, found another"),
        ("c/good/x", b"1", "key c/good/x at revision {}: good: already set at key c/good at revision 1"),
        ("c/good/", b"1", "key c/good/ at revision {}: good: already set at key c/good at revision 1"),
    ];
    for (name, text, message) in cases {
        let revision = engine.transact(vec![Op::put(key(name), text)]);
        let message = message.replace("{}", &revision.to_string());
        assert_eq!(refresh(&source).expect_err(name).to_string(), message);
        assert_eq!(loaded(&source), Err(message));
        engine.delete(name);
        refresh(&source).expect("mended");
        assert_eq!(loaded(&source), Ok(r#"{"good":1}"#.to_owned()));
    }
}

#[test]
fn too_much_is_refused_until_it_is_less() {
    let engine = MemoryEngine::new();
    let source = source(&engine);
    engine.put("c/a", "1");
    let calls = AtomicUsize::new(0);
    let mut follow = pin!(source.follow(|| count(&calls)));
    assert!(poll(follow.as_mut()).is_pending());
    engine.put("c/b", &format!("\"{}\"", "x".repeat(MAX_REMOTE_BYTES)));
    assert!(poll(follow.as_mut()).is_pending());
    assert_eq!(loaded(&source), Err("keys c/*: more than 16777216 bytes".to_owned()));
    engine.delete("c/b");
    engine.put("c/a", "2");
    engine.clock().advance(LONG);
    assert!(poll(follow.as_mut()).is_pending());
    assert_eq!(loaded(&source), Ok(r#"{"a":2}"#.to_owned()));
}

#[test]
fn whoever_follows_hears_of_each_transaction_once_it_is_loaded_as_a_whole() {
    let engine = MemoryEngine::new();
    engine.put("c/a", "0");
    let source = source(&engine);
    let seen = std::sync::Mutex::new(Vec::new());
    let mut follow = pin!(source.follow(|| seen.lock().expect("not poisoned").push(loaded(&source).expect("valid"))));
    assert!(poll(follow.as_mut()).is_pending());
    engine.transact(vec![Op::put(key("c/a"), *b"1"), Op::put(key("c/b"), *b"1")]);
    engine.put("other", "7");
    engine.transact(vec![Op::put(key("c/a"), *b"2"), Op::delete(key("c/b"))]);
    assert!(poll(follow.as_mut()).is_pending());
    assert_eq!(*seen.lock().expect("not poisoned"), [r#"{"a":0}"#, r#"{"a":1,"b":1}"#, r#"{"a":2}"#]);
    assert_eq!(source.revision(), Some(Revision::new(4)));
}

#[test]
fn two_who_follow_both_hear_of_all() {
    let engine = MemoryEngine::new();
    let source = source(&engine);
    let counts = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let [first, second] = counts.each_ref().map(|calls| source.follow(|| count(calls)));
    let (mut first, mut second) = (pin!(first), pin!(second));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    let before = counts.each_ref().map(|count| count.load(Ordering::Relaxed));
    engine.put("c/a", "1");
    engine.put("c/a", "2");
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    let after = counts.each_ref().map(|count| count.load(Ordering::Relaxed));
    assert_eq!([after[0] - before[0], after[1] - before[1]], [2, 2]);
    assert_eq!(loaded(&source), Ok(r#"{"a":2}"#.to_owned()));
}

#[test]
fn an_outage_is_survived_without_missing_a_change() {
    let engine = MemoryEngine::new();
    engine.put("c/a", "1");
    let source = source(&engine);
    let calls = AtomicUsize::new(0);
    let mut follow = pin!(source.follow(|| count(&calls)));
    assert!(poll(follow.as_mut()).is_pending());
    engine.set_down(true);
    assert!(poll(follow.as_mut()).is_pending());
    engine.put("c/a", "2");
    engine.put("c/b", "3");
    for _ in 0..5 {
        engine.clock().advance(LONG);
        assert!(poll(follow.as_mut()).is_pending());
        assert_eq!(loaded(&source), Ok(r#"{"a":1}"#.to_owned()), "the last known good");
    }
    engine.set_down(false);
    let before = calls.load(Ordering::Relaxed);
    engine.clock().advance(LONG);
    assert!(poll(follow.as_mut()).is_pending());
    assert_eq!(loaded(&source), Ok(r#"{"a":2,"b":3}"#.to_owned()));
    assert_eq!(calls.load(Ordering::Relaxed), before + 2, "one call for each change");
}

#[test]
fn a_source_may_say_that_its_engine_is_lost() {
    let engine = MemoryEngine::new();
    engine.put("c/a", "1");
    let source = source(&engine).when_lost(LostEngine::Fail);
    let seen = std::sync::Mutex::new(Vec::new());
    let mut follow = pin!(source.follow(|| seen.lock().expect("not poisoned").push(loaded(&source))));
    assert!(poll(follow.as_mut()).is_pending());
    engine.set_down(true);
    assert!(poll(follow.as_mut()).is_pending());
    engine.clock().advance(LONG);
    assert!(poll(follow.as_mut()).is_pending());
    engine.set_down(false);
    engine.clock().advance(LONG);
    assert!(poll(follow.as_mut()).is_pending());
    let (good, lost) = (Ok(r#"{"a":1}"#.to_owned()), Err("keys c/*: the engine is unavailable".to_owned()));
    assert_eq!(*seen.lock().expect("not poisoned"), [good.clone(), lost, good]);
}

#[test]
fn what_was_compacted_away_during_an_outage_is_read_anew() {
    let engine = MemoryEngine::new();
    engine.put("c/a", "1");
    engine.put("c/b", "1");
    let source = source(&engine);
    let mut follow = pin!(source.follow(|| {}));
    assert!(poll(follow.as_mut()).is_pending());
    engine.set_down(true);
    assert!(poll(follow.as_mut()).is_pending());
    engine.delete("c/a");
    engine.put("c/b", "2");
    engine.compact();
    engine.set_down(false);
    engine.clock().advance(LONG);
    assert!(poll(follow.as_mut()).is_pending());
    assert_eq!(loaded(&source), Ok(r#"{"b":2}"#.to_owned()));
    engine.put("c/b", "3");
    assert!(poll(follow.as_mut()).is_pending());
    assert_eq!(loaded(&source), Ok(r#"{"b":3}"#.to_owned()));
}

#[test]
fn following_ends_when_the_engine_is_closed() {
    let engine = MemoryEngine::new();
    engine.put("c/a", "1");
    let source = source(&engine);
    let mut follow = pin!(source.follow(|| {}));
    assert!(poll(follow.as_mut()).is_pending());
    engine.close();
    let Poll::Ready(error) = poll(follow.as_mut()) else { panic!("it goes on") };
    assert_eq!(error.to_string(), "keys c/*: the engine is closed");
    assert_eq!(loaded(&source), Ok(r#"{"a":1}"#.to_owned()));
    let Poll::Ready(error) = poll(pin!(self::source(&engine).follow(|| {}))) else { panic!("it goes on") };
    assert_eq!(error.to_string(), "keys c/*: the engine is closed");
}

#[test]
fn a_follower_that_was_dropped_is_followed_by_another_that_goes_on_there() {
    let engine = MemoryEngine::new();
    engine.put("c/a", "1");
    let source = source(&engine);
    {
        let mut follow = pin!(source.follow(|| {}));
        assert!(poll(follow.as_mut()).is_pending());
    }
    engine.put("c/a", "2");
    engine.put("c/b", "2");
    let calls = AtomicUsize::new(0);
    let mut follow = pin!(source.follow(|| count(&calls)));
    assert!(poll(follow.as_mut()).is_pending());
    assert_eq!(calls.load(Ordering::Relaxed), 3, "at once, and for each change");
    assert_eq!(loaded(&source), Ok(r#"{"a":2,"b":2}"#.to_owned()));
}

#[test]
fn a_store_keeps_up_and_refuses_what_is_wrong() {
    let engine = MemoryEngine::new();
    engine.put("c/a", "1");
    let source = Arc::new(source(&engine));
    refresh(&source).expect("valid");
    let store: Store = Store::builder().source(Arc::clone(&source)).load().expect("valid");
    let mut follow = pin!(source.follow(|| drop(store.reload())));
    assert!(poll(follow.as_mut()).is_pending());
    engine.put("c/b", "2");
    assert!(poll(follow.as_mut()).is_pending());
    assert_eq!(store.value("").expect("a root").to_string(), r#"{"a":1,"b":2}"#);
    engine.put("c/a", "oops");
    assert!(poll(follow.as_mut()).is_pending());
    assert_eq!(store.value("").expect("a root").to_string(), r#"{"a":1,"b":2}"#);
    engine.put("c/a", "3");
    assert!(poll(follow.as_mut()).is_pending());
    assert_eq!(store.value("").expect("a root").to_string(), r#"{"a":3,"b":2}"#);
}

#[test]
fn following_can_be_done_on_any_thread_and_by_any_engine() {
    fn is_send<T: Send>(_: &T) {}
    let engine: Arc<dyn foundation_types::Engine> = MemoryEngine::new();
    let source = RemoteSource::new(engine, "c/").expect("a key");
    is_send(&source.follow(|| {}));
    is_send(&source.refresh());
    assert_eq!(format!("{source:?}"), "RemoteSource { prefix: \"c/\", layer: Remote, .. }");
}

/// What happens to a store and to who follows it.
#[derive(Clone, Debug)]
enum Step {
    Write(Vec<(u8, Option<i64>)>),
    Down(bool),
    Compact,
    Wait,
    Poll,
    Refresh,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let write = prop::collection::btree_map(0..4_u8, prop::option::of(0..9_i64), 1..4);
    let step = prop_oneof![
        6 => write.prop_map(|writes| Step::Write(writes.into_iter().collect())),
        1 => any::<bool>().prop_map(Step::Down),
        1 => Just(Step::Compact),
        2 => Just(Step::Wait),
        4 => Just(Step::Poll),
        1 => Just(Step::Refresh),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn whoever_follows_has_the_last_state_whatever_happens_and_never_one_that_was_not(steps in steps()) {
        let engine = MemoryEngine::new();
        let source = source(&engine);
        let mut model: BTreeMap<String, i64> = BTreeMap::new();
        let text = |model: &BTreeMap<String, i64>| {
            Value::from(model.iter().map(|(key, value)| (&**key, *value)).collect::<foundation_types::Metadata>()).to_string()
        };
        let mut states = vec![text(&model)];
        let heard = std::sync::Mutex::new(None);
        let listen = || *heard.lock().expect("not poisoned") = source.load().ok();
        let mut follow = Box::pin(source.follow(listen));
        for step in steps {
            match step {
                Step::Write(writes) => {
                    let ops = writes.iter().map(|(name, value)| {
                        let key = key(&format!("c/k{name}"));
                        value.map_or_else(|| Op::delete(key.clone()), |value| Op::put(key.clone(), value.to_string().into_bytes()))
                    });
                    engine.transact(ops.collect());
                    for (name, value) in writes {
                        let name = format!("k{name}");
                        match value {
                            Some(value) => drop(model.insert(name, value)),
                            None => drop(model.remove(&name)),
                        }
                    }
                    states.push(text(&model));
                }
                Step::Down(down) => engine.set_down(down),
                Step::Compact => engine.compact(),
                Step::Wait => engine.clock().advance(LONG),
                Step::Poll => prop_assert!(poll(follow.as_mut()).is_pending()),
                Step::Refresh => drop(refresh(&source)),
                Step::Restart => follow = Box::pin(source.follow(listen)),
            }
            if let Ok(document) = source.load() {
                prop_assert!(states.contains(&document.to_value().to_string()));
            }
        }
        engine.set_down(false);
        for _ in 0..3 {
            prop_assert!(poll(follow.as_mut()).is_pending());
            engine.clock().advance(LONG);
        }
        prop_assert!(poll(follow.as_mut()).is_pending());
        prop_assert_eq!(loaded(&source), Ok(text(&model)));
        // Whoever listened from the start has been told of it, too.
        let heard: Option<Document> = heard.lock().expect("not poisoned").clone();
        prop_assert_eq!(heard.map(|document| document.to_value().to_string()), Some(text(&model)));
    }
}
