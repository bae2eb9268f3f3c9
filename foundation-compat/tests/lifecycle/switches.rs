//! Property 17: switching optional services off and on.

use std::sync::Arc;
use std::time::Duration;

use foundation_compat::lifecycle::{Intensity, LifecycleError, ServiceState};
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

#[test]
fn p17_services_go_and_come_back_all_or_none_and_do_not_count_while_they_are_off() {
    check(96, (Plan::any(16), vec(any::<bool>(), 16), acts()), |(plan, optional, acts)| {
        if plan.len() == 0 {
            return;
        }
        let stage = Stage::new();
        let observer = Arc::new(RecordingObserver::new());
        let feature = |index: usize| feature(index, &optional);
        let specs = stage.specs(&plan).into_iter().enumerate().map(|(index, spec)| match feature(index) {
            Some(feature) => spec.optional(feature),
            None => spec,
        });
        let gate = FeatureGate::all_on();
        let intensity = Intensity { max_restarts: 1_000, within: Duration::from_mins(1) };
        let builder = stage.builder().services(specs).gate(gate.clone()).intensity(intensity);
        let supervisor = builder.observer(Arc::<RecordingObserver>::clone(&observer)).start().expect("it starts");
        let mut is_off = vec![false; plan.len()];
        let mut flips = 0;
        for act in acts {
            let stopped = stage.stopped().len();
            match act {
                Act::Disable(picks) => {
                    let chosen: Vec<usize> = picks.iter().map(|pick| pick.index(plan.len())).collect();
                    let names: Vec<ServiceName> = chosen.iter().map(|&index| plan.name(index)).collect();
                    let needed = |index: usize| {
                        let mut dependents = plan.dependents(index);
                        dependents.any(|other| !is_off[other] && !chosen.contains(&other))
                    };
                    match supervisor.disable_services(&names) {
                        Ok(()) => {
                            assert!(chosen.iter().all(|&index| feature(index).is_some()));
                            assert!(!chosen.iter().any(|&index| !is_off[index] && needed(index)));
                            let mut going: Vec<usize> = plan.reference_order();
                            going.retain(|index| chosen.contains(index) && !is_off[*index]);
                            going.reverse();
                            let gone: Vec<ServiceName> = going.iter().map(|&index| plan.name(index)).collect();
                            assert_eq!(stage.stopped()[stopped..], gone, "dependents stop first");
                            flips += going.len();
                            going.into_iter().for_each(|index| is_off[index] = true);
                        }
                        Err(LifecycleError::NotOptional(name)) => {
                            assert!(chosen.iter().any(|&index| plan.name(index) == name && feature(index).is_none()));
                        }
                        Err(LifecycleError::RequiredBy { service, by }) => {
                            assert!(chosen.iter().all(|&index| feature(index).is_some()));
                            let named = |name: &ServiceName| {
                                (0..plan.len()).find(|&index| plan.name(index) == *name).expect("a service")
                            };
                            let (service, by) = (named(&service), named(&by));
                            assert!(chosen.contains(&service) && !is_off[service]);
                            assert!(!chosen.contains(&by) && !is_off[by]);
                            assert!(plan.0[by].dependencies.contains(&service));
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                Act::Enable(picks) => {
                    let chosen: Vec<usize> = picks.iter().map(|pick| pick.index(plan.len())).collect();
                    let names: Vec<ServiceName> = chosen.iter().map(|&index| plan.name(index)).collect();
                    let started = stage.started().len();
                    let lacks = |index: usize| {
                        let mut dependencies = plan.0[index].dependencies.iter();
                        dependencies.any(|dependency| is_off[*dependency] && !chosen.contains(dependency))
                    };
                    match supervisor.enable_services(&names) {
                        Ok(()) => {
                            assert!(chosen.iter().all(|&index| feature(index).is_some()));
                            assert!(!chosen.iter().any(|&index| is_off[index] && lacks(index)));
                            let mut coming: Vec<usize> = plan.reference_order();
                            coming.retain(|index| chosen.contains(index) && is_off[*index]);
                            let come: Vec<ServiceName> = coming.iter().map(|&index| plan.name(index)).collect();
                            assert_eq!(stage.started()[started..], come, "dependencies start first");
                            flips += coming.len();
                            coming.into_iter().for_each(|index| is_off[index] = false);
                        }
                        Err(LifecycleError::NotOptional(name)) => {
                            assert!(chosen.iter().any(|&index| plan.name(index) == name && feature(index).is_none()));
                        }
                        Err(LifecycleError::MissingDependencies(_)) => {
                            assert!(chosen.iter().any(|&index| is_off[index] && lacks(index)));
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                Act::End(pick) => {
                    let index = pick.index(plan.len());
                    match supervisor.pid(&plan.name(index)) {
                        Ok(pid) => {
                            end(&pid, &ExitReason::error("told to"));
                            assert_eq!(supervisor.run_due(), 1);
                        }
                        Err(LifecycleError::Disabled(_)) => assert!(is_off[index]),
                        Err(error) => panic!("{error}"),
                    }
                }
                Act::NameNobody(picks) => {
                    let mut names: Vec<ServiceName> =
                        picks.iter().map(|pick| plan.name(pick.index(plan.len()))).collect();
                    names.push(ServiceName::from_static("nobody"));
                    for answer in [supervisor.disable_services(&names), supervisor.enable_services(&names)] {
                        assert!(matches!(answer, Err(LifecycleError::UnknownService(_))), "{answer:?}");
                    }
                }
            }
            // Those that are off would be unhealthy, were they asked.
            for index in 0..plan.len() {
                stage.forget_checks(&plan.name(index));
                if is_off[index] {
                    stage.script_checks(&plan.name(index), [Check::Panic]);
                }
            }
            let health = supervisor.health_check();
            assert_eq!(health.overall_health, Health::Healthy);
            assert_eq!(health.service_health.len(), is_off.iter().filter(|&&off| !off).count());
            let status = supervisor.status();
            for index in 0..plan.len() {
                let expected = if is_off[index] { ServiceState::Disabled } else { ServiceState::Running };
                assert_eq!(status.services[&plan.name(index)].status, expected);
                if let Some(feature) = feature(index) {
                    assert_eq!(gate.is_on(feature), !is_off[index], "the flag follows the service");
                }
            }
            assert_eq!(observer.events_named("foundation.application.feature_changed").len(), flips);
            assert!(supervisor.available());
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
