//! What a survey is told, and the limits it keeps to.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::config::SettingsSources;
use super::config::to_millis;
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

/// The most services listed in the report that did not stop in time.
pub const MAX_ABANDONED_LISTED: usize = 256;

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

/// How long an agent that was ended may go on before its supervisor abandons it and starts it again.
pub const AGENT_GRACE: Duration = Duration::from_millis(500);

/// How long agents may go on with the task that they are at when the survey is stopped early. The others are not begun.
pub const STOP_GRACE: Duration = Duration::from_secs(3);

/// How often agents may be started again, all together, within [`RESTARTS_WITHIN`]; more end the survey. Chaos takes some two
/// hundred lives of a hundred thousand tasks, which no machine does in much less than the window; an agent that dies as soon as it
/// lives uses them up in seconds.
pub const MAX_RESTARTS: u32 = 4096;

/// The window in which restarts are counted; see [`MAX_RESTARTS`].
pub const RESTARTS_WITHIN: Duration = Duration::from_secs(10);

/// Entries in the list of the largest files, unless told otherwise.
pub const DEFAULT_TOP: usize = 10;

/// Agents of a survey, unless told otherwise.
pub const DEFAULT_AGENTS: usize = 8;

/// What to survey, and how.
///
/// Settings that [`config`](super::config) lists are given by its methods, as flags of the command line are: they lie above
/// file and environment, which are not read unless [`sources`](Self::sources) says so.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SurveySettings {
    /// The directory.
    pub input: PathBuf,
    /// Where the settings come from.
    pub sources: SettingsSources,
    /// Where a reviewing service listens that runs already, on this machine; without one, the survey starts its own.
    pub reviewer: Option<SocketAddr>,
    /// With a seed, agents panic, hang, are killed and slow down, the reviewing service that the survey starts fails, stalls
    /// and hangs up, and settings change, as it decides.
    pub chaos: Option<u64>,
}

impl SurveySettings {
    /// A quiet survey of `input` by eight agents.
    pub fn new(input: impl Into<PathBuf>) -> Self {
        Self { input: input.into(), sources: SettingsSources::new(), reviewer: None, chaos: None }
    }

    /// The same with settings from these sources, in place of those that were given before.
    pub fn with_sources(self, sources: SettingsSources) -> Self {
        Self { sources, ..self }
    }

    fn with(self, path: &str, value: i64, given_as: &str) -> Self {
        Self { sources: self.sources.known(path, value, given_as), ..self }
    }

    /// The same with another crew.
    pub fn with_crew(self, crew: Crew) -> Self {
        self.with("crew.agents", i64::try_from(crew.total()).unwrap_or(i64::MAX), "--agents")
    }

    /// The same with chaos, and with the time limits of a run with chaos, unless others are given: [`CHAOS_TASK_TIMEOUT`] and
    /// [`CHAOS_REVIEW_TIMEOUT`].
    pub fn with_chaos(self, seed: u64) -> Self {
        Self { chaos: Some(seed), sources: self.sources.chaos(), ..self }
    }

    /// The same with another timeout of tasks, of a hundred days at most.
    pub fn with_task_timeout(self, task_timeout: Duration) -> Self {
        self.with("task.timeout_ms", to_millis(task_timeout), "--task-timeout")
    }

    /// The same with another time limit of calls to the reviewing service, of a hundred days at most.
    pub fn with_review_timeout(self, review_timeout: Duration) -> Self {
        self.with("review.timeout_ms", to_millis(review_timeout), "--review-timeout")
    }

    /// The same with another deadline for the attempts at one text, of a hundred days at most.
    pub fn with_review_deadline(self, review_deadline: Duration) -> Self {
        self.with("review.deadline_ms", to_millis(review_deadline), "--review-deadline")
    }

    /// The same with another limit on the rate of reviews.
    pub fn with_reviews_per_second(self, reviews_per_second: NonZeroU32) -> Self {
        self.with("review.per_second", reviews_per_second.get().into(), "--reviews-per-second")
    }

    /// The same with a reviewing service that runs already at a loopback address: it answers `POST /reviews` as the survey's
    /// own one does, which is told in the [module](super#reviews).
    pub fn with_reviewer(self, address: SocketAddr) -> Self {
        Self { reviewer: Some(address), ..self }
    }

    /// The same with another number of largest files, and of files with the lowest scores.
    pub fn with_top(self, top: usize) -> Self {
        self.with("report.top", i64::try_from(top).unwrap_or(i64::MAX), "--top")
    }
}

/// How many agents there are of each role; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crew {
    /// In the order of [`Role::ALL`].
    sizes: [usize; Role::ALL.len()],
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
    pub fn of(total: usize) -> Result<Self, CrewSizeError> {
        if (Self::MIN..=Self::MAX).contains(&total) {
            Ok(Self::shared(total, |_| None))
        } else {
            Err(CrewSizeError { total })
        }
    }

    /// As [`of`](Self::of) for a total in range, but for roles whose number is given, which may make it another total.
    pub(super) fn shared(total: usize, given: impl Fn(Role) -> Option<usize>) -> Self {
        let total = total.max(Self::MIN);
        let size = |role, share: usize| given(role).unwrap_or(share).max(1);
        let scouts = size(Role::Scout, total / 8);
        let reviewers = size(Role::Reviewer, total / 4);
        let rest = total.saturating_sub(scouts + reviewers);
        let readers = size(Role::Reader, rest / 2);
        let analysts = size(Role::Analyst, rest.saturating_sub(readers));
        Self { sizes: [scouts, readers, analysts, reviewers] }
    }

    /// All agents.
    pub const fn total(self) -> usize {
        let [scouts, readers, analysts, reviewers] = self.sizes;
        scouts + readers + analysts + reviewers
    }

    /// Agents of one role.
    pub const fn size(self, role: Role) -> usize {
        self.sizes[role as usize]
    }
}

impl Default for Crew {
    fn default() -> Self {
        Self::shared(DEFAULT_AGENTS, |_| None)
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
    fn roles_whose_size_is_given_have_it() {
        let crew = Crew::shared(8, |role| (role == Role::Reader).then_some(5));
        assert_eq!(Role::ALL.map(|role| crew.size(role)), [1, 5, 1, 2]);
        assert_eq!(crew.total(), 9);
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
