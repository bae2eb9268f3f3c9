//! What all handles of a breaker share, and the order in which it is touched.
//!
//! Callers read one word; whatever that does not settle goes to the machine under its lock. The word and the end of an
//! opening are published before the lock is released. Observers, wakers and users' code run after that.

use std::mem::ManuallyDrop;
use std::thread;

use crossbeam_utils::CachePadded;
use foundation_types::{COARSE_TICK, Clock, Emitter, MonoTime, Name};

use super::waiters::Waiters;
use crate::classify::Outcome;
use crate::counters::{Count, Counters, Line};
use crate::error::{RejectReason, Rejected};
use crate::events;
use crate::machine::{Admission, Audience, Ended, Machine, Refusal, Report, Reporter};
use crate::options::{CancelPolicy, Options};
use crate::random::Random;
use crate::snapshot::{Snapshot, State, Totals};
use crate::sync::{AtomicU64, Mutex, Ordering};
use crate::word::{Flags, Word};

pub(crate) struct Shared<C> {
    published: CachePadded<Published>,
    machine: CachePadded<Mutex<Machine>>,
    pub(crate) counters: Counters,
    pub(crate) waiters: Waiters,
    emitter: Emitter,
    pub(crate) clock: C,
    pub(crate) name: Name,
}

/// Written under the machine's lock, read without it.
struct Published {
    word: AtomicU64,
    /// When an opening ends. It is written before the word that says so, and each word stands for one opening at the most:
    /// whoever reads the same word before and after has read the time of that opening, or one that is being published.
    open_until: AtomicU64,
}

/// A call that was let through, until it reports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    /// As it was when the call was let through.
    word: Word,
    admission: Admission,
    /// When the call was let through; read only if the word says so, or for a probe.
    issued: MonoTime,
    /// Whether the thread was unwinding already, so that a panic before this call is not taken for one of it.
    was_panicking: bool,
    /// Whether its failure opens a closed circuit at once.
    #[cfg(feature = "agent")]
    is_vital: bool,
}

impl Ticket {
    /// Of a call that was neither timed nor a probe.
    const fn plain(word: Word) -> Self {
        Self::issue(word, Admission::Ordinary, MonoTime::ORIGIN, false)
    }

    const fn issue(word: Word, admission: Admission, issued: MonoTime, was_panicking: bool) -> Self {
        Self {
            word,
            admission,
            issued,
            was_panicking,
            #[cfg(feature = "agent")]
            is_vital: false,
        }
    }

    /// Has a failure of this call open a closed circuit at once.
    #[cfg(feature = "agent")]
    pub(crate) const fn make_vital(&mut self) {
        self.is_vital = true;
    }

    #[cfg_attr(not(feature = "agent"), expect(clippy::unused_self, reason = "only calls of agents can be vital"))]
    fn failure(&self, call: Ended) -> Report {
        #[cfg(feature = "agent")]
        if self.is_vital {
            return Report::Fatal(call);
        }
        Report::Ended(call)
    }

    pub(crate) const fn is_probe(&self) -> bool {
        matches!(self.admission, Admission::Probe(_))
    }

    const fn is_timed(&self) -> bool {
        self.word.has(Flags::TIMED) || self.is_probe()
    }

    /// Takes the present for the time at which the call was let through, as far as panics go.
    pub(crate) fn note_unwinding(&mut self) {
        self.was_panicking = thread::panicking();
    }
}

impl<C: Clock> Shared<C> {
    pub(crate) fn new(name: Name, options: Options, clock: C, emitter: Emitter, random: Random) -> Self {
        let audience = if emitter.is_installed() { Audience::Observer } else { Audience::Nobody };
        let machine = Machine::new(options, clock.mono(), random, audience);
        let published = Published { word: AtomicU64::new(machine.word().bits()), open_until: AtomicU64::new(0) };
        Self {
            published: CachePadded::new(published),
            machine: CachePadded::new(Mutex::new(machine)),
            counters: Counters::default(),
            waiters: Waiters::default(),
            emitter,
            clock,
            name,
        }
    }

