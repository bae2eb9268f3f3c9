//! One breaker for each of many hosts: looking it up by name and calling through it.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use foundation_breaker::{BreakerSet, CircuitBreaker, Options};
use foundation_types::Name;
use parking_lot::RwLock;

use super::closed::call;
use crate::bench::measure::{Contender, Work, timed};
use crate::bench::order::shuffle;

/// At most so many times the fastest raw map's lookup and call.
const TARGET: f64 = 1.3;
const RUN: usize = 512;

/// A set and raw maps of the same breakers, so that a call through what was found costs all of them the same.
pub(crate) struct Hosts {
    set: BreakerSet,
    papaya: papaya::HashMap<Name, CircuitBreaker, RandomState>,
    dash: dashmap::DashMap<Name, CircuitBreaker, RandomState>,
    locked: RwLock<HashMap<Name, CircuitBreaker, RandomState>>,
    /// All names, in the random order in which they are looked up.
    names: Vec<Name>,
}

impl Hosts {
    pub(crate) fn new(size: usize) -> Self {
        let mut hosts = Self {
            set: BreakerSet::new(),
            papaya: papaya::HashMap::default(),
            dash: dashmap::DashMap::default(),
            locked: RwLock::default(),
            names: (0..size).map(name).collect(),
        };
        for name in &hosts.names {
            let breaker = hosts.set.install(name, Options::default()).expect("there is room for them");
            // A first call allocates, which is not what is measured.
            call(&breaker);
            hosts.papaya.pin().insert(name.clone(), breaker.clone());
            hosts.dash.insert(name.clone(), breaker.clone());
            hosts.locked.write().insert(name.clone(), breaker);
        }
        shuffle(&mut hosts.names);
        hosts
    }

    pub(crate) fn name(&self, number: usize) -> &Name {
        &self.names[number % self.names.len()]
    }

    /// One operation of ours.
    #[inline]
    pub(crate) fn look_up_and_call(&self, name: &Name) {
        call(&self.set.get(name.as_str()).expect("it was installed"));
    }
}

/// The set and the raw maps.
pub(crate) fn contenders(hosts: &Hosts, threads: usize) -> Vec<Contender<'_>> {
    let Hosts { set, papaya, dash, locked, .. } = hosts;
    vec![
        Contender::ours("foundation", TARGET, calls(hosts, threads, |name| set.get(name.as_str()))),
        Contender::peer("papaya", calls(hosts, threads, |name| papaya.pin().get(name).cloned())),
        Contender::peer("dashmap", calls(hosts, threads, |name| dash.get(name).as_deref().cloned())),
        Contender::peer("RwLock<HashMap>", calls(hosts, threads, |name| locked.read().get(name).cloned())),
    ]
}

/// Calls through what `find` finds. Each thread goes round through all names, from a place of its own.
fn calls<'a>(hosts: &'a Hosts, threads: usize, find: impl Fn(&Name) -> Option<CircuitBreaker> + Sync + 'a) -> Work<'a> {
    let distance = hosts.names.len() / threads;
    timed(RUN, move |thread, number| call(&find(hosts.name(distance * thread + number)).expect("it was installed")))
}

fn name(number: usize) -> Name {
    Name::new(format!("host-{number:07}")).expect("letters, a hyphen and digits are a name")
}
