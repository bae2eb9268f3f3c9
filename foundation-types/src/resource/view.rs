//! The resource seams: who asks how much is left, and who is told how something is.

use std::time::Duration;

use super::{Ratio, ResourceKind, ResourceUsage};
use crate::text_enum::text_enum;
use crate::{AgentId, Health};

/// Whom a reading or a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject<'a> {
    /// The machine, or the part of it that this program may use.
    System,
    /// One agent.
    Agent(&'a AgentId),
}

text_enum! {
    /// How near a resource is to its limit, by the thresholds of whoever measures it.
    #[derive(PartialOrd, Ord, Default)]
    pub enum ResourceLevel {
        /// Below the warning threshold.
        #[default]
        Ok => "ok",
        /// At or above the warning threshold.
        Warning => "warning",
        /// At or above the critical threshold.
        Critical => "critical",
    }

    /// The text is no [`ResourceLevel`].
    pub struct UnknownResourceLevel("resource level");
}

impl From<ResourceLevel> for Health {
    /// Ok is healthy, warning degraded, critical unhealthy.
    fn from(level: ResourceLevel) -> Self {
        match level {
            ResourceLevel::Ok => Self::Healthy,
            ResourceLevel::Warning => Self::Degraded,
            ResourceLevel::Critical => Self::Unhealthy,
        }
    }
}

/// What is known of one resource of one subject, all from the same measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceReading {
    /// Use as a share of the limit, cut at the limit; absent without a limit.
    pub ratio: Option<Ratio>,
    /// Use as a number of things or bytes, where the resource is counted.
    pub count: Option<u64>,
    /// How near the limit is; absent without a limit.
    pub level: Option<ResourceLevel>,
    /// How long until the limit is reached if use goes on as it does; zero at or past the limit, absent while nothing is
    /// predicted.
    pub exhausted_in: Option<Duration>,
}

/// Tells how much of its resources an agent, or the system, uses.
///
/// All methods answer from the latest measurement, in memory: they take no lock that a writer can hold across work and never
/// measure, so they may be called on every operation. An answer of `None` means not known, never zero.
pub trait ResourceView: Send + Sync {
    /// What is known of one resource of one subject; `None` if the subject or the resource is not known.
    fn reading(&self, subject: Subject<'_>, kind: &ResourceKind) -> Option<ResourceReading>;

    /// All use of one subject: ratios where there are limits, else counts. `None` if the subject is not known.
    fn usage(&self, subject: Subject<'_>) -> Option<ResourceUsage>;

    /// The highest level among all resources of one subject; `None` if the subject is not known or none has a limit.
    fn overall_level(&self, subject: Subject<'_>) -> Option<ResourceLevel>;

    /// The level of one resource.
    fn level(&self, subject: Subject<'_>, kind: &ResourceKind) -> Option<ResourceLevel> {
        self.reading(subject, kind)?.level
    }

    /// The use of one resource as a share of its limit.
    fn ratio(&self, subject: Subject<'_>, kind: &ResourceKind) -> Option<Ratio> {
        self.reading(subject, kind)?.ratio
    }

    /// How long until one resource is exhausted, if that is predicted.
    fn exhausted_in(&self, subject: Subject<'_>, kind: &ResourceKind) -> Option<Duration> {
        self.reading(subject, kind)?.exhausted_in
    }
}

/// Is told the health of an agent, or of the system, when it changes.
///
/// Reporters call it after the change took effect, outside every lock, and once per change: a repeated report of the same
/// health is not made. A panic in it is caught by the reporter and changes nothing. Reports of one reporter about one
/// subject come in order; a sink must not block.
pub trait HealthSink: Send + Sync {
    /// `subject` is now of this health.
    fn report(&self, subject: Subject<'_>, health: Health);
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Memory(ResourceReading);

    impl ResourceView for Memory {
        fn reading(&self, subject: Subject<'_>, kind: &ResourceKind) -> Option<ResourceReading> {
            (subject == Subject::System && *kind == ResourceKind::Memory).then_some(self.0)
        }

        fn usage(&self, subject: Subject<'_>) -> Option<ResourceUsage> {
            let ratio = self.ratio(subject, &ResourceKind::Memory)?;
            Some(ResourceUsage::new().with_memory(ratio))
        }

        fn overall_level(&self, subject: Subject<'_>) -> Option<ResourceLevel> {
            self.level(subject, &ResourceKind::Memory)
        }
    }

    #[test]
    fn parts_of_a_reading_agree_with_the_reading_and_the_unknown_stays_unknown() {
        let reading = ResourceReading {
            ratio: Some(Ratio::ONE),
            level: Some(ResourceLevel::Critical),
            exhausted_in: Some(Duration::ZERO),
            count: None,
        };
        let view: &dyn ResourceView = &Memory(reading);
        assert_eq!(view.level(Subject::System, &ResourceKind::Memory), Some(ResourceLevel::Critical));
        assert_eq!(view.ratio(Subject::System, &ResourceKind::Memory), Some(Ratio::ONE));
        assert_eq!(view.exhausted_in(Subject::System, &ResourceKind::Memory), Some(Duration::ZERO));
        assert_eq!(view.level(Subject::System, &ResourceKind::Cpu), None);
        assert_eq!(view.usage(Subject::Agent(&AgentId::from_static("scout"))), None);
    }

    #[test]
    fn levels_map_to_health() {
        assert_eq!(ResourceLevel::ALL.map(Health::from), [Health::Healthy, Health::Degraded, Health::Unhealthy]);
        assert!(ResourceLevel::Critical > ResourceLevel::Warning && ResourceLevel::Warning > ResourceLevel::Ok);
    }
}
