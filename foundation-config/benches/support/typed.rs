//! Reads of a field of the typed configuration.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Cache};
use foundation_config::Store;
use tokio::sync::watch;

use super::{RUN, SIZE, Settings, store};
use crate::bench::measure::{Contender, Sample, Work, timed};

/// At most this times a load through the cache of arc-swap.
const TARGET: f64 = 1.2;
/// 2 threads do at least 1.9 times what one does.
const SCALING: f64 = 1.05;
/// Reads are at most a tenth slower while settings change.
const WHILE_WRITING: f64 = 1.1;

pub(crate) fn kept() -> Vec<Contender<'static>> {
    vec![
        Contender::ours("foundation", TARGET, read_kept(store())),
        Contender::peer("arc-swap Cache", {
            let swap = Arc::new(ArcSwap::from_pointee(Settings::new()));
            Box::new(move |_, cursor| {
                let mut cache = Cache::new(&*swap);
                run(cursor, || cache.load().server.pool.size)
            })
        }),
    ]
}

pub(crate) fn of_the_moment() -> Vec<Contender<'static>> {
    let swap = ArcSwap::from_pointee(Settings::new());
    let lock = RwLock::new(Settings::new());
    let (sender, receiver) = watch::channel(Settings::new());
    let store = store();
    vec![
        Contender::ours("foundation", None, timed(RUN, move |_, _| look(store.load().server.pool.size))),
        Contender::peer("arc-swap", timed(RUN, move |_, _| look(swap.load().server.pool.size))),
        Contender::peer("tokio watch", {
            timed(RUN, move |_, _| {
                let _open = &sender;
                look(receiver.borrow().server.pool.size);
            })
        }),
        Contender::peer("RwLock", timed(RUN, move |_, _| look(lock.read().expect("nobody panics").server.pool.size))),
    ]
}

pub(crate) fn scaling() -> Vec<Contender<'static>> {
    let alone = read_kept(store());
    let alone: Work<'static> =
        Box::new(move |thread, cursor| if thread == 0 { alone(thread, cursor) } else { Sample::default() });
    vec![
        Contender::ours("foundation", SCALING, read_kept(store())),
        Contender::peer("foundation, 1 thread", alone).note("the other thread looks at the clock meanwhile"),
    ]
}

pub(crate) fn while_writing() -> Vec<Contender<'static>> {
    let busy = store();
    let writer = Writer::new(busy.clone());
    vec![
        Contender::ours("foundation, changing", WHILE_WRITING, {
            let read = read_kept(busy);
            Box::new(move |thread, cursor| writer.beside(|| read(thread, cursor)))
        }),
        Contender::peer("foundation, at rest", read_kept(store())),
    ]
}

fn read_kept(store: Store<Settings>) -> Work<'static> {
    Box::new(move |_, cursor| {
        let mut reader = store.reader();
        run(cursor, || reader.load().server.pool.size)
    })
}

/// Times reads through a handle that was made before: so many that making it, which all threads contend for, is rare.
fn run(cursor: &mut usize, mut read: impl FnMut() -> u32) -> Sample {
    const READS: usize = 100 * RUN;
    let start = Instant::now();
    for _ in 0..READS {
        look(read());
    }
    let time = start.elapsed();
    *cursor += READS;
    Sample { operations: READS as u64, time }
}

#[inline]
pub(crate) fn look(size: u32) {
    assert!(black_box(size) > 0);
}

/// A thread that publishes a thousand updates a second while somebody reads.
struct Writer {
    is_on: Arc<AtomicBool>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    fn new(store: Store<Settings>) -> Self {
        let (is_on, is_over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (on, over) = (Arc::clone(&is_on), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            let mut size = 8;
            while !over.load(Ordering::Relaxed) {
                if on.load(Ordering::Relaxed) {
                    size = 1 + size % 16;
                    store.update(SIZE, size).expect("any size is valid");
                }
                // The rate is what is measured beside, so here time has to pass.
                thread::sleep(Duration::from_millis(1));
            }
        });
        Self { is_on, is_over, thread: Some(thread) }
    }

    fn beside(&self, read: impl FnOnce() -> Sample) -> Sample {
        self.is_on.store(true, Ordering::Relaxed);
        let sample = read();
        self.is_on.store(false, Ordering::Relaxed);
        sample
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
