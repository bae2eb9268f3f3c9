//! Traces of legacy calls: sequences of numbers, each of which is a call, and what the calls answer as text.

#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod layers;

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use foundation_compat::foundation_types::testing::{RecordedEvent, RecordingObserver};
use foundation_compat::foundation_types::{ManualClock, Name, OwnerId, Scope};
use foundation_compat::process_registry::{ProcessRegistry, ServiceEntry};
use foundation_compat::service_registry::{HealthCheckOptions, ServiceRegistry};
use foundation_compat::{Foundation, FoundationBuilder, Metadata, Namespace, Owner, Pid, ServiceName, Value};

/// How many kinds of calls there are.
const CALLS: u32 = 28;
const OWNERS: u32 = 4;

/// An instance and the owners whose calls a trace makes.
pub(crate) struct Session {
    pub(crate) foundation: Foundation,
    observer: Arc<RecordingObserver>,
    clock: ManualClock,
    process: ProcessRegistry,
    services: ServiceRegistry,
    namespaces: [Namespace; 3],
    owners: Vec<Owner>,
    /// What owners are called, in the order in which they came.
    labels: HashMap<OwnerId, usize>,
}

/// A number from which parts are taken.
struct Code(u32);

impl Code {
    fn take(&mut self, count: u32) -> u32 {
        let part = self.0 % count;
        self.0 /= count;
        part
    }
}

impl Session {
    pub(crate) fn new(options: impl FnOnce(FoundationBuilder) -> FoundationBuilder) -> Self {
        let observer = Arc::new(RecordingObserver::new());
        let clock = ManualClock::new();
        let builder = Foundation::builder().clock(Arc::new(clock.clone())).observer(observer.clone());
        let foundation = options(builder).build().expect("the options are in range");
        let mut session = Self {
            process: ProcessRegistry::from(&foundation),
            services: ServiceRegistry::from(&foundation),
            foundation,
            observer,
            clock,
            namespaces: [Namespace::Production, Namespace::test(), Namespace::custom("staging").expect("valid")],
            owners: Vec::new(),
            labels: HashMap::new(),
        };
        for _ in 0..OWNERS {
            let owner = session.new_owner();
            session.owners.push(owner);
        }
        session
    }

    fn new_owner(&mut self) -> Owner {
        let owner = Owner::new();
        self.labels.insert(owner.pid().id(), self.labels.len());
        owner
    }

    pub(crate) fn namespaces(&self) -> &[Namespace; 3] {
        &self.namespaces
    }

    /// Makes the calls and gives their answers.
    pub(crate) fn run(&mut self, codes: &[u32]) -> Vec<String> {
        codes.iter().map(|code| self.step(*code)).collect()
    }

    /// The events of the service registry so far, as text.
    pub(crate) fn service_events(&self) -> Vec<String> {
        let is_legacy = |event: &RecordedEvent| event.name.as_str().starts_with("foundation.foundation.registry");
        self.observer.events().iter().filter(|event| is_legacy(event)).map(|event| self.event(event)).collect()
    }

    /// How many events there were.
    pub(crate) fn event_count(&self) -> usize {
        self.observer.events().len()
    }

