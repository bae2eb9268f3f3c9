//! What a pool promises, with workers of any factory.
//!
//! [`pool_conformance!`](crate::pool_conformance) makes one test of each property for a factory; run it for yours, to see
//! that its workers can be made, checked and retired in any order that a pool may come up with:
//!
//! ```
//! # fn main() {}
//! use std::convert::Infallible;
//! use foundation_resources::{pool, pool_conformance};
//!
//! pool_conformance!(buffers, || pool::from_fn(|| Ok::<_, Infallible>(Vec::<u8>::new())));
//! ```
//!
//! Each property is also a function here, which panics with the smallest counterexample it finds. Histories are drawn at
//! random, compared with a model step by step, and shrunk. The factory should make workers quickly and without fail: the
//! suite adds failures, panics and delays of its own.

mod concurrent;
mod faulty;
mod model;
mod properties;
mod world;

use foundation_types::testing::check;

pub use self::concurrent::{q14_no_lost_wake_up, q16_parallelism};
pub use self::properties::{
    q12_model_equality, q13_conservation, q15_order_of_service, q17_cancel_safety, q18_isolation_of_failure,
};

/// Makes one test of each property for the factory that `$factory` makes (see [`conformance`](crate::conformance::pool)).
#[macro_export]
macro_rules! pool_conformance {
    ($name:ident, $factory:expr) => {
        mod $name {
            use super::*;

            $crate::pool_conformance!(@tests $factory;
                q12_model_equality, q13_conservation, q14_no_lost_wake_up, q15_order_of_service, q16_parallelism,
                q17_cancel_safety, q18_isolation_of_failure
            );
        }
    };
    (@tests $factory:expr; $($property:ident),*) => {
        $(#[test]
        fn $property() {
            $crate::conformance::pool::$property(&$factory);
        })*
    };
}
