//! Properties 5 and 7: who is started again, and when somebody asks.

use std::collections::BTreeSet;

use foundation_compat::lifecycle::{Intensity, LifecycleError, Restart, ServiceState, Strategy as Restarting};
use foundation_types::testing::check;
use foundation_types::{ExitReason, Feature, FeatureGate, OwnerId, Pid, ServiceName, Text};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::time::Duration;

use crate::plan::Plan;
use crate::scripted::{RESTARTS, Stage, end};

const PATIENT: Intensity = Intensity { max_restarts: 1_000, within: Duration::from_mins(1) };

fn reasons() -> impl Strategy<Value = ExitReason> {
    select(vec![
        ExitReason::Normal,
        ExitReason::Shutdown,
        ExitReason::Killed,
        ExitReason::Panic(Text::from_static("told to")),
        ExitReason::error("told to"),
        ExitReason::LeaseExpired,
        ExitReason::NodeDown,
    ])
}

/// What the contract says, for one exit.
fn comes_back(restart: Restart, reason: &ExitReason) -> bool {
    match restart {
        Restart::Permanent => true,
        Restart::Transient => *reason != ExitReason::Normal && *reason != ExitReason::Shutdown,
        Restart::Temporary => false,
    }
}

#[test]
fn p05_services_come_back_by_restart_type_and_strategy_with_fresh_identities_and_others_keep_theirs() {
    let strategies = select(vec![Restarting::OneForOne, Restarting::OneForAll, Restarting::RestForOne]);
    let restarts = vec(select(RESTARTS.to_vec()), 16);
    let exits = vec((any::<Index>(), reasons()), 1..12);
    check(64, (Plan::any(16), strategies, restarts, exits), |(plan, strategy, restarts, exits)| {
        if plan.len() == 0 {
            return;
        }
        let stage = Stage::new();
        let specs = stage.specs(&plan).into_iter().zip(&restarts).map(|(spec, &restart)| spec.restart(restart));
        let builder = stage.builder().services(specs).strategy(strategy).intensity(PATIENT);
        let supervisor = builder.start().expect("it starts");
        let order = plan.reference_order();
        let pid = |index: usize| supervisor.pid(&plan.name(index)).ok();
        let mut current: Vec<Option<Pid>> = (0..plan.len()).map(pid).collect();
        let mut seen: BTreeSet<OwnerId> = current.iter().flatten().map(Pid::id).collect();
        assert_eq!(seen.len(), plan.len());

        for (pick, reason) in exits {
            let victim = pick.index(plan.len());
            let Some(before) = current[victim].clone() else { continue };
            end(&before, &reason);
            assert_eq!(supervisor.run_due(), 1);
            let place = |index: usize| order.iter().position(|&other| other == index);
            for index in 0..plan.len() {
                let affected = comes_back(restarts[victim], &reason)
                    && match strategy {
                        Restarting::OneForOne => index == victim,
                        Restarting::OneForAll => true,
                        Restarting::RestForOne => place(index) >= place(victim),
                    };
                let now = pid(index);
                let runs = match (affected, index == victim) {
                    (true, _) => restarts[index] != Restart::Temporary,
                    (false, true) => false,
                    (false, false) => current[index].is_some(),
                };
                assert_eq!(now.is_some(), runs, "{} after {reason} of {}", plan.name(index), plan.name(victim));
                if affected {
                    if let Some(now) = &now {
                        assert!(seen.insert(now.id()), "an identity was used again");
                    }
                } else if index != victim {
                    assert_eq!(now, current[index], "an unrelated service has another identity");
                }
                current[index] = now;
            }
            assert_eq!(before.exit_reason(), Some(reason));
        }
    });
}

/// Something done to a service.
#[derive(Clone, Debug)]
enum Act {
    End(Index),
    Disable(Index),
    Restart(Index),
    RestartNobody,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        1 => any::<Index>().prop_map(Act::End),
        1 => any::<Index>().prop_map(Act::Disable),
        4 => any::<Index>().prop_map(Act::Restart),
        1 => Just(Act::RestartNobody),
    ];
    vec(act, 1..24)
}

