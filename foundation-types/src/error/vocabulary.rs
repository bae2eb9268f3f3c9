//! The words an error is described with: domain, severity, category, subcategory.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A set of named words that strangers may extend: one variant per known word, and `Other` for the rest.
///
/// The text inside `Other` sits in a type without a public constructor, so a known word has exactly one representation.
macro_rules! open_words {
    (
        $(#[$meta:meta])*
        $name:ident, $(#[$other_meta:meta])* $other:ident {
            $($(#[$word_meta:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$word_meta])* $variant,)+
            /// Any other word; made by `From<&str>`.
            Other($other),
        }

        $(#[$other_meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $other($crate::Text);

        impl $name {
            /// Every known word, in the order of declaration.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant,)+];

            /// The word in snake case.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(other) => other.0.as_str(),
                }
            }
        }

        impl From<&str> for $name {
            /// The known word of this text, or `Other`. Compares with every known word; nothing is interned.
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Other($other(other.into())),
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

pub(super) use open_words;

open_words! {
    /// Which part of a system an error belongs to. Together with the [`ErrorKind`](super::ErrorKind) it is the identity
    /// of an error.
    Domain,
    /// The name of a domain outside the workspace.
    OtherDomain {
        /// What every part shares.
        Core = "core",
        /// Settings.
        Config = "config",
        /// The event log.
        Events = "events",
        /// The service registry.
        Registry = "registry",
        /// Processes and tasks.
        Processes = "processes",
        /// Circuit breakers.
        Breaker = "breaker",
        /// Protected execution.
        Infrastructure = "infrastructure",
        /// Rate limiters.
        Limiter = "limiter",
        /// Metrics and telemetry.
        Telemetry = "telemetry",
        /// Locks, elections, barriers.
        Coordination = "coordination",
        /// Resource accounts.
        Resources = "resources",
        /// Panics and errors of foreign types, classified by type.
        Exception = "exception",
    }
}

open_words! {
    /// The broad class of an error.
    Category,
    /// A category outside the known ones.
    OtherCategory {
        /// Settings.
        Config = "config",
        /// The system itself.
        System = "system",
        /// Data and its encoding.
        Data = "data",
        /// Something outside the system.
        External = "external",
        /// An agent.
        Agent = "agent",
        /// Agreement between parties.
        Coordination = "coordination",
        /// The steering of many agents.
        Orchestration = "orchestration",
        /// A service.
        Service = "service",
        /// Several nodes.
        Distributed = "distributed",
        /// Permission.
        Security = "security",
        /// Not classified.
        Unknown = "unknown",
    }
}

open_words! {
    /// The narrow class of an error.
    Subcategory,
    /// A subcategory outside the known ones.
    OtherSubcategory {
        /// The shape of something.
        Structure = "structure",
        /// A value that breaks a rule.
        Validation = "validation",
        /// Reaching something.
        Access = "access",
        /// What happens while running.
        Runtime = "runtime",
        /// Start, stop and death.
        Lifecycle = "lifecycle",
        /// Making something known.
        Registration = "registration",
        /// Messages.
        Communication = "communication",
        /// Agreement.
        Consensus = "consensus",
        /// Negotiation.
        Negotiation = "negotiation",
        /// Auctions.
        Auction = "auction",
        /// Markets.
        Market = "market",
        /// Shared variables.
        Variable = "variable",
        /// Optimisation.
        Optimization = "optimization",
        /// Being there.
        Availability = "availability",
        /// The network.
        Network = "network",
        /// Setting up.
        Initialization = "initialization",
        /// Starting.
        Startup = "startup",
        /// Memory, files and the like.
        Resources = "resources",
        /// Something that something else needs.
        Dependencies = "dependencies",
        /// Encoding and decoding.
        Serialization = "serialization",
        /// Damage.
        Corruption = "corruption",
        /// Absence.
        NotFound = "not_found",
        /// A service.
        Service = "service",
        /// Time that ran out.
        Timeout = "timeout",
        /// Proof of identity.
        Auth = "auth",
        /// Fetching.
        Retrieval = "retrieval",
        /// Permission.
        Authorization = "authorization",
        /// Permission to reach something.
        AccessControl = "access_control",
        /// Finding services.
        Discovery = "discovery",
        /// Security.
        Security = "security",
        /// Not classified.
        Unknown = "unknown",
    }
}

/// How bad an error is; later is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Severity {
    /// A nuisance.
    Low,
    /// The operation failed.
    #[default]
    Medium,
    /// Someone should look.
    High,
    /// The system is in danger.
    Critical,
}

impl Severity {
    /// Every severity, the mildest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Whether errors of this severity are worth an alert: high and critical.
    pub const fn is_alertable(self) -> bool {
        matches!(self, Self::High | Self::Critical)
    }
}

impl FromStr for Severity {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == text).ok_or(UnknownWord("severity"))
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Severity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is no word of a closed vocabulary, which the field names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a known {0}")]
pub struct UnknownWord(pub(super) &'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_word_reads_back_as_itself() {
        assert!(Domain::KNOWN.iter().all(|word| Domain::from(word.as_str()) == *word));
        assert!(Category::KNOWN.iter().all(|word| Category::from(word.as_str()) == *word));
        assert!(Subcategory::KNOWN.iter().all(|word| Subcategory::from(word.as_str()) == *word));
        assert!(Severity::ALL.iter().all(|word| word.as_str().parse() == Ok(*word)));
        assert_eq!((Domain::KNOWN.len(), Category::KNOWN.len(), Subcategory::KNOWN.len()), (12, 11, 31));
    }

    #[test]
    fn strange_words_are_kept() {
        assert_eq!(Category::from("weather").as_str(), "weather");
        assert_eq!("fatal".parse::<Severity>(), Err(UnknownWord("severity")));
    }

    #[test]
    fn severities_are_ordered() {
        assert!(Severity::ALL.is_sorted());
    }
}
