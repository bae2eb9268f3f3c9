//! What an agent takes part in together with others.

use serde::{Deserialize, Serialize};

use crate::{Metadata, Name, Ratio, Timestamp, Value};

/// What an agent takes part in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct CoordinationLists {
    /// The ballots it takes part in.
    pub active_consensus: Vec<Name>,
    /// The barriers it waits at.
    pub active_barriers: Vec<Name>,
    /// The locks it holds.
    pub held_locks: Vec<Name>,
    /// The elections it has won.
    pub leadership_roles: Vec<Name>,
}

impl CoordinationLists {
    /// The names of the lists, in the order of [`lists`](Self::lists).
    pub(super) const FIELDS: [&'static str; 4] =
        ["active_consensus", "active_barriers", "held_locks", "leadership_roles"];

    /// The four lists, in the order of the fields.
    pub fn lists(&self) -> [&[Name]; 4] {
        [&self.active_consensus, &self.active_barriers, &self.held_locks, &self.leadership_roles]
    }

    /// How many entries the four lists have together.
    pub fn len(&self) -> usize {
        self.lists().into_iter().map(<[Name]>::len).sum()
    }

    /// Whether all four lists are empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `min(1, 0.2 × entries)`.
    pub fn score(&self) -> Ratio {
        Ratio::saturating(self.len() as f64 / 5.0)
    }
}

impl From<&CoordinationLists> for Metadata {
    /// All four lists, also the empty ones.
    fn from(lists: &CoordinationLists) -> Self {
        let texts = lists.lists().map(|names| Value::List(names.iter().map(Value::from).collect()));
        CoordinationLists::FIELDS.into_iter().zip(texts).collect()
    }
}

/// What an agent takes part in, and how much that is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CoordinationState {
    /// The ballots, barriers, locks and leaderships.
    #[serde(flatten)]
    pub lists: CoordinationLists,
    /// `min(1, 0.2 × entries)`.
    pub coordination_score: Ratio,
    /// When the lists were last reported.
    pub last_coordination_activity: Option<Timestamp>,
}

impl CoordinationState {
    /// A state with these lists, the score that follows, and no activity yet.
    pub fn new(lists: CoordinationLists) -> Self {
        let coordination_score = lists.score();
        Self { lists, coordination_score, last_coordination_activity: None }
    }

    /// Takes over the lists that `patch` gives and derives the score.
    pub fn update(&mut self, patch: CoordinationPatch, now: Timestamp) {
        let CoordinationPatch { active_consensus, active_barriers, held_locks, leadership_roles } = patch;
        let lists = &mut self.lists;
        for (list, given) in [
            (&mut lists.active_consensus, active_consensus),
            (&mut lists.active_barriers, active_barriers),
            (&mut lists.held_locks, held_locks),
            (&mut lists.leadership_roles, leadership_roles),
        ] {
            if let Some(given) = given {
                *list = given;
            }
        }
        self.coordination_score = self.lists.score();
        self.last_coordination_activity = Some(now);
    }

    /// Whether any list has an entry.
    pub fn is_active(&self) -> bool {
        !self.lists.is_empty()
    }
}

/// A report of coordination: the lists given replace those of [`CoordinationLists`], the others stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoordinationPatch {
    /// The ballots it takes part in.
    pub active_consensus: Option<Vec<Name>>,
    /// The barriers it waits at.
    pub active_barriers: Option<Vec<Name>>,
    /// The locks it holds.
    pub held_locks: Option<Vec<Name>>,
    /// The elections it has won.
    pub leadership_roles: Option<Vec<Name>>,
}

impl From<CoordinationLists> for CoordinationPatch {
    /// A patch that replaces all four lists.
    fn from(lists: CoordinationLists) -> Self {
        Self {
            active_consensus: Some(lists.active_consensus),
            active_barriers: Some(lists.active_barriers),
            held_locks: Some(lists.held_locks),
            leadership_roles: Some(lists.leadership_roles),
        }
    }
}
