//! The order of the layers, and what the breaker sees of the operation.

use std::convert::Infallible;
use std::time::Duration;

use foundation_compat::foundation_breaker::{CircuitBreaker, Outcome};
use foundation_compat::foundation_resources::pool::{Pool, from_fn};
use foundation_compat::foundation_resources::rate_limit::{Quota, RateLimiter};
use foundation_compat::infrastructure::protected::{ProtectError, Protected};
use foundation_compat::infrastructure::{ExecuteError, ProtectedOptions};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::bench::{Bench, NAME, config};

/// What the operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Succeed,
    Fail,
    Panic,
}

impl Act {
    fn run(self) -> Result<u32, &'static str> {
        match self {
            Self::Succeed => Ok(1),
            Self::Fail => Err("no"),
            Self::Panic => panic!("bang"),
        }
    }
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![Just(Act::Succeed), Just(Act::Fail), Just(Act::Panic)]
}

/// Which layers there are, and which of them refuse: `None` for a layer that is not there.
type Layers = [Option<bool>; 3];

fn layers() -> impl Strategy<Value = Layers> {
    let layer = || proptest::option::of(any::<bool>());
    [layer(), layer(), layer()]
}

proptest! {
    #[test]
    fn q19_the_layers_up_to_the_first_refusal_are_touched_and_the_operation_runs_iff_none_refused(
        [rate, breaker, pool] in layers(),
        act in acts(),
    ) {
        let bench = Bench::new();
        bench.infrastructure.configure_protection("key", config(1)).expect("valid");
        let mut options = ProtectedOptions::new().timeout(Duration::ZERO);
        let mut held = None;
        if let Some(refuses) = rate {
            options = options.rate_limiter("rule", "user");
            if refuses {
                bench.limiter.check_rate_4("user", "rule", 1, Duration::from_mins(1)).expect("the only one");
            }
        }
        if let Some(refuses) = breaker {
            options = options.circuit_breaker("db");
            if refuses {
                bench.breakers.circuit_disable("db").expect("installed");
            }
        }
        if let Some(refuses) = pool {
            options = options.connection_pool("db");
            if refuses {
                held = Some(bench.pool().try_checkout().expect("idle"));
            }
        }
        bench.words();
        let requests = bench.requests();
        let mut ran = false;
        let result = bench.infrastructure.execute_protected("key", &options, || {
            ran = true;
            act.run()
        });
        let words = bench.words();
        drop(held);

        let refusal = [rate, breaker, pool].iter().position(|layer| *layer == Some(true));
        prop_assert_eq!(ran, refusal.is_none());
        let touched = |layer: usize| refusal.is_none_or(|first| layer <= first);
        match (refusal, act) {
            (Some(0), _) => prop_assert!(matches!(result, Err(ExecuteError::RateLimiter(_)))),
            (Some(1), _) => prop_assert!(matches!(result, Err(ExecuteError::CircuitBreaker(_)))),
            (Some(_), _) => prop_assert!(matches!(result, Err(ExecuteError::Pool(_)))),
            (None, Act::Succeed) => prop_assert_eq!(result, Ok(1)),
            (None, Act::Fail) => prop_assert_eq!(result, Err(ExecuteError::Operation("no"))),
            (None, Act::Panic) => {
                prop_assert_eq!(result, Err(ExecuteError::Exception { message: "bang".into() }));
            }
        }
        let totals = bench.totals();
        let admitted = breaker == Some(false) && touched(1);
        prop_assert_eq!(bench.requests() - requests, u32::from(rate == Some(false)), "an admission stays spent");
        prop_assert_eq!(totals.rejected, u64::from(breaker == Some(true) && touched(1)));
        prop_assert_eq!(totals.admitted, u64::from(admitted));
        prop_assert_eq!(totals.succeeded, u64::from(admitted && ran && act == Act::Succeed));
        prop_assert_eq!(totals.failed, u64::from(admitted && ran && act != Act::Succeed));
        prop_assert_eq!(totals.ignored, u64::from(admitted && !ran));
        let said = |word: &str| words.iter().any(|said| said == word);
        prop_assert_eq!(said("checkout"), pool == Some(false) && touched(2));
        prop_assert_eq!(said("timeout"), pool == Some(true) && touched(2));
        prop_assert_eq!(words.first().map(String::as_str), Some("execute_start"));
        let last = if ran && act == Act::Panic { "execute_exception" } else { "execute_stop" };
        prop_assert_eq!(words.last().map(String::as_str), Some(last));
        let ends = words.iter().filter(|word| matches!(word.as_str(), "execute_stop" | "execute_exception"));
        prop_assert_eq!(ends.count(), 1);
    }

    #[test]
    fn q20_the_breaker_sees_what_the_operation_comes_to_whatever_other_layers_there_are(
        acts in vec(acts(), 1..30),
        has_rate in any::<bool>(),
        has_pool in any::<bool>(),
    ) {
        let (bench, direct) = (Bench::with(3, |builder| builder), Bench::with(3, |builder| builder));
        let mut options = ProtectedOptions::new().circuit_breaker("db");
        if has_rate {
            options = options.rate_limiter("rule", "user");
        }
        if has_pool {
            options = options.connection_pool("db").timeout(Duration::ZERO);
        }
        for act in acts {
            let through = bench.infrastructure.execute_protected("key", &options, || act.run());
            let alone = direct.breakers.execute_2("db", || act.run().map_err(|_| std::fmt::Error));
            prop_assert_eq!(through.is_ok(), alone.is_ok());
            prop_assert_eq!(bench.totals(), direct.totals());
            prop_assert_eq!(bench.breaker().state(), direct.breaker().state());
        }
    }

    #[test]
    fn q19_layers_that_are_values_keep_the_same_order(refuses in any::<[bool; 3]>(), act in acts()) {
        prop_assume!(act != Act::Panic);
        let limiter: RateLimiter<String> = RateLimiter::new();
        let breaker = CircuitBreaker::builder(NAME).build().expect("in range");
        let pool = Pool::builder(from_fn(|| Ok::<_, Infallible>(3_u32))).size(1).max_overflow(0).build();
        let pool = pool.expect("starts");
        let quota = Quota::per_hour(u32::from(!refuses[0]));
        if refuses[1] {
            breaker.force_open();
        }
        let held = refuses[2].then(|| pool.try_checkout().expect("idle"));
        let result = Protected::new()
            .pool(&pool, Duration::ZERO)
            .breaker(&breaker)
            .rate_limit(&limiter, "user", quota)
            .call(|worker| act.run().map(|value| value + *worker));
        drop(held);
        match (refuses.iter().position(|refuses| *refuses), act) {
            (Some(0), _) => prop_assert!(matches!(result, Err(ProtectError::RateLimited(_)))),
            (Some(1), _) => prop_assert!(matches!(result, Err(ProtectError::Rejected(_)))),
            (Some(_), _) => prop_assert!(matches!(result, Err(ProtectError::Checkout(_)))),
            (None, Act::Succeed) => prop_assert_eq!(result, Ok(4)),
            (None, _) => prop_assert_eq!(result, Err(ProtectError::Operation("no"))),
        }
        prop_assert_eq!(limiter.usage("user", quota).count, u32::from(!refuses[0]));
        let totals = breaker.snapshot().totals;
        prop_assert_eq!(totals.admitted + totals.rejected, u64::from(!refuses[0]), "asked after the limiter only");
        prop_assert_eq!(totals.ignored, u64::from(refuses == [false, false, true]));
        prop_assert_eq!((pool.status().idle, pool.status().checked_out), (1, 0));
    }
}

