//! Settings that chaos changes while a survey runs, by seed.

use foundation_config::{Committed, ConfigError, Store};
use foundation_types::AgentId;

use super::config::{DemoSettings, READ_CONCURRENCY, READ_RATE, REVIEW_RATE};
use super::deck::Deck;

/// Tasks among which the first settings are changed.
const FIRST_DECK: usize = 16;

/// Tasks among which settings are changed in the long run.
const LAST_DECK: usize = 4096;

/// What makes chances independent of those that strike agents by the same seed.
const SALT: u64 = 0x5E77_1265;

/// The least that an agent is slowed down to, in files a second, and how much more it may be.
const READ_RATES: (u32, usize) = (500, 1500);

/// The same for reviews.
const REVIEW_RATES: (u32, usize) = (2000, 8000);

/// What is done to the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Fewer readers, or more, may be at work at once.
    Concurrency,
    /// Reviews get another rate limit.
    ReviewRate,
    /// One reader gets a rate limit of its own.
    Override,
    /// Somebody wants what cannot be.
    Nonsense,
    /// What was written about readers and reviews is taken back.
    Restore,
}

/// Decides, for one task done after another, whether and how settings are changed: by a [`Deck`] that holds every [`Turn`].
pub(super) struct Script {
    deck: Deck<Turn>,
    readers: usize,
}

impl Script {
    pub(super) const fn new(seed: u64, readers: usize) -> Self {
        const TURNS: &[Turn] = &[Turn::Concurrency, Turn::ReviewRate, Turn::Override, Turn::Nonsense, Turn::Restore];
        Self { deck: Deck::new(seed ^ SALT, TURNS, FIRST_DECK, LAST_DECK), readers }
    }

    /// A task is done: changes a setting, perhaps. Returns why that was refused, if it was.
    pub(super) fn go_on(&mut self, store: &Store<DemoSettings>) -> Option<String> {
        let turn = self.deck.draw()?;
        match self.take(turn, store) {
            // Nothing was written that could be taken back.
            Ok(_) | Err(ConfigError::NotFound { .. }) => None,
            Err(error) => Some(error.to_string()),
        }
    }

    fn take(&mut self, turn: Turn, store: &Store<DemoSettings>) -> Result<Committed, ConfigError> {
        match turn {
            Turn::Concurrency => store.update(READ_CONCURRENCY, 1 + self.below(self.readers)),
            Turn::ReviewRate => store.update(REVIEW_RATE, REVIEW_RATES.0 + self.below(REVIEW_RATES.1)),
            Turn::Override => {
                let reader = AgentId::new(format!("reader-{}", 1 + self.below(self.readers))).expect("short");
                store.agent(reader).set(READ_RATE, READ_RATES.0 + self.below(READ_RATES.1))
            }
            Turn::Nonsense => store.update(READ_CONCURRENCY, 0),
            Turn::Restore => {
                let restored = store.unset(READ_CONCURRENCY);
                store.unset(REVIEW_RATE).or(restored)
            }
        }
    }

    fn below(&mut self, bound: usize) -> u32 {
        u32::try_from(self.deck.below(bound)).expect("all bounds are small")
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::SettingsSources;
    use super::*;

    #[test]
    fn every_turn_is_taken_among_the_first_tasks_and_only_nonsense_is_refused() {
        for seed in 0..50 {
            let opened = SettingsSources::new().open().unwrap();
            let store = opened.store();
            let mut script = Script::new(seed, 3);
            let refused: Vec<_> = (0..FIRST_DECK).filter_map(|_| script.go_on(store)).collect();
            assert_eq!(refused, ["read.concurrency: expected an integer from 1 to 256, found 0"], "seed {seed}");
            assert_eq!(store.agents().len(), 1, "seed {seed}");
            assert!(store.status().version.get() >= 4, "seed {seed}: three writes at least");
        }
    }
}
