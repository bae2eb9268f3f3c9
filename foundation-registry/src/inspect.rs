//! What a registry shows to dashboards.

use std::collections::HashMap;
use std::ops::ControlFlow;

use foundation_types::inspect::{Bytes, Gauge, Inspect, Section, Table};
use foundation_types::{Health, Namespace};

use crate::entry::EntryKind;
use crate::error::RegistryError;
use crate::registry::Registry;

impl Inspect for Registry {
    /// Its back-end, and how many services and agents each namespace has, the largest first. O(entries); shows no metadata
    /// and no payload.
    fn inspect(&self) -> Section {
        match self.section() {
            Ok(section) => section,
            Err(RegistryError::Closed) => Section::new(TITLE, Health::Unknown).gauge(Gauge::new("state", "closed")),
            Err(RegistryError::Backend(error)) => {
                Section::new(TITLE, Health::Unhealthy).gauge(Gauge::new("back-end error", error.to_string()))
            }
        }
    }
}

const TITLE: &str = "registry";

#[derive(Default)]
struct Population {
    services: usize,
    agents: usize,
}

impl Registry {
    fn section(&self) -> Result<Section, RegistryError> {
        self.core.check_open()?;
        let (namespaces, health, info) = self.core.read_backend(|backend| {
            let mut namespaces: HashMap<Namespace, Population> = HashMap::new();
            for kind in [EntryKind::Service, EntryKind::Agent] {
                backend.for_each(None, kind, &mut |entry| {
                    let namespace = &entry.key().namespace;
                    if !namespaces.contains_key(namespace) {
                        namespaces.insert(namespace.clone(), Population::default());
                    }
                    if let Some(population) = namespaces.get_mut(namespace) {
                        match kind {
                            EntryKind::Service => population.services += 1,
                            EntryKind::Agent => population.agents += 1,
                        }
                    }
                    ControlFlow::Continue(())
                })?;
            }
            Ok::<_, RegistryError>((namespaces, backend.health()?, backend.info()))
        })?;
        let services: usize = namespaces.values().map(|population| population.services).sum();
        let agents: usize = namespaces.values().map(|population| population.agents).sum();
        let mut rows: Vec<_> = namespaces.into_iter().collect();
        rows.sort_by(|(one, a), (two, b)| (b.services + b.agents).cmp(&(a.services + a.agents)).then(one.cmp(two)));
        let count = rows.len();
        Ok(Section::new(TITLE, health.status)
            .gauge(Gauge::new("back-end", info.kind))
            .gauge(Gauge::new("partitions", info.partitions()))
            .gauge(Gauge::new("services", services))
            .gauge(Gauge::new("agents", agents))
            .gauge(Gauge::new("namespaces", count))
            .gauge(Gauge::new("index rows", self.index_rows()))
            .gauge(Gauge::new("estimated memory", Bytes(health.bytes as u64)))
            .table(Table::new(
                "namespaces",
                ["namespace", "services", "agents"],
                rows.into_iter()
                    .map(|(namespace, population)| (namespace.to_string(), population.services, population.agents)),
            )))
    }
}

#[cfg(test)]
mod tests {
    use foundation_types::inspect::Cell;
    use foundation_types::{Metadata, Owner, ServiceName};

    use super::*;

    #[test]
    fn the_section_shows_namespaces_by_size_and_the_health_of_the_backend() {
        let registry = Registry::new();
        let owner = Owner::new();
        let (small, large) = (Namespace::Production, Namespace::test());
        for (namespace, name) in [(&small, "a"), (&large, "a"), (&large, "b")] {
            let name = ServiceName::new(name).expect("valid");
            registry.register(namespace, &name, &owner.pid(), Metadata::new()).expect("free");
        }
        let section = registry.inspect();
        assert_eq!((section.title(), section.status()), ("registry", Health::Healthy));
        let gauge = |title: &str| section.gauges().iter().find(|gauge| gauge.name() == title).expect("there").value();
        assert_eq!(gauge("back-end"), &Cell::Text("sharded".into()));
        assert_eq!(
            (gauge("services"), gauge("agents"), gauge("namespaces")),
            (&Cell::Count(3), &Cell::Count(0), &Cell::Count(2))
        );
        let rows = section.tables()[0].rows();
        assert_eq!(rows.len(), 2);
        registry.shutdown();
        assert_eq!(registry.inspect().status(), Health::Unknown);
    }
}
