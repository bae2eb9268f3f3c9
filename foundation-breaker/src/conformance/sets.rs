//! Breakers by name.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;

use foundation_types::{Clock, ManualClock, Name};
use proptest::collection::vec;
use proptest::prelude::*;

use super::command::{Command, Pair, command, ms, options};
use super::model::Model;
use super::subject::{Breaker, Set};
use super::{SetFactory, check};
use crate::error::InstallError;
use crate::options::{Options, Probe, Recovery};
use crate::snapshot::State;
use foundation_types::Ratio;

const NAMES: usize = 3;
const THREADS: usize = 4;

fn name(number: usize) -> Name {
    Name::new(format!("breaker-{number}")).expect("a valid name")
}

/// Options that draw nothing, as a set's breakers draw from where they like.
fn drawless() -> impl Strategy<Value = Options> + Clone {
    options()
        .prop_map(|options| match options.recovery() {
            Recovery::Probe(probe) => {
                let probe = Probe { jitter: Ratio::ZERO, ..probe.clone() };
                Options::new(*options.trip(), Recovery::Probe(probe))
                    .expect("in range")
                    .on_cancel(options.cancel_policy())
            }
            _ => options,
        })
        .boxed()
}

/// P19: what happens to one breaker of a set changes no other.
pub fn p19_independence<S: Set>(make: SetFactory<'_, S>) {
    let commands = vec((0..NAMES, command(drawless())), 1..120);
    check(300, (vec(drawless(), NAMES), commands), |(options, commands)| {
        let clock = ManualClock::new();
        let set = make(clock.clone());
        let mut pairs: Vec<_> = options
            .into_iter()
            .enumerate()
            .map(|(number, options)| {
                let breaker = set.install(&name(number), options.clone()).expect("room");
                Pair::around(breaker, options, &clock, &[0.0])
            })
            .collect();
        for (number, command) in commands {
            if let Command::Advance(step) = command {
                // They share the clock.
                let by = pairs[number].resolve(step);
                clock.advance(by);
                for pair in &mut pairs {
                    pair.model.advance(by);
                }
                continue;
            }
            let others = |pairs: &[Pair<S::Breaker>]| -> Vec<_> {
                (0..NAMES).filter(|other| *other != number).map(|other| pairs[other].breaker.view()).collect()
            };
            let before = others(&pairs);
            pairs[number].run(&command);
            assert_eq!(others(&pairs), before);
        }
        for pair in &pairs {
            pair.agree();
        }
    });
}

#[derive(Clone, Debug)]
enum SetCommand {
    Install(usize, Options),
    TryInstall(usize, Options),
    Remove(usize),
    Names,
    /// To the breaker of that name, as far as there is one.
    Breaker(usize, Command),
    /// To a breaker that was removed.
    Removed(usize, Command),
}

