//! Health: how well something works, and which way it goes.

use crate::text_enum::text_enum;

text_enum! {
    /// How well a component or an agent works.
    ///
    /// The values are not ordered as Rust values, because [`Health::Unknown`] has no place among the others; compare with
    /// [`Health::rank`] or [`Health::is_at_least`].
    ///
    /// ```
    /// use foundation_types::{Health, HealthTrend};
    ///
    /// assert_eq!("degraded".parse(), Ok(Health::Degraded));
    /// assert_eq!(Health::Degraded.trend_to(Health::Healthy), HealthTrend::Improving);
    /// assert_eq!(Health::Unknown.trend_to(Health::Healthy), HealthTrend::Stable);
    /// ```
    #[derive(Default)]
    pub enum Health {
        /// Works as it should.
        Healthy => "healthy",
        /// Works, but worse than it should.
        Degraded => "degraded",
        /// Does not work as it should; keep work away.
        Unhealthy => "unhealthy",
        /// Must be given no work at all.
        Critical => "critical",
        /// Nobody has reported yet.
        #[default]
        Unknown => "unknown",
    }

    /// The text is no [`Health`].
    pub struct UnknownHealth("health");
}

impl Health {
    /// The place among the known values, 3 for healthy down to 0 for critical; `None` for unknown.
    pub const fn rank(self) -> Option<u8> {
        match self {
            Self::Healthy => Some(3),
            Self::Degraded => Some(2),
            Self::Unhealthy => Some(1),
            Self::Critical => Some(0),
            Self::Unknown => None,
        }
    }

    /// Whether this health is `threshold` or better. Unknown is below every threshold but itself.
    pub fn is_at_least(self, threshold: Self) -> bool {
        // `None` orders below every `Some`.
        self.rank() >= threshold.rank()
    }

    /// Which way health went from this value to `new`; stable if either is unknown.
    pub const fn trend_to(self, new: Self) -> HealthTrend {
        match (self.rank(), new.rank()) {
            (Some(old), Some(new)) if new > old => HealthTrend::Improving,
            (Some(old), Some(new)) if new < old => HealthTrend::Degrading,
            _ => HealthTrend::Stable,
        }
    }
}

text_enum! {
    /// Which way health went at the last report.
    #[derive(Default)]
    pub enum HealthTrend {
        /// It rose.
        Improving => "improving",
        /// It stayed, or one of the two values is unknown.
        #[default]
        Stable => "stable",
        /// It fell.
        Degrading => "degrading",
    }

    /// The text is no [`HealthTrend`].
    pub struct UnknownHealthTrend("health trend");
}
