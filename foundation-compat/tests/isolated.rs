//! Isolated work: each handle resolves once, with what its work came to.

use std::collections::BTreeMap;
use std::panic;
use std::sync::mpsc;
use std::thread;

use foundation_compat::beam::processes::{isolate_memory_intensive_work, isolate_memory_intensive_work_1};
use foundation_compat::foundation_types::error::{Classify, Domain, ErrorKind};
use foundation_compat::isolated::{Isolated, WorkError, isolate};
use foundation_compat::{Error, ExitReason};
use proptest::collection::vec;
use proptest::prelude::*;

/// What a piece of work does in the end.
#[derive(Clone, Debug)]
enum Script {
    Return(u64),
    Panic(String),
    PanicWithNoText,
    /// Gives a result whose drop panics.
    Trap,
}

fn script() -> impl Strategy<Value = Script> {
    prop_oneof![
        3 => any::<u64>().prop_map(Script::Return),
        2 => "[a-z ]{0,12}".prop_map(Script::Panic),
        1 => Just(Script::PanicWithNoText),
        1 => Just(Script::Trap),
    ]
}

/// A number that, as a trap, panics when it is dropped without having been looked at.
struct Outcome {
    number: Option<u64>,
}

impl Drop for Outcome {
    fn drop(&mut self) {
        assert!(self.number.is_some(), "trap");
    }
}

impl Script {
    fn run(self) -> Outcome {
        match self {
            Self::Return(number) => Outcome { number: Some(number) },
            Self::Panic(message) => panic!("{message}"),
            Self::PanicWithNoText => panic::panic_any(17_u8),
            Self::Trap => Outcome { number: None },
        }
    }

    /// What it comes to, traps as 0.
    fn outcome(&self) -> Result<u64, WorkError> {
        match self {
            Self::Return(number) => Ok(*number),
            Self::Panic(message) => Err(WorkError::Panicked(message.as_str().into())),
            Self::PanicWithNoText => Err(WorkError::Panicked("payload is not text".into())),
            Self::Trap => Ok(0),
        }
    }
}

fn disarmed(outcome: Result<Outcome, WorkError>) -> Result<u64, WorkError> {
    outcome.map(|mut result| *result.number.get_or_insert(0))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn p20_every_handle_resolves_once_with_the_outcome_of_its_own_work(scripts in vec(script(), 1..12)) {
        let works: Vec<_> = scripts.iter().cloned().map(|script| isolate(move || script.run())).collect();
        // In another order than they were started in.
        for (script, work) in scripts.iter().zip(works).rev() {
            let pid = work.pid().clone();
            prop_assert_eq!(disarmed(work.join()), script.outcome());
            prop_assert!(!pid.is_alive(), "the worker ends with its work");
            let exit = match script.outcome() {
                Err(WorkError::Panicked(message)) => ExitReason::Panic(message),
                _ => ExitReason::Normal,
            };
            prop_assert_eq!(pid.exit_reason(), Some(exit));
        }
    }

    #[test]
    fn p20_a_caller_gets_exactly_one_message_for_each_work(scripts in vec(script(), 1..12)) {
        let mut expected = BTreeMap::new();
        let (caller, outcomes) = mpsc::channel();
        for script in &scripts {
            *expected.entry(format!("{:?}", script.outcome())).or_insert(0) += 1;
            let script = script.clone();
            let worker = isolate_memory_intensive_work(move || script.run(), caller.clone());
            prop_assert!(worker.is_ok());
        }
        drop(caller);
        // Ends when the last worker has given up its end of the channel.
        let mut told = BTreeMap::new();
        for outcome in outcomes {
            *told.entry(format!("{:?}", disarmed(outcome))).or_insert(0) += 1;
        }
        prop_assert_eq!(told, expected);
    }
}

#[test]
fn p20_works_that_run_at_once_do_not_mix_up_their_results() {
    const WORKS: u64 = 64;
    // None may end before all run.
    let (go, gates): (Vec<_>, Vec<_>) = (0..WORKS).map(|_| mpsc::channel::<u64>()).unzip();
    let works: Vec<Isolated<u64>> = gates
        .into_iter()
        .map(|gate| isolate_memory_intensive_work_1(move || gate.recv().expect("the gate opens") * 2))
        .collect();
    assert!(works.iter().all(|work| work.pid().is_alive() && !work.is_finished()));
    for (number, gate) in go.iter().enumerate().rev() {
        gate.send(number as u64).expect("the work waits");
    }
    for (number, work) in works.into_iter().enumerate() {
        assert_eq!(work.join(), Ok(number as u64 * 2));
    }
}

#[test]
fn work_runs_on_a_thread_of_its_own() {
    let here = thread::current().id();
    let there = isolate(|| (thread::current().id(), thread::current().name().map(str::to_owned)));
    let (id, name) = there.join().expect("no panic");
    assert_ne!(id, here);
    assert_eq!(name.as_deref(), Some("isolated-work"));
}

#[test]
fn killing_the_identity_takes_no_result_away() {
    let (go, gate) = mpsc::channel::<()>();
    let work = isolate(move || gate.recv().is_ok());
    assert!(work.pid().kill());
    go.send(()).expect("the work waits");
    let pid = work.pid().clone();
    assert_eq!(work.join(), Ok(true));
    assert_eq!(pid.exit_reason(), Some(ExitReason::Killed));
}

#[test]
fn a_dropped_handle_lets_the_work_go_on_and_drops_its_result_there() {
    let (go, gate) = mpsc::channel::<()>();
    let (told, done) = mpsc::channel();
    let work = isolate(move || {
        gate.recv().expect("the gate opens");
        told.send(thread::current().id()).expect("the test waits");
        Script::Trap.run()
    });
    let monitor = work.pid().monitor();
    drop(work);
    go.send(()).expect("the work waits");
    assert_ne!(done.recv().expect("the work goes on"), thread::current().id());
    // A trap that ended the process, or the identity for a wrong reason, would show here.
    assert_eq!(monitor.wait(), ExitReason::Normal);
}

#[test]
fn a_caller_that_is_gone_harms_no_one() {
    let (caller, outcomes) = mpsc::channel();
    drop(outcomes);
    let worker = isolate_memory_intensive_work(|| Script::Trap.run(), caller).expect("a thread");
    assert_eq!(worker.monitor().wait(), ExitReason::Normal);
}

#[test]
fn a_monitor_tells_when_joining_does_not_block() {
    let work = isolate(|| -> u32 { panic!("late") });
    assert_eq!(work.pid().monitor().wait(), ExitReason::Panic("late".into()));
    assert_eq!(work.join(), Err(WorkError::Panicked("late".into())));
}

#[test]
fn errors_have_a_place_in_the_common_record() {
    let panicked = Error::from(WorkError::Panicked("late".into()));
    assert_eq!((panicked.code(), panicked.message()), (2401, "the work panicked: late"));
    let refused = WorkError::NotStarted { reason: "no memory".into() };
    assert_eq!((refused.domain(), refused.kind()), (Domain::Processes, ErrorKind::ProcessStartFailed));
    assert_eq!(Error::from(refused).code(), 5001);
}
