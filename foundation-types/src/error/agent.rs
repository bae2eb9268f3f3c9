//! What agents add to errors: who acted, how to recover, which errors belong together.

use std::collections::BTreeMap;
use std::time::Duration;

use super::agent_data::AgentData;
use super::correlation::CorrelationId;
use super::kind::ErrorKind;
use super::record::Error;
use super::retry::{RetryDelay, RetryStrategy};
use super::vocabulary::Severity;
use crate::agent::AgentContext;
use crate::{AgentId, Capability, Feature, FeatureGate, Health, Value};

impl Error {
    /// Sets which agent acted, replacing an earlier one.
    #[must_use]
    pub fn with_agent_context(mut self, context: AgentContext) -> Self {
        self.0.agent = Some(AgentData::Known(Box::new(context)));
        self
    }

    /// Which agent acted. `None` also where a decoded error has something else in its place.
    pub fn agent_context(&self) -> Option<&AgentContext> {
        match &self.0.agent {
            Some(AgentData::Known(context)) => Some(context),
            _ => None,
        }
    }

    /// The id of the agent that acted.
    pub fn agent_id(&self) -> Option<&AgentId> {
        self.agent_context().map(|context| &context.agent_id)
    }
}

/// What to do about an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecoveryPlan {
    /// Tell a person; the system cannot help itself.
    Escalate,
    /// Give the work to another agent.
    Reassign {
        /// What that agent must be able to do, if known: the text `capability` of the error's context, else the first
        /// capability of the agent that failed.
        capability: Option<Capability>,
    },
    /// Take on less work, then try again.
    ShedLoad {
        /// How long to wait first.
        retry_after: Duration,
    },
    /// Try again.
    Retry {
        /// How long to wait first.
        after: Duration,
    },
    /// Report failure to the caller.
    GiveUp,
}

/// What to do about `error`; the first rule that applies decides:
///
/// 1. severity critical: [`RecoveryPlan::Escalate`];
/// 2. the agent that acted is unhealthy or worse: [`RecoveryPlan::Reassign`];
/// 3. resources ran out: [`RecoveryPlan::ShedLoad`];
/// 4. the error is transient and attempts are left: [`RecoveryPlan::Retry`];
/// 5. otherwise: [`RecoveryPlan::GiveUp`].
///
/// Pure: the same error gives the same plan.
pub fn recovery_plan(error: &Error) -> RecoveryPlan {
    plan(error, error.agent_context())
}

/// As [`recovery_plan`], and blind to the agent while `gate` has agent features off.
pub fn recovery_plan_gated(error: &Error, gate: &FeatureGate) -> RecoveryPlan {
    plan(error, error.agent_context().filter(|_| gate.is_on(Feature::Errors)))
}

fn plan(error: &Error, agent: Option<&AgentContext>) -> RecoveryPlan {
    if error.severity() == Severity::Critical {
        return RecoveryPlan::Escalate;
    }
    if let Some(agent) = agent.filter(|agent| matches!(agent.health, Some(Health::Unhealthy | Health::Critical))) {
        return RecoveryPlan::Reassign { capability: needed_capability(error, agent) };
    }
    let exhausted = matches!(
        error.kind(),
        ErrorKind::ResourceExhausted
            | ErrorKind::AgentResourceExhausted
            | ErrorKind::AgentResourceLimitExceeded
            | ErrorKind::SystemResourceCritical
    );
    let next = error.next_attempt().and_then(RetryDelay::duration);
    if exhausted {
        // Load is worth shedding also where the strategy knows no delay.
        let usual = || RetryStrategy::FixedDelay.delay(0).duration().unwrap_or_default();
        return RecoveryPlan::ShedLoad { retry_after: next.unwrap_or_else(usual) };
    }
    match next {
        Some(after) if error.is_transient() => RecoveryPlan::Retry { after },
        _ => RecoveryPlan::GiveUp,
    }
}

fn needed_capability(error: &Error, agent: &AgentContext) -> Option<Capability> {
    let named = error.context().get("capability").and_then(Value::as_str);
    let own = || agent.capabilities.as_ref().and_then(|capabilities| capabilities.iter().next());
    named.and_then(|text| Capability::new(text).ok()).or_else(|| own().cloned())
}

/// The errors of one request.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ErrorGroup {
    /// The errors, oldest first; errors of one microsecond in the order they were given. At least one.
    pub errors: Vec<Error>,
    /// The agents that acted, each once, in the order they first appear.
    pub agents: Vec<AgentId>,
    /// The worst severity among them.
    pub worst_severity: Severity,
}

impl ErrorGroup {
    /// The oldest error: where the trouble began.
    pub fn root(&self) -> &Error {
        self.errors.first().expect("a group is made of at least one error")
    }
}

/// Groups errors by correlation id; those without one are left out. O(n log n).
pub fn correlate(errors: impl IntoIterator<Item = Error>) -> BTreeMap<CorrelationId, ErrorGroup> {
    let mut by_id: BTreeMap<CorrelationId, Vec<Error>> = BTreeMap::new();
    for error in errors {
        if let Some(id) = error.correlation_id().cloned() {
            by_id.entry(id).or_default().push(error);
        }
    }
    by_id.into_iter().map(|(id, errors)| (id, group(errors))).collect()
}

fn group(mut errors: Vec<Error>) -> ErrorGroup {
    errors.sort_by_key(Error::timestamp);
    let mut agents: Vec<AgentId> = Vec::new();
    for agent in errors.iter().filter_map(Error::agent_id) {
        if !agents.contains(agent) {
            agents.push(agent.clone());
        }
    }
    let worst_severity = errors.iter().map(Error::severity).max().unwrap_or_default();
    ErrorGroup { errors, agents, worst_severity }
}