#[test]
fn a_classifier_decides_for_the_breaker_also_behind_a_pool() {
    let breaker = CircuitBreaker::builder(NAME).build().expect("in range");
    let pool = Pool::builder(from_fn(|| Ok::<_, Infallible>(404_u32))).build().expect("starts");
    let by_status = |answer: &Result<u32, Infallible>| match answer {
        Ok(500..) => Outcome::Failure,
        Ok(400..) => Outcome::Ignored,
        _ => Outcome::Success,
    };
    let protected = Protected::new().classify(by_status).breaker(&breaker);
    assert_eq!(protected.call(|| Ok(503)), Ok(503));
    assert_eq!(protected.pool(&pool, Duration::ZERO).call(|status| Ok(*status)), Ok(404));
    let totals = breaker.snapshot().totals;
    assert_eq!((totals.failed, totals.ignored, totals.succeeded), (1, 1, 0));
}

#[test]
fn a_worker_that_cannot_be_made_is_a_failure_and_a_panic_goes_on_to_the_caller() {
    let breaker = CircuitBreaker::builder(NAME).build().expect("in range");
    let broken = Pool::builder(from_fn(|| Err::<u32, _>("no line"))).size(0).build().expect("starts");
    let result = Protected::new().breaker(&breaker).pool(&broken, Duration::ZERO).call(|_| Ok::<_, Infallible>(1));
    assert!(matches!(result, Err(ProtectError::Checkout(_))));
    assert_eq!(breaker.snapshot().totals.failed, 1);

    let pool = Pool::builder(from_fn(|| Ok::<_, Infallible>(1_u32))).size(1).max_overflow(0).build();
    let pool = pool.expect("starts");
    let bang = std::panic::AssertUnwindSafe(|| {
        let protected = Protected::new().breaker(&breaker).pool(&pool, Duration::ZERO);
        protected.call(|_| -> Result<(), Infallible> { panic!("bang") })
    });
    assert!(std::panic::catch_unwind(bang).is_err());
    assert_eq!(breaker.snapshot().totals.failed, 2);
    assert_eq!((pool.status().idle, pool.status().checked_out), (0, 0), "the worker was retired");
}
