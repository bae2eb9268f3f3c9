//! How busy an agent is.

use crate::Ratio;
use crate::text_enum::text_enum;

text_enum! {
    /// How busy an agent is, from its coordination and its resources.
    #[derive(PartialOrd, Ord, Default)]
    pub enum LoadLevel {
        /// At most 0.2.
        #[default]
        Minimal => "minimal",
        /// Above 0.2.
        Low => "low",
        /// Above 0.5.
        Medium => "medium",
        /// Above 0.8.
        High => "high",
    }

    /// The text is no [`LoadLevel`].
    pub struct UnknownLoadLevel("load level");
}

impl LoadLevel {
    /// The level of the mean of a coordination score and a mean resource usage.
    pub fn of(coordination_score: Ratio, mean_usage: Ratio) -> Self {
        match f64::midpoint(coordination_score.get(), mean_usage.get()) {
            load if load > 0.8 => Self::High,
            load if load > 0.5 => Self::Medium,
            load if load > 0.2 => Self::Low,
            _ => Self::Minimal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_itself_belongs_to_the_level_below() {
        let level = |load: f64| LoadLevel::of(Ratio::saturating(load), Ratio::saturating(load));
        for (threshold, below, above) in [
            (0.2, LoadLevel::Minimal, LoadLevel::Low),
            (0.5, LoadLevel::Low, LoadLevel::Medium),
            (0.8, LoadLevel::Medium, LoadLevel::High),
        ] {
            assert_eq!(level(threshold), below);
            assert_eq!(level(f64::next_up(threshold)), above);
        }
    }
}
