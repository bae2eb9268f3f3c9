//! Services that do as they are told and write down what is done to them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foundation_compat::lifecycle::{
    BoxError, HealthReport, LifecycleError, Restart, Service, ServiceConfig, ServiceContext, ServiceSpec, Supervisor,
    SupervisorBuilder,
};
use foundation_types::{ExitReason, Health, ManualClock, Name, OwnerId, Pid, ServiceName};

use crate::plan::Plan;

/// How a start goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Start {
    #[default]
    Ready,
    Fail,
    Panic,
    PanicInFactory,
    /// It takes longer than it may, until it is given up.
    Slow,
    /// Its task ends before it is ready.
    EndEarly,
}

/// How a health check goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Report(Health),
    Unsupported,
    Error,
    Panic,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Made(ServiceName),
    Started(ServiceName, OwnerId),
    Stopped(ServiceName, ExitReason),
    Dropped(ServiceName),
    Ready(OwnerId, ServiceName),
    Lost(OwnerId, ServiceName),
    Configured(ServiceName, ServiceConfig),
}

#[derive(Default)]
struct Board {
    journal: Vec<Entry>,
    starts: BTreeMap<ServiceName, VecDeque<Start>>,
    checks: BTreeMap<ServiceName, VecDeque<Check>>,
    configs: BTreeMap<ServiceName, ServiceConfig>,
}

