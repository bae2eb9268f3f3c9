//! Properties 1 to 4: who starts and stops when.

use foundation_compat::lifecycle::{Intensity, LifecycleError, Phase, Restart};
use foundation_types::testing::check;
use foundation_types::{ExitReason, ServiceName};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::time::Duration;

use crate::plan::Plan;
use crate::scripted::{Entry, Stage, Start, end};

fn names(plan: &Plan, order: &[usize]) -> Vec<ServiceName> {
    order.iter().map(|&index| plan.name(index)).collect()
}

fn reversed(mut names: Vec<ServiceName>) -> Vec<ServiceName> {
    names.reverse();
    names
}

#[test]
fn p01_services_start_after_what_they_need_in_one_order_whatever_the_order_of_additions() {
    check(48, (Plan::any(40), vec(any::<u32>(), 40)), |(plan, keys)| {
        let stage = Stage::new();
        let mut added: Vec<usize> = (0..plan.len()).collect();
        added.sort_by_key(|&index| keys[index]);
        let specs = added.iter().map(|&index| stage.planned(&plan, index));
        let supervisor = stage.builder().services(specs).start().expect("a sound graph starts");

        let started = stage.started();
        assert_eq!(started, names(&plan, &plan.reference_order()));
        assert_eq!(supervisor.services(), started);
        let place = |index: usize| started.iter().position(|name| *name == plan.name(index)).expect("it has started");
        for index in 0..plan.len() {
            for &dependency in &plan.0[index].dependencies {
                assert!(place(dependency) < place(index));
            }
            for other in 0..plan.len() {
                assert!(plan.0[other].phase >= plan.0[index].phase || place(other) < place(index));
            }
        }
        assert!(supervisor.available());
    });
}

/// What is wrong with a graph.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Unknown,
    Cycle,
    LaterPhase,
    Duplicate,
}

#[test]
fn p02_a_bad_graph_is_refused_by_name_and_nothing_has_been_started() {
    let faults = select(vec![Fault::Unknown, Fault::Cycle, Fault::LaterPhase, Fault::Duplicate]);
    check(96, (Plan::any(40), faults, any::<Index>()), |(plan, fault, pick)| {
        if plan.len() == 0 {
            return;
        }
        let stage = Stage::new();
        let at = pick.index(plan.len());
        let mut specs = stage.specs(&plan);
        match fault {
            Fault::Unknown => specs[at] = specs[at].clone().depends_on("nobody"),
            Fault::Cycle => {
                // The chain of first dependencies ends at a service that depends on nothing; tie it to its beginning.
                let root = std::iter::successors(Some(at), |&index| plan.0[index].dependencies.first().copied())
                    .last()
                    .expect("the chain has its beginning");
                let phase = plan.0[at].phase;
                for spec in &mut specs {
                    *spec = spec.clone().phase(phase);
                }
                specs[root] = specs[root].clone().depends_on(plan.name(at));
            }
            Fault::LaterPhase => {
                specs.push(stage.spec(&ServiceName::from_static("late")).phase(Phase::Mabeam));
                specs[at] = specs[at].clone().phase(Phase::Infrastructure).depends_on("late");
            }
            Fault::Duplicate => specs.push(stage.planned(&plan, at)),
        }
        let error = stage.builder().services(specs).start().expect_err("the graph is bad");
        let culprit = plan.name(at);
        match (fault, error) {
            (Fault::Unknown, LifecycleError::UnknownDependency { service, dependency }) => {
                assert_eq!((service, dependency), (culprit, ServiceName::from_static("nobody")));
            }
            (Fault::Cycle, LifecycleError::DependencyCycle(cycle)) => {
                assert!(!cycle.is_empty());
                for (index, name) in cycle.iter().enumerate() {
                    let next = &cycle[(index + 1) % cycle.len()];
                    let of = (0..plan.len()).find(|&of| plan.name(of) == *name).expect("it is one of the services");
                    let added = plan.0[of].dependencies.is_empty() && *next == culprit;
                    assert!(added || plan.dependency_names(of).contains(next), "{name} does not need {next}");
                }
            }
            // Moving a service to the first phase may put what it needs already into a later one.
            (Fault::LaterPhase, LifecycleError::PhaseOrder { service, .. })
            | (Fault::Duplicate, LifecycleError::DuplicateService(service)) => assert_eq!(service, culprit),
            (fault, error) => panic!("{fault:?} gave {error}"),
        }
        assert_eq!(stage.journal(), []);
    });
}

