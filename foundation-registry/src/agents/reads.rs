//! The agents of a registry: who there is, and coming and going.

use std::fmt;
use std::sync::Arc;

use foundation_types::{AgentId, AgentInfo, Health, Metadata, MetadataView, Namespace, Pid, ServiceName};

use super::{AgentError, AgentRecord, HealthChange, events};
use crate::entry::{EntryKind, NewEntry, SameOwner, StoredEntry};
use crate::error::RegistryError;
use crate::key::KeyRef;
use crate::registry::{Core, Registered, Registry};
use crate::table::pin;

/// The agents of a registry; see [`Registry::agents`].
///
/// While the agent features are switched off ([`Feature::Registry`](foundation_types::Feature::Registry) of the registry's
/// gate), every call but [`unregister`](Self::unregister) gives [`AgentError::Disabled`]; the agents stay, keep their names,
/// and are all there when the features are on again.
///
/// ```
/// use foundation_registry::{AgentQuery, Registry};
/// use foundation_types::{AgentId, AgentInfo, Capability, Namespace, Owner, SystemClock};
///
/// let registry = Registry::new();
/// let agents = registry.agents();
/// let (here, id, scan) = (Namespace::Production, AgentId::from_static("scout-1"), Capability::from_static("scan"));
///
/// let owner = Owner::new();
/// let info = AgentInfo::builder(id.clone()).capability(scan.clone()).build(&SystemClock);
/// agents.register(&here, &id, &owner.pid(), info)?;
///
/// let found = agents.query(&here, &AgentQuery::new().capability(scan))?;
/// assert_eq!(found[0].id, id);
/// assert_eq!(found[0].pid, owner.pid());
/// # Ok::<(), foundation_registry::AgentError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Agents<'r> {
    pub(super) registry: &'r Registry,
}

/// An agent as it was at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentEntry {
    /// The agent.
    pub id: AgentId,
    /// Its owner.
    pub pid: Pid,
    /// Its record.
    pub info: Arc<AgentInfo>,
}

impl Registry {
    /// The agents of this registry.
    pub const fn agents(&self) -> Agents<'_> {
        Agents { registry: self }
    }
}

impl<'r> Agents<'r> {
    pub(super) fn core(self) -> &'r Core {
        &self.registry.core
    }

    /// Begins a call: the view under which the whole of it runs.
    pub(super) fn begin(self) -> Result<MetadataView, AgentError> {
        self.core().check_open()?;
        let agents = &self.core().agents;
        if agents.is_on() { Ok(agents.view_in_force()) } else { Err(AgentError::Disabled) }
    }

    /// Registers an agent for the owner of `pid`. The record is stored as given, but for a health that is unknown, which
    /// becomes healthy.
    ///
    /// # Errors
    /// [`AgentError::IdMismatch`] if the record is that of another agent; [`AgentError::AlreadyRegistered`] if a live owner
    /// holds the name, this very one included; [`AgentError::DeadProcess`]; [`AgentError::Limit`] for limits of the
    /// registry, that on metadata being one on the free metadata of the record; [`AgentError::Disabled`],
    /// [`AgentError::Closed`], [`AgentError::Backend`].
    pub fn register(
        &self,
        namespace: &Namespace,
        id: &AgentId,
        pid: &Pid,
        info: AgentInfo,
    ) -> Result<Registered, AgentError> {
        let view = self.begin()?;
        self.check(id, &info)?;
        let core = &self.registry.core;
        let info = Arc::new(info.with_health_if_unknown(Health::Healthy));
        let record = AgentRecord::new(namespace.clone(), pid.clone(), Arc::clone(&info), core.clock.wall());
        let mut new = NewEntry::new(namespace, &ServiceName::agent(id), pid).same_owner(SameOwner::Refuse);
        new.body.agent = Some(Arc::new(record));
        let registered = core.claim(new, EntryKind::Agent)?;
        events::registered(core, registered.key(), &info, view);
        Ok(registered)
    }

    /// As [`register`](Self::register) with the record that [`AgentInfo::from_metadata`] reads out of loose metadata.
    ///
    /// # Errors
    /// [`AgentError::Invalid`] if it cannot be read; otherwise as [`register`](Self::register).
    pub fn register_from_metadata(
        &self,
        namespace: &Namespace,
        id: &AgentId,
        pid: &Pid,
        metadata: &Metadata,
    ) -> Result<Registered, AgentError> {
        self.begin()?;
        let info = AgentInfo::from_metadata(id.clone(), metadata, &*self.core().clock)?;
        self.register(namespace, id, pid, info)
    }

    /// Whether `info` may be stored for the agent `id`.
    pub(super) fn check(self, id: &AgentId, info: &AgentInfo) -> Result<(), AgentError> {
        if info.agent_id() != id {
            return Err(AgentError::IdMismatch { id: id.clone(), record: info.agent_id().clone() });
        }
        Ok(self.core().limits.check_metadata(info.metadata())?)
    }

    /// Gives the name of an agent up, whoever holds it. Returns whether a live owner held it. The same as
    /// [`Registry::unregister`] of [`ServiceName::agent`], and like it indifferent to whether the agent features are on.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn unregister(&self, namespace: &Namespace, id: &AgentId) -> Result<bool, RegistryError> {
        self.core().release(KeyRef::new(namespace, &ServiceName::agent(id)), None)
    }

    /// An agent.
    ///
    /// # Errors
    /// [`AgentError::NotFound`] if there is none, also if a service has the name of the agent; [`AgentError::Disabled`],
    /// [`AgentError::Closed`], [`AgentError::Backend`].
    pub fn lookup(&self, namespace: &Namespace, id: &AgentId) -> Result<AgentEntry, AgentError> {
        let view = self.begin()?;
        Ok(self.find(namespace, id)?.in_view(view))
    }

    /// The agent as it is stored.
    pub(super) fn find(self, namespace: &Namespace, id: &AgentId) -> Result<AgentEntry, AgentError> {
        self.inspect(namespace, id, |record| record.entry_if(&pin(), |_| true))?.ok_or(AgentError::NotFound)
    }

    /// What `read` finds in the record of an agent.
    fn inspect<R>(
        self,
        namespace: &Namespace,
        id: &AgentId,
        read: impl Fn(&AgentRecord) -> R,
    ) -> Result<R, AgentError> {
        let name = ServiceName::agent(id);
        let in_entry = |entry: &StoredEntry| (entry.kind() == EntryKind::Agent).then(|| entry.with_agent(&read));
        loop {
            match self.core().with(namespace, &name, in_entry)? {
                Some(Some(result)) => return Ok(result),
                None => return Err(AgentError::NotFound),
                // Since it was found; what is there now will be found next.
                Some(None) => {}
            }
        }
    }

    /// How the health of an agent went: the latest changes, oldest first, beginning with the registration; at most 100, or as
    /// many as [`Limits::max_health_history`](crate::Limits) says. Empty for an agent that is unknown.
    ///
    /// # Errors
    /// [`AgentError::Disabled`], [`AgentError::Closed`], [`AgentError::Backend`].
    pub fn health_history(&self, namespace: &Namespace, id: &AgentId) -> Result<Vec<HealthChange>, AgentError> {
        self.begin()?;
        match self.inspect(namespace, id, AgentRecord::history) {
            Err(AgentError::NotFound) => Ok(Vec::new()),
            history => history,
        }
    }
}

impl fmt::Debug for Agents<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agents").field("is_on", &self.core().agents.is_on()).finish_non_exhaustive()
    }
}
