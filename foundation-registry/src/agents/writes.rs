//! Changing agents.

use std::sync::Arc;

use foundation_types::agent::AgentChange;
use foundation_types::{AgentId, AgentInfo, AgentState, Health, Namespace, ResourceUsage, ServiceName, Timestamp};

use super::attribute::Attribute;
use super::reads::Agents;
use super::{AgentError, AgentRecord, AgentsState, events};
use crate::entry::EntryKind;
use crate::key::KeyRef;
use crate::registry::{Aftermath, Core};

/// Every write exchanges the record as a whole. The version becomes that of the record before plus one, and the time of
/// creation stays, whatever the new record says.
impl Agents<'_> {
    /// Replaces the record of an agent. Otherwise it is stored as given; changes of state are not checked.
    ///
    /// # Errors
    /// [`AgentError::NotFound`], [`AgentError::IdMismatch`], [`AgentError::Limit`], [`AgentError::Disabled`],
    /// [`AgentError::Closed`], [`AgentError::Backend`]. Nothing has changed then.
    pub fn update(&self, namespace: &Namespace, id: &AgentId, info: AgentInfo) -> Result<(), AgentError> {
        self.begin()?;
        self.check(id, &info)?;
        let at = self.core().clock.wall();
        self.exchange(namespace, id, at, |stored| Some(info.succeeding(stored))).map(drop)
    }

    /// Changes the record of an agent, losing no change that others make meanwhile.
    ///
    /// `change` works on a copy, without any lock, so it may call the registry. Its result is stored if the record is still
    /// the one that was copied; otherwise `change` runs again, on the newer one. It sees the whole record in every view.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    ///
    /// # Panics
    /// If `change` does. Nothing has changed then.
    pub fn modify<R>(
        &self,
        namespace: &Namespace,
        id: &AgentId,
        mut change: impl FnMut(&mut AgentInfo) -> R,
    ) -> Result<R, AgentError> {
        self.try_modify(namespace, id, |info| Ok(change(info)))
    }

    /// As [`modify`](Self::modify) with a change that may fail, and then leaves the record as it is.
    ///
    /// # Errors
    /// That of `change`; otherwise as [`update`](Self::update).
    ///
    /// # Panics
    /// If `change` does. Nothing has changed then.
    pub fn try_modify<R, E: From<AgentError>>(
        &self,
        namespace: &Namespace,
        id: &AgentId,
        mut change: impl FnMut(&mut AgentInfo) -> Result<R, E>,
    ) -> Result<R, E> {
        self.begin()?;
        loop {
            let read = self.find(namespace, id)?.info;
            let mut info = AgentInfo::clone(&read);
            let result = change(&mut info)?;
            self.check(id, &info)?;
            let at = self.core().clock.wall();
            let is_read = |stored: &Arc<AgentInfo>| Arc::ptr_eq(stored, &read);
            let exchanged =
                self.exchange(namespace, id, at, |stored| is_read(stored).then(|| info.succeeding(stored)))?;
            if exchanged {
                return Ok(result);
            }
        }
    }

    /// Moves an agent to another state.
    ///
    /// # Errors
    /// [`AgentError::Invalid`] if the table of [`AgentState`] has no such edge; otherwise as [`update`](Self::update).
    pub fn transition(&self, namespace: &Namespace, id: &AgentId, to: AgentState) -> Result<(), AgentError> {
        self.try_modify(namespace, id, |info| Ok(info.transition(to, self.core().clock.wall())?))
    }

    /// Sets the overall health of an agent, as a report without usage; returns the health before.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub fn set_health(&self, namespace: &Namespace, id: &AgentId, health: Health) -> Result<Health, AgentError> {
        self.report(namespace, id, health, &ResourceUsage::new())
    }

    /// Takes over a report of health and usage; returns the health before.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub fn report(
        &self,
        namespace: &Namespace,
        id: &AgentId,
        health: Health,
        usage: &ResourceUsage,
    ) -> Result<Health, AgentError> {
        self.modify(namespace, id, |info| {
            let before = info.health().overall_health;
            info.update_health(health, usage, self.core().clock.wall());
            before
        })
    }

    /// Puts the record that `next` makes of the stored one in its place, unless it makes none; returns whether it did.
    fn exchange(
        self,
        namespace: &Namespace,
        id: &AgentId,
        at: Timestamp,
        next: impl FnOnce(&Arc<AgentInfo>) -> Option<AgentInfo>,
    ) -> Result<bool, AgentError> {
        let core = self.core();
        let name = ServiceName::agent(id);
        let key = KeyRef::new(namespace, &name);
        let stripe = core.stripe(Core::stripe_of(key.hash()));
        let mut aftermath = Aftermath::new(core);
        let state = stripe.lock();
        core.check_open()?;
        let entry = core.get(key)?.filter(|entry| entry.kind() == EntryKind::Agent);
        let entry = entry.ok_or(AgentError::NotFound)?;
        let record = entry.agent().ok_or(AgentError::NotFound)?;
        let stored = record.info();
        let Some(info) = next(&stored) else { return Ok(false) };
        let info = Arc::new(info);
        core.agents.put(&record, &stored, &info, at);
        let (from, to) = (stored.health().overall_health, info.health().overall_health);
        let is_on = core.agents.is_on();
        aftermath.wake(core.agents.feeds.publish(namespace, is_on, || AgentChange::Updated {
            agent: id.clone(),
            from,
            to,
        }));
        drop(state);
        drop(aftermath);
        if from != to && is_on {
            events::health_changed(core, entry.key(), from, to);
        }
        Ok(true)
    }
}

impl AgentsState {
    /// Exchanges a record: rows that it gains first, then the record, then rows that it loses, so that a search misses
    /// neither. The stripe is locked.
    fn put(&self, record: &Arc<AgentRecord>, stored: &AgentInfo, info: &Arc<AgentInfo>, at: Timestamp) {
        let (gained, lost) = (Attribute::beyond(info, stored), Attribute::beyond(stored, info));
        let is_moving = !(gained.is_empty() && lost.is_empty());
        if is_moving {
            record.moved();
        }
        for attribute in gained {
            self.index.insert(attribute, record);
        }
        record.exchange(Arc::clone(info), at, self.history_capacity);
        for attribute in &lost {
            self.index.remove(attribute, record);
        }
        if is_moving {
            record.moved();
        }
    }
}
