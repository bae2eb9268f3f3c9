//! What a survey is told, and the limits it keeps to.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::roles::Role;

/// How long an agent may show no progress on a file before it is taken for hung, unless told otherwise. On top of it
/// comes time for the size of the file, see [`SLOWEST_RATE`].
pub const TASK_TIMEOUT: Duration = Duration::from_secs(10);

/// The same in a run with chaos, where every hung agent costs this much.
pub const CHAOS_TASK_TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes per second below which the work on one piece of a file counts as no progress.
pub const SLOWEST_RATE: u64 = 4 << 20;

/// Files up to this size are read once, and their contents go from reader to analyst to reviewer. Larger ones are hashed as a
/// stream, counted from their path, one at a time, and not reviewed.
pub const INLINE_LIMIT: u64 = 1 << 20;

/// The most bytes of a text that the reviewing service takes: as many as a file may have whose contents are handed on.
pub const MAX_TEXT: usize = 1 << 20;

/// How long one call to the reviewing service may take, unless told otherwise. After calls without an answer the next ones may
/// take longer, up to this.
pub const REVIEW_TIMEOUT: Duration = Duration::from_secs(2);

/// The same in a run with chaos, where every call without an answer costs this much.
pub const CHAOS_REVIEW_TIMEOUT: Duration = Duration::from_millis(100);

/// How many reviews may begin in a second, by all reviewers together, unless told otherwise.
pub const DEFAULT_REVIEWS_PER_SECOND: NonZeroU32 = NonZeroU32::new(10_000).expect("not zero");

/// How often a reviewer tries to have a text reviewed before it gives it back, refused attempts included.
pub const MAX_REVIEW_ATTEMPTS: u32 = 10;

/// How long after its first attempt at a text a reviewer may begin another one, unless told otherwise.
pub const REVIEW_DEADLINE: Duration = Duration::from_secs(5);

/// How long the reviewing service may be asked without giving a single review before it counts as gone, after which no more
/// texts are sent for review. It takes [`MIN_FRUITLESS_CALLS`] as well.
///
/// This is time spent asking: calls that failed, and the waits between them. What says nothing about the service does not
/// count, however long it takes: calls that the circuit breaker or the retry budget did not let through or that got no
/// connection from the pool, time that a clock jumped over or a machine stood still, agents that died, and times without
/// anything to review.
pub const GONE_AFTER: Duration = Duration::from_secs(10);

/// The fewest calls that must fail in a row before the reviewing service counts as gone; see [`GONE_AFTER`].
pub const MIN_FRUITLESS_CALLS: u32 = 16;

/// How much later than due a call may be noticed to have run out of time. If it is later, the clock jumped or the machine stood
/// still, and the answer may have been there in time.
pub const MAX_LATENESS: Duration = Duration::from_secs(1);

/// The most connections to the reviewing service.
pub const MAX_CONNECTIONS: usize = 8;

/// The most changes of a circuit listed in the report; further ones are only numbered.
pub const MAX_CIRCUIT_CHANGES: usize = 256;

/// The most bytes of file contents held at once, by all agents and queues together. Besides them there are only the one file
/// above [`INLINE_LIMIT`] that is being counted, and what agents that died have not let go yet, at most
/// [`MAX_BATCH_BYTES`] each.
pub const BYTES_IN_FLIGHT: u64 = 64 << 20;

/// The most files found and not yet counted. Beyond it scouts wait.
pub const MAX_WAITING_FILES: usize = 16_384;

/// The most tasks handed to an agent at once.
pub const MAX_BATCH: usize = 64;

/// The most bytes of files handed to an agent at once, unless a single one is larger.
pub const MAX_BATCH_BYTES: u64 = 4 << 20;

/// How often a task may be in the hands of an agent that panics or hangs, or be given back because the reviewing service answers
/// with anything but a review. Then it is given up, and the report names it.
pub const MAX_ATTEMPTS: u8 = 5;

/// The most skipped entries listed in the report; further ones are only numbered.
pub const MAX_SKIPPED_LISTED: usize = 10_000;

/// How long agents may take to end when the work is done. Those that still hang then are left behind.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// Entries in the list of the largest files, unless told otherwise.
pub const DEFAULT_TOP: usize = 10;

/// Agents of a survey, unless told otherwise.
pub const DEFAULT_AGENTS: usize = 8;

/// What to survey, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SurveySettings {
    /// The directory.
    pub input: PathBuf,
    /// Who works on it.
    pub crew: Crew,
    /// How long an agent may show no progress before it is taken for hung.
    pub task_timeout: Duration,
    /// How many of the largest files to name, and of those with the lowest scores.
    pub top: usize,
    /// How long a call to the reviewing service may take.
    pub review_timeout: Duration,
    /// How long after its first attempt at a text a reviewer may begin another one.
    pub review_deadline: Duration,
    /// How many reviews may begin in a second.
    pub reviews_per_second: NonZeroU32,
    /// Where a reviewing service listens that runs already, on this machine; without one, the survey starts its own.
    pub reviewer: Option<SocketAddr>,
    /// With a seed, agents panic, hang, are killed and slow down, and the reviewing service that the survey starts fails, stalls
    /// and hangs up, as it decides.
    pub chaos: Option<u64>,
}

