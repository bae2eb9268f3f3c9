//! Changes, and the waking of those who wait for them.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Instant;

use foundation_config::Filter;
use tokio::sync::watch;

use super::{SIZE, Settings, store};
use crate::bench::measure::{Contender, Sample, Work};

/// At most this times what a send costs.
const TARGET: f64 = 1.5;

/// Changes a setting that `waiting` subscribers wait for. That they wait again before the next change is not timed.
pub(crate) fn contenders(waiting: usize) -> Vec<Contender<'static>> {
    let target = (waiting > 0).then_some(TARGET);
    let store = store();
    let subscribers = (0..waiting).map(|_| {
        let mut subscription = store.subscribe(Filter::path(SIZE)).expect("there is room");
        async move { while subscription.recv().await.is_some() {} }
    });
    let ours = Crowd::new(subscribers);
    let (sender, receiver) = watch::channel(Settings::new());
    let receivers = (0..waiting).map(|_| {
        let mut receiver = receiver.clone();
        async move { while receiver.changed().await.is_ok() {} }
    });
    let peers = Crowd::new(receivers);
    vec![
        Contender::ours("foundation", target, {
            ours.timed(move |number| store.update(SIZE, 1 + number % 16).map(drop).expect("any size is valid"))
        })
        .note("checks, decodes and keeps the version"),
        Contender::peer("tokio watch", {
            let _open = receiver;
            peers.timed(move |number| {
                sender.send_modify(|settings| settings.server.pool.size = 1 + number % 16);
            })
        }),
    ]
}

type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tasks that wait.
struct Crowd {
    tasks: Mutex<Vec<Waiting>>,
    woken: Arc<Woken>,
}

/// Counts how often somebody was woken.
#[derive(Default)]
struct Woken(AtomicU64);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Crowd {
    fn new<F: Future<Output = ()> + Send + 'static>(tasks: impl Iterator<Item = F>) -> Self {
        let tasks: Vec<_> = tasks.map(|task| Box::pin(task) as Waiting).collect();
        Self { tasks: Mutex::new(tasks), woken: Arc::default() }
    }

    /// Times `change` while all wait; each is woken by it.
    fn timed(self, change: impl Fn(u32) + Sync + 'static) -> Work<'static> {
        Box::new(move |_, cursor| {
            let mut tasks = self.tasks.lock().expect("nobody panics");
            let waker = Waker::from(Arc::clone(&self.woken));
            let mut context = Context::from_waker(&waker);
            for task in tasks.iter_mut() {
                assert!(task.as_mut().poll(&mut context).is_pending(), "what they wait for has no end");
            }
            let before = self.woken.0.load(Ordering::Relaxed);
            let number = u32::try_from(*cursor % 16).expect("less than 16");
            let start = Instant::now();
            change(number);
            let time = start.elapsed();
            *cursor += 1;
            let woken = self.woken.0.load(Ordering::Relaxed) - before;
            assert_eq!(woken, tasks.len() as u64, "everybody is woken");
            Sample { operations: 1, time }
        })
    }
}
