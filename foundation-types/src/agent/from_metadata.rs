//! Reading an agent from loose metadata, in any of the dialects that callers use.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::{
    AgentConfiguration, AgentInfo, AgentInfoError, AgentState, AgentType, CapabilitySet, CoordinationLists,
    ResourceLimits,
};
use crate::{
    AgentId, Capability, Clock, CustomResource, Health, Metadata, Name, NameError, NodeId, Ratio, ResourceKind,
    ResourceUsage, ResourceValue, Timestamp, Value,
};

type Result<T> = std::result::Result<T, AgentInfoError>;

impl AgentInfo {
    /// Reads an agent from loose metadata. Of several keys for one meaning the first one present wins; null counts as
    /// absent; unknown keys are ignored.
    ///
    /// | field | keys, in order |
    /// |---|---|
    /// | agent type | `type`, `agent_type`; absent: agent |
    /// | capabilities | `capabilities`, `agent_context.capabilities`, `capability` (one); absent: none |
    /// | overall health | `health`, `health_status`; absent: unknown |
    /// | state | `state`; absent: initializing |
    /// | resource usage | `resource_usage`, `resources`, `agent_context.resource_usage`; inside, `memory` or `memory_usage`, `cpu` or `cpu_usage` |
    /// | coordination | `coordination_state`, `agent_context.coordination_state` |
    /// | last health check | `last_health_check` |
    /// | configuration | `configuration` |
    /// | free metadata | `metadata`, `custom` |
    /// | node affinity, coordination variables | `node_affinity`, `coordination_variables` |
    ///
    /// # Errors
    /// [`AgentInfoError::InvalidField`] for the first field that does not hold what it must: the type non-empty text; the
    /// capabilities a list of text; health and state one of their values; memory, cpu, storage and gpu a number in
    /// `0.0..=1.0` and network a non-negative integer; the coordination fields lists of text; then the others.
    pub fn from_metadata(id: AgentId, metadata: &Metadata, clock: &dyn Clock) -> Result<Self> {
        let agent_type = read_type(metadata)?;
        let capabilities = read_capabilities(metadata)?;
        let health = read_health(metadata)?;
        let state = read_state(metadata)?;
        let usage = read_usage(metadata)?;
        let coordination = read_coordination(metadata)?;
        let mut builder = Self::builder(id)
            .agent_type(agent_type)
            .capabilities(capabilities)
            .health(health)
            .state(state)
            .resource_usage(usage)
            .coordination(coordination)
            .configuration(read_configuration(metadata)?)
            .metadata(read_free_metadata(metadata)?);
        if let Some(at) = present(metadata, &["last_health_check"]) {
            builder = builder.last_health_check(read_time("last_health_check", at)?);
        }
        if let Some(nodes) = present(metadata, &["node_affinity"]) {
            builder = builder.node_affinity(read_names("node_affinity", nodes)?.into_iter().map(NodeId::from));
        }
        if let Some(variables) = present(metadata, &["coordination_variables"]) {
            builder = builder.coordination_variables(read_names("coordination_variables", variables)?);
        }
        Ok(builder.build(clock))
    }
}

fn read_type(metadata: &Metadata) -> Result<AgentType> {
    present(metadata, &["type", "agent_type"]).map_or(Ok(AgentType::default()), |value| {
        AgentType::new(text("type", value)?).map_err(|error| invalid("type", error))
    })
}

fn read_capabilities(metadata: &Metadata) -> Result<CapabilitySet> {
    const FIELD: &str = "capabilities";
    if let Some(list) = present(metadata, &["capabilities", "agent_context.capabilities"]) {
        return Ok(read_names(FIELD, list)?.into_iter().map(Capability::from).collect());
    }
    let one = present(metadata, &["capability"]).map(|value| Ok(Capability::from(name(FIELD, value)?)));
    one.into_iter().collect()
}

fn read_health(metadata: &Metadata) -> Result<Health> {
    present(metadata, &["health", "health_status"])
        .map_or(Ok(Health::default()), |value| text("health", value)?.parse().map_err(|error| invalid("health", error)))
}

fn read_state(metadata: &Metadata) -> Result<AgentState> {
    present(metadata, &["state"]).map_or(Ok(AgentState::default()), |value| {
        text("state", value)?.parse().map_err(|error| invalid("state", error))
    })
}

fn read_usage(metadata: &Metadata) -> Result<ResourceUsage> {
    let Some(value) = present(metadata, &["resource_usage", "resources", "agent_context.resource_usage"]) else {
        return Ok(ResourceUsage::new());
    };
    let map = as_map("resource_usage", value)?;
    let mut usage = ResourceUsage::new();
    usage.memory = read_ratio(map, &["memory", "memory_usage"], "resource_usage.memory")?;
    usage.cpu = read_ratio(map, &["cpu", "cpu_usage"], "resource_usage.cpu")?;
    usage.storage = read_ratio(map, &["storage"], "resource_usage.storage")?;
    usage.gpu = read_ratio(map, &["gpu"], "resource_usage.gpu")?;
    usage.network = present(map, &["network"]).map(|value| count("resource_usage.network", value)).transpose()?;
    if let Some(custom) = present(map, &["custom"]) {
        usage.custom = read_custom(custom)?;
    }
    Ok(usage)
}

fn read_ratio(map: &Metadata, keys: &[&str], field: &'static str) -> Result<Option<Ratio>> {
    present(map, keys)
        .map(|value| {
            let float = value.as_f64().ok_or_else(|| invalid(field, "not a number"))?;
            Ratio::new(float).map_err(|error| invalid(field, error))
        })
        .transpose()
}

