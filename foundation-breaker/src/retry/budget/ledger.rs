//! The books of a budget: what came in and what went out within a sliding window, kept without locks.
//!
//! Time is cut into ticks of a [`SLOTS`]th of the window. A word of a slot holds the number of the tick it counts for in its
//! high bits and the count in its low ones, so that counting and the change from one tick to another are one exchange.
//!
//! Whether a retry may be made is decided by an exchange of `current`, the word of the newest tick with a withdrawal.
//! Withdrawals of earlier ticks never change any more: before `current` moves to a new tick, what it counted is entered in
//! `earlier`. So an exchange that finds `current` as it was read proves that nothing was withdrawn since, and the decision
//! was taken on all withdrawals there are; of two threads, one decides again. Deposits and refunds that come at the same
//! moment may be overlooked, to the disadvantage of the retry.
//!
//! The window of withdrawals has one tick more than that of deposits. The latter is then at most, and the former at least,
//! as long as the window, and a budget is never exceeded in any stretch of time of that length.

use crate::sync::{AtomicU64, Ordering};

/// Ticks in a window. The more, the less the two windows differ, and the more there is to sum up.
#[cfg(not(loom))]
const WINDOW: usize = 32;
#[cfg(loom)]
const WINDOW: usize = 1;

/// The same as a number of ticks.
pub(super) const SLOTS: u64 = WINDOW as u64;

/// Low bits of a word, which count.
const COUNT_BITS: u32 = 28;
/// The most that is counted in one tick. What goes beyond is not: budgets err to the small side.
pub(super) const MAX_COUNT: u64 = (1 << COUNT_BITS) - 1;
/// The last tick that there is, after which time stands still. At the shortest tick it is reached after 68 years.
const MAX_TICK: u64 = u64::MAX >> COUNT_BITS;

/// Parts of a retry that a deposit is worth at most: its worth is a whole number of these.
pub(super) const WHOLE: u64 = 1_000_000;

/// What the balance depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// What a deposit is worth, in parts of [`WHOLE`].
    pub(super) deposit: u64,
    /// Retries per window that need no deposits.
    pub(super) reserve: u64,
}

/// What was counted within the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) deposits: u64,
    pub(super) withdrawals: u64,
}

impl Sums {
    /// How many more retries may be made.
    pub(super) const fn balance(self, terms: Terms) -> u64 {
        // Both products are far below 2⁶⁴: counts are sums of at most 33 numbers of 28 bits.
        (self.deposits * terms.deposit / WHOLE + terms.reserve).saturating_sub(self.withdrawals)
    }
}

/// The tick of a withdrawal, by which it can be refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tick(u64);

#[derive(Debug)]
pub(super) struct Ledger {
    /// By tick modulo [`SLOTS`].
    deposits: [AtomicU64; WINDOW],
    /// Withdrawals of the newest tick that has any.
    current: AtomicU64,
    /// Withdrawals of earlier ticks, by tick modulo `SLOTS + 1`: while `current` moves on from a tick, another thread may
    /// still sum up as of that tick, and needs the tick a whole window before.
    earlier: [AtomicU64; WINDOW + 1],
    /// Withdrawals that were given back, by the tick they were made in.
    refunds: [AtomicU64; WINDOW + 1],
}