    #[inline]
    fn word(&self) -> Word {
        // Acquire pairs with the publication, so that what a word announces can be read after it.
        Word::from_bits(self.published.word.load(Ordering::Acquire))
    }

    /// Settles the machine, runs `change` on it under its lock, publishes what changed, and tells whom it concerns.
    pub(crate) fn with_machine<R>(&self, change: impl FnOnce(&mut Machine, MonoTime) -> R) -> R {
        let mut machine = self.machine.lock();
        let now = machine.settle(&self.clock);
        let result = change(&mut machine, now);
        let word = machine.word();
        if word.bits() != self.published.word.load(Ordering::Relaxed) {
            if let Some(until) = machine.open_until() {
                self.published.open_until.store(until.as_nanos(), Ordering::Release);
            }
            self.published.word.store(word.bits(), Ordering::Release);
        }
        let may_admit_more = machine.take_may_admit_more();
        let delivers = machine.changes.begin();
        drop(machine);
        if may_admit_more {
            self.waiters.wake_all();
        }
        if delivers {
            self.deliver();
        }
        result
    }

    /// Tells the observer the changes in their order, those included that happen meanwhile.
    #[cold]
    fn deliver(&self) {
        loop {
            let next = self.machine.lock().changes.next();
            let Some(change) = next else { return };
            events::state_changed(&self.emitter, &self.name, &change);
        }
    }

    /// A ticket, if nothing but the state has to be looked at. `None` says nothing yet.
    #[inline]
    pub(crate) fn admit_at_sight(&self) -> Option<Ticket> {
        let word = self.word();
        word.is_plain().then(|| {
            self.counters.add(Count::Admitted);
            Ticket { was_panicking: thread::panicking(), ..Ticket::plain(word) }
        })
    }

