//! The registries that come with actor frameworks, beside ours.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::hint::black_box;

use foundation_registry::{Registry, RegistryKey};
use foundation_types::Owner;
use kameo::actor::{ActorRef, PreparedActor};
use kameo::mailbox;
use kameo::registry::ACTOR_REGISTRY;
use ractor::{ActorProcessingErr, registry};
use tokio::runtime::{self, Runtime};

use super::fleet::{key, register};
use crate::bench::measure::{Contender, timed};
use crate::bench::order::shuffle;

const RUN: usize = 256;
/// Actors of each framework at the most: a million of them would take gigabytes.
const MOST_ACTORS: usize = 100_000;

/// A population under the same names in all three registries. It only grows, as two of them are global.
pub(crate) struct Troupe {
    registry: Registry,
    owners: Vec<Owner>,
    runtime: Runtime,
    ractors: usize,
    kameos: VecDeque<PreparedActor<Idle>>,
    names: Vec<(RegistryKey, String)>,
}

struct Idle;

impl ractor::Actor for Idle {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ractor::ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

impl kameo::Actor for Idle {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(idle: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(idle)
    }
}

impl Troupe {
    pub(crate) fn new() -> Self {
        let runtime = runtime::Builder::new_current_thread().build();
        Self {
            registry: Registry::new(),
            owners: Vec::new(),
            runtime: runtime.expect("a runtime without drivers needs nothing of the system"),
            ractors: 0,
            kameos: VecDeque::new(),
            names: Vec::new(),
        }
    }

    /// Adds names until there are `size`.
    pub(crate) fn grow_to(&mut self, size: usize) {
        self.names.sort_unstable();
        for number in self.names.len()..size {
            let key = key("actor", number);
            let name = key.name.to_string();
            let owner = Owner::new();
            register(&self.registry, &key, &owner.pid());
            self.owners.push(owner);
            self.enrol_kameo(name.clone());
            self.names.push((key, name));
        }
        for number in self.ractors..size.min(MOST_ACTORS) {
            let spawned = self.runtime.block_on(ractor::Actor::spawn(Some(self.names[number].1.clone()), Idle, ()));
            spawned.expect("the name is free");
            self.ractors += 1;
        }
        shuffle(&mut self.names);
    }

    /// The actors are not started: their registry only holds references to them.
    fn enrol_kameo(&mut self, name: String) {
        if self.kameos.len() < MOST_ACTORS {
            self.kameos.push_back(PreparedActor::new(mailbox::bounded(1)));
        } else {
            self.kameos.rotate_left(1);
        }
        let actor = self.kameos.back().expect("one was added or is there since").actor_ref().clone();
        let mut registry = ACTOR_REGISTRY.lock().expect("no panic under the lock");
        assert!(registry.insert(name, actor), "the name is free");
    }
}

/// Our lookups and theirs, which clone what they find.
pub(crate) fn contenders(troupe: &Troupe, threads: usize) -> Vec<Contender<'_>> {
    let Troupe { registry: ours, names, ractors, .. } = troupe;
    let size = names.len();
    // Faster at any size; twice as fast when two threads look things up.
    let target = if threads == 1 { 1.0 } else { 0.5 };
    let name = move |thread: usize, number: usize| &names[(size / threads * thread + number) % size];
    let foundation = timed(RUN, move |thread, number| {
        let (RegistryKey { namespace, name }, _) = name(thread, number);
        assert!(black_box(ours.lookup(namespace, name)).is_ok());
    });
    let foundation_with = timed(RUN, move |thread, number| {
        let (RegistryKey { namespace, name }, _) = name(thread, number);
        assert!(black_box(ours.with(namespace, name, |entry| entry.pid().id())).is_ok());
    });
    let kameo = timed(RUN, move |thread, number| {
        let (_, name) = name(thread, number);
        let found = ActorRef::<Idle>::lookup(name.as_str());
        assert!(black_box(found).is_ok_and(|actor| actor.is_some()));
    });
    let mut contenders = vec![
        Contender::ours("foundation, pid cloned", target, foundation),
        Contender::ours("foundation, id read", target, foundation_with),
    ];
    let kameo = Contender::peer("kameo", kameo);
    if size == *ractors {
        let ractor = timed(RUN, move |thread, number| {
            let (_, name) = name(thread, number);
            assert!(black_box(registry::where_is(name)).is_some());
        });
        contenders.extend([kameo, Contender::peer("ractor", ractor)]);
    } else {
        // A name of ractor's is a running actor, of kilobytes each.
        contenders
            .push(kameo.note(format!("{size} names of {MOST_ACTORS} actors; no ractor, which needs an actor a name")));
    }
    contenders
}
