//! Where chance comes from: a source of uniform numbers that is a value, and that tests can script.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
#[cfg(feature = "test-util")]
use std::sync::atomic::AtomicUsize;
// Never loom's: a draw orders nothing and guards nothing, so models would only explore schedules that do not differ.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The odd integer nearest to 2⁶⁴ divided by the golden ratio: the step of the state between draws.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// Bits of a draw: as many as an `f64` can hold without rounding.
const BITS: u32 = f64::MANTISSA_DIGITS;

/// What turns a draw of [`BITS`] bits into a number in [0, 1).
const UNIT: f64 = 1.0 / (1_u64 << BITS) as f64;

/// A source of uniform random numbers, good enough to spread load and not fit for secrets.
///
/// It is a value and not a trait, because breakers draw from it under their locks, where no foreign code may run. Drawing
/// takes one atomic addition and never waits. Clones are the same source: what one draws, the others do not.
///
/// The generator is `SplitMix64` of Steele, Lea and Flood, [Fast splittable pseudorandom number generators][paper], OOPSLA
/// 2014, with the mixing constants that the JDK's `SplittableRandom` settled on. Each draw advances the state by a constant,
/// which is what lets threads draw from it without a lock and without drawing the same number twice.
///
/// ```
/// use foundation_breaker::Random;
///
/// let draws = |random: Random| [random.uniform(), random.uniform()];
/// assert_eq!(draws(Random::seeded(7)), draws(Random::seeded(7)));
/// assert!(Random::from_entropy().uniform() < 1.0);
/// ```
///
/// [paper]: https://doi.org/10.1145/2660193.2660195
#[derive(Clone)]
pub struct Random(Source);

#[derive(Clone)]
enum Source {
    SplitMix(Arc<AtomicU64>),
    #[cfg(feature = "test-util")]
    Script(Arc<Script>),
}

#[cfg(feature = "test-util")]
struct Script {
    /// Draws in units of 2⁻⁵³. Never empty.
    draws: Box<[u64]>,
    /// Index of the next draw.
    next: AtomicUsize,
}

impl Random {
    /// A source that gives the same numbers for the same seed. Every seed is as good as any other.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::SplitMix(Arc::new(AtomicU64::new(seed))))
    }

    /// A source seeded with the randomness that the standard library draws for its hash maps; no two are alike.
    pub fn from_entropy() -> Self {
        // Each `RandomState` has keys of its own, so the hash of anything is a fresh 64-bit number.
        Self::seeded(RandomState::new().hash_one(GOLDEN_GAMMA))
    }

    /// A source for tests that gives `draws` in their order, and then again from the first.
    ///
    /// Draws are rounded down to multiples of 2⁻⁵³, which changes none that this type can otherwise give.
    ///
    /// # Panics
    /// If there are no draws, or if one is not in `0.0..1.0`.
    #[cfg(feature = "test-util")]
    #[track_caller]
    pub fn scripted(draws: impl IntoIterator<Item = f64>) -> Self {
        let draws: Box<[u64]> = draws
            .into_iter()
            .map(|draw| {
                assert!((0.0..1.0).contains(&draw), "a draw is in 0.0..1.0, and {draw} is not");
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in 0..2⁵³, as asserted")]
                let draw = (draw / UNIT) as u64;
                draw
            })
            .collect();
        assert!(!draws.is_empty(), "a script has at least one draw");
        Self(Source::Script(Arc::new(Script { draws, next: AtomicUsize::new(0) })))
    }

    /// A number in `0.0..1.0`, a multiple of 2⁻⁵³, all of them equally likely.
    pub fn uniform(&self) -> f64 {
        self.draw() as f64 * UNIT
    }

    /// A duration in `0..span`, to the nanosecond. Nothing if `span` is nothing.
    ///
    /// Spans beyond 104 days have more nanoseconds than there are draws; some of theirs are never drawn.
    #[expect(clippy::cast_possible_truncation, reason = "a draw is less than 1, so the product is less than `span`")]
    pub fn duration_below(&self, span: Duration) -> Duration {
        let draw = u128::from(self.draw());
        // In two parts, as the nanoseconds of `Duration::MAX` times a draw have 147 bits.
        let seconds = u128::from(span.as_secs()) * draw;
        let fraction = seconds & ((1 << BITS) - 1);
        let nanos = (fraction * 1_000_000_000 + u128::from(span.subsec_nanos()) * draw) >> BITS;
        Duration::from_secs((seconds >> BITS) as u64) + Duration::from_nanos(nanos as u64)
    }

    /// An integer in `0..2⁵³`.
    fn draw(&self) -> u64 {
        match &self.0 {
            Source::SplitMix(state) => {
                // Relaxed: threads have to get different states, and nothing else is published with them.
                mix(state.fetch_add(GOLDEN_GAMMA, Ordering::Relaxed).wrapping_add(GOLDEN_GAMMA)) >> (u64::BITS - BITS)
            }
            #[cfg(feature = "test-util")]
            Source::Script(script) => {
                // Wraps around after 2⁶⁴ draws, which no test lives to see.
                script.draws[script.next.fetch_add(1, Ordering::Relaxed) % script.draws.len()]
            }
        }
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            // The state tells all future draws, and logs are read by many.
            Source::SplitMix(_) => f.debug_struct("Random").finish_non_exhaustive(),
            #[cfg(feature = "test-util")]
            Source::Script(script) => {
                let draws: Vec<f64> = script.draws.iter().map(|&draw| draw as f64 * UNIT).collect();
                f.debug_tuple("Random").field(&draws).finish()
            }
        }
    }
}

