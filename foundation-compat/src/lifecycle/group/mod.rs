//! Groups: a coordinator and its workers under one supervisor, with workers that come and go.

mod builder;
mod error;
mod info;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foundation_types::{ExitReason, Monitor, Name, Pid, ServiceName};

pub use self::builder::GroupBuilder;
pub use self::error::GroupError;
pub use self::info::{GroupInfo, MemberInfo, Topology};
use super::context::ServiceContext;
use super::engine::Engine;
use super::error::LifecycleError;
use super::report::ShutdownReport;
use super::service::{BoxError, Service};
use super::spec::ServiceSpec;
use super::status::ServiceState;
use super::supervisor::{MAX_SERVICES, Supervisor};

/// The most members of a group, coordinator and workers together.
pub const MAX_GROUP_SIZE: usize = MAX_SERVICES;
/// How long a member of a group has to stop, unless it wants less.
pub const MEMBER_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

const COORDINATOR: ServiceName = ServiceName::from_static("coordinator");

/// A coordinator, some workers that are there from the start, and others that come and go. All are started again when they end;
/// if they do so too often, the group ends, and nothing else. Dropping the group shuts it down.
///
/// ```
/// use std::time::Duration;
/// use foundation_compat::lifecycle::{Group, Service};
/// use foundation_types::Name;
///
/// struct Planner;
/// impl Service for Planner {}
/// struct Digger;
/// impl Service for Digger {}
///
/// let group = Group::builder(Name::from_static("mine"))
///     .coordinator(|_| Ok(Planner))
///     .workers(2, |_| Ok(Digger))
///     .start()?;
/// let third = group.add_worker(|_| Ok(Digger))?;
/// assert_eq!(group.workers().len(), 3);
/// group.remove_worker(&third)?;
/// assert_eq!(group.info().total_processes, 3);
/// assert!(group.shutdown(Duration::from_secs(1)).is_clean());
/// # Ok::<(), foundation_compat::lifecycle::GroupError>(())
/// ```
#[must_use = "dropping the group stops its members"]
pub struct Group {
    id: Name,
    supervisor: Supervisor,
    /// How many workers were there from the start.
    initial: u64,
    /// The number of the next worker.
    next: AtomicU64,
}

/// Which member something is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Coordinator,
    Initial,
    Added,
}

impl Group {
    /// A group with options. The id is its name among groups.
    pub fn builder(id: Name) -> GroupBuilder {
        GroupBuilder::new(id)
    }

    fn engine(&self) -> &Engine {
        self.supervisor.engine()
    }

    /// Its id.
    pub const fn id(&self) -> &Name {
        &self.id
    }

    /// The identity of the group, which dies at its end. Asking it to stop, or killing it, shuts the group down.
    pub fn pid(&self) -> &Pid {
        self.engine().identity()
    }

    /// The coordinator.
    ///
    /// # Errors
    /// [`GroupError::Ended`]; [`GroupError::NotFound`] while it is being restarted.
    pub fn coordinator(&self) -> Result<Pid, GroupError> {
        if !self.is_running() {
            return Err(GroupError::Ended);
        }
        self.engine().pid_of(&COORDINATOR).map_err(|_| GroupError::NotFound)
    }

    /// The workers that are alive: those that were added first, then those from the start, each in the order in which they were
    /// first started. None once the group has ended. O(members).
    pub fn workers(&self) -> Vec<Pid> {
        let members = self.members();
        members.into_iter().filter(|member| member.role != Role::Coordinator).map(|member| member.pid).collect()
    }

    /// Adds one worker and returns its identity when it is ready.
    ///
    /// # Errors
    /// [`GroupError::Ended`]; [`GroupError::TooMany`]; [`GroupError::Member`] if it does not start: then there is none.
    pub fn add_worker<F, S>(&self, factory: F) -> Result<Pid, GroupError>
    where
        F: Fn(&ServiceContext) -> Result<S, BoxError> + Send + Sync + 'static,
        S: Service,
    {
        // Relaxed: only the number itself must be unique.
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Ok(self.supervisor.add_service(ServiceSpec::new(worker(number), factory))?)
    }

    /// Stops a worker for good, whether it was added or there from the start. O(members).
    ///
    /// # Errors
    /// [`GroupError::NotFound`] if it is no worker of the group, or was one before it was restarted; [`GroupError::Ended`];
    /// [`GroupError::Member`] in the code of that very worker.
    pub fn remove_worker(&self, pid: &Pid) -> Result<(), GroupError> {
        let runs = self.engine().runs();
        let of = runs.into_iter().find(|(_, _, run)| run.as_ref().is_some_and(|run| run.pid() == pid));
        match of {
            Some((name, ..)) if name != COORDINATOR => {
                self.supervisor.remove_service(&name)?;
                Ok(())
            }
            _ if self.is_running() => Err(GroupError::NotFound),
            _ => Err(GroupError::Ended),
        }
    }

    /// The members that are alive, and what they use, as they say now. Once the group has ended there are none. O(members).
    pub fn info(&self) -> GroupInfo {
        GroupInfo::of(self.id.clone(), self.pid().clone(), self.members())
    }

    /// Whether the group runs.
    pub fn is_running(&self) -> bool {
        self.pid().is_alive()
    }

    /// Does what is due: restarts of members that have ended. Returns how many exits were dealt with. Needed only by groups that
    /// are [driven by hand](GroupBuilder::driven_by_hand).
    pub fn run_due(&self) -> usize {
        self.supervisor.run_due()
    }

    /// Resolves when the group has ended: [`ExitReason::Shutdown`] if it was shut down, an error if members ended too often.
    pub fn exited(&self) -> Monitor {
        self.supervisor.exited()
    }

    /// Blocks until the group has ended, and says why.
    pub fn wait(&self) -> ExitReason {
        self.supervisor.wait()
    }

    /// Stops every member, the last started first, all of them within `max`; see [`Supervisor::shutdown`]. Idempotent.
    pub fn shutdown(&self, max: Duration) -> ShutdownReport {
        self.supervisor.shutdown(max)
    }

    /// The members that are alive: the coordinator, the workers that were added, then those from the start.
    fn members(&self) -> Vec<info::Member> {
        let mut members: Vec<info::Member> = Vec::new();
        for (name, state, run) in self.engine().runs() {
            let Some(run) = run.filter(|_| state == ServiceState::Running) else { continue };
            members.push(info::Member { role: self.role(&name), state, pid: run.pid().clone(), run });
        }
        // Stable: those of one role stay in the order of their start.
        members.sort_by_key(|member| match member.role {
            Role::Coordinator => 0,
            Role::Added => 1,
            Role::Initial => 2,
        });
        members
    }

    fn role(&self, name: &ServiceName) -> Role {
        match name.name().as_str().strip_prefix(WORKER).and_then(|number| number.parse::<u64>().ok()) {
            None => Role::Coordinator,
            Some(number) if number <= self.initial => Role::Initial,
            Some(_) => Role::Added,
        }
    }
}

const WORKER: &str = "worker-";

fn worker(number: u64) -> ServiceName {
    ServiceName::new(format!("{WORKER}{number}")).expect("a short name without control characters")
}

impl From<LifecycleError> for GroupError {
    fn from(error: LifecycleError) -> Self {
        match error {
            LifecycleError::Stopped | LifecycleError::IntensityExceeded { .. } => Self::Ended,
            LifecycleError::TooManyServices => Self::TooMany,
            LifecycleError::UnknownService(_) => Self::NotFound,
            error => Self::Member(error),
        }
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("id", &self.id).field("pid", self.pid()).finish_non_exhaustive()
    }
}
