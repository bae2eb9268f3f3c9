//! The code ranges of the agent layer's error taxonomy.

use std::fmt;

/// The class that the agent layer reads off the thousands of a code.
///
/// It is advisory: errors carry their category, and codes of the other layers follow no common scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CodeRange {
    /// 1000 to 1999.
    Validation,
    /// 2000 to 2999.
    Infrastructure,
    /// 3000 to 3999.
    Agent,
    /// 4000 to 4999.
    Coordination,
    /// 5000 to 5999.
    CircuitBreaker,
    /// 6000 to 6999.
    RateLimiting,
    /// 7000 to 7999.
    ProcessRegistry,
    /// 8000 to 8999.
    Telemetry,
    /// 9000 to 9999.
    System,
}

impl CodeRange {
    /// Every range, in the order of codes.
    pub const ALL: [Self; 9] = [
        Self::Validation,
        Self::Infrastructure,
        Self::Agent,
        Self::Coordination,
        Self::CircuitBreaker,
        Self::RateLimiting,
        Self::ProcessRegistry,
        Self::Telemetry,
        Self::System,
    ];

    /// The range that `code` lies in; `None` below 1000 and above 9999.
    pub const fn of(code: u32) -> Option<Self> {
        match code / 1000 {
            thousands @ 1..=9 => Some(Self::ALL[thousands as usize - 1]),
            _ => None,
        }
    }

    /// The name in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Infrastructure => "infrastructure",
            Self::Agent => "agent",
            Self::Coordination => "coordination",
            Self::CircuitBreaker => "circuit_breaker",
            Self::RateLimiting => "rate_limiting",
            Self::ProcessRegistry => "process_registry",
            Self::Telemetry => "telemetry",
            Self::System => "system",
        }
    }
}

impl fmt::Display for CodeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The name of the range of `code`, or `unknown` outside 1000 to 9999.
pub const fn category_of(code: u32) -> &'static str {
    match CodeRange::of(code) {
        Some(range) => range.as_str(),
        None => "unknown",
    }
}

/// Whether `code` lies in the range called `name`; `false` for a name that is no range, `unknown` included.
pub fn is_in_category(code: u32, name: &str) -> bool {
    CodeRange::of(code).is_some_and(|range| range.as_str() == name)
}
