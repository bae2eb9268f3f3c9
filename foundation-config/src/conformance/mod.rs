//! The suite that every store of settings must pass, ours and a stranger's.
//!
//! [`config_conformance!`](crate::config_conformance) makes one test of each property, given a factory:
//!
//! ```
//! # fn main() {}
//! use foundation_config::conformance::Fleet;
//! use foundation_config::{Dynamic, Store, config_conformance};
//!
//! config_conformance!(dynamic, |setup| Store::<Dynamic>::from(setup));
//! config_conformance!(fleet, |setup| Store::<Fleet>::from(setup));
//! ```
//!
//! With feature `agent`, `agent_config_conformance!` does the same for a store with overrides of agents.
//!
//! A store of one's own implements [`Backend`], with [`Dynamic`](crate::Dynamic) and [`Fleet`] as schemas. Each property is
//! also a function here, which panics with the smallest counterexample it finds. Commands are drawn at random, given to the
//! store and to the [`Model`], and shrunk. The model keeps plain values, and lays all layers over each other anew for each
//! question.

#[cfg(feature = "agent")]
mod agents;
mod agreement;
mod backend;
mod bounds;
mod command;
mod concurrent;
mod delivery;
mod locality;
mod model;
mod observer;
mod pending;
mod redaction;
mod runtime;
mod schema;
mod setup;
mod sources;
mod store;
mod trees;
mod versions;

use foundation_types::testing::check;

#[cfg(feature = "agent")]
pub use self::agents::{
    AgentBackend, Whom, p15_agent_filter, p23_agent_redaction, p24_agent_overlay, p25_agent_off_is_legacy,
};
pub use self::agreement::{p01_model_equivalence, p02_validity, p03_failure_atomicity, p05_read_stability};
pub use self::backend::{
    Backend, Differs, Draft, Heard, Pending, Record, Reloaded, Replayed, Says, Snapshot, Subscription, Written,
};
pub use self::bounds::{p06_totality, p07_check_order};
pub use self::concurrent::{p11_linearizability, p12_atomic_modify, p13_snapshot_consistency, p16_subscription_storm};
pub use self::delivery::{p14_delivery, p15_filter};
pub use self::locality::{p04_locality, p08_precedence, p09_merge_laws, p10_reset};
pub use self::model::{Answer, Judged, Model, Refusal, State, Write};
pub use self::observer::p22_observer_isolation;
pub use self::pending::p21_pending;
pub use self::redaction::p23_redaction;
pub use self::schema::{Faults, Fleet, Ruled};
pub use self::setup::{Script, Scripted, Setup, Start};
pub use self::sources::{p19_reload_isolation, p20_fallback_age};
pub use self::versions::{p17_rollback, p18_diff};

/// Makes a store.
pub type Factory<'f, B> = &'f dyn Fn(Setup) -> B;

/// Makes one test of each property for the store that `$factory` makes (see [`conformance`](crate::conformance)).
#[macro_export]
macro_rules! config_conformance {
    ($name:ident, $factory:expr) => {
        mod $name {
            use super::*;

            $crate::config_conformance!(@each $factory;
                p01_model_equivalence p02_validity p03_failure_atomicity p04_locality p05_read_stability p06_totality
                p07_check_order p08_precedence p09_merge_laws p10_reset p11_linearizability
                p12_atomic_modify p13_snapshot_consistency p14_delivery p15_filter p16_subscription_storm p17_rollback
                p18_diff p19_reload_isolation p20_fallback_age p21_pending p22_observer_isolation p23_redaction
            );
        }
    };
    (@each $factory:expr; $property:ident $($rest:ident)*) => {
        #[test]
        fn $property() {
            $crate::conformance::$property(&$factory);
        }

        $crate::config_conformance!(@each $factory; $($rest)*);
    };
    (@each $factory:expr;) => {};
}

/// Makes one test of each property of overrides of agents for the store that `$factory` makes (see
/// [`conformance`](crate::conformance)).
///
/// ```
/// # fn main() {}
/// use foundation_config::{Dynamic, Store, agent_config_conformance};
///
/// agent_config_conformance!(dynamic, |setup| Store::<Dynamic>::from(setup));
/// ```
#[cfg(feature = "agent")]
#[macro_export]
macro_rules! agent_config_conformance {
    ($name:ident, $factory:expr) => {
        mod $name {
            use super::*;

            $crate::config_conformance!(@each $factory;
                p15_agent_filter p23_agent_redaction p24_agent_overlay p25_agent_off_is_legacy
            );
        }
    };
}
