//! Property 14: the end.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use foundation_compat::lifecycle::{
    ABANDONED_EVENT, ApplicationState, LifecycleError, Service, ServiceConfigPatch, ServiceContext, ServiceSpec,
    ServiceState, ShutdownReport, StopOutcome, Supervisor,
};
use foundation_types::testing::{RecordingObserver, check};
use foundation_types::{ExitReason, Name, ServiceName};
use proptest::prelude::*;

use crate::plan::Plan;
use crate::scripted::{Stage, end};

/// Calls everything there is; none may panic, whatever the answer.
fn call_everything(supervisor: &Supervisor, stage: &Stage, name: &ServiceName) {
    let names = [name.clone()];
    let _ = supervisor.status();
    let _ = supervisor.available();
    let _ = supervisor.services();
    let _ = supervisor.pid(name);
    let _ = supervisor.service_config(name);
    let _ = supervisor.health_check();
    let _ = supervisor.restart_service(name);
    let _ = supervisor.add_service(stage.spec(&ServiceName::from_static("extra")));
    let _ = supervisor.remove_service(&ServiceName::from_static("extra"));
    let _ = supervisor.disable_services(&names);
    let _ = supervisor.enable_services(&names);
    let _ = supervisor.update_service_config(name, &ServiceConfigPatch::new());
    let _ = supervisor.service_metrics(name);
    let _ = supervisor.monitor();
    let _ = supervisor.run_due();
}

#[test]
fn p14_shutdowns_agree_nothing_panics_and_a_new_start_works() {
    check(48, (Plan::any(12), 1..4_usize, any::<bool>()), |(plan, threads, with_driver)| {
        let stage = Stage::new();
        let builder = Supervisor::builder().clock(Arc::new(stage.clock.clone())).services(stage.specs(&plan));
        let builder = if with_driver { builder } else { builder.driven_by_hand() };
        let supervisor = builder.start().expect("it starts");
        let some = if plan.len() > 0 { plan.name(0) } else { ServiceName::from_static("nobody") };
        call_everything(&supervisor, &stage, &some);
        let together = Barrier::new(2 * threads);
        let reports: Vec<ShutdownReport> = thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    together.wait();
                    call_everything(&supervisor, &stage, &some);
                });
            }
            let callers: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        together.wait();
                        let report = supervisor.shutdown(Duration::MAX);
                        assert!(!supervisor.available());
                        report
                    })
                })
                .collect();
            callers.into_iter().map(|caller| caller.join().expect("no call panics")).collect()
        });
        for report in &reports {
            assert_eq!(report, &reports[0]);
            assert!(report.is_clean());
        }
        assert_eq!(supervisor.shutdown(Duration::ZERO), reports[0], "later ones return the same");
        assert_eq!(supervisor.wait(), ExitReason::Shutdown);
        assert_eq!(supervisor.status().state, ApplicationState::Stopped);
        assert_eq!(stage.stopped().len(), stage.started().len(), "each start has its stop");
        call_everything(&supervisor, &stage, &some);
        assert!(matches!(supervisor.restart_service(&some), Err(LifecycleError::Stopped)));

        let again = stage.start(&plan).expect("a new start works");
        assert!(again.available());
        assert_eq!(again.services().len(), plan.len());
    });
}

/// A service that does not stop before its identity is killed.
struct Clings(ServiceContext, Stage);

impl Service for Clings {
    fn stop(&self, _: &ExitReason) {
        // The time that it has to stop passes, and it still does not.
        self.1.advance_seconds(10);
        assert_eq!(self.0.pid().monitor().wait(), ExitReason::Killed);
    }
}

#[test]
fn p14_a_service_that_does_not_stop_in_time_is_abandoned_and_the_others_stop() {
    let stage = Stage::new();
    let observer = Arc::new(RecordingObserver::new());
    let [first, clings, last] = ["first", "m_clings", "zlast"].map(ServiceName::from_static);
    let of = stage.clone();
    let clinging =
        ServiceSpec::new(clings.clone(), move |context: &ServiceContext| Ok(Clings(context.clone(), of.clone())));
    let builder = stage.builder().services([stage.spec(&first), clinging, stage.spec(&last)]);
    let supervisor = builder.observer(Arc::<RecordingObserver>::clone(&observer)).start().expect("it starts");
    let pid = supervisor.pid(&clings).expect("it runs");
    let report = supervisor.shutdown(Duration::MAX);
    let stopped = StopOutcome::Stopped { took: Duration::ZERO };
    assert_eq!(report.services, [(last, stopped), (clings.clone(), StopOutcome::Abandoned), (first, stopped)]);
    assert_eq!(report.took, Duration::from_secs(10));
    assert_eq!(pid.exit_reason(), Some(ExitReason::Killed), "it can register nothing any more");
    assert_eq!(supervisor.status().services[&clings].status, ServiceState::Failed);
    assert_eq!(observer.events_named(ABANDONED_EVENT.as_str()).len(), 1);
}

