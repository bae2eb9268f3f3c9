//! The run-time switches of the agent layer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::text_enum::text_enum;

text_enum! {
    /// A part of the agent layer that can be switched off on its own. Its text form is its name under `features.` in the
    /// settings.
    #[derive(PartialOrd, Ord)]
    #[non_exhaustive]
    pub enum Feature {
        /// Agents in the registry: queries, directories, health history.
        Registry => "registry",
        /// Circuit breakers that look at the agent's health and resources.
        Breaker => "breaker",
        /// Rate limits per agent.
        RateLimiter => "rate_limiter",
        /// Settings per agent.
        Config => "config",
        /// Agent context in stored events.
        Events => "events",
        /// Agent labels and aggregates in telemetry.
        Telemetry => "telemetry",
        /// Coordination among agents by capability, health and load.
        Coordination => "coordination",
        /// Agent context and recovery plans of errors.
        Errors => "errors",
        /// The service that accounts for agents' resources.
        ResourceManager => "resource_manager",
        /// The service that coordinates agents.
        CoordinationService => "coordination_service",
        /// Refusing what exceeds an agent's resource limits, instead of only reporting it.
        ResourceEnforcement => "resource_enforcement",
    }

    /// The text is no [`Feature`].
    pub struct UnknownFeature("feature");
}

impl Feature {
    const fn bit(self) -> u64 {
        1 << self as u8
    }
}

const MASTER: u64 = 1 << 63;
const ALL_FLAGS: u64 = (1 << Feature::ALL.len()) - 1;

/// Says which features of the agent layer are on: a master switch and one flag per [`Feature`]. Clones are the same gate.
///
/// A feature is on if the master **and** its own flag are. Asking costs one relaxed load and one mask; setting is one atomic
/// read-modify-write.
///
/// **Instant**: a flip holds for every call that starts after the setter returned; a call in flight finishes under the
/// setting it began with, provided it asks once. **Lossless**: flips of different flags never overwrite each other, and
/// turning a feature off deletes nothing. What the feature has stored stays, invisible, and is back when it is turned on;
/// likewise the master leaves the flags as they are.
///
/// ```
/// use foundation_types::{Feature, FeatureGate};
///
/// let gate = FeatureGate::all_on();
/// assert!(gate.disable_agent_features());
/// assert!(!gate.is_on(Feature::Registry));
/// assert!(!gate.enable_agent_features());
/// assert!(gate.is_on(Feature::Registry));
/// ```
#[derive(Clone)]
pub struct FeatureGate(Arc<AtomicU64>);

impl FeatureGate {
    /// A gate with the master and every flag on.
    pub fn all_on() -> Self {
        Self(Arc::new(AtomicU64::new(MASTER | ALL_FLAGS)))
    }

    /// A gate with the master and every flag off.
    pub fn all_off() -> Self {
        Self(Arc::new(AtomicU64::new(0)))
    }

    /// Whether `feature` is on: its flag and the master are.
    #[inline]
    pub fn is_on(&self, feature: Feature) -> bool {
        let needed = MASTER | feature.bit();
        // Relaxed is enough: the gate guards no other memory, and the coherence of a single location makes every load that
        // happens after a setter returned see it.
        self.0.load(Ordering::Relaxed) & needed == needed
    }

    /// Whether the flag of `feature` is on, whatever the master says.
    pub fn flag(&self, feature: Feature) -> bool {
        self.0.load(Ordering::Relaxed) & feature.bit() != 0
    }

    /// Whether the master is on.
    pub fn agent_features_enabled(&self) -> bool {
        self.0.load(Ordering::Relaxed) & MASTER != 0
    }

    /// Turns the flag of `feature` on and returns what it was.
    pub fn enable(&self, feature: Feature) -> bool {
        self.set(feature.bit())
    }

    /// Turns the flag of `feature` off and returns what it was.
    pub fn disable(&self, feature: Feature) -> bool {
        self.clear(feature.bit())
    }

