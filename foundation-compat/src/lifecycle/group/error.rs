//! What can go wrong with a group.

use foundation_types::error::{Classify, Domain};
use foundation_types::{ErrorKind, Metadata, Pid};

use super::MAX_GROUP_SIZE;
use crate::lifecycle::error::LifecycleError;

/// Why an operation of a [`Group`](super::Group) failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// No coordinator was given.
    #[error("the group has no coordinator")]
    NoCoordinator,
    /// A group of this id runs.
    #[error("a group of this id runs already: {0}")]
    AlreadyStarted(Pid),
    /// There is no such member.
    #[error("there is no such member")]
    NotFound,
    /// The group has ended.
    #[error("the group has ended")]
    Ended,
    /// The group has, or would have, more than [`MAX_GROUP_SIZE`] members.
    #[error("a group has at most {MAX_GROUP_SIZE} members")]
    TooMany,
    /// A member did not do what it should.
    #[error("{0}")]
    Member(#[source] LifecycleError),
}

impl Classify for GroupError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoCoordinator => ErrorKind::ValidationError,
            Self::AlreadyStarted(_) => ErrorKind::AlreadyRegistered,
            Self::NotFound => ErrorKind::ServiceNotFound,
            Self::Ended => ErrorKind::Closed,
            Self::TooMany => ErrorKind::LimitExceeded,
            Self::Member(error) => error.kind(),
        }
    }

    fn domain(&self) -> Domain {
        match self {
            Self::NoCoordinator => Domain::Processes,
            Self::AlreadyStarted(_) | Self::NotFound | Self::Ended | Self::TooMany => Domain::Registry,
            Self::Member(error) => error.domain(),
        }
    }

    fn context(&self) -> Metadata {
        match self {
            Self::AlreadyStarted(holder) => Metadata::new().with("holder", holder.to_string()),
            Self::TooMany => Metadata::new().with("limit", i64::try_from(MAX_GROUP_SIZE).unwrap_or(i64::MAX)),
            Self::Member(error) => error.context(),
            Self::NoCoordinator | Self::NotFound | Self::Ended => Metadata::new(),
        }
    }
}
