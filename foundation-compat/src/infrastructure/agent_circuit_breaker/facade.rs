//! The breakers of agents of an instance, by their old functions.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foundation_breaker::State;
use foundation_breaker::agent::{
    AgentBreaker, AgentBreakerOptions, AgentBreakerStatus, AgentBreakers, AgentCallError, AgentRejected, DEFAULT_AGENT,
};
use foundation_registry::RegistryDirectory;
use foundation_types::error::{Cause, Classify, Domain, Error, ErrorKind};
use foundation_types::{AgentId, Clock, Health, Measurements, Metadata, Name, Text, timeout_at};

use super::events::{self, CIRCUIT_RESET_EVENT, CIRCUIT_STARTED_EVENT, OPERATION_EXECUTED_EVENT};
use crate::foundation::Foundation;
use crate::infrastructure::TARGET;
use crate::infrastructure::contained::{self, Failure};
use crate::infrastructure::record::{advised, coded, defined};
use crate::infrastructure::stopwatch::Stopwatch;

/// How long an operation may take that is executed asynchronously, unless told otherwise.
pub const DEFAULT_CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The breakers of the agents of an instance.
pub type InstanceAgentBreakers = AgentBreakers<RegistryDirectory, Arc<dyn Clock>>;

/// The breaker of an agent of an instance.
pub type InstanceAgentBreaker = AgentBreaker<RegistryDirectory, Arc<dyn Clock>>;

/// How the breaker of an agent is to be: the options of the core, and a time limit.
///
/// ```
/// use foundation_compat::foundation_breaker::agent::AgentBreakerOptions;
/// use foundation_compat::infrastructure::agent_circuit_breaker::AgentBreakerConfig;
///
/// let config = AgentBreakerConfig::from(AgentBreakerOptions::new().failure_threshold(3));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct AgentBreakerConfig {
    options: AgentBreakerOptions,
    call_timeout: Duration,
}

impl AgentBreakerConfig {
    /// Of the agent `default_agent`, with the defaults of [`AgentBreakerOptions`], and ten seconds for each operation.
    pub fn new() -> Self {
        AgentBreakerOptions::new().into()
    }

    /// The option `agent_id`: the agent that calls, which has to be known at the start.
    pub fn agent(mut self, agent: AgentId) -> Self {
        self.options = self.options.agent(agent);
        self
    }

    /// The option `call_timeout`: after how long an operation is given up that is executed asynchronously.
    pub const fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }
}

impl Default for AgentBreakerConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl From<AgentBreakerOptions> for AgentBreakerConfig {
    /// These options, and ten seconds for each operation.
    fn from(options: AgentBreakerOptions) -> Self {
        Self { options, call_timeout: DEFAULT_CALL_TIMEOUT }
    }
}

/// Time limits by circuit and agent, where they are not the usual one.
#[derive(Default)]
pub(crate) struct CallTimeouts(Mutex<HashMap<(Name, AgentId), Duration>>);

impl CallTimeouts {
    fn set(&self, key: (Name, AgentId), timeout: Duration) {
        let mut timeouts = self.lock();
        if timeout == DEFAULT_CALL_TIMEOUT {
            timeouts.remove(&key);
        } else {
            timeouts.insert(key, timeout);
        }
    }