impl SurveySettings {
    /// A quiet survey of `input` by eight agents.
    pub fn new(input: impl Into<PathBuf>) -> Self {
        Self {
            input: input.into(),
            crew: Crew::default(),
            task_timeout: TASK_TIMEOUT,
            top: DEFAULT_TOP,
            review_timeout: REVIEW_TIMEOUT,
            review_deadline: REVIEW_DEADLINE,
            reviews_per_second: DEFAULT_REVIEWS_PER_SECOND,
            reviewer: None,
            chaos: None,
        }
    }

    /// The same with another crew.
    pub fn with_crew(self, crew: Crew) -> Self {
        Self { crew, ..self }
    }

    /// The same with chaos, and with the time limits of a run with chaos: [`CHAOS_TASK_TIMEOUT`] and [`CHAOS_REVIEW_TIMEOUT`].
    pub fn with_chaos(self, seed: u64) -> Self {
        Self { chaos: Some(seed), task_timeout: CHAOS_TASK_TIMEOUT, review_timeout: CHAOS_REVIEW_TIMEOUT, ..self }
    }

    /// The same with another timeout of tasks.
    pub fn with_task_timeout(self, task_timeout: Duration) -> Self {
        Self { task_timeout, ..self }
    }

    /// The same with another time limit of calls to the reviewing service.
    pub fn with_review_timeout(self, review_timeout: Duration) -> Self {
        Self { review_timeout, ..self }
    }

    /// The same with another deadline for the attempts at one text.
    pub fn with_review_deadline(self, review_deadline: Duration) -> Self {
        Self { review_deadline, ..self }
    }

    /// The same with another limit on the rate of reviews.
    pub fn with_reviews_per_second(self, reviews_per_second: NonZeroU32) -> Self {
        Self { reviews_per_second, ..self }
    }

    /// The same with a reviewing service that runs already at a loopback address: it answers `POST /reviews` as the survey's
    /// own one does, which is told in the [module](super#reviews).
    pub fn with_reviewer(self, address: SocketAddr) -> Self {
        Self { reviewer: Some(address), ..self }
    }

    /// The same with another number of largest files, and of files with the lowest scores.
    pub fn with_top(self, top: usize) -> Self {
        Self { top, ..self }
    }
}

/// How many agents there are of each role; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crew {
    total: usize,
}

impl Crew {
    /// The smallest crew: one agent of each role.
    pub const MIN: usize = Role::ALL.len();
    /// The largest crew.
    pub const MAX: usize = 256;

    /// A crew of `total` agents, split by the work there is in each role: one scout in eight, one reviewer in four, the others
    /// half readers and half analysts, which get the odd one.
    ///
    /// # Errors
    /// [`CrewSizeError`] outside [`MIN`](Self::MIN)`..=`[`MAX`](Self::MAX).
    pub const fn of(total: usize) -> Result<Self, CrewSizeError> {
        if total < Self::MIN || total > Self::MAX { Err(CrewSizeError { total }) } else { Ok(Self { total }) }
    }

    /// All agents.
    pub const fn total(self) -> usize {
        self.total
    }

    /// Agents of one role.
    pub fn size(self, role: Role) -> usize {
        let scouts = (self.total / 8).max(1);
        let reviewers = (self.total / 4).max(1);
        let readers = (self.total - scouts - reviewers) / 2;
        match role {
            Role::Scout => scouts,
            Role::Reader => readers,
            Role::Analyst => self.total - scouts - reviewers - readers,
            Role::Reviewer => reviewers,
        }
    }
}

impl Default for Crew {
    fn default() -> Self {
        Self { total: DEFAULT_AGENTS }
    }
}

/// A crew that is too small or too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a crew has {min} to {max} agents, not {total}", min = Crew::MIN, max = Crew::MAX)]
pub struct CrewSizeError {
    /// The size asked for.
    pub total: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crew_has_every_role_and_nobody_else() {
        for total in Crew::MIN..=Crew::MAX {
            let crew = Crew::of(total).unwrap();
            let sizes = Role::ALL.map(|role| crew.size(role));
            assert!(sizes.iter().all(|&size| size >= 1), "{total}: {sizes:?}");
            assert_eq!(sizes.iter().sum::<usize>(), total);
        }
    }

    #[test]
    fn what_is_handed_on_is_what_the_service_takes() {
        assert_eq!(MAX_TEXT as u64, INLINE_LIMIT);
    }

    #[test]
    fn a_crew_out_of_range_is_refused() {
        assert_eq!(Crew::of(3), Err(CrewSizeError { total: 3 }));
        assert_eq!(Crew::of(257), Err(CrewSizeError { total: 257 }));
    }
}
