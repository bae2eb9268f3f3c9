//! Properties as plain functions, for suites that are called and not compiled in place.

use std::fmt::Debug;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};

/// Runs `property` on `cases` random inputs.
///
/// Unlike the `proptest!` macro it runs where it is called, so that a public suite can take what it checks as an argument. It
/// writes no file of past failures, for it does not know whose crate it runs in.
///
/// # Panics
/// With the smallest input on which `property` panics.
pub fn check<S: Strategy>(cases: u32, inputs: S, property: impl Fn(S::Value))
where
    S::Value: Debug,
{
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let result = runner.run(&inputs, |input| {
        property(input);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contain;

    #[test]
    fn the_smallest_failure_is_told() {
        let message = contain(|| check(64, 0..1_000_u32, |number| assert!(number < 10))).expect_err("10 is drawn");
        assert!(message.contains("minimal failing input: 10"), "{message}");
        check(64, 0..10_u32, |number| assert!(number < 10));
    }
}