    /// Makes one call and gives its answer.
    pub(crate) fn step(&mut self, code: u32) -> String {
        let mut code = Code(code);
        let call = code.take(CALLS);
        let namespace = self.namespaces[code.take(3) as usize].clone();
        let name = name(code.take(5));
        let owner = code.take(OWNERS) as usize;
        let metadata = metadata(code.take(6));
        let pid = self.owners[owner].pid();
        let (process, services) = (&self.process, &self.services);
        let (label, answer) = match call {
            0 | 1 => ("register", show(&process.register(&namespace, &name, &pid, metadata))),
            2 => ("register_3", show(&process.register_3(&namespace, &name, &pid))),
            3 | 4 => {
                let result = process.register_with_indexing(&namespace, &name, &pid, metadata);
                ("register_with_indexing", show(&result))
            }
            5 => ("lookup", show(&process.lookup(&namespace, &name))),
            6 => ("unregister", show(&process.unregister(&namespace, &name))),
            7 => ("registered", show(&process.registered(&namespace, &name))),
            8 => ("get_metadata", show(&process.get_metadata(&namespace, &name))),
            9 => ("lookup_with_metadata", show(&process.lookup_with_metadata(&namespace, &name))),
            10 | 11 => ("update_metadata", show(&process.update_metadata(&namespace, &name, metadata))),
            12 => ("list_services", show(&process.list_services(&namespace).map(sorted))),
            13 => ("get_all_services", show(&process.get_all_services(&namespace))),
            14 => ("list_services_with_metadata", show(&process.list_services_with_metadata(&namespace))),
            15 => ("count_services", show(&process.count_services(&namespace))),
            16 => {
                let found = process.find_services_by_metadata(&namespace, |meta| meta.contains_key("type"));
                ("find_services_by_metadata", show(&found.map(by_name)))
            }
            17 | 18 => {
                let field = if owner.is_multiple_of(2) { "type" } else { "capabilities" };
                let value = Value::from(if owner / 2 == 0 { "worker" } else { "scan" });
                let found = process.find_by_indexed_metadata(&namespace, field, &value);
                ("find_by_indexed_metadata", show(&found.map(by_name)))
            }
            19 => {
                let items =
                    [0, 1].map(|more| (namespace.clone(), name_after(&name, more), pid.clone(), metadata.clone()));
                ("bulk_register", show(&process.bulk_register(items)))
            }
            20 if owner == 0 => ("cleanup_optimizations", show(&process.cleanup_optimizations())),
            20 => {
                let done = process.initialize_optimizations();
                ("initialize_optimizations", show(&(done, process.get_optimization_stats())))
            }
            21 => {
                let claimed = process.via_tuple(&namespace, &name).claim(&self.owners[owner]);
                ("via claim", show(&claimed.map(drop)))
            }
            22 => {
                let heir = self.new_owner();
                drop(std::mem::replace(&mut self.owners[owner], heir));
                ("death", String::new())
            }
            23 => {
                let counts = process.stats().map(|stats| {
                    let custom = stats.custom_namespace_services;
                    let counts = (stats.total_services, stats.production_services, custom, stats.test_namespaces);
                    (counts, stats.ets_table_info.table_size)
                });
                ("stats", show(&counts))
            }
            24 => ("service register", show(&services.register(&namespace, &name, &pid))),
            25 => {
                let looked_up = services.lookup(&namespace, &name).map_err(|error| (error.code(), error.to_string()));
                ("service lookup", show(&(looked_up, services.wait_for_service(&namespace, &name, Duration::ZERO))))
            }
            26 => {
                let options = HealthCheckOptions::new().check(move |pid| pid.is_alive() && owner > 0);
                let checked = services.health_check(&namespace, &name, options);
                ("health_check", show(&checked.map_err(|error| error.to_string())))
            }
            _ => {
                self.clock.advance(Duration::from_millis(5));
                let info = self.services.get_service_info(&namespace);
                ("get_service_info", show(&info.map(|info| (info.services, info.healthy_services))))
            }
        };
        self.plain(&format!("{label} {namespace} {name}: {answer}"))
    }

    /// The text with the names of this session's owners and namespaces replaced by what they are called in every session.
    fn plain(&self, text: &str) -> String {
        let text = text.replace(&self.namespaces[1].to_string(), "test");
        let mut labels: Vec<_> = self.labels.iter().map(|(id, label)| (id.to_string(), *label)).collect();
        // The longest first, as the text of one may begin that of another.
        labels.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
        labels.into_iter().fold(text, |text, (id, label)| text.replace(&id, &format!("#{label}")))
    }

    fn event(&self, event: &RecordedEvent) -> String {
        self.plain(&format!("{} {:?} {}", event.name, event.measurements, event.metadata))
    }
}

fn show(answer: &impl Debug) -> String {
    format!("{answer:?}")
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

fn by_name(mut found: Vec<ServiceEntry>) -> Vec<(ServiceName, Pid, Arc<Metadata>)> {
    found.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    found
}

fn name(number: u32) -> ServiceName {
    match number {
        0 => ServiceName::from_static("config_server"),
        1 => ServiceName::from_static("event_store"),
        2 => ServiceName::from_static("cache"),
        // A service in the scope of agents, made through the core.
        3 => ServiceName::scoped(Scope::Agent, Name::from_static("service")),
        _ => ServiceName::scoped(Scope::Mabeam, Name::from_static("market")),
    }
}

fn name_after(first: &ServiceName, more: u32) -> ServiceName {
    let number = (0..5).find(|number| name(*number) == *first).expect("one of the five");
    name((number + more) % 5)
}

fn metadata(number: u32) -> Metadata {
    match number {
        0 => Metadata::new(),
        1 => Metadata::new().with("type", "worker"),
        2 => Metadata::new().with("type", "worker").with("capabilities", vec!["scan", "read", "scan"]),
        3 => Metadata::new().with("capabilities", vec!["scan"]).with("priority", 3),
        4 => Metadata::new().with("type", Value::Null).with("load", 1),
        _ => Metadata::new().with("type", "scan").with("tier", "hot"),
    }
}

/// `count` numbers that look random and are the same each time: the generator SplitMix64.
/// See <https://prng.di.unimi.it/splitmix64.c>.
pub(crate) fn fixed_trace(seed: u64, count: usize) -> Vec<u32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) >> 32).expect("half of 64 bits")
    };
    (0..count).map(|_| next()).collect()
}
