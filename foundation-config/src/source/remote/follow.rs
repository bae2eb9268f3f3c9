//! Keeping up with a store.

use std::future::poll_fn;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use foundation_types::engine::{EngineError, RangeQuery, Revision, WatchEvent};
use foundation_types::{Clock, Engine, sleep_until};

use super::RemoteSource;
use crate::source::SourceError;

/// How long it waits before it tries again what failed once; twice as long after each further failure.
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// How long it waits at most.
const LAST_DELAY: Duration = Duration::from_secs(10);

/// What comes next.
enum Step {
    /// To read everything.
    Read,
    /// To ask whether the engine answers again.
    Probe,
    /// To take changes as they come.
    Watch,
}

/// How far one who follows has been told.
type Told = Option<Revision>;

impl<E: Engine + ?Sized> RemoteSource<E> {
    /// Reads all settings unless they have been read, then keeps up with what changes, and calls `changed` at once and after
    /// each change, when it is what [`load`](crate::Source::load) gives; with [`LostEngine::Fail`](super::LostEngine::Fail)
    /// also when the engine is lost and found again. [`Store::reload`](crate::Store::reload) is what to do then.
    ///
    /// It goes on as long as it is polled. While the engine does not answer it tries again after growing delays on the clock
    /// of the engine, of 0.1 to 10 seconds with up to half of each taken off at random, and goes on where it was; what has
    /// been compacted away meanwhile is read anew. It never misses the last change.
    ///
    /// # Errors
    /// It ends only if the engine is closed, with [`SourceError::Unavailable`].
    ///
    /// # Cancel safety
    /// Dropping the future ends it; what has been read stays, and another goes on from there.
    pub async fn follow(&self, mut changed: impl FnMut() + Send) -> SourceError {
        let mut delay = Backoff::new();
        let mut told: Told = self.revision();
        let mut next = if told.is_some() { Step::Watch } else { Step::Read };
        if told.is_some() {
            changed();
        }
        loop {
            let failed = match next {
                Step::Read => match self.read_all().await {
                    // There is too much to take changes from; the next read may find less.
                    Ok(Err(SourceError::TooMany { .. })) => {
                        changed();
                        delay.wait(self.engine.clock()).await;
                        continue;
                    }
                    // What else is wrong with the settings, a change may mend.
                    Ok(_) => {
                        delay.reset();
                        told = self.revision();
                        changed();
                        next = Step::Watch;
                        continue;
                    }
                    Err(error) => error,
                },
                Step::Probe => match self.engine.range(RangeQuery::key(self.prefix.clone()).count_only()).await {
                    Ok(_) => {
                        if self.find() {
                            changed();
                        }
                        next = Step::Watch;
                        continue;
                    }
                    Err(error) => error,
                },
                Step::Watch => match self.take_changes(&mut told, &mut delay, &mut changed).await {
                    // Either they are gone, or there is too much of them.
                    Ok(()) | Err(EngineError::Compacted(_)) => {
                        next = Step::Read;
                        continue;
                    }
                    Err(error) => {
                        next = Step::Probe;
                        error
                    }
                },
            };
            if self.lose(&failed) {
                changed();
            }
            if matches!(failed, EngineError::Closed) {
                return self.unavailable(failed);
            }
            delay.wait(self.engine.clock()).await;
        }
    }

    /// Takes changes from the last told on, until all has to be read anew or there is an error. Others may have taken them
    /// already, but this one has not been told.
    async fn take_changes(
        &self,
        told: &mut Told,
        delay: &mut Backoff,
        changed: &mut (impl FnMut() + Send),
    ) -> Result<(), EngineError> {
        let Some(from) = told.map(Revision::next) else { return Ok(()) };
        let mut events = self.engine.watch(self.prefix.clone(), from);
        loop {
            // A stream that ends has failed to go on.
            let event = poll_fn(|context| events.as_mut().poll_next(context)).await;
            let event = event.unwrap_or(Err(EngineError::Unavailable))?;
            delay.reset();
            *told = Some(event.revision);
            let (concerns, fits) = (!event.changes.is_empty(), self.take(event));
            if concerns {
                changed();
            }
            if !fits {
                return Ok(());
            }
        }
    }

    /// Takes a change, and says whether there is not too much now.
    fn take(&self, event: WatchEvent) -> bool {
        let mut state = self.state.lock();
        let Some(content) = &mut state.content else { return true };
        let is_change = !event.changes.is_empty();
        if !content.apply(event) || !is_change {
            return true;
        }
        let unread = content.check_size(&self.name).err();
        state.document = None;
        state.unread = unread;
        state.unread.is_none()
    }
}

/// How long to wait before the next attempt.
struct Backoff {
    next: Duration,
    random: RandomState,
}

impl Backoff {
    fn new() -> Self {
        Self { next: FIRST_DELAY, random: RandomState::new() }
    }

    const fn reset(&mut self) {
        self.next = FIRST_DELAY;
    }

    /// Waits for a delay of which up to half is taken off, so that many who lost the same engine do not come back at once.
    async fn wait(&mut self, clock: &dyn Clock) {
        let delay = self.next;
        self.next = delay.saturating_mul(2).min(LAST_DELAY);
        let now = clock.mono();
        // 32 random bits as a share of a half.
        let share = f64::from(u32::try_from(self.random.hash_one(now) >> 32).unwrap_or(0)) / f64::from(u32::MAX) / 2.0;
        sleep_until(clock, now.saturating_add(delay.mul_f64(1.0 - share))).await;
    }
}

#[cfg(test)]
mod tests {
    use foundation_types::{ManualClock, MonoTime};

    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_lose_at_most_half() {
        let clock = ManualClock::new();
        let mut backoff = Backoff::new();
        let mut expected = FIRST_DELAY;
        for _ in 0..10 {
            let start = clock.mono();
            let end = {
                let mut wait = std::pin::pin!(backoff.wait(&clock));
                let waker = std::task::Waker::noop();
                assert!(wait.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
                let deadline: MonoTime = clock.next_deadline().expect("it waits");
                deadline.saturating_since(start)
            };
            assert!(end <= expected && end >= expected / 2, "{end:?} of {expected:?}");
            clock.advance(end);
            expected = (expected * 2).min(LAST_DELAY);
        }
        assert_eq!(expected, LAST_DELAY);
        backoff.reset();
        assert_eq!(backoff.next, FIRST_DELAY);
    }
}
