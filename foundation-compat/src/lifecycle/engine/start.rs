//! Starting services.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::{ExitReason, Measurements, Metadata, MonoTime, Pid, ServiceName, Text, contain};
use tracing::{error, info};

use super::slot::{Run, Slot, Watch};
use super::{Engine, Exit, Stage, Turn};
use crate::lifecycle::config::ServiceConfig;
use crate::lifecycle::context::ServiceContext;
use crate::lifecycle::error::LifecycleError;
use crate::lifecycle::events::{STARTED_EVENT, STOPPED_EVENT, STOPPING_EVENT};
use crate::lifecycle::instance::Instance;
use crate::lifecycle::lane::Waited;
use crate::lifecycle::service::BoxError;
use crate::lifecycle::spec::ServiceSpec;
use crate::lifecycle::status::{ServiceHealth, ServiceState};
use crate::lifecycle::sync::lock;

/// What a service said against starting, as an error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Said(Text);

pub(super) fn said(text: impl Into<Text>) -> BoxError {
    Box::new(Said(text.into()))
}

/// Why a service is not ready, and how long its tasks have to end.
struct Unready {
    error: LifecycleError,
    patience: Duration,
}

impl From<LifecycleError> for Unready {
    fn from(error: LifecycleError) -> Self {
        Self { error, patience: ServiceConfig::default().graceful_shutdown_timeout }
    }
}

