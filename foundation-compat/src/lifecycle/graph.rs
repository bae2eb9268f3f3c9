//! In which order services start.

use std::collections::{BTreeMap, BTreeSet};

use foundation_types::{FeatureGate, ServiceName};

use super::error::LifecycleError;
use super::spec::{Phase, ServiceSpec};

/// The services in the order of their start: by phase, in a phase dependencies first, ties by name. O(n log n).
///
/// # Errors
/// `DuplicateService`, `UnknownDependency`, `PhaseOrder` or `DependencyCycle`, tested in this order; of several services with
/// the same fault the first by name is named.
pub(super) fn start_order(specs: Vec<ServiceSpec>) -> Result<Vec<ServiceSpec>, LifecycleError> {
    let mut by_name: BTreeMap<ServiceName, ServiceSpec> = BTreeMap::new();
    let mut duplicate: Option<ServiceName> = None;
    for spec in specs {
        if let Some(twin) = by_name.insert(spec.name.clone(), spec)
            && duplicate.as_ref().is_none_or(|first| twin.name < *first)
        {
            duplicate = Some(twin.name);
        }
    }
    if let Some(service) = duplicate {
        return Err(LifecycleError::DuplicateService(service));
    }
    check_dependencies(&by_name)?;

    let mut dependents: BTreeMap<ServiceName, Vec<ServiceName>> = BTreeMap::new();
    let mut missing: BTreeMap<ServiceName, usize> = BTreeMap::new();
    let mut ready: BTreeSet<(Phase, ServiceName)> = BTreeSet::new();
    for spec in by_name.values() {
        for dependency in &spec.dependencies {
            dependents.entry(dependency.clone()).or_default().push(spec.name.clone());
        }
        if spec.dependencies.is_empty() {
            ready.insert((spec.phase, spec.name.clone()));
        } else {
            missing.insert(spec.name.clone(), spec.dependencies.len());
        }
    }
    let mut order = Vec::with_capacity(by_name.len());
    // No service depends on a later phase, so while a phase has services left, one of them is ready, or there is a cycle.
    while let Some((_, name)) = ready.pop_first() {
        for dependent in dependents.get(&name).into_iter().flatten() {
            let Some(count) = missing.get_mut(dependent) else { continue };
            *count -= 1;
            if *count == 0 {
                missing.remove(dependent);
                ready.insert((by_name[dependent].phase, dependent.clone()));
            }
        }
        order.push(name);
    }
    if let Some(start) = missing.keys().next() {
        return Err(LifecycleError::DependencyCycle(cycle_from(start, &by_name, &missing)));
    }
    Ok(order.into_iter().filter_map(|name| by_name.remove(&name)).collect())
}

fn check_dependencies(by_name: &BTreeMap<ServiceName, ServiceSpec>) -> Result<(), LifecycleError> {
    let edges = || by_name.values().flat_map(|spec| spec.dependencies.iter().map(move |dependency| (spec, dependency)));
    if let Some((spec, dependency)) = edges().find(|(_, dependency)| !by_name.contains_key(*dependency)) {
        return Err(LifecycleError::UnknownDependency { service: spec.name.clone(), dependency: dependency.clone() });
    }
    match edges().find(|(spec, dependency)| by_name[*dependency].phase > spec.phase) {
        Some((spec, dependency)) => {
            Err(LifecycleError::PhaseOrder { service: spec.name.clone(), dependency: dependency.clone() })
        }
        None => Ok(()),
    }
}

/// A cycle among the services that never became ready, found by following unready dependencies; its least name first.
fn cycle_from(
    start: &ServiceName,
    by_name: &BTreeMap<ServiceName, ServiceSpec>,
    unready: &BTreeMap<ServiceName, usize>,
) -> Vec<ServiceName> {
    let mut path: Vec<ServiceName> = Vec::new();
    let mut place: BTreeMap<&ServiceName, usize> = BTreeMap::new();
    let mut at = start;
    let begin = loop {
        if let Some(&begin) = place.get(at) {
            break begin;
        }
        place.insert(at, path.len());
        path.push(at.clone());
        at = by_name[at]
            .dependencies
            .iter()
            .find(|dependency| unready.contains_key(*dependency))
            .expect("a service is unready because one of its dependencies is");
    };
    let mut cycle = path.split_off(begin);
    let least = cycle.iter().enumerate().min_by_key(|(_, name)| *name).map_or(0, |(index, _)| index);
    cycle.rotate_left(least);
    cycle
}

/// The optional services that are not started at first: those whose feature is off, and those that need one of them; but none
/// that a service which is not optional needs. `order` is a start order.
pub(super) fn disabled_at_start(order: &[ServiceSpec], gate: &FeatureGate) -> BTreeSet<ServiceName> {
    let mut needed: BTreeSet<&ServiceName> = BTreeSet::new();
    for spec in order.iter().rev() {
        if spec.optional.is_none() || needed.contains(&spec.name) {
            needed.extend(&spec.dependencies);
        }
    }
    let mut disabled: BTreeSet<ServiceName> = BTreeSet::new();
    for spec in order {
        let Some(feature) = spec.optional else { continue };
        let lacks = spec.dependencies.iter().any(|dependency| disabled.contains(dependency));
        if !needed.contains(&spec.name) && (!gate.is_on(feature) || lacks) {
            disabled.insert(spec.name.clone());
        }
    }
    disabled
}
