//! How long the reviewing service has given no review, and when it counts as gone.

use std::time::Duration;

use foundation_types::MonoTime;

use super::super::settings::{GONE_AFTER, MIN_FRUITLESS_CALLS};
use super::client::ReviewError;

/// How far the time limit of a call is doubled at most.
const MAX_DOUBLINGS: u32 = 16;

/// What a failed call says about the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// It was asked, and gave no review: it refused the connection, broke it, or answered something else.
    Failure,
    /// It was asked, and said nothing in time.
    Silence,
    /// Nothing: it was not asked, or nobody was there in time to hear it.
    None,
}

/// When a call began and ended, and how long it may have taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) began: MonoTime,
    pub(super) ended: MonoTime,
    pub(super) limit: Duration,
}

/// What has been seen of the service since its last review.
///
/// Only time that was spent asking counts, and only if the call that ends it failed: of the time since the call before, no more
/// than the call itself took, within its limit, and reviewers wait between two. So neither a clock that jumps, nor a machine that stands still, nor
/// a while in which there was nothing to review, nor calls that were not made, make a service look gone.
#[derive(Debug, Default)]
pub(super) struct Outage {
    failures: u32,
    silences: u32,
    lasted: Duration,
    /// The end of the last call.
    seen: Option<MonoTime>,
    last_failure: Option<String>,
}

impl Outage {
    /// A call failed, before which reviewers waited for `pause` at most.
    pub(super) fn note(&mut self, error: &ReviewError, span: Span, pause: Duration) {
        let evidence = error.evidence();
        if evidence != Evidence::None {
            self.last_failure = Some(error.to_string());
        }
        self.count(evidence, span, pause);
    }

    fn count(&mut self, evidence: Evidence, Span { began, ended, limit }: Span, pause: Duration) {
        let since = self.seen.unwrap_or(began);
        self.seen = Some(since.max(ended));
        if evidence != Evidence::None {
            let asked = ended.saturating_since(began).min(limit).saturating_add(pause);
            self.lasted = self.lasted.saturating_add(ended.saturating_since(since).min(asked));
            self.failures = self.failures.saturating_add(1);
        }
        if evidence == Evidence::Silence {
            self.silences = self.silences.saturating_add(1);
        }
    }

    /// How the last call failed that said something about the service.
    pub(super) fn last_failure(&self) -> Option<&str> {
        self.last_failure.as_deref()
    }

    /// Whether it is long enough, in time and in calls, for the service to be gone.
    pub(super) fn is_for_good(&self) -> bool {
        self.failures >= MIN_FRUITLESS_CALLS && self.lasted >= GONE_AFTER
    }

    /// How long the next call may take: twice as long for every one that met with silence, from `limit` up to `most`, so that a
    /// service that is slow, on a machine with too much to do perhaps, is heard in the end.
    pub(super) fn time_limit(&self, limit: Duration, most: Duration) -> Duration {
        limit.saturating_mul(1 << self.silences.min(MAX_DOUBLINGS)).min(most.max(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_millis(200);
    const LIMIT: Duration = Duration::from_secs(2);
    const DAY: u64 = 24 * 60 * 60 * 1000;

    fn span(began: u64, ended: u64) -> Span {
        let at = |millis: u64| MonoTime::from_nanos(millis * 1_000_000);
        Span { began: at(began), ended: at(ended), limit: LIMIT }
    }

    /// How many calls it takes that each begin `every` milliseconds after the one before and fail after `took`.
    fn calls_until_gone(every: u64, took: u64) -> u64 {
        let mut outage = Outage::default();
        let calls = (0..1000).take_while(|call| {
            let gone = outage.is_for_good();
            outage.count(Evidence::Failure, span(call * every, call * every + took), PAUSE);
            !gone
        });
        calls.count() as u64
    }

    #[test]
    fn a_service_is_gone_after_so_much_time_of_asking() {
        let time = u64::try_from(GONE_AFTER.as_millis()).unwrap();
        assert_eq!(calls_until_gone(100, 0), 1 + time / 100);
        assert_eq!(calls_until_gone(150, 100), (time - 100).div_ceil(150) + 1);
    }

    #[test]
    fn a_service_is_gone_after_so_many_calls_at_least() {
        assert_eq!(calls_until_gone(2200, 2000), u64::from(MIN_FRUITLESS_CALLS));
    }

    #[test]
    fn of_the_time_between_calls_only_what_reviewers_wait_counts() {
        let pauses = u64::try_from(GONE_AFTER.as_millis() / PAUSE.as_millis()).unwrap();
        assert_eq!(calls_until_gone(DAY, 0), 1 + pauses);
    }

    #[test]
    fn of_a_call_that_took_longer_than_it_may_the_rest_does_not_count() {
        let mut outage = Outage::default();
        outage.count(Evidence::Failure, span(0, DAY), PAUSE);
        assert_eq!(outage.lasted, LIMIT + PAUSE);
    }

    #[test]
    fn calls_that_fail_together_are_no_longer_than_one() {
        let mut outage = Outage::default();
        for _ in 0..1000 {
            outage.count(Evidence::Failure, span(0, 1000), PAUSE);
        }
        assert_eq!(outage.lasted, Duration::from_secs(1));
        assert!(!outage.is_for_good());
    }

    #[test]
    fn a_call_that_nobody_could_hear_says_nothing_and_its_time_is_lost() {
        let mut outage = Outage::default();
        for call in 0..1000 {
            outage.count(Evidence::None, span(call * DAY, (call + 1) * DAY), PAUSE);
        }
        assert_eq!((outage.failures, outage.silences, outage.lasted), (0, 0, Duration::ZERO));
        outage.count(Evidence::Failure, span(1000 * DAY, 1000 * DAY), PAUSE);
        assert_eq!((outage.failures, outage.lasted), (1, Duration::ZERO));
    }

    #[test]
    fn every_silence_doubles_the_time_limit_up_to_a_point() {
        let (limit, most) = (Duration::from_millis(100), Duration::from_secs(2));
        let mut outage = Outage::default();
        let limits = (0..40).map(|_| {
            let now = outage.time_limit(limit, most).as_millis();
            outage.count(Evidence::Silence, span(0, 0), PAUSE);
            now
        });
        let limits: Vec<_> = limits.collect();
        assert_eq!(limits[..6], [100, 200, 400, 800, 1600, 2000]);
        assert_eq!(limits[39], 2000);
        assert_eq!(outage.time_limit(most * 2, most), most * 2, "never below what it is by itself");
    }
}