    /// Lets a call through that runs to its end on this thread, if nothing but the state has to be looked at. `None` says
    /// nothing yet.
    #[inline]
    pub(crate) fn enter(&self) -> Option<Entered<'_, C>> {
        let word = self.word();
        word.is_plain().then(|| {
            let line = self.counters.line();
            line.add(Count::Admitted);
            Entered { shared: self, line, word }
        })
    }

    /// A ticket or the final refusal, counted and told.
    #[inline(never)]
    pub(crate) fn admit_or_refuse(&self) -> Result<Ticket, Refusal> {
        let word = self.word();
        if let Some(refusal) = self.refuses_without_lock(word) {
            self.count_refusal(word, refusal);
            return Err(refusal);
        }
        let was_panicking = thread::panicking();
        if word.state() == State::Closed && !word.has(Flags::FAULTS) {
            let issued = self.clock.mono();
            self.counters.add(Count::Admitted);
            return Ok(Ticket::issue(word, Admission::Ordinary, issued, was_panicking));
        }
        let (admission, word, issued) = self.with_machine(|machine, now| (machine.admit(now), machine.word(), now));
        match admission {
            Ok(admission) => {
                self.counters.add(Count::Admitted);
                Ok(Ticket::issue(word, admission, issued, was_panicking))
            }
            Err(refusal) => {
                self.count_refusal(word, refusal);
                Err(refusal)
            }
        }
    }

    /// The refusal of a circuit that needs no more than a look to refuse, counted and told. `None` says nothing yet.
    #[inline]
    pub(crate) fn refuse_at_sight(&self) -> Option<Refusal> {
        let word = self.word();
        let refusal = self.refuses_without_lock(word)?;
        self.count_refusal(word, refusal);
        Some(refusal)
    }

    /// The refusal of a circuit that is held open, or open for so long yet that a coarse look at the clock suffices.
    #[inline]
    fn refuses_without_lock(&self, word: Word) -> Option<Refusal> {
        match word.state() {
            State::ForcedOpen => Some(Refusal { reason: RejectReason::ForcedOpen, retry_after: None }),
            State::Open => {
                let until = MonoTime::from_nanos(self.published.open_until.load(Ordering::Acquire));
                let now = self.clock.mono_coarse();
                if now.saturating_add(COARSE_TICK) >= until || self.word() != word {
                    return None;
                }
                Some(Refusal { reason: RejectReason::Open, retry_after: Some(until.saturating_since(now)) })
            }
            State::Closed | State::HalfOpen => None,
        }
    }

    /// Counts a refusal and tells it.
    #[inline]
    fn count_refusal(&self, word: Word, refusal: Refusal) {
        self.counters.add(if refusal.reason == RejectReason::Injected { Count::Injected } else { Count::Rejected });
        if word.has(Flags::OBSERVED) {
            self.tell_refusal(word, refusal);
        }
    }

    #[cold]
    fn tell_refusal(&self, word: Word, refusal: Refusal) {
        events::rejected(&self.emitter, &self.name, word.generation(), self.clock.mono(), refusal);
    }

    /// What the caller learns of a refusal. It is made where it is returned, as a copy of so large a value would have to
    /// wait for the stores of its parts.
    #[inline]
    pub(crate) fn rejected(&self, refusal: Refusal) -> Rejected {
        let Refusal { reason, retry_after } = refusal;
        Rejected { breaker: self.name.clone(), reason, retry_after }
    }

    /// Takes the outcome of a call that was let through.
    #[inline]
    pub(crate) fn report(&self, ticket: &Ticket, outcome: Outcome) {
        if outcome == Outcome::Success && ticket.word.is_plain() && !self.counts_success(ticket.word) {
            self.counters.add(Count::Succeeded);
        } else {
            self.report_otherwise(*ticket, outcome);
        }
    }

    /// Whether the success of an ordinary call, let through under `word`, concerns the machine.
    #[inline]
    fn counts_success(&self, word: Word) -> bool {
        word.has(Flags::SUCCESS_MAY_COUNT) && {
            let now = self.word();
            now.has(Flags::SUCCESS_COUNTS) && now.generation() == word.generation()
        }
    }

    #[inline(never)]
    fn report_otherwise(&self, ticket: Ticket, outcome: Outcome) {
        let from = Reporter { generation: ticket.word.generation(), admission: ticket.admission };
        let concerns_machine = match outcome {
            Outcome::Failure => true,
            Outcome::Success => ticket.is_probe() || self.word().has(Flags::SUCCESS_COUNTS),
            Outcome::Ignored => ticket.is_probe(),
        };
        self.counters.add(match outcome {
            Outcome::Success => Count::Succeeded,
            Outcome::Failure => Count::Failed,
            Outcome::Ignored => Count::Ignored,
        });
        let now = if concerns_machine {
            let (now, is_slow) = self.with_machine(|machine, now| {
                let slow = machine.options().trip().slow_calls();
                let took = now.saturating_since(ticket.issued);
                let is_slow = ticket.is_timed()
                    && outcome != Outcome::Ignored
                    && slow.is_some_and(|slow| took > slow.longer_than);
                let report = match outcome {
                    Outcome::Success => Report::Ended(Ended { failed: false, slow: is_slow }),
                    Outcome::Failure => ticket.failure(Ended { failed: true, slow: is_slow }),
                    Outcome::Ignored => Report::Released,
                };
                machine.report(from, report, now);
                (now, is_slow)
            });
            if is_slow {
                self.counters.add(Count::Slow);
            }
            now
        } else if ticket.word.has(Flags::OBSERVED) {
            self.clock.mono()
        } else {
            return;
        };
        if ticket.word.has(Flags::OBSERVED) {
            let took = now.saturating_since(ticket.issued);
            events::called(&self.emitter, &self.name, from, now, outcome, took);
        }
    }

    /// Takes back a ticket that was dropped without a report.
    #[cold]
    pub(crate) fn abandon(&self, ticket: &Ticket) {
        if thread::panicking() && !ticket.was_panicking {
            self.report_otherwise(*ticket, Outcome::Failure);
            return;
        }
        let (policy, now) = self.with_machine(|machine, now| (machine.options().cancel_policy(), now));
        let outcome = match policy {
            CancelPolicy::Failure => Outcome::Failure,
            CancelPolicy::FailureIfLongerThan(limit)
                if ticket.is_timed() && now.saturating_since(ticket.issued) > limit =>
            {
                Outcome::Failure
            }
            CancelPolicy::FailureIfLongerThan(_) | CancelPolicy::Ignore => Outcome::Ignored,
        };
        self.report_otherwise(*ticket, outcome);
    }

    pub(crate) fn melt(&self) {
        self.counters.add(Count::Melted);
        self.with_machine(Machine::melt);
    }

    /// Whether a call would be let through now; if not, when the state changes by itself.
    pub(crate) fn would_admit(&self) -> Result<(), Option<MonoTime>> {
        if self.word().state() == State::Closed {
            return Ok(());
        }
        self.with_machine(|machine, now| machine.would_admit(now).map_err(|_| machine.next_deadline()))
    }

    pub(crate) fn state(&self) -> State {
        match self.word().state() {
            state @ (State::Closed | State::ForcedOpen) => state,
            State::Open | State::HalfOpen => self.with_machine(|machine, _| machine.state()),
        }
    }

    /// Whether the circuit is closed, remembers no failure, and no call is under way. Changes nothing, so that nobody has to
    /// be told.
    pub(crate) fn is_at_rest(&self) -> bool {
        if self.word().state() != State::Closed || self.totals().outstanding() > 0 {
            return false;
        }
        let machine = self.machine.lock();
        machine.state() == State::Closed && machine.window(self.clock.mono()).failures == 0
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let totals = self.totals();
        self.with_machine(|machine, now| Snapshot {
            name: self.name.clone(),
            state: machine.state(),
            generation: machine.generation(),
            window: machine.window(now),
            consecutive_failures: machine.consecutive_failures(),
            probes: machine.probes(),
            retry_after: machine.open_until().map(|until| until.saturating_since(now)),
            opened_in_a_row: machine.opened_in_a_row(),
            last_failure_ago: machine.last_failure_at().map(|at| now.saturating_since(at)),
            totals: Totals { opened: machine.opened(), ..totals },
            open_until: machine.open_until(),
            last_failure_at: machine.last_failure_at(),
        })
    }

    fn totals(&self) -> Totals {
        let count = |count| self.counters.sum(count);
        // What ends before what begins, so that nothing seems to have ended that never began.
        let (succeeded, by_permit, ignored) = (count(Count::Succeeded), count(Count::Failed), count(Count::Ignored));
        let melted = count(Count::Melted);
        Totals {
            succeeded,
            failed: by_permit.saturating_add(melted),
            melted,
            ignored,
            slow: count(Count::Slow),
            rejected: count(Count::Rejected),
            injected: count(Count::Injected),
            admitted: count(Count::Admitted),
            opened: 0,
        }
    }
}

/// A call under way on this thread. Unlike a permit it never leaves the stack, so that nothing but a panic drops it.
pub(crate) struct Entered<'s, C: Clock> {
    shared: &'s Shared<C>,
    line: Line<'s>,
    word: Word,
}

impl<C: Clock> Entered<'_, C> {
    #[inline]
    pub(crate) fn report(self, outcome: Outcome) {
        let this = ManuallyDrop::new(self);
        if outcome == Outcome::Success && !this.shared.counts_success(this.word) {
            this.line.add(Count::Succeeded);
        } else {
            this.shared.report_otherwise(Ticket::plain(this.word), outcome);
        }
    }
}

impl<C: Clock> Drop for Entered<'_, C> {
    #[cold]
    fn drop(&mut self) {
        self.shared.report_otherwise(Ticket::plain(self.word), Outcome::Failure);
    }
}