#[test]
fn p14_a_shutdown_takes_no_longer_than_it_may() {
    let stage = Stage::new();
    let name = ServiceName::from_static("clings");
    let of = stage.clone();
    let spec = ServiceSpec::new(name.clone(), move |context: &ServiceContext| Ok(Clings(context.clone(), of.clone())));
    let supervisor = stage.builder().service(spec).start().expect("it starts");
    let report = supervisor.shutdown(Duration::ZERO);
    assert_eq!(report.services, [(name, StopOutcome::Abandoned)]);
}

#[test]
fn p14_a_shutdown_does_not_wait_for_a_service_that_is_starting() {
    struct Endless(ServiceContext, Arc<Barrier>);
    impl Service for Endless {
        fn start(&self, _: &ServiceContext) -> Result<(), foundation_compat::lifecycle::BoxError> {
            self.1.wait();
            self.0.shutdown().wait();
            Ok(())
        }
    }
    let stage = Stage::new();
    let supervisor = stage.builder().start().expect("there is nothing to start");
    let starting = Arc::new(Barrier::new(2));
    let of = Arc::clone(&starting);
    let name = ServiceName::from_static("endless");
    let spec = ServiceSpec::new(name, move |context: &ServiceContext| Ok(Endless(context.clone(), Arc::clone(&of))));
    thread::scope(|scope| {
        let adding = scope.spawn(|| supervisor.add_service(spec));
        starting.wait();
        // The clock stands still: without the shutdown the start would take for ever.
        let report = supervisor.shutdown(Duration::MAX);
        assert_eq!(report.services, []);
        let answer = adding.join().expect("no panic");
        assert!(matches!(answer, Err(LifecycleError::Stopped)), "{answer:?}");
    });
}

#[test]
fn p14_an_end_by_itself_is_told_to_those_who_wait() {
    let name = ServiceName::from_static("frail");
    let stage = Stage::new();
    let intensity = foundation_compat::lifecycle::Intensity { max_restarts: 0, within: Duration::from_secs(1) };
    let supervisor = Supervisor::builder().service(stage.spec(&name)).intensity(intensity).start().expect("it starts");
    end(&supervisor.pid(&name).expect("it runs"), &ExitReason::error("told to"));
    // The thread of the supervisor finds it out.
    let reason = supervisor.wait();
    assert_eq!(reason.to_string(), "error: restart intensity exceeded by service frail: error: told to");
    assert_eq!(supervisor.status().state, ApplicationState::Failed(reason));
}

#[test]
fn a_service_cannot_ask_for_what_would_wait_for_it() {
    use std::sync::{Mutex, OnceLock};

    struct Asks(Arc<OnceLock<Supervisor>>, Arc<Mutex<Vec<String>>>);
    impl Service for Asks {
        fn start(&self, context: &ServiceContext) -> Result<(), foundation_compat::lifecycle::BoxError> {
            let (supervisor, answers) = (Arc::clone(&self.0), Arc::clone(&self.1));
            let name = context.name().clone();
            context.spawn(Name::from_static("asks"), move |stop| {
                let reason = stop.wait();
                if let Some(supervisor) = supervisor.get()
                    && let Err(error) = supervisor.restart_service(&name)
                {
                    answers.lock().expect("not poisoned").push(error.to_string());
                }
                reason
            })?;
            Ok(())
        }
        fn stop(&self, _: &ExitReason) {
            if let Some(supervisor) = self.0.get()
                && let Err(error) = supervisor.disable_services(&[])
            {
                self.1.lock().expect("not poisoned").push(error.to_string());
            }
        }
    }
    let handle: Arc<OnceLock<Supervisor>> = Arc::default();
    let answers: Arc<Mutex<Vec<String>>> = Arc::default();
    let parts = (Arc::clone(&handle), Arc::clone(&answers));
    let spec = ServiceSpec::new("asks", move |_| Ok(Asks(Arc::clone(&parts.0), Arc::clone(&parts.1))));
    let stage = Stage::new();
    let supervisor = stage.builder().service(spec).start().expect("it starts");
    handle.set(supervisor).expect("it is set once");
    let supervisor = handle.get().expect("it is set");
    assert!(supervisor.shutdown(Duration::MAX).is_clean());
    let answers = answers.lock().expect("not poisoned").clone();
    assert_eq!(answers, ["service asks called an operation that would wait for it"; 2]);
}
