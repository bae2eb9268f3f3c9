//! Misfortune by seed.

use std::time::Duration;

/// How long an agent that chaos slows down dawdles over one task.
pub(super) const SLOWDOWN: Duration = Duration::from_millis(20);

/// Agents that hang in one run at most, because each costs a whole task timeout.
const MAX_HANGS: u32 = 3;

/// Tasks among which the first agents are hit.
const FIRST_DECK: usize = 16;

/// Tasks among which agents are hit in the long run, so that a large input does not suffer in proportion.
const LAST_DECK: usize = 1024;

/// What happens to an agent in the middle of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It panics.
    Panic,
    /// It stops making progress, until somebody ends it.
    Hang,
    /// It is killed from outside.
    Kill,
    /// It takes its time.
    Slow,
}

/// Decides, for one task handed out after another, whether and how its agent is hit.
///
/// Tasks are dealt from decks of cards, each with one card of every [`Fate`], shuffled by the seed: so every fate strikes
/// once among the first [`FIRST_DECK`] tasks, and each further deck is twice as large as the one before.
pub(super) struct Chaos {
    random: SplitMix64,
    deck: Vec<Option<Fate>>,
    next_deck: usize,
    hangs: u32,
}

impl Chaos {
    pub(super) const fn new(seed: u64) -> Self {
        Self { random: SplitMix64(seed), deck: Vec::new(), next_deck: FIRST_DECK, hangs: 0 }
    }

    /// The fate of the agent that gets the next task.
    pub(super) fn deal(&mut self) -> Option<Fate> {
        if self.deck.is_empty() {
            self.shuffle();
        }
        let fate = self.deck.pop().flatten();
        if fate == Some(Fate::Hang) {
            self.hangs += 1;
            return (self.hangs <= MAX_HANGS).then_some(Fate::Hang);
        }
        fate
    }

    /// Fisher and Yates, in the form of Durstenfeld.
    fn shuffle(&mut self) {
        self.deck.resize(self.next_deck, None);
        for (card, fate) in self.deck.iter_mut().zip([Fate::Panic, Fate::Hang, Fate::Kill, Fate::Slow]) {
            *card = Some(fate);
        }
        for last in (1..self.deck.len()).rev() {
            let other = self.random.below(last + 1);
            self.deck.swap(last, other);
        }
        self.next_deck = (self.next_deck * 2).min(LAST_DECK);
    }
}

/// Guy L. Steele, Doug Lea and Christine H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014,
/// <https://doi.org/10.1145/2660193.2660195>.
struct SplitMix64(u64);

impl SplitMix64 {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; the bias of the remainder is far below what a deck of cards could show.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("less than a usize")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dealt(seed: u64, tasks: usize) -> Vec<Option<Fate>> {
        let mut chaos = Chaos::new(seed);
        (0..tasks).map(|_| chaos.deal()).collect()
    }

    #[test]
    fn every_fate_strikes_once_among_the_first_tasks() {
        for seed in 0..100 {
            let first = dealt(seed, FIRST_DECK);
            for fate in [Fate::Panic, Fate::Hang, Fate::Kill, Fate::Slow] {
                assert_eq!(first.iter().filter(|&&dealt| dealt == Some(fate)).count(), 1, "{fate:?} of seed {seed}");
            }
        }
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(dealt(7, 500), dealt(7, 500));
        assert_ne!(dealt(7, 500), dealt(8, 500));
    }

    #[test]
    fn hits_become_rare_and_hangs_end() {
        let fates = dealt(7, 100_000);
        let of = |fate| fates.iter().filter(|&&dealt| dealt == Some(fate)).count();
        assert_eq!(of(Fate::Hang), MAX_HANGS as usize);
        assert!((90..=110).contains(&of(Fate::Kill)), "{}", of(Fate::Kill));
        assert_eq!(of(Fate::Kill), of(Fate::Panic));
    }

    #[test]
    fn the_generator_gives_the_published_numbers() {
        let mut random = SplitMix64(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }
}
