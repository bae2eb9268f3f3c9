//! Quotas by the name of a rule.

use std::collections::BTreeMap;

use foundation_resources::rate_limit::Quota;
use foundation_types::Text;

/// The quota of a call whose key has none of its own: 100 a minute.
pub const FALLBACK_QUOTA: Quota = Quota::per_minute(100);

/// Quotas that [`execute_protected`](crate::infrastructure::execute_protected) goes by for keys that have no configuration, by
/// the name of the rule. There are none unless set, as in the original, whose default rules nothing reads: each such call then
/// has [`FALLBACK_QUOTA`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateRules(BTreeMap<Text, Quota>);

impl RateRules {
    /// No rules.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The default rules of the original: `api_calls` 100 and `db_queries` 500 a minute, `file_operations` 10 a second.
    pub fn original() -> Self {
        Self::new()
            .with("api_calls", Quota::per_minute(100))
            .with("db_queries", Quota::per_minute(500))
            .with("file_operations", Quota::per_second(10))
    }

    /// These rules with one more.
    #[must_use]
    pub fn with(mut self, rule: impl Into<Text>, quota: Quota) -> Self {
        self.0.insert(rule.into(), quota);
        self
    }

    /// The quota of a rule.
    pub fn get(&self, rule: &str) -> Option<Quota> {
        self.0.get(rule).copied()
    }
}
