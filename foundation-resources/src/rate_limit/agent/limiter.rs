//! The limiter that looks at the agent.

use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use foundation_types::{
    AgentId, AgentStatus, AgentStatusSource, Capability, Clock, Feature, FeatureGate, Health, Name,
};
use parking_lot::RwLock;

use super::super::{Quota, SteadyClock, SteadyTime};
use super::bucket::NoRoom;
use super::context::{Context, Scaling};
use super::limits::Limits;
use super::record::{AgentRecord, NotReserved, Seen};
use super::table::{Agents, NoPlace};
use super::{
    AgentBuilder, AgentDenial, AgentExecuteError, AgentLimitError, Burst, CoordinationId, InvalidAgentLimits,
    MAX_OPERATIONS, MAX_OVERRIDES, MAX_RESERVATIONS, Operation, OperationLimit, Reservation, UnknownAgents,
};

/// Limits what agents do, by agent and operation, in fixed windows whose limit follows the agent; see [the module](super).
///
/// A check asks the status source once, takes the lock of one of up to 64 shards, and allocates nothing once the agent and the
/// operation are known. The source and operations run outside every lock.
pub struct AgentRateLimiter<S, C = foundation_types::SystemClock> {
    pub(super) name: Name,
    pub(super) source: S,
    pub(super) clock: SteadyClock<C>,
    pub(super) gate: FeatureGate,
    /// Read while a shard is locked, never the other way round.
    pub(super) limits: RwLock<Limits>,
    pub(super) fallback: Quota,
    pub(super) scaling: Scaling,
    pub(super) unknown_agents: UnknownAgents,
    pub(super) agents: Agents,
}

/// A request of an agent that was let through.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentAdmission {
    /// What it was charged to.
    pub charged_to: ChargedTo,
    /// How many requests of the window count now.
    pub count: u32,
    /// The effective limit, without the burst.
    pub limit: u32,
    /// The length of the window.
    pub window: Duration,
    /// The health of the agent that the limit followed.
    pub health: Health,
    /// The first capability of the agent.
    pub capability: Capability,
}

/// What a request of an agent was charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChargedTo {
    /// The main limit.
    Limit,
    /// The burst beyond it.
    Burst,
    /// A reservation, which was charged to the limit before.
    Reservation,
}

impl<S: AgentStatusSource> AgentRateLimiter<S> {
    /// Settings of a limiter that asks `source` about agents.
    pub fn builder(source: S) -> AgentBuilder<S> {
        AgentBuilder::new(source)
    }
}

impl<S: AgentStatusSource, C: Clock> AgentRateLimiter<S, C> {
    /// Counts a request of an agent if it fits the effective limit.
    ///
    /// # Errors
    /// [`AgentLimitError::Exceeded`], [`Critical`](AgentLimitError::Critical), [`NotFound`](AgentLimitError::NotFound) or
    /// [`Full`](AgentLimitError::Full).
    pub fn check(&self, agent: &AgentId, operation: &Operation) -> Result<AgentAdmission, AgentLimitError> {
        self.admit(agent, operation, None)
    }

