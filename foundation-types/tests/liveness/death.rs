//! The instant of death: monotone, with one reason, whoever causes it and however it comes.

use std::cell::RefCell;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread;

use foundation_types::{ExitReason, Owner, Pid};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{Counter, on_exit, race};

#[derive(Clone, Debug)]
enum Step {
    Drop,
    Exit(ExitReason),
    Kill,
    RequestShutdown,
    Observe,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Drop),
        1 => (0..3_u8).prop_map(|n| Step::Exit(ExitReason::error(format!("cause {n}")))),
        1 => Just(Step::Kill),
        1 => Just(Step::RequestShutdown),
        4 => Just(Step::Observe),
    ]
}

/// An owner that several threads may end, and what they need to tell who did.
struct Shared {
    owner: Mutex<Option<Owner>>,
    pid: Pid,
}

impl Shared {
    fn new() -> Self {
        let owner = Owner::new();
        Self { pid: owner.pid(), owner: Mutex::new(Some(owner)) }
    }

    fn take(&self) -> Option<Owner> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Does the step. Returns the reason that it would give to a death, if it tried to cause one.
    fn run(&self, step: &Step) -> Option<ExitReason> {
        match step {
            Step::Drop => {
                drop(self.take()?);
                Some(ExitReason::Normal)
            }
            Step::Exit(reason) => {
                self.take()?.exit(reason.clone());
                Some(reason.clone())
            }
            Step::Kill => self.pid.kill().then_some(ExitReason::Killed),
            Step::RequestShutdown => {
                self.pid.request_shutdown(ExitReason::Shutdown);
                None
            }
            Step::Observe => None,
        }
    }
}

/// What one thread saw: the reasons in the order it read them, and what it tried.
#[derive(Default)]
struct Seen {
    reasons: Vec<Option<ExitReason>>,
    tried: Vec<ExitReason>,
    kills_won: usize,
}

impl Seen {
    fn look(&mut self, pid: &Pid) {
        let alive_before = pid.is_alive();
        let reason = pid.exit_reason();
        let alive_after = pid.is_alive();
        assert!(alive_before || reason.is_some(), "dead has a reason");
        assert!(reason.is_none() || !alive_after, "a reason means dead");
        self.reasons.push(reason);
    }
}

proptest! {
    #[test]
    fn t16_one_thread_agrees_with_the_model(steps in vec(step(), 1..12)) {
        let shared = Shared::new();
        let before = shared.pid.monitor();
        let mut expected = None;
        for step in &steps {
            let tried = shared.run(step);
            if expected.is_none() {
                expected = tried;
            }
            prop_assert_eq!(shared.pid.exit_reason(), expected.clone());
            prop_assert_eq!(shared.pid.is_alive(), expected.is_none());
        }
        drop(shared.take());
        let expected = expected.unwrap_or(ExitReason::Normal);
        prop_assert_eq!(before.wait(), expected.clone());
        prop_assert_eq!(shared.pid.monitor().wait(), expected);
    }

    #[test]
    fn t16_under_any_interleaving_death_is_final_and_has_one_reason(plans in vec(vec(step(), 1..8), 2..5)) {
        let shared = Shared::new();
        let before = shared.pid.monitor();
        let seen = race(plans.len(), |thread| {
            let mut seen = Seen::default();
            seen.look(&shared.pid);
            for step in &plans[thread] {
                if let Some(tried) = shared.run(step) {
                    assert!(!shared.pid.is_alive(), "whoever ends an owner finds it dead");
                    seen.kills_won += usize::from(matches!(step, Step::Kill));
                    seen.tried.push(tried);
                }
                seen.look(&shared.pid);
            }
            seen
        });
        drop(shared.take());
        let reason = shared.pid.exit_reason().expect("dead");
        let mut observed = 0;
        for seen in &seen {
            let alive = seen.reasons.iter().take_while(|seen| seen.is_none()).count();
            for later in &seen.reasons[alive..] {
                prop_assert_eq!(later.as_ref(), Some(&reason), "dead, for ever, with the same reason");
            }
            observed += seen.reasons.len();
        }
        prop_assert!(observed >= 2 * plans.len());
        prop_assert_eq!(before.wait(), reason.clone());
        prop_assert_eq!(shared.pid.monitor().wait(), reason.clone());

        let tried: Vec<_> = seen.iter().flat_map(|seen| &seen.tried).collect();
        prop_assert!(tried.contains(&&reason) || tried.is_empty() && reason == ExitReason::Normal, "{:?}", tried);
        let kills_won: usize = seen.iter().map(|seen| seen.kills_won).sum();
        prop_assert_eq!(kills_won, usize::from(reason == ExitReason::Killed), "one kill wins, if any");
    }
}

