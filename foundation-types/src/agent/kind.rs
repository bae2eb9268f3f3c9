//! What an agent is.

use crate::text_enum::open_enum;

open_enum! {
    /// What kind of agent or service a record describes.
    #[derive(Default)]
    pub enum AgentType {
        /// An agent.
        #[default]
        Agent => "agent",
        /// A service.
        Service => "service",
        /// A coordinator of agents.
        Coordinator => "coordinator",
        /// A service that coordinates.
        CoordinationService => "coordination_service",
        /// A manager of resources.
        ResourceManager => "resource_manager",
    }
    /// A kind of the user's own, such as `ml_agent`.
    Other(
        /// The name of an agent type of the user's own: never the text of one of the named types.
        OtherAgentType
    )
}
