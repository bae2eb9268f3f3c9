//! Why a setting is what it is.

use foundation_config::Scope;
use foundation_config::{ConfigError, Explained, IntoPath, Layer, Origin, Path, Store};
use foundation_types::{AgentId, Value};
use serde::{Serialize, Serializer};

use super::DemoSettings;
use super::check::AGENTS;

/// What is in force at a path, and what each layer and source says there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The path.
    pub path: String,
    /// For which agent; for all if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What is in force, with secrets withheld.
    #[serde(serialize_with = "plain")]
    pub value: Value,
    /// What each layer and source says, the highest first.
    pub said: Vec<Said>,
}

/// What one layer, or one source of it, says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Said {
    /// `defaults`, `file`, `env`, `flag`, `runtime`, or `agent`.
    pub layer: &'static str,
    /// Where it stands: file, line and column, the variable, the flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// What it says, with secrets withheld.
    #[serde(serialize_with = "plain")]
    pub value: Value,
    /// Whether what is in force comes from here, at least in part.
    pub wins: bool,
}

/// Why the settings are what they are at a path, for all or for one agent.
///
/// # Errors
/// [`ConfigError::InvalidPath`]; [`ConfigError::NotFound`] if nothing is there.
pub fn explain(
    store: &Store<DemoSettings>,
    path: impl IntoPath,
    agent: Option<&AgentId>,
) -> Result<Explanation, ConfigError> {
    let path = path.into_path()?;
    let explained = match agent {
        Some(agent) => store.agent(agent.clone()).explain(&path)?,
        None => store.explain(&path)?,
    };
    let mut value: Option<Value> = None;
    let mut said = Vec::with_capacity(explained.len());
    for mut one in explained {
        if one.decides {
            // From the highest down: what lies below shows through maps, as far as nothing above says the same.
            let with = match value.clone() {
                Some(above) => one.value.clone().deep_merge(above),
                None => one.value.clone(),
            };
            one.decides = value.as_ref() != Some(&with);
            value = Some(with);
        }
        said.push(self::said(store, &path, one));
    }
    let Some(value) = value else { return Err(ConfigError::NotFound { path }) };
    Ok(Explanation { path: path.to_string(), agent: agent.map(ToString::to_string), value, said })
}

fn said(store: &Store<DemoSettings>, path: &Path, one: Explained) -> Said {
    let layer = match &one.scope {
        Scope::Layer(Layer::Env) if one.origin.as_ref().is_some_and(is_flag) => "flag",
        Scope::Layer(layer) => layer.as_str(),
        _ => "agent",
    };
    let origin = match &one.scope {
        Scope::Agent(agent) => origin_of_override(store, path, agent, &one.value),
        _ => one.origin.filter(|_| layer != "runtime" && layer != "defaults"),
    };
    Said { layer, origin: origin.map(|origin| origin.to_string()), value: one.value, wins: one.decides }
}

fn is_flag(origin: &Origin) -> bool {
    !origin.place().starts_with("environment variable")
}

/// Where the file says what an agent is to use, if that is what it uses.
fn origin_of_override(store: &Store<DemoSettings>, path: &Path, agent: &AgentId, value: &Value) -> Option<Origin> {
    let in_file = [AGENTS, agent.as_str()].into_iter().chain(path.components());
    let explained = store.explain(Path::new(in_file).ok()?).ok()?;
    explained.into_iter().find(|one| one.decides && one.value == *value)?.origin
}

fn plain<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    value.plain().serialize(serializer)
}