/// Where tests write what is to happen, and services what did.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) clock: ManualClock,
    board: Arc<Mutex<Board>>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self { clock: ManualClock::new(), board: Arc::default() }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next start of a service goes like this; later ones are ready.
    pub(crate) fn script_start(&self, name: &ServiceName, start: Start) {
        self.board().starts.entry(name.clone()).or_default().push_back(start);
    }

    /// Health checks of a service go like this, one after the other; later ones are healthy.
    pub(crate) fn script_checks(&self, name: &ServiceName, checks: impl IntoIterator<Item = Check>) {
        self.board().checks.entry(name.clone()).or_default().extend(checks);
    }

    /// Health checks of a service are healthy again.
    pub(crate) fn forget_checks(&self, name: &ServiceName) {
        self.board().checks.remove(name);
    }

    pub(crate) fn script_config(&self, name: &ServiceName, config: ServiceConfig) {
        self.board().configs.insert(name.clone(), config);
    }

    pub(crate) fn journal(&self) -> Vec<Entry> {
        self.board().journal.clone()
    }

    pub(crate) fn note(&self, entry: Entry) {
        self.board().journal.push(entry);
    }

    /// The services that became ready, in order.
    pub(crate) fn started(&self) -> Vec<ServiceName> {
        let journal = self.journal();
        journal
            .into_iter()
            .filter_map(|entry| if let Entry::Started(name, _) = entry { Some(name) } else { None })
            .collect()
    }

    /// The services that were stopped, in order.
    pub(crate) fn stopped(&self) -> Vec<ServiceName> {
        let journal = self.journal();
        journal
            .into_iter()
            .filter_map(|entry| if let Entry::Stopped(name, _) = entry { Some(name) } else { None })
            .collect()
    }

    /// A scripted service.
    pub(crate) fn spec(&self, name: &ServiceName) -> ServiceSpec {
        let (stage, of) = (self.clone(), name.clone());
        ServiceSpec::new(name.clone(), move |context: &ServiceContext| {
            let start = stage.board().starts.get_mut(&of).and_then(VecDeque::pop_front).unwrap_or_default();
            assert!(start != Start::PanicInFactory, "told to panic");
            stage.note(Entry::Made(of.clone()));
            Ok(Scripted { name: of.clone(), pid: context.pid().clone(), stage: stage.clone(), start })
        })
    }

    /// A scripted service of a plan.
    pub(crate) fn planned(&self, plan: &Plan, index: usize) -> ServiceSpec {
        let planned = &plan.0[index];
        let spec = self.spec(&planned.name).phase(planned.phase);
        plan.dependency_names(index).into_iter().fold(spec, ServiceSpec::depends_on)
    }

    /// All services of a plan.
    pub(crate) fn specs(&self, plan: &Plan) -> Vec<ServiceSpec> {
        (0..plan.len()).map(|index| self.planned(plan, index)).collect()
    }

    /// A supervisor on the clock of this stage, driven by hand.
    pub(crate) fn builder(&self) -> SupervisorBuilder {
        Supervisor::builder().clock(Arc::new(self.clock.clone())).driven_by_hand()
    }

    pub(crate) fn start(&self, plan: &Plan) -> Result<Supervisor, LifecycleError> {
        self.builder().services(self.specs(plan)).start()
    }

    pub(crate) fn advance_seconds(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// Makes a scripted service end by itself, for this reason.
pub(crate) fn end(pid: &Pid, reason: &ExitReason) {
    if *reason == ExitReason::Killed {
        pid.kill();
    } else {
        pid.request_shutdown(reason.clone());
        assert_eq!(pid.monitor().wait(), *reason);
    }
}

/// Every restart type.
pub(crate) const RESTARTS: [Restart; 3] = [Restart::Permanent, Restart::Transient, Restart::Temporary];

struct Scripted {
    name: ServiceName,
    pid: Pid,
    stage: Stage,
    start: Start,
}

impl Service for Scripted {
    fn config(&self) -> ServiceConfig {
        self.stage.board().configs.get(&self.name).cloned().unwrap_or_default()
    }

    fn start(&self, context: &ServiceContext) -> Result<(), BoxError> {
        // Whoever asks this service to stop says why it ends: that is how tests make it end by itself.
        let work = |reason: ExitReason| match reason {
            ExitReason::Panic(message) => panic!("{message}"),
            reason => reason,
        };
        match self.start {
            Start::Ready => {}
            Start::Fail => return Err("told to fail".into()),
            Start::Panic | Start::PanicInFactory => panic!("told to panic"),
            Start::Slow => {
                self.stage.advance_seconds(5);
                context.shutdown().wait();
                return Ok(());
            }
            Start::EndEarly => {
                context.spawn(Name::from_static("early"), |_| ExitReason::error("told to end"))?;
                context.pid().monitor().wait();
                return Ok(());
            }
        }
        context.spawn(Name::from_static("work"), move |stop| work(stop.wait()))?;
        self.stage.note(Entry::Started(self.name.clone(), self.pid.id()));
        Ok(())
    }

    fn check_health(&self) -> Result<HealthReport, BoxError> {
        let check = self.stage.board().checks.get_mut(&self.name).and_then(VecDeque::pop_front);
        match check.unwrap_or(Check::Report(Health::Healthy)) {
            Check::Report(health) => Ok(HealthReport::of(health)),
            Check::Unsupported => Ok(HealthReport::unsupported()),
            Check::Error => Err("told to fail".into()),
            Check::Panic => panic!("told to panic"),
        }
    }

    fn dependency_ready(&self, name: &ServiceName) {
        self.stage.note(Entry::Ready(self.pid.id(), name.clone()));
    }

    fn dependency_lost(&self, name: &ServiceName) {
        self.stage.note(Entry::Lost(self.pid.id(), name.clone()));
    }

    fn config_changed(&self, new: &ServiceConfig) -> Result<(), BoxError> {
        self.stage.note(Entry::Configured(self.name.clone(), new.clone()));
        assert!(!new.extra.contains_key("panic"), "told to panic");
        if new.extra.contains_key("refuse") { Err("told to refuse".into()) } else { Ok(()) }
    }

    fn stop(&self, reason: &ExitReason) {
        self.stage.note(Entry::Stopped(self.name.clone(), reason.clone()));
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stage.note(Entry::Dropped(self.name.clone()));
    }
}