#[test]
fn t16_of_many_simultaneous_kills_one_wins_and_all_find_it_dead() {
    for _ in 0..200 {
        let owner = Owner::new();
        let pid = owner.pid();
        let won = race(4, |_| (pid.kill(), pid.is_alive()));
        assert_eq!(won.iter().filter(|(won, _)| *won).count(), 1);
        assert!(won.iter().all(|(_, alive)| !alive));
        drop(owner);
        assert_eq!(pid.exit_reason(), Some(ExitReason::Killed));
    }
}

#[test]
fn t19_pids_do_not_keep_an_owner_alive() {
    let owner = Owner::new();
    let pids: Vec<Pid> = (0..1_000).map(|_| owner.pid()).collect();
    assert!(pids.iter().all(Pid::is_alive));
    drop(owner);
    assert!(!pids.iter().any(Pid::is_alive));
    assert!(pids.iter().all(|pid| pid.exit_reason() == Some(ExitReason::Normal)));
}

#[test]
fn t19_an_owner_dropped_by_a_panic_has_reason_panic() {
    let owner = Owner::new();
    let pid = owner.pid();
    let unwound = thread::spawn(move || {
        let _owner = owner;
        panic!("on purpose");
    });
    assert!(unwound.join().is_err());
    assert!(matches!(pid.exit_reason(), Some(ExitReason::Panic(_))));
}

#[test]
fn t19_a_panic_that_ended_before_does_not_count() {
    let owner = Owner::new();
    let pid = owner.pid();
    assert!(catch_unwind(|| panic!("on purpose")).is_err());
    drop(owner);
    assert_eq!(pid.exit_reason(), Some(ExitReason::Normal));
}

#[test]
fn an_explicit_reason_or_a_kill_stands_against_unwinding() {
    /// Gives up its owner with an explicit reason, as a component does that cleans up in its destructor.
    struct Component(Option<Owner>);

    impl Drop for Component {
        fn drop(&mut self) {
            if let Some(owner) = self.0.take() {
                owner.exit(ExitReason::Shutdown);
            }
        }
    }

    let explicit = Owner::new();
    let killed = Owner::new();
    let pids = [explicit.pid(), killed.pid()];
    assert!(killed.pid().kill());
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _component = Component(Some(explicit));
        let _killed = killed;
        panic!("on purpose");
    }));
    assert!(unwound.is_err());
    assert_eq!(pids.map(|pid| pid.exit_reason()), [Some(ExitReason::Shutdown), Some(ExitReason::Killed)]);
}

#[test]
fn cancelling_the_future_that_holds_an_owner_is_death() {
    let owner = Owner::new();
    let pid = owner.pid();
    let future = async move {
        let _owner = owner;
        std::future::pending::<()>().await;
    };
    assert!(pid.is_alive());
    drop(future);
    assert_eq!(pid.exit_reason(), Some(ExitReason::Normal));
}

#[test]
fn an_owner_in_thread_local_storage_dies_with_its_thread() {
    thread_local! {
        static HELD: RefCell<Option<Owner>> = const { RefCell::new(None) };
    }
    let owner = Owner::new();
    let pid = owner.pid();
    let ran = Counter::default();
    let count = ran.clone();
    on_exit(&pid, move |_| count.add()).keep();
    thread::spawn(move || HELD.set(Some(owner))).join().expect("it does not panic");
    assert_eq!(pid.monitor().wait(), ExitReason::Normal);
    assert_eq!(ran.get(), 1);
}

#[test]
fn a_forgotten_owner_is_alive() {
    let owner = Owner::new();
    let pid = owner.pid();
    mem::forget(owner);
    assert!(pid.is_alive());
    assert!(pid.kill(), "and can still be killed");
}

#[test]
fn a_killed_owner_is_a_zombie_that_can_register_nothing() {
    let owner = Owner::new();
    let pid = owner.pid();
    assert!(pid.kill());
    assert!(!owner.pid().is_alive());
    assert_eq!(owner.shutdown_requested(), Some(ExitReason::Killed));
    assert!(owner.pid().on_exit(Box::new(|_| ())).is_err());
    assert!(!pid.request_shutdown(ExitReason::Shutdown));
    owner.exit(ExitReason::error("too late"));
    assert_eq!(pid.exit_reason(), Some(ExitReason::Killed));
}
