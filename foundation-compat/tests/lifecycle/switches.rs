//! Property 17: switching optional services off and on.

use std::sync::Arc;
use std::time::Duration;

use foundation_compat::lifecycle::{Intensity, LifecycleError, ServiceState, Supervisor};
use foundation_types::testing::{RecordingObserver, check};
use foundation_types::{ExitReason, Feature, FeatureGate, Health, ServiceName};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::plan::Plan;
use crate::scripted::{Check, Stage, end};

/// Something done to services.
#[derive(Clone, Debug)]
enum Act {
    Disable(Vec<Index>),
    Enable(Vec<Index>),
    End(Index),
    NameNobody(Vec<Index>),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let some = || vec(any::<Index>(), 1..5);
    let act = prop_oneof![
        3 => some().prop_map(Act::Disable),
        3 => some().prop_map(Act::Enable),
        1 => any::<Index>().prop_map(Act::End),
        1 => some().prop_map(Act::NameNobody),
    ];
    vec(act, 1..20)
}

/// The feature of a service, if it is optional: each has its own.
fn feature(index: usize, optional: &[bool]) -> Option<Feature> {
    if !optional[index] {
        return None;
    }
    let before = optional[..index].iter().filter(|&&is| is).count();
    Feature::ALL.get(before).copied()
}

/// A running application, and who of it is off.
struct Model<'p> {
    plan: &'p Plan,
    optional: &'p [bool],
    stage: Stage,
    supervisor: Supervisor,
    is_off: Vec<bool>,
    flips: usize,
}