    /// Takes a request out of the reservation of this id, if the agent has one for this operation with something left, or else
    /// counts it as [`check`](Self::check) does.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_reserved(
        &self,
        agent: &AgentId,
        operation: &Operation,
        id: &CoordinationId,
    ) -> Result<AgentAdmission, AgentLimitError> {
        self.admit(agent, operation, Some(id))
    }

    /// Checks, and runs `run` if the request is admitted. The request counts also if that fails or panics; a panic is the
    /// caller's.
    ///
    /// # Errors
    /// [`AgentExecuteError::Limited`] without running it; [`AgentExecuteError::Operation`] with what it returned.
    pub fn execute<T, E>(
        &self,
        agent: &AgentId,
        operation: &Operation,
        run: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, AgentExecuteError<E>> {
        self.check(agent, operation).map_err(AgentExecuteError::Limited)?;
        run().map_err(AgentExecuteError::Operation)
    }

    fn admit(
        &self,
        agent: &AgentId,
        operation: &Operation,
        reservation: Option<&CoordinationId>,
    ) -> Result<AgentAdmission, AgentLimitError> {
        let now = self.clock.now();
        let on = self.gate.is_on(Feature::RateLimiter);
        let seen = if on { self.ask(agent)? } else { Seen::NobodyToAsk };
        self.change(agent, now, |record| {
            let context = record.context(seen, now, &self.scaling);
            if on && context.health == Health::Critical {
                return Err(critical(agent, context));
            }
            let limit = if on { self.limit(record, operation, &context) } else { self.plain_limit(operation) };
            let admission = |count, charged_to| AgentAdmission {
                charged_to,
                count,
                limit: limit.quota.limit(),
                window: limit.quota.window(),
                health: context.health,
                capability: context.capability.clone(),
            };
            if on && reservation.is_some_and(|id| record.take_reserved(id, operation, now)) {
                record.record(operation, true);
                return Ok(admission(record.count(operation, &limit.quota, now), ChargedTo::Reservation));
            }
            match record.charge(operation, &limit, now) {
                Ok((count, within_burst)) => {
                    record.record(operation, true);
                    Ok(admission(count, if within_burst { ChargedTo::Burst } else { ChargedTo::Limit }))
                }
                Err(no_room) => {
                    record.record(operation, false);
                    Err(exceeded((agent, operation), &limit.quota, &context, &no_room))
                }
            }
        })
        .unwrap_or(Err(AgentLimitError::Full))
    }

    /// Charges `requests` to the bucket of an operation at once, all or nothing, for those who work together under `id`. Their
    /// checks ([`check_reserved`](Self::check_reserved)) take from it and are charged nothing more. Dropping the guard, or
    /// [`release`](Self::release), refunds what is unused while the window lasts; with the window the reservation lapses.
    ///
    /// A reservation never draws on a burst.
    ///
    /// # Errors
    /// As [`check`](Self::check); [`AgentLimitError::Reserved`] while there is one of this id;
    /// [`AgentLimitError::TooManyReservations`] past [`MAX_RESERVATIONS`]; [`AgentLimitError::Disabled`].
    pub fn reserve(
        &self,
        agent: &AgentId,
        operation: &Operation,
        id: &CoordinationId,
        requests: NonZeroU32,
    ) -> Result<Reservation<'_, S, C>, AgentLimitError> {
        if !self.gate.is_on(Feature::RateLimiter) {
            return Err(AgentLimitError::Disabled);
        }
        let now = self.clock.now();
        let seen = self.ask(agent)?;
        let number = self
            .change(agent, now, |record| {
                let context = record.context(seen, now, &self.scaling);
                if context.health == Health::Critical {
                    return Err(critical(agent, context));
                }
                let quota = self.limit(record, operation, &context).quota;
                record.reserve(operation, &quota, now, (id, requests.get())).map_err(|error| match error {
                    NotReserved::Exists => AgentLimitError::Reserved { agent: agent.clone() },
                    NotReserved::TooMany => {
                        AgentLimitError::TooManyReservations { agent: agent.clone(), limit: MAX_RESERVATIONS }
                    }
                    NotReserved::NoRoom(no_room) => exceeded((agent, operation), &quota, &context, &no_room),
                })
            })
            .unwrap_or(Err(AgentLimitError::Full))?;
        Ok(Reservation::new(self, agent.clone(), id.clone(), number))
    }

    /// Ends the reservation of this id and returns how many unused requests were refunded; `None` if the agent has none. Works
    /// also while the limits of agents are switched off.
    pub fn release(&self, agent: &AgentId, id: &CoordinationId) -> Option<u32> {
        self.release_number(agent, id, None)
    }

    pub(super) fn release_number(&self, agent: &AgentId, id: &CoordinationId, number: Option<u64>) -> Option<u32> {
        let now = self.clock.now();
        self.agents.get(agent, |record| record.release(id, number, now))?
    }

    /// How many requests of a reservation are unused; 0 if there is none of this id.
    pub fn reserved(&self, agent: &AgentId, id: &CoordinationId) -> u32 {
        let now = self.clock.now();
        self.agents.get(agent, |record| record.reserved(id, now)).unwrap_or(0)
    }

    /// Sets the limit of an operation for one agent, in place of that of the operation. It still follows the agent.
    ///
    /// # Errors
    /// [`InvalidAgentLimits::Disabled`]; [`InvalidAgentLimits::TooMany`] past [`MAX_OVERRIDES`] for the agent, or if all agents
    /// that the limiter may keep have limits of their own.
    pub fn set_limit(&self, agent: &AgentId, operation: &Operation, quota: Quota) -> Result<(), InvalidAgentLimits> {
        self.configure(agent, |record| {
            if record.overrides.len() >= MAX_OVERRIDES && !record.overrides.contains_key(operation) {
                return Err(InvalidAgentLimits::TooMany { limit: MAX_OVERRIDES });
            }
            record.overrides.insert(operation.clone(), quota);
            Ok(())
        })
    }

    /// Sets the burst of one agent, in place of those of the operations.
    ///
    /// # Errors
    /// As [`set_limit`](Self::set_limit).
    pub fn set_burst(&self, agent: &AgentId, burst: Burst) -> Result<(), InvalidAgentLimits> {
        self.configure(agent, |record| {
            record.burst = Some(burst);
            Ok(())
        })
    }

    /// Takes back what [`set_limit`](Self::set_limit) and [`set_burst`](Self::set_burst) set for an agent. Returns whether there
    /// was something.
    ///
    /// # Errors
    /// [`InvalidAgentLimits::Disabled`].
    pub fn clear_settings(&self, agent: &AgentId) -> Result<bool, InvalidAgentLimits> {
        if !self.gate.is_on(Feature::RateLimiter) {
            return Err(InvalidAgentLimits::Disabled);
        }
        let cleared = self.agents.get(agent, |record| {
            let was_configured = record.is_configured();
            record.overrides.clear();
            record.burst = None;
            was_configured
        });
        Ok(cleared.unwrap_or(false))
    }

    fn configure(
        &self,
        agent: &AgentId,
        set: impl FnOnce(&mut AgentRecord) -> Result<(), InvalidAgentLimits>,
    ) -> Result<(), InvalidAgentLimits> {
        if !self.gate.is_on(Feature::RateLimiter) {
            return Err(InvalidAgentLimits::Disabled);
        }
        let now = self.clock.now();
        let full = Err(InvalidAgentLimits::TooMany { limit: self.agents.capacity() });
        self.change(agent, now, set).unwrap_or(full)
    }

    /// Sets the limit of an operation, or of a capability, for all agents.
    ///
    /// # Errors
    /// [`InvalidAgentLimits::Disabled`]; [`InvalidAgentLimits::NoRequests`] if the limit is 0;
    /// [`InvalidAgentLimits::TooMany`] past [`MAX_OPERATIONS`].
    pub fn set_operation_limit(
        &self,
        operation: impl Into<Operation>,
        limit: OperationLimit,
    ) -> Result<(), InvalidAgentLimits> {
        if !self.gate.is_on(Feature::RateLimiter) {
            return Err(InvalidAgentLimits::Disabled);
        }
        if limit.quota.limit() == 0 {
            return Err(InvalidAgentLimits::NoRequests);
        }
        let operation = operation.into();
        let mut limits = self.limits.write();
        if limits.len() >= MAX_OPERATIONS && !limits.contains_key(&operation) {
            return Err(InvalidAgentLimits::TooMany { limit: MAX_OPERATIONS });
        }
        limits.insert(operation, limit);
        Ok(())
    }

    /// Empties all buckets of an agent and of no other; its reservations lapse. Limits and statistics stay.
    pub fn reset(&self, agent: &AgentId) {
        self.agents.get(agent, AgentRecord::reset);
    }

    /// Empties all buckets of all agents; reservations lapse. Limits and statistics stay. O(agents).
    pub fn reset_all(&self) {
        self.agents.for_each(|_, record| record.reset());
    }

    /// Removes dead buckets, forgets agents that the source no longer knows and of which nothing counts any more, and returns
    /// how many buckets it removed. O(agents), with a question to the source about each.
    pub fn sweep(&self) -> usize {
        let now = self.clock.now();
        let mut removed = 0;
        let mut idle = Vec::new();
        self.agents.for_each(|agent, record| {
            removed += record.remove_dead(now);
            if record.is_idle(now) || record.last_known.is_some() {
                idle.push(agent.clone());
            }
        });
        self.forget_departed(&idle, now);
        removed
    }

    /// The limit of an operation for an agent as it is now: its main limit after all steps, and its burst. Limit 0 for an agent
    /// in critical health.
    pub fn effective_limit(&self, agent: &AgentId, operation: &Operation) -> OperationLimit {
        if !self.gate.is_on(Feature::RateLimiter) {
            return self.plain_limit(operation);
        }
        let status = self.source.status(agent);
        let limit = |record: &AgentRecord| self.limit(record, operation, &self.context_of(record, status.as_ref()));
        self.agents.get(agent, |record| limit(record)).unwrap_or_else(|| limit(&AgentRecord::default()))
    }

    /// What is known of an agent that has a record, without changing it.
    pub(super) fn context_of(&self, record: &AgentRecord, status: Option<&AgentStatus>) -> Context {
        let last_known = record.last_known.as_ref().filter(|_| self.gate.is_on(Feature::Registry));
        status.or(last_known).map_or_else(|| self.scaling.unknown(), |status| self.scaling.context(status))
    }

    pub(super) fn limit(&self, record: &AgentRecord, operation: &Operation, context: &Context) -> OperationLimit {
        context.effective(record.base(operation, context, &self.limits.read(), self.fallback))
    }

    /// The limit while limits of agents are switched off.
    pub(super) fn plain_limit(&self, operation: &Operation) -> OperationLimit {
        self.limits.read().get(operation).map_or(self.fallback, |limit| limit.quota).into()
    }

    /// Asks the source about an agent.
    fn ask(&self, agent: &AgentId) -> Result<Seen, AgentLimitError> {
        match self.source.status(agent) {
            Some(status) => {
                let context = self.scaling.context(&status);
                Ok(Seen::Known(status, context))
            }
            None if !self.gate.is_on(Feature::Registry) => Ok(Seen::NobodyToAsk),
            None if self.unknown_agents == UnknownAgents::Reject => {
                Err(AgentLimitError::NotFound { agent: agent.clone() })
            }
            None => Ok(Seen::Gone),
        }
    }

    /// Changes a record. If it is a new one, some that have nothing to do are looked at, whether they are gone.
    fn change<T>(
        &self,
        agent: &AgentId,
        now: SteadyTime,
        change: impl FnOnce(&mut AgentRecord) -> T,
    ) -> Result<T, NoPlace> {
        let mut idle = Vec::new();
        let result = self.agents.change(agent, now, &mut idle, change);
        self.forget_departed(&idle, now);
        result
    }

    fn forget_departed(&self, agents: &[AgentId], now: SteadyTime) {
        if !self.gate.is_on(Feature::Registry) {
            // The source knows nobody, which says nothing about who is gone.
            return;
        }
        for agent in agents {
            if self.source.status(agent).is_some() {
                self.agents.get(agent, AgentRecord::note_seen);
            } else {
                self.agents.forget_if(agent, |record| record.note_gone(now) && record.is_idle(now));
            }
        }
    }

    /// Its name on dashboards.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The switches it looks at.
    pub fn gate(&self) -> &FeatureGate {
        &self.gate
    }

    /// The names of the limits, in order: what the original announced as its capabilities.
    pub fn configured_operations(&self) -> Vec<Operation> {
        let mut operations: Vec<_> = self.limits.read().keys().cloned().collect();
        operations.sort_unstable();
        operations
    }

    /// How many agents it may keep.
    pub fn max_agents(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.agents.capacity()).unwrap_or(NonZeroUsize::MIN)
    }
}

fn critical(agent: &AgentId, context: Context) -> AgentLimitError {
    AgentLimitError::Critical { agent: agent.clone(), capability: context.capability }
}

fn exceeded(
    (agent, operation): (&AgentId, &Operation),
    quota: &Quota,
    context: &Context,
    no_room: &NoRoom,
) -> AgentLimitError {
    AgentLimitError::Exceeded(Box::new(AgentDenial {
        agent: agent.clone(),
        operation: operation.clone(),
        count: no_room.count,
        limit: quota.limit(),
        window: quota.window(),
        retry_after: no_room.retry_after,
        health: context.health,
        capability: context.capability.clone(),
    }))
}

impl<S, C> fmt::Debug for AgentRateLimiter<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentRateLimiter").field("name", &self.name).finish_non_exhaustive()
    }
}
