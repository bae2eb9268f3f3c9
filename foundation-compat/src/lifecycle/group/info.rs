//! What a group is made of.

use std::sync::Arc;

use foundation_types::{Name, Pid, contain};

use super::Role;
use crate::lifecycle::instance::Instance;
use crate::lifecycle::service::Usage;
use crate::lifecycle::status::ServiceState;

/// What a group is made of at the moment; see [`Group::info`](super::Group::info).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupInfo {
    /// Its id.
    pub id: Name,
    /// Its identity.
    pub supervisor: Pid,
    /// The coordinator, if it is alive.
    pub coordinator: Option<MemberInfo>,
    /// The workers that are alive, in the order of [`Group::workers`](super::Group::workers).
    pub workers: Vec<MemberInfo>,
    /// How many members are alive, the coordinator included.
    pub total_processes: usize,
    /// The memory of all that say what they use, in bytes.
    pub total_memory: u64,
    /// How the members belong together.
    pub topology: Topology,
}

/// One member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberInfo {
    /// Its identity.
    pub pid: Pid,
    /// Whether it runs.
    pub status: ServiceState,
    /// What it uses, as it says.
    pub usage: Usage,
}

/// How the members of a group belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Topology {
    /// All under one supervisor.
    Tree,
}

/// A member that is alive.
pub(super) struct Member {
    pub(super) role: Role,
    pub(super) pid: Pid,
    pub(super) state: ServiceState,
    pub(super) run: Arc<Instance>,
}

impl GroupInfo {
    pub(super) fn of(id: Name, supervisor: Pid, members: Vec<Member>) -> Self {
        let (mut coordinator, mut workers) = (None, Vec::new());
        for member in members {
            let role = member.role;
            let member = MemberInfo { usage: member.usage(), pid: member.pid, status: member.state };
            match role {
                Role::Coordinator => coordinator = Some(member),
                Role::Initial | Role::Added => workers.push(member),
            }
        }
        let all = coordinator.iter().chain(&workers);
        let total_memory = all.filter_map(|member| member.usage.memory_bytes).fold(0, u64::saturating_add);
        Self {
            id,
            supervisor,
            total_processes: workers.len() + usize::from(coordinator.is_some()),
            total_memory,
            coordinator,
            workers,
            topology: Topology::Tree,
        }
    }
}

impl Member {
    fn usage(&self) -> Usage {
        let service = self.run.service();
        // The value may be dropped in here, if the member has been stopped meanwhile.
        service.and_then(|service| contain(move || service.usage()).ok()).unwrap_or_default()
    }
}