    fn get(&self, key: &(Name, AgentId)) -> Duration {
        self.lock().get(key).copied().unwrap_or(DEFAULT_CALL_TIMEOUT)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Name, AgentId), Duration>> {
        // Nothing that can panic happens under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The original's agent breakers on a given [`Foundation`]: those of [`Foundation::agent_breakers`], under the old names. Cheap
/// to clone.
///
/// Before the circuit is asked, the agent is: one that is gone, unwell or out of resources is refused, which counts nowhere in
/// the circuit. While agent features are off, a breaker is exactly its circuit, and only starting one is refused. Operations
/// run on the caller; their panics are caught and count as failures. The context of every error has `circuit_name` and
/// `agent_id`.
#[derive(Clone)]
pub struct AgentCircuitBreakers {
    foundation: Foundation,
}

/// Why an operation gave no result.
enum Ended {
    Error(Cause),
    Panic(Text),
    Timeout,
}

impl From<Failure<Cause>> for Ended {
    fn from(failure: Failure<Cause>) -> Self {
        match failure {
            Failure::Error(cause) => Self::Error(cause),
            Failure::Panic(message) => Self::Panic(message),
        }
    }
}

/// One call, up to its event.
struct Call {
    breaker: InstanceAgentBreaker,
    metadata: Metadata,
    stopwatch: Stopwatch,
    /// As they were before the call, where anybody wants to know.
    before: Option<(State, Option<Health>)>,
}

impl AgentCircuitBreakers {
    /// Starts the breaker of an agent for a circuit, and gives a handle to it.
    ///
    /// # Errors
    /// 3901 `agent_features_disabled`; 5016 `invalid_configuration` if an option is out of range; 7011 `agent_not_found` and
    /// 7012 `capability_not_found` for what was named and is not there; 7013 `already_started` if the agent has a breaker for
    /// this circuit; 5001 `circuit_breaker_install_failed` if there are as many as there may be; 5015 `invalid_name`.
    pub fn start_agent_breaker(
        &self,
        circuit: &str,
        config: AgentBreakerConfig,
    ) -> Result<InstanceAgentBreaker, Error> {
        let AgentBreakerConfig { options, call_timeout } = config;
        let agent = options.named_agent().cloned().unwrap_or(DEFAULT_AGENT);
        let about = |error: Error| self.about(error, circuit, &agent);
        let name = Name::new(circuit)
            .map_err(|error| about(self.defined(ErrorKind::InvalidName)).with_context("reason", error.to_string()))?;
        let breaker = self.foundation.agent_breakers().start(&name, options);
        let breaker = breaker.map_err(|error| about(Error::from(error)))?;
        self.foundation.call_timeouts().set((name, breaker.agent().clone()), call_timeout);
        events::emit(&self.foundation, &CIRCUIT_STARTED_EVENT, (circuit, breaker.agent()), || {
            (Measurements::one(), Metadata::new().with("capability", breaker.capability().as_str()))
        });
        Ok(breaker)
    }

    /// As [`start_agent_breaker`](Self::start_agent_breaker) with the default options.
    ///
    /// # Errors
    /// As there.
    pub fn start_agent_breaker_1(&self, circuit: &str) -> Result<InstanceAgentBreaker, Error> {
        self.start_agent_breaker(circuit, AgentBreakerConfig::new())
    }

    /// Runs an operation for an agent, if the agent is fit for it and the circuit lets it. There is no time limit.
    ///
    /// # Errors
    /// Without running it: 7001 `circuit_breaker_not_found`; 7008 `agent_unavailable`, 7009 `agent_unhealthy`, 7010
    /// `resource_exhausted`; 7003 `circuit_breaker_open`, with advice when to try again. 7004 `protected_operation_failed` with
    /// the error of the operation as its source and its text as `original_error`, or with `kind` `panic`.
    pub fn execute_with_agent<T, E: Into<Cause>>(
        &self,
        circuit: &str,
        agent: &AgentId,
        operation: impl FnOnce() -> Result<T, E>,
        metadata: Metadata,
    ) -> Result<T, Error> {
        let call = self.call(circuit, agent, metadata)?;
        let result = call.breaker.call(|| contained::run(|| operation().map_err(Into::into)).map_err(Ended::from));
        self.ended(call, result)
    }

    /// As [`execute_with_agent`](Self::execute_with_agent) without metadata.
    ///
    /// # Errors
    /// As there.
    pub fn execute_with_agent_3<T, E: Into<Cause>>(
        &self,
        circuit: &str,
        agent: &AgentId,
        operation: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, Error> {
        self.execute_with_agent(circuit, agent, operation, Metadata::new())
    }

    /// As [`execute_with_agent`](Self::execute_with_agent), for an operation that takes time, within the time limit of the
    /// breaker.
    ///
    /// # Errors
    /// As there; 7002 `circuit_breaker_timeout` if the operation took too long. It was dropped then, and counts as failed.
    ///
    /// # Cancel safety
    /// Dropped half way the call counts as nothing, and there is no event for it.
    pub async fn execute_with_agent_async<T, E, F>(
        &self,
        circuit: &str,
        agent: &AgentId,
        operation: impl FnOnce() -> F,
        metadata: Metadata,
    ) -> Result<T, Error>
    where
        E: Into<Cause>,
        F: Future<Output = Result<T, E>>,
    {
        let call = self.call(circuit, agent, metadata)?;
        let key = (call.breaker.circuit().clone(), agent.clone());
        let limit = self.foundation.call_timeouts().get(&key);
        let clock = self.foundation.clock();
        let limited = || async {
            let deadline = clock.mono().saturating_add(limit);
            let converted = || async { operation().await.map_err(Into::into) };
            match timeout_at(clock, deadline, contained::run_async(converted)).await {
                Some(result) => result.map_err(Ended::from),
                None => Err(Ended::Timeout),
            }
        };
        let result = call.breaker.call_async(limited).await;
        self.ended(call, result)
    }

    /// What is known of the breaker of an agent. While agent features are off its health and its use of resources are absent.
    ///
    /// # Errors
    /// 7001 `circuit_breaker_not_found`.
    pub fn get_agent_status(&self, circuit: &str, agent: &AgentId) -> Result<AgentBreakerStatus, Error> {
        self.find(circuit, agent).map(|breaker| breaker.status())
    }

    /// Closes the circuit of an agent and forgets its failures.
    ///
    /// # Errors
    /// 7001 `circuit_breaker_not_found`.
    pub fn reset_agent_circuit(&self, circuit: &str, agent: &AgentId) -> Result<(), Error> {
        self.find(circuit, agent)?.reset();
        events::emit(&self.foundation, &CIRCUIT_RESET_EVENT, (circuit, agent), || {
            (Measurements::one(), Metadata::new())
        });
        Ok(())
    }

    /// Stops the breaker of an agent. Handles to it go on working.
    ///
    /// # Errors
    /// 7001 `circuit_breaker_not_found`.
    pub fn stop_agent_breaker(&self, circuit: &str, agent: &AgentId) -> Result<(), Error> {
        let name = Name::new(circuit).map_err(|_| self.not_found(circuit, agent))?;
        if !self.foundation.agent_breakers().stop(&name, agent) {
            return Err(self.not_found(circuit, agent));
        }
        self.foundation.call_timeouts().set((name, agent.clone()), DEFAULT_CALL_TIMEOUT);
        Ok(())
    }

    fn find(&self, circuit: &str, agent: &AgentId) -> Result<InstanceAgentBreaker, Error> {
        let name = Name::new(circuit).ok();
        let breaker = name.and_then(|name| self.foundation.agent_breakers().get(&name, agent));
        breaker.ok_or_else(|| self.not_found(circuit, agent))
    }

    fn call(&self, circuit: &str, agent: &AgentId, metadata: Metadata) -> Result<Call, Error> {
        let breaker = self.find(circuit, agent)?;
        let (clock, emitter) = (self.foundation.clock(), self.foundation.emitter());
        let before = emitter.is_installed().then(|| {
            let status = breaker.status();
            (status.circuit_state, status.agent_health)
        });
        Ok(Call { breaker, metadata, stopwatch: Stopwatch::start(clock, emitter), before })
    }

    fn ended<T>(&self, call: Call, result: Result<T, AgentCallError<Ended>>) -> Result<T, Error> {
        let Call { breaker, metadata, stopwatch, before } = call;
        let (circuit, agent) = (breaker.circuit().as_str(), breaker.agent());
        let word = match &result {
            Ok(_) => "success",
            Err(AgentCallError::Rejected(_)) => "rejected",
            Err(AgentCallError::Operation(_)) => "failure",
        };
        let result = result.map_err(|error| self.record(circuit, agent, error));
        events::emit(&self.foundation, &OPERATION_EXECUTED_EVENT, (circuit, agent), || {
            let mut metadata = metadata.with("capability", breaker.capability().as_str()).with("result", word);
            if let Some((state, health)) = before {
                metadata.insert("circuit_state", state.as_str());
                if let Some(health) = health {
                    metadata.insert("agent_health", health.as_str());
                }
            }
            let mut measurements = Measurements::one();
            if word != "rejected" {
                let micros = stopwatch.micros(self.foundation.clock());
                metadata.insert("duration", micros);
                measurements.insert("duration", micros);
            }
            if let (Err(error), "failure") = (&result, word) {
                metadata.insert("error", error.context().get("original_error").cloned().unwrap_or_default());
            }
            (measurements, metadata)
        });
        if let (Err(error), "failure") = (&result, word) {
            tracing::warn!(target: TARGET, circuit, %agent, %error, "operation of an agent failed");
        }
        result
    }

    fn record(&self, circuit: &str, agent: &AgentId, error: AgentCallError<Ended>) -> Error {
        let coded = |kind, code| coded(self.foundation.clock(), Domain::Breaker, kind, code);
        let failed = || coded(ErrorKind::ProtectedOperationFailed, 7004);
        let record = match error {
            AgentCallError::Rejected(AgentRejected::Circuit(rejected)) => {
                advised(coded(ErrorKind::CircuitBreakerOpen, 7003), rejected.retry_after)
            }
            AgentCallError::Rejected(rejected) => {
                let context = rejected.context();
                self.defined(rejected.kind()).with_context_map(context).caused_by(rejected)
            }
            AgentCallError::Operation(Ended::Error(cause)) => {
                let text = contained::text(cause.as_error());
                failed().with_context("original_error", text).caused_by(cause)
            }
            AgentCallError::Operation(Ended::Panic(message)) => {
                failed().with_context("kind", "panic").with_context("original_error", message)
            }
            AgentCallError::Operation(Ended::Timeout) => {
                coded(ErrorKind::CircuitBreakerTimeout, 7002).with_context("original_error", "timeout")
            }
        };
        self.about(record, circuit, agent)
    }

    fn not_found(&self, circuit: &str, agent: &AgentId) -> Error {
        let clock = self.foundation.clock();
        self.about(coded(clock, Domain::Breaker, ErrorKind::CircuitBreakerNotFound, 7001), circuit, agent)
    }

    fn defined(&self, kind: ErrorKind) -> Error {
        defined(self.foundation.clock(), Domain::Breaker, kind)
    }

    /// The error about this circuit, and about this agent unless it names one itself.
    fn about(&self, error: Error, circuit: &str, agent: &AgentId) -> Error {
        let error = error.with_clock(self.foundation.clock()).with_context("circuit_name", circuit);
        if error.context().contains_key("agent_id") { error } else { error.with_context("agent_id", agent.as_str()) }
    }
}

impl From<&Foundation> for AgentCircuitBreakers {
    /// The agent breakers of an instance.
    fn from(foundation: &Foundation) -> Self {
        Self { foundation: foundation.clone() }
    }
}

impl fmt::Debug for AgentCircuitBreakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentCircuitBreakers")
            .field("breakers", self.foundation.agent_breakers())
            .finish_non_exhaustive()
    }
}
