//! Looking a name up.

use std::hint::black_box;

use foundation_registry::RegistryKey;
use foundation_types::Pid;

use super::fleet::Fleet;
use super::maps::RawMap;
use crate::bench::measure::{Contender, Work, timed};

/// At most so many times the fastest raw map's time, the entry's liveness check included.
const TARGET: f64 = 1.15;
const RUN: usize = 512;

/// What is done with what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// It is looked at, but not followed.
    Sight,
    /// The owner's identity is read, behind the pid's pointer.
    Id,
    /// The pid is cloned and dropped.
    Clone,
}

impl Take {
    pub(crate) const ALL: [Self; 3] = [Self::Sight, Self::Id, Self::Clone];

    pub(crate) fn group(self) -> &'static str {
        match self {
            Self::Sight => "lookup, entry seen",
            Self::Id => "lookup, id read",
            Self::Clone => "lookup, pid cloned",
        }
    }
}

/// The registry and the raw maps.
pub(crate) fn contenders(fleet: &Fleet, threads: usize, take: Take) -> Vec<Contender<'_>> {
    let keys = Keys { keys: &fleet.keys, threads };
    vec![
        Contender::ours("foundation", TARGET, ours(fleet, keys, take)),
        peer(&fleet.papaya, keys, take),
        peer(&fleet.scc_map, keys, take),
        peer(&fleet.scc_index, keys, take),
        peer(&fleet.dash, keys, take),
        peer(&fleet.locked, keys, take),
    ]
}

/// Which key a thread looks up next: each goes round through all of them, from a place of its own.
#[derive(Clone, Copy)]
struct Keys<'a> {
    keys: &'a [RegistryKey],
    threads: usize,
}

impl<'a> Keys<'a> {
    fn key(self, thread: usize, number: usize) -> &'a RegistryKey {
        let start = self.keys.len() / self.threads * thread;
        &self.keys[(start + number) % self.keys.len()]
    }
}

fn ours<'a>(fleet: &'a Fleet, keys: Keys<'a>, take: Take) -> Work<'a> {
    let registry = &fleet.registry;
    match take {
        Take::Sight => timed(RUN, move |thread, number| {
            let RegistryKey { namespace, name } = keys.key(thread, number);
            let found = registry.with(namespace, name, |entry| see(entry.pid()));
            assert!(found.is_ok());
        }),
        Take::Id => timed(RUN, move |thread, number| {
            let RegistryKey { namespace, name } = keys.key(thread, number);
            let found = registry.with(namespace, name, |entry| entry.pid().id());
            assert!(black_box(found).is_ok());
        }),
        Take::Clone => timed(RUN, move |thread, number| {
            let RegistryKey { namespace, name } = keys.key(thread, number);
            assert!(black_box(registry.lookup(namespace, name)).is_ok());
        }),
    }
}

fn peer<'a, M: RawMap>(map: &'a M, keys: Keys<'a>, take: Take) -> Contender<'a> {
    let work = match take {
        Take::Sight => timed(RUN, move |thread, number| assert!(map.get(keys.key(thread, number), see).is_some())),
        Take::Id => timed(RUN, move |thread, number| {
            assert!(black_box(map.get(keys.key(thread, number), Pid::id)).is_some());
        }),
        Take::Clone => timed(RUN, move |thread, number| {
            assert!(black_box(map.get(keys.key(thread, number), Pid::clone)).is_some());
        }),
    };
    Contender::peer(M::NAME, work)
}

fn see(pid: &Pid) {
    black_box(pid);
}
