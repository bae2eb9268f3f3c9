//! An agent as a service: what its lives share, and how one begins and ends.

use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crossbeam_channel::{Sender, bounded};
use foundation_types::agent::{CapabilitySet, PerformancePatch};
use foundation_types::{AgentId, AgentInfo, ExitReason, Metadata, Name, Pid, ServiceName};

use super::pulse::Pulse;
use super::roles::{Agent, LIFE, Role, Site};
use super::settings::AGENT_GRACE;
use super::task::{Batch, Message};
use crate::lifecycle::{BoxError, MAX_SERVICE_DURATION, Restart, Service, ServiceConfig, ServiceContext, ServiceSpec};

/// What all lives of an agent share.
pub(super) struct Seat {
    pub(super) site: Arc<Site>,
    /// Its place among the members.
    pub(super) place: usize,
    pub(super) id: AgentId,
    pub(super) reports: Sender<Message>,
    pub(super) arrivals: Sender<Arrival>,
    pub(super) bell: Waker,
    /// How many there were.
    pub(super) lives: AtomicU64,
    pub(super) threads: Arc<AtomicUsize>,
    /// Held for one look or change.
    pub(super) record: Mutex<Record>,
}

/// What the next life of an agent begins with.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) capabilities: CapabilitySet,
    pub(super) performance: PerformancePatch,
}

impl Record {
    /// That of the first life.
    pub(super) fn of(role: Role) -> Self {
        let capabilities = CapabilitySet::from_iter([role.capability()]);
        Self { capabilities, performance: PerformancePatch::default() }
    }
}

/// A new life of an agent.
pub(super) struct Arrival {
    pub(super) place: usize,
    pub(super) life_number: u64,
    pub(super) pid: Pid,
    pub(super) pulse: Arc<Pulse>,
    pub(super) inbox: Sender<Batch>,
}

/// An agent as a service: each start is a new life under the same name.
pub(super) struct AtWork {
    seat: Arc<Seat>,
    /// Dropped when the agent is to leave.
    leave: Mutex<Option<Sender<Infallible>>>,
}

impl AtWork {
    pub(super) fn spec(seat: &Arc<Seat>) -> ServiceSpec {
        let seat = Arc::clone(seat);
        let name = ServiceName::from(Name::from(seat.id.clone()));
        let make = move |_: &ServiceContext| Ok(Self { seat: Arc::clone(&seat), leave: Mutex::default() });
        ServiceSpec::new(name, make).restart(Restart::Permanent)
    }
}

impl Service for AtWork {
    fn config(&self) -> ServiceConfig {
        ServiceConfig {
            // The coordinator sees what agents do.
            health_check_interval: None,
            graceful_shutdown_timeout: AGENT_GRACE,
            start_timeout: MAX_SERVICE_DURATION,
            ..ServiceConfig::default()
        }
    }

    fn start(&self, context: &ServiceContext) -> Result<(), BoxError> {
        let Seat { site, place, id, reports, arrivals, bell, lives, threads, record } = &*self.seat;
        // Relaxed: lives of one agent follow each other anyway.
        let life_number = lives.fetch_add(1, Ordering::Relaxed);
        let life = i64::try_from(life_number).unwrap_or(i64::MAX);
        let Record { capabilities, performance } = lock(record).clone();
        let info = AgentInfo::builder(id.clone())
            .capabilities(capabilities)
            .performance(performance)
            .metadata(Metadata::new().with(LIFE, life))
            .build(&*site.clock);
        site.registry.agents().register(&site.namespace, id, context.pid(), info)?;
        let pulse = Arc::new(Pulse::at_rest());
        // An agent is given a batch only when it has none.
        let (inbox, batches) = bounded(1);
        let (stay, leave) = bounded(0);
        *lock(&self.leave) = Some(stay);
        let agent = Agent {
            pid: context.pid().clone(),
            stop: context.shutdown(),
            leave,
            id: id.clone(),
            life,
            settings: RefCell::new(site.settings.agent(id.clone()).reader()),
            site: Arc::clone(site),
            pulse: Arc::clone(&pulse),
            reports: reports.clone(),
        };
        // Before the agent can say anything, so that the coordinator knows who says it. It may be gone: then nobody cares.
        let _ = arrivals.send(Arrival { place: *place, life_number, pid: context.pid().clone(), pulse, inbox });
        bell.wake_by_ref();
        let counted = ThreadCount::enter(threads);
        let work = move |_| {
            let _counted = counted;
            agent.live(&batches)
        };
        Ok(context.spawn(Name::from_static("work"), work)?)
    }

    fn stop(&self, _: &ExitReason) {
        drop(lock(&self.leave).take());
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is in there is replaced as a whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a thread from before it starts until it ends.
struct ThreadCount(Arc<AtomicUsize>);

impl ThreadCount {
    fn enter(threads: &Arc<AtomicUsize>) -> Self {
        // Relaxed: a count that orders nothing.
        threads.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(threads))
    }
}

impl Drop for ThreadCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