impl Engine {
    /// Enters services, in start order, and starts those that are not `disabled`. If one fails, all that were started are
    /// stopped in reverse.
    pub(in crate::lifecycle) fn start_all(
        self: &Arc<Self>,
        order: Vec<ServiceSpec>,
        disabled: &BTreeSet<ServiceName>,
    ) -> Result<(), LifecycleError> {
        let turn = self.turn();
        let places: Vec<(u64, bool)> = order
            .into_iter()
            .map(|spec| {
                let is_disabled = disabled.contains(&spec.name);
                (
                    self.enter(spec, if is_disabled { ServiceState::Disabled } else { ServiceState::Stopped }),
                    is_disabled,
                )
            })
            .collect();
        for (place, _) in places.into_iter().filter(|(_, is_disabled)| !is_disabled) {
            if let Err(error) = self.start(&turn, place) {
                self.end(&turn, ExitReason::Shutdown, None);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Gives a service its place.
    pub(super) fn enter(&self, spec: ServiceSpec, initially: ServiceState) -> u64 {
        self.state().insert(Slot::new(spec, initially))
    }

    /// Starts the service of a place, which does not run, and tells those that depend on it.
    pub(super) fn start(self: &Arc<Self>, turn: &Turn<'_>, place: u64) -> Result<Pid, LifecycleError> {
        let Some((spec, instance)) = self.begin(place) else { return Err(LifecycleError::Stopped) };
        let name = &spec.name;
        let result = self.register(&spec, &instance).and_then(|()| {
            self.watch_exit(place, &instance);
            self.bring_up(&spec, &instance)
        });
        match result {
            Ok(config) => {
                let pid = instance.pid().clone();
                self.announce_ready(turn, place, &instance, config);
                Ok(pid)
            }
            Err(Unready { error, patience }) => {
                let reason = match &error {
                    LifecycleError::StartFailed { source, .. } => ExitReason::error(source.to_string()),
                    error => ExitReason::error(error.to_string()),
                };
                let until = self.clock().mono().saturating_add(patience).min(self.state().latest);
                if instance.give_up(reason.clone(), until) == crate::lifecycle::instance::Stop::Abandoned {
                    self.tell_abandoned(name, &reason);
                }
                if let Some(slot) = self.state().slots.get_mut(&place) {
                    slot.instance = None;
                    slot.state = ServiceState::Failed;
                    slot.last_exit = Some(reason);
                }
                if !matches!(error, LifecycleError::Stopped) {
                    error!(target: "foundation::lifecycle", service = %name, %error, "service did not start");
                }
                Err(error)
            }
        }
    }

    fn begin(&self, place: u64) -> Option<(Arc<ServiceSpec>, Arc<Instance>)> {
        let mut state = self.state();
        if !matches!(state.stage, Stage::Running) {
            return None;
        }
        let slot = state.slots.get_mut(&place)?;
        let instance = Instance::new(&self.common, self.surroundings(&slot.spec.name));
        slot.state = ServiceState::Starting;
        slot.instance = Some(Arc::clone(&instance));
        slot.runs += 1;
        slot.run = Run::default();
        Some((Arc::clone(&slot.spec), instance))
    }

    fn register(&self, spec: &ServiceSpec, instance: &Instance) -> Result<(), Unready> {
        let Some(directory) = &self.options.directory else { return Ok(()) };
        let service = spec.name.clone();
        match contain(|| directory.register(&spec.name, instance.pid())) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(existing)) => Err(LifecycleError::RegistrationFailed { service, existing }.into()),
            Err(message) => Err(LifecycleError::StartFailed { service, source: said(message) }.into()),
        }
    }

    /// Puts the death of a run on the list of exits.
    fn watch_exit(self: &Arc<Self>, place: u64, instance: &Instance) {
        let (engine, id) = (Arc::downgrade(self), instance.pid().id());
        let hook = instance.pid().on_exit(Box::new(move |reason| {
            let Some(engine) = engine.upgrade() else { return };
            let at = engine.clock().mono();
            engine.state().exits.push_back(Exit { place, id, reason: reason.clone(), at });
            engine.bell.ring();
        }));
        if let Ok(hook) = hook {
            hook.keep();
        }
    }

    /// Runs factory and `start`, and returns the configuration of a service that is ready.
    fn bring_up(&self, spec: &Arc<ServiceSpec>, instance: &Arc<Instance>) -> Result<ServiceConfig, Unready> {
        let service = || spec.name.clone();
        let failed = |source| LifecycleError::StartFailed { service: service(), source };
        let began = self.clock().mono();

        let (maker, place, context) =
            (Arc::clone(&spec.factory), instance.place(), ServiceContext(Arc::clone(&instance.body)));
        let made = instance.lane.call(move || {
            let service = maker(&context)?;
            let config = service.config();
            *lock(&place) = Some(service);
            Ok::<_, BoxError>(config)
        });
        let patience = self.options.start_timeout;
        let config = match made.wait(self.clock(), began.saturating_add(patience), Some(&self.closing)) {
            Waited::Returned(Ok(mut config)) => {
                config.graceful_shutdown_timeout = config.graceful_shutdown_timeout.min(self.options.longest_stop);
                config
            }
            Waited::Returned(Err(source)) => return Err(failed(source).into()),
            Waited::Crashed(message) => return Err(failed(crashed(&message)).into()),
            Waited::TimedOut => {
                return Err(LifecycleError::StartTimeout { service: service(), after: patience }.into());
            }
            Waited::Interrupted => return Err(LifecycleError::Stopped.into()),
        };
        if let Err(source) = config.validate() {
            return Err(LifecycleError::InvalidConfig { service: service(), source }.into());
        }

        let started = instance.start(ServiceContext(Arc::clone(&instance.body)));
        let patience = config.start_timeout;
        let error = match started.wait(self.clock(), began.saturating_add(patience), Some(&self.closing)) {
            Waited::Returned(Ok(())) => match instance.pid().exit_reason() {
                None => return Ok(config),
                Some(reason) => failed(said(format!("ended while starting: {reason}"))),
            },
            Waited::Returned(Err(source)) => failed(source),
            Waited::Crashed(message) => failed(crashed(&message)),
            Waited::TimedOut => LifecycleError::StartTimeout { service: service(), after: patience },
            Waited::Interrupted => LifecycleError::Stopped,
        };
        Err(Unready { error, patience: config.graceful_shutdown_timeout })
    }

    fn announce_ready(&self, turn: &Turn<'_>, place: u64, instance: &Arc<Instance>, config: ServiceConfig) {
        let now = self.clock().mono();
        let (spec, dependencies, is_watched) = {
            let mut state = self.state();
            let is_watched = state.monitor.strong_count() > 0;
            let Some(slot) = state.slots.get_mut(&place) else { return };
            slot.state = ServiceState::Running;
            let due = config.health_check_interval.map(|interval| now.saturating_add(interval));
            slot.run = Run { ready_at: Some(now), watch: Watch::from(due), config, ..Run::default() };
            let spec = Arc::clone(&slot.spec);
            let dependencies: Vec<_> = spec.dependencies.iter().map(|name| (name.clone(), state.runs(name))).collect();
            (spec, dependencies, is_watched)
        };
        for (dependency, runs) in dependencies {
            tell_dependency(instance, dependency, runs);
        }
        self.tell_dependents(turn, &spec.name, true);
        self.emit_service(&STARTED_EVENT, place, None);
        info!(target: "foundation::lifecycle", service = %spec.name, "service started");
        if is_watched {
            self.wake_monitor();
        }
    }

    /// Tells the services that run and depend on `name` that it does, or does not any more.
    pub(super) fn tell_dependents(&self, _turn: &Turn<'_>, name: &ServiceName, runs: bool) {
        let dependents: Vec<Arc<Instance>> = {
            let state = self.state();
            state.dependents(name).filter(|slot| slot.is_ready()).filter_map(|slot| slot.instance.clone()).collect()
        };
        for instance in dependents {
            tell_dependency(&instance, name.clone(), runs);
        }
    }

    /// Emits an event of the service of a place, if its configuration allows.
    pub(super) fn emit_service(&self, event: &foundation_types::EventName, place: u64, reason: Option<&ExitReason>) {
        let (name, health) = {
            let state = self.state();
            let Some(slot) = state.slots.get(&place) else { return };
            if !slot.run.config.telemetry.is_on() {
                return;
            }
            let health = if *event == STOPPING_EVENT || *event == STOPPED_EVENT {
                ServiceHealth::Stopping
            } else {
                slot.run.health
            };
            (slot.spec.name.clone(), health)
        };
        self.common.emitter.emit(event, || {
            let metadata = Metadata::new()
                .with("service", name.to_string())
                .with("health_status", health.as_str())
                .with("namespace", self.common.namespace.to_string());
            let metadata = match reason {
                Some(reason) => metadata.with("reason", reason.to_string()),
                None => metadata,
            };
            (Measurements::one(), metadata)
        });
    }
}

fn crashed(message: &Text) -> BoxError {
    said(format!("panicked: {message}"))
}

fn tell_dependency(instance: &Instance, name: ServiceName, runs: bool) {
    instance.tell(move |service| {
        if runs {
            service.dependency_ready(&name);
        } else {
            service.dependency_lost(&name);
        }
    });
}

/// The end of a wait that begins now.
pub(super) fn deadline(engine: &Engine, patience: Duration) -> MonoTime {
    engine.clock().mono().saturating_add(patience)
}
