//! Properties of threads.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::world::poll;
use crate::pool::{Factory, Pool};

const THREADS: usize = 4;
const ROUNDS: usize = 200;

/// Q14: every waiter is served while workers come back, whoever leaves the line and whatever is lost. A lost wake-up
/// hangs.
pub fn q14_no_lost_wake_up<F: Factory + 'static>(factory: &dyn Fn() -> F) {
    let (pool, served) = (started(factory(), 1, 1), AtomicUsize::new(0));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (pool, served) = (&pool, &served);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    if (thread + round) % 3 == 0 {
                        // Served at once, or cancelled in line, perhaps with a worker in its hand.
                        drop(poll(&mut Box::pin(pool.checkout())));
                    }
                    let Ok(lent) = pool.checkout_blocking() else { panic!("the factory makes workers") };
                    served.fetch_add(1, Ordering::Relaxed);
                    if (thread + round) % 7 == 0 { lent.discard() } else { drop(lent) }
                }
            });
        }
    });
    assert_eq!(served.into_inner(), THREADS * ROUNDS);
    let status = pool.status();
    assert_eq!((status.waiting, status.checked_out, status.overflow), (0, 0, 0));
}

/// Q16: as many borrowers as there may be workers are inside at the same time.
pub fn q16_parallelism<F: Factory + 'static>(factory: &dyn Fn() -> F) {
    const SIZE: usize = 3;
    const OVERFLOW: usize = 2;
    let pool = started(factory(), SIZE, OVERFLOW);
    let all = Barrier::new(SIZE + OVERFLOW);
    thread::scope(|scope| {
        for _ in 0..SIZE + OVERFLOW {
            scope.spawn(|| {
                let lent = pool.checkout_blocking();
                assert!(lent.is_ok());
                all.wait();
            });
        }
    });
    assert_eq!((pool.status().idle, pool.status().checked_out), (SIZE, 0));
}

fn started<F: Factory>(factory: F, size: usize, max_overflow: usize) -> Pool<F> {
    let started = Pool::builder(factory).size(size).max_overflow(max_overflow).build();
    let Ok(pool) = started else { panic!("the factory makes workers") };
    pool
}
