//! What agents rely on, whatever the back-end: queries, updates, history, events, and the two switches.
//!
//! [`agent_conformance!`](crate::agent_conformance) makes one test of each property for a back-end, as
//! [`backend_conformance!`](crate::backend_conformance) does for services.

mod concurrent;
mod fleet;
mod history;
mod legacy;
mod queries;
mod rollback;

pub use self::concurrent::{
    r04_agents_die_with_their_owners, r12_agent_queries_under_concurrency, r12_queries_are_not_behind_lookups,
    r17_agents_leave_nothing_behind, r24_no_agent_update_is_lost, r26_agents_survive_a_switch,
};
pub use self::history::{r25_cleanup_is_told_once, r25_health_history_chains};
pub use self::legacy::r21_agents_do_not_disturb_services;
pub use self::queries::r23_agent_queries_equal_a_scan;
pub use self::rollback::r22_rollback_loses_nothing;

/// Makes one test of each property of agents for the back-end that `$factory` makes.
#[macro_export]
macro_rules! agent_conformance {
    ($name:ident, $factory:expr) => {
        mod $name {
            use super::*;

            fn make() -> ::std::sync::Arc<dyn $crate::Backend> {
                let factory = $factory;
                factory()
            }

            $crate::agent_conformance!(@tests
                r04_agents_die_with_their_owners, r12_agent_queries_under_concurrency,
                r12_queries_are_not_behind_lookups, r17_agents_leave_nothing_behind, r21_agents_do_not_disturb_services,
                r22_rollback_loses_nothing, r23_agent_queries_equal_a_scan, r24_no_agent_update_is_lost,
                r25_cleanup_is_told_once, r25_health_history_chains, r26_agents_survive_a_switch
            );
        }
    };
    (@tests $($property:ident),*) => {
        $(#[test]
        fn $property() {
            $crate::conformance::agents::$property(&make);
        })*
    };
}
