//! Alarms that do not flicker.

use std::collections::HashMap;
use std::num::NonZeroU32;

use foundation_types::{Clock, Name};

use crate::set::BreakerSet;
use crate::snapshot::State;

/// Raises an alarm for a breaker that is found open, and clears it when so many looks in a row have found it not open.
///
/// It looks at nothing by itself: whoever polls tells it what there is. Erlang's fuse looks every 60 seconds and clears at
/// the third look. A breaker that a look does not find any more is forgotten, alarm and all. Memory: one entry for each
/// breaker of the last look that has an alarm.
#[derive(Clone, Debug)]
pub struct AlarmFilter {
    clear_after: NonZeroU32,
    /// Breakers with an alarm, and how many looks in a row have found them not open.
    raised: HashMap<Name, u32>,
}

/// What a look changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlarmChange {
    /// The breaker is open, and was not known to be.
    Raised(Name),
    /// The breaker has not been open for long enough, or is gone.
    Cleared(Name),
}

impl AlarmFilter {
    /// A filter that clears an alarm at the third look in a row that finds the breaker not open.
    pub fn new() -> Self {
        Self::clearing_after(const { NonZeroU32::new(3).expect("not zero") })
    }

    /// A filter that clears an alarm after so many looks.
    pub fn clearing_after(looks: NonZeroU32) -> Self {
        Self { clear_after: looks, raised: HashMap::new() }
    }

    /// Takes one look: every breaker there is, and its state. Returns the changes, those that were raised in the order of the
    /// breakers first.
    pub fn look<'n>(&mut self, breakers: impl IntoIterator<Item = (&'n Name, State)>) -> Vec<AlarmChange> {
        let mut changes = Vec::new();
        let mut former = std::mem::take(&mut self.raised);
        let mut cleared = Vec::new();
        for (name, state) in breakers {
            let is_open = matches!(state, State::Open | State::ForcedOpen);
            match (former.remove(name), is_open) {
                (None, true) => {
                    self.raised.insert(name.clone(), 0);
                    changes.push(AlarmChange::Raised(name.clone()));
                }
                (Some(_), true) => {
                    self.raised.insert(name.clone(), 0);
                }
                (Some(looks), false) if looks + 1 < self.clear_after.get() => {
                    self.raised.insert(name.clone(), looks + 1);
                }
                (Some(_), false) => cleared.push(AlarmChange::Cleared(name.clone())),
                (None, false) => {}
            }
        }
        // Those that are left were not found: their breakers have been removed.
        let mut gone: Vec<Name> = former.into_keys().collect();
        gone.sort_unstable();
        changes.extend(cleared);
        changes.extend(gone.into_iter().map(AlarmChange::Cleared));
        changes
    }

    /// Looks at all breakers of a set.
    pub fn look_at<C: Clock>(&mut self, set: &BreakerSet<C>) -> Vec<AlarmChange> {
        let states: Vec<_> = set.all().into_iter().map(|breaker| (breaker.name().clone(), breaker.state())).collect();
        self.look(states.iter().map(|(name, state)| (name, *state)))
    }

    /// Whether there is an alarm for the breaker of this name.
    pub fn is_raised(&self, name: &str) -> bool {
        self.raised.contains_key(name)
    }
}

impl Default for AlarmFilter {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Name = Name::from_static("a");

    #[test]
    fn an_alarm_clears_at_the_third_look_in_a_row_that_finds_the_breaker_not_open() {
        let mut alarms = AlarmFilter::new();
        assert_eq!(alarms.look([(&A, State::Closed)]), []);
        assert_eq!(alarms.look([(&A, State::Open)]), [AlarmChange::Raised(A)]);
        assert_eq!(alarms.look([(&A, State::HalfOpen)]), []);
        assert_eq!(alarms.look([(&A, State::Closed)]), []);
        assert_eq!(alarms.look([(&A, State::ForcedOpen)]), [], "an alarm that stands is not raised again");
        for _ in 0..2 {
            assert_eq!(alarms.look([(&A, State::Closed)]), []);
            assert!(alarms.is_raised("a"));
        }
        assert_eq!(alarms.look([(&A, State::Closed)]), [AlarmChange::Cleared(A)]);
        assert!(!alarms.is_raised("a"));
    }

    #[test]
    fn the_alarm_of_a_removed_breaker_clears() {
        let mut alarms = AlarmFilter::new();
        alarms.look([(&A, State::Open)]);
        assert_eq!(alarms.look([]), [AlarmChange::Cleared(A)]);
    }
}
