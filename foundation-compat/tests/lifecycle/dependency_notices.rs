//! Property 12: what services are told of those that they depend on.

use std::collections::BTreeMap;
use std::time::Duration;

use foundation_compat::lifecycle::{Intensity, Restart};
use foundation_types::testing::check;
use foundation_types::{ExitReason, Feature, FeatureGate, OwnerId, ServiceName};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::plan::Plan;
use crate::scripted::{Entry, RESTARTS, Stage, end};

/// Something that makes services come and go.
#[derive(Clone, Debug)]
enum Act {
    End(Index),
    Restart(Index),
    Disable(Index),
    Enable(Index),
}

/// Who runs, and what each run has been told.
struct Model<'p> {
    plan: &'p Plan,
    runs: Vec<Option<OwnerId>>,
    told: BTreeMap<OwnerId, Vec<(ServiceName, bool)>>,
}

impl Model<'_> {
    fn tell(&mut self, run: OwnerId, of: usize, is_up: bool) {
        self.told.entry(run).or_default().push((self.plan.name(of), is_up));
    }

    fn up(&mut self, index: usize, run: OwnerId) {
        self.runs[index] = Some(run);
        for &dependency in &self.plan.0[index].dependencies {
            self.tell(run, dependency, self.runs[dependency].is_some());
        }
        self.told.entry(run).or_default();
        self.tell_dependents(index, true);
    }

    fn down(&mut self, index: usize) {
        if self.runs[index].take().is_some() {
            self.tell_dependents(index, false);
        }
    }

    fn tell_dependents(&mut self, index: usize, is_up: bool) {
        for dependent in self.plan.dependents(index) {
            if let Some(run) = self.runs[dependent] {
                self.tell(run, index, is_up);
            }
        }
    }
}

#[test]
fn p12_each_run_is_told_the_state_of_its_dependencies_and_then_every_change_once_and_in_order() {
    let act = prop_oneof![
        3 => any::<Index>().prop_map(Act::End),
        2 => any::<Index>().prop_map(Act::Restart),
        1 => any::<Index>().prop_map(Act::Disable),
        2 => any::<Index>().prop_map(Act::Enable),
    ];
    let restarts = vec(select(RESTARTS.to_vec()), 16);
    check(64, (Plan::any(16), restarts, vec(act, 0..24)), |(plan, restarts, acts)| {
        if plan.len() == 0 {
            return;
        }
        let stage = Stage::new();
        let specs = stage.specs(&plan).into_iter().zip(&restarts);
        let specs = specs.map(|(spec, &restart)| spec.restart(restart).optional(Feature::ResourceManager));
        let intensity = Intensity { max_restarts: 1_000, within: Duration::from_mins(1) };
        let builder = stage.builder().services(specs).gate(FeatureGate::all_on()).intensity(intensity);
        let supervisor = builder.start().expect("it starts");
        let run_of = |index: usize| supervisor.pid(&plan.name(index)).ok().map(|pid| pid.id());
        let mut model = Model { plan: &plan, runs: vec![None; plan.len()], told: BTreeMap::new() };
        for index in plan.reference_order() {
            model.up(index, run_of(index).expect("it runs"));
        }
        for act in acts {
            match act {
                Act::End(pick) => {
                    let index = pick.index(plan.len());
                    let Ok(pid) = supervisor.pid(&plan.name(index)) else { continue };
                    end(&pid, &ExitReason::error("told to"));
                    supervisor.run_due();
                    model.down(index);
                    if restarts[index] != Restart::Temporary {
                        model.up(index, run_of(index).expect("it is back"));
                    }
                }
                Act::Restart(pick) => {
                    let index = pick.index(plan.len());
                    if let Ok(pid) = supervisor.restart_service(&plan.name(index)) {
                        model.down(index);
                        model.up(index, pid.id());
                    }
                }
                Act::Disable(pick) => {
                    let index = pick.index(plan.len());
                    if supervisor.disable_services(&[plan.name(index)]).is_ok() {
                        model.down(index);
                    }
                }
                Act::Enable(pick) => {
                    let index = pick.index(plan.len());
                    let ran = model.runs[index].is_some();
                    if supervisor.enable_services(&[plan.name(index)]).is_ok()
                        && let Some(run) = run_of(index)
                        && !ran
                    {
                        model.up(index, run);
                    }
                }
            }
        }
        // Notices are told in order but not waited for; a service that has stopped has been told all of them.
        supervisor.shutdown(Duration::MAX);
        let mut told: BTreeMap<OwnerId, Vec<(ServiceName, bool)>> = BTreeMap::new();
        for entry in stage.journal() {
            match entry {
                Entry::Started(_, run) => drop(told.entry(run).or_default()),
                Entry::Ready(run, name) => told.entry(run).or_default().push((name, true)),
                Entry::Lost(run, name) => told.entry(run).or_default().push((name, false)),
                _ => {}
            }
        }
        assert_eq!(told, model.told);
        for notices in told.values() {
            let mut last: BTreeMap<&ServiceName, bool> = BTreeMap::new();
            for (name, is_up) in notices {
                assert_ne!(last.insert(name, *is_up), Some(*is_up), "{name} did not change");
            }
        }
    });
}