/// P20: a set is a map; an install over a name replaces options and closes, but keeps the totals and what an operator holds
/// open; a removal forgets both. Of several that install a name at once one succeeds.
pub fn p20_set<S: Set>(make: SetFactory<'_, S>) {
    let names = 0..NAMES;
    let command = prop_oneof![
        2 => (names.clone(), drawless()).prop_map(|(name, options)| SetCommand::Install(name, options)),
        2 => (names.clone(), drawless()).prop_map(|(name, options)| SetCommand::TryInstall(name, options)),
        1 => names.clone().prop_map(SetCommand::Remove),
        1 => Just(SetCommand::Names),
        12 => (names.clone(), command(drawless())).prop_map(|(name, command)| SetCommand::Breaker(name, command)),
        2 => (any::<usize>(), command(drawless())).prop_map(|(which, command)| SetCommand::Removed(which, command)),
    ];
    check(500, vec(command, 1..120), |commands| {
        let clock = ManualClock::new();
        let set = make(clock.clone());
        let mut there: BTreeMap<usize, Pair<S::Breaker>> = BTreeMap::new();
        let mut removed: Vec<Pair<S::Breaker>> = Vec::new();
        for command in commands {
            match command {
                SetCommand::Install(number, options) => {
                    let breaker = set.install(&name(number), options.clone()).expect("room");
                    match there.get_mut(&number) {
                        Some(pair) => {
                            pair.model.reconfigure(options);
                            // The old handle and the new one are of one breaker.
                            pair.agree();
                            pair.breaker = breaker;
                        }
                        None => drop(there.insert(number, Pair::around(breaker, options, &clock, &[0.0]))),
                    }
                    there[&number].agree();
                }
                SetCommand::TryInstall(number, options) => {
                    match (set.try_install(&name(number), options.clone()), there.contains_key(&number)) {
                        (Ok(breaker), false) => {
                            there.insert(number, Pair::around(breaker, options, &clock, &[0.0]));
                        }
                        (Err(InstallError::AlreadyExists(error)), true) => assert_eq!(error.name, name(number)),
                        (answer, is_there) => panic!("{:?} where there is one: {is_there}", answer.map(|_| "new")),
                    }
                }
                SetCommand::Remove(number) => {
                    let taken = set.remove(name(number).as_str());
                    assert_eq!(taken.is_some(), there.contains_key(&number));
                    removed.extend(there.remove(&number));
                    assert!(set.remove(name(number).as_str()).is_none());
                }
                SetCommand::Names => {
                    let mut names = set.names();
                    names.sort_unstable();
                    assert_eq!(names, there.keys().copied().map(name).collect::<Vec<_>>());
                }
                SetCommand::Breaker(_, Command::Advance(step)) | SetCommand::Removed(_, Command::Advance(step)) => {
                    let by = there.values().next().map_or(ms(1), |pair| pair.resolve(step));
                    clock.advance(by);
                    for pair in there.values_mut().chain(&mut removed) {
                        pair.model.advance(by);
                    }
                }
                SetCommand::Breaker(number, command) => {
                    let found = set.get(name(number).as_str());
                    assert_eq!(found.is_some(), there.contains_key(&number));
                    if let (Some(breaker), Some(pair)) = (found, there.get_mut(&number)) {
                        pair.breaker = breaker;
                        pair.run(&command);
                    }
                }
                SetCommand::Removed(which, command) => {
                    if !removed.is_empty() {
                        let which = which % removed.len();
                        removed[which].run(&command);
                    }
                }
            }
        }
        for pair in there.values().chain(&removed) {
            pair.agree();
        }
    });
    the_operator_is_forgotten_with_the_breaker(make);
    one_of_many_installs(make);
}

/// F9, F8: the flag survives an install, and not a removal; the totals likewise.
fn the_operator_is_forgotten_with_the_breaker<S: Set>(make: SetFactory<'_, S>) {
    let clock = ManualClock::new();
    let set = make(clock.clone());
    let breaker = set.install(&name(0), Options::default()).expect("room");
    breaker.melt();
    breaker.force_open();
    let again = set.install(&name(0), Options::default()).expect("room");
    assert_eq!((again.state(), again.view().totals.failed), (State::ForcedOpen, 1));
    assert!(set.remove(name(0).as_str()).is_some());
    let fresh = set.install(&name(0), Options::default()).expect("room");
    let expected = Model::new(Options::default(), clock.mono(), vec![0.0]).view();
    assert_eq!(fresh.view(), expected);
    assert_eq!(breaker.state(), State::ForcedOpen, "the handle goes on as a breaker of its own");
    breaker.lift();
    breaker.melt();
    assert_eq!(fresh.view(), expected);
}

fn one_of_many_installs<S: Set>(make: SetFactory<'_, S>) {
    let set = make(ManualClock::new());
    for round in 0..200 {
        let start = Barrier::new(THREADS);
        let winners: usize = thread::scope(|scope| {
            let racers: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        match set.try_install(&name(round), Options::default()) {
                            Ok(breaker) => {
                                breaker.melt();
                                true
                            }
                            Err(error) => {
                                assert!(matches!(error, InstallError::AlreadyExists(_)), "{error}");
                                false
                            }
                        }
                    })
                })
                .collect();
            racers.into_iter().map(|racer| usize::from(racer.join().expect("no panic"))).sum()
        });
        assert_eq!(winners, 1);
        let breaker = set.get(name(round).as_str()).expect("installed");
        assert_eq!(breaker.view().totals.failed, 1, "the breaker of the winner is the one in the set");
    }
}
