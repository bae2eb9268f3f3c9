//! What the observer hears.

use std::sync::Arc;
use std::time::Duration;

use foundation_types::testing::{RecordedEvent, RecordingObserver};
use foundation_types::{MonoTime, Value};
use proptest::prelude::*;

use super::command::{Command, Pair, commands, draws, ms, options_with_faults};
use super::model::StateChange;
use super::subject::{Breaker, Setup};
use super::{Factory, check};
use crate::options::Options;
use crate::random::Random;
use crate::snapshot::State;

const PREFIX: &str = "foundation.breaker.";

/// P23: one event for each change of the state, in order, each legal after the one before, at the instant it took effect;
/// one for each end of a call and each refusal. An observer that panics changes nothing else.
pub fn p23_events<B: Breaker>(make: Factory<'_, B>) {
    let inputs = (options_with_faults(), draws(), commands(), any::<bool>());
    check(500, inputs, |(options, draws, commands, panics)| {
        let observer = Arc::new(RecordingObserver::new());
        if panics {
            observer.start_panicking();
        }
        let heard_by = Arc::clone(&observer);
        let mut pair = Pair::of(make, options, &draws, |setup| Setup { observer: Some(heard_by), ..setup });
        let (mut ended, mut refused) = (0, 0);
        for command in &commands {
            match command {
                Command::Acquire => refused += usize::from(!pair.acquire()),
                Command::End(..) => {
                    ended += usize::from(!pair.held.is_empty());
                    pair.run(command);
                }
                command => pair.run(command),
            }
        }
        pair.agree();
        let events = observer.take();
        let (about_calls, about_state): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|event| ["call", "rejected"].contains(&last_segment(event)));
        let calls = about_calls.iter().filter(|event| last_segment(event) == "call").count();
        assert_eq!((calls, about_calls.len() - calls), (ended, refused));
        let heard: Vec<_> = about_state.iter().map(change).collect();
        let expected: Vec<_> = pair.model.changes().iter().map(in_millis).collect();
        assert_eq!(heard, expected);
        assert_is_legal(&heard);
    });
    panics_elsewhere(make);
}

/// As events tell it: how long a circuit opens in whole milliseconds.
fn in_millis(change: &StateChange) -> StateChange {
    let millis = |time: Duration| u64::try_from(time.as_millis()).expect("short");
    StateChange { open_for: change.open_for.map(|time| ms(millis(time))), ..change.clone() }
}

fn last_segment(event: &RecordedEvent) -> &str {
    event.name.as_str().strip_prefix(PREFIX).expect("an event of a breaker")
}

fn change(event: &RecordedEvent) -> StateChange {
    const EVENTS: [&str; 5] = ["opened", "half_opened", "closed", "forced_open", "reset"];
    const REASONS: [&str; 9] =
        ["tripped", "probe_failed", "probe_timeout", "melt", "recovered", "healed", "reset", "lifted", "reconfigured"];
    const STATES: [State; 4] = [State::Closed, State::Open, State::HalfOpen, State::ForcedOpen];
    let text = |key| event.metadata.get(key).and_then(Value::as_str);
    let number = |value: Option<&Value>| {
        value.and_then(Value::as_i64).map(|number| u64::try_from(number).expect("not negative"))
    };
    assert_eq!(number(event.measurements.get("count")), Some(1));
    assert!(event.measurements.get("missed").is_none());
    let named = |among: &[&'static str], name: &str| {
        *among.iter().find(|known| **known == name).unwrap_or_else(|| panic!("{name} is unknown"))
    };
    StateChange {
        event: named(&EVENTS, last_segment(event)),
        from: text("from").map(|from| {
            *STATES.iter().find(|state| state.as_str() == from).unwrap_or_else(|| panic!("{from} is no state"))
        }),
        reason: text("reason").map(|reason| named(&REASONS, reason)),
        open_for: number(event.measurements.get("open_for")).map(ms),
        generation: number(event.metadata.get("generation")).expect("every event has it"),
        at: MonoTime::from_nanos(number(event.metadata.get("at")).expect("every event has it")),
    }
}

/// The states follow each other as they may, and time does not go back.
fn assert_is_legal(changes: &[StateChange]) {
    let (mut state, mut at, mut generation) = (State::Closed, MonoTime::ORIGIN, 0);
    for change in changes {
        let (is_legal, next) = match change.event {
            "opened" => (matches!(state, State::Closed | State::HalfOpen), State::Open),
            "half_opened" => (state == State::Open, State::HalfOpen),
            "closed" => (state != State::Closed, State::Closed),
            "forced_open" => (state != State::ForcedOpen, State::ForcedOpen),
            _ => (matches!(state, State::Closed | State::ForcedOpen), state),
        };
        assert!(is_legal, "{change:?} of a circuit that is {state}");
        assert!(change.from.is_none_or(|from| from == state), "{change:?} of a circuit that is {state}");
        assert!(change.at >= at, "{change:?} after {at:?}");
        assert_eq!(change.generation, generation + 1);
        (state, at, generation) = (next, change.at, change.generation);
    }
}

/// Breakers with an observer that panics, one that does not, and without one, give the same answers.
fn panics_elsewhere<B: Breaker>(make: Factory<'_, B>) {
    let inputs = (options_with_faults(), draws(), commands());
    check(200, inputs, |(options, draws, commands): (Options, Vec<f64>, Vec<Command>)| {
        let panicking = Arc::new(RecordingObserver::new());
        panicking.start_panicking();
        let calm = Arc::new(RecordingObserver::new());
        let views = [Some(panicking), Some(calm), None].map(|observer| {
            let mut pair = Pair::of(make, options.clone(), &draws, |setup: Setup| Setup {
                observer: observer.map(|observer| observer as _),
                random: Random::scripted(draws.iter().copied()),
                ..setup
            });
            pair.run_all(&commands);
            pair.agree();
            pair.breaker.view()
        });
        assert_eq!(views[0], views[1]);
        assert_eq!(views[1], views[2]);
    });
}
