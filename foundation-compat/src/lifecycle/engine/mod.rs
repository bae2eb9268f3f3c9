//! The state of a supervisor, and who may change it.
//!
//! Whatever starts or stops services holds the *turn*: there is one operation at a time, as with Erlang's supervisors. The
//! turn is no lock that service code could meet: services run on threads of their own, each call with a deadline, and a
//! service that asks for an operation while one waits for it is refused. The lock of the state is held for moments only, and
//! never while code of a service runs.

mod change;
mod exits;
mod health;
mod monitor;
mod slot;
mod start;
mod stop;
mod switch;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::future::{Future, poll_fn};
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;

use foundation_types::liveness::ShutdownSignal;
use foundation_types::{Clock, ExitReason, Monitor, MonoTime, Owner, OwnerId, Pid, ServiceName};

use super::bell::Bell;
use super::config::Toggle;
use super::context::Directory;
use super::error::LifecycleError;
use super::instance::{Common, is_of};
use super::lane::{self, Role, Surroundings};
use super::policy::{RestartWindow, Strategy};
use super::report::ShutdownReport;
use super::sync::lock;
pub(super) use monitor::{Driving, MonitorThread};
pub(super) use slot::Slot;

/// What does not change in the life of a supervisor.
pub(super) struct Options {
    pub(super) strategy: Strategy,
    pub(super) start_timeout: Duration,
    pub(super) health: HealthOptions,
    pub(super) health_warnings: Toggle,
    pub(super) directory: Option<Arc<dyn Directory>>,
    /// The longest that any service has to stop, whatever its configuration says.
    pub(super) longest_stop: Duration,
}

/// How health is watched.
#[derive(Clone, Copy, Debug)]
pub(super) struct HealthOptions {
    pub(super) timeout: Duration,
    pub(super) interval: Duration,
    pub(super) dependency_interval: Duration,
    pub(super) degraded_after: NonZeroU32,
    pub(super) unhealthy_after: NonZeroU32,
}

impl Default for HealthOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            interval: Duration::from_secs(30),
            dependency_interval: Duration::from_mins(1),
            degraded_after: NonZeroU32::MIN,
            unhealthy_after: NonZeroU32::MIN.saturating_add(2),
        }
    }
}

/// The engine of a supervisor.
pub(super) struct Engine {
    pub(super) common: Arc<Common>,
    pub(super) options: Options,
    number: u64,
    #[cfg(feature = "tokio")]
    runtime: Option<tokio::runtime::Handle>,
    /// The life of the application.
    owner: Mutex<Option<Owner>>,
    pid: Pid,
    /// Raised when the application is to end.
    closing: ShutdownSignal,
    state: Mutex<State>,
    /// Notified when the turn becomes free.
    changed: Condvar,
    /// Rings when an exit comes in.
    bell: Bell,
}

struct State {
    stage: Stage,
    /// Whether somebody has the turn.
    is_busy: bool,
    /// The services in the order of their first start.
    slots: BTreeMap<u64, Slot>,
    places: HashMap<ServiceName, u64>,
    /// The places of the services that declare to depend on a name.
    dependents: HashMap<ServiceName, BTreeSet<u64>>,
    next_place: u64,
    exits: VecDeque<Exit>,
    window: RestartWindow,
    /// By when the application has to have ended, once it is to.
    latest: MonoTime,
    monitor: Weak<MonitorThread>,
}

/// How far the application has come.
enum Stage {
    Running,
    Stopping,
    Ended { report: ShutdownReport, failure: Option<ServiceName> },
}

/// A death that nobody has looked at yet.
struct Exit {
    place: u64,
    id: OwnerId,
    reason: ExitReason,
    at: MonoTime,
}

/// The right to start and stop services.
pub(super) struct Turn<'e>(&'e Engine);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state().is_busy = false;
        self.0.changed.notify_all();
    }
}

