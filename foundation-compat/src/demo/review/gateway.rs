//! What a call to the reviewing service goes through: a rate limit, retries with a budget, a circuit breaker, a pool of
//! connections, and a time limit.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use crossbeam_channel::bounded;
use foundation_breaker::retry::{
    Attempts, Backoff, BudgetOptions, Next, Retry, RetryBudget, RetryVerdict, Stopped, ThroughBreaker,
};
use foundation_breaker::{CallError, CircuitBreaker, OpenFor, Options, Outcome, Probe, Recovery, TripPolicy};
use foundation_resources::pool::{Check, CheckoutError, Pool, StartError, StartInError};
use foundation_resources::rate_limit::{Decision, Quota, RateLimiter, TokenBucket};
use foundation_types::{Clock, Name, Ratio, timeout_at};
use hyper::header::HeaderValue;
use tokio::runtime::{self, Handle, Runtime};

use super::super::SurveyError;
use super::super::config::DemoSettings;
use super::super::ledger::Blame;
use super::super::roles::Role;
use super::super::settings::REVIEW_TIMEOUT;
use super::super::spectator::Spectator;
use super::super::task::GivenBack;
use super::chronicle::Chronicle;
use super::client::{Connections, ReviewError, ask};
use super::faults::Faults;
use super::outage::{Outage, Span};
use super::score::Findings;
use super::service::Service;
use super::summary::{BreakerSummary, LimiterSummary, PoolSummary, ReviewTotals};
use crate::Foundation;

/// The name of breaker, limiter and pool, and the key of the one thing that is limited.
const NAME: Name = Name::from_static("reviews");

/// Threads that move bytes, for the service and for those who call it.
const IO_THREADS: usize = 2;

/// Failures in a row that open the circuit.
const FAILURES_TO_OPEN: u32 = 3;

/// How long the circuit stays open: first, and at most.
const OPEN_FOR: (Duration, Duration) = (Duration::from_millis(40), Duration::from_millis(120));

/// Waits between attempts: the first, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(80));

/// The longest wait between two calls, as long as there is something to review.
const LONGEST_PAUSE: Duration = OPEN_FOR.1.saturating_add(BACKOFF.1);

type SharedClock = Arc<dyn Clock>;
type Verdict = fn(&ReviewError) -> RetryVerdict;

/// The attempts at one text.
pub(in super::super) type Tries = Attempts<SharedClock, ThroughBreaker<Verdict>>;

/// Why a call gave no review.
pub(in super::super) type CallFailed = CallError<ReviewError>;

/// The way to the reviewing service, and the service itself if it is ours. Reviewers share it.
///
/// A review is asked for in steps, so that whoever waits between them can be seen to wait, and be ended:
/// [`admit`](Self::admit), then for each attempt [`call`](Self::call) and, if that failed, [`next`](Self::next).
pub(in super::super) struct Gateway {
    limiter: RateLimiter<Name, TokenBucket, SharedClock>,
    retry: Retry<SharedClock, ThroughBreaker<Verdict>>,
    breaker: CircuitBreaker<SharedClock>,
    pool: Pool<Connections, SharedClock>,
    address: SocketAddr,
    /// What requests are authorised by, if by anything.
    token: Option<HeaderValue>,
    /// That of calls to a service that answers.
    time_limit: Duration,
    clock: SharedClock,
    chronicle: Arc<Chronicle>,
    is_closed: AtomicBool,
    /// Held for one look or change.
    outage: Mutex<Outage>,
    handle: Handle,
    /// Taken out when the gateway ends.
    runtime: Option<Runtime>,
}

