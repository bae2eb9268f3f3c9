//! Which overrides are in force after a change.

use std::sync::Arc;

use foundation_types::{AgentId, Emitter, Feature, FeatureGate, Measurements, Metadata};

use super::overlays::{Overlay, Overlays, Standing};
use crate::change::ChangeKind;
use crate::content::Content;
use crate::error::ConfigError;
use crate::events::{OVERRIDE_RESUMED_EVENT, OVERRIDE_SUSPENDED_EVENT};
use crate::limits::{Limit, Limits};
use crate::schema::Schema;
use crate::store::commit::{Candidate as StoreCandidate, check_schema};
use crate::tree::{Node, merge};

/// The options of a store that concern agents.
pub(crate) struct Settings {
    pub(crate) gate: FeatureGate,
    /// What lies below the configuration for agents alone.
    pub(crate) defaults: Node,
}

impl Default for Settings {
    fn default() -> Self {
        Self { gate: FeatureGate::all_on(), defaults: Node::empty() }
    }
}

/// The overrides that are to be, before it is known which of them fit.
pub(crate) struct Candidate {
    overlays: Overlays,
    written: Option<Written>,
}

/// Whose overrides a change writes.
pub(crate) struct Written {
    pub(crate) id: AgentId,
    pub(crate) demand: Demand,
}

/// What has to hold of overrides that are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    /// What is in effect with them is valid.
    Fit,
    /// That, unless they did not fit before either: taking back must be possible piece by piece.
    FitUnlessSuspended,
}

impl Candidate {
    /// The overrides stay as they are.
    pub(crate) fn unchanged(content: &Content) -> Self {
        Self { overlays: content.agents.clone(), written: None }
    }

    /// One agent has other overrides.
    pub(crate) fn writing(content: &Content, id: AgentId, node: Node, demand: Demand) -> Self {
        let overlays = content.agents.with(&id, Overlay { node, standing: Standing::Applied });
        Self { overlays, written: Some(Written { id, demand }) }
    }
}

/// What a change made of the overrides.
pub(crate) struct Effect {
    /// Whether the agent features were on.
    pub(crate) is_on: bool,
    /// What lies below the configuration for agents alone.
    pub(crate) defaults: Node,
    pub(crate) suspended: Vec<(AgentId, String)>,
    pub(crate) resumed: Vec<AgentId>,
}

impl Effect {
    /// Whether overrides came into or went out of force that the change did not write.
    pub(crate) fn has_toggled(&self) -> bool {
        !self.suspended.is_empty() || !self.resumed.is_empty()
    }

    pub(crate) fn announce(&self, emitter: &Emitter) {
        if !self.is_on {
            return;
        }
        for (id, reason) in &self.suspended {
            emitter.emit(&OVERRIDE_SUSPENDED_EVENT, || {
                let metadata = Metadata::new().with("agent", id.as_str()).with("reason", reason.as_str());
                (Measurements::one(), metadata)
            });
        }
        for id in &self.resumed {
            emitter.emit(&OVERRIDE_RESUMED_EVENT, || (Measurements::one(), Metadata::new().with("agent", id.as_str())));
        }
    }
}

impl Settings {
    pub(crate) fn is_on(&self) -> bool {
        self.gate.is_on(Feature::Config)
    }

    /// A reset takes the overrides as well, unless they are invisible.
    pub(crate) fn reset(&self, mut candidate: StoreCandidate) -> StoreCandidate {
        if self.is_on() {
            candidate.agents.overlays = Overlays::default();
        }
        candidate
    }

    /// A rollback restores the overrides as well, unless they are invisible.
    pub(crate) fn rollback(&self, mut candidate: StoreCandidate, target: &Content) -> StoreCandidate {
        debug_assert!(matches!(candidate.kind, ChangeKind::Rollback { .. }));
        if self.is_on() {
            candidate.agents.overlays = target.agents.clone();
        }
        candidate
    }

    /// Judges which overrides fit on `base`. What the configuration is without them was judged before.
    pub(crate) fn settle<S: Schema>(
        &self,
        before: &Content,
        base: &Node,
        candidate: Candidate,
        limits: &Limits,
    ) -> Result<(Overlays, Effect), ConfigError> {
        let Candidate { mut overlays, written } = candidate;
        let mut effect =
            Effect { is_on: self.is_on(), defaults: self.defaults.clone(), suspended: Vec::new(), resumed: Vec::new() };
        if overlays.len() > limits.agents {
            return Err(ConfigError::LimitExceeded { what: Limit::Agents, max: limits.agents });
        }
        // An override of one agent concerns no other.
        let judged: Vec<(AgentId, Arc<Overlay>)> = match &written {
            Some(written) => {
                overlays.get(&written.id).map(|overlay| (written.id.clone(), Arc::clone(overlay))).into_iter().collect()
            }
            None => overlays.iter().map(|(id, overlay)| (id.clone(), Arc::clone(overlay))).collect(),
        };
        for (id, overlay) in judged {
            if overlay.node.nodes() > limits.agent_nodes {
                return Err(ConfigError::LimitExceeded { what: Limit::AgentNodes, max: limits.agent_nodes });
            }
            let was = before.agents.get(&id).map(|overlay| overlay.standing);
            let effective = merge(base, &overlay.node);
            let refusal = check_schema::<S>(&effective).err();
            if let (Some(refusal), Some(written)) = (&refusal, &written)
                && !(written.demand == Demand::FitUnlessSuspended && was == Some(Standing::Suspended))
            {
                return Err(refusal.clone().into_error::<S>(&effective, &before.layers));
            }
            let standing = if refusal.is_some() { Standing::Suspended } else { Standing::Applied };
            match (was, refusal) {
                (Some(Standing::Applied), Some(refusal)) => {
                    let reason = refusal.into_error::<S>(&effective, &before.layers).to_string();
                    effect.suspended.push((id.clone(), reason));
                }
                (Some(Standing::Suspended), None) => effect.resumed.push(id.clone()),
                _ => {}
            }
            if standing != overlay.standing {
                overlays = overlays.with(&id, Overlay { node: overlay.node.clone(), standing });
            }
        }
        Ok((overlays, effect))
    }
}
