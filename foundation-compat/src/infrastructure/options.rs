//! Which layers a protected call goes through.

use std::time::Duration;

use foundation_types::Text;

use super::connection_manager::DEFAULT_CHECKOUT_TIMEOUT;

/// The layers of [`execute_protected`](super::execute_protected); one that is not named does not exist.
///
/// ```
/// use foundation_compat::infrastructure::ProtectedOptions;
///
/// let options = ProtectedOptions::new().rate_limiter("api_calls", "user-7").circuit_breaker("payments");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ProtectedOptions {
    rate: Option<(Text, Text)>,
    breaker: Option<Text>,
    pool: Option<Text>,
    timeout: Option<Duration>,
}

impl ProtectedOptions {
    /// No layers.
    pub const fn new() -> Self {
        Self { rate: None, breaker: None, pool: None, timeout: None }
    }

    /// The option `rate_limiter`: a request of `identifier` for the operation `rule`.
    pub fn rate_limiter(mut self, rule: impl Into<Text>, identifier: impl Into<Text>) -> Self {
        self.rate = Some((rule.into(), identifier.into()));
        self
    }

    /// The option `circuit_breaker`: the breaker of this name, which must have been made before.
    pub fn circuit_breaker(mut self, name: impl Into<Text>) -> Self {
        self.breaker = Some(name.into());
        self
    }

    /// The option `connection_pool`: the pool of this name, which must have been started before.
    pub fn connection_pool(mut self, name: impl Into<Text>) -> Self {
        self.pool = Some(name.into());
        self
    }

    /// The option `timeout`: how long to wait for a worker of the pool; five seconds unless set. The operation has no time
    /// limit.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    pub(super) const fn rate(&self) -> Option<&(Text, Text)> {
        self.rate.as_ref()
    }

    pub(super) const fn breaker(&self) -> Option<&Text> {
        self.breaker.as_ref()
    }

    pub(super) const fn pool(&self) -> Option<&Text> {
        self.pool.as_ref()
    }

    pub(super) const fn timeout_given(&self) -> Option<Duration> {
        self.timeout
    }

    pub(super) fn checkout_timeout(&self) -> Duration {
        self.timeout.unwrap_or(DEFAULT_CHECKOUT_TIMEOUT)
    }
}
