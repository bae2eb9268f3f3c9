//! What agents suffer, by seed.

use std::time::Duration;

use super::deck::Deck;

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

/// Decides, for one task handed out after another, whether and how its agent is hit: by a [`Deck`] that holds every [`Fate`].
pub(super) struct Chaos {
    deck: Deck<Fate>,
    hangs: u32,
}

impl Chaos {
    pub(super) const fn new(seed: u64) -> Self {
        const FATES: &[Fate] = &[Fate::Panic, Fate::Hang, Fate::Kill, Fate::Slow];
        Self { deck: Deck::new(seed, FATES, FIRST_DECK, LAST_DECK), hangs: 0 }
    }

    /// The fate of the agent that gets the next task.
    pub(super) fn deal(&mut self) -> Option<Fate> {
        let fate = self.deck.draw();
        if fate == Some(Fate::Hang) {
            self.hangs += 1;
            return (self.hangs <= MAX_HANGS).then_some(Fate::Hang);
        }
        fate
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
}