impl Engine {
    pub(super) fn new(common: Common, options: Options, window: RestartWindow) -> Arc<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let owner = Owner::new();
        let (pid, closing) = (owner.pid(), owner.on_shutdown());
        Arc::new(Self {
            common: Arc::new(common),
            options,
            // Relaxed: only the number itself must be unique.
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            #[cfg(feature = "tokio")]
            runtime: tokio::runtime::Handle::try_current().ok(),
            owner: Mutex::new(Some(owner)),
            pid,
            closing,
            state: Mutex::new(State {
                stage: Stage::Running,
                is_busy: false,
                slots: BTreeMap::new(),
                places: HashMap::new(),
                dependents: HashMap::new(),
                next_place: 0,
                exits: VecDeque::new(),
                window,
                latest: MonoTime::NEVER,
                monitor: Weak::new(),
            }),
            changed: Condvar::new(),
            bell: Bell::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn clock(&self) -> &dyn Clock {
        &*self.common.clock
    }

    /// Ends when the application does.
    pub(super) fn exited(&self) -> Monitor {
        self.pid.monitor()
    }

    fn surroundings(&self, service: &ServiceName) -> Surroundings {
        Surroundings {
            supervisor: self.number,
            service: service.clone(),
            #[cfg(feature = "tokio")]
            runtime: self.runtime.clone(),
        }
    }

    /// Waits for the turn.
    pub(super) fn turn(&self) -> Turn<'_> {
        let mut state = self.state();
        while state.is_busy {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_busy = true;
        Turn(self)
    }

    /// The turn for an operation that starts or stops `services`, once all exits so far have been dealt with.
    fn operation(self: &Arc<Self>, services: &[ServiceName]) -> Result<Turn<'_>, LifecycleError> {
        let caller = lane::caller(self.number);
        if let Some((service, role)) = &caller
            && (*role == Role::Call || services.iter().any(|name| is_of(name, caller.as_ref())))
        {
            return Err(LifecycleError::WouldWaitForItself(service.clone()));
        }
        if self.closing.requested().is_some() {
            return Err(self.ended());
        }
        let turn = self.turn();
        self.settle(&turn);
        if matches!(self.state().stage, Stage::Running) { Ok(turn) } else { Err(self.ended()) }
    }

    /// Why nothing can be done any more.
    fn ended(&self) -> LifecycleError {
        match &self.state().stage {
            Stage::Ended { failure: Some(service), .. } => {
                LifecycleError::IntensityExceeded { service: service.clone() }
            }
            _ => LifecycleError::Stopped,
        }
    }

    /// Deals with exits as they come in, until the application ends; and ends it if somebody asks, or kills, its identity.
    pub(super) fn drive(self: &Arc<Self>) {
        loop {
            let mut closing = pin!(self.closing.clone());
            let mut heard = pin!(self.bell.heard());
            let reason = pollster::block_on(poll_fn(|context| match closing.as_mut().poll(context) {
                Poll::Ready(reason) => Poll::Ready(Some(reason)),
                Poll::Pending => heard.as_mut().poll(context).map(|()| None),
            }));
            if let Some(reason) = reason {
                self.shut_down(Duration::MAX, reason);
                return;
            }
            let turn = self.turn();
            self.settle(&turn);
        }
    }

    /// Does what is due of all that a thread would do. Returns how many exits were dealt with and checks made.
    pub(super) fn run_due(self: &Arc<Self>) -> usize {
        if let Some(reason) = self.closing.requested() {
            self.shut_down(Duration::MAX, reason);
            return 0;
        }
        let settled = {
            let turn = self.turn();
            self.settle(&turn)
        };
        settled + self.check_due()
    }

    /// The identity of the application.
    pub(super) const fn identity(&self) -> &Pid {
        &self.pid
    }
}

impl State {
    fn place_of(&self, name: &ServiceName) -> Result<u64, LifecycleError> {
        self.places.get(name).copied().ok_or_else(|| LifecycleError::UnknownService(name.clone()))
    }

    fn slot(&self, name: &ServiceName) -> Result<&Slot, LifecycleError> {
        self.place_of(name).map(|place| &self.slots[&place])
    }

    fn runs(&self, name: &ServiceName) -> bool {
        self.slot(name).is_ok_and(Slot::is_ready)
    }

    /// The services that declare to depend on `name`, in the order of their start.
    fn dependents(&self, name: &ServiceName) -> impl Iterator<Item = &Slot> {
        self.dependents.get(name).into_iter().flatten().filter_map(|place| self.slots.get(place))
    }

    fn insert(&mut self, slot: Slot) -> u64 {
        let place = self.next_place;
        self.next_place += 1;
        self.places.insert(slot.spec.name.clone(), place);
        for dependency in &slot.spec.dependencies {
            self.dependents.entry(dependency.clone()).or_default().insert(place);
        }
        self.slots.insert(place, slot);
        place
    }

    fn remove(&mut self, place: u64) -> Option<Slot> {
        let slot = self.slots.remove(&place)?;
        self.places.remove(&slot.spec.name);
        for dependency in &slot.spec.dependencies {
            if let Some(dependents) = self.dependents.get_mut(dependency) {
                dependents.remove(&place);
                if dependents.is_empty() {
                    self.dependents.remove(dependency);
                }
            }
        }
        Some(slot)
    }
}
