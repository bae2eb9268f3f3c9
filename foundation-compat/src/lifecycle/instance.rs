//! One run of a service.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foundation_types::liveness::ShutdownSignal;
use foundation_types::{
    Clock, Emitter, ExitReason, FeatureGate, MonoTime, Name, Namespace, Owner, Pid, ServiceName, Text, contain,
};

use super::config::Toggle;
use super::context::ServiceContext;
use super::error::SpawnError;
use super::lane::{self, Lane, Role, Surroundings};
use super::service::{BoxError, HealthReport, Service, Usage};
use super::sync::lock;

/// The most tasks of one service at a time.
pub const MAX_TASKS: usize = 4_096;

/// What all services of a supervisor share.
pub(super) struct Common {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) gate: FeatureGate,
    pub(super) emitter: Emitter,
    pub(super) namespace: Namespace,
}

/// The part of a run that its service may keep: it does not hold the service, so there is no cycle.
pub(super) struct Body {
    pub(super) common: Arc<Common>,
    pub(super) surroundings: Surroundings,
    pub(super) pid: Pid,
    pub(super) signal: ShutdownSignal,
    life: Mutex<Life>,
}

struct Life {
    /// `None` once the run has ended.
    owner: Option<Owner>,
    stage: Stage,
    tasks: Vec<Task>,
}

#[derive(PartialEq)]
enum Stage {
    /// The end of any task ends the service.
    Works,
    /// The service was told to stop: tasks end one by one.
    Stops,
}

struct Task {
    /// Dies when the task is over.
    over: Pid,
    #[cfg(feature = "tokio")]
    abort: Option<tokio::task::AbortHandle>,
}

impl Body {
    fn new(common: Arc<Common>, surroundings: Surroundings) -> Self {
        let owner = Owner::named(surroundings.service.name().clone());
        let (pid, signal) = (owner.pid(), owner.on_shutdown());
        let life = Mutex::new(Life { owner: Some(owner), stage: Stage::Works, tasks: Vec::new() });
        Self { common, surroundings, pid, signal, life }
    }

    /// Enters a task whose end is that of `over`.
    fn admit(&self, over: &Owner) -> Result<(), SpawnError> {
        let mut life = lock(&self.life);
        if life.stage == Stage::Stops || life.owner.is_none() || !self.pid.is_alive() {
            return Err(SpawnError::Ended);
        }
        if life.tasks.len() >= MAX_TASKS {
            life.tasks.retain(|task| task.over.is_alive());
            if life.tasks.len() >= MAX_TASKS {
                return Err(SpawnError::TooMany);
            }
        }
        life.tasks.push(Task {
            over: over.pid(),
            #[cfg(feature = "tokio")]
            abort: None,
        });
        Ok(())
    }

    pub(super) fn spawn(
        self: &Arc<Self>,
        name: Name,
        work: impl FnOnce(ShutdownSignal) -> ExitReason + Send + 'static,
    ) -> Result<(), SpawnError> {
        let label = name.clone();
        let over = Owner::named(name);
        self.admit(&over)?;
        let body = Arc::clone(self);
        let run = move || {
            let signal = body.signal.clone();
            let reason = contain(move || work(signal)).unwrap_or_else(ExitReason::Panic);
            body.task_ended(reason);
            drop(over);
        };
        lane::spawn(self.surroundings.clone(), (Role::Task, label.as_str()), run).map_err(SpawnError::NoThread)
    }

    #[cfg(feature = "tokio")]
    pub(super) fn spawn_async(
        self: &Arc<Self>,
        name: Name,
        work: impl Future<Output = ExitReason> + Send + 'static,
    ) -> Result<(), SpawnError> {
        use std::future::poll_fn;
        use std::pin::pin;
        use std::task::Poll;

        let Some(runtime) = self.surroundings.runtime.clone() else { return Err(SpawnError::NoRuntime) };
        let over = Owner::named(name);
        self.admit(&over)?;
        let pid = over.pid();
        let ended = Ended { body: Arc::clone(self), reason: ExitReason::Killed };
        // A tuple is dropped from the left: also when the task is aborted, the work goes first and the sign of its end last.
        let parts = (work, ended, over);
        let task = runtime.spawn(async move {
            let (work, mut ended, _over) = parts;
            let outcome = {
                let mut work = pin!(work);
                poll_fn(|context| match contain(|| work.as_mut().poll(context)) {
                    Ok(poll) => poll,
                    Err(message) => Poll::Ready(ExitReason::Panic(message)),
                })
                .await
            };
            ended.reason = outcome;
        });
        let abort = task.abort_handle();
        let mut life = lock(&self.life);
        match life.tasks.iter_mut().find(|task| task.over == pid) {
            Some(task) => task.abort = Some(abort),
            // The run was cut short in between.
            None => abort.abort(),
        }
        Ok(())
    }