impl Model<'_> {
    fn feature(&self, index: usize) -> Option<Feature> {
        feature(index, self.optional)
    }

    fn chosen(&self, picks: &[Index]) -> (Vec<usize>, Vec<ServiceName>) {
        let chosen: Vec<usize> = picks.iter().map(|pick| pick.index(self.plan.len())).collect();
        let names = chosen.iter().map(|&index| self.plan.name(index)).collect();
        (chosen, names)
    }

    fn index_of(&self, name: &ServiceName) -> usize {
        (0..self.plan.len()).find(|&index| self.plan.name(index) == *name).expect("it is one of the services")
    }

    /// Those of the chosen ones that are off or on, in start order.
    fn ordered(&self, chosen: &[usize], off: bool) -> Vec<usize> {
        let mut order = self.plan.reference_order();
        order.retain(|index| chosen.contains(index) && self.is_off[*index] == off);
        order
    }

    fn names(&self, indexes: &[usize]) -> Vec<ServiceName> {
        indexes.iter().map(|&index| self.plan.name(index)).collect()
    }

    fn all_optional(&self, chosen: &[usize]) -> bool {
        chosen.iter().all(|&index| self.feature(index).is_some())
    }

    fn disable(&mut self, picks: &[Index]) {
        let (chosen, names) = self.chosen(picks);
        let stopped = self.stage.stopped().len();
        let needed = |index: usize| {
            let mut dependents = self.plan.dependents(index);
            dependents.any(|other| !self.is_off[other] && !chosen.contains(&other))
        };
        match self.supervisor.disable_services(&names) {
            Ok(()) => {
                assert!(self.all_optional(&chosen));
                assert!(!chosen.iter().any(|&index| !self.is_off[index] && needed(index)));
                let mut going = self.ordered(&chosen, false);
                going.reverse();
                assert_eq!(self.stage.stopped()[stopped..], self.names(&going), "dependents stop first");
                self.flips += going.len();
                for index in going {
                    self.is_off[index] = true;
                }
            }
            Err(LifecycleError::NotOptional(name)) => {
                let index = self.index_of(&name);
                assert!(chosen.contains(&index) && self.feature(index).is_none());
            }
            Err(LifecycleError::RequiredBy { service, by }) => {
                assert!(self.all_optional(&chosen));
                let (service, by) = (self.index_of(&service), self.index_of(&by));
                assert!(chosen.contains(&service) && !self.is_off[service]);
                assert!(!chosen.contains(&by) && !self.is_off[by]);
                assert!(self.plan.0[by].dependencies.contains(&service));
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn enable(&mut self, picks: &[Index]) {
        let (chosen, names) = self.chosen(picks);
        let started = self.stage.started().len();
        let lacks = |index: usize| {
            let mut dependencies = self.plan.0[index].dependencies.iter();
            dependencies.any(|dependency| self.is_off[*dependency] && !chosen.contains(dependency))
        };
        match self.supervisor.enable_services(&names) {
            Ok(()) => {
                assert!(self.all_optional(&chosen));
                assert!(!chosen.iter().any(|&index| self.is_off[index] && lacks(index)));
                let coming = self.ordered(&chosen, true);
                assert_eq!(self.stage.started()[started..], self.names(&coming), "dependencies start first");
                self.flips += coming.len();
                for index in coming {
                    self.is_off[index] = false;
                }
            }
            Err(LifecycleError::NotOptional(name)) => {
                let index = self.index_of(&name);
                assert!(chosen.contains(&index) && self.feature(index).is_none());
            }
            Err(LifecycleError::MissingDependencies(_)) => {
                assert!(chosen.iter().any(|&index| self.is_off[index] && lacks(index)));
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn end(&self, pick: Index) {
        let index = pick.index(self.plan.len());
        match self.supervisor.pid(&self.plan.name(index)) {
            Ok(pid) => {
                end(&pid, &ExitReason::error("told to"));
                assert_eq!(self.supervisor.run_due(), 1);
            }
            Err(LifecycleError::Disabled(_)) => assert!(self.is_off[index]),
            Err(error) => panic!("{error}"),
        }
    }

    fn name_nobody(&self, picks: &[Index]) {
        let (_, mut names) = self.chosen(picks);
        names.push(ServiceName::from_static("nobody"));
        for answer in [self.supervisor.disable_services(&names), self.supervisor.enable_services(&names)] {
            assert!(matches!(answer, Err(LifecycleError::UnknownService(_))), "{answer:?}");
        }
    }

    fn verify(&self, gate: &FeatureGate) {
        // Those that are off would be unhealthy, were they asked.
        for (index, &is_off) in self.is_off.iter().enumerate() {
            let name = self.plan.name(index);
            self.stage.forget_checks(&name);
            if is_off {
                self.stage.script_checks(&name, [Check::Panic]);
            }
        }
        let health = self.supervisor.health_check();
        assert_eq!(health.overall_health, Health::Healthy);
        assert_eq!(health.service_health.len(), self.is_off.iter().filter(|&&off| !off).count());
        let status = self.supervisor.status();
        for (index, &is_off) in self.is_off.iter().enumerate() {
            let expected = if is_off { ServiceState::Disabled } else { ServiceState::Running };
            assert_eq!(status.services[&self.plan.name(index)].status, expected);
            if let Some(feature) = self.feature(index) {
                assert_eq!(gate.is_on(feature), !is_off, "the flag follows the service");
            }
        }
        assert!(self.supervisor.available());
    }
}

#[test]
fn p17_services_go_and_come_back_all_or_none_and_do_not_count_while_they_are_off() {
    check(96, (Plan::any(16), vec(any::<bool>(), 16), acts()), |(plan, optional, acts)| {
        if plan.len() == 0 {
            return;
        }
        let stage = Stage::new();
        let observer = Arc::new(RecordingObserver::new());
        let specs = stage.specs(&plan).into_iter().enumerate().map(|(index, spec)| match feature(index, &optional) {
            Some(feature) => spec.optional(feature),
            None => spec,
        });
        let gate = FeatureGate::all_on();
        let intensity = Intensity { max_restarts: 1_000, within: Duration::from_mins(1) };
        let builder = stage.builder().services(specs).gate(gate.clone()).intensity(intensity);
        let supervisor = builder.observer(Arc::<RecordingObserver>::clone(&observer)).start().expect("it starts");
        let is_off = vec![false; plan.len()];
        let mut model = Model { plan: &plan, optional: &optional, stage, supervisor, is_off, flips: 0 };
        for act in acts {
            match act {
                Act::Disable(picks) => model.disable(&picks),
                Act::Enable(picks) => model.enable(&picks),
                Act::End(pick) => model.end(pick),
                Act::NameNobody(picks) => model.name_nobody(&picks),
            }
            model.verify(&gate);
            let told = observer.events_named("foundation.application.feature_changed");
            assert_eq!(told.len(), model.flips);
        }
    });
}

#[test]
fn a_service_that_does_not_start_leaves_all_that_were_to_be_switched_on_off() {
    use crate::scripted::Start;

    let stage = Stage::new();
    let gate = FeatureGate::all_off();
    let names = ["a", "b", "c"].map(ServiceName::from_static);
    let features = [Feature::Events, Feature::Telemetry, Feature::Coordination];
    let specs = names.iter().zip(features).map(|(name, feature)| stage.spec(name).optional(feature));
    let supervisor = stage.builder().services(specs).gate(gate.clone()).start().expect("nothing is to be started");
    assert_eq!(stage.started(), []);
    stage.script_start(&names[2], Start::Fail);
    let error = supervisor.enable_services(&names).expect_err("one does not start");
    assert!(matches!(error, LifecycleError::StartFailed { service, .. } if service == names[2]));
    assert_eq!(stage.stopped(), [names[1].clone(), names[0].clone()]);
    for (name, feature) in names.iter().zip(features) {
        assert_eq!(supervisor.status().services[name].status, ServiceState::Disabled);
        assert!(!gate.flag(feature));
    }
    supervisor.enable_services(&names).expect("now it starts");
    assert!(features.into_iter().all(|feature| gate.flag(feature)));
}

#[test]
fn what_is_off_at_first_is_not_started_unless_a_core_service_needs_it() {
    let stage = Stage::new();
    let [needed, off, follower, core] = ["needed", "off", "follower", "core"].map(ServiceName::from_static);
    let specs = [
        stage.spec(&needed).optional(Feature::Events),
        stage.spec(&off).optional(Feature::Telemetry),
        stage.spec(&follower).depends_on(off.clone()).optional(Feature::Coordination),
        stage.spec(&core).depends_on(needed.clone()),
    ];
    let gate = FeatureGate::all_on();
    gate.disable(Feature::Events);
    gate.disable(Feature::Telemetry);
    let supervisor = stage.builder().services(specs).gate(gate).start().expect("it starts");
    assert_eq!(stage.started(), [needed, core]);
    assert_eq!(supervisor.status().services[&follower].status, ServiceState::Disabled);
}
