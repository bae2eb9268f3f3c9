//! What the reviewing service suffers, by seed.

use super::super::deck::Deck;

/// Requests among which the first faults begin.
const FIRST_DECK: usize = 32;

/// Requests among which they begin in the long run.
const LAST_DECK: usize = 2048;

/// Stalls, and as many times hanging up, in one run at most, because each costs time.
const MAX_COSTLY: u32 = 3;

/// The fewest failures in a row, and how many more there may be.
const BURST: (u32, usize) = (3, 3);

/// Requests in a row that are left without an answer.
const STALLED: u32 = 2;

/// What the service does with a request instead of answering it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It says that it failed.
    Fail,
    /// It says nothing.
    Stall,
    /// It closes all connections and refuses new ones for a while.
    HangUp,
}

/// Decides, for one request after another, whether and how it is failed: by a [`Deck`] that holds every [`Fault`].
pub(super) struct Faults {
    deck: Deck<Fault>,
    /// What the next requests meet with, and how many of them.
    under_way: Option<(Fault, u32)>,
    stalls: u32,
    hang_ups: u32,
}

impl Faults {
    pub(super) const fn new(seed: u64) -> Self {
        const FAULTS: &[Fault] = &[Fault::Fail, Fault::Stall, Fault::HangUp];
        // Other cards than those of the agents, which have the same seed.
        let deck = Deck::new(!seed, FAULTS, FIRST_DECK, LAST_DECK);
        Self { deck, under_way: None, stalls: 0, hang_ups: 0 }
    }

    /// What the next request meets with.
    pub(super) fn next(&mut self) -> Option<Fault> {
        if self.under_way.is_none() {
            self.under_way = self.begin();
        }
        let (fault, left) = self.under_way?;
        self.under_way = (left > 1).then(|| (fault, left - 1));
        Some(fault)
    }

    fn begin(&mut self) -> Option<(Fault, u32)> {
        match self.deck.draw()? {
            Fault::Fail => {
                let (least, span) = BURST;
                let more = u32::try_from(self.deck.below(span)).unwrap_or(0);
                Some((Fault::Fail, least + more))
            }
            Fault::Stall => {
                self.stalls += 1;
                (self.stalls <= MAX_COSTLY).then_some((Fault::Stall, STALLED))
            }
            Fault::HangUp => {
                self.hang_ups += 1;
                (self.hang_ups <= MAX_COSTLY).then_some((Fault::HangUp, 1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(seed: u64, requests: usize) -> Vec<Option<Fault>> {
        let mut faults = Faults::new(seed);
        (0..requests).map(|_| faults.next()).collect()
    }

    #[test]
    fn every_fault_strikes_early_and_failures_come_in_bursts() {
        for seed in 0..100 {
            let first = met(seed, FIRST_DECK + 8);
            for fault in [Fault::Fail, Fault::Stall, Fault::HangUp] {
                assert!(first.contains(&Some(fault)), "{fault:?} of seed {seed}");
            }
            let burst = first.iter().skip_while(|met| **met != Some(Fault::Fail));
            assert!(burst.take_while(|met| **met == Some(Fault::Fail)).count() >= 3, "seed {seed}");
        }
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(met(7, 500), met(7, 500));
        assert_ne!(met(7, 500), met(8, 500));
    }

    #[test]
    fn what_costs_time_ends_and_the_rest_becomes_rare() {
        let met = met(7, 100_000);
        let of = |fault| met.iter().filter(|&&met| met == Some(fault)).count();
        assert_eq!(of(Fault::Stall), (MAX_COSTLY * STALLED) as usize);
        assert_eq!(of(Fault::HangUp), MAX_COSTLY as usize);
        assert!((150..400).contains(&of(Fault::Fail)), "{}", of(Fault::Fail));
    }
}
