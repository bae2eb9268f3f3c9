//! The settings of the demo: what they are, where they come from, and how they change while it runs.
//!
//! From the lowest layer to the highest: defaults; a file, usually `foundation.toml` in the directory that is surveyed;
//! environment variables such as `FOUNDATION__READ__CONCURRENCY=2`; flags of the command line; what is changed while running;
//! and, for one agent, its overrides. [`SETTINGS`] lists all settings, and which of them take effect while a survey runs.
//!
//! A file is watched during a survey, and read again when it changes. One that is not valid is refused with file, line, path,
//! what was expected and what was found, and what was in force stays so.
//!
//! # Single agents
//! A table `[agents."reader-1".read]` in the file holds what only that agent is to use. It becomes the agent's override when
//! the file is read, and goes with it; overrides that were set in another way stay.

mod check;
mod explain;
mod file;
mod journal;
mod overrides;
mod sources;
mod table;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use foundation_config::{Secret, TypedPath, UpdatePolicy, path};
use foundation_resources::rate_limit::Quota;
use foundation_types::Value;
use serde::Deserialize;

pub use explain::{Explanation, Said, explain};
pub use file::template;
pub(super) use journal::Journal;
pub use journal::{ConfigChange, ConfigSummary, MAX_CHANGES_LISTED, Rejection};
pub(super) use sources::to_millis;
pub use sources::{ENVIRONMENT_PREFIX, FILE_NAME, Opened, SettingsError, SettingsSources};
pub use table::{Effect, Kind, Reach, SETTINGS, Setting};

use super::roles::Role;
use super::settings::Crew;

/// How many readers may be at work at once.
pub const READ_CONCURRENCY: TypedPath<u32> = path!(read.concurrency: u32);
/// How many files each reader may begin in a second.
pub const READ_RATE: TypedPath<u32> = path!(read.files_per_second: u32);
/// How many reviews may begin in a second.
pub const REVIEW_RATE: TypedPath<u32> = path!(review.per_second: u32);

/// What of a second's reviews, or files, may come at once.
const BURST_SHARE: u32 = 50;

/// The settings of the demo, all of them, as they are in force. [`SETTINGS`] says what each is.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct DemoSettings {
    /// Who works.
    pub crew: CrewSettings,
    /// Tasks of all kinds.
    pub task: TaskSettings,
    /// Reading files.
    pub read: ReadSettings,
    /// Having texts reviewed.
    pub review: ReviewSettings,
    /// What to report.
    pub report: ReportSettings,
    /// What single agents are to use, as the file says it.
    #[serde(default)]
    pub agents: BTreeMap<String, Value>,
}

/// Who works; 0 where the size of the crew decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table says what each is")]
pub struct CrewSettings {
    pub agents: usize,
    pub scouts: usize,
    pub readers: usize,
    pub analysts: usize,
    pub reviewers: usize,
}

/// Tasks of all kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TaskSettings {
    /// How long an agent may show no progress, in milliseconds.
    pub timeout_ms: u64,
}

/// Reading files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ReadSettings {
    /// How many readers may be at work at once.
    pub concurrency: usize,
    /// How many files each may begin in a second; 0 for as many as it can.
    pub files_per_second: u32,
}

/// Having texts reviewed.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ReviewSettings {
    /// How many reviews may begin in a second.
    pub per_second: NonZeroU32,
    /// How often a reviewer tries a text.
    pub attempts: NonZeroU32,
    /// How long a call may take, in milliseconds.
    pub timeout_ms: u64,
    /// How long after the first attempt another one may begin, in milliseconds.
    pub deadline_ms: u64,
    /// The most connections.
    pub connections: usize,
    /// What is sent as a bearer token.
    pub token: Secret<String>,
}

/// What to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ReportSettings {
    /// How many files to name in each list of files.
    pub top: usize,
}

impl DemoSettings {
    /// Who works.
    pub fn crew(&self) -> Crew {
        let CrewSettings { agents, scouts, readers, analysts, reviewers } = self.crew;
        let given = [scouts, readers, analysts, reviewers].map(|size| (size > 0).then_some(size));
        Crew::shared(agents, |role| given[role as usize])
    }

    /// How long an agent may show no progress before it is taken for hung.
    pub const fn task_timeout(&self) -> Duration {
        Duration::from_millis(self.task.timeout_ms)
    }

    /// The quota of one reader; `None` if it may read as fast as it can.
    pub fn read_quota(&self) -> Option<Quota> {
        NonZeroU32::new(self.read.files_per_second).map(quota)
    }

    /// The quota of all reviewers together.
    pub fn review_quota(&self) -> Quota {
        quota(self.review.per_second)
    }

    /// How long a call to the reviewing service may take.
    pub const fn review_timeout(&self) -> Duration {
        Duration::from_millis(self.review.timeout_ms)
    }

    /// How long after its first attempt at a text a reviewer may begin another one.
    pub const fn review_deadline(&self) -> Duration {
        Duration::from_millis(self.review.deadline_ms)
    }
}

fn quota(per_second: NonZeroU32) -> Quota {
    let per_second = per_second.get();
    Quota::per_second(per_second).with_burst((per_second / BURST_SHARE).max(1))
}

impl foundation_config::Schema for DemoSettings {
    fn defaults() -> Value {
        check::defaults()
    }

    fn check(tree: &Value, out: &mut foundation_config::Violations) {
        check::check(tree, out);
    }

    fn validate(&self, out: &mut foundation_config::Violations) {
        check::check_crew(self.crew(), out);
    }

    fn update_policy() -> UpdatePolicy {
        SETTINGS.iter().filter(|setting| setting.effect == Effect::AtOnce).fold(
            UpdatePolicy::deny_all(),
            |policy, setting| match foundation_config::Path::new([setting.section, setting.key]) {
                Ok(path) => policy.path(path),
                Err(_) => policy,
            },
        )
    }
}

/// Whether this is the name of an agent: a role and a number from 1, as in `reader-1`.
fn is_agent(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(role, number)| {
        let is_number = !number.starts_with('0') && number.parse::<u16>().is_ok_and(|n| usize::from(n) <= Crew::MAX);
        is_number && number.bytes().all(|byte| byte.is_ascii_digit()) && Role::ALL.iter().any(|of| of.as_str() == role)
    })
}

#[cfg(test)]
mod tests;