/// Scatters states that differ by a constant over all 64-bit numbers. A bijection.
const fn mix(mut state: u64) -> u64 {
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    #[cfg(feature = "test-util")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn seeded_source_agrees_with_the_published_test_vector() {
        // The first outputs of `splitmix64` for this seed, as many implementations publish them.
        let published: [u64; 5] = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        let random = Random::seeded(1_234_567);
        assert_eq!(published.map(|_| random.draw()), published.map(|output| output >> 11));
    }

    #[test]
    fn clones_are_one_source() {
        let random = Random::seeded(1);
        let apart = [random.draw(), random.clone().draw(), random.draw()];
        let alone = Random::seeded(1);
        assert_eq!(apart, [alone.draw(), alone.draw(), alone.draw()]);
    }

    #[test]
    fn sources_from_entropy_differ() {
        let firsts: HashSet<u64> = (0..100).map(|_| Random::from_entropy().draw()).collect();
        assert_eq!(firsts.len(), 100);
    }

    #[test]
    fn no_draw_is_given_to_two_threads() {
        let random = Random::seeded(3);
        let drawn: HashSet<u64> = thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| (0..1000).map(|_| random.draw()).collect::<Vec<_>>())).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
        });
        let alone = Random::seeded(3);
        assert_eq!(drawn, (0..4000).map(|_| alone.draw()).collect());
    }

    #[test]
    fn draws_spread_evenly() {
        let random = Random::seeded(5);
        let mut buckets = [0_u32; 10];
        for _ in 0..100_000 {
            let draw = random.uniform();
            let bucket = (1..10_u8).take_while(|&bound| draw * 10.0 >= f64::from(bound)).count();
            buckets[bucket] += 1;
        }
        // Ten standard deviations of a fair source.
        assert!(buckets.iter().all(|&count| count.abs_diff(10_000) < 950), "{buckets:?}");
    }

    #[test]
    fn debug_output_does_not_tell_future_draws() {
        assert_eq!(format!("{:?}", Random::seeded(42)), "Random { .. }");
    }

    #[cfg(feature = "test-util")]
    #[test]
    fn script_is_given_in_order_and_repeats() {
        let last = 1.0 - f64::EPSILON / 2.0;
        let random = Random::scripted([0.0, 0.25, last]);
        let drawn = [(); 7].map(|()| random.uniform().to_bits());
        assert_eq!(drawn, [0.0, 0.25, last, 0.0, 0.25, last, 0.0].map(f64::to_bits));
        assert_eq!(format!("{random:?}"), format!("Random([0.0, 0.25, {last}])"));
    }

    #[cfg(feature = "test-util")]
    #[test]
    fn script_refuses_what_no_source_can_draw() {
        for script in [&[][..], &[1.0], &[-0.1], &[f64::NAN], &[0.5, f64::INFINITY]] {
            assert!(std::panic::catch_unwind(|| Random::scripted(script.iter().copied())).is_err(), "{script:?}");
        }
    }

    #[cfg(feature = "test-util")]
    proptest! {
        #[test]
        fn duration_is_the_drawn_share_of_the_span_rounded_down(draw in 0.0..1.0_f64, span: Duration) {
            let random = Random::scripted([draw]);
            let duration = random.duration_below(span);
            prop_assert!(duration < span || span.is_zero());
            // 147 bits do not fit an integer; shares that are powers of two need no product.
            let nanos = span.as_nanos() as f64;
            let error = (duration.as_nanos() as f64 - nanos * draw).abs();
            prop_assert!(error <= 1.0 + nanos * f64::EPSILON * 4.0, "{duration:?} of {span:?} at {draw}");
        }

        #[test]
        fn duration_of_a_power_of_two_is_exact(shift in 1_u32..=53, span: Duration) {
            let random = Random::scripted([0.5_f64.powi(shift.cast_signed())]);
            prop_assert_eq!(random.duration_below(span).as_nanos(), span.as_nanos() >> shift);
        }
    }

    #[test]
    fn duration_of_the_longest_span_does_not_overflow() {
        let random = Random::seeded(9);
        let drawn: Vec<Duration> = (0..1000).map(|_| random.duration_below(Duration::MAX)).collect();
        assert!(drawn.iter().all(|duration| *duration < Duration::MAX));
        assert!(drawn.iter().any(|duration| *duration > Duration::MAX / 10 * 9));
        assert_eq!(random.duration_below(Duration::ZERO), Duration::ZERO);
    }
}
