//! Switching optional services off and on.

use std::collections::BTreeSet;
use std::sync::Arc;

use foundation_types::{ExitReason, Feature, Measurements, Metadata, MonoTime, ServiceName};
use tracing::info;

use super::{Engine, State};
use crate::lifecycle::error::LifecycleError;
use crate::lifecycle::events::FEATURE_CHANGED_EVENT;
use crate::lifecycle::status::ServiceState;

impl Engine {
    pub(in crate::lifecycle) fn disable_services(
        self: &Arc<Self>,
        names: &[ServiceName],
    ) -> Result<(), LifecycleError> {
        let turn = self.operation(names)?;
        let chosen = {
            let state = self.state();
            let chosen = state.optional(names)?;
            for (place, _) in &chosen {
                let slot = &state.slots[place];
                let service = &slot.spec.name;
                let needs = |other: &&super::Slot| other.is_enabled() && !names.contains(&other.spec.name);
                let by = state.dependents(service).find(needs);
                if let Some(by) = by.filter(|_| slot.is_enabled()) {
                    return Err(LifecycleError::RequiredBy { service: service.clone(), by: by.spec.name.clone() });
                }
            }
            chosen
        };
        for &(place, feature) in chosen.iter().rev() {
            // New calls first find the feature off, then the service gone.
            let was_on = self.common.gate.disable(feature);
            self.stop(&turn, place, &ExitReason::Shutdown, MonoTime::NEVER);
            self.mark(place, ServiceState::Disabled);
            self.tell_switched(feature, was_on, false);
        }
        Ok(())
    }

    pub(in crate::lifecycle) fn enable_services(self: &Arc<Self>, names: &[ServiceName]) -> Result<(), LifecycleError> {
        let turn = self.operation(names)?;
        let chosen = {
            let state = self.state();
            let mut chosen = state.optional(names)?;
            chosen.retain(|(place, _)| !state.slots[place].is_enabled());
            let about_to: Vec<_> = chosen.iter().map(|(place, _)| state.slots[place].spec.name.clone()).collect();
            for (place, _) in &chosen {
                state.check_dependencies(&state.slots[place].spec, &about_to)?;
            }
            chosen
        };
        let mut done: Vec<(u64, Feature, bool)> = Vec::with_capacity(chosen.len());
        for (place, feature) in chosen {
            // A service that looks at its own flag while it starts finds it on.
            let was_on = self.common.gate.enable(feature);
            done.push((place, feature, was_on));
            self.mark(place, ServiceState::Stopped);
            if let Err(error) = self.start(&turn, place) {
                for &(place, feature, was_on) in done.iter().rev() {
                    self.stop(&turn, place, &ExitReason::Shutdown, MonoTime::NEVER);
                    self.mark(place, ServiceState::Disabled);
                    if !was_on {
                        self.common.gate.disable(feature);
                    }
                }
                return Err(error);
            }
        }
        for (_, feature, was_on) in done {
            self.tell_switched(feature, was_on, true);
        }
        Ok(())
    }

    fn tell_switched(&self, feature: Feature, was_on: bool, is_on: bool) {
        if was_on == is_on {
            return;
        }
        let text = |is_on| if is_on { "enabled" } else { "disabled" };
        self.common.emitter.emit(&FEATURE_CHANGED_EVENT, || {
            let metadata =
                Metadata::new().with("feature", feature.as_str()).with("old", text(was_on)).with("new", text(is_on));
            (Measurements::one(), metadata)
        });
        info!(target: "foundation::lifecycle", %feature, state = text(is_on), "feature switched");
    }
}

impl State {
    /// The places of these services, in start order, and their features.
    fn optional(&self, names: &[ServiceName]) -> Result<Vec<(u64, Feature)>, LifecycleError> {
        let places: Vec<u64> = names.iter().map(|name| self.place_of(name)).collect::<Result<_, _>>()?;
        let feature = |place: u64| {
            let spec = &self.slots[&place].spec;
            spec.optional.map(|feature| (place, feature)).ok_or_else(|| LifecycleError::NotOptional(spec.name.clone()))
        };
        let chosen: BTreeSet<(u64, Feature)> = places.into_iter().map(feature).collect::<Result<_, _>>()?;
        Ok(chosen.into_iter().collect())
    }
}
