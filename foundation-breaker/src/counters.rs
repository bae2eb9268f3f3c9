//! Totals that threads count without getting in each other's way.
//!
//! A thread that counts has a slot of its own, for as long as it lives, and in each breaker a line of cells that only it
//! writes: counting is a load, an addition and a store. Threads beyond the number of slots share one line and pay for an
//! atomic addition. A slot is handed on through a lock, which orders what its threads have written.

#[cfg(not(loom))]
use std::cell::Cell;
#[cfg(not(loom))]
use std::sync::OnceLock;

use crossbeam_utils::CachePadded;
#[cfg(not(loom))]
use parking_lot::Mutex;

use crate::sync::{AtomicU64, Ordering};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    Admitted,
    Rejected,
    Injected,
    Succeeded,
    /// Failures of permits.
    Failed,
    /// Failures without a permit.
    Melted,
    Ignored,
    Slow,
}

const COUNTS: usize = 8;

/// One line of cells.
#[derive(Debug, Default)]
struct Cells([AtomicU64; COUNTS]);

impl Cells {
    fn get(&self, count: Count) -> u64 {
        // Acquire pairs with the release of the additions: whoever sees the end of a call sees its beginning.
        self.0[count as usize].load(Ordering::Acquire)
    }
}

/// Threads with a slot: as many as run at once on most machines.
#[cfg(not(loom))]
const SLOTS: usize = BLOCKS * BLOCK;
#[cfg(not(loom))]
const BLOCKS: usize = 16;
/// Lines that are allocated together, so that a breaker that few threads use stays small.
#[cfg(not(loom))]
const BLOCK: usize = 4;

#[cfg(not(loom))]
type Block = [CachePadded<Cells>; BLOCK];

/// The totals of a breaker.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// The lines of the slots, allocated when the first thread of a block counts.
    #[cfg(not(loom))]
    blocks: [OnceLock<Box<Block>>; BLOCKS],
    /// The line of all other threads.
    shared: CachePadded<Cells>,
}

/// The line of the current thread.
#[derive(Clone, Copy)]
pub(crate) struct Line<'c> {
    cells: &'c Cells,
    is_own: bool,
}

impl Line<'_> {
    #[inline]
    pub(crate) fn add(self, count: Count) {
        let cell = &self.cells.0[count as usize];
        if self.is_own {
            // No other thread writes it, so nothing is lost between the load and the store.
            cell.store(cell.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
        } else {
            cell.fetch_add(1, Ordering::Release);
        }
    }
}

impl Counters {
    /// The line of the current thread. It must not be kept beyond a call, as the thread may end.
    #[inline]
    pub(crate) fn line(&self) -> Line<'_> {
        #[cfg(not(loom))]
        {
            let slot = slot::current();
            if slot < SLOTS {
                let block = self.blocks[slot / BLOCK].get_or_init(Box::default);
                return Line { cells: &block[slot % BLOCK], is_own: true };
            }
        }
        Line { cells: &self.shared, is_own: false }
    }

    #[inline]
    pub(crate) fn add(&self, count: Count) {
        self.line().add(count);
    }

    /// The sum over all lines, saturating.
    pub(crate) fn sum(&self, count: Count) -> u64 {
        #[cfg(not(loom))]
        let own = self.blocks.iter().filter_map(OnceLock::get).flat_map(|block| block.iter());
        #[cfg(loom)]
        let own = std::iter::empty::<&CachePadded<Cells>>();
        own.map(|cells| cells.get(count)).fold(self.shared.get(count), u64::saturating_add)
    }
}

#[cfg(not(loom))]
mod slot {
    //! Which thread has which slot.

    use super::{Cell, Mutex, SLOTS};

    const UNKNOWN: usize = usize::MAX;
    /// The thread has none, and will get none.
    const NONE: usize = usize::MAX - 1;

    struct Free {
        returned: Vec<usize>,
        next: usize,
    }

    static FREE: Mutex<Free> = Mutex::new(Free { returned: Vec::new(), next: 0 });

    thread_local! {
        /// Readable also while the thread ends, for it needs no destructor.
        static SLOT: Cell<usize> = const { Cell::new(UNKNOWN) };
        static LEASE: Lease = Lease::take();
    }

    /// Gives the slot back when the thread ends.
    struct Lease(Option<usize>);

    impl Lease {
        fn take() -> Self {
            let mut free = FREE.lock();
            Self(free.returned.pop().or_else(|| {
                let fresh = free.next;
                (fresh < SLOTS).then(|| {
                    free.next += 1;
                    fresh
                })
            }))
        }
    }

    impl Drop for Lease {
        fn drop(&mut self) {
            SLOT.set(NONE);
            if let Some(slot) = self.0 {
                FREE.lock().returned.push(slot);
            }
        }
    }

    #[inline]
    pub(super) fn current() -> usize {
        let slot = SLOT.get();
        if slot == UNKNOWN { assign() } else { slot }
    }

    #[cold]
    fn assign() -> usize {
        let slot = LEASE.try_with(|lease| lease.0).ok().flatten().unwrap_or(NONE);
        SLOT.set(slot);
        slot
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn nothing_is_lost_with_more_threads_than_slots_or_when_slots_change_hands() {
        const ROUNDS: usize = 4;
        const THREADS: usize = SLOTS + 8;
        const EACH: u64 = 500;
        let counters = Arc::new(Counters::default());
        for _ in 0..ROUNDS {
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| (0..EACH).for_each(|_| counters.add(Count::Admitted)));
                }
            });
        }
        assert_eq!(counters.sum(Count::Admitted), (ROUNDS * THREADS) as u64 * EACH);
        assert_eq!(counters.sum(Count::Rejected), 0);
    }

    #[test]
    fn a_thread_counts_also_while_it_ends() {
        struct AtExit(Arc<Counters>);

        impl Drop for AtExit {
            fn drop(&mut self) {
                self.0.add(Count::Ignored);
            }
        }

        thread_local! {
            static AT_EXIT: Cell<Option<AtExit>> = const { Cell::new(None) };
        }

        let counters = Arc::new(Counters::default());
        let counted = Arc::clone(&counters);
        thread::spawn(move || {
            AT_EXIT.set(Some(AtExit(Arc::clone(&counted))));
            counted.add(Count::Ignored);
        })
        .join()
        .expect("no panic");
        assert_eq!(counters.sum(Count::Ignored), 2);
    }
}
