//! Ours and the peers, each doing one checkout and return, or one acquisition and release.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use foundation_resources::bulkhead::Bulkhead;
use foundation_resources::pool::{self, FromFn, Pool};
use tokio::runtime::{self, Runtime};
use tokio::sync::Semaphore;

use crate::bench::measure::{Contender, Sample, Work, timed};

/// At most so many times the fastest peer's time.
const TARGET: f64 = 1.0;
const RUN: usize = 64;

pub(crate) type Item = Box<[u8; 64]>;
type Ours = Pool<FromFn<fn() -> Result<Item, Infallible>>>;

/// A pool of each kind, with all its workers made.
#[derive(Clone)]
pub(crate) struct Pools {
    pub(crate) ours: Ours,
    pub(crate) deadpool: deadpool::managed::Pool<Peer>,
    pub(crate) bb8: bb8::Pool<Peer>,
    runtime: Arc<Runtime>,
}

/// Makes workers for the peers.
pub(crate) struct Peer;

impl deadpool::managed::Manager for Peer {
    type Type = Item;
    type Error = Infallible;

    async fn create(&self) -> Result<Item, Infallible> {
        make()
    }

    async fn recycle(
        &self,
        _: &mut Item,
        _: &deadpool::managed::Metrics,
    ) -> deadpool::managed::RecycleResult<Infallible> {
        Ok(())
    }
}

impl bb8::ManageConnection for Peer {
    type Connection = Item;
    type Error = Infallible;

    async fn connect(&self) -> Result<Item, Infallible> {
        make()
    }

    async fn is_valid(&self, _: &mut Item) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, _: &mut Item) -> bool {
        false
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is what factories return")]
fn make() -> Result<Item, Infallible> {
    Ok(Box::new([0; 64]))
}

impl Pools {
    pub(crate) fn of(size: u32) -> Self {
        let count = size as usize;
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("starts");
        let make: fn() -> Result<Item, Infallible> = make;
        let ours = Pool::builder(pool::from_fn(make)).size(count).max_overflow(0).build().expect("starts");
        let deadpool = deadpool::managed::Pool::builder(Peer).max_size(count).build().expect("no time-outs");
        let bb8 = bb8::Pool::builder()
            .max_size(size)
            .min_idle(Some(size))
            .max_lifetime(None)
            .idle_timeout(None)
            .test_on_check_out(false);
        let bb8 = runtime.block_on(bb8.build(Peer)).expect("starts");
        let filled: Vec<_> = (0..count).map(|_| now(deadpool.get()).expect("makes workers")).collect();
        drop(filled);
        Self { ours, deadpool, bb8, runtime: Arc::new(runtime) }
    }

    pub(crate) fn at_once(self) -> Vec<Contender<'static>> {
        let Self { ours, deadpool, bb8, runtime } = self;
        let asynchronous = ours.clone();
        vec![
            Contender::ours("foundation", TARGET, timed(RUN, move |_, _| drop(ours.try_checkout().expect("idle")))),
            Contender::ours(
                "foundation, awaited",
                TARGET,
                timed(RUN, move |_, _| drop(now(asynchronous.checkout()).expect("idle"))),
            ),
            Contender::peer("deadpool", timed(RUN, move |_, _| drop(now(deadpool.get()).expect("idle")))),
            Contender::peer("bb8", inside(runtime, move || drop(now(bb8.get()).expect("idle")))),
        ]
    }

    pub(crate) fn in_turn(self) -> Vec<Contender<'static>> {
        let Self { ours, deadpool, bb8, runtime } = self;
        vec![
            Contender::ours(
                "foundation",
                TARGET,
                timed(RUN, move |_, _| drop(block_on(ours.checkout()).expect("served"))),
            ),
            Contender::peer("deadpool", timed(RUN, move |_, _| drop(block_on(deadpool.get()).expect("served")))),
            Contender::peer("bb8", inside(runtime, move || drop(block_on(bb8.get()).expect("served"))))
                .note("a newcomer may overtake those who wait"),
        ]
    }
}

/// A bulkhead and a semaphore.
#[derive(Clone)]
pub(crate) struct Bulkheads {
    pub(crate) ours: Bulkhead,
    pub(crate) tokio: Arc<Semaphore>,
}

impl Bulkheads {
    pub(crate) fn of(permits: usize) -> Self {
        let ours = Bulkhead::builder(permits).build().expect("in range");
        Self { ours, tokio: Arc::new(Semaphore::new(permits)) }
    }

    pub(crate) fn at_once(self) -> Vec<Contender<'static>> {
        let Self { ours, tokio } = self;
        let owned = (ours.clone(), Arc::clone(&tokio));
        vec![
            Contender::ours("foundation", TARGET, timed(RUN, move |_, _| drop(ours.try_acquire().expect("free")))),
            Contender::ours(
                "foundation, owned",
                None,
                timed(RUN, move |_, _| drop(owned.0.try_acquire().expect("free").into_owned())),
            ),
            Contender::peer("tokio Semaphore", timed(RUN, move |_, _| drop(tokio.try_acquire().expect("free")))),
            Contender::peer(
                "tokio Semaphore, owned",
                timed(RUN, move |_, _| drop(Arc::clone(&owned.1).try_acquire_owned().expect("free"))),
            ),
        ]
    }

    pub(crate) fn in_turn(self) -> Vec<Contender<'static>> {
        let Self { ours, tokio } = self;
        vec![
            Contender::ours(
                "foundation",
                TARGET,
                timed(RUN, move |_, _| drop(block_on(ours.acquire()).expect("served"))),
            ),
            Contender::peer(
                "tokio Semaphore",
                timed(RUN, move |_, _| drop(block_on(tokio.acquire()).expect("served"))),
            ),
        ]
    }
}

/// As [`timed`], on a thread that knows a runtime.
fn inside(runtime: Arc<Runtime>, operation: impl Fn() + Sync + 'static) -> Work<'static> {
    Box::new(move |_, cursor| {
        let _inside = runtime.enter();
        let start = Instant::now();
        for _ in 0..RUN {
            operation();
        }
        let time = start.elapsed();
        *cursor += RUN;
        Sample { operations: RUN as u64, time }
    })
}

/// The output of a future that is ready at once.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nobody has to wait"),
    }
}

struct Parker {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

thread_local! {
    static PARKER: Arc<Parker> = Arc::new(Parker { thread: thread::current(), is_woken: AtomicBool::new(false) });
}

/// The output of a future, polled on this thread.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    PARKER.with(|parker| {
        let waker = Waker::from(Arc::clone(parker));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            while !parker.is_woken.swap(false, Ordering::Acquire) {
                thread::park();
            }
        }
    })
}