impl Ledger {
    pub(super) fn new() -> Self {
        Self {
            deposits: std::array::from_fn(|_| AtomicU64::new(0)),
            current: AtomicU64::new(0),
            earlier: std::array::from_fn(|_| AtomicU64::new(0)),
            refunds: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Counts a deposit.
    pub(super) fn deposit(&self, now: u64) {
        count(&self.deposits, now.min(MAX_TICK));
    }

    /// Takes one retry from the balance, or tells that it is empty.
    pub(super) fn withdraw(&self, now: u64, terms: Terms) -> Option<Tick> {
        // Acquire: whoever moved `current` on has entered in `earlier` what it counted before.
        let mut current = self.current.load(Ordering::Acquire);
        loop {
            // A thread that was slow to get here finds others ahead of its clock, and has to count what they took.
            let now = now.min(MAX_TICK).max(tick_of(current));
            if self.sums_with(now, current).balance(terms) == 0 {
                return None;
            }
            let next = if tick_of(current) == now {
                if count_of(current) == MAX_COUNT {
                    return None;
                }
                current + 1
            } else {
                // A slow thread may enter less than others already have, or a tick long past; the larger word stands.
                slot(&self.earlier, tick_of(current)).fetch_max(current, Ordering::Relaxed);
                word(now, 1)
            };
            // Release publishes the entry in `earlier`, and Acquire those of others. Failure begins anew with both.
            match self.current.compare_exchange(current, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(Tick(now)),
                Err(seen) => current = seen,
            }
        }
    }

    /// Gives a retry back. Without effect once the withdrawal is out of the window.
    pub(super) fn refund(&self, Tick(tick): Tick) {
        count(&self.refunds, tick);
    }

    /// What was counted within the window that ends now. Not one instant if others are counting.
    pub(super) fn sums(&self, now: u64) -> Sums {
        let current = self.current.load(Ordering::Acquire);
        self.sums_with(now.min(MAX_TICK).max(tick_of(current)), current)
    }

    fn sums_with(&self, now: u64, current: u64) -> Sums {
        let newest = tick_of(current);
        let first = now.saturating_sub(SLOTS);
        // Relaxed: what matters of `earlier` was read with `current`; deposits and refunds may be overlooked.
        let earlier = sum(&self.earlier, |tick| (first..newest).contains(&tick));
        let latest = if newest >= first { count_of(current) } else { 0 };
        let refunds = sum(&self.refunds, |tick| (first..=newest).contains(&tick));
        Sums {
            deposits: sum(&self.deposits, |tick| tick <= now && now - tick < SLOTS),
            // Less only if a refund was read whose withdrawal was not: then `current` has changed, and nothing is decided.
            withdrawals: (earlier + latest).saturating_sub(refunds),
        }
    }
}

/// Counts one in the slot of `tick`, unless the slot counts for a later tick by now.
fn count<const N: usize>(slots: &[AtomicU64; N], tick: u64) {
    let slot = slot(slots, tick);
    let mut seen = slot.load(Ordering::Relaxed);
    loop {
        let next = match tick_of(seen) {
            counted if counted < tick => word(tick, 1),
            counted if counted == tick && count_of(seen) < MAX_COUNT => seen + 1,
            _ => return,
        };
        // Relaxed: the count is all there is to it.
        match slot.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            Err(other) => seen = other,
        }
    }
}

fn sum(slots: &[AtomicU64], is_counted: impl Fn(u64) -> bool) -> u64 {
    let words = slots.iter().map(|slot| slot.load(Ordering::Relaxed));
    words.filter(|&word| is_counted(tick_of(word))).map(count_of).sum()
}

#[expect(clippy::cast_possible_truncation, reason = "less than N")]
fn slot<const N: usize>(slots: &[AtomicU64; N], tick: u64) -> &AtomicU64 {
    &slots[(tick % N as u64) as usize]
}

const fn word(tick: u64, count: u64) -> u64 {
    tick << COUNT_BITS | count
}

const fn tick_of(word: u64) -> u64 {
    word >> COUNT_BITS
}

const fn count_of(word: u64) -> u64 {
    word & MAX_COUNT
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::thread;

    use super::*;

    const RESERVE_ONLY: Terms = Terms { deposit: 0, reserve: 2 };

    #[test]
    fn withdrawals_leave_the_window_one_tick_later_than_deposits() {
        let ledger = Ledger::new();
        ledger.deposit(100);
        assert!(ledger.withdraw(100, RESERVE_ONLY).is_some());
        assert_eq!(ledger.sums(100 + SLOTS - 1), Sums { deposits: 1, withdrawals: 1 });
        assert_eq!(ledger.sums(100 + SLOTS), Sums { deposits: 0, withdrawals: 1 });
        assert_eq!(ledger.sums(100 + SLOTS + 1), Sums { deposits: 0, withdrawals: 0 });
    }

    #[test]
    fn refund_expires_with_its_withdrawal() {
        let ledger = Ledger::new();
        let old = ledger.withdraw(1, RESERVE_ONLY).expect("a reserve");
        assert!(ledger.withdraw(3 + SLOTS, RESERVE_ONLY).is_some());
        ledger.refund(old);
        assert_eq!(ledger.sums(3 + SLOTS).withdrawals, 1);
    }

    #[test]
    fn a_thread_behind_counts_what_those_ahead_took() {
        let ledger = Ledger::new();
        assert!(ledger.withdraw(10, RESERVE_ONLY).is_some());
        assert_eq!(ledger.withdraw(9, RESERVE_ONLY), Some(Tick(10)));
        assert_eq!(ledger.withdraw(9, RESERVE_ONLY), None);
    }

    #[test]
    fn counts_and_ticks_stop_at_their_limits() {
        let ledger = Ledger::new();
        ledger.deposits[5].store(word(5, MAX_COUNT), Ordering::Relaxed);
        ledger.deposit(5);
        assert_eq!(ledger.sums(5).deposits, MAX_COUNT);
        let plenty = Terms { deposit: 0, reserve: u64::MAX };
        ledger.current.store(word(5, MAX_COUNT), Ordering::Relaxed);
        assert_eq!(ledger.withdraw(5, plenty), None);
        assert!(ledger.withdraw(6, plenty).is_some());
        assert_eq!(ledger.withdraw(u64::MAX, plenty), Some(Tick(MAX_TICK)));
        ledger.deposit(u64::MAX);
        assert_eq!(ledger.sums(u64::MAX), Sums { deposits: 1, withdrawals: 1 });
    }

    #[test]
    fn threads_that_change_ticks_never_take_more_than_there_is() {
        const TICKS: u64 = 4 * SLOTS;
        let ledger = Ledger::new();
        let terms = Terms { deposit: 0, reserve: 50 };
        let taken: Vec<u64> = thread::scope(|scope| {
            let run = || (0..TICKS * 8).filter_map(|step| ledger.withdraw(step / 8, terms)).map(|Tick(tick)| tick);
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(move || run().collect::<Vec<_>>())).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
        });
        for end in SLOTS..TICKS {
            let within = taken.iter().filter(|&&tick| (end - SLOTS..=end).contains(&tick)).count();
            assert!(within <= 50, "{within} up to {end}");
        }
        assert!(taken.len() >= 150, "{} of {TICKS} ticks", taken.len());
    }
}

