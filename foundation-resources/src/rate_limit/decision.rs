//! What a limiter answers.

use std::time::Duration;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a denied request must not run"]
pub enum Decision {
    /// The request may run, and has been counted.
    Allowed(Admission),
    /// The request must not run. Nothing has been counted.
    Denied(Denial),
}

impl Decision {
    /// Whether the request may run.
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// The denial, if it is one.
    pub const fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Allowed(_) => None,
            Self::Denied(denial) => Some(denial),
        }
    }

    /// The decision as a result, for `?`.
    ///
    /// # Errors
    /// The denial.
    pub const fn into_result(self) -> Result<Admission, Denial> {
        match self {
            Self::Allowed(admission) => Ok(admission),
            Self::Denied(denial) => Err(denial),
        }
    }
}

/// A request that was let through and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Admission {
    /// How many count now, this request included.
    pub count: u32,
    /// How many more fit at this moment.
    pub remaining: u32,
    /// After how long nothing counted so far counts any more.
    pub reset_after: Duration,
}

impl Admission {
    /// An admission. For implementors of [`Algorithm`](super::Algorithm).
    pub const fn new(count: u32, remaining: u32, reset_after: Duration) -> Self {
        Self { count, remaining, reset_after }
    }
}

/// A request that was refused, and why. It is an error, and displays as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {count} of {limit} in {window:?}{}", hint(*retry_after))]
#[non_exhaustive]
pub struct Denial {
    /// What stood in the way.
    pub reason: DenialReason,
    /// How many count now.
    pub count: u32,
    /// How many may count: the limit, or the capacity of a token bucket.
    pub limit: u32,
    /// The length of the window.
    pub window: Duration,
    /// After how long the same request can succeed; `None` if it never can, or if nobody can say.
    pub retry_after: Option<Duration>,
}

fn hint(retry_after: Option<Duration>) -> String {
    retry_after.map_or_else(String::new, |wait| format!(", retry after {wait:?}"))
}

impl Denial {
    /// A denial. For implementors of [`Algorithm`](super::Algorithm).
    pub const fn new(
        reason: DenialReason,
        count: u32,
        limit: u32,
        window: Duration,
        retry_after: Option<Duration>,
    ) -> Self {
        Self { reason, count, limit, window, retry_after }
    }
}

/// What stood in the way of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DenialReason {
    /// The quota is used up.
    Exceeded,
    /// The request costs more than the whole quota, so it never fits.
    TooCostly,
    /// The key is new and the table is full of live ones; see [`WhenFull::Deny`](super::WhenFull::Deny).
    TableFull,
}

impl DenialReason {
    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exceeded => "rate limit exceeded",
            Self::TooCostly => "request costs more than the rate limit",
            Self::TableFull => "rate limiter is full of other keys",
        }
    }
}

impl std::fmt::Display for DenialReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How much of a quota is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// How many count now.
    pub count: u32,
    /// How many may count: the limit, or the capacity of a token bucket.
    pub limit: u32,
    /// How many more fit at this moment; 0 if more count than the limit of now.
    pub remaining: u32,
    /// After how long nothing counted so far counts any more; zero if nothing does now.
    pub reset_after: Duration,
}

impl Usage {
    /// The usage of `limit` by `count`, of which nothing is left after `reset_after`.
    pub const fn new(count: u32, limit: u32, reset_after: Duration) -> Self {
        Self { count, limit, remaining: limit.saturating_sub(count), reset_after }
    }

    /// Whether another request of cost 1 would be admitted.
    pub const fn is_available(&self) -> bool {
        self.remaining > 0
    }
}
