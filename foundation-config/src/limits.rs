//! How much a value and a store hold.

use std::time::Duration;

use foundation_types::Value;

/// How much a store holds. Paths are limited by [`MAX_PATH_COMPONENTS`](crate::MAX_PATH_COMPONENTS) and
/// [`MAX_COMPONENT_LEN`](crate::MAX_COMPONENT_LEN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest text, and the longest key, in bytes; 1,000,000 by default.
    pub text_bytes: usize,
    /// The deepest nesting of a value that is written, itself at depth 0; 20 by default.
    pub value_depth: usize,
    /// The most nodes of a value that is written or loaded; 100,000 by default.
    pub value_nodes: usize,
    /// The most nodes of the whole tree; 1,000,000 by default.
    pub tree_nodes: usize,
    /// The most changes that are remembered; 1,024 by default. Subscriptions that fall further behind miss some.
    pub history: usize,
    /// For how long changes are remembered at most; one hour by default.
    pub history_age: Duration,
    /// How many versions can be rolled back to or compared, the current one included; 64 by default.
    pub versions: usize,
    /// The most subscriptions at one time; 65,536 by default.
    pub subscriptions: usize,
    /// The most agents with overrides; 10,000 by default.
    pub agents: usize,
    /// The most nodes of the overrides of one agent; 10,000 by default.
    pub agent_nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text_bytes: 1_000_000,
            value_depth: 20,
            value_nodes: 100_000,
            tree_nodes: 1_000_000,
            history: 1024,
            history_age: Duration::from_hours(1),
            versions: 64,
            subscriptions: 65_536,
            agents: 10_000,
            agent_nodes: 10_000,
        }
    }
}

/// The limits that a store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::value_nodes`].
    #[error("nodes of a value")]
    ValueNodes,
    /// [`Limits::tree_nodes`].
    #[error("nodes of the tree")]
    TreeNodes,
    /// [`Limits::subscriptions`].
    #[error("subscriptions")]
    Subscriptions,
    /// [`Limits::agents`].
    #[error("agents with overrides")]
    Agents,
    /// [`Limits::agent_nodes`].
    #[error("nodes of the overrides of an agent")]
    AgentNodes,
    /// [`PendingQueue::capacity`](crate::PendingQueue::capacity).
    #[error("pending writes")]
    Pending,
}

/// What is wrong with a value before anybody looks at what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ValueFault {
    /// A text or a key is longer than [`Limits::text_bytes`].
    #[error("a text is longer than {max} bytes")]
    TextTooLong {
        /// The limit.
        max: usize,
    },
    /// It nests deeper than [`Limits::value_depth`].
    #[error("it nests deeper than {max}")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// A key or a text is one that the store's policy refuses.
    #[error("a key in it is not allowed")]
    Forbidden,
    /// It is of a kind that no setting can be: a float that is not finite, an integer beyond 64 bits.
    #[error("it holds what no setting can be")]
    NotAValue,
}

/// What is wrong with a value.
#[derive(Clone, Copy)]
pub(crate) enum Unfit {
    Fault(ValueFault),
    Nodes,
}

/// Checks a value against the limits, keys also by `allows`. O(nodes), and no further than the first fault.
pub(crate) fn check_value(value: &Value, limits: &Limits, allows: fn(&str) -> bool) -> Result<(), Unfit> {
    let mut left = limits.value_nodes;
    check_node(value, 0, limits, allows, &mut left)
}

fn check_node(
    value: &Value,
    depth: usize,
    limits: &Limits,
    allows: fn(&str) -> bool,
    left: &mut usize,
) -> Result<(), Unfit> {
    if depth > limits.value_depth {
        return Err(Unfit::Fault(ValueFault::TooDeep { max: limits.value_depth }));
    }
    *left = left.checked_sub(1).ok_or(Unfit::Nodes)?;
    let check_text = |text: &str| {
        if text.len() > limits.text_bytes {
            return Err(Unfit::Fault(ValueFault::TextTooLong { max: limits.text_bytes }));
        }
        Ok(())
    };
    match value {
        Value::Text(text) => check_text(text),
        Value::List(items) => items.iter().try_for_each(|item| check_node(item, depth + 1, limits, allows, left)),
        Value::Map(map) => map.iter().try_for_each(|(key, value)| {
            check_text(key)?;
            if !allows(key) {
                return Err(Unfit::Fault(ValueFault::Forbidden));
            }
            check_node(value, depth + 1, limits, allows, left)
        }),
        _ => Ok(()),
    }
}
