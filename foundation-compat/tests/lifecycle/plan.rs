//! Random graphs of services.

use foundation_compat::lifecycle::Phase;
use foundation_types::ServiceName;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// One service of a graph: its dependencies are earlier ones, by index.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) name: ServiceName,
    pub(crate) phase: Phase,
    pub(crate) dependencies: Vec<usize>,
}

/// A graph that can be started. The order of the list is one in which it could be, but not the one by name.
#[derive(Clone, Debug)]
pub(crate) struct Plan(pub(crate) Vec<Planned>);

impl Plan {
    /// Graphs of up to `most` services.
    pub(crate) fn any(most: usize) -> impl Strategy<Value = Self> {
        vec((0..Phase::ALL.len(), vec(any::<Index>(), 0..4), any::<u16>()), 0..=most).prop_map(Self::from_draws)
    }

    fn from_draws(mut draws: Vec<(usize, Vec<Index>, u16)>) -> Self {
        draws.sort_by_key(|(phase, ..)| *phase);
        let mut by_label: Vec<usize> = (0..draws.len()).collect();
        by_label.sort_by_key(|&index| draws[index].2);
        let planned = draws.iter().enumerate().map(|(index, (phase, picks, _))| {
            let rank = by_label.iter().position(|&other| other == index).expect("every index is in the list");
            let mut dependencies: Vec<usize> = Vec::new();
            for pick in picks.iter().filter(|_| index > 0) {
                let dependency = pick.index(index);
                if !dependencies.contains(&dependency) {
                    dependencies.push(dependency);
                }
            }
            Planned { name: name(rank), phase: Phase::ALL[*phase], dependencies }
        });
        Self(planned.collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn name(&self, index: usize) -> ServiceName {
        self.0[index].name.clone()
    }

    pub(crate) fn dependency_names(&self, index: usize) -> Vec<ServiceName> {
        self.0[index].dependencies.iter().map(|&dependency| self.name(dependency)).collect()
    }

    /// Those that declare to depend on a service.
    pub(crate) fn dependents(&self, index: usize) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(move |&other| self.0[other].dependencies.contains(&index))
    }

    /// The order in which the contract has them start, found the slow way.
    pub(crate) fn reference_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = Vec::new();
        while order.len() < self.len() {
            let waiting = || (0..self.len()).filter(|index| !order.contains(index));
            let phase = waiting().map(|index| self.0[index].phase).min().expect("some wait");
            let next = waiting()
                .filter(|&index| self.0[index].phase == phase)
                .filter(|&index| self.0[index].dependencies.iter().all(|dependency| order.contains(dependency)))
                .min_by_key(|&index| self.name(index))
                .expect("the graph has no cycle");
            order.push(next);
        }
        order
    }
}

fn name(rank: usize) -> ServiceName {
    ServiceName::new(format!("s{rank:02}")).expect("a valid name")
}
