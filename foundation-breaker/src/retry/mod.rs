//! Trying again what failed: how often, how long, and with what budget.
//!
//! [`Retry`] is the policy, [`Backoff`] the waits between attempts, [`RetryBudget`] the limit that keeps the retries of many
//! operations from making an outage worse, and a [`RetryClassifier`] says which errors are worth another attempt.
//!
//! # Retries and circuit breakers
//!
//! The retry goes *around* the breaker, so that each attempt is a call of its own to it:
//!
//! - Every failure counts. A breaker around the retries would see one failure where there were three, and open that much later.
//! - Every attempt asks. When the circuit opens between two attempts, the second is refused and nothing is sent; inside the
//!   breaker, a retry would go on sending to what is known to fail.
//! - A half-open circuit gets single probes of bounded length, and not series of attempts with waits between them.
//!
//! A refusal by the breaker is no failure of what is protected, and nothing was sent. [`RetryBuilder::through_breaker`] has the
//! operation wait until the circuit may let it through, takes nothing from the budget for it, and counts it among the attempts and
//! against the deadline, so that it does not wait for ever.
//!
//! ```
//! use std::time::Duration;
//! use foundation_breaker::retry::{BudgetOptions, Retry, RetryBudget};
//! use foundation_breaker::{CallError, CircuitBreaker};
//! use foundation_types::Name;
//!
//! # async fn fetch() -> Result<u16, std::io::Error> { Ok(200) }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let breaker = CircuitBreaker::builder(Name::from_static("search")).build()?;
//! let retry = Retry::builder()
//!     .deadline(Duration::from_secs(5))
//!     .budget(RetryBudget::new(BudgetOptions::default())?)
//!     .through_breaker()
//!     .build();
//!
//! match retry.run(|_attempt| breaker.call_async(fetch)).await {
//!     Ok(status) => println!("{status}"),
//!     Err(failed) => match &failed.error {
//!         CallError::Rejected(refusal) => println!("not even sent: {refusal}"),
//!         CallError::Operation(error) => println!("{error} in the last of {} attempts", failed.attempts),
//!     },
//! }
//! # Ok(())
//! # }
//! ```

mod attempts;
mod backoff;
mod budget;
mod error;
mod policy;
mod snapshot;
mod verdict;

pub use attempts::{Attempts, Next};
pub use backoff::{Backoff, BackoffError, Delays};
pub use budget::{
    BudgetError, BudgetOptions, BudgetSnapshot, MAX_BUDGET_WINDOW, MAX_MIN_PER_SECOND, MIN_BUDGET_WINDOW, RetryBudget,
    Withdrawal,
};
pub use error::{RetryError, Stopped};
pub use policy::{DEFAULT_MAX_ATTEMPTS, DEFAULT_RETRY_DEADLINE, Retry, RetryBuilder};
pub use snapshot::RetrySnapshot;
pub use verdict::{EveryError, RetryClassifier, RetryVerdict, ThroughBreaker, through_breaker};