#[test]
fn p03_if_a_start_fails_those_before_it_are_stopped_in_reverse_and_a_new_start_works() {
    let starts = vec![Start::Fail, Start::Panic, Start::PanicInFactory, Start::Slow, Start::EndEarly];
    check(64, (Plan::any(40), select(starts), any::<Index>()), |(plan, start, pick)| {
        if plan.len() == 0 {
            return;
        }
        let stage = Stage::new();
        let order = plan.reference_order();
        let failing = pick.index(plan.len());
        let culprit = plan.name(order[failing]);
        stage.script_start(&culprit, start);
        let error = stage.start(&plan).expect_err("one service does not start");
        match error {
            LifecycleError::StartTimeout { service, after } if start == Start::Slow => {
                assert_eq!((&service, after), (&culprit, Duration::from_secs(5)));
            }
            LifecycleError::StartFailed { service, .. } if start != Start::Slow => assert_eq!(service, culprit),
            error => panic!("{start:?} gave {error}"),
        }
        let before = names(&plan, &order[..failing]);
        assert_eq!(stage.started(), before);
        let mut expected = reversed(before.clone());
        if matches!(start, Start::Slow | Start::EndEarly) {
            // Its `start` succeeded, if not in time or not for long, so that it has something to release.
            expected.insert(0, culprit);
        }
        assert_eq!(stage.stopped(), expected);

        let supervisor = stage.start(&plan).expect("the second start works");
        assert_eq!(stage.started()[before.len()..], names(&plan, &order));
        drop(supervisor);
        // Every value that was made is gone, also that of the service that did not start, which may take its time.
        let made = stage.journal().iter().filter(|entry| matches!(entry, Entry::Made(_))).count();
        while stage.journal().iter().filter(|entry| matches!(entry, Entry::Dropped(_))).count() < made {
            std::thread::yield_now();
        }
    });
}

/// What ends an application.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Shutdown,
    Drop,
    Intensity,
}

#[test]
fn p04_services_stop_once_each_in_the_reverse_order_of_their_start_whatever_ends_them() {
    let endings = select(vec![Ending::Shutdown, Ending::Drop, Ending::Intensity]);
    check(64, (Plan::any(40), endings, any::<Index>()), |(plan, ending, pick)| {
        let stage = Stage::new();
        let intensity = Intensity { max_restarts: 0, within: Duration::from_secs(5) };
        let specs = stage.specs(&plan).into_iter().map(|spec| spec.restart(Restart::Permanent));
        let supervisor = stage.builder().services(specs).intensity(intensity).start().expect("it starts");
        let mut expected = reversed(stage.started());
        let report = match ending {
            Ending::Intensity if plan.len() > 0 => {
                let victim = plan.name(pick.index(plan.len()));
                end(&supervisor.pid(&victim).expect("it runs"), &ExitReason::Killed);
                assert_eq!(supervisor.run_due(), 1);
                // The one that ended is stopped first: it has.
                expected.retain(|name| *name != victim);
                let report = supervisor.shutdown(Duration::MAX);
                assert_eq!(stage.stopped().first(), Some(&victim));
                assert_eq!(stage.stopped()[1..], expected);
                assert!(matches!(report.reason, ExitReason::Error(_)));
                report
            }
            Ending::Drop => {
                drop(supervisor);
                assert_eq!(stage.stopped(), expected);
                return;
            }
            Ending::Shutdown | Ending::Intensity => {
                let report = supervisor.shutdown(Duration::MAX);
                assert_eq!(stage.stopped(), expected);
                assert_eq!(report.reason, ExitReason::Shutdown);
                report
            }
        };
        let reported: Vec<ServiceName> = report.services.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(reported, expected);
        assert!(report.is_clean());
        let stopped = stage.stopped();
        drop(supervisor);
        assert_eq!(stage.stopped(), stopped, "dropping the handle stops nothing twice");
        assert_eq!(stopped.len(), plan.len());
    });
}
