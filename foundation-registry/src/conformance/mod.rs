//! The suite that every back-end must pass, ours and a stranger's.
//!
//! [`backend_conformance!`](crate::backend_conformance) makes one test of each property for a back-end, given a factory:
//!
//! ```
//! # fn main() {}
//! use std::sync::Arc;
//! use foundation_registry::{Sharded, backend_conformance};
//!
//! backend_conformance!(sharded, || Arc::new(Sharded::default()));
//! ```
//!
//! With the feature `agent`, [`agent_conformance!`](crate::agent_conformance) does the same for what agents promise.
//!
//! Each property is also a function here, which panics with the smallest counterexample it finds. Sequences of operations
//! are drawn at random, compared with a model step by step, and shrunk; concurrent histories are recorded from real
//! threads and checked for linearizability.

mod backend;
mod concurrent;
mod model;
mod robust;
mod switch;

#[cfg(feature = "agent")]
pub mod agents;

use std::sync::Arc;

use foundation_types::testing::check;
use foundation_types::{Metadata, Namespace, ServiceName};

pub use self::backend::{
    raw_claims_follow_the_policy, raw_dead_entries_are_unseen_until_removed, raw_listing_and_release_by_owner,
};
pub use self::concurrent::{
    concurrent_histories_are_linearizable, r02_one_winner, r05_no_stranger_is_removed, r09_whole_values,
    r10_no_resurrection, r12_index_under_concurrency,
};
pub use self::model::{r01_model, r14_differential};
pub use self::robust::{r15_reentrancy_and_panics, r17_no_growth};
pub use self::switch::r26_switch;
use crate::backend::Backend;
use crate::registry::Registry;

/// Makes a fresh, empty back-end.
pub type Factory<'f> = &'f dyn Fn() -> Arc<dyn Backend>;

/// Makes one test of each property for the back-end that `$factory` makes (see [`conformance`](crate::conformance)).
#[macro_export]
macro_rules! backend_conformance {
    ($name:ident, $factory:expr) => {
        mod $name {
            use super::*;

            fn make() -> ::std::sync::Arc<dyn $crate::Backend> {
                let factory = $factory;
                factory()
            }

            $crate::backend_conformance!(@tests
                raw_claims_follow_the_policy, raw_dead_entries_are_unseen_until_removed,
                raw_listing_and_release_by_owner, r01_model, r02_one_winner, r05_no_stranger_is_removed,
                r09_whole_values, r10_no_resurrection, r12_index_under_concurrency, r14_differential,
                r15_reentrancy_and_panics, r17_no_growth, r26_switch, concurrent_histories_are_linearizable
            );
        }
    };
    (@tests $($property:ident),*) => {
        $(#[test]
        fn $property() {
            $crate::conformance::$property(&make);
        })*
    };
}

/// A registry on a fresh back-end.
fn registry_on(factory: Factory<'_>) -> Registry {
    Registry::builder().backend(factory()).build().expect("the defaults are in range")
}

fn name(number: usize) -> ServiceName {
    ServiceName::new(format!("service-{number}")).expect("a valid name")
}

fn numbered(number: i64) -> Metadata {
    Metadata::new().with("first", number).with("second", number)
}

fn production() -> Namespace {
    Namespace::Production
}