impl Gateway {
    /// Starts the service, unless another one is to be asked, and connects to it. Breaker and pool are those of `foundation`,
    /// which `chronicle` observes.
    ///
    /// # Errors
    /// [`SurveyError::Service`] if it cannot be started; [`SurveyError::Reviewer`] if nobody listens where it should be.
    pub(in super::super) fn start(
        (reviewer, chaos): (Option<SocketAddr>, Option<u64>),
        settings: &DemoSettings,
        foundation: &Foundation,
        chronicle: Arc<Chronicle>,
        spectator: &Arc<dyn Spectator>,
    ) -> Result<Self, SurveyError> {
        let clock = foundation.clock();
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(IO_THREADS)
            .thread_name("reviews-io")
            .enable_io()
            .build()
            .map_err(|error| SurveyError::Service { error })?;
        let runtime = Background(Some(runtime));
        let handle = runtime.handle();
        let address = match reviewer {
            Some(address) if address.ip().is_loopback() => address,
            Some(address) => {
                return Err(SurveyError::Reviewer { address, reason: "it is not on this machine".to_owned() });
            }
            None => Service::new(Arc::clone(clock), Arc::clone(spectator), chaos.map(Faults::new))
                .start(&handle)
                .map_err(|error| SurveyError::Service { error })?,
        };
        let reviewers = settings.crew().size(Role::Reviewer);
        let connections = reviewers.min(settings.review.connections);
        let pool = connect(&handle, address, (connections, reviewers), foundation)
            .map_err(|reason| SurveyError::Reviewer { address, reason })?;
        let breaker = foundation
            .breakers()
            .install(&NAME, breaker_options(settings.review_timeout()))
            .expect("there is room for one breaker");
        Ok(Self {
            limiter: RateLimiter::<Name, TokenBucket>::builder()
                .name(NAME)
                .max_keys(NonZeroUsize::MIN)
                .emitter(foundation.emitter().clone())
                .clock(Arc::clone(clock))
                .build(),
            retry: retry(clock, settings.review.attempts, settings.review_deadline()),
            breaker,
            pool,
            address,
            token: bearer(settings.review.token.expose()),
            time_limit: settings.review_timeout(),
            clock: Arc::clone(clock),
            chronicle,
            is_closed: AtomicBool::new(false),
            outage: Mutex::default(),
            handle,
            runtime: runtime.keep(),
        })
    }

    /// Counts a review against the rate limit, which may be another one each time, or says after how long it may fit.
    pub(in super::super) fn admit(&self, quota: Quota) -> Result<(), Duration> {
        match self.limiter.check(&NAME, quota) {
            Decision::Allowed(_) => Ok(()),
            Decision::Denied(denial) => {
                Err(denial.retry_after.expect("a limit of one or more lets one through in time"))
            }
        }
    }

    /// The attempts at one text.
    pub(in super::super) fn tries(&self) -> Tries {
        self.retry.attempts()
    }

    /// Has a text reviewed, in `limit` at most, which the thread waits. If that fails for too long, the gateway is closed.
    pub(in super::super) fn call(&self, text: Bytes, limit: Duration) -> Result<Findings, CallFailed> {
        let classify = |result: &Result<Findings, ReviewError>| match result {
            Ok(_) => Outcome::Success,
            Err(error) => error.outcome(),
        };
        let began = self.clock.mono();
        let answer = self.handle.block_on(self.breaker.call_async_with(classify, || self.exchange(text, limit)));
        match &answer {
            Ok(_) => self.note_review(),
            Err(CallError::Operation(error)) => {
                self.note_failure(error, Span { began, ended: self.clock.mono(), limit });
            }
            // The service was not asked.
            Err(CallError::Rejected(_)) => {}
        }
        answer
    }

    fn note_review(&self) {
        let mut outage = self.outage();
        // What it was closed for stands.
        if self.is_open() {
            *outage = Outage::default();
        }
    }

    fn note_failure(&self, error: &ReviewError, span: Span) {
        let mut outage = self.outage();
        // Likewise.
        if self.is_open() {
            outage.note(error, span, LONGEST_PAUSE);
            self.is_closed.store(outage.is_for_good(), Ordering::Relaxed);
        }
    }

    /// After how long to try again, or why not to.
    pub(in super::super) fn next(&self, tries: &mut Tries, failed: &CallFailed) -> Result<Duration, GivenBack> {
        match tries.after_failure(self.retry.verdict(failed)) {
            Next::RetryIn(_) if !self.is_open() => Err(GivenBack { reason: self.why_gone(), blame: Blame::Nobody }),
            Next::RetryIn(delay) => Ok(delay),
            Next::GiveUp(stopped) => {
                let reason = format!("{failed}; {stopped}, after {}", tries.made());
                Err(GivenBack { reason, blame: blame(failed, stopped) })
            }
        }
    }