    /// Turns the master on and returns what it was.
    pub fn enable_agent_features(&self) -> bool {
        self.set(MASTER)
    }

    /// Turns the master off, and with it every feature, and returns what it was.
    pub fn disable_agent_features(&self) -> bool {
        self.clear(MASTER)
    }

    fn set(&self, bit: u64) -> bool {
        self.0.fetch_or(bit, Ordering::Relaxed) & bit != 0
    }

    fn clear(&self, bit: u64) -> bool {
        self.0.fetch_and(!bit, Ordering::Relaxed) & bit != 0
    }
}

impl Default for FeatureGate {
    /// The setting of a fresh system: everything on but [`Feature::ResourceEnforcement`].
    fn default() -> Self {
        let gate = Self::all_on();
        gate.disable(Feature::ResourceEnforcement);
        gate
    }
}

impl fmt::Debug for FeatureGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = Feature::ALL.into_iter().filter(|&feature| self.flag(feature)).collect::<Vec<_>>();
        f.debug_struct("FeatureGate")
            .field("agent_features_enabled", &self.agent_features_enabled())
            .field("flags", &flags)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn every_feature_has_a_bit_of_its_own_below_the_master() {
        let bits = Feature::ALL.map(Feature::bit);
        assert_eq!(bits.iter().fold(0, |all, bit| all | bit), ALL_FLAGS);
        assert_eq!(bits.iter().sum::<u64>(), ALL_FLAGS, "no bit is used twice");
        assert_eq!(ALL_FLAGS & MASTER, 0);
    }

    #[test]
    fn a_flag_flips_its_own_feature_and_no_other() {
        for flipped in Feature::ALL {
            let gate = FeatureGate::all_on();
            assert!(gate.disable(flipped), "was on");
            assert!(!gate.disable(flipped), "is off already");
            for feature in Feature::ALL {
                assert_eq!(gate.is_on(feature), feature != flipped);
            }
            assert!(!gate.enable(flipped), "was off");
            assert!(gate.enable(flipped), "is on already");
            assert!(Feature::ALL.into_iter().all(|feature| gate.is_on(feature)));
        }
    }

    #[test]
    fn p15_a_feature_is_on_iff_the_master_and_its_flag_are() {
        for feature in Feature::ALL {
            let gate = FeatureGate::all_off();
            assert!(!gate.enable(feature));
            assert!(gate.flag(feature) && !gate.is_on(feature), "the master is off");
            assert!(!gate.enable_agent_features());
            assert!(gate.is_on(feature));
            assert!(gate.disable_agent_features());
            assert!(!gate.is_on(feature) && gate.flag(feature), "the flag outlives the master");
        }
    }

    #[test]
    fn clones_are_the_same_gate() {
        let gate = FeatureGate::all_on();
        let clone = gate.clone();
        assert!(gate.disable(Feature::Events));
        assert!(!clone.is_on(Feature::Events));
    }

    #[test]
    fn p15_concurrent_flips_of_different_flags_lose_nothing() {
        let gate = FeatureGate::all_off();
        gate.enable_agent_features();
        thread::scope(|scope| {
            for feature in Feature::ALL {
                let gate = &gate;
                scope.spawn(move || {
                    for _ in 0..1000 {
                        assert!(!gate.enable(feature), "only this thread flips this flag");
                        assert!(gate.is_on(feature));
                        assert!(gate.disable(feature));
                    }
                    gate.enable(feature);
                });
            }
        });
        assert!(Feature::ALL.into_iter().all(|feature| gate.is_on(feature)));
    }

    #[test]
    fn by_default_everything_is_on_but_enforcement() {
        let gate = FeatureGate::default();
        for feature in Feature::ALL {
            assert_eq!(gate.is_on(feature), feature != Feature::ResourceEnforcement, "{feature}");
        }
    }
}
