//! Every function of the legacy surface is where `docs/LEGACY.md` says, with the type it has here, and the page lists all
//! of them.

#![expect(clippy::type_complexity, reason = "the types are what is checked")]

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;
use std::fs;
use std::future::Ready;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use foundation_compat::config::{
    CacheStats, ConfigNotification, ConfigOptions, ConfigStatus, ConfigSubscription, SubscriberId,
};
use foundation_compat::error::types::{Fields, MissingField};
use foundation_compat::error::{CorrelationId, Options, RetryDelay};
use foundation_compat::error_context::{self, ErrorContext};
use foundation_compat::foundation_config::{Path as SettingPath, PendingReport};
use foundation_compat::foundation_registry::backend::{
    BackendHealth, ClaimError, Claimed, Partitioned, Replaced, Sharded,
};
use foundation_compat::foundation_registry::{
    BackendError, EntryKind, KeyRef, LookupError, MonitorOptions, RegistryError, SameOwner, StoredEntry, Via, WaitError,
};
use foundation_compat::foundation_resources::pool::PoolStatus;
use foundation_compat::foundation_resources::rate_limit::{Decision, Quota};
use foundation_compat::foundation_types::{Generation, Name, TestRef};
use foundation_compat::infrastructure::circuit_breaker::{CircuitBreakers, FuseOptions, FuseRun, FuseStatus};
use foundation_compat::infrastructure::connection_manager::{
    ConnectionError, ConnectionManager, LegacyPool, PoolConfig, PoolError, PoolNotFound, StartPoolError,
};
use foundation_compat::infrastructure::pool_workers::http::{
    HttpConfigError, HttpError, HttpRequest, HttpResponse, HttpTransport, HttpWorker, HttpWorkerConfig,
    HttpWorkerStatus, RequestOptions,
};
use foundation_compat::infrastructure::protection::ProtectionStatus;
use foundation_compat::infrastructure::rate_limiter::{RateLimiter, RateStatus};
use foundation_compat::infrastructure::{
    BreakerConfig, ExecuteError, Infrastructure, InfrastructureStatus, ProtectedOptions,
};
use foundation_compat::isolated::{Isolated, WorkError};
use foundation_compat::lifecycle::{
    ApplicationStatus, BoxError, Group, GroupBuilder, GroupError, GroupInfo, HealthCheck, LifecycleError, Service,
    ServiceContext, ServiceMetrics, ServiceSpec, ShutdownReport, Usage,
};
use foundation_compat::logic::config_logic::{ConfigDiff, Merged};
use foundation_compat::process_registry::backend::ets::EtsStatistics;
use foundation_compat::process_registry::backend::horde::ClusterTopology;
use foundation_compat::process_registry::backend::registry::{PartitionStats, RegistryInfo};
use foundation_compat::process_registry::backend::{BackendConfig, BackendModule, NotImplemented};
use foundation_compat::process_registry::backend_monitor::{
    BackendMetrics, MonitorError, MonitorReport, RunningMonitor, StartError, SwitchError,
};
use foundation_compat::process_registry::{
    ChildSpec, NewService, OptimizationStats, ProcessRegistry, ProcessRegistryStats, RegisterError, ServiceEntry,
    ServiceMap, UpdateError,
};
use foundation_compat::service_registry::{HealthCheckError, HealthCheckOptions, ServiceInfo};
use foundation_compat::types::config::{
    AiConfig, CaptureConfig, DevConfig, FoundationConfig, InfrastructureConfig, InterfaceConfig, KeyNotFound,
    StorageConfig,
};
use foundation_compat::utils::{MemoryChange, ProcessStats, PutNestedError, RetryError, RetryOptions, SystemStats};
use foundation_compat::{
    Error, ErrorKind, Foundation, FoundationBuilder, FoundationHealth, FoundationStatus, Health, InitOptions, Metadata,
    Namespace, NodeId, Pid, ServiceName, Value,
};

#[cfg(feature = "agent")]
use self::agents::*;

/// The types of the surface of agents.
#[cfg(feature = "agent")]
mod agents {
    use foundation_compat::agent::config_server::{AgentConfigChange, EffectiveSubscription};
    pub(crate) use foundation_compat::agent::config_server::{AgentConfigOptions, AgentConfigSubscription};
    pub(crate) use foundation_compat::agent::error::{self as agent_error, AgentContext, Exception};
    pub(crate) use foundation_compat::agent_registry::{AgentRegistry, Process};
    pub(crate) use foundation_compat::application::AgentFeatures;
    pub(crate) use foundation_compat::error::DecodeError;
    pub(crate) use foundation_compat::foundation_breaker::agent::AgentBreakerStatus;
    use foundation_compat::foundation_registry::AgentError;
    pub(crate) use foundation_compat::foundation_registry::{AgentStats, HealthChange, HealthOverview, ResourceStats};
    pub(crate) use foundation_compat::foundation_resources::rate_limit::agent::{
        AgentLimiterStatus, AgentStats as LimiterStats, Burst, OperationLimit, Overview,
    };
    pub(crate) use foundation_compat::foundation_types::{AgentInfoError, ResourceKind, ResourceUsage, ResourceValue};
    pub(crate) use foundation_compat::infrastructure::agent_circuit_breaker::{
        AgentBreakerConfig, InstanceAgentBreaker,
    };
    pub(crate) use foundation_compat::infrastructure::agent_rate_limiter::AgentRateLimiter;
    use foundation_compat::process_registry::agent::AgentTriple;
    pub(crate) use foundation_compat::types::agent_info::{CoordinationPatch, PerformancePatch, StatusSummary};
    pub(crate) use foundation_compat::{
        AgentId, AgentInfo, AgentState, AgentType, Capability, MetadataView, ProcessId,
    };

    pub(crate) type Agents = Result<Vec<AgentTriple>, AgentError>;
    pub(crate) type Agent<T> = Result<T, AgentError>;
    pub(crate) type Changes = Result<Vec<AgentConfigChange>, foundation_compat::Error>;
    pub(crate) type Effective = Result<EffectiveSubscription, foundation_compat::Error>;
    pub(crate) type Processes = Result<Vec<Process>, AgentError>;
}

