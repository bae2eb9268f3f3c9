//! Composing an instance.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use foundation_config::Source;
use foundation_registry::backend::Backend;
use foundation_registry::{Limits, OptionsError, Registry, RegistryBuilder, ServiceLogs, ServiceRegistry};
use foundation_types::{Clock, Emitter, Namespace, Observer, SystemClock};

use super::application::{Application, Plan};
use super::{Foundation, Parts};
use crate::config::{ConfigOptions, Instance, Instances, Surroundings, TestMode};
#[cfg(feature = "agent")]
use crate::infrastructure::agent_circuit_breaker::InstanceAgentBreakers;
#[cfg(feature = "agent")]
use crate::infrastructure::agent_rate_limiter::InstanceAgentLimiterBuilder;
use crate::infrastructure::protection::{ProtectionStore, RateRules};
use crate::infrastructure::{self, Settings};
use crate::lifecycle::Toggle;

/// Options of a [`Foundation`].
#[must_use = "a builder does nothing until built"]
pub struct FoundationBuilder {
    namespace: Namespace,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    logs: LegacyLogs,
    registry: RegistryBuilder,
    infrastructure: Settings,
    config: ConfigOptions,
    config_sources: Vec<Arc<dyn Source>>,
    pub(super) plan: Plan,
    follows_settings: bool,
    #[cfg(feature = "agent")]
    agents: infrastructure::AgentSettings,
    #[cfg(feature = "agent")]
    gate: foundation_types::FeatureGate,
}

impl Default for FoundationBuilder {
    fn default() -> Self {
        Self {
            namespace: Namespace::Production,
            clock: Arc::new(SystemClock),
            observer: None,
            logs: LegacyLogs::default(),
            registry: Registry::builder(),
            infrastructure: Settings::default(),
            config: ConfigOptions::default(),
            config_sources: Vec::new(),
            plan: Plan::default(),
            follows_settings: false,
            #[cfg(feature = "agent")]
            agents: infrastructure::AgentSettings::default(),
            #[cfg(feature = "agent")]
            gate: foundation_types::FeatureGate::default(),
        }
    }
}

impl FoundationBuilder {
    /// The namespace in which the instance works where nothing else is said; the default is [`Namespace::Production`].
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    /// Where time comes from; the default is [`SystemClock`].
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Who hears what happens; nobody by default.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The switch of the agent features. The default is a gate of the instance's own, with everything on but the
    /// enforcement of resource limits.
    #[cfg(feature = "agent")]
    pub fn gate(mut self, gate: foundation_types::FeatureGate) -> Self {
        self.gate = gate;
        self
    }

    /// Where the registry keeps its entries; the default is
    /// [`Sharded`](foundation_registry::backend::Sharded).
    pub fn registry_backend(mut self, backend: Arc<dyn Backend>) -> Self {
        self.registry = self.registry.backend(backend);
        self
    }

    /// How much the registry holds; nothing is limited by default.
    pub fn registry_limits(mut self, limits: Limits) -> Self {
        self.registry = self.registry.limits(limits);
        self
    }

    /// How many circuit breakers there may be at most, agents' not counted; the default is
    /// [`DEFAULT_SET_LIMIT`](foundation_breaker::DEFAULT_SET_LIMIT).
    pub fn breaker_limit(mut self, limit: NonZeroUsize) -> Self {
        self.infrastructure.breaker_limit = limit;
        self
    }

    /// How many keys the rate limiter holds at most, in windows of one length; the default is
    /// [`DEFAULT_MAX_KEYS`](foundation_resources::rate_limit::DEFAULT_MAX_KEYS).
    pub fn limiter_keys(mut self, most: NonZeroUsize) -> Self {
        self.infrastructure.limiter_keys = most;
        self
    }

    /// The quotas of protected calls whose key has none; there are none by default.
    pub fn rate_rules(mut self, rules: RateRules) -> Self {
        self.infrastructure.rules = rules;
        self
    }

    /// Options of the circuit breakers of agents: failure thresholds by capability, a view of what agents really use.
    #[cfg(feature = "agent")]
    pub fn agent_breakers(
        mut self,
        configure: impl FnOnce(InstanceAgentBreakers) -> InstanceAgentBreakers + Send + 'static,
    ) -> Self {
        self.agents.breakers = Some(Box::new(configure));
        self
    }

    /// Options of the limiter of agents: limits by operation, multipliers by capability, how they follow the agent, what unknown
    /// agents are taken for.
    ///
    /// ```
    /// use foundation_compat::Foundation;
    /// use foundation_compat::foundation_resources::rate_limit::Quota;
    ///
    /// let foundation = Foundation::builder().agent_limits(|limits| limits.limit("scan", Quota::per_second(5))).build()?;
    /// # Ok::<(), foundation_compat::BuildError>(())
    /// ```
    #[cfg(feature = "agent")]
    pub fn agent_limits(
        mut self,
        configure: impl FnOnce(InstanceAgentLimiterBuilder) -> InstanceAgentLimiterBuilder + Send + 'static,
    ) -> Self {
        self.agents.limits = Some(Box::new(configure));
        self
    }