    /// The end of a task is the end of the service, unless it stops anyway.
    fn task_ended(&self, reason: ExitReason) {
        let owner = {
            let mut life = lock(&self.life);
            if life.stage == Stage::Stops { None } else { life.owner.take() }
        };
        if let Some(owner) = owner {
            owner.exit(reason);
        }
    }

    /// From now on tasks may end, and none may begin.
    fn begin_stop(&self, reason: &ExitReason) {
        lock(&self.life).stage = Stage::Stops;
        self.pid.request_shutdown(reason.clone());
    }

    /// Ends the identity.
    fn end(&self, reason: ExitReason) {
        let owner = lock(&self.life).owner.take();
        if let Some(owner) = owner {
            owner.exit(reason);
        }
    }

    /// Waits until no task runs. Returns whether that came to pass before `deadline`.
    fn await_tasks(&self, deadline: MonoTime) -> bool {
        let tasks: Vec<Pid> = lock(&self.life).tasks.iter().map(|task| task.over.clone()).collect();
        tasks.into_iter().all(|over| over.monitor().wait_until(&*self.common.clock, deadline).is_some())
    }

    /// Ends the identity by force, and the tasks that can be ended so.
    fn abandon(&self) {
        let (owner, tasks) = {
            let mut life = lock(&self.life);
            life.stage = Stage::Stops;
            (life.owner.take(), std::mem::take(&mut life.tasks))
        };
        self.pid.kill();
        drop(owner);
        #[cfg(feature = "tokio")]
        for abort in tasks.iter().filter_map(|task| task.abort.as_ref()) {
            abort.abort();
        }
        drop(tasks);
    }

    pub(super) fn live_tasks(&self) -> usize {
        lock(&self.life).tasks.iter().filter(|task| task.over.is_alive()).count()
    }
}

/// Tells the service how an asynchronous task ended; if it was aborted, that it was killed.
#[cfg(feature = "tokio")]
struct Ended {
    body: Arc<Body>,
    reason: ExitReason,
}

#[cfg(feature = "tokio")]
impl Drop for Ended {
    fn drop(&mut self) {
        self.body.task_ended(self.reason.clone());
    }
}

/// One run of a service, as the supervisor holds it.
pub(super) struct Instance {
    pub(super) body: Arc<Body>,
    pub(super) lane: Lane,
    /// `None` before the factory has returned, and when the run is over.
    service: Arc<Mutex<Option<Arc<dyn Service>>>>,
    has_started: Arc<AtomicBool>,
    probe: Mutex<Option<Arc<Probe>>>,
}

/// What became of a run that was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Stopped,
    Abandoned,
}

impl Instance {
    pub(super) fn new(common: &Arc<Common>, surroundings: Surroundings) -> Arc<Self> {
        Arc::new(Self {
            body: Arc::new(Body::new(Arc::clone(common), surroundings.clone())),
            lane: Lane::new(surroundings),
            service: Arc::default(),
            has_started: Arc::default(),
            probe: Mutex::default(),
        })
    }

    pub(super) fn pid(&self) -> &Pid {
        &self.body.pid
    }

    /// Where the factory puts what it made. After the end of the run it is dropped instead.
    pub(super) fn place(&self) -> Arc<Mutex<Option<Arc<dyn Service>>>> {
        Arc::clone(&self.service)
    }

    pub(super) fn service(&self) -> Option<Arc<dyn Service>> {
        lock(&self.service).clone()
    }

    /// Tells the service something, after all that it was told before.
    pub(super) fn tell(&self, notice: impl FnOnce(&dyn Service) + Send + 'static) -> bool {
        let Some(service) = self.service() else { return false };
        self.lane.post(move || {
            notice(&*service);
        })
    }

    /// Calls `start`, and remembers if it succeeded: also when nobody waits for that any more.
    pub(super) fn start(&self, context: ServiceContext) -> lane::Answer<Result<(), BoxError>> {
        let (service, has_started) = (self.service(), Arc::clone(&self.has_started));
        self.lane.call(move || {
            if let Some(service) = service {
                service.start(&context)?;
            }
            has_started.store(true, Ordering::SeqCst);
            Ok(())
        })
    }

