//! One operation, attempt by attempt.

use std::fmt;
use std::mem;
use std::time::Duration;

use foundation_types::{Clock, MonoTime, SystemClock};

use super::budget::Withdrawal;
use super::policy::Retry;
use super::verdict::{EveryError, RetryVerdict};
use super::{Delays, Stopped};

/// What to do after an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the next attempt has to wait, or not to be made"]
pub enum Next {
    /// Wait so long, then make another attempt.
    RetryIn(Duration),
    /// Give up, for this reason.
    GiveUp(Stopped),
}

/// The attempts of one operation, stepped through by whoever makes them. Never waits itself.
///
/// Dropping it ends the operation. An attempt that was [begun](Self::begin) and has not [failed](Self::after_failure) by then
/// counts as made: it succeeded, or was cancelled when nobody knows how far it got.
///
/// ```
/// use foundation_breaker::retry::{Next, Retry, RetryError, Stopped};
///
/// fn send(attempt: u32) -> Result<(), &'static str> {
/// #   let _ = attempt;
///     Err("no route")
/// }
///
/// fn send_patiently(retry: &Retry) -> Result<(), RetryError<&'static str>> {
///     let mut attempts = retry.attempts();
///     loop {
///         let Err(error) = send(attempts.begin()) else { return Ok(()) };
///         match attempts.after_failure(retry.verdict(error)) {
///             Next::RetryIn(_delay) => { /* the caller's way to wait: a timer wheel, a queue, the next frame */ }
///             Next::GiveUp(stopped) => return Err(RetryError::new(error, attempts.made(), stopped)),
///         }
///     }
/// }
///
/// let error = send_patiently(&Retry::builder().build()).unwrap_err();
/// assert_eq!((error.attempts, error.stopped), (3, Stopped::Attempts));
/// ```
#[must_use = "attempts do nothing by themselves"]
pub struct Attempts<C: Clock = SystemClock, K = EveryError> {
    retry: Retry<C, K>,
    delays: Delays,
    started: MonoTime,
    made: u32,
    phase: Phase,
    /// Whether something was sent, and the request is thus in the budget.
    request: Request,
    /// The retry that the attempt under way, or the next one, spends if it is not refused.
    withdrawal: Option<Withdrawal<C>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Between,
    UnderWay,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Request {
    NotSent,
    Sent,
}

impl<C: Clock, K> Attempts<C, K> {
    pub(super) fn new(retry: Retry<C, K>) -> Self {
        let policy = retry.policy();
        policy.counters.operation();
        Self {
            delays: policy.backoff.delays(&policy.random),
            started: policy.clock.mono(),
            made: 0,
            phase: Phase::Between,
            request: Request::NotSent,
            withdrawal: None,
            retry,
        }
    }

    /// Notes that the next attempt begins, and gives its number, from 1.
    pub fn begin(&mut self) -> u32 {
        if self.phase == Phase::UnderWay {
            // Nobody said how the one before ended, so it may have been sent.
            self.settle();
        }
        self.phase = Phase::UnderWay;
        self.made = self.made.saturating_add(1);
        self.retry.policy().counters.attempt(self.made);
        self.made
    }

    /// Notes that the attempt failed, and tells what to do next. An attempt that was not [begun](Self::begin) is taken as begun.
    ///
    /// In this order: errors that are not worth it, the number of attempts, the deadline and the budget end the operation.
    /// Refusals are not charged to the budget: a retry that was taken for an attempt that was then refused serves the next one
    /// that is made, and returns if there is none.
    ///
    /// The wait is the next delay of the backoff; where the verdict says how long to wait at least, that comes on top, so that
    /// those who were told the same do not come back at the same instant.
    pub fn after_failure(&mut self, verdict: RetryVerdict) -> Next {
        if self.phase == Phase::Between {
            self.begin();
        }
        if let RetryVerdict::Refused { .. } = verdict {
            self.phase = Phase::Between;
            self.retry.policy().counters.refusal();
        } else {
            self.settle();
        }
        match self.next(verdict) {
            Ok(delay) => Next::RetryIn(delay),
            Err(stopped) => {
                self.withdrawal = None;
                self.retry.policy().counters.stopped(stopped);
                Next::GiveUp(stopped)
            }
        }
    }

    /// How many attempts were begun.
    pub const fn made(&self) -> u32 {
        self.made
    }

    fn next(&mut self, verdict: RetryVerdict) -> Result<Duration, Stopped> {
        let policy = self.retry.policy();
        let at_least = match verdict {
            RetryVerdict::GiveUp => return Err(Stopped::NotRetryable),
            RetryVerdict::Retry => Duration::ZERO,
            RetryVerdict::RetryAfter(time) => time,
            RetryVerdict::Refused { retry_after } => retry_after.unwrap_or(Duration::ZERO),
        };
        if self.made >= policy.max_attempts.get() {
            return Err(Stopped::Attempts);
        }
        let delay = at_least.saturating_add(self.delays.next().unwrap_or_default());
        let elapsed = policy.clock.mono().saturating_since(self.started);
        if elapsed.saturating_add(delay) > policy.deadline {
            return Err(Stopped::Deadline);
        }
        // Last, so that nothing is taken for a retry that is not made.
        let is_charged = self.request == Request::Sent && self.withdrawal.is_none();
        if is_charged && let Some(budget) = &policy.budget {
            self.withdrawal = Some(budget.withdraw().ok_or(Stopped::Budget)?);
        }
        Ok(delay)
    }

    /// The attempt under way was sent: what it cost is due.
    fn settle(&mut self) {
        self.phase = Phase::Between;
        if let Some(withdrawal) = self.withdrawal.take() {
            withdrawal.spend();
        }
        if mem::replace(&mut self.request, Request::Sent) == Request::NotSent
            && let Some(budget) = &self.retry.policy().budget
        {
            budget.deposit();
        }
    }
}

impl<C: Clock, K> Drop for Attempts<C, K> {
    fn drop(&mut self) {
        if self.phase == Phase::UnderWay {
            self.settle();
        }
    }
}

impl<C: Clock, K> fmt::Debug for Attempts<C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempts").field("made", &self.made).finish_non_exhaustive()
    }
}