    /// What the settings start with, and how their service behaves.
    pub fn config(mut self, options: ConfigOptions) -> Self {
        self.config = options;
        self
    }

    /// Adds a source of settings, such as a file: above those of its layer that were added before, below those of
    /// [`config`](Self::config). [`build`](Self::build) reads it.
    pub fn config_source(mut self, source: impl Source) -> Self {
        self.config_sources.push(Arc::new(source));
        self
    }

    /// Lets settings that nothing reads in the original have an effect on
    /// [protected calls](crate::infrastructure::execute_protected), as they are at the time of each call:
    /// `infrastructure.rate_limiting.default_rules` are the quotas of calls whose key has none, before
    /// [`rate_rules`](Self::rate_rules); `infrastructure.rate_limiting.enabled` and `infrastructure.circuit_breaker.enabled`
    /// say whether there are these layers at all; and breakers that are made without a configuration have that of
    /// `infrastructure.circuit_breaker.default_config`.
    pub fn follow_settings(mut self) -> Self {
        self.follows_settings = true;
        self
    }

    /// Where protection configurations are kept; the default is among the settings, under
    /// [`PROTECTION_PATH`](crate::infrastructure::protection::PROTECTION_PATH).
    pub fn protection_store(mut self, store: Arc<dyn ProtectionStore>) -> Self {
        self.infrastructure.store = Some(store);
        self
    }

    /// Which log lines the legacy facade writes.
    pub fn legacy_logs(mut self, logs: LegacyLogs) -> Self {
        self.logs = logs;
        self
    }

    /// The instance. Reads the sources of settings that it was given, on this thread.
    ///
    /// # Errors
    /// [`BuildError`] if an option of a subsystem is out of range, or the settings are not valid. Nothing has been started then.
    pub fn build(self) -> Result<Foundation, BuildError> {
        let registry = self.registry.clock(Arc::clone(&self.clock));
        let registry = match &self.observer {
            Some(observer) => registry.observer(Arc::clone(observer)),
            None => registry,
        };
        #[cfg(feature = "agent")]
        let registry = registry.gate(self.gate.clone());
        let registry = registry.build()?;
        let services = ServiceRegistry::new(registry.clone()).with_logs(self.logs.services);
        let around = Surroundings {
            clock: Arc::clone(&self.clock),
            observer: self.observer.clone(),
            #[cfg(feature = "agent")]
            gate: self.gate.clone(),
        };
        let settings = Instance::new(&self.config, &self.config_sources, &around).map_err(BuildError::Config)?;
        let configuration = Instances::new(settings, around);
        let mut plan = self.plan;
        if self.config.test_mode == TestMode::On {
            plan.health_monitor = Toggle::Off;
        }
        let emitter = Emitter::from(self.observer);
        #[cfg(feature = "agent")]
        let agents = infrastructure::AgentParts::new(
            self.agents,
            (&registry, &self.namespace),
            &self.gate,
            &self.clock,
            &emitter,
        )?;
        Ok(Foundation(Arc::new(Parts {
            infrastructure: infrastructure::Parts::new(
                self.infrastructure,
                configuration.home(),
                &self.clock,
                &emitter,
            ),
            application: Application::new(plan),
            configuration,
            follows_settings: self.follows_settings,
            #[cfg(feature = "agent")]
            agents,
            namespace: self.namespace,
            started: (self.clock.mono(), self.clock.wall()),
            clock: self.clock,
            emitter,
            logs: self.logs,
            #[cfg(feature = "agent")]
            gate: self.gate,
            registry,
            services,
        })))
    }
}

impl fmt::Debug for FoundationBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoundationBuilder")
            .field("namespace", &self.namespace)
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

/// Which of their optional lines the legacy facade and the service registry log: the settings `debug_registry` and
/// `test_mode` of the original, and `debug_health_check`. The target of all lines is `foundation::registry`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LegacyLogs {
    /// A debug line for each change made through [`ProcessRegistry`](crate::process_registry::ProcessRegistry). Off by
    /// default.
    pub debug_registry: bool,
    /// The lines of the service registry.
    pub services: ServiceLogs,
}

/// Why a [`Foundation`] could not be composed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// An option of the registry is out of range.
    #[error("registry: {0}")]
    Registry(#[from] OptionsError),
    /// The settings are not valid, or one of their sources cannot be read.
    #[error("settings: {0}")]
    Config(foundation_types::Error),
    /// An option of the limiter of agents is out of range.
    #[cfg(feature = "agent")]
    #[error("agent limits: {0}")]
    AgentLimits(#[from] foundation_resources::rate_limit::agent::InvalidAgentLimits),
}