#[cfg(all(test, loom))]
mod models {
    use std::sync::Arc;

    use loom::thread;

    use super::*;

    const ONE: Terms = Terms { deposit: 0, reserve: 1 };

    #[test]
    fn loom_the_last_retry_is_given_to_exactly_one() {
        loom::model(|| {
            let ledger = Arc::new(Ledger::new());
            let other = Arc::clone(&ledger);
            let there = thread::spawn(move || other.withdraw(1, ONE).is_some());
            let here = ledger.withdraw(1, ONE).is_some();
            assert!(here ^ there.join().expect("no panic"));
        });
    }

    #[test]
    fn loom_the_change_of_a_tick_loses_no_withdrawal() {
        loom::model(|| {
            let terms = Terms { deposit: 0, reserve: 2 };
            let ledger = Arc::new(Ledger::new());
            assert!(ledger.withdraw(1, terms).is_some());
            let withdraw = |now| {
                let ledger = Arc::clone(&ledger);
                thread::spawn(move || ledger.withdraw(now, terms).is_some())
            };
            let threads = [withdraw(2), withdraw(1)];
            let given = threads.map(|thread| thread.join().expect("no panic"));
            assert!(given[0] ^ given[1], "{given:?}");
            assert_eq!(ledger.sums(2).withdrawals, 2);
        });
    }

    #[test]
    fn loom_a_slow_thread_does_not_hide_withdrawals_of_the_window_from_others() {
        loom::model(|| {
            let terms = Terms { deposit: 0, reserve: 2 };
            let ledger = Arc::new(Ledger::new());
            // Within the window of tick 2, and in the slot that tick 3 will need.
            assert!(ledger.withdraw(1, terms).is_some());
            assert!(ledger.withdraw(2, terms).is_some());
            let withdraw = |now| {
                let ledger = Arc::clone(&ledger);
                thread::spawn(move || ledger.withdraw(now, terms))
            };
            let threads = [withdraw(3), withdraw(2)];
            // Tick 3 no longer counts tick 1 and has room for one; tick 2 has none.
            assert_eq!(threads.map(|thread| thread.join().expect("no panic")), [Some(Tick(3)), None]);
        });
    }

    #[test]
    fn loom_an_entry_that_comes_late_hides_nothing() {
        loom::model(|| {
            let terms = Terms { deposit: 0, reserve: 4 };
            let ledger = Arc::new(Ledger::new());
            assert!(ledger.withdraw(1, terms).is_some());
            let other = Arc::clone(&ledger);
            let there = thread::spawn(move || (other.withdraw(1, terms), other.withdraw(2, terms)));
            assert!(ledger.withdraw(2, terms).is_some());
            assert!(matches!(there.join().expect("no panic"), (Some(_), Some(_))));
            assert_eq!(ledger.sums(2).withdrawals, 4);
            assert_eq!(ledger.withdraw(2, terms), None);
        });
    }

    #[test]
    fn loom_deposits_and_refunds_are_all_counted() {
        loom::model(|| {
            let ledger = Arc::new(Ledger::new());
            let tick = ledger.withdraw(1, ONE).expect("a reserve");
            let other = Arc::clone(&ledger);
            let there = thread::spawn(move || {
                other.deposit(1);
                other.refund(tick);
            });
            ledger.deposit(1);
            let again = ledger.withdraw(1, ONE).is_some();
            there.join().expect("no panic");
            assert_eq!(ledger.sums(1), Sums { deposits: 2, withdrawals: u64::from(again) });
        });
    }
}