    /// Calls `stop` if `start` succeeded, and drops the value.
    fn release(&self, reason: ExitReason) -> lane::Answer<()> {
        let (place, has_started) = (self.place(), Arc::clone(&self.has_started));
        self.lane.call(move || {
            let service = lock(&place).take();
            let Some(service) = service else { return };
            if has_started.load(Ordering::SeqCst) {
                // The panic hook has reported it, and the value is to be dropped whatever `stop` did.
                let _ = contain(|| service.stop(&reason));
            }
            drop(service);
        })
    }

    /// Stops the service, its tasks, and at last its identity. Returns after `deadline` at the latest.
    pub(super) fn stop(&self, reason: &ExitReason, deadline: MonoTime) -> Stop {
        // Whoever ended by itself stops for that reason.
        let reason = self.body.pid.exit_reason().unwrap_or_else(|| reason.clone());
        self.body.begin_stop(&reason);
        let released = self.release(reason.clone());
        self.await_release(released, reason, deadline)
    }

    /// Ends a run that did not become ready: the identity at once, then the tasks. If `start` succeeds all the same, `stop` is
    /// called then.
    pub(super) fn give_up(&self, reason: ExitReason, deadline: MonoTime) -> Stop {
        self.body.begin_stop(&reason);
        self.body.end(reason.clone());
        let released = self.release(reason.clone());
        self.await_release(released, reason, deadline)
    }

    fn await_release(&self, released: lane::Answer<()>, reason: ExitReason, deadline: MonoTime) -> Stop {
        let released = released.wait(&*self.body.common.clock, deadline, None);
        // A destructor that panics has released all the same.
        let is_over = matches!(released, lane::Waited::Returned(()) | lane::Waited::Crashed(_));
        if self.body.await_tasks(deadline) && is_over {
            self.body.end(reason);
            Stop::Stopped
        } else {
            self.body.abandon();
            Stop::Abandoned
        }
    }

    /// The health check that is under way, or a new one.
    pub(super) fn probe(&self, resources: Toggle) -> Arc<Probe> {
        let mut current = lock(&self.probe);
        if let Some(probe) = current.as_ref().filter(|probe| probe.over.is_alive()) {
            return Arc::clone(probe);
        }
        let owner = Owner::new();
        let probe = Arc::new(Probe { over: owner.pid(), outcome: Mutex::new(None) });
        *current = Some(Arc::clone(&probe));
        drop(current);
        let Some(service) = self.service() else { return probe };
        let (of, clock) = (Arc::clone(&probe), Arc::clone(&self.body.common.clock));
        let run = move || {
            let began = clock.mono();
            let outcome = contain(|| {
                let report = service.check_health().map_err(|error| Text::from(error.to_string()));
                let took = clock.mono().saturating_since(began);
                let usage = if resources.is_on() { service.usage() } else { Usage::default() };
                (report, took, usage)
            });
            let outcome = match outcome {
                Ok((Ok(report), took, usage)) => Outcome::Reported { report, took, usage },
                Ok((Err(error), took, _)) => Outcome::Failed { error, took },
                Err(message) => Outcome::Crashed { message, took: clock.mono().saturating_since(began) },
            };
            *lock(&of.outcome) = Some(outcome);
            // This may be the last that holds it.
            let _ = contain(move || drop(service));
            drop(owner);
        };
        if let Err(message) = lane::spawn(self.body.surroundings.clone(), (Role::Call, "health"), run) {
            *lock(&probe.outcome) = Some(Outcome::Crashed { message, took: Duration::ZERO });
        }
        probe
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Only where no thread could be started to release it is the service still here, and nobody else has its place.
        if let Some(place) = Arc::get_mut(&mut self.service) {
            let service = lock(place).take();
            let _ = contain(move || drop(service));
        }
    }
}

/// A health check under way or over.
pub(super) struct Probe {
    /// Dies when the check is over.
    over: Pid,
    outcome: Mutex<Option<Outcome>>,
}

/// How a health check went.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Reported { report: HealthReport, took: Duration, usage: Usage },
    Failed { error: Text, took: Duration },
    Crashed { message: Text, took: Duration },
    TimedOut,
    NotRunning,
}

impl Probe {
    /// Waits for the outcome until `deadline`.
    pub(super) fn wait(&self, clock: &dyn Clock, deadline: MonoTime) -> Outcome {
        match self.over.monitor().wait_until(clock, deadline) {
            Some(_) => lock(&self.outcome).clone().unwrap_or(Outcome::NotRunning),
            None => Outcome::TimedOut,
        }
    }
}

/// Whether a name is that of the calling service.
pub(super) fn is_of(name: &ServiceName, caller: Option<&(ServiceName, Role)>) -> bool {
    caller.is_some_and(|(service, _)| service == name)
}