    /// Why texts are not reviewed any more.
    pub(in super::super) fn why_gone(&self) -> String {
        match self.outage().last_failure() {
            Some(failure) => format!("the reviewing service is given up: {failure}"),
            None => "the reviewing service is given up".to_owned(),
        }
    }

    fn outage(&self) -> MutexGuard<'_, Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the next call may take.
    pub(in super::super) fn time_limit(&self) -> Duration {
        self.outage().time_limit(self.time_limit, REVIEW_TIMEOUT)
    }

    /// Whether it is still worth calling: the service is not [gone](super::super::settings::GONE_AFTER).
    pub(in super::super) fn is_open(&self) -> bool {
        // Relaxed: a hint that orders nothing.
        !self.is_closed.load(Ordering::Relaxed)
    }

    /// The time limit is inside of what the breaker sees, so that a service that stalls counts as one that fails.
    async fn exchange(&self, text: Bytes, limit: Duration) -> Result<Findings, ReviewError> {
        let deadline = self.clock.mono().saturating_add(limit);
        let timed_out = || ReviewError::timed_out(limit, self.clock.mono().saturating_since(deadline));
        // Less than all of it, so that whoever runs out of time did so at the service.
        let wait = limit / 2;
        let checkout = timeout_at(&self.clock, deadline, self.pool.checkout_within(wait)).await;
        let mut connection = checkout.ok_or_else(timed_out)?.map_err(|error| match error {
            CheckoutError::Create(error) => error,
            _ => ReviewError::NoConnection { wait },
        })?;
        let answer =
            timeout_at(&self.clock, deadline, ask(&mut connection, self.address, self.token.clone(), text)).await;
        let answer = answer.unwrap_or_else(|| Err(timed_out()));
        if answer.is_err() {
            // A late answer must not be taken for that of the next request.
            connection.discard();
        }
        answer
    }

    /// Gives up the connections. Calls find none from then on.
    pub(in super::super) fn close(&self) {
        self.pool.close();
    }

    /// Enters what it has counted.
    pub(in super::super) fn sum_up(&self, totals: &mut ReviewTotals) {
        let counts = self.retry.snapshot();
        totals.refused = counts.refusals;
        totals.retried = counts.retries;
    }

    /// The breaker, and what happened to it.
    pub(in super::super) fn breaker(&self) -> BreakerSummary {
        let snapshot = self.breaker.snapshot();
        let book = self.chronicle.circuit(NAME.as_str());
        BreakerSummary {
            name: NAME.to_string(),
            state: snapshot.state,
            opened: snapshot.totals.opened,
            rejected: snapshot.totals.rejected,
            succeeded: snapshot.totals.succeeded,
            failed: snapshot.totals.failed,
            history: book.history,
            changes: book.changes,
        }
    }

    /// The limiter, with the quota that it has now, and what it did.
    pub(in super::super) fn limiter(&self, quota: Quota) -> LimiterSummary {
        let stats = self.limiter.stats();
        LimiterSummary {
            name: NAME.to_string(),
            per_second: quota.limit(),
            burst: quota.capacity(),
            allowed: stats.allowed,
            denied: stats.denied,
        }
    }

    /// The pool, and what it did.
    pub(in super::super) fn pool(&self) -> PoolSummary {
        let status = self.pool.status();
        let book = self.chronicle.pool(NAME.as_str());
        PoolSummary {
            name: NAME.to_string(),
            size: status.size,
            alive: status.alive(),
            checkouts: book.checkouts,
            retired: book.retired,
            create_failed: book.create_failed,
            timeouts: book.timeouts,
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.pool.close();
        drop(Background(self.runtime.take()));
    }
}

/// A runtime that ends without waiting for what runs on it: whoever drops it may be on a thread that must not wait.
struct Background(Option<Runtime>);

impl Background {
    fn handle(&self) -> Handle {
        self.0.as_ref().expect("it is there until it is kept").handle().clone()
    }

