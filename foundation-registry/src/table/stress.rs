//! The table under real threads: for the address sanitizer, which sees a node that is read after it was freed.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::{Node, Table, pin};

const KEYS: u64 = 64;
const ROUNDS: u64 = 100_000;

static ALIVE: AtomicUsize = AtomicUsize::new(0);

#[repr(align(16))]
struct Counted {
    hash: u64,
    twice: Box<u64>,
}

impl Counted {
    fn new(hash: u64) -> Arc<Self> {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self { hash, twice: Box::new(hash.wrapping_mul(2)) })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Node for Counted {
    fn hash(&self) -> u64 {
        self.hash
    }
}

/// Few shards, chains that collide, and tables that grow and shrink all the time.
fn key(number: u64) -> u64 {
    ((number % 4) << 62) | ((number % 3) << 40) | (number / 5)
}

#[test]
fn readers_never_see_a_freed_node_and_every_node_is_freed() {
    let table: Table<Counted> = Table::new(4, || ());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = 0_u64;
                    while !done.load(Ordering::Relaxed) {
                        for number in 0..KEYS {
                            let hash = key(number);
                            let pin = pin();
                            if let Some(node) = table.get(&pin, hash, |node| node.hash == hash) {
                                // Held for long, so that a writer gets between.
                                for _ in 0..200 {
                                    assert_eq!(*black_box(node).twice, hash.wrapping_mul(2));
                                }
                                seen += 1;
                            }
                            drop(pin);
                            if let Some(node) = table.get_shared(&super::pin(), hash, |node| node.hash == hash) {
                                assert_eq!(*node.twice, hash.wrapping_mul(2));
                            }
                        }
                    }
                    seen
                })
            })
            .collect();
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let table = &table;
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let hash = key((round * (writer + 3)) % KEYS);
                        let is_key = |node: &Counted| node.hash == hash;
                        if round % 3 == writer {
                            table.write(hash).put(Counted::new(hash), is_key);
                        } else {
                            table.write(hash).remove(hash, is_key);
                        }
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().expect("no panic");
        }
        done.store(true, Ordering::Relaxed);
        let seen: u64 = readers.into_iter().map(|reader| reader.join().expect("no panic")).sum();
        assert!(seen > 0, "the readers met no node");
    });
    drop(table);
    // What is retired last waits for its batch; fresh threads' retirements flush nothing of the others.
    let waiting = 4 * super::reclaim::BATCH;
    assert!(ALIVE.load(Ordering::Relaxed) <= waiting, "{} nodes are left", ALIVE.load(Ordering::Relaxed));
}
