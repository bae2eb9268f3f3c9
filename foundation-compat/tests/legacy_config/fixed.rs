//! The service of the settings answers the same whether agents are not compiled in, compiled in and off, or on.

use std::fmt::Write;
use std::{env, fs};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::session::Session;
use crate::trace::calls;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/legacy_config_trace.txt");
const TRACES: usize = 30;

/// The answers to fixed traces are those in the file, in every build: the file is the same for all of them.
///
/// With the variable `UPDATE_SNAPSHOTS` set this test writes the file instead.
#[test]
fn p25_fixed_traces_give_the_same_in_every_build() {
    let mut runner = TestRunner::deterministic();
    let mut text = String::new();
    for number in 0..TRACES {
        let session = Session::new();
        let mut changes = session.config.subscribe().expect("it runs");
        let trace = calls().new_tree(&mut runner).expect("nothing is filtered").current();
        writeln!(text, "trace {number}").expect("a text takes all that is written");
        for call in &trace {
            writeln!(text, "{call:?}: {}", session.call(call)).expect("a text takes all that is written");
        }
        while let Some(change) = changes.try_recv() {
            writeln!(text, "told {change:?}").expect("a text takes all that is written");
        }
        for event in session.observer.events() {
            // That a version came is no part of the original.
            if event.name.as_str() != "foundation.config.changed" {
                writeln!(text, "event {event:?}").expect("a text takes all that is written");
            }
        }
    }
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(SNAPSHOT, text).expect("the file can be written");
        return;
    }
    let expected = fs::read_to_string(SNAPSHOT).expect("the file is there");
    for (number, (line, expected)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(line, expected, "line {}", number + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count());
    assert!(expected.lines().count() > 10 * TRACES, "answers, notices and events are there");
}