    /// The runtime, to run on.
    fn keep(mut self) -> Option<Runtime> {
        self.0.take()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Starts the pool of connections, on the runtime: the thread may not be able to wait for them itself, as it may belong to
/// another runtime.
fn connect(
    runtime: &Handle,
    address: SocketAddr,
    (connections, reviewers): (usize, usize),
    foundation: &Foundation,
) -> Result<Pool<Connections, SharedClock>, String> {
    let pool = Pool::builder(Connections(address))
        .size(connections)
        .max_overflow(0)
        .max_waiting(reviewers)
        .check(Check::Both)
        .emitter(foundation.emitter().clone())
        .clock(Arc::clone(foundation.clock()));
    let (done, connected) = bounded(1);
    let foundation = foundation.clone();
    runtime.spawn(async move {
        // Somebody waits for it.
        let _ = done.send(foundation.pools().start_async(NAME, pool).await);
    });
    let connected = connected.recv().map_err(|_| "connecting to it was cut short".to_owned())?;
    connected.map_err(|error| match error {
        StartInError::Start(StartError::Create(error)) => error.to_string(),
        error => error.to_string(),
    })
}

/// Whether it is for the text that it is given back. Not if this side had no budget or no time for more; nor if the service was
/// not heard, which it will be with another text.
fn blame(failed: &CallFailed, stopped: Stopped) -> Blame {
    match (failed, stopped) {
        (CallError::Operation(error), Stopped::Attempts | Stopped::NotRetryable) if error.is_answer() => Blame::Task,
        _ => Blame::Nobody,
    }
}

fn breaker_options(time_limit: Duration) -> Options {
    let (base, max) = OPEN_FOR;
    let probe = Probe {
        open_for: OpenFor::Exponential { base, factor: 2, max },
        // The time limit comes first; this is for agents that die with a probe in their hands.
        probe_timeout: time_limit.max(REVIEW_TIMEOUT).saturating_mul(2),
        ..Probe::default()
    };
    Options::new(TripPolicy::ConsecutiveFailures { threshold: FAILURES_TO_OPEN }, Recovery::Probe(probe))
        .expect("all of it is in range")
}

/// What requests are authorised by, unless it is nothing.
fn bearer(token: &str) -> Option<HeaderValue> {
    // Settings let only printable characters pass.
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok().filter(|_| !token.is_empty())?;
    value.set_sensitive(true);
    Some(value)
}

fn retry(clock: &SharedClock, attempts: NonZeroU32, deadline: Duration) -> Retry<SharedClock, ThroughBreaker<Verdict>> {
    let (base, max) = BACKOFF;
    let backoff = Backoff::exponential(base, 2, max)
        .and_then(|backoff| backoff.with_jitter(Ratio::saturating(0.5)))
        .expect("all of it is in range");
    let budget =
        RetryBudget::with_clock(BudgetOptions::default(), Arc::clone(clock)).expect("the defaults are in range");
    Retry::with_clock(Arc::clone(clock))
        .max_attempts(attempts)
        .deadline(deadline)
        .backoff(backoff)
        .budget(budget)
        .classifier(ReviewError::verdict as Verdict)
        .through_breaker()
        .build()
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;

    use super::*;

    #[test]
    fn a_text_is_blamed_for_answers_and_not_for_want_of_any() {
        let failed = |error| CallError::Operation(error);
        let (wait, limit) = (Duration::from_millis(50), Duration::from_millis(100));
        let answer = failed(ReviewError::Status(StatusCode::SERVICE_UNAVAILABLE));
        for stopped in [Stopped::Attempts, Stopped::NotRetryable] {
            assert_eq!(blame(&answer, stopped), Blame::Task, "{stopped}");
        }
        for stopped in [Stopped::Budget, Stopped::Deadline] {
            assert_eq!(blame(&answer, stopped), Blame::Nobody, "{stopped}");
        }
        for unheard in [
            ReviewError::timed_out(limit, Duration::ZERO),
            ReviewError::timed_out(limit, Duration::MAX),
            ReviewError::NoConnection { wait },
        ] {
            assert_eq!(blame(&failed(unheard), Stopped::Attempts), Blame::Nobody);
        }
    }
}
