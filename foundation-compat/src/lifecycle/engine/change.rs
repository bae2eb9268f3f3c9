//! Changes of single services that somebody asks for.

use std::sync::Arc;

use foundation_types::{ExitReason, MonoTime, Pid, ServiceName};
use tracing::info;

use super::start::{deadline, said};
use super::{Engine, State};
use crate::lifecycle::config::ServiceConfigPatch;
use crate::lifecycle::error::LifecycleError;
use crate::lifecycle::lane::Waited;
use crate::lifecycle::report::StopOutcome;
use crate::lifecycle::spec::ServiceSpec;
use crate::lifecycle::status::ServiceState;
use crate::lifecycle::supervisor::MAX_SERVICES;

impl Engine {
    pub(in crate::lifecycle) fn restart_service(self: &Arc<Self>, name: &ServiceName) -> Result<Pid, LifecycleError> {
        let turn = self.operation(std::slice::from_ref(name))?;
        let place = {
            let state = self.state();
            let slot = state.slot(name)?;
            if !slot.is_enabled() {
                return Err(LifecycleError::Disabled(name.clone()));
            }
            state.check_dependencies(&slot.spec, &[])?;
            state.place_of(name)?
        };
        self.stop(&turn, place, &ExitReason::Shutdown, MonoTime::NEVER);
        let pid = self.start(&turn, place)?;
        info!(target: "foundation::lifecycle", service = %name, "service restarted on request");
        Ok(pid)
    }

    pub(in crate::lifecycle) fn add_service(self: &Arc<Self>, spec: ServiceSpec) -> Result<Pid, LifecycleError> {
        let turn = self.operation(&[])?;
        {
            let state = self.state();
            if state.places.contains_key(&spec.name) {
                return Err(LifecycleError::DuplicateService(spec.name));
            }
            if state.slots.len() >= MAX_SERVICES {
                return Err(LifecycleError::TooManyServices);
            }
            for dependency in &spec.dependencies {
                let (service, dependency) = (|| spec.name.clone(), dependency.clone());
                match state.slot(&dependency) {
                    Err(_) => return Err(LifecycleError::UnknownDependency { service: service(), dependency }),
                    Ok(slot) if slot.spec.phase > spec.phase => {
                        return Err(LifecycleError::PhaseOrder { service: service(), dependency });
                    }
                    Ok(_) => {}
                }
            }
            state.check_dependencies(&spec, &[])?;
        }
        if spec.optional.is_some_and(|feature| !self.common.gate.is_on(feature)) {
            return Err(LifecycleError::Disabled(spec.name));
        }
        let place = self.enter(spec, ServiceState::Stopped);
        let started = self.start(&turn, place);
        if started.is_err() {
            self.forget(place);
        }
        started
    }

    pub(in crate::lifecycle) fn remove_service(
        self: &Arc<Self>,
        name: &ServiceName,
    ) -> Result<Option<StopOutcome>, LifecycleError> {
        let turn = self.operation(std::slice::from_ref(name))?;
        let place = {
            let state = self.state();
            let place = state.place_of(name)?;
            if let Some(dependent) = state.dependents(name).next() {
                return Err(LifecycleError::RequiredBy { service: name.clone(), by: dependent.spec.name.clone() });
            }
            place
        };
        let stopped = self.stop(&turn, place, &ExitReason::Shutdown, MonoTime::NEVER);
        self.forget(place);
        Ok(stopped.map(|(_, outcome)| outcome))
    }

    fn forget(&self, place: u64) {
        let slot = self.state().remove(place);
        // With it goes the factory, whose destructor is foreign code.
        let _ = foundation_types::contain(move || drop(slot));
    }

    pub(in crate::lifecycle) fn update_config(
        self: &Arc<Self>,
        name: &ServiceName,
        patch: &ServiceConfigPatch,
    ) -> Result<(), LifecycleError> {
        let _turn = self.operation(std::slice::from_ref(name))?;
        let service = || name.clone();
        let (place, instance, old) = {
            let state = self.state();
            let slot = state.slot(name)?;
            if !slot.is_enabled() {
                return Err(LifecycleError::Disabled(service()));
            }
            let Some(instance) = slot.live() else { return Err(LifecycleError::NotRunning(service())) };
            (state.place_of(name)?, Arc::clone(instance), slot.run.config.clone())
        };
        let new = patch.apply_to(&old);
        new.validate().map_err(|source| LifecycleError::InvalidConfig { service: service(), source })?;
        let Some(value) = instance.service() else { return Err(LifecycleError::NotRunning(service())) };
        let told = new.clone();
        let answer = instance.lane.call(move || value.config_changed(&told));
        match answer.wait(self.clock(), deadline(self, old.start_timeout), Some(&self.closing)) {
            Waited::Returned(Ok(())) => {}
            Waited::Returned(Err(source)) => return Err(LifecycleError::ConfigRefused { service: service(), source }),
            Waited::Crashed(message) => {
                let source = said(format!("panicked: {message}"));
                return Err(LifecycleError::ConfigRefused { service: service(), source });
            }
            Waited::TimedOut => {
                return Err(LifecycleError::ConfigTimeout { service: service(), after: old.start_timeout });
            }
            Waited::Interrupted => return Err(LifecycleError::Stopped),
        }
        let now = self.clock().mono();
        if let Some(slot) = self.state().slots.get_mut(&place) {
            if new.health_check_interval.is_none() || old.health_check_interval.is_none() {
                slot.run.watch.due = new.health_check_interval.map(|interval| now.saturating_add(interval));
            }
            slot.run.config = new;
        }
        self.wake_monitor();
        Ok(())
    }
}

impl State {
    /// Says which dependencies of a service do not run, unless they are among those that are about to.
    pub(super) fn check_dependencies(
        &self,
        spec: &ServiceSpec,
        about_to: &[ServiceName],
    ) -> Result<(), LifecycleError> {
        let missing: Vec<ServiceName> = spec
            .dependencies
            .iter()
            .filter(|dependency| {
                let runs = self.slot(dependency).is_ok_and(|slot| slot.live().is_some());
                !runs && !about_to.contains(dependency)
            })
            .cloned()
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(LifecycleError::MissingDependencies(missing)) }
    }
}
