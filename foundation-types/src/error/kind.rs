//! The kinds of errors and the definition table, both from one list.

use super::definition::{Definition, Entry};
use super::retry::RetryStrategy;
use super::vocabulary::{Category, Domain, Severity, Subcategory, open_words};

/// `Variant "text" "default message" { Domain code Severity Category Subcategory RetryStrategy, … }`; of several rows
/// for one domain the first is the definition.
macro_rules! kinds {
    ($(
        $variant:ident $text:literal $message:literal {
            $($domain:ident $code:literal $severity:ident $category:ident $subcategory:ident $retry:ident),+ $(,)?
        }
    )+) => {
        open_words! {
            /// What went wrong. Programs dispatch on the kind, never on the code.
            ///
            /// ```
            /// use foundation_types::ErrorKind;
            ///
            /// assert_eq!(ErrorKind::from("timeout"), ErrorKind::Timeout);
            /// assert_eq!(ErrorKind::Timeout.definition().code, 4301);
            /// assert_eq!(ErrorKind::from("bit_rot").definition().code, 9999);
            /// ```
            ErrorKind,
            /// The name of a kind outside the table.
            OtherKind {
                $(#[doc = concat!("`", $text, "`: ", $message, ".")] $variant = $text,)+
            }
        }

        impl ErrorKind {
            /// The rows that define this kind, in any domain; none for kinds outside the table.
            pub fn entries(&self) -> &'static [Entry] {
                match self {
                    $(Self::$variant => {
                        static ENTRIES: &[Entry] = &[$(Entry {
                            domain: Domain::$domain,
                            kind: ErrorKind::$variant,
                            definition: Definition {
                                code: $code,
                                severity: Severity::$severity,
                                category: Category::$category,
                                subcategory: Subcategory::$subcategory,
                                retry: RetryStrategy::$retry,
                                message: $message,
                            },
                        },)+];
                        ENTRIES
                    })+
                    Self::Other(_) => &[],
                }
            }
        }
    };
}

impl ErrorKind {
    /// The definition of this kind in [`Domain::Core`]. For another domain use [`Definition::of`].
    pub fn definition(&self) -> &'static Definition {
        Definition::of(&Domain::Core, self)
    }
}

