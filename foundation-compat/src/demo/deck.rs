//! Chance by seed: misfortunes that strike early, and then more and more rarely.

/// Cards to be drawn one after the other, most of them blank.
///
/// They come in decks, each with one of every kind of card, shuffled by the seed: so every kind is drawn once in the first
/// deck. Each further deck is twice as large as the one before, up to a largest one.
pub(super) struct Deck<T: 'static> {
    random: SplitMix64,
    kinds: &'static [T],
    cards: Vec<Option<T>>,
    next_size: usize,
    last_size: usize,
}

impl<T: Copy> Deck<T> {
    /// Decks of `first_size` cards up to `last_size`; each is to hold all `kinds`.
    pub(super) const fn new(seed: u64, kinds: &'static [T], first_size: usize, last_size: usize) -> Self {
        Self { random: SplitMix64(seed), kinds, cards: Vec::new(), next_size: first_size, last_size }
    }

    /// The next card.
    pub(super) fn draw(&mut self) -> Option<T> {
        if self.cards.is_empty() {
            self.shuffle();
        }
        self.cards.pop().flatten()
    }

    /// A number below `bound`, from the same seed.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.random.below(bound)
    }

    /// Fisher and Yates, in the form of Durstenfeld.
    fn shuffle(&mut self) {
        self.cards.resize(self.next_size, None);
        for (card, kind) in self.cards.iter_mut().zip(self.kinds) {
            *card = Some(*kind);
        }
        for last in (1..self.cards.len()).rev() {
            let other = self.random.below(last + 1);
            self.cards.swap(last, other);
        }
        self.next_size = (self.next_size * 2).min(self.last_size);
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

    #[test]
    fn every_kind_is_drawn_once_from_each_deck() {
        for seed in 0..100 {
            let mut deck = Deck::new(seed, &['a', 'b', 'c'], 8, 16);
            for size in [8, 16, 16] {
                let mut drawn: Vec<char> = (0..size).filter_map(|_| deck.draw()).collect();
                drawn.sort_unstable();
                assert_eq!(drawn, ['a', 'b', 'c'], "seed {seed}");
            }
        }
    }

    #[test]
    fn the_generator_gives_the_published_numbers() {
        let mut random = SplitMix64(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }
}
