//! The background work of services.

use std::sync::Arc;
use std::time::Duration;

use foundation_compat::lifecycle::{
    BoxError, Directory, LifecycleError, Restart, Service, ServiceContext, ServiceSpec, ServiceState, SpawnError,
    Supervisor,
};
use foundation_types::liveness::ShutdownSignal;
use foundation_types::{ExitReason, ManualClock, Name, Pid, ServiceName};

/// A service with two tasks, the first of which ends at once and the second when told to.
struct Pair;

impl Service for Pair {
    fn start(&self, context: &ServiceContext) -> Result<(), BoxError> {
        context.spawn(Name::from_static("stays"), ShutdownSignal::wait)?;
        let ready = context.clone();
        context.spawn(Name::from_static("goes"), move |stop| match stop.wait() {
            ExitReason::Error(_) => {
                assert!(ready.pid().is_alive());
                ExitReason::error("one of two")
            }
            reason => reason,
        })?;
        Ok(())
    }
}

fn by_hand() -> foundation_compat::lifecycle::SupervisorBuilder {
    Supervisor::builder().clock(Arc::new(ManualClock::new())).driven_by_hand()
}

#[test]
fn the_end_of_one_task_is_the_end_of_the_service_and_of_the_others() {
    let name = ServiceName::from_static("pair");
    let spec = ServiceSpec::new(name.clone(), |_| Ok(Pair)).restart(Restart::Temporary);
    let supervisor = by_hand().service(spec).start().expect("it starts");
    assert_eq!(supervisor.service_metrics(&name).expect("known").tasks, 2);
    let pid = supervisor.pid(&name).expect("it runs");
    pid.request_shutdown(ExitReason::error("told to"));
    assert!(matches!(pid.monitor().wait(), ExitReason::Error(_)));
    assert_eq!(supervisor.status().services[&name].status, ServiceState::Failed, "a death is seen at once");
    assert_eq!(supervisor.run_due(), 1);
    assert_eq!(supervisor.service_metrics(&name).expect("known").tasks, 0, "the other task has ended as well");
}

#[test]
fn no_task_begins_after_the_service_was_told_to_stop() {
    struct Late(ServiceContext);
    impl Service for Late {
        fn stop(&self, _: &ExitReason) {
            let answer = self.0.spawn(Name::from_static("late"), |_| ExitReason::Normal);
            assert_eq!(answer, Err(SpawnError::Ended));
            self.0.emitter().emit(&foundation_types::event_name!("test.refused"), Default::default);
        }
    }
    let observer = Arc::new(foundation_types::testing::RecordingObserver::new());
    let spec = ServiceSpec::new("late", |context: &ServiceContext| Ok(Late(context.clone())));
    let builder =
        by_hand().service(spec).observer(Arc::<foundation_types::testing::RecordingObserver>::clone(&observer));
    assert!(builder.start().expect("it starts").shutdown(Duration::MAX).is_clean());
    assert_eq!(observer.events_named("test.refused").len(), 1);
}

#[test]
fn a_name_that_is_taken_keeps_a_service_from_starting() {
    struct Taken(Pid);
    impl Directory for Taken {
        fn register(&self, name: &ServiceName, _: &Pid) -> Result<(), Pid> {
            if name.name() == &Name::from_static("free") { Ok(()) } else { Err(self.0.clone()) }
        }
    }
    struct Quiet;
    impl Service for Quiet {}
    let holder = foundation_types::Owner::new();
    let specs = ["free", "taken"].map(|name| ServiceSpec::new(name, |_| Ok(Quiet)));
    let error = by_hand().services(specs).directory(Arc::new(Taken(holder.pid()))).start().expect_err("it is taken");
    match error {
        LifecycleError::RegistrationFailed { service, existing } => {
            assert_eq!((service, existing), (ServiceName::from_static("taken"), holder.pid()));
        }
        error => panic!("{error}"),
    }
}

#[test]
fn services_come_and_go_while_the_application_runs() {
    struct Quiet;
    impl Service for Quiet {}
    let spec = |name: &'static str| ServiceSpec::new(name, |_| Ok(Quiet));
    let [base, guest] = ["base", "guest"].map(ServiceName::from_static);
    let supervisor = by_hand().service(spec("base")).start().expect("it starts");
    let pid = supervisor.add_service(spec("guest").depends_on("base")).expect("its dependency runs");
    assert!(pid.is_alive());
    assert!(matches!(supervisor.add_service(spec("guest")), Err(LifecycleError::DuplicateService(_))));
    assert!(matches!(
        supervisor.add_service(spec("lost").depends_on("nobody")),
        Err(LifecycleError::UnknownDependency { .. })
    ));
    assert!(matches!(supervisor.remove_service(&base), Err(LifecycleError::RequiredBy { .. })));
    assert!(supervisor.remove_service(&guest).expect("nobody needs it").is_some());
    assert_eq!(pid.exit_reason(), Some(ExitReason::Shutdown));
    assert_eq!(supervisor.services(), [base]);
    assert!(matches!(supervisor.pid(&guest), Err(LifecycleError::UnknownService(_))));
}

#[cfg(feature = "tokio")]
#[test]
fn asynchronous_tasks_are_supervised_and_aborted_when_abandoned() {
    use std::future::pending;
    use std::sync::mpsc::{Sender, channel};

    struct Sleeper(Sender<&'static str>);
    struct Tells(Sender<&'static str>);
    impl Drop for Tells {
        fn drop(&mut self) {
            let _ = self.0.send("dropped");
        }
    }
    impl Service for Sleeper {
        fn start(&self, context: &ServiceContext) -> Result<(), BoxError> {
            let tells = Tells(self.0.clone());
            context.spawn_async(Name::from_static("sleeps"), async move {
                let _tells = tells;
                pending().await
            })?;
            Ok(())
        }
    }
    struct Ends;
    impl Service for Ends {
        fn start(&self, context: &ServiceContext) -> Result<(), BoxError> {
            let signal = context.shutdown();
            context.spawn_async(Name::from_static("ends"), async move {
                let reason = signal.await;
                assert!(reason.is_orderly(), "told to panic");
                reason
            })?;
            Ok(())
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    let _entered = runtime.enter();
    let (sender, receiver) = channel();
    let sender = std::sync::Mutex::new(sender);
    let [ends, sleeps] = ["ends", "sleeps"].map(ServiceName::from_static);
    let specs = [
        ServiceSpec::new(ends.clone(), |_| Ok(Ends)),
        ServiceSpec::new(sleeps.clone(), move |_| Ok(Sleeper(sender.lock().expect("not poisoned").clone()))),
    ];
    let supervisor = by_hand().services(specs).start().expect("it starts");
    let pid = supervisor.pid(&ends).expect("it runs");
    pid.request_shutdown(ExitReason::error("told to"));
    assert_eq!(pid.monitor().wait(), ExitReason::Panic("told to panic".into()));
    assert_eq!(supervisor.run_due(), 1);
    assert!(supervisor.pid(&ends).is_ok_and(|new| new != pid));
    let report = supervisor.shutdown(Duration::ZERO);
    assert!(report.abandoned().any(|name| *name == sleeps));
    assert_eq!(receiver.recv(), Ok("dropped"), "the task was aborted");
}