/// Names paths, and checks the types of those that are functions.
macro_rules! surface {
    ($paths:ident, [$($attribute:tt)*] $check:ident { $($kind:tt $($segment:ident)::+ $(: $type:ty)?;)+ }) => {
        const $paths: &[&[&str]] = &[$(&[$(stringify!($segment)),+]),+];

        $($attribute)*
        #[test]
        fn $check() {
            $(surface!(@$kind [foundation_compat::$($segment)::+] $($type)?);)+
        }
    };
    (@fn [$($path:tt)+] $type:ty) => {{
        let named: $type = $($path)+;
        let _ = named;
    }};
    (@trait [$($path:tt)+]) => {{
        fn named<T: $($path)+>() {}
        named::<Mute>();
    }};
    (@dyn [$($path:tt)+]) => {{
        let named: Option<&dyn $($path)+> = None;
        let _ = named;
    }};
    (@type [$($path:tt)+]) => {{
        let named: Option<$($path)+> = None;
        let _ = named;
    }};
}

type Found<T> = Result<T, RegistryError>;
type Word = &'static str;

surface! { REGISTRY, [] the_registry_has_its_legacy_paths {
    fn process_registry::start: fn(&Metadata) -> ProcessRegistry;
    fn process_registry::start_0: fn() -> ProcessRegistry;
    fn process_registry::child_spec: fn(&Metadata) -> ChildSpec;
    fn process_registry::register: fn(&Namespace, &ServiceName, &Pid, Metadata) -> Result<(), RegisterError>;
    fn process_registry::register_3: fn(&Namespace, &ServiceName, &Pid) -> Result<(), RegisterError>;
    fn process_registry::lookup: fn(&Namespace, &ServiceName) -> Result<Pid, LookupError>;
    fn process_registry::unregister: fn(&Namespace, &ServiceName) -> Found<()>;
    fn process_registry::registered: fn(&Namespace, &ServiceName) -> Found<bool>;
    fn process_registry::get_metadata: fn(&Namespace, &ServiceName) -> Result<Arc<Metadata>, LookupError>;
    fn process_registry::lookup_with_metadata: fn(&Namespace, &ServiceName) -> Result<(Pid, Arc<Metadata>), LookupError>;
    fn process_registry::update_metadata: fn(&Namespace, &ServiceName, Metadata) -> Result<(), UpdateError>;
    fn process_registry::list_services: fn(&Namespace) -> Found<Vec<ServiceName>>;
    fn process_registry::get_all_services: fn(&Namespace) -> Found<ServiceMap<Pid>>;
    fn process_registry::list_services_with_metadata: fn(&Namespace) -> Found<ServiceMap<Arc<Metadata>>>;
    fn process_registry::count_services: fn(&Namespace) -> Found<usize>;
    fn process_registry::find_services_by_metadata: fn(&Namespace, fn(&Metadata) -> bool) -> Found<Vec<ServiceEntry>>;
    fn process_registry::via_tuple: fn(&Namespace, &ServiceName) -> Via;
    fn process_registry::cleanup_test_namespace: fn(TestRef) -> Found<()>;
    fn process_registry::stats: fn() -> Found<ProcessRegistryStats>;

    fn process_registry::register_with_indexing:
        fn(&Namespace, &ServiceName, &Pid, Metadata) -> Result<(), RegisterError>;
    fn process_registry::register_with_indexing_3: fn(&Namespace, &ServiceName, &Pid) -> Result<(), RegisterError>;
    fn process_registry::cached_lookup: fn(&Namespace, &ServiceName) -> Result<Pid, LookupError>;
    fn process_registry::bulk_register: fn(Vec<NewService>) -> Vec<(Result<(), RegisterError>, ServiceName)>;
    fn process_registry::find_by_indexed_metadata: fn(&Namespace, &str, &Value) -> Found<Vec<ServiceEntry>>;
    fn process_registry::get_optimization_stats: fn() -> OptimizationStats;
    fn process_registry::initialize_optimizations: fn() -> Found<()>;
    fn process_registry::cleanup_optimizations: fn() -> Found<()>;

    fn process_registry::backend::validate: fn(&Sharded) -> Result<(), Infallible>;
    fn process_registry::backend::default_config: fn() -> BackendConfig;
    type process_registry::backend::ets::Ets;
    type process_registry::backend::registry::Partitions;
    fn foundation_registry::backend::Sharded::default: fn() -> Sharded;
    fn foundation_registry::backend::Partitioned::default: fn() -> Partitioned;
    fn foundation_registry::backend::Backend::claim:
        fn(&Sharded, Arc<StoredEntry>, SameOwner) -> Result<Claimed, ClaimError>;
    fn foundation_registry::backend::Backend::get:
        fn(&Sharded, KeyRef<'_>) -> Result<Option<Arc<StoredEntry>>, BackendError>;
    fn foundation_registry::backend::Backend::release:
        fn(&Sharded, KeyRef<'_>, Option<Generation>) -> Result<Option<Arc<StoredEntry>>, BackendError>;
    fn foundation_registry::backend::Backend::for_each:
        fn(
            &Sharded,
            Option<&Namespace>,
            EntryKind,
            &mut dyn FnMut(Arc<StoredEntry>) -> ControlFlow<()>,
        ) -> Result<(), BackendError>;
    fn foundation_registry::backend::Backend::replace:
        fn(&Sharded, KeyRef<'_>, Option<Generation>, Arc<Metadata>) -> Result<Replaced, BackendError>;
    fn foundation_registry::backend::Backend::health: fn(&Sharded) -> Result<BackendHealth, BackendError>;
    fn process_registry::backend::ets::cleanup_dead_processes: fn(&Sharded) -> Result<usize, BackendError>;
    fn process_registry::backend::ets::get_statistics: fn(&Sharded) -> Result<EtsStatistics, BackendError>;
    fn process_registry::backend::registry::get_registry_info: fn(&Partitioned) -> Result<RegistryInfo, BackendError>;
    fn process_registry::backend::registry::get_partition_stats: fn(&Partitioned) -> PartitionStats;
    fn process_registry::backend::horde::get_metadata:
        fn(&Namespace, &ServiceName) -> Result<Arc<Metadata>, LookupError>;
    fn process_registry::backend::horde::find_services_by_metadata:
        fn(&Namespace, fn(&Metadata) -> bool) -> Found<Vec<ServiceEntry>>;
    fn process_registry::backend::horde::get_stats: fn() -> Found<ProcessRegistryStats>;
    fn process_registry::backend::horde::join_cluster: fn(&[NodeId]) -> Result<Infallible, NotImplemented>;
    fn process_registry::backend::horde::leave_cluster: fn() -> Result<Infallible, NotImplemented>;
    fn process_registry::backend::horde::migrate_process:
        fn(&ServiceName, &NodeId) -> Result<Infallible, NotImplemented>;
    fn process_registry::backend::horde::cluster_topology: fn() -> ClusterTopology;
    fn process_registry::backend::horde::process_distribution: fn() -> Found<BTreeMap<NodeId, usize>>;

    fn process_registry::backend_monitor::start: fn(MonitorOptions) -> Result<RunningMonitor, StartError>;
    fn process_registry::backend_monitor::start_0: fn() -> Result<RunningMonitor, StartError>;
    fn process_registry::backend_monitor::child_spec: fn(MonitorOptions) -> ChildSpec;
    fn process_registry::backend_monitor::health_check: fn() -> Result<MonitorReport, MonitorError>;
    fn process_registry::backend_monitor::get_performance_metrics: fn() -> BackendMetrics;
    fn process_registry::backend_monitor::get_active_backend: fn() -> Option<BackendModule>;
    fn process_registry::backend_monitor::switch_backend: fn(BackendModule) -> Result<(), SwitchError>;
    fn process_registry::backend_monitor::record_metric: fn(&str, Duration, bool);

    fn service_registry::register: fn(&Namespace, &ServiceName, &Pid) -> Result<(), RegisterError>;
    fn service_registry::lookup: fn(&Namespace, &ServiceName) -> Result<Pid, Error>;
    fn service_registry::unregister: fn(&Namespace, &ServiceName) -> Found<()>;
    fn service_registry::list_services: fn(&Namespace) -> Found<Vec<ServiceName>>;
    fn service_registry::health_check:
        fn(&Namespace, &ServiceName, HealthCheckOptions) -> Result<Pid, HealthCheckError>;
    fn service_registry::health_check_2: fn(&Namespace, &ServiceName) -> Result<Pid, HealthCheckError>;
    fn service_registry::wait_for_service: fn(&Namespace, &ServiceName, Duration) -> Result<Pid, WaitError>;
    fn service_registry::wait_for_service_2: fn(&Namespace, &ServiceName) -> Result<Pid, WaitError>;
    fn service_registry::get_service_info: fn(&Namespace) -> Found<ServiceInfo>;
    fn service_registry::cleanup_test_namespace: fn(TestRef) -> Found<()>;
    fn service_registry::via_tuple: fn(&Namespace, &ServiceName) -> Via;
} }

/// A transport that says nothing.
struct Mute;

impl HttpTransport for Mute {
    type Error = fmt::Error;

    fn send(&mut self, _: &HttpRequest) -> Result<HttpResponse, fmt::Error> {
        Err(fmt::Error)
    }
}

type Run = fn() -> Result<(), Error>;
type RunSoon = fn() -> Ready<Result<(), Error>>;
type Work = fn(&mut u32) -> Result<(), Error>;
type Done = Result<(), Error>;
type Count = fn() -> u32;
type Protected = Result<(), ExecuteError<Error>>;
type Answer = Result<HttpResponse, HttpError<fmt::Error>>;

surface! { INFRASTRUCTURE, [] the_infrastructure_has_its_legacy_paths {
    fn infrastructure::initialize_all_infra_components: fn() -> Done;
    fn infrastructure::get_infrastructure_status: fn() -> InfrastructureStatus;
    fn infrastructure::initialize_circuit_breaker: fn(&str, BreakerConfig) -> Done;
    fn infrastructure::initialize_circuit_breaker_1: fn(&str) -> Done;
    fn infrastructure::execute_protected: fn(&str, &ProtectedOptions, Run) -> Protected;
    fn infrastructure::execute_protected_with_connection: fn(&str, &ProtectedOptions, Work) -> Protected;
    fn infrastructure::execute_protected_async: fn(Word, &'static ProtectedOptions, RunSoon) -> _;
    fn infrastructure::execute_protected_with_connection_async:
        fn(Word, &'static ProtectedOptions, fn(&mut u32) -> Ready<Done>) -> _;
    fn infrastructure::configure_protection: fn(&str, Value) -> Done;
    fn infrastructure::get_protection_config: fn(&str) -> Result<Metadata, Error>;
    fn infrastructure::get_protection_status: fn(&str) -> Result<ProtectionStatus, Error>;
    fn infrastructure::list_protection_keys: fn() -> Vec<Name>;

    fn infrastructure::circuit_breaker::start_fuse_instance: fn(&str, FuseOptions) -> Done;
    fn infrastructure::circuit_breaker::start_fuse_instance_1: fn(&str) -> Done;
    fn infrastructure::circuit_breaker::execute: fn(&str, Run, Metadata) -> Done;
    fn infrastructure::circuit_breaker::execute_2: fn(&str, Run) -> Done;
    fn infrastructure::circuit_breaker::execute_async: fn(Word, RunSoon, Metadata) -> _;
    fn infrastructure::circuit_breaker::get_status: fn(&str) -> Result<FuseStatus, Error>;
    fn infrastructure::circuit_breaker::reset: fn(&str) -> Done;
    fn infrastructure::circuit_breaker::melt: fn(&str);
    fn infrastructure::circuit_breaker::remove: fn(&str) -> Done;
    fn infrastructure::circuit_breaker::circuit_disable: fn(&str) -> Done;
    fn infrastructure::circuit_breaker::circuit_enable: fn(&str) -> Done;
    fn infrastructure::circuit_breaker::run: fn(&str, fn() -> FuseRun<()>) -> Done;

    fn infrastructure::rate_limiter::check_rate: fn(Word, u64, u32, Duration, Metadata) -> Done;
    fn infrastructure::rate_limiter::check_rate_4: fn(Word, Word, u32, Duration) -> Done;
    fn infrastructure::rate_limiter::get_status: fn(Word, Word) -> Result<RateStatus, Error>;
    fn infrastructure::rate_limiter::reset: fn(Word, Word) -> Done;
    fn infrastructure::rate_limiter::execute_with_limit: fn(Word, Word, u32, Duration, Run, Metadata) -> Done;
    fn infrastructure::rate_limiter::execute_with_limit_5: fn(Word, Word, u32, Duration, Run) -> Done;
    fn infrastructure::rate_limiter::backend::hit: fn(&str, Quota, NonZeroU32) -> Decision;
    fn infrastructure::rate_limiter::backend::hit_3: fn(&str, Quota) -> Decision;

    fn infrastructure::connection_manager::start: fn(&Metadata) -> ConnectionManager;
    fn infrastructure::connection_manager::start_0: fn() -> ConnectionManager;
    fn infrastructure::connection_manager::start_pool: fn(&str, &PoolConfig) -> Result<LegacyPool, StartPoolError>;
    fn infrastructure::connection_manager::stop_pool: fn(&str) -> Result<(), PoolNotFound>;
    fn infrastructure::connection_manager::with_connection:
        fn(&str, Work, Duration) -> Result<(), ConnectionError<Error>>;
    fn infrastructure::connection_manager::with_connection_2: fn(&str, Work) -> Result<(), ConnectionError<Error>>;
    fn infrastructure::connection_manager::with_connection_async:
        fn(Word, fn(&mut u32) -> Ready<Done>, Duration) -> _;
    fn infrastructure::connection_manager::get_pool_status: fn(&str) -> Result<PoolStatus, PoolNotFound>;
    fn infrastructure::connection_manager::list_pools: fn() -> Vec<Name>;

    type infrastructure::pool_workers::http::HttpWorkerConfig;
    trait infrastructure::pool_workers::http::HttpTransport;
    fn infrastructure::pool_workers::http::HttpWorker::start: fn(HttpWorkerConfig, Mute) -> HttpWorker<Mute>;
    fn infrastructure::pool_workers::http::HttpWorker::get: fn(&mut HttpWorker<Mute>, &str, &RequestOptions) -> Answer;
    fn infrastructure::pool_workers::http::HttpWorker::get_2: fn(&mut HttpWorker<Mute>, &str) -> Answer;
    fn infrastructure::pool_workers::http::HttpWorker::post:
        fn(&mut HttpWorker<Mute>, &str, Vec<u8>, &RequestOptions) -> Answer;
    fn infrastructure::pool_workers::http::HttpWorker::post_3: fn(&mut HttpWorker<Mute>, &str, Word) -> Answer;
    fn infrastructure::pool_workers::http::HttpWorker::get_status: fn(&HttpWorker<Mute>) -> HttpWorkerStatus;
} }

surface! { ERRORS, [] errors_have_their_legacy_paths {
    fn error::new: fn(ErrorKind, Option<&str>, Options) -> Error;
    fn error::new_2: fn(ErrorKind, Option<&str>) -> Error;
    fn error::new_1: fn(ErrorKind) -> Error;
    fn error::error_result: fn(ErrorKind, Option<&str>, Options) -> Result<(), Error>;
    fn error::error_result_2: fn(ErrorKind, Option<&str>) -> Result<(), Error>;
    fn error::error_result_1: fn(ErrorKind) -> Result<(), Error>;
    fn error::wrap_error: fn(Result<(), Value>, ErrorKind, Option<&str>, Options) -> Result<(), Error>;
    fn error::wrap_error_3: fn(Result<(), Error>, ErrorKind, Option<&str>) -> Result<(), Error>;
    fn error::wrap_error_2: fn(Result<(), Error>, ErrorKind) -> Result<(), Error>;
    fn error::retryable: fn(&Error) -> bool;
    fn error::retry_delay: fn(&Error, u32) -> RetryDelay;
    fn error::should_escalate: fn(&Error) -> bool;
    fn error::to_string: fn(&Error) -> String;
    fn error::collect_error_metrics: fn(&Error);
    fn error::types::new: fn(Fields) -> Result<Error, MissingField>;
    fn error::types::new_0: fn() -> Result<Error, MissingField>;

    fn error_context::new: fn(Word, Word, error_context::Options) -> ErrorContext;
    fn error_context::new_2: fn(Word, Word) -> ErrorContext;
    fn error_context::child_context: fn(&ErrorContext, Word, Word, Metadata) -> ErrorContext;
    fn error_context::child_context_3: fn(&ErrorContext, Word, Word) -> ErrorContext;
    fn error_context::add_breadcrumb: fn(ErrorContext, Word, Word, Metadata) -> ErrorContext;
    fn error_context::add_breadcrumb_3: fn(ErrorContext, Word, Word) -> ErrorContext;
    fn error_context::add_metadata: fn(ErrorContext, Metadata) -> ErrorContext;
    fn error_context::with_context: fn(&ErrorContext, fn() -> Result<(), Error>) -> Result<(), Error>;
    fn error_context::enhance_error: fn(Result<(), Error>, &ErrorContext) -> Result<(), Error>;
    fn error_context::add_context: fn(Result<(), Error>, &'static ErrorContext, &Metadata) -> Result<(), Error>;
    fn error_context::add_context_2: fn(Result<(), Value>, &'static Metadata) -> Result<(), Error>;
    fn error_context::get_current_context: fn() -> Option<ErrorContext>;
    fn error_context::format_breadcrumbs: fn(&ErrorContext) -> String;
    fn error_context::get_operation_duration: fn(&ErrorContext) -> u64;
} }

surface! { AGENTS, [#[cfg(feature = "agent")]] agents_have_their_legacy_paths {
    fn process_registry::configure_metadata_mode: fn(MetadataView) -> MetadataView;
    fn application::set_agent_features_enabled: fn(AgentFeatures) -> AgentFeatures;

    fn process_registry::agent::register_agent:
        fn(&Namespace, &AgentId, &Pid, &Metadata) -> Agent<()>;
    fn process_registry::agent::lookup_agent: fn(&Namespace, &AgentId) -> Agent<(Pid, Arc<AgentInfo>)>;
    fn process_registry::agent::update_agent_metadata:
        fn(&Namespace, &AgentId, &Metadata) -> Agent<()>;
    fn process_registry::agent::list_agents: fn(&Namespace) -> Agents;
    fn process_registry::agent::lookup_agents_by_capability: fn(&Namespace, &Capability) -> Agents;
    fn process_registry::agent::lookup_agents_by_capabilities: fn(&Namespace, &[Capability]) -> Agents;
    fn process_registry::agent::lookup_healthy_agents_by_capability: fn(&Namespace, &Capability) -> Agents;
    fn process_registry::agent::lookup_agents_by_health: fn(&Namespace, Health) -> Agents;
    fn process_registry::agent::lookup_agents_by_resource_usage:
        fn(&Namespace, ResourceKind, ResourceValue) -> Agents;
    fn process_registry::agent::lookup_agents_in_coordination: fn(&Namespace) -> Agents;
    fn process_registry::agent::lookup_agents_in_consensus: fn(&Namespace, &Name) -> Agents;
    fn process_registry::agent::get_agent_health_history:
        fn(&Namespace, &AgentId) -> Agent<Vec<HealthChange>>;
    fn process_registry::agent::get_system_health_overview: fn(&Namespace) -> Agent<HealthOverview>;
    fn process_registry::agent::get_resource_usage_stats: fn(&Namespace) -> Agent<ResourceStats>;
    fn process_registry::agent::get_agent_stats: fn(&Namespace) -> Agent<AgentStats>;
    fn process_registry::agent::update_agent_health: fn(&Namespace, &AgentId, Health) -> Agent<Health>;
    fn process_registry::agent::transition_agent: fn(&Namespace, &AgentId, AgentState) -> Agent<()>;
    fn process_registry::agent::unregister_agent: fn(&Namespace, &AgentId) -> Found<()>;

    fn agent_registry::start: fn(&Metadata) -> AgentRegistry;
    fn agent_registry::start_0: fn() -> AgentRegistry;
    fn agent_registry::child_spec: fn(&Metadata) -> ChildSpec;
    fn agent_registry::register: fn(&ProcessId, &Pid, &Metadata) -> Agent<()>;
    fn agent_registry::register_2: fn(&ProcessId, &Pid) -> Agent<()>;
    fn agent_registry::lookup: fn(&ProcessId) -> Agent<Process>;
    fn agent_registry::unregister: fn(&ProcessId) -> Found<()>;
    fn agent_registry::register_local: fn(&AgentId, &Pid, &Metadata) -> Agent<()>;
    fn agent_registry::register_local_2: fn(&AgentId, &Pid) -> Agent<()>;
    fn agent_registry::lookup_local: fn(&AgentId, &Namespace) -> Agent<Process>;
    fn agent_registry::lookup_local_1: fn(&AgentId) -> Agent<Process>;
    fn agent_registry::unregister_local: fn(&AgentId, &Namespace) -> Found<()>;
    fn agent_registry::unregister_local_1: fn(&AgentId) -> Found<()>;
    fn agent_registry::find_by_capability: fn(&Capability) -> Processes;
    fn agent_registry::find_by_type: fn(&AgentType) -> Processes;
    fn agent_registry::find_by_health: fn(Health) -> Processes;
    fn agent_registry::list_all: fn(&Namespace) -> Processes;
    fn agent_registry::list_all_0: fn() -> Processes;
    fn agent_registry::register_agent_3: fn(&AgentId, &Pid, &Metadata) -> Agent<()>;
    fn agent_registry::update_agent_health: fn(&AgentId, Health) -> Agent<()>;
    fn agent_registry::get_agent_metadata: fn(&AgentId) -> Agent<Arc<AgentInfo>>;
    fn agent_registry::cluster_lookup: fn(&ProcessId) -> Agent<Process>;
    fn agent_registry::migrate_agent: fn(&AgentId, &NodeId) -> Agent<Infallible>;
    fn agent_registry::initialize_optimizations: fn();
    fn agent_registry::cleanup_optimizations: fn();

    fn types::agent_info::new: fn(&Metadata) -> Result<AgentInfo, AgentInfoError>;
    fn types::agent_info::new_or_panic: fn(&Metadata) -> AgentInfo;
    fn types::agent_info::update_state: fn(&AgentInfo, AgentState) -> Result<AgentInfo, AgentInfoError>;
    fn types::agent_info::add_capability: fn(&AgentInfo, Capability) -> AgentInfo;
    fn types::agent_info::remove_capability: fn(&AgentInfo, &Capability) -> AgentInfo;
    fn types::agent_info::has_capability: fn(&AgentInfo, &Capability) -> bool;
    fn types::agent_info::update_health: fn(&AgentInfo, Health, &ResourceUsage) -> AgentInfo;
    fn types::agent_info::update_health_2: fn(&AgentInfo, Health) -> AgentInfo;
    fn types::agent_info::update_performance: fn(&AgentInfo, &PerformancePatch) -> AgentInfo;
    fn types::agent_info::update_coordination: fn(&AgentInfo, CoordinationPatch) -> AgentInfo;
    fn types::agent_info::healthy: fn(&AgentInfo) -> bool;
    fn types::agent_info::available: fn(&AgentInfo) -> bool;
    fn types::agent_info::status_summary: fn(&AgentInfo) -> StatusSummary;
    fn types::agent_info::to_map: fn(&AgentInfo) -> serde_json::Value;
    fn types::agent_info::from_map: fn(&serde_json::Value) -> Result<AgentInfo, AgentInfoError>;

    fn agent::error::new: fn(agent_error::Fields) -> Result<Error, MissingField>;
    fn agent::error::from_exception: fn(Exception<'static>, agent_error::Fields) -> Error;
    fn agent::error::from_exception_1: fn(&'static fmt::Error) -> Error;
    fn agent::error::add_agent_context: fn(Error, AgentContext) -> Error;
    fn agent::error::add_context: fn(Error, Metadata) -> Error;
    fn agent::error::retryable: fn(&Error) -> bool;
    fn agent::error::category: fn(&Error, &str) -> bool;
    fn agent::error::get_category: fn(&Error) -> &'static str;
    fn agent::error::to_map: fn(&Error) -> serde_json::Value;
    fn agent::error::from_map: fn(&serde_json::Value) -> Result<Error, DecodeError>;
    fn agent::error::alertable: fn(&Error) -> bool;
    fn agent::error::suggested_retry_delay: fn(&Error, u32) -> Option<Duration>;
} }

surface! { AGENT_LAYERS, [#[cfg(feature = "agent")]] agents_have_their_legacy_breakers_and_limits {
    fn infrastructure::circuit_breaker::execute_with_agent: fn(&str, &AgentId, Run, Metadata) -> Done;
    fn infrastructure::circuit_breaker::execute_with_agent_3: fn(&str, &AgentId, Run) -> Done;
    fn infrastructure::circuit_breaker::get_agent_status: fn(&str, &AgentId) -> Result<AgentBreakerStatus, Error>;
    fn infrastructure::agent_circuit_breaker::start_agent_breaker:
        fn(&str, AgentBreakerConfig) -> Result<InstanceAgentBreaker, Error>;
    fn infrastructure::agent_circuit_breaker::start_agent_breaker_1: fn(&str) -> Result<InstanceAgentBreaker, Error>;
    fn infrastructure::agent_circuit_breaker::execute_with_agent: fn(&str, &AgentId, Run, Metadata) -> Done;
    fn infrastructure::agent_circuit_breaker::execute_with_agent_3: fn(&str, &AgentId, Run) -> Done;
    fn infrastructure::agent_circuit_breaker::execute_with_agent_async:
        fn(Word, &'static AgentId, RunSoon, Metadata) -> _;
    fn infrastructure::agent_circuit_breaker::get_agent_status: fn(&str, &AgentId) -> Result<AgentBreakerStatus, Error>;
    fn infrastructure::agent_circuit_breaker::reset_agent_circuit: fn(&str, &AgentId) -> Done;
    fn infrastructure::agent_circuit_breaker::stop_agent_breaker: fn(&str, &AgentId) -> Done;

    fn infrastructure::agent_rate_limiter::start: fn(&Metadata) -> AgentRateLimiter;
    fn infrastructure::agent_rate_limiter::start_0: fn() -> AgentRateLimiter;
    fn infrastructure::agent_rate_limiter::check_rate_with_agent: fn(&AgentId, Word, Metadata) -> Done;
    fn infrastructure::agent_rate_limiter::check_rate_with_agent_2: fn(&AgentId, Word) -> Done;
    fn infrastructure::agent_rate_limiter::execute_with_limit: fn(&AgentId, Word, Run, Metadata) -> Done;
    fn infrastructure::agent_rate_limiter::execute_with_limit_3: fn(&AgentId, Word, Run) -> Done;
    fn infrastructure::agent_rate_limiter::update_agent_limits: fn(&AgentId, Word, Quota) -> Done;
    fn infrastructure::agent_rate_limiter::get_agent_status: fn(&AgentId) -> AgentLimiterStatus;
    fn infrastructure::agent_rate_limiter::reset_agent_buckets: fn(&AgentId);
    fn infrastructure::agent_rate_limiter::reset_agent_bucket: fn(&AgentId);
    fn infrastructure::agent_rate_limiter::reset_all_buckets: fn();
    fn infrastructure::agent_rate_limiter::get_agent_stats: fn(&AgentId) -> LimiterStats;
    fn infrastructure::agent_rate_limiter::get_system_overview: fn() -> Overview;
    fn infrastructure::agent_rate_limiter::update_agent_config: fn(&AgentId, Burst) -> Done;
    fn infrastructure::agent_rate_limiter::update_operation_limits: fn(Word, OperationLimit) -> Done;
    fn infrastructure::agent_rate_limiter::get_current_limits: fn(&AgentId, Word) -> OperationLimit;
    fn infrastructure::agent_rate_limiter::reserve_capacity_for_coordination:
        fn(&AgentId, Word, Word, NonZeroU32) -> Done;
    fn infrastructure::agent_rate_limiter::release_coordination_reservation: fn(&AgentId, Word) -> Option<u32>;
    fn infrastructure::agent_rate_limiter::clean_buckets: fn() -> usize;
} }

/// A member of a group.
struct Idle;
impl Service for Idle {}
type Make = fn(&ServiceContext) -> Result<Idle, BoxError>;
type MakeWith = fn(&ServiceContext, &u32) -> Result<Idle, BoxError>;

type Trees = Result<Value, Error>;
type Typed = Result<FoundationConfig, Error>;
type Part = Result<(Value, FoundationConfig), Error>;
type Taking = fn(Value) -> Option<(Value, Value)>;

surface! { SETTINGS, [] the_settings_have_their_legacy_paths {
    fn config::initialize: fn(&ConfigOptions) -> Done;
    fn config::initialize_0: fn() -> Done;
    fn config::status: fn() -> Result<ConfigStatus, Error>;
    fn config::get: fn(Word) -> Trees;
    fn config::get_as: fn(Word) -> Result<bool, Error>;
    fn config::get_0: fn() -> Result<Arc<FoundationConfig>, Error>;
    fn config::get_with_default: fn(Word, Value) -> Value;
    fn config::update: fn(Word, bool) -> Done;
    fn config::safe_update: fn(Word, bool) -> Done;
    fn config::validate: fn(&FoundationConfig) -> Done;
    fn config::validate_tree: fn(&Value) -> Done;
    fn config::updatable_paths: fn() -> Vec<SettingPath>;
    fn config::reset: fn() -> Done;
    fn config::available: fn() -> bool;
    fn config::subscribe: fn() -> Result<ConfigSubscription, Error>;
    fn config::unsubscribe: fn(ConfigSubscription);

    fn config_server::start: fn(&ConfigOptions) -> Done;
    fn config_server::start_0: fn() -> Done;
    fn config_server::child_spec: fn() -> ServiceSpec;
    fn config_server::stop: fn();
    fn config_server::initialize: fn(&ConfigOptions) -> Done;
    fn config_server::initialize_0: fn() -> Done;
    fn config_server::status: fn() -> Result<ConfigStatus, Error>;
    fn config_server::get: fn(Word) -> Trees;
    fn config_server::get_0: fn() -> Result<Arc<FoundationConfig>, Error>;
    fn config_server::get_all: fn() -> Result<Arc<FoundationConfig>, Error>;
    fn config_server::update: fn(Word, bool) -> Done;
    fn config_server::validate: fn(&FoundationConfig) -> Done;
    fn config_server::updatable_paths: fn() -> Vec<SettingPath>;
    fn config_server::reset: fn() -> Done;
    fn config_server::available: fn() -> bool;
    fn config_server::subscribe: fn(&SubscriberId, mpsc::Sender<ConfigNotification>) -> Done;
    fn config_server::subscribe_0: fn() -> Result<ConfigSubscription, Error>;
    fn config_server::unsubscribe: fn(&SubscriberId);
    fn config_server::unsubscribe_0: fn(ConfigSubscription);
    fn config_server::reset_state: fn() -> Done;
    fn config_server::retry_pending_updates: fn() -> PendingReport;
    fn config_server::cleanup_expired_cache: fn() -> Vec<SettingPath>;
    fn config_server::get_cache_stats: fn() -> CacheStats;

    dyn contracts::Configurable;

    fn logic::config_logic::updatable_paths: fn() -> Vec<SettingPath>;
    fn logic::config_logic::updatable_path: fn(Word) -> bool;
    fn logic::config_logic::update_config: fn(&Value, Word, bool) -> Trees;
    fn logic::config_logic::get_config_value: fn(&Value, Word) -> Trees;
    fn logic::config_logic::merge_env_config: fn(Value, &Metadata) -> Value;
    fn logic::config_logic::merge_opts_config: fn(Value, &Metadata) -> Merged;
    fn logic::config_logic::build_config: fn(&ConfigOptions) -> Trees;
    fn logic::config_logic::build_config_0: fn() -> Trees;
    fn logic::config_logic::reset_config: fn() -> Value;
    fn logic::config_logic::diff_configs: fn(&Value, &Value) -> ConfigDiff;

    fn types::config::new: fn(&Metadata) -> Typed;
    fn types::config::new_0: fn() -> FoundationConfig;
    fn types::config::fetch: fn(&FoundationConfig, &str) -> Result<Value, KeyNotFound>;
    fn types::config::get_and_update: fn(&FoundationConfig, &str, Taking) -> Part;
    fn types::config::pop: fn(&FoundationConfig, &str) -> Part;

    fn validation::config_validator::validate: fn(&FoundationConfig) -> Done;
    fn validation::config_validator::validate_tree: fn(&Value) -> Done;
    fn validation::config_validator::validate_ai_config: fn(&AiConfig) -> Done;
    fn validation::config_validator::validate_capture_config: fn(&CaptureConfig) -> Done;
    fn validation::config_validator::validate_storage_config: fn(&StorageConfig) -> Done;
    fn validation::config_validator::validate_interface_config: fn(&InterfaceConfig) -> Done;
    fn validation::config_validator::validate_dev_config: fn(&DevConfig) -> Done;
    fn validation::config_validator::validate_infrastructure_config: fn(&InfrastructureConfig) -> Done;
} }

surface! { AGENT_SETTINGS, [#[cfg(feature = "agent")]] settings_of_agents_have_their_legacy_paths {
    fn agent::config_server::start: fn(&AgentConfigOptions) -> Done;
    fn agent::config_server::start_0: fn() -> Done;
    fn agent::config_server::get_config: fn(Word, &Namespace) -> Trees;
    fn agent::config_server::get_config_1: fn(Word) -> Trees;
    fn agent::config_server::get_effective_config: fn(&AgentId, Word, &Namespace) -> Trees;
    fn agent::config_server::get_effective_config_2: fn(&AgentId, Word) -> Trees;
    fn agent::config_server::set_config: fn(Word, bool, &Namespace) -> Done;
    fn agent::config_server::set_config_2: fn(Word, bool) -> Done;
    fn agent::config_server::set_agent_config: fn(&AgentId, Word, bool, &Namespace) -> Done;
    fn agent::config_server::set_agent_config_3: fn(&AgentId, Word, bool) -> Done;
    fn agent::config_server::clear_agent_config: fn(&AgentId, Word, &Namespace) -> Done;
    fn agent::config_server::clear_agent_config_2: fn(&AgentId, Word) -> Done;
    fn agent::config_server::subscribe_to_changes: fn(Word, &Namespace) -> Result<AgentConfigSubscription, Error>;
    fn agent::config_server::subscribe_to_changes_1: fn(Word) -> Result<AgentConfigSubscription, Error>;
    fn agent::config_server::unsubscribe_from_changes: fn(AgentConfigSubscription);
    fn agent::config_server::subscribe_to_agent_changes: fn(&AgentId, Option<Word>, &Namespace) -> Effective;
    fn agent::config_server::subscribe_to_agent_changes_2: fn(&AgentId, Option<Word>) -> Effective;
    fn agent::config_server::subscribe_to_agent_changes_1: fn(&AgentId) -> Effective;
    fn agent::config_server::get_agent_config_history: fn(&AgentId, usize, &Namespace) -> Changes;
    fn agent::config_server::get_agent_config_history_2: fn(&AgentId, usize) -> Changes;
    fn agent::config_server::get_agent_config_history_1: fn(&AgentId) -> Changes;
    fn agent::config_server::get_change_history: fn(&Namespace, usize) -> Changes;
    fn agent::config_server::get_change_history_1: fn(&Namespace) -> Changes;
    fn agent::config_server::get_change_history_0: fn() -> Changes;
    fn agent::config_server::validate_config: fn(&Value) -> Done;
} }

surface! { WHOLE, [] the_whole_has_its_legacy_paths {
    fn initialize: fn(&InitOptions) -> Result<(), Error>;
    fn initialize_0: fn() -> Result<(), Error>;
    fn start_link: fn(&InitOptions) -> Result<Foundation, Error>;
    fn start_link_0: fn() -> Result<Foundation, Error>;
    fn status: fn() -> FoundationStatus;
    fn available: fn() -> bool;
    fn version: fn() -> Word;
    fn health: fn() -> FoundationHealth;
    fn shutdown: fn() -> Option<ShutdownReport>;

    fn application::start: fn(FoundationBuilder) -> Result<Foundation, foundation_compat::StartError>;
    fn application::stop: fn(Foundation) -> ShutdownReport;
    fn application::get_application_status: fn() -> Result<ApplicationStatus, LifecycleError>;
    fn application::health_check: fn() -> Result<HealthCheck, LifecycleError>;
    fn application::restart_service: fn(&ServiceName) -> Result<Pid, LifecycleError>;
    fn application::disable_services: fn(&[ServiceName]) -> Result<(), LifecycleError>;
    fn application::enable_services: fn(&[ServiceName]) -> Result<(), LifecycleError>;
} }

surface! { UTILITIES, [] utilities_have_their_legacy_paths {
    fn beam::processes::isolate_memory_intensive_work:
        fn(Count, mpsc::Sender<Result<u32, WorkError>>) -> Result<Pid, WorkError>;
    fn beam::processes::isolate_memory_intensive_work_1: fn(Count) -> Isolated<u32>;
    fn beam::processes::spawn_ecosystem: fn(GroupBuilder) -> Result<Group, GroupError>;
    fn beam::processes::shutdown_ecosystem: fn(&Group) -> ShutdownReport;
    fn beam::processes::ecosystem_info: fn(&Group) -> GroupInfo;

    fn beam::ecosystem_supervisor::start_link: fn(GroupBuilder) -> Result<Group, GroupError>;
    fn beam::ecosystem_supervisor::get_coordinator: fn(&Group) -> Result<Pid, GroupError>;
    fn beam::ecosystem_supervisor::add_worker: fn(&Group, MakeWith, u32) -> Result<Pid, GroupError>;
    fn beam::ecosystem_supervisor::add_worker_2: fn(&Group, Make) -> Result<Pid, GroupError>;
    fn beam::ecosystem_supervisor::remove_worker: fn(&Group, &Pid) -> Result<(), GroupError>;
    fn beam::ecosystem_supervisor::list_workers: fn(&Group) -> Vec<Pid>;
    fn beam::ecosystem_supervisor::get_ecosystem_info: fn(&Group) -> GroupInfo;
    fn beam::ecosystem_supervisor::shutdown: fn(&Group) -> ShutdownReport;
    fn isolated::isolate: fn(Count) -> Isolated<u32>;

    fn services::service_behaviour::initialize_metrics: fn() -> ServiceMetrics;
    fn services::service_behaviour::update_health_metrics: fn(ServiceMetrics, Health) -> ServiceMetrics;
    fn services::service_behaviour::calculate_current_metrics: fn(ServiceMetrics, Duration, Usage) -> ServiceMetrics;

    fn utils::generate_id: fn() -> i64;
    fn utils::generate_correlation_id: fn() -> CorrelationId;
    fn utils::monotonic_timestamp: fn() -> Duration;
    fn utils::wall_timestamp: fn() -> i64;
    fn utils::truncate_if_large: fn(Value, usize) -> Value;
    fn utils::truncate_if_large_1: fn(Value) -> Value;
    fn utils::deep_size: fn(&Value) -> usize;
    fn utils::safe_inspect: fn(&Value) -> String;
    fn utils::deep_merge: fn(Value, Value) -> Value;
    fn utils::get_nested: for<'v> fn(&'v Value, &[Word], &'v Value) -> &'v Value;
    fn utils::get_nested_2: for<'v> fn(&'v Value, &[Word]) -> &'v Value;
    fn utils::put_nested: fn(&mut Value, &[Word], Value) -> Result<(), PutNestedError>;
    fn utils::sanitize_string: fn(&str) -> String;
    fn utils::atomize_keys: fn(Value) -> Value;
    fn utils::stringify_keys: fn(Value) -> Value;
    fn utils::retry: fn(Run, RetryOptions) -> Result<(), RetryError<Error>>;
    fn utils::retry_1: fn(Run) -> Result<(), RetryError<Error>>;
    fn utils::blank: fn(&Value) -> bool;
    fn utils::present: fn(&Value) -> bool;
    fn utils::format_duration: fn(Duration) -> String;
    fn utils::format_bytes: fn(u64) -> String;
    fn utils::measure: fn(Count) -> (u32, Duration);
    fn utils::measure_memory: fn(Count) -> (u32, Option<MemoryChange>);
    fn utils::process_stats: fn() -> ProcessStats;
    fn utils::system_stats: fn() -> SystemStats;
    fn utils::valid_positive_integer: fn(&Value) -> bool;
} }

/// The paths in the second columns of the tables whose second column is headed `Rust`.
fn listed(page: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut in_table = false;
    for line in page.lines() {
        let Some(row) = line.strip_prefix('|') else {
            in_table = false;
            continue;
        };
        let second = row.split('|').nth(1).unwrap_or_default().trim();
        if second == "Rust" {
            in_table = true;
        } else if in_table {
            // Between backticks are the odd pieces.
            paths.extend(second.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    paths
}

#[test]
fn the_page_lists_what_there_is_and_nothing_else() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/LEGACY.md");
    let listed = listed(&fs::read_to_string(page).expect("the page is in the repository"));
    let listed_once: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), listed_once.len(), "a path is listed twice");

    let named =
        [REGISTRY, INFRASTRUCTURE, SETTINGS, ERRORS, WHOLE, UTILITIES, AGENTS, AGENT_LAYERS, AGENT_SETTINGS].concat();
    let named: BTreeSet<String> = named.into_iter().map(|path| path.join("::")).collect();
    let missing: Vec<_> = named.difference(&listed_once).collect();
    let unknown: Vec<_> = listed_once.difference(&named).collect();
    assert!(missing.is_empty(), "named here and not listed: {missing:?}");
    assert!(unknown.is_empty(), "listed and not named here: {unknown:?}");
    assert!(named.len() > 220, "the whole surface is there");
}

#[test]
fn every_difference_that_a_table_refers_to_is_explained() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/LEGACY.md");
    let page = fs::read_to_string(page).expect("the page is in the repository");
    for (letter, last) in [
        ('D', 14),
        ('B', 10),
        ('L', 8),
        ('C', 7),
        ('F', 8),
        ('A', 7),
        ('T', 14),
        ('E', 19),
        ('U', 8),
        ('W', 3),
        ('G', 6),
        ('P', 5),
        ('S', 18),
    ] {
        for number in 1..=last {
            let row = format!("| {letter}{number} | ");
            assert_eq!(page.matches(&row).count(), 1, "{row}");
        }
    }
}

/// Values cross threads, errors are errors.
#[test]
fn everything_can_be_shared() {
    fn shared<T: Any + Send + Sync>() {}
    fn error<T: std::error::Error + Any + Send + Sync>() {}
    shared::<Foundation>();
    shared::<ProcessRegistry>();
    shared::<foundation_compat::service_registry::ServiceRegistry>();
    shared::<foundation_compat::process_registry::backend_monitor::BackendMonitor>();
    shared::<RunningMonitor>();
    shared::<Infrastructure>();
    shared::<CircuitBreakers>();
    shared::<RateLimiter>();
    shared::<ConnectionManager>();
    shared::<LegacyPool>();
    shared::<foundation_compat::config::Config>();
    shared::<foundation_compat::config_server::ConfigServer>();
    shared::<ConfigSubscription>();
    error::<StartPoolError>();
    error::<PoolNotFound>();
    error::<PoolError>();
    error::<ConnectionError<Error>>();
    error::<ExecuteError<Error>>();
    error::<HttpConfigError>();
    error::<HttpError<fmt::Error>>();
    error::<RegisterError>();
    error::<UpdateError>();
    error::<MissingField>();
    error::<PutNestedError>();
    error::<RetryError<Error>>();
    error::<WorkError>();
    shared::<Isolated<u32>>();
    error::<NotImplemented>();
    error::<MonitorError>();
    error::<SwitchError>();
    error::<StartError>();
    error::<KeyNotFound>();
    error::<foundation_compat::BuildError>();
    error::<foundation_compat::global::AlreadyInstalled>();
}
