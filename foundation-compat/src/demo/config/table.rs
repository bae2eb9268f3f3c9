//! All settings of the demo, in one table: the schema, its defaults and rules, and the commented file are made of it.

use std::time::Duration;

use super::super::settings::{
    Crew, DEFAULT_AGENTS, DEFAULT_REVIEWS_PER_SECOND, DEFAULT_TOP, MAX_CONNECTIONS, MAX_REVIEW_ATTEMPTS,
    REVIEW_DEADLINE, REVIEW_TIMEOUT, TASK_TIMEOUT,
};

/// The longest time that can be set, in milliseconds: a hundred days.
pub(in super::super) const MAX_MILLIS: i64 = 100 * 24 * 60 * 60 * 1000;

/// The highest rate that can be set.
const MAX_RATE: i64 = 1_000_000;

/// The longest text that can be set, in bytes.
const MAX_TEXT_SETTING: usize = 1024;

/// One setting.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Setting {
    /// The table of the file that it is in, and the first component of its path.
    pub section: &'static str,
    /// Its key in the table, and the second component of its path.
    pub key: &'static str,
    /// What it can be, and what it is by default.
    pub kind: Kind,
    /// When a change of it takes effect.
    pub effect: Effect,
    /// For whom it can be set.
    pub reach: Reach,
    /// What it is, in a sentence.
    pub about: &'static str,
}

/// What a setting can be, and what it is by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A whole number.
    Integer {
        /// What it is by default.
        default: i64,
        /// The least that it can be.
        min: i64,
        /// The most that it can be.
        max: i64,
        /// What is counted, in the plural.
        unit: &'static str,
    },
    /// A text of printable ASCII characters, which may be empty.
    Text {
        /// What it is by default.
        default: &'static str,
        /// How many characters it may have.
        max: usize,
    },
}

/// When a change takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// At once, while a survey runs.
    AtOnce,
    /// With the next survey.
    NextRun,
}

/// For whom a setting can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// For all.
    All,
    /// For all, and for single agents, in a table `agents.NAME`.
    EachAgent,
}

impl Setting {
    const fn integer(path: (&'static str, &'static str), range: (i64, i64, i64), unit: &'static str) -> Self {
        let ((section, key), (min, default, max)) = (path, range);
        let kind = Kind::Integer { default, min, max, unit };
        Self { section, key, kind, effect: Effect::NextRun, reach: Reach::All, about: "" }
    }

    const fn text(path: (&'static str, &'static str), default: &'static str) -> Self {
        let (section, key) = path;
        let kind = Kind::Text { default, max: MAX_TEXT_SETTING };
        Self { section, key, kind, effect: Effect::NextRun, reach: Reach::All, about: "" }
    }

    const fn at_once(self) -> Self {
        Self { effect: Effect::AtOnce, ..self }
    }

    const fn each_agent(self) -> Self {
        Self { reach: Reach::EachAgent, ..self }
    }

    const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// Its path, with a dot between the components.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }

    /// The setting at a path of these components.
    pub fn find(section: &str, key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.section == section && setting.key == key)
    }

    /// What it can be, in words.
    pub fn range(&self) -> String {
        match self.kind {
            Kind::Integer { min, max, .. } => format!("an integer from {min} to {max}"),
            Kind::Text { max, .. } => format!("a text of at most {max} printable ASCII characters"),
        }
    }
}

#[expect(clippy::cast_possible_wrap, reason = "numbers of agents and files")]
const fn count(number: usize) -> i64 {
    number as i64
}

#[expect(clippy::cast_possible_truncation, reason = "timeouts are far shorter")]
const fn millis(duration: Duration) -> i64 {
    duration.as_millis() as i64
}

/// Agents of one role.
const fn role(key: &'static str, about: &'static str) -> Setting {
    Setting::integer(("crew", key), (0, 0, count(Crew::MAX)), "agents").about(about)
}

/// All settings, in the order of the file.
pub const SETTINGS: &[Setting] = &[
    Setting::integer(("crew", "agents"), (count(Crew::MIN), count(DEFAULT_AGENTS), count(Crew::MAX)), "agents")
        .about("How many agents work, all roles together."),
    role("scouts", "How many scouts there are among them; 0 for one in eight."),
    role("readers", "How many readers there are among them; 0 for half of what scouts and reviewers leave."),
    role("analysts", "How many analysts there are among them; 0 for the other half."),
    role("reviewers", "How many reviewers there are among them; 0 for one in four."),
    Setting::integer(("task", "timeout_ms"), (1, millis(TASK_TIMEOUT), MAX_MILLIS), "milliseconds")
        .at_once()
        .about("How long an agent may show no progress before its task goes to another; 1000 with --chaos."),
    Setting::integer(("read", "concurrency"), (1, count(Crew::MAX), count(Crew::MAX)), "readers")
        .at_once()
        .about("How many readers may be at work at once."),
    Setting::integer(("read", "files_per_second"), (0, 0, MAX_RATE), "files a second")
        .at_once()
        .each_agent()
        .about("How many files each reader may begin in a second; 0 for as many as it can."),
    Setting::integer(
        ("review", "per_second"),
        (1, DEFAULT_REVIEWS_PER_SECOND.get() as i64, MAX_RATE),
        "reviews a second",
    )
    .at_once()
    .about("How many reviews may begin in a second, by all reviewers together."),
    Setting::integer(("review", "attempts"), (1, MAX_REVIEW_ATTEMPTS as i64, 100), "attempts")
        .about("How often a reviewer tries to have a text reviewed before it gives it back."),
    Setting::integer(("review", "timeout_ms"), (1, millis(REVIEW_TIMEOUT), MAX_MILLIS), "milliseconds")
        .about("How long one call to the reviewing service may take; 100 with --chaos."),
    Setting::integer(("review", "deadline_ms"), (1, millis(REVIEW_DEADLINE), MAX_MILLIS), "milliseconds")
        .about("How long after its first attempt at a text a reviewer may begin another one."),
    Setting::integer(("review", "connections"), (1, count(MAX_CONNECTIONS), 64), "connections")
        .about("How many connections to the reviewing service there are at most, and no more than reviewers."),
    Setting::text(("review", "token"), "")
        .about("A secret that is sent to the reviewing service as a bearer token, if there is one."),
    Setting::integer(("report", "top"), (0, count(DEFAULT_TOP), 1000), "files")
        .about("How many of the largest files to name, and of those with the lowest scores."),
];
