//! Threads on which the code of services runs.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;

use foundation_types::liveness::ShutdownSignal;
use foundation_types::{Clock, MonoTime, Owner, Pid, ServiceName, Text, contain, timeout_at};

use super::sync::lock;

/// The most jobs that wait in the lane of one service. Beyond it notices are dropped: the service has been stuck through
/// hundreds of restarts of its dependencies.
const MAX_WAITING_JOBS: usize = 1_024;

type Job = Box<dyn FnOnce() + Send>;

/// What service code finds around it on its threads.
#[derive(Clone)]
pub(super) struct Surroundings {
    /// Which supervisor this is, as a number that no other one has.
    pub(super) supervisor: u64,
    pub(super) service: ServiceName,
    #[cfg(feature = "tokio")]
    pub(super) runtime: Option<tokio::runtime::Handle>,
}

/// What kind of code of a service a thread runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A call that the supervisor waits for.
    Call,
    /// Background work, which it waits for when it stops the service.
    Task,
}

thread_local! {
    /// On whose behalf this thread runs.
    static WITHIN: RefCell<Option<(u64, ServiceName, Role)>> = const { RefCell::new(None) };
}

/// The service of this supervisor whose code the calling thread runs.
pub(super) fn caller(supervisor: u64) -> Option<(ServiceName, Role)> {
    WITHIN.with_borrow(|within| {
        within.as_ref().filter(|(of, ..)| *of == supervisor).map(|(_, service, role)| (service.clone(), *role))
    })
}

/// Starts a thread for code of a service. The code must contain its own panics.
pub(super) fn spawn(
    surroundings: Surroundings,
    (role, label): (Role, &str),
    code: impl FnOnce() + Send + 'static,
) -> Result<(), Text> {
    let name = format!("{}/{label}", surroundings.service);
    let run = move || {
        WITHIN.set(Some((surroundings.supervisor, surroundings.service, role)));
        #[cfg(feature = "tokio")]
        let _entered = surroundings.runtime.as_ref().map(tokio::runtime::Handle::enter);
        code();
    };
    thread::Builder::new().name(name).spawn(run).map(drop).map_err(|error| Text::from(error.to_string()))
}

/// What a call of service code returned, or will return.
pub(super) struct Answer<T> {
    /// Dies when the call is over.
    over: Pid,
    value: Arc<Mutex<Option<Result<T, Text>>>>,
}

/// How waiting for an answer ended.
pub(super) enum Waited<T> {
    /// The code returned this.
    Returned(T),
    /// It panicked, or no thread could be started for it.
    Crashed(Text),
    /// It is not done.
    TimedOut,
    /// Whoever waited was asked to stop.
    Interrupted,
}

impl<T: Send + 'static> Answer<T> {
    /// A call that answers when the returned job has run.
    fn to(code: impl FnOnce() -> T + Send + 'static) -> (Self, Job) {
        let owner = Owner::new();
        let value = Arc::new(Mutex::new(None));
        let answer = Self { over: owner.pid(), value: Arc::clone(&value) };
        let job = Box::new(move || {
            let result = contain(code);
            *lock(&value) = Some(result);
            drop(owner);
        });
        (answer, job)
    }

    /// Waits until `deadline`, and no longer than until `interrupt` is raised. A value that nobody takes is dropped where it
    /// was made.
    pub(super) fn wait(self, clock: &dyn Clock, deadline: MonoTime, interrupt: Option<&ShutdownSignal>) -> Waited<T> {
        let mut over = pin!(self.over.monitor());
        let mut interrupt = interrupt.map(|signal| Box::pin(signal.clone()));
        let either = poll_fn(|context| {
            if over.as_mut().poll(context).is_ready() {
                return Poll::Ready(true);
            }
            match interrupt.as_mut().map(|signal| signal.as_mut().poll(context)) {
                Some(Poll::Ready(_)) => Poll::Ready(false),
                _ => Poll::Pending,
            }
        });
        match pollster::block_on(timeout_at(clock, deadline, either)) {
            Some(true) => match lock(&self.value).take() {
                Some(Ok(value)) => Waited::Returned(value),
                Some(Err(message)) => Waited::Crashed(message),
                None => Waited::Crashed(Text::from_static("no thread could be started")),
            },
            Some(false) => Waited::Interrupted,
            None => Waited::TimedOut,
        }
    }
}

/// Runs jobs of one service one after the other, on a thread that exists only while there are any.
pub(super) struct Lane {
    surroundings: Surroundings,
    queue: Arc<Mutex<Queue>>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    has_thread: bool,
}

impl Lane {
    pub(super) fn new(surroundings: Surroundings) -> Self {
        Self { surroundings, queue: Arc::default() }
    }

    /// Runs `code` after everything that was submitted before.
    pub(super) fn call<T: Send + 'static>(&self, code: impl FnOnce() -> T + Send + 'static) -> Answer<T> {
        let (answer, job) = Answer::to(code);
        self.submit(job);
        answer
    }

    /// As [`call`](Self::call) where nobody waits for the end. Returns whether there was room.
    pub(super) fn post(&self, code: impl FnOnce() + Send + 'static) -> bool {
        if lock(&self.queue).jobs.len() >= MAX_WAITING_JOBS {
            return false;
        }
        self.submit(Box::new(code));
        true
    }

    fn submit(&self, job: Job) {
        let mut queue = lock(&self.queue);
        queue.jobs.push_back(job);
        if std::mem::replace(&mut queue.has_thread, true) {
            return;
        }
        drop(queue);
        let shared = Arc::clone(&self.queue);
        if spawn(self.surroundings.clone(), (Role::Call, "service"), move || serve(&shared)).is_err() {
            let jobs = {
                let mut queue = lock(&self.queue);
                queue.has_thread = false;
                std::mem::take(&mut queue.jobs)
            };
            // Dropping a job without running it is how its answer learns that there was no thread.
            drop(jobs);
        }
    }
}

fn serve(queue: &Mutex<Queue>) {
    loop {
        let mut waiting = lock(queue);
        let Some(job) = waiting.jobs.pop_front() else {
            waiting.has_thread = false;
            return;
        };
        drop(waiting);
        // Answers hold what their code did; this catches the destructor of a value that nobody took.
        let _ = contain(job);
    }
}