#[test]
fn p07_a_restart_on_request_needs_the_dependencies_and_replaces_what_runs() {
    check(64, (Plan::any(12), acts()), |(plan, acts)| {
        if plan.len() == 0 {
            return;
        }
        let stage = Stage::new();
        let specs = stage.specs(&plan).into_iter();
        let specs = specs.map(|spec| spec.restart(Restart::Temporary).optional(Feature::ResourceManager));
        // No restart may be counted: the first that is ends the application.
        let none = Intensity { max_restarts: 0, within: Duration::from_mins(1) };
        let builder = stage.builder().services(specs).gate(FeatureGate::all_on()).intensity(none);
        let supervisor = builder.start().expect("it starts");
        let mut model = vec![ServiceState::Running; plan.len()];
        for act in acts {
            match act {
                Act::End(pick) => {
                    let index = pick.index(plan.len());
                    if let Ok(pid) = supervisor.pid(&plan.name(index)) {
                        end(&pid, &ExitReason::Normal);
                        supervisor.run_due();
                        model[index] = ServiceState::Stopped;
                    }
                }
                Act::Disable(pick) => {
                    let index = pick.index(plan.len());
                    if supervisor.disable_services(&[plan.name(index)]).is_ok() {
                        model[index] = ServiceState::Disabled;
                    }
                }
                Act::Restart(pick) => {
                    let index = pick.index(plan.len());
                    let name = plan.name(index);
                    let before = supervisor.pid(&name).ok();
                    let missing: Vec<ServiceName> = plan.0[index]
                        .dependencies
                        .iter()
                        .filter(|&&dependency| model[dependency] != ServiceState::Running)
                        .map(|&dependency| plan.name(dependency))
                        .collect();
                    match supervisor.restart_service(&name) {
                        Err(LifecycleError::Disabled(of)) => {
                            assert_eq!((of, model[index]), (name, ServiceState::Disabled));
                        }
                        Err(LifecycleError::MissingDependencies(of)) => {
                            assert!(!missing.is_empty());
                            assert_eq!(of, missing);
                            assert_eq!(supervisor.pid(&name).ok(), before, "it is as it was");
                        }
                        Ok(pid) => {
                            assert!(model[index] != ServiceState::Disabled && missing.is_empty());
                            assert!(pid.is_alive() && Some(&pid) != before.as_ref());
                            assert_eq!(
                                before.and_then(|pid| pid.exit_reason()),
                                match model[index] {
                                    ServiceState::Running => Some(ExitReason::Shutdown),
                                    _ => None,
                                }
                            );
                            model[index] = ServiceState::Running;
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                Act::RestartNobody => {
                    let nobody = ServiceName::from_static("nobody");
                    let error = supervisor.restart_service(&nobody).expect_err("there is no such service");
                    assert!(matches!(error, LifecycleError::UnknownService(name) if name == nobody));
                }
            }
            let seen = supervisor.status();
            for (index, &expected) in model.iter().enumerate() {
                assert_eq!(seen.services[&plan.name(index)].status, expected);
            }
        }
    });
}

#[test]
fn a_service_that_cannot_be_restarted_is_tried_again_until_that_is_once_too_often() {
    use crate::scripted::Start;

    let stage = Stage::new();
    let name = ServiceName::from_static("frail");
    let intensity = Intensity { max_restarts: 3, within: Duration::from_mins(1) };
    let supervisor = stage.builder().service(stage.spec(&name)).intensity(intensity).start().expect("it starts");
    stage.script_start(&name, Start::Fail);
    stage.script_start(&name, Start::Fail);
    end(&supervisor.pid(&name).expect("it runs"), &ExitReason::Killed);
    supervisor.run_due();
    assert!(supervisor.pid(&name).is_ok(), "the third attempt is within the limit");
    stage.script_start(&name, Start::Fail);
    end(&supervisor.pid(&name).expect("it runs"), &ExitReason::Killed);
    supervisor.run_due();
    assert!(matches!(supervisor.wait(), ExitReason::Error(_)));
    assert!(
        matches!(supervisor.restart_service(&name), Err(LifecycleError::IntensityExceeded { service }) if service == name)
    );
}

#[test]
fn a_failed_restart_on_request_leaves_the_service_failed_and_counts_nothing() {
    use crate::scripted::Start;

    let stage = Stage::new();
    let name = ServiceName::from_static("frail");
    let none = Intensity { max_restarts: 0, within: Duration::from_mins(1) };
    let supervisor = stage.builder().service(stage.spec(&name)).intensity(none).start().expect("it starts");
    stage.script_start(&name, Start::Panic);
    let error = supervisor.restart_service(&name).expect_err("it panics");
    assert_eq!(error.to_string(), "service frail failed to start: panicked: told to panic");
    assert_eq!(supervisor.run_due(), 0);
    assert_eq!(supervisor.status().services[&name].status, ServiceState::Failed);
    assert!(!supervisor.available());
    supervisor.restart_service(&name).expect("the next start works");
    assert!(supervisor.available());
}
