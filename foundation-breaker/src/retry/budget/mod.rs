//! How many retries a client may make in proportion to its requests.

mod ledger;

use std::fmt;
use std::sync::Arc;
// Never loom's: it counts for reports and decides nothing.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foundation_types::{Clock, Ratio, SystemClock};
use serde::Serialize;

use self::ledger::{Ledger, SLOTS, Terms, Tick, WHOLE};

/// The shortest window of a budget.
pub const MIN_BUDGET_WINDOW: Duration = Duration::from_secs(1);
/// The longest window of a budget.
pub const MAX_BUDGET_WINDOW: Duration = Duration::from_mins(1);
/// The most retries per second that a budget may allow whatever the traffic.
pub const MAX_MIN_PER_SECOND: u32 = 1_000_000;

/// What a budget allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BudgetOptions {
    /// How many retries each request allows, to a millionth.
    pub ratio: Ratio,
    /// Retries per second that are allowed on top, so that clients with few requests can retry at all. They may be made at any
    /// time of a window, also all at once. Up to [`MAX_MIN_PER_SECOND`].
    pub min_per_second: u32,
    /// How long a request counts, from [`MIN_BUDGET_WINDOW`] to [`MAX_BUDGET_WINDOW`]. Rounded up to 32 nanoseconds.
    pub window: Duration,
}

impl Default for BudgetOptions {
    /// What Finagle allows: retries of a fifth of the requests of 10 seconds, and 10 per second on top.
    fn default() -> Self {
        Self { ratio: Ratio::saturating(0.2), min_per_second: 10, window: Duration::from_secs(10) }
    }
}

/// Why a budget is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// The window is too short or too long.
    #[error("a window of {window:?} is not within {MIN_BUDGET_WINDOW:?}..={MAX_BUDGET_WINDOW:?}")]
    WindowOutOfRange {
        /// The window asked for.
        window: Duration,
    },
    /// More retries per second than make a difference to none at all.
    #[error("a minimum of {min_per_second} retries per second is more than {MAX_MIN_PER_SECOND}")]
    MinTooLarge {
        /// The minimum asked for.
        min_per_second: u32,
    },
}

/// Limits retries to a share of the requests, so that clients of a service in trouble do not add to it.
///
/// A limit on the attempts of each operation does not do that: when everything fails, three attempts are three times the load.
/// With a budget of a fifth they are a fifth more, for all operations that share it. Clones are the same budget.
///
/// Each request [deposits](Self::deposit) a fraction of a retry, each retry [withdraws](Self::withdraw) a whole one, and
/// deposits lapse after a window, as in [Finagle's `RetryBudget`][finagle] (the reasons are in its [announcement][blog]). In any
/// stretch of time as long as the window, up to a retry, there are no more retries than `ratio` times the requests in it plus
/// `min_per_second` times its length. On the other side the budget is exact to a 32nd of the window: a deposit may lapse, and a
/// withdrawal count, by so much too early or too long.
///
/// A few hundred bytes, no locks. A deposit takes a compare-and-exchange; a withdrawal sums up about a hundred words.
///
/// ```
/// use std::time::Duration;
/// use foundation_breaker::retry::{BudgetOptions, RetryBudget};
/// use foundation_types::Ratio;
///
/// let options = BudgetOptions { ratio: Ratio::new(0.5)?, min_per_second: 0, window: Duration::from_secs(10) };
/// let budget = RetryBudget::new(options)?;
/// assert!(budget.withdraw().is_none());
/// budget.deposit();
/// budget.deposit();
/// budget.withdraw().expect("two requests allow one retry").spend();
/// assert!(budget.withdraw().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [finagle]: https://twitter.github.io/finagle/docs/com/twitter/finagle/service/RetryBudget$.html
/// [blog]: https://finagle.github.io/blog/2016/02/08/retry-budgets/
pub struct RetryBudget<C = SystemClock>(Arc<Shared<C>>);

struct Shared<C> {
    clock: C,
    options: BudgetOptions,
    terms: Terms,
    /// Nanoseconds of a tick.
    tick: u64,
    ledger: Ledger,
    exhausted: AtomicU64,
}

