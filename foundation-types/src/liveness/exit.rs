//! Why a component died.

use std::any::Any;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Text;

/// Why an owner died. Fixed at the instant of death and equal for every observer.
///
/// The serialised form is the snake-case name, or `{"panic": text}` and `{"error": text}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExitReason {
    /// It returned.
    Normal,
    /// It was asked to stop.
    Shutdown,
    /// [`Pid::kill`](super::Pid::kill) ended it.
    Killed,
    /// It panicked; the message where it is known.
    Panic(Text),
    /// It failed; what it said.
    Error(Text),
    /// The lease under which a remote component was known ran out.
    LeaseExpired,
    /// The node of a remote component went away.
    NodeDown,
}

impl ExitReason {
    /// A failure with a message.
    pub fn error(message: impl Into<Text>) -> Self {
        Self::Error(message.into())
    }

    /// A panic, with the message of its payload where that is text.
    pub fn from_panic(payload: &(dyn Any + Send)) -> Self {
        Self::Panic(crate::contain::panic_message(payload))
    }

    /// Whether the component ended as intended: [`Normal`](Self::Normal) or [`Shutdown`](Self::Shutdown).
    pub const fn is_orderly(&self) -> bool {
        matches!(self, Self::Normal | Self::Shutdown)
    }
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.pad("normal"),
            Self::Shutdown => f.pad("shutdown"),
            Self::Killed => f.pad("killed"),
            Self::Panic(message) => write!(f, "panic: {message}"),
            Self::Error(message) => write!(f, "error: {message}"),
            Self::LeaseExpired => f.pad("lease_expired"),
            Self::NodeDown => f.pad("node_down"),
        }
    }
}