// A row without a number of its own has the one of the core row of its kind, or 9999. Rows outside the core domain are
// retried only where that is stated: their users decide by transience.
kinds! {
    InvalidConfigStructure "invalid_config_structure" "Configuration structure is invalid" {
        Core 1101 High Config Structure Immediate,
    }
    MissingRequiredField "missing_required_field" "Required configuration field missing" {
        Core 1102 High Config Structure Immediate,
    }
    InvalidConfigValue "invalid_config_value" "Configuration value failed validation" {
        Core 1201 Medium Config Validation NoRetry,
        Config 1002 Medium Config Validation NoRetry,
    }
    ConstraintViolation "constraint_violation" "Configuration constraint violated" {
        Core 1202 Medium Config Validation FixedDelay,
        Config 1003 High Config Validation NoRetry,
    }
    RangeError "range_error" "Value outside acceptable range" {
        Core 1203 Low Config Validation FixedDelay,
        Config 1004 High Config Validation NoRetry,
    }
    ConfigNotFound "config_not_found" "Configuration not found" {
        Core 1301 High Config Access Immediate,
        Config 9002 Low Config NotFound NoRetry,
    }
    ConfigUpdateForbidden "config_update_forbidden" "Configuration update not allowed" {
        Core 1401 Medium Config Runtime FixedDelay,
        Config 1401 Medium Config Runtime NoRetry,
    }
    InitializationFailed "initialization_failed" "System initialization failed" {
        Core 2101 Critical System Initialization NoRetry,
    }
    ServiceUnavailable "service_unavailable" "Required service unavailable" {
        Core 2102 High System Initialization Immediate,
        Config 5000 High System Initialization NoRetry,
        Events 3000 High System Availability NoRetry,
        Telemetry 2102 Medium System Availability NoRetry,
    }
    ResourceExhausted "resource_exhausted" "System resources exhausted" {
        Core 2201 High System Resources Immediate,
        Breaker 7010 Medium Agent Resources ExponentialBackoff,
    }
    DependencyFailed "dependency_failed" "Required dependency failed" {
        Core 2301 High System Dependencies Immediate,
    }
    InternalError "internal_error" "Internal system error" {
        Core 2401 Critical System Runtime NoRetry,
    }
    SerializationFailed "serialization_failed" "Data serialization failed" {
        Core 3101 Medium Data Serialization FixedDelay,
        Events 3101 Medium Data Serialization NoRetry,
    }
    DeserializationFailed "deserialization_failed" "Data deserialization failed" {
        Core 3102 Medium Data Serialization FixedDelay,
        Events 3102 Medium Data Serialization NoRetry,
    }
    TypeMismatch "type_mismatch" "Data type mismatch" {
        Core 3201 Low Data Validation FixedDelay,
        Config 1205 Medium Config Validation NoRetry,
        Events 2002 Medium Data Validation NoRetry,
    }
    FormatError "format_error" "Data format error" {
        Core 3202 Low Data Validation FixedDelay,
    }
    ValidationFailed "validation_failed" "Data validation failed" {
        Core 3203 Medium Data Validation FixedDelay,
        Config 1001 Medium Config Validation NoRetry,
        Events 2001 High Data Validation NoRetry,
        Limiter 6009 Medium Data Validation NoRetry,
        Limiter 6008 Medium Data Validation NoRetry,
    }
    InvalidInput "invalid_input" "Invalid input provided" {
        Core 3204 Low Data Validation FixedDelay,
        Breaker 5009 Medium Data Validation NoRetry,
        Breaker 5010 Medium Data Validation NoRetry,
        Breaker 5011 Medium Data Validation NoRetry,
    }
    DataCorruption "data_corruption" "Data corruption detected" {
        Core 3301 Critical Data Corruption NoRetry,
    }
    DataNotFound "data_not_found" "Requested data not found" {
        Core 3401 Low Data NotFound FixedDelay,
    }
    NetworkError "network_error" "Network communication error" {
        Core 4101 Medium External Network ExponentialBackoff,
    }
    ExternalServiceError "external_service_error" "External service error" {
        Core 4201 Medium External Service FixedDelay,
    }
    Timeout "timeout" "Operation timeout" {
        Core 4301 Medium External Timeout ExponentialBackoff,
    }
    AuthenticationFailed "authentication_failed" "Authentication failed" {
        Core 4401 High External Auth Immediate,
    }
    ExternalError "external_error" "External operation failed" {
        Core 4900 Medium External Runtime FixedDelay,
    }
    AgentFeaturesDisabled "agent_features_disabled" "Agent features are disabled" {
        Core 3901 Medium Agent Availability NoRetry,
        Registry 3103 Medium Agent Availability NoRetry,
    }

    SecurityViolation "security_violation" "Security policy violated" {
        Config 1000 High Config Security NoRetry,
        Config 1005 High Config Security NoRetry,
    }
    OperationForbidden "operation_forbidden" "Operation not allowed" {
        Config 5002 High Security Authorization NoRetry,
        Events 3002 High Security Authorization NoRetry,
        Telemetry 7002 High Security Authorization NoRetry,
    }
    ConfigPathNotFound "config_path_not_found" "Configuration path not found" {
        Config 1302 Medium Config Access NoRetry,
    }
    ConfigPathInvalid "config_path_invalid" "Configuration path is invalid" {
        Config 1304 Medium Config Validation NoRetry,
    }
    InvalidPath "invalid_path" "Path is invalid" {
        Config 1304 Medium Config Validation NoRetry,
    }
    ConfigUnavailable "config_unavailable" "Configuration unavailable" {
        Config 1303 Medium Config Access NoRetry,
    }
    VersionConflict "version_conflict" "Another version of the configuration is current" {
        Config 1402 Medium Config Runtime NoRetry,
    }
    VersionEvicted "version_evicted" "Version of the configuration is not kept" {
        Config 1403 Medium Config NotFound NoRetry,
    }
    ConfigServerError "config_server_error" "Configuration server error" {
        Config 9001 Medium Config Service NoRetry,
    }
    ConfigValidationFailed "config_validation_failed" "Configuration validation failed" {
        Config 9003 Medium Config Validation NoRetry,
    }

    DataTooLarge "data_too_large" "Data exceeds the size limit" {
        Events 2003 High Data Validation NoRetry,
    }
    InvalidEventType "invalid_event_type" "Event type is invalid" {
        Events 2004 Medium Data Validation NoRetry,
    }
    InvalidArgument "invalid_argument" "Invalid argument" {
        Events 2005 High Data Validation NoRetry,
        Exception 1002 High Data Validation NoRetry,
        Exception 1003 High Data Validation NoRetry,
    }
    NotFound "not_found" "Not found" {
        Events 3001 Low Data NotFound NoRetry,
        Infrastructure 9999 Low Data NotFound NoRetry,
    }
    OperationNotSupported "operation_not_supported" "Operation not supported" {
        Events 4001 Medium System Runtime NoRetry,
    }
    DuplicateId "duplicate_id" "Id exists already" {
        Events 3003 Medium Data Validation NoRetry,
    }
    Busy "busy" "Store is busy" {
        Events 3004 Low System Availability FixedDelay,
    }
    StorageFailed "storage_failed" "Storage failed" {
        Events 3005 High System Runtime ExponentialBackoff,
    }
    OutcomeUnknown "outcome_unknown" "Outcome of the operation is unknown" {
        Events 3006 High System Runtime Immediate,
    }
    SchemaOutdated "schema_outdated" "Stored schema is outdated" {
        Events 3007 High System Structure NoRetry,
    }
    BackfillIncomplete "backfill_incomplete" "Backfill is incomplete" {
        Events 3008 Low Data Retrieval NoRetry,
    }
    InvalidCursor "invalid_cursor" "Cursor is invalid" {
        Events 3010 Low Data Validation NoRetry,
    }
    EventStoreError "event_store_error" "Event store error" {
        Events 9101 Medium System Service NoRetry,
    }
    EventValidationFailed "event_validation_failed" "Event validation failed" {
        Events 9102 Medium Data Validation NoRetry,
    }
    EventQueryFailed "event_query_failed" "Event query failed" {
        Events 9103 Medium Data Retrieval NoRetry,
    }

    ServiceNotFound "service_not_found" "Service not found" {
        Registry 5001 Medium System Discovery NoRetry,
    }
    AlreadyRegistered "already_registered" "Name is registered already" {
        Registry 7101 Medium Service Registration NoRetry,
    }
    DeadProcess "dead_process" "Process is not alive" {
        Registry 7102 Medium Service Lifecycle NoRetry,
    }
    Superseded "superseded" "A later registration holds the name" {
        Registry 7103 Medium Service Registration NoRetry,
    }
    AgentManaged "agent_managed" "Metadata belongs to the agent record" {
        Registry 7104 Medium Agent Registration NoRetry,
    }
    LimitExceeded "limit_exceeded" "Limit exceeded" {
        Registry 7105 Medium System Resources NoRetry,
        Config 1404 Medium Config Resources NoRetry,
    }
    Closed "closed" "Closed" {
        Registry 7106 High System Lifecycle NoRetry,
    }
    BackendError "backend_error" "Back-end failed" {
        Registry 7107 High Service Availability ExponentialBackoff,
    }
    RemoteNode "remote_node" "Operation needs the node the process runs on" {
        Registry 7108 Medium Distributed Network NoRetry,
    }
    NotImplemented "not_implemented" "Operation not implemented by this back-end" {
        Registry 7109 Medium Service Runtime NoRetry,
    }
    AgentNotFound "agent_not_found" "Agent not found" {
        Registry 3101 Medium Agent NotFound NoRetry,
        Breaker 7011 Medium Agent NotFound NoRetry,
        Limiter 6016 Medium Agent NotFound NoRetry,
        Resources 8002 Medium Agent NotFound NoRetry,
    }
    InvalidAgentMetadata "invalid_agent_metadata" "Agent metadata is invalid" {
        Registry 3102 Medium Agent Validation NoRetry,
    }

    ValidationError "validation_error" "Validation error" {
        Processes 3001 High Data Validation NoRetry,
    }
    ProcessStartFailed "process_start_failed" "Process failed to start" {
        Processes 5001 High System Startup NoRetry,
    }

    CircuitBreakerInstallFailed "circuit_breaker_install_failed" "Circuit breaker could not be installed" {
        Breaker 5001 High System Initialization NoRetry,
    }
    CircuitBreakerException "circuit_breaker_exception" "Circuit breaker failed" {
        Breaker 5002 Critical System Runtime NoRetry,
        Breaker 5006 Critical System Runtime NoRetry,
        Breaker 5008 Medium System Runtime NoRetry,
        Breaker 5014 Medium System Runtime NoRetry,
    }
    ProtectedOperationFailed "protected_operation_failed" "Protected operation failed" {
        Breaker 5003 Medium External Runtime NoRetry,
        Breaker 5012 Medium External Runtime NoRetry,
        Breaker 7004 Medium External Runtime NoRetry,
    }
    CircuitBreakerBlown "circuit_breaker_blown" "Circuit breaker is open" {
        Breaker 5004 Medium External Availability FixedDelay,
    }
    CircuitBreakerNotFound "circuit_breaker_not_found" "Circuit breaker not found" {
        Breaker 5005 High System NotFound NoRetry,
        Breaker 5007 Medium System NotFound NoRetry,
        Breaker 5013 Medium System NotFound NoRetry,
        Breaker 7001 Medium System NotFound NoRetry,
    }
    CircuitBreakerTimeout "circuit_breaker_timeout" "Call through the circuit breaker timed out" {
        Breaker 7002 Medium External Timeout NoRetry,
    }
    CircuitBreakerOpen "circuit_breaker_open" "Circuit breaker of the agent is open" {
        Breaker 7003 Medium External Availability ExponentialBackoff,
    }
    CircuitStatusError "circuit_status_error" "Status of the circuit breaker could not be read" {
        Breaker 7005 Low System Runtime NoRetry,
    }
    CircuitResetError "circuit_reset_error" "Circuit breaker could not be reset" {
        Breaker 7006 Medium System Runtime NoRetry,
    }
    CircuitExecutionError "circuit_execution_error" "Circuit breaker failed around the call" {
        Breaker 7007 High System Runtime NoRetry,
    }
    AgentUnavailable "agent_unavailable" "Agent is not available" {
        Breaker 7008 High Agent Availability NoRetry,
    }
    AgentUnhealthy "agent_unhealthy" "Agent is unhealthy" {
        Breaker 7009 Medium Agent Availability ExponentialBackoff,
    }
    CapabilityNotFound "capability_not_found" "Agent does not have the capability" {
        Breaker 7012 Medium Agent NotFound NoRetry,
    }
    AlreadyStarted "already_started" "Started already" {
        Breaker 7013 Medium Service Registration NoRetry,
    }

    CircuitBreakerInitFailed "circuit_breaker_init_failed" "Circuit breaker initialization failed" {
        Infrastructure 9999 Medium System Initialization NoRetry,
        Breaker 5019 Medium System Initialization NoRetry,
    }
    InvalidArguments "invalid_arguments" "Invalid arguments" {
        Infrastructure 9999 Medium Data Validation NoRetry,
        Breaker 5018 Medium Data Validation NoRetry,
    }
    InvalidName "invalid_name" "Invalid name" {
        Infrastructure 9999 Medium Data Validation NoRetry,
        Breaker 5015 Medium Data Validation NoRetry,
    }
    InvalidConfiguration "invalid_configuration" "Invalid configuration" {
        Infrastructure 9999 Medium Config Validation NoRetry,
        Breaker 5016 Medium Config Validation NoRetry,
        Limiter 6015 Medium Config Validation NoRetry,
    }
    AlreadyExists "already_exists" "Exists already" {
        Infrastructure 9999 Medium Service Registration NoRetry,
        Breaker 5017 Medium Service Registration NoRetry,
    }

    RateLimitExceeded "rate_limit_exceeded" "Rate limit exceeded" {
        Limiter 6001 Medium External Availability FixedDelay,
    }
    RateLimiterException "rate_limiter_exception" "Rate limiter failed" {
        Limiter 6003 Critical System Runtime NoRetry,
        Limiter 6007 Medium System Runtime NoRetry,
    }
    RateLimitedOperationFailed "rate_limited_operation_failed" "Rate-limited operation failed" {
        Limiter 6008 Medium External Runtime NoRetry,
        Limiter 6020 Medium External Runtime NoRetry,
    }
    AgentRateLimitExceeded "agent_rate_limit_exceeded" "Rate limit of the agent exceeded" {
        Limiter 6010 Medium Agent Availability FixedDelay,
    }
    RateLimiterError "rate_limiter_error" "Rate limiter error" {
        Limiter 6011 Medium System Runtime NoRetry,
    }
    RateLimiterTimeout "rate_limiter_timeout" "Rate limiter timeout" {
        Limiter 6012 Medium System Timeout NoRetry,
    }
    RateLimiterNotRunning "rate_limiter_not_running" "Rate limiter is not running" {
        Limiter 6013 High System Availability NoRetry,
    }
    AgentCritical "agent_critical" "Agent is in critical health" {
        Limiter 6014 Medium Agent Availability NoRetry,
    }

    PoolNotFound "pool_not_found" "Connection pool not found" {
        Infrastructure 9999 Medium System NotFound NoRetry,
    }
    CheckoutTimeout "checkout_timeout" "No connection became free in time" {
        Infrastructure 9999 Medium System Timeout FixedDelay,
    }
    PoolClosed "pool_closed" "Connection pool is closed" {
        Infrastructure 9999 Medium System Lifecycle NoRetry,
    }
    PoolFull "pool_full" "Connection pool is full" {
        Infrastructure 9999 Medium System Resources FixedDelay,
    }
    BulkheadFull "bulkhead_full" "Bulkhead is full" {
        Infrastructure 9999 Medium System Resources FixedDelay,
    }
    WorkerStartFailed "worker_start_failed" "Worker of the pool could not be started" {
        Infrastructure 9999 Medium External Initialization NoRetry,
    }
    InvalidWorkerModule "invalid_worker_module" "Worker of the pool is invalid" {
        Infrastructure 9999 Medium Config Validation NoRetry,
    }
    InvalidConfig "invalid_config" "Configuration is invalid" {
        Infrastructure 9999 Medium Config Validation NoRetry,
    }
    InvalidConfigFormat "invalid_config_format" "Configuration is not a map" {
        Infrastructure 9999 Medium Config Structure NoRetry,
    }
    MissingRequiredKeys "missing_required_keys" "Required sections are missing from the configuration" {
        Infrastructure 9999 Medium Config Structure NoRetry,
    }
    InvalidCircuitBreakerConfig "invalid_circuit_breaker_config" "Configuration of the circuit breaker is invalid" {
        Infrastructure 9999 Medium Config Validation NoRetry,
    }
    InvalidRateLimiterConfig "invalid_rate_limiter_config" "Configuration of the rate limiter is invalid" {
        Infrastructure 9999 Medium Config Validation NoRetry,
    }
    InvalidConnectionPoolConfig "invalid_connection_pool_config" "Configuration of the connection pool is invalid" {
        Infrastructure 9999 Medium Config Validation NoRetry,
    }
    InfrastructureInitFailed "infrastructure_init_failed" "Infrastructure could not be initialized" {
        Infrastructure 9999 High System Initialization NoRetry,
    }

    ServiceInitializationFailed "service_initialization_failed" "Service initialization failed" {
        Telemetry 9999 High System Initialization NoRetry,
    }
    TelemetryServiceError "telemetry_service_error" "Telemetry service error" {
        Telemetry 9201 Medium System Service NoRetry,
    }
    TelemetryValidationFailed "telemetry_validation_failed" "Telemetry validation failed" {
        Telemetry 9202 Medium Data Validation NoRetry,
    }
    TelemetryQueryFailed "telemetry_query_failed" "Telemetry query failed" {
        Telemetry 9203 Medium Data Retrieval NoRetry,
    }

    CoordinationServiceError "coordination_service_error" "Coordination service error" {
        Coordination 4101 Medium Coordination Service NoRetry,
    }

    ResourceManagerError "resource_manager_error" "Resource manager error" {
        Resources 8001 Medium System Service NoRetry,
    }
    ResourceAvailabilityCheckFailed "resource_availability_check_failed" "Resource availability check failed" {
        Resources 8003 Medium System Resources NoRetry,
    }
    AgentResourceLimitExceeded "agent_resource_limit_exceeded" "Resource limit of the agent exceeded" {
        Resources 8004 Medium Agent Resources NoRetry,
    }
    AgentResourceExhausted "agent_resource_exhausted" "Resources of the agent exhausted" {
        Resources 9999 Medium Agent Resources NoRetry,
    }
    SystemResourceCritical "system_resource_critical" "System resources are critically low" {
        Resources 8005 High System Resources ExponentialBackoff,
    }
    SystemResourceLimitExceeded "system_resource_limit_exceeded" "System resource limit exceeded" {
        Resources 8006 High System Resources NoRetry,
    }

    PatternMatchFailed "pattern_match_failed" "No pattern matched" {
        Exception 1004 High Data Validation NoRetry,
    }
    ProtocolUndefined "protocol_undefined" "Protocol not implemented for the value" {
        Exception 1005 High Data Validation NoRetry,
    }
    FunctionUndefined "function_undefined" "Function is undefined" {
        Exception 1006 High System Runtime NoRetry,
    }
    RuntimeError "runtime_error" "Panic" {
        Exception 9001 High System Runtime NoRetry,
    }
    SystemLimitExceeded "system_limit_exceeded" "System limit exceeded" {
        Exception 9002 High System Resources NoRetry,
    }
    ErlangError "erlang_error" "Operating system error" {
        Exception 9003 High System Runtime NoRetry,
    }
    UnknownException "unknown_exception" "Unknown exception" {
        Exception 9999 High Unknown Unknown NoRetry,
    }
}