impl RetryBudget {
    /// A budget on the system clock. Nothing has been deposited yet.
    ///
    /// # Errors
    /// [`BudgetError`], by what is out of range.
    pub fn new(options: BudgetOptions) -> Result<Self, BudgetError> {
        Self::with_clock(options, SystemClock)
    }
}

impl<C: Clock> RetryBudget<C> {
    /// A budget on `clock`. Nothing has been deposited yet.
    ///
    /// # Errors
    /// [`BudgetError`], by what is out of range.
    pub fn with_clock(options: BudgetOptions, clock: C) -> Result<Self, BudgetError> {
        let BudgetOptions { ratio, min_per_second, window } = options;
        if !(MIN_BUDGET_WINDOW..=MAX_BUDGET_WINDOW).contains(&window) {
            return Err(BudgetError::WindowOutOfRange { window });
        }
        if min_per_second > MAX_MIN_PER_SECOND {
            return Err(BudgetError::MinTooLarge { min_per_second });
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 60 seconds")]
        let nanos = window.as_nanos() as u64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most a million, never negative"
        )]
        let deposit = (ratio.get() * WHOLE as f64).round() as u64;
        // At most a million times 60 seconds, which 64 bits hold in nanoseconds.
        let reserve = u64::from(min_per_second) * nanos / 1_000_000_000;
        Ok(Self(Arc::new(Shared {
            clock,
            options,
            terms: Terms { deposit, reserve },
            tick: nanos.div_ceil(SLOTS),
            ledger: Ledger::new(),
            exhausted: AtomicU64::new(0),
        })))
    }

    /// What it allows.
    pub fn options(&self) -> BudgetOptions {
        self.0.options
    }

    /// Counts a request, not a retry.
    pub fn deposit(&self) {
        self.0.ledger.deposit(self.0.now());
    }

    /// Takes a retry from the budget, or `None` if none is left, which is counted.
    ///
    /// Of threads that ask at once as many are served as there are retries left.
    pub fn withdraw(&self) -> Option<Withdrawal<C>> {
        let taken = self.0.ledger.withdraw(self.0.now(), self.0.terms);
        if taken.is_none() {
            self.0.exhausted.fetch_add(1, Ordering::Relaxed);
        }
        taken.map(|tick| Withdrawal { budget: self.clone(), refund: Some(tick) })
    }

    /// How many retries may be made now.
    pub fn balance(&self) -> u64 {
        self.0.ledger.sums(self.0.now()).balance(self.0.terms)
    }

    /// What the budget is like now. While other threads use it, the numbers need not be of one instant.
    pub fn snapshot(&self) -> BudgetSnapshot {
        let sums = self.0.ledger.sums(self.0.now());
        BudgetSnapshot {
            requests: sums.deposits,
            retries: sums.withdrawals,
            balance: sums.balance(self.0.terms),
            exhausted: self.0.exhausted.load(Ordering::Relaxed),
        }
    }
}

impl<C: Clock> Shared<C> {
    fn now(&self) -> u64 {
        self.clock.mono().as_nanos() / self.tick
    }
}

impl<C> Clone for RetryBudget<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: Clock> fmt::Debug for RetryBudget<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryBudget")
            .field("options", &self.0.options)
            .field("snapshot", &self.snapshot())
            .finish_non_exhaustive()
    }
}

/// A budget at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BudgetSnapshot {
    /// Requests within the window.
    pub requests: u64,
    /// Retries within the window, without those that were given back.
    pub retries: u64,
    /// Retries that may be made now.
    pub balance: u64,
    /// How often there was no retry left, since the budget was made. Wraps around.
    pub exhausted: u64,
}

/// A retry that was taken from a budget. Dropping it gives the retry back.
#[must_use = "dropping a withdrawal gives the retry back"]
pub struct Withdrawal<C = SystemClock> {
    budget: RetryBudget<C>,
    /// Absent once it is spent.
    refund: Option<Tick>,
}

impl<C> Withdrawal<C> {
    /// The retry was made, or may have been.
    pub fn spend(mut self) {
        self.refund = None;
    }
}

impl<C> Drop for Withdrawal<C> {
    fn drop(&mut self) {
        if let Some(tick) = self.refund.take() {
            self.budget.0.ledger.refund(tick);
        }
    }
}

impl<C> fmt::Debug for Withdrawal<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Withdrawal").finish_non_exhaustive()
    }
}