fn read_custom(value: &Value) -> Result<BTreeMap<CustomResource, ResourceValue>> {
    const FIELD: &str = "resource_usage.custom";
    let entry = |(key, value): (&crate::Text, &Value)| {
        let resource = CustomResource::new(key).map_err(|error| invalid(FIELD, format_args!("{key}: {error}")))?;
        let amount = ResourceValue::try_from(value).map_err(|error| invalid(FIELD, format_args!("{key}: {error}")))?;
        Ok((resource, amount))
    };
    as_map(FIELD, value)?.iter().map(entry).collect()
}

fn read_coordination(metadata: &Metadata) -> Result<CoordinationLists> {
    let Some(value) = present(metadata, &["coordination_state", "agent_context.coordination_state"]) else {
        return Ok(CoordinationLists::default());
    };
    let map = as_map("coordination_state", value)?;
    let list = |key: &str, field| present(map, &[key]).map_or(Ok(Vec::new()), |value| read_names(field, value));
    Ok(CoordinationLists {
        active_consensus: list("active_consensus", "coordination_state.active_consensus")?,
        active_barriers: list("active_barriers", "coordination_state.active_barriers")?,
        held_locks: list("held_locks", "coordination_state.held_locks")?,
        leadership_roles: list("leadership_roles", "coordination_state.leadership_roles")?,
    })
}

fn read_configuration(metadata: &Metadata) -> Result<AgentConfiguration> {
    let mut configuration = AgentConfiguration::new();
    let Some(value) = present(metadata, &["configuration"]) else {
        return Ok(configuration);
    };
    for (key, value) in as_map("configuration", value)? {
        match key.as_str() {
            _ if value.is_null() => {}
            "startup_parameters" => {
                configuration.startup_parameters = as_map("configuration.startup_parameters", value)?.clone();
            }
            "runtime_configuration" => {
                configuration.runtime_configuration = as_map("configuration.runtime_configuration", value)?.clone();
            }
            "coordination_preferences" => {
                configuration.coordination_preferences =
                    as_map("configuration.coordination_preferences", value)?.clone();
            }
            "capability_configuration" => {
                const FIELD: &str = "configuration.capability_configuration";
                for (capability, settings) in as_map(FIELD, value)? {
                    let capability = Capability::new(capability).map_err(|error| invalid(FIELD, error))?;
                    configuration.capability_configuration.insert(capability, as_map(FIELD, settings)?.clone());
                }
            }
            "resource_limits" => configuration.resource_limits = read_limits(value)?,
            "extra" if value.as_map().is_some() => configuration.extra.overlay(as_map("configuration.extra", value)?),
            _ => {
                configuration.extra.insert(key.clone(), value.clone());
            }
        }
    }
    Ok(configuration)
}

fn read_limits(value: &Value) -> Result<ResourceLimits> {
    const FIELD: &str = "configuration.resource_limits";
    let mut limits = ResourceLimits::new();
    for (key, value) in as_map(FIELD, value)? {
        match value {
            Value::Null => {}
            Value::Map(_) if key == "custom" => {
                let custom = read_custom(value).map_err(|error| invalid(FIELD, error))?;
                limits =
                    custom.into_iter().fold(limits, |limits, (resource, limit)| limits.with(resource.into(), limit));
            }
            value => {
                let named = |error: &dyn Display| invalid(FIELD, format_args!("{key}: {error}"));
                let limit = ResourceValue::try_from(value).map_err(|error| named(&error))?;
                limits = limits.with(ResourceKind::new(key).map_err(|error| named(&error))?, limit);
            }
        }
    }
    Ok(limits)
}

fn read_free_metadata(metadata: &Metadata) -> Result<Metadata> {
    present(metadata, &["metadata", "custom"]).map_or(Ok(Metadata::new()), |value| as_map("metadata", value).cloned())
}

fn read_time(field: &'static str, value: &Value) -> Result<Timestamp> {
    match value {
        Value::Time(at) => Ok(*at),
        Value::Text(text) => text.parse().map_err(|error| invalid(field, error)),
        _ => Err(invalid(field, "not a time")),
    }
}

/// The value of the first of the dotted `paths` that leads to one other than null.
fn present<'m>(metadata: &'m Metadata, paths: &[&str]) -> Option<&'m Value> {
    paths.iter().find_map(|path| metadata.get_path(path.split('.')).filter(|value| !value.is_null()))
}

fn text<'v>(field: &'static str, value: &'v Value) -> Result<&'v str> {
    value.as_str().ok_or_else(|| invalid(field, "not text"))
}

fn name(field: &'static str, value: &Value) -> Result<Name> {
    Name::new(text(field, value)?).map_err(|error: NameError| invalid(field, error))
}

fn read_names(field: &'static str, value: &Value) -> Result<Vec<Name>> {
    value.as_list().ok_or_else(|| invalid(field, "not a list"))?.iter().map(|item| name(field, item)).collect()
}

fn count(field: &'static str, value: &Value) -> Result<u64> {
    let count = value.as_i64().and_then(|int| u64::try_from(int).ok());
    count.ok_or_else(|| invalid(field, "not a non-negative integer"))
}

fn as_map<'v>(field: &'static str, value: &'v Value) -> Result<&'v Metadata> {
    value.as_map().ok_or_else(|| invalid(field, "not a map"))
}

fn invalid(field: &'static str, reason: impl Display) -> AgentInfoError {
    AgentInfoError::invalid(field, reason)
}
