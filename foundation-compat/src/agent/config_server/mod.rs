//! The agent-aware `Foundation.Services.ConfigServer`: the settings of all agents and of single ones.
//!
//! It is the configuration that [`config`](crate::config) shows, with two things more: settings beside the sections of the
//! original, and overrides of single agents. The functions act on the [global instance](crate::global), [`AgentConfigServer`]
//! on any; the bare name is the function with the most arguments, and what is short of a namespace means that of the instance.
//!
//! ```
//! use foundation_compat::AgentId;
//! use foundation_compat::agent::config_server;
//!
//! let (scout, path) = (AgentId::from_static("scout"), "coordination.consensus_timeout");
//! config_server::set_config_2(path, 4_000)?;
//! config_server::set_agent_config_3(&scout, path, 9_000)?;
//! assert_eq!(config_server::get_config_1(path)?.as_i64(), Some(4_000));
//! assert_eq!(config_server::get_effective_config_2(&scout, path)?.as_i64(), Some(9_000));
//! # Ok::<(), foundation_compat::Error>(())
//! ```

mod change;
mod errors;
mod events;
mod facade;
mod options;
mod subscription;

use foundation_config::IntoPath;
use foundation_types::error::Error;
use foundation_types::{AgentId, Namespace, Value};
use serde::Serialize;

pub use self::change::{AgentConfigChange, ChangeScope, EffectiveChange};
pub use self::events::{AGENT_CONFIG_CHANGED_EVENT, AGENT_CONFIG_STARTED_EVENT, AGENT_CONFIG_SUBSCRIBED_EVENT};
pub use self::facade::AgentConfigServer;
pub use self::options::{AgentConfigOptions, Persistence};
pub(crate) use self::subscription::Listeners;
pub use self::subscription::{AgentConfigSubscription, EffectiveSubscription, Missed};
use crate::global::{self, on_global};

/// How many changes a history has where nothing else is said.
pub const DEFAULT_HISTORY: usize = 100;

fn here() -> AgentConfigServer {
    AgentConfigServer::from(&global::get())
}

macro_rules! on_global_paths {
    ($(fn $name:ident [$($before:ident: $of:ty)?] path $(, $value:ident)? [$($after:ident: $after_of:ty)?] -> $result:ty;)+) => {
        $(
            #[doc = concat!("As [`AgentConfigServer::", stringify!($name), "`], on the global instance.")]
            ///
            /// # Errors
            /// As there.
            pub fn $name(
                $($before: $of,)?
                path: impl IntoPath
                $(, $value: impl Serialize)?
                $(, $after: $after_of)?
            ) -> $result {
                here().$name($($before,)? path $(, $value)? $(, $after)?)
            }
        )+
    };
}

on_global_paths! {
    fn get_config [] path [namespace: &Namespace] -> Result<Value, Error>;
    fn get_config_1 [] path [] -> Result<Value, Error>;
    fn get_effective_config [agent: &AgentId] path [namespace: &Namespace] -> Result<Value, Error>;
    fn get_effective_config_2 [agent: &AgentId] path [] -> Result<Value, Error>;
    fn set_config [] path, value [namespace: &Namespace] -> Result<(), Error>;
    fn set_config_2 [] path, value [] -> Result<(), Error>;
    fn set_agent_config [agent: &AgentId] path, value [namespace: &Namespace] -> Result<(), Error>;
    fn set_agent_config_3 [agent: &AgentId] path, value [] -> Result<(), Error>;
    fn clear_agent_config [agent: &AgentId] path [namespace: &Namespace] -> Result<(), Error>;
    fn clear_agent_config_2 [agent: &AgentId] path [] -> Result<(), Error>;
    fn subscribe_to_changes [] path [namespace: &Namespace] -> Result<AgentConfigSubscription, Error>;
    fn subscribe_to_changes_1 [] path [] -> Result<AgentConfigSubscription, Error>;
}

/// As [`AgentConfigServer::subscribe_to_agent_changes`], on the global instance.
///
/// # Errors
/// As there.
pub fn subscribe_to_agent_changes(
    agent: &AgentId,
    path: Option<impl IntoPath>,
    namespace: &Namespace,
) -> Result<EffectiveSubscription, Error> {
    here().subscribe_to_agent_changes(agent, path, namespace)
}

/// As [`AgentConfigServer::subscribe_to_agent_changes_2`], on the global instance.
///
/// # Errors
/// As there.
pub fn subscribe_to_agent_changes_2(
    agent: &AgentId,
    path: Option<impl IntoPath>,
) -> Result<EffectiveSubscription, Error> {
    here().subscribe_to_agent_changes_2(agent, path)
}

/// Ends a subscription, as dropping it does; whatever the namespace.
pub fn unsubscribe_from_changes(subscription: AgentConfigSubscription) {
    drop(subscription);
}

/// What is wrong with settings of a program with agents: what [`validate_tree`](crate::config::validate_tree) says of the
/// defaults with them laid over, or the rules of
/// [`check_agent_settings`](crate::types::config::agent::check_agent_settings). What lies elsewhere can be anything.
///
/// # Errors
/// `config_validation_failed` (9003); its cause says what is wrong.
pub fn validate_config(config: &Value) -> Result<(), Error> {
    facade::validate_config(config)
}

on_global! {
    AgentConfigServer(here()):
    fn start(options: &AgentConfigOptions) -> Result<(), Error>;
    fn start_0() -> Result<(), Error>;
    fn subscribe_to_agent_changes_1(agent: &AgentId) -> Result<EffectiveSubscription, Error>;
    fn get_change_history(namespace: &Namespace, limit: usize) -> Result<Vec<AgentConfigChange>, Error>;
    fn get_change_history_1(namespace: &Namespace) -> Result<Vec<AgentConfigChange>, Error>;
    fn get_change_history_0() -> Result<Vec<AgentConfigChange>, Error>;
    fn get_agent_config_history(agent: &AgentId, limit: usize, namespace: &Namespace) -> Result<Vec<AgentConfigChange>, Error>;
    fn get_agent_config_history_2(agent: &AgentId, limit: usize) -> Result<Vec<AgentConfigChange>, Error>;
    fn get_agent_config_history_1(agent: &AgentId) -> Result<Vec<AgentConfigChange>, Error>;
}
